"""Q-learning: a table over percepts, one entry moved for each action taken.

    Q[o, a] <- Q[o, a] + alpha (r + gamma max_b Q[o', b] - Q[o, a])

Nothing is promised after an absorbing state or the last step of a horizon.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from ..mdp import MDP
from ..memory import require_memory
from ..validate import (
    real_number,
    require_between,
    require_count,
    require_generator,
    require_instance,
    require_policy,
)
from .ascent import LARGEST, Diverged, require_step

__all__ = ["QLearning", "q_learning"]


@dataclass(frozen=True, eq=False)
class QLearning:
    """The history of n episodes of Q-learning.

    Attributes
    ----------
    tables : (n + 1, O, A) the table before the first episode and after each one.
    returns : (n,) sum_t gamma^t r_t of each episode, up to its cut.
    lengths : (n,) number of actions taken.
    cut : (n,) booleans: was the episode cut at ``max_steps`` before its end?
    visits : (O, A) how often each entry was updated.
    """

    tables: np.ndarray
    returns: np.ndarray
    lengths: np.ndarray
    cut: np.ndarray
    visits: np.ndarray

    @property
    def Q(self) -> np.ndarray:
        """The last table: (O, A)."""
        return self.tables[-1]


def q_learning(
    mdp: MDP,
    rng: np.random.Generator,
    *,
    episodes: int,
    step_size: float | Callable[[int], float],
    epsilon: float | None = None,
    behaviour=None,
    initial: float = 0.0,
    max_steps: int = 10_000,
) -> QLearning:
    """Learn a table Q[o, a] over percepts from episodes, one update for each action taken.

    Q[o, a] <- Q[o, a] + alpha (r + gamma max_b Q[o', b] - Q[o, a])

    Actions are drawn by ``behaviour``, or epsilon-greedily: with probability epsilon any
    action, else one with the largest entry, ties broken at random.  That is
    :func:`greedy_policy` of the table as it is at that moment.

    Parameters
    ----------
    mdp : the world.
    rng : the source of randomness.
    episodes : how many.
    step_size : alpha, or a function of how often the entry has been updated, this time included:
        ``lambda n: 1 / n``.
    epsilon : in [0, 1].  Give either it or ``behaviour``.
    behaviour : (O, A) policy that draws the actions whatever the table says.
    initial : the value of all entries at the start.
    max_steps : cut an episode after so many actions, and note it in ``cut``.

    Raises
    ------
    Diverged
        if an entry becomes NaN or infinite.
    ValueError, TypeError
        naming the argument that does not fit.
    """
    require_instance("mdp", mdp, MDP)
    require_generator(rng)
    episodes = require_count("episodes", episodes)
    max_steps = require_count("max_steps", max_steps)
    if (epsilon is None) == (behaviour is None):
        raise ValueError("give either epsilon or behaviour, and not both")
    if epsilon is not None:
        draw_action = _epsilon_greedy(require_between("epsilon", epsilon, 0.0, 1.0), mdp.A)
    else:
        behaviour = require_policy(behaviour, mdp.O, mdp.A, name="behaviour")
        draw_action = _fixed(behaviour[mdp.observe], mdp)
    initial = real_number("initial", initial)
    alpha = _step_sizes(step_size)
    require_memory(f"the tables of episodes = {episodes:,}", episodes * (mdp.O * mdp.A * 8 + 17))

    world, uniform = _Outcomes.of(mdp, max_steps), uniforms(rng, 4096)
    Q = [[initial] * mdp.A for _ in range(mdp.O)]
    visits = [[0] * mdp.A for _ in range(mdp.O)]
    tables = np.empty((episodes + 1, mdp.O, mdp.A))
    returns, lengths, cut = np.zeros(episodes), np.zeros(episodes, int), np.zeros(episodes, bool)
    tables[0] = Q
    for n in range(episodes):
        returns[n], lengths[n], cut[n] = _episode(world, Q, visits, draw_action, alpha, uniform)
        tables[n + 1] = Q
        _require_finite(n, tables[n + 1])
    return QLearning(tables, returns, lengths, cut, np.array(visits))


@dataclass(frozen=True)
class _Outcomes:
    """A world as lists, which are read faster than arrays one entry at a time."""

    start: list[float]
    moves: list[list[list[float]]]
    rewards: list[list[list[float]]]
    observe: list[int]
    ends: list[bool]
    gamma: float
    horizon: int | None
    limit: int

    @classmethod
    def of(cls, mdp: MDP, max_steps: int) -> _Outcomes:
        return cls(
            start=cumulative(mdp.mu),
            moves=[[cumulative(mdp.P[s, a]) for a in range(mdp.A)] for s in range(mdp.S)],
            rewards=mdp.R.tolist(),
            observe=mdp.observe.tolist(),
            ends=mdp.absorbing.tolist(),
            gamma=mdp.gamma,
            horizon=mdp.horizon,
            limit=max_steps if mdp.horizon is None else min(mdp.horizon, max_steps),
        )


def _episode(world: _Outcomes, Q, visits, draw_action, alpha, uniform):
    """Walk one episode, moving Q as it goes; its return, its length, and whether it was cut."""
    ends, observe, gamma = world.ends, world.observe, world.gamma
    s, t, total = bisect_right(world.start, next(uniform)), 0, 0.0
    while not ends[s] and t < world.limit:
        o = observe[s]
        a = draw_action(Q[o], o, uniform)
        s_next = bisect_right(world.moves[s][a], next(uniform))
        r = world.rewards[s][a][s_next]
        over = ends[s_next] or t + 1 == world.horizon
        target = r if over else r + gamma * max(Q[observe[s_next]])
        visits[o][a] += 1
        Q[o][a] += alpha(visits[o][a]) * (target - Q[o][a])
        total += gamma**t * r
        s, t = s_next, t + 1
    return total, t, not ends[s] and t != world.horizon


def _require_finite(n: int, Q: np.ndarray) -> None:
    if not np.isfinite(Q).all():
        o, a = np.argwhere(~np.isfinite(Q))[0]
        raise Diverged(
            n,
            f"Q-learning diverged in episode {n}: Q[{o}, {a}] is {Q[o, a]}; "
            "a step size must not exceed 1, and rewards must be moderate",
        )


def _epsilon_greedy(epsilon: float, A: int):
    def draw(values, _, uniform) -> int:
        if next(uniform) < epsilon:
            return int(A * next(uniform))
        best = max(values)
        ties = [a for a, value in enumerate(values) if value == best]
        return ties[0] if len(ties) == 1 else ties[int(len(ties) * next(uniform))]

    return draw


def _fixed(state_pi: np.ndarray, mdp: MDP):
    rows = {int(o): cumulative(state_pi[s]) for s, o in enumerate(mdp.observe)}
    return lambda _, o, uniform: bisect_right(rows[o], next(uniform))


def cumulative(p: np.ndarray) -> list[float]:
    """Upper ends of the intervals; the last outcome that is possible takes what rounding left."""
    ends = list(accumulate(p.tolist()))
    last = int(np.flatnonzero(p)[-1])
    return ends[:last] + [1.0] * (len(ends) - last)


def uniforms(rng: np.random.Generator, block: int):
    """Uniform numbers without end, of which so many are drawn at a time."""
    while True:
        yield from rng.random(block).tolist()


def _step_sizes(step_size):
    """Make a function of the number of updates, which refuses what is no step size."""
    if not callable(step_size):
        alpha = require_step(step_size)
        return lambda n: alpha

    def checked(n: int) -> float:
        alpha = step_size(n)
        if type(alpha) is float and 0.0 <= alpha <= LARGEST:
            return alpha
        return require_between(f"step_size({n})", alpha, 0.0, LARGEST)

    return checked
