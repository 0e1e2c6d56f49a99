"""The book as one HTML text for paper: cover, contents, parts, and the solutions at the end.

Each page of the site has sheets of its own name, so that their head can tell the chapter.
"""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Iterator
from pathlib import Path

from lxml.html import HtmlElement, tostring

from linear import words
from paper import HEADINGS, Paper, lies, number, prepare

TITLE = "Policy Gradients, Checked"
HERE = Path(__file__).resolve().parent


def join(site: Path, toc: Path, edition: str = "") -> tuple[str, list[tuple[int, str, str]]]:
    """The whole book as one HTML text, and its bookmarks: level, words, target."""
    paper = prepare(site, toc)
    return document(paper, site, edition), list(bookmarks(paper))


def document(paper: Paper, site: Path, edition: str) -> str:
    """Put everything together."""
    styles = [f"{(site / '_static').resolve().as_uri()}/{n}.css" for n in ("formulas", "pygments")]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en" data-theme="light">\n<head>\n<meta charset="utf-8">',
            f"<title>{TITLE}</title>",
            *(f'<link rel="stylesheet" href="{style}">' for style in styles),
            f"<style>\n{(HERE / 'paper.css').read_text(encoding='utf-8')}\n{heads(paper)}</style>",
            "</head>\n<body>",
            cover(edition),
            contents(paper),
            *body(paper),
            solutions(paper),
            "</body>\n</html>\n",
        ]
    )


def body(paper: Paper) -> Iterator[str]:
    """All pages, the name of a part before the first of its pages."""
    for place, (caption, names) in enumerate(paper.parts):
        if caption:
            sheets = f'style="page: p-{names[0]}"'
            yield f'<h1 class="part" id="part-{place}" {sheets}>{html.escape(caption)}</h1>'
        for name in names:
            page = paper.pages[name]
            page.set("style", f"page: p-{name}")
            text = tostring(page, encoding="unicode", with_tail=False)
            yield text.removesuffix("</article>") + colophon(paper, name) + "</article>"


def colophon(paper: Paper, name: str) -> str:
    """Say which cells of a chapter were left out, and where they are; nothing where none were."""
    if not (numbers := paper.left_out[name]):
        return ""
    which = ", ".join(f"[{n}]" for n in numbers)
    cells = "cell" if len(numbers) == 1 else "cells"
    return (
        f'<p class="colophon">Not printed: the code of {cells} {which}, folded on the site. '
        f"It is in <code>book/{name}.ipynb</code>.</p>"
    )


def solutions(paper: Paper) -> str:
    """The part at the end."""
    lines = ['<section class="solutions" style="page: p-solutions">']
    lines.append('<h1 class="part" id="solutions">Solutions</h1>')
    for name, found in paper.solutions.items():
        if found:
            title = html.escape(words(heading(paper.pages[name])))
            lines.append(f'<h2 id="solutions-{name}">{title}</h2>')
            lines += [tostring(one, encoding="unicode", with_tail=False) for one in found]
    return "\n".join([*lines, "</section>"])


# --- what leads to the pages ----------------------------------------------------------------------


def heading(page: HtmlElement) -> HtmlElement:
    """The title of a page, its number before it."""
    return next(page.iter(*HEADINGS))


def sections(page: HtmlElement, levels: int = 1) -> Iterator[tuple[int, HtmlElement, str]]:
    """The sections of a page as deep as asked for: depth, heading, target."""
    top = int(heading(page).tag[1])
    for found in page.iter(*HEADINGS):
        depth = int(found.tag[1]) - top
        if 0 < depth <= levels and found.getparent().get("id"):
            yield depth, found, found.getparent().get("id")


def bookmarks(paper: Paper) -> Iterator[tuple[int, str, str]]:
    """Parts, pages, sections; in the part at the end, the chapters that have solutions."""
    yield 1, "Contents", "contents"
    for place, (caption, names) in enumerate(paper.parts):
        if caption:
            yield 1, caption, f"part-{place}"
        for name in names:
            level = 2 if caption else 1
            yield level, words(heading(paper.pages[name])), name
            for depth, found, id in sections(paper.pages[name], levels=2):
                yield level + depth, words(found), id
    yield 1, "Solutions", "solutions"
    for name in (name for name, found in paper.solutions.items() if found):
        yield 2, words(heading(paper.pages[name])), f"solutions-{name}"


def contents(paper: Paper) -> str:
    """The table of contents: parts, pages and their sections, each with its page."""
    itself = '<a class="self" href="#contents">Contents</a>'
    lines = [f'<nav class="contents" id="contents"><h1>{itself}</h1>']
    for place, (caption, names) in enumerate(paper.parts):
        if caption:
            lines.append(entry(f"part-{place}", html.escape(caption), "part"))
        for name in names:
            page = paper.pages[name]
            lines.append(entry(name, inner(heading(page)), "page"))
            lines += [entry(id, inner(found), "section") for _, found, id in sections(page)]
    lines.append(entry("solutions", "Solutions", "part"))
    for name in (name for name, found in paper.solutions.items() if found):
        lines.append(entry(f"solutions-{name}", inner(heading(paper.pages[name])), "section"))
    return "\n".join([*lines, "</nav>"])


def entry(id: str, text: str, kind: str) -> str:
    """One line of the table of contents."""
    return (
        f'<p class="entry {kind}"><a href="#{id}"><span class="words">{text}</span>'
        f'<span class="dots"></span>{number(id)}</a></p>'
    )


def inner(element: HtmlElement) -> str:
    """What an element holds, as HTML, formulas as they are, without links and targets."""
    element = copy.deepcopy(element)
    for link in list(element.iter("a")):
        link.drop_tag()
    for one in element.iter():
        one.attrib.pop("id", None)
    text = tostring(element, encoding="unicode", with_tail=False)
    return re.sub(r"^<[^>]*>|</\w+>$", "", text)


def heads(paper: Paper) -> str:
    """The head of each page's sheets: the part on the left, the page on the right."""
    rules = [
        head(f"p-{name}", caption, words(heading(page)), lies(page))
        for caption, names in paper.parts
        for name, page in ((name, paper.pages[name]) for name in names)
    ]
    return "\n".join([*rules, head("p-solutions", TITLE, "Solutions")])


def head(name: str, left: str, right: str, lying: bool = False) -> str:
    """The rules of the sheets of one name."""
    size = "size: A4 landscape; " if lying else ""
    left, right = (text.replace("\\", r"\\").replace('"', r"\"") for text in (left, right))
    boxes = f'@top-left {{ content: "{left}" }} @top-right {{ content: "{right}" }}'
    return f"@page {name} {{ {size}{boxes} }}"


def cover(edition: str) -> str:
    """The first sheet."""
    return (
        '<section class="cover">'
        f'<p class="title">{TITLE}</p>'
        '<p class="subtitle">From the objective to REINFORCE, PPO and GRPO: '
        "every equation with a check that runs</p>"
        f'<p class="edition">{html.escape(edition)}</p>'
        '<p class="how">This file was made from the pages of the book, where cells can be opened '
        "and pictures move. The number behind a reference to another chapter is that of its page "
        "here. A number in brackets beside a cell, like [5], is the one that Jupyter shows and by "
        "which the ledger names the cell. Solutions stand at the end. The code of cells that only "
        "prepare and draw is not printed; the last line of each chapter says which these are.</p>"
        "</section>"
    )
