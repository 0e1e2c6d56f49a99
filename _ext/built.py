"""The pages of a site that was built, read once for all that is made of them.

What looks things up (the search, previews) and what is made for paper and e-readers starts from the
pages themselves: there all numbers and links are resolved, and outputs are in place.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import yaml
from lxml import html
from lxml.html import HtmlElement


@lru_cache
def articles(site: Path) -> dict[str, HtmlElement]:
    """The article of each page of the book, by the page's name, in no order; copy what you change.

    A name is that of the file without its ending, as in ``04-log-derivative-trick``.
    """
    found = {}
    for path in sorted(Path(site).glob("book/*.html")):
        tree = html.fromstring(path.read_text(encoding="utf-8"))
        found[path.stem] = next(iter(tree.iter("article")))
    return found


def parts(toc: Path) -> list[tuple[str, list[str]]]:
    """The parts of the book: caption and names of pages; the first holds the root alone."""
    contents = yaml.safe_load(toc.read_text(encoding="utf-8"))
    found = [("", [Path(contents["root"]).name])]
    for part in contents["parts"]:
        found.append((part["caption"], [Path(one["file"]).name for one in part["chapters"]]))
    return found


def has_class(element: HtmlElement, name: str) -> bool:
    """Is this one of the element's classes?"""
    return name in (element.get("class") or "").split()
