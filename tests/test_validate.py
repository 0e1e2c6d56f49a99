"""What every door of the package asks: a right answer, or an error that names the argument."""

from fractions import Fraction
from re import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policygrad.validate import (
    SUM_TOLERANCE,
    probability_array,
    real_array,
    require_between,
    require_callable,
    require_count,
    require_discount,
    require_flag,
    require_generator,
    require_instance,
    require_one_of,
    require_policy,
    whole_array,
)
from random_worlds import examples

NAN, INF = float("nan"), float("inf")


class Foreign:
    """An array of another library: all that is known of it is how to make a NumPy array of it."""

    def __init__(self, array=None, error=None):
        self.array, self.error = array, error

    def __array__(self, dtype=None, copy=None):
        if self.error:
            raise self.error
        return np.array(self.array, dtype)


# --- arrays --------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", [real_array, probability_array])
@pytest.mark.parametrize("dtype", [int, np.float16, np.float32, float, np.longdouble])
def test_what_is_read_is_a_copy_in_floats(door, dtype):
    value = np.eye(3, dtype=dtype)
    array = door("x", value)
    array[0] = 7
    assert array.dtype == float and (value == np.eye(3)).all()


def test_an_array_of_another_library_is_read_and_its_own_refusal_is_passed_on():
    np.testing.assert_array_equal(real_array("x", Foreign([1, 2])), [1, 2])
    grad = Foreign(error=RuntimeError("it requires grad"))
    with pytest.raises(TypeError, match=r"x must be an array of numbers; .* it requires grad"):
        real_array("x", grad)


MASKED = np.ma.masked_array([0.25, 0.75], [False, True])
NO_NUMBERS = {
    "masked": (MASKED, TypeError, "x must not be a masked array"),
    "masked, nothing hidden": (np.ma.masked_array([1.0]), TypeError, "must not be a masked array"),
    "a list of masked": ([MASKED, MASKED], TypeError, "x must not be a masked array"),
    "masked two lists down": ([([0.5, 0.5], MASKED)], TypeError, "x must not be a masked array"),
    "complex": ([1j], TypeError, "x must hold real numbers; it holds complex128"),
    "complex without imaginary part": ([1 + 0j], TypeError, "it holds complex128"),
    "booleans": ([True], TypeError, "x must hold real numbers; it holds bool"),
    "strings": (["1.0"], TypeError, "x must hold real numbers; it holds <U3"),
    "objects": (np.array([1.0], object), TypeError, "x must hold real numbers; it holds object"),
    "too large an integer": ([10**400], TypeError, "x must hold real numbers; it holds object"),
    "None": (None, TypeError, "x must hold real numbers; it is None"),
    "None inside": ([1.0, None], TypeError, "x must hold real numbers; it holds object"),
    "a date": (np.array(["2026-01-01"], "M8[D]"), TypeError, "it holds datetime64"),
    "a dictionary": ({0: 1.0}, TypeError, "x must hold real numbers; it holds object"),
    "a function": (len, TypeError, "x must hold real numbers; it holds object"),
    "ragged": ([[1], [1, 2]], ValueError, "x must be a rectangular array of numbers; its rows"),
    "nan": ([[0, NAN]], ValueError, "x[0, 1] must be finite; it is nan"),
    "-inf": ([-INF], ValueError, "x[0] must be finite; it is -inf"),
    "beyond float64": (
        np.array([1, np.finfo(np.longdouble).max]),
        ValueError,
        "x[1] must be finite; it is inf",
    ),
}
if np.finfo(np.longdouble).max == np.finfo(float).max:  # where long double is double
    del NO_NUMBERS["beyond float64"]


@pytest.mark.parametrize("door", [real_array, probability_array])
@pytest.mark.parametrize(("value", "error", "words"), NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_holds_no_numbers_is_refused_by_name(door, value, error, words):
    with pytest.raises(error, match=escape(words)):
        door("x", value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (MASKED, "x must not be a masked array"),
        ([0.0, 1.0], "x must hold integers; it holds float64"),
        ([True], "x must hold integers; it holds bool"),
        (["a"], "x must hold integers; it holds <U1"),
        ([], "x must hold integers; it holds float64"),
    ],
)
def test_what_holds_no_integers_is_refused_by_name(value, words):
    with pytest.raises(TypeError, match=escape(words)):
        whole_array("x", value)


@pytest.mark.parametrize("door", [real_array, probability_array, whole_array])
def test_another_shape_is_refused_with_both_shapes(door):
    words = "x must have shape (O, A) = (2, 3); it has (3, 2)"
    with pytest.raises(ValueError, match=escape(words)):
        door("x", np.ones((3, 2), int), (2, 3), "(O, A)")


def test_no_probability_is_a_little_below_zero():
    for pi in ([[1 + 1e-12, -1e-12]], [[1.0, -5e-324]]):  # the rows sum to 1
        with pytest.raises(ValueError, match=escape("pi[0, 1] must be a probability; it is -")):
            require_policy(pi, 1, 2)
    assert (require_policy([[1.0, -0.0]], 1, 2) == [[1.0, 0.0]]).all()


def test_no_probabilities_at_all_are_refused():
    for value in ([], 1.0, np.ones((0, 2)), np.ones((2, 0))):
        with pytest.raises(ValueError, match="x must hold probabilities; it has shape"):
            probability_array("x", value)


# --- float32 and its rounding --------------------------------------------------------------------


def softmax_in(dtype, logits):
    weights = np.exp(logits.astype(dtype) - logits.max(axis=-1, keepdims=True).astype(dtype))
    return weights / weights.sum(axis=-1, keepdims=True, dtype=dtype)


@examples(60)
@given(
    dtype=st.sampled_from([np.float16, np.float32]),
    n=st.integers(1, 400),
    scale=st.sampled_from([0.1, 1.0, 5.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_softmax_in_a_coarser_type_is_welcome_and_comes_out_summing_to_one(dtype, n, scale, seed):
    logits = scale * np.random.default_rng(seed).normal(size=(3, n))
    given_pi = softmax_in(dtype, logits)
    pi = require_policy(given_pi, 3, n)
    assert pi.dtype == float
    np.testing.assert_allclose(pi.sum(axis=1), 1.0, rtol=0, atol=4e-16 * n)
    # divided by a sum that the type's rounding kept from 1, and otherwise what came in
    np.testing.assert_allclose(
        pi, given_pi.astype(float), rtol=2 * np.sqrt(n) * float(np.finfo(dtype).eps) * 1.001, atol=0
    )


def test_a_third_in_float32_becomes_a_third_of_one():
    # three times float32(1/3) = 1 + 3e-8; by symmetry each is a third of the sum
    pi = probability_array("pi", np.full(3, 1 / 3, np.float32))
    assert (pi == 1 / 3).all() and np.full(3, 1 / 3, np.float32).astype(float).sum() != 1.0


@pytest.mark.parametrize(("dtype", "miss"), [(np.float32, 4e-7), (np.float16, 3e-3)])
def test_a_row_that_misses_one_by_more_than_its_rounding_is_refused(dtype, miss):
    # 2 sqrt(2) eps is 3.4e-7 in float32, 2.8e-3 in float16
    row = np.array([0.5, 0.5 + miss], dtype)
    with pytest.raises(ValueError, match=r"pi must sum to 1; it sums to 1\.00"):
        probability_array("pi", row)


def test_in_float64_only_its_own_rounding_is_excused_and_nothing_is_changed():
    row = np.array([0.5, 0.5 + 0.9 * SUM_TOLERANCE])
    np.testing.assert_array_equal(probability_array("pi", row), row)
    once_float32 = np.full(3, 1 / 3, np.float32).astype(float)
    with pytest.raises(ValueError, match="float32 once, hand over the float32 array itself"):
        probability_array("pi", once_float32)


# --- single values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (0, ValueError, "n must be at least 1, at most 9; it is 0"),
        (10, ValueError, "n must be at least 1, at most 9; it is 10"),
        (2.0, TypeError, "n must be a whole number; it is 2.0"),
        (True, TypeError, "n must be a whole number; it is True"),
        (None, TypeError, "n must be a whole number; it is None"),
    ],
)
def test_what_is_no_count_is_refused(value, error, words):
    with pytest.raises(error, match=escape(words)):
        require_count("n", value, 1, 9)


def test_a_count_a_discount_a_number_and_a_generator_are_let_through():
    counts = [require_count("n", n, 1, 9) for n in (1, np.uint8(9))]
    assert counts == [1, 9] and {type(n) for n in counts} == {int}
    assert require_count("n", 10**30) == 10**30
    assert [require_discount(gamma) for gamma in (0, Fraction(1, 2), 1)] == [0.0, 0.5, 1.0]
    assert [require_between("x", x, -1, 2) for x in (-1, Fraction(1, 2), 2)] == [-1.0, 0.5, 2.0]
    assert require_generator(np.random.default_rng()) is None


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (2.5, ValueError, "x must lie in [-1, 2]; it is 2.5"),
        (-1.5, ValueError, "x must lie in [-1, 2]; it is -1.5"),
        (float("nan"), ValueError, "x must lie in [-1, 2]; it is nan"),
        (1j, TypeError, "x must be a number in [-1, 2]; it is 1j"),
        (False, TypeError, "x must be a number in [-1, 2]; it is False"),
    ],
)
def test_what_does_not_lie_between_is_refused(value, error, words):
    with pytest.raises(error, match=escape(words)):
        require_between("x", value, -1, 2)


@pytest.mark.parametrize("value", ["no", "yes", 0, 1, None, [], np.array([True])])
def test_what_only_counts_as_true_or_false_is_no_flag(value):
    with pytest.raises(TypeError, match="cut must be True or False; it is "):
        require_flag("cut", value)


def test_a_flag_may_be_of_numpy():
    assert require_flag("cut", np.bool_(False)) is False and require_flag("cut", True) is True


def test_a_word_that_is_no_choice_is_refused_with_the_choices():
    assert require_one_of("way", "up", ("up", "down")) == "up"
    for value in ("left", None, 3, ["up"], np.array(["up", "down"])):
        with pytest.raises(ValueError, match="way must be one of up, down; it is "):
            require_one_of("way", value, ("up", "down"))


def test_what_is_no_function_is_refused():
    assert require_callable("f", len, "a function of x") is len
    with pytest.raises(TypeError, match="f must be a function of x; it is 'up'"):
        require_callable("f", "up", "a function of x")


def test_swapped_arguments_are_told_apart_by_their_class():
    require_instance("rng", np.random.default_rng(0), np.random.Generator)
    words = "rng must be a Generator; it is of type ndarray. Are the arguments in the right order?"
    with pytest.raises(TypeError, match=escape(words)):
        require_instance("rng", np.ones(3), np.random.Generator)


def test_what_is_no_generator_is_refused():
    for value in (0, None, np.random, np.random.RandomState(0)):
        with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator; it is "):
            require_generator(value)


def test_a_long_value_is_named_by_its_type():
    with pytest.raises(TypeError, match="n must be a whole number; it is of type ndarray"):
        require_count("n", np.ones((9, 9)))
