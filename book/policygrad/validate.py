"""What every door of the package asks of what comes in: arrays, probabilities, counts, numbers.

A function that takes something from outside passes it through one of these.  Each gives back the
value in the one form that the package computes with, float64 arrays that nobody else holds,
Python's own numbers; or raises an error that names the argument, and in an array the entry, with
what was expected and what is there instead.  Comparisons are written so that NaN fails.

Nothing is read as what it only resembles.  Masked arrays are refused, since masked entries would
count; so are complex numbers, whose imaginary part would be lost, and objects, booleans and strings
in the place of numbers.

**Probabilities of a coarser type.**  Where an array comes in float32 or float16, its rows miss 1 by
the rounding of that type.  A row of n entries that misses 1 by at most 2 sqrt(n) times the type's
machine epsilon is divided by its sum, in float64; one that misses it by more is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from numbers import Integral, Real

import numpy as np

SUM_TOLERANCE = 1e-10  # a row of probabilities may miss 1 by rounding, not by more

__all__ = [
    "probability_array",
    "real_array",
    "real_number",
    "rectangular",
    "require_between",
    "require_callable",
    "require_count",
    "require_discount",
    "require_flag",
    "require_generator",
    "require_instance",
    "require_one_of",
    "require_policy",
    "shown",
    "whole_array",
]


# --- arrays -------------------------------------------------------------------------------------


def rectangular(name: str, value, *, copy: bool = True) -> np.ndarray:
    """Read a value as an array, of whatever type: a copy, unless ``copy`` is False.

    Raises
    ------
    ValueError, TypeError
        naming the array, if its rows differ in length, it is masked, or nothing can be read off it.
    """
    if _masked(value):
        raise TypeError(
            f"{name} must not be a masked array: its masked entries would count; "
            "fill them in or leave them out first"
        )
    try:
        return np.array(value) if copy else np.asarray(value)
    except ValueError:
        raise ValueError(
            f"{name} must be a rectangular array of numbers; its rows differ"
        ) from None
    except Exception as error:  # another library's array has its own reasons
        raise TypeError(f"{name} must be an array of numbers; reading it failed: {error}") from None


def _masked(value) -> bool:
    parts = value if isinstance(value, (list, tuple)) else ()
    return isinstance(value, np.ma.MaskedArray) or any(_masked(part) for part in parts)


def real_array(
    name: str, value, shape: tuple[int, ...] | None = None, what: str = ""
) -> np.ndarray:
    """Copy a value into an array of finite floats.

    Parameters
    ----------
    name : of the argument.
    value : what is to be read.
    shape : that it must have; default: any.
    what : the shape in letters, for the message, "(O, A)".

    Raises
    ------
    ValueError, TypeError
        naming the array, or the entry that is NaN or infinite.
    """
    return _floats(name, rectangular(name, value), shape, what)


def real_number(name: str, value) -> float:
    """Read one finite real number, also from another library's array that holds just one.

    Raises
    ------
    ValueError, TypeError
        naming the argument.
    """
    return float(real_array(name, value, ()))


def whole_array(
    name: str, value, shape: tuple[int, ...] | None = None, what: str = ""
) -> np.ndarray:
    """Copy a value into an array of integers; arguments as in :func:`real_array`.

    Raises
    ------
    ValueError, TypeError
        naming the array.
    """
    array = rectangular(name, value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers; it holds {array.dtype}")
    _require_shape(name, array, shape, what)
    return array.astype(np.intp, copy=False)


def probability_array(
    name: str, value, shape: tuple[int, ...] | None = None, what: str = ""
) -> np.ndarray:
    """Copy a value into an array of probabilities whose last axis sums to 1.

    Rows of a coarser float type than float64 are brought to sum 1, if only that type's rounding
    keeps them from it.  Arguments as in :func:`real_array`.

    Raises
    ------
    ValueError, TypeError
        naming the entry that is no probability, or the row that does not sum to 1.
    """
    given = rectangular(name, value)
    array = _floats(name, given, shape, what)
    if array.ndim == 0 or not array.size:
        raise ValueError(f"{name} must hold probabilities; it has shape {array.shape}")
    negative = array < 0
    if negative.any():
        bad = np.argwhere(negative)[0]
        raise ValueError(f"{_entry(name, bad)} must be a probability; it is {array[tuple(bad)]:g}")
    totals = array.sum(axis=-1)
    coarse = given.dtype.kind == "f" and given.dtype.itemsize < array.dtype.itemsize
    allowed = SUM_TOLERANCE
    if coarse:
        allowed = max(allowed, 2 * math.sqrt(array.shape[-1]) * float(np.finfo(given.dtype).eps))
    off = ~(np.abs(totals - 1.0) <= allowed)
    if off.any():
        row = tuple(np.argwhere(off)[0])
        hint = ""
        if not coarse and abs(totals[row] - 1.0) < 1e-4:
            hint = (
                "; if these were float32 once, hand over the float32 array itself, or divide each "
                "row by its sum"
            )
        raise ValueError(
            f"{_entry(name, row)} must sum to 1; it sums to {float(totals[row]):.12g}{hint}"
        )
    return array / totals[..., None] if coarse else array


def require_policy(pi, O: int, A: int, *, name: str = "pi") -> np.ndarray:
    """Copy a policy, pi[o, a] = Pr(a given o), into an (O, A) array of probabilities.

    Raises
    ------
    ValueError, TypeError
        naming the entry that is no probability, or the row that does not sum to 1.
    """
    return probability_array(name, pi, (O, A), "(O, A)")


def _floats(name: str, array: np.ndarray, shape, what: str) -> np.ndarray:
    if array.dtype.kind not in "iuf":
        nothing = array.dtype == object and not array.ndim and array.item() is None
        held = "is None" if nothing else f"holds {array.dtype}"
        raise TypeError(f"{name} must hold real numbers; it {held}")
    _require_shape(name, array, shape, what)
    with np.errstate(over="ignore"):  # of a wider type than float64; the next lines name the entry
        array = array.astype(float, copy=False)
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.argwhere(~finite)[0]
        raise ValueError(f"{_entry(name, bad)} must be finite; it is {array[tuple(bad)]}")
    return array


def _require_shape(name: str, array: np.ndarray, shape, what: str) -> None:
    if shape is not None and array.shape != shape:
        if not shape:
            raise ValueError(f"{name} must be one number; it has shape {array.shape}")
        letters = f"{what} = " if what else ""
        raise ValueError(f"{name} must have shape {letters}{shape}; it has {array.shape}")


def _entry(name: str, index) -> str:
    return f"{name}[{', '.join(str(int(i)) for i in index)}]" if len(index) else name


# --- single values ------------------------------------------------------------------------------


def require_discount(gamma) -> float:
    """Refuse what is no discount, a real number in [0, 1].

    Raises
    ------
    ValueError, TypeError
        saying what it is instead.
    """
    return require_between("gamma", gamma, 0.0, 1.0)


def require_between(name: str, value, low: float, high: float) -> float:
    """Refuse what is no real number from ``low`` to ``high``.

    Raises
    ------
    ValueError, TypeError
        naming the number and saying what it is instead.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number in {_interval(low, high)}; it is {shown(value)}")
    if not low <= value <= high:  # also catches nan
        raise ValueError(f"{name} must lie in {_interval(low, high)}; it is {value}")
    return float(value)


def _interval(low: float, high: float) -> str:
    return f"[{low:g}, {high:g}]"


def require_count(name: str, value, low: int = 1, high: int | None = None) -> int:
    """Refuse what is no whole number from ``low`` to ``high``.

    Raises
    ------
    ValueError, TypeError
        naming the count and saying what it is instead.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number; it is {shown(value)}")
    if value < low or (high is not None and value > high):
        most = "" if high is None else f", at most {high}"
        raise ValueError(f"{name} must be at least {low}{most}; it is {value}")
    return int(value)


def require_flag(name: str, value) -> bool:
    """Refuse what is neither True nor False: a word such as "no" would count as True.

    Raises
    ------
    TypeError
        naming the argument and saying what it is instead.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False; it is {shown(value)}")
    return bool(value)


def require_one_of(name: str, value, choices: Iterable[str]) -> str:
    """Refuse a word that is none of those to choose from.

    Raises
    ------
    ValueError
        naming the argument and the choices.
    """
    choices = tuple(choices)
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; it is {shown(value)}")
    return value


def require_callable(name: str, value, what: str) -> Callable:
    """Refuse what cannot be called; ``what`` says what kind of function is meant.

    Raises
    ------
    TypeError
        naming the argument and saying what it is instead.
    """
    if not callable(value):
        raise TypeError(f"{name} must be {what}; it is {shown(value)}")
    return value


def require_instance(name: str, value, kind: type) -> None:
    """Refuse what is not of a class, as where two arguments were swapped.

    Raises
    ------
    TypeError
        naming the argument, the class and what came instead.
    """
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOM" else "a"
        raise TypeError(
            f"{name} must be {article} {kind.__name__}; it is of type {type(value).__name__}. "
            "Are the arguments in the right order?"
        )


def require_generator(rng) -> None:
    """Refuse what is no ``numpy.random.Generator``.

    Raises
    ------
    TypeError
        saying what it is instead.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator; it is {type(rng).__name__}")


def shown(value) -> str:
    """A value as it would be typed, if that is short; else its type."""
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"of type {type(value).__name__}"
