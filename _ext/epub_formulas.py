"""Formulas of the e-book: drawn as SVG within the page, and labelled with their words.

An e-reader runs no script and may have neither MathML nor the fonts that it needs; outlines it can
draw, in the colour and the size of the text around them. Each formula is drawn by itself, since
readers that paint one SVG at a time know no outlines of another.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable

from lxml import etree, html
from lxml.html import HtmlElement

import spoken
from epub_tree import classed, put
from mathematics import Typesetter

DRAWN = re.compile(r"<svg.*</svg>", re.DOTALL)
SAID = re.compile(r"<math.*</math>", re.DOTALL)
LONG = 16  # ex: a list of formulas that is wider may be broken
SVG = "{http://www.w3.org/2000/svg}"
Setter = Callable[[str, bool], etree._Element]
KEPT = {"transform", "d", "x", "y", "width", "height", "viewBox", "font-size", "font-family"}


class Formulas:
    """The formulas of a book; each is set once, and copied where it is met again."""

    def __init__(self, engine: Typesetter | None = None):
        self.engine = engine or Typesetter("svg")
        self.drawn: dict[tuple[str, bool], etree._Element] = {}

    def element(self, tex: str, display: bool) -> etree._Element:
        """A formula as an element of its own, with its words as the label."""
        if (tex, display) not in self.drawn:
            made = self.engine.set(tex, display)
            drawn = lean(DRAWN.search(made)[0])
            drawn.set("aria-label", spoken.words(SAID.search(made)[0]))
            self.drawn[tex, display] = drawn
        return copy.deepcopy(self.drawn[tex, display])


def lean(drawn: str) -> etree._Element:
    """What MathJax has drawn, without what says how it came about."""
    root = etree.fromstring(drawn)
    for element in root.iter():
        if element is not root:
            for name in set(element.attrib) - KEPT - {"fill", "stroke", "stroke-width"}:
                del element.attrib[name]
    for group in [g for g in root.iter(SVG + "g") if not g.attrib]:
        unwrap(group)
    for name in ("aria-hidden", "focusable"):
        root.attrib.pop(name, None)
    shift = re.search(r"vertical-align: (-?[\d.]+ex|0)", root.get("style", ""))
    root.set("style", f"vertical-align: {shift[1] if shift else 0}")
    root.set("role", "img")
    return root


def unwrap(group: etree._Element) -> None:
    """Put an element's children in its place."""
    parent, place = group.getparent(), group.getparent().index(group)
    parent[place : place + 1] = list(group)


# --- in a page ----------------------------------------------------------------------------------


def draw(text: HtmlElement, formula: Setter) -> None:
    """Each formula as its outlines, beside the number that it may have."""
    for box in [e for e in text.iter("span", "div") if e.get("data-tex") is not None]:
        tex, display = box.get("data-tex"), box.tag == "div"
        number = next(iter(classed(box, "eqno")), None)
        new = html.Element(box.tag, {"class": "equation" if display else "formula"})
        new.set("data-tex", tex)
        if box.get("id"):
            new.set("id", box.get("id"))
        if display:
            inner = etree.SubElement(new, "span", {"class": "formula"})
            inner.append(formula(tex, display))
            if number is not None:
                etree.SubElement(new, "span", {"class": "eqno"}).text = number.text_content()
        else:
            new.extend(in_line(tex, formula))
        put(box, new)


def in_line(tex: str, formula: Setter) -> list[etree._Element]:
    """A formula within a line; a long list is several, between which the line may break."""
    whole = formula(tex, False)
    parts = listed(tex)
    if len(parts) == 1 or float(whole.get("width").removesuffix("ex")) < LONG:
        return [whole]
    drawn = [formula(part, False) for part in parts]
    for one in drawn[:-1]:
        one.tail = ", "
    return drawn


def listed(tex: str) -> list[str]:
    """The members of a list of formulas, which commas with a space part outside of braces."""
    parts, depth = [""], 0
    for piece in re.findall(r",\\ |\\.|[{}]|[^\\{},]+|,", tex):
        depth += {"{": 1, "}": -1}.get(piece, 0)
        if piece == ",\\ " and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts]
