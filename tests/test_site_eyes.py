"""Every page for those who read by keyboard, by ear, enlarged, in the dark or on a phone."""

import copy
import hashlib
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from lxml import html

import eyes
import seeing
from marks import EVERY_LOOK
from policygrad.figures import marks

ROOT = Path(__file__).parents[1]
CHAPTERS = [p.stem for kind in ("ipynb", "md") for p in (ROOT / "book").glob(f"*.{kind}")]
PAGES = sorted([*(f"book/{name}" for name in CHAPTERS), "search"])
AXE = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"


def test_axe_is_the_file_of_that_version():
    content = seeing.AXE.read_bytes()
    assert hashlib.sha256(content).hexdigest() == AXE
    assert b"axe v4.14.1" in content[:200]


# --- every page, in a browser ---------------------------------------------------------------------


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_by_any_eyes(browser, site, name):
    look = seeing.look_at if name in PAGES[::EVERY_LOOK] else seeing.glance_at
    assert look(browser, site / f"{name}.html") == {}


def spoken(page) -> tuple[int, int]:
    """The formulas in what a screen reader is given, and those that can be seen."""
    nodes = page.send("Accessibility.getFullAXTree")["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node.get("ignored")]
    shown = seeing.ask(page, "[...document.querySelectorAll('mjx-container')].filter(seen).length")
    return roles.count("MathMLMath"), shown


@pytest.mark.site
@pytest.mark.browser
def test_each_formula_is_read_once_as_mathematics(browser, site):
    page = browser.open(site / "book/08-policy-gradient-theorem.html")
    heard, shown = spoken(page)
    assert heard == shown > 50
    page.evaluate("document.querySelector('mjx-mml').remove()")
    assert spoken(page)[0] == heard - 1
    page.close()


@pytest.mark.site
@pytest.mark.browser
def test_the_first_stop_leads_past_the_sidebar(browser, site):
    page = browser.open(site / "book/03-objective-over-trajectories.html")
    seeing.press_tab(page)
    page.evaluate("new Promise(done => setTimeout(done, 300))")
    first = "document.activeElement"
    assert page.evaluate(f"{first}.textContent") == "Skip to main content"
    assert page.evaluate(f"{first}.getBoundingClientRect().top") >= 0
    page.evaluate(f"{first}.click()")
    seeing.press_tab(page)
    assert page.evaluate(f"!!{first}.closest('#main-content')")
    page.close()


@pytest.mark.site
@pytest.mark.browser
def test_the_keys_scroll_what_is_wide(browser, site):
    page = browser.open(site / "book/03-objective-over-trajectories.html", width=seeing.PHONE)
    stops = "[...document.querySelectorAll('article pre[tabindex=\"0\"]')]"
    page.evaluate(f"(window.box = {stops}.find(e => e.checkVisibility())).focus()")
    seeing.press(page, "ArrowRight", 39)
    page.evaluate("new Promise(done => setTimeout(done, 300))")
    assert page.evaluate("box.scrollLeft") > 0
    page.close()


@pytest.mark.site
@pytest.mark.browser
def test_what_is_wide_in_the_ledger_is_a_stop_once_it_comes_near(browser, site):
    page = browser.open(site / "book/ledger.html")
    last = "[...document.querySelectorAll('#the-ledger > section')].at(-1)"
    near = "checkVisibility({contentVisibilityAuto: true})"
    assert not page.evaluate(f"{last}.firstElementChild.{near}")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.evaluate(f"{last}.scrollIntoView({{behavior: 'instant'}})")
    for _ in range(3):
        seeing.settle(page)
    assert page.evaluate(f"{last}.firstElementChild.{near}")
    boxes = f"[...{last}.querySelectorAll('.pst-scrollable-table-container')]"
    wide = f"{boxes}.filter(e => e.scrollWidth > e.clientWidth + 1)"
    assert page.evaluate(f"{wide}.length") > 0
    assert page.evaluate(f"{wide}.every(e => e.tabIndex === 0)")
    page.close()


@pytest.mark.site
@pytest.mark.browser
def test_where_the_system_has_its_own_colours_focus_is_seen(browser, site):
    page = browser.open(site / "book/03-objective-over-trajectories.html", width=seeing.PHONE)
    system = [("forced-colors", "active"), ("prefers-reduced-motion", "reduce")]
    media = [{"name": name, "value": value} for name, value in system]
    page.send("Emulation.setEmulatedMedia", features=media)
    seeing.press_tab(page)
    assert seeing.ask(page, seeing.FOCUS) == []
    assert seeing.ask(page, seeing.FADES % 3) == []
    page.close()


@pytest.mark.site
@pytest.mark.browser
def test_the_browser_draws_the_dark_as_it_was_computed(browser, site):
    page = browser.open(site / "book/01-value-based-failure.html", dark=True)
    for light, _ in marks.COLOURS.values():
        seen = page.evaluate(f"""(() => {{
          const pen = document.createElement('canvas').getContext('2d');
          pen.filter = 'url(#pg-dark)';
          pen.fillStyle = '{light}';
          pen.fillRect(0, 0, 50, 50);
          return [...pen.getImageData(9, 9, 1, 1).data].slice(0, 3);
        }})()""")
        assert np.allclose(seen, in_the_dark(light) * 255, atol=2.5), light
    page.close()


# --- every page, as it is written -----------------------------------------------------------------


@pytest.fixture(scope="session")
def trees(site) -> dict:
    """Every page's elements."""
    return {name: html.parse(str(site / f"{name}.html")).getroot() for name in PAGES}


def doubled(tree) -> list[str]:
    """Ids that stand twice."""
    return [name for name, n in Counter(tree.xpath("//@id")).items() if n > 1]


def untagged(tree) -> list[str]:
    """Chinese that no element says to be Chinese."""
    texts = tree.xpath("//body//text()[not(ancestor::script or ancestor::style)]")
    return [
        str(text)
        for text in texts
        if eyes.CHINESE.search(text)
        and not (
            (text.getparent().getparent() if text.is_tail else text.getparent()).get("lang") or ""
        ).startswith("zh")
    ]


@pytest.mark.site
def test_no_id_stands_twice(trees):
    assert {name: found for name, tree in trees.items() if (found := doubled(tree))} == {}


@pytest.mark.site
def test_chinese_is_tagged_as_chinese(trees):
    assert {name: found for name, tree in trees.items() if (found := untagged(tree))} == {}
    assert sum(len(tree.xpath("//*[@lang='zh']")) for tree in trees.values()) > 30


@pytest.mark.site
def test_the_number_of_a_display_names_it(trees):
    displays = [x for tree in trees.values() for x in tree.xpath("//div[./span[@class='eqno']]")]
    assert len(displays) > 100
    for display in displays:
        number = display.xpath("string(./span[@class='eqno']/text())").strip()
        assert display.get("role") == "group"
        assert display.get("aria-label") == f"Equation {number}"


def misnamed(tree) -> list[str]:
    """Cells that a phone shows with another name than that of their column, or with none."""
    found = []
    for table in tree.xpath("//table[contains(concat(' ', @class, ' '), ' pg-stack ')]"):
        (heads,) = ([cell.text_content().split() for cell in row] for row in table.find("thead"))
        for row in table.xpath("./tbody/tr"):
            for cell, head in zip(row, heads, strict=True):
                if words := cell.text_content().split():
                    named = (cell.get("data-label") or "").split()
                    right = named == head if cell.get("data-label") else is_first(cell, head)
                    found += [] if right else [f"{head}, {named}: {' '.join(words)[:40]}"]
    return found


def is_first(cell, head: list[str]) -> bool:
    """May a cell go without a name: is it the head of its row, in a column that has none?"""
    return cell.tag == "th" and cell.getprevious() is None and not head


@pytest.mark.site
def test_a_cell_is_named_as_its_column(trees):
    found = {name: wrong for name, tree in trees.items() if (wrong := misnamed(formulaless(tree)))}
    assert found == {}
    stacked = [
        t for tree in trees.values() for t in tree.xpath("//table[contains(@class, 'pg-stack')]")
    ]
    assert len(stacked) > 10
    assert any(table.xpath("./tbody/tr/th[@scope='row']") for table in stacked)


def formulaless(tree):
    """A page without formulas in the heads of its tables, which a name of a column cannot show."""
    tree = copy.deepcopy(tree)
    for formula in tree.xpath("//thead//span[@data-tex]"):
        formula.drop_tree()
    return tree


def test_a_cell_of_a_phone_keeps_the_name_of_its_column():
    heads = "<td></td><th><p>one</p></th><th><p>two</p></th>"
    row = "".join(f"<td><p>{text}</p></td>" for text in ("k", "no", "no " * 30))
    table = (
        f'<table class="table"><thead><tr>{heads}</tr></thead><tbody><tr>{row}</tr></tbody></table>'
    )
    mended = eyes.mended(table)
    tree = html.document_fromstring(mended)
    assert misnamed(tree) == [] and "pg-stack" in mended
    assert [cell.get("role") for cell in tree.find(".//tbody/tr")] == ["rowheader", "cell", "cell"]
    wrong = mended.replace('data-label="one"', 'data-label="two"')
    assert misnamed(html.document_fromstring(wrong)) == ["['one'], ['two']: no"]
    wrong = mended.replace(' data-label="one"', "")
    assert misnamed(html.document_fromstring(wrong)) == ["['one'], []: no"]


# --- pictures -------------------------------------------------------------------------------------


def in_the_dark(colour: str) -> np.ndarray:
    """What the filter of a page makes of a colour."""
    matrix = np.array([float(x) for x in eyes.MATRIX.split()]).reshape(4, 5)
    seen = np.clip(matrix @ np.append(rgb(colour), (1, 1)), 0, 1)
    curves = [np.array(eyes.CURVES[name].split(), float) for name in "RGB"]
    return np.array(
        [np.interp(x, np.linspace(0, 1, c.size), c) for x, c in zip(seen, curves, strict=False)]
    )


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def lab(colour: np.ndarray) -> np.ndarray:
    """Where the eye places a colour (CIE 1976): lightness, green to red, blue to yellow."""
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ linear / (0.9505, 1, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_in_the_dark_each_colour_keeps_its_name():
    dark = {name: lab(rgb(pair[1])) for name, pair in marks.COLOURS.items()}
    for name, (light, _) in marks.COLOURS.items():
        seen = lab(in_the_dark(light))
        off = {other: np.linalg.norm(seen - place) for other, place in dark.items()}
        assert min(off, key=off.get) == name
        assert off[name] < 16, (name, off[name])
    white = in_the_dark("#ffffff")
    assert np.allclose(white * 255, 0x12, atol=1)  # the ground of the page
    for a, b in combinations(marks.COLOURS, 2):
        apart = np.linalg.norm(
            lab(in_the_dark(marks.COLOURS[a][0])) - lab(in_the_dark(marks.COLOURS[b][0]))
        )
        assert apart > 30, (a, b)


def test_in_the_dark_grey_is_grey():
    lightness = []
    for level in range(0x1A, 256):
        seen = lab(in_the_dark(f"#{level:02x}{level:02x}{level:02x}"))
        assert np.hypot(*seen[1:]) < 3, level
        lightness.append(seen[0])
    assert all(np.diff(lightness) < 0.01)


def test_turning_the_hue_alone_would_make_orange_brown(monkeypatch):
    turned = """0.526 -1.316 -0.132 0 0.92 -0.392 -0.398 -0.132 0 0.92
      -0.392 -1.315 0.786 0 0.92 0 0 0 1 0"""
    monkeypatch.setattr(eyes, "MATRIX", turned)
    monkeypatch.setattr(eyes, "CURVES", dict.fromkeys("RGB", "0 1"))
    with pytest.raises(AssertionError):
        test_in_the_dark_each_colour_keeps_its_name()


# --- controls: each question sees what it is there to see -----------------------------------------

SOUND = """<main><h1>A page</h1><article>
  <p>Words, and <a href="#x">a link</a>.</p>%s</article></main>"""
FORMULA = """<mjx-container><mjx-math aria-hidden="true">xxxxxxxxxxxx</mjx-math><mjx-mml>
  <math><mi>x</mi></math></mjx-mml></mjx-container>"""
LONG = "x" * 400
STYLE = "article { background: #fff; max-width: 30rem } article > * { max-width: 100% }"


def page(tmp_path, body: str, style: str = "") -> Path:
    path = tmp_path / "control.html"
    path.write_text(
        '<!DOCTYPE html><html lang="en"><head><title>c</title><meta charset="utf-8">'
        f"<style>{STYLE} {style}</style></head><body>{SOUND % body}</body></html>",
        encoding="utf-8",
    )
    return path


@pytest.mark.browser
def test_a_page_without_fault_has_none(browser, tmp_path):
    assert (
        seeing.look_at(browser, page(tmp_path, "<pre>code</pre>", "pre { font-size: 13px }")) == {}
    )


SCROLLS = "pre { overflow-x: auto; font-size: 13px }"
STOP = f'<pre tabindex="0" role="group" aria-label="Code">{LONG}</pre>'
SOLUTION = "<div class='solution dropdown'><section><p>Solved.</p></section></div>"
FAULTS = {
    "low contrast": ("<p style='color: #999'>Faint words.</p>", "", "color-contrast"),
    "low contrast in the dark": (
        "<p class='f'>Words.</p>",
        "html[data-theme=dark] .f { color: #888; background: #777 }",
        "color-contrast",
    ),
    "an unfocusable scroller": (f"<pre>{LONG}</pre>", SCROLLS, "no stop: pre"),
    "a scroller without a cue": (STOP, SCROLLS, "no cue: pre"),
    "a cue that stays at the end": (
        STOP,
        SCROLLS + "pre { mask-image: linear-gradient(#000, #000) }",
        "no cue: pre",
    ),
    "a stop for what fits": ('<pre tabindex="0">x</pre>', SCROLLS, "a stop: pre"),
    "something cut off": (f"<p class='c'>{LONG}</p>", ".c { overflow: hidden }", "cut off: p.c"),
    "a page that is too wide": (
        '<p style="width: 2000px; max-width: none">x</p>',
        "",
        "out of the page: p",
    ),
    "a focus that is not seen": ("", "a:focus-visible { outline: none }", "focus unseen: a"),
    "a focus that is too faint": (
        "",
        "a:focus-visible { outline: 3px solid #ccc }",
        "focus too faint: a",
    ),
    "a button that is not seen": (
        '<button class="b">x</button>',
        ".b { opacity: 0 }",
        "unseen with focus: button.b",
    ),
    "an error": ("<script>console.error('on purpose')</script>", "", "on purpose"),
    "what is fetched from elsewhere": (
        '<img alt="x" src="https://example.org/a.png">',
        "",
        "https://example.org/a.png",
    ),
    "a formula without a drawing": ("<p><span class='math'>x</span></p>", "", "not typeset"),
    "a solution that is open": (SOLUTION, "", "open unasked: section"),
    "a solution that stays shut": (SOLUTION, "section { display: none }", "shut when asked"),
    "small code": ("<pre>code</pre>", "pre { font-size: 11px }", "another size of code: 11px"),
    "two sizes of code": (
        "<pre>a</pre><pre style='font-size: 20px'>b</pre>",
        SCROLLS,
        "another size of code: 20px",
    ),
    "a thin caption": (
        "<figure><figcaption style='font-weight: 300'>c</figcaption></figure>",
        "",
        "a faint caption",
    ),
    "a formula that is not spoken": ("<mjx-container>x</mjx-container>", "", "not spoken once"),
    "a number over its formula": (
        f'<div class="math"><span class="eqno">(1)</span>{FORMULA}</div>',
        ".math mjx-container { position: absolute; left: 0 }",
        "over its formula: (1)",
    ),
    "a formula out of its line": (
        f'<p style="width: 4rem"><span class="math">{FORMULA}</span></p>',
        "",
        "out of its line",
    ),
    "a formula that comes to no rest": (
        f"""<p><span class="math" id="r">{FORMULA}</span></p><script>
          const shrink = k => requestAnimationFrame(() => shrink(k + 1),
            document.getElementById('r').style.fontSize = `${{20 - k % 9}}px`);
          shrink(0);</script>""",
        "",
        "restless: span.math",
    ),
    "a small target": (
        '<button class="s" aria-label="a"></button><button class="s" aria-label="b"></button>',
        ".s { width: 9px; height: 9px; padding: 0; border: 0; background: #000 }",
        "target-size",
    ),
}


AT_A_GLANCE = (
    *("a solution that is open", "a solution that stays shut", "a formula without a drawing"),
    *("an error", "what is fetched from elsewhere", "a page that is too wide", "something cut off"),
)
SEEN = [(seeing.look_at, fault) for fault in FAULTS]
SEEN += [(seeing.glance_at, fault) for fault in AT_A_GLANCE]


@pytest.mark.browser
@pytest.mark.parametrize(("look", "fault"), SEEN, ids=lambda x: getattr(x, "__name__", x))
def test_a_fault_is_seen(browser, tmp_path, look, fault):
    body, style, words = FAULTS[fault]
    found = look(browser, page(tmp_path, body, style))
    assert any(words in line for lines in found.values() for line in lines), found


def test_an_id_that_stands_twice_and_untagged_chinese_are_seen(tmp_path):
    text = '<p id="a">梯度 <b>gradient</b> 策略</p><p id="a" lang="zh">策略</p>'
    tree = html.parse(str(page(tmp_path, text))).getroot()
    assert doubled(tree) == ["a"]
    assert len(untagged(tree)) == 2
    tagged = eyes.chinese('<p title="策略">策略（policy） <span lang="zh">梯度</span></p>')
    assert tagged == (
        '<p title="策略"><span lang="zh">策略（</span>policy） <span lang="zh">梯度</span></p>'
    )
    assert re.search("<title>策略</title>", eyes.chinese("<title>策略</title><p>x</p>"))
