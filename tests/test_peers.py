"""What released libraries follow, as it is written down, against the book's own numbers.

The libraries are not needed: each recorded average is computed here a second time, by the package
or by a few lines of NumPy, never by a library's code.  And the page is what the records render to.
"""

import copy
import importlib.util
import json
import re
import sys
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import prose
from policygrad.estimators import clip_slope, gae, importance_ratios, reinforce_gradients
from policygrad.exact import (
    enumerate_trajectories,
    group_expectation,
    list_groups,
    policy_gradient,
    state_values,
)
from policygrad.learning import expected_group_gradient, group_gradient
from policygrad.policies import softmax_policy
from policygrad.trial import trial

PEERS = Path(__file__).resolve().parent.parent / "peers"


sys.path.insert(0, str(PEERS))  # the judge loads what stands beside it


def load(name):
    spec = importlib.util.spec_from_file_location(f"peers_{name}", PEERS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


page, worlds, groups, judge = load("page"), load("worlds"), load("groups"), load("judge")
FOUND = json.loads((PEERS / "results.json").read_text("utf-8"))
ROWS = {row["key"]: row for row in FOUND["rows"]}
NEAR = 3e-6  # six digits are written down, and some libraries compute in single precision
LIBRARIES = {"TRL": "trl", "verl": "verl", "OpenRLHF": "openrlhf", "CleanRL": "cleanrl",
             "Stable-Baselines3": "stable-baselines3"}  # fmt: skip


# --- the page and the versions -------------------------------------------------------------------


def test_the_page_is_what_the_results_render_to():
    assert page.PAGE.read_text("utf-8") == page.render(FOUND)


def test_a_number_of_the_page_is_not_typed_unless_it_is_no_result():
    reasons = {
        "0.5": "a default of the library",
        "3.11": "the oldest Python of the book",
        "10^{-4}": "what the library adds to the deviation",
    }
    found = prose.untied(prose.ties([page.TEXT.read_text("utf-8")], prose.Evidence()))
    assert set(found) == set(reasons)


def test_a_value_that_the_page_forgets_is_named(tmp_path, monkeypatch):
    text = page.TEXT.read_text("utf-8")
    for old, new in (("@sb3@", "{sb3}"), ("@sb3@", "@sb4@")):
        (tmp_path / "page.md").write_text(text.replace(old, new), "utf-8")
        monkeypatch.setattr(page, "TEXT", tmp_path / "page.md")
        with pytest.raises(ValueError, match=r"page\.md must name each value once: \['sb3'"):
            page.render(FOUND)


def test_a_number_that_is_another_makes_another_page():
    for key, when in (("trl-grpo", "on"), ("verl-rloo", "old"), ("sb3-grad-norm", "on")):
        changed = copy.deepcopy(FOUND)
        next(r for r in changed["rows"] if r["key"] == key)[when]["angle"] += 0.1
        assert page.render(changed) != page.render(FOUND)


def test_versions_are_those_of_the_lock():
    lock = (PEERS / "requirements.txt").read_text("utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", lock, re.MULTILINE))
    assert FOUND["versions"] == {name: locked[LIBRARIES[name]] for name in FOUND["versions"]}
    assert {row["library"] for row in FOUND["rows"]} == set(LIBRARIES)
    for row in FOUND["rows"]:
        assert row["version"] == FOUND["versions"][row["library"]]


def test_what_is_asked_for_is_in_the_lock_with_a_reason():
    lock = (PEERS / "requirements.txt").read_text("utf-8")
    for name in ("requirements.in", "released.in"):
        for line in (PEERS / name).read_text("utf-8").splitlines():
            if line and not line.startswith("#"):
                package, reason = line.split(" ", 1)
                assert "#" in reason, line
                assert re.search(rf"^{re.split('[<>=]', package)[0]}==", lock, re.MULTILINE), line
    assert "://" not in lock


# --- the second route: groups --------------------------------------------------------------------

LANGUAGE, (THETA, OLD, REF) = worlds.LANGUAGE
OWN = [(row["key"], when) for row in FOUND["rows"] for when in ("on", "old")
       if row["ours" if when == "on" else "ours_old"]]  # fmt: skip


def by_package(row, when, theta=THETA):
    """The package's own exact average, from the options that stand for the row."""
    options = row["ours" if when == "on" else "ours_old"]
    old = theta if when == "on" else OLD
    if row["kl"]:  # a mean of advantages is there with the penalty and without
        plain = dict(advantages="mean", theta_old=old) | options
        pulled = dict(beta=1.0, theta_ref=REF)
        with_, without = (expected_group_gradient(LANGUAGE, theta, row["G"], **plain, **x)
                          for x in (pulled, {}))  # fmt: skip
        return with_ - without
    return expected_group_gradient(LANGUAGE, theta, row["G"], theta_old=old, **options)


@pytest.mark.parametrize(("key", "when"), OWN, ids=lambda x: x)
def test_a_row_of_a_group_is_what_the_package_computes(key, when):
    off = np.abs(by_package(ROWS[key], when) - ROWS[key][when]["mean"])
    assert off.max() < NEAR


# Gates that the package has not: compared where the policy itself drew, and there alone.
ON_POLICY = {
    "trl-sapo", "trl-vespo", "verl-sapo", "verl-gpg", "verl-geo_mean",
    "openrlhf-kl-k1-unbiased", "openrlhf-kl-k2-unbiased", "openrlhf-kl-k3-unbiased",
}  # fmt: skip


def test_every_row_has_a_second_route():
    """Those of groups, batches and steps, and one penalty with a test of its own."""
    assert {key for key in ROWS if ROWS[key]["ours"] and not ROWS[key]["ours_old"]} == ON_POLICY
    assert len(OWN) + 2 * len(WEIGHTS) + 2 * len(STEPS) == 2 * len(ROWS) - 2 - len(ON_POLICY)


def batches(G, groups, theta_old):
    """All batches of so many groups, in every order, and their chances."""
    rows, chances, tau = list_groups(LANGUAGE, theta_old, G)
    if groups == 1:
        return rows, chances, tau
    places = np.array(list(product(range(len(rows)), repeat=groups)))
    return rows[places].reshape(len(places), -1), chances[places].prod(axis=1), tau


def whitened(A, mask, ddof, floor):
    """Advantages of tokens, less their mean, by their deviation, over all tokens of a batch."""
    n = mask.sum(axis=(1, 2), keepdims=True)
    A = (A - (A * mask).sum(axis=(1, 2), keepdims=True) / n) * mask
    variance = (A**2).sum(axis=(1, 2), keepdims=True) / (n - ddof)
    return A / np.sqrt(floor(variance))


def centred(R, G):
    groups = R.reshape(len(R), -1, G)
    return (groups - groups.mean(axis=2, keepdims=True)).reshape(R.shape)


def plus(x):
    return x + 1e-8


def at_least(x):
    return np.maximum(x, 1e-8)


def token_mean(A, mask):
    return A * mask / mask.sum(axis=(1, 2), keepdims=True)


def answer_sum(A, mask):
    return A * mask / A.shape[1]


def opo(R, mask):
    T = mask.sum(axis=2)
    return R - (R * T).sum(axis=1, keepdims=True) / T.sum(axis=1, keepdims=True)


def gpg(R, mask):
    return centred(R, R.shape[1]) * R.shape[1] / np.maximum(R.sum(axis=1, keepdims=True), 1)


def by_batch(R, mask):
    return centred(R, 2) / (R.std(axis=1, ddof=1, keepdims=True) + 1e-4)


def tokens(A):
    """An answer's advantage at each of its tokens."""
    return lambda R, mask: A(R, mask)[..., None] * mask


def less_mean(R, mask):
    return centred(R, R.shape[1])


# From rewards (n, B), the mask (n, B, T): advantages of tokens; and how they are put together.
WEIGHTS = {
    "trl-dr_grpo-batch": (tokens(by_batch), lambda A, mask: A / A.shape[1] / 2),
    "verl-reinforce_plus_plus-sum": (
        lambda R, mask: whitened(R[..., None] * mask, mask, 1, plus), answer_sum),
    "verl-reinforce_plus_plus_baseline-sum": (
        lambda R, mask: whitened(tokens(less_mean)(R, mask), mask, 1, plus), answer_sum),
    "verl-opo-sum": (tokens(opo), answer_sum),
    "verl-gpg-sum": (tokens(gpg), answer_sum),
    "openrlhf-reinforce_baseline": (
        lambda R, mask: whitened(tokens(less_mean)(R, mask), mask, 0, at_least), token_mean),
    "openrlhf-reinforce": (
        lambda R, mask: whitened(R[..., None] * mask, mask, 0, at_least), token_mean),
    "openrlhf-flash_reinforce": (tokens(less_mean), token_mean),
    "trl-truncated": (tokens(less_mean), lambda A, mask: A / A.shape[1] / 2),
    "trl-quantile": (tokens(less_mean), lambda A, mask: A / A.shape[1] / 2),
}  # fmt: skip


def by_weights(key, when, theta=THETA):
    row, old = ROWS[key], theta if when == "on" else OLD
    rows, chances, tau = batches(row["G"], row["groups"], old)
    mask = (np.arange(tau.actions.shape[1]) < tau.lengths[:, None])[rows]
    advantages, together = WEIGHTS[key]
    A = advantages(tau.returns[rows], mask)
    c = together(A, mask)
    if key == "trl-truncated":  # an answer is over where its last token is "."
        ended = tau.actions[np.arange(len(tau)), tau.lengths - 1] == LANGUAGE.A - 1
        c = c * ended[rows][..., None]
    if key == "trl-quantile":
        pi = softmax_policy(theta)
        H = -(pi * np.log(pi)).sum(axis=1)[tau.percepts][rows]
        high = np.array([np.quantile(x[m], 0.8) for x, m in zip(H, mask, strict=True)])
        c = c * (H >= high[:, None, None] - 1e-6)
    w = importance_ratios(LANGUAGE, theta, old, tau)[rows]
    c = clip_slope(w, A, 0.2) / np.where(A == 0, 1, A) * w * c * (A != 0)
    each = np.zeros((len(tau), mask.shape[2]))
    np.add.at(each, rows, chances[:, None, None] * c)
    return reinforce_gradients(LANGUAGE, theta, tau, each).sum(axis=0)


@pytest.mark.parametrize("when", ["on", "old"])
@pytest.mark.parametrize("key", WEIGHTS)
def test_a_row_of_a_batch_is_what_its_weights_give(key, when):
    off = np.abs(by_weights(key, when) - ROWS[key][when]["mean"])
    assert off.max() < NEAR


JUDGED = [row["key"] for row in FOUND["rows"] if row["ours"] and not row["kl"]]


@cache
def tried(options, G):
    """What the trial of chapter 18 says, which shares no code with the judge of the libraries."""
    options = json.loads(options)

    def update(group):
        return group_gradient(LANGUAGE, group.theta, group.trajectories, group.rewards, **options)

    return trial(update, LANGUAGE, THETA, G=G)


@pytest.mark.parametrize("key", JUDGED)
def test_the_book_s_own_judge_gives_the_same_verdict(key):
    row = ROWS[key]
    report = tried(json.dumps(row["ours"], sort_keys=True), row["G"])
    assert report.verdict == row["verdict"]
    assert abs(report.angle - row["on"]["angle"]) < 0.06
    if row["climbs"] == "J":
        assert abs(report.factor - row["factor"]) < 1e-4


@pytest.mark.parametrize("when", ["on", "old"])
def test_a_penalty_with_its_ratio_is_the_slope_of_both(when):
    """The slope of w k3 by log pi, token by token, over the answers of the policy that drew."""
    mean = corrected(THETA, THETA if when == "on" else OLD)
    assert np.abs(mean - ROWS["trl-kl-corrected"][when]["mean"]).max() < NEAR


def corrected(theta, old):
    tau = enumerate_trajectories(LANGUAGE)
    w, v = (importance_ratios(LANGUAGE, theta, x, tau) for x in (old, REF))
    k3, slope = 1 / v - 1 + np.log(v), 1 - 1 / v
    c = tau.probability(softmax_policy(old))[:, None] * w * (slope + k3)
    return -reinforce_gradients(LANGUAGE, theta, tau, c).sum(axis=0) / 2


# --- the second route: steps ---------------------------------------------------------------------

INF = np.inf
# gamma, lambda, normalised, passes, length of a step, part of the critic, entropy, cut by time
STEPS = {
    "sb3-whole": (1.0, 1.0, False, 1, INF, 1.0, 0.0, False),
    "sb3-lambda": (1.0, 0.95, False, 1, INF, 1.0, 0.0, False),
    "sb3-normalised": (1.0, 1.0, True, 1, INF, 1.0, 0.0, False),
    "sb3-normalised-4": (1.0, 1.0, True, 1, INF, 1.0, 0.0, False),
    "sb3-grad-norm": (1.0, 1.0, False, 1, 0.5, 1.0, 0.0, False),
    "sb3-defaults": (1.0, 0.95, True, 1, 0.5, 1.0, 0.0, False),
    "sb3-epochs": (1.0, 1.0, False, 2, INF, 1.0, 0.0, False),
    "sb3-discounted": (0.9, 1.0, False, 1, INF, 1.0, 0.0, False),
    "sb3-timeout": (0.9, 1.0, False, 1, INF, 1.0, 0.0, True),
    "cleanrl-whole": (1.0, 1.0, False, 1, INF, 0.5, 0.0, False),
    "cleanrl-lambda": (1.0, 0.95, False, 1, INF, 0.5, 0.0, False),
    "cleanrl-normalised": (1.0, 1.0, True, 1, INF, 0.5, 0.0, False),
    "cleanrl-entropy": (1.0, 1.0, False, 1, INF, 0.5, 0.01, False),
    "cleanrl-defaults": (1.0, 0.95, True, 1, 0.5, 0.5, 0.01, False),
}


def ppo(world, start, old, gamma, lam, normalised, passes, longest, part, bonus, cut):
    """One update of PPO by hand, for a batch of episodes."""

    def update(tau, rewards):
        V = worlds.CRITIC[tau.states] * ([1.0] * world.horizon + [float(cut)])
        A = gae(tau.rewards, V, gamma, lam)
        missed = A + V[:, :-1] - worlds.CRITIC[tau.states[:, :-1]]
        if normalised:
            A = (A - A.mean()) / (A.std(ddof=1) + 1e-8)
        theta = start
        for _ in range(passes):
            w, n = importance_ratios(world, theta, old, tau), A.size
            step = reinforce_gradients(world, theta, tau, clip_slope(w, A, 0.2) * w / n).sum(axis=0)
            visits = np.bincount(tau.states[:, :-1].ravel(), minlength=world.S) / n
            pi = softmax_policy(theta)
            entropy = -(pi * np.log(pi)).sum(axis=1, keepdims=True)
            step -= bonus * visits[:, None] * pi * (np.log(pi) + entropy)
            critic = np.bincount(tau.states[:, :-1].ravel(), missed.ravel(), world.S) * part / n
            size = np.sqrt((step**2).sum() + (critic**2).sum())
            theta = theta + step * min(1.0, longest / (size + 1e-6))
        return theta - start

    return update


def ppo_at_once(world, theta, old, episodes, gamma, lam, normalised, cut):
    """Its mean over all batches, where a step has its full length and no bonus."""
    rows, chances, tau = list_groups(world, old, episodes, shared_start=False)
    V = worlds.CRITIC[tau.states] * ([1.0] * world.horizon + [float(cut)])
    A = gae(tau.rewards, V, gamma, lam)[rows]
    if normalised:
        of_batch = dict(axis=(1, 2), keepdims=True)
        A = (A - A.mean(**of_batch)) / (A.std(ddof=1, **of_batch) + 1e-8)
    w = importance_ratios(world, theta, old, tau)[rows]
    each = np.zeros((len(tau), world.horizon))
    np.add.at(each, rows, chances[:, None, None] * clip_slope(w, A, 0.2) * w / A[0].size)
    return reinforce_gradients(world, theta, tau, each).sum(axis=0)


@pytest.mark.parametrize("when", ["on", "old"])
@pytest.mark.parametrize("key", STEPS)
def test_a_row_of_steps_is_what_ppo_by_hand_gives(key, when):
    row = ROWS[key]
    world, (theta, older, _) = worlds.STEPS[float(row["world"][6:])]
    old = theta if when == "on" else older
    gamma, lam, normalised, passes, longest, _, bonus, cut = STEPS[key]
    if passes == 1 and longest == INF and not bonus:
        mean = ppo_at_once(world, theta, old, row["groups"], gamma, lam, normalised, cut)
    else:
        update = ppo(world, theta, old, *STEPS[key])
        mean, _ = group_expectation(update, world, old, row["groups"], shared_start=False)
    assert np.abs(mean - row[when]["mean"]).max() < NEAR


# --- the second route: factors -------------------------------------------------------------------

NAMED = [row["key"] for row in FOUND["rows"] if row["climbs"]]


def by_route(row, theta):
    """A row's mean at any policy that itself drew, without the library."""
    key = row["key"]
    if key == "trl-kl-corrected":
        return corrected(theta, theta)
    if key in WEIGHTS:
        return by_weights(key, "on", theta)
    if key in STEPS:
        world = worlds.STEPS[float(row["world"][6:])][0]
        gamma, lam, normalised, *_, cut = STEPS[key]
        return ppo_at_once(world, theta, theta, row["groups"], gamma, lam, normalised, cut)
    return by_package(row, "on", theta)


def slope_of(row, theta):
    """The gradient that a row is said to be a multiple of."""
    world = LANGUAGE if row["world"] == "language" else worlds.STEPS[float(row["world"][6:])][0]
    asked = groups.Row(update=None, option="", **{k: row[k] for k in (
        "key", "library", "version", "world", "kl", "G", "groups")})  # fmt: skip
    return dict(judge.directions(asked, world, theta, REF))[row["climbs"]]


def factors_are_right(row):
    """Is the mean as many times the gradient as is written, and a factor named only if it stays?"""
    main = THETA if row["world"] == "language" else worlds.STEPS[float(row["world"][6:])][1][0]
    assert len(row["factors"]) == 3
    for theta, factor in zip([main, *worlds.near(main)], row["factors"], strict=True):
        mean, slope = by_route(row, theta), slope_of(row, theta)
        assert np.abs(mean - factor * slope).max() < 3e-4 * np.abs(mean).max()
    spread = np.ptp(row["factors"]) / abs(row["factors"][0])
    assert (row["factor"] is None) == (spread > 5e-4)
    if row["factor"] is not None:
        assert row["factor"] == row["factors"][0]
    said = page.climbs(row)
    assert ("the factor moves with the policy" in said) == (row["factor"] is None)
    assert (row["verdict"] == "the gradient of nothing") == said.startswith("no objective")


@pytest.mark.parametrize("key", NAMED)
def test_a_factor_stays_at_three_policies(key):
    factors_are_right(ROWS[key])


def test_a_factor_that_moves_and_is_called_one_is_noticed():
    right = ROWS["trl-dr_grpo-batch"]
    slips = ({"factor": right["factors"][0]}, {"factors": right["factors"][:1] * 3},
             {"factor": right["factors"][0], "factors": right["factors"][:1] * 3})  # fmt: skip
    for slip in slips:
        with pytest.raises(AssertionError):
            factors_are_right(right | slip)
    stays = ROWS["trl-dr_grpo-none"]
    for slip in ({"factor": None}, {"factors": [0.375, 0.375, 0.376]}):
        with pytest.raises(AssertionError):
            factors_are_right(stays | slip)


def moving(by):
    """An update of which every batch says the gradient of J, times a number."""
    return groups.Row(
        key="made up", library="", version="", option="", G=1,
        update=lambda batch: by(batch.theta) * policy_gradient(LANGUAGE, batch.theta),
    )  # fmt: skip


def entropy(theta):
    pi = softmax_policy(theta)
    return -(pi * np.log(pi)).sum()


def value(theta):
    return LANGUAGE.mu @ state_values(LANGUAGE, softmax_policy(theta))[0]


def test_the_judge_calls_a_factor_what_stays_and_an_objective_what_commutes():
    other, none = "the gradient of another objective", "the gradient of nothing"
    for by, verdict, factor in (
        (lambda theta: 0.375, "unbiased up to a factor", 0.375),
        (lambda theta: 1.0, "unbiased", 1.0),
        (lambda theta: -1.0, other, -1.0),
        (value, other, None),  # that of the square of J, halved
        (entropy, none, None),
        (lambda theta: 1 + entropy(theta) / 100, none, None),
        (lambda theta: 0.0, "mean zero", None),
    ):
        entry = judge.judge(moving(by))
        assert (entry["verdict"], entry["factor"]) == (verdict, factor)
        assert entry["climbs"] == (None if verdict == "mean zero" else "J")


def test_at_one_policy_the_judge_would_call_it_a_factor(monkeypatch):
    """Three policies notice it, and so do derivatives: without both nothing does."""
    monkeypatch.setattr(judge, "near", lambda theta: [theta, theta])
    assert judge.judge(moving(entropy))["verdict"] == "the gradient of nothing"
    monkeypatch.setattr(judge, "BENDS", 3)
    assert judge.judge(moving(entropy))["verdict"] == "unbiased up to a factor"
    monkeypatch.setattr(judge, "near", worlds.near)
    assert judge.judge(moving(entropy))["factor"] is None


# --- sizes, angles, slips ------------------------------------------------------------------------


def gradient_beside(row):
    if row["world"] != "language":
        world, (theta, *_) = worlds.STEPS[float(row["world"][6:])]
        return policy_gradient(world, theta)
    if not row["kl"]:
        return policy_gradient(LANGUAGE, THETA)
    return -kl_by_differences()


@cache
def kl_by_differences():
    """The slope of the answers' KL, by differences of its sum over answers."""
    tau, h = enumerate_trajectories(LANGUAGE), 1e-5

    def kl(theta):
        p, q = (tau.probability(softmax_policy(x)) for x in (theta, REF))
        return p @ np.log(p / q)

    slope = np.zeros(THETA.size)
    for i in range(THETA.size):
        e = h * (np.arange(THETA.size) == i).reshape(THETA.shape)
        slope[i] = (kl(THETA + e) - kl(THETA - e)) / (2 * h)
    return slope.reshape(THETA.shape)


@pytest.mark.parametrize("key", ROWS)
def test_sizes_and_angles_are_those_of_the_means(key):
    row = ROWS[key]
    slope = gradient_beside(row)
    for when in ("on", "old"):
        mean, unit = np.array(row[when]["mean"]), np.linalg.norm(slope)
        size = np.linalg.norm(mean)
        assert abs(size / unit - row[when]["size"]) < 7e-4
        if row[when]["angle"] is None:
            assert row["verdict"] == "mean zero"
            continue
        along = (mean * slope).sum() / unit
        across = np.linalg.norm(mean - along * slope / unit)
        assert abs(np.degrees(np.arctan2(across, along)) - row[when]["angle"]) < 0.07
    if row["climbs"] in ("J", "minus the KL") and row["factor"]:
        off = np.array(row["on"]["mean"]) - row["factor"] * slope
        assert np.abs(off).max() < 2e-5 * np.abs(slope).max() + NEAR
    followed = row["climbs"] in ("J", "minus the KL") and row["factor"] is not None
    assert ("unbiased" in row["verdict"]) == followed


def test_a_slip_in_any_mean_is_noticed():
    """One percent of the largest entry is far more than what the comparisons allow."""
    for row in FOUND["rows"]:
        for when in ("on", "old"):
            largest = np.abs(row[when]["mean"]).max()
            assert largest > 100 * 3 * NEAR or row["verdict"] == "mean zero"


def test_libraries_that_are_set_alike_follow_the_same():
    alike = [("sb3-whole", "cleanrl-whole"), ("sb3-normalised", "cleanrl-normalised"),
             ("sb3-lambda", "cleanrl-lambda"), ("trl-dr_grpo-none", "verl-mean-norm"),
             ("verl-rloo", "openrlhf-rloo"), ("trl-gspo", "openrlhf-gspo")]  # fmt: skip
    for one, other in alike:
        for when in ("on", "old"):
            off = np.subtract(ROWS[one][when]["mean"], ROWS[other][when]["mean"])
            assert np.abs(off).max() < 1e-4, (one, other)
