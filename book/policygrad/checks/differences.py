"""``finite_differences``: the slope of a function by nudging its argument, with no theory at all.

An oracle for gradients: it shares nothing with the rules of calculus that it is compared to.
"""

from __future__ import annotations

import math

import numpy as np

from .inputs import real_array, rectangular, require_number, shown

__all__ = ["finite_differences"]

LOST = 1e-6  # of a nudge: where theta's rounding takes more of it, it is not what it seems
TINY = float(np.finfo(float).tiny)  # below it floats have ever fewer digits


def finite_differences(f, theta, step: float = 1e-3) -> np.ndarray:
    """Differentiate f at theta by nudging each entry, with no theory at all.

    The central difference over +-h, extrapolated to h = 0 from h and h/2 and h/4 (Romberg):
    exact for polynomials of degree six, else off by O(h^6).

    Parameters
    ----------
    f : a function of an array like theta, with a value of any shape.  It gets a copy each time.
    theta : the point.
    step : h, of the size over which f changes little.

    Returns
    -------
    array of the shape of f's value followed by the shape of theta.

    Raises
    ------
    ValueError
        if f is not finite beside theta, does not keep the shape of its values, or is so small that
        they have lost digits; if theta is empty or not finite; if step is not above 0 or is lost in
        the rounding of theta.
    TypeError
        if f is no function or its values are no real numbers; if theta or step are none.
    """
    if not callable(f):
        raise TypeError(f"f must be a function of theta; it is {shown(f)}")
    theta, step = _point(theta), _step(step)
    values = _Values(f)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
        columns = [_slope(values, theta, place, step) for place in np.ndindex(*theta.shape)]
    out = np.stack(columns, axis=-1)
    if not np.isfinite(out).all():
        raise ValueError("f is not finite beside theta, or its slope is not")
    if 0 < values.largest < TINY:
        raise ValueError(
            f"f is too small to be told from its rounding, {values.largest:.2g}; multiply it"
        )
    return out.reshape(out.shape[:-1] + theta.shape)


def _slope(values: _Values, theta: np.ndarray, place: tuple, step: float) -> np.ndarray:
    """The derivative by one entry of theta, from three central differences."""
    slopes = []
    for h in (step, step / 2, step / 4):
        up, down = theta.copy(), theta.copy()
        up[place] += h
        down[place] -= h
        _require_nudged(up[place], down[place], theta[place], h, place)
        rise = values(up) - values(down)
        slopes.append(rise / (up[place] - down[place]))
    a, b, c = slopes
    b, c = (4 * b - a) / 3, (4 * c - b) / 3
    return (16 * c - b) / 15


class _Values:
    """A function whose values must be real, finite and of one shape."""

    def __init__(self, f):
        self.f, self.shape, self.largest = f, None, 0.0

    def __call__(self, point: np.ndarray) -> np.ndarray:
        """The value at a copy of the point, as an array that nobody else holds."""
        given = self.f(point.copy())
        if given is None:
            raise TypeError("f must give real numbers; it gives None. Is its return missing?")
        if rectangular("", "the value of f", given).dtype.kind == "b":
            raise TypeError("f must give real numbers; it gives truth values")
        value = real_array("", "the value of f", given).copy()
        if not np.isfinite(value).all():
            raise ValueError("f is not finite beside theta")
        if self.shape is None:
            self.shape = value.shape
        if value.shape != self.shape:
            raise ValueError(
                f"f must keep the shape of its values; it gives {self.shape}, then {value.shape}"
            )
        self.largest = max(self.largest, float(np.abs(value).max(initial=0.0)))
        return value


def _point(theta) -> np.ndarray:
    given = rectangular("", "theta", theta)
    if given.dtype.kind == "b":
        raise TypeError("theta must hold real numbers; it holds truth values")
    theta = real_array("", "theta", given)
    if not theta.size:
        raise ValueError("theta is empty: there is nothing to differentiate by")
    if not np.isfinite(theta).all():
        raise ValueError("theta must be finite; it holds NaN or infinity")
    return theta


def _step(step) -> float:
    step = require_number("", "step", step)
    if not 0 < step < math.inf:
        raise ValueError(f"step must be above 0 and finite; it is {step:g}")
    return step


def _require_nudged(up: float, down: float, theta: float, h: float, place: tuple) -> None:
    """Refuse nudges of which the rounding of theta leaves too little, or that leave the floats."""
    name = f"theta[{', '.join(map(str, place))}]" if place else "theta"
    if not (math.isfinite(up) and math.isfinite(down)):
        raise ValueError(f"step is too large: {name} +- {h:g} is not finite")
    if not max(abs((up - theta) - h), abs((theta - down) - h)) <= LOST * h:
        raise ValueError(f"step {h:g} is lost in the rounding of {name} = {theta:g}; enlarge it")
