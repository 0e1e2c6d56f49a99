"""Formulas of the e-book: drawn as SVG within the page, and labelled with their words.

An e-reader runs no script and may have neither MathML nor the fonts that it needs; outlines it can
draw, in the colour and the size of the text around them. Each formula is drawn by itself, since
readers that paint one SVG at a time know no outlines of another.
"""

from __future__ import annotations

import copy
import re

from lxml import etree

import spoken
from mathematics import Typesetter

DRAWN = re.compile(r"<svg.*</svg>", re.DOTALL)
SAID = re.compile(r"<math.*</math>", re.DOTALL)
SVG = "{http://www.w3.org/2000/svg}"
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
