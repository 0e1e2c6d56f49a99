"""A verdict belongs to its equation: in the built page it shows the equation's number, as a link.

What a check puts out names the equation by its label, on which a reader of the page cannot look
down, since the page shows a number. The number is known once all pages are: it is then written into
the verdict, right behind its mark, and leads to the equation, be it on this page or another. A
label without an equation, as an example may have, stays as it is.
"""

from __future__ import annotations

import html
import re

from docutils import nodes

VERDICT = re.compile(
    r'(<div class="pg-check [^"]*" data-label="([^"]*)">.*?<span class="pg-verdict">\w+</span>)'
)


def number(app, doctree, docname):
    """Write the numbers of equations into the verdicts of a page."""
    for node in doctree.findall(nodes.raw):
        if "html" in node.get("format", "").split() and "pg-check" in node.astext():
            text = VERDICT.sub(lambda match: match[1] + link(app, docname, match[2]), node.astext())
            node.children[:] = []
            node += nodes.Text(text)


def link(app, docname: str, label: str) -> str:
    """A link to the equation or the definition of a label, in HTML; nothing where there is none."""
    domain = app.env.get_domain("math")
    for name in (f"eq-{html.unescape(label)}", f"def-{html.unescape(label)}"):
        if name in domain.equations:
            node = domain.resolve_xref(app.env, docname, app.builder, "eq", name, None, None)
            where = node.get("refuri") or f"#{node['refid']}"
            number = html.escape(node.astext())
            return f' <a class="pg-number" href="{html.escape(where)}">{number}</a>'
    return ""


def setup(app):
    app.connect("doctree-resolved", number)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
