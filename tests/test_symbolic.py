"""Symbolic trajectories agree with themselves at every length, and with numbers made elsewhere."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from policygrad.exact import enumerate_trajectories, expected_return, policy_gradient
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
    mdp = MDP(P, R, mu, horizon=world.horizon, observe=list(world.observe), gamma=1.0)
    return values, mdp, theta


SHAPES = {
    "seen": (2, 2, 2, None),
    "aliased": (2, 2, 2, [0, 0]),
    "three states, two of them aliased": (3, 2, 1, [0, 1, 0]),
    "three actions": (2, 3, 1, None),
    "one state, three steps": (1, 2, 3, None),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_with_numbers_put_in_it_agrees_with_enumeration_and_the_exact_gradient(shape):
    S, A, H, observe = shape
    world = symbolic_world(S, A, H, observe=observe)
    trajectories = list(world.trajectories())
    P = [world.probability(*tau) for tau in trajectories]
    R = [world.return_of(*tau) for tau in trajectories]
    J = sum(p * r for p, r in zip(P, R, strict=True))
    by_definition = [sp.diff(J, x) for x in world.parameters]
    by_scores = [
        sum(p * r * world.score(*tau, x) for tau, p, r in zip(trajectories, P, R, strict=True))
        for x in world.parameters
    ]
    for seed in range(3):
        values, mdp, theta = numbers_for(world, np.random.default_rng(seed))
        put_in = sp.lambdify(list(values), (P, R, J, by_definition, by_scores), "math", cse=True)
        p, r, j, slope, weighted = map(np.array, put_in(*values.values()))

        every = enumerate_trajectories(mdp)
        listed = zip(map(tuple, every.states), map(tuple, every.actions), strict=True)
        order = [trajectories.index(tau) for tau in listed]
        assert sorted(order) == list(range(len(trajectories)))
        np.testing.assert_allclose(p[order], every.probability(softmax_policy(theta)), rtol=1e-12)
        np.testing.assert_allclose(r[order], every.returns, rtol=1e-12)
        np.testing.assert_allclose(j, expected_return(mdp, softmax_policy(theta)), rtol=1e-12)
        exact = policy_gradient(mdp, theta).ravel()
        np.testing.assert_allclose(slope, exact, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(weighted, exact, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("observe", [None, [0, 0]], ids=["seen", "aliased"])
def test_the_score_is_the_slope_of_the_logarithm_of_every_trajectory(observe):
    world = symbolic_world(2, 2, 1, observe=observe)
    for tau in world.trajectories():
        for x in world.parameters:
            slope = sp.diff(sp.log(world.probability(*tau)), x)
            assert sp.simplify(slope - world.score(*tau, x)) == 0


@pytest.mark.parametrize("H", [1, 3])
@pytest.mark.parametrize("depends", [False, True])
def test_the_logarithm_splits_alike_before_and_after_the_length_is_known(H, depends):
    tau = symbolic_trajectory(dynamics_depend_on_theta=depends)
    terms = tau.log_terms.total.subs(tau.H, H).doit()
    assert log_of_product(unrolled(tau, H)) == sp.expand(terms)
    assert log_of_product(tau.probability).subs(tau.H, H).doit() == sp.expand(terms)


def test_no_two_numbers_of_a_world_share_a_symbol():
    world = symbolic_world(10, 10, 1)
    free = [*world.mu[:-1], *world.parameters]
    free += [p for s in world.P for a in s for p in a[:-1]]
    free += [r for s in world.R for a in s for r in a]
    assert all(x.is_Symbol for x in free)
    assert len(set(free)) == len(free) == 9 + 100 + 900 + 1000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0, 2, 1), "S must be at least 1; it is 0"),
        ((2, 0, 1), "A must be at least 1; it is 0"),
        ((2, 2, 0), "horizon must be at least 1; it is 0"),
        ((11, 2, 1), "S must be at most 10; it is 11"),
        ((2, 11, 1), "A must be at most 10; it is 11"),
    ],
)
def test_a_world_of_no_size_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        symbolic_world(*arguments)


@pytest.mark.parametrize("observe", [[0], [0, 2], [1, 1], [0, 0, 0]])
def test_percepts_with_gaps_or_of_the_wrong_number_are_refused(observe):
    with pytest.raises(ValueError, match=r"observe must give 2 percepts"):
        symbolic_world(2, 2, 1, observe=observe)


@pytest.mark.parametrize("size", [2.0, True, "2", None])
def test_a_size_that_is_no_whole_number_is_refused(size):
    with pytest.raises(TypeError, match="horizon must be a whole number"):
        symbolic_world(2, 2, size)


def test_percepts_that_are_no_integers_are_refused():
    with pytest.raises(TypeError, match="observe must hold integers"):
        symbolic_world(2, 2, 1, observe=[0, 0.5])


# --- percepts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("observe", [[0, 0, 1], [1, 0, 0], [0, 1, 1], [2, 0, 1], [0, 0, 0]])
def test_the_policy_of_a_trajectory_is_that_of_what_is_seen_on_the_way(observe):
    """P(tau) and the score written out by hand, in terms of the percepts, for two steps.

    d log pi(a|o) / d theta[o][b] is 1 - pi(b|o) for b = a and -pi(b|o) for another b.
    """
    world = symbolic_world(3, 2, 2, observe=observe)
    z = [[sp.exp(x) for x in row] for row in world.theta]
    pi = [[x / sum(row) for x in row] for row in z]
    for states, actions in [((0, 1, 2), (1, 0)), ((2, 0, 1), (0, 1)), ((1, 1, 0), (1, 1))]:
        seen = [observe[s] for s in states]
        by_hand = world.mu[states[0]]
        for t in range(2):
            by_hand *= world.P[states[t]][actions[t]][states[t + 1]] * pi[seen[t]][actions[t]]
        assert sp.simplify(world.probability(states, actions) - by_hand) == 0
        for o, row in enumerate(world.theta):
            for b, x in enumerate(row):
                score = sum(int(actions[t] == b) - pi[o][b] for t in range(2) if seen[t] == o)
                assert sp.simplify(world.score(states, actions, x) - score) == 0


@pytest.mark.parametrize("observe", [[0, 0, 1], [1, 0, 0], [0, 1, 1]])
def test_two_states_that_look_alike_get_the_same_probabilities_of_actions(observe):
    world = symbolic_world(3, 2, 1, observe=observe)
    assert len(world.theta) == 2
    for s, other in itertools.combinations(range(3), 2):
        # P(tau) over the world's own factors is the policy's factor alone
        first, second = (
            sp.cancel(world.probability((i, 0), (1,)) / (world.mu[i] * world.P[i][1][0]))
            for i in (s, other)
        )
        assert (first == second) == (observe[s] == observe[other])


# --- bad input -----------------------------------------------------------------------------------

WORLD = symbolic_world(2, 2, 1)
theta_00 = WORLD.parameters[0]
TRAJECTORIES = {  # arguments in place of ((0, 1), (0,)), and what is said of them
    "negative state": ((-1, 0), (0,), ValueError, r"states\[0\] must be one of 0 .. 1; it is -1"),
    "no such state": ((0, 2), (0,), ValueError, r"states\[1\] must be one of 0 .. 1; it is 2"),
    "negative action": ((0, 1), (-1,), ValueError, r"actions\[0\] must be one of 0 .. 1"),
    "no such action": ((0, 1), (2,), ValueError, r"actions\[0\] must be one of 0 .. 1; it is 2"),
    "too few states": ((0,), (0,), ValueError, "states must have length 2 at horizon 1; it has 1"),
    "too many": ((0, 1, 0), (0, 1), ValueError, "states must have length 2 at horizon 1"),
    "too few actions": ((0, 1), (), ValueError, "actions must have length 1 at horizon 1"),
    "swapped": ((0,), (0, 1), ValueError, "states must have length 2"),
    "a number": (0, (0,), TypeError, "states must be a list of whole numbers; it is 0"),
    "nothing": ((0, 1), None, TypeError, "actions must be a list of whole numbers; it is None"),
    "halves": ((0, 0.5), (0,), TypeError, "states must hold integers"),
    "truth values": ((0, 1), (True,), TypeError, "actions must hold integers"),
    "a word": ("01", (0,), TypeError, "states must be a list of whole numbers; it is '01'"),
    "a set": ({0, 1}, (0,), TypeError, "states must be a list of whole numbers"),
    "masked": (
        np.ma.masked_array([0, 1], [False, True]),
        (0,),
        TypeError,
        "states must be a list of whole numbers",
    ),
    "a table": (np.zeros((2, 1), int), (0,), TypeError, "states must be a list of whole numbers"),
    "NaN": ((0, float("nan")), (0,), TypeError, "states must hold integers"),
    "symbols": ((0, sp.Symbol("s")), (0,), TypeError, "states must hold integers"),
}
METHODS = {
    "probability": WORLD.probability,
    "return_of": WORLD.return_of,
    "score": lambda states, actions: WORLD.score(states, actions, theta_00),
}


@pytest.mark.parametrize("case", TRAJECTORIES.values(), ids=TRAJECTORIES)
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_what_is_no_trajectory_of_the_world_is_refused(method, case):
    states, actions, error, says = case
    with pytest.raises(error, match=says):
        method(states, actions)


def test_a_trajectory_may_come_as_an_array():
    by_tuple = WORLD.score((0, 1), (0,), theta_00)
    assert WORLD.score(np.array([0, 1]), np.array([0]), theta_00) == by_tuple != 0
    assert symbolic_world(2, 2, 1, observe=np.array([0, 0])) == symbolic_world(
        2, 2, 1, observe=[0, 0]
    )


@pytest.mark.parametrize(
    ("parameter", "error", "says"),
    [
        ("theta_00", TypeError, "parameter must be a symbol of the logits; it is 'theta_00'"),
        (0, TypeError, "parameter must be a symbol of the logits; it is 0"),
        (None, TypeError, "parameter must be a symbol"),
        (WORLD.pi[0][0], TypeError, "parameter must be a symbol"),
        (WORLD.R[0][0][0], ValueError, "R_000 is none of them, or another one of that name"),
        (sp.Symbol("theta_00"), ValueError, "theta_00 is none of them, or another one of that"),
        (symbolic_world(3, 2, 1).theta[2][0], ValueError, "theta_20 is none of them"),
    ],
)
def test_a_score_by_what_is_no_logit_is_refused_and_not_zero(parameter, error, says):
    with pytest.raises(error, match=says):
        WORLD.score((0, 1), (0,), parameter)


def test_a_world_whose_logits_share_a_parameter_has_a_score_by_it():
    # theta[o] = (x, -x) for both percepts: d log pi(first) / dx = 2 (1 - pi(first))
    x = sp.Symbol("x", real=True)
    world = replace(WORLD, theta=((x, -x), (x, -x)))
    first = sp.exp(x) / (sp.exp(x) + sp.exp(-x))
    assert sp.simplify(world.score((0, 1), (0,), x) - 2 * (1 - first)) == 0


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: symbolic_world(2, 2, 1, observe=3), TypeError, "observe must be a list of whole"),
        (lambda: symbolic_world(2, 2, 1, observe="01"), TypeError, "observe must be a list"),
        (lambda: symbolic_world(2, 2, 1, observe={0, 1}), TypeError, "observe must be a list"),
        (lambda: symbolic_world(2, 2, 1, observe=[False, True]), TypeError, "observe must hold"),
        (lambda: symbolic_world(2, 2, 1, observe=[]), ValueError, "observe must give 2 percepts"),
        (lambda: symbolic_world(2, 2, 1, observe=[0, -1]), ValueError, "observe must give 2"),
        (lambda: symbolic_world(2, 2, 1, observe=[[0, 1]]), TypeError, "observe must hold"),
        (
            lambda: symbolic_world(2, 2, 1, observe=np.ma.masked_array([0, 1], [0, 1])),
            TypeError,
            "observe must be a list",
        ),
        (
            lambda: symbolic_trajectory(dynamics_depend_on_theta="no"),
            TypeError,
            "dynamics_depend_on_theta must be True or False; it is 'no'",
        ),
        (lambda: symbolic_trajectory(dynamics_depend_on_theta=None), TypeError, "must be True or"),
        (lambda: symbolic_trajectory(dynamics_depend_on_theta=1), TypeError, "must be True or"),
        (lambda: log_of_product(None), TypeError, "expression must be a SymPy expression; it is N"),
        (lambda: log_of_product("x"), TypeError, "expression must be a SymPy expression; it is 'x"),
        (lambda: log_of_product([1]), TypeError, "expression must be a SymPy expression"),
        (lambda: log_of_product(True), TypeError, "expression must be a SymPy expression"),
        (lambda: log_of_product(sp.true), TypeError, "expression must be a SymPy expression"),
        (lambda: log_of_product(1j), TypeError, "expression must be a SymPy expression"),
        (
            lambda: log_of_product(sp.MatrixSymbol("M", 2, 2)),
            TypeError,
            "expression must be a SymPy expression",
        ),
        (lambda: log_of_product(sp.eye(2)), TypeError, "expression must be a SymPy expression"),
        (lambda: log_of_product(sp.Integer(0)), ValueError, "must be positive, to have a log"),
        (lambda: log_of_product(-2), ValueError, "must be positive, to have a logarithm; it is -2"),
        (lambda: log_of_product(float("nan")), ValueError, "must be positive"),
        (lambda: log_of_product(sp.oo), ValueError, "must be positive"),
        (lambda: log_of_product(sp.I), ValueError, "must be positive"),
    ],
)
def test_what_has_no_meaning_is_refused_by_name(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_the_logarithm_of_a_number_is_one():
    assert log_of_product(sp.Integer(6)) == sp.log(6)
    assert log_of_product(0.5) == sp.log(0.5)
