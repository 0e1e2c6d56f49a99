"""Each check passes on what is true and fails on what is not; `unbiased` is a real test."""

import importlib
import json
import math
import re
import sys
import textwrap
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
import sympy as sp
from nbclient import NotebookClient
from scipy import stats

from policygrad import checks
from policygrad.checks import (
    CheckFailed,
    NotRefuted,
    TooFewSamples,
    Undecided,
    close,
    finite_differences,
    history,
    identity,
    refuted,
    unbiased,
    words,
)
from policygrad.checks.counterexample import witness
from policygrad.checks.hotelling import _directions, _skewness, critical_value
from policygrad.checks.samples import Sample
from policygrad.estimators import reinforce_gradients
from policygrad.exact import enumerate_trajectories, policy_gradient
from policygrad.policies import softmax_policy
from policygrad.worlds import bandit, two_state

# rooms of the package; two of them share their names with the functions that they hold
identity_room = importlib.import_module("policygrad.checks.identity")

x, y = sp.symbols("x y", positive=True)
n, k = sp.symbols("n k", integer=True, positive=True)
f, g = sp.Function("f"), sp.Function("g")


def last():
    return history()[-1]


# --- identity ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [
        ((x + y) ** 2, x**2 + 2 * x * y + y**2),
        (sp.sin(x) ** 2 + sp.cos(x) ** 2, 1),
        (sp.diff(sp.log(f(x)), x), sp.diff(f(x), x) / f(x)),
        (sp.Sum(f(k) + g(k), (k, 0, n)), sp.Sum(f(k), (k, 0, n)) + sp.Sum(g(k), (k, 0, n))),
        ([x, [y, 1]], [x, [y, 1]]),
        (sp.Matrix([[x, 0], [0, y]]), [[x, 0], [0, y]]),
        (np.array([x, y], dtype=object), [x, y]),
        (2, 2),
    ],
)
def test_what_is_identical_passes(lhs, rhs, capsys):
    identity("some-label", lhs, rhs)
    assert capsys.readouterr().out.startswith("ok  some-label · identity · SymPy: ")
    assert (last().label, last().kind, last().passed, last().claim) == (
        "some-label",
        "identity",
        True,
        None,
    )


@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [
        ((x + y) ** 2, x**2 + y**2),
        (sp.log(x * y), sp.log(x) * sp.log(y)),
        (sp.diff(f(x), x), sp.diff(f(x), x) / f(x)),
        (sp.Sum(f(k), (k, 0, n)), sp.Sum(f(k), (k, 0, n - 1))),
        (sp.Sum(f(k) * g(k), (k, 0, n)), sp.Sum(f(k), (k, 0, n)) * sp.Sum(g(k), (k, 0, n))),
        (sp.Product(f(k), (k, 0, n)), sp.Sum(f(k), (k, 0, n))),
        ([x, y], [x, y + 1]),
        (sp.Matrix([[x, 0], [0, y]]), [[x, 0], [1, y]]),
        (sp.Abs(sp.Symbol("z", real=True)), sp.Symbol("z", real=True)),  # differ for z < 0 alone
        (x, 0),
    ],
)
def test_what_differs_fails_with_both_sides_and_a_point(lhs, rhs):
    with pytest.raises(CheckFailed) as failure:
        identity("some-label", lhs, rhs)
    message = str(failure.value)
    assert message.startswith("some-label · identity · not an identity")
    for part in ("lhs = ", "rhs = ", "difference = ", "at a random point"):
        assert part in message


def test_the_entry_that_differs_is_named():
    with pytest.raises(CheckFailed, match=r"entry \[1, 0\]"):
        identity("some-label", [[x, y], [x, y]], [[x, y], [2 * x, y]])


def test_an_undecided_identity_is_no_refutation(monkeypatch):
    monkeypatch.setattr(identity_room, "_vanishes", lambda *_: False)
    with pytest.raises(Undecided, match="neither bring it to 0 nor refute it"):
        identity("some-label", x, x)
    with pytest.raises(Undecided), refuted("x is not x"):
        identity("some-label", x, x)


def test_a_true_identity_has_no_counterexample():
    z = sp.Symbol("z", real=True)
    assert witness(sp.sqrt(z**2), sp.Abs(z)) is None
    assert witness(sp.Sum(f(k), (k, 0, n)), f(0) + sp.Sum(f(k), (k, 1, n))) is None


def test_a_difference_of_a_hundred_millionth_is_a_counterexample():
    tiny = sp.Rational(1, 10**8)  # ten times what is taken for rounding
    assert witness(x, x * (1 + tiny)) is not None
    with refuted("x is a little more than x"):
        identity("some-label", 7 * x, 7 * x * (1 + tiny))
    assert witness(sp.Float(1) * x, x * (1 + tiny / 100)) is None


def test_the_line_of_an_identity_counts_the_differences(capsys):
    identity("some-label", x, x)
    identity("some-label", [[x, y], [1, 2]], sp.Matrix([[x, y], [1, 2]]), where="a matrix")
    assert capsys.readouterr().out.splitlines() == [
        "ok  some-label · identity · SymPy: the difference is 0",
        "ok  some-label · identity · a matrix · SymPy: all 4 differences are 0",
    ]
    assert asdict(last()) == {
        "label": "some-label",
        "kind": "identity",
        "passed": True,
        "figures": {"entries": 4},
        "claim": None,
        "where": "a matrix",
    }


def test_the_point_is_a_counterexample_that_one_can_redo_by_hand(capsys):
    # the first two symbols become 3/8 and 5/11; (x + y)^2 - x^2 - y^2 = 2 x y = 15/44 = 0.3409
    with refuted("a square of a sum is a sum of squares"):
        identity("some-label", (x + y) ** 2, x**2 + y**2)
    assert capsys.readouterr().out == (
        "caught  a square of a sum is a sum of squares · "
        "the two sides differ by 0.341 at a random point\n"
    )
    assert last().figures == {"entries": 1, "witness": "0.341"}


s_, a_ = sp.IndexedBase("s"), sp.IndexedBase("a")
negative, z = sp.Symbol("w", negative=True), sp.Symbol("z", real=True)
below = sp.Function("h", negative=True)
TRUE_BUT_HARD = {  # a true equation, and a false one like it
    "an integer": ((sp.sin(sp.pi * n, evaluate=False), 0), (sp.sin(sp.pi * z), 0)),
    "a sign": ((sp.Abs(negative, evaluate=False), -negative), (sp.Abs(z), -z)),
    "a function's sign": ((sp.Abs(below(x), evaluate=False), -below(x)), (sp.Abs(f(x)), -f(x))),
    "one argument written twice": ((f(2 * (x + 1)), f(2 * x + 2)), (f(2 * x + 1), f(2 * x + 2))),
    "one index written twice": ((s_[2 * (n + 1)], s_[2 * n + 2]), (s_[n], s_[n + 1])),
    "one derivative written twice": (
        (sp.diff(f(2 * x), x), 2 * sp.Subs(sp.diff(f(y), y), y, 2 * x)),
        (sp.diff(f(2 * x), x), sp.Subs(sp.diff(f(y), y), y, 2 * x)),
    ),
    "a mixed derivative": (
        (sp.diff(f(x, y), x, y), sp.diff(f(x, y), y, x)),
        (sp.diff(f(x, y), x, y), 0),
    ),
    "a sum of symbolic length": (
        (sp.Sum(f(s_[k]), (k, 0, n)), f(s_[0]) + sp.Sum(f(s_[k]), (k, 1, n))),
        (sp.Sum(f(s_[k]), (k, 0, n)), f(s_[1]) + sp.Sum(f(s_[k]), (k, 1, n))),
    ),
    "rounding": ((1e9 * (0.1 * x + 0.2 * x), 0.3e9 * x), (1e9 * (0.1 * x + 0.2 * x), 0.4e9 * x)),
}


@pytest.mark.parametrize(("true", "false"), TRUE_BUT_HARD.values(), ids=TRUE_BUT_HARD)
def test_nothing_true_has_a_counterexample_and_its_false_neighbour_has_one(true, false):
    assert witness(*map(sp.sympify, true)) is None
    assert witness(*map(sp.sympify, false)) is not None


def test_no_symbol_takes_the_same_value_at_every_attempt():
    # p (1 - p) and 1/4 agree at p = 1/2 alone; whatever place p has among the symbols, it is seen
    names = sp.symbols("x_1:7", positive=True)
    for i, p in enumerate(names):
        others = sum(names[:i], sp.Integer(0))
        with pytest.raises(CheckFailed):
            identity("x", others + p * (1 - p), others + sp.Rational(1, 4))


def test_an_equation_that_holds_at_one_length_only_is_refuted():
    # 0 + 1 + 2 = 3, for n = 3 alone
    with pytest.raises(CheckFailed):
        identity("some-label", sp.Sum(k, (k, 0, n - 1)), 3)


@pytest.mark.parametrize(
    ("lhs", "rhs"),
    [
        (sp.Sum(f(k), (k, 0, sp.oo)), sp.Sum(2 * f(k), (k, 0, sp.oo))),
        (sp.Function("q", integer=True)(x), sp.Function("q", integer=True)(x) + 1),
        (sp.Symbol("i", imaginary=True), 1),
        (sp.oo, sp.oo),
        (sp.nan, sp.nan),
        (f(sp.sqrt(x**2 + 2 * x + 1)), f(sp.Abs(x + 1))),
    ],
    ids=["endless", "whole-valued", "no such number", "infinite", "not a number", "too hard"],
)
def test_what_cannot_be_decided_is_neither_passed_nor_refuted(lhs, rhs, monkeypatch):
    monkeypatch.setattr(identity_room, "_vanishes", lambda difference, ways: difference == 0)
    before = len(history())
    with pytest.raises(Undecided):
        identity("some-label", lhs, rhs)
    with pytest.raises(Undecided), refuted("it is false"):
        identity("some-label", lhs, rhs)
    assert len(history()) == before


# --- close -------------------------------------------------------------------------------------


def test_numbers_that_agree_pass_and_the_line_says_how_well(capsys):
    close("some-label", [1.0, 2.0], [1.0, 2.0 + 1e-12])
    close("some-label", 3.0, 3.0, rtol=1e-6, where="here")
    close("some-label", [1e-13, 0.0], [0.0, 0.0], rtol=0, atol=1e-12)
    assert capsys.readouterr().out.splitlines() == [
        "ok  some-label · close · 2 numbers, two computations agree to 1e-10",
        "ok  some-label · close · here · two computations agree to 1e-6",
        "ok  some-label · close · 2 numbers, two computations agree to within 1e-12",
    ]
    assert last().figures["atol"] == 1e-12


def test_the_tolerance_is_relative_to_the_largest_entry():
    close("some-label", [1e-9, 1.0], [0.0, 1.0], rtol=1e-8)
    with pytest.raises(CheckFailed):
        close("some-label", [1e-7, 1.0], [0.0, 1.0], rtol=1e-8)


@pytest.mark.parametrize("wrong", [2.5, -2.0, math.nan, math.inf, -math.inf])
def test_numbers_that_differ_fail_where_they_differ_most(wrong):
    with pytest.raises(
        CheckFailed, match=r"at entry \[1, 0\]: value .*, reference 2\.0"
    ) as failure:
        close("some-label", [[1.0, 1.001], [wrong, 1.0]], [[1.0, 1.0], [2.0, 1.0]])
    said = "opposite sign at entry" if wrong == -2.0 else "off by"
    assert str(failure.value).startswith(f"some-label · close · {said}")


def test_the_message_of_close_shows_both_sides_where_they_differ_most():
    # largest reference 2, largest difference 0.5: a quarter of it
    with pytest.raises(CheckFailed) as failure:
        close("some-label", [[1.0, 1.001], [2.5, 1.0]], [[1.0, 1.0], [2.0, 1.0]])
    assert str(failure.value) == (
        "some-label · close · off by 25% at entry [1, 0]: value 2.5, reference 2.0, "
        "allowed 1e-08% (rtol = 1e-10, atol = 0)"
    )


def test_numbers_may_differ_by_the_tolerance_and_no_more():
    close("some-label", 1.5, 1.0, rtol=0.5)
    close("some-label", [1.75, 2.0], [1.0, 2.0], rtol=0.25, atol=0.25)  # 0.25 * 2 + 0.25
    with pytest.raises(CheckFailed):
        close("some-label", np.nextafter(1.5, 2), 1.0, rtol=0.5)


def test_the_line_names_the_tolerance_that_counted(capsys):
    close("some-label", 0.0, 0.0, atol=1e-15)
    close("some-label", 1.0, 1.0, atol=1e-3)
    close("some-label", 1.0, 1.0, atol=1e-12)
    assert [line.split("computations ")[1] for line in capsys.readouterr().out.splitlines()] == [
        "agree to within 1e-15",
        "agree to within 0.001",
        "agree to 1e-10",
    ]


def test_numbers_of_any_kind_can_be_compared():
    close("some-label", [True, False], [1, 0])
    close("some-label", sp.Rational(1, 3), 1 / 3)
    close("some-label", np.array([sp.sqrt(2)]), [math.sqrt(2)])
    close("some-label", np.float32(0.5), np.int8(1), rtol=0.5)
    json.dumps(asdict(last()), allow_nan=False)


def test_a_reference_of_zeros_has_no_relative_error():
    with refuted("a quarter is nothing"):
        close("some-label", [0.25, 0.0], [0.0, 0.0], atol=1e-9)
    assert last().figures["relative"] is None and last().figures["difference"] == 0.25


# --- refuted -----------------------------------------------------------------------------------


def test_a_false_claim_is_refuted_and_says_by_how_much(capsys):
    with refuted("two is three"):
        close("some-label", 2.0, 3.0)
    assert capsys.readouterr().out == "caught  two is three · off by 33%\n"
    assert (last().label, last().kind, last().passed, last().claim) == (
        "some-label",
        "close",
        True,
        "two is three",
    )


def test_a_true_claim_is_not_refuted(capsys):
    before = len(history())
    with pytest.raises(NotRefuted, match="with these settings the false claim 'two is two' holds"):
        with refuted("two is two"):
            close("some-label", 2.0, 2.0)
    assert capsys.readouterr().out == ""
    assert len(history()) == before


def test_a_control_without_a_check_is_no_control():
    with pytest.raises(NotRefuted, match="no check was run"), refuted("anything"):
        pass


@pytest.mark.parametrize("error", [ValueError, TooFewSamples, Undecided, AssertionError, KeyError])
def test_a_crash_refutes_nothing(error):
    with pytest.raises(error), refuted("anything"):
        raise error("something else")


def test_a_check_that_cannot_be_run_refutes_nothing():
    with pytest.raises(ValueError, match="has shape"), refuted("anything"):
        close("some-label", [1.0, 2.0], 1.0)
    with pytest.raises(TypeError, match="label in words"), refuted("anything"):
        close("", 1.0, 2.0)


def test_the_first_check_decides_and_leaves_the_only_record():
    before = len(history())
    with refuted("two is three"):
        close("first", 2.0, 3.0)
        close("never run", 2.0, 2.0)
    assert [record.label for record in history()[before:]] == ["first"]
    with pytest.raises(NotRefuted, match="'first' inside passed"), refuted("two is three"):
        close("first", 2.0, 2.0)
        close("never run", 2.0, 3.0)
    assert len(history()) == before + 1


def test_a_failure_outside_a_control_leaves_no_record():
    before = len(history())
    with pytest.raises(CheckFailed):
        close("some-label", 2.0, 3.0)
    assert len(history()) == before


def test_the_history_cannot_be_rewritten():
    close("some-label", 1.0, 1.0)
    history().clear()
    assert last().label == "some-label"
    with pytest.raises(AttributeError):
        last().passed = False


def test_controls_do_not_nest_and_leave_nothing_behind():
    with pytest.raises(ValueError, match="stands inside"):
        with refuted("outer"):
            with refuted("inner"):
                close("some-label", 2.0, 3.0)
    with pytest.raises(KeyError), refuted("crashes"):
        raise KeyError
    close("some-label", 2.0, 2.0)  # passes: nothing is being refuted any more
    assert last().claim is None


# --- bad input ---------------------------------------------------------------------------------

ROWS = np.random.default_rng(0).normal(size=(200, 2))
NAN_ROWS = np.where(np.arange(200)[:, None] == 17, np.nan, ROWS)
BAD = {
    "label empty": (lambda: close("", 1, 1), TypeError, "must be a label in words"),
    "label forgotten": (lambda: close(1.0, 1.0, 1.0), TypeError, "label in words; it is 1.0"),
    "label blank": (lambda: identity("  ", x, x), TypeError, "label in words"),
    "claim no string": (lambda: refuted(3).__enter__(), TypeError, "label in words"),
    "identity lengths": (lambda: identity("a", [x], [x, y]), ValueError, "lhs has 1 entries"),
    "identity shapes": (lambda: identity("a", [[x, y]], [x, y]), ValueError, "not arranged alike"),
    "identity nothing": (lambda: identity("a", [], []), ValueError, "nothing to compare"),
    "identity string": (lambda: identity("a", "x", x), TypeError, "must hold SymPy expressions"),
    "identity boolean": (lambda: identity("a", sp.true, sp.true), TypeError, "SymPy expressions"),
    "identity matrix symbol": (
        lambda: identity("a", sp.MatrixSymbol("M", 2, 2), sp.MatrixSymbol("M", 2, 2)),
        TypeError,
        "SymPy expressions",
    ),
    "identity equation": (lambda: identity("a", sp.Eq(x, y), x), TypeError, "lhs must hold SymPy"),
    "identity none": (lambda: identity("a", x, None), TypeError, "rhs must hold SymPy"),
    "identity transposed": (
        lambda: identity("a", sp.zeros(2, 3), sp.zeros(3, 2)),
        ValueError,
        "not arranged alike",
    ),
    "close infinite tolerance": (
        lambda: close("a", 1, 2, atol=math.inf),
        ValueError,
        "tolerances must be",
    ),
    "close nan tolerance": (lambda: close("a", 1, 1, rtol=math.nan), ValueError, "tolerances"),
    "close complex array": (
        lambda: close("a", np.array([1 + 1j]), [1.0]),
        TypeError,
        "value must hold real numbers; it holds complex128",
    ),
    "unbiased strings": (
        lambda: unbiased("a", np.full((200, 1), "1"), [1]),
        TypeError,
        "gradients must hold real numbers",
    ),
    "unbiased complex": (lambda: unbiased("a", ROWS, [1j, 0]), TypeError, "exact must hold real"),
    "unbiased empty": (
        lambda: unbiased("a", np.ones((200, 0)), np.ones(0)),
        ValueError,
        "gradients must have shape",
    ),
    "unbiased no samples": (
        lambda: unbiased("a", ROWS[:0], [0, 0]),
        TooFewSamples,
        "0 samples of 2",
    ),
    "unbiased turned": (lambda: unbiased("a", ROWS.T, [0, 0]), ValueError, r"it has \(2, 200\)"),
    "unbiased rate nan": (
        lambda: unbiased("a", ROWS, [0, 0], false_alarm=math.nan),
        ValueError,
        "it is nan",
    ),
    "close shapes": (lambda: close("a", [1.0], 1.0), ValueError, r"value has shape \(1,\)"),
    "close stretched": (lambda: close("a", [1.0], [1.0, 1.0]), ValueError, "has shape"),
    "close nothing": (lambda: close("a", [], []), ValueError, "nothing to compare"),
    "close nan": (lambda: close("a", 1.0, math.nan), ValueError, "reference holds NaN"),
    "close inf": (lambda: close("a", math.inf, math.inf), ValueError, "NaN or infinity"),
    "close zeros": (lambda: close("a", [0.0], [0.0]), ValueError, "how small is small with atol"),
    "close rtol": (lambda: close("a", 1, 1, rtol=1.0), ValueError, "tolerances must be"),
    "close no tolerance": (lambda: close("a", 1, 1, rtol=0), ValueError, "not both 0"),
    "close negative": (lambda: close("a", 1, 1, atol=-1), ValueError, "tolerances must be"),
    "close strings": (lambda: close("a", "x", "x"), TypeError, "must hold real numbers"),
    "close complex": (lambda: close("a", 1j, 1j), TypeError, "must hold real numbers"),
    "unbiased shape": (lambda: unbiased("a", ROWS, [0.0]), ValueError, "over the shape"),
    "unbiased scalar": (lambda: unbiased("a", 1.0, 1.0), ValueError, "gradients must have shape"),
    "unbiased nan": (lambda: unbiased("a", NAN_ROWS, [0, 0]), ValueError, "row 17, holds NaN"),
    "unbiased exact": (lambda: unbiased("a", ROWS, [0, math.inf]), ValueError, "exact holds NaN"),
    "unbiased rate 0": (
        lambda: unbiased("a", ROWS, [0, 0], false_alarm=0),
        ValueError,
        "between 0 and 1; it is 0",
    ),
    "unbiased rate 1": (
        lambda: unbiased("a", ROWS, [0, 0], false_alarm=1),
        ValueError,
        "between 0 and 1; it is 1",
    ),
    "unbiased few": (lambda: unbiased("a", ROWS[:99], [0, 0]), TooFewSamples, "99 samples of 2"),
    "unbiased many components": (
        lambda: unbiased("a", np.ones((150, 10)), np.ones(10)),
        TooFewSamples,
        "at least 200 are needed",
    ),
    "unbiased skewed": (
        lambda: unbiased("a", np.arange(1000) % 50 == 0, 0.02),
        TooFewSamples,
        "samples do not carry the stated false-alarm rate; about",
    ),
}


@pytest.mark.parametrize(("call", "error", "says"), BAD.values(), ids=BAD)
def test_bad_input_is_named(call, error, says):
    before = len(history())
    with pytest.raises(error, match=says):
        call()
    assert len(history()) == before
    assert checks._controls == []


# --- unbiased ----------------------------------------------------------------------------------


def hotelling(rows, mean):
    """T^2 by its definition; the pseudo-inverse leaves out directions that do not vary."""
    deviation = rows.mean(axis=0) - mean
    return len(rows) * deviation @ np.linalg.pinv(np.cov(rows.T), rcond=1e-10) @ deviation


def verdict(rows, exact, alpha):
    """The record of a verdict, also where it is a failure."""
    try:
        unbiased("a", rows, exact, false_alarm=alpha)
    except CheckFailed as failure:
        return failure.check
    return last()


@pytest.mark.parametrize("r", [1, 2, 8, 30])
@pytest.mark.parametrize("m", [700, 10_000, 1_000_000])
@pytest.mark.parametrize("alpha", [0.05, 1e-3, 1e-6])
def test_the_limit_is_the_point_of_hotellings_distribution(r, m, alpha):
    # Anderson (2003), corollary 5.2.1: (m - r) / (r (m - 1)) T^2 ~ F(r, m - r)
    expected = stats.f.isf(alpha, r, m - r) * r * (m - 1) / (m - r)
    assert critical_value(r, m, alpha) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_the_statistic_is_hotellings(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3)) + rng.normal(size=3)
    exact = rows.mean(axis=0) + 0.02 * rng.normal(size=3)
    record = verdict(rows, exact, 1e-6)
    assert record.figures["statistic"] == pytest.approx(hotelling(rows, exact), rel=6e-3)
    assert record.figures["rank"] == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda rows, c: (rows * [1e5, 1e-3, 1], c * [1e5, 1e-3, 1]),
        lambda rows, c: (rows[:, ::-1], c[::-1]),
        lambda rows, c: (
            np.column_stack([rows, rows.sum(axis=1), rows[:, 0]]),
            np.r_[c, c.sum(), c[0]],
        ),
        lambda rows, c: (np.column_stack([rows, np.full(len(rows), 7.0)]), np.r_[c, 7.0]),
    ],
    ids=["units", "order", "redundant components", "a constant component"],
)
def test_the_statistic_does_not_depend_on_how_the_rows_are_written(change):
    rows = np.random.default_rng(5).normal(size=(1000, 3))
    exact = np.array([0.02, -0.01, 0.03])
    before, after = verdict(rows, exact, 1e-6), verdict(*change(rows, exact), 1e-6)
    assert after.figures["statistic"] == pytest.approx(before.figures["statistic"], rel=6e-3)
    assert after.figures["rank"] == before.figures["rank"] == 3


def test_a_constant_that_is_off_fails_without_any_variance():
    rows = np.column_stack([np.random.default_rng(1).normal(size=1000), np.full(1000, 7.0)])
    with pytest.raises(CheckFailed, match="do not vary: a bias, or an event too rare"):
        unbiased("a", rows, [0.0, 7.001])
    with pytest.raises(CheckFailed, match="do not vary"):
        unbiased("a", np.zeros((1000, 2)), [0.0, 0.1])


def test_rows_that_are_all_equal_to_the_exact_value_pass(capsys):
    unbiased("a", np.full((1000, 2), 3.0), [3.0, 3.0])
    assert "1,000 samples, all equal to the exact value" in capsys.readouterr().out


def test_a_sum_that_must_be_zero_is_tested_though_it_does_not_vary():
    # softmax gradients sum to 0; an exact gradient that does not is wrong with certainty
    z = np.random.default_rng(2).normal(size=2000)
    rows = np.column_stack([z, -z])
    unbiased("a", rows, [0.0, 0.0])
    with pytest.raises(CheckFailed, match="do not vary"):
        unbiased("a", rows, [1e-4, 1e-4])  # far within the standard error, 0.02, of either


def test_a_plus_and_minus_one_can_be_followed_by_hand(capsys):
    """m = 10,000 rows, half of them +1 and half -1, so that all is known.

    The variance is m / (m - 1), a standard error 1 / sqrt(m - 1) = 0.0100005.  The limit at 1e-6 is
    t^2 with t = 4.894 (Student, 9,999 degrees of freedom), and Phi^-1(0.99) = 2.326: a bias of
    (4.894 + 2.326) 0.0100005 = 0.0722 is sure to be caught.  v^2 = 1 in every row, so w = 1.
    """
    rows = np.tile([1.0, -1.0], 5000)
    unbiased("some-label", rows, 0.0)
    unbiased("some-label", 1 + rows, 1.0, where="shifted")
    with refuted("the mean is 0.1"):
        unbiased("some-label", rows, 0.1)
    assert capsys.readouterr().out.splitlines() == [
        "ok  some-label · unbiased · 10,000 samples, 1 direction; "
        "a bias of 0.073 would have been caught",
        "ok  some-label · unbiased · shifted · 10,000 samples, 1 direction; "
        "a bias of 7.3% would have been caught",
        "caught  the mean is 0.1 · off by 100%, 9 standard errors",  # 0.1 sqrt(9,999) = 9.9995
    ]
    assert asdict(last()) == {
        "label": "some-label",
        "kind": "unbiased",
        "passed": True,
        "figures": {
            "samples": 10_000,
            "components": 1,
            "rank": 1,
            "statistic": 100.0,  # 0.01 * 9,999
            "limit": 24.0,
            "largest_z": 10.0,
            "false_alarm": 1e-6,
            "smallest_bias": 0.0722,
            "exact_norm": 0.1,
            "power": 0.99,
            "relative": 1.0,
        },
        "claim": "the mean is 0.1",
        "where": "",
    }


def test_the_bias_of_a_coin_that_is_reported_can_be_followed_by_hand():
    """m = 10,000 throws of a coin with chance 1/5, 2,000 of them heads.

    A throw, standardised, is v = 2 with chance 1/5 and else -1/2: Ev^3 = 1.5, and v^2 has variance
    2.25.  So v + h v^2 has the variance 1 + 2 h 1.5 + h^2 2.25 = (1 + 1.5 h)^2.  At 1e-6 the limit
    is 4.894 standard errors, and z = 2.326: h = 7.220 / 200 = 0.0361, w = 1.0542.  The smallest
    bias is (4.894 + 2.326 w) 0.4 / 100 = 0.0294; with w = 1 it would be 0.0289.
    """
    unbiased("some-label", np.tile([1.0, 0.0, 0.0, 0.0, 0.0], 2000), 0.2)
    assert last().figures["smallest_bias"] == 0.0294


def test_a_small_exact_mean_is_a_size_that_a_bias_can_be_a_percentage_of():
    rows = np.tile([1.0, -1.0], 5000) + 1e-6
    unbiased("some-label", rows, 1e-6)
    assert last().figures["exact_norm"] == 1e-6  # a millionth of the numbers, and no rounding


@pytest.mark.parametrize("entries", [1, 99, 100, 1000])
def test_one_entry_that_is_off_is_enough_to_fail_however_many_agree(entries):
    value = np.ones(entries)
    value[-1] += 3e-10  # beyond the tolerance of 1e-10; in the mean of 1,000 it would be within
    with pytest.raises(CheckFailed, match="off by"):
        close("some-label", value, np.ones(entries))


def test_a_failure_shows_the_worst_component_both_means_and_the_limit():
    rows = np.zeros((10_000, 2, 3))
    rows[:, 1, 2] = np.tile([1.0, -1.0], 5000)
    rows[:, 0, 1] = np.repeat([1.0, -1.0], 5000)
    exact = np.zeros((2, 3))
    exact[1, 2] = 0.25  # T^2 = 0.25^2 * 9,999 = 624.9, z = -25.0
    with pytest.raises(CheckFailed) as failure:
        unbiased("some-label", rows, exact)
    assert str(failure.value) == (
        "some-label · unbiased · component [1, 2]: mean 0, exact 0.25, -25.0 standard errors; "
        "over 2 directions T^2 = 624.9 > 27.7, the limit at false-alarm rate 1e-6"
    )  # 27.7: 2 * 9,999 / 9,998 times the upper 1e-6 point of F(2, 9,998), 13.85


@pytest.mark.parametrize("alpha", [0.05, 1e-6])
def test_the_verdict_turns_exactly_at_the_limit(alpha):
    rng = np.random.default_rng(8)
    rows, shift = rng.normal(size=(800, 3)), rng.normal(size=3)
    limit = stats.f.isf(alpha, 3, 797) * 3 * 799 / 797
    to_limit = shift * math.sqrt(limit / hotelling(rows, rows.mean(axis=0) - shift))
    unbiased("a", rows, rows.mean(axis=0) + (1 - 1e-6) * to_limit, false_alarm=alpha)
    with pytest.raises(CheckFailed):
        unbiased("a", rows, rows.mean(axis=0) + (1 + 1e-6) * to_limit, false_alarm=alpha)


@pytest.mark.parametrize("factor", [1e8, 1e-8, -1.0])
@pytest.mark.parametrize("component", [0, 1, 2, slice(None)])
def test_the_statistic_does_not_depend_on_the_unit_of_a_component(factor, component):
    rows = np.random.default_rng(5).normal(size=(1000, 3))
    exact, unit = np.array([0.02, -0.01, 0.03]), np.ones(3)
    unit[component] = factor
    before, after = verdict(rows, exact, 1e-6), verdict(rows * unit, exact * unit, 1e-6)
    for name in ("statistic", "rank", "largest_z", "limit"):
        assert after.figures[name] == before.figures[name], name


def test_a_large_constant_in_every_row_changes_nothing():
    rows = np.random.default_rng(5).normal(size=(1000, 2))
    before, after = verdict(rows, [0.02, 0], 1e-6), verdict(rows + 1e6, [1e6 + 0.02, 1e6], 1e-6)
    assert after.figures["statistic"] == before.figures["statistic"]


def test_rows_written_twice_double_the_statistic():
    # why rows have to be independent: copies pretend to a precision that is not there
    rows, exact = np.random.default_rng(6).normal(size=(1000, 2)), np.array([0.1, 0.0])
    once, twice = verdict(rows, exact, 1e-6), verdict(np.vstack([rows, rows]), exact, 1e-6)
    assert twice.figures["statistic"] == pytest.approx(2 * once.figures["statistic"], rel=0.01)


def test_the_line_does_not_depend_on_the_order_of_the_rows(capsys):
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(4, 6))
    rows, exact = rng.normal(size=(30_000, 4)) @ mix, np.full(4, 0.003) @ mix
    for _ in range(5):
        unbiased("a", rng.permutation(rows), exact)
    assert len(set(capsys.readouterr().out.splitlines())) == 1


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_rows_themselves_are_left_alone(order):
    rows = np.array(np.random.default_rng(3).normal(size=(500, 3)), order=order)
    copy = rows.copy()
    rows.flags.writeable = False
    unbiased("a", rows, np.zeros(3))
    np.testing.assert_array_equal(rows, copy)


def test_counts_and_truth_values_are_samples_too(capsys):
    whole = np.random.default_rng(9).integers(0, 2, size=(5000, 3))
    unbiased("a", whole, np.full(3, 0.5))
    unbiased("a", whole.astype(bool), np.full(3, 0.5))
    unbiased("a", whole.astype(float), np.full(3, 0.5))
    assert len(set(capsys.readouterr().out.splitlines())) == 1


@pytest.mark.parametrize("thin", [1e-2, 1e-4, 1e-5, 1e-6, 1e-7, 1e-9, 1e-13])
def test_a_thin_direction_raises_no_more_false_alarms_than_a_wide_one(thin):
    """Two components that differ by thin times a normal variable, down to rounding.

    Whether a direction counts as varying (rank 2) or not (rank 1), alarms come at the stated
    rate or, where the thin direction is only excused, below that of the one other direction.
    """
    trials, alpha, rng = 400, 0.05, np.random.default_rng(13)
    wide = rng.normal(size=(trials, 200))
    alarms = 0
    for first in wide:
        rows = np.column_stack([first, first + thin * rng.normal(size=200)])
        alarms += not verdict(rows, np.zeros(2), alpha).passed
    assert alarms <= stats.binom.isf(1e-6, trials, alpha)


def test_a_bias_in_a_thin_direction_is_caught_though_far_within_either_standard_error():
    # standard errors 0.03 and 0.03, of the difference 3e-7; the bias of the difference is 1e-5
    rng = np.random.default_rng(14)
    first = rng.normal(size=1000)
    rows = np.column_stack([first, first + 1e-5 * rng.normal(size=1000)])
    unbiased("a", rows, [0.0, 0.0])
    with pytest.raises(CheckFailed):
        unbiased("a", rows, [0.0, 1e-5])


def test_a_component_of_rounding_errors_is_no_evidence():
    # such as a softmax gradient summed over actions: not 0 but 1e-16, and not 1e-16 by chance
    rng = np.random.default_rng(15)
    rows = np.column_stack([rng.normal(size=5000), 1e-16 * rng.integers(0, 3, size=5000)])
    with pytest.raises(ValueError, match=r"component \[1\] cannot be judged beside the others"):
        unbiased("a", rows, [0.0, 0.0])
    weights = rng.normal(size=(5000, 1))
    gradients = weights * (np.eye(3)[rng.integers(3, size=5000)] - 1 / 3)
    with_sum = np.column_stack([gradients, gradients.sum(axis=1)])
    with pytest.raises(ValueError, match=r"component \[3\] cannot be judged beside the others"):
        unbiased("a", with_sum, [0, 0, 0, 1e-16])
    with pytest.raises(CheckFailed):  # what is off by more than rounding fails all the same
        unbiased("a", with_sum, [0, 0, 0, 1e-11])
    with pytest.raises(CheckFailed):
        unbiased("a", with_sum, [0.5, 0, 0, 0])


def test_an_exact_mean_of_rounding_errors_has_no_relative_size(capsys):
    unbiased("a", np.tile([1.0, -1.0], 5000), 1e-17)
    assert "a bias of 0.073 would" in capsys.readouterr().out


def test_an_exact_mean_next_to_zero_is_no_measure_of_a_bias(capsys):
    # a gradient at a maximum, computed: 1e-11 in place of 0, beside rows of size one
    rows = np.random.default_rng(45).normal(size=(1000, 2))
    unbiased("some-label", rows, [1e-11, -1e-11])
    unbiased("some-label", rows, [0.0, 0.0])
    computed, true = capsys.readouterr().out.splitlines()
    assert computed == true
    assert last().figures["exact_norm"] == 0.0


def test_rows_that_are_all_equal_to_something_else_fail():
    with pytest.raises(CheckFailed) as failure:
        unbiased("a", np.full((1000, 2), 3.0), [3.0, 4.0])
    assert str(failure.value) == (
        "a · unbiased · component [1]: mean 3, exact 4, off by -1 in a direction in which the "
        "samples do not vary: a bias, or an event too rare to be drawn"
    )


def test_components_that_are_copies_must_have_one_mean():
    first = np.random.default_rng(16).normal(size=1000)
    copies = np.column_stack([first, first])
    unbiased("a", copies, [0.01, 0.01])
    with pytest.raises(CheckFailed, match="do not vary"):
        unbiased("a", copies, [0.01, 0.02])


def test_the_smallest_bias_is_that_of_the_widest_direction():
    # variances 1 and 9: for many normal rows (sqrt(c) + 2.326) 3 / sqrt(m)
    m = 200_000
    rows = np.random.default_rng(17).normal(size=(m, 2)) * [1, 3]
    unbiased("a", rows, rows.mean(axis=0))
    limit = stats.chi2.isf(1e-6, 2)
    expected = (math.sqrt(limit) + stats.norm.ppf(0.99)) * 3 / math.sqrt(m)
    assert last().figures["smallest_bias"] == pytest.approx(expected, rel=0.01)


def binomial_range(trials, p):
    """Counts that a binomial variable leaves with probability 1e-6 at either end."""
    return stats.binom.ppf(1e-6, trials, p), stats.binom.isf(1e-6, trials, p)


def reinforce_case(world, theta):
    """Rows of every trajectory, their probabilities, and the exact gradient."""
    theta = np.array(theta, float)
    every = enumerate_trajectories(world)
    rows = reinforce_gradients(world, theta, every).reshape(len(every), -1)
    return rows, every.probability(softmax_policy(theta)), policy_gradient(world, theta).ravel()


CASES = {
    "normal": None,
    "bandit": reinforce_case(bandit([1, 2, 4], chances=[0.9, 0.8, 0.4]), [[0.0, 0.5, 0.2]]),
    "two states": reinforce_case(two_state(gamma=1.0), [[0.4, -0.3], [-0.2, 0.1]]),
}


def draw(case, m, rng):
    if case == "normal":
        return rng.normal(size=(m, 3)) @ np.array([[1, 2, 0], [0, 1, 0], [3, 0, 0.1]]), np.zeros(3)
    rows, p, exact = CASES[case]
    return np.repeat(rows, rng.multinomial(m, p), axis=0), exact


@pytest.mark.parametrize("case", CASES)
def test_false_alarms_come_as_often_as_stated(case, capsys):
    trials, m, rng = 1000, 1000, np.random.default_rng(11)
    alarms = dict.fromkeys((0.05, 0.01, 0.001), 0)
    for _ in range(trials):
        rows, exact = draw(case, m, rng)
        for alpha in alarms:  # from large to small: what passes one passes the next
            if verdict(rows, exact, alpha).passed:
                break
            alarms[alpha] += 1
    for alpha, count in alarms.items():
        low, high = binomial_range(trials, alpha)
        assert low <= count <= high, (alpha, count)


@pytest.mark.parametrize("case", CASES)
def test_the_bias_that_is_reported_is_caught_and_half_of_it_mostly_is_not(case, capsys):
    trials, m, alpha, rng = 300, 1000, 1e-3, np.random.default_rng(12)
    rows, exact = draw(case, 200_000, rng)
    _, axes = np.linalg.eigh(np.cov(rows.T))
    worst = axes[:, -1]  # where the mean is least certain
    caught = small_caught = 0
    for _ in range(trials):
        rows, exact = draw(case, m, rng)
        smallest = verdict(rows, rows.mean(axis=0), alpha).figures["smallest_bias"]
        caught += not verdict(rows, exact + smallest * worst, alpha).passed
        small_caught += not verdict(rows, exact + smallest / 2 * worst, alpha).passed
    assert caught >= stats.binom.ppf(1e-6, trials, checks.POWER)
    assert small_caught < trials / 2


def refused(rows, alpha):
    try:
        return verdict(rows, rows.mean(axis=0), alpha) is None
    except TooFewSamples:
        return True


def alarm(rows, exact, alpha):
    try:
        return not verdict(rows, exact, alpha).passed
    except TooFewSamples:
        return False


@pytest.mark.parametrize(
    ("q", "sizes"),
    [(0.5, (150, 400)), (0.3, (600, 2000)), (0.05, (3000, 10_000, 30_000))],
)
def test_a_coin_fails_one_time_in_a_million_or_is_refused(q, sizes, capsys):
    """T^2 of a coin with chance q depends on its count alone, so that the rate is a finite sum.

    From samples too few to samples enough: failures that the guard lets through stay within the
    promised factor of the stated rate; enough samples are not refused, and then the rate is near.
    """
    alpha = 1e-6
    for m in sizes:
        count = np.arange(1, m)
        mean, p = count / m, stats.binom.pmf(count, m, q)
        T2 = (m - 1) * (mean - q) ** 2 / (mean * (1 - mean))
        beyond = count[(T2 > critical_value(1, m, alpha)) & (p > 1e-5 * alpha)]
        rate = sum(p[c - 1] for c in beyond if alarm(np.arange(m) < c, q, alpha))
        assert rate <= checks.DISTORTION * alpha, m
    assert rate >= alpha / 2
    assert not refused(np.arange(m) < round(q * m), alpha)


def test_without_the_guard_a_rare_event_would_break_the_promise():
    # 0.05 and m = 3,000, as above: beyond the limit lies not 1e-6 but more than 8 times as much
    count = np.arange(1, 3000)
    mean, p = count / 3000, stats.binom.pmf(count, 3000, 0.05)
    T2 = 2999 * (mean - 0.05) ** 2 / (mean * (1 - mean))
    assert p[T2 > critical_value(1, 3000, 1e-6)].sum() > 8e-6
    with pytest.raises(TooFewSamples):
        unbiased("a", np.arange(3000) < 150, 0.05)


@pytest.mark.parametrize("m", [700, 1500, 3000])
def test_a_bandit_fails_one_time_in_a_million_or_is_refused(m, capsys):
    """REINFORCE on three arms that always pay: rows depend on the arm alone, T^2 on three counts.

    The covariance of the arms' indicators inverts in closed form, so T^2 is Neyman's chi-square,
    (m - 1) sum_a (q_a - p_a)^2 / q_a, with q the frequencies; an invertible map to gradients
    leaves it as it is.  All counts beyond the limit are summed; on 300 of them, drawn in
    proportion to their probability, `unbiased` itself says whether it refuses.
    """
    alpha, p = 1e-6, np.array([0.5, 0.3, 0.2])
    theta = np.log(p)[None]
    world = bandit([1.0, 2.0, 3.0])
    every = enumerate_trajectories(world)
    gradients = reinforce_gradients(world, theta, every).reshape(3, 3)
    gradients = gradients[np.argsort(every.actions[:, 0])]
    exact = policy_gradient(world, theta).ravel()

    first, second = np.meshgrid(np.arange(1, m), np.arange(1, m), indexing="ij")
    inside = first + second < m
    counts = np.stack([first, second, m - first - second], axis=-1)[inside]
    counts = counts[(np.abs(counts - m * p) < 7.5 * np.sqrt(m * p * (1 - p))).all(axis=1)]
    T2 = (m - 1) * ((counts / m - p) ** 2 / (counts / m)).sum(axis=1)
    counts = counts[T2 > critical_value(2, m, alpha)]
    chance = stats.multinomial.pmf(counts, m, p)
    asked = np.random.default_rng(18).choice(len(counts), size=300, p=chance / chance.sum())
    alarms = sum(alarm(np.repeat(gradients, counts[i], axis=0), exact, alpha) for i in asked)

    beyond = chance.sum() / alpha
    assert beyond * alarms / 300 <= checks.DISTORTION
    if m == 700:  # hardly enough: most of what would be too much is refused
        assert beyond > 2.5 and alarms < 300 / 3
    if m == 3000:  # enough: nothing is refused, and the rate is near the stated one
        assert 0.5 < beyond < 1.6 and alarms == 300


def test_the_guard_sees_skewness_in_whatever_components_it_is_written():
    """The corners of a tetrahedron, in equal shares: skewed, but along none of the three axes.

    E[v_1 v_2 v_3] = 1 and E[v_i^3] = 0; towards a corner the skewness is 6 / 3^{3/2} = 1.155.
    Repeated components turn the principal axes onto those in which nothing shows.
    """
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], float)
    for m, expected in ((300, True), (1200, False)):
        rows = np.tile(corners, (m // 4, 1))
        assert refused(rows, 1e-6) is expected
        assert refused(rows[:, [0, 0, 0, 1, 1, 2]], 1e-6) is expected
    with pytest.raises(TooFewSamples, match=r"with skewness up to 1\.1, 300 samples"):
        unbiased("a", np.tile(corners, (75, 1)), np.zeros(3))


@pytest.mark.parametrize("r", [1, 2, 5])
@pytest.mark.parametrize("counts", [None, np.arange(1, 301)], ids=["once", "counted"])
def test_the_skewness_in_a_direction_is_that_of_the_rows_turned_to_it(r, counts):
    rng = np.random.default_rng(19)
    rows, whiten = rng.exponential(size=(300, r)), rng.normal(size=(r, r))
    sample = Sample.of(rows, np.zeros(r), counts, 300 if counts is None else counts.sum())
    found = _skewness(sample, whiten)
    for u, k in list(zip(_directions(r), found, strict=True))[:50]:
        expected = np.average((sample.rows @ whiten @ u) ** 3, weights=counts)
        assert k == pytest.approx(expected, rel=1e-12)


def test_an_event_that_was_never_drawn_cannot_be_told_from_a_bias():
    # the limit of any such test, and why the message says so: (1 - 0.002)^1000 = 0.135
    with pytest.raises(CheckFailed, match="or an event too rare to be drawn"):
        unbiased("a", np.zeros(1000), 0.002)


def test_the_guard_asks_for_enough_samples_and_then_is_content():
    rare = lambda m: (np.arange(m) % 50 == 0).astype(float)  # noqa: E731
    with pytest.raises(TooFewSamples) as refusal:
        unbiased("a", rare(5000), 0.02)
    needed = int(str(refusal.value).split("about ")[1].split(" ")[0].replace(",", ""))
    unbiased("a", rare(needed), 0.02)
    assert needed > 5000


def test_samples_too_skewed_refute_nothing():
    with pytest.raises(TooFewSamples), refuted("a rare event has another mean"):
        unbiased("a", (np.arange(1000) % 50 == 0).astype(float), 0.5)


# --- the line and the record -------------------------------------------------------------------


def test_the_line_names_samples_directions_and_the_bias_that_would_show(capsys):
    rows, exact = draw("two states", 20_000, np.random.default_rng(4))
    unbiased("some-label", rows, exact, where="two states")
    line = capsys.readouterr().out
    assert line.startswith(
        "ok  some-label · unbiased · two states · 20,000 samples, 2 directions; "
    )
    assert line.endswith("% would have been caught\n")


def test_in_ipython_a_verdict_is_displayed_not_printed(monkeypatch, capsys):
    shown = []
    monkeypatch.setitem(
        sys.modules,
        "IPython",
        SimpleNamespace(
            get_ipython=lambda: object(),
            display=SimpleNamespace(display=lambda *a, **k: shown.append((a, k))),
        ),
    )
    close("a<b", 1.0, 1.0)
    assert capsys.readouterr().out == ""
    assert shown == [
        (
            (
                {
                    "text/plain": "ok  a<b · close · two computations agree to 1e-10",
                    "text/html": '<div class="pg-check pg-check--ok" data-label="a&lt;b"><span '
                    'class="pg-mark" aria-hidden="true">✓</span> <span class="pg-verdict">ok'
                    "</span> <code>a&lt;b</code> <span>close · two computations agree to 1e-10"
                    "</span></div>",
                },
            ),
            {"raw": True, "metadata": {"policygrad": asdict(last())}},
        )
    ]


def test_a_record_can_be_written_as_json_in_every_case(capsys):
    close("a", 1.0, 1.0)
    close("a", [0.0], [0.0], atol=1e-9)
    identity("a", x, x)
    unbiased("a", ROWS, ROWS.mean(axis=0))
    unbiased("a", np.ones((200, 1)), [1.0])
    with refuted("wrong"):
        close("a", math.inf, 1.0)
    with refuted("wrong"):
        close("a", 1.0, 0.0, atol=1e-9)
    with refuted("wrong"):
        unbiased("a", np.ones((200, 1)), [2.0])
    with refuted("wrong"):
        identity("a", x, y)
    for record in history()[-9:]:
        json.dumps(asdict(record), allow_nan=False)


def test_figures_are_rounded_to_what_is_certain(capsys):
    unbiased("a", ROWS, ROWS.mean(axis=0) + 0.01)
    for name, value in last().figures.items():
        if isinstance(value, float):
            assert value == float(f"{value:.3g}"), name


def test_in_a_notebook_a_verdict_is_html_too_and_carries_its_record(tmp_path, monkeypatch):
    source = textwrap.dedent("""
        from policygrad.checks import close, refuted
        close("one-and-one", 1 + 1, 2, where="a < b")
        with refuted("one & one is three"):
            close("one-and-one", 1 + 1, 3)
    """)
    monkeypatch.setenv("PYTHONPATH", str(Path(checks.__file__).parents[2]))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    ok, control = notebook.cells[0].outputs
    assert ok.data["text/plain"] == (
        "ok  one-and-one · close · a < b · two computations agree to 1e-10"
    )
    assert 'class="pg-check pg-check--ok" data-label="one-and-one"' in ok.data["text/html"]
    assert "a &lt; b" in ok.data["text/html"]
    assert control.data["text/plain"] == "caught  one & one is three · off by 33%"
    assert 'class="pg-check pg-check--caught"' in control.data["text/html"]
    assert ok.metadata["policygrad"]["label"] == "one-and-one"
    assert ok.metadata["policygrad"]["where"] == "a < b"
    assert control.metadata["policygrad"]["claim"] == "one & one is three"


def test_outside_a_notebook_a_verdict_is_one_printed_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    close("one-and-one", 1 + 1, 2)
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize("last_digits", [-1e-15, 0.0, 1e-15])
def test_a_half_is_rounded_alike_whatever_the_last_digits(last_digits):
    # 12.5% and 3.125%, as sums of products come out on different machines
    assert words.relative(0.125 + last_digits, 1.0) == "12%"
    assert words.relative(0.03125 + last_digits, 1.0) == "3.1%"
    assert words.round_down(30 + 30 * last_digits) == "30"
    assert words.digits(0.03125 + last_digits) == 0.0312
    assert words.relative(0.043 + last_digits, 1.0, up=True) == "4.3%"


@pytest.mark.parametrize(
    ("number", "up", "down"),
    [
        (1, "1", "1"),
        (9, "9", "9"),
        (12, "20", "12"),
        (123, "200", "120"),
        (98_765, "100,000", "98,000"),
    ],
)
def test_counts_are_rounded_to_what_a_reader_remembers(number, up, down):
    assert words.round_up(number) == up
    assert words.round_down(number + 0.4) == down


@pytest.mark.parametrize(
    ("size", "norm", "up", "text"),
    [
        (0.0431, 1.0, True, "4.4%"),
        (0.04, 1.0, True, "4%"),
        (0.04 + 1e-14, 1.0, True, "4%"),  # a last digit that machines disagree on
        (0.3125, 1.0, False, "31%"),
        (1.5, 1.0, False, "150%"),
        (41.2, 1.0, False, "41 times its size"),
        (0.01 + 1e-15, 1.0, False, "1%"),
        (math.inf, 1.0, False, "an infinite amount"),
        (0.0583, 0.0, True, "0.059"),
    ],
)
def test_sizes_are_told_in_words_that_do_not_depend_on_the_machine(size, norm, up, text):
    assert words.relative(size, norm, up=up) == text


# --- rows that were drawn several times ----------------------------------------------------------


def test_a_row_with_a_count_is_that_many_rows(capsys):
    rng = np.random.default_rng(40)
    rows = rng.exponential(size=(30, 4)) @ rng.normal(size=(4, 3))
    counts = rng.multinomial(200_000, rng.dirichlet(np.ones(30)))
    counts[4] = 0  # never drawn: it must leave no trace
    exact = counts @ rows / counts.sum() + 0.001
    unbiased("some-label", rows, exact, counts=counts)
    short = last()
    unbiased("some-label", np.repeat(rows, counts, axis=0), exact)
    assert last().figures == short.figures
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[1]


def test_counted_rows_fail_where_the_repeated_ones_fail():
    rows, counts = np.array([[1.0], [-1.0]]), np.array([51_300, 49_000])
    messages = []
    for call in (
        lambda: unbiased("x", rows, [0.0], counts=counts),
        lambda: unbiased("x", np.repeat(rows, counts, axis=0), [0.0]),
    ):
        with pytest.raises(CheckFailed) as info:
            call()
        messages.append(str(info.value))
    assert messages[0] == messages[1]


def test_a_billion_samples_catch_what_a_thousand_cannot():
    rows, pi = np.array([[0.0], [1.0]]), np.array([0.5, 0.5])
    slightly_off = [0.501]
    for m, caught in ((10**4, False), (10**9, True)):
        counts = np.random.default_rng(41).multinomial(m, pi)
        if caught:
            with pytest.raises(CheckFailed):
                unbiased("x", rows, slightly_off, counts=counts)
        else:
            unbiased("x", rows, slightly_off, counts=counts)
        unbiased("x", rows, [0.5], counts=counts)
        assert last().figures["samples"] == m


@pytest.mark.parametrize(
    ("counts", "error", "says"),
    [
        ([500, 500.0], TypeError, "x: counts must hold whole numbers; it holds float64"),
        ([500], ValueError, "x: counts must have one entry per row, shape (2,); it has (1,)"),
        ([500, -1], ValueError, "x: counts[1] must not be negative; it is -1"),
        ([40, 40], TooFewSamples, "x: 80 samples of 1 components; at least 100 are needed"),
        ([0, 0], TooFewSamples, "x: 0 samples of 1 components; at least 100 are needed"),
    ],
)
def test_counts_that_do_not_fit_are_named(counts, error, says):
    with pytest.raises(error, match=f"^{re.escape(says)}"):
        unbiased("x", [[0.0], [1.0]], [0.5], counts=counts)


# --- finite differences --------------------------------------------------------------------------


def test_nudging_finds_the_slope_of_what_has_a_known_one():
    theta = np.array([[0.3, -1.2], [2.0, 0.7]])
    found = finite_differences(
        lambda x: np.array([np.exp(x).sum(), np.sin(x[0, 0]) * x[1, 1]]), theta
    )
    assert found.shape == (2, 2, 2)
    expected = np.zeros((2, 2, 2))
    expected[0] = np.exp(theta)
    expected[1, 0, 0], expected[1, 1, 1] = np.cos(0.3) * 0.7, np.sin(0.3)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


def test_nudging_is_exact_up_to_the_sixth_power_and_not_beyond():
    # d/dx x^n at 0.5 with h = 1: the extrapolation removes the h^2 and the h^4 of the error
    for n in range(7):
        found = finite_differences(lambda x, n=n: x**n, 0.5, step=1.0)
        np.testing.assert_allclose(found, n * 0.5 ** (n - 1), rtol=1e-12, atol=1e-12)
    assert abs(finite_differences(lambda x: x**7, 0.5, step=1.0) - 7 * 0.5**6) > 1e-3


def test_nudging_leaves_theta_alone_and_has_the_shapes_of_both():
    theta = np.zeros((2, 3))
    assert finite_differences(lambda x: x.sum(), theta).shape == (2, 3)
    assert finite_differences(lambda x: x[None], theta).shape == (1, 2, 3, 2, 3)
    assert not theta.any()
    assert finite_differences(lambda x: 3 * x, 2.0) == pytest.approx(3.0, rel=1e-12)


def test_a_function_that_breaks_beside_theta_has_no_slope():
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="f is not finite"):
        finite_differences(np.log, np.array([0.0]))
