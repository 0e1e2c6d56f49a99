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

from .mdp import MDP
from .policies import score
from .trajectories import Trajectories
from .validate import real_array, require_discount

__all__ = ["discounts", "reinforce_gradients", "returns", "rewards_to_go"]


def returns(trajectories: Trajectories, gamma: float) -> np.ndarray:
    """Add up the whole return R(tau) = sum_t gamma^t r_t of each trajectory: (m,).

    Raises
    ------
    ValueError, TypeError
        if gamma is no number in [0, 1].
    """
    return trajectories.rewards @ discounts(trajectories, gamma)


def rewards_to_go(trajectories: Trajectories, gamma: float) -> np.ndarray:
    """Go backwards to get the return from each step, G_t = r_t + gamma G_{t+1}: (m, H).

    Discounted from t on, not from 0: J's gradient also needs the factor gamma^t of
    :func:`discounts`.

    Raises
    ------
    ValueError, TypeError
        if gamma is no number in [0, 1].
    """
    gamma = require_discount(gamma)
    G = np.array(trajectories.rewards, float)
    for t in range(G.shape[1] - 2, -1, -1):
        G[:, t] += gamma * G[:, t + 1]
    return G


def discounts(trajectories: Trajectories, gamma: float) -> np.ndarray:
    """The factors gamma^t of the steps: (H,).

    Raises
    ------
    ValueError, TypeError
        if gamma is no number in [0, 1].
    """
    return require_discount(gamma) ** np.arange(trajectories.rewards.shape[1])


def reinforce_gradients(mdp: MDP, theta, trajectories: Trajectories, weights=None) -> np.ndarray:
    """Estimate grad J from each trajectory: g_i = sum_t w_{i,t} grad log pi(a_{i,t}|s_{i,t}).

    Parameters
    ----------
    mdp : the world, for its percepts and its discount.
    theta : (O, A) logits of the policy that drew the trajectories.
    trajectories : m of them.
    weights : (m,) one weight per trajectory, or (m, H) one per step; default: the whole
        return, ``returns(trajectories, mdp.gamma)``.

    Returns
    -------
    (m, O, A) array, a gradient of J to be ascended in each row.

    Raises
    ------
    ValueError
        if shapes do not fit, or naming the weight that is NaN or infinite.
    """
    m, H = trajectories.actions.shape
    scores = score(theta)
    O, A = scores.shape[:2]
    mdp.require_logits((O, A))
    for name, values, size in (
        ("states", trajectories.states, mdp.S),
        ("actions", trajectories.actions, A),
    ):
        if values.size and values.max() >= size:
            raise ValueError(
                f"trajectories are of another world: {name} must be below {size}; "
                f"one is {values.max()}"
            )
    weights = (
        returns(trajectories, mdp.gamma) if weights is None else real_array("weights", weights)
    )
    if weights.shape not in ((m,), (m, H)):
        raise ValueError(
            f"weights must have shape (m,) = ({m},) or (m, H) = ({m}, {H}); it has {weights.shape}"
        )
    if weights.ndim == 1:
        weights = np.broadcast_to(weights[:, None], (m, H))

    # how much weight fell on each (percept, action) of each trajectory, times that pair's score
    on_pair = np.zeros((m, O * A))
    for t in range(H):
        i = np.flatnonzero(trajectories.lengths > t)
        pair = mdp.observe[trajectories.states[i, t]] * A + trajectories.actions[i, t]
        on_pair[i, pair] += weights[i, t]
    return (on_pair @ scores.reshape(O * A, O * A)).reshape(m, O, A)
