r"""The clipped surrogate of PPO and its gradient, one row for each trajectory.

    J_clip(tau) = sum_t min(w_t A_t, clip(w_t, 1 - epsilon, 1 + epsilon_high) A_t),
    w_t = pi(a_t|s_t; theta) / pi(a_t|s_t; theta_old)

The advantages are numbers that do not depend on theta.  Where the smaller of the two is the clipped
one, the term is flat; elsewhere its gradient is A_t w_t grad log pi(a_t|s_t; theta).  As the minimum
of multiples is the multiple of the minimum, factors gamma^t are given inside the advantages.

Source: Schulman et al. (2017), equation 7.
"""

from __future__ import annotations

import math

import numpy as np

from ..estimators import reinforce_gradients
from ..mdp import MDP
from ..policies import softmax_policy
from ..trajectories import Trajectories
from ..validate import real_array, require_between, require_instance
from .rollouts import Batch

__all__ = [
    "clip_objective",
    "clip_slope",
    "clipped_gradients",
    "clipped_objectives",
    "require_clip",
]


def clip_objective(ratio, advantage, epsilon, epsilon_high=None):
    """min(w A, clip(w, 1 - epsilon, 1 + epsilon_high) A)."""
    high = epsilon if epsilon_high is None else epsilon_high
    return np.minimum(ratio * advantage, np.clip(ratio, 1 - epsilon, 1 + high) * advantage)


def clip_slope(ratio, advantage, epsilon, epsilon_high=None):
    """The derivative of clip_objective by the ratio: A, or 0 where it is flat."""
    high = epsilon if epsilon_high is None else epsilon_high
    flat = np.where(advantage > 0, ratio > 1 + high, ratio < 1 - epsilon)
    return np.where(flat, 0.0, advantage)


def clipped_objectives(
    mdp: MDP, theta, theta_old, trajectories: Trajectories, advantages, epsilon, epsilon_high=None
) -> np.ndarray:
    """The clipped surrogate of each trajectory: (m,); arguments as :func:`clipped_gradients`.

    Raises
    ------
    ValueError, TypeError
        as :func:`clipped_gradients`.
    """
    w, A, clip = _read(mdp, theta, theta_old, trajectories, advantages, epsilon, epsilon_high)
    return (clip_objective(w, A, *clip) * trajectories.happened).sum(axis=1)


def clipped_gradients(
    mdp: MDP, theta, theta_old, trajectories: Trajectories, advantages, epsilon, epsilon_high=None
) -> np.ndarray:
    """The gradient by theta of the clipped surrogate of each trajectory: (m, O, A).

    Parameters
    ----------
    mdp : the world that the trajectories were drawn in.
    theta : (O, A) logits at which the gradient is taken.
    theta_old : (O, A) logits of the policy that drew the trajectories.
    trajectories : m of them, of at most H steps.
    advantages : (m, H) A_t of each step, times gamma^t where that is wanted; in the padding they
        do not count.
    epsilon : in [0, 1], the width of the clip; ``math.inf`` for none.
    epsilon_high : its width above 1; default: epsilon.

    Raises
    ------
    ValueError, TypeError
        naming the argument that does not fit; or as :func:`.estimators.reinforce_gradients`.
    """
    w, A, clip = _read(mdp, theta, theta_old, trajectories, advantages, epsilon, epsilon_high)
    return reinforce_gradients(mdp, theta, trajectories, clip_slope(w, A, *clip) * w)


def require_clip(epsilon, epsilon_high) -> tuple[float, float]:
    """Refuse what are no widths of a clip."""
    epsilon = require_between("epsilon", epsilon, 0.0, math.inf)
    high = epsilon if epsilon_high is None else epsilon_high
    return epsilon, require_between("epsilon_high", high, 0.0, math.inf)


def _read(mdp: MDP, theta, theta_old, trajectories, advantages, epsilon, epsilon_high):
    """The ratios and advantages, (m, H), and the clip's two widths."""
    require_instance("mdp", mdp, MDP)
    require_instance("trajectories", trajectories, Trajectories)
    theta, theta_old = real_array("theta", theta), real_array("theta_old", theta_old)
    mdp.require_logits(theta.shape)
    mdp.require_logits(theta_old.shape)
    A = real_array("advantages", advantages, trajectories.actions.shape, "(m, H)")
    batch = Batch.of(mdp, trajectories)
    log_w = batch.log_chances(np.log(softmax_policy(theta)) - np.log(softmax_policy(theta_old)))
    return np.exp(log_w), A, require_clip(epsilon, epsilon_high)
