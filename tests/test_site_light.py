"""Pages of the built book show at once, ship nothing for nothing, and work without a script."""

import re
from pathlib import Path

import pytest

import icons
import light

MOST = 15e6  # bytes of the whole site
INLINE = (
    400  # characters of a script within a head; there is one, against a flash of the wrong theme
)

# --- what is looked for ---------------------------------------------------------------------------

HEAD = re.compile(r"<head>.*?</head>", re.DOTALL)
SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL)
SCRIPTED = re.compile(r"^(?!.*(?:\bsrc=|application/)).*").match  # no file, and no data
ICON = re.compile(r"\bfa-[a-z0-9-]+")
NO_ICON = {*icons.FAMILY, "fa-lg"}


def blocking(text: str) -> list[str]:
    """The scripts that a page waits for: not deferred, or in its head beyond one short one."""
    files = [attributes for attributes, _ in SCRIPT.findall(text) if "src=" in attributes]
    found = [attributes for attributes in files if "defer" not in attributes.split()]
    head = HEAD.search(text)[0]
    inline = [body for attributes, body in SCRIPT.findall(head) if SCRIPTED(attributes)]
    return found + (inline if len("".join(inline)) > INLINE else [])


def drawn(css: str) -> set[str]:
    """The icons that a stylesheet draws."""
    return set(re.findall(r"\.(fa-[\w-]+)\{--icon:url\(\"data:image/svg\+xml,", css))


def named(texts) -> set[str]:
    """The icons that pages or scripts name."""
    return {name for text in texts for name in ICON.findall(text)} - NO_ICON


def for_nothing(site: Path) -> list[str]:
    """Files that no reader of the site could use: other languages, maps, fonts for old browsers."""
    return sorted(
        path.relative_to(site).as_posix()
        for path in site.rglob("*")
        if path.suffix in (".map", ".po", ".mo", ".ttf", ".scss")
        or path.name in ("fontawesome.js", "webpack-macros.html", "sbt-webpack-macros.html")
    )


def unasked(site: Path, texts: list[str]) -> list[str]:
    """Scripts, styles, fonts and pictures that no page, script or stylesheet names."""
    kept = light.KEPT
    every = "\n".join(texts)
    return sorted(
        path.relative_to(site).as_posix()
        for path in (site / "_static").rglob("*")
        if path.is_file()
        and path.name not in kept
        and path.name not in every
        and path.stem not in every  # a script may put a name together
    )


@pytest.fixture(scope="module")
def texts(site) -> dict[str, str]:
    """Each page, script and stylesheet of the site."""
    paths = (path for path in site.rglob("*") if path.suffix in (".html", ".js", ".css"))
    return {path.relative_to(site).as_posix(): path.read_text("utf-8") for path in sorted(paths)}


@pytest.fixture(scope="module")
def book(texts) -> dict[str, str]:
    """The pages of the site that have a theme; not those that lead on."""
    return {name: text for name, text in texts.items() if "styles.css" in text and "<head>" in text}


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.site
def test_no_page_waits_for_a_script(book):
    assert len(book) > 40
    assert {name: found for name, text in book.items() if (found := blocking(text))} == {}


@pytest.mark.site
def test_every_page_has_one_stylesheet_one_viewport_and_no_title_twice(book):
    for name, text in book.items():
        head = HEAD.search(text)[0]
        assert head.count('rel="stylesheet"') == 1, name
        assert head.count('name="viewport"') == 1, name
        title = re.search("<title>(.*?)</title>", head)[1]
        parts = re.split(" (?:&#8212;|—) ", title)
        assert len(parts) == len(set(parts)), title


@pytest.mark.site
def test_nothing_is_shipped_for_nothing(site, texts):
    assert for_nothing(site) == []
    assert unasked(site, list(texts.values())) == []
    assert not [name for name, text in texts.items() if "sourceMappingURL" in text]


@pytest.mark.site
def test_the_site_is_under_fifteen_megabytes(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) < MOST


@pytest.mark.site
def test_every_icon_in_use_is_drawn(texts):
    css = drawn(texts["_static/styles.css"])
    wanted = named(text for name, text in texts.items() if name.endswith((".html", ".js")))
    assert len(css) > 8
    assert wanted - css == set()
    assert css - wanted == set()
    assert "Font Awesome Free" in texts["_static/styles.css"]  # the licence's own lines


@pytest.mark.site
def test_scripts_are_where_they_are_needed_and_only_there(book):
    for name, text in book.items():
        scripts = {script.rpartition("/")[2] for script in re.findall(r'src="([^"?]*\.js)', text)}
        assert ("copybutton.js" in scripts) == ('<div class="highlight' in text), name
        assert ("togglebutton.js" in scripts) == ("solution dropdown" in text), name
        assert ("design-tabs.js" in scripts) == ("sd-tab-set" in text), name


# --- in a browser ---------------------------------------------------------------------------------

CHAPTER = "09-reinforce"
A_MOMENT = "new Promise(done => setTimeout(done, 500))"
# Of the icons that are on the screen: those with no shape, no size, or the colour behind them.
POOR_ICONS = """[...document.querySelectorAll('i, span, p')].filter(e => {
  if (!/(^|\\s)(fa[srb]?|fa-\\w+)(\\s|$)/.test(e.className) || !e.checkVisibility()) return false;
  const {maskImage, backgroundColor, width, height} = getComputedStyle(e);
  let behind = e.parentElement, under;
  while (behind && /^rgba.*, 0\\)$/.test(under = getComputedStyle(behind).backgroundColor)) {
    behind = behind.parentElement;
  }
  return !maskImage.startsWith('url("data:') || parseFloat(width) < 5 || parseFloat(height) < 5
    || /^rgba.*, 0\\)$/.test(backgroundColor) || backgroundColor === under;
}).map(e => e.className)"""
ICONS = """[...document.querySelectorAll('i[class*=fa-], span[class*=fa-]')]
  .filter(e => e.checkVisibility()).length"""


def seen(selector: str) -> str:
    """Is the first element of this kind on the screen, for all one can tell?"""
    return f"""(e => !!e && e.checkVisibility({{visibilityProperty: true, opacityProperty: true}})
      && e.getBoundingClientRect().height > 1 && e.getBoundingClientRect().right > 0)
      (document.querySelector({selector!r}))"""


def click(page, selector: str):
    page.evaluate(f"document.querySelector({selector!r}).click()")
    page.evaluate(A_MOMENT)


def press(page, key: str, modifiers: int = 0):
    """Press and let go of a key, as a reader would."""
    known = {"key": key, "code": f"Key{key.upper()}" if len(key) == 1 else key}
    codes = {"Escape": 27}
    known["windowsVirtualKeyCode"] = codes.get(key) or ord(key.upper())
    for kind in ("rawKeyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, modifiers=modifiers, **known)
    page.evaluate(A_MOMENT)


@pytest.fixture(scope="module")
def wide(browser, site):
    """A chapter on a wide screen, in dark colours as the reader's system asks for."""
    page = browser.open(site / "book" / f"{CHAPTER}.html", dark=True)
    page.evaluate(A_MOMENT)
    yield page
    page.close()


@pytest.mark.site
@pytest.mark.browser
def test_the_theme_follows_the_system_and_the_switch(wide):
    theme = "[document.documentElement.dataset.theme, document.documentElement.dataset.mode]"
    assert wide.evaluate(theme) == ["dark", "auto"]
    found = []
    for _ in range(3):
        assert wide.evaluate(POOR_ICONS) == []
        assert wide.evaluate(ICONS) >= 5
        click(wide, ".theme-switch-button")
        found.append(wide.evaluate(theme))
    assert sorted(map(tuple, found)) == [("dark", "auto"), ("dark", "dark"), ("light", "light")]


@pytest.mark.site
@pytest.mark.browser
def test_icons_are_seen_where_colours_are_forced(wide):
    forced = [{"name": "forced-colors", "value": "active"}]
    wide.send("Emulation.setEmulatedMedia", features=forced)
    try:
        assert wide.evaluate("matchMedia('(forced-colors: active)').matches")
        assert wide.evaluate(POOR_ICONS) == []
    finally:
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        wide.send("Emulation.setEmulatedMedia", features=dark)


@pytest.mark.site
@pytest.mark.browser
def test_the_menu_of_downloads_opens_and_closes(wide):
    menu = ".dropdown-download-buttons .dropdown-menu"
    assert not wide.evaluate(seen(menu))
    click(wide, ".dropdown-download-buttons .dropdown-toggle")
    assert wide.evaluate(seen(menu))
    assert wide.evaluate(POOR_ICONS) == []
    press(wide, "Escape")
    assert not wide.evaluate(seen(menu))


@pytest.mark.site
@pytest.mark.browser
def test_code_is_copied_as_it_stands(wide):
    boxes = "document.querySelectorAll('div.highlight pre').length"
    assert wide.evaluate("document.querySelectorAll('button.copybtn').length") == wide.evaluate(
        boxes
    )
    copied = """new Promise(done => {
      document.addEventListener('copy', e => done(document.activeElement.value), {once: true});
      document.querySelector('button.copybtn').click();
      setTimeout(() => done('nothing'), 3000);
    })"""
    gesture = {"userGesture": True, "awaitPromise": True, "returnByValue": True}
    answer = wide.send("Runtime.evaluate", expression=copied, **gesture)["result"]["value"]
    code = "document.querySelector('div.highlight pre').textContent"
    assert answer.strip() == wide.evaluate(code).strip()


@pytest.mark.site
@pytest.mark.browser
def test_a_solution_opens_and_closes(wide):
    inner = "div.solution.dropdown > section"
    for expected in (False, True, False):
        assert wide.evaluate(seen(inner)) == expected
        click(wide, "div.solution.dropdown .toggle-button")


@pytest.mark.site
@pytest.mark.browser
def test_the_list_of_chapters_is_put_aside_and_back(wide):
    for expected in (True, False):
        assert wide.evaluate(seen(".bd-sidebar-primary")) == expected
        click(wide, ".primary-toggle")
    assert wide.evaluate(seen(".bd-sidebar-primary"))


@pytest.mark.site
@pytest.mark.browser
def test_the_search_is_a_key_away(wide):
    press(wide, "k", modifiers=2)
    assert wide.evaluate(seen("dialog[open] input[type=search]"))
    assert wide.evaluate("document.activeElement.type") == "search"
    press(wide, "Escape")
    assert not wide.evaluate(seen("dialog[open] input[type=search]"))


@pytest.mark.site
@pytest.mark.browser
def test_there_is_no_button_for_the_whole_screen_and_no_error(wide):
    assert not wide.evaluate("!!document.querySelector('.btn-fullscreen-button')")
    assert wide.errors == []


@pytest.mark.site
@pytest.mark.browser
def test_on_a_phone_both_lists_open_over_the_page(browser, site):
    phone = browser.open(site / "book" / f"{CHAPTER}.html", width=390, height=800)
    phone.evaluate(A_MOMENT)
    assert phone.evaluate(POOR_ICONS) == []
    for toggle, inner in (
        (".primary-toggle", ".bd-docs-nav"),
        (".secondary-toggle", "#pst-page-toc-nav"),
    ):
        inner = f"dialog[open] {inner}"
        assert not phone.evaluate(seen(inner))
        click(phone, toggle)
        assert phone.evaluate(seen(inner))
        press(phone, "Escape")
        assert not phone.evaluate(seen(inner))
    assert phone.errors == []
    phone.close()


# --- without scripts ------------------------------------------------------------------------------

FORMULAS = """[...document.querySelectorAll('.math')].filter(e =>
  !(e.querySelector('mjx-math')?.getBoundingClientRect().width > 1)).length"""
HIDDEN = """[...document.querySelectorAll('div.solution > section')].filter(e => !e.checkVisibility(
  {visibilityProperty: true, opacityProperty: true}) || e.offsetHeight < 5).length"""
LINKS = """[...document.querySelectorAll('.bd-docs-nav a')].filter(e => {
  const {left, right, width} = e.getBoundingClientRect();
  return e.checkVisibility({visibilityProperty: true}) && left >= 0 && width && right <= innerWidth;
}).length"""


def unscripted(browser, path: Path, blank: Path, width: int):
    """A page in a browser that runs no script of it."""
    blank.write_text("<!DOCTYPE html><title>Blank</title>", encoding="utf-8")
    page = browser.open(blank, width=width)
    page.send("Emulation.setScriptExecutionDisabled", value=True)
    browser.events = [e for e in browser.events if e.get("sessionId") != page.session]
    page.send("Page.navigate", url=path.resolve().as_uri())
    browser.wait_for("Page.loadEventFired", page.session)
    return page


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_is_whole_without_scripts(browser, site, tmp_path, width):
    path = site / "book" / f"{CHAPTER}.html"
    page = unscripted(browser, path, tmp_path / "blank.html", width)
    assert page.evaluate("document.querySelectorAll('.copybtn').length") == 0
    assert page.evaluate("document.querySelectorAll('.math').length") > 20
    assert page.evaluate(FORMULAS) == 0
    assert page.evaluate("document.querySelectorAll('div.solution > section').length") > 1
    assert page.evaluate(HIDDEN) == 0
    assert page.evaluate(LINKS) >= 40
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.close()


# --- controls: each of the looks above sees what it is there to see -------------------------------


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('<script defer src="a.js"></script>', 0),
        ('<script src="a.js"></script>', 1),
        ('<script src="a.js" data-defer></script>', 1),
        ('</head><body><script src="a.js"></script>', 1),
        ("<script>let a = 1;</script>", 0),
        (f"<script>{'a = 1;' * 100}</script>", 1),
        (f"<script>{'a = 1;' * 50}</script><script>{'a = 1;' * 50}</script>", 2),
        (f'<script type="application/ld+json">{"1" * 1000}</script>', 0),
    ],
)
def test_a_script_that_blocks_is_found(body, found):
    page = f"<head>{body}</head>" if "</head>" not in body else f"<head>{body}"
    assert len(blocking(page)) == found


def test_a_file_for_nothing_is_found(tmp_path):
    static = tmp_path / "_static"
    (static / "locales" / "fr").mkdir(parents=True)
    for name in ("a.js", "a.js.map", "b.css", "locales/fr/a.mo", "fontawesome.js", "font.woff"):
        (static / name).touch()
    assert for_nothing(tmp_path) == [
        "_static/a.js.map",
        "_static/fontawesome.js",
        "_static/locales/fr/a.mo",
    ]
    assert "_static/font.woff" in unasked(tmp_path, ['<script src="a.js">', "url(b.css)"])
    assert "_static/b.css" not in unasked(tmp_path, ['<script src="a.js">', "url(b.css)"])


def test_an_icon_without_a_drawing_is_found():
    css = icons.by_class({"bars": icons.Icon(448, 512, "M0 0z")})
    assert drawn(css) == {"fa-bars"}
    assert named(['<i class="fas fa-bars fa-lg">', 'a.className = "fa fa-xmark"']) - drawn(css) == {
        "fa-xmark"
    }


@pytest.mark.browser
def test_an_icon_that_is_not_seen_is_found(browser, tmp_path):
    css = icons.by_class({"bars": icons.Icon(448, 512, "M0 0h448v512H0z")})
    path = tmp_path / "control.html"
    faults = ("fa-bars", "fa-gone", 'fa-bars" style="color: white', 'fa-bars" style="width: 0')
    body = "".join(f'<p><i class="fas {fault}"></i></p>' for fault in faults)
    style = f"<style>body {{ background: white }} {css}</style>"
    path.write_text(f"<!DOCTYPE html><title>c</title>{style}{body}", encoding="utf-8")
    page = browser.open(path)
    assert page.evaluate(POOR_ICONS) == ["fas fa-gone", "fas fa-bars", "fas fa-bars"]
    page.close()


@pytest.mark.browser
def test_what_needs_a_script_is_found(browser, tmp_path):
    path = tmp_path / "control.html"
    hidden = '<div class="solution"><section style="opacity: 0">words</section></div>'
    formula = '<span class="math">\\(x\\)</span>'
    far = '<nav class="bd-docs-nav" style="position: fixed; left: -300px"><a href="a">a</a></nav>'
    script = "<script>document.body.append('script')</script>"
    path.write_text(f"<!DOCTYPE html><title>c</title>{hidden}{formula}{far}{script}", "utf-8")
    page = unscripted(browser, path, tmp_path / "blank.html", 390)
    assert [page.evaluate(look) for look in (FORMULAS, HIDDEN, LINKS)] == [1, 1, 0]
    assert "script" not in page.evaluate("document.body.innerText")
    page.close()


@pytest.mark.browser
def test_the_first_theme_needs_no_file(browser, tmp_path):
    path = tmp_path / "control.html"
    path.write_text(f"<!DOCTYPE html><title>c</title>{light.SCHEME}", encoding="utf-8")
    for dark in (False, True):
        page = browser.open(path, dark=dark)
        assert page.evaluate("document.documentElement.dataset.theme") == ("light", "dark")[dark]
        assert page.errors == []
        page.close()
