"""What stands between the paragraphs of the e-book: code, tables, pictures that move."""

from __future__ import annotations

import copy
import re

from lxml import etree, html
from lxml.html import HtmlElement

from built import has_class

BOLD = {"k", "kn", "kc", "kd", "kr", "kt", "ow"}  # of Pygments: keywords
ITALIC = {"c", "c1", "cm", "sd"}  # comments and docstrings
DEEPEST = 12  # columns by which a line that is broken goes in
NARROW = 24  # letters: a table of short cells stays a table
COLOURS = {
    "exact": "#1a1a1a",
    "estimate": "#0072b2",
    "policy": "#009e73",
    "world": "#e69f00",
    "wrong": "#d55e00",
    "faint": "#8c8c8c",
    "paper": "#ffffff",
}


# --- code -----------------------------------------------------------------------------------------


def code(pre: HtmlElement) -> HtmlElement:
    """A listing, a line an element: a reader that has no room breaks it and goes in deeper."""
    made = html.Element("pre")
    for line in lines(pre):
        made.append(line)
    return made


def lines(pre: HtmlElement) -> list[HtmlElement]:
    """The lines of a listing, each with its end; keywords, comments and strings of doc marked."""
    pieces = [[]]
    for text, style in runs(pre):
        for k, part in enumerate(text.split("\n")):
            if k:
                pieces.append([])
            if part:
                pieces[-1].append((part, style))
    while pieces and not pieces[-1]:
        pieces.pop()
    return [line(parts) for parts in pieces]


def line(parts: list[tuple[str, str]]) -> HtmlElement:
    """One line of a listing."""
    text = "".join(part for part, _ in parts)
    deep = min(len(text) - len(text.lstrip(" ")), DEEPEST)
    made = html.Element("span", {"class": f"line in{deep + deep % 2}"})
    made.text = ""
    for part, style in parts:
        if style:
            marked = etree.SubElement(made, style)
            marked.text = part
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + part
        else:
            made.text += part
    if len(made):
        made[-1].tail = (made[-1].tail or "") + "\n"
    else:
        made.text += "\n"
    return made


def runs(element: HtmlElement, style: str = ""):
    """The texts of a listing, each with the element that marks it; neighbours of a kind joined."""
    held, kind = "", ""
    for text, found in texts(element, style):
        if found == kind:
            held += text
        else:
            if held:
                yield held, kind
            held, kind = text, found
    if held:
        yield held, kind


def texts(element: HtmlElement, style: str):
    """The texts of a listing in order, each with the element that marks it."""
    names = set((element.get("class") or "").split())
    style = "b" if names & BOLD else "i" if names & ITALIC else style
    if element.text:
        yield element.text, style
    for child in element:
        yield from texts(child, style)
        if child.tail:
            yield child.tail, style


# --- tables ---------------------------------------------------------------------------------------


def is_wide(table: HtmlElement) -> bool:
    """Is there no room for this table on a narrow screen?"""
    if has_class(table, "ledger"):
        return True
    rows = list(map(cells_of, body(table)))
    cells = [len(" ".join(cell.text_content().split())) for row in rows for cell in row]
    columns = max(map(len, rows), default=0)
    return columns >= 4 and max(cells, default=0) > NARROW


def body(table: HtmlElement) -> list[HtmlElement]:
    """The rows below the head."""
    return [row for row in table.iter("tr") if row.getparent().tag != "thead"]


def cells_of(row: HtmlElement) -> list[HtmlElement]:
    """The cells of a row, one of which may be its head."""
    return [cell for cell in row if cell.tag in ("td", "th")]


def stacked(table: HtmlElement) -> HtmlElement:
    """A wide table as a list: a row's first cell is a term, and the others say of what they are."""
    heads = [cell for row in table.iterfind("thead/tr") for cell in cells_of(row)]
    made = html.Element("dl", {"class": "rows"})
    for row in body(table):
        cells = cells_of(row)
        term = etree.SubElement(made, "dt")
        if row.get("id"):
            term.set("id", row.get("id"))
        if heads and heads[0].text_content().strip() == "lets pass":
            label(term, heads[0])
        fill(term, cells[0], inline=True)
        for head, cell in zip(heads[1:], cells[1:], strict=False):
            if cell.text_content().strip() or len(list(cell.iter())) > 2:
                run_on(cell)
                said = etree.SubElement(made, "dd")
                label(said, head)
                fill(said, cell, inline=len(cell) == 1 and cell[0].tag == "p")
    return made


def label(target: HtmlElement, head: HtmlElement) -> None:
    """Begin with the name of a column."""
    name = copy.deepcopy(head)
    name.tag = "span"
    name.tail = " "
    name.attrib.clear()
    name.set("class", "column")
    for inner in name.findall("p"):
        inner.drop_tag()
    target.append(name)


def run_on(cell: HtmlElement) -> None:
    """Let the lines of a cell follow one another: there is room beside them now."""
    for end in list(cell.iter("br")):
        end.tail = f"; {(end.tail or '').lstrip()}"
        end.drop_tag()


def fill(target: HtmlElement, cell: HtmlElement, inline: bool) -> None:
    """Move what a cell holds; ``inline`` without the paragraph round it."""
    box = html.Element("span" if inline else "div")
    box.text = cell.text
    box.extend(list(cell))
    target.append(box)
    if inline:
        for inner in box.findall("p"):
            inner.drop_tag()
    box.drop_tag()


# --- pictures that move ---------------------------------------------------------------------------


def still(box: HtmlElement) -> tuple[bytes, str, str]:
    """The first view of a picture that moves: a file, what it shows, and the words below it."""
    drawn = copy.deepcopy(next(iter(box.iter("svg"))))
    for group in [g for g in drawn.iter("g") if not is_first(g)]:
        group.drop_tree()
    said = " ".join("".join(next(iter(box.iter("output"))).itertext()).split())
    shown = drawn.get("aria-label") or said
    size = drawn.attrib.pop("viewbox", None) or drawn.get("viewBox")
    drawn.attrib.clear()
    for element in drawn.iter():
        colour(element)
        for name in [n for n in element.attrib if n.startswith("data-") or n == "class"]:
            del element.attrib[name]
    inner = b"".join(etree.tostring(child, encoding="utf-8") for child in drawn)
    x, y, width, height = size.split()
    paper = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="#ffffff"/>'
    opened = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="13" fill="#1a1a1a">{paper}'
    )
    return opened.encode() + inner + b"</svg>\n", shown, said


def is_first(group: HtmlElement) -> bool:
    """Is a part of the picture seen at its first step?"""
    moves = {"data-words", "data-first"} & set(group.keys())
    return not moves or has_class(group, "on")


def colour(element: HtmlElement) -> None:
    """Say by attributes what the site says by classes: the colour of a line or an area."""
    for name in (element.get("class") or "").split():
        found = re.fullmatch(r"([fs])-(\w+)", name)
        if found and found[2] in COLOURS:
            of, other = ("fill", None) if found[1] == "f" else ("stroke", "fill")
            element.set(of, COLOURS[found[2]])
            if other:
                element.set(other, "none")
