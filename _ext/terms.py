"""The first use of a glossary's term on a page leads to the glossary.

A term is looked for in plain text, not in headings, captions, code, formulas or links, and it is
marked once a page. Words that everybody knows, or that the book also uses in their everyday sense,
stay as they are unless the page marks them itself.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx import addnodes

GLOSSARY = "book/glossary"
APART = (GLOSSARY, "book/notation", "book/ledger", "book/source-map", "book/references")
# Too common to mark, or words of everyday speech as well.
EVERYDAY = frozenset(
    "action batch bias clip control discount expectation group loss policy power prompt ratio "
    "return reward sample score state token verdict".split()
)
LEFT = (
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.title,
    nodes.caption,
    nodes.reference,
    nodes.table,
    addnodes.pending_xref,
)


def terms(env) -> dict[str, str]:
    """The glossary's terms that are marked, each with its address there."""
    found = env.get_domain("std").objects
    return {
        name: anchor
        for (kind, name), (page, anchor) in found.items()
        if kind == "term" and page == GLOSSARY and name not in EVERYDAY
    }


def pattern(names) -> re.Pattern | None:
    """Any of these terms, the longest that fits, in the singular or with an s."""
    words = "|".join(re.escape(n).replace(r"\ ", r"\s+") for n in sorted(names, key=len)[::-1])
    return re.compile(rf"(?<![\w-])({words})(?:s|es)?(?![\w-])", re.IGNORECASE) if words else None


def mark(app, doctree, docname):
    """Mark the first use of each term on a page."""
    known = {} if docname in APART else terms(app.env)
    keys = {name.lower(): name for name in known}
    sought = pattern(known)
    for text in list(doctree.findall(nodes.Text)) if sought else []:
        if not keys or not in_prose(text):
            continue
        parts, end, words = [], 0, text.astext()
        for match in sought.finditer(words):
            said = " ".join(match[1].split())
            name = keys.get(said.lower())
            if name is not None and said[1:] == name[1:]:  # REINFORCE is not to reinforce
                del keys[said.lower()]
                parts += [nodes.Text(words[end : match.start()])]
                parts += [link(app, docname, match[0], known[name])]
                end = match.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(words[end:])])


def in_prose(text) -> bool:
    """Does a text stand in a paragraph, and in nothing that is left as it is?"""
    node, prose = text.parent, False
    while node is not None:
        if isinstance(node, LEFT):
            return False
        prose = prose or isinstance(node, nodes.paragraph)
        node = node.parent
    return prose


def link(app, docname: str, words: str, anchor: str) -> nodes.reference:
    """Words as a link to the glossary."""
    where = f"{app.builder.get_relative_uri(docname, GLOSSARY)}#{anchor}"
    return nodes.reference("", words, internal=True, refuri=where, classes=["term"])


def setup(app):
    app.connect("doctree-resolved", mark)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
