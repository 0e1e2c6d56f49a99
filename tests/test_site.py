"""The built book opens from a folder, with no network, on a wide screen and on a phone."""

import re
from collections import Counter
from html import escape
from html.parser import HTMLParser
from itertools import zip_longest
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

import ledger
import make_book
import mathematics
import numbering
import pages as pages_of
import seeing
from browser import find_browser

# A link that a reader may follow is the only thing that may point elsewhere.
KINDS = ("stream", "text/html", "image/svg+xml", "text/markdown", "text/latex")
FETCHING = ("src", "srcset", "data", "poster", "background", "action", "formaction", "xlink:href")
CDN = re.compile(
    r"\bcdn\b|jsdelivr|unpkg|cdnjs|cloudflare|googleapis|gstatic|googletagmanager|mybinder|thebe",
    re.IGNORECASE,
)
REMOTE_IN_CSS = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])(?:https?:)?//", re.IGNORECASE)
# License comments and namespaces name hosts in the theme's own files; only pages are searched.


def is_remote(address: str) -> bool:
    parts = urlsplit(address.strip())
    return bool(parts.netloc) or parts.scheme in ("http", "https", "ftp", "ws", "wss")


class Html(HTMLParser):
    """The tags, ids and number of formulas of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.path = path
        self.tags: list[tuple[str, dict]] = []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)
        self.ids = {attrs["id"] for _, attrs in self.tags if attrs.get("id")}
        self.ids |= {attrs["name"] for tag, attrs in self.tags if tag == "a" and "name" in attrs}
        self.formulas = sum(
            "math" in (attrs.get("class") or "").split() and tag in ("div", "span")
            for tag, attrs in self.tags
        )

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def remote_parts(page: Html) -> list[str]:
    """What a page would fetch from elsewhere."""
    found = []
    for tag, attrs in page.tags:
        for name, value in attrs.items():
            fetches = name in FETCHING or (name == "href" and tag not in ("a", "area"))
            if fetches and value and any(map(is_remote, value.split())):
                found.append(f"<{tag} {name}={value}>")
    return found


@pytest.fixture(scope="session")
def pages(site) -> list[Html]:
    """Every page of the site."""
    found = sorted(path for path in site.rglob("*.html") if "_static" not in path.parts)
    return [Html(path) for path in found]


# --- the files ----------------------------------------------------------------------------------


@pytest.mark.site
def test_every_chapter_has_its_page(site, root):
    sources = [*(root / "book").glob("*.ipynb"), *(root / "book").glob("*.md")]
    assert sources
    for source in sources:
        assert (site / "book" / f"{source.stem}.html").is_file(), source.stem


@pytest.mark.site
def test_the_site_is_what_was_built_from_the_files_as_they_are(site, root):
    stamp = make_book.read(root / "_build" / "book.finished")
    assert stamp, "no build has finished: run `make book`"
    assert stamp["inputs"] == make_book.what_goes_in(root), "files have changed since `make book`"
    assert stamp["site"] == make_book.digest(site), "the site has changed since `make book`"


@pytest.mark.site
def test_no_page_fetches_anything_remote(pages):
    assert {page.path.name: found for page in pages if (found := remote_parts(page))} == {}


@pytest.mark.site
def test_no_page_names_a_content_network(pages):
    # The words of the book may; what counts is scripts and attributes.
    for page in pages:
        scripts = " ".join(re.findall(r"<script.*?</script>", page.text, re.DOTALL))
        values = " ".join(
            str(value)
            for tag, attrs in page.tags
            for name, value in attrs.items()
            if (tag, name) != ("a", "href")
        )
        assert CDN.findall(scripts + values) == [], page.path.name


@pytest.mark.site
def test_no_stylesheet_fetches_anything_remote(site):
    for path in site.rglob("*.css"):
        assert not REMOTE_IN_CSS.search(path.read_text(encoding="utf-8")), path.name


SCRIPTS = re.compile(r"<script.*?</script>", re.DOTALL)
FONTS = re.compile(r'url\("(formulas/[^"]*)"\)')


@pytest.mark.site
def test_formulas_need_no_script(pages, site):
    assert sum(page.formulas for page in pages) > 3000
    for page in pages:
        assert "mathjax" not in " ".join(SCRIPTS.findall(page.text)).lower(), page.path.name
    scripts = [path for path in site.rglob("*.js") if path.parent.name != "previews"]
    assert not [path for path in scripts if "MathJax" in path.read_text(encoding="utf-8")]


@pytest.mark.site
def test_every_font_of_a_formula_is_there(pages, site):
    sheets = {
        (page.path.parent / attrs["href"].partition("?")[0]).resolve()
        for page in pages
        if page.formulas
        for tag, attrs in page.tags
        if tag == "link" and attrs.get("rel") == "stylesheet"
    }
    fonts = {
        sheet.parent / font for sheet in sheets for font in FONTS.findall(sheet.read_text("utf-8"))
    }
    assert len(fonts) > 5
    assert [font for font in fonts if not font.is_file()] == []


@pytest.mark.site
def test_every_internal_link_leads_to_a_page_and_an_anchor_that_exist(pages, site):
    by_path = {page.path.resolve(): page for page in pages}
    broken = []
    for page in pages:
        for tag, attrs in page.tags:
            for name in ("href", "src"):
                address = attrs.get(name)
                if not address or urlsplit(address).scheme or is_remote(address):
                    continue
                parts = urlsplit(address)
                target = (page.path.parent / unquote(parts.path)).resolve()
                target = target if parts.path else page.path.resolve()
                if not target.is_file():
                    broken.append(f"{page.path.name}: {address} leads to no file")
                elif (
                    tag == "a"
                    and parts.fragment
                    and target in by_path
                    and unquote(parts.fragment) not in by_path[target].ids
                ):
                    broken.append(f"{page.path.name}: {address} leads to no anchor")
    assert broken == []


@pytest.mark.site
def test_every_image_of_the_text_has_words_in_its_place(pages):
    for page in pages:
        for tag, attrs in page.tags:
            if tag == "img":
                assert (attrs.get("alt") or "").strip(), f"{page.path.name}: {attrs.get('src')}"


@pytest.mark.site
def test_the_built_ledger_is_that_of_the_stored_notebooks(site, root):
    """One row for each equation, each verdict's cell linked, the same totals."""
    text = (site / "book" / "ledger.html").read_text(encoding="utf-8")
    paths = sorted((root / "book").glob("*.ipynb"))
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in paths}
    tables = re.findall(r'<table class="ledger.*?</table>', text, re.DOTALL)
    found = re.findall(
        r'<tr.*?href="[^"]*#equation-(?:eq|def)-([^"]*)"(.*?)</tr>', "".join(tables), re.S
    )
    rows = ledger.equations(notebooks)
    assert {label for label, _ in found} == {row.label for row in rows}
    assert len(found) == len(rows)
    for label, rest in found:
        row = next(row for row in rows if row.label == label)
        cells = set(re.findall(r'href="([^"#]*)\.html#cell-[^"]*-(\d+)"', rest))
        assert cells == {(v.page, str(v.cell)) for v in row.verdicts}, label
    plain = re.sub(r"<[^>]*>", "", text)
    for line in ledger.totals(notebooks)[2:]:
        value = line.strip("| ").split(" | ")[1]
        assert value.partition(";")[0] in plain, line


# --- what the cells put out -------------------------------------------------------------------


def unlike(notebook, page: Path) -> list[str]:
    """The outputs that a page shows otherwise than they are stored, or not at all."""
    wanted, found = pages_of.stored(notebook), pages_of.shown(page)
    return [
        f"{page.stem}, cell [{cell}]: stored {want}, on the page {have}"
        for cell in sorted(wanted.keys() | found.keys())
        for want, have in zip_longest(wanted.get(cell, []), found.get(cell, []))
        if want != have
    ]


@pytest.mark.site
def test_every_output_of_every_page_is_the_stored_one(site, root):
    paths = sorted((root / "book").glob("*.ipynb"))
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in paths}
    found = [
        line
        for name, notebook in notebooks.items()
        for line in unlike(notebook, site / "book" / f"{name}.html")
    ]
    assert found == []
    kinds = Counter(
        output.kind
        for notebook in notebooks.values()
        for outputs in pages_of.stored(notebook).values()
        for output in outputs
    )
    assert set(kinds) == {*KINDS}
    assert kinds["text/html"] > 500
    assert kinds["stream"] > 100


def other(output) -> bool:
    """Change one character of what an output shows; False if there is none."""
    holder, key = output, "text"
    if output.output_type != "stream":
        holder = output.data
        key = next((kind for kind in pages_of.ORDER if kind in holder), None)
    text = holder.get(key, "")
    half = len(text) // 2
    if key == "image/svg+xml":  # the place of a point, to the left of its decimals
        half = text.index("\nL ", half) + 3
    place = next((i for i in range(half, len(text)) if text[i].isalnum()), None)
    if place is None:
        return False
    holder[key] = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
    return True


@pytest.mark.site
@pytest.mark.parametrize("kind", KINDS)
def test_one_character_in_one_output_makes_a_difference(kind, site, root):
    for path in sorted((root / "book").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        outputs = [output for cell in cells for output in cell.outputs]
        chosen = next((o for o in outputs if pages_of.wanted(o).kind == kind), None)
        if chosen is None:
            continue
        assert other(chosen)
        assert len(unlike(notebook, site / "book" / f"{path.stem}.html")) == 1
        return
    pytest.fail(f"no output of kind {kind}")


@pytest.mark.site
def test_a_blank_at_the_beginning_or_the_end_makes_a_difference(site, root):
    notebook = nbformat.read(root / "book" / "01-value-based-failure.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    stream = next(o for c in cells for o in c.outputs if o.output_type == "stream")
    text, page = stream.text, site / "book" / "01-value-based-failure.html"
    for altered in (f" {text}", f"\n{text}", f"{text}\n", f"{text[:-1]} \n"):
        stream.text = altered
        assert len(unlike(notebook, page)) == 1


@pytest.mark.site
def test_an_output_that_is_missing_or_added_makes_a_difference(site, root):
    notebook = nbformat.read(root / "book" / "01-value-based-failure.ipynb", as_version=4)
    cell = next(c for c in notebook.cells if c.cell_type == "code" and len(c.outputs) == 2)
    page = site / "book" / "01-value-based-failure.html"
    cell.outputs.append(cell.outputs[-1])
    assert len(unlike(notebook, page)) == 1
    del cell.outputs[1:]
    assert len(unlike(notebook, page)) == 1
    cell.outputs = []
    assert len(unlike(notebook, page)) == 2


# --- numbers, verdicts, folds ---------------------------------------------------------------------


@pytest.mark.site
def test_every_number_on_a_page_begins_with_that_of_its_file(articles):
    numbered = 0
    for name, tree in articles.items():
        own = numbering.mark(name)
        if own is None or name == "00-start-here":
            continue
        numbered += 1
        title = next(tree.iter("h1")).text_content()
        assert title.startswith(f"{own}. "), title
        numbers = [x.text_content().strip("()#") for x in tree.find_class("eqno")]
        assert numbers == [f"{own}.{k}" for k in range(1, len(numbers) + 1)], name
        titles = [
            t
            for exercise in tree.find_class("exercise")
            for t in exercise.find_class("admonition-title")
        ]
        for title in titles + tree.find_class("caption-number"):
            found = re.search(r"(\w+)\.\d+", title.text_content())
            assert found and found[1] == own, title.text_content()
    assert numbered > 10
    for name, tree in articles.items():
        for link in tree.xpath('.//a[contains(@href, "#equation-eq-")]'):
            where = link.get("href").partition("#")[0].rpartition("/")[2]
            own = numbering.mark(where.removesuffix(".html")) if where else None
            found = re.fullmatch(r"\((\w+)\.\d+\)", link.text_content())
            right = where.startswith("00-") or (found and found[1] == own)
            assert own is None or right, (name, link.get("href"), link.text_content())


@pytest.mark.site
def test_every_verdict_on_an_equation_shows_its_number(articles, root):
    paths = sorted((root / "book").glob("*.ipynb"))
    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in paths}
    known = {row.label for row in ledger.equations(notebooks)}
    linked = 0
    for name in notebooks:
        for verdict in articles[name].find_class("pg-check"):
            label, links = verdict.get("data-label"), list(verdict.iter("a"))
            assert bool(links) == (label in known), (name, label)
            if links:
                linked += 1
                assert links[0].get("href").endswith(f"-{label}"), (name, label)
                assert re.fullmatch(r"\((\w+\.)?\d+\)", links[0].text_content()), (name, label)
    assert linked > 500


@pytest.mark.site
def test_what_a_folded_cell_puts_out_is_not_folded(articles):
    found = 0
    for tree in articles.values():
        for fold in tree.xpath(".//div/details"):
            if "hide" not in fold.classes or "cell" not in fold.getparent().classes:
                continue
            found += 1
            assert fold.find_class("cell_input") and not fold.find_class("cell_output")
            assert {p.text_content() for p in fold.find("summary").iter("p")} == {"Code"}
    assert found


# --- in a browser -------------------------------------------------------------------------------

A_MOMENT = "new Promise(done => setTimeout(done, 400))"


def leads_on(path) -> bool:
    """Is this page nothing but the way to another one?"""
    return 'http-equiv="refresh"' in path.read_text(encoding="utf-8")[:200].lower()


@pytest.mark.site
def test_the_top_page_leads_to_the_book(site):
    assert leads_on(site / "index.html")
    assert "url=book/index.html" in (site / "index.html").read_text(encoding="utf-8")
    assert not leads_on(site / "book" / "index.html")


@pytest.mark.site
@pytest.mark.browser
def test_a_link_into_a_folded_solution_opens_it(browser, pages):
    page = next(p for p in pages if "toggle" in p.text and 'class="solution' in p.text)
    shown = browser.open(page.path)
    cell = "document.querySelector('div.solution .cell[id]')"
    visible = f"{cell}.checkVisibility({{visibilityProperty: true, opacityProperty: true}})"
    assert not shown.evaluate(visible)
    shown.evaluate(f"location.hash = {cell}.id")
    shown.evaluate(A_MOMENT)
    assert shown.evaluate(visible)
    shown.close()


@pytest.mark.site
@pytest.mark.browser
def test_a_folded_cell_shows_its_output_and_opens_when_asked(browser, pages):
    page = next(p for p in pages if 'class="admonition hide above-input"' in p.text)
    shown = browser.open(page.path)
    fold = "document.querySelector('div.cell:has(> .cell_output) > details.hide')"
    box = "getBoundingClientRect().height"
    code = f"{fold}.querySelector('div.cell_input')"
    assert shown.evaluate(f"{fold}.parentElement.querySelector('.cell_output').{box}") > 5
    assert not shown.evaluate(f"{code}.checkVisibility()")
    assert shown.evaluate(f"{fold}.querySelector('summary').{box}") < 30
    shown.evaluate(f"{fold}.querySelector('summary').click()")
    assert shown.evaluate(f"{code}.checkVisibility()")
    shown.close()


@pytest.mark.site
@pytest.mark.browser
def test_the_rows_of_the_ledger_are_sorted_when_asked(browser, site):
    shown = browser.open(site / "book" / "ledger.html")
    places = """[...document.querySelector('table.ledger:has(tr:nth-child(4))').tBodies[0].rows]
      .map(row => Number(/weak-(\\d+)/.exec(row.className)[1]))"""
    button = "document.querySelector('table.ledger:has(tr:nth-child(4)) button.ledger-sort')"
    before = shown.evaluate(places)
    assert shown.evaluate(f"{button}.tabIndex") == 0
    assert shown.evaluate(f"{button}.getAttribute('aria-pressed')") == "false"
    shown.evaluate(f"{button}.click()")
    assert shown.evaluate(places) == sorted(before, reverse=True)
    assert shown.evaluate(f"{button}.getAttribute('aria-pressed')") == "true"
    shown.evaluate(f"{button}.click()")
    assert shown.evaluate(places) == before
    shown.close()


# --- controls: each of the looks above sees what it is there to see -------------------------------


def control(tmp_path, body) -> Path:
    path = tmp_path / "control.html"
    path.write_text(f"<!DOCTYPE html><html><head><title>c</title></head><body>{body}</body></html>")
    return path


@pytest.mark.browser
@pytest.mark.parametrize(
    "script",
    [
        "console.error('a deliberate error')",
        "throw new Error('a deliberate error')",
        "Promise.reject(new Error('a deliberate error'))",
        "const a = 1;</script><script>const a = 2; // a deliberate error",
    ],
)
def test_an_error_in_the_console_is_seen(browser, tmp_path, script):
    shown = browser.open(control(tmp_path, f"<script>{script}</script>"))
    assert len(shown.errors) == 1, shown.errors
    shown.close()


@pytest.mark.browser
def test_a_file_that_is_not_there_is_seen(browser, tmp_path):
    shown = browser.open(control(tmp_path, '<script src="gone.js"></script>'))
    assert any("gone.js" in error for error in shown.errors)
    shown.close()


@pytest.mark.browser
def test_a_remote_request_is_seen_and_gets_nowhere(browser, tmp_path):
    shown = browser.open(control(tmp_path, '<img alt="x" src="https://example.org/a.png">'))
    assert "https://example.org/a.png" in shown.requests
    assert any("ERR_NAME_NOT_RESOLVED" in error for error in shown.errors)
    shown.close()


@pytest.mark.browser
def test_a_quiet_page_has_no_error(browser, tmp_path):
    shown = browser.open(control(tmp_path, "<p>Nothing.</p><script>console.log('hm')</script>"))
    assert shown.errors == []
    shown.close()


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize(
    ("formula", "broken"),
    [
        (r"\frac{1}{2} + \boldsymbol{\theta}", 0),
        ("<mjx-container></mjx-container>", 1),
        ("<mjx-container><mjx-math></mjx-math></mjx-container>", 1),
        (r"<code>\nosuchcommand</code>", 1),  # as the build leaves it, with a warning
    ],
)
def test_a_broken_formula_is_seen(browser, tmp_path, formula, broken):
    setter = mathematics.typesetter()
    set_here = formula if formula.startswith("<") else setter.set(formula, False)
    styles = f"<style>{setter.styles()}</style>"
    body = f'<span class="math" data-tex="{escape(formula)}">{set_here}</span>'
    shown = browser.open(control(tmp_path, styles + body))
    assert len(seeing.ask(shown, seeing.BROKEN)) == broken
    shown.close()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('<a href="https://example.org/">a link</a>', 0),
        ('<img src="a.svg"><script src="b.js"></script>', 0),
        ('<script src="https://example.org/a.js"></script>', 1),
        ('<img src="//example.org/a.png">', 1),
        ('<img srcset="a.png 1x, https://example.org/a.png 2x">', 1),
        ('<link rel="stylesheet" href="https://example.org/a.css">', 1),
    ],
)
def test_a_remote_part_of_a_page_is_found(tmp_path, body, found):
    assert len(remote_parts(Html(control(tmp_path, body)))) == found


def test_a_browser_is_looked_for_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv("BROWSER_BIN", str(tmp_path / "no-browser"))
    assert find_browser() is None
