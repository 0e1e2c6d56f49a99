"""What comes into a check: labels, numbers, arrays; or an error that names the argument.

Truth values are read as 0 and 1: the rows of an indicator are samples, and their mean is a
probability.  Entries of other kinds count if each is one real number, as SymPy's and fractions are.
What loses something by becoming floats is refused: masked arrays, complex numbers, strings,
symbols, whole numbers beyond the largest float.
"""

from __future__ import annotations

from numbers import Real

import numpy as np

from .. import validate
from ..validate import shown

__all__ = [
    "real_array",
    "rectangular",
    "require_label",
    "require_number",
    "require_scale",
    "require_where",
    "shown",
]


def require_label(label, name: str = "the first argument") -> None:
    """Refuse a label that is not words.

    Raises
    ------
    TypeError
        saying what it is instead.
    """
    if not isinstance(label, str) or not label.strip():
        raise TypeError(f"{name} must be a label in words; it is {shown(label)}")


def require_where(label: str, where) -> None:
    """Refuse a case that is not named in words; an empty one names none.

    Raises
    ------
    TypeError
        saying what it is instead.
    """
    if not isinstance(where, str):
        raise TypeError(f"{label}: where must name the case in words; it is {shown(where)}")


def require_number(label: str, name: str, value) -> float:
    """Refuse what is no real number.

    Raises
    ------
    TypeError
        naming the argument and saying what it is instead.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real):
        raise TypeError(f"{_of(label)}{name} must be a number; it is {shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{_of(label)}{name} is too large for a float") from None


def require_scale(label: str, scale) -> np.ndarray:
    """Read the sizes of the terms of which something is a difference; none at all for None.

    Raises
    ------
    ValueError, TypeError
        if one is no real number, not finite or negative, or none is above 0.
    """
    if scale is None:
        return np.zeros(0)
    if isinstance(scale, (bool, np.bool_)):
        raise TypeError(f"{_of(label)}scale must be a number; it is {shown(scale)}")
    sizes = real_array(label, "scale", scale)
    if not (np.isfinite(sizes).all() and (sizes >= 0).all() and sizes.any()):
        raise ValueError(
            f"{_of(label)}scale must be the size of the terms, finite and above 0; "
            f"it is {shown(scale)}"
        )
    return sizes


def rectangular(label: str, name: str, value) -> np.ndarray:
    """Read a value as an array, of whatever type, without a copy where there is one.

    Raises
    ------
    ValueError, TypeError
        naming the argument, if its rows differ in length, it is masked, or it cannot be read.
    """
    return validate.rectangular(f"{_of(label)}{name}", value, copy=False)


def real_array(label: str, name: str, value) -> np.ndarray:
    """Read a value as an array of floats, without a copy where it is one.

    Raises
    ------
    ValueError, TypeError
        naming the argument, and the entry that is no real number.
    """
    array = rectangular(label, name, value)
    if array.dtype.kind == "O":
        return _entry_by_entry(label, name, array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{_of(label)}{name} must hold real numbers; it holds {array.dtype}")
    with np.errstate(over="ignore"):  # of a wider type than float64: infinite, and judged as such
        return array.astype(float, copy=False)


def _entry_by_entry(label: str, name: str, array: np.ndarray) -> np.ndarray:
    out = np.empty(array.shape)
    for place in np.ndindex(*array.shape):
        entry = array[place]
        at = f"[{', '.join(map(str, place))}]" if place else ""
        try:
            if isinstance(entry, (str, bytes, np.ndarray)):
                raise TypeError
            out[place] = float(entry)
        except OverflowError:
            raise ValueError(f"{_of(label)}{name}{at} is too large for a float") from None
        except (TypeError, ValueError):
            raise TypeError(
                f"{_of(label)}{name} must hold real numbers; {name}{at} is {shown(entry)}"
            ) from None
    return out


def _of(label: str) -> str:
    return f"{label}: " if label else ""
