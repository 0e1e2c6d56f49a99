r"""J and grad J by listing every trajectory: the definition itself, for short episodes.

    P(tau) = mu(s_0) prod_t pi(a_t|s_t) P(s_{t+1}|s_t, a_t),      R(tau) = sum_t gamma^t r_t,

    J = sum_tau P(tau) R(tau),      grad J = sum_tau P(tau) R(tau) sum_t grad log pi(a_t|s_t).

The list holds every trajectory that the dynamics allow, whatever the policy: there are up to
(A S)^H.  They are counted, in whole numbers and backwards in time, before any is listed.

Source: Williams (1992), section 3, for the sum over histories; Sutton & Barto (2018), section 13.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..mdp import MDP, reachable
from ..memory import FLOAT, require_memory
from ..policies import score, softmax_policy
from ..trajectories import NO_ACTION, Trajectories
from ..validate import (
    real_array,
    require_count,
    require_instance,
    require_policy,
    whole_array,
)
from .limits import require_finite

COUNTED_STEPS = 10_000  # so many steps are counted exactly before "at least" will do
PER_STEP = 8  # numbers held for each step of each trajectory, while they are listed

__all__ = [
    "EnumeratedTrajectories",
    "enumerate_trajectories",
    "expected_return",
    "policy_gradient",
]


def expected_return(mdp: MDP, pi) -> float:
    """Compute J = sum_tau P(tau) R(tau); arguments as :func:`.routes.expected_return`."""
    tau = enumerate_trajectories(mdp)
    return tau.probability(pi) @ tau.returns


def policy_gradient(mdp: MDP, theta) -> np.ndarray:
    """Compute grad J from the scores; arguments as :func:`.routes.policy_gradient`.

    grad J = sum_tau P(tau) R(tau) sum_t grad log pi(a_t|s_t)
    """
    require_memory("the table of scores", FLOAT * (mdp.O * mdp.A) ** 2, 'method="adjoint" has none')
    tau = enumerate_trajectories(mdp)
    scores = score(theta)
    weight = tau.probability(softmax_policy(theta)) * tau.returns
    gradient = np.zeros(scores.shape[:2])
    for t in range(tau.actions.shape[1]):
        i = tau.happened[:, t]
        gradient += np.einsum("i,ipb->pb", weight[i], scores[tau.percepts[i, t], tau.actions[i, t]])
    return gradient


@dataclass(frozen=True, eq=False)
class EnumeratedTrajectories(Trajectories):
    """Every trajectory that the dynamics allow, whatever the policy.

    Parameters (beyond those of :class:`Trajectories`)
    ----------
    dynamics : (m,) the factors that no policy can change, mu(s_0) prod_t P(s_{t+1}|s_t, a_t).
    returns : (m,) R(tau) = sum_t gamma^t r_t.
    percepts : (m, H) integers, the percept seen at each step.
    O, A : how many percepts and actions the world has.
    """

    dynamics: np.ndarray
    returns: np.ndarray
    percepts: np.ndarray
    O: int
    A: int

    def __post_init__(self):
        super().__post_init__()
        m, H = self.actions.shape
        for name in ("O", "A"):
            object.__setattr__(self, name, require_count(name, getattr(self, name)))
        for name in ("dynamics", "returns"):
            object.__setattr__(self, name, real_array(name, getattr(self, name), (m,), "(m,)"))
        percepts = whole_array("percepts", self.percepts, (m, H), "(m, H)")
        object.__setattr__(self, "percepts", percepts)

    @classmethod
    def unchecked(cls, O: int, A: int, **arrays: np.ndarray) -> EnumeratedTrajectories:
        """Build a list from rows of another, which was checked when it was made."""
        out = object.__new__(cls)
        out.__dict__.update(arrays, O=O, A=A)
        return out

    def probability(self, pi) -> np.ndarray:
        """P(tau) = mu(s_0) prod_t P(s_{t+1}|s_t, a_t) pi(a_t|s_t), for each trajectory: (m,).

        Raises
        ------
        ValueError, TypeError
            naming the entry of ``pi``, an (O, A) policy, that is wrong.
        """
        return self.dynamics * self._policy_factors("pi", pi).prod(axis=1)

    def ratio(self, new, old) -> np.ndarray:
        """P(tau; new) / P(tau; old) = prod_t new(a_t|s_t) / old(a_t|s_t): (m,).

        Raises
        ------
        ValueError
            if some action has probability 0 under ``old``: the ratio is then undefined; or naming
            the entry of ``new`` or ``old``, both (O, A) policies, that is wrong.
        """
        factors = self._policy_factors("old", old)
        if (factors == 0).any():
            raise ValueError("old gives probability 0 to an action that occurs; no ratio exists")
        return (self._policy_factors("new", new) / factors).prod(axis=1)

    def locate(self, tau: Trajectories) -> np.ndarray:
        """Find each of the trajectories ``tau`` in this list: (m,) row numbers.

        Trajectories are compared by their states and actions; padding does not count.

        Raises
        ------
        ValueError, TypeError
            naming the first trajectory that does not stand in the list, as where it is of another
            world; or if ``tau`` holds no trajectories.
        """
        require_instance("tau", tau, Trajectories)
        steps = max(self.actions.shape[1], tau.actions.shape[1])
        listed, drawn = (_as_rows(x, steps) for x in (self, tau))
        key = np.zeros(len(listed) + len(drawn), np.int64)
        for column in np.concatenate([listed, drawn]).T:  # equal so far, equal key
            _, key = np.unique(key * (column.max() + 1) + column, return_inverse=True)
        key, wanted = key[: len(listed)], key[len(listed) :]
        row = np.full(max(key.max(), wanted.max(initial=0)) + 1, -1)
        row[key] = np.arange(len(key))
        found = row[wanted]
        if (found < 0).any():
            i = int((found < 0).argmax())
            raise ValueError(
                f"trajectory {i} does not stand in the list: states {tau.states[i].tolist()}, "
                f"actions {tau.actions[i].tolist()}"
            )
        return found

    def _policy_factors(self, name: str, pi) -> np.ndarray:
        pi = require_policy(pi, self.O, self.A, name=name)
        return np.where(self.happened, pi[self.percepts, self.actions], 1.0)


def _as_rows(tau: Trajectories, steps: int) -> np.ndarray:
    """Start, then action and next state of each step, from 1 on; 0 where nothing happened."""
    out = np.zeros((len(tau), 2 * steps + 1), np.int64)
    out[:, 0] = tau.states[:, 0] + 1
    wide = 2 * tau.actions.shape[1]
    out[:, 1 : wide + 1 : 2] = tau.happened * (tau.actions + 1)
    out[:, 2 : wide + 2 : 2] = tau.happened * (tau.states[:, 1:] + 1)
    return out


def enumerate_trajectories(mdp: MDP, *, limit: int = 1_000_000) -> EnumeratedTrajectories:
    """List all trajectories with mu(s_0) prod_t P(s_{t+1}|s_t, a_t) > 0, with any actions.

    Parameters
    ----------
    mdp : the world; its episodes must be bounded in length.
    limit : refuse to list more than so many.

    Raises
    ------
    ValueError, TypeError
        with the number of trajectories, if there are more than ``limit`` or infinitely many; if
        they would not fit into memory, or a return not into a float; or naming the argument that
        is wrong.
    """
    require_instance("mdp", mdp, MDP)
    limit = require_count("limit", limit, 0)
    _require_few(mdp, limit)
    states, actions = _listed(mdp)
    before, after, happened = states[:, :-1], states[:, 1:], actions != NO_ACTION
    rewards = np.where(happened, mdp.R[before, actions, after], 0.0)
    factors = np.where(happened, mdp.P[before, actions, after], 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        returns = require_finite("a return", rewards @ mdp.gamma ** np.arange(actions.shape[1]))
    return EnumeratedTrajectories(
        states=states,
        actions=actions,
        rewards=rewards,
        lengths=happened.sum(axis=1),
        dynamics=mdp.mu[states[:, 0]] * factors.prod(axis=1),
        returns=returns,
        percepts=mdp.observe[before],
        O=mdp.O,
        A=mdp.A,
    )


def _require_few(mdp: MDP, limit: int) -> None:
    count, steps, counted = _count_trajectories(mdp, limit)
    if count == math.inf:
        raise ValueError(
            "there are infinitely many trajectories: no horizon, and the world can go in circles; "
            'the routes "adjoint" and "forwards" need no list'
        )
    if count > limit:
        many = f"{count:,}" if count < 10**15 else f"about 10^{math.log10(count):.0f}"
        many = many if counted else f"at least {many}"
        raise ValueError(f"there are {many} trajectories, more than the limit of {limit:,}")
    require_memory(
        f"a list of {count:,} trajectories of {steps:,} steps", FLOAT * PER_STEP * count * steps
    )


def _listed(mdp: MDP) -> tuple[np.ndarray, np.ndarray]:
    """Every (states, actions), grown by one step at a time, each by all that may follow."""
    successors = [np.argwhere(mdp.P[s] > 0) for s in range(mdp.S)]
    fan_out = np.array([0 if mdp.absorbing[s] else len(successors[s]) for s in range(mdp.S)])
    table = np.zeros((mdp.S, max(fan_out.max(), 1), 2), np.intp)
    for s, pairs in enumerate(successors):
        table[s, : fan_out[s]] = pairs[: fan_out[s]]

    states, actions = (
        np.flatnonzero(mdp.mu > 0)[:, None],
        np.zeros((np.count_nonzero(mdp.mu), 0), int),
    )
    steps = 0
    while (fan_out[states[:, -1]] > 0).any() and steps != mdp.horizon:
        last = states[:, -1]
        copies = np.maximum(fan_out[last], 1)  # an ended trajectory is carried along, padded
        row = np.repeat(np.arange(len(last)), copies)
        branch = np.arange(len(row)) - np.repeat(np.cumsum(copies) - copies, copies)
        a, s = table[last[row], branch].T
        ended = fan_out[last[row]] == 0
        states = np.column_stack([states[row], np.where(ended, last[row], s)])
        actions = np.column_stack([actions[row], np.where(ended, NO_ACTION, a)])
        steps += 1

    return states, actions


def _count_trajectories(mdp: MDP, limit: int) -> tuple[int | float, int, bool]:
    """Count them backwards in time, in whole numbers: (count, their steps, is it exact?).

    Once the count does not change it never will, and it never falls: where it is beyond the limit
    after ``COUNTED_STEPS``, "at least so many" is enough.
    """
    starts = np.flatnonzero(mdp.mu > 0)
    going = reachable((mdp.P > 0).any(axis=1), mdp.mu > 0) & ~mdp.absorbing
    branches = [
        [int(p) for p in np.argwhere(mdp.P[s] > 0)[:, 1]] if going[s] else [] for s in range(mdp.S)
    ]
    steps = _longest(mdp, going)
    if steps == math.inf:
        return math.inf, steps, True
    count = [1] * mdp.S
    for t in range(steps):
        shorter, count = count, [sum(count[p] for p in out) if out else 1 for out in branches]
        if count == shorter:
            break
        total = sum(count[s] for s in starts)
        if t >= COUNTED_STEPS and total > limit:
            return total, steps, False
    return sum(count[s] for s in starts), steps, True


def _longest(mdp: MDP, going: np.ndarray) -> int | float:
    """Give the steps of the longest trajectory.

    One of as many steps as there are states visits some state twice, and can go on for ever.
    """
    moves, reached = (mdp.P > 0).any(axis=1) & going[:, None], mdp.mu > 0
    for t in range(mdp.S):
        if t == mdp.horizon or not (reached & going).any():
            return t
        reached = moves[reached].any(axis=0)
    return math.inf if mdp.horizon is None else mdp.horizon
