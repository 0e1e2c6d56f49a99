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

NO_ACTION = -1  # not an index on purpose: a step that never happened must not be counted

__all__ = ["NO_ACTION", "Trajectories"]


@dataclass(frozen=True, eq=False)
class Trajectories:
    """m trajectories, padded to a common number of steps H.

    Parameters
    ----------
    states : (m, H+1) integers.
    actions : (m, H) integers; ``NO_ACTION`` after the end.
    rewards : (m, H) floats; 0 after the end.
    lengths : (m,) integers, the number of actions taken.

    Raises
    ------
    ValueError
        if the shapes do not fit together, or a step after the end holds an action or a reward.
    """

    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    lengths: np.ndarray

    def __post_init__(self):
        if np.ndim(self.actions) != 2:
            raise ValueError(f"actions must have shape (m, H); it has {np.shape(self.actions)}")
        m, H = self.actions.shape
        for name, shape in (("states", (m, H + 1)), ("rewards", (m, H)), ("lengths", (m,))):
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"{name} must have shape {shape}; it has {getattr(self, name).shape}"
                )
        if m and not (0 <= self.lengths.min() and self.lengths.max() <= H):
            raise ValueError(f"lengths must lie in 0 .. {H}")
        taken = self.actions != NO_ACTION
        if not np.array_equal(taken, self.happened):
            raise ValueError(
                "actions must be NO_ACTION after the end of a trajectory, and only there"
            )
        if not taken.all() and self.rewards[~taken].any():
            raise ValueError("rewards must be 0 after the end of a trajectory")

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def happened(self) -> np.ndarray:
        """(m, H) booleans: was an action taken at step t of trajectory i?"""
        steps = np.arange(self.actions.shape[1])
        return (steps[:, None] < self.lengths).T  # time-major in memory, like what is sampled
