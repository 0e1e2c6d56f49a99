"""The book on paper: the pages are joined without loss, and the PDF holds what it promises."""

import base64
import shutil
import subprocess
import sys
from pathlib import Path

import pypdf
import pytest
from lxml import html

import binding
import make_pdf
import pdf_file
import sheets
from built import articles
from linear import linear
from sheets import Printed, faults

ROOT = Path(__file__).resolve().parents[1]
TOC = """
format: jb-book
root: book/index
parts:
  - caption: The first part
    chapters:
      - file: book/one
      - file: book/two
"""
FORMULA = (
    '<span class="math"><mjx-container jax="CHTML"><mjx-math aria-hidden="true"><mjx-c></mjx-c>'
    "</mjx-math><mjx-mml><math><msub><mi>k</mi><mn>3</mn></msub></math>"
    "</mjx-mml></mjx-container></span>"
)
PAGES = {
    "index": '<section id="top"><h1>All of it<a class="headerlink" href="#top">#</a></h1>'
    '<p>Words that come first, <a href="two.html#there">there</a>, and '
    '<a href="../search.html">search</a>.</p></section>',
    "one": f"""<section id="top"><h1><span class="section-number">1. </span>One</h1>
<p>The first chapter opens like this.</p>
<div class="cell" id="cell-one-1"><a class="cell-number" href="#cell-x">cell 1</a>
<details class="hide"><pre>folded = 1</pre></details></div>
<div class="cell" id="cell-one-2"><a class="cell-number" href="#cell-y">cell 2</a>
<div class="cell_input"><pre><span class="n">seen</span>
<span class="o">=</span> 2</pre></div></div>
<section id="second"><h2>About {FORMULA}</h2>
<p>See <a href="two.html#there">(2.1)</a>, <a href="#second">here</a>,
<a href="https://example.org/x">elsewhere</a>.</p></section>
<section id="exercises"><h2>Exercises</h2>
<div class="exercise admonition" id="ex-a"><p class="admonition-title">Exercise 1.1 (A)</p>
<section id="exercise-content"><p>What is it?</p></section></div>
<div class="solution admonition" id="book/one-solution-1"><p class="admonition-title">Solution</p>
<section id="solution-content"><p>It is this.</p><pre>solved = 3</pre></section></div>
<div class="exercise admonition" id="ex-b"><p class="admonition-title">Exercise 1.2</p>
<section id="exercise-content"><p>And what is that?</p></section></div>
<p>The first chapter closes like that.</p></section></section>""",
    "two": """<section id="top"><h1>Two</h1><p>The second chapter is short.</p>
<div class="pg-moving"><svg><g class="on" data-words="a"><text>frame one</text></g>
<g data-words="b"><text>frame two</text></g></svg><button>play</button></div>
<div class="math" id="there">x</div>
<p>It ends with the number of a line.</p></section>""",
}


@pytest.fixture
def small(tmp_path) -> Path:
    """A checkout with a built book of three pages."""
    return written(tmp_path, PAGES)


def written(root: Path, pages: dict[str, str]) -> Path:
    (root / "_build/html/book").mkdir(parents=True)
    (root / "_build/html/_static").mkdir()
    for name in ("formulas", "pygments"):
        (root / f"_build/html/_static/{name}.css").touch()
    (root / "_toc.yml").write_text(TOC)
    for name in ("CITATION.cff", "_config.yml"):
        shutil.copy(ROOT / name, root / name)
    for name, text in pages.items():
        page = f'<html><body><article class="bd-article">{text}</article></body></html>'
        (root / f"_build/html/book/{name}.html").write_text(page, encoding="utf-8")
    return root


def joined(root: Path):
    text, bookmarks = binding.join(root / "_build/html", root / "_toc.yml", "Version 0")
    return html.fromstring(text), bookmarks


# --- the pages, joined --------------------------------------------------------------------------


def test_pages_stand_in_the_order_of_the_table_of_contents(small):
    tree, bookmarks = joined(small)
    assert [a.get("id") for a in tree.iter("article")] == ["index", "one", "two"]
    assert [(level, said) for level, said, _ in bookmarks] == [
        (1, "Contents"),
        (1, "All of it"),
        (1, "The first part"),
        (2, "1. One"),
        (3, "About k_3"),
        (3, "Exercises"),
        (2, "Two"),
        (1, "Solutions"),
        (2, "1. One"),
    ]


def test_a_part_stands_above_its_pages(small):
    tree, _ = joined(small)
    (part,) = [h for h in tree.iter("h1") if h.get("id") == "part-1"]
    assert part.text == "The first part" and part.getnext().get("id") == "one"
    assert next(tree.get_element_by_id("one").iter("h1", "h2")).tag == "h2"
    assert next(tree.get_element_by_id("index").iter("h1", "h2")).tag == "h1"


def test_each_id_is_there_once_and_each_link_leads_to_one(small):
    tree, bookmarks = joined(small)
    ids = [e.get("id") for e in tree.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    links = [a.get("href") for a in tree.iter("a")]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert [link for link in links if not link.startswith("#")] == ["https://example.org/x"]
    assert {name for _, _, name in bookmarks} <= set(ids)
    assert {e.get("data-of") for e in tree.find_class("number")} <= set(ids)


def test_a_link_to_what_is_not_in_the_book_is_text(small):
    tree, _ = joined(small)
    (first,) = [p for p in tree.iter("p") if "Words that come first" in p.text_content()]
    assert "search" in first.text_content()
    assert [a.text for a in first.iter("a")] == ["there"]


def test_another_chapters_page_has_its_number_and_ones_own_has_none(small):
    tree, _ = joined(small)
    one = tree.get_element_by_id("one")
    assert [e.get("data-of") for e in one.find_class("number")] == ["two--there", SOLUTION]


DOTS = base64.b64decode(  # a picture of one red dot
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
SOLUTION = "one--book-one-solution-1"


def test_solutions_stand_at_the_end_with_links_both_ways(small):
    tree, _ = joined(small)
    solution = tree.get_element_by_id(SOLUTION)
    assert next(solution.iterancestors()).get("class") == "solutions"
    assert [a for a in tree.iter("article")][-1].getnext().get("class") == "solutions"
    assert solution.find("h2").text == "Exercise 1.1 (A)"
    assert [a.get("href") for a in solution.iter("a")] == ["#one--ex-a"]
    assert [a.get("href") for a in tree.get_element_by_id("one--ex-a").iter("a")] == [
        f"#{SOLUTION}"
    ]
    assert not list(tree.get_element_by_id("one--ex-b").iter("a"))
    assert "It is this." not in tree.get_element_by_id("one").text_content()


def test_a_solution_without_its_exercise_is_refused(tmp_path):
    apart = PAGES["one"].replace('<div class="solution', '<p>between</p><div class="solution', 1)
    root = written(tmp_path, PAGES | {"one": apart})
    with pytest.raises(ValueError, match="one: a solution does not follow its exercise"):
        joined(root)


def test_code_that_is_folded_is_left_out_and_the_chapter_says_where_it_is(small):
    tree, _ = joined(small)
    one = tree.get_element_by_id("one")
    assert "folded = 1" not in one.text_content()
    assert "the code of cell [1]" in one[-1].text_content()
    assert "book/one.ipynb" in one[-1].text_content()
    assert tree.get_element_by_id("one--cell-one-2").get("data-cell") == "[2]"
    assert not tree.find_class("cell-number")  # that is its number on a screen
    assert not tree.get_element_by_id("two").find_class("colophon")


def test_what_only_a_screen_can_do_is_gone(small):
    tree, _ = joined(small)
    assert not list(tree.iter("button", "script", "input", "mjx-mml"))
    assert not tree.find_class("headerlink")
    two = tree.get_element_by_id("two").text_content()
    assert "frame one" in two and "frame two" not in two


def test_code_keeps_its_characters_and_says_whether_it_may_be_split(small, tmp_path):
    tree, _ = joined(small)
    code = tree.get_element_by_id("one--cell-one-2").find(".//pre")
    assert code.text_content() == "seen\n= 2" and code.get("class") == "whole"
    lines = "x = 1\n" * 13
    long = PAGES | {"two": f"<section><h1>Two</h1><pre>{lines}</pre></section>"}
    tree, _ = joined(written(tmp_path / "long", long))
    assert next(tree.get_element_by_id("two").iter("pre")).get("class") == "long"


def test_joining_leaves_the_pages_as_they_are(small):
    before = html.tostring(articles(small / "_build/html")["one"])
    joined(small)
    assert html.tostring(articles(small / "_build/html")["one"]) == before


@pytest.mark.parametrize(
    "mathml, line",
    [
        ("<msub><mi>k</mi><mn>3</mn></msub>", "k_3"),
        ("<msup><mi>γ</mi><mrow><mi>t</mi><mo>+</mo><mn>1</mn></mrow></msup>", "γ^(t + 1)"),
        ("<mfrac><mn>1</mn><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow></mfrac>", "1/(a + b)"),
        ("<msubsup><mi>a</mi><mi>i</mi><mn>2</mn></msubsup>", "a_i^2"),
        ("<msqrt><mi>m</mi></msqrt>", "√m"),
        ("<mi>log</mi><mo>&#x2061;</mo><mi>π</mi>", "logπ"),
        ("<mtable><mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr></mtable>", "a, b"),
    ],
)
def test_a_formula_on_one_line(mathml, line):
    assert linear(html.fragment_fromstring(f"<math>{mathml}</math>")) == line


# --- the file -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(browser, tmp_path_factory) -> tuple[Path, pypdf.PdfReader]:
    """A book of three pages, and its PDF."""
    root = written(tmp_path_factory.mktemp("tiny"), PAGES)
    assert make_pdf.main(root) == 0
    return root, pypdf.PdfReader(root / "_build" / make_pdf.NAME)


@pytest.mark.browser
def test_a_file_says_what_it_is(tiny):
    _, pdf = tiny
    assert pdf.metadata.title == "Policy Gradients, Checked"
    assert pdf.metadata.author == "Policy Gradients, Checked contributors"
    assert "/CreationDate" not in pdf.metadata
    assert pdf.trailer["/Root"]["/Lang"] == "en"
    assert pdf.page_labels == [str(k) for k in range(1, len(pdf.pages) + 1)]
    assert "/StructTreeRoot" in pdf.trailer["/Root"]


@pytest.mark.browser
def test_the_same_pages_give_the_same_bytes(tiny):
    root, _ = tiny
    before = (root / "_build" / make_pdf.NAME).read_bytes()
    assert make_pdf.main(root) == 0
    assert (root / "_build" / make_pdf.NAME).read_bytes() == before
    assert not (root / "_build/paper").exists()


@pytest.mark.browser
def test_a_small_book_has_no_fault(tiny):
    assert faults(Printed(*tiny)) == {}


@pytest.mark.site
@pytest.mark.browser
def test_the_book_has_no_fault(site, browser):
    assert make_pdf.main(site.parents[1]) == 0
    made = pypdf.PdfReader(site.parent / make_pdf.NAME)
    assert faults(Printed(site.parents[1], made)) == {}


# --- what the looks see ---------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize(
    "look, page, old, new",
    [
        ("bookmarks", "two", "<p>It ends", "<section id='x'><h2>More</h2></section><p>It ends"),
        ("sentences", "two", "The second chapter is short", "The second chapter was cut here"),
        ("sentences", "one", "closes like that", "closes like this"),
        ("code", "one", "</span> 2", "</span> 2000"),
        ("code", "one", "solved = 3", "solved = 33"),
    ],
)
def test_what_is_not_printed_is_seen(tiny, tmp_path, look, page, old, new):
    _, pdf = tiny
    assert old in PAGES[page]
    altered = written(tmp_path, PAGES | {page: PAGES[page].replace(old, new)})
    assert look in faults(Printed(altered, pdf))


@pytest.mark.browser
def test_what_stands_elsewhere_than_it_says_is_seen(tiny):
    book = Printed(*tiny)
    book.starts["two"] += 1
    assert "contents" in faults(book)
    book = Printed(*tiny)
    book.starts[SOLUTION] = 1
    assert "order" in faults(book)
    book = Printed(*tiny)
    del book.starts["two--there"]
    assert faults(book).keys() == {"links"}


@pytest.mark.browser
def test_an_empty_sheet_is_seen(tiny):
    book = Printed(*tiny)
    last = len(book.pdf.pages)
    left, right = book.heads[-1]
    book.texts[last] = f"{left} {right} {last}"
    assert list(sheets.empty(book)) == [f"sheet {last}: {sheets.bare(book.texts[last])}"]


@pytest.mark.browser
def test_a_picture_of_dots_and_a_font_that_is_not_in_the_file_are_seen(browser, tmp_path):
    dots = '<p><img alt="dots" src="../_static/dots.png"></p>'
    root = written(tmp_path, PAGES | {"two": PAGES["two"] + dots})
    (root / "_build/html/_static/dots.png").write_bytes(DOTS)
    assert make_pdf.main(root) == 0
    book = Printed(root, pypdf.PdfReader(root / "_build" / make_pdf.NAME))
    assert faults(book).keys() == {"pictures"}
    font = next(iter(book.pdf.pages[0]["/Resources"]["/Font"].values())).get_object()
    inside = font["/DescendantFonts"][0]["/FontDescriptor"]
    for key in ("/FontFile", "/FontFile2", "/FontFile3"):
        inside.pop(key, None)
    assert "fonts" in faults(book)


# --- when it cannot be made -----------------------------------------------------------------------


def test_without_a_browser_it_says_what_is_needed_and_makes_nothing(small, monkeypatch, capsys):
    monkeypatch.setenv("BROWSER_BIN", str(small / "no-browser"))
    old = small / "_build" / make_pdf.NAME
    old.write_text("an older one")
    assert make_pdf.main(small) == 1
    said = capsys.readouterr().err
    assert "The PDF was not made" in said and "BROWSER_BIN" in said and "131" in said
    assert old.read_text() == "an older one"
    assert not (small / "_build/paper").exists()


@pytest.mark.browser
def test_what_is_too_wide_for_a_sheet_is_refused(browser, tmp_path, capsys):
    wide = f"<section><h1>Two</h1><pre>{'x' * 150}</pre></section>"
    root = written(tmp_path, PAGES | {"two": wide})
    assert make_pdf.main(root) == 1
    assert "too wide for a sheet: xxxx" in capsys.readouterr().err
    assert not (root / "_build" / make_pdf.NAME).exists()


@pytest.mark.browser
def test_a_run_that_is_stopped_leaves_the_older_file_as_it_was(browser, small):
    (small / "_build" / make_pdf.NAME).write_text("an older one")
    command = [sys.executable, ROOT / "_ext/make_pdf.py", small]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout.readline().startswith("1 of 4")
    run.terminate()
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130 and "interrupted" in said
    assert (small / "_build" / make_pdf.NAME).read_text() == "an older one"
    assert not (small / "_build/paper").exists()


def test_a_file_that_is_not_as_chromium_writes_it_is_refused():
    with pytest.raises(pdf_file.Unread):
        pdf_file.Pdf(b"%PDF-1.5\n1 0 obj\n<<>>\nendobj\nstartxref\n9\n%%EOF\n")
