"""Pages that show at once: one stylesheet, no script that a page waits for, no file for nothing.

Once all is written, each page gets the scripts that it needs, none of which holds it up, and the
stylesheets are joined (``styles.py``), the icons drawn there (``icons.py``). Markup is shortened
(``slim.py``), and so are notebooks, by the blanks that indent them. Then what no page, script or
stylesheet names is removed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

import bundle
import icons
import slim
import styles

JOINED = "styles.css"
HEAD = re.compile(r"<head>.*?</head>", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
SHEET = re.compile(r'\s*<link\b[^>]*href="([^"]*?_static/)([^"?]+\.css)[^"]*"[^>]*>')
SCRIPT = re.compile(r"\s*<script\b([^>]*)>(.*?)</script>", re.DOTALL)
SRC = re.compile(r'src="(?:[^"]*?_static/)?([^"?]+)[^"]*"')
VIEWPORT = re.compile(r'\s*<meta name="viewport"[^>]*>')
NOT_ASKED = re.compile(r'\s*<(?:meta name="docsearch:|link rel="preload" as="script")[^>]*>')
TWICE = re.compile(r"<title>(.*?) (?:&#8212;|—) \1</title>")
BLANK = re.compile(r"\s*\n\s*")
MAP = re.compile(r"^(?://|/\*)# sourceMappingURL=\S+(?: ?\*/)?$", re.MULTILINE)
WORD = re.compile(r"[\w-]+")
CLASSES = re.compile(r'\b(?:class|id)="([^"]*)"')
ASKED = re.compile(r"""["'(=/]([\w.%+-]+\.\w+)(?:[?#][^"')]*)?["')]""")
CHAPTER = re.compile(r'<a href="[^"]*_sources/[^"]*\.ipynb".*?</a>', re.DOTALL)
KEPT = {"formulas.css", "pygments.css"}  # which the book on paper reads
SWEPT = ("_static", "_images", "_sources", "_sphinx_design_static")

FOLD = re.compile(r'class="(?:[^"]* )?toggle[ "]|class="(?=[^"]*\badmonition\b)[^"]*\bdropdown[ "]')
CODE = re.compile(r'<div class="highlight')
SEARCH = re.compile(r"searchtools\.js")
# Of the scripts that not every page needs: what stands in a page that does.
NEEDED_BY = {
    "scripts/fontawesome.js": None,
    "doctools.js": SEARCH,
    "sphinx_highlight.js": SEARCH,
    "clipboard.min.js": CODE,
    "copybutton.js": CODE,
    "togglebutton.js": FOLD,
    "fold.js": FOLD,
    "design-tabs.js": re.compile("sd-tab-set"),
    "ledger.js": re.compile('<table class="ledger'),
}
# Scripts within a page: what the one for folds reads goes into its file; the other is for versions.
SETTING = re.compile(r"\s*(?:let|var) toggle\w+ = .*")
UNUSED = re.compile(r"\s*DOCUMENTATION_OPTIONS\.pagename = .*")
SCHEME = """<script>(() => {
  const page = document.documentElement.dataset;
  try { page.mode = localStorage.getItem("mode") || "auto"; } catch { page.mode = "auto"; }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  page.theme = page.mode === "auto" ? (dark ? "dark" : "light") : page.mode;
})()</script>"""

# Without scripts: the list of chapters stands below a narrow page, a menu opens while it has focus.
PLAIN = """<noscript><style>
.sidebar-toggle { display: none !important; }
.dropdown:focus-within > .dropdown-menu { display: block; }
@media (max-width: 959.98px) {
  .bd-container__inner { flex-direction: column; }
  .bd-sidebar-primary { position: static; visibility: visible; order: 1; margin: 0; width: auto;
    max-width: none; height: auto; max-height: none; }
}
</style></noscript>"""


class Site:
    """The pages of a site that was built, to be made lighter."""

    def __init__(self, folder: Path, own: Iterable[str], copied: Iterable[Path]):
        self.folder, self.static = folder, folder / "_static"
        self.own, self.copied = {*own, "formulas.css"}, copied
        paths = sorted(p for p in folder.rglob("*.html") if "_static" not in p.parts)
        self.pages = {path: path.read_text(encoding="utf-8") for path in paths}
        self.sheets: list[str] = []
        self.settings: list[str] = []

    def lighten(self):
        """All of it, in order."""
        plain = slim.plain((self.static / "pygments.css").read_text(encoding="utf-8"))
        for path, text in self.pages.items():
            self.pages[path] = self.page(slim.code(text, plain))
        self.write_scripts()
        self.write_styles()
        for path, text in self.pages.items():
            path.write_text(text, encoding="utf-8", newline="\n")
        self.write_pictures()
        self.pack_notebooks()
        self.sweep()

    # --- a page -----------------------------------------------------------------------------------

    def page(self, text: str) -> str:
        """A page with what it needs in its head, and no blank line around its article."""
        head = HEAD.search(text)
        if not head or not SHEET.search(head[0]):
            return text
        scripts: list[str] = []

        def kept(script: re.Match) -> str:
            if self.is_needed(script, text):
                if not SRC.search(script[1]):
                    return script[0]
                defer = "" if "defer" in script[1] else " defer"
                scripts.append(f"\n<script{defer}{script[1]}></script>")
            return ""

        text = CHAPTER.sub(zipped, SCRIPT.sub(kept, text))
        text = text.replace(
            ' data-theme="auto"', ' data-theme="light"', 1
        )  # until SCHEME has its say
        begins, article, rest = text.partition("<article")
        body, ends, rest = rest.partition("</article>")
        begins = self.head(BLANK.sub("\n", COMMENT.sub("", begins)), "".join(scripts))
        return begins + article + body + ends + BLANK.sub("\n", COMMENT.sub("", rest))

    def is_needed(self, script: re.Match, text: str) -> bool:
        """Does a page need this script? What scripts say within it goes elsewhere."""
        if src := SRC.search(script[1]):
            if src[1] not in NEEDED_BY:
                return True
            needed_by = NEEDED_BY[src[1]]
            return needed_by is not None and bool(needed_by.search(text))
        if SETTING.fullmatch(script[2]):
            if (said := script[2].strip()) not in self.settings:
                self.settings.append(said)
            return False
        return not UNUSED.fullmatch(script[2]) and 'getItem("mode")' not in script[2]

    def head(self, text: str, scripts: str) -> str:
        """What comes before the article: one viewport, one stylesheet, and scripts that wait."""
        first = SHEET.search(text)
        found = [name for _, name in SHEET.findall(text)]
        self.sheets += [name for name in found if name not in self.sheets]
        view, rest = VIEWPORT.search(text)[0], VIEWPORT.sub("", text)
        rest = TWICE.sub(r"<title>\1</title>", NOT_ASKED.sub("", SHEET.sub("", rest)))
        sheet = f'\n<link rel="stylesheet" href="{first[1]}{JOINED}">'
        rest = rest.replace("<title>", f"{view.strip()}\n<title>", 1)
        return rest.replace("</title>", f"</title>\n{SCHEME}{sheet}{scripts}\n{PLAIN}", 1)

    # --- files ------------------------------------------------------------------------------------

    def write_scripts(self):
        """Scripts without the address of a map, and with what pages said to them."""
        for path in self.static.rglob("*.js"):
            text = MAP.sub("", path.read_text(encoding="utf-8")).rstrip() + "\n"
            if path.name == "togglebutton.js":
                text = "\n".join([*self.settings, text])
            path.write_text(text, encoding="utf-8", newline="\n")

    def words(self) -> set[str]:
        """Every class and id of a page, and whatever a script says."""
        found: set[str] = set()
        for text in self.pages.values():
            found.update(*map(str.split, set(CLASSES.findall(text))))
        for path in self.scripts():
            found.update(WORD.findall(path.read_text(encoding="utf-8")))
        return found

    def scripts(self) -> set[Path]:
        """The scripts that pages ask for."""
        names = {s[1] for text in self.pages.values() for s in SRC.finditer(text)}
        return {path for name in names if (path := self.static / name).is_file()}

    def write_styles(self):
        """One stylesheet, with the icons in use."""
        words, theirs, ours = self.words(), [], []
        known = icons.known((self.static / "scripts/fontawesome.js").read_text(encoding="utf-8"))
        for name in self.sheets:
            rules = styles.opened(self.static / name, self.static)
            if Path(name).name in self.own:
                ours += rules
            else:
                theirs += styles.asked(icons.without(rules), words)
        css = icons.by_rule(styles.written(theirs), known)
        css += icons.by_class(icons.asked(words, known)) + styles.written(ours)
        (self.static / JOINED).write_text(css + "\n", encoding="utf-8", newline="\n")

    def pack_notebooks(self):
        """Each chapter to take away as a zip: as a file a browser would show its JSON."""
        for path in sorted(self.folder.glob("_sources/**/*.ipynb")):
            text = lighter(path.read_text(encoding="utf-8"))
            bundle.pack(path.with_suffix(".zip"), {path.name: text.encode()})
            path.unlink()

    def write_pictures(self):
        """Pictures as exact as an eye is."""
        for path in sorted((self.folder / "_images").glob("*.svg")):
            text = slim.drawing(path.read_text(encoding="utf-8"))
            path.write_text(text, encoding="utf-8", newline="\n")

    def sweep(self):
        """Remove what nothing asks for: scripts, styles, fonts, maps, words in other languages."""
        texts = [*self.pages.values(), (self.static / JOINED).read_text(encoding="utf-8")]
        texts += [path.read_text(encoding="utf-8") for path in self.scripts()]
        names = {unquote(name) for text in texts for name in ASKED.findall(text)}
        joined = {self.static / name for name in self.sheets}
        for path in {*self.copied, *joined}:
            if path.name not in names | KEPT:
                path.unlink(missing_ok=True)
        for folder in SWEPT:
            for path in sorted((self.folder / folder).rglob("*"), reverse=True):
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()


def zipped(link: re.Match) -> str:
    """The link to a notebook, as one to its zip, which a browser saves also from a folder."""
    words = re.sub(r'title="[^"]*"', 'title="Download the notebook of this page, zipped"', link[0])
    return words.replace("(.ipynb)", "(notebook, .zip)").replace('.ipynb"', '.zip"')


def lighter(text: str) -> str:
    """A notebook with its pictures as the page has them."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if svg := output.get("data", {}).get("image/svg+xml"):
                output["data"]["image/svg+xml"] = slim.drawing("".join(svg)).splitlines(True)
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def copied(site: Path) -> list[Path]:
    """What lies in a site's folders for files that its pages may ask for."""
    return sorted(path for name in SWEPT for path in (site / name).rglob("*") if path.is_file())


def note(app, exception):
    """Note which files Sphinx has copied, before the book's own extensions write theirs."""
    app.light_copied = copied(Path(app.outdir))


def finish(app, exception):
    """Lighten a site that was built without an error."""
    if exception is None and app.builder.format == "html":
        own = {path.name for path in (Path(app.srcdir) / "_static").glob("*.css")}
        Site(Path(app.outdir), own, app.light_copied).lighten()


def setup(app):
    app.connect("build-finished", note, priority=1)
    # After all that reads the pages, or adds to them.
    app.connect("build-finished", finish, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
