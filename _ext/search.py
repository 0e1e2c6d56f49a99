"""What the search of the site looks in: one record for each thing that a reader may want to find.

The records come from the finished pages, where numbers are resolved and verdicts stand. A record is
a page's opening, a section, a symptom, a labelled equation, a figure, an exercise, a check, a term,
a letter of the notation, a line of the source map, a reference, or a function of the package; it
has a place to land on, a title, its text in plain characters, names under which it is found as a
whole (its number, its label, other words for it), and the names in its code.

They are written to ``search-data.js``, which assigns one global and is loaded when somebody begins
to search: it works from a folder, where a page may fetch nothing. ``search.js`` does the rest.
Sphinx's own index, which needs to fetch every page that it has found, is not made.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lxml.html import HtmlElement

from built import articles, has_class
from plain_tex import BELOW, readable

HERE = Path(__file__).resolve().parent
DATA = "search-data.js"
ENGINE = ("search_words.js", "search_engine.js")
GLOBAL = "policygradSearch"
UNUSED = ("searchindex.js", "_static/searchtools.js", "_static/language_data.js")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
BLOCKS = {"p", "li", "td", "th", "dt", "dd", "tr", "figcaption", "summary", "pre", "div", *HEADINGS}
NO_PROSE = {
    "glossary",
    "index-of-terms",
    "ledger",
    "references",
    "source-map",
}  # told entry by entry
NUMBERED = re.compile(r"id\d+|[sl]\d+")  # a place named by a number that may be another tomorrow
RAISED = re.compile("[\u00b2\u00b3\u00b9\u1d43-\u1d5b\u1d62-\u1d65\u2070-\u209c]")
NAMES = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")


@dataclass
class Record:
    """One thing that may be found."""

    kind: str
    anchor: str
    title: str
    text: str = ""
    names: list[str] = field(default_factory=list)
    code: set[str] = field(default_factory=set)

    def row(self) -> list:
        """As it is written down; what is empty at the end is left out."""
        code = " ".join(sorted(self.code))
        row = [self.kind, self.anchor, self.title, self.text, "|".join(self.names), code]
        while row and not row[-1]:
            row.pop()
        return row


# --- words --------------------------------------------------------------------------------------


def plain(element: HtmlElement, without: tuple[str, ...] = ()) -> str:
    """The words of an element: formulas in plain characters, no marks of links, no cells."""
    found: list[str] = []
    collect(element, found, without)
    text = re.sub(r"\s+", " ", RAISED.sub(lowered, "".join(found)))
    return re.sub(r" (?=[,.;:)’])", "", text).strip()


def lowered(match: re.Match) -> str:
    """A letter or digit that is set above or below the line, with the sign for that before it."""
    where, _, code = unicodedata.decomposition(match[0]).partition(" ")
    sign = {"<super>": "^", "<sub>": BELOW}.get(where)
    return sign + chr(int(code, 16)) if sign else match[0]


def collect(element: HtmlElement, found: list[str], without: tuple[str, ...]) -> None:
    """Put the words of an element and of all in it at the end of a list."""
    if not isinstance(element.tag, str) or has_class(element, "headerlink"):
        return
    if any(has_class(element, name) for name in ("cell", "eqno", *without)):
        return
    if (tex := element.get("data-tex")) is not None:
        found.append(f" {readable(tex)} " if element.tag == "div" else readable(tex))
        return
    edge = " " if element.tag in BLOCKS else ""
    found.append(edge + (element.text or ""))
    for child in element:
        collect(child, found, without)
        found.append(child.tail or "")
    found.append(edge)


def first(element: HtmlElement, path: str) -> HtmlElement | None:
    """The first element at a path below one, if there is any."""
    return next(iter(element.xpath(path)), None)


def of_class(name: str, tag: str = "*") -> str:
    """A path to all elements of a class below."""
    return f".//{tag}[contains(concat(' ', normalize-space(@class), ' '), ' {name} ')]"


# --- sections -------------------------------------------------------------------------------------


def heading(section: HtmlElement) -> HtmlElement | None:
    """The heading of a section; none where it is only a box, as in an exercise."""
    return next((child for child in section if child.tag in HEADINGS), None)


def labels(section: HtmlElement) -> list[str]:
    """The names that a section has in the source, before that made of its title."""
    spans = [child.get("id") for child in section if child.tag == "span" and child.get("id")]
    return [name for name in [*spans, section.get("id")] if name]


def landing(section: HtmlElement) -> str:
    """The name to link to: one of the source's that no number makes, else that of the title."""
    return next((name for name in labels(section) if not NUMBERED.fullmatch(name)), "")


def sections(page: str, article: HtmlElement) -> Iterator[Record]:
    """A record for each section, with all that stands in it but not in a section below."""
    for section in article.iter("section"):
        head = heading(section)
        if head is None:
            continue
        kind = "page" if head.tag == "h1" else "section"
        if page == "symptoms" and head.tag == "h3":
            kind = "symptom"
        record = Record(kind, landing(section), plain(head, ("section-number",)))
        record.names = [name for name in labels(section)[:-1] if not name.startswith("id")]
        if kind == "page":
            record.anchor = ""
        own = [child for child in section if child is not head and child.tag != "section"]
        if page not in NO_PROSE or kind == "page":
            boxes = ("exercise", "solution", *(["table"] if page in ("ledger", "notation") else []))
            record.text = " ".join(filter(None, (plain(child, boxes) for child in own)))
        for child in own:
            if not has_class(child, "solution"):
                record.code |= identifiers(child)
        if kind == "symptom":
            record.names += also(section)
        yield record


def also(section: HtmlElement) -> list[str]:
    """Other words for a symptom, which its text begins with: (*these, and those.*)."""
    said = first(section, "./p[1][starts-with(normalize-space(), '(')]/em[1]")
    if said is None:
        return []
    return [words.strip(" .") for words in plain(said).split(",")]


def identifiers(element: HtmlElement) -> set[str]:
    """The names in the code of an element that may be from the package: those with an underscore.

    Others, such as ``gae``, are found by the words of the page.
    """
    code = element.xpath(of_class("cell_input") + "//*[contains(@class, 'n')]/text()")
    return {name for text in code for name in NAMES.findall(text) if "_" in name.strip("_")}


# --- what has a place of its own ------------------------------------------------------------------


def equations(article: HtmlElement, sayings: dict[str, str], page: str) -> Iterator[Record]:
    """A record for each equation that has a number and a label."""
    for display in article.iter("div"):
        anchor = display.get("id") or ""
        number = first(display, "./span[@class='eqno']/text()")
        if anchor.startswith("equation-") and number:
            label = anchor.removeprefix("equation-")
            short = re.sub(r"^(eq|def)-", "", label)
            text = " ".join(
                filter(None, (sayings.get(f"{page}#{anchor}"), readable(display.get("data-tex"))))
            )
            yield Record("equation", anchor, f"{number} {short}", text, [number, short])


def sayings_of(ledger: HtmlElement | None) -> dict[str, str]:
    """What the ledger says of each equation, by page and place."""
    found = {}
    for row in () if ledger is None else ledger.xpath(of_class("ledger", "table") + "/tbody/tr"):
        link = first(row, "./td[1]//a[@href]")
        if link is not None and "#" in link.get("href"):
            words = plain(row[0]).removeprefix(plain(link)).strip()
            found[link.get("href").replace(".html", "")] = words
    return found


def checks(article: HtmlElement) -> Iterator[Record]:
    """A record for each verdict: a false claim and how it was caught, or a label and its checks."""
    found: dict[tuple[str, str, str], Record] = {}
    for cell in article.xpath(of_class("cell", "div") + "[@id]"):
        for box in cell.xpath(of_class("pg-check")):
            kind = "claim" if has_class(box, "pg-check--caught") else "check"
            name, label = plain(first(box, "./code")), box.get("data-label") or ""
            names = [label] if kind == "claim" and label else []
            new = Record(kind, cell.get("id"), name, names=names)
            record = found.setdefault((cell.get("id"), kind, name), new)
            said = plain(box, ("pg-mark", "pg-verdict", "pg-number")).replace(name, "", 1).strip()
            if said not in record.text:
                record.text = f"{record.text}; {said}".strip("; ")
    yield from found.values()


def figures(article: HtmlElement) -> Iterator[Record]:
    """A record for each figure with a number."""
    for figure in article.xpath(".//figure[@id]"):
        number = first(figure, of_class("caption-number"))
        if number is not None:
            title = plain(number)
            text = plain(first(figure, ".//figcaption"), ("caption-number",))
            yield Record("figure", figure.get("id"), title, text, [figure.get("id")])


def exercises(article: HtmlElement) -> Iterator[Record]:
    """A record for each exercise, with its solution."""
    for box in article.xpath(of_class("exercise", "div") + "[@id]"):
        text = plain(box, ("admonition-title",))
        after = box.getnext()
        code = identifiers(box)
        if after is not None and has_class(after, "solution"):
            text += " " + plain(after, ("admonition-title",))
            code |= identifiers(after)
        title = plain(first(box, "./p[contains(@class, 'admonition-title')]"))
        yield Record("exercise", box.get("id"), title, text, [box.get("id")], code)


def terms(article: HtmlElement) -> Iterator[Record]:
    """A record for each term of the glossary."""
    for term in article.xpath(of_class("glossary", "dl") + "/dt[@id]"):
        yield Record("term", term.get("id"), plain(term), plain(term.getnext()))


def letters(article: HtmlElement) -> Iterator[Record]:
    """A record for each row of the tables of notation; it lands at its table."""
    for row in article.xpath(".//tbody/tr"):
        fields = [plain(child) for child in row]
        text = " ".join(filter(None, fields[1:]))
        yield Record("letter", landing(next(row.iterancestors("section"))), fields[0], text)


def source_lines(article: HtmlElement) -> Iterator[Record]:
    """A record for each numbered line of the source map."""
    for line in article.xpath(".//p[@id]"):
        number = first(line, "./strong[1]")
        if number is not None and re.fullmatch(r"[SL]\d+\.", plain(number)):
            name = plain(number).rstrip(".")
            text = plain(line).removeprefix(plain(number)).strip()
            yield Record("source", line.get("id"), f"Source line {name}", text, [name])


def references(article: HtmlElement) -> Iterator[Record]:
    """A record for each work that is cited."""
    for entry in article.xpath(".//li[starts-with(@id, 'cite-')]"):
        text = " ".join(plain(part) for part in entry.iter("p"))
        years = re.findall(r"\b(?:19|20)\d\d\b", text)
        who = text.partition(". ")[0] if ". " in text else text
        who = re.match(r".*?(?:[^\s.]\w)\.(?=\s|$)", text) or re.match(r"[^.]*", text)
        title = f"{who[0].strip(' .')} {years[-1]}" if years else who[0].strip(" .")
        yield Record("reference", entry.get("id"), title, text)


def package(article: HtmlElement) -> Iterator[Record]:
    """A record for each function and world of the package, from the index of terms."""
    for entry in article.xpath(".//li[@id]"):
        kind, dash, name = entry.get("id").partition("-")
        if dash and kind in ("function", "world"):
            text = plain(entry).removeprefix(name).strip(" .,:")
            yield Record("function", entry.get("id"), name, text, [name])


def also_called(article: HtmlElement | None) -> dict[str, list[str]]:
    """Other words for things, from the index of terms: the address of the thing -> words."""
    found: dict[str, list[str]] = {}
    for entry in () if article is None else article.xpath(of_class("also-called", "li")):
        target = first(entry, ".//a[@href]").get("href").replace(".html", "")
        found.setdefault(target, []).append(plain(entry).rpartition(": see ")[0])
    return found


# --- all of it ------------------------------------------------------------------------------------

SPECIAL = {
    "notation": letters,
    "source-map": source_lines,
    "references": references,
    "index-of-terms": package,
}


def records(pages: dict[str, HtmlElement]) -> dict[str, list[Record]]:
    """All records, by the name of the page."""
    sayings, other = sayings_of(pages.get("ledger")), also_called(pages.get("index-of-terms"))
    found = {}
    for page, article in sorted(pages.items()):
        rows = [*sections(page, article), *equations(article, sayings, page), *figures(article)]
        rows += [*exercises(article), *checks(article), *terms(article)]
        if page in SPECIAL:
            rows += SPECIAL[page](article)
        for row in rows:
            places = {row.anchor, *row.names} if row.kind == "section" else {row.anchor}
            addresses = sorted(f"{page}#{place}" if place else page for place in places)
            row.names += [word for address in addresses for word in other.pop(address, [])]
        found[page] = rows
    return found


def number_of(article: HtmlElement) -> str:
    """The number of a page as its heading shows it; empty where it has none."""
    number = first(article, ".//h1/span[@class='section-number']")
    return "" if number is None else plain(number).rstrip(".")


def data(pages: dict[str, HtmlElement]) -> str:
    """The file that the search loads."""
    rows = [
        {"page": page, "number": number_of(pages[page]), "records": [r.row() for r in found]}
        for page, found in records(pages).items()
    ]
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    engine = "\n".join((HERE / name).read_text(encoding="utf-8") for name in ENGINE)
    parts = ["(function () {", engine, "})();", f"window.{GLOBAL}.load([", ",\n".join(lines), "]);"]
    return "\n".join(parts) + "\n"


# --- Sphinx -------------------------------------------------------------------------------------


def without_index(app):
    """Keep Sphinx from making an index of its own."""
    app.builder.search = False


def add_page(app):
    """The page of results."""
    return [("search", {"title": "Search"}, "search_page.html")]


def own_templates(app, config):
    """The template of that page lies beside this file."""
    config.templates_path.append(str(HERE / "templates"))


def write(app, exception):
    """Write down what is searched, once all pages are finished."""
    if exception is None and app.builder.format == "html":
        site = Path(app.outdir)
        (site / DATA).write_text(data(articles(site)), encoding="utf-8", newline="\n")
        for name in UNUSED:
            (site / name).unlink(missing_ok=True)


def setup(app):
    app.connect("config-inited", own_templates)
    app.connect("builder-inited", without_index)
    app.connect("html-collect-pages", add_page)
    app.connect("build-finished", write, priority=700)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
