"""The index of terms: where each term and each name of the package is explained, and where used.

``{index-of-terms}`` draws it from the pages themselves: the terms are those of the glossary, the
names those that the modules of the package give in ``__all__``, with the first line of what their
docstrings say. A page on which a term or a name is used most is found by counting. Only other words
for the same thing are written by hand, as lines ``word, word: term`` of the directive's content; in
place of a term there may be the label of a section, or the name of a page. The search of the site
knows them, too.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from numbering import mark

PAGE = "book/index-of-terms"
HAN = re.compile(r"[\u4e00-\u9fff]{2,}")
SYMPTOM = re.compile(r"^### (.+)\n\n\(\*(.+?)\*\)", re.MULTILINE)
LETTER = re.compile(r"^\| (\$.+?\$) \| (.+?) \|", re.MULTILINE)
NOT_COUNTED = {"glossary", "index-of-terms", "ledger", "notation", "references", "source-map"}
MOST, ENOUGH = 3, 2  # pages that are named, at most; how often a word has to stand there
KINDS = {"figures": None, "worlds": "world"}  # modules that are told apart; None: left out


@dataclass
class Entry:
    """One line of the index: what is looked up, in MyST, and what it is sorted by."""

    name: str
    line: str
    target: tuple[str, str] | None = None  # title and address of a section that has no label
    ids: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)

    @property
    def place(self) -> tuple[str, str]:
        """Letters first, as in a dictionary: no hyphens, no capitals."""
        letters = re.sub(r"[^\w]", "", self.name).lower()
        return letters, self.name

    @property
    def letter(self) -> str:
        """The heading under which it stands."""
        if HAN.match(self.name):
            return "Chinese"
        first = self.place[0][:1].upper()
        return first if first.isascii() and first.isalpha() else "Numbers"

    @property
    def order(self) -> tuple:
        """What all lines are sorted by."""
        return (self.letter == "Chinese", self.letter != "Numbers", self.place)


# --- what there is --------------------------------------------------------------------------------


@cache
def prose(folder: Path) -> dict[str, str]:
    """The words of each page in a row, without code and outputs."""
    pages = {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.md"))}
    for path in sorted(folder.glob("*.ipynb")):
        pages[path.stem] = "\n".join(sources(path, "markdown"))
    return {page: in_a_row(text) for page, text in pages.items() if page not in NOT_COUNTED}


def in_a_row(text: str) -> str:
    """The words of a text, a blank before each; a hyphen counts as one."""
    return " " + " ".join(re.findall(r"[^\W_]+", text))


def sources(path: Path, kind: str) -> list[str]:
    """The cells of a kind of a notebook."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == kind]


@cache
def code(folder: Path) -> dict[str, list[set[str]]]:
    """The names in each cell of code of each page, but those of imports."""
    imports = re.compile(r"^(?:from|import) .*?(?:\(.*?\)|$)", re.MULTILINE | re.DOTALL)
    return {
        path.stem: [
            set(re.findall(r"\w+", imports.sub("", text))) for text in sources(path, "code")
        ]
        for path in sorted(folder.glob("*.ipynb"))
    }


def most(counts: Counter) -> list[str]:
    """The pages with the highest counts, in the order of the book."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return sorted(page for page, count in ranked[:MOST] if count >= ENOUGH)


def used(term: str, folder: Path) -> list[str]:
    """The pages that say a term most often, in any form that only an ending makes."""
    stem = re.escape(in_a_row(term.removesuffix("e").removesuffix("y")))
    pattern = re.compile(rf"{stem}\w{{0,3}}(?= |$)", 0 if term.isupper() else re.IGNORECASE)
    counts = Counter({page: len(pattern.findall(text)) for page, text in prose(folder).items()})
    return most(counts)


def exported(folder: Path) -> dict[str, tuple[str, str]]:
    """The names of the package: name -> (module, first line of its docstring)."""
    found = {}
    for path in sorted((folder / "policygrad").rglob("*.py")):
        module = path.relative_to(folder).with_suffix("").parts[1:]
        top = module[0]
        if top.startswith("_") or KINDS.get(top, "function") is None:
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in public(
                folder, top
            ):
                said = (ast.get_docstring(node) or "").partition("\n")[0]
                found[node.name] = (top, said)
    return found


@cache
def public(folder: Path, top: str) -> frozenset[str]:
    """What a module, or a folder of them, offers by name."""
    path = folder / "policygrad" / top / "__init__.py"
    path = path if path.exists() else folder / "policygrad" / f"{top}.py"
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return frozenset(ast.literal_eval(node.value))
    return frozenset()


# --- lines, in MyST -------------------------------------------------------------------------------


def glossary(folder: Path) -> dict[str, str]:
    """What the glossary says of each term, in MyST."""
    text = (folder / "glossary.md").read_text("utf-8")
    return dict(re.findall(r"^(\S.*)\n((?:  .*\n)+)", text, re.MULTILINE))


def terms(folder: Path) -> list[Entry]:
    """A line for each term: the glossary, the place to which that leads, the pages that use it."""
    found = []
    for name, meaning in glossary(folder).items():
        places = re.findall(r"\[\]\(([\w-]+)\)", meaning)
        pages = [page for page in used(name, folder) if page not in places]
        leads = f", {' and '.join(f'[]({place})' for place in places)}" if places else ""
        found.append(Entry(name, f"{{term}}`{name}`{leads}{chiefly(pages, bool(places))}"))
    return found


def chinese(folder: Path) -> list[Entry]:
    """A line for each Chinese word of the glossary."""
    found: dict[str, Entry] = {}
    for name, meaning in glossary(folder).items():
        for word in HAN.findall(meaning):
            found.setdefault(word, Entry(word, f"{word}: see {{term}}`{name}`"))
    return list(found.values())


def symptoms(folder: Path) -> list[Entry]:
    """A line for each of the words in which a symptom is usually typed."""
    found = {}
    for title, said in SYMPTOM.findall((folder / "symptoms.md").read_text("utf-8")):
        target = (title, f"symptoms.html#{nodes.make_id(title)}")
        for word in filter(lambda word: "$" not in word, said.rstrip(".").split(", ")):
            name = word.strip("`")
            found.setdefault(name.lower(), Entry(name, f"{word}: the symptom", target))
    return list(found.values())


def letters(folder: Path) -> list[str]:
    """A line for each row of the tables of letters that mean one thing in the whole book."""
    text = (folder / "notation.md").read_text("utf-8").partition("(letters-of-the-day)=")[0]
    return [f"{letter}: {meaning}" for letter, meaning in LETTER.findall(text)]


def chiefly(pages: list[str], more: bool = False) -> str:
    """Links to the pages that use something most, by their numbers."""
    if not pages:
        return ""
    links = ", ".join(f"[{short(page)}]({page})" for page in pages)
    return f"; {'also' if more else 'chiefly'} in {links}"


def short(page: str) -> str:
    """A page by its number, or by its name where it has none."""
    number = mark(page)
    return number if number and number != "0" else re.sub(r"^00-|-", " ", page).strip()


def functions(folder: Path) -> list[Entry]:
    """A line for each name of the package that some page uses."""
    found = []
    for name, (module, said) in exported(folder).items():
        cells = [
            (page, number)
            for page, every in code(folder).items()
            for number, names in enumerate(every, start=1)
            if name in names
        ]
        if cells:
            kind = KINDS.get(module, "function")
            pages = most(Counter(page for page, _ in cells))
            line = (
                f"`{name}`, from `policygrad.{module}`: {escaped(said)} {first(cells)}{also(pages)}"
            )
            found.append(Entry(name, line, ids=[f"{kind}-{name}"], classes=["in-code"]))
    return found


def first(cells: list[tuple[str, int]]) -> str:
    """A link to the first cell that uses a name."""
    page, number = cells[0]
    return f"First used in {{ref}}`{short(page)}, cell {number} <cell-{page}-{number}>`"


def also(pages: list[str]) -> str:
    """The pages that use a name most, at the end of the line."""
    return f"{chiefly(pages)}."


def escaped(text: str) -> str:
    """The first line of a docstring, names in code, and no other markup; without TeX."""
    text = re.sub(r":\w+:`([^`]*)`", r"``\1``", text)
    if "\\" in text:
        text = re.split(r"[:,](?= [^:]*\\)", text)[0] + "."
    parts = re.split(r"``(.+?)``", text)
    plain = [re.sub(r"([$*\[\]\\^_`{|}<>])", r"\\\1", part) for part in parts[::2]]
    both = [
        part
        for pair in zip(plain, [*(f"`{c}`" for c in parts[1::2]), ""], strict=True)
        for part in pair
    ]
    return "".join(both)


def others(lines: list[str], folder: Path) -> list[Entry]:
    """A line for each line of other words."""
    names, found = set(glossary(folder)), []
    for line in filter(str.strip, lines):
        words, colon, target = line.rpartition(": ")
        if not colon:
            raise ValueError(f"the index expects `word, word: term`; it has {line!r}")
        link = f"[]({target})"
        if target in names or target.startswith("eq-"):
            link = f"{{{'term' if target in names else 'eq'}}}`{target}`"
        for word in words.split(", "):
            found.append(Entry(word, f"{escaped(word)}: see {link}", classes=["also-called"]))
    return found


# --- Sphinx -------------------------------------------------------------------------------------


class IndexOfTerms(SphinxDirective):
    """The whole index, a heading for each letter."""

    has_content = True

    def run(self):
        folder = Path(self.env.srcdir) / "book"
        own = [*terms(folder), *others(list(self.content), folder)]
        known = {entry.name.lower() for entry in own}
        more = [one for one in symptoms(folder) + chinese(folder) if one.name.lower() not in known]
        self.refuse_twice(own)
        entries = sorted([*own, *more, *functions(folder)], key=lambda entry: entry.order)
        sections = [
            self.section(letter, [entry for entry in entries if entry.letter == letter])
            for letter in dict.fromkeys(entry.letter for entry in entries)
        ]
        return [*sections, self.section("Letters", [Entry("", line) for line in letters(folder)])]

    def section(self, title: str, rows: list[Entry]) -> nodes.section:
        """The lines of a letter under their heading."""
        section = nodes.section(ids=[f"letter-{nodes.make_id(title)}"])
        section += nodes.title(title, title)
        section += self.listed(rows)
        self.state.document.note_implicit_target(section)
        return section

    def listed(self, rows: list[Entry]) -> list:
        """The lines of a letter as a list, each with its name as a target."""
        node = nodes.Element()
        content = StringList([f"* {row.line}" for row in rows], source=self.env.docname)
        self.state.nested_parse(content, self.content_offset, node)
        listing = node.children[0]
        listing["classes"].append("terms")
        for row, item in zip(rows, listing.children, strict=True):
            item["ids"] += row.ids
            if row.target:
                title, address = row.target
                item[0] += nodes.Text(" ")
                item[0] += nodes.reference(title, title, refuri=address, internal=True)
            item["classes"] += row.classes
        return node.children

    def refuse_twice(self, entries: list[Entry]) -> None:
        """Say so where one word leads to two places, or to itself."""
        seen: dict[str, Entry] = {}
        for entry in entries:
            if entry.name.lower() in seen:
                message = f"the index has {entry.name!r} twice"
                logging.getLogger(__name__).warning(message, location=self.get_location())
            seen[entry.name.lower()] = entry


def always_outdated(app, env, added, changed, removed):
    """Any page may have changed where a word is used."""
    return [PAGE] if PAGE in env.found_docs else []


def setup(app):
    app.add_directive("index-of-terms", IndexOfTerms)
    app.connect("env-get-outdated", always_outdated)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
