"""``runs``: the display of a notebook is executed, and what makes that worth nothing is refused."""

import itertools
import json
import sys

import numpy as np
import pytest
import sympy as sp

from policygrad import checks
from policygrad.checks import CheckFailed, NotRefuted, refuted, runs
from policygrad.formulas import Missing, Refused

ROOM = sys.modules["policygrad.checks.runs"]


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Write displays, by label, into a notebook that the checks read."""
    from policygrad.formulas import tex

    def write(**displays):
        texts = [f"$$\n{text}\n$$ (eq-{label})" for label, text in displays.items()]
        cells = [{"cell_type": "markdown", "source": text} for text in texts]
        (tmp_path / "page.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")

    monkeypatch.setattr(tex, "_beside", lambda: tmp_path)
    return write


def worlds(*sizes):
    """sum_{t<n} x^t, with x and n different in each."""
    return [
        {"n": n, "x": 0.3 + 0.1 * n, "S": (1 - (0.3 + 0.1 * n) ** n) / (0.7 - 0.1 * n), r"t\in": []}
        for n in sizes
    ]


GEOMETRIC = r"S=\sum_{t=0}^{n-1}x^t"


def test_what_is_typeset_is_what_runs(page):
    page(geometric=GEOMETRIC)
    runs("geometric", *worlds(2, 4))
    assert checks.history()[-1] == checks.Check(
        "geometric", "runs", True, {"relations": 1, "worlds": 2, "cases": 2, "exact": False}
    )
    page(geometric=GEOMETRIC.replace("n-1", "n"))
    with pytest.raises(CheckFailed, match="line 1 of the typeset equation does not hold"):
        runs("geometric", *worlds(2, 4))


def test_a_failure_shows_the_line_both_sides_and_what_the_letters_stood_for(page):
    page(two=r"\begin{aligned} 2x_t&=x_t+x_t\\&=3x_t \end{aligned}")
    tried = [{"x_t": lambda t, x=x: x + t, r"t\in": range(1, 3)} for x in (0.5, 2.0)]
    with pytest.raises(CheckFailed) as failure:
        runs("two", *tried)
    for words in ("line 2", "world 1 of 2", "&=3x_t", "left  = 3", "right = 4.5", "t = 1"):
        assert words in str(failure.value)


def test_a_control_may_be_a_slip_in_the_display(page, capsys):
    page(geometric=GEOMETRIC)
    with refuted("one step too many"):
        runs("geometric", *worlds(2, 4), slip=("n-1", "n"))
    assert "caught  one step too many · line 1 is off by 14%" in capsys.readouterr().out
    record = checks.history()[-1]
    assert (record.kind, record.claim) == ("runs", "one step too many")
    # 1.5 against 1 + 0.5 + 0.25
    assert record.figures["relative"] == 0.143
    with pytest.raises(NotRefuted), refuted("from 0 - 0"):
        runs("geometric", *worlds(2, 4), slip=("t=0", "t=0-0"))


def test_a_slip_has_to_be_in_the_display_once(page):
    page(geometric=GEOMETRIC)
    for old in ("q", "="):
        with pytest.raises(ValueError, match="times in the display, not once"):
            runs("geometric", *worlds(2, 4), slip=(old, "k"))


def test_one_set_of_values_needs_a_reason(page):
    page(geometric=GEOMETRIC, number=r"3\cdot\tfrac12=1.5")
    with pytest.raises(ValueError, match="geometric: one set of values"):
        runs("geometric", *worlds(2))
    runs("geometric", *worlds(2), only="the world of the text")
    runs("number")


def test_a_number_that_is_the_same_in_all_that_is_tried_needs_a_reason(page):
    page(geometric=GEOMETRIC)
    tried = [{"n": 3, "x": x, "S": 1 + x + x**2, r"t\in": [], "unused": 1} for x in (0.5, 2.0)]
    with pytest.raises(ValueError, match="geometric: n is 3 in all that is tried"):
        runs("geometric", *tried)
    runs("geometric", *tried, fixed=("n",))


def test_arrays_may_be_of_another_size_in_each_world_or_the_same_in_all(page):
    page(length=r"|v|^2=L")
    runs("length", {"v": np.array([3.0, 4.0]), "L": 25.0}, {"v": np.array([1, 2, 2.0]), "L": 9.0})
    runs("length", *[{"v": np.array([3.0, 4.0]), "L": 25.0}] * 2, fixed=("L",))


def test_matrices_may_be_of_another_size_in_each_world(page):
    page(trace=r"\operatorname{tr}M=m")
    tried = [{"M": np.diag(np.arange(n)), "m": n * (n - 1) // 2} for n in (3, 5)]
    runs("trace", *tried)
    runs("trace", tried[0] | {"m": 3}, {"M": 10, "m": 10})


def test_a_range_may_be_an_array(page):
    page(square=r"(x+1)^2-x^2=2x+1")
    runs("square", {r"x\in": np.linspace(0, 1, 5)}, {r"x\in": np.array([3])})
    assert checks.history()[-1].figures["cases"] == 5 + 1


def test_logits_that_are_all_equal_are_refused(page):
    page(mean=r"f(\theta)=\sum_o\theta_{o,0}")
    tried = [
        {
            r"f(\theta)": lambda theta: theta.sum(),
            r"o\in": range(n),
            r"\theta\in": [np.full((n, 1), 0.2)],
        }
        for n in (2, 3)
    ]
    with pytest.raises(ValueError, match="all logits are equal"):
        runs("mean", *tried)
    tried[0][r"\theta\in"] = [np.array([[0.1], [0.3]])]
    runs("mean", *tried)


def test_nothing_but_zeros_on_both_sides_needs_a_reason(page):
    page(both=r"\sum_t(x-x)=2x-2x", none=r"\sum_t(x-x)=0")
    tried = [{"x": x, r"t\in": range(2)} for x in (0.5, 2.0)]
    with pytest.raises(ValueError, match="both: line 1 compares 0 with 0 in every case"):
        runs("both", *tried)
    runs("both", *tried, zeros="x minus itself")
    runs("none", *tried)


def test_values_of_sympy_stand_for_all_numbers(page, capsys):
    page(square="(p+1)^2=p^2+2p+1")
    runs("square", {"p": sp.Symbol("p")})
    assert "as typeset: it holds, by SymPy" in capsys.readouterr().out
    assert checks.history()[-1].figures["exact"]
    with pytest.raises(CheckFailed):
        runs("square", {"p": sp.Symbol("p")}, slip=("2p", "3p"))


def test_equations_of_other_displays_may_define(page):
    page(defined="y=2x", claim="y+1=3")
    runs("claim", {"x": 1}, using=("defined",), only="one number")
    with pytest.raises(CheckFailed):
        runs("claim", {"x": 2}, using=("defined",), only="one number")


def test_what_cannot_be_read_is_refused_with_the_label(page):
    page(claim="x+y=3")
    with pytest.raises(Missing, match="claim: line 1: y has no value"):
        runs("claim", {"x": 1}, only="one number")
    with pytest.raises(Missing, match=r"no displays in .* are labelled other"):
        runs("other", {})
    with pytest.raises(TypeError, match="claim: values must be a dictionary of letters"):
        runs("claim", [1, 2])
    with pytest.raises(TypeError, match="label in words"):
        runs(3)


def test_what_is_refused_refutes_nothing(page):
    page(claim="x+y=3")
    with pytest.raises(Refused), refuted("it is not even read"):
        runs("claim", {"x": 1}, only="one number")


def test_a_case_and_a_condition_are_taken(page):
    page(order=r"x_t-x_k=\lvert x_t-x_k\rvert")
    tried = [
        {"x_t": lambda t, x=x: x * t, **dict.fromkeys(("t\\in", "k\\in"), range(3))} for x in (1, 2)
    ]
    runs("order", *tried, cases="k<t", where="rising")
    record = checks.history()[-1]
    assert (record.where, record.figures["cases"]) == ("rising", 2 * 3)  # of 9 pairs, 3 have k < t
    with pytest.raises(CheckFailed):
        runs("order", *tried, cases={2: "k<t"})


def test_every_line_is_tried_unless_some_are_named(page):
    page(lines=r"\begin{aligned}x&=x+0\\&=2x\end{aligned}")
    runs("lines", {"x": 3}, lines=(1,), only="one number")
    for lines in (None, (1, 2)):
        with pytest.raises(CheckFailed):
            runs("lines", {"x": 3}, lines=lines, only="one number")


def test_the_same_verdict_is_printed_whatever_the_number_of_cases(page, capsys):
    page(pair=r"x_t+y=y+x_t,\qquad y=0+y")
    for n, words in ((1, "2 relations hold in 2 worlds"), (3, "2 relations hold in 8 cases, in 2")):
        tried = [{"x_t": lambda t: t + 1, "y": y, r"t\in": range(n)} for y in (2, 3)]
        runs("pair", *tried)
        assert words in capsys.readouterr().out


def test_a_machine_decides_no_digit_of_a_failure(page):
    page(near="x=y")
    gaps = []
    for noise in (0.0, 3e-16):
        with refuted("x is y"):
            runs("near", {"x": 1.0, "y": 1.1 + noise}, only="two numbers")
        gaps.append(checks.history()[-1].figures)
    assert gaps[0] == gaps[1]
    assert list(itertools.islice(gaps[0], 4)) == ["relations", "worlds", "cases", "exact"]


def test_what_is_zero_but_for_rounding_is_no_measure_of_a_gap(page, capsys):
    page(zero="x=y")
    for noise in (0.0, 3e-17):
        with refuted("x is y"):
            runs("zero", {"x": 0.25, "y": noise}, only="two numbers")
        assert checks.history()[-1].figures["relative"] is None
    assert capsys.readouterr().out.count("line 1 is off by 0.25\n") == 2


def test_arrays_need_not_have_one_size_in_all_that_is_tried(page):
    page(square=r"v^\top v=x")
    runs("square", {"v": np.array([1.0, 2.0]), "x": 5}, {"v": np.array([1.0, 2.0, 3.0]), "x": 14})
