"""A reader's edits are safe from every command but those that say so; `make fresh` is one."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import fresh
from test_build import build, notebook, tiny

ROOT = Path(__file__).resolve().parents[1]
WRITERS = {"fresh", "notebooks", "format"}  # what may write into book/, and says so


def state(folder: Path) -> dict[str, str]:
    """A digest of every file of a folder, but of what Python keeps there for itself."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


# --- the commands ---------------------------------------------------------------------------------


def makefile() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")


def targets() -> dict[str, str]:
    """Each command of the Makefile with its help."""
    return dict(re.findall(r"^([a-z-]+):.*?## (.*)$", makefile(), re.MULTILINE))


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout in which the Python of the environment only notes what it was called with."""
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("tests", "benchmarks", "peers/.venv/bin", ".venv/bin", "_ext", "_build/html"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    (tmp_path / "peers" / "judge.py").touch()
    (tmp_path / "_build" / "book.finished").touch()
    shutil.copy(ROOT / "requirements.txt", tmp_path / ".venv")
    for python in (".venv/bin/python", "peers/.venv/bin/python"):
        (tmp_path / python).write_text('#!/bin/sh\necho "$@" >> called\n')
        (tmp_path / python).chmod(0o755)
    book = tmp_path / "book"
    (book / ".ipynb_checkpoints").mkdir(parents=True)
    for name in ("01-a.ipynb", ".ipynb_checkpoints/01-a-checkpoint.ipynb", "my-own.py", "a.md"):
        (book / name).write_text(f"an edit of {name}")
    return tmp_path


WRITES = re.compile(r"ruff (?:check.*--fix|format(?!.*--check))|notebooks\.py run|fresh\.py")


@pytest.mark.parametrize("target", [*targets()])
def test_no_command_touches_a_file_of_the_reader_unless_its_help_says_so(target, checkout):
    before = state(checkout / "book")
    run = subprocess.run(["make", target], cwd=checkout, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert state(checkout / "book") == before  # by the shell; Python only notes
    called = checkout / "called"
    lines = called.read_text().splitlines() if called.exists() else []
    assert any(map(WRITES.search, lines)) is (target in WRITERS)
    assert ("book/" in targets()[target]) is (target in WRITERS)


def test_what_writes_is_seen_to_write(checkout):
    (checkout / "Makefile").write_text("clean:\n\t@rm -rf book/.ipynb_checkpoints\n")
    before = state(checkout / "book")
    subprocess.run(["make", "clean"], cwd=checkout, check=True)
    assert state(checkout / "book") != before
    assert WRITES.search("-m ruff format --config line-length=80 book/01-a.ipynb")
    assert not WRITES.search("-m ruff format --check --config line-length=80 book/01-a.ipynb")


def test_a_build_leaves_every_page_as_it_is(tmp_path):
    root = tiny(tmp_path, a=["1 + 1"], b="# Words\n")
    before = state(root / "book")
    assert build(root).returncode == 0
    assert state(root / "book") == before


# --- make fresh -----------------------------------------------------------------------------------

STEMS = ["00-start", "08-theorem", "12-ppo", "17-practice", "17b-kl", "17c-ratios", "a-what", "b-c"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("08-theorem", "08-theorem"),
        ("08", "08-theorem"),
        ("8", "08-theorem"),
        ("17", "17-practice"),
        ("17b", "17b-kl"),
        ("17c-r", "17c-ratios"),
        ("a", "a-what"),
        ("B", "b-c"),
        ("book/12-ppo.ipynb", "12-ppo"),
        ("12-ppo.ipynb", "12-ppo"),
    ],
)
def test_a_chapter_is_found_by_its_name_its_beginning_or_its_number(name, meant):
    assert fresh.chapter(name, STEMS) == meant


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ppo", "There is no chapter 'ppo' in book/.\nNear it: 12-ppo.\nAll: 00-start, "),
        ("17x", "17b-kl"),
        ("theorm", "Near it: 08-theorem."),
        ("99", "There is no chapter '99' in book/.\nAll: 00-start, 08-theorem"),
        ("1", "There is no chapter '1'"),
        ("", "There is no chapter ''"),
    ],
)
def test_a_name_that_is_none_is_answered_with_those_near_it(name, said):
    with pytest.raises(fresh.Unknown) as raised:
        fresh.chapter(name, STEMS)
    assert said in str(raised.value)


def test_a_beginning_of_several_names_is_not_guessed_at():
    with pytest.raises(fresh.Unknown, match=r"'17b-k' may be 17b-ke or 17b-kl: name one"):
        fresh.chapter("17b-k", ["17b-kl", "17b-ke", "18-a"][::-1][1:])


@pytest.fixture
def book(tmp_path, monkeypatch) -> Path:
    """A folder of chapters: one that was edited, one as it was, one with a cell that fails."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "book"
    folder.mkdir()
    cells = {"01-edited": ["print(1)"], "02-same": ["print(2)"], "03-fails": ["1", "1 / 0"]}
    for name, sources in cells.items():
        nbformat.write(notebook(*sources), folder / f"{name}.ipynb")
    fresh.main(folder, ["01", "02"])
    path = folder / "01-edited.ipynb"
    path.write_text(path.read_text().replace("print(1)", "print(6 * 7)"))
    return folder


def test_the_outputs_of_a_chapter_that_was_edited_are_those_of_its_cells(book, capsys):
    others = state(book)
    assert fresh.main(book, ["1"]) == 0
    assert capsys.readouterr().out.endswith("01-edited.ipynb: new outputs stored\n")
    cell = nbformat.read(book / "01-edited.ipynb", as_version=4).cells[1]
    assert (cell.source, cell.outputs[0].text) == ("print(6 * 7)", "42\n")
    now = state(book)
    assert {name for name in now if now[name] != others[name]} == {"01-edited.ipynb"}
    assert fresh.main(book, ["1", "01", "2"]) == 0
    assert capsys.readouterr().out.count("nothing has changed") == 2
    assert state(book) == now


def test_a_cell_that_fails_is_named_and_nothing_is_written(book, capsys):
    before = state(book)
    with pytest.raises(fresh.CellFailed, match=r"03-fails\.ipynb, cell \[2\]: ZeroDivisionError"):
        fresh.main(book, ["1", "3"])
    assert state(book) == before
    assert "1 / 0" in capsys.readouterr().out


def test_a_chapter_that_nobody_changed_is_stored_as_it_is():
    path = ROOT / "book" / "b-aliasing-and-memory.ipynb"
    assert fresh.executed(path) == path.read_text(encoding="utf-8")


def test_several_chapters_are_named_with_blanks_or_commas():
    assert fresh.names(["1, 2", "3"]) == fresh.names(["1", "2,3"]) == ["1", "2", "3"]


@pytest.mark.parametrize(("named", "said"), [((), "Which chapter?"), (("9",), "There is no chap")])
def test_the_command_ends_without_a_trace(named, said, tmp_path):
    command = [sys.executable, ROOT / "_ext" / "fresh.py", *named]
    failed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith(said)


def test_metadata_of_an_editor_is_not_stored(book):
    path = book / "02-same.ipynb"
    content = json.loads(path.read_text())
    before = path.read_text()
    content["cells"][1]["metadata"] = {"scrolled": True, "trusted": True}
    content["metadata"]["widgets"] = {}
    path.write_text(json.dumps(content))
    fresh.main(book, ["2"])
    assert path.read_text() == before
