r"""Which field is the mean update a multiple of, the same multiple wherever it was tried?

At several places k the mean update is m_k, and a candidate has the field f_k.  m = c f fits if one
c serves all places,

    c = sum_k m_k . f_k / sum_k f_k . f_k,       |m - c f| at the level of rounding,

and m = a f + b h likewise, by least squares over all places together.  There are more equations
than coefficients, or nothing is said.

A field is the gradient of something only if its derivatives commute: along two directions u and v,

    d (m . v) along u = d (m . u) along v.

Source: Spivak (1965), Calculus on Manifolds, theorem 4-11, for fields that are gradients.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

STEP = 1e-4  # of the differences, which are then off by some 1e-8
PART = 1e-6  # a smaller share of the whole is none

__all__ = ["Fit", "angle_between", "commute", "fitted", "multiple"]


class Fit(NamedTuple):
    """Coefficients of some fields, and what is left, relative to the mean update's length."""

    coefficients: tuple[float, ...]
    rest: float


def fitted(means: np.ndarray, fields: list[np.ndarray]) -> Fit:
    """Fit the mean updates of all places by the fields, one coefficient each.

    Parameters
    ----------
    means : (K, O, A) at each of K places.
    fields : each of that shape.

    Returns
    -------
    A :class:`Fit`; its rest is infinite where a coefficient is as good as 0, or where there are not
    more equations than coefficients.
    """
    y = means.ravel()
    X = np.array([field.ravel() for field in fields]).T
    size = np.linalg.norm(X, axis=0)
    K, O, A = means.shape
    if not size.all() or K * O * (A - 1) <= len(fields):
        return Fit((0.0,) * len(fields), np.inf)
    found = np.linalg.lstsq(X / size, y, rcond=None)[0]
    norm = np.linalg.norm(y)
    rest = np.linalg.norm(y - X @ (found / size)) / norm
    if (np.abs(found) < PART * norm).any():
        rest = np.inf
    return Fit(tuple(float(c) for c in found / size), float(rest))


def multiple(mean: np.ndarray, field: np.ndarray) -> float:
    """Give the best multiple of a field: m . f / f . f."""
    return float((mean * field).sum() / (field**2).sum())


def angle_between(mean: np.ndarray, field: np.ndarray) -> float:
    """Give the angle in degrees; exact near 0 and 180 too, by the arc tangent of both parts."""
    unit = field / np.linalg.norm(field)
    along = float((mean * unit).sum())
    return float(np.degrees(np.arctan2(np.linalg.norm(mean - along * unit), along)))


def commute(function, theta: np.ndarray, here: np.ndarray, u, v, tolerance: float) -> bool:
    """Do the derivatives of a field commute, along two directions?

    Parameters
    ----------
    function : of logits, gives the field there, (O, A).
    theta : (O, A) where.
    here : (O, A) the field at theta.
    u, v : (O, A) directions.
    tolerance : relative to the derivatives, or to the field, where it is flat: at a fair coin
        all its derivatives may be 0, and then rounding would decide.
    """
    along_u, along_v = _rise(function, theta, u), _rise(function, theta, v)
    size = np.linalg.norm(along_u) * np.linalg.norm(v) + np.linalg.norm(along_v) * np.linalg.norm(u)
    size += np.linalg.norm(here) * np.linalg.norm(u) * np.linalg.norm(v)
    return bool(abs((along_u * v).sum() - (along_v * u).sum()) <= tolerance * size)


def _rise(function, theta, u):
    """The derivative along u, by central differences."""
    return (function(theta + STEP * u) - function(theta - STEP * u)) / (2 * STEP)
