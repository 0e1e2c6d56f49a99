"""Each check passes on what is true and fails on what is not; `unbiased` is a real test."""

import json
import math
import textwrap
from dataclasses import asdict
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
    history,
    identity,
    refuted,
    unbiased,
)
from policygrad.estimators import reinforce_gradients
from policygrad.exact import enumerate_trajectories, policy_gradient
from policygrad.policies import softmax_policy
from policygrad.worlds import bandit, two_state

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
    monkeypatch.setattr(checks, "_vanishes", lambda difference: False)
    with pytest.raises(Undecided, match="neither bring it to 0 nor refute it"):
        identity("some-label", x, x)
    with pytest.raises(Undecided), refuted("x is not x"):
        identity("some-label", x, x)


def test_a_true_identity_has_no_counterexample():
    z = sp.Symbol("z", real=True)
    assert checks._witness(sp.sqrt(z**2), sp.Abs(z)) is None
    assert checks._witness(sp.Sum(f(k), (k, 0, n)), f(0) + sp.Sum(f(k), (k, 1, n))) is None


# --- close -------------------------------------------------------------------------------------


def test_numbers_that_agree_pass_and_the_line_says_how_well(capsys):
    close("some-label", [1.0, 2.0], [1.0, 2.0 + 1e-12])
    close("some-label", 3.0, 3.0, rtol=1e-6, where="here")
    close("some-label", [1e-13, 0.0], [0.0, 0.0], rtol=0, atol=1e-12)
    assert capsys.readouterr().out.splitlines() == [
        "ok  some-label · close · 2 numbers, two computations agree to 1e-10",
        "ok  some-label · close · here · two computations agree to 1e-06",
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
    assert str(failure.value).startswith("some-label · close · off by")


# --- refuted -----------------------------------------------------------------------------------


def test_a_false_claim_is_refuted_and_says_by_how_much(capsys):
    with refuted("two is three"):
        close("some-label", 2.0, 3.0)
    assert capsys.readouterr().out == "refuted  two is three · off by 33%\n"
    assert (last().label, last().kind, last().passed, last().claim) == (
        "some-label",
        "close",
        True,
        "two is three",
    )


def test_a_true_claim_is_not_refuted(capsys):
    before = len(history())
    with pytest.raises(NotRefuted, match="the check 'some-label' inside passed"):
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
    assert checks._critical_value(r, m, alpha) == pytest.approx(expected, rel=1e-6)


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
    "two states": reinforce_case(two_state(), [[0.4, -0.3], [-0.2, 0.1]]),
}


def draw(case, m, rng):
    if case == "normal":
        return rng.normal(size=(m, 3)) @ np.array([[1, 2, 0], [0, 1, 0], [3, 0, 0.1]]), np.zeros(3)
    rows, p, exact = CASES[case]
    return np.repeat(rows, rng.multinomial(m, p), axis=0), exact


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_false_alarms_come_as_often_as_stated(case, alpha, capsys):
    trials, m, rng = 3000, 1000, np.random.default_rng(11)
    alarms = sum(not verdict(*draw(case, m, rng), alpha).passed for _ in range(trials))
    low, high = binomial_range(trials, alpha)
    assert low <= alarms <= high


@pytest.mark.parametrize("case", CASES)
def test_the_bias_that_is_reported_is_caught_and_a_third_of_it_often_is_not(case, capsys):
    trials, m, alpha, rng = 1000, 1000, 1e-3, np.random.default_rng(12)
    rows, exact = draw(case, 200_000, rng)
    _, axes = np.linalg.eigh(np.cov(rows.T))
    worst = axes[:, -1]  # where the mean is least certain
    caught = small_caught = 0
    for _ in range(trials):
        rows, exact = draw(case, m, rng)
        smallest = verdict(rows, rows.mean(axis=0), alpha).figures["smallest_bias"]
        caught += not verdict(rows, exact + smallest * worst, alpha).passed
        small_caught += not verdict(rows, exact + smallest / 3 * worst, alpha).passed
    assert caught >= stats.binom.ppf(1e-6, trials, checks.POWER)
    assert small_caught < trials / 2


def test_the_guard_against_skewness_keeps_the_tail_at_one_in_a_million(capsys):
    """A coin with chance q, where T^2 is a function of the count: its tail is a binomial sum.

    For each q, from the smallest m that is not refused, the exact rate of failures that are
    not refused stays within the promised factor of the stated one.
    """
    alpha = 1e-6
    for q, sizes in ((0.5, (150, 400)), (0.3, (600, 2000)), (0.05, (8000, 20_000))):
        for m in sizes:
            count = np.arange(m + 1)
            mean, p = count / m, stats.binom.pmf(count, m, q)
            variance = mean * (1 - mean) * m / (m - 1)
            T2 = np.divide(
                m * (mean - q) ** 2, variance, out=np.full(m + 1, np.inf), where=variance > 0
            )
            limit = checks._critical_value(1, m, alpha)
            rate = 0.0
            for c in count[(T2 > limit) & (p > alpha * 1e-4)]:
                try:
                    unbiased("a", (np.arange(m) < c).astype(float), q, false_alarm=alpha)
                except CheckFailed:
                    rate += p[c]
                except TooFewSamples:
                    pass
            assert rate <= checks.DISTORTION * alpha, (q, m, rate)


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
    monkeypatch.setenv("PYTHONPATH", str(checks.__file__).rsplit("/policygrad", 1)[0])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    ok, control = notebook.cells[0].outputs
    assert ok.data["text/plain"] == (
        "ok  one-and-one · close · a < b · two computations agree to 1e-10"
    )
    assert 'class="pg-check pg-check--ok"' in ok.data["text/html"]
    assert "a &lt; b" in ok.data["text/html"]
    assert control.data["text/plain"] == "refuted  one & one is three · off by 33%"
    assert 'class="pg-check pg-check--refuted"' in control.data["text/html"]
    assert ok.metadata["policygrad"]["label"] == "one-and-one"
    assert ok.metadata["policygrad"]["where"] == "a < b"
    assert control.metadata["policygrad"]["claim"] == "one & one is three"


def test_outside_a_notebook_a_verdict_is_one_printed_line(monkeypatch, capsys):
    monkeypatch.setitem(checks.sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    close("one-and-one", 1 + 1, 2)
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize(
    ("size", "norm", "up", "text"),
    [
        (0.0431, 1.0, True, "4.4%"),
        (0.04, 1.0, True, "4%"),
        (0.04 + 1e-14, 1.0, True, "4%"),  # a last digit that machines disagree on
        (0.3125, 1.0, False, "31%"),
        (1.5, 1.0, False, "150%"),
        (41.2, 1.0, False, "41 times its size"),
        (math.inf, 1.0, False, "an infinite amount"),
        (0.0583, 0.0, True, "0.059"),
    ],
)
def test_sizes_are_told_in_words_that_do_not_depend_on_the_machine(size, norm, up, text):
    assert checks._relative(size, norm, up=up) == text
