r"""J and grad J forwards in time, differentiating by the product rule as we go.

d_t(s) = gamma^t Pr(s_t = s and an action is taken) and its slope g_t = d d_t / d theta[o, b] obey

    d_0 = mu,   d_{t+1} = gamma d_t P_pi,                  J = sum_t d_t . r_pi
    g_0 = 0,    g_{t+1} = gamma (g_t P_pi + d_t dP_pi),    grad J = sum_t (g_t . r_pi + d_t . dr_pi)

where only d pi[o, a] / d theta[o, b] = pi[o, a] (1[a = b] - pi[o, b]) is differentiated, once, in
P_pi and r_pi.  No logarithm, no action value.  Each step multiplies an (O A, S) matrix by P_pi, so
that a gradient costs about O A times as much as J: an oracle for small worlds.

When to stop.  The reward of an action is at most r_max in size, and N bounds the (discounted)
number of actions still to come from any state: H - t; or 1 / (1 - gamma); or, where more than half
of all episodes are over after k actions, wherever they are, 2 k.  Then |V| <= N r_max,
|dV / d theta| <= 3 N^2 r_max, and what is to come adds at most

    N r_max sum_s d_t(s)   to J,        N r_max (sum_s |g_t(s)| + 3 N sum_s d_t(s))   to grad J.

Only once that is below 1e-18 of what sizes of rewards have added to J so far is the rest left out.
"""

from __future__ import annotations

import numpy as np

from ..mdp import MDP, reachable
from ..memory import FLOAT, require_memory
from ..policies import softmax_policy

MAX_STEPS = 1_000_000  # where stepping through endless time gives up
NEGLIGIBLE = 1e-18

__all__ = ["expected_return", "policy_gradient"]


def expected_return(mdp: MDP, pi) -> float:
    """Compute J = sum_t d_t . r_pi; arguments as :func:`.routes.expected_return`."""
    pi = mdp.action_probabilities(pi)
    r = np.einsum("sa,sap,sap->s", pi, mdp.P, mdp.R)
    return sum((d @ r for d, _ in _over_time(mdp, pi, None)), 0.0)


def policy_gradient(mdp: MDP, theta) -> np.ndarray:
    """Compute grad J by the product rule; arguments as :func:`.routes.policy_gradient`.

    grad J = sum_t (g_t . r_pi + d_t . dr_pi)
    """
    pi = softmax_policy(theta)
    S, A, O = mdp.S, mdp.A, mdp.O
    require_memory(
        "grad J forwards in time",
        FLOAT * (4 * O * A + 2 * S * A + 2 * O + 2 * S) * S,
        'method="adjoint" takes less',
    )
    jacobian = np.einsum("oa,ab->oab", pi, np.eye(A)) - np.einsum("oa,ob->oab", pi, pi)
    jacobian, pi = jacobian[mdp.observe], pi[mdp.observe]
    reward = np.einsum("sap,sap->sa", mdp.P, mdp.R)
    d_P = np.matmul(jacobian.swapaxes(1, 2), mdp.P)  # sum_a dpi[s, a, b] P[s, a, s']
    d_r = np.einsum("sab,sa->sb", jacobian, reward)
    r, sees = (pi * reward).sum(axis=1), _sees(mdp)
    gradient = np.zeros((O, A))
    for d, slope in _over_time(mdp, pi, d_P):
        gradient += (slope @ r).reshape(O, A) + (sees * d) @ d_r
    return gradient


def _sees(mdp: MDP) -> np.ndarray:
    return (mdp.observe == np.arange(mdp.O)[:, None]).astype(float)  # (O, S)


def _over_time(mdp: MDP, pi: np.ndarray, d_P: np.ndarray | None):
    """Yield d_t, (S,), and its slope, (O A, S), until nothing that matters is to come.

    Without ``d_P`` there are no slopes, (0, S).
    """
    S, acting, sees = mdp.S, ~mdp.absorbing, _sees(mdp)
    P_pi = np.matmul(pi[:, None, :], mdp.P)[:, 0]
    size = np.einsum("sap,sap->sa", mdp.P, np.abs(mdp.R))
    size = (pi * size).sum(axis=1) / (size.max() or 1.0)  # of what is earned, in units of r_max
    N, so_far, t = _actions_to_come(mdp, P_pi), 0.0, 0
    d, slope = mdp.mu * acting, np.zeros((0 if d_P is None else mdp.O * mdp.A, S))
    while t != mdp.horizon:
        left = N if mdp.horizon is None else min(N, mdp.horizon - t)
        rest = d.sum() if d_P is None else np.abs(slope).sum() + 3 * left * d.sum()
        if left * rest <= NEGLIGIBLE * so_far or not (d.any() or slope.any()):
            return
        if t == MAX_STEPS:
            raise ValueError(_too_long())
        yield d, slope
        so_far += d @ size
        slope = mdp.gamma * (slope @ P_pi) * acting
        if d_P is not None:
            turned = (sees * d) @ d_P.reshape(S, -1)  # from where o is seen, b made likelier
            slope += mdp.gamma * turned.reshape(slope.shape) * acting
        d = mdp.gamma * (d @ P_pi) * acting
        t += 1


def _actions_to_come(mdp: MDP, P_pi: np.ndarray) -> float:
    """N: so many actions, discounted, are expected at most from any state that may be visited."""
    if mdp.gamma < 1.0:
        return 1 / (1 - mdp.gamma)
    if mdp.horizon is not None:
        return np.inf
    visited = np.flatnonzero(reachable(P_pi > 0, mdp.mu > 0) & ~mdp.absorbing)
    among, going, k = P_pi[np.ix_(visited, visited)], np.ones(len(visited)), 0
    while going.max(initial=0.0) > 0.5:  # going[s] = Pr(not over after k actions from s)
        if k == MAX_STEPS:
            raise ValueError(_too_long())
        going = among @ going
        k += 1
    return 2 * k


def _too_long() -> str:
    return (
        f"going forwards is not done after {MAX_STEPS:,} steps: episodes are too long; "
        'use method="adjoint"'
    )
