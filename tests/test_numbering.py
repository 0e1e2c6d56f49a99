"""On a built page numbers agree with the names of files, and verdicts with their equations."""

import os
import subprocess

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

import numbering
import pages
from notebooks import METADATA
from test_build import ROOT, command, tiny

EQUATION = "\n\n$$\n1+1=2\n$$ (eq-{0}-sum)\n\n$$\nx=2\n$$ (def-{0}-x)\n\n"
EXERCISE = ":::{{exercise}} Add\n:label: ex-{0}\n\nAdd.\n:::\n\n## More\n\n"
HEAD = "from policygrad.checks import close, refuted\n"
CODE = """\
close("{0}-sum", 1 + 1, 2)
close("{0}-x", 2, 2, where="a < b")
close("nowhere", 2, 2)
with refuted("one & one is three"):
    close("{0}-sum", 1 + 1, 3)
close("{1}-sum", 1 + 1, 2)
"""
NAMES = ("01-first", "15-late", "a-more", "plain")
NEXT = dict(zip(NAMES, (*NAMES[1:], NAMES[0]), strict=True))  # what each page speaks of
NUMBERS = {"01-first": "1", "15-late": "15", "a-more": "A"}


def page(name: str, other: str):
    words = f"# Page {name}" + (EQUATION + EXERCISE).format(name)
    words += f"See {{eq}}`eq-{other}-sum`, {{numref}}`ex-{other}` and [](./{other})."
    cells = [
        nbformat.v4.new_markdown_cell(words, id="words"),
        nbformat.v4.new_code_cell(HEAD + CODE.format(name, other), id="code"),
        nbformat.v4.new_code_cell("print('shown')", id="folded", metadata={"tags": ["hide-input"]}),
    ]
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The pages of a book of four chapters, of which three have numbers."""
    root = tiny(tmp_path_factory.mktemp("numbers"), start="# Start\n", plain="# Words\n")
    for name, other in NEXT.items():
        nbformat.write(page(name, other), root / "book" / f"{name}.ipynb")
    (root / "book" / "plain.md").unlink()
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    for name in ("numbering", "verdicts"):
        config["sphinx"]["local_extensions"][name] = str(ROOT / "_ext")
    config["sphinx"]["config"]["extensions"] += ["sphinx_exercise", "numbering", "verdicts"]
    (root / "_config.yml").write_text(yaml.safe_dump(config))
    files = [{"file": f"book/{name}"} for name in NAMES]
    parts = [{"caption": "One", "numbered": 1, "chapters": files[:1]}]
    parts += [{"caption": "Two", "numbered": 1, "chapters": files[1:2]}]
    parts += [{"caption": "More", "numbered": 1, "chapters": files[2:3]}]
    parts += [{"caption": "Back", "chapters": files[3:]}]
    toc = {"format": "jb-book", "root": "book/start", "parts": parts}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    env = os.environ | {"PYTHONPATH": str(ROOT / "book")}
    done = subprocess.run(command(root), capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    site = root / "_build" / "html" / "book"
    return {n: BeautifulSoup((site / f"{n}.html").read_text("utf-8"), "html.parser") for n in NAMES}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("book/01-a", "1"),
        ("book/15-a-b", "15"),
        ("book/07b-a", "7b"),
        ("a-b", "A"),
        ("ledger", None),
        ("how-to", None),
        ("1-a", None),
        ("015-a", None),
        ("15bc-a", None),
    ],
)
def test_the_number_of_a_page_is_that_of_its_file(name, number):
    assert numbering.mark(name) == number


@pytest.mark.parametrize(("name", "number"), NUMBERS.items())
def test_headings_equations_and_exercises_have_the_number_of_the_file(built, name, number):
    tree = built[name].select_one("article")
    assert tree.h1.get_text().startswith(f"{number}. Page {name}")
    assert [x.get_text()[:-1] for x in tree.select("span.eqno")] == [
        f"({number}.1)",
        f"({number}.2)",
    ]
    assert f"Exercise {number}.1" in tree.select_one(".exercise .admonition-title").get_text()
    assert tree.h2.get_text().startswith("More")


@pytest.mark.parametrize(("name", "number"), NUMBERS.items())
def test_links_and_the_sidebar_agree_with_the_page_that_they_lead_to(built, name, number):
    before = next(page for page, other in NEXT.items() if other == name)
    tree = built[before]
    words = tree.select_one("article p:has(a.reference)").get_text()
    assert words.startswith(f"See ({number}.1), Exercise {number}.1 and ")
    for other in built.values():
        (entry,) = (
            a for a in other.select("nav.bd-links a") if a.get_text().endswith(f"Page {name}")
        )
        assert entry.get_text().strip() == f"{number}. Page {name}"


def test_a_page_without_a_number_stays_without_one(built):
    assert built["plain"].h1.get_text().startswith("Page plain")
    assert not built["plain"].h1.select(".section-number")


def test_what_stands_on_such_a_page_is_numbered_behind_letters_of_its_name(built):
    equations = [x.get_text()[:-1] for x in built["plain"].select("article span.eqno")]
    assert equations == ["(PL.1)", "(PL.2)"]
    assert "Exercise PL.1" in built["plain"].select_one(".exercise .admonition-title").get_text()


def test_no_two_pages_of_the_book_number_alike():
    names = [path.stem for kind in ("ipynb", "md") for path in (ROOT / "book").glob(f"*.{kind}")]
    found = [numbering.prefix(name) for name in names]
    assert len(set(found)) == len(found) > 40
    assert numbering.prefix("book/how-checks-work") == "HC" and numbering.prefix("ledger") == "LE"


@pytest.mark.parametrize("name", NAMES)
def test_a_verdict_shows_the_number_of_its_equation_and_leads_there(built, name):
    other, numbers = NEXT[name], NUMBERS | {"plain": "PL"}
    own, there = (f"{numbers[x]}." for x in (name, other))
    verdicts = built[name].select("article .pg-check")
    found = [(v.a.get_text(), v.a["href"]) if v.a else None for v in verdicts]
    assert found == [
        (f"({own}1)", f"#equation-eq-{name}-sum"),
        (f"({own}2)", f"#equation-def-{name}-x"),
        None,
        (f"({own}1)", f"#equation-eq-{name}-sum"),
        (f"({there}1)", f"{other}.html#equation-eq-{other}-sum"),
    ]
    for _, link in filter(None, found):
        where, _, anchor = link.partition("#")
        assert built[where.removesuffix(".html") or name].find(id=anchor)
    assert verdicts[0].get_text(" ").split()[:4] == ["✓", "ok", f"({own}1)", f"{name}-sum"]
    assert verdicts[3].get_text().startswith(f"✓ caught ({own}1) one & one is three")


@pytest.mark.parametrize("name", NAMES)
def test_a_folded_cell_has_a_short_label_and_its_output_stays_outside(built, name):
    plain, folded = built[name].select("article div.cell")
    assert not plain.select("details") and folded.details.select_one("div.cell_input pre")
    assert {p.get_text() for p in folded.summary.select("p")} == {"Code"}
    (output,) = folded.select("div.cell_output")
    assert output.get_text().strip() == "shown" and output.find_parent("details") is None
    assert "open" not in folded.details.attrs


def test_what_a_page_shows_is_what_was_put_out_but_for_the_numbers(built, tmp_path):
    path = tmp_path / "a.html"
    path.write_text(str(built["01-first"]), "utf-8")
    texts = [output.text for output in pages.shown(path)[1]]
    assert len(texts) == 5 and "pg-number" not in "".join(texts)
    assert '<span class="pg-verdict">ok</span> <code>01-first-sum</code>' in texts[0]
