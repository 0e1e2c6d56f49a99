"""What an EPUB says of itself: its package document, its navigation, its archive.

All of it is made from the files and from ``CITATION.cff``: the same book gives the same bytes,
whatever the clock or the machine.
"""

from __future__ import annotations

import uuid
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from itertools import count
from pathlib import Path, PurePosixPath

import bundle

TYPES = {".xhtml": "application/xhtml+xml", ".svg": "image/svg+xml", ".png": "image/png"}
TYPES |= {".css": "text/css", ".ncx": "application/x-dtbncx+xml"}
CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
  <rootfiles>
    <rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/>
  </rootfiles>
</container>
"""
PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" \
lang="{language}" xml:lang="{language}">
<head>
<meta charset="utf-8"/>
<title>{title}</title>
<link rel="stylesheet" href="book.css"/>
</head>
<body>
{body}
</body>
</html>
"""
COLOPHON = """<section epub:type="colophon" role="doc-colophon">
<h1>About this e-book</h1>
<p><i>{title}</i>, version {version}, {date}. By {authors}.</p>
<p>{rights} The outlines of the letters in formulas are those of MathJax (Apache License 2.0).</p>
<p>This book is made from the pages of the book in HTML, and those are made by running its chapters:
what you read is what ran. The solutions of all exercises stand together at the end. Pictures that
move there stand still here. Code that only prepares is folded, where your reader can fold.</p>
<p>Each formula is drawn in the colour and the size of the text around it, and labelled with its
words for those who listen. Tables that are too wide for a small screen are lists here.</p>
<p>To run a chapter, and to change it, take the book’s files; their README says how.</p>
</section>"""
ACCESS = {
    "accessMode": ("textual", "visual"),
    "accessModeSufficient": ("textual,visual", "textual"),
    "accessibilityFeature": (
        "alternativeText",
        "describedMath",
        "displayTransformability",
        "readingOrder",
        "structuralNavigation",
        "tableOfContents",
    ),
    "accessibilityHazard": ("none",),
    "accessibilitySummary": (
        "Each picture has a description, and each formula is labelled with its words. Headings "
        "are in order, and the contents lead to parts, chapters, sections and figures. Text and "
        "formulas take the colours and the size that a reader sets.",
    ),
}


@dataclass
class About:
    """What a catalogue asks of a book."""

    title: str
    authors: list[str]
    date: str
    version: str
    subjects: list[str]
    summary: str
    language: str = "en"
    has_index: bool = False
    rights: str = "Text and figures: CC BY 4.0. Code: BSD-3-Clause."

    @property
    def identifier(self) -> str:
        """The same for every edition of the book."""
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, self.title)}"


@dataclass
class Entry:
    """A line of the contents, with what stands below it."""

    title: str
    href: str = ""
    below: list[Entry] = field(default_factory=list)

    def first(self) -> str:
        """Where the line leads: itself, or to the first below it."""
        return self.href or (self.below[0].first() if self.below else "")


def page(title: str, body: str, language: str = "en") -> bytes:
    """A file of the book."""
    return PAGE.format(title=escape(title), body=body, language=language).encode()


def colophon(about: About) -> bytes:
    """The page that says what this copy is, and what is other than in a browser."""
    said = {
        "title": about.title,
        "version": about.version,
        "date": about.date,
        "authors": " and ".join(about.authors),
        "rights": about.rights,
    }
    body = COLOPHON.format(**{name: escape(value) for name, value in said.items()})
    return page("About this e-book", body, about.language)


# --- the package document -------------------------------------------------------------------------


def opf(about: About, files: dict[str, bytes], spine: Iterable[str]) -> bytes:
    """The package document: the catalogue's lines, all files, and the order of reading."""
    items = "\n".join(item(name, content) for name, content in sorted(files.items()))
    refs = "\n".join(f'    <itemref idref="{key(name)}"/>' for name in spine)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book-id" \
xml:lang="{about.language}">
  <metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
{catalogue(about)}
  </metadata>
  <manifest>
{items}
  </manifest>
  <spine toc="{key("toc.ncx")}">
{refs}
  </spine>
</package>
""".encode()


def catalogue(about: About) -> str:
    """The lines for a catalogue."""
    lines = [
        f'<dc:identifier id="book-id">{about.identifier}</dc:identifier>',
        f"<dc:title>{escape(about.title)}</dc:title>",
        f"<dc:language>{about.language}</dc:language>",
        *(f"<dc:creator>{escape(name)}</dc:creator>" for name in about.authors),
        f"<dc:date>{about.date}</dc:date>",
        f"<dc:description>{escape(about.summary)}</dc:description>",
        *(f"<dc:subject>{escape(subject)}</dc:subject>" for subject in about.subjects),
        f"<dc:rights>{escape(about.rights)}</dc:rights>",
        f'<meta property="dcterms:modified">{about.date}T00:00:00Z</meta>',
        f'<meta property="schema:version">{escape(about.version)}</meta>',
        '<meta name="cover" content="cover.png"/>',
    ]
    if about.has_index:
        lines.append('<meta property="schema:accessibilityFeature">index</meta>')
    for name, values in ACCESS.items():
        lines += [f'<meta property="schema:{name}">{escape(value)}</meta>' for value in values]
    return "\n".join(f"    {line}" for line in lines)


def item(name: str, content: bytes) -> str:
    """A file's line in the manifest."""
    properties = [
        word
        for word, holds in (
            ("nav", name == "nav.xhtml"),
            ("cover-image", name == "cover.png"),
            ("svg", name.endswith(".xhtml") and b"<svg" in content),
        )
        if holds
    ]
    told = f' properties="{" ".join(properties)}"' if properties else ""
    kind = TYPES[PurePosixPath(name).suffix]
    return f'    <item id="{key(name)}" href="{name}" media-type="{kind}"{told}/>'


def key(name: str) -> str:
    """The name of a file within the package document."""
    return name if name[0].isalpha() else f"n{name}"


# --- the navigation -------------------------------------------------------------------------------


def nav(
    about: About, contents: list[Entry], figures: list[Entry], marks: dict[str, tuple]
) -> bytes:
    """The navigation document, which is also the page of contents."""
    landmarks = "".join(
        f'<li><a epub:type="{kind}" href="{href}">{title}</a></li>\n'
        for kind, (href, title) in marks.items()
    )
    body = f"""<nav epub:type="toc" role="doc-toc" id="toc" aria-labelledby="contents">
<h1 id="contents">Contents</h1>
{listed(contents)}</nav>
<nav epub:type="loi" id="loi" aria-labelledby="figures">
<h2 id="figures">Figures</h2>
{listed(figures)}</nav>
<nav epub:type="landmarks" id="landmarks" aria-labelledby="places" hidden="">
<h2 id="places">Landmarks</h2>
<ol>
{landmarks}</ol>
</nav>"""
    return page("Contents", body, about.language)


def listed(entries: list[Entry], depth: int = 0) -> str:
    """Lines of the contents as a list; sections are for a reader's own list, not for the page."""
    lines = []
    for entry in entries:
        title = escape(entry.title)
        tag = f'<a href="{entry.href}">{title}</a>' if entry.href else f"<span>{title}</span>"
        below = "\n" + listed(entry.below, depth + 1) if entry.below else ""
        lines.append(f"<li>{tag}{below}</li>\n")
    sections = depth and all("#" in entry.href for entry in entries)
    unseen = ' hidden=""' if sections else ""
    return f"<ol{unseen}>\n{''.join(lines)}</ol>\n"


def ncx(about: About, contents: list[Entry]) -> bytes:
    """The contents once more, in the form that older readers know."""
    orders: dict[str, int] = {}
    numbers = count(1)

    def point(entry: Entry) -> str:
        k, order = next(numbers), orders.setdefault(entry.first(), len(orders) + 1)
        below = "".join(point(one) for one in entry.below)
        return (
            f'<navPoint id="p{k}" playOrder="{order}"><navLabel><text>{escape(entry.title)}</text>'
            f'</navLabel><content src="{entry.first()}"/>{below}</navPoint>\n'
        )

    points = "".join(point(entry) for entry in contents)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1">
<head><meta name="dtb:uid" content="{about.identifier}"/></head>
<docTitle><text>{escape(about.title)}</text></docTitle>
<navMap>
{points}</navMap>
</ncx>
""".encode()


# --- the archive --------------------------------------------------------------------------------


def pack(target: Path, files: dict[str, bytes]) -> None:
    """Write the archive: what it is comes first, not compressed; the rest sorted, without times."""
    whole = {"META-INF/container.xml": CONTAINER.encode()}
    whole |= {f"EPUB/{name}": content for name, content in sorted(files.items())}
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(bundle.entry("mimetype", zipfile.ZIP_STORED), b"application/epub+zip")
        for name, content in whole.items():
            archive.writestr(bundle.entry(name), content, compresslevel=9)
