"""Estimators: their exact means, by giving them every trajectory, and what they do to each row.

An estimator's mean is sum_tau P(tau) g(tau), and for short episodes that sum can be written out.
It must equal grad J from dynamic programming, a route that shares nothing with the estimator but
the arrays of the world.
"""

from re import escape

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from policygrad.estimators import discounts, reinforce_gradients, returns, rewards_to_go
from policygrad.exact import enumerate_trajectories, policy_gradient
from policygrad.mdp import MDP
from policygrad.policies import score, softmax_policy
from policygrad.sampling import sample_trajectories
from policygrad.trajectories import NO_ACTION, Trajectories
from policygrad.worlds import bandit, gamma_trap, random_mdp, two_state, vacuum_corridor
from random_worlds import ENUMERABLE, agree, examples, worlds

GAMMA = st.sampled_from([0.0, 0.5, 0.9, 1.0])


def mean(mdp, theta, tau, weights=None):
    """sum_tau P(tau) g(tau), exactly."""
    probability = tau.probability(softmax_policy(theta))
    return np.einsum("i,ioa->oa", probability, reinforce_gradients(mdp, theta, tau, weights))


def rewarded(rewards, lengths=None):
    """Trajectories with nothing but rewards."""
    rewards = np.array(rewards, float)
    m, H = rewards.shape
    lengths = np.full(m, H) if lengths is None else np.array(lengths)
    actions = np.where(np.arange(H) < lengths[:, None], 0, NO_ACTION)
    return Trajectories(np.zeros((m, H + 1), int), actions, rewards, lengths)


def sampled(world, m=30):
    mdp, theta = world
    return sample_trajectories(mdp, softmax_policy(theta), m, np.random.default_rng(m))


# --- exact means ---------------------------------------------------------------------------------


@examples(60)
@given(world=worlds(ENUMERABLE))
def test_the_whole_return_is_unbiased(world):
    mdp, theta = world
    exact = policy_gradient(mdp, theta, method="forwards")
    tau = enumerate_trajectories(mdp)
    agree(mean(mdp, theta, tau), exact)
    agree(mean(mdp, theta, tau, returns(tau, mdp.gamma)[:, None]), exact)


@examples(60)
@given(world=worlds(ENUMERABLE))
def test_the_discounted_reward_to_go_is_unbiased(world):
    # causality: the factor of a reward before t has mean 0 given what happened until t
    mdp, theta = world
    tau = enumerate_trajectories(mdp)
    weights = discounts(tau, mdp.gamma) * rewards_to_go(tau, mdp.gamma)
    agree(mean(mdp, theta, tau, weights), policy_gradient(mdp, theta, method="forwards"))


@examples(40)
@given(world=worlds(ENUMERABLE), baseline=st.floats(-5, 5))
def test_a_constant_baseline_leaves_the_mean_unchanged(world, baseline):
    mdp, theta = world
    tau = enumerate_trajectories(mdp)
    shifted = mean(mdp, theta, tau, returns(tau, mdp.gamma)[:, None] - baseline)
    np.testing.assert_allclose(shifted, mean(mdp, theta, tau), atol=1e-12)


@examples(40)
@given(world=worlds(ENUMERABLE))
def test_rewards_of_the_past_add_nothing_to_the_mean(world):
    mdp, theta = world
    tau = enumerate_trajectories(mdp)
    discounted = discounts(tau, mdp.gamma) * tau.rewards
    past = np.cumsum(discounted, axis=1) - discounted  # strictly before t
    np.testing.assert_allclose(mean(mdp, theta, tau, past), 0.0, atol=1e-12)


@examples(30)
@given(world=worlds(("horizon",)), data=st.data())
def test_scores_up_to_a_reward_give_the_gradient_of_that_reward(world, data):
    # sum_{t <= k} grad log pi(a_t|s_t) gamma^k r_k estimates grad E[gamma^k r_k], which is what one
    # more step adds to grad J: grad J with H = k + 1 minus grad J with H = k
    mdp, theta = world
    tau = enumerate_trajectories(mdp)
    assume(tau.actions.shape[1])
    k = data.draw(st.integers(0, tau.actions.shape[1] - 1))

    def gradient(H):
        cut = MDP(mdp.P, mdp.R, mdp.mu, horizon=H, gamma=mdp.gamma, observe=mdp.observe)
        return policy_gradient(cut, theta)

    weights = np.zeros(tau.actions.shape)
    weights[:, : k + 1] = mdp.gamma**k * tau.rewards[:, [k]]
    added = gradient(k + 1) - (gradient(k) if k else 0.0)
    np.testing.assert_allclose(mean(mdp, theta, tau, weights), added, atol=1e-12)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(
    ("weights", "direction"),
    [
        # Nota & Thomas (2020): at gamma = 1/2 the first decision is worth 1 and the second is
        # worth left 2.5, right 8 gamma^3 = 1, that is -1.5 to the right
        (lambda tau: returns(tau, 0.5), 0.25),  # 1 - 1.5/2
        (lambda tau: discounts(tau, 0.5) * rewards_to_go(tau, 0.5), 0.25),
        (lambda tau: rewards_to_go(tau, 0.5), -0.5),  # 1 - 1.5: without gamma^t
        (lambda tau: rewards_to_go(tau, gamma=1.0), 6.5),  # 1 - 2.5 + 8: without any discount
        (lambda tau: returns(tau, gamma=1.0), 6.5),
    ],
    ids=["whole", "to go", "to go without gamma^t", "to go undiscounted", "whole undiscounted"],
)
def test_in_the_gamma_trap_the_factor_gamma_to_the_t_decides_up_or_down(p, weights, direction):
    mdp, theta = gamma_trap(gamma=0.5), np.array([[0.0, np.log(p / (1 - p))]])
    tau = enumerate_trajectories(mdp)
    # per unit of p (1-p): dp/dtheta_right
    up = mean(mdp, theta, tau, weights(tau)) / (p * (1 - p))
    np.testing.assert_allclose(up, [[-direction, direction]], rtol=1e-12)


def test_a_mean_over_time_steps_is_biased():
    # dividing by the length points elsewhere: 1/2 and 1/5 of what the short and the long ways say
    mdp, theta = gamma_trap(gamma=0.5), np.zeros((1, 2))
    tau = enumerate_trajectories(mdp)
    wrong = mean(mdp, theta, tau, returns(tau, 0.5) / tau.lengths)
    # lengths 2 (left at t = 1) and 5: R = r_0 + 1.25 or r_0 + 0.5, r_0 = 1 for right at t = 0.
    # With p = 1/2 the score by theta_right is +1/2 for right, -1/2 for left; waits have mean 0.
    #   LL -1 * 1.25/2   RL 0   LR 0   RR +1 * 1.5/5      each of them with probability 1/4
    assert wrong[0, 1] == pytest.approx((-1.25 / 2 + 1.5 / 5) / 4, rel=1e-12)
    assert policy_gradient(mdp, theta)[0, 1] == pytest.approx(0.25 / 4, rel=1e-12)


# --- weights -------------------------------------------------------------------------------------


def test_returns_by_hand():
    tau = rewarded([[1, 2, 4], [0, 0, 8]])
    np.testing.assert_array_equal(returns(tau, gamma=1.0), [7, 8])
    np.testing.assert_array_equal(returns(tau, 0.5), [3, 2])  # 1 + 2/2 + 4/4, 8/4
    np.testing.assert_array_equal(returns(tau, 0), [1, 0])  # 0^0 = 1: the first reward counts


def test_rewards_to_go_by_hand():
    tau = rewarded([[1, 2, 4], [0, 0, 8]])
    np.testing.assert_array_equal(rewards_to_go(tau, gamma=1.0), [[7, 6, 4], [8, 8, 8]])
    np.testing.assert_array_equal(rewards_to_go(tau, 0.5), [[3, 4, 4], [2, 4, 8]])
    np.testing.assert_array_equal(rewards_to_go(tau, 0), [[1, 2, 4], [0, 0, 8]])


def test_discounts_by_hand():
    tau = rewarded([[1, 2, 4]])
    np.testing.assert_array_equal(discounts(tau, gamma=1.0), [1, 1, 1])
    np.testing.assert_array_equal(discounts(tau, 0.5), [1, 0.5, 0.25])
    np.testing.assert_array_equal(discounts(tau, 0), [1, 0, 0])


@examples(40)
@given(world=worlds(("horizon", "acyclic", "absorbing")), gamma=GAMMA)
def test_what_is_to_go_from_the_first_step_is_the_whole_return(world, gamma):
    tau = sampled(world)
    first = rewards_to_go(tau, gamma)[:, :1].sum(axis=1)  # 0 where no trajectory has a step
    np.testing.assert_allclose(first, returns(tau, gamma), rtol=1e-12, atol=1e-13)


@examples(40)
@given(world=worlds(("horizon", "absorbing")), gamma=GAMMA)
def test_what_is_to_go_is_the_sum_of_what_is_paid_from_then_on(world, gamma):
    tau = sampled(world, m=10)
    H = tau.rewards.shape[1]
    G = rewards_to_go(tau, gamma)
    assert G.shape == (10, H)
    for t in range(H):
        paid = sum(gamma ** (k - t) * tau.rewards[:, k] for k in range(t, H))
        np.testing.assert_allclose(G[:, t], paid, rtol=1e-12, atol=1e-12)


def test_the_trajectories_rewards_are_left_alone():
    tau = rewarded([[1, 2, 4]])
    rewards_to_go(tau, 0.5)
    returns(tau, 0.5)
    np.testing.assert_array_equal(tau.rewards, [[1, 2, 4]])


def test_where_nothing_is_done_nothing_is_earned():
    mdp = vacuum_corridor(starts="r2c3")
    theta = np.zeros((mdp.O, mdp.A))
    tau = sampled((mdp, theta), m=4)
    assert returns(tau, gamma=1.0).tolist() == [0] * 4 and rewards_to_go(tau, gamma=1.0).shape == (
        4,
        0,
    )
    gradients = reinforce_gradients(mdp, theta, tau)
    assert gradients.shape == (4, mdp.O, mdp.A) and not gradients.any()


# --- one row per trajectory ----------------------------------------------------------------------


@examples(40)
@given(
    world=worlds(("horizon", "acyclic", "absorbing")),
    per_step=st.booleans(),
    seed=st.integers(0, 99),
)
def test_each_row_is_the_sum_over_its_steps_of_weight_times_score(world, per_step, seed):
    mdp, theta = world
    tau, scores = sampled(world, m=12), score(theta)
    m, H = tau.actions.shape
    # weights after the end are drawn too: they must not count
    weights = np.random.default_rng(seed).normal(size=(m, H) if per_step else m)
    gradients = reinforce_gradients(mdp, theta, tau, weights)
    assert gradients.shape == (m, mdp.O, mdp.A)
    for i in range(m):
        row = np.zeros((mdp.O, mdp.A))
        for t in range(tau.lengths[i]):
            w = weights[i, t] if per_step else weights[i]
            row += w * scores[mdp.observe[tau.states[i, t]], tau.actions[i, t]]
        np.testing.assert_allclose(gradients[i], row, rtol=1e-11, atol=1e-12)


@examples(40)
@given(world=worlds(("horizon", "absorbing")))
def test_each_row_sums_to_zero_over_the_logits_of_a_percept(world):
    mdp, theta = world
    gradients = reinforce_gradients(mdp, theta, sampled(world))
    size = max(1.0, np.abs(gradients).max())
    np.testing.assert_allclose(gradients.sum(axis=2), 0.0, atol=1e-12 * size)


@examples(30)
@given(world=worlds(("horizon", "absorbing")), shift=st.floats(-50, 50), data=st.data())
def test_adding_a_number_to_one_row_of_logits_changes_no_estimate(world, shift, data):
    mdp, theta = world
    tau, moved = sampled(world), theta.copy()
    moved[data.draw(st.integers(0, mdp.O - 1))] += shift
    before = reinforce_gradients(mdp, theta, tau)
    size = max(1.0, np.abs(before).max())
    np.testing.assert_allclose(reinforce_gradients(mdp, moved, tau), before, atol=1e-11 * size)


def test_one_step_by_hand():
    # pi = (1/4, 3/4): arm 1 pays 8 and is pulled, so 8 (0 - 1/4, 1 - 3/4)
    tau = Trajectories(np.array([[0, 1]]), np.array([[1]]), np.array([[8.0]]), np.array([1]))
    gradients = reinforce_gradients(bandit([2, 8]), [[0.0, np.log(3)]], tau)
    np.testing.assert_allclose(gradients, [[[-2.0, 2.0]]], rtol=1e-14)


def test_by_default_the_weight_is_the_whole_return_discounted_as_the_world_says():
    mdp = random_mdp(np.random.default_rng(6), 4, 2, O=2, horizon=3, gamma=0.5)
    theta = np.array([[0.2, -0.4], [1.0, 0.1]])
    tau = sampled((mdp, theta))
    default = reinforce_gradients(mdp, theta, tau)
    np.testing.assert_array_equal(default, reinforce_gradients(mdp, theta, tau, returns(tau, 0.5)))
    undiscounted = reinforce_gradients(mdp, theta, tau, returns(tau, gamma=1.0))
    assert np.abs(default - undiscounted).max() > 0.1


def test_one_weight_per_trajectory_is_that_weight_at_each_of_its_steps():
    mdp = vacuum_corridor()
    theta = np.random.default_rng(7).normal(size=(mdp.O, mdp.A))
    tau = sampled((mdp, theta))
    w = returns(tau, gamma=1.0)
    per_step = np.repeat(w[:, None], tau.actions.shape[1], axis=1)
    np.testing.assert_array_equal(
        reinforce_gradients(mdp, theta, tau, w), reinforce_gradients(mdp, theta, tau, per_step)
    )


def test_as_many_trajectories_as_steps_do_not_confuse_the_two_kinds_of_weights():
    # m = H = 3: a flat array of three could be either, so one has to say which
    mdp, theta = two_state(gamma=1.0), np.zeros((2, 2))
    tau = sampled((mdp, theta), m=3)
    w = np.array([1.0, 0.0, 0.0])
    words = "as m = H, that could be one weight per trajectory or one per step"
    with pytest.raises(ValueError, match=escape(words)):
        reinforce_gradients(mdp, theta, tau, w)
    one_trajectory = reinforce_gradients(mdp, theta, tau, w[:, None])
    assert one_trajectory[0].any() and not one_trajectory[1:].any()
    one_step = reinforce_gradients(mdp, theta, tau, w[None, :])
    np.testing.assert_array_equal(one_step, score(theta)[tau.states[:, 0], tau.actions[:, 0]])


def test_the_discounts_alone_are_never_taken_for_weights_of_trajectories():
    mdp, theta = two_state(gamma=0.5), np.zeros((2, 2))
    for m in (2, 3, 4):
        tau = sampled((mdp, theta), m=m)
        with pytest.raises(ValueError, match="weights must have shape"):
            reinforce_gradients(mdp, theta, tau, discounts(tau, 0.5))


def test_one_step_and_one_trajectory_leave_no_doubt():
    mdp, theta = bandit([3, 4]), np.zeros((1, 2))
    tau = sampled((mdp, theta), m=1)
    np.testing.assert_array_equal(
        reinforce_gradients(mdp, theta, tau, [2.0]), reinforce_gradients(mdp, theta, tau, [[2.0]])
    )


@examples(30)
@given(world=worlds(("horizon", "absorbing")), seed=st.integers(0, 99))
def test_a_column_and_a_row_are_spread_over_steps_and_trajectories(world, seed):
    mdp, theta = world
    tau = sampled(world, m=6)
    column, row = (
        np.random.default_rng(seed).normal(size=s) for s in ((6, 1), (1, tau.actions.shape[1]))
    )
    for w in (column, row):
        np.testing.assert_array_equal(
            reinforce_gradients(mdp, theta, tau, w),
            reinforce_gradients(mdp, theta, tau, np.broadcast_to(w, tau.actions.shape).copy()),
        )


def test_weights_may_be_whole_numbers_in_a_list():
    mdp, theta = two_state(gamma=1.0), np.zeros((2, 2))
    tau = sampled((mdp, theta), m=2)
    np.testing.assert_array_equal(
        reinforce_gradients(mdp, theta, tau, [2, -3]),
        reinforce_gradients(mdp, theta, tau, np.array([2.0, -3.0])),
    )


# --- what is refused -----------------------------------------------------------------------------

NAN, INF = float("nan"), float("inf")
REFUSED = {
    "theta of another world": (
        dict(theta=np.zeros((1, 2))),
        ValueError,
        "theta must have shape (O, A) = (2, 2); it has (1, 2)",
    ),
    "theta with another action": (
        dict(theta=np.zeros((2, 3))),
        ValueError,
        "theta must have shape (O, A) = (2, 2); it has (2, 3)",
    ),
    "theta flat": (
        dict(theta=np.zeros(4)),
        ValueError,
        "theta must have shape (O, A) with O, A >= 1; it has (4,)",
    ),
    "theta nan": (
        dict(theta=[[0, NAN], [0, 0]]),
        ValueError,
        "theta[0, 1] must be finite; it is nan",
    ),
    "theta inf": (
        dict(theta=[[0, 0], [INF, 0]]),
        ValueError,
        "theta[1, 0] must be finite; it is inf",
    ),
    "theta complex": (
        dict(theta=np.zeros((2, 2), complex)),
        TypeError,
        "theta must hold real numbers",
    ),
    "weights of more": (
        dict(weights=np.ones(5)),
        ValueError,
        "weights must have shape (m,) = (4,) or (m, H) = (4, 3), "
        "or be a column (m, 1) or a row (1, H); it has (5,)",
    ),
    "weights transposed": (dict(weights=np.ones((3, 4))), ValueError, "it has (3, 4)"),
    "weights as another's row": (dict(weights=np.ones((1, 4))), ValueError, "it has (1, 4)"),
    "weights masked": (
        dict(weights=np.ma.masked_greater(np.arange(4.0), 2)),
        TypeError,
        "weights must not be a masked array",
    ),
    "weights too large": (
        dict(weights=np.full((4, 3), 1e308)),
        ValueError,
        "weights are too large: the gradient of trajectory",
    ),
    "weights one number": (dict(weights=1.0), ValueError, "it has ()"),
    "weights per logit": (dict(weights=np.ones((4, 3, 2))), ValueError, "it has (4, 3, 2)"),
    "weights nan": (
        dict(weights=[1, 1, NAN, 1]),
        ValueError,
        "weights[2] must be finite; it is nan",
    ),
    "weights inf at a step": (
        dict(weights=[[1, 1, 1], [1, 1, -INF], [1, 1, 1], [1, 1, 1]]),
        ValueError,
        "weights[1, 2] must be finite; it is -inf",
    ),
    "weights ragged": (
        dict(weights=[[1, 1, 1], [1, 1, 1], [1, 1], [1]]),
        ValueError,
        "weights must be a rectangular array of numbers; its rows differ",
    ),
    "weights of names": (
        dict(weights=["1", "1", "1", "1"]),
        TypeError,
        "weights must hold real numbers; it holds <U1",
    ),
}


@pytest.mark.parametrize(("changes", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_weighed_is_refused_by_name(changes, error, words):
    mdp = two_state(gamma=1.0)
    tau = sampled((mdp, np.zeros((2, 2))), m=4)
    arguments = {"theta": np.zeros((2, 2)), "weights": np.ones(4), **changes}
    with pytest.raises(error, match=escape(words)):
        reinforce_gradients(mdp, arguments["theta"], tau, arguments["weights"])


@pytest.mark.parametrize("function", [returns, rewards_to_go, discounts])
@pytest.mark.parametrize(
    ("gamma", "error", "words"),
    [
        (2, ValueError, "gamma must lie in [0, 1]; it is 2"),
        (-0.5, ValueError, "gamma must lie in [0, 1]; it is -0.5"),
        (NAN, ValueError, "gamma must lie in [0, 1]; it is nan"),
        ("0.5", TypeError, "gamma must be a number in [0, 1]; it is '0.5'"),
        (None, TypeError, "gamma must be a number in [0, 1]; it is None"),
        ([0.5, 0.5], TypeError, "gamma must be a number in [0, 1]; it is [0.5, 0.5]"),
    ],
)
def test_what_is_no_discount_is_refused(function, gamma, error, words):
    with pytest.raises(error, match=escape(words)):
        function(rewarded([[1, 2]]), gamma)


@pytest.mark.parametrize(
    ("states", "actions", "says"),
    [([[0, 1]], [[2]], "actions must be below 2; one is 2"), ([[0, 2]], [[1]], "states must be")],
)
def test_trajectories_of_another_world_are_refused(states, actions, says):
    other = Trajectories(np.array(states), np.array(actions), np.array([[1.0]]), np.array([1]))
    with pytest.raises(ValueError, match=says):
        reinforce_gradients(two_state(gamma=1.0), np.zeros((2, 2)), other)


# a world with a step that cannot be, an end, and a start that never is
ENDING = random_mdp(
    np.random.default_rng(5), 4, 2, absorbing=1, start="first", horizon=3, gamma=0.5
)
P_GAP = ENDING.P.copy()
P_GAP[0, 0] = [0, 0.5, 0, 0.5]
GAP = MDP(P_GAP, ENDING.R, ENDING.mu, horizon=3, gamma=0.5)


def one_way(states, actions, world, rewards=None):
    s, a = np.array(states), np.array(actions)
    paid = world.R[s[:-1], a, s[1:]] if rewards is None else rewards
    return Trajectories(s[None], a[None], np.array(paid)[None], [len(a)])


FOREIGN = {
    "a step of probability 0": (
        one_way([0, 2], [0], GAP),
        "trajectories are of another world: states[0, 1] is 2, but P[0, 0, 2] is 0",
    ),
    "another start": (
        one_way([1, 2], [0], GAP),
        "trajectories are of another world: states[0, 0] is 1, where mu never starts",
    ),
    "an action after the end": (
        one_way([0, 3, 3], [0, 0], GAP),
        "trajectories are of another world: actions[0, 1] is taken in state 3, which is an end",
    ),
    "other rewards": (
        one_way([0, 1], [0], GAP, [7.5]),
        "trajectories are of another world: rewards[0, 0] is 7.5, but R[0, 0, 1] is",
    ),
}


@pytest.mark.parametrize(("tau", "words"), FOREIGN.values(), ids=FOREIGN)
def test_what_the_world_does_not_allow_is_named(tau, words):
    with pytest.raises(ValueError, match=escape(words)):
        reinforce_gradients(GAP, np.zeros((4, 2)), tau)


def test_rewards_of_ones_own_are_welcome_where_the_weights_are_given():
    tau = one_way([0, 1], [0], GAP, [7.5])
    assert reinforce_gradients(GAP, np.zeros((4, 2)), tau, returns(tau, 0.5)).any()


def test_trajectories_of_a_smaller_world_with_the_same_states_are_refused():
    # those of a world of three states are numbers of this one too
    small = random_mdp(np.random.default_rng(3), 3, 2, horizon=3, gamma=0.5)
    tau = sampled((small, np.zeros((3, 2))))
    with pytest.raises(ValueError, match="trajectories are of another world"):
        reinforce_gradients(GAP, np.zeros((4, 2)), tau)


@examples(40)
@given(world=worlds(("horizon", "acyclic", "absorbing")), kind=st.sampled_from("iul"))
def test_the_worlds_own_trajectories_are_never_foreign(world, kind):
    mdp, theta = world
    tau = sampled(world)
    states = tau.states.astype({"i": np.int8, "u": np.uint8, "l": np.uint64}[kind])
    same = Trajectories(states, tau.actions, tau.rewards, tau.lengths)
    np.testing.assert_array_equal(
        reinforce_gradients(mdp, theta, same), reinforce_gradients(mdp, theta, tau)
    )


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda w, x, tau: reinforce_gradients(x, w, tau), "mdp must be an MDP"),
        (lambda w, x, tau: reinforce_gradients(w, tau, x), "trajectories must be a Trajectories"),
        (lambda w, x, tau: returns(0.5, tau), "trajectories must be a Trajectories"),
        (lambda w, x, tau: rewards_to_go(tau.rewards, 0.5), "trajectories must be a Trajectories"),
        (lambda w, x, tau: discounts(w, 0.5), "trajectories must be a Trajectories"),
    ],
)
def test_arguments_in_another_order_are_named(call, name):
    world, theta = two_state(gamma=1.0), np.zeros((2, 2))
    with pytest.raises(TypeError, match=escape(name)):
        call(world, theta, sampled((world, theta)))


@pytest.mark.parametrize("function", [returns, rewards_to_go])
def test_sums_beyond_the_largest_float_are_refused_by_trajectory(function):
    with pytest.raises(ValueError, match="of trajectory 1 is beyond the largest float"):
        function(rewarded([[1, 2], [1.5e308, 1.5e308]]), 1.0)


def test_rewards_and_logits_in_single_precision_are_summed_in_double():
    mdp, theta = two_state(gamma=0.9), np.array([[0.4, -0.3], [-0.2, 0.1]])
    tau = sampled((mdp, theta))
    narrow = Trajectories(tau.states, tau.actions, tau.rewards.astype(np.float32), tau.lengths)
    for function in (returns, rewards_to_go):
        assert function(narrow, 0.9).dtype == float
        np.testing.assert_allclose(function(narrow, 0.9), function(tau, 0.9), rtol=1e-6)
    w = returns(tau, 0.9)
    np.testing.assert_allclose(
        reinforce_gradients(mdp, theta.astype(np.float32), tau, w.astype(np.float32)),
        reinforce_gradients(mdp, theta, tau, w),
        rtol=1e-5,
        atol=1e-6,
    )
