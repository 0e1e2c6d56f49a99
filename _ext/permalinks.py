"""Every section, equation, figure, exercise and cell has an address that survives renumbering.

A section whose title stands on its page more than once would be ``#id4``, by the order of the
page: its address is its label, or the section around it and its title. A code cell is counted anew
on every run: beside ``cell-PAGE-5``, which the ledger uses, it has the id that its notebook gives
it, ``cell-past-reward``. The number is shown at the cell and is the link to it. Exercises get a
link of their own in their titles; each such link says what it leads to, also to those who hear it.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform

AUTOMATIC = re.compile(r"id\d+")
HEADLINK = re.compile(r'(<a class="headerlink" href="#[^"]*") title="([^"]*)">#</a>')
EXERCISE = re.compile(
    r'(<div class="(?:exercise|proof)[^"]*" id="([^"]+)">\s*'
    r'<p class="admonition-title">)(.*?)(</p>)'
)


class Sections(SphinxTransform):
    """Give sections with an automatic address one that says where they are."""

    default_priority = 840  # ids are given, and no collector has seen them yet

    def apply(self):
        for section in self.document.findall(nodes.section):
            if section["ids"] and AUTOMATIC.fullmatch(section["ids"][0]):
                automatic = section["ids"][0]
                section["ids"] = address(section, set(self.document.ids))
                self.document.ids[section["ids"][0]] = self.document.ids.pop(automatic)


def address(section, taken: set[str]) -> list[str]:
    """The addresses of such a section: its labels, or what is around it and its title."""
    labels = [name for name in section["ids"] if not AUTOMATIC.fullmatch(name)]
    if labels:
        return labels
    around = section.parent["ids"][0] if isinstance(section.parent, nodes.section) else "part"
    name = f"{around}-{nodes.make_id(section[0].astext())}"
    if name in taken:
        raise ValueError(f"two sections with the same title side by side: {section[0].astext()}")
    return [name]


def mark_cells(app, doctree):
    """Make the code cells of a page targets of links."""
    std, docname = app.env.get_domain("std"), app.env.docname
    ids = cell_ids(Path(app.env.doc2path(docname)))
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code" and cell["exec_count"]:
            name, own = target(Path(docname).name, cell["exec_count"]), ids[cell["cell_index"]]
            cell["ids"] += [name, f"cell-{own}"]
            std.note_hyperlink_target(name, docname, name, name)


def number_cells(app, doctree, docname):
    """Show the numbers of the cells of a page; by now those to be folded are."""
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code" and len(cell["ids"]) > 1:
            number, anchor = cell["exec_count"], cell["ids"][1]
            cell.insert(0, nodes.raw("", shown(number, anchor), format="html"))


def cell_ids(path: Path) -> list[str]:
    """The ids of a notebook's cells, in order; none where the page is no notebook."""
    if path.suffix != ".ipynb":
        return []
    return [cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def target(page: str, cell: int) -> str:
    """Name of the link target of a cell by its number."""
    return f"cell-{page}-{cell}"


def shown(number: int, anchor: str) -> str:
    """The number of a cell, which is also the link to it."""
    where = html.escape(anchor)
    return (
        f'<a class="cell-number" href="#{where}" title="Link to this cell">cell&nbsp;{number}</a>'
    )


def name_links(app, pagename, templatename, context, doctree):
    """Give exercises their links, and all such links a name."""
    if body := context.get("body"):
        body = EXERCISE.sub(
            r'\1\3<a class="headerlink" href="#\2" title="Link to this exercise">#</a>\4', body
        )
        context["body"] = HEADLINK.sub(
            r'\1 title="\2" aria-label="\2"><span aria-hidden="true">#</span></a>', body
        )


def setup(app):
    app.add_transform(Sections)
    app.connect("doctree-read", mark_cells)
    app.connect("doctree-resolved", number_cells)
    app.connect("html-page-context", name_links)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
