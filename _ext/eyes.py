"""Pages for any eyes: what the theme's and docutils' templates leave out is put into each page.

Once all pages are written, before anything is made out of them, each is gone through:

- Chinese is tagged as Chinese, so that it is spoken and drawn as such.
- Names that are spoken contain the words that are seen; roles and ids are those that the standards
  allow; the sidebar is a landmark; a cell of a table's head that is empty is no heading.
- The number of a display is the name of its group; a full stop stays on the line of its formula.
- A table with much in its rows can be stacked, and stays a table.
- A picture whose lettering would be too small on a phone gets the width that it needs; it scrolls.
- A page with pictures has the filter that draws them on a dark ground: each colour of the palette
  keeps its name.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

HAN = "\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
ALSO = "\u3000-\u303f\uff00-\uffef"  # punctuation, which may go along
CHINESE = re.compile(f"[{HAN}{ALSO}]*[{HAN}][{HAN}{ALSO}]*")
# What holds no elements is one piece, as is a tag; between them stands text.
PIECES = re.compile(r"(?is)(<(script|style|title|textarea|svg)\b.*?</\2\s*>|<!--.*?-->|<[^>]*>)")

IMAGE = re.compile(r'<img\b(?![^>]*--least)[^>]*\bsrc="([^":]*_images/[^"]*\.svg)"[^>]*>')

PHONE = 390  # pixels: the width that pictures have there
SMALL, LEGIBLE = 8.0, 9.5  # pixels: letters below the one are drawn at the other

# From colours on white to colours on the dark page: a matrix, then a curve for each channel. With
# these numbers the palette of ``policygrad.figures`` comes out as its own dark one.
MATRIX = """\
0.333 -0.581 -0.61 0 0.941
-0.592 0.364 -0.675 0 0.96
-0.499 -0.689 0.264 0 0.97
0 0 0 1 0"""
CURVES = {
    "R": "0 0.085 0.217 0.272 0.442 0.511 0.521 0.856 0.866 0.928 1",
    "G": "0 0.123 0.228 0.271 0.465 0.496 0.499 0.846 0.882 0.891 0.993",
    "B": "0.014 0.139 0.23 0.281 0.471 0.494 0.503 0.833 0.884 0.893 0.947",
}


def chinese(page: str) -> str:
    """Tag each run of Chinese."""
    found, last = [], ""
    for k, piece in enumerate(PIECES.split(page)):
        if k % 3 == 0 and 'lang="zh' not in last:
            piece = CHINESE.sub(r'<span lang="zh">\g<0></span>', piece)
        elif k % 3 == 1:
            last = piece
        found.append(piece if k % 3 < 2 else "")
    return "".join(found)


# What is wrong, what is right.
REPLACED = (
    # The words that are seen are the name.
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    (r'(<button class="btn search-button-field[^>]*?) aria-label="Search"', r"\1"),
    (r'(<i class="theme-switch [^>]*?)\s+title="[^"]*"', r"\1"),
    # A place of the page with the book's name, the search and the contents.
    (r'<div id="pst-primary-sidebar"', r'\g<0> role="region" aria-label="The book"'),
    # The role that was meant for entries of a bibliography has been given up.
    (r'role="doc-biblioentry"', 'role="listitem"'),
    (r'\bid="(exercise|solution|proof)-content"', r'class="\1-content"'),
    (r"<th\b[^>]*>\s*(?:<p>\s*</p>\s*)?</th>", "<td></td>"),
    (
        r'(<div class="math notranslate nohighlight"(?![^>]*role=)[^>]*)'
        r'(>\s*<span class="eqno">\(([^()<]+)\))',
        r'\1 role="group" aria-label="Equation (\3)"\2',
    ),
)


FORMULA = re.compile(r'<span class="math[^>]*data-tex="([^"]*)".*?</mjx-container>', re.DOTALL)
CELL = re.compile(r"<t[dh]\b.*?</t[dh]>", re.DOTALL)
TABLE = re.compile(r'<table class="table">.*?</table>', re.DOTALL)
# A formula within a line, and the punctuation that must not begin the next one.
TIED = re.compile(
    r'<span class="math notranslate nohighlight"[^>]*>'
    r"(?:(?!</mjx-container>).)*</mjx-container></span>[.,;:!?)\]’”…]+"
)


def mended(page: str) -> str:
    """What templates leave to be wished for."""
    for wrong, right in REPLACED:
        page = re.sub(wrong, right, page)
    page = TABLE.sub(lambda found: stacked(headed(found[0])), page)
    return TIED.sub(r'<span class="pg-tied">\g<0></span>', page)


@lru_cache
def least_width(picture: Path) -> int | None:
    """How wide a picture has to be for its letters to be legible; None if a phone will do."""
    svg = picture.read_text(encoding="utf-8")
    size = re.search(r'<svg\b[^>]*\bwidth="([\d.]+)pt"', svg)
    letters = Counter(re.findall(r"scale\(([\d.]+) -", svg))
    if not (size and letters):
        return None
    width = float(size[1]) * 4 / 3
    height = float(letters.most_common(1)[0][0]) * 100 * 4 / 3
    return None if height * PHONE / width >= SMALL else round(width * LEGIBLE / height)


LONG = 60  # signs: a row with more is not readable on a phone with its cells beside each other
WIDE = 40  # signs of a formula that takes the whole width
ROLES = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}
ROLES["th"] = "columnheader"


def headed(table: str) -> str:
    """A table in which the first cell of a row is its head, where that column has none."""
    top, end, body = table.partition("</thead>")
    first = CELL.search(top)
    if not end or not first or words(first[0]):
        return table
    named = re.sub(
        r"(<tr\b[^>]*>\s*)<td\b(.*?)</td>", r'\1<th scope="row"\2</th>', body, flags=re.DOTALL
    )
    return top + end + named


def stacked(table: str) -> str:
    """A table whose cells a phone puts below one another, each with the name of its column.

    The roles say that it is a table still: browsers forget it where cells stand otherwise.
    """
    top, end, body = table.partition("</thead>")
    heads = [words(FORMULA.sub("", head)) for head in CELL.findall(top)]
    rows = re.findall(r"<tr\b.*?</tr>", body, re.DOTALL)
    if not rows or not (is_long(rows) if len(heads) > 2 else is_unlike(rows)):
        return table
    for row in rows:
        names = iter(heads)
        named = CELL.sub(lambda cell, names=names: labelled(cell[0], next(names)), row)
        body = body.replace(row, named, 1)
    table = re.sub(r"<(table|thead|tbody|tr|th|td)\b( scope)?", with_role, top + end + body)
    return re.sub(r'(<table\b[^>]*class=")', r"\1pg-stack ", table, count=1)


def is_long(rows: list[str]) -> bool:
    """Has a row too much in it for a phone?"""
    return max(len(words(row)) for row in rows) >= LONG


def is_unlike(rows: list[str]) -> bool:
    """Would a formula in the first column leave the second no room?"""
    first = [FORMULA.findall(CELL.search(row)[0]) for row in rows]
    return any(len(tex) > WIDE for formulas in first for tex in formulas)


def labelled(cell: str, name: str) -> str:
    """A cell with the name of its column, if that has one; or with a mark, with nothing in it."""
    label = f' data-label="{name}"' if name else ""
    return f"{cell[:3]}{label if words(cell) else ' data-empty'}{cell[3:]}"


def with_role(tag: re.Match) -> str:
    """The beginning of a tag, with the role that it has anyway."""
    return f'<{tag[1]} role="{"rowheader" if tag[2] else ROLES[tag[1]]}"{tag[2] or ""}'


def words(markup: str) -> str:
    """What is read in a piece of a page; of a formula, its source."""
    markup = FORMULA.sub(r"\1", markup)
    return " ".join(re.sub(r"<[^>]*>", "", markup).split())


def pictures(page: str, folder: Path) -> str:
    """Give pictures the width that they need, and a page with pictures the filter for the dark."""

    def widened(found):
        least = least_width((folder / found[1]).resolve())
        if least is None:
            return found[0]
        tag = found[0].replace("<img", f'<img style="--least: {least}px"', 1)
        return f'<span class="pg-picture">{tag}</span>'

    page, count = re.subn(
        r'<img\b(?![^>]*--least)[^>]*\bsrc="([^":]*_images/[^"]*\.svg)"[^>]*>', widened, page
    )
    if count and 'id="pg-dark"' not in page:
        page = re.sub(r"<body\b[^>]*>", lambda body: body[0] + dark(), page, count=1)
    return page


def dark() -> str:
    """The filter for pictures on a dark ground."""
    curves = "".join(
        f'<feFunc{name} type="table" tableValues="{values}"/>' for name, values in CURVES.items()
    )
    return (
        '\n<svg width="0" height="0" style="position: absolute" aria-hidden="true">'
        '<filter id="pg-dark" color-interpolation-filters="sRGB">'
        f'<feColorMatrix values="{" ".join(MATRIX.split())}"/>'
        f"<feComponentTransfer>{curves}</feComponentTransfer></filter></svg>"
    )


def finish(app, exception):
    """Go through the pages of a site that was built without an error."""
    if exception is None and app.builder.format == "html":
        for path in sorted(Path(app.outdir).rglob("*.html")):
            if "_static" in path.relative_to(app.outdir).parts:
                continue
            page = path.read_text(encoding="utf-8")
            done = chinese(pictures(mended(page), path.parent))
            if done != page:
                path.write_text(done, encoding="utf-8", newline="\n")


def setup(app):
    # Formulas are there at 500; what is made out of the pages comes at 700.
    app.connect("build-finished", finish, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
