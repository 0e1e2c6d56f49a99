"""What a link leads to, ready to be shown beside it: equations, terms, references, and the rest.

Once all pages are written, every place inside the book that a link leads to is looked up, and what
is worth showing of it is copied: a formula as it is typeset, what the glossary says, a reference, a
figure, an exercise, the title and the first lines of a section or of a page. Copies have no ids.
There is a file for each page that is led to, ``_static/previews/NAME.js``, which ``previews.js``
puts into a page when it is first asked for; a script, since a page opened from a folder may not
fetch anything else.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import urldefrag

from lxml import html
from lxml.html import HtmlElement

import built

FOLDER = "previews"
LINES = 420  # characters of text after which no further paragraph is shown
ROOM = 5  # pieces of a page's text at most
FIRST, LAST = 0xE000, 0xF8FF  # characters that no text has
TAG = re.compile(r"<(mjx-c) [^>]*></\1>|<[^>]+>")
SHOWN = ("p", "ul", "ol", "dl", "table", "figure")
GONE = ("eqno", "headerlink", "cell-number", "cited-in")  # from copies
TITLES = ("h1", "h2", "h3", "h4", "h5", "h6")


def targets(articles: dict[str, HtmlElement]) -> dict[str, set[str]]:
    """All places that the text's links lead to: page -> addresses on it, '' for its top."""
    found: dict[str, set[str]] = {page: set() for page in articles}
    for page, article in articles.items():
        for link in article.iter("a"):
            where, anchor = urldefrag(link.get("href") or "")
            there = where.removesuffix(".html") if where else page
            if link.get("class") not in ("headerlink", "cell-number") and there in found:
                found[there].add(anchor)
    return found


def previews(page: str, article: HtmlElement, anchors: set[str]) -> dict[str, list[str]]:
    """What is shown of each place of a page: a title in plain words, and HTML."""
    places = {element.get("id"): element for element in article.iter() if element.get("id")}
    found = {}
    for anchor in sorted(anchors):
        place = places.get(anchor) if anchor else next(article.iter("section"), None)
        shown = excerpt(place) if place is not None else None
        if shown is not None and shown[1]:
            title, parts = shown
            found[anchor] = [title, "".join(written(part, page) for part in parts)]
    return found


def excerpt(place: HtmlElement) -> tuple[str, list[HtmlElement]] | None:
    """The title and the pieces that show a place; None of what is not worth showing."""
    if place.tag == "span" and not words(place) and place.getparent() is not None:
        place = place.getparent()  # a second label stands first inside what it names
    if place.tag == "div" and built.has_class(place, "math"):
        return words(place.find("span")), [place]  # its number is the title
    if place.tag == "dt":
        return words(place), list(place.getnext())
    if place.tag == "li":
        return "", list(place)
    if place.tag in ("p", "figure"):
        return "", [place]
    if built.has_class(place, "exercise"):
        section = place.find("section")
        return words(place.find("p")), beginning(section)
    if place.tag == "section":
        return words(next(place.iter(*TITLES))), beginning(place)
    return None


def beginning(section: HtmlElement) -> list[HtmlElement]:
    """The first pieces of a section: text and formulas, not code."""
    found, length = [], 0
    for part in pieces(section):
        if length >= LINES or len(found) == ROOM:
            break
        found.append(part)
        length += len(words(part))
    return found


def pieces(section: HtmlElement):
    """The pieces of a section's text, in order; of a contract its question."""
    for part in section:
        if built.has_class(part, "contract"):
            yield from part.findall("p")[1:2]
            return
        if part.tag in SHOWN or built.has_class(part, "math"):
            yield part
        elif built.has_class(part, "math-wrapper"):
            yield from part


def words(element: HtmlElement) -> str:
    """The plain words of an element; a formula is told by its source."""
    own = copy.deepcopy(element)
    own.tail = None
    for link in own.find_class("headerlink"):
        link.drop_tree()
    for formula in own.find_class("math"):
        if formula is not own:
            formula.tail, source = None, formula.tail or ""
            formula.clear()
            formula.text, formula.tail = "…", source
    return " ".join(own.text_content().split())


def written(element: HtmlElement, page: str) -> str:
    """A copy of an element as HTML, without ids, its links those of the folder of pages."""
    own = copy.deepcopy(element)
    own.tail = None
    for gone in [one for name in GONE for one in own.find_class(name)]:
        gone.drop_tree()
    for part in own.iter():
        for name in ("id", "data-tex", "title"):
            part.attrib.pop(name, None)
        if (part.get("href") or "").startswith("#"):
            part.set("href", f"{page}.html{part.get('href')}")
    for empty in own.xpath(".//span[not(node()) and not(@*)]"):
        empty.drop_tag()
    return html.tostring(own, encoding="unicode")


def packed(found: dict[str, list[str]]) -> tuple[list[str], dict[str, list[str]]]:
    """The same, with each tag that comes often as one character of a table.

    A formula is hundreds of tags of a few kinds; this makes the files a quarter of their size.
    """
    counts = Counter(m[0] for _, text in found.values() for m in TAG.finditer(text))
    gain = {tag: (len(tag.encode()) - 3) * (n - 1) - 4 for tag, n in counts.items()}
    often = sorted((tag for tag in gain if gain[tag] > 0), key=lambda tag: (-gain[tag], tag))
    table = often[: LAST - FIRST]
    short = {tag: chr(FIRST + k) for k, tag in enumerate(table)}
    return table, {
        anchor: [title, TAG.sub(lambda match: short.get(match[0], match[0]), text)]
        for anchor, (title, text) in found.items()
    }


def write(app, exception):
    """Write the files of a site that was built without an error."""
    if exception is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    articles = built.articles(site)
    folder = site / "_static" / FOLDER
    folder.mkdir(exist_ok=True)
    for page, anchors in targets(articles).items():
        if found := previews(page, articles[page], anchors):
            title = words(next(articles[page].iter("h1")))
            data = json.dumps([title, *packed(found)], ensure_ascii=False, separators=(",", ":"))
            text = f"(window.bookPreviews??={{}})[{json.dumps(page)}]={data};\n"
            (folder / f"{page}.js").write_text(text, encoding="utf-8", newline="\n")


def setup(app):
    app.connect("build-finished", write, priority=700)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
