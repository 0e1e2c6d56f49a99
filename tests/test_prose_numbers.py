"""No number that looks computed stands in the prose without a tie to what computed it.

A decimal, a percentage, a number with a thousands separator or a power of ten looks computed.  It
is tied when it is one of

* an output: a cell of the chapter puts out the same digits, and they were not typed into a string;
* an input: it stands as a constant in the code of the chapter, so the reader sets it;
* cited: its sentence names the work that it is from.

A paragraph that leads to other chapters, by a link, an anchor or the label of an equation, has
their outputs and inputs too; a page without cells has no others.  Captions, alternative texts and
comments in the code are prose as well.  Glued numbers are no digits in the source, and code spans,
labels and addresses are no prose.
"""

import ast
import copy
import io
import re
import tokenize
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

from policygrad import checks

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
PAGES = [*NOTEBOOKS, *sorted(BOOK.glob("*.md")), ROOT / "README.md"]
TRIALS = BOOK / "14-claims-on-trial.ipynb"

# What neither a cell nor a source can tie: (page, number): its value, and why.
ALLOWED = {
    ("ledger", "0.99"): (checks.POWER, "a page without cells names a constant of the package"),
}


# --- numbers -------------------------------------------------------------------------------------


class Number(NamedTuple):
    """A number as it was read: its text, its size and its sign, where one was written.

    The exponent of the size is the place of its last digit.
    """

    text: str
    size: Decimal
    sign: str

    @property
    def looks_computed(self):
        return re.search(r"[.,%^]|cent|\d[eE]", self.text) is not None

    @property
    def digits(self):
        """Its size to the digit: 1 and 1.0 differ."""
        return self.size.as_tuple()

    def is_output(self, found):
        """Is it one of the numbers found, to as many digits and of no other sign?"""
        return any(
            self.size == other.size
            and self.digits.exponent >= other.digits.exponent
            and self._agrees(other)
            for other in found
        )

    def is_input(self, found):
        """Is it one of the numbers found?  What is set is exact, however many digits it has."""
        return any(self.size == other.size and self._agrees(other) for other in found)

    def _agrees(self, other):
        return not self.sign or (self.sign == "-") == (other.sign == "-")


POWER_OF_TEN = r"10\^(?:\{(?P<{0}>[-−]?\d+)\}|(?P<{0}_>\d))"
NUMBER = re.compile(
    r"(?<![\w.])(?<!\w\^)(?:"
    + POWER_OF_TEN.replace("{0}", "alone")
    + r"|(?P<digits>\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d*\.\d+|\d+)"
    + r"(?:[eE](?P<e>[-+]?\d+)|\s*(?:\\times|\\cdot|×)\s*"
    + POWER_OF_TEN.replace("{0}", "times")
    + r")?)(?!\.\d)(?P<percent>(?:\s|\\,)?\\?%|\s+per\s?cent\b)?"
)
RELATIONS = re.compile(r"\\(approx|sim|simeq|le|leq|ge|geq|to|in|colon)$")
NAMED_BY_NUMBER = re.compile(
    r"(?:examples?|exercises?|equations?|sections?|figures?|tables?|chapters?|algorithms?"
    r"|theorems?|lemmas?|pages?|pp?\.|python|version|CC BY)[\s~]+(?:[\d.]+(?:,| and| to)[\s~]+)*$",
    re.IGNORECASE,
)


def plain(text):
    """A text with its thousands separated by commas, and no letter of a command before a digit."""
    text = re.sub(r"(?<=\d)(?:\{,\}|\\,)(?=\d{3}(?!\d))", ",", text)
    return re.sub(r"(\\[A-Za-z]+)(?=[\d.])", r"\1 ", text)


def numbers(text):
    """Every number in a text, but for those that are the name of a section or of an equation."""
    text = plain(text)
    found = ((match, text[: match.start()]) for match in NUMBER.finditer(text))
    return [_read(match, before) for match, before in found if not NAMED_BY_NUMBER.search(before)]


def _read(match, before):
    get = match.groupdict().get
    size = Decimal((get("digits") or "1").replace(",", ""))
    power = get("e") or get("alone") or get("alone_") or get("times") or get("times_") or "0"
    size = size.scaleb(int(power.replace("−", "-")) - 2 * bool(get("percent")))
    return Number(" ".join(match[0].split()), size, _sign(before))


def _sign(before):
    """The sign at the end of a text: empty where none stands, or where it is that of a sum."""
    if re.search(r"\bminus\s+$", before):
        return "-"
    if not before.endswith(("-", "−", "+")):
        return ""
    sign, before = before[-1].replace("−", "-"), before[:-1]
    in_a_sum = re.search(r"[\w)\]}.!]$", before) and not RELATIONS.search(before)
    return "" if in_a_sum else sign


# --- prose and evidence --------------------------------------------------------------------------

CITED = "\N{DAGGER}"


def paragraphs(markdown):
    """The paragraphs of a page: fenced code left out, what stands in fenced directives kept."""
    kept, fences = [], []
    for line in markdown.splitlines():
        fence = re.match(r"\s*(`{3,}|~{3,})(.*)", line)
        if fence and fences and not fence[2].strip() and fence[1].startswith(fences[-1][0]):
            fences.pop()
        elif fence:
            fences.append((fence[1], not fence[2].startswith("{")))
        if fence or not any(code for _, code in fences):
            kept.append("" if fence else line)
    return re.split(r"\n\s*\n", "\n".join(kept))


def sentences(paragraph):
    """The prose of a paragraph, a sentence at a time, without code spans, labels and addresses."""
    text = re.sub(r"^\s*:[\w-]+:.*$|^\(\S+\)=$", " ", paragraph, flags=re.M)
    text = re.sub(r"\$\$ *\([\w-]+\)", "$$", text)
    text = re.sub(r"\{cite[^}]*\}`[^`]*`", CITED, text)
    text = re.sub(r"\{[\w:]+\}`[^`]*`|`[^`]*`", " ", text)
    text = re.sub(r"\]\([^)]*\)|https?://\S+", "] ", text)
    for part in re.split(r"^\s*(?:[-*]|\d+\.)\s|\$\$|\n(?=\|)", text, flags=re.M):
        yield from re.split(r"(?<=[.!?;])\s+(?=[^\da-z])", part)


def prose_of(cell):
    """What a cell says to the reader and no machine compares."""
    if cell.cell_type == "markdown":
        return [cell.source]
    said = cell.metadata.get("mystnb", {})
    shown = [said.get("image", {}).get("alt", ""), said.get("figure", {}).get("caption", "")]
    comments = tokenize.generate_tokens(io.StringIO(cell.source).readline)
    return shown + [token.string for token in comments if token.type == tokenize.COMMENT]


class Evidence(NamedTuple):
    """What a chapter's cells put out, and what is set in them."""

    outputs: tuple[Number, ...] = ()
    inputs: tuple[Number, ...] = ()

    def __add__(self, other):
        return Evidence(self.outputs + other.outputs, self.inputs + other.inputs)


def evidence(cells):
    """What ties a number of these cells."""
    outputs, inputs, typed = [], [], []
    for cell in cells:
        if cell.cell_type == "code":
            tree = ast.parse(cell.source)
            inputs += constants(tree)
            typed += [n for text in strings(tree) for n in numbers(text)]
            outputs += [n for text in output_texts(cell) for n in numbers(text)]
    # What was typed into a string is put out but not computed; it may be an input all the same.
    typed = {n.digits for n in typed if not n.is_input(inputs)}
    return Evidence(tuple(n for n in outputs if n.digits not in typed), tuple(inputs))


def output_texts(cell):
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        for kind in ("text/plain", "text/latex"):
            if "image/svg+xml" not in output.get("data", {}):
                yield output.get("data", {}).get(kind, "")


def constants(tree):
    """The numbers that a code sets, with products, quotients and powers such as 10**9."""
    found = []
    for node in ast.walk(tree):
        value = _value(node)
        if value is not None:
            found.append(Number(ast.unparse(node), abs(value), "-" if value < 0 else ""))
    return found


def _value(node):
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return Decimal(repr(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value(node.operand)
        return None if value is None else -value
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div, ast.Pow)):
        left, right = _value(node.left), _value(node.right)
        if left is None or right is None:
            return None
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Div):
            return left / right if right else None
        return left**right if left > 0 and abs(right) < 1000 else None
    return None


def strings(node):
    """The text that a code holds typed: string constants, and f-strings but for their fields."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.FormattedValue):
        yield from strings(node.value)
    else:
        for child in ast.iter_child_nodes(node):
            yield from strings(child)


def ties(prose, own):
    """How each number of the prose that looks computed is tied: (number, tie or None).

    ``own`` is the evidence that every paragraph has, wherever it leads.
    """
    found = []
    for text in prose:
        for paragraph in paragraphs(text):
            shown = None
            for sentence in sentences(paragraph):
                for number in filter(lambda n: n.looks_computed, numbers(sentence)):
                    shown = shown or sum((evidence_of(x) for x in led_to(paragraph)), own)
                    if number.is_output(shown.outputs):
                        tie = "output"
                    elif number.is_input(shown.inputs):
                        tie = "input"
                    else:
                        tie = "cited" if CITED in sentence else None
                    found.append((number, tie))
    return found


@cache
def stored(stem):
    return nbformat.read(BOOK / f"{stem}.ipynb", as_version=4).cells


@cache
def evidence_of(stem):
    return evidence(stored(stem))


@cache
def names_of(stem):
    """What leads to a chapter: its name, its anchors and the labels of its equations."""
    text = "\n".join(cell.source for cell in stored(stem) if cell.cell_type == "markdown")
    return {stem, *re.findall(r"^(?:\$\$ )?\((\S+?)\)=?$", text, re.M)}


def led_to(paragraph):
    """The chapters to which a paragraph leads."""
    targets = set(re.findall(r"(?:\]\(|\{eq\}`)([\w-]+)[)`]", paragraph))
    return [path.stem for path in NOTEBOOKS if targets & names_of(path.stem)]


def ties_of_cells(cells):
    return ties([text for cell in cells for text in prose_of(cell)], evidence(cells))


def ties_of_page(path):
    if path.suffix == ".md":
        return ties([path.read_text("utf-8")], Evidence())
    return ties_of_cells(stored(path.stem))


def untied(found):
    return sorted({number.text for number, tie in found if tie is None})


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_number_of_a_page_that_looks_computed_is_tied(path):
    allowed = {number for page, number in ALLOWED if page == path.stem}
    assert set(untied(ties_of_page(path))) <= allowed


@pytest.mark.parametrize(("entry", "tie"), ALLOWED.items(), ids=lambda x: "-".join(map(str, x)))
def test_an_exception_is_needed_and_has_a_reason_and_the_value_that_it_names(entry, tie):
    (page, number), (value, reason) = entry, tie
    (path,) = (path for path in PAGES if path.stem == page)
    assert number in untied(ties_of_page(path)), f"{entry} is tied, or is gone: take it out"
    assert numbers(number)[0].size == Decimal(repr(value))
    assert reason


# --- the test can fail ---------------------------------------------------------------------------


def chapter(prose, source="x = 0.9", output="J = -11.657", **metadata):
    code = nbformat.v4.new_code_cell(source, metadata=metadata)
    code.outputs = [nbformat.v4.new_output("stream", text=output)]
    return [nbformat.v4.new_markdown_cell(prose), code]


@pytest.mark.parametrize(
    ("prose", "number"),
    [
        ("It earns $J^*=-11.658$.", "11.658"),
        ("It earns 11.65.", "11.65"),
        ("It earns 11.6570.", "11.6570"),
        ("It earns $J^*=+11.657$.", "11.657"),
        ("It earns $-0.9$.", "0.9"),
        ("$$\nJ\\approx-0.984\n$$ (eq-some)", "0.984"),
        ("A share of .984 is left.", ".984"),
        ("It fails in 31% of the runs.", "31%"),
        ("It fails in $31\\,\\%$ of the runs.", "31\\,\\%"),
        ("It fails in 5 per cent of the runs.", "5 per cent"),
        ("It takes 300,000 episodes.", "300,000"),
        ("It takes $300{,}000$ episodes.", "300,000"),
        ("The error is 1e-6.", "1e-6"),
        ("The error is $10^{-9}$.", "10^{-9}"),
        ("The error is $2\\times10^{-7}$.", "2\\times 10^{-7}"),
        ("| what | how much |\n|---|---|\n| a share | 0.25 |", "0.25"),
        ("```{prf:lemma}\n:label: lem-some\nIt earns 0.25.\n```", "0.25"),
        ("```\ncode\n```\nIt earns 0.25.\n```\ncode\n```", "0.25"),
        ("It is said in {cite}`slides`. It earns 0.25.", "0.25"),
        ("Section 3.1 says that it earns 0.25.", "0.25"),
        ("If $p<q$, it earns 0.25, and $q>p$.", "0.25"),
    ],
)
def test_a_number_that_nothing_ties_is_found(prose, number):
    assert untied(ties_of_cells(chapter(prose))) == [number]


@pytest.mark.parametrize(
    ("prose", "source", "output"),
    [
        ("It earns $J^*=-11.657$.", "", "J = -11.657"),
        ("It costs 11.657 steps.", "", "J = -11.657"),
        ("It earns minus 11.657.", "", "J = -11.657"),
        ("It earns $-4.5$.", "", "[-4.50  2.00]"),
        ("$$\nJ\\approx-0.984\n$$ (eq-some)", "", "-0.984"),
        ("It fails in 31% of the runs.", "", "fails: 31%"),
        ("It fails in 31 per cent of the runs.", "", "fails: 0.31"),
        ("It takes $300{,}000$ episodes.", "", "300000 episodes"),
        ("The error is $10^{-9}$.", "", "agree to 1e-9"),
        ("With $\\varepsilon=0.05$ and 2% less.", "epsilon, rtol = 0.05, 0.02", ""),
        ("Draw 300,000 episodes.", "m = 300_000", ""),
        ("Draw $10^9$ episodes.", "m = 10**9", ""),
        ("They give 0.59 {cite}`sutton2018`.", "", ""),
        ("It earns {glue}`the-return:.2f`.", "", ""),
        ("See {eq}`eq-0.5`, `x = 0.5` and [this](https://a.org/0.5).", "", ""),
        ("```python\nx = 0.5\n\ny = 0.5\n```", "", ""),
        ("```{note}\nText.\n```\n\n```\nx = 0.5\n```", "", ""),
        ("Equation 13.2, Example 13.1 and sections 6.5 and 13.3; Python 3.11.", "", ""),
        ("States 0, 1, 2; 64 trajectories; $\\frac12$; 3/16; $8^{10}$; S1.", "", ""),
    ],
)
def test_a_number_that_is_tied_is_let_through(prose, source, output):
    assert untied(ties_of_cells(chapter(prose, source, output))) == []


@pytest.mark.parametrize(
    "source", ['print("J = -11.657")', 'x = 2\nprint(f"J = -11.657 at {x:.3f}")']
)
def test_what_was_typed_into_a_string_is_no_output(source):
    assert untied(ties_of_cells(chapter("It earns $-11.657$.", source))) == ["11.657"]


def test_a_whole_number_in_a_string_is_no_decimal():
    cells = chapter("It is 1.0 long.", 'print(f"at step 1: {x:.1f}")', "at step 1: 1.0")
    assert untied(ties_of_cells(cells)) == []


def test_what_a_string_names_and_the_code_sets_is_an_output_too():
    cells = chapter("", 'x = 0.9\nprint("at 0.9:", x**9)', "at 0.9: 0.387")
    assert [n.text for n in evidence(cells).outputs] == ["0.9", "0.387"]


def test_the_format_of_a_number_is_not_its_digits():
    cells = chapter("A share of 0.3.", 'print(f"{x:.3f} {y:0.3f}")', "0.3 0.300")
    assert untied(ties_of_cells(cells)) == []


def test_captions_alternative_texts_and_comments_are_prose():
    cells = chapter(
        "",
        "x = 1  # 0.1 of it",
        mystnb={"image": {"alt": "A bar at 0.2."}, "figure": {"caption": "It is 0.3."}},
    )
    assert untied(ties_of_cells(cells)) == ["0.1", "0.2", "0.3"]


def test_a_paragraph_has_the_outputs_of_the_chapters_to_which_it_leads(monkeypatch):
    cells = chapter("(s6)=\n## Six\n\n$$\nx\n$$ (eq-some)")
    other, path = chapter("", output="0.25"), BOOK / "99-some-chapter.ipynb"
    stored_as = {path.stem: cells, "index": other}
    monkeypatch.setitem(globals(), "NOTEBOOKS", [path, BOOK / "index.ipynb"])
    monkeypatch.setitem(globals(), "stored", stored_as.get)
    names_of.cache_clear(), evidence_of.cache_clear()
    for link in ("[](s6)", "{eq}`eq-some`", "[](99-some-chapter)"):
        assert untied(ties([f"It earns $-11.657$, see {link}."], Evidence())) == []
        assert untied(ties([f"See {link}.\n\nIt earns $-11.657$."], Evidence())) == ["11.657"]
        assert untied(ties([f"It earns 0.25, see {link}."], Evidence())) == ["0.25"]
    names_of.cache_clear(), evidence_of.cache_clear()


def with_one_digit_changed(cells, size):
    """A copy in which the number of that size is another one, wherever it is put out."""

    def other(match):
        same = _read(match, "").size == size
        return (
            re.sub(r"\d(?=\D*$)", lambda d: str((int(d[0]) + 1) % 10), match[0])
            if same
            else match[0]
        )

    changed = copy.deepcopy(cells)
    for cell in changed:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = NUMBER.sub(other, output.text)
            for kind in output.get("data", {}):
                if kind.startswith("text/"):
                    output.data[kind] = NUMBER.sub(other, output.data[kind])
    return changed


def test_one_digit_of_an_output_of_a_chapter_that_changes_is_noticed():
    tried = 0
    for path in NOTEBOOKS:
        cells = stored(path.stem)
        silent = copy.deepcopy(cells)
        for cell in silent:
            if cell.cell_type == "code":
                cell.outputs = []
        by_output = {n for n, tie in ties_of_cells(cells) if tie == "output"}
        only = [n for n, tie in ties_of_cells(silent) if tie is None and n in by_output]
        for number in only[:2]:  # of each chapter
            changed = with_one_digit_changed(cells, number.size)
            assert number.text in untied(ties_of_cells(changed)), (path.stem, number)
            tried += 1
    assert tried >= 5


# --- claims on trial -----------------------------------------------------------------------------

VERDICTS = {
    "false": "False",
    "true only if": "True only if",
    "true in the limit": "True in the limit",
}
ROW = re.compile(r"^\|\s*\[.*?\]\((claim-[\w-]+)\)\s*\|(.*?)\|(.*)\|\s*$", re.MULTILINE)


def trials(cells):
    """The sections of the claims: the lines of prose and the code cells of each one, in order."""
    found, here, headed = {}, None, False
    for cell in cells:
        if cell.cell_type == "code":
            if here is not None:
                here.append(cell)
            continue
        for line in cell.source.splitlines():
            if anchor := re.fullmatch(r"\((claim-[\w-]+)\)=", line):
                here, headed = [], False
                found.setdefault(anchor[1], []).append(here)
            elif line.startswith("#"):
                if headed and line.startswith("## "):  # the first heading is the section's own
                    here = None
                headed = True
            if here is not None:
                here.append(line)
    return found


def mistrials(cells):
    """Everything in the table at the head that a trial does not bear out, in words."""
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    rows, sections, found = ROW.findall(text), trials(cells), []
    for name in sorted({row[0] for row in rows} | set(sections)):
        counts = sum(row[0] == name for row in rows), len(sections.get(name, []))
        if counts != (1, 1):
            found.append(f"{name} has {counts[0]} rows and {counts[1]} sections")
    for name, verdict, how_much in rows:
        for section in sections.get(name, [])[:1]:
            found += [f"{name}: {what}" for what in _mistrial(section, verdict.strip(), how_much)]
    return found


def _mistrial(section, verdict, how_much):
    words = "\n".join(part for part in section if isinstance(part, str))
    code = [part for part in section if not isinstance(part, str)]
    records = [output.get("metadata", {}).get("policygrad") for c in code for output in c.outputs]
    passed = [record["claim"] for record in records if record and record["passed"]]
    if None not in passed:
        yield "there is no passing check"
    if not set(passed) - {None}:
        yield "there is no control"
    kinds = [kind for kind in VERDICTS if re.match(rf"{kind}\b", verdict)]
    spoken = re.findall(r"\*\*Verdict\.\*\*\s+\*?([^.*]+)", words)
    if len(spoken) != 1:
        yield f"it has {len(spoken)} verdicts"
    elif not kinds:
        yield f"{verdict!r} is no verdict; it is one of {', '.join(VERDICTS)}"
    elif not re.match(rf"{VERDICTS[kinds[0]]}\b", spoken[0]):
        yield f"the table says {verdict!r}, the section {spoken[0].strip()!r}"
    shown = evidence(code).outputs
    for number in numbers(how_much):
        if len(number.text) > 1 and not number.is_output(shown):
            yield f"no cell of the section puts out {number.text}"


def test_every_row_of_the_claims_on_trial_is_borne_out_by_its_section():
    cells = stored(TRIALS.stem)
    assert trials(cells)
    assert mistrials(cells) == []


def verdict_of(claim):
    return nbformat.v4.new_output(
        "display_data", {}, metadata={"policygrad": {"claim": claim, "passed": True}}
    )


def court():
    """A chapter with two trials that are in order."""
    rows = [
        "| [It is all one](claim-one) | false | 0.25 in place of +0.75, 64 times |",
        "| [Two is [also] one](claim-two) | true only if two is one | factor 2, −31% |",
    ]
    cells = [nbformat.v4.new_markdown_cell("# Claims\n\n| claim | verdict |\n" + "\n".join(rows))]
    for name, verdict, shown in (
        ("one", "*False.* It is two.", "0.25 for 0.75, 64 draws"),
        ("two", "*True only if* two is one.", "J = -0.31"),
    ):
        code = nbformat.v4.new_code_cell("x = 1")
        code.outputs = [nbformat.v4.new_output("stream", text=shown)]
        code.outputs += [verdict_of(None), verdict_of("it is all one")]
        heading = f"Before.\n\n(claim-{name})=\n## It is all one\n\n### Why"
        cells += [nbformat.v4.new_markdown_cell(heading), code]
        cells += [nbformat.v4.new_markdown_cell(f"**Verdict.** {verdict}")]
    cells += [nbformat.v4.new_markdown_cell("## What we now know"), *copy.deepcopy(cells[2:3])]
    cells[-1].outputs[0].text = "0.99"
    return cells


def test_a_court_in_order_is_let_through():
    assert mistrials(court()) == []
    codes = [
        [part for part in own if not isinstance(part, str)] for (own,) in trials(court()).values()
    ]
    assert [len(code) for code in codes] == [1, 1]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("| 0.25 in", "| 0.26 in", "claim-one: no cell of the section puts out 0.26"),
        ("+0.75", "-0.75", "claim-one: no cell of the section puts out 0.75"),
        (", 64 times", ", 65 times", "claim-one: no cell of the section puts out 65"),
        ("| 0.25 in", "| 0.99 in", "claim-one: no cell of the section puts out 0.99"),
        ("factor 2, −31%", "64", "claim-two: no cell of the section puts out 64"),
        ("(claim-one)=", "(claim-won)=", "claim-one has 1 rows and 0 sections"),
        ("](claim-two)", "](claim-one)", "claim-two has 0 rows and 1 sections"),
        ("](claim-two)", "](claim-one)", "claim-one has 2 rows and 1 sections"),
        ("| false |", "| wrong |", "claim-one: 'wrong' is no verdict; it is one of false,"),
        ("| false |", "| true in the limit |", "says 'true in the limit', the section 'False'"),
        ("*False.*", "*Falsely.*", "claim-one: the table says 'false', the section 'Falsely'"),
        ("**Verdict.** *False", "*False", "claim-one: it has 0 verdicts"),
    ],
)
def test_a_row_that_its_section_does_not_bear_out_is_found(old, new, complaint):
    cells = court()
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(old, new)
    assert complaint in "\n".join(mistrials(cells))


@pytest.mark.parametrize(
    ("kept", "complaint"),
    [
        (lambda claim: claim, "claim-one: there is no passing check"),
        (lambda claim: not claim, "claim-one: there is no control"),
    ],
)
def test_a_trial_without_a_check_or_without_a_control_is_found(kept, complaint):
    cells = court()
    records = cells[2].outputs[1:]
    cells[2].outputs[1:] = [o for o in records if kept(o.metadata["policygrad"]["claim"])]
    assert complaint in mistrials(cells)
