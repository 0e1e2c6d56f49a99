"""GRPO and its relatives: each gradient is that of the stated objective, each loop climbs."""

from itertools import product
from re import escape

import numpy as np
import pytest

from policygrad.checks import close, refuted
from policygrad.estimators import group_advantages, reinforce_gradients
from policygrad.exact import expected_return, group_expectation, policy_gradient
from policygrad.learning import (
    GROUP_METHODS,
    Diverged,
    GroupOptions,
    clipped_gradients,
    group_gradient,
    group_objective,
    grpo,
)
from policygrad.policies import softmax_policy
from policygrad.sampling import sample_trajectories
from policygrad.worlds import bandit, short_corridor, tiny_language, two_state

WORLD = tiny_language(longest=3, seen="last")  # rows are shared by several places
SMALL = tiny_language(longest=2)
SHAPE = (WORLD.O, WORLD.A)
G = 6


def rng(seed=0):
    return np.random.default_rng(seed)


OLD = rng(1).normal(size=SHAPE)
THETA = OLD + 0.5 * rng(2).normal(size=SHAPE)
REF = rng(3).normal(size=SHAPE)
TAU = sample_trajectories(WORLD, softmax_policy(OLD), G, rng(13))
R = rng(5).normal(size=G)
THERE = rng(6).normal(size=(SMALL.O, SMALL.A))

ADVANTAGES = ("return", "mean", "leave-one-out", "standardised")
LENGTHS = ("answer", "group", "batch", "constant")
RATIOS = ("token", "sequence", "geometric")


def slope(f, theta, direction, h=1e-5):
    return (f(theta + h * direction) - f(theta - h * direction)) / (2 * h)


def written_out(theta, o):
    """The objective of the group, a token at a time."""
    log_pi, log_old, log_ref = (np.log(softmax_policy(x)) for x in (theta, OLD, REF))
    A = R if o.advantages == "return" else group_advantages(R, o.advantages)
    total = 0.0
    for i in range(G):
        T = TAU.lengths[i]
        at = WORLD.observe[TAU.states[i, :T]], TAU.actions[i, :T]
        log_w = (log_pi - log_old)[at]
        w = {
            "token": np.exp(log_w),
            "sequence": np.full(T, np.exp(log_w.sum())),
            "geometric": np.full(T, np.exp(log_w.mean())),
        }[o.ratio]
        held = w if o.epsilon is None else np.clip(w, 1 - o.epsilon, 1 + o.epsilon_high)
        f = {
            None: w * A[i],
            "min": np.minimum(w * A[i], held * A[i]),
            "weight": held * A[i] * np.log(w),
        }[o.clip]
        c = {
            "answer": 1 / (G * T),
            "group": 1 / TAU.lengths.sum(),
            "batch": 1 / TAU.lengths.sum(),
            "constant": 1 / (G * 3.0),
        }[o.length]
        l = (log_pi - log_ref)[at]
        k = {"k1": l, "k2": l**2 / 2, "k3": np.exp(-l) - 1 + l}[o.kl]
        total += (c * (f - o.beta * k)).sum()
    return total


EVERY = list(
    product(
        ADVANTAGES, LENGTHS, RATIOS, (None, "min", "weight"), (None, "k1", "k2", "k3")
    )
)  # fmt: skip


def options_of(advantages, length, ratio, clip, kl):
    given = dict(advantages=advantages, length=length, ratio=ratio, clip=clip, constant=3.0)
    given |= {} if clip is None else dict(epsilon=0.15, epsilon_high=0.35)
    return given | ({} if kl is None else dict(kl=kl, beta=0.3, theta_ref=REF))


def test_answers_here_differ_in_length_and_ratios_pass_both_bounds():
    assert set(TAU.lengths) == {1, 2, 3}
    for ratio in RATIOS:
        cut = options_of("mean", "answer", ratio, "min", None)
        free = cut | dict(clip=None, epsilon=None, epsilon_high=None)
        one, other = (group_gradient(WORLD, THETA, TAU, R, theta_old=OLD, **o) for o in (cut, free))
        assert np.abs(one - other).max() > 1e-3


@pytest.mark.parametrize("advantages", ADVANTAGES)
def test_every_objective_is_what_its_formula_says(advantages):
    for parts in EVERY:
        if parts[0] == advantages:
            given = options_of(*parts)
            o = GroupOptions(**given)
            got = group_objective(WORLD, THETA, TAU, R, theta_old=OLD, **given)
            np.testing.assert_allclose(got, written_out(THETA, o), rtol=1e-10, err_msg=str(parts))


@pytest.mark.parametrize("advantages", ADVANTAGES)
def test_every_gradient_is_that_of_the_differences_of_its_own_objective(advantages):
    for n, parts in enumerate(EVERY):
        if parts[0] == advantages:
            given = options_of(*parts) | dict(theta_old=OLD)
            f = lambda x, o=given: group_objective(WORLD, x, TAU, R, theta_held=THETA, **o)  # noqa: E731
            d = rng(n).normal(size=SHAPE)
            g = group_gradient(WORLD, THETA, TAU, R, **given)
            np.testing.assert_allclose(
                (g * d).sum(), slope(f, THETA, d), rtol=1e-6, atol=1e-8, err_msg=str(parts)
            )


def test_the_deviation_has_its_two_options():
    for ddof, epsilon_std in ((0, 0.0), (1, 0.5)):
        A = group_advantages(R, "standardised", ddof=ddof, epsilon=epsilon_std)
        given = dict(length="constant", ddof=ddof, epsilon_std=epsilon_std)
        g = group_gradient(WORLD, THETA, TAU, R, **given)
        by_hand = reinforce_gradients(WORLD, THETA, TAU, A[:, None]).mean(axis=0)
        np.testing.assert_allclose(g, by_hand, atol=1e-12)


# --- methods by their names ----------------------------------------------------------------------


def exact_mean(theta, size=3, **options):
    return group_expectation(
        lambda tau, R: group_gradient(SMALL, theta, tau, R, **options), SMALL, theta, size
    ).mean


@pytest.mark.parametrize("name", ["REINFORCE", "RLOO"])
def test_reinforce_and_rloo_climb_the_gradient(name):
    np.testing.assert_allclose(
        exact_mean(THERE, **GROUP_METHODS[name]), policy_gradient(SMALL, THERE), atol=1e-14
    )


def test_dr_grpo_climbs_the_gradient_less_one_part_in_G():
    got = exact_mean(THERE, **GROUP_METHODS["Dr. GRPO"])
    np.testing.assert_allclose(got, 2 / 3 * policy_gradient(SMALL, THERE), atol=1e-14)


@pytest.mark.parametrize("name", ["GRPO", "DAPO", "GSPO", "CISPO"])
def test_what_divides_by_deviation_or_length_climbs_no_multiple_of_the_gradient(name):
    got, true = exact_mean(THERE, **GROUP_METHODS[name]).ravel(), policy_gradient(SMALL, THERE)
    cosine = got @ true.ravel() / np.linalg.norm(got) / np.linalg.norm(true)
    assert 0.2 < cosine < 0.998


def test_where_nothing_has_moved_yet_gspo_is_grpo_and_cispo_is_dapo():
    at = {
        name: group_gradient(WORLD, THETA, TAU, R, **options)
        for name, options in GROUP_METHODS.items()
    }
    np.testing.assert_allclose(at["GSPO"], at["GRPO"], atol=1e-14)
    np.testing.assert_allclose(at["CISPO"], at["DAPO"], atol=1e-14)
    moved = {
        name: group_gradient(WORLD, THETA, TAU, R, theta_old=OLD, **options)
        for name, options in GROUP_METHODS.items()
    }
    assert np.abs(moved["GSPO"] - moved["GRPO"]).max() > 1e-2
    assert np.abs(moved["CISPO"] - moved["DAPO"]).max() > 1e-2


def test_with_whole_ratios_and_no_clip_the_mean_off_policy_is_the_gradient_there():
    old = THERE + 0.4 * rng(8).normal(size=THERE.shape)
    options = dict(advantages="return", length="constant")

    def mean(ratio):
        def update(tau, R):
            # the whole ratio stands at each token: one share for the answer, not one for each
            length = dict(length="answer") if ratio == "sequence" else {}
            return group_gradient(
                SMALL, THERE, tau, R, theta_old=old, ratio=ratio, **options | length
            )

        return group_expectation(update, SMALL, THERE, 2, theta_old=old).mean

    close("whole-ratio", mean("sequence"), policy_gradient(SMALL, THERE), rtol=1e-10)
    with refuted("ratios of single tokens correct for the old policy"):
        close("token-ratio", mean("token"), policy_gradient(SMALL, THERE), rtol=1e-10)


def test_one_token_ratios_with_a_clip_and_a_sum_over_tokens_are_ppos():
    A = group_advantages(R, "mean")
    g = group_gradient(
        WORLD, THETA, TAU, R, theta_old=OLD, **GROUP_METHODS["Dr. GRPO"] | {"epsilon_high": 0.3}
    )
    A = np.broadcast_to(A[:, None], TAU.actions.shape)
    rows = clipped_gradients(WORLD, THETA, OLD, TAU, A, 0.2, 0.3)
    np.testing.assert_allclose(g, rows.mean(axis=0), atol=1e-14)


# --- the loop ------------------------------------------------------------------------------------

BIG = dict(step_size=1e305)
RUN = dict(G=4, groups=8, step_size=2.0, steps=5)
ZEROS = np.zeros((SMALL.O, SMALL.A))


@pytest.mark.parametrize("name", ["GRPO", "RLOO", "DAPO"])
def test_a_step_of_many_groups_is_near_the_exact_mean_of_one(name):
    options, n = GROUP_METHODS[name], 20_000
    given = dict(G=3, groups=n, step_size=1.0, steps=1) | options
    step = grpo(SMALL, THERE, rng(9), **given).theta - THERE
    mean, covariance = group_expectation(
        lambda tau, R: group_gradient(SMALL, THERE, tau, R, **options), SMALL, THERE, 3
    )
    deviation = np.sqrt(np.diag(covariance) / n).reshape(mean.shape)
    assert deviation.max() < 0.05 * np.abs(mean).max()
    assert (np.abs(step - mean) < 5 * deviation + 1e-6).all()


def test_later_moves_hold_the_policy_that_drew():
    options = GROUP_METHODS["Dr. GRPO"] | dict(step_size=4.0, steps=1)
    given = dict(G=8, groups=1) | options
    world = bandit([1.0, 0.0, 0.5])
    zero, seed = np.zeros((1, 3)), 9
    once = grpo(world, zero, rng(seed), **given).theta
    twice = grpo(world, zero, rng(seed), epochs=2, **given)
    # a bandit's group is known by how often each arm was drawn: read it off the first move
    tau = sample_trajectories(world, softmax_policy(zero), 8, rng(seed))
    for counts in product(range(9), repeat=3):
        if sum(counts) == 8:
            actions = np.repeat(np.arange(3), counts)[:, None]
            rewards = np.array([1.0, 0.0, 0.5])[actions]
            states = np.column_stack([np.zeros(8, int), np.where(rewards > 0, 1, 2)])
            tau = type(tau)(states, actions, rewards, np.ones(8, int))
            R = rewards[:, 0]
            keep = {k: v for k, v in options.items() if k not in ("step_size", "steps")}
            first = 4.0 * group_gradient(world, zero, tau, R, **keep)
            if np.abs(first - once).max() < 1e-5:
                break
    second = 4.0 * group_gradient(world, once, tau, R, theta_old=zero, **keep)
    np.testing.assert_allclose(twice.theta - once, second, atol=2e-6)
    w = (softmax_policy(once) / softmax_policy(zero))[0, tau.actions[:, 0]]
    np.testing.assert_allclose(twice.ratios, [[w.min(), w.max()]], rtol=1e-9)
    assert (twice.clip_fraction > 0).all() == (np.abs(second).sum() < np.abs(first).sum())


@pytest.mark.parametrize("name", GROUP_METHODS)
def test_each_method_comes_within_a_percent_of_the_best_in_the_tiny_language(name):
    given = dict(G=8, groups=4, step_size=5.0, steps=300) | GROUP_METHODS[name]
    learnt = grpo(SMALL, ZEROS, rng(10), **given)
    assert expected_return(SMALL, softmax_policy(learnt.theta)) > 0.99
    assert learnt.silent[-1] > 0.5  # where all is right, groups say nothing


def test_drawing_again_leaves_no_group_silent_where_it_can_be_helped():
    given = RUN | GROUP_METHODS["DAPO"] | {"steps": 40}
    plain = grpo(SMALL, ZEROS, rng(11), **given)
    again = grpo(SMALL, ZEROS, rng(11), redraw=True, **given)
    assert (plain.drawn == 32).all() and (again.drawn >= 32).all()
    assert ((again.drawn > 32) == (again.silent > 0)).all() and (again.silent > 0).any()
    np.testing.assert_array_equal(plain.J[0], again.J[0])
    best = [expected_return(SMALL, softmax_policy(run.thetas[10])) for run in (plain, again)]
    assert best[1] > best[0]


def test_a_world_in_which_nothing_differs_is_drawn_again_only_so_often():
    world = bandit([1.0, 1.0])
    learnt = grpo(world, np.zeros((1, 2)), rng(12), redraw=True, **RUN)
    assert (learnt.theta == 0).all() and (learnt.silent == 1).all()
    assert (learnt.drawn == 21 * 32).all()


def test_the_loop_draws_prompts_by_mu():
    world = tiny_language(longest=2, mu=[0.25, 0.75])
    given = dict(G=2, groups=4000, step_size=1e-9, steps=1, advantages="mean")
    learnt = grpo(world, np.zeros((world.O, world.A)), rng(13), **given)
    exact = expected_return(world, np.full((world.O, world.A), 1 / 3))
    np.testing.assert_allclose(learnt.J, exact, atol=0.02)  # 4 sqrt(0.25 / 8000) is 0.022


def test_a_penalty_keeps_the_policy_near_its_reference():
    given = RUN | GROUP_METHODS["GRPO"] | dict(steps=100, G=8)
    free = grpo(SMALL, ZEROS, rng(14), **given)
    held = grpo(SMALL, ZEROS, rng(14), beta=1.0, theta_ref=ZEROS, **given)
    assert np.abs(held.theta).max() < 0.5 * np.abs(free.theta).max()


def test_grpo_remembers_every_step():
    learnt = grpo(SMALL, ZEROS, rng(), epochs=3, **RUN | GROUP_METHODS["DAPO"])
    assert learnt.thetas.shape == (6, SMALL.O, SMALL.A)
    for row in (learnt.J, learnt.silent, learnt.drawn, learnt.clip_fraction):
        assert row.shape == (5,)
    assert learnt.ratios.shape == (5, 2)
    assert (learnt.ratios[:, 0] < 1).all() and (learnt.ratios[:, 1] > 1).all()
    np.testing.assert_array_equal(np.round(learnt.thetas, 6), learnt.thetas)
    again = grpo(SMALL, ZEROS, rng(), epochs=3, **RUN | GROUP_METHODS["DAPO"])
    np.testing.assert_array_equal(learnt.thetas, again.thetas)


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"advantages": "z"}, "advantages must be one of return, mean, leave-one-out"),
        ({"length": "token"}, "length must be one of answer, group, batch, constant"),
        ({"ratio": "r"}, "ratio must be one of token, sequence, geometric"),
        ({"clip": "max", "epsilon": 0.2}, "clip must be one of min, weight; it is 'max'"),
        ({"clip": "min"}, "clip and epsilon go together"),
        ({"epsilon": 0.2}, "clip and epsilon go together"),
        ({"beta": 0.1}, "theta_ref must be given for beta > 0"),
        ({"beta": -0.1, "theta_ref": ZEROS}, "beta must lie in"),
        ({"constant": 0.0}, "constant must be positive; it is 0"),
        ({"kl": "k4"}, "kl must be one of k1, k2, k3"),
        ({"theta_ref": [[0.0]], "beta": 0.1}, "theta_ref must have shape (O, A)"),
        ({"redraw": 1}, "redraw must be True or False; it is 1"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"G": 1}, "rewards must have shape (..., G) with G of at least 2"),
    ],
)
def test_bad_options_are_refused(options, says):
    with pytest.raises((ValueError, TypeError), match=escape(says)):
        grpo(SMALL, ZEROS, rng(), **RUN | options)


def test_worlds_whose_trajectories_cannot_be_listed_are_refused():
    with pytest.raises(ValueError, match="infinitely many trajectories"):
        grpo(short_corridor(), np.zeros((1, 2)), rng(), **RUN)


def test_trajectories_of_another_world_are_refused():
    other = two_state(gamma=1.0)
    with pytest.raises(ValueError, match="trajectories are of another world: states"):
        group_gradient(other, np.zeros((2, 2)), TAU, R)


def test_logits_that_leave_the_numbers_say_at_which_step():
    with pytest.raises(Diverged, match="diverged at step 0"):
        grpo(bandit([1e10, -1e10]), [[0.0, 0.0]], rng(), advantages="return", **RUN | BIG)
