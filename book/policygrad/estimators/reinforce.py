r"""Per-trajectory gradient estimates: REINFORCE and its relatives.

One row per trajectory,

    g_i = sum_t w_{i,t} grad log pi(a_{i,t} | s_{i,t}),

so that the mean, the covariance and every test come for free.  The weights w are an argument:
estimators differ in one visible expression.

* the whole return:    ``returns(tau, gamma)``
* the reward-to-go:    ``discounts(tau, gamma) * rewards_to_go(tau, gamma)``

Given all trajectories in place of samples, the rows weighted by P(tau) add up to the estimator's
exact mean.

Source: Williams (1992); Sutton & Barto (2018), section 13.3.
"""

from __future__ import annotations

import numpy as np

from ..mdp import MDP
from ..policies import score
from ..trajectories import Trajectories
from ..validate import real_array, require_discount, require_instance
from .doors import require_finite, require_steps_of

__all__ = ["discounts", "reinforce_gradients", "returns", "rewards_to_go"]


def returns(trajectories: Trajectories, gamma: float) -> np.ndarray:
    """Add up the whole return R(tau) = sum_t gamma^t r_t of each trajectory: (m,).

    Raises
    ------
    ValueError, TypeError
        if gamma is no number in [0, 1], or naming the trajectory whose return is no finite number.
    """
    factors = discounts(trajectories, gamma)
    with np.errstate(over="ignore", invalid="ignore"):
        total = trajectories.rewards @ factors
    require_finite("the return of trajectory", total)
    return total


def rewards_to_go(trajectories: Trajectories, gamma: float) -> np.ndarray:
    """Go backwards to get the return from each step, G_t = r_t + gamma G_{t+1}: (m, H).

    Discounted from t on, not from 0: J's gradient also needs the factor gamma^t of
    :func:`discounts`.

    Raises
    ------
    ValueError, TypeError
        if gamma is no number in [0, 1], or naming the trajectory whose sum is no finite number.
    """
    require_instance("trajectories", trajectories, Trajectories)
    gamma = require_discount(gamma)
    G = np.array(trajectories.rewards, float)
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(G.shape[1] - 2, -1, -1):
            G[:, t] += gamma * G[:, t + 1]
    require_finite("the reward-to-go of trajectory", G)
    return G


def discounts(trajectories: Trajectories, gamma: float) -> np.ndarray:
    """The factors gamma^t of the steps: (H,).

    Raises
    ------
    ValueError, TypeError
        if gamma is no number in [0, 1].
    """
    require_instance("trajectories", trajectories, Trajectories)
    return require_discount(gamma) ** np.arange(trajectories.rewards.shape[1])


def reinforce_gradients(mdp: MDP, theta, trajectories: Trajectories, weights=None) -> np.ndarray:
    """Estimate grad J from each trajectory: g_i = sum_t w_{i,t} grad log pi(a_{i,t}|s_{i,t}).

    Parameters
    ----------
    mdp : the world that the trajectories were drawn in, for its percepts and its discount.
    theta : (O, A) logits of the policy that drew the trajectories.
    trajectories : m of them, of at most H steps.
    weights : (m, H) one weight per step of each trajectory, (m,) or (m, 1) one per trajectory, or
        (1, H) one per step, the same for all; default: the whole return,
        ``returns(trajectories, mdp.gamma)``.  Where m = H, a flat array could be either of two
        things and is refused: write ``weights[:, None]`` for one weight per trajectory.

    Returns
    -------
    (m, O, A) array, a gradient of J to be ascended in each row.

    Raises
    ------
    ValueError, TypeError
        if shapes do not fit; naming the weight that is NaN or infinite; naming a step that the
        world does not allow, since the trajectories are then another world's; or, where the weights
        are left to the rewards, one that is not paid as the world pays it.
    """
    require_instance("mdp", mdp, MDP)
    require_instance("trajectories", trajectories, Trajectories)
    m, H = trajectories.actions.shape
    scores = score(theta)
    O, A = scores.shape[:2]
    mdp.require_logits((O, A))
    require_steps_of(mdp, trajectories, paid=weights is None)
    if weights is None:
        weights = returns(trajectories, mdp.gamma)[:, None]
    weights = _per_step("weights", weights, m, H)

    # how much weight fell on each (percept, action) of each trajectory, times that pair's score
    on_pair = np.zeros((m, O * A))
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(H):
            i = np.flatnonzero(trajectories.lengths > t)
            pair = mdp.observe[trajectories.states[i, t]] * A + trajectories.actions[i, t]
            on_pair[i, pair] += weights[i, t]
        rows = (on_pair @ scores.reshape(O * A, O * A)).reshape(m, O, A)
    require_finite("weights are too large: the gradient of trajectory", rows)
    return rows


def _per_step(name: str, value, m: int, H: int) -> np.ndarray:
    """Spread weights of one of the shapes over all steps: (m, H)."""
    weights = real_array(name, value)
    if weights.shape == (m,) and (m != H or m == 1):
        weights = weights[:, None]
    if weights.shape not in ((m, H), (m, 1), (1, H)):
        hint = ""
        if weights.shape == (m,):
            hint = (
                f"; as m = H, that could be one weight per trajectory or one per step: write "
                f"{name}[:, None] or {name}[None, :]"
            )
        raise ValueError(
            f"{name} must have shape (m,) = ({m},) or (m, H) = ({m}, {H}), "
            f"or be a column (m, 1) or a row (1, H); it has {weights.shape}{hint}"
        )
    return np.broadcast_to(weights, (m, H))
