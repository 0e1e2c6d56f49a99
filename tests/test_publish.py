"""One value turns on all that a public address needs; without it none of that is there."""

import json
import re
import shutil
import struct
import subprocess
import sys
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.errors import ConfigError

import card
import publish
import summaries
import versions
from test_build import build, notebook

ROOT = Path(__file__).resolve().parents[1]
PAGES = "https://some-one.{}.io/"
HERE = "https://github.example.org/Some-One/a-book"  # a host of this name does not exist


# --- what follows from the value ------------------------------------------------------------------


@pytest.mark.parametrize("given", [HERE, f"{HERE}/", f"{HERE}.git", f" {HERE} "])
def test_the_address_of_a_repository_is_read_however_it_is_written(given):
    assert publish.Repository.at(given).url == HERE


@pytest.mark.parametrize("given", ["a-book", "Some-One/a-book", HERE[:-7], f"{HERE}/tree/main"])
def test_what_is_no_address_of_a_repository_is_refused_with_what_is_asked_for(given):
    with pytest.raises(ConfigError, match=r"https://HOST/OWNER/NAME"):
        publish.Repository.at(given)


@pytest.mark.parametrize(
    ("host", "name", "expected"),
    [
        ("github", "a-book", PAGES.format("github") + "a-book/"),
        ("gitlab", "a-book", PAGES.format("gitlab") + "a-book/"),
        ("github", "Some-One.github.io", PAGES.format("github")),
        ("elsewhere", "a-book", ""),
    ],
)
def test_the_public_address_follows_from_that_of_the_repository(host, name, expected):
    assert publish.Repository(f"{host}.example.org", "Some-One", name).pages() == expected


def test_an_address_that_is_given_goes_before_the_one_that_follows(tmp_path):
    (tmp_path / "_config.yml").write_text(f"repository:\n  url: {HERE}\n")
    config = SimpleNamespace(
        html_theme_options={}, html_title="A book", html_baseurl="https://example.org/book"
    )
    publish.configure(SimpleNamespace(srcdir=tmp_path), config)
    assert config.html_baseurl == "https://example.org/book/"
    assert config.html_theme_options["repository_branch"] == "main"


def test_the_book_itself_sets_no_value():
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert settings["repository"]["url"] == ""
    assert "baseurl" not in settings["html"]


# --- a small book, built with the value and without -----------------------------------------------

CONTRACT = """\
# A chapter

:::{admonition} Contract
:class: contract
**The question.** What does $\\gamma^t$ weigh, and why should a reader of a page that is so short
care about it at all?
:::

More words, which nobody needs.
"""


def small(root: Path, url: str) -> Path:
    """A book of two pages with the settings of this one; the site that is built of it."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["repository"]["url"] = url
    config.pop("bibtex_bibfiles")
    config["html"].pop("favicon")
    ours = ("policygrad_book", "publish")
    config["sphinx"]["local_extensions"] = dict.fromkeys(ours, str(ROOT / "_ext"))
    settings = config["sphinx"]["config"]
    needed = ("myst_nb", "jupyter_book", "sphinx_external_toc", "sphinx_book_theme")
    settings["extensions"] = [*needed, *ours]
    for name in [n for n in settings if n.startswith(("bibtex", "exercise", "html_math"))]:
        del settings[name]
    (root / "book").mkdir(parents=True)
    (root / "requirements.txt").write_text("")
    (root / "_config.yml").write_text(yaml.safe_dump(config))
    toc = {"format": "jb-book", "root": "book/index", "chapters": [{"file": "book/01-a"}]}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    (root / "book" / "index.md").write_text("# Policy Gradients, Checked\n\nWords.\n")
    chapter = notebook("1 + 1")
    chapter.cells[0].source = CONTRACT
    (root / "book" / "01-a.ipynb").write_text(json.dumps(chapter))
    done = build(root)
    assert done.returncode == 0, done.stderr
    return root / "_build" / "html"


@pytest.fixture(scope="module")
def without(tmp_path_factory) -> Path:
    return small(tmp_path_factory.mktemp("without"), "")


@pytest.fixture(scope="module")
def valued(tmp_path_factory) -> Path:
    return small(tmp_path_factory.mktemp("valued"), HERE)


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def said(page: BeautifulSoup, name: str) -> str | None:
    tag = page.find("meta", {"name": name}) or page.find("meta", {"property": name})
    return tag and tag["content"]


PUBLIC = ("404.html", "robots.txt", "sitemap.xml", "versions.html", publish.CARD)


def test_without_the_value_a_site_names_no_address_and_has_nothing_for_one(without):
    assert [name for name in PUBLIC if (without / name).exists()] == []
    for path in without.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"canonical|og:|twitter:|codespaces|btn-source|launch-", text), path


def test_with_the_value_every_page_names_its_one_address_and_its_card(valued):
    base = PAGES.format("github") + "a-book/"
    for name in ("book/index.html", "book/01-a.html"):
        page = soup(valued / name)
        assert page.find("link", rel="canonical")["href"] == base + name == said(page, "og:url")
        assert said(page, "og:image") == base + publish.CARD
        assert said(page, "og:description") == said(page, "description")
        assert said(page, "twitter:card") == "summary_large_image"
    assert said(page, "og:title") == "A chapter"
    assert (valued / publish.CARD).is_file()
    top = soup(valued / "index.html")
    assert top.find("link", rel="canonical")["href"] == f"{base}book/index.html"


def test_with_the_value_buttons_lead_to_source_issue_and_machine(valued):
    menu = soup(valued / "book" / "01-a.html").find("div", class_="article-header-buttons")
    found = {a["href"].replace(HERE, "").partition("?")[0] for a in menu.find_all("a", href=True)}
    machine = "https://github.example.org/codespaces/new/Some-One/a-book/tree/main"
    wanted = {"", "/edit/main/book/01-a.ipynb", "/issues/new", machine, "../versions.html"}
    assert wanted <= found


def test_a_hub_is_offered_where_one_is_named_beside_the_value(valued, tmp_path):
    # What the theme makes of it; `.binder` says what the hub installs.
    settings = {
        "repository": {"url": HERE},
        "launch_buttons": {"binderhub_url": "https://example.org"},
    }
    for url in (HERE, ""):
        settings["repository"]["url"] = url
        (tmp_path / "_config.yml").write_text(yaml.safe_dump(settings))
        config = SimpleNamespace(html_theme_options={}, html_title="A book", html_baseurl="")
        publish.configure(SimpleNamespace(srcdir=tmp_path), config)
        offered = config.html_theme_options.get("launch_buttons", {})
        assert bool(offered.get("binderhub_url")) is bool(url)
    lock, python = (ROOT / ".binder" / name for name in ("requirements.txt", "runtime.txt"))
    assert (lock.parent / lock.read_text().removeprefix("-r ").strip()).resolve() == (
        ROOT / "requirements.txt"
    )
    assert re.fullmatch(r"python-3\.1[1-9]\n", python.read_text())
    assert json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())[
        "postCreateCommand"
    ] == ("make ready")


def test_the_map_of_the_site_lists_the_pages_of_the_book(valued):
    places = re.findall(r"<loc>(.*?)</loc>", (valued / "sitemap.xml").read_text())
    base = PAGES.format("github") + "a-book/"
    assert places == [f"{base}book/01-a.html", f"{base}book/index.html"]
    assert f"Sitemap: {base}sitemap.xml" in (valued / "robots.txt").read_text()


def test_links_of_the_page_that_is_shown_anywhere_start_at_the_top_of_the_host(valued):
    page = soup(valued / "404.html")
    links = [a["href"] for a in page.find_all("a")] + [page.find("form")["action"]]
    assert links == ["/a-book/book/index.html", "/a-book/search.html"]
    for link in links:
        assert (valued / link.removeprefix("/a-book/")).is_file()
    assert page.find("input")["name"] == "q"  # as the page that searches reads it


def fetched(site: Path) -> set[str]:
    """The addresses elsewhere that pages of a site fetch something from."""
    names = ("src", "srcset", "href", "action", "data", "poster")
    return {
        tag[name]
        for path in site.rglob("*.html")
        for tag in soup(path).find_all(True)
        for name in names
        if tag.name != "a"
        and tag.get("rel") != ["canonical"]
        and urlsplit(tag.get(name, "")).netloc
    }


def test_the_value_makes_no_page_fetch_anything_from_elsewhere(valued, without, tmp_path):
    assert fetched(valued) == fetched(without)
    (tmp_path / "a.html").write_text('<link rel="icon" href="https://example.org/a.png">')
    assert fetched(tmp_path) == {"https://example.org/a.png"}


def test_the_card_has_the_size_that_is_announced_and_the_same_bytes_each_time(valued, tmp_path):
    card.draw(tmp_path / "card.png", "Policy Gradients, Checked")
    content = (tmp_path / "card.png").read_bytes()
    assert struct.unpack(">II", content[16:24]) == card.PIXELS == (1200, 630)
    assert content == (valued / publish.CARD).read_bytes()


def test_a_title_names_the_book_once(without):
    assert soup(without / "book" / "index.html").title.text == "Policy Gradients, Checked"
    other = soup(without / "book" / "01-a.html").title.text
    assert other == "A chapter — Policy Gradients, Checked"
    logo = soup(without / "book" / "index.html").find(class_="logo__title")
    assert logo.text.strip() == "Policy Gradients, Checked"


# --- descriptions ---------------------------------------------------------------------------------


def test_a_description_is_the_question_of_the_contract_with_its_formula_in_letters(without):
    page = soup(without / "book" / "01-a.html")
    assert said(page, "description").startswith("What does γᵗ weigh, and why should a reader")


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"\gamma^t\,G_t", "γᵗ Gₜ"),
        (r"\nabla_\theta\log P(\tau;\theta)", "∇log P(τ;θ)"),
        ("-4", "−4"),
        (r"\frac12", summaries.UNSAID),
        (r"x_{t+1}", summaries.UNSAID),
        (r"\pi_\theta", summaries.UNSAID),
    ],
)
def test_a_formula_is_spelled_with_letters_or_not_at_all(tex, expected):
    assert summaries.spelled(tex) == expected


def paragraph(*words) -> nodes.document:
    """A page of one paragraph: words, and formulas as pairs of a name and TeX."""
    page = nodes.document(None, None)
    page += nodes.paragraph("", "", *(nodes.Text(w) if isinstance(w, str) else w for w in words))
    return page


def test_a_sentence_with_a_formula_that_cannot_be_said_is_passed_over():
    hard = nodes.math("", r"\frac12")
    page = paragraph("A first sentence says ", hard, ". " + "The second one has only words. " * 3)
    assert summaries.summary(page, "T", "B").startswith("The second one has only words.")


@pytest.mark.parametrize("words", [0, 1, 5, 12, 40])
def test_a_description_is_neither_too_short_nor_too_long_and_ends_with_a_word(words):
    page = paragraph("wordly " * words)
    found = summaries.summary(page, "A title", "A book")
    assert summaries.LEAST <= len(found) <= summaries.MOST
    assert re.search(r"\w[.…]?$", found)


@pytest.mark.site
def test_every_page_of_the_book_describes_itself_in_words_of_its_own(site):
    pages = [*site.glob("book/*.html"), site / "search.html"]
    found = {}
    for path in pages:
        tags = re.findall(r'<meta name="description" content="(.*?)" />', path.read_text("utf-8"))
        assert len(tags) == 1, path.name
        found[path.name] = unescape(tags[0])
    assert len(set(found.values())) == len(found) > 40
    for name, words in found.items():
        assert summaries.LEAST <= len(words) <= summaries.MOST, name
        assert not re.search(r"[\\{}$_^<>\[\]]", words), name


# --- versions -------------------------------------------------------------------------------------

STUB = """\
import pathlib, sys
site = pathlib.Path("_build/html")
(site / "book").mkdir(parents=True)
(site / "index.html").write_text("<title>A book</title>")
for name in pathlib.Path("pages").read_text().split():
    page = '<article class="bd-article">words</article>'
    (site / "book" / f"{name}.html").write_text(page)
"""


@pytest.fixture
def repository(tmp_path) -> Path:
    """A repository with three tags that are versions, and one that is none."""
    if shutil.which("git") is None:
        pytest.skip("no git here")

    def git(*words):
        name = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *name, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / ".gitignore").write_text("_build/\n")
    (tmp_path / "build.py").write_text(STUB)
    for tag, pages in (("v1.0", "index old"), ("v1.0.1", "index old a"), ("v1.10", "index a")):
        (tmp_path / "pages").write_text(pages)
        git("add", ".")
        git("commit", "-qm", tag)
        git("tag", tag)
    git("tag", "before")
    (tmp_path / "pages").write_text("index a new")
    return tmp_path


def test_each_tag_is_a_version_and_the_newest_lies_at_the_top(repository):
    assert versions.main(repository, [sys.executable, "build.py"]) == 0
    site = repository / "_build" / "versions" / "site"
    pages = {path.relative_to(site).as_posix() for path in site.rglob("book/*.html")}
    assert pages == {
        *(f"book/{name}.html" for name in ("index", "a", "new")),
        *(f"v1.10/book/{name}.html" for name in ("index", "a")),
        *(f"v1.0/book/{name}.html" for name in ("index", "a", "old")),
    }
    left = subprocess.run(["git", "worktree", "list"], cwd=repository, capture_output=True)
    assert len(left.stdout.splitlines()) == 1


def test_every_version_lists_all_and_an_old_page_leads_to_its_newest_self(repository):
    versions.main(repository, [sys.executable, "build.py"])
    site = repository / "_build" / "versions" / "site"
    for folder in ("", "v1.10", "v1.0"):
        links = [a["href"] for a in soup(site / folder / "versions.html").find_all("a")]
        assert len(links) == 3
        for link in links:
            assert (site / folder / link).is_file(), (folder, link)
    leads = {"v1.10/book/a.html": "a.html", "v1.0/book/old.html": "index.html"}
    for page, newest in leads.items():
        note = soup(site / page).find("article").find(class_="older-version")
        assert [a["href"] for a in note.find_all("a")] == [
            f"../../book/{newest}",
            "../versions.html",
        ]
    assert "older-version" not in (site / "book" / "a.html").read_text()


def test_a_version_that_does_not_build_stops_everything(repository):
    with pytest.raises(subprocess.CalledProcessError):
        versions.main(repository, [sys.executable, "-c", "raise SystemExit(1)"])


# --- workflows ------------------------------------------------------------------------------------


def workflow(name: str) -> dict:
    return yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["ci.yml", "pages.yml"])
def test_a_workflow_names_each_action_by_the_digest_of_a_commit_and_reads_alone(name):
    found = workflow(name)
    assert found["permissions"] == {"contents": "read"}
    assert found.get("on", found.get(True))  # YAML takes the word for a truth value
    steps = [step for job in found["jobs"].values() for step in job["steps"]]
    for step in steps:
        assert ("uses" in step) != ("run" in step)
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", "a/a@" + 40 * "0"))


def test_the_site_is_published_only_where_the_value_is_set():
    jobs = workflow("pages.yml")["jobs"]
    (read,) = [step["run"] for step in jobs["build"]["steps"] if step.get("id") == "value"]
    later = jobs["build"]["steps"][2:]
    assert all(step["if"] == "steps.value.outputs.url != ''" for step in later)
    assert jobs["deploy"]["if"] == "needs.build.outputs.url != ''"
    command = re.search(r"\$\((.*)\)", read)[1]
    for url in ("", HERE):
        text = (ROOT / "_config.yml").read_text(encoding="utf-8")
        text = text.replace('\n  url: ""\n', f'\n  url: "{url}"\n')
        shell = command.replace("_config.yml", "/dev/stdin")
        run = subprocess.run(["sh", "-c", shell], input=text, capture_output=True, text=True)
        assert run.stdout.strip() == url
