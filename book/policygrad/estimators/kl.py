r"""Three estimates of KL(pi || pi_ref) from what pi drew.

With l = log pi_ref(a|s) - log pi(a|s) of an action, or of a whole answer, drawn from pi:

    k1 = -l                mean KL, of either sign
    k2 = l^2 / 2           never negative, mean KL only nearly: the first term of a series
    k3 = exp(l) - 1 - l    never negative, mean KL

The mean of exp(l) under pi is 1, if pi gives some probability wherever pi_ref does; without that k3
has another mean.  All three are estimates of a number.  What their *slopes* have for a mean is
another question.

Source: Schulman (2020), "Approximating KL divergence".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..validate import real_array
from .doors import require_finite_entries

TERMS = 20  # of the series of exp: the next is below the rounding of the first, for |l| < 1

__all__ = ["KLEstimates", "kl_estimates"]


class KLEstimates(NamedTuple):
    """The three estimates, each of the shape of the logarithms that they were made of."""

    k1: np.ndarray
    k2: np.ndarray
    k3: np.ndarray


def kl_estimates(log_ratio) -> KLEstimates:
    """Estimate KL(pi || pi_ref) from each sample of pi: k1 = -l, k2 = l^2/2, k3 = exp(l) - 1 - l.

    Parameters
    ----------
    log_ratio : l = log pi_ref - log pi of what was *drawn from pi*, of any shape.  Mind the sign:
        the reference comes first.

    Returns
    -------
    ``k1``, ``k2``, ``k3``, each of the shape of ``log_ratio``; k3 is exact to rounding near 0 too.

    Raises
    ------
    ValueError, TypeError
        naming the entry that is NaN or infinite, or the one whose estimate is beyond the largest
        float.
    """
    l = real_array("log_ratio", log_ratio)
    with np.errstate(over="ignore"):
        estimates = KLEstimates(-l[()], (l**2 / 2)[()], _exp_minus_tangent(l)[()])
    for name, estimate in zip(KLEstimates._fields, estimates, strict=True):
        require_finite_entries(f"log_ratio is too large: {name}", np.asarray(estimate))
    return estimates


def _exp_minus_tangent(l: np.ndarray) -> np.ndarray:
    """exp(l) - 1 - l; near 0, where the difference cancels, by l^2/2 (1 + l/3 (1 + l/4 (...)))."""
    near, series = np.clip(l, -1.0, 1.0), np.ones_like(l)
    for n in range(TERMS, 2, -1):
        series = 1.0 + near / n * series
    return np.where(np.abs(l) < 1.0, near**2 / 2 * series, np.expm1(l) - l)
