"""Actor-critic and PPO: each step is what its formula says, and each solves the short corridor."""

from re import escape

import numpy as np
import pytest

from policygrad.checks import refuted, unbiased
from policygrad.estimators import (
    discounts,
    gae,
    importance_ratios,
    reinforce_gradients,
    returns,
)
from policygrad.exact import expected_return, fisher_information, policy_gradient, state_values
from policygrad.learning import (
    Diverged,
    actor_critic,
    clipped_gradients,
    clipped_objectives,
    ppo,
)
from policygrad.learning.rollouts import Batch, Critic, Walker
from policygrad.policies import score, softmax_policy
from policygrad.sampling import sample_trajectories
from policygrad.worlds import random_mdp, short_corridor, two_state, vacuum_corridor

BEST = -6 - 4 * np.sqrt(2)
START = [[0.0, 0.0]]


def rng(seed=0):
    return np.random.default_rng(seed)


def aliased(seed=0):
    """Five states, three percepts, episodes of several lengths, a discount."""
    return random_mdp(rng(seed), 5, 2, O=3, absorbing=1, horizon=6, gamma=0.8)


def slopes(f, theta, h=1e-6):
    """The gradient of f by central differences."""
    out = np.zeros_like(theta)
    for at in np.ndindex(theta.shape):
        up, down = theta.copy(), theta.copy()
        up[at], down[at] = up[at] + h, down[at] - h
        out[at] = (f(up) - f(down)) / (2 * h)
    return out


def drawn(world, theta, m, seed):
    """The batch that a loop draws first."""
    return Walker(world, rng(seed), None).batch(0, theta, m)


# --- episodes from lists --------------------------------------------------------------------------


@pytest.mark.parametrize("world", [aliased(), short_corridor(), vacuum_corridor()], ids=str)
def test_episodes_from_lists_have_the_return_of_their_policy(world):
    theta = rng(1).normal(size=(world.O, world.A)) / 2
    batch = drawn(world, theta, 20_000, 2)
    exact = expected_return(world, softmax_policy(theta))
    unbiased("walk", returns(batch.tau, world.gamma), exact)


def test_episodes_from_lists_visit_each_pair_as_often_as_those_from_arrays():
    world, theta = aliased(), rng(3).normal(size=(3, 2))
    tau = sample_trajectories(world, softmax_policy(theta), 20_000, rng(4))
    one, other = drawn(world, theta, 20_000, 5), Batch.of(world, tau)

    def visits(batch):
        hit = batch.pair[..., None] == np.arange(6)
        return (hit & batch.happened[..., None]).sum(axis=1)

    unbiased("visits", visits(one) - visits(other), np.zeros(6))


def test_an_episode_that_does_not_end_says_at_which_step():
    with pytest.raises(Diverged, match=r"at step 0: .*unfinished after max_steps = 3") as info:
        actor_critic(short_corridor(), START, rng(), **AC | {"max_steps": 3})
    assert info.value.iteration == 0
    with pytest.raises(Diverged, match=r"unfinished after max_steps = 3"):
        ppo(short_corridor(), START, rng(), **PP | {"max_steps": 3})


# --- actor-critic --------------------------------------------------------------------------------

AC = dict(m=8, step_size=0.5, critic_step=0.25, steps=3, lam=0.7)


@pytest.mark.parametrize("critic", ["percept", "state"])
def test_a_step_is_alpha_times_the_mean_of_discounted_advantages_times_scores(critic):
    world, theta = aliased(), rng(6).normal(size=(3, 2))
    start = rng(7).normal(size=3 if critic == "percept" else 5)
    learnt = actor_critic(world, theta, rng(8), critic=critic, values=start, **AC)
    tau = drawn(world, theta, 8, 8).tau
    eyes = world.observe if critic == "percept" else np.arange(5)
    by_hand, moved, met = np.zeros((3, 2)), np.zeros_like(start), np.zeros_like(start)
    for i in range(8):
        T = tau.lengths[i]
        x, A = eyes[tau.states[i]], 0.0
        for t in reversed(range(T)):
            after = start[x[t + 1]] if t + 1 < T else 0.0
            A = tau.rewards[i, t] + 0.8 * after - start[x[t]] + 0.8 * 0.7 * A
            o, a = world.observe[tau.states[i, t]], tau.actions[i, t]
            by_hand += 0.8**t * A * score(theta)[o, a] / 8
            moved[x[t]], met[x[t]] = moved[x[t]] + A, met[x[t]] + 1
    np.testing.assert_allclose(learnt.thetas[1] - theta, 0.5 * by_hand, atol=1e-6)
    np.testing.assert_allclose(
        learnt.values[1] - start, 0.25 * moved / np.maximum(met, 1), atol=1e-12
    )
    np.testing.assert_allclose(learnt.J[0], returns(tau, 0.8).mean(), rtol=1e-12)
    assert learnt.actions[0] == tau.lengths.sum()


def test_a_history_has_a_row_for_each_step_and_one_for_the_start():
    for critic, entries in (("percept", 3), ("state", 5)):
        learnt = actor_critic(aliased(), np.zeros((3, 2)), rng(), critic=critic, **AC)
        assert learnt.thetas.shape == (4, 3, 2) and learnt.values.shape == (4, entries)
        assert learnt.J.shape == learnt.actions.shape == (3,)
        assert learnt.expected_returns(aliased()).shape == (4,)
        assert (learnt.thetas[0] == 0).all() and (learnt.values[0] == 0).all()


def rows_of(world, theta, lam, critic, values, m=5000):
    """What each of m episodes adds to the mean of a step, by the rooms that actor_critic uses."""
    batch = drawn(world, theta, m, 9)
    A = gae(batch.tau.rewards, Critic(world, critic, values).along(batch), world.gamma, lam)
    return reinforce_gradients(world, theta, batch.tau, discounts(batch.tau, world.gamma) * A)


def test_with_lam_one_the_mean_step_is_the_gradient_whatever_the_critic_says():
    world, theta = aliased(), rng(9).normal(size=(3, 2))
    rows = rows_of(world, theta, 1.0, "percept", [0.7, -0.4, 0.2])
    unbiased("lam=1", rows, policy_gradient(world, theta))


def test_with_lam_zero_a_critic_that_knows_the_states_values_gives_the_gradient():
    world, theta = short_corridor(), np.array([[-0.2, 0.3]])
    rows = rows_of(world, theta, 0.0, "state", state_values(world, softmax_policy(theta)))
    unbiased("state", rows, policy_gradient(world, theta))


def test_with_lam_zero_a_critic_over_the_one_percept_of_the_corridor_always_pushes_right():
    # delta is -1 at every step but the last, where it is -1 - V: a constant has no mean effect,
    # and what is left is -V times the score of the one action that ends an episode
    world, theta = short_corridor(), np.array([[-0.2, 0.3]])
    rows = rows_of(world, theta, 0.0, "percept", [-7.5])
    unbiased("percept", rows, 7.5 * score(theta)[0, 1])
    with refuted("a critic over percepts gives the gradient"):
        unbiased("percept", rows, policy_gradient(world, theta))


@pytest.mark.parametrize("lam", [0.0, 1.0])
def test_a_critic_over_states_that_is_left_to_learn_finds_their_values(lam):
    # theta does not move; with lam = 1 the targets are rewards-to-go, with 0 they are one step deep
    world, theta = random_mdp(rng(10), 4, 2, absorbing=1, gamma=0.8), np.zeros((4, 2))
    settings = dict(m=100, step_size=1e-9, critic_step=0.3, steps=120, critic="state")
    learnt = actor_critic(world, theta, rng(11), lam=lam, **settings).values[-80:].mean(axis=0)
    exact = state_values(world, softmax_policy(theta))
    np.testing.assert_allclose(learnt, exact, atol=0.02 * np.abs(exact).max())


def test_a_natural_step_solves_fisher_times_step_is_gradient():
    world, theta = aliased(), rng(12).normal(size=(3, 2))
    plain = actor_critic(world, theta, rng(13), **AC | {"steps": 1}).theta - theta
    natural = actor_critic(world, theta, rng(13), natural=True, **AC | {"steps": 1}).theta - theta
    np.testing.assert_allclose(
        fisher_information(world, theta) @ natural.ravel(), plain.ravel(), atol=3e-6
    )
    np.testing.assert_allclose(natural.sum(axis=1), 0.0, atol=3e-6)


SOLVES = dict(m=50, step_size=0.02, critic_step=0.2, steps=200)


@pytest.mark.parametrize(
    ("critic", "lam"), [("state", 0.0), ("state", 0.5), ("state", 0.9), ("percept", 0.95)]
)
def test_actor_critic_comes_within_a_percent_of_the_best_in_the_short_corridor(critic, lam):
    world = short_corridor()
    learnt = actor_critic(world, START, rng(14), critic=critic, lam=lam, **SOLVES)
    assert expected_return(world, softmax_policy(learnt.theta)) > 1.01 * BEST


def test_with_a_small_lam_a_critic_over_percepts_settles_below_the_best():
    world = short_corridor()
    learnt = actor_critic(world, START, rng(15), critic="percept", lam=0.5, **SOLVES)
    assert expected_return(world, softmax_policy(learnt.theta)) < 1.03 * BEST
    given = SOLVES | dict(m=20, steps=100)
    learnt = actor_critic(world, START, rng(15), critic="percept", lam=0.0, **given)
    assert expected_return(world, softmax_policy(learnt.theta)) < 2 * BEST


# --- the clipped surrogate -----------------------------------------------------------------------


def two_policies(seed=16, m=40):
    world = aliased()
    old = rng(seed).normal(size=(3, 2))
    theta = old + 0.5 * rng(seed + 1).normal(size=(3, 2))
    tau = sample_trajectories(world, softmax_policy(old), m, rng(seed + 2))
    A = rng(seed + 3).normal(size=tau.actions.shape)
    return world, theta, old, tau, A


@pytest.mark.parametrize("clip", [(None, None), (0.2, None), (0.1, 0.3), (1.0, 0.3)])
def test_the_gradient_of_the_clipped_surrogate_is_that_of_its_differences(clip):
    world, theta, old, tau, A = two_policies()
    w = importance_ratios(world, theta, old, tau)[tau.happened]
    assert (w < 0.9).any() and (w > 1.3).any()  # both clips are active somewhere
    rows = clipped_gradients(world, theta, old, tau, A, *clip)
    for i in range(len(tau)):
        f = lambda x, i=i: clipped_objectives(world, x, old, tau, A, *clip)[i]  # noqa: E731
        np.testing.assert_allclose(rows[i], slopes(f, theta), rtol=1e-6, atol=1e-8)


def test_the_clipped_surrogate_is_the_smaller_of_two():
    world, theta, old, tau, A = two_policies()
    w = importance_ratios(world, theta, old, tau)
    by_hand = [
        sum(
            min(w[i, t] * A[i, t], min(max(w[i, t], 0.8), 1.3) * A[i, t])
            for t in range(tau.lengths[i])
        )
        for i in range(len(tau))
    ]
    got = clipped_objectives(world, theta, old, tau, A, 0.2, 0.3)
    np.testing.assert_allclose(got, by_hand, rtol=1e-12)


# --- PPO -----------------------------------------------------------------------------------------

PP = dict(m=8, epochs=1, epsilon=0.2, step_size=0.5, critic_step=0.25, steps=3, lam=0.7)


@pytest.mark.parametrize("critic", ["percept", "state"])
def test_with_one_pass_and_one_minibatch_ppo_is_actor_critic(critic):
    world, theta = aliased(), rng(20).normal(size=(3, 2))
    one = ppo(world, theta, rng(21), critic=critic, **PP)
    other = actor_critic(world, theta, rng(21), critic=critic, **AC)
    np.testing.assert_array_equal(one.thetas, other.thetas)
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.J, other.J)
    assert (one.clip_fraction == 0).all()


def stated(world, old, tau, A, epsilon, normalise=False, entropy=0.0):
    """What a pass of one minibatch climbs, written out."""
    seen = tau.happened
    if normalise:
        A = (A - A[seen].mean()) / (A[seen].std() + 1e-8)
    gamma_t = discounts(tau, world.gamma)

    def objective(theta):
        pi = softmax_policy(theta)
        bonus = -(pi * np.log(pi)).sum(axis=1)[world.observe[tau.states[:, :-1]]]
        climbed = clipped_objectives(world, theta, old, tau, gamma_t * A, epsilon)
        return (climbed + entropy * (gamma_t * bonus * seen).sum(axis=1)).mean()

    return objective


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"normalise": True},
        {"entropy": 0.3},
        {"epsilon": None},
        {"normalise": True, "entropy": 0.1, "epsilon": 0.05},
    ],
    ids=str,
)
def test_the_second_pass_climbs_the_gradient_of_the_objective_as_stated(options):
    world, old = aliased(), rng(22).normal(size=(3, 2))
    V = rng(23).normal(size=3)
    alpha = 5.0
    given = PP | dict(step_size=alpha, steps=1, values=V, m=30) | options
    first = ppo(world, old, rng(24), **given).theta
    learnt = ppo(world, old, rng(24), **given | {"epochs": 2})
    tau = drawn(world, old, 30, 24).tau
    along = np.where(
        np.arange(7)[: tau.states.shape[1]] < tau.lengths[:, None],
        V[world.observe[tau.states]],
        0.0,
    )
    A = gae(tau.rewards, along, 0.8, 0.7)
    f = stated(world, old, tau, A, **{"epsilon": 0.2} | options)
    np.testing.assert_allclose((first - old) / alpha, slopes(f, old), atol=1e-6)
    np.testing.assert_allclose((learnt.theta - first) / alpha, slopes(f, first), atol=1e-6)
    w = importance_ratios(world, first, old, tau)[tau.happened]
    flat = np.where(A[tau.happened] > 0, w > 1.2, w < 0.8).mean()
    if options in ({}, {"entropy": 0.3}):
        assert flat > 0.05
        np.testing.assert_allclose(learnt.clip_fraction, [flat], rtol=1e-12)
    if options == {"epsilon": None}:
        assert learnt.clip_fraction == [0.0]
    w = importance_ratios(world, learnt.theta, old, tau)[tau.happened]
    np.testing.assert_allclose(learnt.ratios, [[w.min(), w.max()]], rtol=1e-12)


def test_minibatches_are_taken_one_after_the_other_and_each_is_a_mean_of_its_own():
    world, old = aliased(), rng(25).normal(size=(3, 2))
    given = PP | dict(step_size=1.0, steps=1, m=10, minibatches=3, critic_step=0.0)
    learnt = ppo(world, old, rng(26), **given)
    source = rng(26)
    tau = Walker(world, source, None).batch(0, old, 10).tau
    A = gae(tau.rewards, np.zeros((10, tau.actions.shape[1] + 1)), 0.8, 0.7)
    theta = old
    for part in np.array_split(source.permutation(10), 3):
        g = clipped_gradients(world, theta, old, tau, discounts(tau, 0.8) * A, 0.2)
        theta = theta + g[part].mean(axis=0)
    np.testing.assert_allclose(learnt.theta, theta, atol=1e-5)


def test_the_critic_is_fitted_to_targets_that_stay_while_it_moves():
    world, theta = aliased(), rng(27).normal(size=(3, 2))
    start = np.array([0.5, -0.5, 0.0])
    given = PP | dict(m=30, steps=1, values=start)
    once = ppo(world, theta, rng(28), **given).values[-1] - start
    thrice = ppo(world, theta, rng(28), **given | {"epochs": 3}).values[-1] - start
    np.testing.assert_allclose(thrice / once, (1 - 0.75**3) / 0.25, rtol=1e-9)


def test_a_clipped_critic_moves_along_the_gradient_of_its_clipped_error():
    world, theta, c = aliased(), rng(29).normal(size=(3, 2)), 0.1
    batch = drawn(world, theta, 30, 30)
    targets = rng(31).normal(size=batch.happened.shape)
    old, V = np.zeros(3), np.array([0.4, -0.3, 0.05])
    critic = Critic(world, "percept", V)
    critic.fit(0, batch, targets, 0.5, old, c)
    x, seen = world.observe[batch.tau.states[:, :-1]], batch.happened

    def error(V):
        far, near = V[x] - targets, np.clip(V, old - c, old + c)[x] - targets
        worse = np.maximum(far**2, near**2) / 2
        return np.array([worse[seen & (x == o)].mean() for o in range(3)])

    downhill = -np.diag([slopes(lambda V, o=o: error(V)[o], V)[o] for o in range(3)])
    np.testing.assert_allclose(critic.values - V, 0.5 * downhill.sum(axis=0), atol=1e-8)
    free = Critic(world, "percept", V)
    free.fit(0, batch, targets, 0.5)
    assert (np.abs(free.values - critic.values)[:2] > 1e-3).all()
    assert free.values[2] == critic.values[2]  # within its interval nothing is left out


def test_a_narrow_value_clip_holds_the_critic_near_where_it_was():
    world = short_corridor()
    given = PP | dict(m=50, epochs=20, steps=1, step_size=1e-9, lam=1.0)
    free = ppo(world, START, rng(32), **given)
    held = ppo(world, START, rng(32), value_clip=0.5, **given)
    assert free.values[-1] < -5 and -3 < held.values[-1] < -0.5


def test_ppo_remembers_every_step():
    learnt = ppo(aliased(), np.zeros((3, 2)), rng(), critic="state", **PP | {"epochs": 4})
    assert learnt.thetas.shape == (4, 3, 2) and learnt.values.shape == (4, 5)
    assert learnt.J.shape == learnt.actions.shape == learnt.clip_fraction.shape == (3,)
    assert learnt.ratios.shape == (3, 2)
    assert (learnt.ratios[:, 0] <= 1).all() and (learnt.ratios[:, 1] >= 1).all()


@pytest.mark.parametrize(("critic", "lam"), [("state", 0.0), ("state", 0.9), ("percept", 0.95)])
def test_ppo_comes_within_a_percent_of_the_best_in_the_short_corridor(critic, lam):
    world = short_corridor()
    given = dict(m=50, epochs=4, epsilon=0.2, step_size=0.01, critic_step=0.2, steps=100)
    learnt = ppo(world, START, rng(33), critic=critic, lam=lam, **given)
    assert expected_return(world, softmax_policy(learnt.theta)) > 1.01 * BEST


@pytest.mark.parametrize(
    "learn", [lambda r: actor_critic(two_state(gamma=0.9), np.zeros((2, 2)), r, **AC),
              lambda r: ppo(two_state(gamma=0.9), np.zeros((2, 2)), r, **PP)]
)  # fmt: skip
def test_one_seed_gives_one_run(learn):
    one, two, other = learn(rng(34)), learn(rng(34)), learn(rng(35))
    np.testing.assert_array_equal(one.thetas, two.thetas)
    assert not np.array_equal(one.thetas, other.thetas)
    np.testing.assert_array_equal(np.round(one.thetas, 6), one.thetas)


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("learn", "given", "says"),
    [
        (actor_critic, {"critic": "all"}, "critic must be one of percept, state; it is 'all'"),
        (actor_critic, {"values": [1, 2, 3]}, "values must have shape (O,) = (1,); it has (3,)"),
        (actor_critic, {"critic_step": 1.5}, "critic_step must lie in [0, 1]; it is 1.5"),
        (actor_critic, {"lam": -0.5}, "lam must lie in [0, 1]; it is -0.5"),
        (actor_critic, {"m": 0}, "m must be at least 1; it is 0"),
        (actor_critic, {"step_size": 0}, "step_size must be positive; it is 0"),
        (ppo, {"epochs": 0}, "epochs must be at least 1; it is 0"),
        (ppo, {"minibatches": 9}, "minibatches must be at least 1, at most 8; it is 9"),
        (ppo, {"epsilon": 1.5}, "epsilon must lie in [0, 1]; it is 1.5"),
        (ppo, {"epsilon": None, "epsilon_high": 0.2}, "epsilon_high is the other width"),
        (ppo, {"entropy": -1.0}, "entropy must lie in"),
        (ppo, {"value_clip": -1.0}, "value_clip must be at least 0; it is -1"),
    ],
)
def test_bad_input_is_refused(learn, given, says):
    with pytest.raises((ValueError, TypeError), match=escape(says)):
        learn(short_corridor(), START, rng(), **{actor_critic: AC, ppo: PP}[learn] | given)


def test_a_run_that_leaves_the_numbers_says_at_which_step():
    world = two_state(gamma=1.0)
    with pytest.raises(Diverged, match="diverged at step 0: theta") as info:
        actor_critic(world, np.zeros((2, 2)), rng(), values=[1.7e308, 1.7e308], **AC)
    assert info.value.iteration == 0
