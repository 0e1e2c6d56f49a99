"""Formulas are typeset when the book is built: a page shows them without a script.

MathJax, which the package ``sphinx-mathjax-offline`` carries, runs in V8 (``mini-racer``). Each
formula becomes elements that a stylesheet of MathJax's own draws, and beside them MathML, which
screen readers speak. The stylesheet has what the book's formulas need and no more; with the fonts
that it names it is written once all pages are.

A formula that MathJax cannot read is a warning, hence an error of the build. Its source stays on
the page as ``data-tex``.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path

from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

import slim

STYLES = "formulas.css"
FONTS = "formulas"
FACE = re.compile(r"@font-face[^{]*\{[^}]*\}\s*")
ALWAYS = (None, "", "S1", "S4", "A")  # of signs that stretch; the others show in the signs' classes
PARTS = (
    "startup.js",
    "core.js",
    "adaptors/liteDOM.js",
    "input/tex-full.js",
    "output/chtml.js",
    "output/chtml/fonts/tex.js",
    "output/svg.js",
    "output/svg/fonts/tex.js",
    "a11y/assistive-mml.js",
)
BEFORE = """
globalThis.MathJax = {
  loader: {load: []},
  startup: {typeset: false, ready() {}},
  tex: {
    packages: {'[-]': ['noundefined', 'noerrors', 'require', 'autoload']},
    formatError(_, error) { throw new Error(error.message); },
  },
  chtml: {fontURL: %s, adaptiveCSS: true},
  svg: {fontCache: 'none'},
};
"""
AFTER = """
Object.assign(MathJax.config.startup,
  {input: ['tex'], output: %s, adaptor: 'liteAdaptor', handler: 'HTMLHandler'});
MathJax.startup.getComponents();
MathJax.startup.makeMethods();
globalThis.set = (tex, display) => MathJax.startup.adaptor.outerHTML(
  MathJax['tex2' + MathJax.config.startup.output](tex, {display}));
globalThis.spoken = (tex, display) => MathJax.tex2mml(tex, {display});
globalThis.styles = () => MathJax.startup.adaptor.textContent(MathJax.chtmlStylesheet());
0;
"""


class Unreadable(ValueError):
    """A formula that MathJax cannot read; the words are MathJax's."""


class Typesetter:
    """MathJax in an engine of its own; one for each form, ``chtml`` for pages or ``svg``."""

    def __init__(self, form: str = "chtml"):
        self.engine = MiniRacer()
        self.engine.eval(BEFORE % json.dumps(FONTS))
        for part in PARTS:
            self.engine.eval((mathjax() / part).read_text(encoding="utf-8") + "\n;0")
        self.engine.eval(AFTER % json.dumps(form))
        shorter = slim.formula if form == "chtml" else str
        self.set = lru_cache(maxsize=None)(lambda *what: shorter(self._call("set", *what)))

    def _call(self, *what):
        try:
            return self.engine.call(*what)
        except JSEvalException as error:
            words = str(error).partition("\n")[0]  # "<anonymous>:1: Error: …"
            raise Unreadable(words.partition("Error: ")[2] or words) from None

    def mathml(self, tex: str, display: bool = False) -> str:
        """A formula as MathML."""
        return self._call("spoken", tex, display)

    def styles(self) -> str:
        """The stylesheet of all formulas that were set so far, for the form ``chtml``."""
        return slim.styles(self.engine.call("styles"))


@lru_cache
def mathjax() -> Path:
    """The folder of MathJax inside the installed package."""
    files = distribution("sphinx-mathjax-offline").files or []
    for entry in files:
        if entry.name == "startup.js":
            return Path(entry.locate()).resolve().parent
    raise ExtensionError("sphinx-mathjax-offline has no MathJax; is its version the locked one?")


@lru_cache
def typesetter() -> Typesetter:
    """The typesetter of this build."""
    return Typesetter()


# --- nodes ----------------------------------------------------------------------------------------


def visit_inline(self, node):
    """A formula within a line."""
    tex = node.astext()
    tag = self.starttag(node, "span", "", CLASS="math notranslate nohighlight", **source(tex))
    self.body.append(f"{tag}{typeset(tex, node, False)}</span>")
    raise nodes.SkipNode


def visit_display(self, node):
    """A formula on a line of its own, with its number where it has one."""
    tex = whole(node)
    self.body.append(
        self.starttag(node, "div", CLASS="math notranslate nohighlight", **source(tex))
    )
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(f"{typeset(tex, node, True)}</div>\n")
    raise nodes.SkipNode


def source(tex: str) -> dict[str, str]:
    """The attribute that keeps a formula's source."""
    return {"data-tex": " ".join(tex.split())}


def whole(node) -> str:
    """The source of a display: several paragraphs are lines under one another."""
    tex = node.astext().strip()
    if node["nowrap"]:
        return tex
    parts = [part.strip() for part in tex.split("\n\n") if part.strip()]
    parts = [rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part for part in parts]
    lines = r"\\".join(parts)
    return rf"\begin{{aligned}}{lines}\end{{aligned}}" if len(parts) > 1 else lines


def typeset(tex: str, node, display: bool) -> str:
    """The elements of a formula; where it cannot be read, its source, and a warning."""
    try:
        return typesetter().set(tex, display)
    except Unreadable as error:
        logging.getLogger(__name__).warning("formula %s: %s", tex, error, location=node)
        return f"<code>{html.escape(tex)}</code>"


# --- files ----------------------------------------------------------------------------------------


def fonts(styles: str) -> tuple[str, list[str]]:
    """A stylesheet without the fonts that no formula uses, and the files of the others."""

    def needed(face: str) -> bool:
        name = re.search(r"font-family: MJX(ZERO|TEX-?(\w*))", face)[2]
        return name in ALWAYS or re.search(rf"\.TEX-{name}::before", styles) is not None

    faces = [face for face in FACE.findall(styles) if needed(face)]
    files = [re.search(r"[\w-]+\.woff", face)[0] for face in faces]
    return "\n".join([*faces, FACE.sub("", styles).strip()]), files


def write(app, exception):
    """Write the stylesheet and the fonts of a site that was built without an error."""
    if exception is None and app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        (static / FONTS).mkdir(exist_ok=True)
        styles, files = fonts(typesetter().styles())
        (static / STYLES).write_text(styles + "\n", encoding="utf-8", newline="\n")
        for name in files:
            shutil.copyfile(mathjax() / "output/chtml/fonts/woff-v2" / name, static / FONTS / name)


def setup(app):
    app.add_html_math_renderer("typeset", (visit_inline, None), (visit_display, None))
    app.add_css_file(STYLES)
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
