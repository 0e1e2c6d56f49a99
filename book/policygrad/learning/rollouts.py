"""Batches of whole episodes, and a critic over what it sees: shared by actor-critic and PPO.

A critic is one number for each thing it can tell apart, V[x], with x the percept or, for a critic
that sees more than the actor, the state.  After each batch an entry moves a part of the way to the
mean of its targets, the returns of TD(lambda):

    V[x] <- V[x] + critic_step * mean over the visits to x of (A_t + V[x] - V[x]'s present value).

For lam = 1 the targets are the rewards-to-go, for lam = 0 they are r_t + gamma V[x'].
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from ..mdp import MDP
from ..policies import softmax_policy
from ..trajectories import NO_ACTION, Trajectories
from ..validate import real_array, require_count, require_one_of
from .ascent import Ascent, Diverged, moved
from .q_learning import cumulative, uniforms

CRITICS = ("percept", "state")
MAX_STEPS = 10_000
DECIMALS = 6  # of the logits after a step; see :func:`reinforce_many`

__all__ = ["CRITICS", "ActorCritic", "Batch", "Critic", "Walker", "along_scores", "climbed"]


@dataclass(frozen=True, eq=False)
class ActorCritic(Ascent):
    """The history of n steps of an actor with a critic.

    Attributes
    ----------
    thetas : (n + 1, O, A) the logits at the start and after each step.
    J : (n,) the mean return of each batch.
    values : (n + 1, O) or (n + 1, S) the critic at the start and after each step.
    actions : (n,) how many actions each batch took.
    """

    values: np.ndarray
    actions: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch:
    """m episodes, padded to H steps, with what the loops need of them.

    Attributes
    ----------
    tau : the trajectories.
    happened : (m, H) booleans.
    pair : (m, H) o A + a, the entry of a table over percepts and actions; 0 in the padding.
    """

    tau: Trajectories
    happened: np.ndarray
    pair: np.ndarray

    @classmethod
    def of(cls, mdp: MDP, tau: Trajectories) -> Batch:
        """Look up the percepts of trajectories."""
        happened = tau.happened
        pair = mdp.observe[tau.states[:, :-1]] * mdp.A + tau.actions
        return cls(tau, happened, np.where(happened, pair, 0))

    def only(self, i) -> Batch:
        """The episodes i."""
        tau = self.tau
        some = Trajectories(tau.states[i], tau.actions[i], tau.rewards[i], tau.lengths[i])
        return Batch(some, self.happened[i], self.pair[i])

    def log_chances(self, log_pi: np.ndarray) -> np.ndarray:
        """(m, H) log pi(a_t|s_t), 0 in the padding."""
        return np.where(self.happened, log_pi.ravel()[self.pair], 0.0)


def along_scores(pi: np.ndarray, pair, weights) -> np.ndarray:
    """Add up weights times scores, sum of w grad log pi(a|o) over pairs o A + a: (O, A)."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found by moved
        on_pair = np.bincount(np.ravel(pair), np.ravel(weights), pi.size).reshape(pi.shape)
        return on_pair - on_pair.sum(axis=1, keepdims=True) * pi


def climbed(k: int, theta: np.ndarray, alpha: float, g: np.ndarray) -> np.ndarray:
    """Take step k, theta + alpha g rounded to six decimals.

    Raises
    ------
    Diverged
        if an entry leaves the finite numbers.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        theta = np.round(theta + alpha * g, DECIMALS)
    return moved(k, theta, 0.0)


class Walker:
    """Draw episodes one after the other, from lists: for small batches faster than arrays.

    Parameters
    ----------
    mdp : the world.
    rng : the source of randomness.
    max_steps : the longest episode that is waited for; default: the horizon, or 10,000.
    """

    def __init__(self, mdp: MDP, rng: np.random.Generator, max_steps: int | None):
        max_steps = MAX_STEPS if max_steps is None else require_count("max_steps", max_steps)
        self.mdp, self.limit = mdp, min(max_steps, mdp.horizon or max_steps)
        self._uniform = uniforms(rng, 1024)
        self._start = cumulative(mdp.mu)
        self._ends = mdp.absorbing.tolist()
        possible = [np.argwhere(mdp.P[s] > 0) for s in range(mdp.S)]
        self._possible = [(a, p, mdp.P[s, a, p]) for s, (a, p) in enumerate(x.T for x in possible)]
        self._outcomes = [
            list(zip(a.tolist(), p.tolist(), mdp.R[s, a, p].tolist(), strict=True))
            for s, (a, p, _) in enumerate(self._possible)
        ]

    def batch(self, k: int, theta: np.ndarray, m: int) -> Batch:
        """Draw m episodes by the policy with logits theta, for step k of the loop.

        Raises
        ------
        Diverged
            if one of them does not end.
        """
        bars = self._bars(softmax_policy(theta))
        steps, begun, lengths = [], [], []
        uniform = self._uniform
        for _ in range(m):
            s = bisect_right(self._start, next(uniform))
            begun.append(s)
            lengths.append(self._walk(k, s, bars, steps))
        return Batch.of(self.mdp, _side_by_side(begun, lengths, steps))

    def _bars(self, pi: np.ndarray) -> list[list[float]]:
        rows = pi[self.mdp.observe]
        return [cumulative(rows[s, a] * p) for s, (a, _, p) in enumerate(self._possible)]

    def _walk(self, k: int, s: int, bars, steps: list) -> int:
        outcomes, ends, uniform, t = self._outcomes, self._ends, self._uniform, 0
        while not ends[s] and t < self.limit:
            step = outcomes[s][bisect_right(bars[s], next(uniform))]
            steps.append(step)
            s, t = step[1], t + 1
        if not ends[s] and t != self.mdp.horizon:
            raise Diverged(
                k, f"diverged at step {k}: an episode is unfinished after max_steps = {t:,} actions"
            )
        return t


def _side_by_side(begun: list, lengths: list, steps: list) -> Trajectories:
    lengths = np.array(lengths)
    m, H = len(begun), max(lengths.max(), 1)
    happened = np.arange(H) < lengths[:, None]
    states, actions = np.empty((m, H + 1), int), np.full((m, H), NO_ACTION)
    rewards = np.zeros((m, H))
    states[:, 0] = begun
    if steps:
        a, s, r = zip(*steps, strict=True)
        actions[happened], states[:, 1:][happened], rewards[happened] = a, s, r
    last = states[np.arange(m), lengths]
    states[:, 1:] = np.where(happened, states[:, 1:], last[:, None])
    return Trajectories(states, actions, rewards, lengths)


class Critic:
    """A table of values, one for each percept or each state.

    Parameters
    ----------
    mdp : the world.
    sees : "percept" or "state".
    values : (O,) or (S,) to start from; default: zeros.
    """

    def __init__(self, mdp: MDP, sees: str, values):
        state = require_one_of("critic", sees, CRITICS) == "state"
        self.eyes = np.arange(mdp.S) if state else mdp.observe
        shape, letters = ((mdp.S,), "(S,)") if state else ((mdp.O,), "(O,)")
        start = np.zeros(shape) if values is None else values
        self.values = real_array("values", start, shape, letters)

    def along(self, batch: Batch) -> np.ndarray:
        """(m, H + 1) V of each state of each trajectory; 0 from its end on."""
        seen = self.values[self.eyes[batch.tau.states]]
        seen[:, -1] = 0.0
        seen[:, :-1] *= batch.happened
        return seen

    def fit(self, k: int, batch: Batch, targets, step: float, old=None, clip=None) -> None:
        """Move each entry that was visited a part ``step`` of the way to the mean of its targets.

        With ``clip`` = c a target counts only where V[x] is not outside old[x] +- c and farther
        from it than the end of that interval is: the gradient of
        max((V - target)^2, (clip(V, old - c, old + c) - target)^2) / 2.
        """
        x = self.eyes[batch.tau.states[:, :-1]][batch.happened]
        V, targets = self.values, targets[batch.happened]
        miss = targets - V[x]
        if clip is not None:
            held = np.clip(V, old - clip, old + clip)[x] - targets
            miss = np.where(held**2 > miss**2, 0.0, miss)
        count = np.bincount(x, minlength=V.size)
        with np.errstate(over="ignore", invalid="ignore"):
            self.values = V + step * np.bincount(x, miss, V.size) / np.maximum(count, 1)
        if not np.isfinite(self.values).all():
            raise Diverged(k, f"diverged at step {k}: the critic is {self.values}")
