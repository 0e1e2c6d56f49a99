r"""What the pages state in formulas, as the book's own Markdown parser sees it.

    reading = read("…Markdown…")     # its displays, its inline formulas, and what is refused
    complaints(book(), TIED)         # everything on the book's pages that no check answers for

A display has one spelling, since the readers of labels (``policygrad.formulas``, the ledger) know
no other::

    $$
    a = b
    $$ (eq-some-label)

with both marks at the start of a line.  Every other way to set a formula apart, or to bring in text
that this parser does not see, is refused with a message that says how to write it.  A ``def-`` may
only define; what else its sides say is a claim, and claims are labelled ``eq-``.

    python tests/claims.py --read LABEL

writes down the fingerprint of a display that a person has just compared with its check.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import nbformat
import yaml
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
READ = ROOT / "tests" / "read.json"
sys.path[:0] = [str(ROOT / "book"), str(ROOT / "_ext")]

import ledger  # noqa: E402
from policygrad.formulas.grammar import chain  # noqa: E402
from policygrad.formulas.tex import tokens  # noqa: E402

HOW = "write a display as `$$`, the formula, `$$ (eq-label)`, each at the start of its own line"
LABEL = re.compile(r"(eq|def)-[a-z0-9]+(-[a-z0-9]+)*")
# What stands in these directives is Markdown, or nothing; a directive that is not here is refused.
DIRECTIVES = {"admonition", "note", "tip", "warning", "important", "seealso", "dropdown"}
DIRECTIVES |= {"exercise", "exercise-start", "exercise-end", "solution-start", "solution-end"}
DIRECTIVES |= {"solution", "ledger", "ledger-totals", "glossary", "bibliography", "list-table"}
DIRECTIVES |= {f"prf:{kind}" for kind in ("lemma", "theorem", "proof", "corollary", "remark")}
ROLES = {"eq", "ref", "numref", "doc", "term", "prf:ref", "cite", "cite:t", "cite:p", "glue"}
HTML = re.compile(r"</?a\b[^<>$\\]*>|<br ?/?>")
NAMES = {"label", "class", "name", "header-rows", "filter", "style", "open", "nonumber"}
MATH = re.compile(r"\$|\\[(\[]|\\begin\b|<math\b", re.IGNORECASE)
# A number that is set equal to something, or compared with it, with no dollars around it.
BARE = re.compile(r"([^\s|]*[\w)\]}*'’])\s*(=|≈|<|>|≤|≥|≠)\s*([-−+]?\d*\.?\d[\d,./]*)")
TYPED = {"=": "=", "≈": r"\approx", "<": "<", ">": ">", "≤": r"\le", "≥": r"\ge", "≠": r"\ne"}
GREEK = {"α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "ε": r"\varepsilon", "θ": r"\theta"}


@dataclass(frozen=True)
class Display:
    """A labelled display: the page, its label with ``eq-`` or ``def-``, its LaTeX."""

    page: str
    label: str
    tex: str

    @property
    def name(self) -> str:
        """The label as checks call it."""
        return self.label.partition("-")[2]


@dataclass(frozen=True)
class Formula:
    """A formula in a line of text, and the text before it."""

    tex: str
    before: str = ""


@dataclass
class Reading:
    """What one piece of Markdown shows: displays (label, LaTeX), formulas, and what is refused."""

    displays: list[tuple[str, str]] = field(default_factory=list)
    formulas: list[Formula] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def refuse(self, what: str, text: str, how: str = HOW) -> None:
        """Note what is refused, and how to write it."""
        self.faults.append(f"{what}, {' '.join(text.split())[:60]!r}: {how}")


@cache
def markdown():
    """The parser of the book's pages, with the extensions of its settings."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["parse"]
    config = MdParserConfig(enable_extensions=set(settings["myst_enable_extensions"]))
    return create_md_parser(config, RendererHTML)


@cache
def _read(source: str) -> Reading:
    reading = Reading()
    _blocks(source, reading)
    named = ledger.LABEL.findall(source), [label for label, _ in reading.displays]
    if [f"{kind}-{name}" for kind, name in named[0]] != named[1] and not reading.faults:
        reading.refuse(
            "a label that belongs to no display", " ".join("-".join(x) for x in named[0])
        )
    return reading


def read(source: str) -> Reading:
    """Read a cell, or a whole page, of Markdown."""
    return _read(source)


def _blocks(source, reading):
    lines = source.splitlines()
    for token in markdown().parse(source, {}):
        kind, text = token.type, token.content
        if kind == "math_block_label":
            _display(token, lines[slice(*token.map)], reading)
        elif kind.startswith("math_") or kind == "amsmath":
            reading.refuse("a display without a label, or in another form", text)
        elif kind in ("fence", "colon_fence"):
            _fence(token, reading)
        elif kind == "inline":
            _inline(token, reading)
        elif kind in ("html_block", "front_matter") or kind.startswith("substitution"):
            reading.refuse(f"{kind.replace('_', ' ')} is not read", text, "write Markdown")
        elif kind in ("code_block", "myst_line_comment") and MATH.search(text):
            reading.refuse("a formula that is shown as code, or not at all", text)


def _display(token, lines, reading):
    tex, label = token.content.strip(), token.info
    if not LABEL.fullmatch(label):
        reading.refuse("a label that begins with neither eq- nor def-", label)
    elif lines[:1] != ["$$"] or lines[-1:] != [f"$$ ({label})"] or "$" in tex:
        reading.refuse("a display in another form", "\n".join(lines))
    elif found := re.search(r"\\(label|tag|eqref|ref|require|def|newcommand|let|href)\b|%", tex):
        reading.refuse(f"{found[0]} in a display", label, "a display holds its formula alone")
    else:
        reading.displays.append((label, tex))


def _fence(token, reading):
    info, text = token.info.strip(), token.content
    named = re.fullmatch(r"\{([^{}]+)\}\s*(.*)", info)
    if named is None:
        if token.type == "colon_fence" or info.split(" ")[0] in ("math", "latex", "tex"):
            reading.refuse("a fence that sets a formula", text)
        elif MATH.search(text):
            reading.refuse("a formula in a block of code", text)
        return
    name, title = named.groups()
    if name not in DIRECTIVES:
        how = HOW if "math" in name else "write Markdown, or add the directive to tests/claims.py"
        return reading.refuse(f"the directive {{{name}}} is not read", text, how)
    if title and name not in ("ledger", "solution-start", "exercise-start"):
        _blocks(title, reading)
    lines = text.splitlines()
    if lines[:1] == ["---"]:
        return reading.refuse("options between dashes", text, "write an option as `:name: value`")
    while lines and (option := re.fullmatch(r":([\w-]+):(?: +(.*))?", lines[0])):
        if option[1] not in NAMES and option[2]:
            _blocks(option[2], reading)
        lines.pop(0)
    if name == "ledger":
        for line in filter(str.strip, lines):
            _blocks(line.partition(": ")[2], reading)
    else:
        _blocks("\n".join(lines), reading)


def _inline(token, reading):
    raw = re.sub(r"`[^`]*`|\$[^$]*\$", " ", token.content)
    if found := re.search(r"\\{1,2}[(\[]", raw):
        reading.refuse(f"{found[0]} sets a formula in some readers", token.content)
    before = ""
    for child in token.children:
        kind, text = child.type, child.content
        if kind == "math_inline":
            reading.formulas.append(Formula(text, before))
        elif kind == "myst_role" and child.meta["name"] not in ROLES:
            reading.refuse(f"the role {{{child.meta['name']}}} is not read", text, "write $…$")
        elif kind == "html_inline" and not HTML.fullmatch(text):
            reading.refuse("raw HTML is not read", text, "write Markdown")
        elif kind == "image":
            reading.refuse("a picture that no cell draws", text, "draw it in a cell")
        elif kind.startswith(("math_", "substitution", "footnote_inline")):
            reading.refuse(f"{kind.replace('_', ' ')} is not read", text)
        elif kind == "text" and "$" in text:
            reading.refuse("a dollar sign that sets no formula", text)
        elif kind == "text":
            reading.formulas += bare(text)
        before = " " if kind == "softbreak" else text if kind == "text" else ""


def bare(text: str) -> list[Formula]:
    """The relations with a number that a plain text states, as LaTeX."""
    found = []
    for left, sign, number in BARE.findall(text):
        left = "".join(f"{GREEK[x]} " if x in GREEK else x for x in left.lstrip("("))
        number = number.rstrip(",./").replace("−", "-").replace(",", "")
        found.append(Formula(f"{left}{TYPED[sign]} {number}"))
    return found


# --- the book ------------------------------------------------------------------------------------


def names() -> list[str]:
    """The pages, in the order of the book's contents."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    chapters = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    return [name.removeprefix("book/") for name in (contents["root"], *chapters)]


def book() -> dict[str, list]:
    """All pages, each as its cells; a page without code is one cell."""
    found = {}
    for name in names():
        path = BOOK / f"{name}.ipynb"
        if path.is_file():
            found[name] = nbformat.read(path, as_version=4).cells
        else:
            text = (BOOK / f"{name}.md").read_text("utf-8")
            found[name] = [nbformat.v4.new_markdown_cell(text)]
    return found


def readings(cells) -> list[Reading]:
    """Everything of a page that is read as Markdown, cell by cell: text, captions, outputs."""
    found = []
    for cell in cells:
        if cell.cell_type != "code":
            found.append(read(cell.source))
            continue
        said = cell.metadata.get("mystnb", {})
        found += [read(text) for text in (said.get("figure", {}).get("caption", ""),) if text]
        found += [_output(output, cell) for output in cell.outputs]
    return found


def _output(output, cell) -> Reading:
    """What a cell shows beside plain text; LaTeX has to be SymPy's and to state nothing."""
    data, reading = output.get("data", {}), Reading()
    if "text/markdown" in data:
        shown = read(data["text/markdown"])
        reading.faults, reading.formulas = [*shown.faults], [*shown.formulas]
        for label, tex in shown.displays:
            reading.refuse(f"a cell shows {label}", tex, "displays stand in the text")
    stated = data.get("text/latex", "$\\displaystyle $")
    shown = re.fullmatch(r"\$\\displaystyle ([^$]*)\$", stated)
    if shown is None or chain(tokens(shown[1]))[1]:
        reading.refuse("a cell shows a formula that states something", stated)
    if "policygrad" not in output.get("metadata", {}) and "text/html" in data:
        reading.refuse("a cell shows HTML", data["text/html"], "show a verdict, text or a figure")
    return reading


def displays(pages) -> list[Display]:
    """All labelled displays, in the order of the book."""
    return [
        Display(page, label, tex)
        for page, cells in pages.items()
        for reading in readings(cells)
        for label, tex in reading.displays
    ]


def faults(pages) -> list[str]:
    """Everything that is refused, with its page; and labels that are borne twice."""
    found = [
        f"{page}: {fault}"
        for page, cells in pages.items()
        for reading in readings(cells)
        for fault in reading.faults
    ]
    borne = Counter(display.name for display in displays(pages))
    return found + [f"{name} labels {n} displays" for name, n in borne.items() if n > 1]


# --- what ties a display -------------------------------------------------------------------------


def executed(pages) -> set[str]:
    """Names of the displays that a cell has run as they are typeset, and found true."""
    records = [
        output.get("metadata", {}).get("policygrad")
        for cells in pages.values()
        for cell in cells
        for output in cell.get("outputs", [])
    ]
    runs = [x for x in records if x and x["kind"] == "runs" and x["claim"] is None and x["passed"]]
    return {record["label"].removeprefix("eq-").removeprefix("def-") for record in runs}


def readings_by_person() -> set[str]:
    """Labels, with ``eq-`` or ``def-``, that the ledger says a person's reading ties."""
    pages = ledger.readings_of((BOOK / "ledger.md").read_text("utf-8"))
    names = [label for page in pages.values() for label in page]
    return {name if name.startswith("def-") else f"eq-{name}" for name in names}


def fingerprint(tex: str) -> str:
    """Twelve hexadecimal digits that change with any token of a display, and with no space."""
    return hashlib.sha256(" ".join(tokens(tex)).encode()).hexdigest()[:12]


def altered(found: list[Display], read_labels: set[str], stored: dict[str, str]) -> list[str]:
    """Displays tied by reading that are not as they were when they were read."""
    tex = {display.label: display.tex for display in found}
    messages = [f"{label} is read, and is no display" for label in sorted(read_labels - set(tex))]
    for label in sorted(read_labels & set(tex)):
        if stored.get(label) != fingerprint(tex[label]):
            how = "was altered since" if label in stored else "is not on record since"
            messages.append(
                f"{label} {how} a person compared it with its check; compare again and run "
                f"`python tests/claims.py --read {label}`"
            )
    return messages + [
        f"{label} is in {READ.name}, and the ledger does not say that it is tied by reading"
        for label in sorted(set(stored) - read_labels)
    ]


def main(*arguments: str) -> int:
    """Write down that a display was compared with its check, as it is now."""
    if len(arguments) != 2 or arguments[0] != "--read":
        sys.exit(__doc__)
    label, read_labels = arguments[1], readings_by_person()
    found = {display.label: display.tex for display in displays(book())}
    if label not in found or label not in read_labels:
        why = "no display bears it" if label not in found else "the ledger has no `| read:` for it"
        sys.exit(f"{label}: {why}; labels are written with their eq- or def-")
    stored = json.loads(READ.read_text("utf-8")) | {label: fingerprint(found[label])}
    kept = {name: stored[name] for name in sorted(stored) if name in read_labels}
    READ.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8", newline="\n")
    print(f"{found[label]}\n{label} is as its reader saw it: {kept[label]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
