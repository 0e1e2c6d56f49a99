"""Primitives: letters of a world are what the package computes, by a route of their own."""

import numpy as np
import pytest

from policygrad import exact, primitives
from policygrad.estimators import importance_ratios
from policygrad.formulas import evaluate
from policygrad.mdp import MDP
from policygrad.policies import softmax_policy
from policygrad.worlds import random_mdp, short_corridor, tiny_language, two_state


def random_world(seed, **options):
    rng = np.random.default_rng(seed)
    world = random_mdp(rng, 3, 2, gamma=0.7, **options)
    return world, rng.normal(size=(world.O, world.A))


def test_letters_of_a_world_are_what_the_package_computes():
    world, theta = random_world(1, horizon=2)
    letters, pi = primitives.of_world(world, theta), softmax_policy(theta)
    flat, tau = theta.ravel(), exact.enumerate_trajectories(world)
    assert letters[r"J(\theta)"](flat) == pytest.approx(exact.expected_return(world, pi), rel=1e-13)
    chances = [letters[r"P(\tau;\theta)"](i, flat) for i in letters["domains"][r"\tau"]]
    np.testing.assert_allclose(chances, tau.probability(pi), rtol=1e-13)
    d = [[letters["d_t(s)"](t, s, flat) for s in range(3)] for t in range(2)]
    discounted = 0.7 ** np.arange(2)[:, None] * d
    np.testing.assert_allclose(discounted, exact.occupancy(world, pi), rtol=1e-13)
    Q = [[[letters["Q_t(s,a)"](t, s, a, flat) for a in range(2)] for s in range(3)] for t in (0, 1)]
    np.testing.assert_allclose(Q, exact.action_values(world, pi), rtol=1e-13)
    sizes = {"H": 2, "S": 3, "A": 2, "O": 3, "N": len(tau), "N_0": 3, r"\gamma": 0.7}
    assert {letter: letters[letter] for letter in sizes} == sizes


def test_a_complex_step_through_J_is_its_gradient():
    for world, theta in (random_world(2, horizon=3, absorbing=1), random_world(3)):
        of = primitives.of_endless if world.horizon is None else primitives.of_world
        J, gradient = of(world, theta)[r"J(\theta)"], []
        for k in range(theta.size):
            step = 1e-30j * (np.arange(theta.size) == k)
            gradient.append(np.imag(J(theta.ravel() + step)) / 1e-30)
        np.testing.assert_allclose(
            gradient, exact.policy_gradient(world, theta).ravel(), rtol=1e-11
        )


def test_a_world_is_refused_if_the_package_computes_something_else(monkeypatch):
    world, theta = random_world(4, horizon=2)
    monkeypatch.setattr(exact, "expected_return", lambda world, pi: 17.0)
    with pytest.raises(ValueError, match="J is not what the package computes"):
        primitives.of_world(world, theta)


def test_after_the_end_rewards_are_zero_and_actions_have_no_value():
    letters, _ = primitives.nothing_special()
    short = [i for i in letters["domains"][r"\tau"] if letters["T"](i) < letters["H"]]
    assert short
    for i in short:
        end = letters["T"](i)
        assert letters["r_t"](end, i) == 0
        assert letters["a_t"](end, i) == -1  # below the first action, so `formulas` refuses it
        assert letters[r"\pi_t"](end, i, letters["domains"][r"\theta"][0].ravel()) == 1
        assert letters["G_t"](end, i) == 0


def test_no_number_is_special_where_nothing_is():
    for pair in (primitives.nothing_special(), primitives.small_batches()):
        for letter in (r"\gamma", "A", "H", "N"):
            one, other = (letters[letter] for letters in pair)
            assert one != other
        for letters in pair:
            assert 0 < letters[r"\gamma"] < 1
            assert all(np.ptp(theta) > 0 for theta in letters["domains"][r"\theta"])
    for letters in primitives.nothing_special():
        assert letters["O"] < letters["S"]  # aliased
    ending, _ = primitives.nothing_special()
    assert {ending["T"](i) for i in ending["domains"][r"\tau"]} == {1, 2, 3}


def test_batches_and_groups_are_all_of_them():
    world, theta = random_world(5, horizon=1, start="first", successors=1)
    letters = primitives.of_batches(world, 3, theta)
    assert len(letters[r"batch\in"]) == len(letters["domains"][r"\tau"]) ** 3 == 2**3
    groups = primitives.of_groups([1.0, 2.5, -0.7], [0.3, -0.2, 0.5], 2)
    assert len(groups["domains"]["group"]) == 9
    assert groups[r"\bar r"]((1, 2)) == pytest.approx((2.5 - 0.7) / 2)
    assert groups[r"\bar r_{-i}"](1, (1, 2)) == -0.7
    assert [groups["r_i"](i, (1, 2)) for i in (1, 2)] == [2.5, -0.7]


def test_softmax_and_arms_have_the_probabilities_of_the_package():
    theta = np.array([[0.3, -0.2, 0.5], [1.0, 0.0, -2.0]])
    letters, pi = primitives.of_softmax(theta), softmax_policy(theta)
    found = [
        [letters[r"\pi_\theta(a\mid o)"](a, o, theta.ravel()) for a in range(3)] for o in (0, 1)
    ]
    np.testing.assert_allclose(found, pi, rtol=1e-14)
    arms = primitives.of_arms([1.0, 2.5, -0.7], theta[0])
    assert arms[r"J(\theta)"](theta[0]) == pytest.approx(pi[0] @ [1.0, 2.5, -0.7])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: primitives.of_world(two_state(2, gamma=0.9)), "theta is missing"),
        (
            lambda: primitives.of_world(two_state(2, gamma=0.9), [[1, 2, 3]]),
            r"theta must have shape .* = \(2, 2\)",
        ),
        (lambda: primitives.of_world("two_state", [[1.0, 2.0]]), "world must be"),
        (lambda: primitives.of_world(short_corridor(), [[1.0, 2.0]]), "infinitely many"),
        (lambda: primitives.of_endless(two_state(2, gamma=0.9), np.eye(2)), "no horizon"),
        (lambda: primitives.of_batches(two_state(2, gamma=0.9), 1, np.eye(2)), "m must be"),
        (lambda: primitives.of_batches(two_state(3, gamma=0.9), 3, np.eye(2)), "more than 20,000"),
        (lambda: primitives.of_groups([1.0, 2.0], [0.1, 0.2], 1), "G must be"),
        (lambda: primitives.of_arms([1.0, 2.0], [0.1, 0.2, 0.3]), "two lists of one length"),
        (lambda: primitives.of_arms([1.0, np.nan], [0.1, 0.2]), r"rewards\[1\]"),
        (lambda: primitives.of_softmax([[0.1, np.inf]]), r"theta\[0, 1\]"),
        (lambda: primitives.of_ratios(two_state(2, gamma=0.9), np.eye(2), [0.0]), "theta_old must"),
        (lambda: primitives.of_ratios(two_state(2, gamma=0.9), [0.0], np.eye(2)), "theta must"),
    ],
)
def test_what_has_no_letters_is_refused_by_name(call, says):
    with pytest.raises((ValueError, TypeError), match=says):
        call()


TWO_POLICIES = [  # the letters of both policies, in equations whose sides share none of them
    r"\mathbb E_{\tau\sim\text{old}}[w(\tau)\,R(\tau)]=J(\theta)",
    r"\mathbb E_{\tau\sim\theta_{\text{old}}}[R(\tau)]=J(\theta_{\text{old}})",
    r"\mathbb E_{\tau\sim\pi_{\text{old}}}[w(\tau)]=1",
    r"w(\tau)=\prod_{t=0}^{T(\tau)-1}\frac{\pi_\theta(a_t\mid s_t)}{\pi_{\text{old}}(a_t\mid s_t)}",
    r"\prod_{t=0}^{H-1}w_t=\frac{P(\tau;\theta)}{P(\tau;\theta_{\text{old}})}",
    r"\sum_a\pi_\theta(a\mid s)A_t(s,a)=0",
    r"V_t^{\text{old}}(s)+A_t^{\text{old}}(s,a)=Q_t^{\text{old}}(s,a)",
    r"\sum_a\pi_{\text{old}}(a\mid s)A_t^{\text{old}}(s,a)=0",
    r"\mathbb E\Bigl[\sum_{t=0}^{T-1}\gamma^tA_t^{\text{old}}(s_t,a_t)\Bigr]"
    r"=J(\theta)-J(\theta_{\text{old}})",  # Kakade & Langford (2002)
    r"\mathbb E_{\tau\sim\text{old}}\Bigl[\sum_{t=0}^{T-1}w_t\Bigr]"
    r"=\mathbb E_{\tau\sim\text{old}}[T]",  # each w_t has mean 1 given s_t
    r"\sum_t\sum_sd_t^{\text{old}}(s)=H",
]


@pytest.mark.parametrize("tex", TWO_POLICIES)
def test_letters_of_two_policies_hold_in_what_is_known_of_both(tex):
    rng = np.random.default_rng(7)
    ending = random_mdp(rng, 4, 2, O=2, absorbing=1, horizon=3, gamma=0.7, successors=2)
    for world in (ending, tiny_language(["ba", "a"], longest=2, mu=[0.3, 0.7], seen="last")):
        theta, theta_old = rng.normal(size=(2, world.O, world.A))
        letters = primitives.of_ratios(world, theta, theta_old)
        assert all(found.holds for found in evaluate(tex, letters))


def test_the_ratios_among_the_letters_are_those_of_the_estimators():
    world, theta = random_world(8, horizon=2, absorbing=1)
    letters = primitives.of_ratios(world, theta, theta[:, ::-1])
    w = importance_ratios(world, theta, theta[:, ::-1], exact.enumerate_trajectories(world))
    for i, row in enumerate(w):
        for t, ratio in enumerate(row):
            assert letters["w_t"](t, i, theta.ravel()) == pytest.approx(ratio, rel=1e-13)


def test_letters_of_an_endless_world_solve_its_equations():
    world, theta = random_world(6)
    letters, flat = primitives.of_endless(world, theta), theta.ravel()
    V = np.array([letters["V(s)"](s, flat) for s in range(3)])
    P_pi, r_pi = letters[r"P_\pi"](flat), letters[r"r_\pi"](flat)
    np.testing.assert_allclose(V, r_pi + 0.7 * P_pi @ V, rtol=1e-12)
    np.testing.assert_allclose(letters["d_t"](2, flat), world.mu @ P_pi @ P_pi, rtol=1e-12)
    assert isinstance(world, MDP)
