"""How far `exact` goes: rare and dear ends, episodes of any length, large numbers, large worlds.

Where routes could agree in the same mistake, rational arithmetic stands beside them: `rational`
solves the same equations in fractions of whole numbers, with no rounding at all.
"""

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from re import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policygrad import memory
from policygrad.exact import (
    METHODS,
    action_values,
    advantages,
    endless,
    enumerate_trajectories,
    enumeration,
    expected_return,
    forwards,
    occupancy,
    policy_gradient,
    state_values,
)
from policygrad.mdp import MDP
from policygrad.policies import softmax_policy
from policygrad.worlds import aliased_pair, gamma_trap, random_mdp, short_corridor, two_state
from random_worlds import agree, examples, worlds

LONG = ("adjoint", "forwards")


def coin_tosses(tosses, horizon):
    """From s to s+1 with probability 1/2, else the end, which pays 2^(s+1)."""
    S = tosses + 2  # the last two: all tosses made, and the end
    P, R = np.zeros((S, 1, S)), np.zeros((S, 1, S))
    for s in range(tosses):
        P[s, 0, s + 1] = P[s, 0, S - 1] = 0.5
        R[s, 0, S - 1] = 2.0 ** (s + 1)
    P[tosses, 0, S - 1] = P[S - 1, 0, S - 1] = 1.0
    return MDP(P, R, np.eye(S)[0], horizon=horizon, gamma=1.0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("horizon", [None, 120, 121, 10**9])
def test_a_rare_end_that_pays_much_counts_in_full(method, horizon):
    # the toss at s is made with probability 2^-s and ends it with 1/2: 2^-(s+1) 2^(s+1) = 1 a toss
    mdp = coin_tosses(120, horizon)
    assert expected_return(mdp, np.ones((mdp.S, 1)), method=method) == 120.0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("horizon", [None, 100])
def test_a_late_reward_counts_in_full_however_much_it_is_discounted(method, horizon):
    # 100 steps along a line; action 1 earns 2^99 on the last, t = 99: J = pi(1) 2^-99 2^99 = 1/2,
    # and dJ/dtheta_b = pi(b) (1[b = 1] - J) = -1/4, 1/4
    P, R = np.zeros((101, 2, 101)), np.zeros((101, 2, 101))
    P[np.arange(100), :, np.arange(1, 101)] = P[100, :, 100] = 1.0
    R[99, 1, 100] = 2.0**99
    mdp = MDP(P, R, np.eye(101)[0], horizon=horizon, gamma=0.5)
    if method != "enumeration":  # which would list 2^100 trajectories
        assert expected_return(mdp, np.full((101, 2), 0.5), method=method) == 0.5
        gradient = policy_gradient(mdp, np.zeros((101, 2)), method=method)
        np.testing.assert_array_equal(gradient[99], [-0.25, 0.25])
        assert not gradient[:99].any()
    one_action = MDP(P[:, :1], R[:, 1:], mdp.mu, horizon=horizon, gamma=0.5)
    assert expected_return(one_action, np.ones((101, 1)), method=method) == 1.0


@pytest.mark.parametrize("method", LONG)
def test_a_gradient_that_comes_late_counts_in_full(method):
    # a coin each step: on, or the end; after 60 steps a choice between 2^60 and nothing:
    # J = 2^-60 pi(1) 2^60, so that dJ/dtheta = pi(b) (1[b = 1] - 1/2) = -1/4, 1/4
    P, R = np.zeros((62, 2, 62)), np.zeros((62, 2, 62))
    P[:60, :, 61] = P[np.arange(60), :, np.arange(1, 61)] = 0.5
    P[60:, :, 61] = 1.0
    R[60, 1, 61] = 2.0**60
    mdp = MDP(P, R, np.eye(62)[0], gamma=1.0)
    gradient = policy_gradient(mdp, np.zeros((62, 2)), method=method)
    np.testing.assert_array_equal(gradient[60], [-0.25, 0.25])


@examples(60)
@given(world=worlds(("absorbing", "discount"), max_S=5))
def test_the_bound_on_the_actions_to_come_holds(world):
    # sum_s d(s) from each start is the number of actions, discounted
    mdp, theta = world
    P_pi = np.einsum("sa,sap->sp", (pi := softmax_policy(theta))[mdp.observe], mdp.P)
    longest = 0.0
    for s in range(mdp.S):
        start = replace(mdp, mu=np.eye(mdp.S)[s])
        longest = max(longest, occupancy(start, pi).sum())
    everywhere = replace(mdp, mu=np.full(mdp.S, 1 / mdp.S))
    assert forwards._actions_to_come(everywhere, P_pi) >= longest * (1 - 1e-12)


def test_the_bound_on_the_actions_to_come_is_hardly_twice_their_number():
    # one state, left with probability x: 1/x actions; (1 - x)^k <= 1/2 from k = ln 2 / -ln(1-x) on
    for x in np.linspace(0.01, 1, 100):
        mdp = MDP([[[1 - x, x]], [[0, 1]]], np.zeros((2, 1, 2)), [1, 0], gamma=1.0)
        bound = forwards._actions_to_come(mdp, mdp.P[:, 0])
        assert 1 / x <= bound * (1 + 1e-12) <= 2 / x + 2


# --- accuracy ------------------------------------------------------------------------------------


def rational(mdp, theta):
    """J and grad J in whole numbers, by values and visits; staying is what is not leaving."""
    pi = softmax_policy(theta)[mdp.observe]
    pi = [[Fraction(p) for p in row] for row in pi]
    live, gamma = [s for s in range(mdp.S) if not mdp.absorbing[s]], Fraction(mdp.gamma)
    others = {s: [p for p in range(mdp.S) if p != s] for s in live}
    P = {(s, a, p): Fraction(mdp.P[s, a, p]) for s in live for a in range(mdp.A) for p in others[s]}
    R = [[[Fraction(x) for x in row] for row in by_a] for by_a in mdp.R]
    move = {(s, p): sum(pi[s][a] * P[s, a, p] for a in range(mdp.A)) for s, a, p in P if a == 0}

    def row(s, p):  # of 1 - gamma P_pi
        return (
            1 - gamma * (1 - sum(move[s, q] for q in others[s])) if s == p else -gamma * move[s, p]
        )

    def r(s, a):
        stays = 1 - sum(P[s, a, p] for p in others[s])
        return stays * R[s][a][s] + sum(P[s, a, p] * R[s][a][p] for p in others[s])

    A = [[row(s, p) for p in live] for s in live]
    average = [sum(pi[s][a] * r(s, a) for a in range(mdp.A)) for s in live]
    V = dict.fromkeys(range(mdp.S), Fraction(0)) | dict(
        zip(live, eliminated(A, average), strict=True)
    )
    start = [Fraction(mdp.mu[s]) for s in live]
    d = dict(zip(live, eliminated(transposed(A), start), strict=True))
    gradient = np.zeros((mdp.O, mdp.A))
    for s in live:
        Q = [
            r(s, a) + gamma * sum(P[s, a, p] * (V[p] - V[s]) for p in others[s])
            for a in range(mdp.A)
        ]  # less gamma V(s), which is common to all actions
        for a in range(mdp.A):
            better = sum(pi[s][b] * (Q[a] - Q[b]) for b in range(mdp.A))
            gradient[mdp.observe[s], a] += float(d[s] * pi[s][a] * better)
    return float(sum(Fraction(mdp.mu[s]) * V[s] for s in live)), gradient


def eliminated(A, b):
    """Gauss and Jordan, in fractions."""
    rows = [[*row, x] for row, x in zip(A, b, strict=True)]
    for k in range(len(rows)):
        pivot = next(i for i in range(k, len(rows)) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(len(rows)):
            if i != k:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]


def transposed(A):
    return [list(column) for column in zip(*A, strict=True)]


def rarely_ends(chance, seed):
    """A random world, aliased, whose every action ends the episode with about that probability."""
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 5, 3, O=3, absorbing=1, gamma=1.0)
    P = mdp.P.copy()
    P[:-1, :, -1] *= chance
    P /= P.sum(axis=2, keepdims=True)
    return MDP(P, mdp.R, mdp.mu, gamma=1.0, observe=mdp.observe)


def barely_discounts(rest, seed):
    return random_mdp(np.random.default_rng(seed), 5, 3, O=3, gamma=1 - rest)


LENGTHY = {
    "short corridor, p = 1e-7": (short_corridor(), np.array([[0.0, np.log(1e-7)]])),
    "aliased pair, gamma = 1 - 1e-7": (aliased_pair(gamma=1 - 1e-7), np.array([[0.3, -0.2]])),
    **{
        f"{f.__name__}, {x}, {seed}": (mdp := f(x, seed), np.sin(np.arange(mdp.O * 3.0) + seed))
        for f in (rarely_ends, barely_discounts)
        for x in (0.5, 1e-3, 1e-9, 1e-14)
        for seed in range(3)
    },
}


@pytest.mark.parametrize(("mdp", "theta"), LENGTHY.values(), ids=LENGTHY)
def test_the_length_of_episodes_costs_no_digits(mdp, theta):
    theta = theta.reshape(mdp.O, mdp.A)
    J, gradient = rational(mdp, theta)
    assert expected_return(mdp, softmax_policy(theta)) == pytest.approx(J, rel=1e-13)
    agree(policy_gradient(mdp, theta), gradient, rtol=1e-13)


@examples(60)
@given(n=st.integers(1, 9), seed=st.integers(0, 999), rare=st.sampled_from([1.0, 1e-6, 1e-12]))
def test_no_entry_of_a_solution_loses_digits(n, seed, rare):
    # right-hand and left-hand sides all of one sign: then each entry is right on its own
    rng = np.random.default_rng(seed)
    L, leaving = rng.random((n, n)) * rng.choice([1.0, rare, 0.0], (n, n)), rare * rng.random(n)
    b, c = rng.random((n, 2)), rng.random((3, n))
    scale = L.sum(axis=1) - L.diagonal() + leaving
    x, y = endless.solve(L / scale[:, None], leaving / scale, b, c)
    off = [[Fraction(float(v)) for v in row] for row in L / scale[:, None]]
    out = [Fraction(float(v)) for v in leaving / scale]
    A = [
        [out[i] + sum(off[i][:i] + off[i][i + 1 :]) if i == j else -off[i][j] for j in range(n)]
        for i in range(n)
    ]
    for k in range(2):
        wanted = [float(v) for v in eliminated(A, [Fraction(float(v)) for v in b[:, k]])]
        np.testing.assert_allclose(x[:, k], wanted, rtol=1e-13)
    for k in range(3):
        wanted = [float(v) for v in eliminated(transposed(A), [Fraction(float(v)) for v in c[k]])]
        np.testing.assert_allclose(y[k], wanted, rtol=1e-13)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 37])
def test_a_solution_is_what_a_general_solver_finds(size):
    rng = np.random.default_rng(size)
    L = rng.dirichlet(np.ones(size + 1), size=size)[:, :size]
    b, c = rng.normal(size=(size, 2)), rng.normal(size=(3, size))
    x, y = endless.solve(L, 1 - L.sum(axis=1), b, c)
    agree(x, np.linalg.solve(np.eye(size) - L, b))
    agree(y, np.linalg.solve(np.eye(size) - L.T, c.T).T)


def test_rows_that_miss_one_are_refused_where_it_matters():
    # 1e6 actions expected, each with a probability of 3e-11 that stands nowhere: 3e-5 of J
    def waiting(chance):
        P = np.zeros((2, 1, 2))
        P[0, 0] = [1 - chance - 3e-11, chance]
        P[1, 0, 1] = 1.0
        R = np.ones((2, 1, 2)) * np.array([1.0, 0.0])[:, None, None]
        return MDP(P, R, [1, 0], gamma=1.0, states=["in", "out"])

    theta = np.zeros((2, 1))
    words = (
        "the probabilities of P from state in miss 1 by 3.0e-11, and with 1.0e+06 actions expected"
    )
    for compute in (expected_return, state_values, action_values, advantages, occupancy):
        with pytest.raises(ValueError, match=escape(words)):
            compute(waiting(1e-6), softmax_policy(theta))
    with pytest.raises(ValueError, match=escape(words)):
        policy_gradient(waiting(1e-6), theta)
    assert expected_return(waiting(0.5), [[1.0], [1.0]]) == pytest.approx(2.0, rel=1e-10)


# --- the range of floats -------------------------------------------------------------------------


def dear(reward, horizon=3):
    """Two actions, one of which pays so much a step."""
    R = np.zeros((1, 2, 1))
    R[0, 1, 0] = reward
    return MDP(np.ones((1, 2, 1)), R, [1], horizon=horizon, gamma=1.0 if horizon else 0.9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("reward", [1e308, -1e308])
def test_what_leaves_the_range_of_floats_is_refused_by_every_route(method, reward):
    # 10 steps, or as many by the discount: J = 10 * 3/4 x and dJ/dtheta_1 = 10 * 3/16 x
    theta = np.log([[1.0, 3.0]])
    for mdp in (dear(reward, 10), *([dear(reward, None)] if method != "enumeration" else [])):
        with pytest.raises(ValueError, match="leaves the range of floats"):
            expected_return(mdp, softmax_policy(theta), method=method)
        with pytest.raises(ValueError, match="leaves the range of floats"):
            policy_gradient(mdp, theta, method=method)


@pytest.mark.parametrize("horizon", [None, 3])
def test_values_that_leave_the_range_of_floats_are_refused(horizon):
    for values in (state_values, action_values, advantages):
        with pytest.raises(ValueError, match="V leaves the range of floats"):
            values(dear(1.5e308, horizon), [[0.25, 0.75]])


@pytest.mark.parametrize("method", METHODS)
def test_large_numbers_within_the_range_are_no_trouble(method):
    # J = 3 * 3/4 * 2e307 = 4.5e307; dJ/dtheta_1 = 3 pi(1) pi(0) 2e307 = 1.125e307
    theta = np.log([[1.0, 3.0]])
    J = expected_return(dear(2e307), softmax_policy(theta), method=method)
    assert J == pytest.approx(4.5e307, rel=1e-14)
    gradient = policy_gradient(dear(2e307), theta, method=method)
    np.testing.assert_allclose(gradient, [[-1.125e307, 1.125e307]], rtol=1e-14)


# --- values from some states only ----------------------------------------------------------------


def test_action_values_and_advantages_are_known_where_the_values_are():
    # with gamma = 1/2 from "wait 2", state 3: 8 comes one step later; states 3, 4, 5 are visited
    mdp, start = gamma_trap(gamma=0.5), np.arange(6) == 3
    Q = action_values(mdp, [[0.25, 0.75]], start=start)
    np.testing.assert_array_equal(Q, [[np.nan] * 2] * 3 + [[4.0] * 2, [8.0] * 2, [0.0] * 2])
    A = advantages(mdp, [[0.25, 0.75]], start=start)
    np.testing.assert_array_equal(A, [[np.nan] * 2] * 3 + [[0.0] * 2] * 3)


def test_an_unreachable_endless_state_spoils_nothing_from_a_start_that_is_given():
    # 0 -> 1, the end, and 2 for ever; from 0, action 1 is never taken, and would lead to 2
    P, R = np.zeros((3, 2, 3)), np.zeros((3, 2, 3))
    P[0, 0, 1] = P[1, :, 1] = P[0, 1, 2] = P[2, :, 2] = 1.0
    R[0, 0, 1], R[2, :, 2] = 3.0, 1.0
    mdp, pi = MDP(P, R, [1, 0, 0], gamma=1.0), [[1.0, 0.0]] * 3
    start = mdp.mu > 0
    np.testing.assert_array_equal(state_values(mdp, pi, start=start), [3, 0, np.nan])
    unknown = [[3, np.nan], [0, 0], [np.nan, np.nan]]
    np.testing.assert_array_equal(action_values(mdp, pi, start=start), unknown)
    unknown[0][0] = 0
    np.testing.assert_array_equal(advantages(mdp, pi, start=start), unknown)


@examples(60)
@given(world=worlds(max_S=5), seed=st.integers(0, 99))
def test_what_is_known_from_some_states_is_what_is_known_from_all(world, seed):
    mdp, theta = world
    pi, start = softmax_policy(theta), np.random.default_rng(seed).random(mdp.S) < 0.3
    for function in (state_values, action_values, advantages):
        some, every = function(mdp, pi, start=start), function(mdp, pi)
        known = ~np.isnan(some)
        agree(np.where(known, some, 0.0), np.where(known, every, 0.0))
        by_state = known if function is state_values else known.all(axis=-1)
        assert by_state.reshape(-1, mdp.S)[:, start | mdp.absorbing].all()
        if start.all():
            assert known.all()


# --- size ----------------------------------------------------------------------------------------


def test_a_large_world_takes_little_more_memory_than_its_arrays():
    # P and R: 2 * 400 * 6 * 400 floats, 15 MB; a gradient of P_pi for each logit would take 3 GB
    mdp = random_mdp(np.random.default_rng(0), 400, 6, horizon=5, gamma=1.0)
    theta = np.random.default_rng(1).normal(size=(400, 6))
    tracemalloc.start()
    J = expected_return(mdp, softmax_policy(theta))
    _, for_J = tracemalloc.get_traced_memory()
    gradient = policy_gradient(mdp, theta)
    _, for_gradient = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert for_J < 3e6 and for_gradient < 12e6
    assert abs(gradient.sum(axis=1)).max() < 1e-13 * abs(gradient).max() and np.isfinite(J)


def test_going_forwards_takes_no_matrix_for_each_logit():
    # (O A, S, S) numbers would take 8 * 400 * 100^2 = 32 MB
    mdp = random_mdp(np.random.default_rng(0), 100, 4, horizon=5, gamma=1.0)
    theta = np.random.default_rng(1).normal(size=(100, 4))
    tracemalloc.start()
    gradient = policy_gradient(mdp, theta, method="forwards")
    _, peak = tracemalloc.get_traced_memory()
    expected_return(mdp, softmax_policy(theta), method="forwards")
    tracemalloc.stop()
    assert peak < 5e6
    agree(gradient, policy_gradient(mdp, theta))


def test_what_does_not_fit_into_memory_is_refused_with_its_size_before_it_begins(monkeypatch):
    monkeypatch.setattr(memory, "memory_allowed", lambda: 2**20)
    much = r"more than half of this machine's \(1.0 MB\)"
    mdp, theta = two_state(10**5, gamma=1.0), np.zeros((2, 2))
    pi = softmax_policy(theta)
    for compute in (state_values, action_values, advantages, occupancy):
        with pytest.raises(ValueError, match=f"over time would take about [0-9.]+ MB .*, {much}"):
            compute(mdp, pi)
    with pytest.raises(ValueError, match=f'{much}; method="forwards" keeps no time'):
        policy_gradient(mdp, theta)
    assert expected_return(mdp, pi) == pytest.approx(expected_return(mdp, pi, method="forwards"))
    wide = random_mdp(np.random.default_rng(0), 100, 4, horizon=2, gamma=1.0)
    with pytest.raises(
        ValueError, match=r'grad J forwards in time .*; method="adjoint" takes less'
    ):
        policy_gradient(wide, np.zeros((100, 4)), method="forwards")
    assert policy_gradient(wide, np.zeros((100, 4))).any()
    with pytest.raises(ValueError, match="a list of 65,536 trajectories of 8 steps would take"):
        enumerate_trajectories(two_state(8, gamma=1.0))
    with pytest.raises(ValueError, match="the table of scores would take"):
        policy_gradient(gamma_trap_with_percepts(200), np.zeros((200, 2)), method="enumeration")


def gamma_trap_with_percepts(S):
    """One step, many states: few trajectories, and a large table of scores."""
    P = np.zeros((S, 2, S))
    P[:, :, S - 1] = 1.0
    return MDP(P, np.zeros((S, 2, S)), np.eye(S)[0], horizon=1, gamma=1.0)


def test_a_long_list_is_refused_for_its_steps_too():
    # one trajectory of 10^12 steps; some 64 TB
    mdp = MDP([[[1.0]]], [[[1.0]]], [1], horizon=10**12, gamma=1.0)
    with pytest.raises(ValueError, match="a list of 1 trajectories of 1,000,000,000,000 steps"):
        enumerate_trajectories(mdp)


def test_a_horizon_beyond_what_anything_earns_costs_nothing():
    # the corridor ends: after some thousand steps V does not change any more
    long = replace(short_corridor(), horizon=10**12)
    assert expected_return(long, [[0.5, 0.5]]) == pytest.approx(-12, rel=1e-12)
    for compute in (
        expected_return,
        lambda *args, **how: policy_gradient(long, [[0.0, 0.0]], **how),
    ):
        assert np.isfinite(compute(long, [[0.5, 0.5]], method="forwards")).all()
    assert enumeration._longest(coin_tosses(5, 10**9), np.arange(7) < 6) == 6
