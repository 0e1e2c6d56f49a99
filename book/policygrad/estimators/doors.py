"""What the estimators ask of what comes in and goes out.

Trajectories must be of the world that they are said to be of, and results finite numbers.
"""

from __future__ import annotations

import numpy as np

from ..mdp import MDP
from ..trajectories import Trajectories

__all__ = ["require_finite", "require_finite_entries", "require_steps_of"]


def require_steps_of(mdp: MDP, tau: Trajectories, *, paid: bool) -> None:
    """Refuse trajectories that cannot have been drawn in this world.

    Each start must have mu(s) > 0 and each step P(s'|s, a) > 0, from a state that is no end; where
    ``paid``, each reward must be R(s, a, s').
    """
    for name, values, size in (("states", tau.states, mdp.S), ("actions", tau.actions, mdp.A)):
        if values.size and values.max() >= size:
            raise ValueError(
                f"trajectories are of another world: {name} must be below {size}; "
                f"one is {values.max()}"
            )
    if not (begun := (mdp.mu > 0).take(tau.states[:, 0])).all():
        i = int(begun.argmin())
        raise ValueError(
            f"trajectories are of another world: states[{i}, 0] is {tau.states[i, 0]}, "
            "where mu never starts"
        )
    possible = ((mdp.P > 0) & ~mdp.absorbing[:, None, None]).reshape(-1)
    if possible.all() and not paid:
        return
    rewards, shortest = mdp.R.reshape(-1), tau.lengths.min(initial=tau.actions.shape[1])
    small = possible.size < np.iinfo(np.int32).max
    for t in range(tau.actions.shape[1]):
        s, a, p = (
            x.astype(np.int32 if small else np.intp, copy=False)
            for x in (tau.states[:, t], tau.actions[:, t], tau.states[:, t + 1])
        )
        step = (s * mdp.A + a) * mdp.S + p  # what NO_ACTION makes of it is overruled below
        sound = possible.take(step, mode="wrap")
        if paid:
            sound &= rewards.take(step, mode="wrap") == tau.rewards[:, t]
        if t >= shortest:
            sound |= tau.lengths <= t
        if not sound.all():
            _refuse_step(mdp, tau, int(sound.argmin()), t)


def _refuse_step(mdp: MDP, tau: Trajectories, i: int, t: int) -> None:
    s, a, p = tau.states[i, t], tau.actions[i, t], tau.states[i, t + 1]
    if mdp.absorbing[s]:
        what = f"actions[{i}, {t}] is taken in state {s}, which is an end"
    elif not mdp.P[s, a, p] > 0:
        what = f"states[{i}, {t + 1}] is {p}, but P[{s}, {a}, {p}] is 0"
    else:
        what = (
            f"rewards[{i}, {t}] is {tau.rewards[i, t]}, but R[{s}, {a}, {p}] is {mdp.R[s, a, p]}; "
            "for rewards of your own, give the weights"
        )
    raise ValueError(f"trajectories are of another world: {what}")


def require_finite(what: str, values: np.ndarray) -> None:
    """Name the trajectory, the first index, of which an entry is no finite number."""
    finite = np.isfinite(values)
    if not finite.all():
        raise ValueError(f"{what} {int(np.argwhere(~finite)[0][0])} is beyond the largest float")


def require_finite_entries(what: str, values: np.ndarray) -> None:
    """Name the entry that is no finite number."""
    finite = np.isfinite(values)
    if not finite.all():
        at = ", ".join(str(i) for i in np.argwhere(~finite)[0])
        raise ValueError(f"{what}{f' [{at}]' if at else ''} is beyond the largest float")
