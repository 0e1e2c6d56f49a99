r"""Values V, Q and A backwards in time, the occupancy d forwards: Bellman's equations.

With P_pi[s, s'] = sum_a pi(a|s) P(s'|s, a) and r(s) = sum_a pi(a|s) r(s, a), where
r(s, a) = sum_s' P(s'|s, a) R(s, a, s'),

    V_H = 0,     V_t = r + gamma P_pi V_{t+1},              d_0 = mu,     d_{t+1} = gamma d_t P_pi

over time; d counts only states in which one acts.  Without a horizon the index falls away, and both
are linear systems, V = r + gamma P_pi V and d = mu + gamma d P_pi (:mod:`.endless`).  Then

    Q(s, a) = r(s, a) + gamma sum_s' P(s'|s, a) V(s'),      A(s, a) = Q(s, a) - V(s).

Accuracy.  With a horizon, V and d are off by some (S + H) 1e-16 of what they would be if rewards
had no sign.  Without, by some S 1e-16 of that, however long the episodes: a row of P that misses 1
by rounding is read so that the state itself has the rest.  Where it misses 1 by more, and the miss
times the number of actions expected is above 1e-10, the result is refused.  Where V is nearly one
large number k everywhere, as in long and barely discounted worlds, Q - V would keep few digits;
there

    h = V - k,     h = r - k leaving + gamma P_pi h,

is solved instead, and A = Q - V is formed from h, which differs by that number only.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..mdp import MDP, reachable
from ..memory import FLOAT, require_memory
from ..validate import require_instance
from .endless import solve
from .limits import QUIETLY, require_finite

ROUNDING = 1e-14  # rows may miss 1 by so much
ACCURACY = 1e-10  # relative; what misses it is refused

__all__ = [
    "Averaged",
    "action_values",
    "advantages",
    "averaged",
    "better_than_average",
    "occupancy",
    "relative_values",
    "repeats",
    "state_values",
    "values",
    "visits",
]


@QUIETLY
def state_values(mdp: MDP, pi, *, start=None) -> np.ndarray:
    """Compute V(s) = E[ sum_k gamma^k r_{t+k} given s_t = s ].

    Parameters
    ----------
    mdp : the world.
    pi : (O, A) policy.
    start : (S,) booleans; only states that can be visited from these get a value, the others
        NaN.  Default: every state gets one.

    Returns
    -------
    (S,), or (H+1, S) with a horizon; V[t, s] is what is still to come at time t.

    Raises
    ------
    ValueError, TypeError
        naming the states from which an undiscounted episode may never end, or the entry of ``pi``
        that is wrong, or if ``start`` does not hold a boolean per state; if a value leaves the
        range of floats, or all of them the memory.
    """
    world, known = _door(mdp, pi, start)
    V = values(mdp, world, known)
    to_come = V if mdp.horizon is None else V[:-1]
    to_come[..., ~(known | mdp.absorbing)] = np.nan
    return V


@QUIETLY
def action_values(mdp: MDP, pi, *, start=None) -> np.ndarray:
    """Compute Q(s, a) = sum_s' P(s'|s, a) (R(s, a, s') + gamma V(s')): (S, A) or (H, S, A).

    Arguments and errors are those of :func:`state_values`.  Q is NaN where ``start`` leaves s
    without a value, or a state that a leads to.
    """
    world, known = _door(mdp, pi, start)
    Q = backed_up(mdp, values(mdp, world, known))
    return _only_where_known(mdp, require_finite("Q", Q), known)


@QUIETLY
def advantages(mdp: MDP, pi, *, start=None) -> np.ndarray:
    """Compute A(s, a) = Q(s, a) - V(s): (S, A) or (H, S, A); NaN as :func:`action_values`."""
    world, known = _door(mdp, pi, start)
    Q = backed_up(mdp, relative_values(mdp, world, known))
    return _only_where_known(mdp, better_than_average(world.pi, Q), known)


@QUIETLY
def occupancy(mdp: MDP, pi) -> np.ndarray:
    """Compute d(s) = sum_t gamma^t Pr(s_t = s and an action is taken).

    Not normalised: it sums to the expected (discounted) number of actions.

    Returns
    -------
    (S,), or (H, S) with a horizon; then d[t, s] = gamma^t Pr(s_t = s and an action is taken).

    Raises
    ------
    ValueError, TypeError
        as :func:`expected_return`.
    """
    require_instance("mdp", mdp, MDP)
    mdp.require_ending(pi)
    return visits(mdp, averaged(mdp, pi))


# --- what they are made of ----------------------------------------------------------------------


class Averaged(NamedTuple):
    """The world as it goes under a policy.

    pi : (S, A), pi(a|s).
    P_pi, M : (S, S), the latter gamma P_pi without what leads to an end.
    r : (S,), r(s).
    """

    pi: np.ndarray
    P_pi: np.ndarray
    M: np.ndarray
    r: np.ndarray


def averaged(mdp: MDP, pi) -> Averaged:
    """Average dynamics and rewards over the actions of an (O, A) policy."""
    pi = mdp.action_probabilities(pi)
    P_pi = np.matmul(pi[:, None, :], mdp.P)[:, 0]  # sum_a pi[s, a] P[s, a, s'], state by state
    M = mdp.gamma * ~mdp.absorbing * P_pi
    return Averaged(pi, P_pi, M, np.vecdot(pi, mdp.r))


def values(mdp: MDP, world: Averaged, known: np.ndarray) -> np.ndarray:
    """V: (S,) or (H+1, S), in the states ``known`` at least; 0 in absorbing ones."""
    H, r, M = mdp.horizon, world.r, world.M
    if H is None:
        live = np.flatnonzero(known & ~mdp.absorbing)
        V = np.zeros(mdp.S)
        V[live] = _solved(mdp, world, live, b=r[live])[0]
    else:
        require_memory("V over time", FLOAT * 2 * (H + 1) * mdp.S)
        V = _iterated(np.zeros(mdp.S), lambda V, out: np.add(r, np.dot(M, V, out), out), H)
        V = V[::-1].copy()
    return require_finite("V", V)


def visits(mdp: MDP, world: Averaged) -> np.ndarray:
    """d: (S,) or (H, S), from the start ``mdp.mu``; 0 in absorbing states."""
    H, M, start = mdp.horizon, world.M, mdp.mu * ~mdp.absorbing
    if H is None:
        live = np.flatnonzero(reachable(world.P_pi > 0, start > 0) & ~mdp.absorbing)
        d = np.zeros(mdp.S)
        d[live] = _solved(mdp, world, live, c=start[live])[1]
    else:
        require_memory("the occupancy over time", FLOAT * H * mdp.S)
        d = _iterated(start, lambda d, out: np.dot(d, M, out), H - 1)
    return require_finite("the occupancy", d)


def relative_values(mdp: MDP, world: Averaged, known: np.ndarray) -> np.ndarray:
    """V up to a number that is common to all states at a time: what A = Q - V needs."""
    V = values(mdp, world, known)
    live = np.flatnonzero(known & ~mdp.absorbing)
    if mdp.horizon is not None or not len(live):
        return V
    k = V[live].mean()
    h = np.full(mdp.S, -k)  # V - k where nothing is to come
    h[live] = _solved(mdp, world, live, b=world.r[live] - k * _leaving(mdp, world, live))[0]
    return h


def backed_up(mdp: MDP, V: np.ndarray) -> np.ndarray:
    """Q from V: (S, A) or (H, S, A)."""
    V_next = V if mdp.horizon is None else V[1:]
    require_memory("Q over time", FLOAT * 2 * V_next.size * mdp.A)
    to_come = V_next @ mdp.P.reshape(-1, mdp.S).T  # sum_s' P[s, a, s'] V[s']
    return mdp.r + mdp.gamma * to_come.reshape(*V_next.shape, mdp.A)


def better_than_average(pi: np.ndarray, Q: np.ndarray) -> np.ndarray:
    """Q(s, a) - sum_b pi(b|s) Q(s, b), counted from the likeliest action's Q, to keep its digits.

    ``Q`` may carry anything that is common to the actions of a state: it drops out.
    """
    Q = Q - Q[..., np.arange(len(pi)), pi.argmax(axis=1), None]
    return Q - np.vecdot(pi, Q)[..., None]


def _door(mdp: MDP, pi, start) -> tuple[Averaged, np.ndarray]:
    require_instance("mdp", mdp, MDP)
    if start is None:
        start = np.ones(mdp.S, bool)
    mdp.require_ending(pi, start=start)
    world = averaged(mdp, pi)
    return world, reachable(world.P_pi > 0, np.asarray(start))


def _only_where_known(mdp: MDP, Q: np.ndarray, known: np.ndarray) -> np.ndarray:
    known = known | mdp.absorbing
    unknown = (mdp.P[:, :, ~known] > 0).any(axis=2) | ~known[:, None]
    return np.where(unknown, np.nan, Q)


def _iterated(x: np.ndarray, step, times: int) -> np.ndarray:
    """x, step(x), step(step(x)), ...: (times + 1, n).  Once repeated, it repeats for ever.

    ``step(x, out)`` writes into ``out``: to make an array anew takes a tenth of the time.
    """
    out = np.empty((times + 1, len(x)))
    out[0] = x
    for t, (before, after) in enumerate(pairwise(out)):
        step(before, after)
        if repeats(t, before, after):
            out[t + 2 :] = before
            break
    return out


def repeats(t: int, x: np.ndarray, after: np.ndarray) -> bool:
    """Is x its own successor?  To ask takes time too, and is done at every 32nd step only."""
    return t % 32 == 31 and bool((x == after).all())


def _leaving(mdp: MDP, world: Averaged, live: np.ndarray) -> np.ndarray:
    """1 - gamma sum_s' P_pi[s, s'] over living s', as a sum: the discount's part and the ends'."""
    return (1 - mdp.gamma) + mdp.gamma * world.P_pi[np.ix_(live, mdp.absorbing)].sum(axis=1)


def _solved(mdp: MDP, world: Averaged, live: np.ndarray, b=None, c=None):
    """V = b + gamma P_pi V and d = c + gamma d P_pi among the states ``live``."""
    n = len(live)
    if n == 0:
        return np.zeros(0), np.zeros(0)
    b = np.zeros(n) if b is None else b
    c = np.zeros((0, n)) if c is None else c[None]
    L, leaving = world.M[np.ix_(live, live)], _leaving(mdp, world, live)
    x, y = solve(L, leaving, np.column_stack([b, np.ones(n)]), c)
    _require_whole_rows(mdp, world, live, actions=x[:, 1].max())
    return x[:, 0], y.ravel()


def _require_whole_rows(mdp: MDP, world: Averaged, live: np.ndarray, actions: float) -> None:
    """Refuse rows that miss 1 by so much that it matters in so many actions."""
    miss = np.abs(world.P_pi[live].sum(axis=1) - 1)
    if miss.max() > ROUNDING and miss.max() * actions > ACCURACY:
        s = mdp.states[live[miss.argmax()]]
        raise ValueError(
            f"under this policy the probabilities of P from state {s} miss 1 by {miss.max():.1e}, "
            f"and with {actions:.1e} actions expected the result would be off by their product; "
            "divide each row of P and of the policy by its sum"
        )
