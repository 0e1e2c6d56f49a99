"""What a curious reader changes first runs through, or stops with a word on why it has to."""

import json

import nbformat
import pytest

import experiments
from experiments import BOOK, Experiment, faults
from marks import needs_fork
from once import MADE, WRITTEN, answer, asks
from test_chapters import HEAD

PAGES = [BOOK / f"{page}.ipynb" for page in MADE]


@needs_fork
@asks("experiments")
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_an_experiment_ends_as_it_is_written_down(path):
    found = answer(path, "experiments")
    told = zip(MADE[path.stem], found, strict=True)
    assert not any(found), "\n".join(f"{one}: {fault}" for one, all in told for fault in all)


def test_no_experiment_is_written_down_twice():
    assert len({(x.page, x.cell, x.old, x.new) for x in WRITTEN}) == len(WRITTEN)


# --- tiny chapters ------------------------------------------------------------------------------

HEAD += "\nfrom policygrad.checks import assumes"
CELLS = {
    "head": HEAD,
    "world": "H = 3",
    "sum": "total = sum(range(H))",
    "fits": "close('a', total, H * (H - 1) / 2)",
    "three": "assumes('H = 3', H == 3)\nthree = 'abc'[:H]\nclose('b', len(three), 3)",
    "after": "close('c', len(three), H)",
    "apart": "u = 2.0\nclose('d', u * u, 4.0)",
    "few": "assumes('at most five steps', H <= 5)",
    "control": "with refuted('four is little'):\n    close('e', H, 4)",
}
THREE, FIVE = "this cell assumes H = 3", "this cell assumes at most five steps"


def written(folder, cells=CELLS):
    made = [nbformat.v4.new_code_cell(source, id=name) for name, source in cells.items()]
    path = folder / "03-tiny.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def ended(path, cell, old, new, *ends, **options):
    (found,) = faults([Experiment("03-tiny", cell, old, new, ends)], path, **options)
    return found


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize(
    ("cell", "old", "new", "ends"),
    [
        ("world", "3", "3 + 0", ()),
        ("world", "3", "2", (THREE,)),
        ("world", "3", "7", (THREE, FIVE)),
        ("apart", "2.0", "3.0", ("CheckFailed: d · close · off by 125%",)),
        ("world", "3", "4", (THREE, "NotRefuted: the control did not fail")),
        ("sum", "sum(range(H))", "1 / 0", ("ZeroDivisionError",)),
    ],
)
def test_an_experiment_that_is_told_as_it_ends_is_in_order(
    tmp_path, cell, old, new, ends, everything
):
    assert ended(written(tmp_path), cell, old, new, *ends, everything=everything) == []


WRONG = {
    "a cell stops that should not": (
        ("world", "3", "2"),
        "cell 4, \"assumes('H = 3', H == 3)\", st",
    ),
    "another cell stops as well": (
        ("world", "3", "7", THREE),
        "stops: NotAssumed: this cell assumes",
    ),
    "no cell stops": (("world", "3", "3.0 - 0", "is a float"), "stops: TypeError"),
    "a message that is not said": (("world", "3", "2", THREE, FIVE), f"no cell says {FIVE!r}"),
    "nothing happens": (("apart", "2.0", "2", THREE), f"no cell says {THREE!r}"),
    "a control that does not fail": (("world", "3", "4", THREE), "stops: NotRefuted: the control"),
    "a name that was never there": (
        ("apart", "u * u", "v * v"),
        "NameError: name 'v' is not defin",
    ),
    "a name that a change takes away": (
        ("world", "H =", "K ="),
        "NameError: name 'H' is not defin",
    ),
}


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize(("change", "says"), WRONG.values(), ids=WRONG)
def test_an_experiment_that_ends_otherwise_is_named(tmp_path, change, says, everything):
    found = ended(written(tmp_path), *change, everything=everything)
    assert any(says in text for text in found), found


def test_what_stops_since_a_name_is_missing_is_a_part_of_that(tmp_path):
    # three is not set, so that the cell after it stops too: it needs no words of its own
    path = written(tmp_path)
    assert ended(path, "world", "3", "2", THREE) == []
    assert "close('c'" in CELLS["after"] and "three" not in CELLS["apart"]
    other = written(tmp_path, CELLS | {"apart": "w = nowhere"})
    assert len(ended(other, "world", "3", "2", THREE, everything=True)) == 1


def test_only_what_a_change_can_touch_is_run():
    cells = list(CELLS.values())
    order = list(CELLS)
    assert [order[n] for n in experiments.touched(cells, order.index("apart"))] == ["head", "apart"]
    assert [order[n] for n in experiments.touched(cells, order.index("sum"))] == [
        "head",
        "world",
        "sum",
        "fits",
    ]
    assert [order[n] for n in experiments.touched(cells, 0)] == [o for o in order]


def test_a_thing_that_is_changed_in_place_is_touched_too():
    cells = ["x = []", "y = 1", "x.append(y)", "z = x", "w = 2"]
    assert experiments.touched(cells, 1) == [0, 1, 2, 3]


def test_a_thing_that_a_function_changes_in_place_is_touched_too():
    cells = ["x = {}", "def note(y):\n    x[y] = y", "y = 1", "note(y)", "print(x)", "note(2)"]
    assert experiments.touched(cells, 2) == [0, 1, 2, 3, 4]


def test_a_cell_that_sets_a_name_before_it_reads_it_takes_it_from_nobody():
    cells = ["rng = f(1)\nx = g(rng)", "for k in (1, 2):\n    rng = f(k)\n    y = g(rng)", "z = x"]
    assert experiments.touched(cells, 0) == [0, 2]
    assert experiments.touched(["x = 1", "if y:\n    x = 2\nprint(x)"], 0) == [0, 1]
    assert experiments.touched(["x = 1", "y = [x for x in z]", "w = [x for y in z]"], 0) == [0, 2]


@pytest.mark.parametrize(
    ("cell", "old", "says"),
    [
        ("nowhere", "3", "03-tiny has no code cell 'nowhere'"),
        ("world", "4", "'4' stands 0 times"),
        ("fits", "H", "'H' stands 2 times"),
    ],
)
def test_a_change_of_what_is_not_there_is_named(tmp_path, cell, old, says):
    with pytest.raises(ValueError, match=says):
        ended(written(tmp_path), cell, old, "5")


GOOD = {"cell": "a", "change": ["b", "c"], "ends": "runs through"}


@pytest.mark.parametrize(
    "change",
    [
        {"cell": 3},
        {"cell": None},
        {"change": ["b"]},
        {"change": ["b", "c", "d"]},
        {"change": ["b", 1]},
        {"ends": ""},
        {"ends": None},
        {"note": "more"},
    ],
    ids=str,
)
def test_an_experiment_that_is_not_told_as_it_should_be_is_refused(tmp_path, change):
    path = tmp_path / "03-tiny.json"
    path.write_text(json.dumps([GOOD]))
    assert experiments.read(path) == [Experiment("03-tiny", "a", "b", "c", ())]
    path.write_text(json.dumps([GOOD | change]))
    with pytest.raises(ValueError, match=r"03-tiny\.json: an experiment"):
        experiments.read(path)


def test_several_messages_are_joined_by_a_stroke(tmp_path):
    path = tmp_path / "03-tiny.json"
    path.write_text(json.dumps([GOOD | {"ends": "one | two"}]))
    assert experiments.read(path)[0].ends == ("one", "two")
