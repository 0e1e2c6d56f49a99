"""S24 and L4, wherever they stand in the text, lead to their entries in the source map, and back.

A number of the slides' claims that is not yet a link becomes one; in formulas, code, headings and
links they stay as they are. An entry of the map says which sections name it beside the one that it
names itself. Which numbers there are is read off the map's labels, ``map-s24``.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx import addnodes

import numbering

MAP = "book/source-map"
TOKEN = re.compile(r"\b([SL]\d{1,2})\b")
LEFT = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw, nodes.title)


def collect(app, doctree):
    """Write down in which sections of a page a number stands."""
    env, found = app.env, {}
    for text in doctree.findall(nodes.Text):
        if not inside(text, LEFT):
            for row in TOKEN.findall(text.astext()):
                found.setdefault(row, {})[section_of(text)] = None
    mentions(env)[env.docname] = found


def mentions(env) -> dict:
    """Page -> number -> sections, each its addresses and title."""
    if not hasattr(env, "source_mentions"):
        env.source_mentions = {}
    return env.source_mentions


def inside(node, kinds) -> bool:
    """Is a node anywhere within one of these kinds?"""
    while node is not None and not isinstance(node, kinds):
        node = node.parent
    return node is not None


def section_of(node) -> tuple[tuple[str, ...], str]:
    """The addresses and the title of the section around a node; that of a whole page has none."""
    while not isinstance(node, nodes.section):
        if node.parent is None:
            return (), ""
        node = node.parent
    top = isinstance(node.parent, nodes.document)
    return (() if top else tuple(node["ids"])), node[0].astext()


def entries(env) -> dict[str, str]:
    """The numbers that the map has, each with its address there."""
    labels = env.get_domain("std").anonlabels
    found = {name[4:].upper(): labels[name] for name in labels if re.match(r"map-[sl]\d+$", name)}
    return {row: anchor for row, (page, anchor) in found.items() if page == MAP}


def link(app, doctree, docname):
    """Make links of the numbers of a page; in the map, add the sections that name an entry."""
    known = entries(app.env)
    for text in list(doctree.findall(nodes.Text)) if known else []:
        if TOKEN.search(text) and not inside(text, (*LEFT, nodes.reference, addnodes.pending_xref)):
            if not (docname == MAP and isinstance(text.parent, nodes.strong)):
                text.parent.replace(text, list(pieces(app, docname, known, text.astext())))
    if docname == MAP:
        for row, anchor in known.items():
            extend(app, doctree, row, anchor)


def pieces(app, docname: str, known: dict, text: str):
    """The pieces of a text, numbers as links."""
    for part in TOKEN.split(text):
        if part in known:
            page = "" if docname == MAP else app.builder.get_relative_uri(docname, MAP)
            where = f"{page}#{known[part]}"
            yield nodes.reference("", part, internal=True, refuri=where, classes=["source-line"])
        elif part:
            yield nodes.Text(part)


def extend(app, doctree, row: str, anchor: str):
    """Add to an entry of the map the sections that name its number and are not named yet."""
    entry = next((n for n in doctree.findall(nodes.paragraph) if anchor in n["ids"]), None)
    if entry is None:
        return
    links = (n.get("refuri", "") for n in entry.findall(nodes.reference))
    there = {tuple(f"{uri}#".split("#")[:2]) for uri in links}
    others = [(page, *one) for page in pages(app.env) for one in unnamed(app, page, row, there)]
    line = nodes.inline("", "", classes=["source-also"])
    for k, (page, uri, title) in enumerate(others):
        number = numbering.mark(page)
        between = " Also named in " if k == 0 else "; "
        line += nodes.Text(between + (f"{number}, " if number else ""))
        line += nodes.reference("", title, internal=True, refuri=uri)
    if others:
        entry += line
        line += nodes.Text(".")


def unnamed(app, page: str, row: str, there: set):
    """The sections of a page that name a number, or the page itself, where no link leads to any."""
    base = app.builder.get_relative_uri(MAP, page)
    found = mentions(app.env).get(page, {}).get(row, {})
    sections = [(where, title) for where, title in found if where]
    if not sections and found and not any(one[0] == base for one in there):
        return [(base, app.env.titles[page].astext())]
    return [
        (f"{base}#{where[0]}", title)
        for where, title in sections
        if there.isdisjoint((base, one) for one in where)
    ]


def pages(env) -> list[str]:
    """The pages that may name a number for its own sake, in the order of their names."""
    return sorted(env.found_docs - {MAP, env.config.root_doc})


def purge(app, env, docname):
    mentions(env).pop(docname, None)


def setup(app):
    app.connect("doctree-read", collect)
    app.connect("doctree-resolved", link)
    app.connect("env-purge-doc", purge)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
