"""Every cell of a chapter can be run again after all the others, and puts out what it did."""

from pathlib import Path

import pytest

import rerun
from marks import needs_fork
from once import answer, asks
from test_chapters import chapter

BOOK = Path(__file__).resolve().parents[1] / "book"
NOTEBOOKS = sorted(path for path in BOOK.glob("*.ipynb") if path.stem != "index")


@needs_fork
@asks("rerun")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_can_be_run_again_after_all_the_others(path):
    found = answer(path, "rerun")
    assert not found, "a name may be used twice for different things:\n" + "\n".join(found)


# --- tiny chapters ------------------------------------------------------------------------------

FINE = {
    "names of one cell": ("x = 2", "close('a', x, 2)", "y = 3\nprint(x + y)"),
    "a name set twice to one thing": ("x = 2\nprint(x)", "x = 2\nclose('a', x, 2)"),
    "a name of a loop": ("for i in range(3):\n    print(i)", "for i in range(2):\n    print(i)"),
    "a generator of its own": tuple(
        f"rng = np.random.default_rng({k})\nprint(rng.normal())" for k in (1, 2)
    ),
    "a control": ("x = 2", "with refuted('two is three'):\n    close('a', x, 3)"),
}
FAULTS = {
    "another world": (
        "it puts out something else: '3', and not '2' (set by several cells: x)",
        ("x = 2", "print(x)", "x = 3\nprint(x)"),
    ),
    "another shape": (
        "CheckFailed: a · close · off by 50%",
        ("x = 2", "y = x + 0\nclose('a', x, 2)", "x = 1"),
    ),
    "a function with another meaning": (
        "TypeError: f() missing 1 required positional argument",
        ("def f(x):\n    return x", "print(f(1))", "def f(x, y):\n    return x"),
    ),
    "changed in place": (
        "it puts out something else: '2', and not '1'",
        ("x = [0]", "x[0] += 1\nprint(x[0])"),
    ),
    "a list that grows": (
        "it puts out more or less than before",
        ("x = []", "x.append(1)\nfor y in x:\n    print(y)"),
    ),
    "a generator of another cell": (
        "it puts out something else",
        ("rng = np.random.default_rng(1)", "print(rng.normal())", "print(rng.normal())"),
    ),
    "one check less": (
        "it puts out more or less than before",
        ("x = 2", "if x == 2:\n    close('a', x, 2)", "x = 3"),
    ),
    "another control": (
        "it puts out something else: 'caught  no · off by 25%', and not 'caught  no · off by 33%'",
        ("x = 3", "with refuted('no'):\n    close('a', x - 1, x)", "x = 4"),
    ),
}


@pytest.mark.parametrize("cells", FINE.values(), ids=FINE)
def test_cells_that_use_a_name_for_one_thing_can_be_run_again(tmp_path, cells):
    assert rerun.faults(chapter(tmp_path, *cells)) == []


@pytest.mark.parametrize(("says", "cells"), FAULTS.values(), ids=FAULTS)
def test_a_cell_that_cannot_be_run_again_is_named(tmp_path, says, cells):
    found = rerun.faults(chapter(tmp_path, *cells))
    assert len(found) == 1 or "rng" in cells[0]
    assert says in found[0]


def test_a_chapter_that_stops_is_not_run_again(tmp_path):
    found = rerun.faults(chapter(tmp_path, "x = 1", "close('a', x, 2)"))
    assert len(found) == 1 and found[0].startswith("cell 2 stops: CheckFailed: a · close · off by")


def test_what_takes_long_is_run_again_only_where_there_is_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(rerun, "LONG", -1.0)
    hidden = ("import itertools\nn = itertools.count()", "print(next(n))")
    assert rerun.faults(chapter(tmp_path, *hidden)) == []
    for says, cells in FAULTS.values():
        found = rerun.faults(chapter(tmp_path, *cells))
        assert found and says in found[0]


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("x = 1", {"x"}),
        ("x, (y, *z) = 1, (2, 3)", {"x", "y", "z"}),
        ("x: int = 1", {"x"}),
        ("x += 1", {"x"}),
        ("x[0] = 1", {"x"}),
        ("x.y[0] = 1", {"x"}),
        ("x.append(1)", {"x"}),
        ("x.y.append(1)", {"x"}),
        ("f(x)", set()),
        ("print(x.mean())", set()),
        ("for x in y:\n    z = x", {"x", "z"}),
        ("with f() as x:\n    pass", {"x"}),
        ("if (x := f()):\n    pass", {"x"}),
        ("y = [x for x in z]", {"y"}),
        ("y = rng.normal()", {"y", "rng"}),
        ("def f(x):\n    y = 1", {"f"}),
        ("class A:\n    x = 1", {"A"}),
    ],
)
def test_what_a_cell_sets(cell, names):
    assert rerun.sets(cell) == names
