r"""J and grad J by values backwards and occupancy forwards: for worlds of any size.

J = sum_s mu(s) V_0(s).  By the policy gradient theorem,

    dJ / d theta[o, a] = sum_{s: o(s) = o} pi(a|s) (U(s, a) - sum_b pi(b|s) U(s, b)),
    U(s, a) = sum_t d_t(s) Q_t(s, a).

Q over time would have an entry for each t, s, a.  It is not needed: d_t(s) goes inside, and

    U(s, a) = r(s, a) sum_t d_t(s) + gamma sum_s' P(s'|s, a) W(s, s'),
    W(s, s') = sum_t d_t(s) V_{t+1}(s'),

so that H products of a matrix and a vector make V, as many make d, one product of matrices makes W,
and one more pass over P makes U: O(S^2 (A + H)) multiplications, O(S^2 + H S) numbers to hold.  The
gradient takes two to three times as long as J.  Without a horizon, U = d Q directly.

Source: Sutton et al. (2000), theorem 1; the saving is reverse-mode differentiation, Griewank &
Walther (2008), section 3.2, for a matrix recursion.
"""

from __future__ import annotations

import numpy as np

from ..mdp import MDP, reachable
from ..memory import FLOAT, require_memory
from ..policies import softmax_policy
from .values import (
    Averaged,
    averaged,
    backed_up,
    better_than_average,
    relative_values,
    repeats,
    values,
    visits,
)

__all__ = ["expected_return", "policy_gradient"]


def expected_return(mdp: MDP, pi) -> float:
    """Compute J = sum_s mu(s) V_0(s); arguments as :func:`.routes.expected_return`."""
    world = averaged(mdp, pi)
    if mdp.horizon is None:
        return mdp.mu @ values(mdp, world, reachable(world.P_pi > 0, mdp.mu > 0))
    V = np.zeros(mdp.S)
    for t in range(mdp.horizon):
        V, after = world.r + world.M @ V, V
        if repeats(t, V, after):  # and so at all earlier times
            break
    return mdp.mu @ V


def policy_gradient(mdp: MDP, theta) -> np.ndarray:
    """Compute grad J by the policy gradient theorem; arguments as :func:`.routes.policy_gradient`.

    grad J[o, a] = sum_{s: o(s) = o} pi(a|s) (U(s, a) - sum_b pi(b|s) U(s, b))
    """
    world = averaged(mdp, softmax_policy(theta))
    per_state = _endless(mdp, world) if mdp.horizon is None else _over_time(mdp, world)
    gradient = np.zeros((mdp.O, mdp.A))
    np.add.at(gradient, mdp.observe, per_state)
    return gradient


def _endless(mdp: MDP, world: Averaged) -> np.ndarray:
    """d(s) pi(a|s) (Q(s, a) - V(s)): (S, A)."""
    visited = reachable(world.P_pi > 0, mdp.mu > 0)
    Q = backed_up(mdp, relative_values(mdp, world, visited))
    return visits(mdp, world)[:, None] * (world.pi * better_than_average(world.pi, Q))


def _over_time(mdp: MDP, world: Averaged) -> np.ndarray:
    """pi(a|s) (U(s, a) - sum_b pi(b|s) U(s, b)): (S, A)."""
    require_memory(
        "V and d over time, for grad J by the adjoint",
        FLOAT * 3 * mdp.horizon * mdp.S,
        'method="forwards" keeps no time',
    )
    d, V = visits(mdp, world), values(mdp, world, np.ones(mdp.S, bool))
    W = d.T @ V[1:]
    to_come = np.vecdot(mdp.P, W[:, None, :])  # sum_s' P[s, a, s'] W[s, s']
    U = mdp.r * d.sum(axis=0)[:, None] + mdp.gamma * to_come
    return world.pi * better_than_average(world.pi, U)
