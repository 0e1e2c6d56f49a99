r"""Draw whole trajectories, all of them one step at a time.

A step from state s has A*S outcomes k = (a, s') with probabilities pi(a|o(s)) P(s'|s, a).  One
uniform number u picks one of them: the outcome whose interval of the cumulative probabilities
holds u.  A guide table saves the search: cut [0, 1) into C equal cells; where a cell lies
within one interval, the table names the outcome at once; for a cell that an interval's end cuts
through it names the first and the last that reach into it, and a binary search among these few
finds the one.  C is a power of two, so that scaling u loses no bit and the result does not depend
on C.  An outcome of probability 0 has an empty interval and is never drawn.

**What is promised.**  The same world, policy, m and state of ``rng`` give the same trajectories, on
every machine.  Trajectory i of m is not trajectory i of more or fewer: all that are still on
their way take their numbers from one stream, step by step, in blocks of ``BLOCK``.

Source: the method of guide tables, Devroye (1986), section III.2.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .mdp import MDP
from .memory import require_memory
from .trajectories import NO_ACTION, Trajectories
from .validate import require_count, require_flag, require_generator, require_instance

DEFAULT_MAX_STEPS = 10_000
BLOCK = 8192  # trajectories walked together; their scratch arrays then stay in the cache
INDEX = np.int32  # half the memory of the default integer, and trajectories are mostly indices
FEW = 1 << 11  # comparisons that are sooner made than avoided
GUIDES = 1 << 22  # cells in the guides of all states together, 16 MB of them

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
    rng : the source of randomness; with its state, the same m gives the same trajectories.  The
        first ten of m = 20 are not those of m = 10.
    max_steps : give up after so many actions; default: the horizon, or 10,000 where there is none.
    truncate : return trajectories cut at ``max_steps``.  Their returns are then not those of J.

    Returns
    -------
    Trajectories, padded to the longest one.

    Raises
    ------
    ValueError
        unless ``truncate`` was asked for, if there is no horizon and the policy's episodes may
        never end, discounted or not: the message names the states; if trajectories are unfinished
        at ``max_steps``: the message counts them.
    TooLarge, a ValueError
        if this machine cannot hold m of them: the message says how much memory they need.
    ValueError, TypeError
        naming the argument that does not fit.
    """
    require_instance("mdp", mdp, MDP)
    m = require_count("m", m)
    require_generator(rng)
    if max_steps is not None:
        max_steps = require_count("max_steps", max_steps)
    if not require_flag("truncate", truncate):
        mdp.require_ending(pi)
        _require_whole_trajectories(mdp, pi)
    limit = DEFAULT_MAX_STEPS if mdp.horizon is None else mdp.horizon
    limit = limit if max_steps is None else min(limit, max_steps)

    sure = 0 if mdp.absorbing.any() else limit
    _require_room(m, sure, sure)

    outcomes = (mdp.action_probabilities(pi)[:, :, None] * mdp.P).reshape(mdp.S, -1)
    steps = _GuideTable.build(outcomes, m)
    starts = _GuideTable.build(mdp.mu[None, :].copy(), m)
    blocks, longest, taken = [], 0, 0
    for left in range(0, m, BLOCK):
        first = starts.draw(np.zeros(min(BLOCK, m - left), INDEX), rng)
        blocks.append(_walk(mdp, first, steps, limit, rng))
        log = blocks[-1][1]
        longest, taken = max(longest, len(log)), taken + sum(len(k) for _, _, k in log)
        _require_room(m, longest, taken / min(left + BLOCK, m))

    unfinished = sum(left for _, _, left in blocks)
    if unfinished and limit != mdp.horizon and not truncate:
        raise ValueError(
            f"{unfinished:,} of {m:,} trajectories are unfinished after max_steps = {limit:,} "
            "actions; allow more steps, or ask for truncate=True and mind what it does to J"
        )
    return _side_by_side(mdp, m, blocks)


def _require_whole_trajectories(mdp: MDP, pi) -> None:
    """A discount below 1 makes J finite, but no trajectory."""
    stuck = np.zeros(mdp.S, bool) if mdp.horizon is not None else mdp.endless(pi)
    if stuck.any():
        names = ", ".join(mdp.states[s] for s in np.flatnonzero(stuck))
        raise ValueError(
            "no horizon, and this policy's episodes may never end: no absorbing state can be "
            f"reached from state {names}; give the world a horizon, or ask for max_steps and "
            "truncate=True and mind what it does to J"
        )


def _require_room(m: int, longest: int, mean: float) -> None:
    """Refuse more trajectories than this machine can hold.

    A state, an action and a reward take 16 bytes for each of ``longest`` steps, padding and all,
    and the log of the walk as many for each step taken, ``mean`` of them.
    """
    what = f"m = {m:,} trajectories" + (f" of up to {longest:,} steps" if longest else "")
    require_memory(what, m * (16 + 16 * longest + 16 * mean))


def _walk(mdp: MDP, start, steps: _GuideTable, limit: int, rng):
    """Walk a block of trajectories to their ends, all of them one step at a time.

    Returns the start states, a log of who moved at each step, from where and with which outcome,
    and how many have not ended.
    """
    state_after = np.tile(np.arange(mdp.S, dtype=INDEX), mdp.A)
    some_end = bool(mdp.absorbing.any())
    log, running, state = [], np.arange(len(start)), start
    while True:
        if some_end:
            going = ~mdp.absorbing[state]
            if not going.all():
                running, state = running[going], state[going]
        if not running.size or len(log) == limit:
            return start, log, len(running)
        k = steps.draw(state, rng)
        log.append((running, state, k))
        state = state_after.take(k)


def _side_by_side(mdp: MDP, m: int, blocks) -> Trajectories:
    """Write the blocks side by side: time-major in memory, since estimators work step by step."""
    K = mdp.A * mdp.S
    action_of, state_after = np.divmod(np.arange(K, dtype=INDEX), INDEX(mdp.S))
    reward_of = mdp.R.reshape(-1)
    wide = INDEX if reward_of.size <= np.iinfo(INDEX).max else np.intp
    H = max(len(log) for _, log, _ in blocks)
    states, actions, rewards = (
        np.empty((H + 1, m), INDEX),
        np.empty((H, m), INDEX),
        np.zeros((H, m)),
    )
    lengths = np.zeros(m, np.intp)
    left = 0
    for start, log, _ in blocks:
        here = slice(left, left + len(start))
        states[0, here] = start
        for t, (running, state, k) in enumerate(log):
            at = slice(left, here.stop)
            if len(running) < len(start):  # the ended ones are padded
                states[t + 1, here], actions[t, here] = states[t, here], NO_ACTION
                at = left + running
            states[t + 1, at], actions[t, at] = state_after.take(k), action_of.take(k)
            rewards[t, at] = reward_of.take(state * wide(K) + k)
            lengths[at] = t + 1
        states[len(log) + 1 :, here], actions[len(log) :, here] = states[len(log), here], NO_ACTION
        left = here.stop
    return Trajectories(states.T, actions.T, rewards.T, lengths)


@dataclass(frozen=True, eq=False)
class _GuideTable:
    """n distributions over K outcomes: cumulative, in units of a cell, and the guide."""

    upper: np.ndarray  # (n * K,) upper ends of the intervals, times C
    guide: np.ndarray  # (n * C,) the outcome k of each cell, or -1 - k where an end cuts through it
    cells: int

    @classmethod
    def build(cls, probabilities: np.ndarray, draws: int) -> _GuideTable:
        """Make the table finer the more draws will pay for it; the (n, K) array is used up."""
        n, K = probabilities.shape
        C = 1 << int(np.clip(draws // 16, 16, 4096)).bit_length()
        while C > 32 and n * C > GUIDES:
            C >>= 1
        last = K - 1 - (probabilities[:, ::-1] != 0).argmax(axis=1)
        upper = np.cumsum(probabilities, axis=1, out=probabilities)
        upper *= C
        cell = np.arange(C)
        guide = np.empty((n, C), INDEX)
        for row, ends, k in zip(guide, upper, last, strict=True):
            ends[k:] = C  # whatever rounding left over goes to a possible outcome
            lowest = np.searchsorted(ends, cell, side="right")
            highest = np.searchsorted(ends, cell + 1, side="left")
            row[:] = np.where(lowest == highest, lowest, -1 - lowest)
        return cls(upper.reshape(-1), guide.reshape(-1), C)

    def draw(self, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one outcome from distribution row[i], for each i: (len(row),) integers."""
        u = rng.random(row.size)
        u *= self.cells
        at = u.astype(INDEX)
        at += row * INDEX(self.cells)
        k = self.guide.take(at)
        cut = np.flatnonzero(k < 0)
        if cut.size:
            k[cut] = self._search(u[cut], row[cut], at[cut])
        return k

    def _search(self, u: np.ndarray, row: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Count the ends that u has passed, by halving: all below low, and none from high on."""
        K = self.upper.size // (self.guide.size // self.cells)
        if u.size * K <= FEW:
            return (self.upper.reshape(-1, K)[row] <= u[:, None]).sum(axis=1)
        low, following = -1 - self.guide.take(at), self.guide.take(at + 1, mode="clip")
        high = np.where(following < 0, -1 - following, following)
        high[(at + 1) % self.cells == 0] = K - 1
        first = row.astype(np.intp) * K
        for _ in range(int((high - low).max()).bit_length()):
            middle = (low + high) >> 1
            passed = self.upper.take(first + middle) <= u
            low, high = np.where(passed, middle + 1, low), np.where(passed, high, middle)
        return low
