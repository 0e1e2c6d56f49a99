"""Make the e-book of a site that was built: ``_build/policy-gradients-checked.epub``.

    python _ext/epub_book.py [folder]

The chapters are the pages of the site, in the order of ``_toc.yml``; nothing is run or read anew.
The solutions come last, in a part of their own, and lead back to their exercises. A long chapter is
several files, since small readers are slow with large ones. The file is written aside and put into
place when it is whole; the same site gives the same bytes.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from lxml import etree, html
from lxml.html import HtmlElement

import epub_cover
import epub_pages
from built import articles, parts
from epub_formulas import Formulas
from epub_package import About, Entry, colophon, nav, ncx, opf, pack, page
from epub_tree import classed

NAME = "policy-gradients-checked.epub"
XHTML = "http://www.w3.org/1999/xhtml"
OPS = "http://www.idpf.org/2007/ops"
LARGEST = 260_000  # bytes of a file of text, where a chapter has a place to be divided
ROLES = {"references": "bibliography", "glossary": "glossary", "index-of-terms": "index"}


class Unresolved(ValueError):
    """A link that leads nowhere."""


@dataclass
class File:
    """A file of the book's text, and the page that it came from."""

    name: str
    title: str
    body: HtmlElement
    page: str


@dataclass
class Book:
    """All that goes into the archive but what it says of itself."""

    site: Path
    parts: list[tuple[str, list[str]]]  # a title and its chapters; the first has none
    chapters: dict[str, epub_pages.Chapter]
    files: list[File] = field(default_factory=list)
    places: dict[tuple[str, str], str] = field(default_factory=dict)  # by page and identifier
    pictures: dict[str, bytes] = field(default_factory=dict)


# --- what is read -----------------------------------------------------------------------------


def about(citation: Path) -> About:
    """What the book says of itself to those who cite it."""
    said = yaml.safe_load(citation.read_text(encoding="utf-8"))
    names = [
        one.get("name") or f"{one['given-names']} {one['family-names']}" for one in said["authors"]
    ]
    return About(
        title=said["title"],
        authors=names,
        date=str(said["date-released"]),
        version=str(said["version"]),
        subjects=list(said.get("keywords", [])),
        summary=" ".join(said["abstract"].split()),
    )


# --- files ----------------------------------------------------------------------------------------


def divide(name: str, chapter: epub_pages.Chapter) -> list[File]:
    """The files of a chapter: one, or several that begin with a section."""
    made = [File(f"{name}.xhtml", chapter.title, chapter.text, name)]
    size = len(etree.tostring(chapter.text))
    if size <= LARGEST:
        return made
    filled = size - sum(len(etree.tostring(one)) for one in chapter.text.findall("section"))
    for section in chapter.text.findall("section"):
        length = len(etree.tostring(section))
        if filled and filled + length > LARGEST:
            title = f"{chapter.title} ({len(made) + 1})"
            body = html.Element("section")
            made.append(File(f"{name}-{len(made) + 1}.xhtml", title, body, name))
            filled = 0
        if len(made) > 1:
            section.tail = "\n"
            made[-1].body.append(section)
        filled += length
    return made


def answers(name: str, chapter: epub_pages.Chapter) -> File:
    """The solutions of a chapter, as a file."""
    title = f"Solutions: {chapter.title}"
    body = html.Element("section")
    head = etree.SubElement(body, "h1")
    head.text = "Solutions: "
    etree.SubElement(head, "a", {"href": f"{name}.html"}).text = chapter.title
    body.extend(chapter.solutions)
    return File(f"{name}-solutions.xhtml", title, body, name)


def lay_out(book: Book) -> None:
    """Divide the chapters into files, the solutions last, and note where each place has come."""
    for _, names in book.parts:
        for name in names:
            book.files += divide(name, book.chapters[name])
    with_solutions = [n for _, names in book.parts for n in names if book.chapters[n].solutions]
    book.files += [answers(name, book.chapters[name]) for name in with_solutions]
    for file in book.files:
        book.places.setdefault((file.page, ""), file.name)
        for element in file.body.iter():
            if element.get("id"):
                book.places[file.page, element.get("id")] = file.name


# --- links and pictures ---------------------------------------------------------------------------


def link(book: Book, file: File) -> None:
    """Let the links of a file lead to files of the book; those to files of the site go."""
    for element in list(file.body.iter("a")):
        href = element.get("href")
        if href is None or urlsplit(href).scheme in ("http", "https", "mailto"):
            continue
        address = urlsplit(href)
        target = Path(address.path).name.removesuffix(".html") or file.page
        if target not in book.chapters:
            if not (book.site / "book" / unquote(address.path)).exists():
                raise Unresolved(f"{file.page}: {href}")
            element.drop_tag()
            continue
        element.set("href", resolve(book, file, target, unquote(address.fragment)))


def resolve(book: Book, file: File, target: str, place: str) -> str:
    """The address of a place of a page, from a file of the book."""
    name = epub_pages.identifier(place) if place else ""
    if (target, name) not in book.places:
        raise Unresolved(f"{file.page}: {target}.html#{place}")
    where = book.places[target, name]
    return f"#{name}" if where == file.name and name else f"{where}{'#' * bool(name)}{name}"


def picture(book: Book, file: File) -> None:
    """Take the pictures of a file into the book, named by the chapter and a number."""
    for element in file.body.iter("img"):
        source = element.get("src")
        drawn = book.chapters[file.page].drawn
        content = drawn.get(source) or (book.site / "book" / source).read_bytes()
        same = next((name for name, held in book.pictures.items() if held == content), None)
        if same is None:
            number = sum(name.startswith(f"{file.page}-figure-") for name in book.pictures) + 1
            same = f"{file.page}-figure-{number}{Path(source).suffix}"
            book.pictures[same] = content
        element.set("src", same)


def written(file: File, language: str) -> bytes:
    """A file of text as XHTML."""
    root = etree.Element(f"{{{XHTML}}}body", nsmap={None: XHTML, "epub": OPS})
    root.append(file.body)
    for element in root.iter():
        if isinstance(element.tag, str) and not element.tag.startswith("{"):
            element.tag = f"{{{XHTML}}}{element.tag}"
        if element.get("lang"):
            element.set("{http://www.w3.org/XML/1998/namespace}lang", element.get("lang"))
    role = ROLES.get(file.page, "chapter")
    file.body.set(f"{{{OPS}}}type", role)
    file.body.set("role", f"doc-{role}")
    file.body.set("aria-label", file.title)
    etree.cleanup_namespaces(root, keep_ns_prefixes=["epub"])
    text = etree.tostring(root, encoding="unicode")
    inner = re.sub(r"\A<body[^>]*>|</body>\Z", "", text)
    return page(file.title, inner.strip(), language)


# --- contents ---------------------------------------------------------------------------------


def contents(book: Book) -> list[Entry]:
    """The contents: parts, chapters, sections; the solutions as the last part."""
    found = [Entry("Cover", "cover.xhtml"), Entry("About this e-book", "colophon.xhtml")]
    for title, names in book.parts:
        entries = [chapter_entry(book, name) for name in names]
        found += [Entry(title, "", entries)] if title else entries
    solved = [f for f in book.files if f.name.endswith("-solutions.xhtml")]
    below = [Entry(f.title.removeprefix("Solutions: "), f.name) for f in solved]
    return [*found, Entry("Solutions", "", below)] if below else found


def chapter_entry(book: Book, name: str) -> Entry:
    """A chapter's line of the contents, with its sections."""
    made = Entry(book.chapters[name].title, book.places[name, ""])
    for file in book.files:
        if file.page == name and not file.name.endswith("-solutions.xhtml"):
            for section in file.body.findall("section"):
                head = section.find("h2")
                if head is not None:
                    title = " ".join(epub_pages.plain(head).split())
                    made.below.append(Entry(title, f"{file.name}#{section.get('id')}"))
    return made


def figures(book: Book) -> list[Entry]:
    """The list of the figures."""
    found = []
    for file in book.files:
        for figure in file.body.iter("figure"):
            number = next(iter(classed(figure, "caption-number")), None)
            if number is not None and figure.get("id"):
                said = " ".join(epub_pages.plain(next(figure.iter("figcaption"))).split())
                short = re.match(r"(\S+ \S+ .*?[.;:])(?:\s|$)", said)
                title = short[1].rstrip(".;:") if short else said
                found.append(Entry(title, f"{file.name}#{figure.get('id')}"))
    return found


# --- all of it ------------------------------------------------------------------------------------


def read(root: Path, site: Path) -> Book:
    """Make chapters of the pages."""
    book = Book(site, parts(root / "_toc.yml"), {})
    pages, formulas = articles(site), Formulas()
    for _, names in book.parts:
        for name in names:
            book.chapters[name] = epub_pages.chapter(name, pages[name], formulas.element)
    print(f"{len(book.chapters)} chapters, {len(formulas.drawn)} different formulas.", flush=True)
    return book


def make(root: Path, site: Path, target: Path) -> dict[str, bytes]:
    """Make the e-book; give its files."""
    says = about(root / "CITATION.cff")
    book = read(root, site)
    lay_out(book)
    lines, shown = contents(book), figures(book)
    for file in book.files:
        link(book, file)
        picture(book, file)
    files = {file.name: written(file, says.language) for file in book.files}
    marks = {"cover": ("cover.xhtml", "Cover"), "toc": ("nav.xhtml#toc", "Contents")}
    marks["bodymatter"] = (book.places[book.parts[1][1][0], ""], "Start of the text")
    for name, role in ROLES.items():
        if name in book.chapters:
            marks[role] = (f"{name}.xhtml", role.capitalize())
    says.has_index = "index" in marks
    spine = ["cover.xhtml", "colophon.xhtml", "nav.xhtml", *files]
    files["colophon.xhtml"] = colophon(says)
    files |= book.pictures | epub_cover.files(root, says)
    files["nav.xhtml"] = nav(says, lines, shown, marks)
    files["toc.ncx"] = ncx(says, lines)
    files["book.css"] = (Path(__file__).parent / "epub_book.css").read_bytes()
    files["package.opf"] = opf(says, files, spine)
    aside = target.with_suffix(f".{os.getpid()}")
    pack(aside, files)
    os.replace(aside, target)
    return files


def main(root: Path) -> int:
    """Make the e-book of the site in a folder unless it is there, and say where it is."""
    build = root / "_build"
    target, finished, stamp = build / NAME, build / "book.finished", build / "epub.finished"
    if not finished.exists():
        print("No finished book in _build/html: run make book first.", file=sys.stderr)
        return 1
    if target.exists() and is_current(build):
        print("Nothing has changed since the e-book was made.")
    else:
        stamp.unlink(missing_ok=True)
        make(root, build / "html", target)
        stamp.write_bytes(finished.read_bytes())
    print(f"The e-book, {target.stat().st_size / 1e6:.1f} MB: {target}")
    return 0


def is_current(build: Path) -> bool:
    """Was the e-book made of the site that is there, by the program that is there?"""
    finished, stamp = build / "book.finished", build / "epub.finished"
    return stamp.exists() and finished.exists() and stamp.read_bytes() == finished.read_bytes()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
