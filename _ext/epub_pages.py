"""From a page of the built site to a chapter of the e-book.

What only a browser can use goes: scripts, buttons, marks that show under a mouse. The rest becomes
plain elements that any reader can show, its looks left to one small stylesheet.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree, html
from lxml.html import HtmlElement

import epub_blocks
import epub_formulas
import epub_language
from built import has_class
from epub_tree import classed, put

OPS = "{http://www.idpf.org/2007/ops}"
GONE = ("script", "style", "button", "input", "label", "template", "noscript")
KEPT_CLASSES = {
    "admonition", "caption-number", "cell", "cell-number", "citation", "citations", "column",
    "contract", "eqno", "equation", "exercise", "formula", "line", "moves", "pg-check",
    "pg-check--caught", "pg-check--ok", "pg-mark", "pg-verdict", "plumbing", "printed", "rows",
    "section-number", "solution", "text-right", "title", "to-solution",
}  # fmt: skip
KEPT = {
    "alt", "aria-hidden", "class", "colspan", "data-tex", "href", "id", "lang", "role", "rowspan",
    "scope", "src", "start",
}  # fmt: skip
Setter = Callable[[str, bool], etree._Element]


@dataclass
class Chapter:
    """A chapter: its text, the solutions of its exercises, and the pictures that it shows."""

    name: str
    title: str
    text: HtmlElement
    solutions: list[HtmlElement] = field(default_factory=list)
    drawn: dict[str, bytes] = field(default_factory=dict)


def chapter(name: str, article: HtmlElement, formula: Setter) -> Chapter:
    """Make a chapter of a page's article, which stays as it is."""
    article = copy.deepcopy(article)
    text = article.find("section") if article.find("section") is not None else article
    text.tail = None
    made = Chapter(name, "", text)
    stills(made)
    clean(text)
    listings(text)
    fold(text)
    tables(text)
    notes(text)
    verdicts(text)
    references(text)
    identifiers(text)
    made.solutions = solutions(text, name)
    for part in (text, *made.solutions):
        epub_formulas.draw(part, formula)
        epub_language.mark(part)
        bare(part)
    head = next(iter(text.iter("h1")))
    made.title = " ".join(plain(head).split())
    return made


def plain(element) -> str:
    """The text of a heading; a formula counts with its words, a permalink not at all."""
    said = element.text or ""
    for child in element:
        said += child.get("aria-label") or plain(child)
        said += child.tail or ""
    return said


# --- steps, in the order in which they are taken ------------------------------------------------


def stills(made: Chapter) -> None:
    """Pictures that move show their first view."""
    for k, box in enumerate(classed(made.text, "pg-moving"), 1):
        name = f"{made.name}-still-{k}.svg"
        made.drawn[name], shown, said = epub_blocks.still(box)
        new = html.Element("div", {"class": "moves"})
        etree.SubElement(new, "img", {"src": name, "alt": shown})
        words = etree.SubElement(new, "p")
        words.text = f"{said} (On the built pages this picture moves.)"
        put(box, new)


def clean(text: HtmlElement) -> None:
    """Take out what needs a browser, comments, and formulas as a browser draws them."""
    for drawn in [*text.iter("mjx-container")]:
        drawn.drop_tree()
    for element in list(text.iter()):
        if not isinstance(element.tag, str):
            element.drop_tree()
        elif element.tag in GONE or has_class(element, "headerlink"):
            element.drop_tree()
        elif has_class(element, "cell-number"):
            element.tag = "p"
            del element.attrib["href"]


def listings(text: HtmlElement) -> None:
    """Code, and what cells print."""
    for pre in list(text.iter("pre")):
        new = epub_blocks.code(pre)
        if any(has_class(above, "cell_output") for above in pre.iterancestors()):
            new.set("class", "printed")
        put(pre, new)


def fold(text: HtmlElement) -> None:
    """Plumbing stays folded where a reader folds, and stands open, under its name, elsewhere."""
    for details in list(text.iter("details")):
        details.attrib.clear()
        details.set("class", "plumbing")
        summary = details.find("summary")
        summary.attrib.clear()
        for child in list(summary):
            child.drop_tree()
        summary.text = "Code"


def tables(text: HtmlElement) -> None:
    """Wide tables become lists; from others an empty head goes."""
    for table in list(text.iter("table")):
        head = table.find("thead")
        if epub_blocks.is_wide(table):
            put(table, epub_blocks.stacked(table))
        elif head is not None and not head.text_content().strip():
            head.drop_tree()
        for cell in table.iterfind("thead/tr/th"):
            cell.set("scope", "col")


def notes(text: HtmlElement) -> None:
    """Boxes: what opens a chapter, exercises, and the like."""
    for box in classed(text, "admonition"):
        title = next(iter(classed(box, "admonition-title")), None)
        if title is not None:
            title.set("class", "title")
        for inner in box.findall("section"):
            inner.drop_tag()


def verdicts(text: HtmlElement) -> None:
    """A verdict in one line; the dot before its words is text here, not the stylesheet's."""
    for box in classed(text, "pg-check"):
        box.tag = "p"
        last = box[-1]
        if last.tag == "span" and box[-2].tag == "code":
            last.text = f"\u00b7\u00a0{last.text or ''}"


def references(text: HtmlElement) -> None:
    """Citations and the list that they lead to; terms."""
    for group in classed(text, "bibtex-citation"):
        for link in group.iter("a"):
            link.set("role", "doc-biblioref")
            link.set(OPS + "type", "biblioref")
    for group in classed(text, "citation-list"):
        group.tag = "ul"
        group.attrib.clear()
        group.set("class", "citations")
        for entry in classed(group, "citation"):
            entry.tag = "li"
            entry.attrib.pop("role", None)
            entry.set(OPS + "type", "biblioentry")
            for inner in entry.findall("p"):
                inner.drop_tag()
    for terms in [one for one in text.iter("dl") if has_class(one, "glossary")]:
        terms.set(OPS + "type", "glossary")
        for term in terms.iter("dt"):
            term.set(OPS + "type", "glossterm")
        for meaning in terms.iter("dd"):
            meaning.set(OPS + "type", "glossdef")


def identifiers(text: HtmlElement) -> None:
    """Each identifier once, and in the letters that XML allows."""
    met = set()
    for element in text.iter():
        name = element.get("id") if isinstance(element.tag, str) else None
        if name is None:
            continue
        if identifier(name) in met:
            del element.attrib["id"]
        else:
            element.set("id", identifier(name))
            met.add(identifier(name))


def identifier(name: str) -> str:
    """The name of a place as XML writes it."""
    kept = re.sub(r"[^\w.-]", ".", name)
    return kept if re.match(r"[^\W\d]", kept) else f"n{kept}"


def solutions(text: HtmlElement, name: str) -> list[HtmlElement]:
    """Take the solutions out, and leave a way to each."""
    taken, exercise = [], None
    for box in classed(text, "admonition"):
        if has_class(box, "exercise"):
            exercise = box
        if not has_class(box, "solution"):
            continue
        number = next(iter(classed(exercise, "caption-number"))).text_content().strip()
        place = box.get("id") or f"{name}-solution-{len(taken) + 1}"
        box.set("id", place)
        title = next(iter(classed(box, "title")))
        for child in list(title):
            child.drop_tree()
        title.text = "Solution of "
        back = etree.SubElement(title, "a", {"href": f"{name}.html#{exercise.get('id')}"})
        back.text = number
        way = etree.SubElement(exercise, "p", {"class": "to-solution"})
        etree.SubElement(way, "a", {"href": f"{name}.html#{place}"}).text = "Solution"
        box.drop_tree()
        taken.append(box)
    return taken


def bare(text: HtmlElement) -> None:
    """Leave the elements and the attributes that carry a meaning."""
    for element in [e for e in text.iter() if e.nsmap.get(None) is None]:
        names = set((element.get("class") or "").split())
        kept = sorted(names & KEPT_CLASSES) + sorted(n for n in names if re.match(r"in\d+$", n))
        for name in set(element.attrib) - KEPT - {OPS + "type"}:
            del element.attrib[name]
        element.attrib.pop("class", None)
        if not element.get("role", "doc-").startswith("doc-"):
            del element.attrib["role"]
        if kept:
            element.set("class", " ".join(kept))
        if element.tag in ("span", "div") and not element.attrib:
            element.drop_tag()
