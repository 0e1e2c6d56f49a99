"""Two moves that all of the e-book's steps make on a tree."""

from __future__ import annotations

from lxml import etree
from lxml.html import HtmlElement

CLASSED = etree.XPath('.//*[contains(concat(" ", normalize-space(@class), " "), $name)]')


def classed(element: HtmlElement, name: str) -> list[HtmlElement]:
    """All elements inside that have a class, in order."""
    return CLASSED(element, name=f" {name} ")


def put(old: HtmlElement, new: HtmlElement) -> None:
    """Put an element in the place of another."""
    new.tail, old.tail = old.tail, None
    old.getparent().replace(old, new)
