"""Numbers agree with the names of files: chapter ``NN-title`` has the number NN, ``a-title`` is A.

A chapter on several pages has a letter behind its number: ``NNb-title`` is NNb.

Sphinx numbers the chapters by their position in ``_toc.yml``, so that a gap in the names, or an
appendix, would give a page one number in its file's name and another in its heading. Here the first
part of each number is put right once Sphinx has assigned them all: of the sections, in headings,
sidebars and links; of equations, figures, theorems and exercises, and with them of all references.
A page without a number (what ``_toc.yml`` does not number) stays without one.
"""

from __future__ import annotations

import re

from docutils import nodes

NAME = re.compile(r"(\d\d)([a-z]?)-|([a-z])-")


def mark(docname: str) -> str | None:
    """The number of a page by its file's name: 15 of ``15-x``, 15b of ``15b-x``, A of ``a-x``."""
    found = NAME.match(docname.rpartition("/")[2])
    if found is None:
        return None
    number, sheet, letter = found.groups()
    return f"{int(number)}{sheet}" if number else letter.upper()


def renumber(app, env) -> list[str]:
    """Put the first part of every number right; give the pages on which any was another."""
    changed = []
    for page, sections in env.toc_secnumbers.items():
        own = mark(page)
        if own is None or not any(sections.values()):
            continue
        right = {place: (own, *number[1:]) for place, number in sections.items() if number}
        sections.update(right)
        for number in env.toc_fignumbers.get(page, {}).values():
            number.update({name: (own, *found[1:]) for name, found in number.items()})
        for node in (env.titles[page], *env.tocs[page].findall(nodes.reference)):
            if node.get("secnumber"):
                node["secnumber"] = [own, *node["secnumber"][1:]]
        changed.append(page)
    return changed


def setup(app):
    # After the collector of Sphinx, which assigns all numbers at 500.
    app.connect("env-get-updated", renumber, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
