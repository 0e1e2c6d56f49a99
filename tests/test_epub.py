"""The e-book: small pages become what any reader can show, and the real file is whole."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from lxml import etree, html

import bundle
import epub_blocks
import epub_book
import epub_check
import epub_package
import epub_pages
from built import articles
from conftest import ROOT, missing
from epub_formulas import Formulas, listed
from epub_tree import classed

# With a V8 in it, a process is not to be copied any more, as the tests of chapters do.
pytestmark = pytest.mark.site

X = "{http://www.w3.org/1999/xhtml}"
S = "{http://www.w3.org/2000/svg}"
OPS = "{http://www.idpf.org/2007/ops}"

PAGE = r'''<article><section id="top"><h1><span class="section-number">4. </span>A trick
<a class="headerlink" href="#top">#</a></h1>
<p>As <span class="math" data-tex="J(\theta)"><mjx-container>x</mjx-container></span>
says, 策略, see
<a class="reference internal" href="other.html#there"><span class="std std-ref">there</span></a>
and <a href="#book/s-1">here</a> and <a href="../all.zip">all</a>.</p>
<div class="math" data-tex="\nabla\log f" id="equation-eq-trick"><span
class="eqno">(4.2)</span></div>
<div class="cell tag_hide-input" id="cell-1"><details class="admonition hide above-input">
<summary aria-label="Toggle"><p class="collapsed">Code</p><p class="expanded">Code</p></summary>
<div class="cell_input"><div class="highlight"><pre><span></span><span class="k">def</span> <span
class="nf">f</span>():
    <span class="sd">"""A doc</span>
<span class="sd">    string."""</span>

    <span class="k">return</span> <span class="mi">1</span>
</pre></div></div></details>
<div class="cell_output"><div class="output stream"><div class="highlight"><pre>64 of them
</pre></div></div><div class="output text_html"><div class="pg-check pg-check--ok"
data-label="trick"><span class="pg-mark" aria-hidden="true">&#10003;</span> <span
class="pg-verdict">ok</span> <a class="pg-number" href="#equation-eq-trick">(4.2)</a>
<code>trick</code> <span>runs &#183; it holds</span></div></div></div></div>
<div class="exercise admonition" id="ex-one"><p class="admonition-title"><span
class="caption-number">Exercise 4.1 </span>(Warm-up)</p><section id="exercise-content"><p>Why?</p>
</section></div>
<div class="solution dropdown admonition" id="book/s-1"><p class="admonition-title">Solution</p>
<section id="solution-content"><p>Because.</p></section></div>
<section id="next"><h2>Next</h2><button>press</button><script>alert()</script>
<p id="exercise-content">Twice.</p></section></section></article>'''

MOVING = """<div class="pg-moving"><style>x</style><svg viewbox="0 0 4 3" aria-label="Two bars.">
<rect class="f-policy" x="0" y="0" width="1" height="1"></rect>
<g data-first="0" data-last="1" class="on"><path class="s-exact" d="M0 0"></path></g>
<g data-first="2" data-last="3"><path class="f-wrong" d="M1 1"></path></g>
<g data-words="first" class="on"><circle r="1"></circle></g>
<g data-words="second"><circle r="2"></circle></g></svg><output>first</output></div>"""


@pytest.fixture(scope="module")
def formulas():
    return Formulas()


@pytest.fixture
def chapter(formulas):
    return epub_pages.chapter("04-trick", html.fromstring(PAGE), formulas.element)


# --- small pages ------------------------------------------------------------------------------


def test_a_formula_is_drawn_in_the_colour_of_the_text_and_labelled_with_its_words(chapter):
    inline, display = (e for e in chapter.text.iter("span", "div") if e.get("data-tex"))
    (drawn,) = inline.iter(S + "svg")
    assert drawn.get("role") == "img"
    assert drawn.get("aria-label") == "capital J open paren theta close paren"
    assert drawn.get("width").endswith("ex")
    assert "currentColor" in etree.tostring(drawn, encoding="unicode")
    assert display.get("id") == "equation-eq-trick"
    assert classed(display, "eqno")[0].text == "(4.2)"


def test_a_formula_without_words_or_that_cannot_be_read_is_an_error(formulas):
    for tex in (r"a\boxtimes b", r"\frac{1"):
        with pytest.raises(ValueError, match=r"no word|Missing"):
            formulas.element(tex, False)


def test_a_long_list_of_letters_is_several_formulas(formulas):
    assert listed(r"a,\ f(a,\ b),\ x_{c,\ d}") == ["a", "f(a", "b)", r"x_{c,\ d}"]
    assert listed(r"\{a,\ b\}") == [r"\{a", r"b\}"]
    page = r'<article><section><h1>A</h1><p><span data-tex="%s"></span></p></section></article>'
    for tex, count in ((r",\ ".join("abcdefghijkl"), 12), (r"a,\ b", 1)):
        made = epub_pages.chapter("a", html.fromstring(page % tex), formulas.element)
        assert len(list(made.text.iter(S + "svg"))) == count


def test_code_keeps_each_line_and_marks_words_without_colours(chapter):
    code, printed = chapter.text.iter("pre")
    assert code.text_content() == 'def f():\n    """A doc\n    string."""\n\n    return 1\n'
    assert [b.text for b in code.iter("b")] == ["def", "return"]
    assert [i.text for i in code.iter("i")] == ['"""A doc', '    string."""']
    assert [e.get("class").split()[-1] for e in code] == ["in0", "in4", "in4", "in0", "in4"]
    assert printed.get("class") == "printed"
    assert chapter.text.find(".//details").find("summary").text_content().strip() == "Code"


def test_a_verdict_is_a_line_of_text(chapter):
    (verdict,) = classed(chapter.text, "pg-check")
    assert verdict.tag == "p"
    said = " ".join(verdict.text_content().split())
    assert said == "✓ ok (4.2) trick · runs · it holds"


def test_a_solution_goes_to_the_end_and_links_lead_both_ways(chapter):
    (solution,) = chapter.solutions
    assert "Because." in solution.text_content()
    assert "Because." not in chapter.text.text_content()
    (back,) = classed(solution, "title")[0].iter("a")
    assert (back.get("href"), back.text) == ("04-trick.html#ex-one", "Exercise 4.1")
    (way,) = classed(chapter.text, "to-solution")[0].iter("a")
    assert way.get("href") == "04-trick.html#book.s-1"


def test_what_needs_a_browser_goes_and_names_are_unique(chapter):
    text = etree.tostring(chapter.text, encoding="unicode")
    assert not re.search(r"<script|<button|headerlink|mjx-|press|alert", text)
    names = [e.get("id") for e in chapter.text.iter() if e.get("id")]
    assert not [name for name, times in Counter(names).items() if times > 1]
    assert chapter.title == "4. A trick"
    assert '<span lang="zh">策略</span>' in text


def test_the_page_of_the_site_stays_as_it_is(formulas):
    article = html.fromstring(PAGE)
    before = html.tostring(article)
    epub_pages.chapter("04-trick", article, formulas.element)
    assert html.tostring(article) == before


def test_a_picture_that_moves_shows_its_first_view():
    drawn, shown, said = epub_blocks.still(html.fromstring(MOVING))
    tree = etree.fromstring(drawn)
    assert (shown, said) == ("Two bars.", "first")
    assert len(tree.findall(f"{S}g")) == 2
    assert tree.find(f".//{S}path").get("stroke") == "#1a1a1a"
    assert not re.search(rb"class=|data-", drawn)


@pytest.mark.parametrize("nameless", [False, True])
@pytest.mark.parametrize(
    ("cells", "wide"),
    [(["a", "b"], False), (["a"] * 7, False), (["a", "b", "c", "d" * 30], True)],
)
def test_a_table_that_is_too_wide_becomes_a_list(formulas, cells, wide, nameless):
    row = "".join(f"<td><p>{cell}</p></td>" for cell in cells)
    head = "".join(f"<th><p>h{k}</p></th>" for k in range(len(cells)))
    if nameless:  # the first column, whose cells are the heads of rows
        head = head.replace("<th><p>h0</p></th>", "<td></td>")
        row = row.replace("<td><p>a</p></td>", '<th scope="row"><p>a</p></th>', 1)
    table = f"<table><thead><tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody></table>"
    page = f"<article><section><h1>A</h1>{table}</section></article>"
    text = epub_pages.chapter("a", html.fromstring(page), formulas.element).text
    assert bool(classed(text, "rows")) is wide
    if wide:
        says = [" ".join(e.text_content().split()) for e in text.iter("dt", "dd")]
        assert says == ["a", "h1 b", "h2 c", "h3 " + "d" * 30]


# --- links --------------------------------------------------------------------------------------


@pytest.fixture
def book(tmp_path, chapter):
    (tmp_path / "book").mkdir()
    (tmp_path / "all.zip").touch()
    text = html.fromstring('<section><p id="there">T</p></section>')
    other = epub_pages.Chapter("other", "O", text)
    made = epub_book.Book(tmp_path, [("", ["04-trick"]), ("P", ["other"])], {})
    made.chapters |= {"04-trick": chapter, "other": other}
    return made


def test_links_lead_to_files_of_the_book(book):
    epub_book.lay_out(book)
    for file in book.files:
        epub_book.link(book, file)
    found = [a.get("href") for file in book.files for a in file.body.iter("a")]
    assert found == [
        "other.xhtml#there",
        "04-trick-solutions.xhtml#book.s-1",
        "#equation-eq-trick",
        "04-trick-solutions.xhtml#book.s-1",
        "04-trick.xhtml",
        "04-trick.xhtml#ex-one",
    ]


@pytest.mark.parametrize("href", ["other.html#nowhere", "gone.html", "../gone.zip"])
def test_a_link_that_leads_nowhere_is_an_error(book, href):
    etree.SubElement(book.chapters["other"].text, "a", {"href": href})
    epub_book.lay_out(book)
    with pytest.raises(epub_book.Unresolved, match=re.escape(href)):
        for file in book.files:
            epub_book.link(book, file)


def test_a_long_chapter_is_several_files_that_begin_with_a_section(book, monkeypatch):
    monkeypatch.setattr(epub_book, "LARGEST", 2000)
    epub_book.lay_out(book)
    names = [file.name for file in book.files]
    first = ["04-trick.xhtml", "04-trick-2.xhtml"]
    assert names == [*first, "other.xhtml", "04-trick-solutions.xhtml"]
    assert book.places["04-trick", "next"] == "04-trick-2.xhtml"
    (entry,) = epub_book.chapter_entry(book, "04-trick").below
    assert (entry.title, entry.href) == ("Next", "04-trick-2.xhtml#next")


# --- the real file --------------------------------------------------------------------------------


class Epub:
    """The files of an e-book, its texts parsed."""

    def __init__(self, path: Path):
        self.path = path
        with zipfile.ZipFile(path) as archive:
            self.entries = archive.infolist()
            self.content = {e.filename: archive.read(e) for e in self.entries}
        inner = [name for name in self.content if name.startswith("EPUB/")]
        self.files = {name.removeprefix("EPUB/"): self.content[name] for name in inner}
        texts = [name for name in self.files if name.endswith(".xhtml")]
        self.trees = {name: etree.fromstring(self.files[name]) for name in texts}
        self.package = etree.fromstring(self.files["package.opf"])
        opf = "{http://www.idpf.org/2007/opf}"
        self.items = {e.get("id"): e for e in self.package.iter(opf + "item")}
        order = [e.get("idref") for e in self.package.iter(opf + "itemref")]
        self.spine = [self.items[name].get("href") for name in order]

    def of(self, page: str) -> list:
        """The texts that were made of a page, in order."""
        name = re.compile(rf"{re.escape(page)}(-\d+|-solutions)?\.xhtml")
        return [self.trees[file] for file in self.spine if name.fullmatch(file)]


@pytest.fixture(scope="session")
def epub(site):
    """The e-book of the site, made if it is not there or older."""
    if not (ROOT / "_build" / "book.finished").exists():
        missing("no finished book in _build/html; `make book` makes it", "REQUIRE_SITE")
    assert epub_book.main(ROOT) == 0
    return Epub(ROOT / "_build" / epub_book.NAME)


def broken_links(trees: dict) -> list[str]:
    """Links and pictures of some texts that lead nowhere, within the book or out of it."""
    names = {name: {e.get("id") for e in tree.iter()} for name, tree in trees.items()}
    found = []
    for name, tree in trees.items():
        for link in tree.iter(X + "a"):
            address = urlsplit(link.get("href", ""))
            if address.scheme in ("http", "https"):
                continue
            file, place = address.path or name, unquote(address.fragment)
            if file not in names or (place and place not in names[file]):
                found.append(f"{name}: {link.get('href')}")
    return found


@pytest.mark.site
def test_the_archive_begins_with_what_it_is(epub):
    first, second = epub.entries[:2]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert epub.content["mimetype"] == b"application/epub+zip"
    assert second.filename == "META-INF/container.xml"
    assert {e.date_time for e in epub.entries} == {bundle.NO_TIME}
    assert epub.path.stat().st_size < 5e6


@pytest.mark.site
def test_the_manifest_names_every_file_and_the_spine_every_text(epub):
    told = Counter(item.get("href") for item in epub.items.values())
    assert told == Counter(set(epub.files) - {"package.opf"})
    assert Counter(epub.spine) == Counter(set(epub.trees))
    for item in epub.items.values():
        drawn = b"<svg" in epub.files[item.get("href")] and item.get("href") in epub.trees
        assert ("svg" in (item.get("properties") or "").split()) is drawn


@pytest.mark.site
def test_the_order_is_that_of_the_contents_and_solutions_come_last(epub):
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    pages = ["index"] + [Path(c["file"]).name for p in toc["parts"] for c in p["chapters"]]
    first = [name for name in epub.spine[3:] if name.removesuffix(".xhtml") in pages]
    assert first == [f"{page}.xhtml" for page in pages]
    solved = [name.endswith("-solutions.xhtml") for name in epub.spine]
    assert solved == sorted(solved)
    assert sum(solved) > 20
    (contents, *_) = epub.trees["nav.xhtml"].iter(X + "nav")
    tops = ["".join(li[0].itertext()) for li in contents.find(X + "ol")]
    captions = [part["caption"] for part in toc["parts"]]
    assert tops == [
        "Cover",
        "About this e-book",
        "Policy Gradients, Checked",
        *captions,
        "Solutions",
    ]


@pytest.mark.site
def test_every_link_resolves_and_every_name_is_unique(epub):
    assert broken_links(epub.trees) == []
    for name, tree in epub.trees.items():
        names = Counter(e.get("id") for e in tree.iter() if e.get("id"))
        assert max(names.values(), default=1) == 1, name


def test_a_broken_link_is_seen():
    a = etree.fromstring(f'<p xmlns="{X[1:-1]}" id="x"><a href="#x">1</a><a href="b#y">2</a></p>')
    b = etree.fromstring(f'<p xmlns="{X[1:-1]}"><a href="#z">3</a><a href="c">4</a></p>')
    assert broken_links({"a": a, "b": b}) == ["a: b#y", "b: #z", "b: c"]


def active(name: str, content: bytes) -> list[str]:
    """What in a file would run, or be fetched from elsewhere."""
    if name.endswith(".css"):
        return re.findall(r"@import|url\(", content.decode())
    found = re.findall(rb"url\((?!#)[^)]*\)", content) if b"<svg" in content else []
    for element in etree.fromstring(content).iter(etree.Element):
        tag = etree.QName(element).localname
        found += [tag] if tag in ("script", "iframe", "object", "embed", "form") else []
        for key, value in element.items():
            attribute = etree.QName(key).localname
            fetched = attribute in ("src", "data", "poster") or (attribute == "href" and tag != "a")
            if attribute.startswith("on") or (fetched and ":" in value):
                found.append(f"{tag} {attribute}={value}")
    return found


@pytest.mark.site
def test_nothing_runs_and_nothing_comes_from_elsewhere(epub):
    for name, content in epub.files.items():
        if name.endswith((".xhtml", ".svg", ".css")):
            assert active(name, content) == [], name


@pytest.mark.parametrize(
    "fault",
    [
        "<script/>",
        '<p onclick="x()"/>',
        '<img src="https://example.org/a.png"/>',
        '<link href="https://example.org/a.css"/>',
        '<svg><path fill="url(https://example.org/a)"/></svg>',
    ],
)
def test_what_runs_or_comes_from_elsewhere_is_seen(fault):
    assert active("a.xhtml", f"<body>{fault}</body>".encode())
    fine = '<body><a href="https://example.org">a</a><svg><path fill="url(#a)"/></svg></body>'
    assert active("a.xhtml", fine.encode()) == []


@pytest.mark.site
def test_each_formula_of_each_page_is_there_with_its_words(epub, site):
    wordless = []
    for page, article in articles(site).items():
        there = Counter(tex for tree in epub.of(page) for tex in tree.xpath("//@data-tex"))
        here = Counter(article.xpath(".//@data-tex"))
        assert set(there) == set(here), page
        assert all(there[tex] >= here[tex] for tex in here), page
        for tree in epub.of(page):
            drawn = [e for e in tree.iter(S + "svg") if e.getparent().tag.startswith(X)]
            wordless += [page for e in drawn if not e.get("aria-label")]
    assert not wordless


@pytest.mark.site
def test_each_number_of_an_equation_is_beside_it(epub, site):
    def numbers(tree):
        return ["".join(e.itertext()).strip("#") for e in classed(tree, "eqno")]

    for page, article in articles(site).items():
        there = [number for tree in epub.of(page) for number in numbers(tree)]
        assert Counter(there) == Counter(numbers(article)), page


@pytest.mark.site
def test_all_code_and_all_that_was_printed_is_there(epub, site):
    for page, article in articles(site).items():
        here = [pre.text_content().rstrip("\n") for pre in article.iter("pre")]
        code = [pre for tree in epub.of(page) for pre in tree.iter(X + "pre")]
        assert Counter("".join(pre.itertext()).rstrip("\n") for pre in code) == Counter(here), page


@pytest.mark.site
def test_all_words_of_the_text_are_there(epub, site):
    """Each paragraph of the site, its formulas aside, stands in the e-book."""

    def letters(*elements):
        return re.sub(r"\W+", "", "".join("".join(e.itertext()) for e in elements))

    for page, article in articles(site).items():
        whole = letters(*epub.of(page))
        for p in article.xpath(".//p[not(ancestor::summary or ancestor::th or .//@data-tex)]"):
            copied = html.fromstring(html.tostring(p, with_tail=False))
            for link in copied.xpath(".//a[contains(@class, 'headerlink')]"):
                link.drop_tree()
            words = letters(copied)
            assert words == "Solution" or words in whole, (page, words)


@pytest.mark.site
def test_each_picture_is_there_and_is_described(epub):
    used = set()
    for name, tree in epub.trees.items():
        for image in tree.iter(X + "img"):
            assert len((image.get("alt") or "").split()) >= 5, (name, image.get("src"))
            used.add(image.get("src"))
    held = {n for n in epub.files if PurePosixPath(n).suffix in (".svg", ".png")}
    assert used == held


@pytest.mark.site
def test_solutions_and_exercises_lead_to_one_another(epub, site):
    for page, article in articles(site).items():
        wanted = len(classed(article, "solution"))
        texts = epub.of(page)
        ways = [e for t in texts for e in classed(t, "to-solution")]
        solutions = [e for t in texts for e in classed(t, "solution")]
        assert len(ways) == len(solutions) == wanted, page


@pytest.mark.site
def test_the_catalogue_is_full_and_needs_no_clock(epub):
    said = epub.files["package.opf"].decode()
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert f"<dc:title>{cited['title']}</dc:title>" in said
    assert f'dcterms:modified">{cited["date-released"]}T00:00:00Z<' in said
    for name in epub_package.ACCESS:
        assert f'property="schema:{name}"' in said
    for kind in ("toc", "loi", "landmarks"):
        assert any(n.get(OPS + "type") == kind for n in epub.trees["nav.xhtml"].iter(X + "nav"))


MINI = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import epub_book
names = ["b-aliasing-and-memory"]
epub_book.parts = lambda toc: [("", ["references"]), ("A part", names)]
epub_book.resolve = lambda book, file, target, place: "references.xhtml"
epub_book.Path.exists = lambda path: True
epub_book.make(Path(sys.argv[2]), Path(sys.argv[2]) / "_build/html", Path(sys.argv[3]))
"""


@pytest.mark.site
def test_the_same_site_gives_the_same_bytes(site, tmp_path):
    made = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        target = tmp_path / f"{seed}.epub"
        settings = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone}
        subprocess.run(
            [sys.executable, "-c", MINI, str(ROOT / "_ext"), str(ROOT), str(target)],
            env=settings, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        made.append(target.read_bytes())
    assert made[0] == made[1]


# --- epubcheck ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def program():
    found, java = epub_check.jar(ROOT), shutil.which("java")
    if java and not found and os.environ.get("REQUIRE_EPUBCHECK") == "1":
        found = epub_check.fetch(ROOT)
    if java is None or found is None:
        missing("no Java, or no epubcheck: `make epub-check` fetches it", "REQUIRE_EPUBCHECK")
    return found


@pytest.mark.site
def test_epubcheck_finds_nothing(epub, program):
    assert epub_check.judged(program, epub.path) == []


@pytest.mark.site
def test_epubcheck_sees_a_broken_link_and_a_missing_file(epub, program, tmp_path):
    keep = {"references.xhtml", "book.css", "cover.png", "cover.xhtml"}
    files = {name: content for name, content in epub.files.items() if name in keep}
    says = epub_book.about(ROOT / "CITATION.cff")
    lines = [epub_package.Entry("References", "references.xhtml")]
    files["nav.xhtml"] = epub_package.nav(says, lines, lines, {})
    files["toc.ncx"] = epub_package.ncx(says, lines)
    broken = '<p><a href="#gone">x</a><img src="no.png" alt="a"/></p>'
    files["references.xhtml"] = epub_package.page("R", broken)
    order = ["cover.xhtml", "nav.xhtml", "references.xhtml"]
    files["package.opf"] = epub_package.opf(says, files, order)
    epub_package.pack(tmp_path / "a.epub", files)
    found = "\n".join(epub_check.judged(program, tmp_path / "a.epub"))
    assert "Fragment identifier" in found
    assert "no.png" in found
