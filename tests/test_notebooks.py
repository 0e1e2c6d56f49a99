"""Every notebook of the book is stored executed, and a change to what it stores is noticed."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml

import execution
import outputs
from notebooks import METADATA, main, problems

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


def chapters_of(toc) -> list[str]:
    """All `file` and `root` entries of a table of contents."""
    if isinstance(toc, list):
        return [name for entry in toc for name in chapters_of(entry)]
    if isinstance(toc, dict):
        here = [toc[key] for key in ("root", "file") if key in toc]
        return here + [name for value in toc.values() for name in chapters_of(value)]
    return []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_executed_in_order_and_comparable(path):
    assert problems(path) == []


def test_the_table_of_contents_and_the_folder_name_the_same_chapters(root):
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    pages = [*(root / "book").glob("*.ipynb"), *(root / "book").glob("*.md")]
    here = {path.relative_to(root).with_suffix("").as_posix(): path.name for path in pages}
    listed = chapters_of(toc)
    twice = sorted({name for name in listed if listed.count(name) > 1})
    own = sorted(here[name] for name in here.keys() - set(listed))
    gone = sorted(set(listed) - here.keys())
    assert not twice, f"_toc.yml lists {', '.join(twice)} twice; remove one line of each"
    assert not own, (
        f"book/ holds {', '.join(own)}, which _toc.yml does not list: "
        "add a line for a chapter of the book, and keep notes of your own in another folder"
    )
    assert not gone, f"_toc.yml lists {', '.join(gone)}, which book/ does not hold"


def test_no_loose_module_lies_beside_the_chapters(root):
    assert list((root / "book").glob("*.py")) == []


# --- what the guard and nbval each notice, on copies ------------------------------------------


def code_cell(source="1 + 1", count=1, outputs=(), metadata=None):
    return nbformat.v4.new_code_cell(
        source, execution_count=count, outputs=list(outputs), metadata=metadata or {}
    )


def shown(**data):
    data = {kind.replace("_", "/"): content for kind, content in data.items()}
    return nbformat.v4.new_output("display_data", data)


def svg(text="<svg/>"):
    return nbformat.v4.new_output("display_data", {"image/svg+xml": text})


def stream(name, text):
    return nbformat.v4.new_output("stream", name=name, text=text)


CASES = {
    "never executed": ([code_cell(count=None)], "execution count none"),
    "executed out of order": ([code_cell(count=2), code_cell(count=1)], "execution count 2, not 1"),
    "PNG": ([code_cell(outputs=[shown(image_png="aGk=")])], "image/png"),
    "JPEG": ([code_cell(outputs=[shown(image_jpeg="aGk=")])], "image/jpeg"),
    "figure without alt text": ([code_cell(outputs=[svg()])], "without alt text"),
    "error": (
        [code_cell(outputs=[nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])])],
        "stores an error",
    ),
    "stderr": ([code_cell(outputs=[stream("stderr", "hm")])], "stderr"),
    "memory address": (
        [code_cell(outputs=[stream("stdout", "<object at 0x7f3a5c0d2e10>")])],
        "memory address",
    ),
    "absolute path": (
        [code_cell(outputs=[stream("stdout", "in /home/ada/book/a.py")])],
        "path of one machine",
    ),
    "long cell": ([code_cell("\n".join(["1"] * 31))], "31 lines"),
    "long cells": ([code_cell("\n".join(["1"] * 10))], "median cell has 10"),
    "timing in the metadata": ([code_cell(metadata={"execution": {}})], "one machine or editor"),
}


def write(path: Path, cells, metadata=METADATA) -> Path:
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


@pytest.mark.parametrize("cells, message", CASES.values(), ids=CASES)
def test_the_guard_names_each_kind_of_problem(cells, message, tmp_path):
    found = problems(write(tmp_path / "a.ipynb", cells))
    assert any(message in problem for problem in found), found


def test_the_guard_names_two_cells_with_one_id(tmp_path):
    path = write(tmp_path / "a.ipynb", [code_cell(count=1), code_cell(count=2)])
    path.write_text(path.read_text().replace("cell-1", "cell-0"))
    assert any("one id" in problem for problem in problems(path))


def test_the_guard_names_metadata_of_one_python(tmp_path):
    metadata = METADATA | {"language_info": {"name": "python", "version": "3.11.7"}}
    path = write(tmp_path / "a.ipynb", [code_cell()], metadata)
    assert any("one machine" in problem for problem in problems(path))


def test_the_guard_passes_a_good_notebook(tmp_path):
    figure = code_cell(outputs=[svg()], metadata={"mystnb": {"image": {"alt": "A line."}}})
    words = nbformat.v4.new_markdown_cell("Words.")
    assert problems(write(tmp_path / "a.ipynb", [words, figure, code_cell(count=2)])) == []


CELL = "from policygrad.checks import close\nclose('some', 1 + 1, 2)\nprint(6 * 7)"


def records(cell) -> list[dict]:
    """The records that the checks of a stored cell have left."""
    metadata = [output.get("metadata", {}) for output in cell.get("outputs", [])]
    return [data["policygrad"] for data in metadata if "policygrad" in data]


def falsify(cell) -> None:
    """Change the first figure of the first record."""
    figures = records(cell)[0]["figures"]
    figures[next(iter(figures))] += 1


def another_digit(cell) -> None:
    cell.outputs[-1].text = cell.outputs[-1].text.replace("42", "43")


def strip(cell) -> None:
    cell.outputs = []


def strip_whole(cell) -> None:
    cell.outputs, cell.execution_count = [], None


CHANGES = {
    "unchanged": lambda cell: None,
    "digit": another_digit,
    "record": falsify,
    "stripped": strip,
    "never": strip_whole,
}


@pytest.fixture(scope="module")
def compared(tmp_path_factory) -> SimpleNamespace:
    """One run of nbval over copies of a notebook with a check, each with another change."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "policygrad").symlink_to(ROOT / "book" / "policygrad")
    shutil.copy(ROOT / "conftest.py", folder)
    shutil.copy(ROOT / "requirements.txt", folder)
    first = write(folder / "unchanged.ipynb", [code_cell(CELL)])
    assert main("run", str(first)) == 0
    for name, change in CHANGES.items():
        notebook = nbformat.read(first, as_version=4)
        change(notebook.cells[0])
        nbformat.write(notebook, folder / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-p", "no:nbval"]  # as pyproject.toml says
    command += ["--nbval", "--nbval-current-env", "-q", "-rA", "--keep-outputs", "-n", "1"]
    command += ["--nbval-cell-timeout=60", "-p", "no:cacheprovider", "--rootdir", folder, folder]
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    command += ["--dist", "loadscope"]
    inherited["PYTHONPATH"] = str(ROOT / "_ext")
    inherited.pop("CI", None)  # where it is set, pytest's summary says each message a second time
    run = subprocess.run(command, cwd=folder, env=inherited, capture_output=True, text=True)
    outcomes = re.findall(r"^(PASSED|FAILED) (\w+)\.ipynb", run.stdout, re.MULTILINE)
    return SimpleNamespace(folder=folder, said=run.stdout, outcomes={n: o for o, n in outcomes})


def test_nbval_passes_what_is_unchanged_and_fails_what_is_not(compared):
    # A cell stripped whole was "never executed" and is not compared: the guard has to see it.
    assert compared.outcomes == {
        "unchanged": "PASSED",
        "digit": "FAILED",
        "record": "FAILED",
        "stripped": "FAILED",
        "never": "PASSED",
    }, compared.said
    assert compared.said.count("Records of checks differ") == 1


def test_the_book_takes_the_outputs_of_what_passed_and_of_nothing_else(compared):
    assert "The outputs of 1 notebooks are kept" in compared.said
    with execution.opened(outputs.folder(compared.folder)) as cache:
        (record,) = cache.list_cache_records()
        stored = nbformat.read(compared.folder / "unchanged.ipynb", as_version=4)
        kept = cache.get_cache_bundle(record.pk).nb
    assert Path(record.uri).name == "unchanged.ipynb"
    assert [cell.outputs for cell in kept.cells] == [cell.outputs for cell in stored.cells]


def test_the_guard_fails_stripped_outputs_where_nbval_does_not(compared):
    never = problems(compared.folder / "never.ipynb")
    assert any("execution count none" in problem for problem in never)
    assert problems(compared.folder / "unchanged.ipynb") == []


def test_a_notebook_with_a_cell_that_fails_is_left_as_it_was_and_the_next_is_run(tmp_path, capsys):
    bad = write(tmp_path / "a.ipynb", [code_cell("1 + 1"), code_cell("raise ValueError('x\\ny')")])
    good = write(tmp_path / "b.ipynb", [code_cell("print(1 + 1)")])
    before = bad.read_bytes()
    assert main("run", str(bad), str(good)) == 1
    assert bad.read_bytes() == before
    assert nbformat.read(good, as_version=4).cells[0].outputs[0].text == "2\n"
    last = capsys.readouterr().out.splitlines()[-2:]
    assert last == ["Not stored, since a cell failed:", f"  {bad}, cell [2]: ValueError: x"]
    assert main("run", str(good)) == 0
    assert "unchanged" in capsys.readouterr().out


# --- the records of checks, which nbval leaves out ----------------------------------------------


def told(stored, fresh):
    """What nbval's cells are told once they have run, with these records stored and made."""
    spec = importlib.util.spec_from_file_location("records", ROOT / "conftest.py")
    plugin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plugin)
    said = []
    item = SimpleNamespace(
        cell=code_cell(outputs=[verdict(record) for record in stored]),
        test_outputs=[verdict(record) for record in fresh],
        raise_cell_error=lambda *words: said.append(words),
    )
    running = plugin.pytest_runtest_call(item)
    next(running)
    with pytest.raises(StopIteration):
        running.send(None)
    return said


def verdict(record):
    metadata = {} if record is None else {"policygrad": record}
    return nbformat.v4.new_output("display_data", {"text/plain": "ok"}, metadata=metadata)


RECORD = {"label": "a", "passed": True, "figures": {"samples": 10, "limit": 2.5}, "where": ""}
OTHERS = {
    "a figure": [RECORD | {"figures": {"samples": 10, "limit": 2.51}}],
    "a figure more": [RECORD | {"figures": {"samples": 10, "limit": 2.5, "rank": 1}}],
    "the label": [RECORD | {"label": "b"}],
    "the verdict": [RECORD | {"passed": False}],
    "no record": [None],
    "another one": [RECORD, RECORD],
}


def test_the_same_records_pass_whatever_the_order_of_their_figures():
    again = RECORD | {"figures": {"limit": 2.5, "samples": 10}}
    assert told([RECORD, RECORD], [again, None, RECORD]) == []


def test_a_number_is_the_same_however_an_editor_spells_it():
    spelled = [RECORD | {"figures": {"samples": n, "limit": 0 * n}} for n in (10, 10.0)]
    assert told(spelled[:1], spelled[1:]) == []


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_other_records_than_the_stored_ones_fail_a_cell(other):
    for stored, fresh in (([RECORD], other), (other, [RECORD])):
        ((title, _),) = told(stored, fresh)
        assert title == "Records of checks differ"
