r"""Whole trajectories, many at a time, as arrays.

A trajectory is tau = (s_0, a_0, r_0, s_1, a_1, r_1, ..., s_T) with T <= H actions.  Sampled
and enumerated trajectories have the same form, so that an estimator can be given either:
samples to estimate its mean, all trajectories to compute it.

Trajectories of different lengths share one array.  After the end of trajectory i, that is for
t >= lengths[i], the state stays where it is, the reward is 0 and the action is ``NO_ACTION``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .validate import rectangular

SLAB = 1 << 19  # entries looked at together when checking; they then stay in the cache
NO_ACTION = -1  # not an index on purpose: a step that never happened must not be counted

__all__ = ["NO_ACTION", "Trajectories"]


@dataclass(frozen=True, eq=False)
class Trajectories:
    """m trajectories, padded to a common number of steps H.

    Parameters
    ----------
    states : (m, H+1) integers 0, 1, ...; after the end, the last one again.
    actions : (m, H) integers 0, 1, ...; ``NO_ACTION`` after the end.
    rewards : (m, H) finite numbers; 0 after the end.
    lengths : (m,) integers 0 .. H, the number of actions taken.

    NumPy arrays are neither copied nor frozen; lists and other libraries' arrays are read into new
    ones, but for masked arrays, which are refused.

    Raises
    ------
    ValueError, TypeError
        if the shapes do not fit together, or naming the entry that is wrong: no number of a state
        or an action, a reward that is NaN or infinite, or a step after the end at which something
        happens.
    """

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    lengths: np.ndarray

    def __post_init__(self):
        for name, kinds, what in (
            ("states", "iu", "integers"),
            ("actions", "iu", "integers"),
            ("rewards", "iuf", "real numbers"),
            ("lengths", "iu", "integers"),
        ):
            object.__setattr__(self, name, _array(name, getattr(self, name), kinds, what))
        if self.actions.ndim != 2:
            raise ValueError(f"actions must have shape (m, H); it has {self.actions.shape}")
        m, H = self.actions.shape
        for name, shape in (("states", (m, H + 1)), ("rewards", (m, H)), ("lengths", (m,))):
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"{name} must have shape {shape}; it has {getattr(self, name).shape}"
                )
        _refuse("lengths", self.lengths, _outside(self.lengths, 0, H), f"lie in 0 .. {H}")
        _refuse("states", self.states, _outside(self.states, 0), "be a state number 0, 1, ...")
        numbers = "be an action number 0, 1, ... or NO_ACTION"
        _refuse("actions", self.actions, _outside(self.actions, NO_ACTION), numbers)
        for i, t in _slabs(self.actions):
            if not self._sound(i, t):
                self._refuse_step(i, t)

    def _sound(self, i: slice, t: slice) -> bool:
        """Do trajectories i at steps t hold finite rewards, and nothing after the end?"""
        rewards, idle = self.rewards[i, t], self.actions[i, t] == NO_ACTION
        if not np.isfinite(rewards).all():
            return False
        if self.lengths[i].min() >= t.stop:
            return not idle.any()
        happens = rewards != 0
        happens |= self.states[i, t.start + 1 : t.stop + 1] != self.states[i, t]
        happens &= idle
        return not happens.any() and not (idle == self._before_end(i, t)).any()

    def _refuse_step(self, i: slice, t: slice) -> None:
        """Name what is wrong, knowing that something is."""
        over, after = ~self._before_end(i, t), slice(t.start + 1, t.stop + 1)
        actions, rewards, states = self.actions[i, t], self.rewards[i, t], self.states[i, after]
        idle, moved = actions == NO_ACTION, states != self.states[i, t]
        here, ended = (i.start, t.start), "after the end of the trajectory"
        _refuse("rewards", rewards, ~np.isfinite(rewards), "be finite", here)
        taken = "be an action number 0, 1, ... before the end of the trajectory"
        _refuse("actions", actions, idle & ~over, taken, here)
        _refuse("actions", actions, over & ~idle, f"be NO_ACTION {ended}", here)
        _refuse("rewards", rewards, over & (rewards != 0), f"be 0 {ended}", here)
        same = f"be the state before it {ended}"
        _refuse("states", states, over & moved, same, (i.start, after.start))

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def happened(self) -> np.ndarray:
        """(m, H) booleans: was an action taken at step t of trajectory i?"""
        m, H = self.actions.shape
        return self._before_end(slice(0, m), slice(0, H))

    def _before_end(self, i: slice, t: slice) -> np.ndarray:
        steps = np.arange(t.start, t.stop)
        return (steps[:, None] < self.lengths[i]).T  # time-major in memory, like what is sampled


def _array(name: str, value, kinds: str, what: str) -> np.ndarray:
    array = value if type(value) is np.ndarray else rectangular(name, value)
    if array.dtype.kind not in kinds:
        raise TypeError(f"{name} must hold {what}; it holds {array.dtype}")
    return array


def _outside(array: np.ndarray, low: int, high: int | None = None) -> np.ndarray:
    """Which entries are out of bounds; empty, and quickly so, where none is."""
    if not array.size or (array.min() >= low and (high is None or array.max() <= high)):
        return np.zeros((0,) * array.ndim, bool)
    return (array < low) | (False if high is None else array > high)


def _refuse(name: str, array, wrong: np.ndarray, must: str, first=(0,)) -> None:
    """Name the first entry that is wrong; ``first`` is where the array's own entries begin."""
    if wrong.any():
        at = np.argwhere(wrong)[0]
        place = ", ".join(str(k) for k in at + np.array(first))
        raise ValueError(f"{name}[{place}] must {must}; it is {array[tuple(at)]}")


def _slabs(array: np.ndarray):
    """Cut an array into slices (rows, columns) of about ``SLAB`` entries.

    They are whole rows or whole columns, whichever are contiguous in memory.
    """
    m, H = array.shape
    if not array.size:
        return
    if array.strides[0] > array.strides[1]:
        many = max(1, SLAB // H)
        yield from ((slice(i, min(i + many, m)), slice(0, H)) for i in range(0, m, many))
    else:
        many = max(1, SLAB // m)
        yield from ((slice(0, m), slice(t, min(t + many, H))) for t in range(0, H, many))
