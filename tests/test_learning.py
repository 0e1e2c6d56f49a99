"""The loops do what their formulas say, remember all of it, and say when they leave the numbers."""

import copy
import pickle
from re import escape

import numpy as np
import pytest

from policygrad.checks import unbiased
from policygrad.estimators import discounts, reinforce_gradients, returns, rewards_to_go
from policygrad.exact import expected_return, policy_gradient
from policygrad.learning import Diverged, exact_ascent, q_learning, reinforce, reinforce_many
from policygrad.mdp import MDP
from policygrad.policies import greedy_policy, score, softmax_policy
from policygrad.sampling import sample_trajectories
from policygrad.worlds import (
    aliased_pair,
    bandit,
    random_mdp,
    short_corridor,
    two_state,
    vacuum_corridor,
    with_memory,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def uniform(mdp):
    return np.full((mdp.O, mdp.A), 1 / mdp.A)


def best_action_values(mdp):
    """Q*, by backing up until nothing moves any more: no randomness, no table over percepts."""
    Q = np.zeros((mdp.S, mdp.A))
    for _ in range(10_000):
        V = np.where(mdp.absorbing, 0.0, Q.max(axis=1))
        backed_up = np.einsum("sap,sap->sa", mdp.P, mdp.R + mdp.gamma * V)
        if np.array_equal(backed_up, Q):
            return Q
        Q = backed_up
    raise AssertionError("value iteration is not done")


# --- Q-learning ----------------------------------------------------------------------------------


def test_an_entry_moves_by_alpha_times_what_it_missed():
    # one arm that pays 4: Q_n = 4 (1 - (1 - alpha)^n) from 0
    learnt = q_learning(bandit([4]), rng(), episodes=5, step_size=0.25, epsilon=0.0)
    np.testing.assert_allclose(learnt.tables[:, 0, 0], 4 * (1 - 0.75 ** np.arange(6)), rtol=1e-15)


def test_a_step_size_of_one_over_n_gives_the_plain_mean():
    world = bandit([1, 3], chances=[0.5, 0.25])
    learnt = q_learning(
        world, rng(), episodes=400, step_size=lambda n: 1 / n, behaviour=[[1.0, 0.0]]
    )
    np.testing.assert_allclose(learnt.Q[0, 0], learnt.returns.mean(), rtol=1e-12)
    assert learnt.visits.tolist() == [[400, 0]]
    assert learnt.Q[0, 1] == 0.0


def test_a_step_size_is_asked_for_by_the_visit_to_the_entry_not_by_the_episode():
    asked = []
    learnt = q_learning(
        two_state(horizon=3, gamma=1.0),
        rng(),
        episodes=50,
        step_size=lambda n: asked.append(n) or 0.5,
        epsilon=0.7,
    )
    visits = learnt.visits.ravel().tolist()
    assert len(set(visits)) == 4 and sum(visits) == 150  # nothing special: each entry its own
    assert sorted(asked) == sorted(n for count in visits for n in range(1, count + 1))


def test_where_nothing_is_hidden_and_nothing_random_it_finds_the_best_values_exactly():
    world = vacuum_corridor(observed=True)
    learnt = q_learning(world, rng(1), episodes=2000, step_size=1.0, behaviour=uniform(world))
    np.testing.assert_array_equal(
        learnt.Q[~world.absorbing], best_action_values(world)[~world.absorbing]
    )
    assert (learnt.visits[~world.absorbing] > 0).all()


def test_discounted_values_are_learnt_in_a_random_world_too():
    world = random_mdp(rng(2), 3, 2, absorbing=1, gamma=0.7)
    learnt = q_learning(
        world, rng(3), episodes=40_000, step_size=lambda n: 1 / n**0.7, behaviour=uniform(world)
    )
    best = best_action_values(world)
    assert np.abs(learnt.Q[world.observe] - best)[:2].max() < 0.05 * np.abs(best).max()


def test_nothing_is_promised_after_the_last_step_of_a_horizon():
    # both states pay, so a promise after the last step would show: one step, alpha = 1, Q = r
    world = two_state(horizon=1, gamma=1.0)
    learnt = q_learning(world, rng(), episodes=200, step_size=1.0, behaviour=uniform(world))
    assert {round(q, 9) for q in learnt.tables[1:, 0].ravel()} <= {0.0, 1.0, -0.2, 0.8}
    assert not learnt.cut.any()
    assert (learnt.lengths == 1).all()


def test_the_percept_of_an_end_is_never_updated():
    world = vacuum_corridor()
    learnt = q_learning(world, rng(), episodes=200, step_size=0.5, epsilon=1.0)
    end = world.percepts.index("ESW")
    assert learnt.visits[end].sum() == 0
    assert (learnt.Q[end] == 0).all()


def test_epsilon_one_draws_every_action_alike():
    world = bandit([0, 0, 9])
    learnt = q_learning(world, rng(4), episodes=30_000, step_size=0.1, epsilon=1.0)
    drawn = np.repeat(np.eye(3), learnt.visits[0], axis=0)
    unbiased("epsilon-greedy", drawn, np.full(3, 1 / 3))


def test_epsilon_greedy_draws_the_best_with_the_rest_of_the_probability():
    # the last arm is best from the start: 1 - epsilon + epsilon / 3 = 0.8
    world = bandit([-1, -1, 0])
    learnt = q_learning(world, rng(5), episodes=30_000, step_size=1.0, epsilon=0.3)
    first = 1 + int(np.flatnonzero((learnt.tables[:, 0, :2] < 0).all(axis=1))[0])
    later = q_learning(world, rng(5), episodes=first, step_size=1.0, epsilon=0.3).visits
    drawn = np.repeat(np.eye(3), (learnt.visits - later)[0], axis=0)
    unbiased("epsilon-greedy", drawn, np.array([0.1, 0.1, 0.8]))


def test_actions_are_drawn_by_the_epsilon_greedy_policy_of_the_table_ties_and_all():
    # once the last arm has been tried, the table is (0, 0, -1) for ever
    world = bandit([0, 0, -1])
    learnt = q_learning(world, rng(6), episodes=30_000, step_size=1.0, epsilon=0.3)
    first = int(np.flatnonzero(learnt.tables[:, 0, 2] < 0)[0])
    before = q_learning(world, rng(6), episodes=first, step_size=1.0, epsilon=0.3).visits
    drawn = np.repeat(np.eye(3), (learnt.visits - before)[0], axis=0)
    unbiased("epsilon-greedy", drawn, greedy_policy(learnt.Q, 0.3)[0])


def test_ties_are_broken_at_random():
    learnt = [
        q_learning(bandit([0, 0, 0]), rng(seed), episodes=1, step_size=1.0, epsilon=0.0).visits
        for seed in range(40)
    ]
    assert (np.sum(learnt, axis=0) > 0).all()


def test_a_greedy_agent_may_be_stuck_and_its_episodes_are_cut():
    # every step costs 1 wherever one goes; left and right look alike, so it walks to and fro
    world = short_corridor()
    learnt = q_learning(world, rng(), episodes=3, step_size=0.1, epsilon=0.0, max_steps=500)
    assert learnt.lengths.max() <= 500
    np.testing.assert_array_equal(learnt.returns, -learnt.lengths)
    always_right = q_learning(
        world, rng(), episodes=2, step_size=0.1, behaviour=[[0.0, 1.0]], max_steps=50
    )
    assert always_right.cut.all()
    assert (always_right.lengths == 50).all()


def test_returns_are_those_of_the_policy_that_drew_the_actions():
    world = random_mdp(rng(6), 4, 2, O=2, absorbing=1, gamma=0.8)
    pi = np.array([[0.3, 0.7], [0.6, 0.4]])
    learnt = q_learning(world, rng(7), episodes=20_000, step_size=0.1, behaviour=pi)
    unbiased("behaviour", learnt.returns, expected_return(world, pi))


def test_one_seed_gives_one_history():
    one, two, other = (
        q_learning(vacuum_corridor(), rng(seed), episodes=50, step_size=0.2, epsilon=0.2)
        for seed in (8, 8, 9)
    )
    np.testing.assert_array_equal(one.tables, two.tables)
    assert not np.array_equal(one.tables, other.tables)


def test_the_table_starts_where_it_is_told():
    learnt = q_learning(
        vacuum_corridor(), rng(), episodes=1, step_size=0.2, epsilon=0.2, initial=-7.5
    )
    assert (learnt.tables[0] == -7.5).all()
    np.testing.assert_array_equal(learnt.Q, learnt.tables[-1])


def test_q_learning_with_too_large_a_step_says_in_which_episode_it_diverged():
    # the error is multiplied by 1 - alpha = -9 a time: 9^n passes the largest float at n = 324
    with pytest.raises(Diverged, match=r"in episode 32\d: Q\[0, 0\] is (inf|-inf|nan)") as info:
        q_learning(bandit([4]), rng(), episodes=1000, step_size=10.0, epsilon=0.0)
    assert 320 <= info.value.iteration < 330


def test_with_one_bit_of_memory_a_greedy_table_can_find_the_dust_from_everywhere():
    # the best with one bit takes 3 steps on average; without memory none takes less than 4.5
    world = with_memory(vacuum_corridor())
    learnt = q_learning(world, rng(0), episodes=20_000, step_size=0.1, epsilon=0.2)
    np.testing.assert_allclose(expected_return(world, greedy_policy(learnt.Q)), -3.0, rtol=1e-12)


# --- exact ascent --------------------------------------------------------------------------------


def test_a_step_of_ascent_is_alpha_times_the_gradient():
    world, theta = two_state(gamma=1.0), np.array([[0.4, -0.3], [-0.2, 0.1]])
    climbed = exact_ascent(world, theta, step_size=0.7, steps=2)
    np.testing.assert_array_equal(climbed.thetas[0], theta)
    for before, after in zip(climbed.thetas[:-1], climbed.thetas[1:], strict=True):
        np.testing.assert_allclose(after - before, 0.7 * policy_gradient(world, before), rtol=1e-12)
    exact = [expected_return(world, softmax_policy(x)) for x in climbed.thetas]
    np.testing.assert_array_equal(climbed.J, exact)
    np.testing.assert_array_equal(climbed.expected_returns(world), exact)
    np.testing.assert_array_equal(climbed.expected_returns(world, every=2), exact[::2])
    np.testing.assert_array_equal(climbed.theta, climbed.thetas[-1])


def test_small_steps_climb_to_the_best_policy_of_the_short_corridor():
    climbed = exact_ascent(short_corridor(), [[0.0, 0.0]], step_size=0.05, steps=100)
    assert (np.diff(climbed.J) > -1e-12).all()
    np.testing.assert_allclose(climbed.J[-1], -6 - 4 * np.sqrt(2), rtol=1e-12)
    np.testing.assert_allclose(softmax_policy(climbed.theta)[0, 1], 2 - np.sqrt(2), rtol=1e-6)


def test_another_direction_goes_another_way():
    world, theta = two_state(gamma=1.0), np.zeros((2, 2))
    downhill = exact_ascent(
        world, theta, step_size=0.1, steps=20, direction=lambda x: -policy_gradient(world, x)
    )
    assert (np.diff(downhill.J) < 0).all()


def test_an_ascent_that_overshoots_says_at_which_step_and_why():
    with pytest.raises(Diverged, match=r"diverged at step 0: .*episode may never end") as info:
        exact_ascent(short_corridor(), [[0.0, 0.0]], step_size=1e6, steps=5)
    assert info.value.iteration == 0


def test_a_direction_that_is_not_finite_says_at_which_entry():
    steps = iter([np.zeros((2, 2)), np.array([[0.0, np.nan], [0.0, 0.0]])])
    with pytest.raises(
        Diverged, match=escape("diverged at step 1: direction(theta)[0, 1] must be finite")
    ) as info:
        exact_ascent(
            two_state(gamma=1.0),
            np.zeros((2, 2)),
            step_size=1,
            steps=3,
            direction=lambda _: next(steps),
        )
    assert info.value.iteration == 1


# --- REINFORCE -----------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1, 7])
def test_a_step_of_reinforce_is_alpha_times_the_mean_of_m_rows(m):
    world, theta = vacuum_corridor(), np.zeros((5, 3))
    learnt = reinforce(world, theta, rng(11), m=m, step_size=0.3, steps=3)
    again = rng(11)
    for k in range(3):
        tau = sample_trajectories(world, softmax_policy(theta), m, again)
        theta = theta + 0.3 * reinforce_gradients(
            world, theta, tau, rewards_to_go(tau, gamma=1.0)
        ).mean(axis=0)
        np.testing.assert_allclose(learnt.thetas[k + 1], theta, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(learnt.J[k], returns(tau, gamma=1.0).mean(), rtol=1e-12)


def test_a_discount_counts_from_the_start_of_the_episode():
    world = random_mdp(rng(12), 3, 2, horizon=4, gamma=0.6)
    learnt = reinforce(world, np.zeros((3, 2)), rng(13), m=5, step_size=1.0, steps=1)
    tau = sample_trajectories(world, np.full((3, 2), 0.5), 5, rng(13))
    by_hand = reinforce_gradients(
        world, np.zeros((3, 2)), tau, discounts(tau, 0.6) * rewards_to_go(tau, 0.6)
    )
    np.testing.assert_allclose(learnt.theta, by_hand.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(learnt.J[0], returns(tau, 0.6).mean(), rtol=1e-12)


def test_other_weights_make_another_estimator():
    world, theta = two_state(gamma=1.0), np.zeros((2, 2))
    whole = reinforce(
        world,
        theta,
        rng(14),
        m=5,
        step_size=1.0,
        steps=1,
        weights=lambda tau, gamma: returns(tau, gamma)[:, None],
    )
    tau = sample_trajectories(world, softmax_policy(theta), 5, rng(14))
    np.testing.assert_allclose(
        whole.theta, reinforce_gradients(world, theta, tau).mean(axis=0), rtol=1e-12
    )


def test_the_first_step_is_an_unbiased_estimate_of_the_gradient():
    world, theta = two_state(gamma=1.0), np.array([[0.4, -0.3], [-0.2, 0.1]])
    steps = [
        reinforce(world, theta, rng(seed), m=4, step_size=1.0, steps=1).theta - theta
        for seed in range(3000)
    ]
    unbiased("reinforce", np.array(steps), policy_gradient(world, theta))


def test_reinforce_climbs():
    learnt = reinforce(
        two_state(gamma=1.0), np.zeros((2, 2)), rng(15), m=50, step_size=0.2, steps=100
    )
    exact = learnt.expected_returns(two_state(gamma=1.0), every=100)
    assert exact[1] > exact[0] + 0.3


def test_one_seed_gives_one_run():
    one, two, other = (
        reinforce(
            two_state(gamma=1.0), np.zeros((2, 2)), rng(s), m=3, step_size=0.1, steps=5
        ).thetas
        for s in (16, 16, 17)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_reinforce_says_at_which_step_episodes_no_longer_end():
    with pytest.raises(Diverged, match=r"REINFORCE diverged at step 1: .*never end") as info:
        reinforce(short_corridor(), [[0.0, 0.0]], rng(18), m=5, step_size=1e6, steps=9)
    assert info.value.iteration == 1
    with pytest.raises(Diverged, match="unfinished after max_steps = 3"):
        reinforce(
            short_corridor(), [[0.0, 0.0]], rng(19), m=50, step_size=0.1, steps=9, max_steps=3
        )


# --- bad input -----------------------------------------------------------------------------------

Q = dict(episodes=5, step_size=0.1, epsilon=0.1)
UP = dict(step_size=0.1, steps=3)
R = dict(m=2, step_size=0.1, steps=3)
ZEROS = np.zeros((2, 2))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q, initial=np.nan),
            ValueError,
            "initial must be finite; it is nan",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q, initial="0"),
            TypeError,
            "initial must hold real numbers; it holds <U1",
        ),
        (
            lambda: exact_ascent(two_state(gamma=1.0), ZEROS, **UP, direction=lambda x: x[0]),
            ValueError,
            "direction(theta) must have shape (O, A) = (2, 2); it has (2,)",
        ),
        (
            lambda: reinforce(two_state(gamma=1.0), ZEROS, rng(), **R, max_steps=0),
            ValueError,
            "max_steps must be at least 1; it is 0",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), 0, **Q),
            TypeError,
            "rng must be a numpy.random.Generator; it is int",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q | {"episodes": 0}),
            ValueError,
            "episodes must be at least 1; it is 0",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q | {"episodes": 2.0}),
            TypeError,
            "episodes must be a whole number; it is 2.0",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q, max_steps=-1),
            ValueError,
            "max_steps must be at least 1; it is -1",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q | {"epsilon": 1.5}),
            ValueError,
            "epsilon must lie in [0, 1]; it is 1.5",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q | {"epsilon": np.nan}),
            ValueError,
            "epsilon must lie in [0, 1]; it is nan",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q | {"epsilon": "0"}),
            TypeError,
            "epsilon must be a number in [0, 1]; it is '0'",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q | {"epsilon": None}),
            ValueError,
            "give either epsilon or behaviour, and not both",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q, behaviour=ZEROS + 0.5),
            ValueError,
            "give either epsilon or behaviour, and not both",
        ),
        (
            lambda: q_learning(
                two_state(gamma=1.0), rng(), **Q | {"epsilon": None}, behaviour=[[0.5, 0.5]]
            ),
            ValueError,
            "behaviour must have shape (O, A) = (2, 2); it has (1, 2)",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q | {"step_size": 0}),
            ValueError,
            "step_size must be positive; it is 0",
        ),
        (
            lambda: q_learning(two_state(gamma=1.0), rng(), **Q | {"step_size": None}),
            TypeError,
            "step_size must be a number in [0, 1.79769e+308]; it is None",
        ),
        (
            lambda: exact_ascent(two_state(gamma=1.0), ZEROS, **UP | {"step_size": -1}),
            ValueError,
            "step_size must lie in [0, ",
        ),
        (
            lambda: exact_ascent(two_state(gamma=1.0), ZEROS, **UP | {"step_size": np.inf}),
            ValueError,
            "step_size must lie in [0, ",
        ),
        (
            lambda: exact_ascent(two_state(gamma=1.0), ZEROS, **UP | {"steps": True}),
            TypeError,
            "steps must be a whole number; it is True",
        ),
        (
            lambda: exact_ascent(two_state(gamma=1.0), np.zeros((3, 2)), **UP),
            ValueError,
            "theta must have shape (O, A) = (2, 2); it has (3, 2)",
        ),
        (
            lambda: exact_ascent(two_state(gamma=1.0), ZEROS * np.nan, **UP),
            ValueError,
            "theta[0, 0] must be finite; it is nan",
        ),
        (
            lambda: reinforce(two_state(gamma=1.0), ZEROS, None, **R),
            TypeError,
            "rng must be a numpy.random.Generator; it is NoneType",
        ),
        (
            lambda: reinforce(two_state(gamma=1.0), ZEROS, rng(), **R | {"m": 0}),
            ValueError,
            "m must be at least 1; it is 0",
        ),
        (
            lambda: reinforce(two_state(gamma=1.0), ZEROS[:1], rng(), **R),
            ValueError,
            "theta must have shape (O, A) = (2, 2); it has (1, 2)",
        ),
        (
            lambda: reinforce(
                two_state(gamma=1.0), ZEROS, rng(), **R, weights=lambda tau, gamma: np.ones(3)
            ),
            ValueError,
            "weights(tau, gamma) must have shape (m, H) = (2, 3), (m, 1) or (1, H); it has (3,)",
        ),
    ],
)
def test_bad_input_is_named(call, error, says):
    with pytest.raises(error, match=escape(says)):
        call()


def one_by_one(world, theta, draws, m, alphas, baseline=False):
    """REINFORCE as it is defined, one action at a time, for runs that take the numbers in turn."""
    thetas = [np.array(x, float) for x in theta]
    for k in range(len(alphas)):
        pi = [softmax_policy(x) for x in thetas]
        s = draws.choice(world.S, size=len(theta) * m, p=world.mu)
        taken = [[] for _ in s]
        while any(on := ~world.absorbing[s]):
            for i, u in zip(np.flatnonzero(on), draws.random(on.sum()), strict=True):
                o = world.observe[s[i]]
                a = int(np.searchsorted(np.cumsum(pi[i // m][o])[:-1], u))
                s_next = int(np.flatnonzero(world.P[s[i], a])[0])
                taken[i].append((o, a, world.R[s[i], a, s_next]))
                s[i] = s_next
        for run in range(len(theta)):
            g = np.zeros_like(thetas[run])
            batch = taken[run * m : (run + 1) * m]
            R = [sum(r for *_, r in episode) for episode in batch]
            for i, episode in enumerate(batch):
                b = np.mean(R[:i] + R[i + 1 :]) if baseline else 0.0
                for t, (o, a, _) in enumerate(episode):
                    G = sum(r for *_, r in episode[t:])
                    g += (G - b) * score(thetas[run])[o, a] / m
            thetas[run] = np.round(thetas[run] + alphas[k, run] * g, 6)
    return thetas


@pytest.mark.parametrize("baseline", [False, True], ids=["plain", "baseline"])
@pytest.mark.parametrize(
    ("world", "O", "A"), [(short_corridor(), 1, 2), (vacuum_corridor(), 5, 3)], ids=["two", "three"]
)
def test_many_runs_side_by_side_are_reinforce_run_by_run(world, O, A, baseline):
    starts = rng(1).normal(size=(3, O, A))
    alphas = np.array([[0.01, 0.02, 0.03], [0.03, 0.01, 0.02]])
    how = {"runs": 3, "m": 4, "step_sizes": alphas, "leave_one_out": baseline}
    many = reinforce_many(world, starts, rng(2), **how)
    assert many.shape == (3, 3, O, A)
    np.testing.assert_array_equal(many[0], starts)
    ours = one_by_one(world, starts, rng(2), 4, alphas, baseline)
    np.testing.assert_allclose(many[-1], ours, rtol=0, atol=1.5e-6)


@pytest.mark.parametrize(
    ("world", "theta"),
    [
        (short_corridor(), [[0.8, 0.0]]),
        (vacuum_corridor(), [[0, 1, 0], [0, 1, -1], [0, 0, 1], [1, 0, 0], [0, 0, 0]]),
    ],
    ids=["two", "three"],
)
def test_one_step_of_many_runs_has_the_mean_and_the_spread_of_one_step_of_reinforce(world, theta):
    theta = np.array(theta, float)
    once = reinforce_many(world, theta, rng(3), runs=40_000, m=1, step_sizes=[1.0])
    rows = (once[1] - theta).reshape(40_000, -1)
    unbiased("update-mean", rows, policy_gradient(world, theta).ravel())
    tau = sample_trajectories(world, softmax_policy(theta), 40_000, rng(4))
    theirs = reinforce_gradients(world, theta, tau, rewards_to_go(tau, gamma=1.0))
    spread = [np.cov(x.T) for x in (rows, theirs.reshape(rows.shape))]
    np.testing.assert_allclose(*spread, rtol=0, atol=0.2 * np.abs(spread[1]).max())  # heavy tails


def test_the_mean_of_the_other_returns_leaves_the_mean_of_a_step_and_lowers_its_spread():
    world, theta = vacuum_corridor(), np.zeros((5, 3))
    spread = []
    for leave_one_out in (False, True):
        how = {"runs": 20_000, "m": 4, "step_sizes": [1.0], "leave_one_out": leave_one_out}
        moves = (reinforce_many(world, theta, rng(3), **how)[1] - theta).reshape(20_000, -1)
        unbiased("update-mean", moves, policy_gradient(world, theta).ravel())
        spread.append(moves.var(axis=0).sum())
    assert spread[1] < spread[0]


def test_at_a_horizon_an_episode_is_over_and_no_run_is_lost():
    # two presses of one button that pays 1 or 2, no end but the horizon
    world = MDP(np.ones((1, 2, 1)), [[[1.0], [2.0]]], [1.0], horizon=2, gamma=1.0)
    many = reinforce_many(world, [[0, 0]], rng(7), runs=20_000, m=1, step_sizes=[1.0, 1.0])
    unbiased("update-mean", many[1], policy_gradient(world, np.zeros((1, 2))))
    assert (many[2] != many[1]).any(axis=(1, 2)).mean() > 0.9


def test_one_start_and_one_list_of_step_sizes_serve_all_runs():
    world, alphas = vacuum_corridor(), np.array([0.1, 0.2])
    one = reinforce_many(world, np.zeros((5, 3)), rng(5), runs=4, m=2, step_sizes=alphas)
    each = reinforce_many(
        world,
        np.zeros((4, 5, 3)),
        rng(5),
        runs=4,
        m=2,
        step_sizes=np.repeat(alphas[:, None], 4, axis=1),
    )
    np.testing.assert_array_equal(one, each)
    assert len(np.unique(one[-1], axis=0)) == 4  # and yet each goes its own way


def test_a_run_that_is_lost_stays_where_it_is_and_the_others_go_on():
    starts = np.array([[[-4.0, 4.0]], [[0.0, 0.0]]])  # nearly always right; even
    many = reinforce_many(
        short_corridor(), starts, rng(6), runs=2, m=1, step_sizes=np.full(20, 0.001), max_steps=60
    )
    np.testing.assert_array_equal(many[:, 0], np.broadcast_to(starts[0], (21, 1, 2)))
    assert len(np.unique(many[:, 1], axis=0)) == 21


WORLD = two_state(gamma=1.0)


def learn(**changes):
    return q_learning(WORLD, rng(), **{**Q, **changes})


def climb(**changes):
    return exact_ascent(WORLD, ZEROS, **{**UP, **changes})


def estimate(**changes):
    return reinforce(WORLD, ZEROS, rng(), **{**R, **changes})


def many(**changes):
    usual = {"mdp": short_corridor(), "theta": [[0, 0]], "rng": rng(), "runs": 2, "m": 3}
    return reinforce_many(**{**usual, "step_sizes": [0.1], **changes})


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: many(m=1, leave_one_out=True), ValueError, "leave_one_out needs other traject"),
        (lambda: learn(initial=[1.0]), ValueError, "initial must be one number; it has shape (1,)"),
        (lambda: learn(initial=None), TypeError, "initial must hold real numbers"),
        (lambda: learn(step_size=lambda n: None), TypeError, "step_size(1) must be a number"),
        (lambda: learn(step_size=lambda n: -1.0), ValueError, "step_size(1) must lie in [0, "),
        (
            lambda: learn(step_size=lambda n: 0.5 if n < 3 else np.nan),
            ValueError,
            "step_size(3) must lie in [0, ",
        ),
        (lambda: learn(step_size=lambda n: 1j), TypeError, "step_size(1) must be a number"),
        (lambda: learn(epsilon=None, behaviour=0.5), ValueError, "behaviour must have shape"),
        (lambda: q_learning(rng(), WORLD, **Q), TypeError, "mdp must be an MDP"),
        (lambda: climb(direction="up"), TypeError, "direction must be a function of theta"),
        (lambda: climb(direction=0), TypeError, "direction must be a function of theta"),
        (lambda: climb(direction=lambda x: None), TypeError, "direction(theta) must hold real"),
        (lambda: climb(direction=lambda x: 1j * x), TypeError, "direction(theta) must hold real"),
        (lambda: climb(direction=lambda x: [[1], [2, 3]]), ValueError, "direction(theta) must be"),
        (lambda: climb(step_size=lambda n: 1), TypeError, "step_size must be a number"),
        (lambda: exact_ascent(ZEROS, WORLD, **UP), TypeError, "mdp must be an MDP"),
        (lambda: estimate(weights=lambda tau, gamma: None), TypeError, "weights(tau, gamma) must"),
        (lambda: estimate(weights=np.ones(5)), TypeError, "weights must be a function of the"),
        (lambda: estimate(weights=0), TypeError, "weights must be a function of the"),
        (
            lambda: estimate(weights=returns),
            ValueError,
            "One weight per trajectory is a column: returns(tau, gamma)[:, None]",
        ),
        (
            lambda: estimate(weights=lambda tau, gamma: tau.rewards * 1j),
            TypeError,
            "weights(tau, gamma) must hold real numbers; it holds complex128",
        ),
        (
            lambda: estimate(weights=lambda tau, gamma: tau.rewards * np.nan),
            ValueError,
            "weights(tau, gamma)[0, 0] must be finite",
        ),
        (
            lambda: reinforce(WORLD, rng(), ZEROS, **R),
            TypeError,
            "theta must hold real numbers; it holds object",
        ),
        (lambda: reinforce(ZEROS, WORLD, rng(), **R), TypeError, "mdp must be an MDP"),
        (lambda: climb().expected_returns(WORLD, -1), ValueError, "every must be at least 1"),
        (lambda: climb().expected_returns(WORLD, 0), ValueError, "every must be at least 1"),
        (lambda: climb().expected_returns(WORLD, 1.5), TypeError, "every must be a whole number"),
        (lambda: climb().expected_returns(2), TypeError, "mdp must be an MDP"),
        (
            lambda: climb().expected_returns(bandit([1, 2])),
            ValueError,
            "theta must have shape (O, A) = (1, 2); it has (2, 2)",
        ),
        (lambda: learn(episodes=10**15), ValueError, "the tables of episodes = 1,000,000,000,000,"),
        (lambda: climb(steps=10**15), ValueError, "the logits of steps = 1,000,000,000,000,000"),
        (lambda: estimate(steps=10**15), ValueError, "the logits of steps = 1,000,000,000,000,000"),
        (lambda: estimate(m=10**15), ValueError, "m = 1,000,000,000,000,000 trajectories"),
        (
            lambda: many(mdp=two_state(gamma=1.0)),
            ValueError,
            "must have one outcome for each action",
        ),
        (
            lambda: many(mdp=aliased_pair(gamma=0.9)),
            ValueError,
            "gamma = 1 here; it has gamma = 0.9",
        ),
        (lambda: many(mdp=ZEROS), TypeError, "mdp must be an MDP"),
        (lambda: many(rng=7), TypeError, "rng must be a numpy.random.Generator"),
        (
            lambda: many(theta=ZEROS),
            ValueError,
            "theta must have shape (O, A) = (1, 2) or (runs, O,",
        ),
        (
            lambda: many(step_sizes=0.1),
            ValueError,
            "step_sizes must have shape (steps,) or (steps,",
        ),
        (lambda: many(step_sizes=[[0.1]]), ValueError, "= (steps, 2); it has (1, 1)"),
        (lambda: many(step_sizes=[0.1, 0]), ValueError, "step_sizes[1] must be positive; it is 0"),
        (lambda: many(m=10**15), ValueError, "m = 1,000,000,000,000,000 trajectories"),
        (lambda: many(runs=10**15), ValueError, "trajectories of runs = 1,000,000,000,000,000"),
        (lambda: many(runs=0), ValueError, "runs must be at least 1; it is 0"),
        (lambda: many(step_sizes=[1e308]), Diverged, "diverged at step 0: theta[0, 0, 0] is"),
    ],
)
def test_what_a_loop_or_its_callback_cannot_mean_is_named(call, error, says):
    with pytest.raises(error, match=escape(says)):
        call()


def test_a_direction_that_changes_its_argument_changes_nothing_else():
    def in_place(theta):
        slope = policy_gradient(WORLD, theta)
        theta *= 0
        theta += 7
        return slope

    np.testing.assert_array_equal(climb(direction=in_place).thetas, climb().thetas)


def test_weights_that_change_the_trajectories_change_neither_scores_nor_J():
    def in_place(tau, gamma):
        weights = discounts(tau, gamma) * rewards_to_go(tau, gamma)
        tau.rewards[:], tau.actions[:], tau.lengths[:] = 0, 0, 1
        return weights

    usual, other = estimate(), estimate(weights=in_place)
    np.testing.assert_array_equal(other.thetas, usual.thetas)
    np.testing.assert_array_equal(other.J, usual.J)


def test_a_row_of_weights_counts_the_same_for_every_trajectory():
    row = estimate(weights=lambda tau, gamma: np.array([[1.0, 0.5, 0.25]]))
    table = estimate(weights=lambda tau, gamma: np.tile([1.0, 0.5, 0.25], (2, 1)))
    np.testing.assert_array_equal(row.thetas, table.thetas)


@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.deepcopy])
def test_what_says_that_a_run_diverged_can_be_sent_to_another_process(again):
    error = again(Diverged(7, "diverged at step 7: J is nan"))
    assert type(error) is Diverged
    assert (error.iteration, str(error)) == (7, "diverged at step 7: J is nan")


def test_logits_and_policies_in_single_precision_are_learnt_with_in_double():
    theta = np.array([[0.5, -0.25], [0.0, 1.0]], np.float32)  # exact in either type
    for run in (
        lambda x: exact_ascent(WORLD, x, **UP),
        lambda x: reinforce(WORLD, x, rng(), **R),
    ):
        np.testing.assert_array_equal(run(theta).thetas, run(theta.astype(float)).thetas)
    thirds = np.full((1, 3), 1 / 3, np.float32)  # sums to 1 up to the rounding of float32
    narrow, wide = (
        q_learning(bandit([1, 2, 3]), rng(), episodes=50, step_size=0.1, behaviour=pi)
        for pi in (thirds, np.full((1, 3), 1 / 3))
    )
    np.testing.assert_array_equal(narrow.tables, wide.tables)


def test_an_endless_undiscounted_world_is_refused_before_the_first_step():
    endless = MDP(np.ones((1, 1, 1)), np.ones((1, 1, 1)), [1.0], gamma=1.0)
    with pytest.raises(ValueError, match="may never end"):
        exact_ascent(endless, [[0.0]], **UP)


def test_a_world_without_end_is_learnt_from_in_pieces():
    learnt = q_learning(
        aliased_pair(gamma=0.9), rng(20), episodes=2, step_size=0.1, epsilon=1.0, max_steps=100
    )
    assert learnt.cut.all()
    assert (learnt.visits.sum(), learnt.lengths.sum()) == (200, 200)
