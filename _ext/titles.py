"""A link that is named by a section's title shows the formulas of that title, not their source.

Sphinx keeps titles as plain words for such links; those with a formula are kept here whole.
"""

from __future__ import annotations

from docutils import nodes


def collect(app, doctree):
    """Keep the titles of a page that have formulas, by the plain words that Sphinx uses."""
    env = app.env
    kept(env)[env.docname] = {
        title.astext(): [child.deepcopy() for child in title.children]
        for title in doctree.findall(nodes.title)
        if isinstance(title.parent, nodes.section) and any(title.findall(nodes.math))
    }


def kept(env) -> dict:
    """Page -> title in plain words -> its nodes."""
    if not hasattr(env, "titles_with_formulas"):
        env.titles_with_formulas = {}
    return env.titles_with_formulas


def restore(app, doctree, docname):
    """Put the formulas back into the links of a page."""
    whole = {words: title for titles in kept(app.env).values() for words, title in titles.items()}
    for reference in doctree.findall(nodes.reference):
        words = reference.astext()
        if words in whole and not any(reference.findall(nodes.math)):
            inner = reference[0] if isinstance(reference[0], nodes.inline) else reference
            inner.children[:] = []
            inner += [child.deepcopy() for child in whole[words]]


def purge(app, env, docname):
    kept(env).pop(docname, None)


def setup(app):
    app.connect("doctree-read", collect)
    app.connect("doctree-resolved", restore, priority=800)
    app.connect("env-purge-doc", purge)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
