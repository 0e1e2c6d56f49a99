r"""Draw whole trajectories, all of them one step at a time.

A step from state s has A*S outcomes k = (a, s') with probabilities pi(a|o(s)) P(s'|s, a).  One
uniform number u picks one of them: the outcome whose interval of the cumulative probabilities
holds u.  A guide table saves the search: cut [0, 1) into C equal cells; where a cell lies
within one interval, the table names the outcome at once, and only the few cells that an interval's
end cuts through need a comparison with the cumulative probabilities.  C is a power of two, so
that scaling u loses no bit and the result does not depend on C.  An outcome of
probability 0 has an empty interval and is never drawn.

Source: the method of guide tables, Devroye (1986), section III.2.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from .mdp import MDP
from .trajectories import NO_ACTION, Trajectories

DEFAULT_MAX_STEPS = 10_000
BLOCK = 8192  # trajectories walked together; their scratch arrays then stay in the cache
INDEX = np.int32  # half the memory of the default integer, and trajectories are mostly indices

__all__ = ["sample_trajectories"]


def sample_trajectories(
    mdp: MDP,
    pi,
    m: int,
    rng: np.random.Generator,
    *,
    max_steps: int | None = None,
    truncate: bool = False,
) -> Trajectories:
    """Draw m independent trajectories, P(tau) = mu(s_0) prod_t pi(a_t|s_t) P(s_{t+1}|s_t, a_t).

    Parameters
    ----------
    mdp : the world.
    pi : (O, A) policy.
    m : how many trajectories, at least 1.
    rng : the source of randomness; the same state of ``rng`` gives the same trajectories.
    max_steps : give up after so many actions; default: the horizon, or 10,000 where there is none.
    truncate : return trajectories cut at ``max_steps``.  Their returns are then not those of J.

    Returns
    -------
    Trajectories, padded to the longest one.

    Raises
    ------
    ValueError
        if the policy may never end (see :meth:`MDP.require_ending`), or if trajectories are
        unfinished at ``max_steps`` and ``truncate`` was not asked for: the message counts them.
    """
    _require_count("m", m)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator; it is {type(rng).__name__}")
    if max_steps is not None:
        _require_count("max_steps", max_steps)
    if not truncate:
        mdp.require_ending(pi)
    limit = DEFAULT_MAX_STEPS if mdp.horizon is None else mdp.horizon
    limit = limit if max_steps is None else min(limit, max_steps)

    outcomes = (mdp.action_probabilities(pi)[:, :, None] * mdp.P).reshape(mdp.S, -1)
    steps = _GuideTable.build(outcomes, m)
    starts = _GuideTable.build(mdp.mu[None, :], m)
    log = _Log(m, 1 if mdp.horizon is None else limit)
    unfinished = 0
    for left in range(0, m, BLOCK):
        here = slice(left, min(left + BLOCK, m))
        log.states[0, here] = starts.draw(np.zeros(here.stop - left, INDEX), rng)
        unfinished += _walk(mdp, log, here, steps, limit, rng)

    if unfinished and limit != mdp.horizon and not truncate:
        raise ValueError(
            f"{unfinished:,} of {m:,} trajectories are unfinished after max_steps = {limit:,} "
            "actions; allow more steps, or ask for truncate=True and mind what it does to J"
        )
    return log.finished()


def _walk(mdp: MDP, log: _Log, here: slice, steps: _GuideTable, limit: int, rng) -> int:
    """Walk a block of trajectories, all of them one step at a time; how many have not ended?"""
    K = mdp.A * mdp.S
    action_of, state_after = np.divmod(np.arange(K, dtype=INDEX), INDEX(mdp.S))
    reward_of = mdp.R.reshape(-1)
    some_end = bool(mdp.absorbing.any())
    state = log.states[0, here]
    running = np.arange(len(state))
    for t in range(limit + 1):
        if some_end:
            going = ~mdp.absorbing[state]
            if not going.all():
                log.lengths[here][running[~going]] = t
                running, state = running[going], state[going]
        if t == limit or not running.size:
            break
        k = steps.draw(state, rng)
        reward = reward_of.take(state * INDEX(K) + k)
        state = state_after.take(k)
        log.write(t, here, running, state, action_of.take(k), reward)
    log.lengths[here][running] = t
    return len(running)


class _Log:
    """What happened, time-major in memory since estimators work step by step; rows are added."""

    def __init__(self, m: int, rows: int):
        self.states = np.empty((rows + 1, m), INDEX)
        self.actions = np.empty((rows, m), INDEX)
        self.rewards = np.empty((rows, m))
        self.lengths = np.empty(m, np.intp)

    def write(self, t, here, running, state, action, reward):
        """Enter step t of a block: padding first where some trajectories have ended."""
        if t == len(self.actions):
            for name in ("states", "actions", "rewards"):
                rows = getattr(self, name)
                setattr(
                    self, name, np.concatenate([rows, np.empty((t, rows.shape[1]), rows.dtype)])
                )
        states, actions, rewards = (
            self.states[t + 1, here],
            self.actions[t, here],
            self.rewards[t, here],
        )
        if len(running) == len(states):
            states[:], actions[:], rewards[:] = state, action, reward
            return
        states[:], actions[:], rewards[:] = self.states[t, here], NO_ACTION, 0.0
        states[running], actions[running], rewards[running] = state, action, reward

    def finished(self) -> Trajectories:
        """Cut off the rows that no trajectory reached, and pad the blocks that ended early."""
        H = int(self.lengths.max())
        for left in range(0, len(self.lengths), BLOCK):
            here = slice(left, left + BLOCK)
            T = int(self.lengths[here].max())
            self.states[T + 1 : H + 1, here] = self.states[T, here]
            self.actions[T:H, here], self.rewards[T:H, here] = NO_ACTION, 0.0
        return Trajectories(
            self.states[: H + 1].T, self.actions[:H].T, self.rewards[:H].T, self.lengths
        )


@dataclass(frozen=True, eq=False)
class _GuideTable:
    """n distributions over K outcomes: cumulative, in units of a cell, and the guide."""

    upper: np.ndarray  # (n, K) upper ends of the intervals, times C
    guide: np.ndarray  # (n * C,) the outcome of each cell, or -1 where an end cuts through it
    cells: int

    @classmethod
    def build(cls, probabilities: np.ndarray, draws: int) -> _GuideTable:
        """Make the table finer the more draws will pay for it."""
        C = 1 << int(np.clip(draws // 16, 16, 4096)).bit_length()
        upper = np.cumsum(probabilities, axis=1) * C
        for row, p in zip(upper, probabilities, strict=True):
            row[np.flatnonzero(p)[-1] :] = (
                C  # whatever rounding left over goes to a possible outcome
            )
        cell = np.arange(C)
        guide = np.empty((len(upper), C), INDEX)
        for row, ends in zip(guide, upper, strict=True):
            first = np.searchsorted(ends, cell, side="right")
            last = np.searchsorted(ends, cell + 1, side="left")
            row[:] = np.where(first == last, first, -1)
        return cls(upper, guide.reshape(-1), C)

    def draw(self, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one outcome from distribution row[i], for each i: (len(row),) integers."""
        u = rng.random(row.size)
        u *= self.cells
        at = u.astype(INDEX)
        at += row * INDEX(self.cells)
        k = self.guide.take(at)
        cut = np.flatnonzero(k < 0)
        k[cut] = (u[cut, None] >= self.upper[row[cut]]).sum(axis=1)
        return k


def _require_count(name: str, value) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number; it is {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1; it is {value}")
