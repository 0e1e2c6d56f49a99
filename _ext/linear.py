"""Formulas in a line of plain words: for bookmarks, and for what a screen reader says of a PDF."""

from __future__ import annotations

from collections.abc import Iterator

from lxml.html import HtmlElement

INVISIBLE = dict.fromkeys(map(ord, "\u2061\u2062\u2063\u2064"))
ROWS = {"mtr": ", ", "mlabeledtr": ", ", "mtable": "; "}


def words(text: HtmlElement) -> str:
    """The words of an element on one line, each formula in it by its label."""
    return " ".join("".join(pieces(text)).split())


def pieces(text: HtmlElement) -> Iterator[str]:
    """The same, piece by piece."""
    if text.tag == "mjx-container":
        yield text.get("aria-label") or ""
        return
    yield text.text or ""
    for child in text:
        if isinstance(child.tag, str):
            yield from pieces(child)
        yield child.tail or ""


def linear(math: HtmlElement) -> str:
    """MathML on one line: ``a_b``, ``a^b``, ``a/b``, and signs as they are."""
    tag = math.tag if isinstance(math.tag, str) else ""
    parts = [linear(child) for child in math if isinstance(child.tag, str)]
    if tag in ROWS:
        return ROWS[tag].join(filter(None, parts))
    if tag in ("msub", "munder", "msup", "mover", "msubsup", "munderover"):
        base, *scripts = parts
        up = tag in ("msup", "mover")
        return base + "".join(
            f"{'^' if up or k else '_'}{bracketed(part)}" for k, part in enumerate(scripts) if part
        )
    if tag == "mfrac" and len(parts) == 2:
        return f"{bracketed(parts[0])}/{bracketed(parts[1])}"
    if tag in ("msqrt", "mroot") and parts:
        return f"√{bracketed(parts[0])}"
    if tag == "mspace":
        return " "
    own = (math.text or "").translate(INVISIBLE) if not parts else ""
    return f" {own} " if tag == "mo" and spaced(math) else own + "".join(parts)


def bracketed(part: str) -> str:
    """A part of a formula that counts as one."""
    part = part.strip()
    return part if len(part) == 1 or part.isalnum() else f"({part})"


def spaced(operator: HtmlElement) -> bool:
    """Is it an operator that stands between blanks?"""
    return (operator.text or "").strip() in set("=<>≤≥≈∼≠∝≡+−→←↦⟶∈×∣⟺")
