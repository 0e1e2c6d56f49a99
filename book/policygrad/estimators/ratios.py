r"""Ratios of the new policy to the one that drew, and PPO's clip of them.

    w_t = pi_theta(a_t|s_t) / pi_old(a_t|s_t)
    w(tau) = prod_t w_t = P(tau; theta) / P(tau; theta_old)

A mean under the old policy, weighted by w(tau), is a mean under the new one, if the old policy
gives some probability to each action to which the new one does.  Softmax policies give some to all.

PPO climbs the smaller of two stand-ins, so that nothing is gained by moving a ratio away from 1
beyond the clip, in the direction in which the advantage pulls:

    min(w A, clip(w, 1 - epsilon, 1 + epsilon_high) A)

Source: Precup, Sutton & Singh (2000) for the ratios; Schulman et al. (2017), equation 7, for the
clip; Yu et al. (2025) for an upper width of its own.
"""

from __future__ import annotations

import numpy as np

from ..mdp import MDP
from ..trajectories import NO_ACTION, Trajectories
from ..validate import real_array, real_number, require_between, require_instance
from .doors import require_finite_entries, require_steps_of

__all__ = ["clip_objective", "clip_slope", "importance_ratios"]


def importance_ratios(mdp: MDP, theta, theta_old, trajectories: Trajectories) -> np.ndarray:
    """Divide new by old at each step: w_t = pi_theta(a_t|s_t) / pi_old(a_t|s_t).

    ``importance_ratios(...).prod(axis=1)`` is w(tau) of each trajectory, since the ratio is 1 after
    its end.  It is computed as exp of a difference of logarithms, so that a probability too small
    for a float still has its ratio.

    Parameters
    ----------
    mdp : the world that the trajectories were drawn in, for its percepts.
    theta, theta_old : (O, A) logits of the new policy and of the one that drew.  Logits give each
        action some probability, so the ratio exists.
    trajectories : m of them, of at most H steps.

    Returns
    -------
    (m, H) array.

    Raises
    ------
    ValueError, TypeError
        naming the argument that is wrong, a step that the world does not allow, or the entry whose
        ratio is beyond the largest float.
    """
    require_instance("mdp", mdp, MDP)
    require_instance("trajectories", trajectories, Trajectories)
    theta = real_array("theta", theta, (mdp.O, mdp.A), "(O, A)")
    theta_old = real_array("theta_old", theta_old, (mdp.O, mdp.A), "(O, A)")
    require_steps_of(mdp, trajectories, paid=False)
    taken = trajectories.actions != NO_ACTION
    step = mdp.observe[trajectories.states[:, :-1]], np.where(taken, trajectories.actions, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        w = np.exp((_log_softmax(theta) - _log_softmax(theta_old))[step])
    w = np.where(taken, w, 1.0)
    require_finite_entries("theta is too far from theta_old: the ratio", w)
    return w


def clip_objective(ratio, advantage, epsilon: float, epsilon_high: float | None = None):
    """Give what PPO climbs, per step: min(w A, clip(w, 1 - epsilon, 1 + epsilon_high) A).

    Parameters
    ----------
    ratio : w, of at least 0, of any shape.
    advantage : A, of the same shape or of one that is spread over it.
    epsilon : width of the clip below 1, in [0, 1], and above it unless ``epsilon_high`` is given.
    epsilon_high : width above 1, of at least 0.

    Returns
    -------
    Array of the shape of both; a float for two numbers.

    Raises
    ------
    ValueError, TypeError
        naming the argument or the entry that is wrong, or the entry beyond the largest float.

    Source: Schulman et al. (2017), equation 7.
    """
    w, A, low, high = _clip(ratio, advantage, epsilon, epsilon_high)
    with np.errstate(over="ignore"):
        climbed = np.minimum(w * A, np.clip(w, low, high) * A)
    require_finite_entries("ratio or advantage is too large: the objective", climbed)
    return climbed[()]


def clip_slope(ratio, advantage, epsilon: float, epsilon_high: float | None = None):
    """Give the slope of :func:`clip_objective` by the ratio: A where it moves with w, else 0.

    It is 0 where w > 1 + epsilon_high and A > 0, and where w < 1 - epsilon and A < 0.  At the kinks
    themselves, where the slopes on the two sides differ, it is A, the slope on the side of 1.

    Parameters, returns and raises as :func:`clip_objective`.
    """
    w, A, low, high = _clip(ratio, advantage, epsilon, epsilon_high)
    return np.where(np.where(A > 0, w <= high, w >= low), A, 0.0)[()]


def _clip(ratio, advantage, epsilon, epsilon_high):
    """(w, A, 1 - epsilon, 1 + epsilon_high), w and A of one shape."""
    w, A = real_array("ratio", ratio), real_array("advantage", advantage)
    epsilon = require_between("epsilon", epsilon, 0.0, 1.0)
    high = epsilon if epsilon_high is None else real_number("epsilon_high", epsilon_high)
    if high < 0:
        raise ValueError(f"epsilon_high must be at least 0; it is {high:g}")
    if (w < 0).any():
        raise ValueError(f"ratio must be at least 0, as of two probabilities; one is {w.min():g}")
    try:
        w, A = np.broadcast_arrays(w, A)
    except ValueError:
        raise ValueError(
            f"ratio and advantage must have one shape, or shapes that spread over one another; "
            f"they have {w.shape} and {A.shape}"
        ) from None
    return w, A, 1.0 - epsilon, 1.0 + high


def _log_softmax(theta: np.ndarray) -> np.ndarray:
    shifted = theta - theta.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
