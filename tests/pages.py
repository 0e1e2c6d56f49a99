"""What the built pages show of the cells' outputs, and what they should show.

shown(path of a page, site)   {3: [Output("stream", "…"), …], …}, by execution count
stored(notebook)              the same, read off a stored notebook
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup

import slim

# Of several forms of one output a page shows the first.
ORDER = ("text/html", "image/svg+xml", "text/markdown", "text/latex", "text/plain")
ROLE = re.compile(r"\{[\w:]+\}`[^`]*`|\[[^\]]*\]\([^)]*\)")  # where the page has a link, or several


@dataclass(frozen=True)
class Output:
    """One output: "stream", "error" or a MIME type, and its text."""

    kind: str
    text: str


def stored(notebook) -> dict[int, list[Output]]:
    """The outputs of each cell that has any, as a page should show them."""
    return {
        cell.execution_count: [wanted(output) for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code" and cell.outputs
    }


def wanted(output) -> Output:
    """The form of an output that a page should show."""
    if output.output_type == "stream":
        return Output("stream", ended(output.text))
    if output.output_type == "error":
        return Output("error", output.ename)
    kind = next(kind for kind in ORDER if kind in output.data)
    text = output.data[kind]
    if kind == "text/html":
        text = BeautifulSoup(text, "html.parser").decode()
    elif kind == "text/markdown":
        text = table(text)
    elif kind == "text/latex":
        text = one_line(text.strip().strip("$"))
    elif kind == "image/svg+xml":
        text = ended(slim.drawing(text))
    elif kind == "text/plain":
        text = ended(text)
    return Output(kind, text)


def table(text: str) -> str:
    """What a table in Markdown shows, a cell a line, without links, which the build numbers."""
    heads, _, *rows = (line.strip("| ").split(" | ") for line in text.splitlines())
    text = "\n".join(cell for row in (heads, *rows) for cell in row)
    text = re.sub(r"\$([^$]*)\$", r"\1", ROLE.sub("", text).replace("**", ""))
    return plain(text.replace("<br>", " "))


def one_line(text: str) -> str:
    """Words with one blank between two, as a page keeps the source of a formula."""
    return " ".join(text.split())


def table_of(part) -> str:
    """The same, read off the page."""
    for formula in part.select(".math[data-tex]"):
        formula.replace_with(formula["data-tex"])
    for link in part.select(".bibtex-citation, a, code.xref"):
        link.extract()
    for end in part.select("br"):
        end.replace_with(" ")
    cells = (cell.get_text().strip() for cell in part.select("th, td"))
    return plain("\n".join(cells).replace("’", "'"))


def plain(text: str) -> str:
    """A cell a line, one blank between two words."""
    lines = (
        " ".join(line.split()).replace(" ,", ",").replace(" ;", ";") for line in text.split("\n")
    )
    return "\n".join(lines)


def ended(text: str) -> str:
    """On a page the last line ends as all others do."""
    return text if text.endswith("\n") else f"{text}\n"


def shown(page: Path) -> dict[int, list[Output]]:
    """The outputs of each cell of a page that shows any."""
    tree = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    found = {}
    for cell in tree.select("div.cell[id]"):
        number = int(cell["id"].rpartition("-")[2])
        parts = [part for box in cell.select("div.cell_output") for part in children(box)]
        if parts:
            found[number] = [read(part, page.parent) for part in parts]
    return found


def children(tag) -> list:
    """The elements directly inside one."""
    return tag.find_all(recursive=False)


def read(part, folder: Path) -> Output:
    """One output of a page."""
    classes = part.get("class", [])
    if "stream" in classes or "text_plain" in classes:
        return Output("stream" if "stream" in classes else "text/plain", part.pre.get_text())
    moves = part.select_one("div.text_html:has(> .pg-moving)") if part.name == "figure" else None
    if "text_html" in classes or moves:
        for number in part.select(".pg-check > a.pg-number"):  # which the build has put in
            number.previous_sibling.extract()
            number.extract()
        return Output("text/html", (moves or part).decode_contents())
    if part.name == "table" or part.select_one("table"):
        return Output("text/markdown", table_of(part))
    if "text_latex" in classes:
        return Output("text/latex", part["data-tex"])
    if image := part if part.name == "img" else part.find("img"):
        return Output("image/svg+xml", ended((folder / unquote(image["src"])).read_text("utf-8")))
    return Output(f"<{part.name} class={' '.join(classes)}>", part.get_text())
