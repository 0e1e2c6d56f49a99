"""No check passes because a number was too large or too small: it judges, or it refuses."""

import math

import numpy as np
import pytest
import sympy as sp

from policygrad.checks import (
    CheckFailed,
    TooFewSamples,
    close,
    finite_differences,
    history,
    identity,
    refuted,
    unbiased,
)
from policygrad.checks.counterexample import witness
from policygrad.checks.hotelling import critical_value

SCALES = [1e300, 1e160, 1e154, 1e100, 1e-100, 1e-160, 1e-170, 1e-290, 1e-306]
NORMAL = np.random.default_rng(0).normal(size=(500, 1))
LARGEST = float(np.finfo(float).max)
x = sp.Symbol("x", positive=True)


def figures(rows, exact):
    """The figures of a verdict of `unbiased`, also where it is a failure."""
    try:
        unbiased("a", rows, exact)
    except CheckFailed as failure:
        return failure.check.figures
    return history()[-1].figures


# --- unbiased ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", SCALES)
def test_a_mean_that_is_off_fails_at_every_scale(scale):
    with pytest.raises(CheckFailed, match="standard errors; over 1 direction"):
        unbiased("a", NORMAL * scale, [3 * scale])
    with pytest.raises(CheckFailed, match="in which the samples do not vary"):
        unbiased("a", np.full((500, 1), scale), [1.001 * scale])
    unbiased("a", NORMAL * scale, [0.0])
    unbiased("a", np.full((500, 1), scale), [scale])


@pytest.mark.parametrize("power", [-1000, -600, -3, 40, 900])
def test_the_figures_of_samples_do_not_depend_on_the_unit(power):
    # by powers of two, so that no digit changes: all but the sizes are the same
    rows = np.random.default_rng(1).normal(size=(1000, 3)) @ [[1, 2, 0], [0, 1, 0], [3, 0, 1]]
    before, after = (figures(rows * u, np.array([0.1, 0, 0.2]) * u) for u in (1.0, 2.0**power))
    for name in ("statistic", "limit", "largest_z", "rank"):
        assert after[name] == before[name], name
    ratios = [f["smallest_bias"] / f["exact_norm"] for f in (before, after)]
    assert ratios[0] == pytest.approx(ratios[1], rel=0.01)  # of figures with three digits


@pytest.mark.parametrize("unit", [2.0**-900, 2.0**-60, 2.0**60, 2.0**900])
@pytest.mark.parametrize("component", [0, 1, 2])
def test_a_true_mean_passes_alike_in_whatever_unit_each_component_is(unit, component):
    rows = np.random.default_rng(5).normal(size=(1000, 3))
    exact, units = np.array([0.02, -0.01, 0.03]), np.ones(3)
    units[component] = unit
    before, after = figures(rows, exact), figures(rows * units, exact * units)
    for name in ("statistic", "limit", "largest_z", "rank"):
        assert after[name] == before[name], name


@pytest.mark.parametrize("small", [1e-5, 1e-9, 1e-12, 1e-14, 1e-100, 1e-300])
def test_a_small_component_is_never_passed_over(small):
    # standard error 0.045 of its size; the mean is off by three times its size
    rows = np.random.default_rng(2).normal(size=(500, 2)) * [small, 1.0]
    unbiased("a", rows, [0.0, 0.0])
    assert history()[-1].figures["rank"] == 2
    if small > 1e-13:  # else it might be rounding of the other
        with pytest.raises(CheckFailed, match=r"component \[0\]: .* -6\d.\d standard errors"):
            unbiased("a", rows, [3 * small, 0.0])
    else:
        with pytest.raises(ValueError, match=r"component \[0\] cannot be judged beside the oth"):
            unbiased("a", rows, [3 * small, 0.0])
        with pytest.raises(CheckFailed, match=r"component \[0\]"):
            unbiased("a", rows, [1e-6, 0.0])
        with pytest.raises(CheckFailed, match=r"component \[1\]"):
            unbiased("a", rows, [3 * small, 3.0])


@pytest.mark.parametrize(("small", "error"), [(1e-3, CheckFailed), (1e-12, ValueError)])
def test_a_small_constant_must_be_exact_too(small, error):
    rows = np.column_stack([np.full(500, small), NORMAL])
    unbiased("a", rows, [small * (1 + 1e-10), 0.0])  # nothing beside 1, and beside the number
    with pytest.raises(error, match=r"component \[0\]"):
        unbiased("a", rows, [small * 1.01, 0.0])


@pytest.mark.parametrize("size", [2e-308, 1e-310, 5e-324])
def test_numbers_below_the_normal_floats_are_refused_by_name(size):
    rows = np.column_stack([NORMAL, np.sign(NORMAL) * size])
    with pytest.raises(ValueError, match=r"component \[1\] cannot be judged: none of its numbers"):
        unbiased("a", rows, [0.0, 0.0])
    with pytest.raises(ValueError, match=r"component \[\] cannot be judged: none of its numbers"):
        unbiased("a", rows[:, 1], 0.0)
    unbiased("a", np.column_stack([NORMAL, 0 * NORMAL]), [0.0, 0.0])  # nothing at all is exact


def test_the_largest_floats_are_judged():
    rows = np.tile([LARGEST, -LARGEST], 250)
    unbiased("a", rows, 0.0)
    for wrong in (LARGEST, -LARGEST):
        with pytest.raises(CheckFailed):
            unbiased("a", rows, wrong)
        with pytest.raises(CheckFailed, match="do not vary"):
            unbiased("a", np.full(500, -wrong), wrong)
    with refuted("it is the other way round"):
        unbiased("a", np.full(500, LARGEST), -LARGEST)
    assert history()[-1].figures == {"samples": 500, "rank": 0, "relative": 2.0}


def test_a_statistic_that_rounding_could_make_is_recorded_as_0():
    rows = np.tile([0.1, -0.1, 0.3, -0.3], 250)
    for shift in (0.0, 1e-17, -1e-17):
        unbiased("a", rows + 1.0, 1.0 + shift)
        assert history()[-1].figures["statistic"] == history()[-1].figures["largest_z"] == 0.0


def test_where_two_directions_vary_alike_the_smallest_bias_does_not_hang_on_the_axes():
    # +-1 beside 2 and -1/2, one to four: both have mean 0 and variance 1, but not the same tails;
    # a last digit of their covariance, which machines disagree on, turns its axes by 45 degrees
    rows = np.array([[a, b] for a in (1.0, -1.0) for b in (2.0, -0.5, -0.5, -0.5, -0.5)])
    found = set()
    for last_digit in (-1e-15, 0.0, 1e-15):
        turned = np.tile(rows, (1000, 1)) @ np.array([[1, last_digit], [last_digit, 1]])
        found.add(figures(turned, np.zeros(2))["smallest_bias"])
    assert len(found) == 1


@pytest.mark.parametrize("m", [10**10, 10**12, 10**15, 2**53 - 1])
@pytest.mark.parametrize("r", [1, 2, 8])
def test_for_the_most_samples_the_limit_is_that_of_chi_squared(m, r):
    from scipy import stats

    # F(r, m) times r is chi^2 with r degrees of freedom, up to a part in m
    assert critical_value(r, m, 1e-6) == pytest.approx(stats.chi2.isf(1e-6, r), rel=1e-7)


def test_more_samples_than_can_be_counted_one_by_one_are_refused():
    with pytest.raises(ValueError, match=r"counts must sum to less than 2\^53"):
        unbiased("a", [[0.0], [1.0]], [0.5], counts=[2**62, 2**62])
    small = np.full(2, 200, dtype=np.uint8)  # whose sum is beyond its own type
    unbiased("a", [[0.0], [1.0]], [0.5], counts=small)
    assert history()[-1].figures["samples"] == 400


# --- close ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e308, *SCALES, 1e-310, 1e-320])
def test_numbers_that_differ_by_a_twentieth_fail_at_every_scale(scale):
    close("a", [scale, 0.5 * scale], [scale, 0.5 * scale])
    with pytest.raises(CheckFailed, match=r"off by [45](\.\d)?% at entry \[1\]"):
        close("a", [scale, 0.5 * scale], [scale, 0.55 * scale])


def test_a_difference_beyond_the_floats_is_told_in_words():
    with refuted("a number is its opposite"):
        close("a", LARGEST, -LARGEST)
    assert history()[-1].figures["relative"] == 2.0
    assert history()[-1].figures["difference"] is None
    with pytest.raises(CheckFailed, match=r"opposite sign, most at entry \[0\]"):
        close("a", [LARGEST, 1.0], [-LARGEST, 1.0])


def test_the_smallest_floats_keep_their_tolerance():
    # 1e-323 is twice the smallest float, 5e-324: off by 100 %, though 0.6 of it rounds to 1 of it
    with pytest.raises(CheckFailed, match="off by 100%"):
        close("a", 1e-323, 5e-324, rtol=0.6)
    close("a", 1.5e-323, 1e-323, rtol=0.5)


def test_an_absolute_tolerance_holds_beside_any_reference():
    close("a", 0.5e300, 1e-300, atol=1e300)
    with pytest.raises(CheckFailed):
        close("a", 1e308, 1e-300, atol=1e300)
    with pytest.raises(CheckFailed):
        close("a", 1e-300, 0.0, atol=1e-308)


# --- identity ------------------------------------------------------------------------------------

BIG = sp.Integer(10) ** 400
FALSE = {
    "beyond the floats": (x * BIG, 2 * x * BIG),
    "below the floats": (x / BIG, 2 * x / BIG),
    "exponentials": (sp.exp(-2000) * x, sp.exp(-2001) * x),
    "a small number": (x / 10**20, 2 * x / 10**20),
    "a small number and none": (x / 10**20, sp.Integer(0)),
    "complex": (sp.I * x / 10**30, 2 * sp.I * x / 10**30),
}


@pytest.mark.parametrize(("lhs", "rhs"), FALSE.values(), ids=FALSE)
def test_what_is_no_identity_is_refuted_at_every_scale(lhs, rhs):
    with pytest.raises(CheckFailed, match="at a random point"):
        identity("a", lhs, rhs)
    identity("a", lhs, lhs)


def test_a_residue_of_rounding_is_no_counterexample_however_small_the_sides_are():
    n = sp.Symbol("n", integer=True, positive=True)
    nothing = sp.sin(sp.pi * n, evaluate=False)
    root = sp.sqrt(5 + 2 * sp.sqrt(6)) - sp.sqrt(2) - sp.sqrt(3)  # 0: (a + b)^2 = 5 + 2 ab
    for zero in (nothing, root, nothing / 10**20, root / 10**20):
        assert witness(zero, sp.Integer(0)) is None
    assert witness(0.1 * x + 0.2 * x - 0.3 * x, sp.Integer(0)) is None  # floats: 5.6e-17 x


# --- finite differences --------------------------------------------------------------------------


@pytest.mark.parametrize("scale", SCALES)
def test_the_slope_of_large_and_small_functions(scale):
    found = finite_differences(lambda q: scale * np.sin(q), 0.3)
    assert found / scale == pytest.approx(math.cos(0.3), rel=1e-10)


@pytest.mark.parametrize("scale", [1e6, 1e100, 1e-100])
def test_a_step_of_the_size_of_theta_is_as_good_as_near_1(scale):
    found = finite_differences(lambda q: np.sin(q / scale), 0.3 * scale, step=1e-3 * scale)
    assert found * scale == pytest.approx(math.cos(0.3), rel=1e-10)


BREAKS = {
    "a step lost in theta": (
        lambda: finite_differences(np.sum, [0.0, 1e20]),
        r"step 0.001 is lost in the rounding of theta\[1\] = 1e\+20; enlarge it",
    ),
    "a step half lost": (lambda: finite_differences(np.sum, 1e9), "is lost in the rounding of th"),
    "a step beyond the floats": (
        lambda: finite_differences(np.sum, [1e308], step=1e308),
        r"step is too large: theta\[0\] \+- 1e\+308 is not finite",
    ),
    "values below the normal floats": (
        lambda: finite_differences(lambda q: 1e-310 * q, 1.0),
        "f is too small to be told from its rounding, 1e-310",
    ),
    "a slope beyond the floats": (
        lambda: finite_differences(lambda q: LARGEST * np.sign(q), 0.0),
        "f is not finite beside theta, or its slope is not",
    ),
    "nan at one place": (
        lambda: finite_differences(lambda q: math.nan if q[1] < 0 else q, [0.5, 0.0]),
        "f is not finite beside theta",
    ),
    "no step": (lambda: finite_differences(np.sum, [1.0], step=0), "step must be above 0 and fin"),
    "a step back": (lambda: finite_differences(np.sum, [1.0], step=-1), "step must be above 0"),
    "theta without entries": (lambda: finite_differences(np.sum, []), "theta is empty"),
    "theta not finite": (lambda: finite_differences(np.sum, [math.inf]), "theta must be finite"),
    "other shapes": (
        lambda: finite_differences(lambda q: q[q > 0.9995], [1.0, 1.0]),
        r"f must keep the shape of its values; it gives \(2,\), then \(1,\)",
    ),
}


@pytest.mark.parametrize(("call", "says"), BREAKS.values(), ids=BREAKS)
def test_where_a_slope_has_no_meaning_it_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_function_may_change_the_array_that_it_is_given():
    def double_in_place(q):
        q *= 2
        return q.sum()

    theta = np.array([0.3, 0.7])
    np.testing.assert_allclose(finite_differences(double_in_place, theta), [2, 2], rtol=1e-11)
    np.testing.assert_array_equal(theta, [0.3, 0.7])


def test_a_function_may_give_the_same_array_each_time():
    out = np.empty(1)

    def overwritten(q):
        out[0] = 3 * q
        return out

    assert finite_differences(overwritten, 0.5) == pytest.approx(3.0, rel=1e-11)


# --- the rate ------------------------------------------------------------------------------------


def test_another_seed_may_be_refused_where_one_was_not():
    # a coin of chance 0.05, 8,440 tosses: cosh(4.13 24^1.5 / (3 sqrt(m))) is 3 there
    refused = []
    for seed in range(40):
        coin = np.random.default_rng(seed).random(8_440) < 0.05
        try:
            unbiased("a", coin, 0.05)
        except TooFewSamples:
            refused.append(True)
        else:
            refused.append(False)
    assert any(refused) and not all(refused)
