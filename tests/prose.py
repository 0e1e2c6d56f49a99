"""Numbers in prose, and what ties them to the cells that computed them.

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

from __future__ import annotations

import ast
import io
import re
import tokenize
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

import nbformat

import moving

BOOK = Path(__file__).resolve().parents[1] / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))

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


@cache
def numbers(text):
    """Every number in a text, but for those that are the name of a section or of an equation."""
    text = plain(text)
    found = ((match, text[: match.start()]) for match in NUMBER.finditer(text))
    return tuple(_read(match, before) for match, before in found if not _is_name(before))


def _is_name(before):
    return NAMED_BY_NUMBER.search(before[-200:]) is not None


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
    moves = next(filter(None, map(moving.read, cell.get("outputs", []))), None)
    alt = moves.alt if moves else said.get("image", {}).get("alt", "")
    shown = [alt, said.get("figure", {}).get("caption", "")]
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
            set_here, typed_here = _of_source(cell.source)
            inputs += set_here
            typed += typed_here
            outputs += [n for text in output_texts(cell) for n in numbers(text)]
    # What was typed into a string is put out but not computed; it may be an input all the same.
    typed = {n.digits for n in typed if not n.is_input(inputs)}
    return Evidence(tuple(n for n in outputs if n.digits not in typed), tuple(inputs))


@cache
def _of_source(source):
    """The numbers that a code sets, and those that it holds typed into strings."""
    tree = ast.parse(source)
    return constants(tree), [n for text in strings(tree) for n in numbers(text)]


def output_texts(cell):
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        for kind in ("text/plain", "text/latex"):
            if not moving.drawing(output):
                yield output.get("data", {}).get(kind, "")


def constants(tree):
    """The numbers that a code sets, with sums, products and the like, such as 10**9."""
    found = []
    for node in ast.walk(tree):
        value = _value(node)
        if value is not None:
            found.append(Number(ast.unparse(node), abs(value), "-" if value < 0 else ""))
    return found


def _value(node):
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return Decimal(repr(node.value))
    if not isinstance(node, (ast.UnaryOp, ast.BinOp, ast.Call)):
        return None
    parts = [_value(part) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
    if isinstance(node, ast.Call):
        parts.pop(0)  # the function's name
    if not parts or None in parts:
        return None
    match node:
        case ast.UnaryOp(op=ast.USub()):
            return -parts[0]
        case ast.BinOp(op=ast.Add()):
            return sum(parts)
        case ast.BinOp(op=ast.Sub()):
            return parts[0] - parts[1]
        case ast.BinOp(op=ast.Mult()):
            return parts[0] * parts[1]
        case ast.BinOp(op=ast.Div()) | ast.Call(func=ast.Attribute(attr="Rational")):
            return parts[0] / parts[1] if len(parts) == 2 and parts[1] else None
        case ast.BinOp(op=ast.Pow()):
            return parts[0] ** parts[1] if parts[0] > 0 and abs(parts[1]) < 1000 else None
        case ast.Call(func=ast.Attribute(attr="sqrt")) if parts[0] >= 0:
            return parts[0].sqrt()
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


def untied(found):
    return sorted({number.text for number, tie in found if tie is None})
