"""Fixtures shared by all tests: where things are, and how to look at the built site."""

import os
from pathlib import Path

import pytest
from hypothesis import Phase, settings

import built
from browser import Browser, find_browser
from sharing import pytest_xdist_make_scheduler  # noqa: F401 - a hook

ROOT = Path(__file__).resolve().parents[1]

# A make that a test calls is not part of the make that may have called the tests.
for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
    os.environ.pop(name, None)

# The same examples on every run and machine; the time of one example is nobody's promise.  Where
# only that a test fails is asked, the first example will do: none smaller is looked for.
settings.register_profile("book", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("search", derandomize=False, deadline=None, max_examples=1000)
settings.register_profile(
    "first",
    settings.get_profile("book"),
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "book"))


def missing(reason: str, variable: str):
    """Skip, or fail where the variable says that the thing has to be there."""
    if os.environ.get(variable) == "1":
        pytest.fail(f"{reason} ({variable}=1 forbids skipping)", pytrace=False)
    pytest.skip(reason)


# Begun last, these would keep one processor waiting for the other: chapters, tests of the site.
LONG = ("09-", "14-", "12-", "13-", "11-", "10-")
LONG_OF_SITE = ("test_paper", "test_epub", "test_site", "test_print", "test_site_eyes")


def pytest_collection_modifyitems(items):
    """Begin with what takes long; tests of one chapter stand in a row, and share a run of it."""
    items.sort(key=when)


def part_of(item) -> str | None:
    """What a test asks of a run of a chapter, if it does: see ``once``."""
    return getattr(getattr(item, "function", None), "part", None)


def when(item) -> tuple:
    """Where a test stands in the order."""
    if part_of(item):
        stem = item.callspec.params["path"].stem
        rank = next((k for k, start in enumerate(LONG) if stem.startswith(start)), len(LONG))
        return 0, rank, stem
    if any(item.iter_markers("site")) or any(item.iter_markers("browser")):
        stem = item.path.stem
        rank = LONG_OF_SITE.index(stem) if stem in LONG_OF_SITE else len(LONG_OF_SITE)
        return 1, rank, stem
    return 2 + (item.path.name != "test_glance.py"), 0, ""


def pytest_collection_finish(session):
    """Let one run of a chapter serve all tests that are going to ask for it."""
    if asking := [item for item in session.items if part_of(item)]:
        import once  # which few sessions need

        once.expect([(item.callspec.params["path"], part_of(item)) for item in asking])


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built book, `_build/html`."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").is_file():
        missing("no built book in _build/html; `make book` makes it", "REQUIRE_SITE")
    return folder


@pytest.fixture(scope="session")
def articles(site) -> dict:
    """The article of every page of the book."""
    return built.articles(site)


@pytest.fixture(scope="session")
def browser():
    """One headless browser for the session, cut off from the network."""
    executable = find_browser()
    if executable is None:
        missing("no Chromium or Chrome on this machine", "REQUIRE_BROWSER")
    running = Browser(executable)
    yield running
    running.close()
