"""The pages of the book made ready for paper, from those of the site that was built.

What only a screen can do is left out: buttons, permalinks, the code of folded cells (a line at the
end of each chapter says where it is), all but the first picture of a moving one. Solutions are
taken out, for the end of the book. Every id gets the name of its page before it, and links lead to
where their target now is. ``binding.py`` puts the pages together.

On paper nobody can follow a link, so numbers of pages stand at exercises, solutions, and references
to other chapters. They are known once the text is set: until then they are empty elements that name
their target, which ``paper.js`` fills in.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from pathlib import Path

from lxml.html import HtmlElement, fragment_fromstring

from built import articles, has_class, parts
from linear import linear, words

HEADINGS = ("h1", "h2", "h3", "h4", "h5")
GONE = ("headerlink", "cell-number", "pg-hand", "toctree-wrapper", "only-dark")
GONE += ("ledger-sort", "copybtn")
GONE_TAGS = ("script", "button", "input", "mjx-mml")
PLAIN = {"", "n", "nn", "p", "w", "pre"}  # what code shows in the colour of its text
LONG = 12  # lines of code that are kept together


@dataclass
class Paper:
    """The pages of the book on their way to paper."""

    parts: list[tuple[str, list[str]]]
    pages: dict[str, HtmlElement] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    solutions: dict[str, list[HtmlElement]] = field(default_factory=dict)
    left_out: dict[str, list[int]] = field(default_factory=dict)


def prepare(site: Path, toc: Path) -> Paper:
    """All pages of a site in the order of its table of contents, ready for paper."""
    paper = Paper(parts(toc))
    found = articles(site)
    for name in (name for _, names in paper.parts for name in names):
        paper.pages[name] = page = copy.deepcopy(found[name])
        speak(page)
        strip(page)
        set_code(page)
        paper.left_out[name] = unfold(page)
        place_cells(page)
        name_targets(page, name)
        find_images(page, site)
        page.set("class", "bd-article lying" if lies(page) else "bd-article")
        paper.ids |= {e.get("id") for e in page.iter() if e.get("id")}
    first = paper.parts[0][1][0]
    for name, page in paper.pages.items():
        lead(paper, page, name)
        paper.solutions[name] = move_solutions(page, name)
        deepen(page, 0 if name == first else 1)
    return paper


# --- one page -------------------------------------------------------------------------------------


def strip(page: HtmlElement) -> None:
    """Take out what only a screen can do."""
    for element in list(page.iter()):
        if not isinstance(element.tag, str):
            element.drop_tree()
        elif element.tag in GONE_TAGS or any(has_class(element, name) for name in GONE):
            element.drop_tree()
    for frame in page.xpath(".//*[@data-words or @data-first]"):
        if not has_class(frame, "on"):
            frame.drop_tree()


def set_code(page: HtmlElement) -> None:
    """Mark code that stays on one page, and code that may go over two; tell colours only."""
    for code in page.iter("pre"):
        lines = code.text_content().strip("\n").count("\n") + 1
        code.set("class", "whole" if lines <= LONG else "long")
    for span in list(page.iter("span")):
        within = span.getparent()
        if within.tag in ("pre", "code") and (span.get("class") or "") in PLAIN:
            if not span.get("id"):
                span.drop_tag()


def unfold(page: HtmlElement) -> list[int]:
    """Leave out the code of folded cells; give the numbers of these cells."""
    numbers = []
    for fold in list(page.iter("details")):
        number = cell_number(fold.getparent())
        numbers += [number] if number else []
        fold.drop_tree()
    return numbers


def cell_number(cell: HtmlElement) -> int | None:
    """The number of a cell, as Jupyter shows it; None where it has none."""
    match = re.fullmatch(r"cell-.*-(\d+)", cell.get("id") or "")
    return int(match[1]) if match else None


def place_cells(page: HtmlElement) -> None:
    """Give each cell that is seen its number, by which the ledger names it."""
    for cell in page.iter("div"):
        number = cell_number(cell)
        if number and has_class(cell, "cell") and len(cell):
            cell.set("data-cell", f"[{number}]")


def lies(page: HtmlElement) -> bool:
    """Has a page tables that want sheets lying on their side?"""
    return any(has_class(cell, "tag_glance") for cell in page.iter("div"))


def speak(page: HtmlElement) -> None:
    """Give each formula words on one line, in place of its single signs."""
    for formula in page.iter("mjx-container"):
        formula.set("role", "img")
        math = next(formula.iter("math"), None)
        if math is not None:
            formula.set("aria-label", " ".join(linear(math).split()))
        for inner in formula.iter("mjx-math"):
            inner.attrib.pop("aria-hidden", None)
            if any(above.tag in ("td", "th") for above in formula.iterancestors()):
                break_at_commas(inner)


def break_at_commas(formula: HtmlElement) -> None:
    """Let a list of letters go over several lines, as in a narrow column of a table."""
    depth = 0
    for sign in formula.findall("mjx-mo"):
        shape = next((c.get("class") for c in sign.iter("mjx-c")), "")
        depth += shape.startswith("mjx-c28") - shape.startswith("mjx-c29")
        if shape.startswith("mjx-c2C") and not depth:
            sign.addnext(sign.makeelement("wbr"))


def find_images(page: HtmlElement, site: Path) -> None:
    """Let a page find its pictures from wherever it is."""
    for image in page.iter("img"):
        where = site / "book" / image.get("src")
        image.set("src", where.resolve().as_uri())


def name_targets(page: HtmlElement, name: str) -> None:
    """Put the name of the page before each of its ids; a second one of the same name goes."""
    seen = set()
    for element in page.iter():
        if isinstance(element.tag, str) and (old := element.get("id")):
            if old in seen:
                del element.attrib["id"]
            else:
                element.set("id", target(name, old))
            seen.add(old)
    page.set("id", target(name))


def target(name: str, within: str = "") -> str:
    """The id of a page, or of something within it, in the joined book."""
    within = re.sub(r"[^\w.-]+", "-", within)
    return f"{name}--{within}" if within else name


def lead(paper: Paper, page: HtmlElement, name: str) -> None:
    """Let links lead to where their targets now are; what is not in the book is no link."""
    for link in list(page.iter("a")):
        where = link.get("href")
        if where is None or re.match(r"(https?|mailto):", where):
            continue
        there, _, within = where.partition("#")
        there = Path(there).stem if there else name
        if there not in paper.pages:
            link.drop_tag()
            continue
        id = target(there, within)
        id = id if id in paper.ids else there
        link.attrib.pop("title", None)
        link.set("href", f"#{id}")
        if there != name and wants_number(link):
            after = fragment_fromstring(f'<span class="pageref">\u00a0p.\u00a0{number(id)}</span>')
            after.tail, link.tail = link.tail, None
            link.addnext(after)


def wants_number(link: HtmlElement) -> bool:
    """Does this link to another chapter stand where the number of a page helps?"""
    for above in link.iterancestors():
        if above.tag in (*HEADINGS, "pre", "figcaption"):
            return False
        if has_class(above, "pg-check") or has_class(above, "bibtex-citation"):
            return False
        if above.tag in ("td", "th"):
            return above.getprevious() is None and link.getprevious() is None
    return True


def number(id: str) -> str:
    """Where the number of the page of a target will stand."""
    return f'<span class="number" data-of="{id}"></span>'


def deepen(page: HtmlElement, levels: int) -> None:
    """Let headings go down by so many levels: that of a part stands above those of its pages.

    Chromium writes down where a target is only if a link leads to it. Those that no line of the
    table of contents leads to are links to themselves.
    """
    for heading in list(page.iter(*HEADINGS)):
        section = heading.getparent().get("id")
        if heading.tag not in ("h1", "h2") and section:
            link = heading.makeelement("a", {"href": f"#{section}", "class": "self"})
            link.text, heading.text = heading.text, None
            link.extend(list(heading))
            heading.append(link)
        heading.tag = f"h{int(heading.tag[1]) + levels}"


# --- solutions ------------------------------------------------------------------------------------


def move_solutions(page: HtmlElement, name: str) -> list[HtmlElement]:
    """Take the solutions out of a page, and let each and its exercise name the other's page."""
    moved = [d for d in page.iter("div") if has_class(d, "solution")]
    for solution in moved:
        exercise = solution.getprevious()
        if exercise is None or not has_class(exercise, "exercise"):
            raise ValueError(f"{name}: a solution does not follow its exercise")
        solution.drop_tree()
        solution.tail = None
        solution.set("class", "solution")
        exercise.append(pointer("Solution", solution.get("id")))
        heading = solution.find("p")
        heading.clear()
        heading.tag = "h2"
        heading.text = words(exercise.find("p"))
        heading.addnext(pointer("Exercise", exercise.get("id")))
        for inner in solution.iter("div"):
            inner.attrib.pop("style", None)
    return moved


def pointer(what: str, id: str) -> HtmlElement:
    """A line that leads from an exercise to its solution, or back."""
    return fragment_fromstring(
        f'<p class="pointer"><a href="#{id}">{what}: p.\u00a0{number(id)}</a></p>'
    )


# --- what Sphinx calls ----------------------------------------------------------------------------


def offer(app, page, template, context, doctree):
    """Let the button that prints a page say so; it makes no file."""
    for group in context.get("header_buttons", ()):
        for button in group.get("buttons", ()):
            if button.get("label") == "download-pdf-button":
                button["text"] = "print this page"
                button["tooltip"] = "Print this page, or save it as a PDF"
                button["icon"] = "fas fa-print"


def setup(app):
    # After the theme, which makes the menu at 501.
    app.connect("html-page-context", offer, priority=503)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
