"""Worlds of a few states, made by hand, each with a closed form that can be checked on paper."""

from __future__ import annotations

import numpy as np

from ..mdp import MDP
from ..validate import real_array, real_number, require_count, require_discount, require_flag

__all__ = ["aliased_pair", "bandit", "gamma_trap", "short_corridor", "two_keys", "two_state"]


def bandit(rewards, chances=None) -> MDP:
    """Build a bandit: one decision, and arm a pays rewards[a] with probability chances[a], else 0.

    J(theta) = sum_a pi(a) chances[a] rewards[a].  There is nothing to discount: gamma = 1.

    Parameters
    ----------
    rewards : (A,) what each arm pays.
    chances : (A,) probabilities; default: every arm always pays.

    Raises
    ------
    ValueError, TypeError
        if the shapes differ or there is no arm, or naming the entry of ``rewards`` or ``chances``
        that is wrong.
    """
    rewards = real_array("rewards", rewards)
    chances = np.ones_like(rewards) if chances is None else real_array("chances", chances)
    if rewards.ndim != 1 or chances.shape != rewards.shape:
        raise ValueError(
            "rewards and chances must be two lists of one length, an entry per arm; "
            f"they have shapes {rewards.shape} and {chances.shape}"
        )
    if not rewards.size:
        raise ValueError("rewards must hold an entry for one arm at least; it holds none")
    for a in np.flatnonzero((chances < 0) | (chances > 1)):
        raise ValueError(f"chances[{a}] must be a probability; it is {chances[a]:g}")
    A = len(rewards)
    P, R = np.zeros((3, A, 3)), np.zeros((3, A, 3))
    P[0, :, 1], P[0, :, 2] = chances, 1.0 - chances
    R[0, :, 1] = rewards
    P[1, :, 1] = P[2, :, 2] = 1.0
    return MDP(
        P, R, [1, 0, 0], horizon=1, observe=[0, 0, 0], states=["start", "paid", "unpaid"], gamma=1.0
    )


def two_state(horizon: int | None = 3, *, gamma: float) -> MDP:
    """Build a world of two states and two actions in which every transition is possible.

    From its start there are 4^H trajectories: 64 for H = 3.  Being in state 1 pays;
    "push" makes state 1 likelier and costs a little.

    Raises
    ------
    ValueError, TypeError
        if the horizon is neither None nor a whole number of at least 1, or gamma none in [0, 1].
    """
    P = np.array([[[0.8, 0.2], [0.3, 0.7]], [[0.6, 0.4], [0.1, 0.9]]])
    R = np.array([[[0.0, 1.0], [-0.2, 0.8]], [[0.0, 2.0], [-0.2, 1.8]]])
    return MDP(P, R, [1, 0], horizon=horizon, gamma=gamma, actions=["wait", "push"])


def short_corridor() -> MDP:
    """Build the short corridor with switched actions: four states, one percept, gamma = 1.

    Start in 0.  Left in 0 stays; in 1 the actions are reversed; right in 2 ends.  Every step
    costs 1, the last included.  With p = pi(right):

        J(p) = (2p - 4) / (p (1 - p)),  largest at p = 2 - sqrt(2), where it is -6 - 4 sqrt(2).

    Source: Sutton & Barto (2018), Example 13.1.
    """
    left, right = 0, 1
    P = np.zeros((4, 2, 4))
    P[0, left, 0] = P[0, right, 1] = 1.0
    P[1, left, 2] = P[1, right, 0] = 1.0
    P[2, left, 1] = P[2, right, 3] = 1.0
    P[3, :, 3] = 1.0
    R = np.full((4, 2, 4), -1.0)
    R[3] = 0.0
    return MDP(
        P,
        R,
        [1, 0, 0, 0],
        observe=[0, 0, 0, 0],
        states=["0", "1", "2", "end"],
        actions=["left", "right"],
        percepts=["corridor"],
        gamma=1.0,
    )


def two_keys(silver: float = 1.0, gold: float = 2.0, *, felt: bool = False) -> MDP:
    """Build a hall with two keys and a room with two doors, which fit one key each.

    Left in the hall takes the silver key, right the gold one.  The left door opens with the silver
    key, and behind it lies ``silver``; the right one with the gold key, and there lies ``gold``.  A
    key in the wrong door earns nothing.  The key is not felt, so the two states of the second room
    share a percept.  Nothing is discounted.  With p = pi(right) in the hall, q at the doors:

        J = (1 - p)(1 - q) silver + p q gold

    Parameters
    ----------
    silver, gold : what lies behind the left door and the right one.
    felt : True lets the agent feel its key, so that nothing is hidden.

    Raises
    ------
    ValueError, TypeError
        naming the argument that is no such number or truth value.
    """
    silver, gold = real_number("silver", silver), real_number("gold", gold)
    felt = require_flag("felt", felt)
    hall, with_silver, with_gold, end = range(4)
    left, right = 0, 1
    P, R = np.zeros((4, 2, 4)), np.zeros((4, 2, 4))
    P[hall, left, with_silver] = P[hall, right, with_gold] = 1.0
    P[[with_silver, with_gold, end], :, end] = 1.0
    R[with_silver, left, end], R[with_gold, right, end] = silver, gold
    return MDP(
        P,
        R,
        [1, 0, 0, 0],
        gamma=1.0,
        observe=[0, 1, 2, 2] if felt else [0, 1, 1, 1],
        states=["hall", "silver", "gold", "end"],
        actions=["left", "right"],
        percepts=["hall", "silver", "gold"] if felt else ["hall", "doors"],
    )


def aliased_pair(reward: float = 1.0, *, gamma: float, start: int = 0) -> MDP:
    """Build two aliased states: the action that is right in one is wrong in the other.

    In state 0 "go" pays +reward and leads to state 1, "turn" pays -reward and stays.  In state 1
    it is the other way about: "turn" pays +reward and leads to state 0, "go" pays -reward and
    stays.  There is no end.  From state 0:

        state seen, go and turn by turns:  reward / (1 - gamma)
        one percept, always go:            reward - gamma reward / (1 - gamma)
        one percept, either by chance 1/2: 0

    Parameters
    ----------
    reward : what a right action pays and a wrong one costs.
    gamma : discount, below 1.
    start : the first state, 0 or 1.

    Raises
    ------
    ValueError, TypeError
        if gamma is 1, since J would be infinite, or start is neither state; or naming the argument
        that is no such number.

    Source: after the two aliased states of Singh, Jaakkola & Jordan (1994).
    """
    reward, gamma = real_number("reward", reward), require_discount(gamma)
    if gamma == 1.0:
        raise ValueError("gamma must be below 1: this world has no end")
    start = require_count("start", start, 0, 1)
    go, turn = 0, 1
    P, R = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    P[0, go, 1] = P[0, turn, 0] = P[1, turn, 0] = P[1, go, 1] = 1.0
    R[0, go, 1] = R[1, turn, 0] = reward
    R[0, turn, 0] = R[1, go, 1] = -reward
    return MDP(
        P,
        R,
        np.eye(2)[start],
        gamma=gamma,
        observe=[0, 0],
        actions=["go", "turn"],
        percepts=["either"],
    )


def gamma_trap(gamma: float) -> MDP:
    """Build the world in which the update without gamma^t climbs down.

    Two decisions with one shared parameter p = pi(right).  First: right pays 1, left 0.  Then: left
    pays 2.5 and ends; right pays 0, and 8 arrives three steps later.

        J(p) = p + gamma 2.5 (1 - p) + gamma^4 8 p,  for gamma = 1/2: J' = +1/4.

    Raises
    ------
    ValueError, TypeError
        if gamma is no number in [0, 1].

    Source: an example of the kind given by Nota & Thomas (2020).
    """
    gamma = require_discount(gamma)
    names = ["first", "second", "wait 1", "wait 2", "wait 3", "end"]
    left, right = 0, 1
    P, R = np.zeros((6, 2, 6)), np.zeros((6, 2, 6))
    P[0, :, 1] = P[1, left, 5] = P[1, right, 2] = P[2, :, 3] = P[3, :, 4] = P[4, :, 5] = 1.0
    P[5, :, 5] = 1.0
    R[0, right, 1] = 1.0
    R[1, left, 5] = 2.5
    R[4, :, 5] = 8.0
    return MDP(
        P,
        R,
        [1, 0, 0, 0, 0, 0],
        gamma=gamma,
        observe=[0] * 6,
        states=names,
        actions=["left", "right"],
    )
