"""What is put in for a weight: advantages, ratios, clips, estimates of the KL divergence."""

import math
from re import escape

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from policygrad.checks import finite_differences
from policygrad.estimators import (
    KINDS,
    clip_objective,
    clip_slope,
    gae,
    group_advantages,
    importance_ratios,
    kl_estimates,
    reinforce_gradients,
)
from policygrad.exact import advantages, enumerate_trajectories, policy_gradient, state_values
from policygrad.policies import softmax_policy
from policygrad.sampling import sample_trajectories
from policygrad.trajectories import Trajectories
from policygrad.worlds import random_mdp, tiny_language, two_state
from random_worlds import ENUMERABLE, agree, examples, worlds

UNIT = st.floats(0, 1)
NUMBERS = st.floats(-9, 9)


# --- generalised advantages ----------------------------------------------------------------------


def rows(data, H=5):
    return np.array(data.draw(st.lists(NUMBERS, min_size=H, max_size=H)))


def test_four_steps_by_hand():
    # gamma = 0.99, V = 0.5 but 0 at the end: delta = 1 - 0.005, -0.005, -0.005, 1 - 0.5
    rewards, values = [1, 0, 0, 1], [0.5, 0.5, 0.5, 0.5, 0]
    np.testing.assert_allclose(gae(rewards, values, 0.99, 0.0), [0.995, -0.005, -0.005, 0.5])
    # 0.995 - 0.005 (0.99 + 0.99^2) + 0.5 0.99^3 = 1 + 0.99^3 - 0.5
    assert gae(rewards, values, 0.99, 1.0)[0] == pytest.approx(1.470299, rel=1e-12)


@examples(50)
@given(gamma=UNIT, lam=UNIT, data=st.data())
def test_the_recursion_is_the_double_sum(gamma, lam, data):
    # A_t = sum_k (gamma lam)^k delta_{t+k}
    r, V = rows(data), rows(data, 6)
    delta = [r[t] + gamma * V[t + 1] - V[t] for t in range(5)]
    A = [sum((gamma * lam) ** k * delta[t + k] for k in range(5 - t)) for t in range(5)]
    np.testing.assert_allclose(gae(r, V, gamma, lam), A, rtol=1e-12, atol=1e-12)


@examples(50)
@given(gamma=UNIT, data=st.data())
def test_lambda_0_leaves_the_td_error_and_lambda_1_the_return_minus_the_value(gamma, data):
    r, V = rows(data), rows(data, 6)
    np.testing.assert_allclose(gae(r, V, gamma, 0.0), r + gamma * V[1:] - V[:-1], atol=1e-12)
    ahead = [
        sum(gamma**k * x for k, x in enumerate([*r[t:], V[5]])) - V[t]  # the last value, too
        for t in range(5)
    ]
    np.testing.assert_allclose(gae(r, V, gamma, 1.0), ahead, atol=1e-11)


@examples(40)
@given(gamma=UNIT, lam=UNIT, data=st.data())
def test_an_end_in_a_row_makes_two_rows_of_which_the_first_has_nothing_behind_it(gamma, lam, data):
    r, V = rows(data), rows(data, 6)
    ends = [False, True, False, False, False]
    first = gae(r[:2], [*V[:2], 0.0], gamma, lam)
    second = gae(r[2:], V[2:], gamma, lam)
    np.testing.assert_array_equal(gae(r, V, gamma, lam, ends=ends), [*first, *second])


@examples(40)
@given(gamma=UNIT, lam=UNIT, there=NUMBERS, data=st.data())
def test_a_cut_in_a_row_is_an_end_with_the_value_beyond_it_added_to_the_reward(
    gamma, lam, there, data
):
    r, V = rows(data), rows(data, 6)
    first = gae(r[:2], [*V[:2], there], gamma, lam)  # its row ends there, and goes on elsewhere
    r[1] += gamma * there
    found = gae(r, V, gamma, lam, ends=[False, True, False, False, False])
    np.testing.assert_allclose(found[:2], first, atol=1e-11)


def test_many_rows_at_once_are_each_row_by_itself():
    rng = np.random.default_rng(0)
    r, V, ends = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 5)), rng.random((2, 3, 4)) < 0.3
    found = gae(r, V, 0.9, 0.7, ends=ends)
    assert found.shape == (2, 3, 4)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(found[i], gae(r[i], V[i], 0.9, 0.7, ends=ends[i]))
    assert gae(np.zeros((3, 0)), np.ones((3, 1)), 0.9, 0.7).shape == (3, 0)


@examples(40)
@given(world=worlds(("horizon",)), lam=UNIT)
def test_with_the_policys_own_values_the_mean_is_the_gradient_whatever_lambda(world, lam):
    mdp, theta = world
    tau, pi = enumerate_trajectories(mdp), softmax_policy(theta)
    V = state_values(mdp, pi)
    H = tau.actions.shape[1]
    at = np.where(np.arange(H + 1) <= tau.lengths[:, None], V[np.arange(H + 1), tau.states], 0.0)
    weights = mdp.gamma ** np.arange(H) * gae(tau.rewards, at, mdp.gamma, lam)
    g = reinforce_gradients(mdp, theta, tau, weights)
    agree(np.einsum("i,ioa->oa", tau.probability(pi), g), policy_gradient(mdp, theta))


def test_with_other_values_only_lambda_1_has_no_bias():
    mdp = two_state(3, gamma=0.8)
    theta = np.array([[0.3, -0.4], [0.9, 0.1]])
    tau, pi = enumerate_trajectories(mdp), softmax_policy(theta)
    values = np.array([2.0, -1.0])[tau.states]
    values[:, -1] = 0.0  # nothing is earned after the horizon

    def mean(lam):
        weights = 0.8 ** np.arange(3) * gae(tau.rewards, values, 0.8, lam)
        return np.einsum(
            "i,ioa->oa", tau.probability(pi), reinforce_gradients(mdp, theta, tau, weights)
        )

    exact = policy_gradient(mdp, theta)
    np.testing.assert_allclose(mean(1.0), exact, atol=1e-13)
    for lam in (0.0, 0.5, 0.95):
        assert np.abs(mean(lam) - exact).max() > 0.01 * np.abs(exact).max()


def test_given_the_step_the_mean_of_the_estimate_is_the_advantage():
    mdp = two_state(2, gamma=0.8)
    pi = softmax_policy([[0.3, -0.4], [0.9, 0.1]])
    tau, V = enumerate_trajectories(mdp), state_values(mdp, pi)
    found = gae(tau.rewards, V[np.arange(3), tau.states], 0.8, 0.6)
    P = tau.probability(pi)
    for a in range(2):
        first = tau.actions[:, 0] == a
        mean = P[first] @ found[first, 0] / P[first].sum()
        assert mean == pytest.approx(advantages(mdp, pi)[0, 0, a], rel=1e-12)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (dict(values=[1.0, 2.0]), "values must be one longer than rewards, (..., H + 1) = (3,)"),
        (dict(rewards=1.0), "rewards must have shape (..., H)"),
        (dict(rewards=[np.nan, 1.0]), "rewards[0] must be finite"),
        (dict(values=[0.0, 1.0, np.inf]), "values[2] must be finite"),
        (dict(gamma=1.5), "gamma must lie in [0, 1]"),
        (dict(lam=np.nan), "lam must lie in [0, 1]"),
        (dict(ends=[0, 1]), "ends must hold True or False"),
        (dict(ends=[True]), "ends must hold True or False for each of the rewards, (2,)"),
        (dict(values=[-1e308, 1e308, 1e308]), "the advantage [0] is beyond the largest float"),
    ],
)
def test_what_makes_no_advantages_is_refused_by_name(given, says):
    with pytest.raises((ValueError, TypeError), match=escape(says)):
        gae(**dict(rewards=[1.0, 2.0], values=[0.0, 0.0, 0.0], gamma=1.0, lam=0.5) | given)


# --- ratios --------------------------------------------------------------------------------------


@examples(40)
@given(world=worlds(ENUMERABLE), data=st.data())
def test_the_product_of_the_ratios_of_a_trajectory_is_that_of_its_probabilities(world, data):
    mdp, theta = world
    old = data.draw(st.floats(-1, 1)) * theta[:, ::-1]
    tau = enumerate_trajectories(mdp)
    w = importance_ratios(mdp, theta, old, tau)
    ratio = tau.probability(softmax_policy(theta)) / tau.probability(softmax_policy(old))
    assert w.shape == tau.actions.shape
    np.testing.assert_allclose(w.prod(axis=1), ratio, rtol=1e-10)
    assert (w[~tau.happened] == 1.0).all()


@examples(30)
@given(world=worlds(ENUMERABLE))
def test_weighted_by_the_ratio_what_the_old_policy_drew_estimates_the_new_gradient(world):
    mdp, theta = world
    old = 0.5 * theta[:, ::-1]
    tau = enumerate_trajectories(mdp)
    w = importance_ratios(mdp, theta, old, tau).prod(axis=1)
    weights = (w * tau.returns)[:, None]
    g = reinforce_gradients(mdp, theta, tau, weights)  # scores of theta, drawn by old
    mean = np.einsum("i,ioa->oa", tau.probability(softmax_policy(old)), g)
    agree(mean, policy_gradient(mdp, theta))


def test_each_step_has_the_ratio_of_its_percept_and_action():
    world = tiny_language(seen="last")
    rng = np.random.default_rng(4)
    theta, old = rng.normal(size=(2, world.O, world.A))
    tau = sample_trajectories(world, softmax_policy(old), 20, rng)
    w = importance_ratios(world, theta, old, tau)
    pi, pi_old = softmax_policy(theta), softmax_policy(old)
    for i, T in enumerate(tau.lengths):
        for t in range(3):
            o, a = world.observe[tau.states[i, t]], tau.actions[i, t]
            expected = pi[o, a] / pi_old[o, a] if t < T else 1.0
            assert w[i, t] == pytest.approx(expected, rel=1e-13)


def test_a_probability_below_the_smallest_float_has_its_ratio():
    # pi(1) = e^-800 / (1 + e^-800), old e^-799 / ...: 0 in floats both, and their ratio is 1/e
    world = two_state(1, gamma=1.0)
    tau = Trajectories([[0, 1]], [[1]], [[0.8]], [1])
    w = importance_ratios(world, [[0, -800], [0, 0]], [[0, -799], [0, 0]], tau)
    assert w[0, 0] == pytest.approx(math.exp(-1), rel=1e-12)


@pytest.mark.parametrize(
    ("theta", "old", "says"),
    [
        (np.zeros((3, 2)), np.zeros((2, 2)), "theta must have shape (O, A) = (2, 2)"),
        (np.zeros((2, 2)), np.zeros(4), "theta_old must have shape (O, A) = (2, 2)"),
        (np.zeros((2, 2)), [[0, 0], [0, np.nan]], "theta_old[1, 1] must be finite"),
        (np.zeros((2, 2)), [[0, 800], [0, 0]], "the ratio [0, 0] is beyond the largest float"),
        ([[1e308, -1e308]] * 2, [[1e308, -1e308]] * 2, "the ratio [1, 0] is beyond"),
    ],
)
def test_what_has_no_ratio_is_refused_by_name(theta, old, says):
    tau = Trajectories([[0, 1], [0, 0]], [[0], [1]], [[1.0], [-0.2]], [1, 1])
    with pytest.raises(ValueError, match=escape(says)):
        importance_ratios(two_state(1, gamma=1.0), theta, old, tau)


def test_ratios_along_another_worlds_trajectories_are_refused():
    tau = Trajectories([[0, 1]], [[2]], [[0.0]], [1])
    with pytest.raises(ValueError, match="of another world: actions must be below 2"):
        importance_ratios(two_state(1, gamma=1.0), np.eye(2), np.eye(2), tau)


# --- PPO's clip ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("w", "A", "climbed", "slope"),
    [  # epsilon = 0.2: min(w A, clip(w, 0.8, 1.2) A), by hand
        (1.3, 1.0, 1.2, 0.0),
        (0.7, 1.0, 0.7, 1.0),
        (0.7, -1.0, -0.8, 0.0),
        (1.3, -1.0, -1.3, -1.0),
        (1.1, 2.0, 2.2, 2.0),
        (0.9, -2.0, -1.8, -2.0),
        (1.3, 0.0, 0.0, 0.0),
    ],
)
def test_the_clip_takes_away_what_more_would_gain_and_never_what_it_would_cost(
    w, A, climbed, slope
):
    assert clip_objective(w, A, 0.2) == pytest.approx(climbed, rel=1e-14)
    assert clip_slope(w, A, 0.2) == slope


@pytest.mark.parametrize(("w", "A"), [(1.5, 3.0), (0.75, -3.0)])
def test_at_a_kink_the_slope_is_that_on_the_side_of_1(w, A):
    # 1 + 0.5 and 1 - 0.25, exact in floats
    assert clip_slope(w, A, 0.25, 0.5) == A
    towards, away = (w + 1) / 2, w + (w - 1) / 2
    assert clip_slope(towards, A, 0.25, 0.5) == A
    assert clip_slope(away, A, 0.25, 0.5) == 0.0


@examples(60)
@given(
    w=st.floats(0.01, 3),
    A=st.sampled_from([-7.0, -0.3, 0.0, 0.2, 5.0]),
    epsilon=st.floats(0.05, 0.9),
    high=st.one_of(st.none(), st.floats(0.05, 2)),
)
def test_the_slope_is_that_of_the_objective(w, A, epsilon, high):
    bounds = 1 - epsilon, 1 + (epsilon if high is None else high)
    assume(min(abs(w - x) for x in bounds) > 1e-3)  # at a kink there is no slope
    slope = finite_differences(lambda x: clip_objective(x[0], A, epsilon, high), np.array([w]))
    np.testing.assert_allclose(clip_slope(w, A, epsilon, high), slope[0], atol=1e-7)


@examples(40)
@given(w=st.floats(0, 5), A=NUMBERS, epsilon=UNIT, high=st.floats(0, 3))
def test_what_is_climbed_never_exceeds_what_is_not_clipped(w, A, epsilon, high):
    assert clip_objective(w, A, epsilon, high) <= w * A


def test_an_upper_width_of_its_own_moves_the_upper_bound_alone():
    w = np.array([0.5, 0.9, 1.25, 1.5])
    np.testing.assert_allclose(clip_objective(w, 1.0, 0.2, 0.28), [0.5, 0.9, 1.25, 1.28])
    np.testing.assert_allclose(clip_objective(w, -1.0, 0.2, 0.28), [-0.8, -0.9, -1.25, -1.5])
    np.testing.assert_array_equal(clip_slope(w, 1.0, 0.2, 0.28), [1, 1, 1, 0])


def test_one_advantage_per_trajectory_is_spread_over_its_steps():
    w, A = np.array([[1.0, 1.5], [0.5, 1.0]]), np.array([[1.0], [-1.0]])
    np.testing.assert_allclose(clip_objective(w, A, 0.2), [[1.0, 1.2], [-0.8, -1.0]])
    np.testing.assert_array_equal(clip_slope(w, A, 0.2), [[1, 0], [0, -1]])


@pytest.mark.parametrize("function", [clip_objective, clip_slope])
@pytest.mark.parametrize(
    ("given", "says"),
    [
        (dict(ratio=[-0.1, 1.0]), "ratio must be at least 0"),
        (dict(ratio=[np.nan, 1.0]), "ratio[0] must be finite"),
        (dict(advantage=[1.0, 2.0, 3.0]), "ratio and advantage must have one shape"),
        (dict(epsilon=1.2), "epsilon must lie in [0, 1]"),
        (dict(epsilon=None), "epsilon must be a number"),
        (dict(epsilon_high=-0.1), "epsilon_high must be at least 0"),
        (dict(epsilon_high=np.nan), "epsilon_high must be finite"),
    ],
)
def test_what_cannot_be_clipped_is_refused_by_name(function, given, says):
    with pytest.raises((ValueError, TypeError), match=escape(says)):
        function(**dict(ratio=[1.0, 1.1], advantage=[1.0, -1.0], epsilon=0.2) | given)


def test_an_objective_beyond_the_largest_float_is_named():
    with pytest.raises(ValueError, match=escape("the objective [1] is beyond")):
        clip_objective([1.0, 1e200], [1.0, -1e200], 0.2)


# --- groups --------------------------------------------------------------------------------------

GROUPS = st.lists(NUMBERS, min_size=2, max_size=8)


def test_a_group_of_four_by_hand():
    R = [1.0, 0.0, 0.0, 3.0]  # mean 1; squares 0 + 1 + 1 + 4 = 6
    np.testing.assert_allclose(group_advantages(R, "mean"), [0, -1, -1, 2])
    np.testing.assert_allclose(group_advantages(R, "leave-one-out"), [0, -4 / 3, -4 / 3, 8 / 3])
    for ddof, by in ((0, 4), (1, 3)):
        expected = np.array([0, -1, -1, 2]) / (np.sqrt(6 / by) + 0.5)
        found = group_advantages(R, "standardised", ddof=ddof, epsilon=0.5)
        np.testing.assert_allclose(found, expected, rtol=1e-14)


@examples(60)
@given(R=GROUPS)
def test_leave_one_out_is_the_mean_of_the_others_and_g_over_g_minus_1_times_the_group_mean(R):
    G = len(R)
    others = [R[i] - sum(R[:i] + R[i + 1 :]) / (G - 1) for i in range(G)]
    found = group_advantages(R, "leave-one-out")
    np.testing.assert_allclose(found, others, atol=1e-12)
    np.testing.assert_allclose(found, G / (G - 1) * group_advantages(R, "mean"), atol=1e-12)


@examples(60)
@given(R=GROUPS, ddof=st.sampled_from([0, 1]), epsilon=st.sampled_from([0.0, 1e-4, 1.0]))
def test_standardised_is_the_group_mean_over_the_deviation(R, ddof, epsilon):
    assume(np.std(R) > 1e-6)
    expected = (np.array(R) - np.mean(R)) / (np.std(R, ddof=ddof) + epsilon)
    found = group_advantages(R, "standardised", ddof=ddof, epsilon=epsilon)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("R", [0.1, 1 / 3, 0.7, -1e300, 1e-300, 0.0])
@pytest.mark.parametrize("G", [2, 3, 7])
def test_a_group_of_equal_rewards_has_no_advantage_at_all(kind, R, G):
    # 0.1 + 0.1 + 0.1 is not 0.3 in floats: a mean that is subtracted would leave rounding
    found = group_advantages([[R] * G, list(range(G))], kind)
    np.testing.assert_array_equal(found[0], 0.0)
    assert found[1].any()


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_standardised_advantages_have_no_unit(size):
    R = np.array([0.0, 1.0, 5.0])
    found = group_advantages(size * R, "standardised", ddof=1)
    np.testing.assert_allclose(found, group_advantages(R, "standardised", ddof=1), rtol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_groups_stand_in_the_last_axis(kind):
    R = np.random.default_rng(1).normal(size=(2, 3, 4))
    found = group_advantages(R, kind)
    for i in np.ndindex(2, 3):
        np.testing.assert_array_equal(found[i], group_advantages(R[i], kind))
    np.testing.assert_allclose(found.sum(axis=-1), 0.0, atol=1e-14)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (dict(rewards=[1.0]), "rewards must have shape (..., G) with G of at least 2"),
        (dict(rewards=1.0), "rewards must have shape (..., G)"),
        (dict(rewards=[[1.0, np.nan]]), "rewards[0, 1] must be finite"),
        (dict(rewards=[1e308, -1e308]), "the advantage [0] is beyond the largest float"),
        (dict(kind="median"), "kind must be one of mean, leave-one-out, standardised"),
        (dict(ddof=2), "ddof must be at least 0, at most 1"),
        (dict(epsilon=-1e-6), "epsilon must be at least 0"),
        (dict(kind="mean", ddof=1), 'ddof is for kind = "standardised" only; here kind is "mean"'),
        (dict(kind="leave-one-out", epsilon=1e-4), 'epsilon is for kind = "standardised" only'),
    ],
)
def test_what_is_no_group_is_refused_by_name(given, says):
    with pytest.raises((ValueError, TypeError), match=escape(says)):
        group_advantages(**dict(rewards=[1.0, 2.0], kind="standardised") | given)


# --- the KL divergence ---------------------------------------------------------------------------


def two_policies(seed, A=5):
    rng = np.random.default_rng(seed)
    pi, ref = softmax_policy(rng.normal(size=(2, A)))
    return pi, ref, np.log(ref) - np.log(pi), np.sum(pi * np.log(pi / ref))


@pytest.mark.parametrize("seed", range(5))
def test_k1_and_k3_have_the_divergence_for_a_mean_and_k2_has_not(seed):
    pi, _, l, KL = two_policies(seed)
    k = kl_estimates(l)
    assert pi @ k.k1 == pytest.approx(KL, rel=1e-12)
    assert pi @ k.k3 == pytest.approx(KL, rel=1e-12)
    assert abs(pi @ k.k2 - KL) > 1e-3 * KL
    assert (k.k2 >= 0).all() and (k.k3 >= 0).all() and (k.k1 < 0).any()


@pytest.mark.parametrize(
    ("mu", "k1", "k2", "k3"), [(0.1, 20, 1.4177, 1.4166), (1.0, 2, math.sqrt(3), 1.6950)]
)
def test_two_gaussians_by_schulman(mu, k1, k2, k3):
    # drawn from N(0, 1), reference N(mu, 1): KL = mu^2 / 2; deviations in units of it; k2 is off
    # by mu^2 / 4 of it.  Means over a fine grid.
    x = np.linspace(-12, 12, 200_001)
    p = np.exp(-(x**2) / 2)
    p /= p.sum()
    KL, estimates = mu**2 / 2, kl_estimates(mu * x - mu**2 / 2)
    means = [p @ k for k in estimates]
    off = [np.sqrt(p @ (k - m) ** 2) / KL for k, m in zip(estimates, means, strict=True)]
    np.testing.assert_allclose(means, [KL, KL * (1 + mu**2 / 4), KL], rtol=1e-9)
    np.testing.assert_allclose(off, [k1, k2, k3], rtol=4e-5)


@pytest.mark.parametrize("l", [1e-160, 1e-12, 1e-8, 3e-4, 0.02, 0.3, 0.75, 0.999, 1.0, 1.001, 7.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_k3_is_exact_to_rounding_also_next_to_0(l, sign):
    with mpmath.workdps(400):
        exact = float(mpmath.expm1(mpmath.mpf(sign * l)) - mpmath.mpf(sign * l))
    assert kl_estimates(sign * l).k3 == pytest.approx(exact, rel=2e-15, abs=0)


def test_where_the_policies_agree_all_three_are_zero():
    for k in kl_estimates(np.zeros((2, 3))):
        np.testing.assert_array_equal(k, np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("l", "says"),
    [
        ([0.0, np.nan], "log_ratio[1] must be finite"),
        ([0.0, -np.inf], "log_ratio[1] must be finite"),
        ([0.0, 800.0], "log_ratio is too large: k3 [1] is beyond the largest float"),
        (1e200, "log_ratio is too large: k2 is beyond the largest float"),
    ],
)
def test_what_has_no_estimate_is_refused_by_name(l, says):
    with pytest.raises(ValueError, match=escape(says)):
        kl_estimates(l)


def test_the_three_keep_the_shape():
    assert all(k.shape == (2, 3) for k in kl_estimates(np.ones((2, 3))))
    world = random_mdp(np.random.default_rng(0), 3, 2, horizon=2, gamma=0.7)
    tau, theta = enumerate_trajectories(world), np.random.default_rng(1).normal(size=(3, 2))
    w = importance_ratios(world, np.zeros((3, 2)), theta, tau)  # drawn from theta, ref uniform
    assert kl_estimates(np.log(w).sum(axis=1)).k3.shape == (len(tau),)
