r"""Advantages from a group: each of G answers to one prompt beside the others.

    mean           A_i = R_i - Rbar                        Rbar  = sum_j R_j / G, itself included
    leave-one-out  A_i = R_i - Rbar_{-i}                   Rbar_{-i}, the mean of the others
    standardised   A_i = (R_i - Rbar) / (sigma + epsilon)  sigma, the deviation of the group

The mean of the others does not depend on answer i, so it is a baseline.  Leave-one-out is
G / (G - 1) times the first, for R_i - Rbar_{-i} = (R_i - Rbar) G / (G - 1): the mean of all shrinks
the expected gradient by 1 - 1/G.  sigma depends on answer i as well, and is no constant factor.

Source: Kool, van Hoof & Welling (2019) and Ahmadian et al. (2024) for leave-one-out; Shao et al.
(2024), section 4.1, for the standardised; Liu et al. (2025) for leaving the deviation out.
"""

from __future__ import annotations

import numpy as np

from ..validate import real_array, real_number, require_count, require_one_of
from .doors import require_finite_entries

KINDS = ("mean", "leave-one-out", "standardised")

__all__ = ["KINDS", "group_advantages"]


def group_advantages(rewards, kind: str, *, ddof: int = 0, epsilon: float = 0.0) -> np.ndarray:
    """Compare each reward with those of its group: A_i, of mean 0 over the last axis.

    Where all rewards of a group are equal, each advantage is 0, exactly and also at epsilon = 0:
    such a group says nothing about which answer is better.

    Parameters
    ----------
    rewards : (..., G) what each answer of a group earned; G of at least 2.
    kind : "mean", R_i minus the mean of all G; "leave-one-out", minus the mean of the other G - 1;
        "standardised", minus the mean of all and divided by sigma + epsilon.
    ddof : 0 divides the sum of squares in sigma by G, 1 by G - 1; for "standardised" only.
    epsilon : added to sigma, of at least 0; for "standardised" only.

    Returns
    -------
    (..., G) array.

    Raises
    ------
    ValueError, TypeError
        naming the argument or the entry that is wrong, or the entry beyond the largest float; also
        if ``ddof`` or ``epsilon`` is given for a kind that does not use it.
    """
    R, kind = real_array("rewards", rewards), require_one_of("kind", kind, KINDS)
    ddof, epsilon = require_count("ddof", ddof, 0, 1), real_number("epsilon", epsilon)
    G = R.shape[-1] if R.ndim else 1
    if G < 2:
        raise ValueError(f"rewards must have shape (..., G) with G of at least 2; it has {R.shape}")
    if epsilon < 0:
        raise ValueError(f"epsilon must be at least 0; it is {epsilon:g}")
    for name, given in (("ddof", ddof), ("epsilon", epsilon)):
        if given and kind != "standardised":
            raise ValueError(f'{name} is for kind = "standardised" only; here kind is "{kind}"')
    with np.errstate(over="ignore", invalid="ignore"):
        R = R - R[..., :1]  # no advantage changes, and equal rewards are now exactly 0
        if kind == "mean":
            A = R - R.mean(axis=-1, keepdims=True)
        elif kind == "leave-one-out":
            A = R - (R.sum(axis=-1, keepdims=True) - R) / (G - 1)
        else:
            A = _standardised(R, ddof, epsilon)
    require_finite_entries("rewards are too large: the advantage", A)
    return A


def _standardised(R, ddof, epsilon):
    """(R - Rbar) / (sigma + epsilon), in a unit in which squares stay finite."""
    unit = np.abs(R).max(axis=-1, keepdims=True)
    unit = np.where(unit > 0, unit, 1.0)
    R = R / unit
    sigma = R.std(axis=-1, ddof=ddof, keepdims=True)
    sigma = np.where(sigma > 0, sigma, 1.0)  # then all are equal, and each advantage is 0
    return (R - R.mean(axis=-1, keepdims=True)) / (sigma + epsilon / unit)
