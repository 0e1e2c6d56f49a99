"""What to look for in the PDF of the book: each look gives the faults that it finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pypdf
from lxml.html import HtmlElement

import binding
import paper
from built import articles, has_class, parts

READ = (  # the pages of the site of which each line of code is looked for
    *("one", "two"),
    *("00-start-here", "05-expectation-and-sampling", "12-ppo", "17b-kl-on-trial"),
)
MUCH = 8000  # bytes that draw more than heads
WORDS = 4  # of a sentence that is looked for, at least


@dataclass
class Printed:
    """A PDF and the checkout with the site that it was made of."""

    root: Path
    pdf: pypdf.PdfReader

    def __post_init__(self):
        self.texts: dict[int, str] = {}

    def text(self, sheet: int) -> str:
        """The text of a sheet, counted from 1; it takes long, so each is read once, when asked."""
        if sheet not in self.texts:
            self.texts[sheet] = self.pdf.pages[sheet - 1].extract_text()
        return self.texts[sheet]

    def bare(self, sheets: Iterable[int]) -> str:
        """The text of some sheets, without blanks."""
        return "".join(bare(self.text(sheet)) for sheet in sheets)

    @cached_property
    def starts(self) -> dict[str, int]:
        """The page of each target, from 1."""
        return {
            name.removeprefix("/"): self.pdf.get_destination_page_number(place) + 1
            for name, place in self.pdf.named_destinations.items()
        }

    @cached_property
    def names(self) -> list[str]:
        """The pages of the site, in order."""
        return [name for _, names in parts(self.root / "_toc.yml") for name in names]

    @cached_property
    def joined(self) -> tuple[str, list[tuple[int, str, str]]]:
        """The joined pages, and the bookmarks that they ask for."""
        return binding.join(self.root / "_build/html", self.root / "_toc.yml")

    @cached_property
    def heads(self) -> list[tuple[str, str]]:
        """What the heads of sheets say, left and right."""
        text, _ = self.joined
        return re.findall(r'@top-left { content: "(.*?)" } @top-right { content: "(.*?)" }', text)

    @property
    def articles(self) -> dict[str, HtmlElement]:
        return articles(self.root / "_build/html")

    def within(self, name: str) -> range:
        """The sheets of one page of the site."""
        after = [*self.names, "solutions"][self.names.index(name) + 1]
        return range(self.starts[name], max(self.starts.get(after, 0), self.starts[name] + 1))

    @cached_property
    def end(self) -> str:
        """The bare text of the solutions."""
        return self.bare(range(self.starts["solutions"], len(self.pdf.pages) + 1))


def bare(text: str) -> str:
    """Text without blanks, and without what a line's end or a font makes of a sign."""
    return re.sub(r"\s|\u00ad|\u200b", "", text)


def faults(book: Printed) -> dict[str, list[str]]:
    """All that the looks find, by the name of the look."""
    found = {look.__name__: sorted(set(look(book)))[:10] for look in LOOKS}
    return {name: what for name, what in found.items() if what}


# --- looks ----------------------------------------------------------------------------------------


def bookmarks(book: Printed) -> Iterator[str]:
    """Parts, pages and sections, each with a bookmark that leads to it."""
    _, expected = book.joined
    marks = [
        (level, one.title, book.pdf.get_destination_page_number(one) + 1)
        for level, one in flat(book)
    ]
    wanted = [(level, said, book.starts.get(name)) for level, said, name in expected]
    yield from (f"{a} is not {b}" for a, b in zip(marks, wanted, strict=False) if a != b)
    headings = sum(
        sum(1 for _ in article.iter("h2", "h3")) for article in map(book.articles.get, book.names)
    )
    solved = sum(1 for name in book.names if list(solutions(book.articles[name])))
    many = len(parts(book.root / "_toc.yml")) - 1
    if len(marks) != (total := 2 + many + len(book.names) + headings + solved):
        yield f"{len(marks)} bookmarks, not the {total} headings of the site"


def flat(book: Printed) -> Iterator[tuple[int, pypdf.generic.Destination]]:
    """The bookmarks with their levels."""

    def walk(items, level):
        for item in items:
            if isinstance(item, list):
                yield from walk(item, level + 1)
            else:
                yield level, item

    yield from walk(book.pdf.outline, 1)


def contents(book: Printed) -> Iterator[str]:
    """The numbers in the table of contents are those of the pages that its lines lead to."""
    sheets = range(book.starts["contents"], book.starts[book.names[0]])
    # An entry that begins a sheet has a link at the end of the one before, too.
    links = dict.fromkeys(n for k in sheets for n, _ in targets(book.pdf.pages[k - 1]))
    links.pop("contents", None)
    said = [int(n) for k in sheets for n in re.findall(r"\S +(\d+)$", book.text(k), re.MULTILINE)]
    leads = [book.starts.get(name) for name in links]
    if len(said) != len(leads):
        yield f"{len(said)} numbers, {len(leads)} entries"
    pairs = zip(said, leads, links, strict=False)
    yield from (f"{name}: {a}, but it is on {b}" for a, b, name in pairs if a != b)


def targets(page) -> list[tuple[str, str]]:
    """Where the links of a sheet lead: names within, addresses outside."""
    found = []
    for one in page.get("/Annots") or []:
        one = one.get_object()
        if "/Dest" in one:
            found.append((str(one["/Dest"]).removeprefix("/"), ""))
        elif "/A" in one:
            found.append(("", str(one["/A"].get("/URI", ""))))
    return found


def links(book: Printed) -> Iterator[str]:
    """Each link leads to a place in the file, or to an address."""
    for number, page in enumerate(book.pdf.pages, 1):
        for name, address in targets(page):
            if name not in book.starts and not address.startswith(("http", "mailto")):
                yield f"sheet {number}: {name}{address}"


def sentences(book: Printed) -> Iterator[str]:
    """The first and the last words of each page of the site are there."""
    for name in book.names:
        sheets = list(book.within(name))
        for words, way in zip(ends(book.articles[name]), (sheets, sheets[::-1]), strict=False):
            if not any(bare(words) in book.bare(sorted(way[k : k + 2])) for k in range(len(way))):
                yield f"{name}: {words}"


def ends(article: HtmlElement) -> list[str]:
    """The first and the last stretch of words, without a formula, of an article."""
    found = [
        text
        for p in article.iter("p", "dd")
        if not any(
            above.tag in ("td", "th") or has_class(above, "solution") for above in p.iterancestors()
        )
        for text in [re.split(r"[\u2e80-\U0003ffff]", p.text or "")[0]]
        if len(text.split()) >= WORDS
    ]
    return [found[0], found[-1]] if found else []


def code(book: Printed) -> Iterator[str]:
    """Each line of code that is not folded, and each line that it puts out, is there whole."""
    for name in filter(READ.__contains__, book.names):
        here = book.bare(book.within(name))
        for pre in book.articles[name].iter("pre"):
            above = list(pre.iterancestors())
            if any(e.tag == "details" for e in above):
                continue
            text = book.end if any(has_class(e, "solution") for e in above) else here
            for line in pre.text_content().splitlines():
                if bare(line) not in text:
                    yield f"{name}: {line}"


def order(book: Printed) -> Iterator[str]:
    """Pages of the site follow one another; solutions stand at the end and nowhere else."""
    starts = [book.starts[name] for name in [*book.names, "solutions"]]
    if starts != sorted(starts):
        yield f"pages begin at {starts}"
    for name in book.names:
        for solution in solutions(book.articles[name]):
            id = paper.target(name, solution.get("id"))
            if book.starts.get(id, 0) < book.starts["solutions"]:
                yield f"{id} is on sheet {book.starts.get(id)}"
            for pre in solution.iter("pre"):
                long = max(map(bare, pre.text_content().splitlines()), key=len)
                if long not in book.end:
                    yield f"{id}: {long}"


def solutions(article: HtmlElement) -> list[HtmlElement]:
    """The solutions of a page."""
    return [d for d in article.iter("div") if has_class(d, "solution")]


def empty(book: Printed) -> Iterator[str]:
    """No sheet holds its head and its number alone."""
    heads = {bare(f"{left}{right}") for left, right in book.heads} | {""}
    for number, page in enumerate(book.pdf.pages, 1):
        if "/XObject" in page["/Resources"] or len(page.get_contents().get_data()) > MUCH:
            continue
        text = book.bare([number])
        if text.replace(str(number), "", 1) in heads:
            yield f"sheet {number}: {text}"


def pictures(book: Printed) -> Iterator[str]:
    """Pictures are drawn, not made of dots."""
    for number, page in enumerate(book.pdf.pages, 1):
        for name, one in (page["/Resources"].get("/XObject") or {}).items():
            if one.get_object()["/Subtype"] == "/Image":
                yield f"sheet {number}: {name}"


def fonts(book: Printed) -> Iterator[str]:
    """Every font is in the file."""
    for number, page in enumerate(book.pdf.pages, 1):
        for font in (page["/Resources"].get("/Font") or {}).values():
            font = font.get_object()
            if font["/Subtype"] == "/Type0":
                font = font["/DescendantFonts"][0].get_object()
            drawn = font["/Subtype"] == "/Type3" and "/CharProcs" in font
            inside = font.get("/FontDescriptor") or {}
            if not drawn and not any(f"/FontFile{k}" in inside for k in ("", "2", "3")):
                yield f"sheet {number}: {font.get('/BaseFont')}"


LOOKS: tuple[Callable[[Printed], Iterator[str]], ...] = (
    bookmarks,
    contents,
    links,
    sentences,
    code,
    order,
    empty,
    pictures,
    fonts,
)
