r"""Generalised advantage estimation: TD errors, added up with weights that decay.

    delta_t = r_t + gamma V_{t+1} - V_t,      A_t = delta_t + gamma lam A_{t+1}
                                                  = sum_k (gamma lam)^k delta_{t+k}

lam = 0 leaves the TD error alone.  With lam = 1 the values in between cancel, and what is left is
the return from t on, with the last value in place of what comes after, minus V_t.

Where the values are those of the policy, V_t = V_t(s_t), delta_t has mean A_t(s_t, a_t) given s_t
and a_t, and each delta after it mean 0: the estimate has no bias, whatever lam.  With other values
it has none only for lam = 1 and a last value that is right, and then for the policy gradient, in
which V_t is a baseline.

Source: Schulman, Moritz, Levine, Jordan & Abbeel (2016), equations 11, 12 and 16.
"""

from __future__ import annotations

import numpy as np

from ..validate import real_array, rectangular, require_between, require_discount
from .doors import require_finite_entries

__all__ = ["gae"]


def gae(rewards, values, gamma: float, lam: float, *, ends=None) -> np.ndarray:
    """Estimate the advantage of each step: A_t = delta_t + gamma lam A_{t+1}, A_H = 0.

    Parameters
    ----------
    rewards : (..., H) of H steps in a row.
    values : (..., H + 1) a critic's value of the state before each step, and of the last state.
    gamma : discount in [0, 1].
    lam : lambda, in [0, 1].
    ends : (..., H) booleans, True where the episode ended with that step; default: nowhere.
        There the next value counts as 0 and the sum stops, so that the entries of ``values`` and
        ``rewards`` behind it have no bearing on what came before.

    Returns
    -------
    (..., H) array.

    Notes
    -----
    An end and a cut are two things.  After an end nothing is earned.  After a *cut*, by a limit of
    time or because the batch was full, the episode would have gone on: the sum stops there too, but
    the next value counts.  At the end of a row a cut is what happens without a mark: the last entry
    of ``values`` counts.  For a cut in a row that goes on with another episode, mark it in ``ends``
    and add gamma V(s') to its reward, s' the state in which it was cut, since the next entry of
    ``values`` is of the other episode.

    Trajectories of several lengths need no marks: their rewards are 0 behind the end, and where
    the values are 0 there too, so are the advantages, and nothing runs over.

    Raises
    ------
    ValueError, TypeError
        naming the argument or the entry that is wrong, or the entry whose advantage is beyond the
        largest float.

    Source: Schulman et al. (2016), equation 16; Pardo et al. (2018) for the limits of time.
    """
    rewards, values = real_array("rewards", rewards), real_array("values", values)
    gamma, lam = require_discount(gamma), require_between("lam", lam, 0.0, 1.0)
    if not rewards.ndim:
        raise ValueError("rewards must have shape (..., H); it is one number")
    H = rewards.shape[-1]
    if values.shape != (*rewards.shape[:-1], H + 1):
        raise ValueError(
            f"values must be one longer than rewards, (..., H + 1) = "
            f"{(*rewards.shape[:-1], H + 1)}; it has {values.shape}"
        )
    goes_on = ~_marks(ends, rewards.shape)
    A = np.zeros(values.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        delta = rewards + gamma * goes_on * values[..., 1:] - values[..., :-1]
        for t in reversed(range(H)):
            A[..., t] = delta[..., t] + gamma * lam * goes_on[..., t] * A[..., t + 1]
    require_finite_entries("rewards or values are too large: the advantage", A)
    return A[..., :-1]


def _marks(ends, shape) -> np.ndarray:
    if ends is None:
        return np.zeros(shape, bool)
    ends = rectangular("ends", ends)
    if ends.dtype.kind != "b" or ends.shape != shape:
        raise (TypeError if ends.dtype.kind != "b" else ValueError)(
            f"ends must hold True or False for each of the rewards, {shape}; "
            f"it holds {ends.dtype} and has shape {ends.shape}"
        )
    return ends
