"""The estimators of the book as functions of a group, each with the verdict of its chapter.

A row says what is tried, in which world, with how many trajectories, and what the chapter says of
it: the label of the equation from which the verdict follows, never what a run has shown.  Where the
chapter gives a factor, or what is climbed, the row has that too, by a route without groups.  Rows
carry the key of a row of ``estimators-at-a-glance``, or the claim of a trial of chapters 15 and 16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from math import comb

import numpy as np

from policygrad.estimators import clip_slope, gae
from policygrad.exact import (
    enumerate_trajectories,
    expected_return,
    fisher_information,
    list_groups,
    policy_gradient,
    state_values,
    surrogate,
)
from policygrad.mdp import MDP
from policygrad.policies import score, softmax_policy
from policygrad.worlds import bandit, gamma_trap, random_mdp, tiny_language

UNBIASED, FACTOR, ZERO = "unbiased", "unbiased up to a factor", "mean zero"
OTHER, NOTHING = "the gradient of another objective", "the gradient of nothing"

LAM, BETA, LOW, HIGH, TINY = 0.9, 0.3, 0.2, 0.28, 1e-4


# --- where they are tried -------------------------------------------------------------------------


class Case:
    """A world, a policy, one that drew before, a reference, and a critic that is wrong."""

    def __init__(self, world: MDP, seed: int, *, theta=None, far: float = 0.6):
        rng = np.random.default_rng(seed)
        shape = world.O, world.A
        self.world = world
        self.theta = rng.normal(size=shape) if theta is None else np.array(theta, float)
        self.old = self.theta - far * rng.normal(size=shape)
        self.ref = self.theta + 0.5 * rng.normal(size=shape)
        self.wrong = 0.4 * rng.normal(size=(world.horizon + 1 if world.horizon else 9, world.S))

    @cached_property
    def critic(self):
        """A critic as it was learnt at the policy of the case; when theta moves, it does not."""
        V = values(self.world, self.theta)
        guess = V + self.wrong[: len(V)]
        guess[-1], guess[:, self.world.absorbing] = 0, 0
        return guess

    @cached_property
    def trajectories(self):
        return enumerate_trajectories(self.world)

    def chances(self, theta):
        return self.trajectories.probability(softmax_policy(theta))


_known: dict = {}


def known(name, world, theta, compute):
    """What is computed for a world and a policy, once: an update is called for every group."""
    key = name, id(world), theta.tobytes()
    if key not in _known:
        _known[key] = compute()
    return _known[key]


def values(world, theta):
    return known("V", world, theta, lambda: state_values(world, softmax_policy(theta)))


def J(world, theta):
    return known("J", world, theta, lambda: expected_return(world, softmax_policy(theta)))


def graded(prompt, answer, ended):
    """Rewards of many sizes, in which length counts."""
    return len(answer) - 1.5 * ended + 0.3 * len(prompt)


def chain(moves, mu, observe):
    """A world of two actions from {(state, action): (next state, reward)}, undiscounted."""
    S = len(mu)
    P, R = np.zeros((S, 2, S)), np.zeros((S, 2, S))
    P[range(S), :, range(S)] = 1
    for (s, a), (to, reward) in moves.items():
        P[s, a], R[s, a, to] = np.eye(S)[to], reward
    return MDP(P, R, mu, observe=observe, gamma=1.0)


def both(s, to, reward):
    return {(s, 0): (to, reward), (s, 1): (to, reward)}


def drawn(seed, **how):
    rng = np.random.default_rng(seed)
    how = {"O": 2, "horizon": 2, "start": "first", "successors": 2} | how
    return random_mdp(rng, 3, 2, **how)


@cache
def cases() -> dict[str, Case]:
    """The worlds, by name: the smallest in which each verdict can be told from the others."""
    two = {"prompts": ("a", "ab"), "letters": "ab", "longest": 2, "mu": [0.6, 0.4]}
    one = {"prompts": ("a", "aa"), "letters": "a", "longest": 2, "mu": [0.3, 0.7]}
    errand = {(0, 0): (2, -1), (0, 1): (1, -1)} | both(1, 2, -1)
    payday = {(0, 0): (1, 0), (0, 1): (2, 3)} | both(1, 3, 2) | both(2, 3, 0)
    bait = {(0, 0): (1, -1), (0, 1): (2, 1)} | both(1, 3, 3) | both(2, 3, -3)
    starts = {(0, 0): (2, 0), (0, 1): (2, 1), (1, 0): (2, 3), (1, 1): (2, 0)}
    return {
        "answers": Case(tiny_language(**two, seen="last"), 4),
        "letters": Case(tiny_language(**one, seen="last"), 5),
        "graded": Case(tiny_language(**one, seen="last", reward=graded), 6),
        "drawn": Case(drawn(17, absorbing=1, gamma=0.7), 7),
        "level": Case(drawn(18, gamma=1.0), 8),
        "arms": Case(bandit([1.0, 2.0, 4.0]), 9),
        "coin": Case(bandit([1.0, 2.0]), 10, theta=np.zeros((1, 2))),
        "trap": Case(gamma_trap(0.5), 11, theta=np.zeros((1, 2))),
        "errand": Case(chain(errand, [1, 0, 0], [0, 1, 1]), 12, theta=np.zeros((2, 2))),
        "payday": Case(chain(payday, [1, 0, 0, 0], [0, 1, 1, 1]), 13, theta=np.zeros((2, 2))),
        "bait": Case(chain(bait, [1, 0, 0, 0], [0, 1, 1, 1]), 14, theta=np.zeros((2, 2))),
        "two starts": Case(chain(starts, [0.9, 0.1, 0], [0, 0, 1]), 15),
    }


# --- the rows -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """An estimator and what its chapter says of it.

    weight : of a group and the case, the weight of each step, (G, T) or to be broadcast to it; or
    update : of a group and the case, the update itself, (O, A).
    equation : the label from which the verdict follows.
    verdict : on policy.
    factor : of the case, for "unbiased up to a factor"; below zero the update climbs down J, which
        is another objective.
    climbs : of the case and theta, for "the gradient of another objective": what has it as slope.
    along : of the case, where the mean update is everywhere a multiple of the gradient, but not the
        same one: a factor that moves with theta makes a field that is no gradient of J.
    old : the verdict at an old policy, where the estimator has weights for that.
    climbs_old : the same with the samples of the old policy.
    glance, claim : the row of the page of all estimators, the trial of chapters 15 and 16.
    """

    name: str
    case: str
    G: int
    verdict: str
    equation: str
    weight: Callable | None = None
    update: Callable | None = None
    factor: Callable | None = None
    climbs: Callable | None = None
    old: str | None = None
    climbs_old: Callable | None = None
    along: Callable | None = None
    shared: bool = True
    glance: str | None = None
    claim: str | None = None

    def at(self, case: Case) -> Callable:
        """The estimator as ``trial`` takes it: a function of a group."""
        if self.update is not None:
            return lambda group: self.update(group, case)
        return lambda group: pushed(group, self.weight(group, case))


def pushed(group, weight):
    """Put a weight on the score of each step and take the mean over the trajectories."""
    weight = np.broadcast_to(weight, group.mask.shape)
    return np.einsum("it,itoa->oa", weight, group.scores) / group.G


ROWS: list[Row] = []


def row(name, case, G, verdict, equation, weight=None, **more):
    ROWS.append(Row(name, case, G, verdict, equation, weight, **more))


# --- numbers of a group ---------------------------------------------------------------------------


def column(x):
    return np.reshape(x, (-1, 1))


def R(g, case=None):
    return column(g.rewards)


def T(g):
    return column(g.lengths)


def discount(g):
    return g.world.gamma ** np.arange(g.mask.shape[1])


def to_go(g, case=None):
    """G_t, discounted from t on."""
    total = np.zeros((g.G, g.mask.shape[1] + 1))
    for t in reversed(range(g.mask.shape[1])):
        total[:, t] = g.step_rewards[:, t] + g.world.gamma * total[:, t + 1]
    return total[:, :-1]


def at_places(g, table):
    """Entries (t, s) of a table for all places of the trajectories: (G, T+1)."""
    return table[np.arange(g.mask.shape[1] + 1), g.states]


def own_mean(x):
    return x - x.mean(axis=0, keepdims=True)


def less_others(x):
    return x - (x.sum(axis=0, keepdims=True) - x) / (len(x) - 1)


def standardised(x, ddof=0, epsilon=0.0):
    alike = np.ptp(x) < 1e-12
    return 0 * x if alike else own_mean(x) / (x.std(ddof=ddof) + epsilon)


def ratios(g):
    return np.exp(g.logp - g.old_logp)


def whole(w):
    return w.prod(axis=1, keepdims=True)


def geometric(g):
    return whole(ratios(g)) ** (1 / T(g))


def A(g):
    return less_others(R(g))


def k1(g):
    return g.logp - g.ref_logp


def whole_k1(g):
    return k1(g).sum(axis=1, keepdims=True)


# --- chapters 7 to 9, and 16: one trajectory after the other --------------------------------------

row(
    "whole return",
    "drawn",
    1,
    UNBIASED,
    "eq-reinforce-expectation",
    R,
    glance="whole return",
    claim="claim-same-number",
)
row(
    "the mean over a batch",
    "drawn",
    2,
    UNBIASED,
    "eq-reinforce",
    R,
    shared=False,
    claim="claim-estimate-equals",
)
row(
    "reward-to-go",
    "drawn",
    1,
    UNBIASED,
    "eq-reward-to-go",
    lambda g, c: discount(g) * to_go(g),
    glance="to go",
)
row(
    "without gamma^t, discounted",
    "drawn",
    1,
    NOTHING,
    "eq-derivatives-commute",
    to_go,
    glance="no discount",
)
row("without gamma^t, nothing discounted", "level", 1, UNBIASED, "eq-gamma-t", to_go)


def trapped(gamma, factor):
    """The direction in the gamma trap by eq-dropped-factor."""
    return 1 + (gamma if factor else 1) * (8 * gamma**3 - 2.5)


row(
    "without gamma^t, in the trap",
    "trap",
    1,
    OTHER,
    "eq-dropped-factor",
    to_go,
    factor=lambda c: trapped(0.5, False) / trapped(0.5, True),
    claim="claim-drop-gamma",
)


# --- chapter 10: baselines ------------------------------------------------------------------------


def best_constant(g):
    """The mean of squared score times return, over that of squared score."""

    def compute():
        tau = enumerate_trajectories(g.world)
        chance = tau.probability(softmax_policy(g.theta))
        steps = score(g.theta)[tau.percepts, tau.actions] * tau.happened[..., None, None]
        size = chance * (steps.sum(axis=1) ** 2).sum(axis=(1, 2))
        return size @ tau.returns / size.sum()

    return known("b*", g.world, g.theta, compute)


SOME = np.array([0.4, -1.3, 2.0, 0.7, 0.2, -0.6])

row("a constant baseline", "drawn", 1, UNBIASED, "eq-baseline", lambda g, c: R(g) - 0.7)
row(
    "the mean return as a baseline",
    "drawn",
    1,
    UNBIASED,
    "eq-baseline",
    lambda g, c: R(g) - J(g.world, g.theta),
    glance="mean",
)
row(
    "the best constant",
    "drawn",
    1,
    UNBIASED,
    "eq-best-constant",
    lambda g, c: R(g) - best_constant(g),
    glance="best constant",
)
row(
    "a baseline of the state",
    "drawn",
    1,
    UNBIASED,
    "eq-baseline",
    lambda g, c: discount(g) * (to_go(g) - SOME[g.states[:, : g.mask.shape[1]]]),
)
row(
    "exact values as a baseline",
    "drawn",
    1,
    UNBIASED,
    "eq-baseline",
    lambda g, c: discount(g) * (to_go(g) - at_places(g, values(g.world, g.theta))[:, :-1]),
    glance="values",
)
row(
    "a wrong critic as a baseline",
    "drawn",
    1,
    UNBIASED,
    "eq-baseline",
    lambda g, c: discount(g) * (to_go(g) - at_places(g, c.critic)[:, :-1]),
    glance="wrong values",
)


def each_parameter(g, c):
    """A baseline of its own for each logit: any table of numbers."""
    own = SOME[: g.theta.size].reshape(g.theta.shape)
    Z = g.scores.sum(axis=1)
    return ((g.rewards[:, None, None] - own) * Z).mean(axis=0)


row(
    "a baseline of each parameter",
    "drawn",
    1,
    UNBIASED,
    "eq-best-per-parameter",
    update=each_parameter,
)


def peeking(g, c):
    here = SOME[g.states[:, : g.mask.shape[1]]] + 0.1 * SOME[np.where(g.mask, g.actions, 0)]
    return discount(g) * (to_go(g) - here)


row("a baseline of state and action", "drawn", 1, NOTHING, "eq-action-baseline", peeking)
row(
    "the mean of the others",
    "drawn",
    3,
    UNBIASED,
    "eq-mean-of-others",
    lambda g, c: less_others(R(g)),
    shared=False,
)
row(
    "whitened in a batch of unequal rewards",
    "graded",
    2,
    NOTHING,
    "eq-whitened",
    lambda g, c: standardised(R(g)),
    shared=False,
)


def difficulty(p, G, ddof=0, epsilon=0.0):
    """w_G(p) of eq-group-deviation."""
    K = np.arange(1, G)
    chance = np.array([comb(G, k) * p**k * (1 - p) ** (G - k) for k in K])
    std = np.sqrt(K * (G - K) / (G * (G - ddof))) + epsilon
    return chance @ (K * (G - K) / G**2 / std) / (p * (1 - p))


def risen(p, G, ddof=0, epsilon=0.0):
    """The integral of w_G from 0 to p, by a rule that is exact for polynomials of this degree."""
    at, share = np.polynomial.legendre.leggauss(40)
    return p / 2 * share @ [difficulty(p * (x + 1) / 2, G, ddof, epsilon) for x in at]


row(
    "whitened in a batch of rewards 0 and 1",
    "letters",
    4,
    OTHER,
    "eq-whitened-limit",
    lambda g, c: standardised(R(g)),
    shared=False,
    climbs=lambda c, theta: risen(J(c.world, theta), 4),
    glance="batch",
)


# --- chapter 11: critics --------------------------------------------------------------------------


def deltas(g, V):
    V = at_places(g, V)
    return (g.step_rewards + g.world.gamma * V[:, 1:] - V[:, :-1]) * g.mask


def guessed(g, c, lam):
    return gae(g.step_rewards, at_places(g, c.critic), g.world.gamma, lam) * g.mask


row(
    "TD error, exact critic",
    "drawn",
    1,
    UNBIASED,
    "eq-td-mean",
    lambda g, c: discount(g) * deltas(g, values(g.world, g.theta)),
    glance="TD",
)
row(
    "TD error, wrong critic: actor-critic",
    "drawn",
    1,
    NOTHING,
    "eq-critic-bias",
    lambda g, c: discount(g) * guessed(g, c, 0.0),
    glance="TD, wrong",
)
row(
    "GAE, wrong critic",
    "drawn",
    1,
    NOTHING,
    "eq-gae-bias",
    lambda g, c: discount(g) * guessed(g, c, LAM),
    glance="GAE, wrong",
)
row(
    "GAE, exact critic",
    "drawn",
    1,
    UNBIASED,
    "eq-gae",
    lambda g, c: (
        discount(g)
        * gae(g.step_rewards, at_places(g, values(g.world, g.theta)), g.world.gamma, LAM)
        * g.mask
    ),
)


def compatible(g, c):
    """The best fit of the advantage by scores, in its place: its weights solve F x = grad J."""

    def compute():
        F = fisher_information(g.world, g.theta)
        return np.linalg.pinv(F) @ policy_gradient(g.world, g.theta).ravel()

    x = known("fit", g.world, g.theta, compute).reshape(g.theta.shape)
    return discount(g) * np.einsum("itoa,oa->it", g.scores, x)


row("a critic fitted on compatible features", "drawn", 1, UNBIASED, "eq-compatible", compatible)


def natural(g, c):
    step = pushed(g, discount(g) * (to_go(g) - at_places(g, values(g.world, g.theta))[:, :-1]))

    def compute():
        return np.linalg.pinv(fisher_information(g.world, g.theta))

    turn = known("F", g.world, g.theta, compute)
    return (turn @ step.ravel()).reshape(step.shape)


row(
    "natural gradient",
    "drawn",
    1,
    NOTHING,
    "eq-natural-invariant",
    update=natural,
    glance="natural",
)


# --- chapter 14: groups ---------------------------------------------------------------------------


def prompts(c, theta):
    """The chance of each prompt and its value."""
    V = values(c.world, theta)[0]
    starts = np.flatnonzero(c.world.mu)
    return c.world.mu[starts], V[starts]


def climbed(G):
    """The sum over prompts of mu f_G(V_0), eq-group-climbs."""

    def objective(c, theta):
        mu, p = prompts(c, theta)
        heights = [sum(1 / np.sqrt(k * (G - k)) for k in range(1, K + 1)) for K in range(G)]
        terms = [comb(G - 1, K) * p**K * (1 - p) ** (G - 1 - K) * heights[K] for K in range(G)]
        return mu @ sum(terms)

    return objective


def shrink(G):
    return lambda c: 1 - 1 / G


def scatter(g):
    """The deviation of R_i - V_0 over very many groups."""

    def compute():
        tau = enumerate_trajectories(g.world)
        V = values(g.world, g.theta)[0][tau.states[:, 0]]
        return np.sqrt(tau.probability(softmax_policy(g.theta)) @ (tau.returns - V) ** 2)

    return known("scatter", g.world, g.theta, compute)


row(
    "RLOO",
    "answers",
    2,
    UNBIASED,
    "eq-group-mean",
    lambda g, c: less_others(R(g)),
    glance="leave one out",
)
row(
    "the group's own mean",
    "answers",
    3,
    FACTOR,
    "eq-group-mean",
    lambda g, c: own_mean(R(g)),
    factor=shrink(3),
    glance="own mean",
)
row(
    "the group's deviation, two answers of rewards 0 and 1",
    "answers",
    2,
    UNBIASED,
    "eq-group-climbs",
    lambda g, c: standardised(R(g)),
)
row(
    "the group's deviation, three of them",
    "answers",
    3,
    FACTOR,
    "eq-group-climbs",
    lambda g, c: standardised(R(g)),
    factor=lambda c: np.sqrt(2),
)
row(
    "the group's deviation, four of them",
    "letters",
    4,
    OTHER,
    "eq-group-climbs",
    lambda g, c: standardised(R(g)),
    climbs=climbed(4),
    glance="deviation",
)
row(
    "the group's deviation, rewards of many sizes",
    "graded",
    3,
    NOTHING,
    "eq-group-deviation",
    lambda g, c: standardised(R(g)),
)


def as_in_programs(c, theta):
    """The same with G - 1 and something tiny."""
    mu, p = prompts(c, theta)
    return mu @ [risen(x, 4, 1, TINY) for x in p]


row(
    "the group's deviation, as in programs",
    "letters",
    4,
    OTHER,
    "eq-group-deviation",
    lambda g, c: standardised(R(g), 1, TINY),
    climbs=as_in_programs,
    glance="in programs",
)
row(
    "the group's mean, the deviation of a large batch",
    "answers",
    2,
    NOTHING,
    "eq-group-mean",
    lambda g, c: own_mean(R(g)) / scatter(g),
    along=lambda c: shrink(2)(c) / spread(c),
    glance="batch, own mean",
)


def spread(c):
    mu, p = prompts(c, c.theta)
    return np.sqrt(mu @ (p * (1 - p)))  # rewards 0 and 1


def tokens(g):
    return g.lengths.mean()  # G of them: the sum over all tokens, over G


row(
    "a mean per answer",
    "answers",
    2,
    NOTHING,
    "eq-length-division",
    lambda g, c: own_mean(R(g)) / T(g),
    glance="per answer",
)
row(
    "a mean per token",
    "answers",
    2,
    NOTHING,
    "eq-length-division",
    lambda g, c: own_mean(R(g)) / tokens(g),
    glance="per token",
)
row(
    "a constant: Dr. GRPO",
    "answers",
    2,
    FACTOR,
    "eq-group-mean",
    lambda g, c: own_mean(R(g)) / 5,
    factor=lambda c: shrink(2)(c) / 5,
    glance="constant",
)
row(
    "GRPO",
    "answers",
    3,
    NOTHING,
    "eq-length-division",
    lambda g, c: standardised(R(g)) / T(g),
    glance="GRPO",
)
row(
    "DAPO",
    "answers",
    3,
    NOTHING,
    "eq-length-division",
    lambda g, c: standardised(R(g)) / tokens(g),
    glance="DAPO",
)


def pull(g):
    """The slope of k3, token by token."""
    return (1 - np.exp(-k1(g))) * g.mask


row(
    "GRPO with its penalty",
    "answers",
    2,
    NOTHING,
    "eq-forward-tokens",
    lambda g, c: (standardised(R(g)) - BETA * pull(g)) / T(g),
    glance="GRPO, k3",
)


def differing(world, theta, G):
    """The chance that a group does not agree, over all prompts and of each: rewards 0 and 1."""
    V = values(world, theta)[0]
    each = 1 - V**G - (1 - V) ** G
    return world.mu @ each, each


row(
    "dynamic sampling: groups that agree are replaced",
    "answers",
    2,
    NOTHING,
    "eq-dynamic-sampling",
    lambda g, c: standardised(R(g)) / differing(g.world, g.theta, 2)[0],
    along=lambda c: 1 / differing(c.world, c.theta, 2)[0],
)


def log_odds(c, theta):
    mu, p = prompts(c, theta)
    return mu @ np.log(p / (1 - p)) / 2


row(
    "the same prompt is asked again",
    "answers",
    2,
    OTHER,
    "eq-dynamic-sampling",
    lambda g, c: standardised(R(g)) / differing(g.world, g.theta, 2)[1][g.states[0, 0]],
    climbs=log_odds,
)


# --- chapters 12 and 14: samples of an old policy -------------------------------------------------


def tilted(c, theta):
    return surrogate(c.world, theta, c.old)


def others_less(R):
    return R - (R.sum(axis=1, keepdims=True) - R) / (R.shape[1] - 1)


def over_deviation(R):
    apart, std = R - R.mean(axis=1, keepdims=True), R.std(axis=1, keepdims=True)
    return apart / np.where(std > 1e-12, std, 1)


def mean_of_old(paid, G, advantage=others_less):
    """The mean over groups of the old policy of what is paid for each answer: frozen samples."""

    def objective(c, theta):
        rows, chances, tau = list_groups(c.world, c.old, G)
        pi, before = softmax_policy(theta), softmax_policy(c.old)
        o, a = np.where(tau.happened, tau.percepts, 0), np.where(tau.happened, tau.actions, 0)
        w = np.where(tau.happened, pi[o, a] / before[o, a], 1.0)[rows]
        A, T = advantage(tau.returns[rows]), tau.lengths[rows]
        return chances @ paid(w, A, T, tau.happened[rows]).mean(axis=1)

    return objective


def clipped(w, A, low=LOW, high=LOW):
    A = A.reshape(A.shape + (1,) * (w.ndim - A.ndim))
    return np.minimum(w * A, np.clip(w, 1 - low, 1 + high) * A)


def per_token(f):
    return lambda w, A, T, on: (f(w, A) * on).sum(axis=2)


def capped(w, A):
    top = 1 + HIGH
    return A[..., None] * np.where(w < top, w, top * (1 + np.log(w / top)))


def logarithm(w, A):
    return A[..., None] * np.log(w)


def geometric_of(w, T):
    return w.prod(axis=2) ** (1 / T)


row(
    "old samples as if they were new",
    "answers",
    2,
    UNBIASED,
    "eq-group-mean",
    lambda g, c: A(g),
    old=OTHER,
    climbs_old=mean_of_old(per_token(logarithm), 2),
    glance="as if new",
)
row(
    "the ratio of the answer",
    "answers",
    2,
    UNBIASED,
    "eq-group-ratios",
    lambda g, c: whole(ratios(g)) * A(g),
    old=UNBIASED,
    glance="whole ratio",
)
row(
    "the ratio of the token: the surrogate",
    "answers",
    2,
    UNBIASED,
    "eq-group-ratios",
    lambda g, c: ratios(g) * A(g),
    old=OTHER,
    climbs_old=tilted,
    glance="step ratio",
)
row(
    "PPO's clip",
    "answers",
    2,
    UNBIASED,
    "eq-first-step",
    lambda g, c: ratios(g) * clip_slope(ratios(g), A(g), LOW),
    old=OTHER,
    climbs_old=mean_of_old(per_token(clipped), 2),
    glance="PPO",
)
row(
    "clip higher",
    "answers",
    2,
    UNBIASED,
    "eq-first-step",
    lambda g, c: ratios(g) * clip_slope(ratios(g), A(g), LOW, HIGH),
    old=OTHER,
    climbs_old=mean_of_old(per_token(lambda w, A: clipped(w, A, LOW, HIGH)), 2),
    glance="clip higher",
)
row(
    "CISPO's cap",
    "answers",
    2,
    UNBIASED,
    "eq-capped-score",
    lambda g, c: np.minimum(ratios(g), 1 + HIGH) * A(g),
    old=OTHER,
    climbs_old=mean_of_old(per_token(capped), 2),
    glance="CISPO",
)
row(
    "GSPO before its clip",
    "answers",
    2,
    NOTHING,
    "eq-geometric-slope",
    lambda g, c: geometric(g) * A(g) / T(g),
    old=OTHER,
    climbs_old=mean_of_old(lambda w, A, T, on: geometric_of(w, T) * A, 2),
    glance="GSPO",
)
row(
    "GSPO",
    "answers",
    2,
    NOTHING,
    "eq-geometric-slope",
    lambda g, c: geometric(g) * clip_slope(geometric(g), A(g), LOW) / T(g),
    old=OTHER,
    climbs_old=mean_of_old(lambda w, A, T, on: clipped(geometric_of(w, T), A), 2),
    glance="GSPO, clip",
)


def by_answer(w, A, T, on):
    return (clipped(w, A) * on).sum(axis=2) / T


def by_tokens(w, A, T, on):
    paid = (clipped(w, A, LOW, HIGH) * on).sum(axis=2)
    return paid / T.mean(axis=1, keepdims=True)


row(
    "GRPO as published, but for the penalty",
    "letters",
    3,
    NOTHING,
    "eq-length-division",
    lambda g, c: ratios(g) * clip_slope(ratios(g), standardised(R(g)), LOW) / T(g),
    old=OTHER,
    climbs_old=mean_of_old(by_answer, 3, over_deviation),
)
row(
    "DAPO as published, but for the dynamic sampling",
    "letters",
    3,
    NOTHING,
    "eq-length-division",
    lambda g, c: ratios(g) * clip_slope(ratios(g), standardised(R(g)), LOW, HIGH) / tokens(g),
    old=OTHER,
    climbs_old=mean_of_old(by_tokens, 3, over_deviation),
)


def only_the_past(g, c):
    """Each reward with the ratios up to it, and the scores up to it."""
    paid = discount(g) * g.step_rewards * ratios(g).cumprod(axis=1)
    return paid[:, ::-1].cumsum(axis=1)[:, ::-1]


row(
    "a ratio for each reward",
    "drawn",
    1,
    UNBIASED,
    "eq-per-decision",
    only_the_past,
    old=UNBIASED,
)


def ppo_with_critic(g, c):
    return ratios(g) * clip_slope(ratios(g), guessed(g, c, LAM), LOW) * g.mask


def paid_by_critic(c, theta):
    """The mean over old trajectories of their clipped ratios times GAE."""
    tau = c.trajectories
    places = c.critic[np.arange(tau.states.shape[1]), tau.states]
    A = gae(tau.rewards, places, c.world.gamma, LAM)
    o, a = np.where(tau.happened, tau.percepts, 0), np.where(tau.happened, tau.actions, 0)
    w = np.where(tau.happened, softmax_policy(theta)[o, a] / softmax_policy(c.old)[o, a], 1.0)
    paid = np.minimum(w * A, np.clip(w, 1 - LOW, 1 + LOW) * A) * tau.happened
    return c.chances(c.old) @ paid.sum(axis=1)


row(
    "PPO with a wrong critic, without gamma^t",
    "drawn",
    1,
    NOTHING,
    "eq-gae-bias",
    ppo_with_critic,
    old=OTHER,
    climbs_old=paid_by_critic,
    glance="PPO, wrong",
)


# --- chapters 12 and 13: entropy and KL -----------------------------------------------------------


def of_answers(sums):
    """An objective made of the chances of whole answers, of the policy and of the reference."""

    def objective(c, theta):
        now, ref = c.chances(theta), c.chances(c.ref)
        return sums(now, ref, np.log(ref / now))

    return objective


minus_kl = of_answers(lambda now, ref, l: now @ l)

row(
    "k1 in the reward",
    "answers",
    1,
    OTHER,
    "eq-k-in-reward",
    lambda g, c: -whole_k1(g),
    climbs=minus_kl,
    glance="k1 reward",
)
row(
    "k1 in the reward, to go",
    "answers",
    1,
    OTHER,
    "eq-kl-tokens",
    lambda g, c: -k1(g)[:, ::-1].cumsum(axis=1)[:, ::-1],
    climbs=minus_kl,
    glance="k1 to go",
)
row(
    "k1 in the reward, leave one out",
    "answers",
    2,
    OTHER,
    "eq-k-in-reward",
    lambda g, c: -less_others(whole_k1(g)),
    climbs=minus_kl,
    glance="k1 less others",
)
row(
    "the return less beta k1: the penalised objective",
    "answers",
    1,
    OTHER,
    "eq-one-beta",
    lambda g, c: R(g) - BETA * whole_k1(g),
    climbs=lambda c, theta: J(c.world, theta) + BETA * minus_kl(c, theta),
)
row(
    "k1 in the loss",
    "answers",
    1,
    ZERO,
    "eq-k-in-loss",
    lambda g, c: -np.ones(g.mask.shape),
    glance="k1 loss",
)
row(
    "k2 of each token in the loss",
    "answers",
    1,
    NOTHING,
    "eq-kl-tokens",
    lambda g, c: -k1(g),
    glance="k2 loss",
)
row(
    "k3 of each token in the loss",
    "answers",
    1,
    NOTHING,
    "eq-forward-tokens",
    lambda g, c: -pull(g),
    glance="k3 loss",
)
row(
    "k3 of each token, a mean per answer",
    "answers",
    1,
    NOTHING,
    "eq-forward-tokens",
    lambda g, c: -pull(g) / T(g),
    glance="k3 loss, GRPO",
)


row(
    "k1 to go, with the ratio of the answer",
    "answers",
    1,
    OTHER,
    "eq-old-tokens",
    lambda g, c: -whole(ratios(g)) * k1(g)[:, ::-1].cumsum(axis=1)[:, ::-1],
    climbs=minus_kl,
    old=OTHER,
    climbs_old=minus_kl,
)


def kl_at_old_places(c, theta):
    tau, pi, ref = c.trajectories, softmax_policy(theta), softmax_policy(c.ref)
    each = (pi * np.log(pi / ref)).sum(axis=1)[np.where(tau.happened, tau.percepts, 0)]
    return -c.chances(c.old) @ (each * tau.happened).sum(axis=1)


row(
    "k3 of each token times its ratio, differentiated",
    "answers",
    1,
    NOTHING,
    "eq-old-tokens",
    lambda g, c: -ratios(g) * k1(g),  # the slope of w k3 by log pi
    old=OTHER,
    climbs_old=kl_at_old_places,
)


def frozen_k3(c, theta):
    tau = c.trajectories
    pi, ref = softmax_policy(theta), softmax_policy(c.ref)
    o, a = np.where(tau.happened, tau.percepts, 0), np.where(tau.happened, tau.actions, 0)
    q = ref[o, a] / pi[o, a]
    return -c.chances(c.old) @ ((q - 1 - np.log(q)) * tau.happened).sum(axis=1)


row(
    "k3 of each token of old samples, without a ratio",
    "answers",
    1,
    NOTHING,
    "eq-k-off-policy",
    lambda g, c: -pull(g),
    old=OTHER,
    climbs_old=frozen_k3,
    glance="k3 loss, old",
)
row(
    "k3 of the answer in the loss",
    "answers",
    1,
    OTHER,
    "eq-k-in-loss",
    lambda g, c: -(1 - np.exp(-whole_k1(g))),
    climbs=of_answers(lambda now, ref, l: -ref @ l),
    glance="k3 loss, answer",
)
row(
    "k2 of the answer in the reward",
    "answers",
    1,
    OTHER,
    "eq-k-in-reward",
    lambda g, c: -(whole_k1(g) ** 2) / 2,
    climbs=of_answers(lambda now, ref, l: -now @ (l**2 / 2 + l)),
    glance="k2 reward",
)
row(
    "k3 of the answer in the reward",
    "answers",
    1,
    OTHER,
    "eq-k-in-reward",
    lambda g, c: -(np.exp(-whole_k1(g)) - 1 + whole_k1(g)),
    climbs=of_answers(lambda now, ref, l: (now + ref) @ l),
    glance="k3 reward",
)
row(
    "a sampled -log pi in the loss",
    "arms",
    1,
    ZERO,
    "eq-entropy-bonus",
    lambda g, c: -np.ones(g.mask.shape),
    claim="claim-entropy",
)


def entropy(c, theta):
    pi = softmax_policy(theta)[0]
    return -pi @ np.log(pi)


row(
    "a sampled -log pi, weighed like a reward",
    "arms",
    1,
    OTHER,
    "eq-entropy-bonus",
    lambda g, c: -g.logp,
    climbs=entropy,
)
row(
    "the return plus beta times that",
    "arms",
    1,
    OTHER,
    "eq-entropy-as-penalty",
    lambda g, c: R(g) - BETA * g.logp,
    climbs=lambda c, theta: J(c.world, theta) + BETA * entropy(c, theta),
)


# --- chapters 15 and 16: the slips ----------------------------------------------------------------


def evenly(c, theta):
    """N_0 times J where the possible starts are equally likely, eq-no-start."""
    possible = c.world.mu > 0
    even = replace(c.world, mu=possible / possible.sum())
    return possible.sum() * expected_return(even, softmax_policy(theta))


row(
    "without the start distribution",
    "two starts",
    1,
    OTHER,
    "eq-no-start",
    lambda g, c: R(g) / g.world.mu[g.states[:, :1]],
    factor=lambda c: -2.0 / 0.6,
    claim="claim-no-start",
)


def literally(g, c):
    """All trajectories, without weights: nothing is drawn."""

    def compute():
        tau = enumerate_trajectories(g.world)
        steps = score(g.theta)[tau.percepts, tau.actions] * tau.happened[..., None, None]
        return np.einsum("i,itoa->oa", tau.returns, steps)

    return known("literal", g.world, g.theta, compute)


row(
    "the sum inside the expectation",
    "drawn",
    1,
    OTHER,
    "eq-literal-sum",
    update=literally,
    climbs=lambda c, theta: c.trajectories.returns @ np.log(c.chances(theta)),
    claim="claim-sum-in-expectation",
)
row(
    "no sum over t: a mean over the steps of each episode",
    "drawn",
    1,
    OTHER,
    "eq-return-per-step",
    lambda g, c: R(g) / T(g),
    climbs=lambda c, theta: c.chances(theta) @ (c.trajectories.returns / c.trajectories.lengths),
    claim="claim-no-sum-over-time",
)


def a_day_less(g, c):
    """Learn as if the episode had ended at a limit of one step less."""
    weight = g.step_rewards[:, :-1].sum(axis=1)
    return column(weight) * (np.arange(g.mask.shape[1]) < g.mask.shape[1] - 1)


row(
    "a time limit of one step less",
    "level",
    1,
    OTHER,
    "eq-one-step-more",
    a_day_less,
    climbs=lambda c, theta: J(replace(c.world, horizon=c.world.horizon - 1), theta),
    claim="claim-zero-to-h",
)


def per_step(g, c):
    return g.G * R(g) / g.lengths.sum()


row("a mean over the time steps of one errand", "errand", 1, ZERO, "eq-errand", per_step)
row(
    "a mean over the time steps of two errands",
    "errand",
    2,
    FACTOR,
    "eq-errand",
    per_step,
    factor=lambda c: 0.5 / (1 + 0.5),  # half of the gradient over the mean length
    claim="claim-per-step",
)
row("a mean over the time steps of a batch", "answers", 2, NOTHING, "eq-errand", per_step)


def by_episode(g, c):
    G = to_go(g)
    mean = (G * g.mask).sum(axis=1, keepdims=True) / T(g)
    std = np.sqrt((((G - mean) ** 2) * g.mask).sum(axis=1, keepdims=True) / T(g))
    return np.where(std > 1e-12, (G - mean) / np.where(std > 1e-12, std, 1), 0)


row(
    "standardised inside each episode",
    "bait",
    1,
    OTHER,
    "eq-two-step-standardised",
    by_episode,
    factor=lambda c: -0.5,
    claim="claim-standardise",
)


def product_of_sums(g, c):
    return column(to_go(g).sum(axis=1))


def late_counts_more(c, theta):
    tau = c.trajectories
    return c.chances(theta) @ tau.rewards @ np.arange(1, tau.rewards.shape[1] + 1)


row(
    "the product of the sums, on payday",
    "payday",
    1,
    OTHER,
    "eq-sum-times-sum",
    product_of_sums,
    factor=lambda c: -1.0,
)
row(
    "the product of the sums",
    "level",
    1,
    OTHER,
    "eq-sum-times-sum",
    product_of_sums,
    climbs=late_counts_more,
    claim="claim-sum-times-sum",
)
row(
    "a reward-to-go that begins one step late",
    "payday",
    1,
    OTHER,
    "eq-reward-to-go",
    lambda g, c: to_go(g) - g.step_rewards,
    factor=lambda c: -0.5 / 0.25,
)


def undetached(g, c):
    """The baseline J(theta), differentiated with the rest."""
    J_now = J(g.world, g.theta)
    slope = known("dJ", g.world, g.theta, lambda: policy_gradient(g.world, g.theta))
    return pushed(g, R(g) - J_now) - g.logp.sum(axis=1).mean() * slope


def with_entropy(c, theta):
    """J, and the integral of the entropy over the chance of the better arm, which pays 1 more."""
    p = softmax_policy(theta)[0, 1]
    at, share = np.polynomial.legendre.leggauss(60)
    q = p * (at + 1) / 2
    return J(c.world, theta) - p / 2 * share @ (q * np.log(q) + (1 - q) * np.log(1 - q))


row(
    "a baseline that is not detached",
    "coin",
    1,
    OTHER,
    "eq-undetached-baseline",
    update=undetached,
    along=lambda c: 1 + np.log(2),
    climbs=with_entropy,
    claim="claim-detach",
)


def undetached_sine(g, c):
    """A baseline sin(theta_00), differentiated."""
    slope = np.zeros(g.theta.shape)
    slope[0, 0] = np.cos(g.theta[0, 0])
    return pushed(g, R(g) - np.sin(g.theta[0, 0])) - g.logp.sum(axis=1).mean() * slope


row(
    "a baseline of its own that is not detached",
    "arms",
    1,
    NOTHING,
    "eq-undetached-baseline",
    update=undetached_sine,
)

# Trials of chapters 15 and 16 that put no update on trial.
NO_UPDATE = {
    "claim-grad-log": "a sum of scores without rewards or draws: a statement about the policy",
    "claim-differentiate-return": "its samples move with theta, on a line; groups are listed here, "
    "and a listed action does not move",
    "claim-ascent": "the update is the exact gradient; the claim is about where its steps end",
    "claim-value-based": "Q-learning follows no gradient of J; the claim is about what it can hold",
    "claim-low-returns": "the update is REINFORCE's, judged above; the claim is about one draw",
    "claim-loss": "the update is REINFORCE's, judged above; the claim is about the loss's value",
}
