"""Every check can fail: slips are made on purpose in the chapters.

A slip counts as noticed only if a check fails by it.  One that ends in a TypeError proves nothing.
``make mutants`` makes all the slips that a machine can make, which takes hours.
"""

import ast
from pathlib import Path

import nbformat
import pytest

import chapters
import forks
import mutants
from alterations import for_chapter
from slips import KINDS, slips

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))

needs_fork = pytest.mark.skipif(
    not forks.AVAILABLE, reason="slips are tried in forked processes, which this system has not"
)

# Checks that none of those slips makes fail, as (chapter, label, case), each with the reason.
CANNOT_FAIL: dict[tuple[str, str, str], str] = {}


# --- the chapters: each check fails under some slip ----------------------------------------------


@needs_fork
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_check_of_a_chapter_fails_under_some_slip(path):
    record = mutants.recorded(path)
    proof = forks.in_child(mutants.prove, path, for_chapter(path), record)
    assert (proof.bad, proof.error) == ([], "")
    unseen = {(path.stem, v.label, v.where) for v, slip in proof.seen.items() if slip is None}
    assert unseen == {place for place in CANNOT_FAIL if place[0] == path.stem}


HEAD = "import numpy as np\nfrom policygrad.checks import CheckFailed, close, refuted"


def chapter(folder, *sources):
    """A notebook with these code cells after the imports."""
    cells = [nbformat.v4.new_code_cell(source) for source in (HEAD, *sources)]
    path = folder / "00-chapter.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def proved(folder, *sources):
    """By the label of each check, the slip that made it fail."""
    proof = forks.in_child(mutants.prove, chapter(folder, *sources))
    return {verdict.label: slip for verdict, slip in proof.seen.items()}


@needs_fork
def test_a_check_that_cannot_fail_is_found(tmp_path):
    x = "x = np.arange(3.0)"
    assert proved(tmp_path, x, "close('same', x, x)") == {"same": None}
    slip = "its cell, line 1, sum: x.sum() -> x.ravel()[0]"
    assert proved(tmp_path, x, "close('sum', x.sum(), 3)") == {"sum": slip}


@needs_fork
def test_a_slip_is_looked_for_where_the_formula_is(tmp_path):
    cells = "def f(x):\n    return x**2", "y = 3.0", "other = 7**2", "close('even', f(-y), f(y))"
    assert proved(tmp_path, *cells) == {"even": "3 cells before, line 2, power: x ** 2 -> x"}


@needs_fork
def test_a_slip_that_only_crashes_makes_no_check_fail(tmp_path):
    cells = "x, k = np.full(1, 7.0), 0", "close('index', x[k], x[k])"
    assert proved(tmp_path, *cells) == {"index": None}


def endless():
    while True:
        pass


@needs_fork
def test_a_slip_that_never_ends_is_stopped():
    with pytest.raises(forks.Died):
        forks.in_child(endless, seconds=0.1)


# --- the tools -----------------------------------------------------------------------------------

CHECKS = """\
close('a', 1, 2)
with refuted('one is one'):
    close('b', 1, 1)
with refuted('one is two'):
    close('b', 1, 2)
try:
    close('c', 1, 2)
except CheckFailed:
    pass
close('d', [1, 2], [1])
for i in (1, 2):
    close('e', i, 1, where=f'case {i}')"""


def test_a_chapter_is_run_to_its_end_and_every_verdict_recorded(tmp_path):
    path = chapter(tmp_path, CHECKS, "from policygrad import figures\nfigures.landscape(1)\nx")
    outcome = chapters.run(path, go_on=True)
    assert [(v.place, v.line, v.label, v.where, v.outcome) for v in outcome.verdicts] == [
        (0, 1, "a", "", "failed"),
        (1, 2, "b", "", "not refuted"),
        (2, 4, "b", "", "passed"),
        (3, 7, "c", "", "caught"),
        (4, 10, "d", "", "error"),
        (5, 12, "e", "case 1", "passed"),
        (6, 12, "e", "case 2", "failed"),
    ]
    assert [v.claim for v in outcome.verdicts[:3]] == [None, "one is one", "one is two"]
    assert [v.label for v in outcome.bad] == ["a", "b", "d", "e"]
    assert (outcome.cell, repr(outcome.error)) == (2, """NameError("name 'x' is not defined")""")


def test_a_chapter_is_run_to_its_first_failure(tmp_path):
    outcome = chapters.run(chapter(tmp_path, "close('zero', 1, 1)", CHECKS))
    assert [v.label for v in outcome.verdicts] == ["zero", "a"]
    assert (outcome.cell, type(outcome.error).__name__) == (2, "CheckFailed")


def test_other_random_numbers_on_demand(tmp_path):
    path = chapter(tmp_path, "x = np.random.default_rng([5, 6]).random()\nclose('x', x, 0.5)")
    errors = {seed: str(chapters.run(path, seed=seed).error) for seed in (None, 1, 2)}
    assert len(set(errors.values())) == 3
    assert str(chapters.run(path, seed=1).error) == errors[1]


EXAMPLES = {
    "sign": ("a - b", "a + b"),
    "factor": ("w * x", "x"),
    "power": ("gamma**t", "1.0"),
    "sum": ("x.sum(axis=1)", "x.take(0, axis=1)"),
    "log": ("np.log(p)", "p"),
    "mean": ("x.mean()", "x.sum()"),
    "axis": ("x.sum(axis=0)", "x.sum(axis=1)"),
    "einsum": ("np.einsum('ij,jk->ik', x, y)", "np.einsum('ij,jk->ki', x, y)"),
    "slice": ("x[1:]", "x[:-1]"),
    "index": ("x[t]", "x[t + 1]"),
    "constant": ("x + 1", "x + 2"),
    "range": ("range(n)", "range(n - 1)"),
    "order": ("a < b", "a <= b"),
    "truth": ("not a", "a"),
    "flag": ("f(True)", "f(False)"),
    "transpose": ("x.T", "x"),
    "line": ("x += 1", "pass"),
    "argument": ("f(a, b)", "f(b, a)"),
    "name": ("f(a)", "f(z)"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_slip_is_made(kind):
    old, new = EXAMPLES[kind]
    tree = ast.parse(old if kind == "line" else f"y = {old}")
    made = [ast.unparse(slip.tree) for slip in slips(tree, [kind], names=lambda node: ["z"])]
    wanted = ast.unparse(ast.parse(new if kind == "line" else f"y = {new}"))
    assert wanted in made
    assert ast.unparse(tree) not in made


def test_what_only_words_a_message_is_left_alone():
    cell = "print(1 + 1)\nclose('a', x, y, rtol=1e-3, where=f'{1 + 1}')\nraise ValueError(1 + 1)"
    assert [slip.kind for slip in slips(ast.parse(cell))] == []
