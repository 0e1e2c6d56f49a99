"""The links to the page before and the page after name the part of the book, too."""

from __future__ import annotations

import html
import posixpath


def parts(app) -> dict[str, str]:
    """The part that each page belongs to, by the page's name."""
    site = app.config.external_site_map
    return {
        name: tree.caption for tree in site.root.subtrees for name in tree.items if tree.caption
    }


def name_parts(app, pagename, templatename, context, doctree):
    """Write the part behind the title of each neighbour."""
    known = parts(app)
    for side in ("prev", "next"):
        if there := context.get(side):
            page = posixpath.normpath(posixpath.join(posixpath.dirname(pagename), there["link"]))
            if part := known.get(page.removesuffix(".html")):
                words = f' <span class="part-name">{html.escape(part)}</span>'
                context[side] = there | {"title": there["title"] + words}


def setup(app):
    app.connect("html-page-context", name_parts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
