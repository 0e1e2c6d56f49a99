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
from browser import find_browser

ROOT = Path(__file__).resolve().parents[1]
QUERIES = json.loads((ROOT / "tests" / "queries.json").read_text("utf-8"))
ASKED = [*QUERIES["thirty"], *QUERIES["more"]]
AXE = ROOT / "tests" / "vendor" / "axe-core-4.14.1.min.js"
pytestmark = pytest.mark.site


# --- what is in it ----------------------------------------------------------------------------------


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
        len(article.xpath(".//div[contains(@class, 'exercise') and @id]")) for article in pages.values()
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
        assert "genindex" not in text and "searchtools" not in text and search.DATA not in text, path


# --- what it finds ----------------------------------------------------------------------------------


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
    """The section that a place stands for, if it is the name of one: all its names mean the same."""
    page, _, anchor = place.partition("#")
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
        page, _, anchor = place.partition("#")
        assert not anchor or pages[page].xpath(".//*[@id=$id]", id=anchor), place


def test_every_symptom_is_found_by_its_title_and_by_each_of_its_other_names(engine, records):
    for page, record in of(records, "symptom"):
        for said in (record.title, *record.names):
            assert f"{page}#{record.anchor}" in engine.hits(said)[:3], said
    assert "symptoms" not in "".join(engine.hits("loss xylophone")[:1])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("normalisation", "normalization"),
        ("behaviour policy", "behavior policies"),
        ("actor-critic", "actor critic"),
        ("γ^t", "\\gamma^t"),
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


# --- how a reader gets there ------------------------------------------------------------------------

OPEN = """document.dispatchEvent(new Event("x")), new Promise((done) => {
  dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true })); requestAnimationFrame(done); })"""
TYPE = """(async (query) => {
  const dialog = document.getElementById("pst-search-dialog"), input = dialog.querySelector("input");
  input.value = query;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  const before = dialog.querySelector(".pg-count").textContent;
  for (let i = 0; i < 100; i++) {
    await new Promise((next) => setTimeout(next, 20));
    const said = dialog.querySelector(".pg-count").dataset.query;
    if (said === query) break;
  }
  const hits = [...dialog.querySelectorAll("a.pg-hit")];
  return {
    count: dialog.querySelector(".pg-count").textContent,
    hits: hits.map((a) => a.getAttribute("href").replace("../book/", "").replace(".html", "")),
    unmarked: hits.filter((a) => !a.querySelector("mark")).map((a) => a.textContent),
    pages: [...dialog.querySelectorAll("h2")].map((h) => h.textContent),
  };
})"""


@pytest.fixture(scope="module")
def browser_page(browser, site):
    page = browser.open(site / "book" / "10-baselines.html")
    page.evaluate(OPEN)
    yield page
    page.close()


def key(page, name, **more):
    """Press a key as a hand does."""
    codes = {"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "k": 75}
    text = {"text": "\r"} if name == "Enter" else {}
    for kind in ("keyDown", "keyUp"):
        page.send(
            "Input.dispatchKeyEvent", type=kind, key=name, code=name,
            windowsVirtualKeyCode=codes[name], **text, **more,
        )  # fmt: skip
