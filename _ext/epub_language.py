"""Chinese words of the e-book say that they are Chinese."""

from __future__ import annotations

import re

from lxml import html
from lxml.html import HtmlElement

HAN = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]*[\u3400-\u9fff]"
                 r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]*")  # fmt: skip


def mark(text: HtmlElement) -> None:
    """Chinese is marked as such, so that a voice reads it as Chinese."""
    for element in list(text.iter()):
        if element.nsmap.get(None) is None and not is_chinese(element):
            of_element(element)


def is_chinese(element: HtmlElement) -> bool:
    """Is this marked as Chinese already?"""
    around = (element, *element.iterancestors())
    return any((one.get("lang") or "").startswith("zh") for one in around)


def of_element(element: HtmlElement) -> None:
    """Mark the Chinese in the text of an element, and in what follows each of its children."""
    for child in reversed(element):
        if child.tail and HAN.search(child.tail):
            start, spans = marked(child.tail)
            child.tail = start
            place = element.index(child) + 1
            element[place:place] = spans
    if element.text and HAN.search(element.text):
        element.text, spans = marked(element.text)
        element[0:0] = spans


def marked(text: str) -> tuple[str, list[HtmlElement]]:
    """A text as its beginning and elements, one for each run of Chinese."""
    found, end, start, spans = list(HAN.finditer(text)), 0, "", []
    for match in found:
        if spans:
            spans[-1].tail = text[end : match.start()]
        else:
            start = text[: match.start()]
        span = html.Element("span", {"lang": "zh"})
        span.text = match[0]
        spans.append(span)
        end = match.end()
    spans[-1].tail = text[end:]
    return start, spans
