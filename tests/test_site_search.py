"""The search of the built book: what is in it, what it finds, and how a reader gets there.

The queries were written down before there was a search (``queries.json``): thirty that students and
engineers would type, and more forms of them, each with the places that answer. The data are asked
in V8, as a browser would have them; one page in a browser then answers what only a browser can.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from py_mini_racer import MiniRacer

import built
import search

ROOT = Path(__file__).resolve().parents[1]
QUERIES = json.loads((ROOT / "tests" / "queries.json").read_text("utf-8"))
ASKED = [*QUERIES["thirty"], *QUERIES["more"]]
AXE = ROOT / "tests" / "vendor" / "axe-core-4.14.1.min.js"
pytestmark = pytest.mark.site


# --- what is in it --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages(site):
    return built.articles(site)


@pytest.fixture(scope="module")
def records(pages):
    return search.records(pages)


def of(records, kind):
    return [(page, r) for page, rows in records.items() for r in rows if r.kind == kind]


def test_every_record_lands_at_a_place_that_is_there(pages, records):
    for page, rows in records.items():
        there = {element.get("id") for element in pages[page].iter() if element.get("id")}
        lost = {row.anchor for row in rows if row.anchor and row.anchor not in there}
        assert not lost, f"{page}: {lost}"


def test_every_labelled_equation_is_in_it_by_number_and_label(pages, records):
    found = {(page, r.anchor): r.names for page, r in of(records, "equation")}
    for page, article in pages.items():
        for display in article.xpath(".//div[starts-with(@id, 'equation-')]"):
            number = display.xpath("string(./span[@class='eqno']/text())")
            label = re.sub(r"^equation-(eq|def)-", "", display.get("id"))
            assert found[page, display.get("id")][:2] == [number, label]
    assert len(found) > 200


def test_every_term_symptom_exercise_and_check_is_in_it(pages, records):
    said = (ROOT / "book" / "symptoms.md").read_text("utf-8")
    titles = {r.title.replace("’", "'") for _, r in of(records, "symptom")}
    assert titles == set(re.findall(r"^### (.+)$", said, re.M))
    glossary = pages["glossary"].xpath(".//dt[@id]")
    assert {r.anchor for _, r in of(records, "term")} == {term.get("id") for term in glossary}
    assert len(of(records, "exercise")) == sum(
        len(article.xpath(".//div[contains(@class, 'exercise') and @id]"))
        for article in pages.values()
    )
    verdicts = {
        (page, box.xpath("string(./code)").strip())
        for page, article in pages.items()
        for box in article.xpath(".//div[contains(@class, 'pg-check ')]")
        if page != "ledger"
    }
    known = {(page, r.title) for kind in ("claim", "check") for page, r in of(records, kind)}
    plain = {(page, re.sub(r"\s+", " ", name)) for page, name in verdicts}
    assert len(plain - known) == 0
    assert len(known) > 900


def test_it_is_small_and_the_one_index_there_is(site):
    assert (site / search.DATA).stat().st_size < 950_000
    for name in (*search.UNUSED, "genindex.html"):
        assert not (site / name).exists()
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        assert "genindex" not in text and "searchtools" not in text and search.DATA not in text, (
            path
        )


# --- what it finds --------------------------------------------------------------------------------


@dataclass
class Engine:
    """The search as a browser would have it."""

    racer: MiniRacer

    def hits(self, query: str) -> list[str]:
        """The places that are found, best first, each as ``page#anchor``."""
        said = f"JSON.stringify(policygradSearch.find({json.dumps(query)}).hits.map(h => "
        said += "h.record.page + (h.record.anchor ? '#' + h.record.anchor : '')))"
        return json.loads(self.racer.eval(said))


@pytest.fixture(scope="module")
def engine(site):
    racer = MiniRacer()
    racer.eval("var window = globalThis")
    racer.eval((site / search.DATA).read_text("utf-8"))
    return Engine(racer)


@cache
def section_of(site: Path, place: str) -> tuple[str, str]:
    """The section that a place stands for, if it is one of its names."""
    page, _, anchor = place.partition("#")
    if "~" in place:  # a reference, by words of its title
        page, _, title = place.partition("~")
        works = built.articles(site)[page].xpath(".//li[starts-with(@id, 'cite-')]")
        return page, next(one.get("id") for one in works if title in one.text_content())
    found = built.articles(site)[page].xpath(".//*[@id=$id]", id=anchor) if anchor else []
    if found and found[0].tag == "span" and found[0].getparent().tag == "section":
        found = [found[0].getparent()]
    return page, found[0].get("id") if found else anchor


def rank(site, hits, answers) -> int:
    """The place of the first right answer, from 1; 0 where there is none."""
    right = {section_of(site, place) for place in answers}
    return next((i for i, hit in enumerate(hits, 1) if section_of(site, hit) in right), 0)


@pytest.mark.parametrize("asked", ASKED, ids=[one["query"] for one in ASKED])
def test_what_answers_comes_first(site, engine, asked):
    hits = engine.hits(asked["query"])
    if asked["answers"]:
        assert rank(site, hits, asked["answers"]) == 1, hits[:5]
    else:
        assert not hits


def test_there_are_thirty_and_each_answer_is_a_place(site, pages):
    assert len(QUERIES["thirty"]) == 30
    for place in (place for one in ASKED for place in one["answers"]):
        page, anchor = section_of(site, place)
        assert not anchor or pages[page].xpath(".//*[@id=$id]", id=anchor), place


def test_every_symptom_is_found_by_its_title_and_by_each_of_its_other_names(engine, records):
    for page, record in of(records, "symptom"):
        for said in (record.title, *record.names):
            assert f"{page}#{record.anchor}" in engine.hits(said)[:3], said
    assert not engine.hits("xylophone")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("normalisation", "normalization"),
        ("behaviour policy", "behavior policies"),
        ("actor-critic", "actor critic"),
        ("γ^t", "\\gamma^t"),
        ("γᵗ", "gamma^t"),
        ("reward-to-go", "rewards to go"),
        ("clip", "clipped"),
        ("(8.3)", "Eq. (8.3)"),
        ("baselin", "baseline"),
        ("entorpy", "entropy"),
    ],
)
def test_forms_of_one_word_find_the_same(engine, one, other):
    assert engine.hits(one)[0] == engine.hits(other)[0]


def test_chinese_is_found_by_characters_that_stand_together(engine):
    both = engine.hits("梯度")
    assert {"glossary#term-policy-gradient", "glossary#term-gradient-ascent"} <= set(both)
    assert "glossary#term-policy-gradient" not in engine.hits("度梯")
    assert "glossary#term-policy-gradient" in engine.hits("策")


# --- how a reader gets there ----------------------------------------------------------------------

TYPE = """(async (query) => {
  const dialog = document.getElementById("pst-search-dialog");
  const input = dialog.querySelector("input");
  const status = dialog.querySelector(".pg-count"), began = performance.now();
  input.value = query;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  while (status.dataset.query !== query && performance.now() - began < 20000) {
    await new Promise((next) => setTimeout(next, 5));
  }
  const hits = [...dialog.querySelectorAll("a.pg-hit")];
  return {
    count: status.textContent,
    hits: hits.map((a) => a.getAttribute("href").replace("../book/", "").replace(".html", "")),
    unmarked: hits.filter((a) => !a.querySelector("mark")).map((a) => a.textContent),
    pages: [...dialog.querySelectorAll("h2")].map((h) => h.textContent),
  };
})"""
ACTIVE = "document.activeElement.id || document.activeElement.tagName"
CODES = {"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "k": 75}


@pytest.fixture(scope="module")
def page(browser, site):
    """One page, its search opened by Ctrl+K."""
    page = browser.open(site / "book" / "references.html")
    press(page, "k", modifiers=2)
    yield page
    page.close()


def press(page, name, **more):
    """Press a key as a hand does."""
    if name == "Enter":
        more["text"] = "\r"
    for kind in ("keyDown", "keyUp"):
        code = CODES[name]
        page.send("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=code, **more)


def typed(page, query):
    """What is shown for a query."""
    return page.evaluate(f"{TYPE}({json.dumps(query)})")


@pytest.mark.browser
def test_each_query_shows_the_right_place_first_with_its_words_marked(page, site, record_property):
    assert page.evaluate(ACTIVE) == "INPUT"
    for asked in ASKED:
        shown = typed(page, asked["query"])
        place = rank(site, shown["hits"], asked["answers"])
        record_property(asked["query"], place)
        assert place == bool(asked["answers"]), (asked, shown["hits"][:5])
        assert not shown["unmarked"], (asked, shown["unmarked"])
        assert len(set(shown["pages"])) == len(shown["pages"])
        if asked["answers"]:
            assert re.match(r"\d+ places? on \d+ pages?\.", shown["count"])
        else:
            assert shown["count"] == f"Nothing for “{asked['query']}”."
    assert "No “xylophone” in the book." in typed(page, "loss xylophone")["count"]
    assert "this is for “entropy”" in typed(page, "entorpy")["count"]
    assert not page.errors
    assert all(address.startswith(("file:", "data:")) for address in page.requests)


@pytest.mark.browser
def test_it_is_quick(page):
    """Ten times slower than this it would still be quick; the machine of a test has other work."""
    times = """(() => { const began = performance.now();
      for (const query of QUERIES) policygradSearch.find(query);
      return (performance.now() - began) / QUERIES.length; })()"""
    typed(page, "KL")
    each = page.evaluate(times.replace("QUERIES", json.dumps([one["query"] for one in ASKED])))
    assert each < 100


@pytest.mark.browser
def test_the_dialog_is_worked_by_keys_alone(page):
    typed(page, "baseline variance")
    seen = [page.evaluate(ACTIVE)]
    for name in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp"):
        press(page, name)
        seen.append(page.evaluate(ACTIVE))
    first, second = "pg-hit-dialog-0-0", seen[2]
    assert seen == ["INPUT", first, second, first, "INPUT"]
    assert second.startswith("pg-hit-dialog-")
    press(page, "ArrowDown")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline != "0px"
    press(page, "Escape")
    assert page.evaluate("document.getElementById('pst-search-dialog').open") is False
    press(page, "k", modifiers=2)
    assert page.evaluate("document.getElementById('pst-search-dialog').open") is True
    page.evaluate("document.querySelector('#pst-search-dialog input').focus()")


FAULTS = """axe.run("#pst-search-dialog", { preload: false, resultTypes: ["violations"] })
  .then((found) => found.violations.flatMap((one) =>
    one.nodes.map((node) => `${one.id}: ${node.html}`)))"""


@pytest.mark.browser
def test_axe_finds_nothing_in_the_open_dialog(page):
    typed(page, "S24")
    page.evaluate(AXE.read_text("utf-8") + ";0")
    assert page.evaluate(FAULTS) == []
    page.evaluate("""document.querySelectorAll('.pg-hit ~ *, .pg-hits li:nth-child(n+2)').forEach(
      (one) => one.remove()); document.querySelector('.pg-hit-text').style.color = '#aaa'""")
    assert any("color-contrast" in fault for fault in page.evaluate(FAULTS))  # a control
    typed(page, "KL")


@pytest.mark.browser
def test_enter_leads_to_the_section_which_shows_the_words(page):
    typed(page, "8.3")
    page.evaluate("document.querySelector('#pst-search-dialog input').focus()")
    page.browser.events = [e for e in page.browser.events if e.get("sessionId") != page.session]
    press(page, "Enter")
    page.browser.wait_for("Page.loadEventFired", page.session)
    where = """(async () => {
      const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      const there = () => target.getBoundingClientRect().top;
      for (let i = 0; i < 200; i++) {
        if (CSS.highlights.has("pg-found") && there() >= 0 && there() < innerHeight) break;
        await new Promise((next) => setTimeout(next, 20));
      }
      return [location.pathname.split("/").pop() + location.hash,
        CSS.highlights.get("pg-found")?.size > 0, Math.round(there())]; })()"""
    place, coloured, top = page.evaluate(where)
    assert place == "08-policy-gradient-theorem.html#equation-eq-past-reward"
    assert coloured
    assert 0 <= top < 900
    assert not page.errors


@pytest.mark.browser
def test_the_page_of_results_answers_its_address(browser, site, tmp_path):
    leads = tmp_path / "leads.html"
    address = (site / "search.html").as_uri() + "?q=leave-one-out"
    leads.write_text(f"<script>location.href = {json.dumps(address)}</script>", "utf-8")
    page = browser.open(leads)
    shown = page.evaluate("""(async () => {
      for (let i = 0; i < 200 && !document.querySelector(".bd-search-container .pg-hit"); i++) {
        await new Promise((next) => setTimeout(next, 30));
      }
      const box = document.querySelector(".bd-search-container");
      return [box.querySelector("input").value, box.querySelector("mark")?.textContent,
        box.querySelector(".pg-hit").getAttribute("href"), document.title]; })()""")
    assert shown[:2] == ["leave-one-out", "leave-one-out"]
    assert shown[2] == "./book/glossary.html#term-leave-one-out"
    assert shown[3].startswith("Search")
    assert not page.errors
    page.close()


def test_without_a_script_the_page_of_results_leads_to_the_index(site):
    said = (site / "search.html").read_text("utf-8")
    without = re.search(r"<article.*?<noscript>(.*?)</noscript>", said, re.DOTALL)[1]
    link = re.search(r'href="([^"]*index-of-terms[^"]*)"', without)[1]
    assert (site / link).is_file()
    assert "index-of-terms.html" in (site / "book" / "index.html").read_text("utf-8")
