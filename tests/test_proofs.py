"""Every check of every chapter has been seen to fail, by a slip of 10 % on one of its sides.

The slips that are known are made again, see ``proofs``; none is looked for.  What an author has to
do is in the message of the test that fails.
"""

import ast
from pathlib import Path

import nbformat
import pytest

import controls
import flow
import forks
import proofs
import typeset
from marks import EVERY, needs_fork
from once import answer, asks
from slips import KINDS, slips
from test_chapters import chapter

BOOK = Path(__file__).resolve().parents[1] / "book"
NOTEBOOKS = sorted(path for path in BOOK.glob("*.ipynb") if path.stem != "index")

# --- the chapters --------------------------------------------------------------------------------


# All slips take some four minutes: the continuous integration makes them.


@needs_fork
@asks("proof")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_check_of_a_chapter_has_been_seen_to_fail(path):
    proof, found = answer(path, "proof")
    assert (proof.bad, proof.error) == ([], "")
    complaints = [*proofs.complaints(path, proof), *typeset.complaints(path, found, EVERY == 1)]
    assert not complaints, "\n".join(complaints)


# --- tiny chapters, one fault each ---------------------------------------------------------------

SELF = "it compares a thing with itself"
WIDE = "it passes with a whole side 10 % off"
UNSEEN = "no slip"


def proved(folder, *sources, record=None, search=True):
    return forks.in_child(proofs.prove, chapter(folder, *sources), record, search)


def slip_of(proof, name):
    return proof.seen[name] and (proof.seen[name]["line"], proof.seen[name]["slip"])


F = "def f(w, theta):\n    return (w * np.exp(theta)).sum()"
VALUES = "w, theta = np.array([1.0, 2.0]), np.array([0.3, -0.4])"
FAULTY = {
    "a call twice": (SELF, F, VALUES, "a = f(w, theta)\nb = f(w, theta)\nclose('x', a, b)"),
    "in an earlier cell": (SELF, F, VALUES, "a = f(w, theta)", "close('x', f(w, theta), a)"),
    "nothing added": (SELF, "f = sp.Symbol('f')", "identity('x', f + 0, f)"),
    "a name for nothing": (SELF, "f, z = sp.Symbol('f'), 0", "identity('x', f, 1 * f + z)"),
    "in a loop": (SELF, F, VALUES, "for i in (1, 2):\n    a = f(w, i)\n    close('x', a, f(w, i))"),
    "two functions alike": (
        SELF,
        F,
        F.replace("f(", "g("),
        VALUES,
        "close('x', f(w, theta), g(w, theta))",
    ),
    "keywords turned round": (
        SELF,
        F,
        VALUES,
        "close('x', f(theta=theta, w=w), f(w=w, theta=theta))",
    ),
    "unpacked": (SELF, F, VALUES, "two = (f(w, theta), f(w, theta))\nclose('x', *two)"),
    "terms in another order": (SELF, "a, b = sp.symbols('a b')", "identity('x', a + b, b + a)"),
    "a clamp": (UNSEEN, F, VALUES, "close('x', max(f(w, theta) - 100, 0), 0, atol=1e-9)"),
    "a lifted clamp": (UNSEEN, F, VALUES, "close('x', max(f(w, theta) - 100, 0) + 1, 1)"),
    "a wide tolerance": (WIDE, F, VALUES, "close('x', f(w, theta), 2.69, rtol=0.2)"),
    "a blunt test": (
        WIDE,
        "g = np.random.default_rng(0).normal(size=500) + 1.0",
        "unbiased('x', 2 * g / 2, np.array(1.0))",
    ),
    "two arrays": (UNSEEN, "x = np.arange(3.0)", "y = np.linspace(0, 2, 3)", "close('x', x, y)"),
    "another constant": (UNSEEN, "a, b = 0.5, 1 / 2", "close('x', a, b)"),
    "both sides at once": (UNSEEN, F, VALUES, "a = [f(w, theta)]\nb = a[:]\nclose('x', a, b)"),
}


@needs_fork
@pytest.mark.parametrize("fault", FAULTY)
def test_a_check_that_proves_little_is_refused(tmp_path, fault):
    why, *cells = FAULTY[fault]
    proof = proved(tmp_path, *cells)
    assert (proof.bad, proof.error) == ([], "")
    assert proof.faults and all(why in words for words in proof.faults.values()), proof


@needs_fork
def test_a_formula_that_is_10_percent_off_makes_an_honest_check_fail(tmp_path):
    oracle = "def g(w, theta):\n    return sum(x * np.exp(y) for x, y in zip(w, theta))"
    proof = proved(tmp_path, F, VALUES, oracle, "close('x', f(w, theta), g(w, theta))")
    assert proof.faults == {}
    line = "return sum(x * np.exp(y) for x, y in zip(w, theta))"
    assert slip_of(proof, "x · close") == (line, "x -> 1.1 * x")


@needs_fork
def test_a_slip_that_strikes_both_sides_alike_does_not_count(tmp_path):
    cells = "def f(x):\n    return x**2", "y = 3.0", "close('even', f(-y), f(y))"
    assert slip_of(proved(tmp_path, *cells), "even · close") is None


@needs_fork
def test_a_slip_that_only_crashes_makes_no_check_fail(tmp_path):
    cells = "k = 1", "x = np.full(3, 7.0)[np.full(3, k + 0)]", "close('x', x, [7.0] * 3)"
    assert slip_of(proved(tmp_path, *cells), "x · close") is None


@needs_fork
def test_a_side_wiped_out_does_not_count(tmp_path):
    # k = 0.9 leaves no step: the sum is empty
    cells = "def f(k):\n    return sum([2.0] * int(k))", "k = 1", "close('x', f(k * k), 2.0)"
    assert slip_of(proved(tmp_path, *cells), "x · close") is None


@needs_fork
def test_a_sum_that_is_zero_is_seen_to_fail_by_one_of_its_factors(tmp_path):
    cells = "p = np.array([0.25, 0.75])", "g = np.array([3.0, -1.0])", "m = p @ g"
    cells += ("q = p * np.array([1, 1])", "close('zero', (q * g).sum(), 0, atol=1e-9)")
    assert slip_of(proved(tmp_path, *cells), "zero · close") is None  # 1.1 * 0 is 0
    cells = "a, b = 0.25, -0.25", "close('zero', a + b, 0, atol=1e-9)"
    found = slip_of(proved(tmp_path, *cells), "zero · close")
    assert found == ("close('zero', a + b, 0, atol=1e-9)", "a -> 1.1 * a")


@needs_fork
def test_a_sign_may_need_a_coarser_slip(tmp_path):
    cells = "a, b = 1.0, 3.0", "close('sign', np.sign(a - b), -1)"
    found = slip_of(proved(tmp_path, *cells), "sign · close")
    assert found == ("close('sign', np.sign(a - b), -1)", "a - b -> a + b")


@needs_fork
def test_a_slip_in_a_function_of_the_package_is_found(tmp_path):
    cells = (
        "from policygrad.worlds import two_state\nfrom policygrad.exact import expected_return",
        "world, pi = two_state(gamma=1.0), np.full((2, 2), 0.5)",
        "J, K = (expected_return(world, pi, method=x) for x in ('forwards', 'adjoint'))",
        "close('J', J, K)",
    )
    (slip,) = proved(tmp_path, *cells).seen.values()
    assert slip["in"].startswith("exact/")
    assert slip["line"] in (proofs.PACKAGE / slip["in"]).read_text("utf-8")


@needs_fork
def test_a_check_seen_to_fail_is_recorded_and_made_to_fail_again(tmp_path):
    cells = "a, b = 2.0, 3.0", "close('x', a * b, 6.0)", "close('y', a + b, 5.0, where='z')"
    proof = proved(tmp_path, *cells)
    again = proved(tmp_path, "1 + 1", *cells, record=proof.seen, search=False)
    assert again.seen == proof.seen
    assert again.tried == 2
    stale = {name: {**slip, "slip": "a -> 2"} for name, slip in proof.seen.items()}
    lost = proved(tmp_path, *cells, record=stale, search=False)
    assert (lost.seen, lost.tried) == ({"x · close": None, "y · close · z": None}, 0)


@needs_fork
def test_a_typeset_check_needs_no_slip_in_code(tmp_path):
    runs = "import policygrad.checks as c\nc.runs = lambda label, **values: None"
    assert proved(tmp_path, runs, "from policygrad.checks import runs\nruns('x', a=1)").seen == {}


def endless():
    while True:
        pass


@needs_fork
def test_a_slip_that_never_ends_is_stopped():
    with pytest.raises(forks.Died):
        forks.in_child(endless, seconds=0.1)


# --- what is read off the code -------------------------------------------------------------------


def same(*cells):
    units = flow.units_of(list(cells))
    return [flow.same_thing(units, unit, call) for unit in units for call in unit.checks]


@pytest.mark.parametrize(
    "cells",
    [
        ("x = 1\ny = f(x)\nx = 2\nclose('x', y, f(x))",),
        ("rng = g(1)\nx = draw(rng)\ny = draw(rng)\nclose('x', x, y)",),
        ("y = f(x)", "x.append(1)", "close('x', y, f(x))"),
        ("y = f(x)\nfor x in z:\n    close('x', y, f(x))",),
        ("def f(x):\n    return x\ndef g(x):\n    return 2 * x\nclose('x', f(1), g(1))",),
        ("identity('x', a - b, b - a)",),
        ("identity('x', a / b, b / a)",),
    ],
)
def test_two_things_that_differ_are_not_taken_for_one(cells):
    assert same(*cells) == [""]


def test_a_name_within_a_comprehension_is_no_name_outside_of_it():
    cells = "m = f(1)", "y = [m for m in (1, 2)]", "close('x', m, y)"
    needed = flow.that_checks_need(flow.units_of(list(cells)))
    assert [unit.cell for unit in needed] == [0, 1, 2]


def test_what_no_check_rests_on_is_left_out():
    cells = "a = f(1)\nb = f(2)", "print(b)", "with refuted('no'):\n    close('x', b, a)"
    needed = flow.that_checks_need(flow.units_of([*cells, "close('x', a, 1)"]))
    assert [ast.unparse(unit.node) for unit in needed] == ["a = f(1)", "close('x', a, 1)"]


# --- the messages --------------------------------------------------------------------------------

PAGE = Path("07-page.ipynb")
SLIP = {"in": "the chapter", "line": "a = b * c", "slip": "b -> 1.1 * b"}


def told(seen, faults=None, record=None):
    proof = proofs.Proof(seen=seen, faults=faults or {})
    return proofs.complaints(PAGE, proof, record or {})


def test_an_author_is_told_what_to_do():
    run = "python tests/mutants.py --record 07"
    (new,) = told({"x · close": None})
    assert "07-page, x · close: no slip is recorded" in new and run in new
    (stale,) = told({"x · close": None}, record={"x · close": SLIP})
    assert "`b -> 1.1 * b` in `a = b * c`" in stale and run in stale
    (fault,) = told({"x · close": SLIP}, {"x · close": "both sides are `f`"})
    assert "both sides are `f`" in fault and "delete" in fault
    assert told({"x · close": SLIP}) == []


# --- the slips -----------------------------------------------------------------------------------

EXAMPLES = {
    "near": ("a + b", "a * 11 / 10 + b"),
    "sign": ("a - b", "a + b"),
    "factor": ("w * x", "x"),
    "power": ("gamma**t", "gamma"),
    "sum": ("x.sum(axis=1)", "x.take(0, axis=1)"),
    "log": ("np.log(p)", "p"),
    "mean": ("x.mean()", "x.sum()"),
    "axis": ("x.sum(axis=0)", "x.sum(axis=1)"),
    "einsum": ("np.einsum('ij,jk->ik', x, y)", "np.einsum('ij,jk->ki', x, y)"),
    "range": ("range(n)", "range(n - 1)"),
    "order": ("a < b", "a <= b"),
    "truth": ("not a", "a"),
    "transpose": ("x.T", "x"),
    "line": ("x += 1", "pass"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_slip_is_made(kind):
    old, new = EXAMPLES[kind]
    tree = ast.parse(old if kind == "line" else f"y = {old}")
    made = [ast.unparse(slip.tree) for slip in slips(tree, [kind])]
    wanted = ast.unparse(ast.parse(new if kind == "line" else f"y = {new}"))
    assert wanted in made
    assert ast.unparse(tree) not in made


@pytest.mark.parametrize("code", ["y = 1 / 2 + 3", "y = f(a, b)", "y = x[t + 1]", "y = x[1:]"])
def test_another_constant_index_or_name_is_no_slip(code):
    assert [str(slip) for slip in slips(ast.parse(code))] == []


def test_what_only_words_a_message_is_left_alone():
    cell = "print(a + 1)\nclose('a', x, y, rtol=k + 1, where=f'{a + 1}')\nraise ValueError(a + 1)"
    cell += "\nwith refuted('no'):\n    close('a', x + 1, y)"
    assert [slip.kind for slip in slips(ast.parse(cell))] == []


# --- the controls --------------------------------------------------------------------------------


def test_of_each_equation_a_false_claim_is_refuted_that_is_nearly_true():
    """Executed displays are altered by a tenth on the page itself: see ``typeset``."""
    executed = {label for path in NOTEBOOKS for label in typeset.recorded(path)}
    found = {(e.page, e.label) for e in controls.coarse(controls.equations())}
    coarse = {(page, label) for page, label in found if label not in executed}
    assert coarse == set(), "add a control that is at most 10 % off the truth"


def test_how_far_off_a_control_is_is_read_off_its_record(tmp_path):
    figures = {"near": {"relative": 0.25}, "far": {"relative": 12.0}, "zero": {"relative": None}}
    figures["none"] = {"witness": "1.5"}
    cell = nbformat.v4.new_code_cell("", execution_count=1)
    for label, found in figures.items():
        for claim in ("it is false", None):
            record = {"label": label, "kind": "close", "claim": claim, "figures": found}
            line = {"text/plain": f"caught  {claim} · opposite sign"}
            more = {"policygrad": record}
            cell.outputs.append(nbformat.v4.new_output("display_data", line, metadata=more))
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "03-a.ipynb")
    found = {e.label: e.sizes for e in controls.equations([tmp_path / "03-a.ipynb"])}
    assert found == {"near": (0.25,), "far": (12.0,), "zero": (None,), "none": (None,)}
