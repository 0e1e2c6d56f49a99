"""Symbolic trajectories agree with themselves at every length, and with numbers made elsewhere."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from policygrad.exact import enumerate_trajectories, policy_gradient
from policygrad.mdp import MDP
from policygrad.policies import softmax_policy
from policygrad.symbolic import log_of_product, symbolic_trajectory, symbolic_world


def unrolled(tau, H):
    """The probability of a trajectory of H steps, its product written out by hand."""
    out = tau.start
    for t in range(H):
        out *= (tau.dynamics * tau.policy).subs(tau.t, t)
    return out


# --- symbolic length ---------------------------------------------------------------------------


@pytest.mark.parametrize("depends", [False, True])
def test_the_logarithm_of_the_product_is_the_sum_of_the_three_terms(depends):
    tau = symbolic_trajectory(dynamics_depend_on_theta=depends)
    assert sp.simplify(log_of_product(tau.probability) - tau.log_terms.total) == 0


def test_the_horizon_stays_a_symbol():
    tau = symbolic_trajectory()
    log_p = log_of_product(tau.probability)
    assert tau.H in log_p.free_symbols
    assert {s.limits[0] for s in log_p.atoms(sp.Sum)} == {(tau.t, 0, tau.H - 1)}


def test_no_term_of_the_world_is_left_in_the_gradient():
    tau = symbolic_trajectory()
    gradient = sp.diff(log_of_product(tau.probability), tau.theta)
    assert {str(f.func) for f in gradient.atoms(sp.core.function.AppliedUndef)} == {"pi"}
    assert sp.simplify(gradient - sp.diff(tau.log_terms.policy, tau.theta)) == 0


def test_dynamics_that_depend_on_theta_leave_exactly_their_own_term():
    tau = symbolic_trajectory(dynamics_depend_on_theta=True)
    gradient = sp.diff(log_of_product(tau.probability), tau.theta)
    rest = sp.simplify(gradient - sp.diff(tau.log_terms.policy, tau.theta))
    assert sp.simplify(rest - sp.diff(tau.log_terms.dynamics, tau.theta)) == 0
    assert rest != 0


@pytest.mark.parametrize("H", [1, 2, 3, 4])
@pytest.mark.parametrize("depends", [False, True])
def test_a_symbolic_length_agrees_with_the_product_written_out(H, depends):
    tau = symbolic_trajectory(dynamics_depend_on_theta=depends)
    by_hand = unrolled(tau, H)
    assert sp.simplify(tau.probability.subs(tau.H, H).doit() - by_hand) == 0
    symbolic = sp.diff(log_of_product(tau.probability), tau.theta).subs(tau.H, H).doit()
    assert sp.simplify(symbolic - sp.diff(by_hand, tau.theta) / by_hand) == 0


def test_a_start_that_depends_on_theta_comes_back_once():
    plain = symbolic_trajectory()
    start = sp.Function("mu", positive=True)(sp.Symbol("s_0"), plain.theta)
    tau = replace(plain, start=start)
    gradient = sp.diff(log_of_product(tau.probability), tau.theta)
    policy = sp.diff(tau.log_terms.policy, tau.theta)
    assert sp.simplify(gradient - policy - sp.diff(start, tau.theta) / start) == 0


# --- small worlds ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("S", "A", "H", "observe"),
    [(1, 2, 2, None), (2, 2, 1, None), (2, 2, 2, None), (2, 2, 2, [0, 0]), (3, 1, 2, [0, 1, 0])],
)
def test_all_trajectories_together_have_probability_one(S, A, H, observe):
    world = symbolic_world(S, A, H, observe=observe)
    trajectories = list(world.trajectories())
    assert len(trajectories) == S * (S * A) ** H
    assert len(set(trajectories)) == len(trajectories)
    assert sp.simplify(sum(world.probability(*tau) for tau in trajectories) - 1) == 0


def test_aliased_states_share_their_logits():
    seen, aliased = symbolic_world(2, 2, 1), symbolic_world(2, 2, 1, observe=[0, 0])
    assert (len(seen.parameters), len(aliased.parameters)) == (4, 2)
    tau = ((1, 0), (0,))
    assert aliased.score(*tau, aliased.parameters[0]) != 0
    assert seen.score(*tau, seen.parameters[0]) == 0  # a logit of state 0, which is not visited


def numbers_for(world, rng):
    """A value for every symbol, and the MDP and logits that it amounts to."""
    S, A, O = len(world.mu), len(world.theta[0]), len(world.theta)
    mu, P = rng.dirichlet(np.ones(S)), rng.dirichlet(np.ones(S), size=(S, A))
    R, theta = rng.normal(size=(S, A, S)), rng.normal(size=(O, A))
    values = {}
    for k in range(S - 1):
        values[world.mu[k]] = mu[k]
    for s, a, p in itertools.product(range(S), range(A), range(S)):
        values[world.R[s][a][p]] = R[s, a, p]
        if p < S - 1:
            values[world.P[s][a][p]] = P[s, a, p]
    for o, a in itertools.product(range(O), range(A)):
        values[world.theta[o][a]] = theta[o, a]
    mdp = MDP(P, R, mu, horizon=world.horizon, observe=list(world.observe))
    return values, mdp, theta


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("observe", [None, [0, 0]], ids=["seen", "aliased"])
def test_with_numbers_put_in_it_agrees_with_enumeration_and_the_exact_gradient(observe, seed):
    world = symbolic_world(2, 2, 2, observe=observe)
    values, mdp, theta = numbers_for(world, np.random.default_rng(seed))
    every = enumerate_trajectories(mdp)
    probability = dict(
        zip(
            zip(map(tuple, every.states.tolist()), map(tuple, every.actions.tolist()), strict=True),
            every.probability(softmax_policy(theta)),
            strict=True,
        )
    )
    trajectories = list(world.trajectories())
    symbolic = [float(world.probability(*tau).subs(values)) for tau in trajectories]
    np.testing.assert_allclose(symbolic, [probability[tau] for tau in trajectories], rtol=1e-12)

    J = sum(world.probability(*tau) * world.return_of(*tau) for tau in trajectories)
    gradient = [float(sp.diff(J, x).subs(values)) for x in world.parameters]
    np.testing.assert_allclose(gradient, policy_gradient(mdp, theta).ravel(), rtol=1e-10)

    with_scores = [
        float(
            sum(
                world.probability(*tau) * world.score(*tau, x) * world.return_of(*tau)
                for tau in trajectories
            ).subs(values)
        )
        for x in world.parameters
    ]
    np.testing.assert_allclose(with_scores, gradient, rtol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0, 2, 1), "S must be at least 1; it is 0"),
        ((2, 0, 1), "A must be at least 1; it is 0"),
        ((2, 2, 0), "horizon must be at least 1; it is 0"),
    ],
)
def test_a_world_of_no_size_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        symbolic_world(*arguments)


@pytest.mark.parametrize("observe", [[0], [0, 2], [1, 1], [0, 0, 0]])
def test_percepts_with_gaps_or_of_the_wrong_number_are_refused(observe):
    with pytest.raises(ValueError, match=r"observe must give 2 percepts"):
        symbolic_world(2, 2, 1, observe=observe)
