"""One finds one's way in the built book: previews, addresses that last, both ways, what was read."""

import json
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

import built
import numbering
import permalinks
import previews
import sources
import terms

VENDOR = Path(__file__).parent / "vendor"
PAGE = "08-policy-gradient-theorem"
CARD = "document.querySelector('#preview[open]')"
TEXT = f"({CARD} ? {CARD}.textContent : '')"
A_MOMENT = "new Promise(done => setTimeout(done, {}))"
KINDS = {  # what a link leads to: the link, and what its preview has
    "equation": ("article p a[href*='07-reinforce-estimator.html#equation-']", "mjx-container"),
    "number in a verdict": ("article a.pg-number", "mjx-container"),
    "term": ("article a.term", ".preview-title + *"),
    "citation": ("article a[href*='references.html#cite-sutton2000']", "em"),
    "source line": ("article a.source-line", "strong"),
    "chapter": ("article .contract a[href^='07-']", "strong"),
}


@pytest.fixture(scope="module")
def trees(site) -> dict:
    """Every page of the book, parsed."""
    paths = sorted((site / "book").glob("*.html"))
    return {path.stem: BeautifulSoup(path.read_text("utf-8"), "lxml") for path in paths}


# --- addresses ------------------------------------------------------------------------------------


def passing(tree) -> list[str]:
    """Permalinks that do not survive a change of the page: by order, or by number."""
    links = (link["href"] for link in tree.select("a.headerlink, a.cell-number"))
    return [link for link in links if re.search(r"#(id\d+|cell-.*-\d+)$", link)]


@pytest.mark.site
def test_every_permalink_survives_a_renumbering_and_leads_to_its_place(trees):
    found = 0
    for name, tree in trees.items():
        assert passing(tree) == [], name
        for link in tree.select("a.headerlink, a.cell-number"):
            found += 1
            assert tree.find(id=link["href"][1:]) is not None, (name, link)
            assert link.get("aria-label") or re.fullmatch(r"cell\xa0\d+", link.get_text()), link
    assert found > 1000


def test_a_permalink_that_passes_is_seen():
    links = "".join(f'<a class="headerlink" href="#{x}"></a>' for x in ("id4", "four", "cell-a-4"))
    assert passing(BeautifulSoup(links, "lxml")) == ["#id4", "#cell-a-4"]


@pytest.mark.site
def test_sections_equations_figures_exercises_and_cells_have_permalinks(trees):
    for name, tree in trees.items():
        article = tree.article
        for place in article.select("h1, h2, h3, h4, div.math[id], .exercise > p.admonition-title"):
            assert place.select("a.headerlink"), (name, place.get_text()[:60])
        for figure in article.select("figure[id]:has(figcaption .caption-number)"):
            assert figure.select("figcaption a.headerlink"), (name, figure["id"])
        for cell in article.select("div.cell[id]"):
            (number,) = cell.select(":scope > a.cell-number")
            assert cell["id"].endswith(f"-{number.get_text()[5:]}"), cell["id"]


@pytest.mark.site
def test_the_numbers_in_the_ledger_stand_at_the_cells(trees):
    links = trees["ledger"].select('article a[href*="#cell-"]')
    for link in links:
        page, _, anchor = link["href"].partition(".html#")
        number = trees[page].find(id=anchor).select_one("a.cell-number").get_text()
        assert link.get_text().endswith(number), link
        other = link.get_text().removesuffix(number).strip(", ")
        assert other in ("", numbering.named(page)), link
    assert len(links) > 1000


def test_a_section_with_a_title_that_was_there_before_is_named_by_the_one_around(tmp_path):
    found = converted(tmp_path, "# A\n\n## B\n\n### C\n\n## D\n\n### C\n\n(own)=\n## B\n")
    assert [s["id"] for s in found.select("section")] == ["a", "b", "c", "d", "d-c", "own"]


def converted(folder: Path, text: str, name: str = "index", others: str = "") -> BeautifulSoup:
    """The page of a small book made of a text, with the extensions of these tests."""
    from sphinx.application import Sphinx

    (folder / "conf.py").write_text("extensions=['myst_parser', 'permalinks', 'sources', 'terms']")
    (folder / "index.md").write_text(text, "utf-8")
    (folder / "book").mkdir(exist_ok=True)
    head = "# Map\n\n(map-s2)=\n**S2.** Said.\n\n(map-l2)=\n**L2.** Loose. [](own).\n"
    if others:
        (folder / "book" / "source-map.md").write_text(head)
        (folder / "book" / "glossary.md").write_text(
            "# Words\n\n```{glossary}\npercept\n  Seen.\n\nREINFORCE\n  It.\n\nreturn\n  Paid.\n```\n"
        )
        (folder / "index.md").write_text(
            f"{text}\n\n```{{toctree}}\nbook/source-map\nbook/glossary\n```\n", "utf-8"
        )
    out = folder / "out"
    Sphinx(folder, folder, out, out / "d", "html", status=None, warning=None).build()
    return BeautifulSoup((out / f"{name}.html").read_text("utf-8"), "lxml").select_one(".body")


# --- both ways ------------------------------------------------------------------------------------


@pytest.mark.site
def test_every_source_line_leads_to_its_entry_and_every_entry_back(trees):
    entries = {p["id"]: p for p in trees["source-map"].select("article p[id^=map-]")}
    assert len(entries) == 34
    for name, tree in trees.items():
        if name not in ("source-map", "index"):
            for row in plain_rows(tree.article):
                pytest.fail(f"{name}: {row} is not a link")
            for link in tree.select("article a[href*='source-map.html#map-']"):
                entry = entries[link["href"].partition("#")[2]]
                assert any(a["href"].startswith(f"{name}.html") for a in entry.select("a")), link
    assert plain_rows(trees["index"].article) == []
    for anchor, entry in entries.items():
        back = [a for a in entry.select("a") if "#equation" not in a["href"]]
        assert any(anchor in met(trees, a["href"]) for a in back), anchor


def plain_rows(article) -> list[str]:
    """Numbers of source lines that stand in the text without a link."""
    found = []
    for text in article.find_all(string=sources.TOKEN):
        tags = {parent.name for parent in text.parents}
        if not tags & {"a", "code", "pre", "h1", "h2", "h3", "mjx-container", "svg", "script"}:
            found += sources.TOKEN.findall(text)
    return found


def met(trees, href: str) -> set[str]:
    """The entries that the page behind a link leads to."""
    page = href.partition(".html")[0]
    links = trees[page].select("article a[href*='#map-']") if page in trees else []
    return {link["href"].partition("#")[2] for link in links}


def test_numbers_become_links_outside_formulas_and_code_and_entries_lead_back(tmp_path):
    text = "# A S2\n\n## B\n\nAs S2 says, `S2`, $S2$, S3, and [L2](map-l2).\n\n(own)=\n## C\n\nL2.\n"
    page = converted(tmp_path, text, others="yes")
    assert [a.get_text() for a in page.select("a.source-line")] == ["S2", "L2"]
    there = BeautifulSoup((tmp_path / "out/book/source-map.html").read_text("utf-8"), "lxml")
    assert there.find(id="map-s2").get_text() == "S2. Said."  # the first page only tells of numbers
    assert plain_rows(BeautifulSoup("<p>S2 and <a>L2</a> and <code>S3</code></p>", "lxml")) == ["S2"]


def test_the_first_use_of_a_term_is_marked_and_nothing_else(tmp_path):
    text = "# Percept\n\nA `percept` in **Percepts**, a percept. To reinforce; REINFORCE. A return.\n"
    page = converted(tmp_path, text, others="yes")
    assert [a.get_text() for a in page.select("a.term")] == ["Percepts", "REINFORCE"]
    assert "return" in terms.EVERYDAY


@pytest.mark.site
def test_citations_and_the_list_agree(trees):
    entries = trees["references"].select("article ul.references > li")
    assert len(entries) > 40 and not trees["references"].select(".citation, [role=doc-biblioentry]")
    for entry in entries:
        cited = entry.select(".cited-in a")
        assert cited, entry["id"]
        for link in cited:
            page, _, anchor = link["href"].partition(".html#")
            assert trees[page].find(id=anchor).select(f"a[href$='#{entry['id']}']"), link
    years = [re.search(r"\((\d{4}[ab]?|no date)\)", entry.get_text())[1] for entry in entries]
    names = [entry.get_text().partition(" (")[0] for entry in entries]
    assert years[0] == "no date" and names[1:] == sorted(names[1:], key=str.lower)
    for name, tree in trees.items():
        for link in tree.select("article .bibtex-citation a"):
            entry = trees["references"].find(id=link["href"].partition("#")[2])
            year = re.search(r"\d{4}[ab]?", link.get_text())
            assert link.get_text() == "source" or f"({year[0]})" in entry.get_text(), (name, link)


@pytest.mark.site
def test_every_page_names_its_neighbours_and_their_parts(trees):
    whole = [name for name, tree in trees.items() if tree.select(".prev-next-area")]
    assert set(whole) == set(trees)
    for name, tree in trees.items():
        titles = tree.select(".prev-next-title")
        assert len(titles) == 2 - (name in ("index", "references")), name
        for title in titles:
            first = title.find_parent("a")["href"] == "index.html"
            assert first or title.select_one(".part-name").get_text(), name


@pytest.mark.site
def test_what_a_contract_needs_are_links(trees):
    for name, tree in trees.items():
        for paragraph in tree.select("article .contract p"):
            if paragraph.get_text().startswith("You need"):
                assert not re.search(r"chapters? \d", paragraph.get_text()), name


# --- previews -------------------------------------------------------------------------------------


@pytest.mark.site
def test_every_equation_term_and_reference_that_a_link_leads_to_has_a_preview(site, trees):
    wanted = previews.targets(built.articles(site))
    for page, anchors in wanted.items():
        path = site / "_static" / "previews" / f"{page}.js"
        found = json.loads(path.read_text("utf-8").partition("]=")[2].rstrip(";\n"))[2]
        kinds = ("equation-", "term-", "cite-", "map-", "ex-", "claim-")
        assert {a for a in anchors if a.startswith(kinds)} <= set(found), page
        for title, text in found.values():
            assert text and " id=" not in text and "\\" not in title, (page, title)
    sizes = [path.stat().st_size for path in (site / "_static" / "previews").iterdir()]
    assert max(sizes) < 100_000 and sum(sizes) < 1_200_000


def test_a_preview_is_packed_without_a_loss():
    text = '<p>a<mjx-c class="x"></mjx-c>b<mjx-c class="x"></mjx-c><mjx-c class="x"></mjx-c></p>'
    table, found = previews.packed({"a": ["t", text]})
    short = found["a"][1]
    assert len(short) < len(text)
    assert re.sub("[\ue000-\uf8ff]", lambda m: table[ord(m[0]) - previews.FIRST], short) == text


@pytest.fixture(scope="module")
def desk(browser, site):
    """A page on a wide screen, with a pointer and a keyboard."""
    shown = browser.open(site / "book" / f"{PAGE}.html")
    yield shown
    shown.close()


@pytest.fixture(scope="module")
def phone(browser, site):
    """The same page on a phone."""
    shown = browser.open(site / "book" / f"{PAGE}.html", width=390, height=800, dark=True)
    shown.send("Emulation.setTouchEmulationEnabled", enabled=True)
    yield shown
    shown.close()


def middle(shown, selector: str) -> dict:
    """Where on the screen the first element is, once it has been scrolled to."""
    return shown.evaluate(
        f"""(() => {{
          const a = document.querySelector({json.dumps(selector)});
          a.scrollIntoView({{block: "center", behavior: "instant"}});
          const box = a.getClientRects()[0];
          return {{x: box.x + box.width / 2, y: box.y + box.height / 2}};
        }})()"""
    )


def pointer(shown, x: float, y: float):
    shown.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)


def key(shown, name: str):
    code = {"Tab": 9, "Escape": 27}[name]
    for kind in ("keyDown", "keyUp"):
        shown.send(
            "Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code
        )


def tap(shown, at: dict):
    shown.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[at])
    shown.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def until(shown, condition: str, seconds: float = 3) -> bool:
    """Does a condition come true in time?"""
    return shown.evaluate(
        f"""(async () => {{
          for (let k = 0; k < {int(seconds * 50)} && !({condition}); k++)
            await new Promise(done => setTimeout(done, 20));
          return Boolean({condition});
        }})()"""
    )


def lies_clear(shown, selector: str) -> bool:
    """Is the card within the screen, and nowhere over its link?"""
    return shown.evaluate(
        f"""(() => {{
          const card = {CARD}.getBoundingClientRect();
          const lines = [...document.querySelector({json.dumps(selector)}).getClientRects()];
          return card.left >= 0 && card.right <= innerWidth
            && lines.every(r => r.bottom <= card.top || r.top >= card.bottom
                                || r.right <= card.left || r.left >= card.right);
        }})()"""
    )


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize("kind", KINDS)
def test_a_preview_comes_with_the_pointer_and_goes_with_escape(desk, kind):
    selector, content = KINDS[kind]
    pointer(desk, 5, 5)
    pointer(desk, **middle(desk, selector))
    assert until(desk, f"{CARD}?.querySelector({json.dumps(content)})"), kind
    assert lies_clear(desk, selector)
    card = desk.evaluate(f"(r => ({{x: r.x + 20, y: r.y + 12}}))({CARD}.getBoundingClientRect())")
    pointer(desk, **card)
    desk.evaluate(A_MOMENT.format(450))
    assert desk.evaluate(f"Boolean({CARD})"), "it goes while the pointer is on it"
    key(desk, "Escape")
    assert desk.evaluate(TEXT) == ""


@pytest.mark.site
@pytest.mark.browser
def test_a_preview_goes_once_the_pointer_has_gone(desk):
    pointer(desk, **middle(desk, KINDS["equation"][0]))
    assert until(desk, CARD)
    pointer(desk, 5, 5)
    assert until(desk, f"!{CARD}")


@pytest.mark.site
@pytest.mark.browser
def test_a_preview_comes_with_the_focus_and_goes_with_it(desk):
    selector = json.dumps(KINDS["equation"][0])
    links = "[...document.querySelectorAll('a[href], button, summary, input')]"
    desk.evaluate(
        f"""(() => {{
          const all = {links}.filter(e => e.checkVisibility() && e.tabIndex >= 0);
          all[all.indexOf(document.querySelector({selector})) - 1].focus();
        }})()"""
    )
    key(desk, "Tab")
    assert desk.evaluate(f"document.activeElement.matches({selector})")
    assert until(desk, f"{CARD}?.querySelector('mjx-container')")
    assert desk.evaluate("document.activeElement.getAttribute('aria-describedby')") == "preview"
    key(desk, "Escape")
    assert desk.evaluate(f"!{CARD} && document.activeElement.matches({selector})")


@pytest.mark.site
@pytest.mark.browser
def test_the_first_tap_shows_and_the_link_in_the_card_leads_on(phone):
    selector = KINDS["equation"][0]
    tap(phone, middle(phone, selector))
    assert until(phone, f"{CARD}?.querySelector('mjx-container')")
    assert lies_clear(phone, selector)
    assert phone.evaluate("location.pathname").endswith(f"{PAGE}.html")
    assert phone.evaluate(f"document.activeElement === {CARD}")
    there = phone.evaluate(f"{CARD}.querySelector('.preview-go').href")
    assert there == phone.evaluate(f"document.querySelector({json.dumps(selector)}).href")
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert phone.evaluate(sideways) <= 0
    tap(phone, {"x": 380, "y": 780})
    assert until(phone, f"!{CARD}")


@pytest.mark.site
@pytest.mark.browser
@pytest.mark.parametrize("kind", ["equation", "citation"])
@pytest.mark.parametrize("where", ["desk", "phone"])
def test_axe_finds_nothing_in_an_open_preview(request, where, kind):
    shown = request.getfixturevalue(where)
    act = tap if where == "phone" else lambda page, at: pointer(page, **at)
    act(shown, middle(shown, KINDS[kind][0]))
    assert until(shown, CARD)
    axe = (VENDOR / "axe-core-4.14.1.min.js").read_text("utf-8")
    shown.evaluate(f"{axe};0")
    found = shown.evaluate("axe.run('#preview').then(r => r.violations.map(v => v.id))")
    shown.evaluate(f"{CARD}.insertAdjacentHTML('beforeend', '<button id=bad></button>')")
    seen = shown.evaluate("axe.run('#preview').then(r => r.violations.map(v => v.id))")
    shown.evaluate("document.getElementById('bad').remove()")
    key(shown, "Escape")
    assert found == [] and seen == ["button-name"]


@pytest.mark.site
@pytest.mark.browser
def test_all_this_asks_for_nothing_but_files_and_logs_no_error(desk, phone):
    for shown in (desk, phone):
        assert shown.errors == []
        assert [x for x in shown.requests if not x.startswith(("file:", "data:"))] == []
        assert any("/_static/previews/07-" in x for x in shown.requests)


# --- what was read --------------------------------------------------------------------------------


def again(shown, path: Path):
    """Go to a page in the same profile."""
    events = shown.browser.events
    shown.browser.events = [e for e in events if e.get("method") != "Page.loadEventFired"]
    shown.send("Page.navigate", url=path.resolve().as_uri())
    shown.browser.wait_for("Page.loadEventFired", shown.session)
    shown.evaluate(A_MOMENT.format(50))


READ_ALL = """(async () => {
  for (const head of document.querySelectorAll("article h1, article h2, .read-end")) {
    head.scrollIntoView({behavior: "instant"});
    await new Promise(done => setTimeout(done, 60));
  }
  await new Promise(done => setTimeout(done, 400));
})()"""


@pytest.mark.site
@pytest.mark.browser
def test_what_was_read_is_remembered_on_the_device_until_it_is_forgotten(browser, site):
    shown = browser.open(site / "book" / "index.html")
    marks = "document.querySelectorAll('.read-mark, .read-note, .read-on').length"
    assert shown.evaluate(marks) == 0
    page = site / "book" / "07-reinforce-estimator.html"
    again(shown, page)
    shown.evaluate("document.querySelector('.read-end').scrollIntoView()")
    shown.evaluate(A_MOMENT.format(100))
    assert shown.evaluate("document.querySelectorAll('.read-mark').length") == 0, "only its end"
    shown.evaluate(READ_ALL)
    shown.evaluate("document.querySelectorAll('article h2')[1].scrollIntoView()")
    shown.evaluate(A_MOMENT.format(400))
    again(shown, site / "book" / "index.html")
    (marked,) = shown.evaluate(
        "[...document.querySelectorAll('a:has(> .read-mark)')].map(a => a.textContent)"
    )
    assert "The REINFORCE estimator" in marked and marked.endswith("(read)")
    on = shown.evaluate("document.querySelector('.read-on a').getAttribute('href')")
    target, _, anchor = on.partition("#")
    section = BeautifulSoup((site / "book" / target).read_text("utf-8"), "lxml").find(id=anchor)
    assert target == page.name and section.h2 is not None
    shown.evaluate("document.querySelector('.read-forget').click()")
    assert shown.evaluate(marks) == 0
    again(shown, site / "book" / "index.html")
    assert shown.evaluate(marks) == 0 and shown.evaluate("localStorage.length") == 0
    assert shown.errors == []
    shown.close()


@pytest.mark.site
@pytest.mark.browser
def test_where_storage_is_forbidden_nothing_is_said_and_nothing_breaks(browser, site):
    script = """Object.defineProperty(window, "localStorage",
      {get() { throw new DOMException("no", "SecurityError"); }});"""
    own = (site.parent / "html" / "_static" / "reading.js").read_text("utf-8")
    shown = browser.open(site / "book" / "references.html")
    shown.evaluate(f"{script};{own};0")
    shown.evaluate(READ_ALL)
    assert shown.evaluate("document.querySelectorAll('.read-note').length") == 1  # by the page's
    assert shown.errors == []
    shown.close()
