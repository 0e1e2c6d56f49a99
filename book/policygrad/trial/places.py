r"""A place: where an update is tried.  Its groups, their chances, and what an update may look at.

A place is a world with three policies: theta, at which the update is asked for; theta_old, which
drew the trajectories; theta_ref, a reference, if there is one.  On-policy, theta_old is theta and
goes wherever theta goes.  All that is known there is made of the list of all trajectories,

    P(tau; theta) = mu(s_0) prod_t pi(a_t|s_t) P(s_{t+1}|s_t, a_t),

and of the list of all groups of G of them (:func:`.list_groups`), drawn by theta_old.

Source: Shao et al. (2024), section 4.1, for groups that share their start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..exact import EnumeratedTrajectories, Groups, list_groups, policy_gradient
from ..mdp import MDP
from ..memory import FLOAT, require_memory
from ..policies import score, softmax_policy

__all__ = ["Group", "Place"]


@dataclass(frozen=True, eq=False)
class Group:
    """G trajectories, as an update is given them; T is the longest of the world.

    Attributes
    ----------
    world, G : the world, and how many trajectories stand here.
    theta, theta_old, theta_ref : (O, A) logits: the policy to be updated, the one that drew, and
        the reference, None if there is none.
    rewards : (G,) what each trajectory earned in all, R(tau).
    step_rewards : (G, T) what each step earned, not discounted; 0 in the padding.
    mask : (G, T) booleans: was an action taken?
    lengths : (G,) how many actions.
    scores : (G, T, O, A) the gradient by theta of each step's log-probability; 0 in the padding.
    logp, old_logp, ref_logp : (G, T) log pi(a_t|s_t) of the three policies; 0 in the padding.
        Without a reference, ``ref_logp`` is None.
    states, percepts, actions : (G, T+1), (G, T), (G, T); an action in the padding is ``NO_ACTION``.
    dynamics : (G,) the factors of P(tau) that no policy changes.
    trajectories : the same as an :class:`.EnumeratedTrajectories`, for this package's estimators.

    All arrays are read-only.
    """

    world: MDP
    G: int
    theta: np.ndarray
    theta_old: np.ndarray
    theta_ref: np.ndarray | None
    rewards: np.ndarray
    step_rewards: np.ndarray
    mask: np.ndarray
    lengths: np.ndarray
    scores: np.ndarray
    logp: np.ndarray
    old_logp: np.ndarray
    ref_logp: np.ndarray | None
    states: np.ndarray
    percepts: np.ndarray
    actions: np.ndarray
    dynamics: np.ndarray

    @cached_property
    def trajectories(self) -> EnumeratedTrajectories:
        """The same as the estimators of this package take them."""
        return EnumeratedTrajectories.unchecked(
            self.world.O,
            self.world.A,
            states=self.states,
            actions=self.actions,
            rewards=self.step_rewards,
            lengths=self.lengths,
            dynamics=self.dynamics,
            returns=self.rewards,
            percepts=self.percepts,
        )


@dataclass(frozen=True, eq=False)
class Place:
    """A world, its policies, and everything about them that can be listed.

    Attributes
    ----------
    world, G, shared_start, limit : as in :func:`.trial`.
    theta, theta_old, theta_ref : (O, A) logits; ``theta_ref`` may be None.
    on_policy : does theta_old go where theta goes?
    tau : all trajectories, m of them, as :func:`.enumerate_trajectories` lists them.
    pi, pi_old : (O, A) the policies of theta and theta_old.
    chance, old_chance : (m,) P(tau; theta) and P(tau; theta_old).
    scores : (m, T, O, A) the score of each step; 0 in the padding.
    whole : (m, O, A) their sums, the score of each trajectory.
    logp, old_logp, ref_logp : (m, T), 0 in the padding; ``ref_logp`` None without a reference.
    groups : all groups and their chances under theta_old.
    gradient : (O, A), grad J at theta.
    plain_noise : tr Cov of plain REINFORCE, of the mean over a group that theta itself draws.
    """

    world: MDP
    theta: np.ndarray
    theta_old: np.ndarray
    theta_ref: np.ndarray | None
    G: int
    shared_start: bool
    limit: int
    on_policy: bool

    def moved(self, theta) -> Place:
        """The place at other logits; theta_old comes along only on-policy."""
        return replace(self, theta=theta, theta_old=theta if self.on_policy else self.theta_old)

    def held(self, theta) -> Place:
        """The place at other logits, with theta_old where it is."""
        return replace(self, theta=theta, on_policy=False)

    def drawn_by(self, theta_old) -> Place:
        """The place with the samples of another policy, which stands still."""
        return replace(self, theta_old=theta_old, on_policy=False)

    @cached_property
    def groups(self) -> Groups:
        """All groups under theta_old."""
        return list_groups(
            self.world, self.theta_old, self.G, shared_start=self.shared_start, limit=self.limit
        )

    @cached_property
    def tau(self) -> EnumeratedTrajectories:
        """All trajectories."""
        return self.groups.trajectories

    @cached_property
    def pi(self) -> np.ndarray:
        """The policy of theta."""
        return softmax_policy(self.theta)

    @cached_property
    def pi_old(self) -> np.ndarray:
        """The policy of theta_old."""
        return softmax_policy(self.theta_old)

    @cached_property
    def chance(self) -> np.ndarray:
        """P(tau; theta)."""
        return self.tau.probability(self.pi)

    @cached_property
    def old_chance(self) -> np.ndarray:
        """P(tau; theta_old)."""
        return self.tau.probability(self.pi_old)

    @cached_property
    def scores(self) -> np.ndarray:
        """The score of each step of each trajectory."""
        require_memory(
            f"the scores of all steps of {len(self.tau):,} trajectories",
            FLOAT * self.tau.actions.size * self.theta.size,
            "take a smaller world",
        )
        of_steps = score(self.theta)[self.tau.percepts, self.tau.actions]
        return of_steps * self.tau.happened[..., None, None]

    @cached_property
    def whole(self) -> np.ndarray:
        """The score of each trajectory."""
        return self.scores.sum(axis=1)

    @cached_property
    def logp(self) -> np.ndarray:
        """log pi(a_t|s_t) under theta."""
        return self._along(self.theta)

    @cached_property
    def old_logp(self) -> np.ndarray:
        """log pi(a_t|s_t) under theta_old."""
        return self.logp if self.theta_old is self.theta else self._along(self.theta_old)

    @cached_property
    def ref_logp(self) -> np.ndarray | None:
        """log pi(a_t|s_t) under theta_ref."""
        return None if self.theta_ref is None else self._along(self.theta_ref)

    @cached_property
    def gradient(self) -> np.ndarray:
        """Grad J at theta."""
        return policy_gradient(self.world, self.theta)

    @cached_property
    def plain_noise(self) -> float:
        """tr Cov of sum_i R_i Z_i / G, drawn by theta."""
        place = self if self.theta_old is self.theta else self.drawn_by(self.theta)
        rows, chances, tau = place.groups
        each = (tau.returns[:, None, None] * place.whole).reshape(len(tau), -1)[rows].mean(axis=1)
        return float(chances @ ((each - chances @ each) ** 2).sum(axis=1))

    def _along(self, theta) -> np.ndarray:
        shifted = theta - theta.max(axis=1, keepdims=True)
        table = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return np.where(self.tau.happened, table[self.tau.percepts, self.tau.actions], 0.0)

    def cut(self, rows: np.ndarray):
        """Yield the :class:`Group` of each of the rows (n, G) of trajectory numbers."""
        tau = self.tau
        arrays = {
            "rewards": tau.returns,
            "step_rewards": tau.rewards,
            "mask": tau.happened,
            "scores": self.scores,
            "logp": self.logp,
            "old_logp": self.old_logp,
            "ref_logp": self.ref_logp,
        }
        names = ("lengths", "states", "percepts", "actions", "dynamics")
        arrays |= {name: getattr(tau, name) for name in names}
        cut = {name: _locked(x[rows]) for name, x in arrays.items() if x is not None}
        fixed = {
            "world": self.world,
            "G": self.G,
            "theta": _locked(self.theta),
            "theta_old": _locked(self.theta_old),
            "theta_ref": self.theta_ref if self.theta_ref is None else _locked(self.theta_ref),
            "ref_logp": None,
        }
        for j in range(len(rows)):
            group = object.__new__(Group)
            group.__dict__.update(fixed)
            group.__dict__.update({name: x[j] for name, x in cut.items()})
            yield group


def _locked(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
