"""J, its gradient, values and occupancy: three routes, one answer.

The routes share no code, so their agreement is evidence; but all of them read the arrays of the
same MDP and the same softmax. Against a mistake there stand a fourth route (`expected`, a recursion
in plain Python), finite differences, and closed forms here and in test_worlds.
"""

import tracemalloc
from dataclasses import FrozenInstanceError
from re import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policygrad.estimators import returns
from policygrad.exact import (
    METHODS,
    action_values,
    adjoint,
    advantages,
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
from policygrad.sampling import sample_trajectories
from policygrad.trajectories import NO_ACTION, Trajectories
from policygrad.worlds import (
    bandit,
    gamma_trap,
    random_mdp,
    short_corridor,
    two_state,
    vacuum_corridor,
)
from random_worlds import ENDLESS, ENUMERABLE, agree, examples, slope, worlds

LONG = ("adjoint", "forwards")  # the routes that do not need short episodes


def expected(mdp, pi, s, t=0):
    """What is to come from state s at time t: the definition, one branch at a time."""
    if mdp.absorbing[s] or t == mdp.horizon:
        return 0.0
    return sum(
        pi[mdp.observe[s], a]
        * mdp.P[s, a, p]
        * (mdp.R[s, a, p] + mdp.gamma * expected(mdp, pi, p, t + 1))
        for a in range(mdp.A)
        for p in range(mdp.S)
        if mdp.P[s, a, p] > 0
    )


def mixed(theta, seed):
    """Another policy, with some probabilities 0."""
    pi = np.random.default_rng(seed).dirichlet(np.full(theta.shape[1], 0.5), size=len(theta))
    pi[0] = np.eye(theta.shape[1])[0]
    return pi


# --- J -------------------------------------------------------------------------------------------


@examples(60)
@given(world=worlds(ENUMERABLE))
def test_three_routes_give_one_return(world):
    mdp, theta = world
    pi = softmax_policy(theta)
    reference = expected_return(mdp, pi, method="enumeration")
    for method in LONG:
        agree(expected_return(mdp, pi, method=method), reference)


@examples(60)
@given(world=worlds(ENDLESS, max_S=5))
def test_two_routes_give_one_return_where_episodes_have_no_bound(world):
    mdp, theta = world
    pi = softmax_policy(theta)
    agree(*(expected_return(mdp, pi, method=method) for method in LONG))


@examples(30)
@given(world=worlds(ENUMERABLE, max_S=3, max_A=2), seed=st.integers(0, 99))
def test_all_routes_give_what_the_definition_gives(world, seed):
    mdp, theta = world
    for pi in (softmax_policy(theta), mixed(theta, seed)):
        by_definition = sum(mdp.mu[s] * expected(mdp, pi, s) for s in range(mdp.S))
        for method in METHODS:
            agree(expected_return(mdp, pi, method=method), by_definition)


@pytest.mark.parametrize("method", METHODS)
def test_a_return_is_a_plain_number(method):
    assert type(expected_return(two_state(gamma=1.0), np.full((2, 2), 0.5), method=method)) is float


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("gamma", [0.7, 1.0])
def test_three_routes_agree_where_nothing_is_special(seed, gamma):
    # aliased states, unequal numbers, every transition possible, an end before the horizon or none
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 4, 3, O=2, absorbing=seed % 2, horizon=3, gamma=gamma)
    theta = rng.normal(size=(2, 3))
    pi, mu = softmax_policy(theta), rng.dirichlet(np.ones(4))
    mdp = MDP(mdp.P, mdp.R, mu, horizon=3, gamma=gamma, observe=mdp.observe)
    by_definition = sum(mdp.mu[s] * expected(mdp, pi, s) for s in range(mdp.S))
    reference = policy_gradient(mdp, theta, method="enumeration")
    assert abs(by_definition) > 1e-3 and np.abs(reference).min() > 1e-4
    for method in METHODS:
        agree(expected_return(mdp, pi, method=method), by_definition, rtol=1e-13)
        agree(policy_gradient(mdp, theta, method=method), reference, rtol=1e-13)


@pytest.mark.parametrize("horizon", [None, 3])
def test_the_default_route_is_the_adjoint(monkeypatch, horizon):
    mdp = two_state(horizon, gamma=0.9)
    monkeypatch.setattr(adjoint, "expected_return", lambda mdp, pi: 42.0)
    monkeypatch.setattr(adjoint, "policy_gradient", lambda mdp, theta: 0 * theta + 43.0)
    assert expected_return(mdp, np.full((2, 2), 0.5)) == 42.0
    assert (policy_gradient(mdp, np.zeros((2, 2))) == 43.0).all()


# --- grad J --------------------------------------------------------------------------------------


@examples(60)
@given(world=worlds(ENUMERABLE))
def test_three_routes_give_one_gradient(world):
    mdp, theta = world
    reference = policy_gradient(mdp, theta, method="enumeration")
    assert reference.shape == (mdp.O, mdp.A)
    for method in LONG:
        agree(policy_gradient(mdp, theta, method=method), reference)


@examples(60)
@given(world=worlds(ENDLESS, max_S=5))
def test_two_routes_give_one_gradient_where_episodes_have_no_bound(world):
    mdp, theta = world
    agree(*(policy_gradient(mdp, theta, method=method) for method in LONG))


@examples(40)
@given(world=worlds())
def test_the_gradient_is_the_slope_of_J(world):
    mdp, theta = world
    by_differences = slope(lambda x: expected_return(mdp, softmax_policy(x)), theta)
    # the differences are off by h^4/30 = 3e-14 fifth derivatives of J, and by 1e-16 J / h
    agree(policy_gradient(mdp, theta), by_differences, rtol=1e-8)


@examples(40)
@given(world=worlds(), method=st.sampled_from(LONG))
def test_the_gradient_sums_to_zero_over_the_logits_of_a_percept(world, method):
    mdp, theta = world
    gradient = policy_gradient(mdp, theta, method=method)
    assert np.abs(gradient.sum(axis=1)).max() <= 1e-13 * max(1, np.abs(gradient).max())


@examples(30)
@given(world=worlds(), shift=st.floats(-50, 50), data=st.data())
def test_adding_a_number_to_one_row_of_logits_changes_nothing(world, shift, data):
    mdp, theta = world
    moved = theta.copy()
    moved[data.draw(st.integers(0, mdp.O - 1))] += shift
    agree(policy_gradient(mdp, moved), policy_gradient(mdp, theta), rtol=1e-9)


@examples(30)
@given(world=worlds(ENUMERABLE), method=st.sampled_from(METHODS))
def test_scaled_and_shifted_rewards_scale_the_gradient(world, method):
    # with a horizon and no absorbing state, one more reward unit a step moves J by a constant
    mdp, theta = world
    more = MDP(mdp.P, -2 * mdp.R, mdp.mu, horizon=mdp.horizon, gamma=mdp.gamma, observe=mdp.observe)
    agree(
        policy_gradient(more, theta, method=method), -2 * policy_gradient(mdp, theta, method=method)
    )
    if mdp.horizon is not None and not mdp.absorbing.any():
        more = MDP(
            mdp.P, mdp.R + 3, mdp.mu, horizon=mdp.horizon, gamma=mdp.gamma, observe=mdp.observe
        )
        difference = policy_gradient(more, theta, method=method) - policy_gradient(
            mdp, theta, method=method
        )
        np.testing.assert_allclose(difference, 0.0, atol=1e-12)


@examples(30)
@given(world=worlds(), method=st.sampled_from(LONG))
def test_aliasing_adds_up_the_gradients_of_the_states_that_share_a_percept(world, method):
    # chain rule: with nothing hidden, theta_s = theta[observe[s]] for every state s
    mdp, theta = world
    seen = MDP(mdp.P, mdp.R, mdp.mu, horizon=mdp.horizon, gamma=mdp.gamma)
    per_state = policy_gradient(seen, theta[mdp.observe], method=method)
    summed = np.zeros_like(theta)
    for s in range(mdp.S):
        summed[mdp.observe[s]] += per_state[s]
    agree(policy_gradient(mdp, theta, method=method), summed)


@pytest.mark.parametrize("method", METHODS)
def test_the_percept_of_an_absorbing_state_has_no_bearing(method):
    rng = np.random.default_rng(5)
    base = random_mdp(rng, 4, 2, O=2, absorbing=2, horizon=3, gamma=1.0)
    J, gradients = [], []
    for felt in ([0, 1, 0, 0], [0, 1, 1, 0], [0, 1, 1, 1]):
        mdp = MDP(base.P, base.R, base.mu, horizon=3, gamma=0.9, observe=felt)
        theta = np.array([[0.3, -0.2], [0.5, 1.0]])
        J.append(expected_return(mdp, softmax_policy(theta), method=method))
        gradients.append(policy_gradient(mdp, theta, method=method))
    assert J[0] == pytest.approx(J[1], rel=1e-13) == pytest.approx(J[2], rel=1e-13)
    agree(gradients[1], gradients[0])
    agree(gradients[2], gradients[0])


@pytest.mark.parametrize("method", METHODS)
def test_a_percept_that_is_felt_only_where_nothing_is_done_has_no_gradient(method):
    base = bandit([1, 5])
    mdp = MDP(base.P, base.R, base.mu, horizon=2, observe=[0, 1, 1], gamma=1.0)
    # dJ/dtheta_b = pi(b) (x_b - J) with pi = 1/2, x = (1, 5), J = 3
    np.testing.assert_allclose(
        policy_gradient(mdp, np.zeros((2, 2)), method=method), [[-1, 1], [0, 0]], rtol=1e-14
    )


@pytest.mark.parametrize("method", LONG)
def test_long_and_barely_discounted_is_no_trouble(method):
    # one state, reward 1 for action 1: J = pi(1)/(1-gamma) = 50, dJ/dtheta_1 = pi(1) pi(0) / 0.01
    R = np.zeros((1, 2, 1))
    R[0, 1, 0] = 1.0
    mdp = MDP(np.ones((1, 2, 1)), R, [1], gamma=0.99)
    assert expected_return(mdp, [[0.5, 0.5]], method=method) == pytest.approx(50, rel=1e-11)
    agree(policy_gradient(mdp, [[0.0, 0.0]], method=method), [[-25.0, 25.0]])


@pytest.mark.parametrize("method", LONG)
def test_with_gamma_zero_only_the_first_reward_counts(method):
    # J = sum_a pi(a) r(0, a) = (0.2 + 0.5) / 2; see test_two_states_by_hand
    for horizon in (None, 3):
        mdp = two_state(horizon, gamma=0.0)
        assert expected_return(mdp, np.full((2, 2), 0.5), method=method) == pytest.approx(0.35)
        gradient = policy_gradient(mdp, np.zeros((2, 2)), method=method)
        # pi(b) (r_b - J) = 1/2 (0.2 - 0.35)
        np.testing.assert_allclose(gradient, [[-0.075, 0.075], [0, 0]], atol=1e-15)


def test_going_forwards_says_when_it_gives_up(monkeypatch):
    # with p = 1/2 the chance of being still on the way shrinks by cos(pi/7) = 0.90 a step: after
    # 20 steps it is a good tenth
    monkeypatch.setattr(forwards, "MAX_STEPS", 20)
    words = 'not done after 20 steps: episodes are too long; use method="adjoint"'
    with pytest.raises(ValueError, match=words):
        expected_return(short_corridor(), [[0.5, 0.5]], method="forwards")
    with pytest.raises(ValueError, match=words):
        policy_gradient(short_corridor(), [[0.0, 0.0]], method="forwards")
    # half of the episodes are not over after 5 steps
    monkeypatch.setattr(forwards, "MAX_STEPS", 5)
    with pytest.raises(ValueError, match="not done after 5 steps"):
        expected_return(short_corridor(), [[0.5, 0.5]], method="forwards")


def test_going_forwards_may_use_every_step_it_is_allowed(monkeypatch):
    monkeypatch.setattr(forwards, "MAX_STEPS", 3)
    assert expected_return(two_state(3, gamma=1.0), np.full((2, 2), 0.5), method="forwards") > 0


# --- starts that are ends ------------------------------------------------------------------------


OVER_AT_ONCE = {
    "no horizon": vacuum_corridor(starts="r2c3"),
    "a horizon": MDP([[[1.0]]], [[[0.0]]], [1], horizon=2, gamma=1.0),
    "a discount": MDP([[[1.0]]], [[[0.0]]], [1], gamma=0.5),
}


@pytest.mark.parametrize("mdp", OVER_AT_ONCE.values(), ids=OVER_AT_ONCE)
@pytest.mark.parametrize("method", METHODS)
def test_an_episode_that_is_over_at_once_earns_nothing(method, mdp):
    theta = np.zeros((mdp.O, mdp.A))
    assert expected_return(mdp, softmax_policy(theta), method=method) == 0.0
    np.testing.assert_array_equal(policy_gradient(mdp, theta, method=method), 0 * theta)


@pytest.mark.parametrize("mdp", OVER_AT_ONCE.values(), ids=OVER_AT_ONCE)
def test_an_episode_that_is_over_at_once_occupies_nothing(mdp):
    d = occupancy(mdp, softmax_policy(np.zeros((mdp.O, mdp.A))))
    assert not d.any() and d.shape[-1] == mdp.S and d.ndim == (1 if mdp.horizon is None else 2)


@pytest.mark.parametrize("mdp", [OVER_AT_ONCE["a horizon"], OVER_AT_ONCE["a discount"]])
def test_where_every_state_is_an_end_all_values_are_zero(mdp):
    for values in (state_values, action_values, advantages):
        assert not values(mdp, [[1.0]]).any()


# --- V, Q, advantages, occupancy -----------------------------------------------------------------


def by_time(mdp, V):
    """Values with a time index, whether they depend on the time or not: (T, S) now and next."""
    return (V[None], V[None]) if mdp.horizon is None else (V[:-1], V[1:])


@examples(60)
@given(world=worlds(max_S=5))
def test_values_solve_bellmans_equations(world):
    mdp, theta = world
    pi = softmax_policy(theta)
    now, after = by_time(mdp, state_values(mdp, pi))
    Q = action_values(mdp, pi)
    Q = Q[None] if mdp.horizon is None else Q
    assert Q.shape == (mdp.horizon or 1, mdp.S, mdp.A)
    for t in range(len(now)):
        for s in range(mdp.S):
            if mdp.absorbing[s]:
                assert now[t, s] == 0.0 and not Q[t, s].any()
                continue
            for a in range(mdp.A):
                backed_up = sum(
                    mdp.P[s, a, p] * (mdp.R[s, a, p] + mdp.gamma * after[t, p])
                    for p in range(mdp.S)
                )
                assert Q[t, s, a] == pytest.approx(backed_up, rel=1e-10, abs=1e-12)
            mean = pi[mdp.observe[s]] @ Q[t, s]
            assert now[t, s] == pytest.approx(mean, rel=1e-10, abs=1e-12)


@examples(40)
@given(world=worlds(max_S=5))
def test_J_is_the_mean_value_of_the_start(world):
    mdp, theta = world
    pi = softmax_policy(theta)
    V = state_values(mdp, pi)
    V0 = V if mdp.horizon is None else V[0]
    agree(mdp.mu @ V0, expected_return(mdp, pi, method="forwards"))


@examples(30)
@given(world=worlds(("horizon",)))
def test_after_the_last_action_nothing_is_to_come(world):
    mdp, theta = world
    V = state_values(mdp, softmax_policy(theta))
    assert V.shape == (mdp.horizon + 1, mdp.S) and not V[-1].any()


@examples(40)
@given(world=worlds(max_S=5))
def test_an_advantage_is_what_an_action_is_better_than_the_policy(world):
    mdp, theta = world
    pi = softmax_policy(theta)
    A, Q = advantages(mdp, pi), action_values(mdp, pi)
    now, _ = by_time(mdp, state_values(mdp, pi))
    assert A.shape == Q.shape
    difference = (Q.reshape(-1, mdp.S, mdp.A) - now[..., None]).reshape(A.shape)
    np.testing.assert_allclose(A, difference, atol=1e-13 * max(1.0, np.abs(Q).max()))
    mean = np.einsum("sa,...sa->...s", pi[mdp.observe], A)
    np.testing.assert_allclose(mean, 0.0, atol=1e-12 * max(1.0, np.abs(Q).max()))


@examples(60)
@given(world=worlds(max_S=5))
def test_the_occupancy_obeys_the_flow_equations(world):
    # what is there = what starts there + gamma times what comes in, from states where one acts
    mdp, theta = world
    pi = softmax_policy(theta)
    d = occupancy(mdp, pi)
    step = np.einsum("sa,sap->sp", pi[mdp.observe], mdp.P)
    acting = ~mdp.absorbing
    if mdp.horizon is None:
        agree(d, (mdp.mu + mdp.gamma * d @ step) * acting)
        return
    assert d.shape == (mdp.horizon, mdp.S)
    agree(d[0], mdp.mu * acting)
    for t in range(mdp.horizon - 1):
        agree(d[t + 1], mdp.gamma * (d[t] @ step) * acting)


@examples(40)
@given(world=worlds(max_S=5))
def test_the_occupancy_sums_to_the_expected_number_of_actions(world):
    # that number is J where every action pays 1
    mdp, theta = world
    pi = softmax_policy(theta)
    one = np.where(mdp.absorbing[:, None, None], 0.0, np.ones_like(mdp.P))
    counting = MDP(mdp.P, one, mdp.mu, horizon=mdp.horizon, gamma=mdp.gamma, observe=mdp.observe)
    agree(occupancy(mdp, pi).sum(), expected_return(counting, pi, method="forwards"))


@examples(40)
@given(world=worlds(max_S=5))
def test_J_is_the_occupancy_times_what_is_earned(world):
    mdp, theta = world
    pi = softmax_policy(theta)
    d = occupancy(mdp, pi).reshape(-1, mdp.S).sum(axis=0)
    earned = np.einsum("s,sa,sap,sap->", d, pi[mdp.observe], mdp.P, mdp.R)
    agree(earned, expected_return(mdp, pi, method="forwards"))


@examples(60)
@given(world=worlds(max_S=5), seed=st.integers(0, 99))
def test_the_performance_difference_is_the_occupancy_of_the_new_times_the_advantage_of_the_old(
    world, seed
):
    # J(new) - J(old) = sum_s d_new(s) sum_a new(a|s) A_old(s, a)
    # Kakade & Langford (2002), lemma 6.1
    mdp, theta = world
    old, new = softmax_policy(theta), mixed(theta, seed)
    gain = np.einsum(
        "ts,sa,tsa->",
        occupancy(mdp, new).reshape(-1, mdp.S),
        new[mdp.observe],
        advantages(mdp, old).reshape(-1, mdp.S, mdp.A),
    )
    J_new, J_old = (expected_return(mdp, pi, method="forwards") for pi in (new, old))
    assert gain == pytest.approx(J_new - J_old, rel=1e-9, abs=1e-10)


def test_values_of_the_short_corridor():
    # p = 1/2: V1 = -10, V0 = V1 - 2, V2 = V1/2 - 1; Q(0, left) = -1 + V0, Q(1, left) = -1 + V2 ...
    mdp, pi = short_corridor(), [[0.5, 0.5]]
    np.testing.assert_allclose(state_values(mdp, pi), [-12, -10, -6, 0], rtol=1e-13)
    np.testing.assert_allclose(
        action_values(mdp, pi), [[-13, -11], [-7, -13], [-11, -1], [0, 0]], rtol=1e-13
    )
    np.testing.assert_allclose(advantages(mdp, pi), [[-1, 1], [3, -3], [-5, 5], [0, 0]], rtol=1e-12)


def test_occupancy_of_the_short_corridor():
    # p = 1/2: n0 = 1 + n0/2 + n1/2, n1 = n0/2 + n2/2, n2 = n1/2, so n = (6, 4, 2): 12 steps
    np.testing.assert_allclose(occupancy(short_corridor(), [[0.5, 0.5]]), [6, 4, 2, 0], rtol=1e-13)


def test_values_and_occupancy_over_time_solve_one_system_and_its_transpose():
    mdp = random_mdp(np.random.default_rng(8), 5, 3, O=3, absorbing=1, horizon=11, gamma=0.9)
    pi = softmax_policy(np.random.default_rng(9).normal(size=(3, 3)))
    V, d = state_values(mdp, pi), occupancy(mdp, pi)
    step = np.einsum("sa,sap->sp", pi[mdp.observe], mdp.P)
    # the whole of time as one system, (I - gamma M) V = r and its transpose
    M = np.kron(np.eye(11, k=1), step * ~mdp.absorbing[:, None])
    r, start = np.tile(np.einsum("sa,sap,sap->s", pi[mdp.observe], mdp.P, mdp.R), 11), np.zeros(55)
    start[:5] = mdp.mu * ~mdp.absorbing
    agree(V[:-1].ravel(), np.linalg.solve(np.eye(55) - 0.9 * M, r))
    whole = np.linalg.solve(np.eye(55) - 0.9 * M.T, start).reshape(11, 5)
    agree(d, whole * ~mdp.absorbing)


def test_the_memory_for_values_and_occupancy_grows_with_the_horizon_and_not_with_its_square():
    # a matrix with an entry for each pair of the 2 * 1500 unknowns would take 72 MB
    mdp, pi = two_state(1500, gamma=1.0), np.full((2, 2), 0.5)
    tracemalloc.start()
    state_values(mdp, pi), occupancy(mdp, pi)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6


def test_ten_thousand_steps_are_no_trouble():
    mdp, theta = two_state(10_000, gamma=1.0), np.array([[0.3, -0.2], [0.1, 0.4]])
    pi = softmax_policy(theta)
    agree(*(expected_return(mdp, pi, method=method) for method in LONG))
    agree(*(policy_gradient(mdp, theta, method=method) for method in LONG), rtol=1e-9)
    np.testing.assert_allclose(occupancy(mdp, pi).sum(axis=1), 1.0, rtol=1e-11)


def test_values_with_a_horizon_shrink_as_time_runs_out():
    # short corridor with 2 steps: -1 each, except that right in 2 ends it after one
    base = short_corridor()
    mdp = MDP(base.P, base.R, base.mu, horizon=2, observe=base.observe, gamma=1.0)
    np.testing.assert_allclose(
        state_values(mdp, [[0.5, 0.5]]), [[-2, -2, -1.5, 0], [-1, -1, -1, 0], [0, 0, 0, 0]]
    )
    np.testing.assert_allclose(occupancy(mdp, [[0.5, 0.5]]), [[1, 0, 0, 0], [0.5, 0.5, 0, 0]])


def test_states_that_cannot_be_visited_from_the_start_have_no_value():
    mdp = gamma_trap(gamma=0.5)
    V = state_values(mdp, [[0.5, 0.5]], start=[False, False, False, True, False, False])
    # 8 comes one step after "wait 2", gamma = 1/2
    np.testing.assert_array_equal(V, [np.nan, np.nan, np.nan, 4.0, 8.0, 0.0])


def test_a_trap_off_the_path_matters_to_values_but_not_to_J():
    P, R = np.zeros((3, 1, 3)), np.zeros((3, 1, 3))
    P[0, 0, 1] = P[1, 0, 1] = P[2, 0, 2] = 1.0
    R[0, 0, 1], R[2, 0, 2] = 3.0, 1.0
    mdp = MDP(P, R, [1, 0, 0], states=["start", "end", "for ever"], gamma=1.0)
    for method in LONG:
        assert expected_return(mdp, [[1.0]] * 3, method=method) == 3.0
        np.testing.assert_array_equal(policy_gradient(mdp, [[0.0]] * 3, method=method), [[0]] * 3)
    np.testing.assert_array_equal(occupancy(mdp, [[1.0]] * 3), [1, 0, 0])
    for values in (state_values, action_values, advantages):
        with pytest.raises(ValueError, match=r"from state for ever$"):
            values(mdp, [[1.0]] * 3)


# --- every trajectory ----------------------------------------------------------------------------


@examples(60)
@given(world=worlds(ENUMERABLE), seed=st.integers(0, 99))
def test_the_probabilities_of_all_trajectories_sum_to_one(world, seed):
    mdp, theta = world
    tau = enumerate_trajectories(mdp)
    for pi in (softmax_policy(theta), mixed(theta, seed)):
        assert tau.probability(pi).sum() == pytest.approx(1.0, abs=1e-13)


def test_lists_of_trajectories_are_equal_only_if_they_are_the_same_object():
    tau, other = (enumerate_trajectories(two_state(1, gamma=1.0)) for _ in range(2))
    assert tau == tau and tau != other and len({tau, other}) == 2
    with pytest.raises(FrozenInstanceError):
        tau.dynamics = None


@examples(30)
@given(world=worlds(ENUMERABLE, max_S=3, max_A=2))
def test_each_trajectory_is_possible_listed_once_and_priced_by_the_product_rule(world):
    mdp, theta = world
    pi, tau, seen = softmax_policy(theta), enumerate_trajectories(mdp), set()
    H, probabilities = tau.actions.shape[1], tau.probability(pi)
    for i in range(len(tau)):
        s, a = tau.states[i], tau.actions[i]
        T = tau.lengths[i]
        dynamics, chance, total = mdp.mu[s[0]], mdp.mu[s[0]], 0.0
        for t in range(T):
            assert not mdp.absorbing[s[t]]
            p = mdp.P[s[t], a[t], s[t + 1]]
            dynamics *= p
            chance *= p * pi[mdp.observe[s[t]], a[t]]
            total += mdp.gamma**t * mdp.R[s[t], a[t], s[t + 1]]
            assert tau.rewards[i, t] == mdp.R[s[t], a[t], s[t + 1]]
            assert tau.percepts[i, t] == mdp.observe[s[t]]
        assert mdp.absorbing[s[T]] or T == mdp.horizon
        assert (s[T:] == s[T]).all() and (a[T:] == NO_ACTION).all() and T <= H
        assert tau.dynamics[i] == pytest.approx(dynamics, rel=1e-13) and dynamics > 0
        assert tau.returns[i] == pytest.approx(total, rel=1e-12, abs=1e-14)
        assert probabilities[i] == pytest.approx(chance, rel=1e-12)
        seen.add((tuple(s), tuple(a)))
    assert len(seen) == len(tau)
    assert H == tau.lengths.max()


@examples(40)
@given(world=worlds(ENUMERABLE))
def test_the_refusal_counts_without_listing(world):
    mdp, _ = world
    count = len(enumerate_trajectories(mdp))
    assert len(enumerate_trajectories(mdp, limit=count)) == count
    with pytest.raises(
        ValueError, match=f"there are {count:,} trajectories, more than the limit of {count - 1:,}$"
    ):
        enumerate_trajectories(mdp, limit=count - 1)


def test_too_many_trajectories_are_refused_with_their_number():
    # 4^10 = 1,048,576, just above the default limit of a million
    with pytest.raises(
        ValueError, match="there are 1,048,576 trajectories, more than the limit of 1,000,000"
    ):
        enumerate_trajectories(two_state(10, gamma=1.0))
    with pytest.raises(ValueError, match="there are 1,048,576 trajectories"):
        expected_return(two_state(10, gamma=1.0), np.full((2, 2), 0.5), method="enumeration")


def test_the_number_of_trajectories_may_itself_be_astronomic():
    # log10(4^8000) = 4816.5; Python turns no number of more than 4300 digits into a string unasked
    with pytest.raises(ValueError, match=r"there are about 10\^4816 trajectories, more than"):
        enumerate_trajectories(two_state(8000, gamma=1.0))


def test_a_horizon_far_beyond_every_end_costs_nothing():
    # all have ended after one step, whatever the horizon; nobody enters the circle 3 <-> 4
    P, R = np.zeros((5, 2, 5)), np.zeros((5, 2, 5))
    P[:3, :, :3], R[:3, :, :3] = (world := bandit([1, 5])).P, world.R
    P[3, :, 4] = P[4, 0, 3] = P[4, 1, 4] = 1.0
    tau = enumerate_trajectories(MDP(P, R, np.eye(5)[0], horizon=10**9, gamma=1.0))
    assert tau.states.tolist() == [[0, 1], [0, 1]] and tau.actions.tolist() == [[0], [1]]


def test_of_a_number_that_grows_for_ever_at_least_so_many_will_do(monkeypatch):
    # t counts from 0: after COUNTED_STEPS + 1 = 10,001 steps 4^10001 = 10^6021.2
    with pytest.raises(ValueError, match=r"there are at least about 10\^6021 trajectories, more"):
        enumerate_trajectories(two_state(10**9, gamma=1.0))
    # to wait or to end, H times: H + 1 trajectories
    mdp = MDP([[[0.5, 0.5]], [[0, 1]]], np.zeros((2, 1, 2)), [1, 0], horizon=10**9, gamma=1.0)
    monkeypatch.setattr(enumeration, "COUNTED_STEPS", 30)
    with pytest.raises(ValueError, match=r"at least 32 trajectories, more than the limit of 20$"):
        enumerate_trajectories(mdp, limit=20)
    with pytest.raises(ValueError, match=r"at least 51 trajectories, more than the limit of 50$"):
        enumerate_trajectories(mdp, limit=50)


def test_up_to_the_limit_every_step_is_counted(monkeypatch):
    monkeypatch.setattr(enumeration, "COUNTED_STEPS", 3)
    mdp = MDP([[[0.5, 0.5]], [[0, 1]]], np.zeros((2, 1, 2)), [1, 0], horizon=40, gamma=1.0)
    assert len(enumerate_trajectories(mdp, limit=41)) == 41


@pytest.mark.parametrize(
    "world",
    [
        short_corridor(),
        vacuum_corridor(),
        two_state(horizon=None, gamma=0.5),
        # 0 -> 1, where one may stay for long, -> 2, the end: late on, nobody is in 0 any more
        MDP([[[0, 1, 0]], [[0, 0.5, 0.5]], [[0, 0, 1]]], np.zeros((3, 1, 3)), [1, 0, 0], gamma=1.0),
    ],
    ids=["short corridor", "vacuum corridor", "two states for ever", "waiting"],
)
def test_infinitely_many_trajectories_are_refused(world):
    with pytest.raises(ValueError, match="there are infinitely many trajectories: no horizon"):
        enumerate_trajectories(world)


def test_a_circle_that_cannot_be_entered_makes_nothing_infinite():
    # 0 -> 1 (end); 2 <-> 3 for ever, but nobody starts there
    P = np.zeros((4, 1, 4))
    P[0, 0, 1] = P[1, 0, 1] = P[2, 0, 3] = P[3, 0, 2] = 1.0
    tau = enumerate_trajectories(MDP(P, np.ones((4, 1, 4)) * (P[0] == 0), [1, 0, 0, 0], gamma=1.0))
    assert tau.states.tolist() == [[0, 1]]


def test_the_longest_way_without_a_circle_is_not_mistaken_for_one():
    # 0 -> 1 -> 2 -> 3 visits all states once: S - 1 = 3 steps
    P = np.eye(4, k=1)[:, None, :].copy()
    P[3, 0, 3] = 1.0
    tau = enumerate_trajectories(MDP(P, np.zeros((4, 1, 4)), [1, 0, 0, 0], gamma=1.0))
    assert tau.states.tolist() == [[0, 1, 2, 3]]


def test_only_possible_starts_are_listed_and_all_of_them():
    base = two_state(1, gamma=1.0)
    for mu, starts in (([1, 0], {0}), ([0, 1], {1}), ([0.5, 0.5], {0, 1})):
        tau = enumerate_trajectories(MDP(base.P, base.R, mu, horizon=1, gamma=1.0))
        assert set(tau.states[:, 0]) == starts and len(tau) == 4 * len(starts)


@examples(40)
@given(world=worlds(ENUMERABLE), seed=st.integers(0, 99))
def test_ratios_turn_the_probabilities_of_one_policy_into_those_of_another(world, seed):
    mdp, theta = world
    old, new = softmax_policy(theta), mixed(theta, seed)
    tau = enumerate_trajectories(mdp)
    np.testing.assert_allclose(
        tau.ratio(new, old) * tau.probability(old), tau.probability(new), rtol=1e-12, atol=1e-300
    )
    np.testing.assert_array_equal(tau.ratio(old, old), 1.0)


def test_a_ratio_by_hand():
    # the trajectory wait, push, push in percepts 0, 1, 0
    tau = enumerate_trajectories(two_state(3, gamma=1.0))
    i = np.flatnonzero(
        (tau.actions == [0, 1, 1]).all(axis=1) & (tau.percepts == [0, 1, 0]).all(axis=1)
    )
    ratio = tau.ratio([[0.5, 0.5], [0.1, 0.9]], [[0.25, 0.75], [0.7, 0.3]])
    np.testing.assert_allclose(ratio[i], 0.5 / 0.25 * 0.9 / 0.3 * 0.5 / 0.75, rtol=1e-14)


def test_no_ratio_exists_where_the_old_policy_never_acts():
    with pytest.raises(ValueError, match="old gives probability 0 to an action that occurs"):
        enumerate_trajectories(two_state(1, gamma=1.0)).ratio(
            [[0.5, 0.5]] * 2, [[1, 0], [0.5, 0.5]]
        )


# --- what is refused -----------------------------------------------------------------------------

NAN = float("nan")
UNIFORM = np.full((2, 2), 0.5)
REFUSED = {
    "J by an unknown method": (
        lambda: expected_return(two_state(gamma=1.0), UNIFORM, method="magic"),
        ValueError,
        "method must be one of adjoint, enumeration, forwards; it is 'magic'",
    ),
    "grad J by an unknown method": (
        lambda: policy_gradient(two_state(gamma=1.0), UNIFORM, method="DP"),
        ValueError,
        "method must be one of adjoint, enumeration, forwards; it is 'DP'",
    ),
    "theta of another world": (
        lambda: policy_gradient(two_state(gamma=1.0), np.zeros((1, 2))),
        ValueError,
        "theta must have shape (O, A) = (2, 2); it has (1, 2)",
    ),
    "theta with another action": (
        lambda: policy_gradient(two_state(gamma=1.0), np.zeros((2, 3))),
        ValueError,
        "theta must have shape (O, A) = (2, 2); it has (2, 3)",
    ),
    "values from states too few": (
        lambda: state_values(two_state(gamma=1.0), UNIFORM, start=[True]),
        ValueError,
        "start must have shape (S,) = (2,); it has (1,)",
    ),
    "values from states too many": (
        lambda: state_values(two_state(None, gamma=0.5), UNIFORM, start=[True, True, False]),
        ValueError,
        "start must have shape (S,) = (2,); it has (3,)",
    ),
    "values from states by number": (
        lambda: state_values(two_state(gamma=1.0), UNIFORM, start=[0, 1]),
        TypeError,
        "start must hold booleans; it holds int64",
    ),
    "theta nan": (
        lambda: policy_gradient(two_state(gamma=1.0), [[0, NAN], [0, 0]]),
        ValueError,
        "theta[0, 1] must be finite; it is nan",
    ),
    "endless": (
        lambda: policy_gradient(two_state(horizon=None, gamma=1.0), np.zeros((2, 2))),
        ValueError,
        "gamma = 1 and no horizon, but under this policy the episode may never end: "
        "no absorbing state can be reached from state 0, 1",
    ),
}


@pytest.mark.parametrize(("call", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_answer_is_refused(call, error, words):
    with pytest.raises(error, match=escape(words)):
        call()


NO_POLICIES = {
    "shape": (np.full((3, 2), 0.5), "pi must have shape (O, A) = (2, 2); it has (3, 2)"),
    "one row": ([0.5, 0.5], "pi must have shape (O, A) = (2, 2); it has (2,)"),
    "sum": ([[0.5, 0.5], [0.5, 0.6]], "pi[1] must sum to 1; it sums to 1.1"),
    "nan": ([[NAN, 0.5], [0.5, 0.5]], "pi[0, 0] must be finite; it is nan"),
    "negative": ([[0.5, 0.5], [1.1, -0.1]], "pi[1, 1] must be a probability; it is -0.1"),
}


@pytest.mark.parametrize(("pi", "words"), NO_POLICIES.values(), ids=NO_POLICIES)
def test_no_trajectory_has_a_probability_under_a_policy_that_is_none(pi, words):
    tau = enumerate_trajectories(two_state(gamma=1.0))
    with pytest.raises(ValueError, match=escape(words)):
        tau.probability(pi)
    with pytest.raises(ValueError, match=escape(words.replace("pi", "new", 1))):
        tau.ratio(pi, UNIFORM)
    with pytest.raises(ValueError, match=escape(words.replace("pi", "old", 1))):
        tau.ratio(UNIFORM, pi)


def test_all_trajectories_know_how_many_percepts_and_actions_there_are():
    # percept 1 is felt only where nothing is done, and yet a policy has a row for it
    base = bandit([1, 5, 2])
    tau = enumerate_trajectories(
        MDP(base.P, base.R, base.mu, horizon=2, observe=[0, 1, 1], gamma=1.0)
    )
    assert (tau.O, tau.A) == (2, 3)
    np.testing.assert_array_equal(
        tau.probability([[0.5, 0.25, 0.25], [1, 0, 0]]), [0.5, 0.25, 0.25]
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("pi", "words"), NO_POLICIES.values(), ids=NO_POLICIES)
def test_no_route_takes_a_policy_that_is_none(method, pi, words):
    with pytest.raises(ValueError, match=escape(words)):
        expected_return(two_state(gamma=1.0), pi, method=method)


@pytest.mark.parametrize("function", [state_values, action_values, advantages, occupancy])
def test_no_value_is_given_to_a_policy_that_is_none(function):
    with pytest.raises(ValueError, match=escape("pi[0] must sum to 1; it sums to 0.9")):
        function(two_state(gamma=1.0), [[0.5, 0.4], [0.5, 0.5]])


@pytest.mark.parametrize("function", [state_values, action_values, advantages, occupancy])
def test_no_value_is_given_to_a_policy_that_never_ends(function):
    with pytest.raises(ValueError, match=r"may never end: .* from state 0, 1"):
        function(short_corridor(), [[0.0, 1.0]])


@pytest.mark.parametrize("lead", [8.0, -8.0, 16.0, -16.0, 25.0, -36.0, 50.0, 300.0, -300.0, 650.0])
def test_a_nearly_deterministic_policy_keeps_its_digits(lead):
    # p = 1 / (1 + e^-lead), q = 1 - p, J = (2p - 4) / (p q): here some 10^3 to 10^282 steps;
    # dJ/dtheta_1 = p q dJ/dp = 2 + (4 - 2p)(q - p) / (p q)
    theta = np.array([[0.0, lead]])
    p, q = 1 / (1 + np.exp(-lead)), 1 / (1 + np.exp(lead))
    J = expected_return(short_corridor(), softmax_policy(theta))
    np.testing.assert_allclose(J, (2 * p - 4) / (p * q), rtol=1e-13)
    slope = 2 + (4 - 2 * p) * (q - p) / (p * q)
    np.testing.assert_allclose(policy_gradient(short_corridor(), theta), [[-slope, slope]], 1e-12)


@pytest.mark.parametrize("lead", [690.0, -700.0])
def test_episodes_too_long_for_floats_are_refused_not_miscounted(lead):
    theta = np.array([[0.0, lead]])
    for compute in (
        lambda: expected_return(short_corridor(), softmax_policy(theta)),
        lambda: policy_gradient(short_corridor(), theta),
        lambda: occupancy(short_corridor(), softmax_policy(theta)),
    ):
        with pytest.raises(ValueError, match=r"too long under this policy: more than 1e\+290"):
            compute()


@pytest.mark.parametrize(
    "mdp",
    [
        two_state(horizon=3, gamma=1.0),
        gamma_trap(gamma=0.5),
        random_mdp(np.random.default_rng(5), 4, 2, absorbing=1, horizon=4, gamma=1.0),
        two_state(horizon=1, gamma=1.0),
    ],
    ids=["two states", "gamma trap", "ends early", "one step"],
)
def test_a_drawn_trajectory_is_found_in_the_list(mdp):
    every = enumerate_trajectories(mdp)
    np.testing.assert_array_equal(every.locate(every), np.arange(len(every)))
    tau = sample_trajectories(
        mdp, np.full((mdp.O, mdp.A), 1 / mdp.A), 2000, np.random.default_rng(6)
    )
    row = every.locate(tau)
    H = tau.actions.shape[1]  # what is drawn may be padded to fewer steps
    np.testing.assert_array_equal(every.actions[row, :H], tau.actions)
    np.testing.assert_array_equal(every.states[row, : H + 1], tau.states)
    np.testing.assert_allclose(every.returns[row], returns(tau, mdp.gamma), rtol=1e-12, atol=1e-12)


def test_a_trajectory_that_cannot_happen_is_not_found():
    every = enumerate_trajectories(two_state(horizon=2, gamma=1.0))
    actions = np.array([[0, 1], [1, 1]])
    elsewhere = Trajectories(
        np.array([[0, 1, 1], [1, 0, 0]]), actions, np.zeros((2, 2)), np.array([2, 2])
    )
    with pytest.raises(ValueError, match=r"trajectory 1 does not stand in the list: states \[1, 0"):
        every.locate(elsewhere)
    longer = enumerate_trajectories(two_state(horizon=3, gamma=1.0))
    with pytest.raises(ValueError, match="trajectory 0 does not stand in the list"):
        every.locate(longer)
