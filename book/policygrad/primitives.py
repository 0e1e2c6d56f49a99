r"""What the letters of the book's equations stand for in a given world: values for ``checks.runs``.

    runs("reward-to-go", *nothing_special())
    runs("reward-to-go", of_world(world, theta), of_world(other, theta_there))

Each function returns a dictionary from symbols, spelled as in the book, to their values, as
:mod:`policygrad.formulas` takes it.  No right-hand side of an equation stands in one: trajectories
and their rewards come from the list of all trajectories, P(tau; theta) is multiplied up step by
step, J, V, Q and d go backwards and forwards in time, in which no trajectory occurs:

    Q_t(s, a) = sum_s' P(s'|s, a) (r(s, a, s') + gamma V_{t+1}(s')),      V_H = 0,
    V_t(s) = sum_a pi(a|s) Q_t(s, a),
    d_{t+1}(s') = sum_{s,a} d_t(s) pi(a|s) P(s'|s, a),      d_0 = mu      [d_t(s) = Pr(s_t = s)]

They take complex theta, which ``exact`` does not, so that a gradient may be read off a complex
step.  For the theta given they are compared with ``exact`` on the spot: what runs is the package.

After the end of an episode the state stays, r_t = 0, pi_t = 1, and a_t has no value.
"""

from __future__ import annotations

import itertools

import numpy as np

from . import exact
from .mdp import MDP
from .policies import softmax_policy
from .validate import real_array, require_count, require_instance
from .worlds import random_mdp

__all__ = [
    "nothing_special",
    "of_arms",
    "of_batches",
    "of_endless",
    "of_groups",
    "of_ratios",
    "of_softmax",
    "of_world",
    "small_batches",
]

AGREE = 1e-12  # relative to the largest entry: two routes to one number


def nothing_special() -> tuple[dict, dict]:
    """Two worlds in which no number is special: random, discounted, aliased, of unequal sizes.

    In the first, episodes end after one, two or three steps; in the second there are three actions.
    """
    rng = np.random.default_rng(5)
    ending = random_mdp(rng, 4, 2, O=2, absorbing=1, horizon=3, gamma=0.7, successors=2)
    going = random_mdp(rng, 3, 3, O=2, horizon=2, gamma=0.85, successors=2)
    return tuple(of_world(world, _logits(rng, world)) for world in (ending, going))


def small_batches() -> tuple[dict, dict]:
    """Two worlds with so few trajectories that all batches can be listed, of two and of three."""
    rng = np.random.default_rng(6)
    longer = random_mdp(rng, 3, 2, O=2, horizon=2, gamma=0.7, successors=1)
    wider = random_mdp(rng, 2, 3, horizon=1, gamma=0.85, start="first")
    return of_batches(longer, 2, _logits(rng, longer)), of_batches(wider, 3, _logits(rng, wider))


def _logits(rng, world):
    return rng.normal(size=(world.O, world.A))


def of_softmax(theta) -> dict:
    r"""Letters of a softmax alone: \theta_{o,a}, \pi_\theta(a\mid o), e.

    Parameters
    ----------
    theta : (O, A) logits.

    Raises
    ------
    ValueError, TypeError
        naming the entry of ``theta`` that is wrong.
    """
    O, A = softmax_policy(theta).shape
    pi = _policy((O, A))
    return {
        "domains": {"o": range(O), "a": range(A), "b": range(A), r"\theta": [np.array(theta)]},
        "A": A,
        "O": O,
        "e": np.e,
        r"\pi_\theta(a\mid o)": lambda a, o, theta: pi(theta)[o, a],
    }


def of_arms(rewards, theta) -> dict:
    r"""Letters of one decision without percepts: r_a, \theta_a, \pi(a), J(\theta).

    Parameters
    ----------
    rewards : (A,) what each arm pays.
    theta : (A,) logits.

    Raises
    ------
    ValueError, TypeError
        naming the entry that is wrong, or if the lengths differ.
    """
    rewards, theta = _arms(rewards, theta)
    A, pi = len(theta), _policy((len(theta),))
    return {
        "domains": {"a": range(A), "b": range(A), r"\theta": [theta]},
        "laws": {"a": r"\pi(a)"},
        "A": A,
        "r_a": lambda a: rewards[a],
        r"\pi(a)": lambda a, theta: pi(theta)[a],
        r"\pi_\theta(a)": lambda a, theta: pi(theta)[a],
        r"J(\theta)": lambda theta: pi(theta) @ rewards,
    }


def of_groups(rewards, theta, G: int) -> dict:
    r"""Letters of all groups of G answers to one question: a_i, r_i, \bar r, \bar r_{-i}, r(a).

    Here r_i is what the i-th of the group earns, r(a) what the answer a does.

    Parameters
    ----------
    rewards : (A,) what each answer earns.
    theta : (A,) logits.
    G : answers in a group, at least 2.

    Raises
    ------
    ValueError, TypeError
        naming the argument or entry that is wrong.
    """
    G = require_count("G", G, 2)
    rewards, theta = _arms(rewards, theta)
    groups = list(itertools.product(range(len(theta)), repeat=G))
    numbers = range(1, G + 1)
    arms = of_arms(rewards, theta)
    del arms["r_a"]  # it and r_i would be one symbol
    return arms | {
        "domains": {
            **arms["domains"],
            "group": groups,
            "i": numbers,
            "j": numbers,
        },
        "laws": {"group": r"\prod_i\pi(a_i)"},
        "E": "group",
        "G": G,
        "a_i": lambda i, group: group[i - 1],
        "r(a)": lambda a: rewards[a],
        "r_i": lambda i, group: rewards[group[i - 1]],
        r"\bar r": lambda group: np.mean(rewards[list(group)]),
        r"\bar r_{-i}": lambda i, group: np.mean(rewards[[*group[: i - 1], *group[i:]]]),
    }


def of_batches(world: MDP, m: int, *thetas) -> dict:
    r"""Letters of all batches of m trajectories: those of the world, m, i, and \tau^{(i)}.

    Parameters
    ----------
    world : with few trajectories: N^m batches are listed.
    m : trajectories in a batch, at least 2; where nothing is averaged, wrong estimators pass.
    thetas : (O, A) logits.

    Raises
    ------
    ValueError, TypeError
        naming the argument that is wrong, or if there are more than 20,000 batches.
    """
    m = require_count("m", m, 2)
    letters = of_world(world, *thetas)
    tau = letters["domains"][r"\tau"]
    if len(tau) ** m > 20_000:
        raise ValueError(f"there are {len(tau)}^{m} batches, more than 20,000: make the world less")
    return letters | {
        r"batch\in": list(itertools.product(tau, repeat=m)),
        r"batch\sim": r"\prod_{i=1}^mP\bigl(\tau^{(i)};\theta\bigr)",
        r"i\in": range(1, m + 1),
        r"k\in": None,
        "E": "batch",
        "m": m,
    }


def of_world(world: MDP, *thetas) -> dict:
    r"""Letters of a world whose trajectories can be listed.

    s_t, a_t, r_t, h_t, \pi_t, G_t, T(\tau), R(\tau), P(\tau;\theta), J(\theta), V_t(s), Q_t(s,a),
    d_t(s), \mu(s), P(s'\mid s,a), r(s,a,s'), \pi_\theta(a\mid s), o(s), \gamma, H, A, S, O, N, N_0.

    Parameters
    ----------
    world : with a horizon, or episodes of bounded length.
    thetas : (O, A) logits, one or more.

    Raises
    ------
    ValueError, TypeError
        naming the argument that is wrong, or if a value is not what ``exact`` computes.
    """
    require_instance("world", world, MDP)
    tau = exact.enumerate_trajectories(world)
    H = tau.actions.shape[1]
    thetas = _thetas(world, thetas)
    of = _Recursions(world, tau, H)
    for theta in thetas:
        of.require_what_exact_says(theta)
    to_go = np.zeros((len(tau), H + 1))
    for t in reversed(range(H)):
        to_go[:, t] = tau.rewards[:, t] + world.gamma * to_go[:, t + 1]
    return _of_any(world, thetas, of.policy) | {
        "domains": _ranges(world, thetas)
        | {r"\tau": range(len(tau)), **dict.fromkeys("tku", range(H))},
        "laws": {r"\tau": r"P(\tau;\theta)"},
        "E": r"\tau",
        "H": H,
        "N": len(tau),
        "N_0": int(np.count_nonzero(world.mu)),
        "s_t": lambda t, tau_: tau.states[tau_, t],
        "a_t": lambda t, tau_: tau.actions[tau_, t],
        "r_t": lambda t, tau_: tau.rewards[tau_, t],
        "h_t": lambda t, tau_: (*tau.states[tau_, : t + 1], *tau.actions[tau_, :t]),
        "T": lambda tau_: tau.lengths[tau_],
        r"T(\tau)": lambda tau_: tau.lengths[tau_],
        "G_t": lambda t, tau_: to_go[tau_, t],
        r"R(\tau)": lambda tau_: tau.returns[tau_],
        r"\pi_t": lambda t, tau_, theta: of.chosen(theta)[tau_, t],
        r"P(\tau;\theta)": lambda tau_, theta: of.chances(theta)[tau_],
        r"J(\theta)": lambda theta: world.mu @ of.values(theta)[0][0],
        "V_t(s)": lambda t, s, theta: of.values(theta)[0][t, s],
        "Q_t(s,a)": lambda t, s, a, theta: of.values(theta)[1][t, s, a],
        "d_t(s)": lambda t, s, theta: of.visits(theta)[t, s],
    }


def of_ratios(world: MDP, theta, theta_old) -> dict:
    r"""Letters of a world in which one policy draws and another is to be made better.

    Those of :func:`of_world` for theta; of the policy that draws, \theta_{\text{old}},
    \pi_{\text{old}}(a\mid s), P_{\text{old}}(\tau), V_t^{\text{old}}(s),
    Q_t^{\text{old}}(s,a), A_t^{\text{old}}(s,a) and d_t^{\text{old}}(s); of both, w_t and
    w(\tau), where w_t is 1 after the end; and A_t(s,a), of theta.

    A mean says who draws: \tau\sim\text{old}, \tau\sim\pi_{\text{old}} or
    \tau\sim\theta_{\text{old}}.  Without a word, theta does.

    Parameters
    ----------
    world : with a horizon, or episodes of bounded length.
    theta, theta_old : (O, A) logits.

    Raises
    ------
    ValueError, TypeError
        as :func:`of_world`.
    """
    letters = of_world(world, theta)
    (old,) = (x.ravel() for x in _thetas(world, [theta_old], "theta_old"))
    tau = exact.enumerate_trajectories(world)
    of = _Recursions(world, tau, tau.actions.shape[1])
    of.require_what_exact_says(old.reshape(world.O, world.A))
    V, Q = of.values(old)
    drawn = r"P_{\text{old}}(\tau)"
    return letters | {
        "laws": letters["laws"]
        | dict.fromkeys((r"\text{old}", r"\pi_{\text{old}}", r"\theta_{\text{old}}"), drawn),
        r"\theta_{\text{old}}": old,
        r"\pi_{\text{old}}(a\mid s)": lambda a, s: of.policy(old)[world.observe[s], a],
        drawn: lambda tau_: of.chances(old)[tau_],
        "w_t": lambda t, tau_, theta: of.chosen(theta)[tau_, t] / of.chosen(old)[tau_, t],
        r"w(\tau)": lambda tau_, theta: of.chances(theta)[tau_] / of.chances(old)[tau_],
        "A_t(s,a)": lambda t, s, a, theta: of.values(theta)[1][t, s, a] - of.values(theta)[0][t, s],
        r"V_t^{\text{old}}(s)": lambda t, s: V[t, s],
        r"Q_t^{\text{old}}(s,a)": lambda t, s, a: Q[t, s, a],
        r"A_t^{\text{old}}(s,a)": lambda t, s, a: Q[t, s, a] - V[t, s],
        r"d_t^{\text{old}}(s)": lambda t, s: of.visits(old)[t, s],
    }


def of_endless(world: MDP, *thetas) -> dict:
    r"""Letters of a world without horizon, as linear systems: V(s), Q(s,a), d(s), J(\theta), P_\pi.

    V = r_pi + gamma P_pi V,     d = mu + gamma d P_pi,     J = mu . V

    Parameters
    ----------
    world : without horizon; gamma < 1.
    thetas : (O, A) logits, one or more.

    Raises
    ------
    ValueError, TypeError
        naming the argument that is wrong, or if a value is not what ``exact`` computes.
    """
    require_instance("world", world, MDP)
    if world.horizon is not None or world.gamma == 1.0:
        raise ValueError("world must have no horizon and gamma < 1; see of_world for others")
    of = _Systems(world)
    thetas = _thetas(world, thetas)
    for theta in thetas:
        of.require_what_exact_says(theta)
    return _of_any(world, thetas, of.policy) | {
        "domains": _ranges(world, thetas) | {"t": range(3)},
        r"\mu": world.mu,
        "I": np.eye(world.S),
        r"P_\pi": lambda theta: of.chain(theta)[0],
        r"r_\pi": lambda theta: of.chain(theta)[1],
        "d_t": lambda t, theta: world.mu @ np.linalg.matrix_power(of.chain(theta)[0], t),
        "V(s)": lambda s, theta: of.values(theta)[0][s],
        "Q(s,a)": lambda s, a, theta: of.values(theta)[1][s, a],
        "d(s)": lambda s, theta: of.visits(theta)[s],
        r"J(\theta)": lambda theta: world.mu @ of.values(theta)[0],
    }


# --- what they have in common -------------------------------------------------------------------


def _thetas(world, thetas, name="theta"):
    if not thetas:
        raise ValueError("theta is missing: give logits, an (O, A) array")
    return [real_array(name, theta, (world.O, world.A), "(O, A)") for theta in thetas]


def _arms(rewards, theta):
    rewards, theta = real_array("rewards", rewards), real_array("theta", theta)
    if theta.ndim != 1 or rewards.shape != theta.shape:
        raise ValueError(
            "rewards and theta must be two lists of one length; "
            f"they have shapes {rewards.shape} and {theta.shape}"
        )
    return rewards, theta


def _ranges(world, thetas):
    return {
        "s": range(world.S),
        **dict.fromkeys("ab", range(world.A)),
        "o": range(world.O),
        r"\theta": thetas,
    }


def _of_any(world, thetas, policy):
    def chosen(a, s, theta):
        return policy(theta)[world.observe[s], a]

    return {
        r"\gamma": world.gamma,
        "A": world.A,
        "S": world.S,
        "O": world.O,
        r"\mu(s)": lambda s: world.mu[s],
        r"P(s'\mid s,a)": lambda n, s, a: world.P[s, a, n],
        r"r(s,a,s')": lambda s, a, n: world.R[s, a, n],
        "o(s)": lambda s: world.observe[s],
        r"\pi(a\mid s)": chosen,
        r"\pi_\theta(a\mid s)": chosen,
    }


def _once(function):
    """Compute a function of theta once for each theta."""
    known = {}

    def remembered(theta):
        key = theta.tobytes()
        if key not in known:
            known[key] = function(theta)
        return known[key]

    return remembered


def _policy(shape):
    """The softmax of flat logits, complex ones too, as an array of that shape."""

    @_once
    def pi(theta):
        weights = np.exp(theta.reshape(shape))
        return weights / weights.sum(axis=-1, keepdims=True)

    return pi


class _Recursions:
    """Everything that depends on theta in a world with a horizon H."""

    def __init__(self, world, tau, H):
        self.world, self.tau, self.H = world, tau, H
        self.policy = _policy((world.O, world.A))
        self.chosen, self.chances = _once(self._chosen), _once(self._chances)
        self.values, self.visits = _once(self._values), _once(self._visits)

    def _chosen(self, theta):
        tau = self.tau
        picked = self.policy(theta)[self.world.observe[tau.states[:, :-1]], tau.actions]
        return np.where(tau.happened, picked, 1.0)

    def _chances(self, theta):
        world, tau = self.world, self.tau
        total = world.mu[tau.states[:, 0]]
        for t in range(self.H):
            s, a, to = tau.states[:, t], tau.actions[:, t], tau.states[:, t + 1]
            moved = np.where(tau.happened[:, t], world.P[s, a, to], 1.0)
            total = total * self.chosen(theta)[:, t] * moved
        return total

    def _values(self, theta):
        world, pi = self.world, self.policy(theta)[self.world.observe]
        V, Q = [np.zeros(world.S)], []
        for _ in range(self.H):
            Q.insert(0, np.einsum("sap,sap->sa", world.P, world.R + world.gamma * V[0]))
            V.insert(0, np.einsum("sa,sa->s", pi, Q[0]))
        return np.array(V), np.array(Q)

    def _visits(self, theta):
        world, pi = self.world, self.policy(theta)[self.world.observe]
        d = [world.mu]
        for _ in range(self.H):
            d.append(np.einsum("s,sa,sap->p", d[-1], pi, world.P))
        return np.array(d)

    def require_what_exact_says(self, theta):
        """Compare with the package."""
        world, pi = self.world, softmax_policy(theta)
        same = _same_as_exact
        same("J", world.mu @ self.values(theta)[0][0], exact.expected_return(world, pi))
        same("P(tau; theta)", self.chances(theta), self.tau.probability(pi))
        if world.horizon is not None:
            same("V", self.values(theta)[0], exact.state_values(world, pi))
            same("Q", self.values(theta)[1], exact.action_values(world, pi))
            acting = self.visits(theta)[:-1] * ~world.absorbing
            discounted = world.gamma ** np.arange(self.H)[:, None] * acting
            same("d", discounted, exact.occupancy(world, pi))


class _Systems:
    """Everything that depends on theta in a world without horizon."""

    def __init__(self, world):
        self.world, self.policy = world, _policy((world.O, world.A))
        self.chain, self.values, self.visits = map(_once, (self._chain, self._values, self._visits))

    def _chain(self, theta):
        world, pi = self.world, self.policy(theta)[self.world.observe]
        P_pi = np.einsum("sa,sap->sp", pi, world.P)
        return P_pi, np.einsum("sa,sap,sap->s", pi, world.P, world.R)

    def _values(self, theta):
        world, (P_pi, r_pi) = self.world, self.chain(theta)
        V = np.linalg.solve(np.eye(world.S) - world.gamma * P_pi, r_pi)
        return V, np.einsum("sap,sap->sa", world.P, world.R + world.gamma * V)

    def _visits(self, theta):
        world = self.world
        return np.linalg.solve(np.eye(world.S) - world.gamma * self.chain(theta)[0].T, world.mu)

    def require_what_exact_says(self, theta):
        """Compare with the package."""
        world, pi = self.world, softmax_policy(theta)
        V, Q = self.values(theta)
        _same_as_exact("J", world.mu @ V, exact.expected_return(world, pi))
        _same_as_exact("V", V, exact.state_values(world, pi))
        _same_as_exact("Q", Q, exact.action_values(world, pi))
        _same_as_exact("d", self.visits(theta) * ~world.absorbing, exact.occupancy(world, pi))


def _same_as_exact(name, here, there):
    largest = max(np.max(np.abs(there)), 1.0)
    if not np.max(np.abs(here - there)) <= AGREE * largest:
        raise ValueError(f"{name} is not what the package computes: {here}, not {there}")
