"""Formulas in words, for whoever hears the book: ``J open paren theta close paren equals …``.

The words are made from MathML. They leave nothing out and interpret little, so that what is heard
can be written down again: a bracket is a bracket, and a bar is "given", as it is read in this book.
A sign without a word is an error, not silence.
"""

from __future__ import annotations

import unicodedata

from lxml import etree

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
SIGNS = {
    "+": "plus",
    "−": "minus",
    "±": "plus or minus",
    "×": "times",
    "⋅": "times",
    "/": "over",
    "=": "equals",
    "≠": "is not",
    "≈": "is about",
    "∼": "is drawn from",
    "∝": "is proportional to",
    "<": "is less than",
    ">": "is greater than",
    "≤": "is at most",
    "≥": "is at least",
    "∈": "in",
    "→": "to",
    "⟶": "to",
    "↦": "maps to",
    "←": "becomes",
    "⟺": "if and only if",
    "∣": "given",
    "|": "bar",
    "‖": "double bar",
    "∥": "double bar",
    "(": "open paren",
    ")": "close paren",
    "[": "open bracket",
    "]": "close bracket",
    "{": "open brace",
    "}": "close brace",
    ",": ",",
    ";": ";",
    ":": ":",
    "…": "and so on",
    "⋯": "and so on",
    "′": "prime",
    "″": "double prime",
    "∗": "star",
    "∑": "sum",
    "∏": "product",
    "∫": "integral",
    "^": "hat",
    "~": "tilde",
    "¯": "bar",
    "⏟": "underbrace",
    "∂": "partial",
    "∇": "gradient",
    "∞": "infinity",
    "⊤": "transposed",
    "ℓ": "ell",
    "\N{FUNCTION APPLICATION}": "",
    "\N{INVISIBLE TIMES}": "",
    "": "",
}
DOUBLE = {"E": "expectation", "1": "indicator", "P": "probability", "R": "real numbers"}
GREATER = {"∑", "∏", "∫"}  # with limits: from … to …
ACCENTS = {"^", "~", "¯", "→"}


class Wordless(ValueError):
    """A formula has a sign that no word is known for."""


def words(mathml: str) -> str:
    """A formula in words, given as MathML."""
    said = " ".join(speak(etree.fromstring(mathml)).split())
    for mark in ",;:":
        said = said.replace(f" {mark}", mark)
    return said.strip(" ,;")


def speak(node) -> str:
    """An element in words."""
    name = node.tag.removeprefix(NAMESPACE)
    if name in PLAIN:
        return PLAIN[name](node)
    parts = [speak(child) for child in node]
    return ARRANGED[name](node, *parts) if name in ARRANGED else " ".join(parts)


def letter(node) -> str:
    """A letter, a number, or the name of a function."""
    text = node.text or ""
    if node.get("mathvariant") == "double-struck":
        return DOUBLE.get(text) or f"double-struck {text}"
    script = "script " if node.get("mathvariant") == "script" else ""
    return script + (sign(text) if len(text) == 1 else text)


def sign(text: str) -> str:
    """One sign, or a name that stays as it is."""
    if text in SIGNS:
        return SIGNS[text]
    if text.isascii() and text.isalnum():
        return f"capital {text}" if len(text) == 1 and text.isupper() else text
    name = unicodedata.name(text, "") if len(text) == 1 else ""
    if " LETTER " in name or name.startswith("GREEK"):
        large = "capital " if "CAPITAL" in name else ""
        plain = name.split()[-2 if name.endswith("SYMBOL") else -1].lower()
        return large + plain.replace("lamda", "lambda")
    raise Wordless(f"no word for {text!r}")


def fraction(node, above: str, below: str) -> str:
    """A fraction; without a line, one thing over another in brackets."""
    if node.get("linethickness") == "0":
        return f"{above} choose {below}"
    if len(f"{above} {below}".split()) <= 3:
        return f"{above} over {below}"
    return f"fraction {above} over {below} end fraction"


def power(node, base: str, above: str) -> str:
    """A power or what else stands above on the right."""
    if above == "2":
        return f"{base} squared"
    return f"{base} {above}" if above in MARKS else f"{base} to the {end(above)}"


def lower(node, base: str, below: str) -> str:
    """An index."""
    return f"{base} sub {end(below)}"


def both(node, base: str, below: str, above: str) -> str:
    """An index and a power, or the limits of a sum."""
    if is_large(node):
        return f"{base} from {below} to {above} of"
    return power(node, lower(node, base, below), above)


def under(node, base: str, below: str) -> str:
    """What stands below: a range, or a brace with its words."""
    if is_large(node):
        return f"{base} over {below} of"
    return f"{base}, {below}," if is_sign(node[1], {"⏟"}) else f"{base} under {end(below)}"


def over(node, base: str, above: str) -> str:
    """What stands above: an accent."""
    return f"{base} {above}" if is_sign(node[1], ACCENTS) else f"{base} with {above} above"


def rows(node, *lines: str) -> str:
    """A table: its lines, each named where there are several."""
    if len(lines) == 1:
        return lines[0]
    return "; ".join(f"line {k}: {line}" for k, line in enumerate(lines, 1)) + ";"


def row(node, *cells: str) -> str:
    """A row: in a display that is aligned at a sign the two halves of a formula are one."""
    aligned = node.getparent().get("columnalign", "").startswith("right left")
    if aligned:
        cells = [" ".join(cells[k : k + 2]) for k in range(0, len(cells), 2)]
    return ", ".join(cell for cell in cells if cell.strip())


def is_large(node) -> bool:
    """Is the base of this element a sum, a product or an integral?"""
    return is_sign(node[0], GREATER)


def is_sign(node, among: set[str]) -> bool:
    """Is an element nothing but one of some signs?"""
    return "".join(node.itertext()).strip() in among


def end(text: str) -> str:
    """Say where something that stands above or below ends, where it is long."""
    return f"{text} end" if len(text.split()) > 2 else text


MARKS = {"prime", "double prime", "star", "transposed"}
PLAIN = {
    "mi": letter,
    "mn": letter,
    "mo": lambda node: sign(node.text or ""),
    "mtext": lambda node: " ".join((node.text or "").split()),
    "mspace": lambda node: "",
}
ARRANGED = {
    "mfrac": fraction,
    "msup": power,
    "msub": lower,
    "msubsup": both,
    "munderover": both,
    "munder": under,
    "mover": over,
    "msqrt": lambda node, *inside: f"square root of {end(' '.join(inside))}",
    "mtable": rows,
    "mtr": row,
}
