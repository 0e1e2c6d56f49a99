"""What a trial refuses, and how it says so; losses on trial, with all that can go wrong in them."""

import re

import numpy as np
import pytest

from policygrad.estimators import kl_estimates
from policygrad.trial import VERDICTS, trial, trial_of_loss
from policygrad.trial.calls import in_32_bits
from policygrad.worlds import bandit, short_corridor, tiny_language
from random_worlds import agree

UNBIASED, FACTOR, ZERO, OTHER, BIASED, NOTHING = VERDICTS
WORLD = tiny_language(longest=2)
THETA = np.random.default_rng(3).normal(size=(WORLD.O, WORLD.A))
OLD = THETA + 0.6 * np.random.default_rng(4).normal(size=THETA.shape)
REF = THETA + 0.5 * np.random.default_rng(5).normal(size=THETA.shape)
RIGHT_FIRST = bandit([1.0] * 10 + [0.0])  # the first ten pay the same
RNG = np.random.default_rng(0)


def plain(group):
    return np.einsum("i,itoa->oa", group.rewards, group.scores) / group.G


# --- updates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "must hold real numbers; it is None"),
        (1.0, "must have shape (O, A) = (6, 3); it has ()"),
        (np.zeros((3, 6)), "must have shape (O, A) = (6, 3); it has (3, 6)"),
        (np.full((6, 3), np.nan), "[0, 0] must be finite; it is nan"),
        (np.zeros((6, 3), complex), "must hold real numbers; it holds complex128"),
    ],
    ids=str,
)
def test_what_is_no_table_is_refused_with_the_group(value, says):
    says = rf"update\(group\).*{re.escape(says)}.*for the group of trajectories \[0, 0\]"
    with pytest.raises((ValueError, TypeError), match=says):
        trial(lambda group: value, WORLD, THETA, G=2)


def test_a_deviation_of_one_is_refused_and_the_reason_is_given():
    def standardised(group):
        with np.errstate(all="ignore"):
            return plain(group) / np.float64(group.rewards.std())

    with pytest.raises(ValueError, match=r"must be finite.*trajectories \[.*G is 1, and one alone"):
        trial(standardised, WORLD, THETA, G=1)
    says = (
        r"must be finite.*trajectories \[\d, \d\]; its rewards are all equal: their deviation is 0$"
    )
    with pytest.raises(ValueError, match=says):
        trial(standardised, WORLD, THETA, G=2)


def nowhere_finite(group):
    return plain(group) * (np.nan if np.ptp(group.rewards) else 1.0)


@pytest.mark.parametrize(
    ("update", "G"),
    [
        (lambda group: plain(group).ravel(), 1),
        (lambda group: None, 1),
        (lambda group: None, 2),
        (nowhere_finite, 2),
    ],
    ids=["a shape", "nothing", "nothing of two", "rewards that differ"],
)
def test_a_reason_that_is_none_is_not_given(update, G):
    with pytest.raises(
        (ValueError, TypeError), match=r"for the group of trajectories \[[\d, ]+\]$"
    ):
        trial(update, WORLD, THETA, G=G)


def test_a_loss_that_is_not_finite_has_a_reason_too():
    def standardised(logp, old_logp, ref_logp, rewards, mask):
        with np.errstate(all="ignore"):
            A = less_mean(rewards) / rewards.std()
        return -(A * logp * mask).sum()

    for G, says in ((1, "; G is 1, and one alone"), (2, "; its rewards are all equal")):
        with pytest.raises(ValueError, match=rf"loss.*must be finite.*lengths \[.*\]{says}"):
            trial_of_loss(standardised, WORLD, THETA, G=G)


# --- 32 bits, and no reference -------------------------------------------------------------------


def in_32(group):
    return np.einsum("i,itoa->oa", group.rewards.astype("f4"), group.scores.astype("f4"))


def loss_in_32(logp, old_logp, ref_logp, rewards, mask):
    return -(np.float32(rewards)[:, None] * np.float32(logp) * np.float32(mask)).sum(dtype="f4")


def loss_of_32_summed_in_64(logp, old_logp, ref_logp, rewards, mask):
    return float(-(rewards[:, None] * np.float32(logp) * mask).sum())


@pytest.mark.parametrize(
    ("judge", "given", "says"),
    [
        (trial, in_32, r"update\(group\) must be computed in 64 bits; it holds float32"),
        (trial, lambda x: in_32(x).astype(float), "update must .* all it returns is rounded to 32"),
        (trial, lambda x: in_32(x).astype("f2"), r"update\(group\) must .* it holds float16"),
        (trial_of_loss, loss_in_32, r"loss\(...\) must be computed in 64 bits; it holds float32"),
        (trial_of_loss, lambda *x: float(loss_in_32(*x)), "loss must .* all it returns is rounded"),
    ],
    ids=["an update", "put into 64 bits", "16 bits", "a loss", "a loss put into 64 bits"],
)
@pytest.mark.parametrize("G", [1, 2])
def test_32_bits_are_refused_by_name(judge, given, says, G):
    says = f"{says}.*: a trial compares nine digits; use float64"
    with pytest.raises((TypeError, ValueError), match=says):
        judge(given, WORLD, THETA, G=G)


def test_rounding_is_told_from_a_kink():
    says = r"loss is rounded too much for differences, at logp\[\d, \d\].*use float64.*give grad="
    with pytest.raises(ValueError, match=says):
        trial_of_loss(loss_of_32_summed_in_64, WORLD, THETA, G=2)


def test_a_gradient_in_32_bits_is_refused():
    def grad(logp, old_logp, ref_logp, rewards, mask):
        return np.float32(-less_mean(rewards) * np.exp(logp) * mask)

    with pytest.raises(TypeError, match=r"grad\(...\) must .* in 64 bits; it holds float32"):
        trial_of_loss(rloo, WORLD, THETA, G=2, grad=grad)
    with pytest.raises(TypeError, match=r"grad must .* all it returns is rounded to 32: a trial"):
        trial_of_loss(rloo, WORLD, THETA, G=2, grad=lambda *x: grad(*x).astype(float))


def test_short_numbers_are_no_32_bits():
    # at theta = 0 with two actions every score is a half
    world = bandit([1.0, 0.0])
    assert trial(plain, world, np.zeros((1, 2)), G=2, old_policies=()).verdict == UNBIASED
    assert not in_32_bits(np.array([0.0, -0.5, 3.0, 1e6, 2.0**-60]))
    assert not in_32_bits(np.array([0.0, 1 / 3]))
    assert in_32_bits(np.array([0.0, 0.5, np.float32(1 / 3)], float))


def without_reference(logp, old_logp, ref_logp, rewards, mask):
    return ((logp - ref_logp) * mask).sum()


@pytest.mark.parametrize(
    ("judge", "given"),
    [
        (trial, lambda group: plain(group) * (group.logp - group.ref_logp).sum()),
        (trial, lambda group: plain(group) - group.theta_ref),
        (trial, lambda group: plain(group) * group.ref_logp.sum()),
        (trial, lambda group: plain(group) * np.exp(group.ref_logp).sum()),
        (trial_of_loss, without_reference),
    ],
    ids=["a difference", "its logits", "a method", "a function", "a loss"],
)
def test_a_reference_that_is_not_there_is_named(judge, given):
    with pytest.raises(TypeError, match=r"without theta_ref .* no reference.*give theta_ref="):
        judge(given, WORLD, THETA, G=2)
    judge(given, WORLD, THETA, G=2, theta_ref=REF, old_policies=())


@pytest.mark.parametrize("ref", [None, REF])
def test_another_error_of_the_update_is_its_own(ref):
    def mixed(group):
        return group.rewards + "one"

    with pytest.raises(TypeError, match=r"^ufunc 'add'"):
        trial(mixed, WORLD, THETA, theta_ref=ref)
    if ref is not None:
        with pytest.raises(TypeError, match=r"^unsupported operand"):
            trial(lambda group: group.rewards - None, WORLD, THETA, theta_ref=ref)


@pytest.mark.parametrize(
    "of",
    [lambda R: R[0], lambda R: R[-1], lambda R: R @ np.arange(len(R)), lambda R: R[:2].max()],
    ids=["the first", "the last", "rising", "the first two"],
)
@pytest.mark.parametrize("shared", [True, False])
def test_an_update_that_depends_on_the_order_is_refused(of, shared):
    with pytest.raises(ValueError, match="update must not depend on the order within a group"):
        trial(lambda x: of(x.rewards) * plain(x), WORLD, THETA, G=3, shared_start=shared)


def test_an_update_that_answers_in_two_ways_is_refused():
    rng, seen = np.random.default_rng(0), []

    def with_memory(group):
        seen.append(group.rewards.mean())
        return plain(group) - np.mean(seen)

    for update in (lambda x: plain(x) * rng.normal(), with_memory):
        with pytest.raises(ValueError, match="update must answer the same group in the same way"):
            trial(update, WORLD, THETA, G=2)


@pytest.mark.parametrize(
    "name",
    [
        *("rewards", "step_rewards", "mask", "lengths", "scores", "logp", "old_logp", "ref_logp"),
        *("states", "percepts", "actions", "theta", "theta_old", "theta_ref"),
    ],
)
def test_an_update_cannot_change_what_it_is_given(name):
    def update(group):
        getattr(group, name)[0] = 0
        return plain(group)

    with pytest.raises(ValueError, match="update must not change what it is given; it writes"):
        trial(update, WORLD, THETA, G=2, theta_ref=REF, old_policies=())


def test_a_group_is_frozen():
    def update(group):
        group.rewards = 0

    with pytest.raises(AttributeError, match="rewards"):
        trial(update, WORLD, THETA)


def test_an_error_of_the_update_itself_comes_through():
    def update(group):
        return np.zeros(3) + np.zeros(2)

    with pytest.raises(ValueError, match="could not be broadcast"):
        trial(update, WORLD, THETA)


# --- arguments -----------------------------------------------------------------------------------


def test_too_many_groups_are_refused_with_their_number():
    # 7 answers to each of two prompts: 2 C(7 + 12 - 1, 12)
    with pytest.raises(ValueError, match=r"G = 12 there are 37,128 groups .* limit of 20,000"):
        trial(plain, WORLD, THETA, G=12)
    with pytest.raises(ValueError, match=r"56 groups .*the limit of 55"):
        trial(plain, WORLD, THETA, G=2, limit=55)
    assert trial(plain, WORLD, THETA, G=2, limit=56, old_policies=()).groups == 56


def test_a_world_where_J_has_no_slope_is_refused():
    for world in (bandit([2.0, 2.0]), bandit([1.0])):
        with pytest.raises(ValueError, match="J must have a slope at theta; its gradient is 0"):
            trial(plain, world, np.zeros((1, world.A)))


def test_a_world_without_a_list_is_refused():
    with pytest.raises(ValueError, match="infinitely many trajectories"):
        trial(plain, short_corridor(), [[0.0, 0.0]])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"against": ["J"]}, r'against must be \{"name": a function of a place\}'),
        ({"against": {1: len}}, "against must have names for keys; one is 1"),
        ({"against": {"own": 3}}, r"against\['own'\] must be a function of a place; it is 3"),
        ({"against": {"own": lambda place: np.nan}}, r"against\['own'\]\(place\) must be finite"),
        ({"against": {"own": lambda place: np.ones(3)}}, r"own'\]\(place\) must be a number, or a"),
        ({"old_policies": THETA}, "old_policies must be a list of logits"),
        ({"old_policies": [THETA[:2]]}, r"old_policies\[0\] must have shape \(O, A\) = \(6, 3\)"),
        ({"old_policies": [THETA, None]}, r"old_policies\[1\] must hold real numbers; it is None"),
        ({"theta_old": THETA[:2]}, r"theta_old must have shape \(O, A\) = \(6, 3\)"),
        ({"theta_ref": THETA * np.nan}, r"theta_ref\[0, 0\] must be finite"),
        ({"epsilon": 1.5}, r"epsilon must lie in \[0, 1\]"),
        ({"epsilon_high": -0.1}, "epsilon_high must be at least 0; it is -0.1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"G": 0}, "G must be at least 1"),
        ({"shared_start": 1}, "shared_start must be True or False"),
    ],
    ids=lambda x: x if isinstance(x, str) else "+".join(x),
)
def test_an_argument_that_is_wrong_is_named(options, says):
    with pytest.raises((ValueError, TypeError), match=says):
        trial(lambda x: 2 * plain(x) - x.theta, WORLD, THETA, **options)


def test_a_loss_is_no_update_and_the_reverse():
    with pytest.raises(TypeError, match=r"one argument, a group; .* a loss: use trial_of_loss$"):
        trial(rloo, WORLD, THETA, G=2)
    with pytest.raises(TypeError, match=r"one argument, a group$"):
        trial(lambda group, more: plain(group), WORLD, THETA, G=2)
    of_loss = "must be a function of logp, old_logp, ref_logp, rewards, mask"
    with pytest.raises(TypeError, match=f"loss {of_loss}; this looks like an update: use trial$"):
        trial_of_loss(plain, WORLD, THETA, G=2)
    with pytest.raises(TypeError, match=f"loss {of_loss}$"):
        trial_of_loss(lambda logp, rewards: 0.0, WORLD, THETA, G=2)
    with pytest.raises(TypeError, match=f"grad {of_loss}$"):
        trial_of_loss(rloo, WORLD, THETA, G=2, grad=plain)
    with_default = trial(lambda group, more=1: plain(group), WORLD, THETA, old_policies=())
    assert with_default.verdict == UNBIASED


def test_a_loss_that_draws_is_not_said_to_have_a_kink():
    # nothing is drawn in the first groups, all of whose rewards are equal
    rng = np.random.default_rng(0)

    def drawn(logp, old_logp, ref_logp, rewards, mask):
        return rloo(logp, old_logp, ref_logp, rewards, mask) + np.ptp(rewards) * rng.normal()

    with pytest.raises(ValueError, match="loss must answer the same group in the same way"):
        trial_of_loss(drawn, RIGHT_FIRST, np.zeros((RIGHT_FIRST.O, RIGHT_FIRST.A)), G=2)


def test_the_update_has_to_be_a_function():
    with pytest.raises(TypeError, match="update must be a function of a group; it is 3"):
        trial(3, WORLD, THETA)
    with pytest.raises(TypeError, match="world must be an MDP"):
        trial(plain, THETA, WORLD)


# --- losses --------------------------------------------------------------------------------------


def less_mean(rewards):
    return (rewards - rewards.mean())[:, None]


def rloo(logp, old_logp, ref_logp, rewards, mask):
    G = len(rewards)
    return -(less_mean(rewards) * logp * mask).sum() / (G - 1)


def ppo(logp, old_logp, ref_logp, rewards, mask, pick=np.minimum):
    w, A = np.exp(logp - old_logp), less_mean(rewards)
    return -(pick(w * A, np.clip(w, 0.8, 1.2) * A) * mask).sum() / len(rewards)


def with_k3(logp, old_logp, ref_logp, rewards, mask):
    k3 = kl_estimates((ref_logp - logp) * mask).k3
    w = np.exp((logp - old_logp) * mask)
    return -((w * less_mean(rewards) - 0.04 * k3) * mask).sum() / len(rewards)


def test_a_loss_is_minimised():
    report = trial_of_loss(rloo, WORLD, THETA, G=3)
    assert (report.verdict, report.climbs) == (UNBIASED, "J")
    agree(report.mean, report.gradient, rtol=1e-8)
    report = trial_of_loss(lambda *x: -rloo(*x), WORLD, THETA, G=3, old_policies=())
    assert (report.climbs, report.factor) == ("-J", pytest.approx(1))


def test_a_loss_by_differences_is_the_update_by_hand():
    def by_hand(group):
        A = group.rewards - group.rewards.mean()
        return np.einsum("i,itoa->oa", A, group.scores) / (group.G - 1)

    exact = trial(by_hand, WORLD, THETA, G=3, old_policies=())
    report = trial_of_loss(rloo, WORLD, THETA, G=3, old_policies=())
    agree(report.mean, exact.mean, rtol=1e-9)
    agree(report.covariance, exact.covariance, rtol=1e-8)
    assert report.verdict == exact.verdict


def test_the_clip_of_a_loss_is_known_and_its_max_is_not():
    report = trial_of_loss(ppo, WORLD, THETA, G=3)
    assert report.verdict == FACTOR
    agree(report.factor, 2 / 3, rtol=1e-7)
    assert {x.climbs for x in report.old} == {"the clipped surrogate of R - group mean"}
    slip = trial_of_loss(lambda *x: ppo(*x, np.maximum), WORLD, THETA, G=3)
    assert slip.verdict == FACTOR and {x.verdict for x in slip.old} == {BIASED}


def test_a_penalty_in_a_loss_is_named_with_its_weight():
    report = trial_of_loss(with_k3, WORLD, THETA, G=2, theta_ref=REF)
    assert (report.verdict, report.climbs) == (NOTHING, None)
    assert report.field == "0.5 J - 0.04 KL(pi_ref||pi) at the states met"
    assert {x.climbs for x in report.old} == {"0.5 the surrogate - 0.04 k3 of old samples"}


def test_what_is_held_is_given_where_it_is_asked_for():
    def cispo(logp, old_logp, ref_logp, rewards, mask, held_logp):
        w = np.minimum(np.exp(held_logp - old_logp), 1.2)
        return -(w * less_mean(rewards) * logp * mask).sum() / len(rewards)

    def once(logp, old_logp, ref_logp, rewards, mask, *, held_logp):
        return -(np.exp(logp - held_logp) * less_mean(rewards) * mask).sum() / len(rewards)

    report = trial_of_loss(cispo, WORLD, THETA, G=2)
    assert report.verdict == FACTOR
    assert {x.climbs for x in report.old} == {"the surrogate of R - group mean, ratios capped"}
    report = trial_of_loss(once, WORLD, THETA, G=2)
    assert report.verdict == FACTOR and report.knows_old is False


def test_a_gradient_of_ones_own_takes_the_place_of_differences():
    def by_autograd(logp, old_logp, ref_logp, rewards, mask):
        return -less_mean(rewards) * mask / (len(rewards) - 1)

    report = trial_of_loss(rloo, WORLD, THETA, G=3, grad=by_autograd)
    assert report.verdict == UNBIASED
    agree(report.mean, report.gradient, rtol=1e-12)

    def not_called(*given):
        raise AssertionError("grad is given")

    assert trial_of_loss(not_called, WORLD, THETA, G=3, grad=by_autograd).verdict == UNBIASED


def test_rewards_of_steps_are_given_where_they_are_asked_for():
    def to_go(logp, old_logp, ref_logp, rewards, mask):
        assert rewards.shape == logp.shape == mask.shape
        return -(np.cumsum(rewards[:, ::-1], axis=1)[:, ::-1] * logp * mask).sum() / len(rewards)

    report = trial_of_loss(to_go, WORLD, THETA, G=2, step_rewards=True, old_policies=())
    assert report.verdict == UNBIASED


def test_a_loss_is_given_what_its_docstring_says():
    def loss(logp, old_logp, ref_logp, rewards, mask):
        assert ref_logp is None
        assert mask.dtype == float and set(np.unique(mask)) <= {0.0, 1.0}
        assert rewards.shape == (2,) and logp.shape == mask.shape == (2, 2)
        return rloo(logp, old_logp, ref_logp, rewards, mask)

    trial_of_loss(loss, WORLD, THETA, G=2, old_policies=())


SLIPS = {
    "not finite": (lambda *x: np.nan, r"loss\(...\) must be finite; it is nan, for a group with"),
    "no number": (lambda *x: x[0], r"loss\(...\) must be one number; it has shape \(3, 2\), for"),
    "nothing": (lambda *x: None, r"loss\(...\) must hold real numbers; it is None"),
    "the first only": (
        lambda logp, old, ref, R, mask: (R[0] * logp * mask).sum(),
        "loss must not depend on the order within a group",
    ),
    "sorted in place": (
        lambda logp, old, ref, R, mask: R.sort(),
        "loss must not change what it is given; it writes",
    ),
    "a mask written on": (
        lambda logp, old, ref, R, mask: mask.__imul__(0.5).sum(),
        "loss must not change what it is given; it writes",
    ),
    "noise": (
        lambda logp, old, ref, R, mask: RNG.normal(),
        "loss must answer the same group in the same way",
    ),
    "no mask": (
        lambda logp, old, ref, R, mask: ((1 + R[:, None]) * logp).sum(),
        "loss reads padding: it changes from .* with logp where mask is 0, for a group",
    ),
    "no mask on the ratio": (
        lambda logp, old, ref, R, mask: (logp * mask - old).sum(),
        "loss reads padding: it changes from .* with old_logp where mask is 0",
    ),
    "no mask on the reference": (
        lambda logp, old, ref, R, mask: (logp * mask - ref).sum(),
        "loss reads padding: it changes from .* with ref_logp where mask is 0",
    ),
    "a kink": (
        lambda logp, old, ref, R, mask: (np.abs(logp - old) * mask).sum(),
        r"loss has a kink at logp\[0, 0\] = .* its slope is -1 below and 1 above; say which",
    ),
}


@pytest.mark.parametrize(("loss", "says"), SLIPS.values(), ids=SLIPS)
def test_a_loss_that_is_none_is_named(loss, says):
    with pytest.raises((ValueError, TypeError), match=says):
        trial_of_loss(loss, WORLD, THETA, G=3, theta_ref=REF)


def test_a_sharp_bend_is_no_kink():
    def sharp(logp, old_logp, ref_logp, rewards, mask):
        return (np.logaddexp(0, 200 * (logp - old_logp)) * mask).sum() / 200

    try:
        report = trial_of_loss(sharp, WORLD, THETA, G=1, old_policies=())
    except ValueError as error:
        pytest.fail(str(error))
    assert report.verdict == ZERO  # each slope is 1/2


def test_rounding_is_no_kink():
    # the first token has no slope but by rounding; a sum of scores after it has mean 0
    def rounded(logp, old_logp, ref_logp, rewards, mask, held_logp):
        nothing = (100 + logp[:, 0]) - 100 - logp[:, 0]
        return nothing.sum() + ((logp - held_logp) * mask)[:, 1:].sum()

    try:
        report = trial_of_loss(rounded, WORLD, THETA, G=2, old_policies=())
    except ValueError as error:
        pytest.fail(str(error))
    assert report.verdict == ZERO


def test_a_kink_elsewhere_is_no_hindrance():
    def hinge(logp, old_logp, ref_logp, rewards, mask):
        return -(less_mean(rewards) * np.maximum(logp, -50.0) * mask).sum() / len(rewards)

    assert trial_of_loss(hinge, WORLD, THETA, G=2, old_policies=()).verdict == FACTOR


GRADS = {
    "another shape": (lambda *x: x[3], r"grad\(...\) must have shape \(G, T\) = \(3, 2\)"),
    "nothing": (lambda *x: None, r"grad\(...\) must hold real numbers; it is None"),
    "not finite": (lambda *x: x[0] * np.nan, r"grad\(...\)\[0, 0\] must be finite.*for a group"),
    "padding": (lambda *x: np.ones_like(x[0]), r"loss reads padding: its derivative by logp\["),
}


@pytest.mark.parametrize(("grad", "says"), GRADS.values(), ids=GRADS)
def test_a_gradient_that_is_none_is_named(grad, says):
    with pytest.raises((ValueError, TypeError), match=says):
        trial_of_loss(rloo, WORLD, THETA, G=3, grad=grad)


@pytest.mark.parametrize("k", range(5))
def test_a_gradient_that_changes_its_arguments_is_named(k):
    def grad(*given):
        given[k][0] += 1.0
        return np.zeros_like(given[0])

    name = ("logp", "old_logp", "ref_logp", "rewards", "mask")[k]
    with pytest.raises(ValueError, match=f"grad must not change .*it changes {name}$"):
        trial_of_loss(rloo, WORLD, THETA, G=3, theta_ref=REF, grad=grad)


def test_loss_and_grad_have_to_be_functions():
    with pytest.raises(TypeError, match="loss must be a function of logp, old_logp"):
        trial_of_loss(3, WORLD, THETA)
    with pytest.raises(TypeError, match="grad must be a function of logp, old_logp"):
        trial_of_loss(rloo, WORLD, THETA, grad=3)


def test_answers_that_occur_twice_have_the_same_derivative():
    # the sum over a group of one answer three times: each slope counts
    world = bandit([1.0, 0.0, 0.0])

    def loss(logp, old_logp, ref_logp, rewards, mask):
        return -(rewards[:, None] * logp * mask).sum() / len(rewards)

    report = trial_of_loss(loss, world, [[0.1, 0.2, 0.3]], G=3, old_policies=())
    assert report.verdict == UNBIASED


def test_other_policies_may_be_given_to_a_loss():
    report = trial_of_loss(ppo, WORLD, THETA, G=2, theta_old=OLD, epsilon=0.2)
    assert (report.verdict, report.climbs) == (OTHER, "the clipped surrogate of R - group mean")
    with pytest.raises(ValueError, match=r"theta must have shape"):
        trial_of_loss(ppo, WORLD, THETA[:2])
