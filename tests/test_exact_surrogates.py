"""The Fisher matrix, and what an old policy's states and advantages foretell of a new one's J."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policygrad import memory
from policygrad.exact import (
    advantages,
    enumerate_trajectories,
    expected_return,
    fisher_information,
    occupancy,
    policy_gradient,
    surrogate,
    surrogate_gradient,
)
from policygrad.mdp import MDP
from policygrad.policies import score, softmax_policy
from policygrad.worlds import aliased_pair, bandit, short_corridor, two_keys, two_state
from random_worlds import ENUMERABLE, agree, examples, slope, worlds


def step_scores(mdp, theta, tau):
    """The score of each step of each trajectory, flattened: (m, H, O*A), 0 after the end."""
    psi = score(theta).reshape(mdp.O, mdp.A, -1)[tau.percepts, tau.actions]
    return psi * tau.happened[..., None]


# --- Fisher --------------------------------------------------------------------------------------


@examples(40)
@given(world=worlds(ENUMERABLE))
def test_the_fisher_matrix_is_the_discounted_mean_of_products_of_scores(world):
    mdp, theta = world
    tau = enumerate_trajectories(mdp)
    chance = tau.probability(softmax_policy(theta))
    psi = step_scores(mdp, theta, tau)
    gammas = mdp.gamma ** np.arange(psi.shape[1])
    agree(fisher_information(mdp, theta), np.einsum("i,t,itx,ity->xy", chance, gammas, psi, psi))


@examples(40)
@given(world=worlds(ENUMERABLE))
def test_without_discount_it_is_the_fisher_matrix_of_whole_trajectories(world):
    mdp, theta = world
    mdp = MDP(mdp.P, mdp.R, mdp.mu, gamma=1.0, horizon=mdp.horizon, observe=mdp.observe)
    tau = enumerate_trajectories(mdp)
    chance = tau.probability(softmax_policy(theta))
    psi = step_scores(mdp, theta, tau).sum(axis=1)
    agree(fisher_information(mdp, theta), np.einsum("i,ix,iy->xy", chance, psi, psi))


def test_it_is_the_curvature_of_the_divergence_of_trajectories():
    # KL(P_theta0 || P_theta) = 0 at theta0, with slope 0 and curvature F
    mdp, theta0 = two_state(3, gamma=1.0), np.array([[0.3, -0.4], [0.1, 0.9]])
    tau = enumerate_trajectories(mdp)
    p0 = tau.probability(softmax_policy(theta0))

    def divergence(theta):
        return p0 @ np.log(p0 / tau.probability(softmax_policy(theta)))

    curvature = slope(lambda x: slope(divergence, x), theta0).reshape(4, 4)
    agree(fisher_information(mdp, theta0), curvature, rtol=1e-7)


def test_the_fisher_matrix_of_the_short_corridor():
    # It takes -J actions, all behind one percept: F = -J(p) p (1 - p) [[1, -1], [-1, 1]], and
    # J(p) = (2p - 4) / (p (1 - p)), so F = (4 - 2p) [[1, -1], [-1, 1]].
    for p in (0.2, 0.5, 0.9):
        F = fisher_information(short_corridor(), np.log([[1 - p, p]]))
        agree(F, (4 - 2 * p) * np.array([[1.0, -1.0], [-1.0, 1.0]]))


@examples(40)
@given(world=worlds())
def test_the_fisher_matrix_is_symmetric_has_no_negative_direction_and_o_idle_ones(world):
    mdp, theta = world
    F = fisher_information(mdp, theta)
    np.testing.assert_array_equal(F, F.T)
    assert np.linalg.eigvalsh(F).min() >= -1e-12 * (np.abs(F).max() + 1)
    idle = np.repeat(np.eye(mdp.O), mdp.A, axis=1)
    agree(F @ idle.T, np.zeros((mdp.O * mdp.A, mdp.O)))


def test_a_fisher_matrix_too_large_for_the_memory_is_refused(monkeypatch):
    # (O, A) = (2, 2): 16 numbers of 8 bytes, as the occupancy of 8 steps takes
    mdp, theta = two_state(8, gamma=1.0), np.zeros((2, 2))
    monkeypatch.setattr(memory, "memory_allowed", lambda: 127)
    with pytest.raises(memory.TooLarge, match="the Fisher matrix would take about 128"):
        fisher_information(mdp, theta)
    monkeypatch.setattr(memory, "memory_allowed", lambda: 128)
    fisher_information(mdp, theta)


def test_where_nothing_is_hidden_the_natural_gradient_is_the_advantages():
    # F^+ grad J = A(s, a) up to a constant per state: no trace of d(s), nor of pi (Kakade, 2001)
    mdp, theta = two_state(None, gamma=0.8), np.array([[0.3, -0.4], [2.0, -0.9]])
    natural = np.linalg.pinv(fisher_information(mdp, theta)) @ policy_gradient(mdp, theta).ravel()
    A = advantages(mdp, softmax_policy(theta))
    agree(natural.reshape(2, 2), A - A.mean(axis=1, keepdims=True))


# --- the surrogate -------------------------------------------------------------------------------


@examples(40)
@given(world=worlds())
def test_at_the_old_policy_the_surrogate_is_J_and_its_gradient_grad_J(world):
    mdp, theta = world
    agree(surrogate(mdp, theta, theta), expected_return(mdp, softmax_policy(theta)))
    agree(surrogate_gradient(mdp, theta, theta), policy_gradient(mdp, theta))
    agree(slope(lambda x: surrogate(mdp, x, theta), theta), policy_gradient(mdp, theta), rtol=1e-8)


@examples(40)
@given(world=worlds(ENUMERABLE), seed=st.integers(0, 99))
def test_the_surrogate_is_a_sum_over_old_trajectories_of_one_ratio_at_a_time(world, seed):
    # E_old[ sum_t gamma^t w_t A_t(s_t, a_t) ], listed: w_t reweighs the action, not the state
    mdp, old = world
    theta = old + np.random.default_rng(seed).normal(size=old.shape)
    tau = enumerate_trajectories(mdp)
    pi, pi_old = softmax_policy(theta), softmax_policy(old)
    chance, A = tau.probability(pi_old), advantages(mdp, pi_old)
    steps = np.arange(tau.actions.shape[1])
    at = (tau.states[:, :-1], tau.actions)
    A = A[at] if mdp.horizon is None else A[steps, *at]
    w = pi[tau.percepts, tau.actions] / pi_old[tau.percepts, tau.actions]
    J = chance @ tau.returns
    gammas = mdp.gamma**steps * tau.happened
    agree(surrogate(mdp, theta, old), J + chance @ (gammas * w * A).sum(axis=1))
    clipped = np.minimum(w * A, np.clip(w, 0.8, 1.3) * A)
    agree(
        surrogate(mdp, theta, old, epsilon=0.2, epsilon_high=0.3),
        J + chance @ (gammas * clipped).sum(axis=1),
    )


@examples(40)
@given(world=worlds(), seed=st.integers(0, 99))
def test_the_new_policys_states_would_make_the_surrogate_exact(world, seed):
    # J(theta) - J(old) = sum_s d_theta(s) sum_a pi_theta(a|s) A_old(s, a), so what the surrogate
    # misses is what d_old misses of d_theta.
    mdp, old = world
    theta = old + np.random.default_rng(seed).normal(size=old.shape)
    pi, pi_old = softmax_policy(theta), softmax_policy(old)
    moved = occupancy(mdp, pi) - occupancy(mdp, pi_old)
    gain = (pi[mdp.observe] * advantages(mdp, pi_old)).sum(axis=-1)
    missed = expected_return(mdp, pi) - surrogate(mdp, theta, old)
    np.testing.assert_allclose(missed, (moved * gain).sum(), atol=1e-9, rtol=1e-9)


@examples(40)
@given(world=worlds(), seed=st.integers(0, 99))
def test_the_gradient_of_the_surrogate_is_its_slope(world, seed):
    mdp, old = world
    theta = old + np.random.default_rng(seed).normal(size=old.shape)
    numbers = slope(lambda x: surrogate(mdp, x, old), theta)
    agree(surrogate_gradient(mdp, theta, old), numbers, rtol=1e-8)
    clip = dict(epsilon=0.3, epsilon_high=0.5)
    w = softmax_policy(theta) / softmax_policy(old)
    if min(np.abs(w - 0.7).min(), np.abs(w - 1.5).min()) > 0.02:  # no kink near by
        numbers = slope(lambda x: surrogate(mdp, x, old, **clip), theta)
        agree(surrogate_gradient(mdp, theta, old, **clip), numbers, rtol=1e-8)


@examples(40)
@given(world=worlds(), seed=st.integers(0, 99), epsilon=st.sampled_from([0.0, 0.2, 1.0]))
def test_the_clip_never_adds_and_a_wide_one_takes_nothing(world, seed, epsilon):
    mdp, old = world
    theta = old + np.random.default_rng(seed).normal(size=old.shape)
    whole = surrogate(mdp, theta, old)
    assert surrogate(mdp, theta, old, epsilon=epsilon) <= whole + 1e-9 * (1 + abs(whole))
    wide = dict(epsilon=1.0, epsilon_high=1e6)
    agree(surrogate(mdp, theta, old, **wide), whole)
    agree(surrogate_gradient(mdp, theta, old, **wide), surrogate_gradient(mdp, theta, old))


def test_the_surrogate_of_a_bandit_by_hand():
    # One decision: no other states to visit, so J~ = J.  Old p = 1/2, arms that pay 4 and 0: J = 2,
    # A = (2, -2).  New p = 3/4: J~ = 2 + 3/4 2 - 1/4 2 = 3.  With w = (3/2, 1/2) and epsilon = 0.1,
    # min(3/2 2, 1.1 2) = 2.2 and min(-1/2 2, -0.9 2) = -1.8: 2 + (2.2 - 1.8)/2 = 2.2; beyond both
    # bounds it is flat.  With 0.3 upwards, min(3, 2.6) = 2.6: 2 + (2.6 - 1.8)/2 = 2.4.
    world, old, new = bandit([4.0, 0.0]), np.zeros((1, 2)), np.log([[3.0, 1.0]])
    agree(surrogate(world, new, old), 3.0)
    agree(surrogate(world, new, old, epsilon=0.1), 2.2)
    agree(surrogate(world, new, old, epsilon=0.1, epsilon_high=0.3), 2.4)
    agree(surrogate_gradient(world, new, old), [[0.75, -0.75]])  # p (1 - p) 4
    agree(surrogate_gradient(world, new, old, epsilon=0.1), [[0.0, 0.0]])
    # upwards the clip is not reached: 3/4 (2 - 3/4 2) = 0.375
    up = surrogate_gradient(world, new, old, epsilon=0.1, epsilon_high=0.6)
    agree(up, [[0.375, -0.375]])
    # the other way: w = (1/2, 3/2), the good arm rarer, the bad one likelier: nothing is clipped
    agree(surrogate(world, -new, old, epsilon=0.1), 1.0)
    agree(surrogate_gradient(world, -new, old, epsilon=0.1), [[0.75, -0.75]])


def test_aliased_states_share_a_row_but_not_their_advantages():
    # one percept, opposite advantages: the slope adds both up, as grad J does
    for mdp in (aliased_pair(gamma=0.5), two_keys()):
        theta = np.linspace(-0.5, 1.0, mdp.O * mdp.A).reshape(mdp.O, mdp.A)
        agree(surrogate_gradient(mdp, theta, theta), policy_gradient(mdp, theta))


def test_states_that_are_never_visited_do_not_matter():
    # gamma = 1, and in state 2, which the start does not lead to, one would stay for ever
    P = np.zeros((3, 2, 3))
    P[0, :, 1] = P[1, :, 1] = P[2, :, 2] = 1.0
    R = np.zeros((3, 2, 3))
    R[0, :, 1], R[2] = [2.0, 4.0], 1.0
    mdp = MDP(P, R, [1, 0, 0], gamma=1.0)
    agree(surrogate(mdp, np.zeros((3, 2)), np.zeros((3, 2))), 3.0)
    agree(surrogate_gradient(mdp, np.zeros((3, 2)), np.zeros((3, 2)))[0], [-0.5, 0.5])
    assert fisher_information(mdp, np.zeros((3, 2))).max() == 0.25


def test_where_the_old_policy_cannot_act_its_advantages_are_missed_by_name():
    # action 1 has probability 0, and leads to where the old policy would stay for ever
    P = np.zeros((3, 2, 3))
    P[0, 0, 1] = P[0, 1, 2] = P[1, :, 1] = P[2, 0, 2] = P[2, 1, 1] = 1.0
    R = np.ones((3, 2, 3))
    R[1] = 0.0
    mdp = MDP(P, R, [1, 0, 0], gamma=1.0, states=["a", "end", "c"], actions=["x", "y"])
    old = np.array([[0.0, -1e4], [0.0, 0.0], [0.0, -1e4]])
    with pytest.raises(ValueError, match="theta_old gives probability 0 to action y in state a"):
        surrogate(mdp, np.zeros((3, 2)), old)


@pytest.mark.parametrize("function", [surrogate, surrogate_gradient])
def test_one_width_alone_is_not_enough(function):
    world, theta = bandit([1.0, 2.0]), np.zeros((1, 2))
    with pytest.raises(ValueError, match="give epsilon too"):
        function(world, theta, theta, epsilon_high=0.2)


def test_what_leaves_the_range_of_floats_is_refused():
    world = bandit([1e308, -1e308])
    with pytest.raises(ValueError, match="leaves the range of floats"):
        surrogate(world, [[0.0, 1.0]], [[0.0, 1.0]])
