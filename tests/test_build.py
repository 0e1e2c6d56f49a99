"""A build tells the truth: pages show what cells put out; a site is there only if it is whole."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml

import execution
import ledger
import make_book
import pages
from notebooks import METADATA

ROOT = Path(__file__).resolve().parents[1]

# What a busy kernel does of itself: it sends a line in two messages.
IN_PIECES = """\
import sys
for piece in ("\\n  head", "      ", " left right down", "  \\n", "end", "", "  \\n\\n"):
    sys.stdout.write(piece)
    sys.stdout.flush()
"""
PRINTED = "\n  head       left right down  \nend  \n\n"


def notebook(*sources):
    """A notebook with some words and these code cells, not executed."""
    cells = [nbformat.v4.new_markdown_cell("# Words")]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


# --- running notebooks --------------------------------------------------------------------------


def execute(book, folder, timeout=60):
    client = execution.Clients().new(book, folder / "a.ipynb", timeout)
    return asyncio.run(execution.execute(client, "book/a"))


def test_what_is_printed_in_pieces_is_stored_as_one_text(tmp_path):
    book = notebook(IN_PIECES)
    assert execute(book, tmp_path) is None
    assert [output.text for output in book.cells[1].outputs] == [PRINTED]


def test_the_first_cell_that_fails_ends_a_notebook_and_is_named(tmp_path):
    book = notebook("1", "", "# words\n1 / 0", "2")  # an empty cell is not run, nor counted
    failure = execute(book, tmp_path)
    assert (failure.page, failure.cell) == ("book/a", 2)
    assert failure.error == "ZeroDivisionError: division by zero"
    assert "1 / 0" in failure.trace
    assert "\x1b" not in failure.trace
    assert book.cells[4].execution_count is None


@pytest.mark.parametrize(
    ("source", "timeout", "says"),
    [
        ("import os; os._exit(1)", 60, "the process that ran it died"),
        ("import time; time.sleep(60)", 1, "it took longer than 1 s"),
    ],
)
def test_a_cell_that_never_comes_to_its_end_is_named(source, timeout, says, tmp_path):
    failure = execute(notebook(source), tmp_path, timeout)
    assert (failure.cell, failure.error) == (1, says)


# --- the cache of outputs -----------------------------------------------------------------------


@pytest.fixture
def cached(tmp_path):
    """A folder with a cache that holds one notebook, and that notebook, not executed."""
    book = notebook("print(6 * 7)")
    done = nbformat.from_dict(book)
    done.cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="42\n")]
    done.cells[1].execution_count = 1
    with execution.opened(tmp_path / "cache") as cache:
        execution.keep(cache, done, tmp_path / "a.ipynb", 1.0)
    return tmp_path / "cache", book


def is_known(folder, book) -> bool:
    with execution.opened(folder) as cache:
        return execution.is_cached(cache, book)


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.rglob(pattern)
    return path


DAMAGES = {
    "garbage": lambda folder: (folder / "global.db").write_bytes(b"garbage" * 1000),
    "garbage in a page": lambda folder: overwrite(folder / "global.db", 4096),
    "garbage in a page that is not read": lambda folder: overwrite(folder / "global.db", 8192),
    "half a database": lambda folder: os.truncate(folder / "global.db", 6000),
    "an empty database": lambda folder: os.truncate(folder / "global.db", 0),
    "no notebook": lambda folder: shutil.rmtree(folder / "executed"),
    "half a notebook": lambda folder: os.truncate(only(folder, "base.ipynb"), 150),
    "an empty notebook": lambda folder: os.truncate(only(folder, "base.ipynb"), 0),
    "another output": lambda folder: rewrite(only(folder, "base.ipynb"), "42", "43"),
}


def overwrite(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place : place + 2000] = b"x" * 2000
    path.write_bytes(content)


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_whole_cache_keeps_its_outputs(cached, capsys):
    folder, book = cached
    execution.heal(folder)
    assert is_known(folder, book)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_cache_is_an_empty_one_and_one_line_says_so(damage, cached, capsys):
    folder, book = cached
    damage(folder)
    execution.heal(folder)
    assert not is_known(folder, book)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("The cache of outputs was damaged (")
    execution.heal(folder)
    assert capsys.readouterr().out == ""


def test_other_cells_are_not_in_the_cache(cached):
    folder, _ = cached
    assert not is_known(folder, notebook("print(6 * 8)"))


def test_the_ledger_reads_the_outputs_that_the_pages_show(cached, tmp_path):
    """Not those that are stored in the notebook, which the page never shows."""
    folder, book = cached
    book.cells[1].outputs = [nbformat.v4.new_output("stream", name="stdout", text="stored\n")]
    nbformat.write(book, tmp_path / "a.ipynb")
    env = SimpleNamespace(
        temp_data={},
        found_docs={"a"},
        doc2path=lambda name: tmp_path / f"{name}.ipynb",
        mystnb_config=SimpleNamespace(execution_cache_path=str(folder)),
    )
    assert ledger.executed(env)["a"].cells[1].outputs[0].text == "42\n"


@pytest.mark.parametrize("name", ["requirements.txt", "book/policygrad/a.py"])
def test_outputs_are_forgotten_once_the_package_or_the_lock_changes(name, tmp_path):
    (tmp_path / "book" / "policygrad").mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("numpy")
    before = execution.digest(tmp_path)
    assert execution.digest(tmp_path) == before
    (tmp_path / name).write_text("x = 1")
    assert execution.digest(tmp_path) != before


def test_outputs_are_forgotten_once_an_equation_changes_and_kept_when_words_do(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "requirements.txt").write_text("numpy")

    def digest(text):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
        nbformat.write(notebook, tmp_path / "book" / "a.ipynb")
        return execution.digest(tmp_path)

    before = digest("Words.\n\n$$\na = b\n$$ (eq-some)")
    assert digest("Other words.\n\n$$\na = b\n$$ (eq-some)") == before
    assert digest("Words.\n\n$$\na = c\n$$ (eq-some)") != before
    assert digest("Words.\n\n$$\na = b\n$$ (eq-other)") != before


# --- from one build to the next -----------------------------------------------------------------


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A folder in which Sphinx, as far as the builds can tell, writes one page."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "a.md").write_text("words")
    found = SimpleNamespace(root=tmp_path, built=0, result=(0, ""), site=tmp_path / "_build/html")

    def sphinx(root, side):
        found.built += 1
        (side / "html").mkdir(parents=True)
        (side / "html" / "index.html").write_text((root / "book" / "a.md").read_text())
        return found.result

    monkeypatch.setattr(make_book, "sphinx", sphinx)
    return found


def test_a_build_without_a_change_does_nothing(book, capsys):
    assert make_book.main(book.root) == 0
    assert capsys.readouterr().out.endswith(f"MB: {book.site}/index.html\n")
    assert make_book.main(book.root) == 0
    assert book.built == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Nothing has changed since the book was built."
    assert said[1].endswith(f"MB: {book.site}/index.html")


CHANGED = {
    "a page": lambda root: (root / "book" / "a.md").write_text("other words"),
    "a new file": lambda root: (
        (root / "_static").mkdir() or (root / "_static/a.css").write_text("")
    ),
    "the site": lambda root: (root / "_build/html/index.html").write_text("altered"),
    "a file of the site": lambda root: (root / "_build/html/index.html").unlink(),
    "no site": lambda root: shutil.rmtree(root / "_build/html"),
    "no stamp": lambda root: (root / "_build/book.finished").unlink(),
    "half a stamp": lambda root: os.truncate(root / "_build/book.finished", 10),
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_a_build_after_a_change_writes_every_page(change, book):
    make_book.main(book.root)
    change(book.root)
    assert make_book.main(book.root) == 0
    assert book.built == 2
    assert (book.site / "index.html").read_text() == (book.root / "book" / "a.md").read_text()


@pytest.mark.parametrize(
    "name", [".git/index", ".venv/a.py", "tests/a.py", "book/__pycache__/a.pyc"]
)
def test_what_no_page_shows_is_no_change(name, book):
    make_book.main(book.root)
    path = book.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("new")
    make_book.main(book.root)
    assert book.built == 1


FAILED = {
    "a warning": ((1, "a.md:1: WARNING: no such label\n"), 1, "a.md:1: WARNING: no such label"),
    "an error": ((ValueError("no"), ""), 1, "The book was not built: ValueError: no"),
    "a cell": (
        (execution.ChaptersFailed([execution.Failure("book/a", 3, "E: no\nx\ny", "trace")]), ""),
        1,
        "  book/a.ipynb, cell [3]: E: no",
    ),
    "an interruption": ((KeyboardInterrupt(), ""), 130, "The book was not built: the build was"),
}


@pytest.mark.parametrize(("result", "status", "says"), FAILED.values(), ids=FAILED)
def test_a_build_that_fails_leaves_no_site_and_says_why_at_its_end(
    result, status, says, book, capsys
):
    make_book.main(book.root)
    (book.root / "book" / "a.md").write_text("other words")
    book.result = result
    for _ in range(2):
        assert make_book.main(book.root) == status
        assert not book.site.exists()
        assert not (book.root / "_build" / "book.finished").exists()
        assert says in "\n".join(capsys.readouterr().err.splitlines()[-6:])
    book.result = (0, "")
    assert make_book.main(book.root) == 0
    assert (book.site / "index.html").read_text() == "other words"
    assert not (book.root / "_build" / "unfinished").exists()


def test_a_long_list_of_warnings_ends_with_what_to_do(book, capsys):
    book.result = (1, "".join(f"a.md:{n}: WARNING: no\n" for n in range(100)))
    make_book.main(book.root)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) < 30
    assert "  … and 80 more lines" in lines


# --- a book of a few cells, through Jupyter Book -----------------------------------------------


OURS = ("policygrad_book", "ledger")


def tiny(root: Path, **sources) -> Path:
    """A book with the settings of this one, of notebooks given by name, and of pages given so."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    for name in ("html", "bibtex_bibfiles", "launch_buttons", "repository", "logo"):
        config.pop(name)
    config["sphinx"]["local_extensions"] = dict.fromkeys(OURS, str(ROOT / "_ext"))
    settings = config["sphinx"]["config"]
    needed = ("myst_nb", "jupyter_book", "sphinx_external_toc", "sphinx_book_theme")
    settings["extensions"] = [*needed, *OURS]
    apart = ("bibtex", "exercise", "html_theme", "html_math")
    names = [name for name in settings if name.startswith(apart)]
    for name in names:
        del settings[name]
    (root / "book").mkdir(parents=True)
    (root / "requirements.txt").write_text("")
    (root / "_config.yml").write_text(yaml.safe_dump(config))
    first, *others = (f"book/{name}" for name in sources)
    toc = {"format": "jb-book", "root": first}
    toc |= {"chapters": [{"file": name} for name in others]} if others else {}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    for name, source in sources.items():
        if isinstance(source, str):
            (root / "book" / f"{name}.md").write_text(source)
        else:
            nbformat.write(notebook(*source), root / "book" / f"{name}.ipynb")
    return root


def command(root: Path) -> list:
    return [sys.executable, ROOT / "_ext" / "make_book.py", root]


def build(root: Path) -> subprocess.CompletedProcess:
    return subprocess.run(command(root), capture_output=True, text=True)


def test_a_cell_that_fails_is_named_last_and_the_next_build_goes_on_from_there(tmp_path):
    root = tiny(
        tmp_path, a=[IN_PIECES, "print('two')"], b=["2", "print(1)\nraise ValueError('no')"]
    )
    done = build(root)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-4:]
    assert last[0] == "The book was not built: a cell failed."
    assert last[1] == "  book/b.ipynb, cell [2]: ValueError: no"
    assert "make lab" in last[2]
    assert "----> 2 raise ValueError('no')" in done.stderr
    assert not (root / "_build" / "html").exists()

    nbformat.write(notebook("2"), root / "book" / "b.ipynb")
    done = build(root)
    assert done.returncode == 0, done.stderr
    first, second, third, last = done.stdout.splitlines()
    assert first == "Running 1 of 2 notebooks, 1 at a time; the outputs of 1 are known."
    assert second.startswith("  1 of 1  b  ")
    assert third == "Writing the pages: 2 in all."
    assert last.endswith(f"MB: {root}/_build/html/index.html")
    # Of a page whose outputs were known, every character that its cells have printed.
    shown = pages.shown(root / "_build" / "html" / "book" / "a.html")
    assert shown == {1: [pages.Output("stream", PRINTED)], 2: [pages.Output("stream", "two\n")]}
    assert "Nothing has changed" in build(root).stdout


def test_broken_references_are_listed_last(tmp_path):
    root = tiny(tmp_path, a="# A\n\n[](nowhere)\n", b="# B\n\n{ref}`gone`\n")
    done = build(root)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    start = lines.index("The book was not built: each of these warnings counts as an error.")
    named = "\n".join(lines[start + 1 :])
    assert "  book/a.md:3: WARNING" in named
    assert "  book/b.md:3: WARNING" in named
    assert not (root / "_build" / "html").exists()


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as POSIX systems have them")
def test_an_interrupted_build_ends_its_kernels_and_keeps_what_was_done(tmp_path):
    wait = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)"
    root = tiny(tmp_path, a=["print(1)"], b=[wait])
    running = subprocess.Popen(
        command(root), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        said = [running.stdout.readline() for _ in range(2)]
        assert said[1].startswith("  1 of 2  a  ")
        pid = kernel(root / "book" / "pid")
        running.send_signal(signal.SIGTERM)  # Ctrl-C is a KeyboardInterrupt, as above
        _, err = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130
    assert err.splitlines()[-2:] == [
        "The book was not built: the build was interrupted.",
        "Chapters that had been run are kept; `make book` goes on from there.",
    ]
    assert not (root / "_build" / "html").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    (folder,) = (root / "_build" / ".jupyter_cache").iterdir()
    execution.heal(folder)
    assert [is_known(folder, notebook(source)) for source in ("print(1)", wait)] == [True, False]


def kernel(path: Path) -> int:
    """The process that has written its number there, once it has."""
    end = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < end, "the cell was not run"
        time.sleep(0.05)
    return int(path.read_text())


# --- kernels apart -------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="Windows has ports only")
def test_no_kernel_of_a_build_takes_a_port(tmp_path):
    clients = execution.Clients()
    book = nbformat.v4.new_notebook(metadata=METADATA)
    managers = [
        clients.new(book, tmp_path / name, 60).create_kernel_manager() for name in ("a", "b")
    ]
    assert [manager.transport for manager in managers] == ["ipc", "ipc"]
    assert managers[0].ip != managers[1].ip
    assert max(len(manager.ip) for manager in managers) < 90  # a socket's path has 104 at most


@pytest.mark.skipif(os.name != "posix", reason="Windows has ports only")
def test_no_kernel_of_nbval_takes_a_port():
    import nbval.kernel

    assert nbval.kernel.KernelManager().transport == "ipc"
