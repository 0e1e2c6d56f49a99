"""Worlds drawn at random, to test what must hold everywhere.

Aliasing, sparse dynamics, ends and the start distribution can each be asked for.
"""

from __future__ import annotations

import numpy as np

from ..mdp import MDP
from ..memory import require_memory
from ..validate import require_count, require_discount, require_generator, require_one_of

__all__ = ["random_mdp"]

STARTS = ("random", "uniform", "first")  # how a random world begins


def random_mdp(
    rng: np.random.Generator,
    S: int = 4,
    A: int = 3,
    *,
    O: int | None = None,
    successors: int | None = None,
    start: str = "random",
    absorbing: int = 0,
    horizon: int | None = None,
    gamma: float,
) -> MDP:
    """Draw a decision process at random.

    Parameters
    ----------
    rng : the source of randomness.
    S, A : numbers of states and actions.
    O : number of percepts; fewer than S means aliasing, spread at random over the states.
        Default: S, nothing hidden.
    successors : how many next states each (s, a) can lead to; default: all of them.
    start : "random" (a distribution over the states that are not absorbing), "uniform" over
        them, or "first".
    absorbing : how many states, the last ones, are absorbing.  Each other (s, a) can then reach one
        of them, so that every policy ends with probability 1.
    horizon, gamma : as in :class:`MDP`.

    Raises
    ------
    ValueError, TypeError
        if a count is no whole number or does not fit, if ``rng`` is no generator, or if neither
        horizon, discount nor absorbing states make J finite.
    """
    require_generator(rng)
    S, A = require_count("S", S), require_count("A", A)
    O = S if O is None else require_count("O", O, 1, S)
    successors = S if successors is None else require_count("successors", successors, 1, S)
    absorbing = require_count("absorbing", absorbing, 0, S - 1)
    horizon = None if horizon is None else require_count("horizon", horizon)
    gamma, start = require_discount(gamma), require_one_of("start", start, STARTS)
    require_memory(f"the worlds with S = {S:,} and A = {A:,}", 3 * 8 * S**2 * A)
    if horizon is None and gamma == 1.0 and not absorbing:
        raise ValueError("J would be infinite: give a horizon, gamma < 1 or an absorbing state")

    P = np.zeros((S, A, S))
    for s in range(S):
        for a in range(A):
            to = rng.permutation(S)[:successors]
            if absorbing and not (to >= S - absorbing).any():
                to[0] = S - 1 - rng.integers(absorbing)
            P[s, a, to] = rng.dirichlet(np.ones(len(to)))
    R = rng.normal(size=(S, A, S))
    ends = np.arange(S) >= S - absorbing
    P[ends] = np.eye(S)[ends][:, None, :]
    R[ends] = 0.0

    weight = {"random": rng.exponential(size=S), "uniform": np.ones(S), "first": np.eye(S)[0]}[
        start
    ]
    weight = weight * ~ends
    observe = rng.permutation(np.concatenate([np.arange(O), rng.integers(O, size=S - O)]))
    return MDP(P, R, weight / weight.sum(), horizon=horizon, gamma=gamma, observe=observe)
