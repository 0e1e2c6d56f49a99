"""Numbers agree with the names of files: chapter ``NN-title`` has the number NN, ``a-title`` is A.

A chapter on several pages has a letter behind its number: ``NNb-title`` is NNb.

Sphinx numbers the chapters by their position in ``_toc.yml``, so that a gap in the names, or an
appendix, would give a page one number in its file's name and another in its heading. Here the first
part of each number is put right once Sphinx has assigned them all: of the sections, in headings,
sidebars and links; of equations, figures, theorems and exercises, and with them of all references.
A page without a number (what ``_toc.yml`` does not number) stays without one. What is numbered on
it has two letters of its file's name before it, HC.1 on ``how-checks-work``, or the number there,
0.1 on ``00-title``: no number stands in the book twice.
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


def prefix(docname: str) -> str:
    """What stands before the numbers on a page: its own, or two letters of its file's name."""
    first, _, rest = docname.rpartition("/")[2].partition("-")
    return mark(docname) or (first[:1] + (rest or first[1:])[:1]).upper()


def named(docname: str) -> str:
    """How a page is spoken of by its number."""
    own = mark(docname)
    if own is None:
        return docname.rpartition("/")[2].replace("-", " ")
    return f"appendix {own}" if own.isalpha() else f"chapter {own}"


def renumber(app, env) -> list[str]:
    """Put the first part of every number right; give the pages on which any was another."""
    for page, kinds in env.toc_fignumbers.items():
        count(page, kinds)
    for page, sections in env.toc_secnumbers.items():
        own = mark(page)
        if own is None or not any(sections.values()):
            continue
        right = {place: (own, *number[1:]) for place, number in sections.items() if number}
        sections.update(right)
        for node in (env.titles[page], *env.tocs[page].findall(nodes.reference)):
            if node.get("secnumber"):
                node["secnumber"] = [own, *node["secnumber"][1:]]
    return sorted({*env.toc_fignumbers, *env.toc_secnumbers})


def count(page: str, kinds: dict):
    """Number what is numbered on a page: behind its prefix, from one on within its kind."""
    for places in kinds.values():
        for k, name in enumerate(places, start=1):
            last = places[name][-1:] if len(places[name]) > 1 else (k,)
            places[name] = (prefix(page), *last)


def setup(app):
    # After the collector of Sphinx, which assigns all numbers at 500.
    app.connect("env-get-updated", renumber, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
