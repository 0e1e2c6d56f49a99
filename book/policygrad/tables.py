r"""Decision processes as other libraries write them down, read into arrays P and R.

* Gymnasium's toy-text tables ``table[s][a] = [(p, s', r, done), ...]``.  Outcomes of one (s, a)
  that lead to one s' become one entry: their probabilities add up, the reward is their mean,

      P(s'|s, a) = sum p,    R(s, a, s') = sum p r / sum p.

  J and every value stay as they are, since they depend on the rewards through this mean alone; the
  spread of single returns does not.
* Rewards of fewer arguments, R(s, a) or R(s), are paid whatever comes next:
  R(s, a, s') = R(s, a), or R(s).

Source: Gymnasium's environments FrozenLake, Taxi and CliffWalking, attribute ``P``; Puterman
(1994), section 2.1, for the mean reward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .validate import (
    SUM_TOLERANCE,
    real_array,
    require_between,
    require_count,
    require_flag,
    require_one_of,
)

REWARDS = ("transition", "action", "state")  # what a reward depends on

__all__ = ["REWARDS", "arrays_of_table", "reward_array"]


def reward_array(R, S: int, A: int, rewards: str) -> np.ndarray:
    """Read rewards into an (S, A, S) array.

    Parameters
    ----------
    R : (S, A, S) for ``rewards="transition"``, (S, A) for "action", (S,) for "state".

    Raises
    ------
    ValueError, TypeError
        naming the entry that is wrong, or with both shapes where they do not fit.
    """
    R, given = real_array("R", R), require_one_of("rewards", rewards, REWARDS)
    shapes = {"transition": (S, A, S), "action": (S, A), "state": (S,)}
    if R.shape != shapes[given]:
        fits = [name for name, shape in shapes.items() if shape == R.shape]
        hint = f'; if that is meant, say rewards="{fits[0]}"' if fits else ""
        what = "the shape of P, " if given == "transition" else ""
        raise ValueError(f"R must have {what}{shapes[given]}; it has {R.shape}{hint}")
    if given == "transition":
        return R
    return np.broadcast_to(R[:, None, None] if given == "state" else R[:, :, None], (S, A, S))


def arrays_of_table(table) -> tuple[np.ndarray, np.ndarray, bool]:
    """Read a table ``table[s][a] = [(p, s', r, done), ...]`` into (P, R, was a state added?).

    Where ``done`` is set the episode is over: the outcome leads to s' if that is absorbing by its
    own row, as the holes of FrozenLake are, and else to one more state, the last, which is.

    Returns
    -------
    P, R : (S, A, S) arrays, S the number of states, with the added one if there is one.
    added : bool.

    Raises
    ------
    ValueError, TypeError
        naming the entry of the table that is wrong, and what was expected.
    """
    rows = _rows("table", table)
    S, A = len(rows), len(_rows("table[0]", rows[0]))
    p, r = np.zeros((2, S, A, S + 1, 2))  # the last axis: goes on, or is done
    for s, row in enumerate(rows):
        actions = _rows(f"table[{s}]", row)
        if len(actions) != A:
            raise ValueError(
                f"table[{s}] must hold {A} actions as table[0] does; it holds {len(actions)}"
            )
        for a, outcomes in enumerate(actions):
            for chance, to, reward, done in _outcomes(f"table[{s}][{a}]", outcomes, S):
                p[s, a, to, int(done)] += chance
                r[s, a, to, int(done)] += chance * reward

    s = np.arange(S)
    stays = np.isclose(p.sum(axis=-1)[s, :, s], 1.0, rtol=0, atol=SUM_TOLERANCE)
    ends = (stays & ~r.any(axis=(2, 3))).all(axis=1)
    p, r = _redirected(p, ends), _redirected(r, ends)
    R = np.divide(r, p, out=np.zeros_like(r), where=p > 0)
    added = bool(p[..., S].any())
    if not added:
        return p[..., :S], R[..., :S], False
    last = np.broadcast_to(np.eye(S + 1)[S], (1, A, S + 1))
    return np.concatenate([p, last]), np.concatenate([R, np.zeros_like(last)]), True


def _redirected(x: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Let what is done lead to the added state, except into a state that is an end itself."""
    out, done = x[..., 0].copy(), x[..., :-1, 1]
    out[..., :-1] += done * ends
    out[..., -1] += (done * ~ends).sum(axis=2)
    return out


def _rows(name: str, value) -> list:
    """The entries numbered 0, 1, ... of a mapping or a sequence."""
    if isinstance(value, Mapping):
        missing = [k for k in range(len(value)) if k not in value]
        if missing:
            raise ValueError(
                f"{name} must have the keys 0 .. {len(value) - 1}; it has no {missing[0]}"
            )
        value = [value[k] for k in range(len(value))]
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise TypeError(
            f"{name} must be a mapping or a list, numbered from 0; it is of type "
            f"{type(value).__name__}"
        )
    if not len(value):
        raise ValueError(f"{name} must hold at least one entry; it holds none")
    return list(value)


def _outcomes(name: str, outcomes, S: int):
    """Yield (p, s', r, done) of one state and action, each looked at."""
    total = 0.0
    for k, outcome in enumerate(_rows(name, outcomes)):
        here = f"{name}[{k}]"
        if not isinstance(outcome, Sequence) or isinstance(outcome, str) or len(outcome) != 4:
            raise ValueError(
                f"{here} must be (probability, next state, reward, done); it is {outcome!r}"
            )
        p, to, reward, done = outcome
        p = require_between(f"{here}, the probability,", p, 0.0, 1.0)
        to = require_count(f"{here}, the next state,", to, 0, S - 1)
        reward = float(real_array(f"{here}, the reward,", reward, ()))
        done = require_flag(f"{here}, done,", done)
        total += p
        if p > 0:
            yield p, to, reward, done
    if not abs(total - 1.0) <= SUM_TOLERANCE:
        raise ValueError(f"the probabilities of {name} must sum to 1; they sum to {total:.12g}")
