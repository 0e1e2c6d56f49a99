"""The ledger: every labelled equation, how it was checked, and where the check was seen to fail.

Nothing in it is typed but the words that say what an equation means. The rest is read off what
the cells of the executed notebooks put out: each verdict carries a record of
``policygrad.checks.Check`` in its output's metadata. So a check that is added, removed or fails
changes the page. The slips under which checks were seen to fail are those that the tests make and
write down (``tests/typeset``, ``tests/seen_to_fail.json``); where the book is built without its
tests, they are left out.

``{ledger} page`` is the table of one page; its content has a line ``label: what it says`` for each
equation there. Where a person's reading ties a display to its check, since no machine can run it as
it is typeset, the line ends in `` | read: the reason``; a definition, ``def-label``, has a line
only then. ``{ledger-totals}`` is the sum over all pages, ``{ledger-weakest}`` the list of the
checks that would let the most pass. All read the cache of outputs, which holds every notebook
before a page is read; it names cells by the numbers that they show there. A row carries the class
``weak-N``, its place among all rows by how much its strongest check lets pass; ``ledger.js`` sorts
the rows of a table by it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import execution
import numbering
from permalinks import target
from records import Verdict, verdicts

LABEL = re.compile(r"^\$\$ \((eq|def)-([a-z0-9-]+)\)$", re.MULTILINE)
SAYING = re.compile(r"([a-z0-9-]+): (\S.*?)(?: \| read: (\S.*))?")
KINDS = ("runs", "identity", "close", "unbiased")
TESTS = Path(__file__).resolve().parents[1] / "tests"
COUNTED = (  # the tolerance of `close` that counted, and how it is told
    ("rtol", "to", ""),
    ("scale", "to", " of the terms of which they are differences"),
    ("atol", "to within", ""),
)
FINE = 1e-9  # relative: to which typeset equations are evaluated; what sees more is not listed
PAGE = "book/ledger"


@dataclass(frozen=True)
class Equation:
    """One row: an equation and all verdicts on it, wherever in the book they were put out."""

    page: str
    label: str
    verdicts: tuple[Verdict, ...]
    what: str = "eq"  # or "def", of a definition

    @property
    def key(self) -> str:
        """How the ledger's text names it."""
        return self.label if self.what == "eq" else f"def-{self.label}"

    def of(self, *kinds: str) -> list[Verdict]:
        """Its verdicts of some kinds."""
        return [v for v in self.verdicts if v.kind in kinds]


def labels(notebook, what: str = "eq") -> list[str]:
    """Labels of the equations (or of the definitions, ``what="def"``) of a notebook, in order."""
    return [
        name
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for kind, name in LABEL.findall(cell.source)
        if kind == what
    ]


def equations(notebooks: dict) -> list[Equation]:
    """Give the rows of the ledger: the equations of all pages, each with its verdicts.

    Definitions have a row, too.
    """
    found: dict[str, list[Verdict]] = {}
    for page, notebook in notebooks.items():
        for verdict in verdicts(page, notebook):
            found.setdefault(verdict.record["label"], []).append(verdict)
    return [
        Equation(page, name, tuple(found.get(name, ())), what)
        for page, notebook in notebooks.items()
        for what in ("eq", "def")
        for name in labels(notebook, what)
    ]


def gaps(rows: Iterable[Equation], lines: dict[str, dict[str, tuple]]) -> list[str]:
    """Everything that the ledger must not show, in words; ``lines`` are its own, by page."""
    found = []
    for row in rows:
        name = f"{row.what}-{row.label}"
        saying, reason = lines.get(row.page, {}).get(row.key, (None, None))
        if not (row.of("runs") or reason):
            found.append(f"{row.page}: {name} is neither executed as typeset nor read")
        if row.what == "eq" and not row.of(*KINDS):
            found.append(f"{row.page}: {name} has no check")
        if row.what == "eq" and not row.of("refuted"):
            found.append(f"{row.page}: {name} has no control")
        if row.what == "eq" and saying is None:
            found.append(f"{row.page}: the ledger has no line that says what {name} means")
        found += [
            f"{v.page}: a check of {name} failed in cell {v.cell}"
            for v in row.verdicts
            if not v.record["passed"]
        ]
    known = {(row.page, row.key) for row in rows}
    return found + [
        f"{page}: the ledger explains {key}, which is not there"
        for page, words in lines.items()
        for key in words
        if (page, key) not in known
    ]


def lines_of(text: str) -> dict[str, dict[str, tuple]]:
    """Read off the text of the ledger's page: page -> label -> (what it says, why it is read)."""
    return {page: entries(lines) for page, lines in blocks(text).items()}


def readings_of(text: str) -> dict[str, dict[str, str]]:
    """Read off the same text: page -> label -> why a person's reading ties it to its check."""
    return {page: readings(lines) for page, lines in blocks(text).items()}


def blocks(text: str) -> dict[str, list[str]]:
    """The lines of the ledger's page, by the page that they speak of."""
    found = re.findall(r"^:::\{ledger\} (\S+)\n(.*?)^:::$", text, re.MULTILINE | re.DOTALL)
    return {page: lines.splitlines() for page, lines in found}


def readings(lines: Iterable[str]) -> dict[str, str]:
    """Read the reasons off such lines, of the labels that have one."""
    return {label: reason for label, (_, reason) in entries(lines).items() if reason}


def entries(lines: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """Read lines of the form ``label: what it says``, or ``… | read: the reason``."""
    found = {}
    for line in filter(str.strip, lines):
        match = SAYING.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"the ledger expects `label: what it says`; it has {line!r}")
        label, saying, reason = match.groups()
        if label in found:
            raise ValueError(f"the ledger has two lines for {label}")
        if re.search(r"\|\s*read\b", saying) or "| read" in (reason or ""):
            raise ValueError(f"the ledger expects ` | read: the reason`; it has {line!r}")
        if label.startswith("def-") and reason is None:
            raise ValueError(f"{label} is a definition; its line says why it is read: {line!r}")
        found[label] = saying, reason
    return found


# --- words --------------------------------------------------------------------------------------


def strengths(row: Equation, reason: str | None = None) -> list[str]:
    """Say how strong the checks of an equation are: exact ones by kind, statistical ones each."""
    found = [f"**read**: {reason}"] if reason else []
    if runs := row.of("runs"):
        found.append(f"**as typeset**: {typeset(runs)}. {links(row, runs)}")
    if exact := row.of("identity"):
        found.append(f"{named(exact)}: exact. {links(row, exact)}")
    if close := row.of("close"):
        found.append(f"{named(close)}: {agreement(close)}. {links(row, close)}")
    return found + [
        f"{named([one])}: {test(one)}. {links(row, [one])}" for one in row.of("unbiased")
    ]


def typeset(found: list[Verdict]) -> str:
    """Say in how many worlds a display was executed, or that SymPy took it for all values."""
    figures = [v.record["figures"] for v in found]
    if all(one["exact"] for one in figures):
        return "for all values, by SymPy"
    worlds = sum(one["worlds"] for one in figures)
    many = "1 world" if worlds == 1 else f"{worlds} worlds"
    return f"{many}, {sum(one['cases'] for one in figures):,} comparisons"


def slipped(page: str, label: str) -> list[str]:
    """Say what came of the slips that were made in a display; nothing where it was not executed."""
    record = written(TESTS / "typeset" / f"{page}.json").get(label)
    if record is None:
        return []
    true = len(record["still true"])
    left = f"; {true} more left it true" if true else ""
    slips = f"{record['made'] - true} slips in the display, such as {code(record['example'])}"
    return [slips + left]


def altered(row: Equation) -> list[str]:
    """Say by which slip in its code each plain check was seen to fail."""
    found: dict[str, list[Verdict]] = {}
    for v in row.of("identity", "close", "unbiased"):
        record = written(TESTS / "seen_to_fail.json").get(v.page, {}).get(name_of(v))
        if record is not None:
            found.setdefault(code(record["slip"]), []).append(v)
    return [f"{slip}. {links(row, verdicts)}" for slip, verdicts in found.items()]


def slip(v: Verdict) -> str:
    """The slip by which a check was seen to fail, as a field of a table; empty where none is."""
    record = written(TESTS / "seen_to_fail.json").get(v.page, {}).get(name_of(v))
    return code(record["slip"]).replace("|", r"\|") if record else ""


def name_of(v: Verdict) -> str:
    """The name of a check among the others of its chapter, as the tests write it down."""
    return " · ".join(filter(None, (v.record["label"], v.record["kind"], v.record["where"])))


@lru_cache
def written(path: Path) -> dict:
    """What the tests have written down; nothing where the book came without its tests."""
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def code(text: str) -> str:
    """Words in which every character is shown as it is."""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}"


def named(found: list[Verdict]) -> str:
    """Name the kind of some verdicts, and how many they are."""
    return f"**{found[0].kind}**" + (f" × {len(found)}" if len(found) > 1 else "")


def agreement(found: list[Verdict]) -> str:
    """Say how closely the two sides agree: the widest of the tolerances that they kept to.

    It is relative to the reference, or to the terms of which both sides are differences, or it is
    absolute. How far within it they came out is a rounding error, another one on every machine.
    """
    kept = [tolerance(v.record["figures"]) for v in found]
    words = []
    for counted, to, of in COUNTED:
        sizes = {size for size, by in kept if by == counted}
        if sizes:
            closer = " or closer" if len(sizes) > 1 else ""
            words.append(f"{to} {power(max(sizes))}{closer}{of}")
    return f"the two sides agree {', others '.join(words)}"


def tolerance(figures: dict) -> tuple[float, str]:
    """Give the tolerance of one `close` that counted, and which it was: rtol, atol or scale."""
    counted = figures["counted"]
    return figures["rtol" if counted == "scale" else counted], counted


def test(one: Verdict) -> str:
    """The figures of one statistical test."""
    figures = one.record["figures"]
    samples = f"{figures['samples']:,} samples"
    if not figures["rank"]:
        return f"{samples}, all equal to the exact value"
    return (
        f"$T^2$ = {short(figures['statistic'])}, limit {short(figures['limit'])}; {samples}; "
        f"false alarm {power(figures['false_alarm'])}; sees a bias of {smallest_bias(one)}"
    )


def smallest_bias(one: Verdict) -> str:
    """The bias that would have been caught, in the words of the verdict."""
    return re.search(r"; a bias of (.*) would have been caught", one.line)[1]


def short(x: float, digits: int = 3) -> str:
    """A number with so many digits, without an exponent."""
    if x == 0 or not math.isfinite(x):
        return f"{x:g}"
    x = float(f"{x:.{digits}g}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(x))))
    text = f"{x:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def power(x: float) -> str:
    """A small number, rounded up: to two digits, or below 0.01 to a digit and a power of ten."""
    if x == 0:
        return "0"
    exponent = math.floor(math.log10(x) + 1e-9)
    if exponent >= -2:
        unit = 10.0 ** (exponent - 1)
        return short(math.ceil(x / unit - 1e-9) * unit, 2)
    digit = math.ceil(x / 10.0**exponent - 1e-9)
    digit, exponent = (1, exponent + 1) if digit == 10 else (digit, exponent)
    return f"$10^{{{exponent}}}$" if digit == 1 else f"${digit}\\cdot10^{{{exponent}}}$"


# --- tables, in MyST ----------------------------------------------------------------------------


def table(rows: Iterable[Equation], words: dict[str, tuple]) -> list[str]:
    """Write the rows of one page, as lines of MyST."""
    lines = ["```{list-table}", ":header-rows: 1", ":class: ledger", ""]
    lines += ["* - equation", "  - checked", "  - seen to fail"]
    for row in rows:
        controls = [
            f"“{plain(v.record['claim'])}”: {plain(v.words)}. {links(row, [v])}"
            for v in row.of("refuted")
        ]
        saying, reason = words.get(row.key, ("definition" if row.what == "def" else "", None))
        lines += [f"* - {{eq}}`{row.what}-{row.label}` {saying}"]
        seen = [*slipped(row.page, row.label), *altered(row), *controls]
        lines += [*entry(strengths(row, reason)), *entry(seen)]
    return [*lines, "```"]


def entry(items: list[str]) -> list[str]:
    """A list inside one field of a row."""
    first, *others = items or ["none"]
    return [f"  - - {first}", *(f"    - {item}" for item in others)]


def links(row: Equation, found: list[Verdict]) -> str:
    """Links to the cells of some verdicts; those on other pages say on which."""
    places = {}
    for v in found:
        page = "" if v.page == row.page else f"{numbering.named(v.page)}, "
        places[target(v.page, v.cell)] = f"{page}cell\N{NO-BREAK SPACE}{v.cell}"
    return ", ".join(f"{{ref}}`{name} <{place}>`" for place, name in places.items())


def plain(text: str) -> str:
    """Words in which no character is markup."""
    return re.sub(r"([!#$&()*+<>\[\\\]^_`{|}~])", r"\\\1", text)


def totals(notebooks: dict) -> list[str]:
    """Write the sum over all pages, as lines of MyST."""
    rows = equations(notebooks)
    found = [v for row in rows for v in row.verdicts]
    kinds = Counter(v.kind for v in found)
    equal = [row for row in rows if row.what == "eq"]
    defined = [label for notebook in notebooks.values() for label in labels(notebook, "def")]
    slips = [
        one for page in notebooks for one in written(TESTS / "typeset" / f"{page}.json").values()
    ]
    made, true = sum(one["made"] for one in slips), sum(len(one["still true"]) for one in slips)
    tests = [v.record["figures"] for v in found if v.kind == "unbiased"]
    tests = [figures for figures in tests if figures["rank"]]
    alarms = sum(figures["false_alarm"] for figures in tests)
    draws = sum(figures["samples"] for figures in tests)
    failed = sum(not v.record["passed"] for v in found)
    lines = {
        "equations": f"{len(equal)}, and {len(defined)} definitions",
        "executed as typeset": f"{sum(bool(row.of('runs')) for row in equal)} equations, "
        f"{sum(bool(row.of('runs')) for row in rows if row.what == 'def')} definitions",
        "slips made in these": f"{made:,}, of which noticed: {made - true:,}; the others leave a "
        "true statement",
        "compared with their check by a person": sum(not row.of("runs") for row in rows),
        "equations without a check": sum(not row.of(*KINDS) for row in equal),
        "equations without a control": sum(not row.of("refuted") for row in equal),
        "checks": f"{sum(kinds[kind] for kind in KINDS):,}, of which failed: {failed}",
        "… runs": kinds["runs"],
        "… identity": kinds["identity"],
        "… close": kinds["close"],
        "… unbiased": f"{kinds['unbiased']}, over {draws:,} samples; false alarms to be expected, "
        f"at the stated rates: {power(alarms)}",
        "controls, all of which failed as they must": kinds["refuted"],
    }
    return ["|  |  |", "|---|---|", *(f"| {name} | {value} |" for name, value in lines.items())]


def weakest(notebooks: dict) -> list[str]:
    """List the checks that would let the most pass, those first, as lines of MyST."""
    found = []
    for row in equations(notebooks):
        for v in row.of("close", "unbiased"):
            size, words = blindness(v)
            if size > FINE:
                line = (
                    f"| {words} | {{eq}}`{row.what}-{row.label}` | {links(row, [v])} | {slip(v)} |"
                )
                found.append((-size, line))
    head = ["| lets pass | equation | cell | seen to fail by |", "|---|---|---|---|"]
    return head + [line for _, line in sorted(found, key=lambda pair: pair[0])]


def ranks(rows: Iterable[Equation]) -> dict[tuple[str, str], int]:
    """Give the place of each equation among all, from those whose checks let the least pass."""
    weak = {(row.what, row.label): weakness(row) for row in rows}
    order = {size: place for place, size in enumerate(sorted(set(weak.values())))}
    return {key: order[size] for key, size in weak.items()}


def weakness(row: Equation) -> float:
    """What the strongest check of an equation may leave unseen; infinite where it has none."""
    sizes = [0.0 for v in row.of("identity")]
    sizes += [0.0 if v.record["figures"]["exact"] else FINE for v in row.of("runs")]
    sizes += [blindness(v)[0] for v in row.of("close", "unbiased")]
    return min(sizes, default=math.inf)


def blindness(v: Verdict) -> tuple[float, str]:
    """What a check may leave unseen, relative to the exact value where that is not 0; in words."""
    figures = v.record["figures"]
    if v.kind == "close":
        size, counted = tolerance(figures)
        of = {"rtol": "", "atol": " (not relative)", "scale": " of its terms"}[counted]
        return size, f"a difference of {power(size)}{of}"
    if not figures["rank"]:
        return 0.0, "nothing"
    relative = figures["smallest_bias"] / (figures["exact_norm"] or 1.0)
    words = smallest_bias(v)
    return relative, f"a bias of less than {words}" + " (not relative)" * (
        not figures["exact_norm"]
    )


# --- Sphinx -------------------------------------------------------------------------------------


class Ledger(SphinxDirective):
    """The rows of one page."""

    has_content = True
    required_arguments = 1

    def run(self):
        page, lines = self.arguments[0], entries(self.content)
        every = equations(executed(self.env))
        rows = [row for row in every if row.page == page]
        for gap in gaps(rows, {page: lines}):
            logging.getLogger(__name__).warning(gap, location=self.get_location())
        found, places = parsed(self, table(rows, lines)), ranks(every)
        body = next(node for one in found for node in one.findall(nodes.tbody))
        for row, node in zip(rows, body.children, strict=True):
            node["classes"].append(f"weak-{places[row.what, row.label]}")
        return found


class Totals(SphinxDirective):
    """The sum over all pages."""

    def run(self):
        return parsed(self, totals(executed(self.env)))


class Weakest(SphinxDirective):
    """The checks that would let the most pass."""

    def run(self):
        return parsed(self, weakest(executed(self.env)))


def parsed(directive, lines: list[str]) -> list:
    """Let the parser of the page turn lines into nodes."""
    node = nodes.Element()
    content = StringList(lines, source=directive.env.docname)
    directive.state.nested_parse(content, directive.content_offset, node)
    return node.children


def executed(env) -> dict:
    """Give the notebooks with the outputs that the pages show, by page, in order of their names.

    They are read once for a page: Sphinx drops what is temporary between two pages. They come from
    the cache of outputs: what MyST-NB writes into its own folder are the stored ones.
    """
    if PAGE not in env.temp_data:
        paths = [Path(env.doc2path(name)) for name in sorted(env.found_docs)]
        notebooks = [path for path in paths if path.suffix == ".ipynb"]
        with execution.opened(env.mystnb_config.execution_cache_path) as cache:
            env.temp_data[PAGE] = {p.stem: execution.executed(cache, p) for p in notebooks}
    return env.temp_data[PAGE]


def always_outdated(app, env, added, changed, removed):
    """Any page may have changed what the ledger says."""
    return [PAGE] if PAGE in env.found_docs else []


def setup(app):
    """Connect all this to Sphinx."""
    app.add_directive("ledger", Ledger)
    app.add_directive("ledger-totals", Totals)
    app.add_directive("ledger-weakest", Weakest)
    app.connect("env-get-outdated", always_outdated)
    app.setup_extension("permalinks")  # which makes cells targets of links
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
