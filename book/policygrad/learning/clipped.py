r"""The clipped surrogate of PPO and its gradient, one row for each trajectory.

    J_clip(tau) = sum_t min(w_t A_t, clip(w_t, 1 - epsilon, 1 + epsilon_high) A_t),
    w_t = pi(a_t|s_t; theta) / pi(a_t|s_t; theta_old)

The advantages are numbers that do not depend on theta.  Where the smaller of the two is the one
that was clipped, the term is flat; elsewhere its gradient is A_t w_t grad log pi(a_t|s_t; theta).
As the minimum of multiples is the multiple of the minimum, factors gamma^t are given inside the
advantages.

Source: Schulman et al. (2017), equation 7.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..estimators import clip_objective, clip_slope, importance_ratios, reinforce_gradients
from ..mdp import MDP
from ..trajectories import Trajectories
from ..validate import real_array, real_number, require_between, require_instance

__all__ = ["Clip", "at_least_zero", "clipped_gradients", "clipped_objectives"]


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
    return (clip.objective(w, A) * trajectories.happened).sum(axis=1)


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
    epsilon : in [0, 1], the width of the clip; None: no clip.
    epsilon_high : of at least 0, its width above 1; default: epsilon.

    Raises
    ------
    ValueError, TypeError
        naming the argument that does not fit; or as :func:`.estimators.reinforce_gradients`.
    """
    w, A, clip = _read(mdp, theta, theta_old, trajectories, advantages, epsilon, epsilon_high)
    return reinforce_gradients(mdp, theta, trajectories, clip.slope(w, A) * w)


class Clip(NamedTuple):
    """The two widths of a clip; ``epsilon`` = None: no clip."""

    epsilon: float | None
    epsilon_high: float | None

    @classmethod
    def read(cls, epsilon, epsilon_high) -> Clip:
        """Refuse what are no widths of a clip."""
        if epsilon is not None:
            epsilon = require_between("epsilon", epsilon, 0.0, 1.0)
        if epsilon_high is not None:
            if epsilon is None:
                raise ValueError("epsilon_high is the other width of a clip: give epsilon too")
            epsilon_high = at_least_zero("epsilon_high", epsilon_high)
        return cls(epsilon, epsilon_high)

    def objective(self, w, A) -> np.ndarray:
        """The smaller of w A and clip(w) A; without a clip, w A."""
        return w * A if self.epsilon is None else clip_objective(w, A, *self)

    def slope(self, w, A) -> np.ndarray:
        """The slope of :meth:`objective` by w."""
        return A + 0.0 * w if self.epsilon is None else clip_slope(w, A, *self)

    def held(self, w) -> np.ndarray:
        """The ratio within the bounds."""
        if self.epsilon is None:
            return w
        high = self.epsilon if self.epsilon_high is None else self.epsilon_high
        return np.clip(w, 1.0 - self.epsilon, 1.0 + high)


def at_least_zero(name: str, value) -> float:
    """Refuse what is no finite number of at least 0."""
    number = real_number(name, value)
    if number < 0:
        raise ValueError(f"{name} must be at least 0; it is {number:g}")
    return number


def _read(mdp: MDP, theta, theta_old, trajectories, advantages, epsilon, epsilon_high):
    """The ratios and advantages, (m, H), and the clip."""
    require_instance("trajectories", trajectories, Trajectories)
    A = real_array("advantages", advantages, trajectories.actions.shape, "(m, H)")
    w = importance_ratios(mdp, theta, theta_old, trajectories)
    return w, A, Clip.read(epsilon, epsilon_high)
