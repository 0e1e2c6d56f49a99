"""Fixtures shared by all tests: where things are, and how to look at the built site."""

import os
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from browser import Browser, find_browser

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


# Their tests run whole chapters: begun last, they would keep one processor waiting for the other.
LONG = ("test_proofs.py", "test_experiments.py", "test_rerun.py", "test_glance.py")


def pytest_collection_modifyitems(items):
    """Begin with what takes long."""
    items.sort(key=lambda item: (item.path.name not in LONG, "09-reinforce" not in item.name))


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
def browser():
    """One headless browser for the session, cut off from the network."""
    executable = find_browser()
    if executable is None:
        missing("no Chromium or Chrome on this machine", "REQUIRE_BROWSER")
    running = Browser(executable)
    yield running
    running.close()
