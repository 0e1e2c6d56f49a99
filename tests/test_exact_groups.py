"""Exact means and covariances of updates made of whole groups of trajectories."""

from itertools import permutations, product
from math import comb, factorial, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policygrad import memory
from policygrad.estimators import reinforce_gradients
from policygrad.exact import (
    enumerate_trajectories,
    group_expectation,
    list_groups,
    policy_gradient,
)
from policygrad.mdp import MDP
from policygrad.memory import TooLarge
from policygrad.policies import softmax_policy
from policygrad.worlds import (
    bandit,
    gamma_trap,
    random_mdp,
    short_corridor,
    tiny_language,
    two_state,
)
from random_worlds import agree, examples, worlds

RNG = np.random.default_rng(7)
# three starts, two of them aliased, episodes of one and two steps: 30 trajectories, 10 from each
WORLD = random_mdp(RNG, 4, 2, O=2, successors=2, absorbing=1, horizon=2, gamma=0.9)
THETA = RNG.normal(size=(WORLD.O, WORLD.A))
THETA_OLD = THETA + 0.5 * RNG.normal(size=THETA.shape)
ARM = bandit([1.0, 0.0, 3.0])  # A = 3, one percept
ARM_THETA = np.array([[0.5, 0.0, -0.5]])


def weighted(world, theta, advantage):
    """The mean over a group of advantage_i times the score of the whole trajectory i."""

    def update(trajectories, rewards):
        return reinforce_gradients(world, theta, trajectories, advantage(rewards)[:, None]).mean(0)

    return update


def plain(R):
    return R


def less_mean(R):
    return R - R.mean()


def less_the_others(R):
    return R - (R.sum() - R) / (len(R) - 1)


def standardised(R):
    return (R - R.mean()) / (R.std() + 1e-6)


def of_every_order(update, world, theta, G, shared_start):
    """Mean and covariance by the definition: a sum over all ordered groups, one by one."""
    tau = enumerate_trajectories(world)
    chance = tau.probability(softmax_policy(theta))
    start = tau.states[:, 0]
    first, second = 0.0, 0.0
    for group in product(range(len(tau)), repeat=G):
        group = list(group)
        if shared_start:
            s = start[group[0]]
            if (start[group] != s).any():
                continue
            weight = world.mu[s] * np.prod(chance[group] / world.mu[s])
        else:
            weight = np.prod(chance[group])
        g = update(Rows(tau, group), tau.returns[group]).ravel()
        first, second = first + weight * g, second + weight * np.outer(g, g)
    return first.reshape(world.O, world.A), second - np.outer(first, first)


class Rows:
    """Some rows of a list of trajectories, with no more than what an update here looks at."""

    def __init__(self, tau, rows):
        for name in ("states", "actions", "lengths", "percepts", "returns"):
            setattr(self, name, getattr(tau, name)[rows])


def curved(trajectories, rewards):
    """An update that is no sum over trajectories, and that looks at states, actions and returns."""
    out = np.zeros((WORLD.O, WORLD.A))
    for i, length in enumerate(trajectories.lengths):
        for t in range(length):
            s, a = trajectories.states[i, t], trajectories.actions[i, t]
            out[WORLD.observe[s], a] += (t + 1) * np.tanh(rewards[i] - np.median(rewards))
    return out * (1.0 + rewards.max()) + np.exp(rewards.sum() / 3)


# --- closed forms --------------------------------------------------------------------------------


@examples(25)
@given(world=worlds(("horizon",), max_S=3, max_A=2), G=st.integers(1, 3))
def test_the_mean_of_plain_rows_over_groups_is_grad_J_and_their_covariance_falls_as_1_over_G(
    world, G
):
    # G independent rows of one distribution: the mean's mean is theirs, its covariance Sigma / G.
    mdp, theta = world
    if len(enumerate_trajectories(mdp)) > 60:
        return
    tau = enumerate_trajectories(mdp)
    chance = tau.probability(softmax_policy(theta))
    g = reinforce_gradients(mdp, theta, tau).reshape(len(tau), -1)
    sigma = (g * chance[:, None]).T @ g - np.outer(chance @ g, chance @ g)
    mean, covariance = group_expectation(
        weighted(mdp, theta, plain), mdp, theta, G, shared_start=False
    )
    agree(mean, policy_gradient(mdp, theta))
    agree(covariance, sigma / G, rtol=1e-9)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("G", [2, 3])
def test_the_group_mean_as_a_baseline_shrinks_grad_J_by_1_minus_1_over_G(G, shared):
    # R_i - R_mean = (1 - 1/G) R_i - sum over the others of R_j / G, and a return that is not its
    # own, independent given the start, has E[R_j score_i] = E[R_j] E[score_i] = 0.
    mean, _ = group_expectation(
        weighted(WORLD, THETA, less_mean), WORLD, THETA, G, shared_start=shared
    )
    agree(mean, (1 - 1 / G) * policy_gradient(WORLD, THETA))


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("G", [2, 3])
def test_the_mean_of_the_others_as_a_baseline_leaves_grad_J(G, shared):
    mean, _ = group_expectation(
        weighted(WORLD, THETA, less_the_others), WORLD, THETA, G, shared_start=shared
    )
    agree(mean, policy_gradient(WORLD, THETA))


@pytest.mark.parametrize("seen", ["prefix", "last"])
def test_answers_of_several_lengths_to_a_prompt_are_such_trajectories(seen):
    # as above, in a language of two prompts; "last": places of several answers share a row
    world = tiny_language(longest=2, seen=seen)
    theta = np.random.default_rng(2).normal(size=(world.O, world.A))
    gradient = policy_gradient(world, theta)
    for advantage, factor in ((less_mean, 2 / 3), (less_the_others, 1.0)):
        mean, _ = group_expectation(weighted(world, theta, advantage), world, theta, 3)
        agree(mean, factor * gradient)
    lengths = list_groups(world, theta, 1).trajectories.lengths
    assert lengths.min() < lengths.max()


@pytest.mark.parametrize("G", [1, 2, 5, 8])
def test_a_standardised_bandit_climbs_by_the_mean_deviation_of_a_binomial(G):
    # Two arms that pay 1 and 0: with k of G right, (R - k/G)/sigma has the sum over the right ones
    # k (1 - k/G)/sigma = G sigma, sigma = sqrt(k/G (1 - k/G)); the score of the right arm less that
    # of the wrong one is 1 in the direction (1, -1): E[g] = E[sigma] (1, -1).
    p = 0.3
    theta = np.log([[p, 1 - p]])
    world = bandit([1.0, 0.0])

    def update(trajectories, R):
        A = (R - R.mean()) / (R.std() or 1.0)
        return reinforce_gradients(world, theta, trajectories, A[:, None]).mean(axis=0)

    deviation = sum(
        comb(G, k) * p**k * (1 - p) ** (G - k) * sqrt(k / G * (1 - k / G)) for k in range(G + 1)
    )
    mean, _ = group_expectation(update, world, theta, G)
    agree(mean, deviation * np.array([[1.0, -1.0]]))


def test_the_number_of_a_kind_in_a_group_is_binomial():
    # E = G p, Var = G p (1 - p), Cov of two kinds = -G p q
    pi = softmax_policy(ARM_THETA)[0]

    def counted(trajectories, R):
        return np.bincount(trajectories.actions[:, 0], minlength=3)[None]

    for G in (1, 4, 9):
        mean, covariance = group_expectation(counted, ARM, ARM_THETA, G)
        agree(mean, G * pi[None])
        agree(covariance, G * (np.diag(pi) - np.outer(pi, pi)))


def test_the_chance_of_a_group_is_multinomial():
    pi = softmax_policy(ARM_THETA)[0]
    rows, chances, tau = list_groups(ARM, ARM_THETA, 4)
    assert len(rows) == comb(3 + 4 - 1, 4) == 15
    arm = tau.actions[:, 0]
    for row, chance in zip(rows, chances, strict=True):
        n = np.bincount(arm[row], minlength=3)
        orders = factorial(4) // np.prod([factorial(k) for k in n])
        assert orders == len(set(permutations(row.tolist())))
        agree(chance, orders * np.prod(pi**n))


@examples(25)
@given(world=worlds(("horizon", "acyclic"), max_S=3, max_A=2), shared=st.booleans())
def test_chances_of_groups_sum_to_1_and_each_stands_once(world, shared):
    mdp, theta = world
    if len(enumerate_trajectories(mdp)) > 100:
        return
    rows, chances, tau = list_groups(mdp, theta, 2, shared_start=shared)
    agree(chances.sum(), 1.0)
    assert (chances > 0).all()
    assert len({tuple(row) for row in rows.tolist()}) == len(rows)
    assert (np.diff(rows, axis=1) >= 0).all()
    if shared:
        assert (np.ptp(tau.states[rows, 0], axis=1) == 0).all()


# --- another route -------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("old", [None, THETA_OLD], ids=["on-policy", "off-policy"])
def test_groups_without_their_order_agree_with_all_ordered_groups(old, shared):
    G = 3 if shared else 2  # 30^3 ordered groups are more than a test needs
    drawing = THETA if old is None else old
    mean, covariance = group_expectation(
        curved, WORLD, THETA, G, theta_old=old, shared_start=shared
    )
    reference = of_every_order(curved, WORLD, drawing, G, shared)
    agree(mean, reference[0])
    agree(covariance, reference[1])
    assert np.abs(covariance).max() > 0.1


def test_importance_weights_bring_an_old_policys_groups_back_to_grad_J():
    pi, pi_old = softmax_policy(THETA), softmax_policy(THETA_OLD)

    def update(trajectories, R):
        w = trajectories.ratio(pi, pi_old)
        return reinforce_gradients(WORLD, THETA, trajectories, (w * R)[:, None]).mean(axis=0)

    mean, _ = group_expectation(update, WORLD, THETA, 2, theta_old=THETA_OLD)
    agree(mean, policy_gradient(WORLD, THETA))
    bare = weighted(WORLD, THETA, plain)
    mean, _ = group_expectation(bare, WORLD, THETA, 2, theta_old=THETA_OLD)
    assert np.abs(mean - policy_gradient(WORLD, THETA)).max() > 0.01


def test_a_shared_start_matters_to_standardised_advantages():
    update = weighted(WORLD, THETA, standardised)
    shared, _ = group_expectation(update, WORLD, THETA, 2)
    own, _ = group_expectation(update, WORLD, THETA, 2, shared_start=False)
    assert np.abs(shared - own).max() > 0.02 * np.abs(own).max()


def test_with_a_shared_start_the_covariance_is_that_within_starts_over_G_and_that_between_them():
    # the law of total covariance: E[Cov(g|s_0)] / G + Cov(E[g|s_0])
    tau = enumerate_trajectories(WORLD)
    chance, start = tau.probability(softmax_policy(THETA)), tau.states[:, 0]
    g = reinforce_gradients(WORLD, THETA, tau).reshape(len(tau), -1)
    within, between, whole = 0.0, 0.0, chance @ g
    for s in np.flatnonzero(WORLD.mu > 0):
        p = np.where(start == s, chance, 0.0) / WORLD.mu[s]
        mean = p @ g
        within = within + WORLD.mu[s] * ((g * p[:, None]).T @ g - np.outer(mean, mean))
        between = between + WORLD.mu[s] * np.outer(mean - whole, mean - whole)
    for G in (1, 3):
        _, covariance = group_expectation(weighted(WORLD, THETA, plain), WORLD, THETA, G)
        agree(covariance, within / G + between)


def test_what_a_chapter_sums_over_listed_groups_itself_is_the_same():
    rows, chances, tau = list_groups(WORLD, THETA, 3)
    scores = reinforce_gradients(WORLD, THETA, tau, np.ones((len(tau), 1)))
    R = tau.returns[rows]
    A = (R - R.mean(axis=1, keepdims=True)) / (R.std(axis=1, keepdims=True) + 1e-6)
    mean, _ = group_expectation(weighted(WORLD, THETA, standardised), WORLD, THETA, 3)
    agree(np.einsum("n,ng,ngoa->oa", chances, A, scores[rows]) / 3, mean)


def test_a_covariance_keeps_its_digits_beside_a_large_mean():
    # 1e8 + n_a: the variance is that of the count, G p (1 - p)
    pi = softmax_policy(ARM_THETA)[0]

    def update(trajectories, R):
        return 1e8 + np.bincount(trajectories.actions[:, 0], minlength=3)[None]

    _, covariance = group_expectation(update, ARM, ARM_THETA, 4)
    agree(covariance, 4 * (np.diag(pi) - np.outer(pi, pi)), rtol=1e-6)


def test_what_an_action_of_probability_0_would_lead_to_is_left_out():
    theta = np.array([[0.0, 0.0, -1e4]])
    seen = []

    def update(trajectories, R):
        seen.extend(trajectories.actions.ravel().tolist())
        return np.zeros((1, 3))

    group_expectation(update, ARM, theta, 3)
    assert set(seen) == {0, 1}
    assert len(list_groups(ARM, theta, 3).rows) == 4


def test_a_start_rarer_than_floats_can_say_is_left_out():
    P = np.zeros((3, 2, 3))
    P[:, :, 2] = 1.0
    R = np.zeros((3, 2, 3))
    R[:2, :, 2] = [[1.0, 2.0], [3.0, 4.0]]
    world = MDP(P, R, [1.0, 5e-324, 0.0], gamma=1.0, horizon=1)
    rows, chances, tau = list_groups(world, np.zeros((3, 2)), 2)
    assert set(tau.states[rows, 0].ravel()) == {0}
    agree(chances, [0.25, 0.5, 0.25])


def test_many_groups_in_a_row_keep_their_places():
    # 2,002 groups, more than are cut from the list at once; E[sum of returns] = G J
    world = bandit(np.arange(6.0))
    theta = np.linspace(-0.5, 0.5, 6)[None]
    assert len(list_groups(world, theta, 9).rows) == comb(14, 9) == 2002
    mean, covariance = group_expectation(
        lambda trajectories, R: np.full((1, 6), R.sum()), world, theta, 9
    )
    pi = softmax_policy(theta)[0]
    J = pi @ np.arange(6)
    agree(mean, np.full((1, 6), 9 * J))
    agree(covariance, np.full((6, 6), 9 * (pi @ np.arange(6) ** 2 - J**2)))


# --- what an update is given, and what it must not do --------------------------------------------


def test_an_update_is_given_its_trajectories_with_their_returns_and_percepts():
    tau = enumerate_trajectories(WORLD)

    def update(trajectories, R):
        rows = tau.locate(trajectories)
        np.testing.assert_array_equal(R, tau.returns[rows])
        np.testing.assert_array_equal(trajectories.returns, R)
        for name in ("states", "actions", "rewards", "lengths", "percepts", "dynamics"):
            np.testing.assert_array_equal(getattr(trajectories, name), getattr(tau, name)[rows])
        assert (trajectories.O, trajectories.A, len(trajectories)) == (2, 2, 2)
        assert not trajectories.happened[0, trajectories.lengths[0] :].any()
        return np.zeros((2, 2))

    group_expectation(update, WORLD, THETA, 2)


@pytest.mark.parametrize("name", ["states", "actions", "rewards", "lengths", "returns", "R"])
def test_an_update_cannot_change_what_it_is_given(name):
    def update(trajectories, R):
        (R if name == "R" else getattr(trajectories, name))[0] = 0
        return np.zeros((2, 2))

    with pytest.raises(ValueError, match="read-only"):
        group_expectation(update, WORLD, THETA, 2)


ORDERS = {
    "the first only": lambda tau, R: R[0],
    "the last only": lambda tau, R: R[-1],
    "the second only": lambda tau, R: R[1],
    "rising weights": lambda tau, R: R @ np.arange(len(R)),
    "a running mean": lambda tau, R: sum(R[:i].mean() for i in range(1, len(R))),
    "noise": lambda tau, R: RNG.normal(),
}


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("of", ORDERS.values(), ids=ORDERS)
def test_an_update_that_depends_on_the_order_is_refused(of, shared):
    def update(trajectories, R):
        return np.full((2, 2), of(trajectories, R))

    with pytest.raises(ValueError, match=r"update must not depend on the order within a group"):
        group_expectation(update, WORLD, THETA, 3, shared_start=shared)


def test_rounding_that_depends_on_the_order_is_none_of_the_updates_fault():
    def update(trajectories, R):
        return np.full((2, 2), 1e8 * (R[0] / 3 + R[1] / 3 + R[2] / 3))

    try:
        group_expectation(update, WORLD, THETA, 3)
    except ValueError as error:
        pytest.fail(str(error))


def test_groups_of_one_have_no_order():
    mean, _ = group_expectation(lambda tau, R: np.full((2, 2), R[0]), WORLD, THETA, 1)
    tau = enumerate_trajectories(WORLD)
    agree(mean, np.full((2, 2), tau.probability(softmax_policy(THETA)) @ tau.returns))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "must hold real numbers; it is None"),
        (1.0, r"must have shape \(O, A\) = \(2, 2\); it has \(\)"),
        (np.zeros(4), r"must have shape \(O, A\) = \(2, 2\); it has \(4,\)"),
        (np.zeros((3, 2, 2)), r"must have shape \(O, A\) = \(2, 2\); it has \(3, 2, 2\)"),
        ([[0.0, np.nan], [0.0, 0.0]], r"\[0, 1\] must be finite; it is nan"),
        (np.zeros((2, 2), complex), "must hold real numbers; it holds complex128"),
    ],
    ids=str,
)
def test_what_is_no_table_is_refused_with_the_group(value, says):
    with pytest.raises((ValueError, TypeError), match=rf"update\(.*{says}.*for the group of traj"):
        group_expectation(lambda tau, R: value, WORLD, THETA, 2)


def test_a_number_that_is_not_finite_is_refused_with_its_group_wherever_it_stands():
    def update(trajectories, R):
        rows = trajectories.actions[:, 0]
        return np.full((1, 3), np.inf if (rows == 2).all() else 0.0)

    with pytest.raises(ValueError, match=r"finite; it is inf, .* trajectories \[2, 2\]"):
        group_expectation(update, ARM, ARM_THETA, 2)


def test_moments_beyond_the_largest_float_are_refused():
    def update(trajectories, R):
        return np.full((1, 3), 1e200 * R.sum())

    with pytest.raises(ValueError, match="the covariance of update leaves the range of floats"):
        group_expectation(update, ARM, ARM_THETA, 2)


def test_too_many_groups_are_refused_with_their_number():
    # 64 trajectories: (64+8-1)! / (8! 63!) groups of 8
    world, theta = two_state(3, gamma=1.0), np.zeros((2, 2))
    assert comb(71, 8) == 10_639_125_640
    with pytest.raises(ValueError, match=r"G = 8 there are 10,639,125,640 groups.*a smaller G"):
        group_expectation(lambda tau, R: np.zeros((2, 2)), world, theta, 8)
    with pytest.raises(ValueError, match=r"2,080 groups of 64 .*the limit of 2,079"):
        list_groups(world, theta, 2, limit=2079)
    assert len(list_groups(world, theta, 2, limit=2080).rows) == 2080
    with pytest.raises(ValueError, match=r"about 10\^\d+ groups"):
        list_groups(world, theta, 100)


def test_groups_too_large_for_the_memory_are_refused():
    with pytest.raises(TooLarge, match=r"a list of 1 groups of G = 1,000,000,000,000"):
        list_groups(bandit([1.0]), [[0.0]], 10**12)


def test_what_updates_and_their_covariance_take_is_refused_by_its_size(monkeypatch):
    # 4 trajectories, 10 groups of 2, (O, A) = (2, 2): 480 bytes for a list of them,
    # 10 rows of 4 numbers and 4 x 4 for the covariance: 448
    world, theta = two_state(1, gamma=0.5), np.zeros((2, 2))
    monkeypatch.setattr(memory, "memory_allowed", lambda: 479)
    with pytest.raises(TooLarge, match=r"a list of 10 groups of G = 2 would take about 480"):
        list_groups(world, theta, 2)
    monkeypatch.setattr(memory, "memory_allowed", lambda: 480)
    assert len(list_groups(world, theta, 2).rows) == 10
    wide = bandit(np.zeros(9))  # 9 groups of 1: 216 bytes for their list; 9 x 9 and 9 x 9: 1.3 kB
    monkeypatch.setattr(memory, "memory_allowed", lambda: 1295)
    with pytest.raises(TooLarge, match=r"update returns for 9 groups, .* 1\.3 kB.* a smaller G"):
        group_expectation(lambda tau, R: np.zeros((1, 9)), wide, np.zeros((1, 9)), 1)
    monkeypatch.setattr(memory, "memory_allowed", lambda: 1296)
    group_expectation(lambda tau, R: np.zeros((1, 9)), wide, np.zeros((1, 9)), 1)


def test_episodes_without_an_end_have_no_list():
    with pytest.raises(ValueError, match="infinitely many trajectories"):
        group_expectation(lambda tau, R: np.zeros((1, 2)), short_corridor(), [[0.0, 0.0]], 2)


def test_a_world_that_begins_at_its_end_has_one_group():
    world = MDP([[[1.0]]], [[[0.0]]], [1.0], gamma=1.0)
    mean, covariance = group_expectation(lambda tau, R: [[R.sum() + 1]], world, [[0.0]], 3)
    assert mean.tolist() == [[1.0]] and covariance.tolist() == [[0.0]]


def test_the_discount_is_in_the_returns():
    world = gamma_trap(gamma=0.5)
    theta = np.linspace(-1, 1, world.O * world.A).reshape(world.O, world.A)
    mean, _ = group_expectation(weighted(world, theta, less_the_others), world, theta, 2)
    agree(mean, policy_gradient(world, theta))
