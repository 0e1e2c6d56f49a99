"""`make lab` asks nothing of the network, keeps what is only read, and references lead on."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from urllib.request import urlopen

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

import browser as browsers
import cross_references
import lab
import saving
from conftest import missing
from fresh import METADATA

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "_ext" / "lab"
CHAPTER = "07-reinforce-estimator"  # it refers, cites, shows pictures, and holds zeros


def test_make_lab_uses_the_settings_of_this_folder(tmp_path):
    shown = subprocess.run(
        ["make", "--dry-run", "lab", "ARGS=--port=1234"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()[-1]
    assert shown.endswith(" _ext/lab.py --port=1234")
    found = lab.environment(tmp_path)
    assert found["JUPYTER_CONFIG_PATH"] == str(SETTINGS)
    assert found["JUPYTER_PATH"].split(os.pathsep) == [str(SETTINGS), str(tmp_path)]


def test_jupyterlab_asks_for_no_news_no_release_and_no_catalogue(tmp_path):
    alone = {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_CONFIG_PATH": str(SETTINGS)}
    shown = subprocess.run(
        [sys.executable, "-m", "jupyterlab", "--show-config-json"],
        env=os.environ | alone | {"PYTHONPATH": str(ROOT / "_ext")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    settings = json.loads(shown.stdout)
    assert settings["ContentsManager"] == {"pre_save_hook": "saving.keep_numbers"}
    assert settings["LabApp"] == {
        "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "extension_manager": "readonly",
        "news_url": None,
    }
    page = json.loads((SETTINGS / "labconfig" / "page_config.json").read_bytes())
    assert page["disabledExtensions"] == {"@jupyterlab/apputils-extension:announcements": True}


@pytest.fixture
def kernel(monkeypatch, tmp_path):
    """The kernel that JupyterLab starts for a chapter."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    specs = KernelSpecManager(kernel_dirs=[str(SETTINGS / "kernels")], ensure_native_kernel=False)
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
    manager.start_kernel(cwd=ROOT / "book")
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield manager.kernel_spec, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_the_kernel_says_of_itself_just_what_a_chapter_stores_and_finds_the_package(kernel):
    # JupyterLab writes both into a notebook that it opens: other words would be a change.
    spec, client = kernel
    stored = {"display_name": spec.display_name, "language": spec.language, "name": "python3"}
    assert stored == METADATA["kernelspec"]
    info = client.kernel_info(reply=True, timeout=60)["content"]["language_info"]
    assert info == METADATA["language_info"]
    reply = client.execute_interactive(
        "from policygrad.worlds import two_state; two_state(gamma=1.0)", silent=True, timeout=60
    )
    assert reply["content"]["status"] == "ok"


# --- what is saved --------------------------------------------------------------------------------


def saved(tmp_path, cell, before) -> dict:
    """What is saved of a cell that a browser sends, where the file holds another form of it."""
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [before]}))
    manager = SimpleNamespace(_get_os_path=lambda path: str(tmp_path / path))
    model = {"type": "notebook", "content": {"cells": [cell]}}
    saving.keep_numbers("a.ipynb", model, manager)
    return model["content"]["cells"][0]


def cell(number, other=1.5) -> dict:
    output = {"metadata": {"policygrad": {"atol": number, "rtol": other}}}
    return {"id": "a", "metadata": {"width": number}, "outputs": [output]}


def test_a_number_that_a_browser_spells_otherwise_stays_as_it_was_spelled(tmp_path):
    assert json.dumps(saved(tmp_path, cell(0), cell(0.0))) == json.dumps(cell(0.0))


def test_a_number_that_is_another_one_is_saved(tmp_path):
    now = saved(tmp_path, cell(0, 2.5), cell(0.0))
    assert now["outputs"] == cell(0, 2.5)["outputs"]


@pytest.mark.parametrize("content", ["", "no notebook", "[1]", '{"cells": [{"no": "id"}]}'])
def test_a_file_that_is_no_such_notebook_does_not_keep_one_from_being_saved(tmp_path, content):
    (tmp_path / "a.ipynb").write_text(content)
    model = {"type": "notebook", "content": {"cells": [cell(0)]}}
    saving.keep_numbers(
        "a.ipynb", model, SimpleNamespace(_get_os_path=lambda path: str(tmp_path / path))
    )
    assert model["content"]["cells"] == [cell(0)]


# --- what references say --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known():
    return cross_references.labels(ROOT)


def test_every_label_that_a_page_refers_to_is_known(known):
    roles = re.compile(r"\{(?:eq|ref|numref)\}`(?:[^`<]*<)?([\w-]+)>?`")
    links = re.compile(r"\]\(([a-z0-9][a-z0-9-]*)\)")
    asked = set()
    for path in cross_references.pages(ROOT):
        for text in cross_references.cells(path):
            asked |= {*roles.findall(text), *links.findall(re.sub(r"\$[^$]*\$", "", text))}
    assert len(asked) > 200
    assert {label for label in asked if label not in known} == set()


def test_a_link_without_words_of_its_own_gets_those_of_what_it_leads_to(known):
    texts = [text for path in cross_references.pages(ROOT) for text in cross_references.cells(path)]
    asked = {label for text in texts for label in re.findall(r"\[\]\(([\w-]+)\)", text)}
    assert len(asked) > 60
    assert {label for label in asked if not known[label][1]} == set()


@pytest.mark.site
def test_equations_have_the_numbers_of_the_built_pages(known, site):
    number = r'<span class="eqno">(\([^)]*\))'
    found = {}
    for path in site.glob("book/*.html"):
        text = path.read_text(encoding="utf-8")
        for place in re.finditer(r'id="equation-([\w-]+)"', text):
            found[place[1]] = re.search(number, text[place.end() :])[1]
    assert len(found) > 200
    assert {label: known[label][1] for label in found} == found


def test_a_work_is_cited_by_its_authors_and_its_year(tmp_path):
    people = {"a": "Roe, Ann", "b": "Roe, Ann and Poe, Bo", "c": "Roe, Ann and Poe, Bo and Doe, C"}
    lines = [f"@book{{{k}, author={{{v}}}, title={{T}}, year={{1999}}}}" for k, v in people.items()]
    (tmp_path / "a.bib").write_text("\n".join(lines))
    assert cross_references.citations(tmp_path / "a.bib") == {
        "a": "Roe, 1999",
        "b": "Roe and Poe, 1999",
        "c": "Roe et al., 1999",
    }


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a JupyterLab with the settings of the book, and the folder that it shows."""
    here = tmp_path_factory.mktemp("lab")
    folder = here / "book"
    shutil.copytree(ROOT / "book", folder, ignore=shutil.ignore_patterns("[!0p]*.ipynb", "__*"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    options = [f"--notebook-dir={folder}", f"--port={port}", "--no-browser", "--allow-root"]
    options += ["--ServerApp.port_retries=0", "--IdentityProvider.token="]
    with (here / "said").open("w") as said:
        running = subprocess.Popen(
            [sys.executable, ROOT / "_ext" / "lab.py", *options],
            cwd=ROOT,
            env=os.environ | {name: str(here / name) for name in own},
            stdout=said,
            stderr=said,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        answered(address, running, here / "said")
        yield SimpleNamespace(address=address, folder=folder, said=here / "said")
    finally:
        running.terminate()
        running.wait(30)


def answered(address: str, running, said: Path) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + 90
    while True:
        try:
            urlopen(f"{address}/api", timeout=5).close()
            return
        except OSError:
            assert running.poll() is None and time.monotonic() < end, said.read_text()
            time.sleep(0.2)


class Address:
    """An address, where the browser of the tests expects a file."""

    def __init__(self, address: str):
        self.as_uri = lambda: address

    def resolve(self):
        return self


@pytest.fixture(scope="module")
def seen(served):
    """What was seen of a chapter that was opened, saved, and left by a reference to another."""
    executable = browsers.find_browser()
    if executable is None:
        missing("no Chromium or Chrome on this machine", "REQUIRE_BROWSER")
    with pytest.MonkeyPatch.context() as patch:
        near = [f"{f} , EXCLUDE 127.0.0.1" if "resolver" in f else f for f in browsers.FLAGS]
        patch.setattr(browsers, "FLAGS", near)
        browser = browsers.Browser(executable)
    try:
        yield visit(browser, served)
    finally:
        browser.close()


SAVE = "document.querySelector('[data-jp-item-name=save] :is(button, jp-button)').click()"
SHOWN = """(() => {
    const texts = (which) => [...document.querySelectorAll(which)].map((x) => x.textContent);
    return texts("[data-book]").includes("The dynamics drop out")
        && texts("[data-book]").includes("(3.4)")
        && texts("a[title='Link to this Equation']").includes("(7.2)")
        && texts(".pg-cited").length > 0
        && texts("[title$='Not Found']").length === 0
        && document.querySelector(".jp-RenderedSVG") !== null
        && document.querySelector("[data-status=idle]") !== null;
})()"""  # all of it, which takes its time: JupyterLab makes one cell after another
TEXTS = "[...document.querySelectorAll({!r})].map((x) => x.textContent)"
READ = (  # in the moment in which all is shown: JupyterLab takes cells away again
    "dirty: document.querySelector('.jp-mod-dirty') !== null",
    "missing: " + TEXTS.format("[title$='Not Found']"),
    "led: [...document.querySelectorAll('[data-book]')]"
    ".map((x) => [x.dataset.book, x.textContent])",
    "cited: " + TEXTS.format(".pg-cited"),
    "numbers: " + TEXTS.format("a[title='Link to this Equation']"),
)


def visit(browser, served) -> SimpleNamespace:
    """Open a chapter in a window that shows all of it; read, save, follow a reference."""
    path = served.folder / f"{CHAPTER}.ipynb"
    before = path.read_bytes()
    page = browser.open(Address(f"{served.address}/lab/tree/{path.name}"), height=16000)
    shown = until(page, f"{SHOWN} && {{{', '.join(READ)}}}")
    seen = SimpleNamespace(**shown, written=path.stat().st_mtime_ns)
    page.evaluate(SAVE)
    end = time.monotonic() + 30
    while path.stat().st_mtime_ns == seen.written and time.monotonic() < end:
        time.sleep(0.1)
    seen.saved = path.stat().st_mtime_ns != seen.written
    time.sleep(1)  # until all of it is written
    seen.unchanged = path.read_bytes() == before
    link = "document.querySelector('.jp-MarkdownCell [data-book^=\"06-\"]')"
    until(page, f"{link} && ({link}.click(), true)")
    until(page, "document.title.startsWith('06-dyn')")
    seen.requests, seen.errors = page.requests, page.errors
    return seen


def until(page, condition: str):
    """Wait for a page until something holds, and give it."""
    end = time.monotonic() + 60
    while not (found := page.evaluate(condition)):
        assert time.monotonic() < end, f"{condition}: {page.errors[-3:]}"
        time.sleep(0.2)
    return found


@pytest.mark.browser
def test_a_chapter_that_is_opened_counts_as_unchanged_and_is_saved_byte_for_byte(seen):
    assert not seen.dirty
    assert seen.saved
    assert seen.unchanged


@pytest.mark.browser
def test_nothing_is_asked_of_the_network(seen, served):
    local = (served.address, served.address.replace("http", "ws"), "data:", "blob:")
    assert len(seen.requests) > 20
    assert [address for address in seen.requests if not address.startswith(local)] == []
    asked = [address for address in seen.requests if re.search(r"/lab/api/(news|update)", address)]
    assert asked == []
    assert not re.search(r"^\[[EC] |Traceback", served.said.read_text(), re.MULTILINE)


@pytest.mark.browser
def test_references_read_as_on_the_page_and_lead_to_their_chapter(seen, known):
    assert seen.missing == []
    assert ["06-dynamics-drop-out", "The dynamics drop out"] in seen.led
    equations = [(label, words) for label, words in seen.led if label.startswith("eq-")]
    assert equations and all(known[label][1] == words for label, words in equations)
    assert set(seen.numbers) >= {"(7.1)", "(7.2)"}
    assert any(re.search(r"Williams \(1992\)|\(Williams, 1992\)", work) for work in seen.cited)
