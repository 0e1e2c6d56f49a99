"""The softmax policy, its score, and greedy policies: closed forms, extremes, what is refused."""

from re import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from policygrad.policies import greedy_policy, score, softmax_policy
from random_worlds import examples, slope

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 4))
LOGITS = arrays(float, SHAPES, elements=st.floats(-20, 20))


# --- probabilities -------------------------------------------------------------------------------


@examples(60)
@given(theta=arrays(float, SHAPES, elements=st.floats(-1e4, 1e4)))
def test_each_row_is_a_distribution_however_large_the_logits(theta):
    pi = softmax_policy(theta)
    assert pi.shape == theta.shape and (pi >= 0).all()
    np.testing.assert_allclose(pi.sum(axis=1), 1.0, rtol=0, atol=1e-15)


@examples(60)
@given(theta=LOGITS)
def test_the_odds_of_two_actions_are_exp_of_the_difference_of_their_logits(theta):
    # pi(a)/pi(b) = exp(theta_a - theta_b): with the rows' sums of 1 that defines the softmax
    pi = softmax_policy(theta)
    odds = pi[:, :, None] / pi[:, None, :]
    np.testing.assert_allclose(odds, np.exp(theta[:, :, None] - theta[:, None, :]), rtol=1e-12)


def test_two_actions_give_the_logistic_function():
    # exp(x) / (1 + exp(x)) at x = log 3 is 3/4; the second row has x = log(1/4), so 1/5
    theta = [[0.0, np.log(3)], [np.log(4), 0.0]]
    np.testing.assert_allclose(softmax_policy(theta), [[1 / 4, 3 / 4], [4 / 5, 1 / 5]], rtol=1e-15)


def test_equal_logits_give_equal_chances():
    np.testing.assert_array_equal(softmax_policy(np.full((2, 4), -7)), np.full((2, 4), 0.25))


def test_an_only_action_is_certain():
    np.testing.assert_array_equal(softmax_policy([[-5.0], [1e4]]), [[1.0], [1.0]])


@pytest.mark.parametrize("size", [1e3, 1e4, 1e300])
def test_huge_logits_give_a_certain_choice_and_no_overflow(size):
    # exp(-1000) is below the smallest double: exactly 0
    np.testing.assert_array_equal(
        softmax_policy([[size, 0.0], [0.0, -size]]), [[1.0, 0.0], [1.0, 0.0]]
    )


def test_logits_further_apart_than_the_largest_float_are_finite_logits_too():
    # the docstring promises finite logits "of any size"; the difference, -2e308, overflows
    np.testing.assert_array_equal(softmax_policy([[1e308, -1e308]]), [[1.0, 0.0]])


@examples(60)
@given(theta=LOGITS, shift=st.floats(-1e3, 1e3), data=st.data())
def test_adding_a_number_to_one_row_changes_nothing(theta, shift, data):
    row = data.draw(st.integers(0, len(theta) - 1))
    moved = theta.copy()
    moved[row] += shift
    # the shifted logits are rounded: at most 1020 * 2^-53 = 1.1e-13 each
    np.testing.assert_allclose(softmax_policy(moved), softmax_policy(theta), rtol=1e-12)
    np.testing.assert_allclose(score(moved), score(theta), rtol=0, atol=1e-12)


@examples(30)
@given(theta=LOGITS, seed=st.integers(0, 2**32 - 1))
def test_renaming_percepts_and_actions_renames_the_probabilities(theta, seed):
    rng = np.random.default_rng(seed)
    rows, columns = (rng.permutation(n) for n in theta.shape)
    np.testing.assert_allclose(
        softmax_policy(theta[rows][:, columns]), softmax_policy(theta)[rows][:, columns], rtol=1e-13
    )


def test_the_logits_given_are_left_alone():
    theta = np.array([[1.0, 2.0]])
    pi, _ = softmax_policy(theta), score(theta)
    pi[:] = 9.0
    np.testing.assert_array_equal(theta, [[1.0, 2.0]])


def test_whole_numbers_and_half_precision_are_logits_too():
    expected = softmax_policy([[0.0, 3.0]])
    assert expected.dtype == softmax_policy(np.array([[0, 3]], np.float16)).dtype == float
    np.testing.assert_array_equal(softmax_policy([[0, 3]]), expected)
    np.testing.assert_array_equal(softmax_policy(np.array([[0, 3]], np.float16)), expected)


# --- the score -----------------------------------------------------------------------------------


@examples(40)
@given(theta=arrays(float, SHAPES, elements=st.floats(-3, 3)))
def test_the_score_is_the_slope_of_the_log_probability(theta):
    by_differences = np.moveaxis(slope(lambda x: np.log(softmax_policy(x)), theta), (2, 3), (0, 1))
    # error of the differences: h^4/30 times a fifth derivative of order 1, and rounding / h
    np.testing.assert_allclose(score(theta), by_differences, rtol=0, atol=1e-11)


def test_the_score_of_two_actions_by_hand():
    # pi = (1/4, 3/4): grad log pi(0) = (1 - 1/4, -3/4), grad log pi(1) = (-1/4, 1 - 3/4)
    np.testing.assert_allclose(
        score([[0.0, np.log(3)]])[0, :, 0, :], [[0.75, -0.75], [-0.25, 0.25]], rtol=1e-15
    )


@examples(40)
@given(theta=LOGITS)
def test_the_score_sums_to_zero_over_the_logits_of_a_row(theta):
    np.testing.assert_allclose(score(theta).sum(axis=3), 0.0, atol=1e-14)


@examples(40)
@given(theta=LOGITS)
def test_the_score_has_mean_zero_under_its_own_policy(theta):
    mean = np.einsum("oa,oapb->opb", softmax_policy(theta), score(theta))
    np.testing.assert_allclose(mean, 0.0, atol=1e-14)


@examples(40)
@given(theta=LOGITS)
def test_one_percepts_logits_do_not_move_anothers_actions(theta):
    O = len(theta)
    scores = score(theta)
    assert scores.shape == theta.shape * 2
    for o in range(O):
        for other in set(range(O)) - {o}:
            assert not scores[o, :, other].any()


def test_the_score_of_an_action_that_is_never_taken_is_finite():
    # pi = (1, 0): grad log pi(1) = (-1, 1), though log pi(1) is -inf
    np.testing.assert_array_equal(score([[1e4, -1e4]])[0, :, 0, :], [[0, 0], [-1, 1]])


# --- greedy policies of a table ------------------------------------------------------------------

TABLES = arrays(float, SHAPES, elements=st.integers(-2, 2).map(float))  # ties are common
EPSILONS = st.floats(0, 1)


def test_the_largest_entry_is_taken_for_certain():
    np.testing.assert_array_equal(greedy_policy([[-4, -2, -3], [1, 0, 0]]), [[0, 1, 0], [1, 0, 0]])


def test_epsilon_is_shared_by_all_actions():
    # 0.3 / 3 = 0.1 each, and 0.7 more for the largest
    np.testing.assert_allclose(greedy_policy([[0, 5, 1]], 0.3), [[0.1, 0.8, 0.1]], rtol=1e-15)


def test_what_is_larger_by_any_amount_does_not_tie():
    # a tie is equality of two numbers, not their likeness: the update that sets an entry apart by
    # 1e-9 has set it apart, and q_learning compares in the same way
    np.testing.assert_array_equal(greedy_policy([[0.0, -1e-9]]), [[1.0, 0.0]])
    np.testing.assert_array_equal(greedy_policy([[1.0, np.nextafter(1.0, 2)]]), [[0.0, 1.0]])


def test_entries_that_tie_for_the_largest_share_evenly():
    # 0.4 / 4 = 0.1 each; the other 0.6 in three
    expected = [[0.3, 0.1, 0.3, 0.3]]
    np.testing.assert_allclose(greedy_policy([[7, 6, 7, 7]], 0.4), expected, rtol=1e-15)


@examples(60)
@given(Q=TABLES, epsilon=EPSILONS)
def test_each_row_of_a_greedy_policy_is_a_distribution(Q, epsilon):
    pi = greedy_policy(Q, epsilon)
    assert pi.shape == Q.shape and (pi >= 0).all()
    np.testing.assert_allclose(pi.sum(axis=1), 1.0, rtol=0, atol=1e-15)


@examples(60)
@given(Q=TABLES, epsilon=EPSILONS)
def test_only_the_largest_entries_get_more_than_their_part_of_epsilon(Q, epsilon):
    # by a walk through the rows; they share 1 - epsilon
    for row, pi in zip(Q, greedy_policy(Q, epsilon), strict=True):
        over = {a: p - epsilon / len(row) for a, p in enumerate(pi)}
        best = [a for a, value in enumerate(row) if value == max(row)]
        for a, more in over.items():
            assert abs(more - (1 - epsilon) / len(best) * (a in best)) < 1e-15


def test_epsilon_one_forgets_the_table():
    np.testing.assert_array_equal(greedy_policy([[9, 0], [0, 9]], 1), np.full((2, 2), 0.5))


@examples(40)
@given(Q=TABLES, epsilon=EPSILONS, gain=st.sampled_from([0.5, 2.0]), shift=st.integers(-9, 9))
def test_a_rising_line_through_the_values_changes_nothing(Q, epsilon, gain, shift):
    np.testing.assert_array_equal(
        greedy_policy(gain * Q + shift, epsilon), greedy_policy(Q, epsilon)
    )


def test_a_softmax_of_values_times_a_large_number_is_greedy():
    # exp(-800) is 0 in double precision, so ties are all that is left
    Q = np.array([[1.0, 2.0, 2.0], [3.0, 0.0, 1.0]])
    np.testing.assert_array_equal(greedy_policy(Q), softmax_policy(800 * Q))


def test_the_table_given_is_left_alone():
    Q = np.array([[1.0, 2.0]])
    greedy_policy(Q, 0.5)[:] = 9.0
    np.testing.assert_array_equal(Q, [[1.0, 2.0]])


# --- what is refused -----------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")
REFUSED = {
    "nan": ([[0.0, 1.0], [NAN, 0.0]], ValueError, "theta[1, 0] must be finite; it is nan"),
    "inf": ([[0.0, INF]], ValueError, "theta[0, 1] must be finite; it is inf"),
    "-inf": ([[-INF, 0.0]], ValueError, "theta[0, 0] must be finite; it is -inf"),
    "one row": ([0.0, 1.0], ValueError, "theta must have shape (O, A) with O, A >= 1; it has (2,)"),
    "a number": (0.0, ValueError, "theta must have shape (O, A) with O, A >= 1; it has ()"),
    "a batch": (np.zeros((2, 2, 2)), ValueError, "it has (2, 2, 2)"),
    "no actions": (np.zeros((2, 0)), ValueError, "it has (2, 0)"),
    "no percepts": (np.zeros((0, 2)), ValueError, "it has (0, 2)"),
    "complex": (
        np.zeros((1, 2), complex),
        TypeError,
        "theta must hold real numbers; it holds complex128",
    ),
    "booleans": ([[True, False]], TypeError, "theta must hold real numbers; it holds bool"),
    "strings": ([["0", "1"]], TypeError, "theta must hold real numbers; it holds <U1"),
    "None": (None, TypeError, "theta must hold real numbers; it is None"),
    "ragged": ([[0.0, 1.0], [0.0]], ValueError, "theta must"),
}


@pytest.mark.parametrize("function", [softmax_policy, score])
@pytest.mark.parametrize(("theta", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_are_no_logits_is_refused_by_name(function, theta, error, words):
    with pytest.raises(error, match=escape(words)):
        function(theta)


@pytest.mark.parametrize(("Q", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_table_is_refused_by_name(Q, error, words):
    with pytest.raises(error, match=escape(words.replace("theta", "Q"))):
        greedy_policy(Q)


@pytest.mark.parametrize(
    ("epsilon", "error", "words"),
    [
        (-0.1, ValueError, "epsilon must lie in [0, 1]; it is -0.1"),
        (1.5, ValueError, "epsilon must lie in [0, 1]; it is 1.5"),
        (NAN, ValueError, "epsilon must lie in [0, 1]; it is nan"),
        ("0", TypeError, "epsilon must be a number in [0, 1]; it is '0'"),
        (True, TypeError, "epsilon must be a number in [0, 1]; it is True"),
        (None, TypeError, "epsilon must be a number in [0, 1]; it is None"),
    ],
)
def test_what_is_no_epsilon_is_refused(epsilon, error, words):
    with pytest.raises(error, match=escape(words)):
        greedy_policy([[0.0, 1.0]], epsilon)


# --- arrays of other libraries -------------------------------------------------------------------


class Tensor:
    """What a library that is not NumPy gives: it can be read as an array, and no more."""

    def __init__(self, values):
        self.values = np.array(values, np.float32)

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype or np.float32)


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int64])
def test_logits_of_a_coarser_type_are_computed_with_in_double_precision(kind):
    theta = np.array([[2, -1, 0], [0, 3, 1]], kind)
    for function in (softmax_policy, score, greedy_policy):
        exact = function(theta.astype(float))
        assert function(theta).dtype == float
        np.testing.assert_array_equal(function(theta), exact)


def test_another_librarys_logits_are_read():
    theta = [[0.3, -1.2], [0.7, 0.1]]
    for function in (softmax_policy, score, greedy_policy):
        np.testing.assert_array_equal(
            function(Tensor(theta)), function(np.array(theta, np.float32))
        )


@pytest.mark.parametrize("function", [softmax_policy, score, greedy_policy])
def test_masked_logits_are_refused(function):
    name = "Q" if function is greedy_policy else "theta"
    with pytest.raises(TypeError, match=escape(f"{name} must not be a masked array")):
        function(np.ma.masked_greater([[0.0, 5.0]], 1.0))
