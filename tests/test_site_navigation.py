"""Finding one's way in the built book: previews, lasting addresses, both ways, what was read."""

import json
import re
from pathlib import Path

import pytest
from lxml import html
from sphinx.application import Sphinx

import numbering
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
def places(articles) -> dict:
    """Page -> address -> element."""
    return {name: {e.get("id"): e for e in x.xpath(".//*[@id]")} for name, x in articles.items()}


def links(tree, *classes: str) -> list:
    """The links in a part of a page that have one of these classes; all, where none is given."""
    found = (a for a in tree.iter("a") if a.get("href"))
    return [a for a in found if not classes or set(a.classes) & set(classes)]


def words(element) -> str:
    return " ".join(element.text_content().split())


def target(link) -> tuple[str, str]:
    """The page and the address that a link leads to; of one within its page the page is ''."""
    page, _, anchor = link.get("href").partition("#")
    return page.removesuffix(".html"), anchor


# --- addresses ------------------------------------------------------------------------------------


def passing(tree, page: str) -> list[str]:
    """Permalinks that do not survive a change of the page: by order, or by number."""
    found = (link.get("href") for link in links(tree, "headerlink", "cell-number"))
    return [link for link in found if re.fullmatch(rf"#(id|cell-{page}-)\d+", link)]


def nameless(tree) -> list[str]:
    """Permalinks that say nothing to those who hear them."""
    found = links(tree, "headerlink") + links(tree, "cell-number")
    return [
        link.get("href")
        for link in found
        if not (link.get("aria-label") or re.fullmatch(r"cell \d+", words(link)))
    ]


@pytest.mark.site
def test_every_permalink_survives_a_renumbering_and_leads_to_its_place(articles, places):
    found = 0
    for name, article in articles.items():
        assert passing(article, name) == [] and nameless(article) == [], name
        for link in links(article, "headerlink", "cell-number"):
            found += 1
            assert target(link)[1] in places[name], (name, link.get("href"))
    assert found > 1000


def test_a_permalink_that_passes_or_has_no_name_is_seen():
    places = ("id4", "four", "cell-a-4")
    tree = html.fromstring("".join(f'<a class="headerlink" href="#{x}">#</a>' for x in places))
    assert passing(tree, "a") == ["#id4", "#cell-a-4"]
    assert nameless(tree) == [f"#{x}" for x in places]


def without_permalink(article) -> list[str]:
    """Sections, equations, figures, exercises and cells without a link to themselves."""
    parts = [s.find(f"h{k}") for s in article.iter("section") for k in (1, 2, 3, 4)]
    parts += article.xpath(".//div[@id and contains(@class, 'math')]")
    parts += article.xpath(".//figure[@id and .//span[@class='caption-number']]")
    parts += [e.find("p") for e in article.find_class("exercise") if e.get("id")]
    bare = [p for p in parts if p is not None and not p.find_class("headerlink")]
    bare += [c for c in article.find_class("cell") if c.get("id") and c.find("a") not in numbers(c)]
    return [words(part)[:60] for part in bare]


def numbers(cell) -> list:
    """The number of a cell, if it shows the one that it has."""
    found = cell.find_class("cell-number")
    return [a for a in found if cell.get("id").endswith(f"-{words(a).removeprefix('cell ')}")]


@pytest.mark.site
def test_sections_equations_figures_exercises_and_cells_have_permalinks(articles):
    for name, article in articles.items():
        assert without_permalink(article) == [], name


def test_a_part_without_a_permalink_is_seen():
    bare = """<article><section><h2>A</h2><div class="math" id="equation-a">x</div>
      <div class="exercise admonition" id="ex"><p>E</p></div><div class="cell" id="cell-p-3">
      <a class="cell-number" href="#cell-x">cell 4</a></div></section></article>"""
    assert without_permalink(html.fromstring(bare)) == ["A", "x", "E", "cell 4"]


@pytest.mark.site
def test_the_numbers_in_the_ledger_stand_at_the_cells(articles, places):
    shown = {
        (name, cell.get("id")): words(number)
        for name, article in articles.items()
        for cell in article.find_class("cell")
        for number in cell.find_class("cell-number")
    }
    found = [link for link in links(articles["ledger"]) if target(link)[1].startswith("cell-")]
    for link in found:
        number, page = shown[target(link)], numbering.named(target(link)[0])
        assert words(link) in (number, f"{page}, {number}"), link.get("href")
    assert len(found) > 1000


def test_a_section_with_a_title_that_was_there_before_is_named_by_the_one_around(tmp_path):
    text = "# A\n\n## B\n\n### C\n\n## D\n\n### C\n\n(own)=\n## B\n"
    found = converted(tmp_path, text)["index"].iter("section")
    assert [section.get("id") for section in found] == ["a", "b", "c", "d", "d-c", "own"]


def converted(folder: Path, text: str, others: dict | None = None) -> dict:
    """The pages of a small book, with the extensions of these tests."""
    head = "extensions = ['myst_parser', 'permalinks', 'sources', 'terms', 'titles']\n"
    (folder / "conf.py").write_text(f"{head}myst_enable_extensions = ['dollarmath']\n")
    (folder / "book").mkdir()
    for name, other in (others or {}).items():
        (folder / "book" / f"{name}.md").write_text(other, "utf-8")
    tree = "\n".join(f"book/{name}" for name in others or {})
    (folder / "index.md").write_text(f"{text}\n\n```{{toctree}}\n{tree}\n```\n", "utf-8")
    out = folder / "out"
    Sphinx(folder, folder, out, out / "d", "html", status=None, warning=None).build()
    return {path.stem: html.parse(str(path)).getroot() for path in out.rglob("*.html")}


# --- both ways ------------------------------------------------------------------------------------

MAP = "# Map\n\n(map-s2)=\n**S2.** Said.\n\n(map-l2)=\n**L2.** Loose.\n"
GLOSSARY = """# Words

```{glossary}
percept
  Seen.

REINFORCE
  It.

return
  Paid.
```
"""


@pytest.mark.site
def test_every_source_line_leads_to_its_entry_and_every_entry_back(articles, places):
    entries = {k: e for k, e in places["source-map"].items() if re.fullmatch(r"map-[sl]\d+", k)}
    assert len(entries) == 34
    ways = {name: {target(link) for link in links(x)} for name, x in articles.items()}
    for name, article in articles.items():
        assert plain_rows(article, name == "source-map") == [], name
        for page, anchor in ways[name] if name not in ("source-map", "index") else ():
            if page == "source-map" and anchor.startswith("map-"):
                there = {target(link)[0] for link in links(entries[anchor])}
                assert name in there, f"{anchor} does not lead back to {name}"
    for anchor, entry in entries.items():
        there = {target(link)[0] for link in links(entry)} & set(ways)
        assert any(("source-map", anchor) in ways[page] for page in there), anchor


def plain_rows(article, own: bool = False) -> list[str]:
    """Numbers of source lines that stand in the text without a link; ``own``: in the map itself."""
    left = "a code pre h1 h2 h3 h4 svg script mjx-container".split() + ["strong"] * own
    apart = " or ".join(f"ancestor::{tag}" for tag in left)
    texts = article.xpath(f".//text()[contains(., 'S') or contains(., 'L')][not({apart})]")
    return [row for text in texts for row in sources.TOKEN.findall(text)]


def test_a_number_without_a_link_is_seen():
    tree = html.fromstring("<p>S2 and <a>L2</a> and <code>S3</code>, <strong>S4</strong></p>")
    assert plain_rows(tree) == ["S2", "S4"] and plain_rows(tree, own=True) == ["S2"]


def test_numbers_become_links_outside_formulas_and_code_and_entries_lead_back(tmp_path):
    text = "# A S2\n\n## B $x$\n\nAs S2 says, `S2`, $S2$, S3, and [L2](map-l2).\n"
    found = converted(tmp_path, "# I\n\nS2\n", {"09-a": text, "source-map": MAP})
    assert [words(a) for a in links(found["09-a"], "source-line")] == ["S2"]
    (entry,) = found["source-map"].xpath("//p[@id='map-s2']")
    assert words(entry).startswith("S2. Said. Also named in 9, B")
    assert [target(a) for a in links(entry)] == [("09-a", "b-x")]
    assert entry.find_class("math")  # a title in a link keeps its formula


def test_the_first_use_of_a_term_is_marked_and_nothing_else(tmp_path):
    text = (
        "# Percept\n\nA `percept` in **Percepts**, a percept. To reinforce; REINFORCE. A return.\n"
    )
    found = converted(tmp_path, "# I", {"a": text, "glossary": GLOSSARY})
    assert [words(a) for a in links(found["a"], "term")] == ["Percepts", "REINFORCE"]
    assert "return" in terms.EVERYDAY and not links(found["glossary"], "term")


@pytest.mark.site
def test_citations_and_the_list_agree(articles, places):
    (whole,) = articles["references"].find_class("references")
    entries = {entry.get("id"): entry for entry in whole}
    assert len(entries) > 40
    heads = [re.match(r"(.*?) \((\d{4}[ab]?|n\.d\.)\)", words(e)) for e in entries.values()]
    assert all(heads) and heads[0][2] == "n.d."
    names = [head[1].lower() for head in heads[1:]]
    assert names == sorted(names)
    cited = {key: set() for key in entries}
    for name, article in articles.items():
        for link in links(article):
            page, key = target(link)
            if page == "references" and key and key.startswith("cite-"):
                cited[key].add(name)
                year = re.search(r"\d{4}[ab]?|n\.d\.", words(link))
                assert words(link) == "source" or f"({year[0]})" in words(entries[key]), name
    for key, entry in entries.items():
        assert {target(a)[0] for a in links(entry.find_class("cited-in")[0])} == cited[key]
        assert cited[key], key
        assert all(
            target(a)[1] in places[target(a)[0]] for a in links(entry) if ":" not in a.get("href")
        )


NEIGHBOUR = re.compile(r'class="(?:left-prev|right-next)"\s+href="([^"]*)".*?</a>', re.DOTALL)


@pytest.mark.site
def test_every_page_names_its_neighbours_and_their_parts(site, articles):
    for name in articles:
        text = (site / "book" / f"{name}.html").read_text("utf-8")
        found = list(NEIGHBOUR.finditer(text))
        assert len(found) == 2 - (name in ("index", "references")), name
        for one in found:
            assert one[1] == "index.html" or re.search(r'class="part-name">[^<]+', one[0]), name


@pytest.mark.site
def test_what_a_contract_needs_are_links(articles):
    found = 0
    for name, article in articles.items():
        for contract in article.find_class("contract"):
            (need,) = (p for p in contract.iter("p") if words(p).startswith("You need"))
            found += len(links(need))
            assert not re.search(r"[Cc]hapters? \d", words(need)), name
    assert found > 40


# --- previews -------------------------------------------------------------------------------------


@pytest.mark.site
def test_every_equation_term_and_reference_that_a_link_leads_to_has_a_preview(site, articles):
    kinds = ("equation-", "term-", "cite-", "map-", "ex-", "claim-")
    for page, anchors in previews.targets(articles).items():
        path = site / "_static" / "previews" / f"{page}.js"
        wanted = {anchor for anchor in anchors if anchor.startswith(kinds)}
        if not path.is_file():
            assert wanted == set(), page
            continue
        _, table, found = json.loads(path.read_text("utf-8").partition("]=")[2].rstrip(";\n"))
        assert wanted <= set(found), page
        assert not any(" id=" in tag for tag in table), page
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
    # Of several pages that are open one has the focus; this makes each behave as if it did.
    shown.send("Emulation.setFocusEmulationEnabled", enabled=True)
    yield shown
    shown.close()


def on_a_phone(browser, site):
    """The same page on a phone."""
    shown = browser.open(site / "book" / f"{PAGE}.html", width=390, height=800, dark=True)
    shown.send("Emulation.setTouchEmulationEnabled", enabled=True)
    shown.send("Emulation.setFocusEmulationEnabled", enabled=True)
    yield shown
    shown.close()


phone = pytest.fixture(scope="module", name="phone")(on_a_phone)
untouched = pytest.fixture(name="untouched")(on_a_phone)  # as on a first visit


def middle(shown, selector: str) -> dict:
    """Where on the screen the first element is, once it has been scrolled to."""
    return shown.evaluate(
        f"""(async () => {{
          const a = document.querySelector({json.dumps(selector)});
          for (let k = 0; k < 4; k++) {{  // until what changed its size has found its place
            a.scrollIntoView({{block: "center", behavior: "instant"}});
            await new Promise(requestAnimationFrame);
          }}
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
def test_the_first_tap_shows_and_the_link_in_the_card_leads_on(untouched):
    phone = untouched
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
    tap(phone, middle(phone, "#preview .preview-close"))
    assert until(phone, f"!{CARD}")
    assert phone.evaluate(f"document.activeElement.matches({json.dumps(selector)})")


# Alone on the page for the while: axe goes through all that there is.
AXE = """(async fault => {
  const card = document.getElementById("preview"), around = card.parentNode;
  const rest = [...document.body.childNodes];
  document.body.replaceChildren(card);
  card.setAttribute("open", "");
  card.insertAdjacentHTML("beforeend", fault);
  const found = await axe.run("#preview", {preload: false});
  document.body.replaceChildren(...rest);
  around.append(card);
  document.getElementById("bad")?.remove();
  return found.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target}`));
})"""


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
    found, seen = (
        shown.evaluate(f"{AXE}({fault!r})") for fault in ("", "<button id=bad></button>")
    )
    key(shown, "Escape")
    assert found == [] and seen == ["button-name: #bad"]


@pytest.mark.site
@pytest.mark.browser
def test_all_this_asks_for_nothing_but_files_and_logs_no_error(desk, phone):
    for shown in (desk, phone):
        assert shown.errors == []
        assert [x for x in shown.requests if not x.startswith(("file:", "data:"))] == []
    assert any("/_static/previews/07-" in x for x in desk.requests)


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
    name, _, anchor = on.partition("#")
    assert name == page.name and f'<section id="{anchor}">' in page.read_text("utf-8")
    shown.evaluate("document.querySelector('.read-forget').click()")
    assert shown.evaluate(marks) == 0
    again(shown, site / "book" / "index.html")
    assert shown.evaluate(marks) == 0
    assert shown.evaluate("Object.keys(localStorage).filter(k => k.includes('read'))") == []
    assert shown.errors == []
    shown.close()


FORBIDDEN = """Object.defineProperty(window, "localStorage",
  {get() { throw new DOMException("no", "SecurityError"); }});"""


@pytest.mark.browser
def test_where_storage_is_forbidden_nothing_is_said_and_nothing_breaks(browser, root, tmp_path):
    """On a page of its own: the theme's script has an error there."""
    script = (root / "_static" / "reading.js").resolve().as_uri()
    page = tmp_path / "book" / "a.html"
    page.parent.mkdir()
    page.write_text(
        "<!DOCTYPE html><title>a</title><div class='bd-sidebar-primary'></div>"
        f"<article><h1>A</h1></article><script>{FORBIDDEN}</script><script src='{script}'></script>"
    )
    shown = browser.open(page)
    shown.evaluate(READ_ALL)
    assert shown.evaluate("document.querySelectorAll('.read-end').length") == 1
    assert shown.evaluate("document.querySelectorAll('.read-mark, .read-note').length") == 0
    assert shown.errors == []
    shown.evaluate("setTimeout(() => localStorage.length);0")
    shown.evaluate(A_MOMENT.format(50))
    assert len(shown.errors) == 1  # of such a look
    shown.close()
