"""An update on trial: its exact mean beside grad J, and what it climbs instead."""

import dataclasses

import numpy as np
import pytest

from policygrad.estimators import (
    clip_objective,
    clip_slope,
    discounts,
    gae,
    group_advantages,
    kl_estimates,
    reinforce_gradients,
    rewards_to_go,
)
from policygrad.exact import (
    enumerate_trajectories,
    expected_return,
    group_expectation,
    policy_gradient,
    state_values,
    surrogate_gradient,
)
from policygrad.learning import GROUP_METHODS, group_gradient
from policygrad.policies import score, softmax_policy
from policygrad.trial import VERDICTS, Place, trial
from policygrad.trial.clips import KINDS, surrogates
from policygrad.trial.fits import angle_between, commute, fitted, multiple
from policygrad.trial.objectives import ADDED, ADDED_OLD, ALONE, deviation_weight
from policygrad.trial.words import counted, degrees, number, percent, sum_in_words
from policygrad.worlds import bandit, gamma_trap, random_mdp, tiny_language, two_state
from random_worlds import agree

UNBIASED, FACTOR, ZERO, OTHER, BIASED, NOTHING = VERDICTS


def some(seed, world, size=1.0):
    return size * np.random.default_rng(seed).normal(size=(world.O, world.A))


# two prompts, 7 answers to each of one and two tokens, rewards 0 and 1: 420 groups of 4
LANGUAGE = tiny_language(longest=2)
THETA = some(3, LANGUAGE)
OLD, REF = THETA + some(4, LANGUAGE, 0.6), THETA + some(5, LANGUAGE, 0.5)
# the same prompts; right answers come in two lengths, so that R/T is no multiple of R
PAID = {"": 0.0, "a": 1.0, "b": 0.0, "aa": 0.0, "ab": 1.0, "ba": 1.0, "bb": 0.0}
MIXED = tiny_language(longest=2, reward=lambda p, a, ended: PAID[a] if p == "a" else 1 - PAID[a])
# rewards of many sizes, gamma < 1, aliased states, episodes of one to three steps: 22 trajectories
WORLD = random_mdp(
    np.random.default_rng(26),
    *(4, 3),
    horizon=2,
    gamma=0.8,
    O=3,
    absorbing=1,
    successors=2,
)
THERE = some(6, WORLD)


def pushed(c, group):
    """(1/G) sum_i sum_t c_{i,t} grad log pi, for weights that spread over (G, T)."""
    return np.einsum("it,itoa->oa", np.broadcast_to(c, group.mask.shape), group.scores) / group.G


def by_weight(weight):
    """An update from what stands before the scores."""
    return lambda group: pushed(weight(group), group)


def R(group):
    return group.rewards[:, None]


def less_mean(group):
    return group_advantages(group.rewards, "mean")[:, None]


def standardised(group, **how):
    return group_advantages(group.rewards, "standardised", **how)[:, None]


def T(group):
    return group.lengths[:, None]


def ratio(group):
    return np.exp(group.logp - group.old_logp)


def log_ratio(group):
    return group.logp - group.ref_logp


def ppo(A, epsilon=0.2):
    """The gradient of the clipped objective, of weights A."""
    return by_weight(lambda x: clip_slope(ratio(x), A(x) + 0 * x.mask, epsilon) * ratio(x))


def ppo_with_max(A, epsilon=0.2):
    """The slip: the larger of the two in place of the smaller."""

    def weight(x):
        w, a = ratio(x), A(x) + 0 * x.mask
        inside = np.abs(w - 1) <= epsilon
        return np.where(inside, a, a - clip_slope(w, a, epsilon)) * w

    return by_weight(weight)


def place(world=LANGUAGE, theta=THETA, old=None, ref=None, G=4, shared=True):
    on_policy = old is None
    return Place(world, theta, theta if on_policy else old, ref, G, shared, 10**5, on_policy)


# --- known verdicts ------------------------------------------------------------------------------

reinforce, rloo = by_weight(R), by_weight(lambda x: less_mean(x) * x.G / (x.G - 1))


@pytest.mark.parametrize("G", [1, 2, 4])
def test_reinforce_is_unbiased_and_is_its_own_measure_of_noise(G):
    report = trial(reinforce, LANGUAGE, THETA, G=G)
    assert (report.verdict, report.climbs, report.factor) == (UNBIASED, "J", 1.0)
    agree([report.size, report.noise], [1.0, 1.0])
    assert report.angle < 1e-10
    agree(report.mean, policy_gradient(LANGUAGE, THETA))


def test_rewards_to_go_are_unbiased_with_gamma_to_the_t_and_climb_nothing_without():
    def to_go(x):
        return rewards_to_go(x.trajectories, WORLD.gamma)

    right = trial(by_weight(lambda x: discounts(x.trajectories, 0.8) * to_go(x)), WORLD, THERE)
    assert right.verdict == UNBIASED
    wrong = trial(by_weight(to_go), WORLD, THERE)
    assert wrong.verdict == NOTHING and wrong.climbs is None
    assert wrong.field == "J without gamma^t before its steps"


def test_whole_returns_without_the_discount_climb_the_undiscounted_J():
    report = trial(by_weight(lambda x: x.step_rewards.sum(1)[:, None]), WORLD, THERE)
    assert (report.verdict, report.climbs) == (OTHER, "J without discount")
    agree(report.mean, policy_gradient(dataclasses.replace(WORLD, gamma=1.0), THERE))


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("G", [2, 4])
def test_leave_one_out_is_unbiased_and_the_mean_of_all_shrinks_by_1_minus_1_over_G(G, shared):
    # R_i - Rbar = (1 - 1/G) (R_i - Rbar_{-i}), and the second is a baseline
    how = {"G": G, "shared_start": shared, "old_policies": ()}
    assert trial(rloo, LANGUAGE, THETA, **how).verdict == UNBIASED
    report = trial(by_weight(less_mean), LANGUAGE, THETA, **how)
    assert (report.verdict, report.climbs) == (FACTOR, "J")
    agree([report.factor, report.size], [1 - 1 / G] * 2)


@pytest.mark.parametrize("weight", [lambda x: 3.0, lambda x: 0.0], ids=["constant", "nothing"])
def test_a_constant_weight_moves_nothing_on_average(weight):
    # E[score] = 0
    report = trial(by_weight(weight), LANGUAGE, THETA, G=2, old_policies=())
    assert (report.verdict, report.climbs, report.size) == (ZERO, None, 0.0)
    assert np.isnan(report.angle) and np.isnan(report.noise)


def test_a_small_mean_beside_much_noise_is_not_zero():
    # E[3 z + R z / 10^6] = grad J / 10^6
    report = trial(by_weight(lambda x: 3 + R(x) / 1e6), LANGUAGE, THETA, G=2, old_policies=())
    assert (report.verdict, report.climbs) == (FACTOR, "J")
    agree(report.factor, 1e-6, rtol=1e-6)


def test_an_update_that_does_not_look_at_the_group_moves_nowhere_by_J():
    report = trial(lambda group: group.theta, LANGUAGE, THETA, old_policies=())
    assert (report.verdict, report.climbs) == (BIASED, None)  # of |theta|^2 / 2
    own = {"size": lambda there: (there.theta**2).sum() / 2}
    report = trial(lambda group: group.theta, LANGUAGE, THETA, old_policies=(), against=own)
    assert (report.verdict, report.climbs) == (OTHER, "size")
    agree(report.factor, 1.0, rtol=1e-8)


def test_downhill_is_no_factor():
    report = trial(lambda group: -rloo(group), LANGUAGE, THETA, G=3, old_policies=())
    assert (report.verdict, report.climbs, report.factor) == (OTHER, "-J", pytest.approx(1.0))
    assert report.angle == pytest.approx(180.0)
    assert "downhill: it climbs -J" in str(report)


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ({}, "deviation-weighted J"),
        ({"ddof": 1}, "deviation-weighted J (ddof 1)"),
        ({"epsilon": 1e-4}, "deviation-weighted J (epsilon 0.0001)"),
        ({"ddof": 1, "epsilon": 1e-6}, "deviation-weighted J (ddof 1, epsilon 1e-6)"),
    ],
    ids=str,
)
def test_standardised_rewards_of_0_and_1_weigh_prompts_by_their_deviation(how, name):
    report = trial(by_weight(lambda x: standardised(x, **how)), LANGUAGE, THETA, G=4)
    assert (report.verdict, report.climbs) == (OTHER, name)
    agree(report.factor, 1.0)
    assert report.angle > 0.1


@pytest.mark.parametrize(("G", "factor"), [(2, 1.0), (3, np.sqrt(2))])
def test_with_two_or_three_answers_a_deviation_is_a_factor_and_the_report_says_so(G, factor):
    # k (G - k)/G^2 / sqrt(k (G - k)/G^2) C(G, k) p^k q^(G - k): for G = 2, 2 p q / 2; for G = 3,
    # 3 p q (p + q) sqrt(2)/3
    report = trial(by_weight(standardised), LANGUAGE, THETA, G=G, old_policies=())
    assert report.verdict == (UNBIASED if factor == 1 else FACTOR)
    agree(report.factor, factor)
    assert any("G below 4" in line for line in report.caution)


def test_a_return_over_its_length_climbs_the_mean_of_that():
    report = trial(by_weight(lambda x: R(x) / T(x)), MIXED, THETA, G=2)
    assert (report.verdict, report.climbs) == (OTHER, "E[R/T]")
    report = trial(by_weight(lambda x: less_mean(x) / T(x)), MIXED, THETA, G=4)
    assert (report.verdict, report.climbs) == (NOTHING, None)
    assert report.field == "(R - J)/T, J held"
    agree(report.factor, 1 - 1 / 4)


def test_grpo_is_the_gradient_of_nothing_and_has_a_name():
    report = trial(ppo(lambda x: standardised(x) / T(x)), MIXED, THETA, G=4)
    assert (report.verdict, report.climbs) == (NOTHING, None)
    assert report.field == "the surrogate of standardised R, per answer"
    assert report.old[0].climbs == "the clipped surrogate of standardised R, per answer"
    per_token = trial(
        by_weight(lambda x: less_mean(x) / T(x).mean()), MIXED, THETA, G=3, old_policies=()
    )
    assert per_token.field == "the surrogate of R - group mean, per token of the group"


def test_grpo_with_its_penalty_has_a_name_of_two_parts():
    def slope(x):
        k3 = 0.04 * (1 - np.exp(-log_ratio(x))) / T(x)
        A = standardised(x) / T(x) + 0 * x.mask
        return clip_slope(ratio(x), A, 0.2) * ratio(x) - k3

    report = trial(by_weight(slope), MIXED, THETA, G=3, theta_ref=REF)
    # with three answers and rewards 0 and 1 the deviation is a factor, sqrt(2)
    assert (report.verdict, report.climbs) == (NOTHING, None)
    assert report.field == (
        "1.41 (R - J)/T, J held - 0.04 KL(pi_ref||pi) at the states met, per answer"
    )
    assert {x.climbs for x in report.old} == {
        "the clipped surrogate of standardised R, per answer - 0.04 k3 of old samples, per answer"
    }
    report = trial(by_weight(slope), MIXED, THETA, G=4, theta_ref=REF, old_policies=())
    assert report.field == (
        "the surrogate of standardised R, per answer"
        " - 0.04 KL(pi_ref||pi) at the states met, per answer"
    )


def test_k1_in_the_loss_does_nothing_and_in_the_reward_it_is_the_penalty():
    how = {"G": 2, "theta_ref": REF, "old_policies": ()}
    assert trial(by_weight(lambda x: 0.1), LANGUAGE, THETA, **how).verdict == ZERO
    paid = by_weight(lambda x: R(x) - 0.1 * log_ratio(x).sum(1)[:, None])
    report = trial(paid, LANGUAGE, THETA, **how)
    assert (report.verdict, report.climbs) == (OTHER, "J - 0.1 KL(P||P_ref)")
    with_mean = by_weight(lambda x: less_mean(x) - 0.1 * log_ratio(x).sum(1)[:, None])
    report = trial(with_mean, LANGUAGE, THETA, **how)
    assert report.climbs == "0.5 J - 0.1 KL(P||P_ref)" and report.factor is None


@pytest.mark.parametrize(
    ("penalty", "name", "old"),
    [
        (
            lambda l, n: l,
            "J - 0.3 KL(pi||pi_ref) at the states met",
            "the surrogate - 0.3 k2 of old samples",
        ),
        (
            lambda l, n: 1 - np.exp(-l),
            "J - 0.3 KL(pi_ref||pi) at the states met",
            "the surrogate - 0.3 k3 of old samples",
        ),
        (
            lambda l, n: (1 - np.exp(-l)) / n,
            "J - 0.3 KL(pi_ref||pi) at the states met, per answer",
            "the surrogate - 0.3 k3 of old samples, per answer",
        ),
        (lambda l, n: 1 + 0 * l, None, "the surrogate - 0.3 k1 of old samples"),
    ],
    ids=["k2", "k3", "k3 per answer", "k1"],
)
def test_k2_and_k3_in_a_loss_are_known_per_step(penalty, name, old):
    update = by_weight(lambda x: ratio(x) * R(x) - 0.3 * penalty(log_ratio(x), T(x)))
    report = trial(update, LANGUAGE, THETA, G=1, theta_ref=REF)
    if name is None:
        assert report.verdict == UNBIASED
    else:
        assert (report.verdict, report.climbs, report.field) == (NOTHING, None, name)
    assert {x.climbs for x in report.old} == {old}


def test_an_entropy_that_is_paid_and_one_that_is_added_differ():
    how = {"G": 1, "old_policies": ()}
    paid = by_weight(lambda x: R(x) - 0.05 * x.logp.sum(1)[:, None])
    report = trial(paid, LANGUAGE, THETA, **how)
    assert (report.verdict, report.climbs) == (OTHER, "J + 0.05 entropy")
    added = by_weight(lambda x: R(x) - 0.05 * x.logp)
    report = trial(added, LANGUAGE, THETA, **how)
    assert (report.verdict, report.field) == (NOTHING, "J + 0.05 entropy at the states met")


def test_a_value_of_theta_known_to_the_update_makes_it_climb_log_J():
    def over_J(x):
        return R(x) / expected_return(LANGUAGE, softmax_policy(x.theta))

    report = trial(by_weight(over_J), LANGUAGE, THETA, G=1, old_policies=())
    assert (report.verdict, report.climbs) == (OTHER, "log J")

    def over_J_of_the_start(x):
        mu = np.eye(LANGUAGE.S)[x.states[0, 0]]
        one = dataclasses.replace(LANGUAGE, mu=mu)
        return R(x) / expected_return(one, softmax_policy(x.theta))

    report = trial(by_weight(over_J_of_the_start), LANGUAGE, THETA, G=1, old_policies=())
    assert (report.verdict, report.climbs) == (OTHER, "log J of each start")


def test_a_factor_that_changes_with_theta_is_another_objective():
    # E g = (1 + J^2) grad J, the gradient of J + J^3/3
    def weight(x):
        return R(x) * (1 + expected_return(LANGUAGE, softmax_policy(x.theta)) ** 2)

    report = trial(by_weight(weight), LANGUAGE, THETA, G=1, old_policies=())
    assert (report.verdict, report.climbs, report.factor) == (OTHER, "a function of J", None)
    assert report.angle < 1e-6
    # with |theta|^2 for J^2, levels of J have no one slope
    report = trial(
        by_weight(lambda x: R(x) * (1 + (x.theta**2).sum())), LANGUAGE, THETA, G=1, old_policies=()
    )
    assert (report.verdict, report.climbs) == (NOTHING, None)


def J_at(theta):
    return expected_return(MIXED, softmax_policy(theta))


def entropy_of(theta):
    pi = softmax_policy(theta)
    return -(pi * np.log(pi)).sum()


@pytest.mark.parametrize(
    "h", [entropy_of, lambda theta: 1 + (theta**2).sum()], ids=["entropy", "|theta|^2"]
)
@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_a_factor_that_stands_still_at_one_theta_only_is_seen_at_the_others(h, noise):
    # at theta = 0 both have no slope, so that derivatives commute there
    theta = noise * some(1, LANGUAGE)
    update = by_weight(lambda x: h(x.theta) * R(x))
    report = trial(update, LANGUAGE, theta, old_policies=())
    assert (report.verdict, report.climbs) == (NOTHING, None)
    assert report.field == "J, times a number that changes with theta"


def test_what_nothing_fits_is_asked_at_every_theta_too():
    # sum_t t R z_t, in which the steps after the first count at the neighbours only
    def late(x):
        there = 0.0 if np.array_equal(x.theta, THERE) else 1.0
        return R(x) ** 2 + there * R(x) * np.arange(x.mask.shape[1])

    report = trial(by_weight(late), WORLD, THERE, old_policies=())
    assert (report.verdict, report.field) == (NOTHING, None)


def test_a_factor_that_moves_is_told_as_another_speed():
    # the path is that of J as long as the factor is above 0
    for sign, told in ((1, "the same path at another speed"), (-1, "also below 0")):
        update = by_weight(lambda x, sign=sign: sign * np.exp(x.theta[0, 0]) * R(x))
        report = trial(update, LANGUAGE, THETA, old_policies=())
        assert report.verdict == NOTHING and told in " ".join(str(report).split())


@pytest.mark.parametrize("off", [1e-7, 1e-4])
def test_what_is_close_to_a_known_field_is_told_so_and_has_the_verdict_of_its_derivatives(off):
    # (R - J)/T is the gradient of nothing, J of something; T^2 R z, without the mean, of something
    def held(x):
        V = state_values(MIXED, softmax_policy(x.theta))[0]
        return (R(x) - V[x.states[:, 0], None]) / T(x)

    for weight, name, verdict in ((held, "(R - J)/T, J held", NOTHING), (R, "J", BIASED)):
        update = by_weight(lambda x, w=weight: w(x) + off * R(x) * T(x) ** 2)
        report = trial(update, MIXED, THETA, old_policies=())
        assert (report.verdict, report.nearest[0]) == (verdict, name)
        how = "as if it climbed " if verdict == NOTHING else ""
        text = " ".join(str(report).split())
        assert f"{verdict} · {how}{name}, " in text
        assert ("digits: off by" in text) == (off < 1e-6)


def test_a_small_number_beside_a_deviation_does_not_hide_the_name():
    # of a loss with epsilon = 1e-4, which stands in no list for answers of several lengths
    update = by_weight(lambda x: standardised(x, epsilon=1e-4) / T(x))
    report = trial(update, MIXED, THETA, G=4, old_policies=())
    assert report.verdict == NOTHING
    assert "the surrogate of standardised R, per answer" in report.nearest[0]


@pytest.mark.parametrize("where", ["at theta", "between"])
def test_a_function_of_J_that_rises_here_and_falls_there_is_said_to_do_neither(where):
    # (J - c) grad J, the gradient of (J - c)^2 / 2
    def J(theta):
        return expected_return(LANGUAGE, softmax_policy(theta))

    thetas = trial(reinforce, LANGUAGE, THETA, old_policies=()).thetas
    low, middle, high = sorted(J(theta) for theta in thetas)
    c = J(THETA) if where == "at theta" else (low + middle) / 2
    assert low < c < high
    report = trial(by_weight(lambda x: (J(x.theta) - c) * R(x)), LANGUAGE, THETA, old_policies=())
    assert (report.verdict, report.climbs) == (
        OTHER,
        "a function of J, neither rising nor falling",
    )
    for beyond, name in ((low - 0.1, "a function of J"), (high + 0.1, "a falling function of J")):
        update = by_weight(lambda x, c=beyond: (J(x.theta) - c) * R(x))
        assert trial(update, LANGUAGE, THETA, old_policies=()).climbs == name


@pytest.mark.parametrize(
    ("weight", "off", "name"),
    [
        (lambda x: R(x), 1e-7, "J"),
        (lambda x: R(x) / 2, 1e-8, "0.5 J"),
        (lambda x: -R(x), 1e-7, "-J"),
        (lambda x: R(x) / T(x), 1e-8, "E[R/T]"),
        (lambda x: R(x) * J_at(x.theta), 1e-8, "J, times a number that changes with theta"),
        (
            lambda x: R(x) - 0.1 * log_ratio(x).sum(1)[:, None],
            1e-7,
            "J - 0.1 KL(P||P_ref)",
        ),
    ],
    ids=["J", "half", "downhill", "per answer", "a moving factor", "with a penalty"],
)
def test_a_match_that_is_not_at_the_level_of_rounding_is_told_with_its_digits(weight, off, name):
    update = by_weight(lambda x: weight(x) + off * R(x) * T(x) ** 2)
    how = {"theta_ref": REF, "old_policies": ()}
    report = trial(update, MIXED, THETA, **how)
    assert (report.verdict, report.climbs, report.factor) == (BIASED, None, None)
    assert report.nearest[0] == name and 0.1 * off < report.nearest[1] < 10 * off
    many = int(-np.log10(report.nearest[1]))
    assert f"biased · {name}, to {many} digits: off by more than rounding" in " ".join(
        str(report).split()
    )
    exact = trial(by_weight(weight), MIXED, THETA, **how)
    assert exact.nearest is None and "digits" not in str(exact)


def test_a_J_below_0_has_no_logarithm():
    # R / J climbs log(-J), downhill for J
    world, theta = bandit([-1.0, -2.0, -4.0]), np.array([[0.3, -0.1, 0.2]])

    def over_J(x):
        return R(x) / expected_return(world, softmax_policy(x.theta))

    report = trial(by_weight(over_J), world, theta, old_policies=())
    assert (report.verdict, report.climbs) == (OTHER, "a falling function of J")


def test_what_is_in_no_list_is_biased_if_it_is_the_gradient_of_something():
    # E[R^2], for rewards of many sizes
    report = trial(by_weight(lambda x: R(x) ** 2), WORLD, THERE, old_policies=())
    assert (report.verdict, report.field) == (BIASED, None)
    assert 1e-6 < report.nearest[1] < 1
    nothing = by_weight(lambda x: R(x) * x.mask * (1 + np.arange(x.mask.shape[1])))
    report = trial(nothing, WORLD, THERE, old_policies=())
    assert (report.verdict, report.field) == (NOTHING, None)


@pytest.mark.parametrize("off", [1e-6, 1e-4])
def test_a_bias_of_a_millionth_is_one(off):
    biased = by_weight(lambda x: R(x) * (1 + off * T(x)))
    report = trial(biased, MIXED, THETA, old_policies=())
    assert report.verdict == BIASED


# --- old policies --------------------------------------------------------------------------------


def test_whole_ratios_bring_old_samples_back_to_grad_J():
    whole = by_weight(lambda x: ratio(x).prod(axis=1)[:, None] * R(x))
    report = trial(whole, LANGUAGE, THETA, G=2)
    assert {x.verdict for x in report.old} == {UNBIASED}
    assert report.knows_old and "old samples, 3 policies: unbiased" in str(report)
    alone = trial(whole, LANGUAGE, THETA, G=2, theta_old=OLD)
    assert alone.verdict == UNBIASED and alone.old == () and alone.knows_old is None
    assert "with an old policy's samples" in str(alone)


def test_ratios_of_steps_climb_the_surrogate():
    report = trial(by_weight(lambda x: ratio(x) * R(x)), LANGUAGE, THETA, G=2)
    assert report.verdict == UNBIASED
    assert {(x.verdict, x.climbs) for x in report.old} == {(OTHER, "the surrogate")}
    first = report.old[0]
    assert " ".join(str(first).split()) == (
        f"the gradient of another objective · it climbs the surrogate · size {first.size:.3f}, "
        f"angle {first.angle:.1f}° beside the gradient of J"
    )
    for x in report.old:
        agree(x.factor, 1.0)
        agree(x.mean, surrogate_gradient(LANGUAGE, THETA, x.theta_old))
        assert x.angle > 1


def test_an_update_without_ratios_does_not_know_of_the_old_policy_and_the_report_says_so():
    report = trial(rloo, LANGUAGE, THETA, G=3)
    assert report.verdict == UNBIASED and report.knows_old is False
    assert all(x.verdict in (BIASED, OTHER) and x.angle > 1 for x in report.old)
    text = " ".join(str(report).split())
    assert "as must be: it does not look at the old policy" in text
    assert "old samples" not in str(trial(rloo, LANGUAGE, THETA, G=3, old_policies=()))
    assert trial(rloo, LANGUAGE, THETA, G=3, theta_old=THETA).old == ()


def test_the_clip_is_known_and_a_max_for_its_min_is_seen_with_old_samples_only():
    right, slip = (trial(f(less_mean), LANGUAGE, THETA, G=3) for f in (ppo, ppo_with_max))
    assert right.verdict == slip.verdict == FACTOR
    agree(slip.mean, right.mean)
    assert {x.climbs for x in right.old} == {"the clipped surrogate of R - group mean"}
    assert {x.verdict for x in slip.old} == {BIASED}
    assert all(x.nearest[1] > 0.05 for x in slip.old)
    text = " ".join(str(slip).split())
    assert (
        "· neither the surrogate clipped at 0.2 nor anything known: nearest is the surrogate"
        in text
    )


@pytest.mark.parametrize(("low", "high"), [(0.1, None), (0.2, 0.28)])
def test_a_clip_of_another_width_is_found_if_it_is_looked_for(low, high):
    update = by_weight(lambda x: clip_slope(ratio(x), R(x) + 0 * x.mask, low, high) * ratio(x))
    report = trial(update, LANGUAGE, THETA, epsilon=low, epsilon_high=high)
    assert {x.climbs for x in report.old} == {"the clipped surrogate of R"}
    report = trial(update, LANGUAGE, THETA)
    assert {x.climbs for x in report.old} == {None}


def test_old_policies_leave_the_clip_on_both_sides():
    for epsilon in (0.2, 0.5):
        report = trial(rloo, LANGUAGE, THETA, G=2, epsilon=epsilon)
        for x in report.old:
            there = place(old=x.theta_old)
            w = np.exp(there.logp - there.old_logp)[there.tau.happened]
            assert w.min() < 1 - epsilon and w.max() > 1 + epsilon
    assert len(report.old) == 3
    for x in trial(rloo, LANGUAGE, THETA, G=2, epsilon=1.0).old:  # no ratio is below 0
        assert np.exp(place().logp - place(old=x.theta_old).old_logp).max() > 2
    for x in trial(rloo, LANGUAGE, THETA, G=2, epsilon_high=1e6).old:  # and none so large
        assert np.abs(x.theta_old - THETA).max() < 5
    given = trial(rloo, LANGUAGE, THETA, G=2, old_policies=[OLD])
    np.testing.assert_array_equal(given.old[0].theta_old, OLD)
    assert "old samples, 1 policy" in str(given)


STANDARD = "the surrogate of standardised R"
METHODS = {  # on-policy: verdict and field; with old samples: what is climbed
    "REINFORCE": (UNBIASED, "J", "the surrogate"),
    "RLOO": (UNBIASED, "J", "the surrogate"),
    "GRPO": (NOTHING, f"{STANDARD}, per answer", "the clipped {}, per answer"),
    "Dr. GRPO": (FACTOR, "J", "the clipped surrogate of R - group mean"),
    "DAPO": (NOTHING, f"{STANDARD}, per token of the group", "the clipped {}, per token"),
    "GSPO": (NOTHING, f"{STANDARD}, per answer", "the clipped {}, by answer"),
    "CISPO": (NOTHING, f"{STANDARD}, per token of the group", "the {}, ratios capped, per token"),
}


@pytest.mark.parametrize("name", METHODS)
def test_the_methods_of_the_book_are_what_the_book_says(name):
    # with the step rule of chapter 14's loops, which shares no code with a trial
    options = GROUP_METHODS[name]
    verdict, field, old = METHODS[name]

    def update(x):
        how = {"theta_old": x.theta_old, **options}
        return group_gradient(MIXED, x.theta, x.trajectories, x.rewards, **how)

    widths = {k: options[k] for k in ("epsilon", "epsilon_high") if k in options}
    report = trial(update, MIXED, THETA, G=4, **widths)
    assert (report.verdict, report.field) == (verdict, field)
    old = old.format("surrogate of standardised R").replace("per token", "per token of the group")
    assert {x.climbs for x in report.old} == {old}


def test_one_old_policy_is_enough_as_neighbours_of_theta_are_tried_too():
    world, theta = bandit([1.0, 0.0]), np.array([[0.3, -0.2]])
    old = [theta * [[1.0, -4.0]]]
    whole = by_weight(lambda x: ratio(x) * R(x))
    assert trial(whole, world, theta, old_policies=old).old[0].verdict == UNBIASED
    half = by_weight(lambda x: ratio(x) * R(x) / 2)
    (found,) = trial(half, world, theta, old_policies=old).old
    assert (found.verdict, found.factor) == (FACTOR, pytest.approx(0.5))
    # E_old[w^2 R z] with two arms: along grad J, by a number that changes with theta
    squared = by_weight(lambda x: ratio(x) ** 2 * R(x))
    (found,) = trial(squared, world, theta, old_policies=old).old
    assert (found.verdict, found.factor) == (OTHER, None)


def whole(x):
    return ratio(x).prod(axis=1)[:, None]


def test_what_is_the_gradient_of_nothing_on_policy_is_so_with_old_samples():
    def less_value(x):
        V = state_values(MIXED, softmax_policy(x.theta))[0]
        return (R(x) - V[x.states[:, 0], None]) / T(x)

    report = trial(by_weight(lambda x: whole(x) * less_value(x)), MIXED, THETA)
    for found in (report, *report.old):
        assert (found.verdict, found.climbs) == (NOTHING, None)
        assert found.field == "(R - J)/T, J held"
    assert "as if it climbed (R - J)/T, J held" in " ".join(str(report.old[0]).split())


def test_a_factor_of_theta_is_none_with_old_samples_either():
    # the same number for every old policy, as all of them are tried at theta
    report = trial(by_weight(lambda x: entropy_of(x.theta) * whole(x) * R(x)), LANGUAGE, THETA)
    assert report.verdict == NOTHING
    for found in report.old:
        assert (found.verdict, found.climbs, found.factor) == (NOTHING, None, None)
    assert "unbiased up to a factor" not in str(report)
    at_home = entropy_of(THETA)
    report = trial(
        by_weight(lambda x: entropy_of(x.theta) / at_home * whole(x) * R(x)), LANGUAGE, THETA
    )
    assert {x.verdict for x in report.old} == {NOTHING}


def test_a_field_of_ones_own_that_is_no_gradient_is_none_with_old_samples():
    def turned(there):
        return there.gradient * (1 + (there.theta**2).sum())

    update = by_weight(lambda x: (1 + (x.theta**2).sum()) * whole(x) * R(x))
    report = trial(update, LANGUAGE, THETA, against={"own": turned})
    assert {(x.verdict, x.field) for x in (report, *report.old)} == {(NOTHING, "own")}


# --- moments, size, angle, noise -----------------------------------------------------------------


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("old", [None, "old"])
def test_mean_and_covariance_are_those_of_group_expectation(shared, old):
    theta_old = None if old is None else THERE + some(9, WORLD, 0.5)

    def curved(trajectories, rewards):
        A = np.tanh(rewards - np.median(rewards))[:, None]
        return reinforce_gradients(WORLD, THERE, trajectories, A).sum(axis=0)

    def same(group):
        A = np.tanh(group.rewards - np.median(group.rewards))
        return np.einsum("i,itoa->oa", A, group.scores)

    expected = group_expectation(curved, WORLD, THERE, 2, theta_old=theta_old, shared_start=shared)
    report = trial(
        same, WORLD, THERE, G=2, theta_old=theta_old, shared_start=shared, old_policies=()
    )
    agree(report.mean, expected.mean)
    agree(report.covariance, expected.covariance)


def test_size_angle_and_noise_are_those_of_their_definitions():
    report = trial(by_weight(lambda x: less_mean(x) / T(x)), MIXED, THETA, G=3, old_policies=())
    slope = policy_gradient(MIXED, THETA)

    def plain(trajectories, rewards):
        return reinforce_gradients(MIXED, THETA, trajectories).mean(axis=0)

    spread = np.trace(group_expectation(plain, MIXED, THETA, 3).covariance)
    size = np.linalg.norm(report.mean) / np.linalg.norm(slope)
    cosine = (report.mean * slope).sum() / np.linalg.norm(report.mean) / np.linalg.norm(slope)
    agree(report.size, size)
    agree(np.cos(np.radians(report.angle)), cosine)
    agree(report.noise, np.trace(report.covariance) / spread / size**2)
    agree(report.gradient, slope)
    along = (report.mean * slope).sum() / (slope**2).sum() * slope
    agree(report.excess, report.mean - along)
    assert abs((report.excess * slope).sum()) < 1e-14


def test_the_noise_with_old_samples_stands_beside_reinforce_from_theta_itself():
    whole = by_weight(lambda x: ratio(x).prod(axis=1)[:, None] * R(x))
    on_policy = trial(reinforce, LANGUAGE, THETA, G=2, old_policies=())
    report = trial(whole, LANGUAGE, THETA, G=2, theta_old=OLD)
    plain = np.trace(on_policy.covariance)
    agree(report.noise, np.trace(report.covariance) / plain)


def test_an_angle_next_to_0_and_180_keeps_its_digits():
    f = np.array([[1.0, 0.0]])
    agree(angle_between(np.array([[1.0, 1e-9]]), f), np.degrees(1e-9))
    agree(180 - angle_between(np.array([[-1.0, 1e-9]]), f), np.degrees(1e-9), rtol=1e-5)
    agree(angle_between(np.array([[1.0, 1.0]]), 7 * f), 45.0)


# --- what an update is given ---------------------------------------------------------------------


def test_a_group_is_what_its_docstring_says():
    seen = []

    def update(group):
        tau = group.trajectories
        rows = place().tau.locate(tau)
        listed = place().tau
        np.testing.assert_array_equal(group.rewards, listed.returns[rows])
        np.testing.assert_array_equal(group.rewards, group.step_rewards.sum(axis=1))
        np.testing.assert_array_equal(group.mask, tau.happened)
        np.testing.assert_array_equal(group.mask.sum(axis=1), group.lengths)
        for name, theta in (("logp", THETA), ("old_logp", OLD), ("ref_logp", REF)):
            log_pi = np.log(softmax_policy(theta))
            value = np.where(group.mask, log_pi[group.percepts, group.actions], 0.0)
            agree(getattr(group, name), value)
        scores = score(THETA)[group.percepts, group.actions] * group.mask[..., None, None]
        agree(group.scores, scores)
        assert group.G == len(group.rewards) == 2 and group.world is LANGUAGE
        np.testing.assert_array_equal(group.theta, THETA)
        np.testing.assert_array_equal(group.theta_old, OLD)
        np.testing.assert_array_equal(group.theta_ref, REF)
        seen.append(group)
        return R(group).sum() * group.theta

    def only_here(group):
        return update(group) if np.array_equal(group.theta, THETA) else group.theta

    trial(only_here, LANGUAGE, THETA, G=2, theta_old=OLD, theta_ref=REF)
    assert len(seen) >= 56


def test_on_policy_the_old_policy_follows_theta_and_without_a_reference_there_is_none():
    def update(group):
        assert group.ref_logp is None and group.theta_ref is None
        np.testing.assert_array_equal(group.theta, group.theta_old)
        np.testing.assert_array_equal(group.logp, group.old_logp)
        return pushed(R(group), group)

    report = trial(update, LANGUAGE, THETA, G=2, old_policies=())
    assert len(report.thetas) == 3
    np.testing.assert_array_equal(report.thetas[0], THETA)
    assert 0 < np.abs(report.thetas[1:] - THETA).max() < 2
    again = trial(update, LANGUAGE, THETA, G=2, old_policies=(), seed=1)
    assert (again.thetas[1:] != report.thetas[1:]).all()


def test_an_old_policy_stands_still_where_theta_moves():
    def update(group):
        np.testing.assert_array_equal(group.theta_old, OLD)
        return pushed(ratio(group) * R(group), group)

    report = trial(update, LANGUAGE, THETA, G=1, theta_old=OLD)
    assert report.climbs == "the surrogate"


# --- the fields ----------------------------------------------------------------------------------


def by_differences(objective, there):
    out = np.zeros(there.theta.shape)
    for k in np.ndindex(out.shape):
        for sign in (1, -1):
            theta = there.theta.copy()
            theta[k] += sign * 1e-5
            out[k] += sign * objective(there.held(theta)) / 2e-5
    return out


def J_of_starts(x):
    """mu(s) and J_s of each start."""
    R, start = x.tau.returns, x.tau.states[:, 0]
    for s in np.unique(start):
        yield x.world.mu[s], x.chance[start == s] @ R[start == s] / x.world.mu[s]


def climbed_by_deviations(x):
    """sum_s mu(s) int_0^p w_G, by Simpson's rule, from the mean deviation of a binomial."""
    grid = np.linspace(0, 1, 201)
    total = 0.0
    for mu, p in J_of_starts(x):
        at = p * grid
        f = np.array([deviation_weight(y, x.G) for y in at])
        f[0] = 2 * f[1] - f[2]  # the limit at 0
        total += (
            mu * (at[1] - at[0]) / 3 * (f[0] + 4 * f[1:-1:2].sum() + 2 * f[2:-1:2].sum() + f[-1])
        )
    return total


def step_log_ratios(x):
    return x.logp - x.ref_logp


OBJECTIVES = {
    "log J": lambda x: np.log(x.chance @ x.tau.returns),
    "log J of each start": lambda x: sum(mu * np.log(J) for mu, J in J_of_starts(x)),
    "deviation-weighted J": climbed_by_deviations,
    "E[R/T]": lambda x: x.chance @ (x.tau.returns / x.tau.lengths),
    "KL(P||P_ref)": lambda x: x.chance @ step_log_ratios(x).sum(axis=1),
    "KL(P_ref||P)": lambda x: -x.tau.probability(softmax_policy(REF)) @ x.logp.sum(axis=1),
    "entropy": lambda x: -x.chance @ x.logp.sum(axis=1),
}
NAMED = {c.name: c for c in (*ALONE, *ADDED, *ADDED_OLD)}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_field_of_an_objective_is_its_slope_by_differences(name):
    there = place(MIXED, ref=REF)
    expected = by_differences(OBJECTIVES[name], there)
    agree(NAMED[name].field(there), expected, rtol=1e-6)
    assert NAMED[name].objective


def test_what_is_held_is_held():
    # the same with the chances of theta in place of those of what is held
    here = place(MIXED, ref=REF)
    T, R, start = here.tau.lengths, here.tau.returns, here.tau.states[:, 0]
    J = {s: J for s, (_, J) in zip(np.unique(start), J_of_starts(here), strict=True)}
    held = np.array([J[s] for s in start])
    slope = by_differences(lambda x: x.chance @ ((R - held) / T), here)
    agree(NAMED["(R - J)/T, J held"].field(here), slope, rtol=1e-6)


def of_steps(kind, per_answer, x, drawn):
    """What an estimate is as a loss: its mean with the samples held still."""
    l = step_log_ratios(x)
    k = {"k1": l, "k2": l**2 / 2, "k3": kl_estimates(-l).k3}[kind] * x.tau.happened
    return drawn @ (k.sum(axis=1) / (x.tau.lengths if per_answer else 1))


@pytest.mark.parametrize("per_answer", [False, True])
@pytest.mark.parametrize("kind", ["k1", "k2", "k3"])
def test_estimates_of_the_KL_are_the_slopes_of_their_means_with_samples_held(kind, per_answer):
    tail = ", per answer" if per_answer else ""
    here = place(MIXED, old=OLD, ref=REF)
    slope = by_differences(lambda x: of_steps(kind, per_answer, x, here.old_chance), here)
    agree(NAMED[f"{kind} of old samples{tail}"].field(here), slope, rtol=1e-6)
    names = {"k2": "KL(pi||pi_ref) at the states met", "k3": "KL(pi_ref||pi) at the states met"}
    if kind in names:
        here = place(MIXED, ref=REF)
        slope = by_differences(lambda x: of_steps(kind, per_answer, x, here.chance), here)
        agree(NAMED[names[kind] + tail].field(here), slope, rtol=1e-6)


def test_the_KL_at_the_states_met_is_that_of_each_row_of_the_policy():
    # sum over states of d(s) grad KL(pi(.|s) || pi_ref(.|s)), row by row, d held
    here = place(ref=REF)
    pi, ref = softmax_policy(THETA), softmax_policy(REF)
    d = np.zeros(LANGUAGE.O)
    np.add.at(d, here.tau.percepts, here.chance[:, None] * here.tau.happened)

    def row(f):
        return lambda x: d @ f(softmax_policy(x.theta)).sum(axis=1)

    reverse = by_differences(row(lambda p: p * np.log(p / ref)), here)
    forward = by_differences(row(lambda p: ref * np.log(ref / p)), here)
    entropy = by_differences(row(lambda p: -p * np.log(p)), here)
    assert pi.shape == ref.shape
    agree(NAMED["KL(pi||pi_ref) at the states met"].field(here), reverse, rtol=1e-6)
    agree(NAMED["KL(pi_ref||pi) at the states met"].field(here), forward, rtol=1e-6)
    agree(NAMED["entropy at the states met"].field(here), entropy, rtol=1e-6)


def held_between(low, high):
    """The integral of clip(w) by log w, times A: what has clip(w) A grad log w for its slope."""

    def f(w, A):
        inside = np.clip(w, low, high)
        return A * (
            inside
            + low * np.log(np.minimum(w / max(low, 1e-9), 1))
            + high * np.log(np.maximum(w / high, 1))
        )

    return f


PAID_FOR = {  # f(w, A) of each kind of push, for the widths 0.2 and 0.3
    "the surrogate of {}": lambda w, A: w * A,
    "the clipped surrogate of {}": lambda w, A: clip_objective(w, A, 0.2, 0.3),
    "the surrogate of {}, ratios capped": held_between(0.0, 1.3),
    "the surrogate of {}, ratios clipped": held_between(0.8, 1.3),
}
OVER = {
    "": lambda T: np.ones(T.shape),
    ", per answer": lambda T: 1 / T,
    ", per token of the group": lambda T: T.shape[1] / T.sum(axis=1, keepdims=True) + 0 * T,
}


def advantages_of(kind, x):
    rows, _, tau = x.groups
    R = tau.returns[rows][..., None]
    return {
        "R": lambda: R,
        "R to go": lambda: rewards_to_go(tau, 1.0)[rows],
        "R - group mean": lambda: R - R.mean(axis=1, keepdims=True),
        "standardised R": lambda: group_advantages(R[..., 0], "standardised")[..., None],
        "standardised R (ddof 1)": lambda: group_advantages(R[..., 0], "standardised", ddof=1)[
            ..., None
        ],
    }[kind]()


def by_step(name, kind, length):
    """What is paid for with old groups, step by step, at a place."""

    def objective(x):
        rows, chances, tau = x.groups
        w = np.exp(x.logp - x.old_logp)[rows]
        A = np.broadcast_to(advantages_of(kind, x), w.shape)
        f = PAID_FOR[name](w, A) * tau.happened[rows] * OVER[length](tau.lengths[rows])[..., None]
        return chances @ f.sum(axis=(1, 2)) / rows.shape[1]

    return objective


def by_answer(name, kind):
    """The same with one ratio for each answer, the geometric mean of those of its steps."""

    def objective(x):
        rows, chances, tau = x.groups
        w = np.exp((x.logp - x.old_logp).sum(axis=1) / tau.lengths)[rows]
        f = PAID_FOR[name](w, advantages_of(kind, x)[..., 0])
        return chances @ f.sum(axis=1) / rows.shape[1]

    return objective


NAMED_OLD = {c.name: c for c in surrogates(0.2, 0.3, off_policy=True)}


@pytest.mark.parametrize("length", OVER)
@pytest.mark.parametrize(
    "kind", ["R", "R to go", "R - group mean", "standardised R", "standardised R (ddof 1)"]
)
@pytest.mark.parametrize("name", PAID_FOR)
def test_the_surrogates_are_the_slopes_of_what_they_say(name, kind, length):
    here = place(MIXED, old=OLD, G=2)
    field = NAMED_OLD[name.format(kind) + length].field(here)
    agree(field, by_differences(by_step(name, kind, length), here), rtol=1e-6)


@pytest.mark.parametrize("kind", ["R", "R - group mean", "standardised R"])
@pytest.mark.parametrize("name", PAID_FOR)
def test_the_surrogates_by_answer_are_the_slopes_of_what_they_say(name, kind):
    here = place(MIXED, old=OLD, G=2)
    field = NAMED_OLD[f"{name.format(kind)}, by answer"].field(here)
    agree(field, by_differences(by_answer(name, kind), here), rtol=1e-6)


def test_the_names_of_methods_with_old_samples():
    def geometric(x):
        return np.exp(np.log(ratio(x)).sum(axis=1) / x.lengths)[:, None]

    def gspo(x):
        s, A = geometric(x), less_mean(x)
        return clip_slope(s, A, 0.2) * s / T(x)

    def cispo(x):
        return np.minimum(ratio(x), 1.2) * standardised(x) / T(x).mean()

    for update, name in (
        (gspo, "the clipped surrogate of R - group mean, by answer"),
        (cispo, "the surrogate of standardised R, ratios capped, per token of the group"),
    ):
        report = trial(by_weight(update), MIXED, THETA, G=4)
        assert report.verdict == NOTHING
        assert {x.climbs for x in report.old} == {name}


def test_advantages_from_values_are_those_of_the_old_policy():
    # unclipped, a baseline of the state changes no mean: E_old[w z | s] = 0
    here = place(WORLD, THERE, old=THERE + some(9, WORLD, 0.5), G=1)
    named = {c.name: c for c in surrogates(0.2, None, off_policy=True)}
    plain = named["the surrogate"].field(here)
    V = state_values(WORLD, softmax_policy(here.theta_old))[np.arange(3), here.tau.states]
    to_come = discounts(here.tau, 0.8) * gae(here.tau.rewards, V, 0.8, 1.0) * here.tau.happened
    agree(
        KINDS["R to go - V"](here) * here.tau.happened[here.groups.rows], to_come[here.groups.rows]
    )
    agree(KINDS["R - V(s_0)"](here)[..., 0], (here.tau.returns - V[:, 0])[here.groups.rows])
    for kind in ("R", "R to go", "R - V(s_0)", "R to go - V"):
        agree(named[f"the surrogate of {kind}"].field(here), plain)
    # clipped, the mean depends on the sign of each: none of them is another
    clips = [
        named[f"the clipped surrogate of {kind}"].field(here)
        for kind in ("R", "R to go", "R - V(s_0)", "R to go - V")
    ]
    for k, one in enumerate(clips):
        for other in clips[:k]:
            assert np.abs(one - other).max() > 1e-3 * np.abs(plain).max()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_the_weight_of_a_deviation_in_closed_form(p):
    q = 1 - p
    agree(deviation_weight(p, 2), 1.0)
    agree(deviation_weight(p, 3), np.sqrt(2))
    # G = 4: [4 p q^3 + 4 p^3 q] sqrt(3)/4 + 6 p^2 q^2 / 2, over p q
    agree(deviation_weight(p, 4), np.sqrt(3) * (p**2 + q**2) + 3 * p * q)
    # ddof 1 multiplies each sigma by sqrt(G / (G - 1))
    agree(deviation_weight(p, 4, ddof=1), np.sqrt(3 / 4) * deviation_weight(p, 4))
    # G = 2: sigma is 1/2, so epsilon divides by 1 + 2 epsilon
    agree(deviation_weight(p, 2, epsilon=0.25), 1 / 1.5)
    # many: the deviation itself
    agree(deviation_weight(p, 2000), 1 / np.sqrt(p * q), rtol=2e-3)
    assert deviation_weight(0.0, 4) == deviation_weight(1.0, 4) == deviation_weight(p, 1) == 0.0


# --- fits and derivatives ------------------------------------------------------------------------


def test_a_fit_needs_more_equations_than_coefficients_and_every_coefficient():
    rng = np.random.default_rng(0)
    f, h = rng.normal(size=(2, 3, 2, 3))
    fit = fitted(2 * f - 0.5 * h, [f, h])
    agree(fit.coefficients, [2.0, -0.5])
    assert fit.rest < 1e-12
    assert fitted(2 * f, [f, h]).rest == np.inf  # one would do
    assert fitted(f, [h]).rest > 0.1
    one = rng.normal(size=(1, 1, 2))
    assert fitted(one, [one]).rest == np.inf  # one equation, one coefficient
    agree(multiple(3 * f, f), 3.0)


def test_derivatives_commute_for_a_gradient_and_not_for_a_turn():
    theta, (u, v) = np.array([[0.3, -0.7]]), np.eye(2)[:, None]

    def commutes(field):
        return commute(field, theta, field(theta), u, v, 1e-6)

    assert commutes(lambda x: np.exp(x) * x.sum() + np.exp(x).sum())
    assert not commutes(lambda x: x[:, ::-1] * [[1.0, -1.0]])
    assert not commutes(lambda x: x[:, ::-1] * [[1.0, 1.001]])


def test_the_callers_objective_may_be_a_number_or_a_field():
    number = {"own": lambda there: there.chance @ there.tau.returns**2}
    table = {
        "own": lambda there: np.einsum(
            "m,moa->oa", there.chance * there.tau.returns**2, there.whole
        )
    }
    update = by_weight(lambda x: R(x) ** 2)
    for own in (number, table):
        report = trial(update, WORLD, THERE, old_policies=(), against=own)
        assert (report.verdict, report.climbs) == (OTHER, "own")
        agree(report.factor, 1.0, rtol=1e-8)
        more = by_weight(lambda x: R(x) - 2 * R(x) ** 2)
        report = trial(more, WORLD, THERE, old_policies=(), against=own)
        assert report.climbs == "J - 2 own"


# --- what the report says ------------------------------------------------------------------------


def test_a_report_is_a_handful_of_lines_none_wider_than_78():
    for update, world in ((rloo, LANGUAGE), (ppo_with_max(less_mean), MIXED)):
        text = str(trial(update, world, THETA, G=3, theta_ref=REF))
        assert all(len(line) <= 78 for line in text.splitlines())
        assert 4 <= len(text.splitlines()) <= 14
        assert "!" not in text


def test_a_report_word_by_word():
    report = trial(by_weight(less_mean), LANGUAGE, THETA, G=4, old_policies=())
    assert str(report).splitlines() == [
        "unbiased up to a factor · 0.750 of the gradient of J · G = 4, on-policy, at 3",
        "  thetas",
        f"  noise {report.noise:.3f} of REINFORCE's at equal length",
        "  tried in: 2 starts, 3 actions, 14 trajectories, 420 groups at each place",
        "  cannot be seen here: R/T (what pays is all of one length) · a deviation",
        "    beyond a weight per start (returns of two values) · a weight by mu(s_0)",
        "    (equally likely starts: a factor) · a missing gamma^t (gamma = 1)",
    ]


def test_a_mean_of_zero_has_neither_noise_nor_direction():
    report = trial(by_weight(lambda x: 1.0), LANGUAGE, THETA, G=2, old_policies=())
    assert [line.split(" · ")[0] for line in str(report).splitlines()[:2]] == [
        "mean zero",
        "  tried in: 2 starts, 3 actions, 14 trajectories, 56 groups at each place",
    ]


def test_a_factor_with_old_samples_is_told():
    half = by_weight(lambda x: ratio(x).prod(axis=1)[:, None] * R(x) / 2)
    report = trial(half, LANGUAGE, THETA, G=1)
    assert "  old samples, 3 policies: unbiased up to a factor, 0.500" in str(report).splitlines()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (number(1 - 1e-12), "1"),
        (number(2 / 3), "0.667"),
        (number(12.3456), "12.3"),
        (number(1e-9), "1e-09"),
        (number(np.nan), "undefined"),
        (degrees(1e-9), "0°"),
        (degrees(90 - 1e-9), "90°"),
        (degrees(0.0123), "0.012°"),
        (degrees(12.345), "12.3°"),
        (degrees(np.nan), "undefined"),
        (percent(0.012345, "+"), "+1.2%"),
        (percent(-12.3), "-1230%"),
        (counted(1, "policy"), "1 policy"),
        (counted(3, "policy"), "3 policies"),
        (counted(6120, "group"), "6,120 groups"),
        (sum_in_words((1.0, -0.1), ("J", "KL")), "J - 0.1 KL"),
        (sum_in_words((-2.0, 1 / 3), ("J", "H")), "-2 J + 0.333 H"),
    ],
)
def test_numbers_in_words(text, says):
    assert text == says


def test_a_bias_is_told_by_the_entries_that_get_too_much_and_too_little():
    # one arm more than it should: the score of arm 2, less what lies along grad J
    world, theta = bandit([1.0, 0.5, 0.0]), np.zeros((1, 3))
    update = by_weight(lambda x: R(x) + 0.3 * (x.actions == 2))
    report = trial(update, world, theta, old_policies=())
    # pi = 1/3; grad J = pi (r - 1/2) = (1, 0, -1)/6; 0.3 grad pi_2 = (-1, -1, 2)/30;
    # its part along (1, 0, -1) is -(3/2)/30 (1, 0, -1), and what is left (1, -2, 1)/60
    agree(report.excess, np.array([[1.0, -2.0, 1.0]]) / 60)
    lines = str(report).splitlines()
    assert "  too much: (0, 0) +10%, (0, 2) +10%" in lines
    assert "  too little: (0, 1) -20%" in lines


@pytest.mark.parametrize(
    ("world", "G", "says"),
    [
        (bandit([1.0, 0.0]), 4, ["only one", "one step only", "two values)", "one start"]),
        (bandit([1.0, 0.5, 0.0]), 4, ["one step only", "one start"]),
        (WORLD, 1, ["a group's mean"]),
        (tiny_language(longest=1), 4, ["one step only", "two values)", "equally likely"]),
        (tiny_language(longest=1, mu=[0.3, 0.7]), 4, ["one step only", "two values)"]),
        (
            tiny_language(longest=2),
            4,
            ["what pays is all of one length", "two values)", "equally likely", "gamma = 1"],
        ),
        (MIXED, 3, ["G below 4", "equally likely", "gamma = 1"]),
        (MIXED, 2, ["G below 4", "G = 2", "equally likely", "gamma = 1"]),
        (gamma_trap(gamma=0.5), 3, ["any direction", "one start"]),
        (two_state(2, gamma=0.9), 3, ["fewer than three", "all of one length", "one start"]),
        (WORLD, 3, []),
        (WORLD, 2, ["a median for a mean"]),
    ],
    ids=str,
)
def test_a_report_says_what_its_world_cannot_show(world, G, says):
    theta = np.linspace(-0.5, 0.7, world.O * world.A).reshape(world.O, world.A) ** 3
    report = trial(reinforce, world, theta, G=G, old_policies=())
    assert len(report.caution) == len(says), report.caution
    for line, word in zip(report.caution, says, strict=True):
        assert word in line
    assert ("cannot be seen here" in str(report)) == bool(says)


def test_equal_lengths_hide_a_weight_by_length():
    world = random_mdp(np.random.default_rng(1), 3, 3, horizon=2, gamma=0.9)
    report = trial(by_weight(lambda x: R(x) / T(x)), world, some(2, world), old_policies=())
    assert report.verdict == FACTOR
    assert "a weight by length (all of one length)" in report.caution


def test_the_list_agrees_with_enumeration():
    listed, here = enumerate_trajectories(LANGUAGE), place()
    np.testing.assert_array_equal(here.tau.states, listed.states)
    agree(here.chance.sum(), 1.0)
    agree(here.whole, reinforce_gradients(LANGUAGE, THETA, listed, np.ones((len(listed), 1))))
