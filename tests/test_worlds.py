"""The book's worlds, entry by entry, and the closed forms that each was chosen for."""

from re import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policygrad.exact import enumerate_trajectories, expected_return, policy_gradient
from policygrad.mdp import MDP
from policygrad.policies import softmax_policy
from policygrad.worlds import (
    CORRIDOR_MAP,
    aliased_pair,
    bandit,
    gamma_trap,
    random_mdp,
    short_corridor,
    two_keys,
    two_state,
    vacuum_corridor,
    with_memory,
)
from random_worlds import examples


def logits(p):
    """One percept, two actions, pi(right) = p."""
    return np.array([[0.0, np.log(p / (1 - p))]])


PROBABILITY = st.floats(0.02, 0.98)

# --- bandit --------------------------------------------------------------------------------------


@examples(40)
@given(
    arms=st.lists(
        st.tuples(st.floats(-9, 9), st.floats(0, 1), st.floats(-3, 3)), min_size=1, max_size=5
    )
)
def test_a_bandit_earns_the_mean_of_chance_times_reward(arms):
    # J = sum_a pi(a) x_a with x_a = chance times reward; dJ/dtheta_b = pi(b) (x_b - J)
    rewards, chances, theta = np.array(arms).T
    mdp, pi = bandit(rewards, chances), softmax_policy(theta[None, :])
    J = pi[0] @ (chances * rewards)
    np.testing.assert_allclose(expected_return(mdp, pi), J, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        policy_gradient(mdp, theta[None, :])[0], pi[0] * (chances * rewards - J), atol=1e-13
    )


def test_an_arm_pays_always_unless_told_its_chances():
    # pi = (1/4, 3/4): J = (5 + 3 * 1) / 4 = 2, whatever falls back to 0 would make it less
    assert expected_return(bandit([5, 1]), [[0.25, 0.75]]) == 2.0


def test_a_bandit_is_one_decision_with_one_percept():
    mdp = bandit([1, 2, 3], [0, 0.5, 1])
    assert (mdp.S, mdp.A, mdp.O, mdp.horizon, mdp.gamma) == (3, 3, 1, 1, 1.0)
    assert mdp.states == ("start", "paid", "unpaid")
    np.testing.assert_array_equal(mdp.absorbing, [False, True, True])
    np.testing.assert_array_equal(mdp.P[0], [[0, 0, 1], [0, 0.5, 0.5], [0, 1, 0]])
    np.testing.assert_array_equal(mdp.R[0, :, 1:], [[1, 0], [2, 0], [3, 0]])


# --- two states ----------------------------------------------------------------------------------


@pytest.mark.parametrize("horizon", [1, 2, 3, 5])
def test_two_states_and_two_actions_make_four_to_the_horizon_trajectories(horizon):
    # one start; each step any of 2 actions, then any of 2 states
    assert len(enumerate_trajectories(two_state(horizon, gamma=1.0))) == 4**horizon


def test_three_steps_by_default_and_64_trajectories():
    assert len(enumerate_trajectories(two_state(gamma=1.0))) == 64


def test_two_states_by_hand():
    # Expected reward of (state, action): 0.2 * 1 = 0.2 and 0.3 * -0.2 + 0.7 * 0.8 = 0.5 in state 0;
    # 0.4 * 2 = 0.8 and 0.1 * -0.2 + 0.9 * 1.8 = 1.6 in state 1.  Uniform policy: 0.35 and 1.2.
    # Pr(s_1 = 1) = (0.2 + 0.7) / 2 = 0.45, so J = 0.35 + gamma (0.55 * 0.35 + 0.45 * 1.2)
    #   = 0.35 + 0.7325 gamma for H = 2.
    uniform = np.full((2, 2), 0.5)
    assert expected_return(two_state(1, gamma=1.0), uniform) == pytest.approx(0.35, rel=1e-14)
    assert expected_return(two_state(2, gamma=1.0), uniform) == pytest.approx(1.0825, rel=1e-14)
    assert expected_return(two_state(2, gamma=0.5), uniform) == pytest.approx(0.71625, rel=1e-14)


def test_push_makes_state_1_likelier_and_costs_a_fifth():
    mdp = two_state(gamma=1.0)
    wait, push = (mdp.actions.index(a) for a in ("wait", "push"))
    assert (mdp.P[:, push, 1] > mdp.P[:, wait, 1]).all()
    np.testing.assert_allclose(mdp.R[:, push] - mdp.R[:, wait], -0.2, rtol=1e-12)


# --- short corridor ------------------------------------------------------------------------------

# Sutton & Barto (2018), Example 13.1.  Bellman's equations with p = pi(right),
#   V0 = -1 + (1-p) V0 + p V1,  V1 = -1 + p V0 + (1-p) V2,  V2 = -1 + (1-p) V1,
# give J(p) = V0 = (2p - 4) / (p (1 - p)).


def J_corridor(p):
    return (2 * p - 4) / (p * (1 - p))


@examples(40)
@given(p=PROBABILITY)
def test_the_short_corridor_has_its_closed_form(p):
    J = expected_return(short_corridor(), [[1 - p, p]])
    assert J == pytest.approx(J_corridor(p), rel=1e-11)


@examples(40)
@given(p=PROBABILITY)
def test_the_slope_of_the_short_corridor_has_its_closed_form(p):
    # dJ/dp = (2p^2 - 8p + 4) / (p^2 (1-p)^2) by the quotient rule, and
    # dp/dtheta_right = p (1-p) = -dp/dtheta_left
    d = (2 * p**2 - 8 * p + 4) / (p * (1 - p))
    np.testing.assert_allclose(
        policy_gradient(short_corridor(), logits(p)), [[-d, d]], rtol=1e-9, atol=1e-10
    )


@pytest.mark.parametrize(
    ("p", "J"),
    [
        (0.95, -44.2105),  # the book's epsilon-greedy policies, epsilon = 0.1: "less than -44"
        (0.05, -82.1053),  # and "-82"
        (0.5, -12.0),  # V2 = -1 + V1/2, V0 = V1 - 2, so V1/4 = -5/2
        (2 - np.sqrt(2), -11.6569),  # "about -11.6" at "about 0.59"
    ],
)
def test_the_short_corridor_of_the_textbook(p, J):
    assert expected_return(short_corridor(), [[1 - p, p]]) == pytest.approx(J, abs=5e-5)


def test_the_best_policy_of_the_short_corridor_goes_right_with_2_minus_root_2():
    # 2p^2 - 8p + 4 = 0 in (0, 1); there J = -6 - 4 sqrt(2)
    p = 2 - np.sqrt(2)
    best = expected_return(short_corridor(), [[1 - p, p]])
    assert best == pytest.approx(-6 - 4 * np.sqrt(2), rel=1e-13)
    np.testing.assert_allclose(policy_gradient(short_corridor(), logits(p)), 0.0, atol=1e-12)
    for other in (p - 0.01, p + 0.01):
        assert expected_return(short_corridor(), [[1 - other, other]]) < best


def test_the_short_corridor_by_its_arrows():
    mdp = short_corridor()
    arrows = {("0", "left"): "0", ("0", "right"): "1", ("1", "left"): "2", ("1", "right"): "0",
              ("2", "left"): "1", ("2", "right"): "end"}  # fmt: skip
    for (s, a), to in arrows.items():
        row = mdp.P[mdp.states.index(s), mdp.actions.index(a)]
        assert row[mdp.states.index(to)] == 1.0
    np.testing.assert_array_equal(mdp.absorbing, [False, False, False, True])
    np.testing.assert_array_equal(mdp.R[:3], -1.0)
    np.testing.assert_array_equal(mdp.mu, [1, 0, 0, 0])
    assert (mdp.O, mdp.horizon, mdp.gamma) == (1, None, 1.0)


@pytest.mark.parametrize(
    ("pi", "names"),
    [
        ([[1.0, 0.0]], "0"),  # left in 0 stays
        ([[0.0, 1.0]], "0, 1"),  # right in 0 leads to 1, right in 1 leads back
    ],
)
def test_a_deterministic_policy_never_leaves_the_short_corridor(pi, names):
    with pytest.raises(ValueError, match=rf"may never end.*from state {names}$"):
        expected_return(short_corridor(), pi)


@pytest.mark.parametrize(("right", "names"), [(-1e4, "0"), (1e4, "0, 1")])
def test_logits_so_large_that_the_policy_is_deterministic_are_found_out(right, names):
    with pytest.raises(ValueError, match=rf"may never end.*from state {names}$"):
        policy_gradient(short_corridor(), [[0.0, right]])


# --- two keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("p", "q"), [(0.3, 0.6), (0.9, 0.2)])
@pytest.mark.parametrize(("silver", "gold"), [(1.0, 2.0), (0.7, -1.5)])
def test_the_two_keys_earn_their_closed_form(p, q, silver, gold):
    # the four episodes: a key pays only in its own door, and the choices are independent
    J = expected_return(two_keys(silver, gold), [[1 - p, p], [1 - q, q]])
    assert J == pytest.approx((1 - p) * (1 - q) * silver + p * q * gold, rel=1e-14)


def test_with_the_key_felt_each_room_has_a_row_of_its_own():
    world = two_keys(1.0, 2.0, felt=True)
    seen = expected_return(world, [[0.5, 0.5], [1, 0], [0, 1]])
    assert seen == pytest.approx(1.5)
    assert (world.O, two_keys().O) == (3, 2)
    assert world.percepts[world.observe[world.states.index("silver")]] == "silver"


# --- gamma trap ----------------------------------------------------------------------------------


@examples(30)
@given(p=PROBABILITY, gamma=st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]))
def test_the_gamma_trap_has_its_closed_form(p, gamma):
    # right pays 1 at t = 0; at t = 1 left pays 2.5, right leads to 8 at t = 4
    J = p + gamma * 2.5 * (1 - p) + gamma**4 * 8 * p
    assert expected_return(gamma_trap(gamma), [[1 - p, p]]) == pytest.approx(J, rel=1e-12)


@pytest.mark.parametrize(
    ("gamma", "direction"),
    [
        (0.5, 0.25),  # 1 - 2.5/2 + 8/16
        (1.0, 6.5),  # 1 - 2.5 + 8
    ],
)
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_gamma_trap_climbs_to_the_right(gamma, direction, p):
    # dJ/dtheta_right = p (1-p) dJ/dp, and dJ/dp does not depend on p
    d = direction * p * (1 - p)
    np.testing.assert_allclose(policy_gradient(gamma_trap(gamma), logits(p)), [[-d, d]], rtol=1e-11)


def test_the_gamma_trap_is_discounted_by_a_half_and_has_one_percept():
    mdp = gamma_trap(gamma=0.5)
    assert (mdp.gamma, mdp.O, mdp.horizon) == (0.5, 1, None)
    np.testing.assert_array_equal(mdp.absorbing, [False] * 5 + [True])
    # 2 actions first; then left and over, or right and three more steps of 2 actions: 2 (1 + 2^3)
    assert len(enumerate_trajectories(mdp)) == 18


# --- vacuum corridor -----------------------------------------------------------------------------

# #######
# #12345#     cells 1 .. 5 are r1c1 .. r1c5; below 1 and 5 a hamster, below 3 the dust
# #h#D#h#
# #######


def inward(q):
    """In the aliased cells right with chance q, else left; elsewhere straight to the dust."""
    mdp = vacuum_corridor()
    go = {
        "NW": {"right": 1},
        "NS": {"right": q, "left": 1 - q},
        "N": {"down": 1},
        "NE": {"left": 1},
        "ESW": {"down": 1},
    }
    pi = np.zeros((mdp.O, mdp.A))
    for percept, actions in go.items():
        for action, chance in actions.items():
            pi[mdp.percepts.index(percept), mdp.actions.index(action)] = chance
    return mdp, pi


def test_cells_with_the_same_walls_are_one_percept():
    mdp = vacuum_corridor()
    felt = {name: mdp.percepts[o] for name, o in zip(mdp.states, mdp.observe, strict=True)}
    assert felt == {
        "r1c1": "NW", "r1c2": "NS", "r1c3": "N", "r1c4": "NS", "r1c5": "NE",
        "r2c1": "ESW", "r2c3": "ESW", "r2c5": "ESW",
    }  # fmt: skip


def test_moves_of_the_vacuum_corridor():
    mdp = vacuum_corridor()
    moves = {
        "r1c1": ("r1c1", "r1c2", "r2c1"), "r1c2": ("r1c1", "r1c3", "r1c2"),
        "r1c3": ("r1c2", "r1c4", "r2c3"), "r1c4": ("r1c3", "r1c5", "r1c4"),
        "r1c5": ("r1c4", "r1c5", "r2c5"),
    }  # fmt: skip
    assert mdp.actions == ("left", "right", "down")
    for s, targets in moves.items():
        for a, to in enumerate(targets):
            assert mdp.P[mdp.states.index(s), a, mdp.states.index(to)] == 1.0
    ends = [name for name, end in zip(mdp.states, mdp.absorbing, strict=True) if end]
    assert ends == ["r2c1", "r2c3", "r2c5"]


def test_rewards_of_the_vacuum_corridor():
    # minus 1 a step, bumps into walls included; the dust adds 0, a hamster -10
    mdp = vacuum_corridor()
    expected = np.full(mdp.S, -1.0)
    expected[[mdp.states.index("r2c1"), mdp.states.index("r2c5")]] = -11.0
    for s in np.flatnonzero(~mdp.absorbing):
        for a in range(mdp.A):
            to = mdp.P[s, a].argmax()
            assert mdp.R[s, a, to] == expected[to]


def test_rewards_of_the_vacuum_corridor_can_be_chosen():
    mdp = vacuum_corridor(step_reward=-2.0, dust_reward=20.0, hamster_reward=-7.0)
    s, down = mdp.states.index, mdp.actions.index("down")
    assert mdp.R[s("r1c3"), down, s("r2c3")] == 18.0
    assert mdp.R[s("r1c1"), down, s("r2c1")] == -9.0
    assert mdp.R[s("r1c2"), down, s("r1c2")] == -2.0


@examples(30)
@given(q=PROBABILITY)
def test_the_mean_number_of_steps_is_one_half_and_1_over_q_and_1_over_1_minus_q(q):
    # T3 = 1; T2 = 1 + q T3 + (1-q) T1 and T1 = 1 + T2 give T2 = 2/q, T1 = 1 + 2/q; likewise
    # T4 = 2/(1-q), T5 = 1 + T4.  Their mean over 1, 2, 4, 5 is 1/2 + 1/q + 1/(1-q).
    mdp, pi = inward(q)
    assert -expected_return(mdp, pi) == pytest.approx(1 / 2 + 1 / q + 1 / (1 - q), rel=1e-11)


@pytest.mark.parametrize(("q", "names"), [(0.0, "r1c1, r1c2"), (1.0, "r1c4, r1c5")])
def test_a_deterministic_cleaner_goes_to_and_fro_for_ever(q, names):
    # q = 0: 2 -> 1 -> 2 ...; q = 1: 4 -> 5 -> 4 ...
    mdp, pi = inward(q)
    with pytest.raises(ValueError, match=f"from state {names}$"):
        expected_return(mdp, pi)


def test_large_logits_are_the_same_as_an_explicit_policy():
    # in the aliased cells left and right equally likely: 1/2 + 2 + 2 = 4.5 steps
    mdp, pi = inward(0.5)
    theta = np.where(pi > 0, 0.0, -1e4)
    assert expected_return(mdp, softmax_policy(theta)) == pytest.approx(-4.5, rel=1e-13)
    gradient = policy_gradient(mdp, theta)
    # at q = 1/2 the mean number of steps is least, and no logit of -1e4 has any slope
    np.testing.assert_allclose(gradient, 0.0, atol=1e-12)


def test_with_nothing_hidden_the_cleaner_walks_straight_to_the_dust():
    # 3, 2, 2, 3 steps from the cells 1, 2, 4, 5: 2.5 on average
    mdp = vacuum_corridor(observed=True)
    assert mdp.O == mdp.S and mdp.percepts == mdp.states
    way = {"r1c1": "right", "r1c2": "right", "r1c3": "down", "r1c4": "left", "r1c5": "left"}
    pi = np.zeros((mdp.O, mdp.A))
    for o, name in enumerate(mdp.percepts):
        pi[o, mdp.actions.index(way.get(name, "down"))] = 1.0
    assert expected_return(mdp, pi) == -2.5


def test_the_cleaner_starts_anywhere_but_above_the_dust():
    mdp = vacuum_corridor()
    assert dict(zip(mdp.states, mdp.mu, strict=True)) == {
        "r1c1": 0.25, "r1c2": 0.25, "r1c3": 0.0, "r1c4": 0.25, "r1c5": 0.25,
        "r2c1": 0.0, "r2c3": 0.0, "r2c5": 0.0,
    }  # fmt: skip


def test_the_cleaner_starts_where_it_is_told():
    mdp = vacuum_corridor(starts="r1c3 r1c1")
    np.testing.assert_array_equal(mdp.mu, [0.5, 0, 0.5, 0, 0, 0, 0, 0])


def test_any_drawing_will_do():
    # an open cell feels no wall; rows may be of different lengths as long as walls close them
    mdp = vacuum_corridor("####\n#..#\n#...#\n#.D.#\n#####")
    felt = {name: mdp.percepts[o] for name, o in zip(mdp.states, mdp.observe, strict=True)}
    assert felt == {
        "r1c1": "NW", "r1c2": "NE", "r2c1": "W", "r2c2": "open", "r2c3": "NE",
        "r3c1": "SW", "r3c2": "S", "r3c3": "ES",
    }  # fmt: skip
    starts = [name for name, p in zip(mdp.states, mdp.mu, strict=True) if p]
    assert starts == ["r1c1", "r1c2", "r2c1", "r2c3", "r3c1", "r3c3"]  # not r2c2: the dust is below
    np.testing.assert_allclose(mdp.mu[mdp.mu > 0], 1 / 6)


def test_the_map_of_the_book_is_the_default():
    np.testing.assert_array_equal(vacuum_corridor().P, vacuum_corridor(CORRIDOR_MAP).P)


# --- random worlds -------------------------------------------------------------------------------

SIZES = st.tuples(st.integers(1, 6), st.integers(1, 4))


@examples(60)
@given(size=SIZES, data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_a_random_world_is_what_was_asked_for(size, data, seed):
    S, A = size
    O, successors = data.draw(st.integers(1, S)), data.draw(st.integers(1, S))
    absorbing = data.draw(st.integers(0, S - 1))
    start = data.draw(st.sampled_from(["random", "uniform", "first"]))
    mdp = random_mdp(
        np.random.default_rng(seed), S, A, O=O, successors=successors, start=start,
        absorbing=absorbing, horizon=2, gamma=0.5,
    )  # fmt: skip
    assert (mdp.S, mdp.A, mdp.O, mdp.horizon, mdp.gamma) == (S, A, O, 2, 0.5)
    assert mdp.absorbing.tolist() == [False] * (S - absorbing) + [True] * absorbing
    going = S - absorbing
    assert ((mdp.P[:going] > 0).sum(axis=2) == successors).all()
    assert (mdp.R[:going] != 0).all() and not mdp.R[going:].any()
    assert not mdp.mu[going:].any()
    if start == "first":
        assert mdp.mu[0] == 1.0
    elif start == "uniform":
        np.testing.assert_allclose(mdp.mu[:going], 1 / going)
    else:
        assert (mdp.mu[:going] > 0).all() and (going == 1 or len(set(mdp.mu[:going])) == going)


def test_the_successors_of_a_random_world_are_drawn_for_each_action_of_each_state():
    mdp = random_mdp(np.random.default_rng(0), 6, 20, successors=2, gamma=0.5)
    # each of 6 states is missed by 20 draws of 2 in 6 with probability (2/3)^20 = 0.0003
    assert (mdp.P > 0).any(axis=1).all()
    assert ((mdp.P > 0).sum(axis=2) == 2).all()


@examples(30)
@given(seed=st.integers(0, 2**32 - 1), successors=st.integers(1, 5), absorbing=st.integers(1, 4))
def test_with_absorbing_states_every_policy_ends(seed, successors, absorbing):
    mdp = random_mdp(
        np.random.default_rng(seed), 5, 2, successors=successors, absorbing=absorbing, gamma=1.0
    )
    assert (mdp.P[:, :, 5 - absorbing :].sum(axis=2) > 0).all()
    mdp.require_ending(np.eye(2)[[0, 1, 0, 1, 0]], start=np.ones(5, bool))


def test_nothing_is_hidden_in_a_random_world_unless_asked_for():
    mdp = random_mdp(np.random.default_rng(0), horizon=1, gamma=1.0)
    assert (mdp.S, mdp.A, mdp.O) == (4, 3, 4) and sorted(mdp.observe) == [0, 1, 2, 3]
    assert (mdp.P > 0).all() and not mdp.absorbing.any() and mdp.gamma == 1.0


def test_percepts_are_spread_at_random():
    # each of the 6 ways in which 3 states share 2 percepts, up to names, comes up
    rng = np.random.default_rng(1)
    seen = {tuple(random_mdp(rng, 3, 1, O=2, horizon=1, gamma=1.0).observe) for _ in range(200)}
    assert seen == {(0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1)}


def test_a_random_world_depends_on_nothing_but_the_random_state():
    a, b = (random_mdp(np.random.default_rng(7), 5, 2, O=3, gamma=0.9) for _ in range(2))
    other = random_mdp(np.random.default_rng(8), 5, 2, O=3, gamma=0.9)
    np.testing.assert_array_equal(a.P, b.P)
    np.testing.assert_array_equal(a.R, b.R)
    np.testing.assert_array_equal(a.mu, b.mu)
    np.testing.assert_array_equal(a.observe, b.observe)
    assert (a.P != other.P).any()


@pytest.mark.parametrize(
    "settings",
    [dict(horizon=4, gamma=1.0), dict(gamma=0.5), dict(absorbing=1, gamma=1.0)],
)
def test_any_one_of_horizon_discount_and_absorbing_states_makes_J_finite(settings):
    mdp = random_mdp(np.random.default_rng(3), **settings)
    assert np.isfinite(expected_return(mdp, np.full((4, 3), 1 / 3)))


# --- what is refused -----------------------------------------------------------------------------


def drawn(**options):
    return random_mdp(np.random.default_rng(0), **{"horizon": 1, "gamma": 1.0, **options})


NAN = float("nan")
REFUSED = {
    # bandit
    "more chances than arms": (
        lambda: bandit([1, 2], [1]),
        "rewards and chances must be two lists of one length, an entry per arm; "
        "they have shapes (2,) and (1,)",
    ),
    "a matrix of arms": (lambda: bandit([[1, 2]]), "they have shapes (1, 2) and (1, 2)"),
    "a lone number": (lambda: bandit(3), "they have shapes () and ()"),
    "no arm": (lambda: bandit([]), "rewards must hold an entry for one arm at least; it holds"),
    "a chance above 1": (
        lambda: bandit([1, 2], [1.5, 1]),
        "chances[0] must be a probability; it is 1.5",
    ),
    "a chance below 0": (
        lambda: bandit([1, 2], [1, -1]),
        "chances[1] must be a probability; it is -1",
    ),
    "a chance of nan": (lambda: bandit([1, 2], [1, NAN]), "chances[1] must be finite; it is nan"),
    "a reward of nan": (lambda: bandit([1, NAN]), "rewards[1] must be finite; it is nan"),
    "ragged arms": (lambda: bandit([[1], [1, 2]]), "rewards must be a rectangular array"),
    # vacuum corridor
    "unknown sign": (
        lambda: vacuum_corridor("####\n#.x#\n#D##\n####"),
        "drawing, row 1, column 2: 'x' is not one of # . D h",
    ),
    "open to the east": (
        lambda: vacuum_corridor("###\n#.\n#D#\n###"),
        "drawing, row 1, column 1: '.' has no wall on its side E",
    ),
    "open to the west": (
        lambda: vacuum_corridor("###\n..#\n#D#\n###"),
        "drawing, row 1, column 0: '.' has no wall on its side W",
    ),
    "open to the north": (
        lambda: vacuum_corridor("#.#\n#D#\n###"),
        "drawing, row 0, column 1: '.' has no wall on its side N",
    ),
    "open to the south": (
        lambda: vacuum_corridor("###\n#.#\n#D#"),
        "drawing, row 2, column 1: 'D' has no wall on its side S",
    ),
    "open above, where the row is too short": (
        lambda: vacuum_corridor("##\n#.D#\n####"),
        "drawing, row 1, column 2: 'D' has no wall on its side N",
    ),
    "open below, where the row is too short": (
        lambda: vacuum_corridor("####\n#D.#\n##"),
        "drawing, row 1, column 2: '.' has no wall on its side S",
    ),
    "no dust": (lambda: vacuum_corridor("###\n#.#\n#h#\n###"), "drawing has no dust ('D')"),
    "no floor": (lambda: vacuum_corridor("###\n#D#\n###"), "drawing has no floor ('.')"),
    "an empty drawing": (lambda: vacuum_corridor(""), "drawing has no dust ('D')"),
    "unknown start": (
        lambda: vacuum_corridor("###\n#.#\n#D#\n###", starts="r1c1 r9c9"),
        "starts must name cells, r1c1, r2c1; it names 'r9c9'",
    ),
    "a start named twice": (
        lambda: vacuum_corridor(starts="r1c1 r1c2 r1c1"),
        "starts must name a cell once; it names 'r1c1' twice",
    ),
    "no start named": (
        lambda: vacuum_corridor(starts=" "),
        "no cell is left to start from; name one in starts",
    ),
    "all floor above the dust": (
        lambda: vacuum_corridor("###\n#.#\n#D#\n###"),
        "no cell is left to start from; name one in starts",
    ),
    "a step that costs nan": (
        lambda: vacuum_corridor(step_reward=NAN),
        "step_reward must be finite; it is nan",
    ),
    # the sizes of the others
    "two_state without a step": (
        lambda: two_state(0, gamma=1.0),
        "horizon must be at least 1; it is 0",
    ),
    "two_state discounted by 2": (lambda: two_state(gamma=2), "gamma must lie in [0, 1]; it is 2"),
    "gamma_trap discounted by nan": (
        lambda: gamma_trap(NAN),
        "gamma must lie in [0, 1]; it is nan",
    ),
    "aliased_pair discounted by nan": (
        lambda: aliased_pair(gamma=NAN),
        "gamma must lie in [0, 1]; it is nan",
    ),
    "aliased_pair of an infinite reward": (
        lambda: aliased_pair(np.inf, gamma=0.5),
        "reward must be finite; it is inf",
    ),
    "a memory that no machine holds": (
        lambda: with_memory(two_state(gamma=1.0), 10**6),
        "the worlds with size = 1,000,000 would take about",
    ),
    # random worlds
    "a world that no machine holds": (
        lambda: drawn(S=10**6),
        "the worlds with S = 1,000,000 and A = 3 would take about 72.0 TB of memory",
    ),
    "an array of starts": (
        lambda: drawn(start=np.array([1.0, 0, 0, 0])),
        "start must be one of random, uniform, first; it is array([1., 0., 0., 0.])",
    ),
    "no kind of start": (
        lambda: drawn(start=None),
        "start must be one of random, uniform, first; it is None",
    ),
    "a horizon of 0": (lambda: drawn(horizon=0), "horizon must be at least 1; it is 0"),
    "no state": (lambda: drawn(S=0), "S must be at least 1; it is 0"),
    "no action": (lambda: drawn(A=0), "A must be at least 1; it is 0"),
    "no percept": (lambda: drawn(O=0), "O must be at least 1, at most 4; it is 0"),
    "more percepts than states": (lambda: drawn(O=5), "O must be at least 1, at most 4; it is 5"),
    "no successor": (
        lambda: drawn(successors=0),
        "successors must be at least 1, at most 4; it is 0",
    ),
    "more successors than states": (lambda: drawn(successors=5), "at most 4; it is 5"),
    "absorbing below 0": (
        lambda: drawn(absorbing=-1),
        "absorbing must be at least 0, at most 3; it is -1",
    ),
    "nothing but absorbing states": (
        lambda: drawn(absorbing=4),
        "absorbing must be at least 0, at most 3; it is 4",
    ),
    "no end": (
        lambda: drawn(horizon=None),
        "J would be infinite: give a horizon, gamma < 1 or an absorbing state",
    ),
    "unknown kind of start": (
        lambda: drawn(start="last"),
        "start must be one of random, uniform, first; it is 'last'",
    ),
    "discounted by 1.5": (lambda: drawn(gamma=1.5), "gamma must lie in [0, 1]; it is 1.5"),
}


@pytest.mark.parametrize(("call", "words"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_world_is_refused(call, words):
    with pytest.raises(ValueError, match=escape(words)):
        call()


NO_NUMBERS = {
    "rng None": (
        lambda: random_mdp(None, gamma=1.0),
        "rng must be a numpy.random.Generator; it is NoneType",
    ),
    "rng a seed": (
        lambda: random_mdp(7, gamma=1.0),
        "rng must be a numpy.random.Generator; it is int",
    ),
    "S 2.5": (lambda: drawn(S=2.5), "S must be a whole number; it is 2.5"),
    "S a string": (lambda: drawn(S="4"), "S must be a whole number; it is '4'"),
    "A None": (lambda: drawn(A=None), "A must be a whole number; it is None"),
    "O 2.0": (lambda: drawn(O=2.0), "O must be a whole number; it is 2.0"),
    "successors True": (lambda: drawn(successors=True), "successors must be a whole number"),
    "absorbing 0.5": (lambda: drawn(absorbing=0.5), "absorbing must be a whole number; it is 0.5"),
    "no discount": (lambda: drawn(gamma=None), "gamma must be a number in [0, 1]; it is None"),
    "an array of discounts": (
        lambda: aliased_pair(gamma=np.array([0.5, 0.9])),
        "gamma must be a number in [0, 1]; it is array([0.5, 0.9])",
    ),
    "a reward of letters": (
        lambda: aliased_pair(reward="a", gamma=0.5),
        "reward must hold real numbers; it holds <U1",
    ),
    "no map": (lambda: vacuum_corridor(None), "drawing must be a string of rows"),
    "a map in rows": (lambda: vacuum_corridor(["###"]), "drawing must be a string of rows"),
    "a step without reward": (
        lambda: vacuum_corridor(step_reward=None),
        "step_reward must hold real numbers; it is None",
    ),
    "a complex reward of dust": (
        lambda: vacuum_corridor(dust_reward=1j),
        "dust_reward must hold real numbers; it holds complex128",
    ),
    "a hamster of strings": (
        lambda: vacuum_corridor(hamster_reward="-10"),
        "hamster_reward must hold real numbers; it holds <U3",
    ),
    "starts in a list": (
        lambda: vacuum_corridor(starts=["r1c1"]),
        'starts must be a string of names, "r1c1 r1c2", or None; it is of type list',
    ),
    "observed by a word": (
        lambda: vacuum_corridor(observed="no"),
        "observed must be True or False; it is 'no'",
    ),
    "a memory of nothing": (lambda: with_memory(2, 2), "mdp must be an MDP; it is of type int"),
    "masked arms": (
        lambda: bandit(np.ma.masked_greater([1.0, 5.0], 2)),
        "rewards must not be a masked array",
    ),
    "masked chances": (
        lambda: bandit([1, 2], np.ma.masked_greater([0.1, 0.5], 0.2)),
        "chances must not be a masked array",
    ),
    "a horizon of 2.5": (
        lambda: two_state(2.5, gamma=1.0),
        "horizon must be a whole number; it is 2.5",
    ),
    "arms of strings": (lambda: bandit(["1", "2"]), "rewards must hold real numbers; it holds <U1"),
    "chances of objects": (lambda: bandit([1], [None]), "chances must hold real numbers"),
}


@pytest.mark.parametrize(("call", "words"), NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_is_no_number_or_no_generator_makes_no_world(call, words):
    with pytest.raises(TypeError, match=escape(words)):
        call()


# --- aliased pair --------------------------------------------------------------------------------


@pytest.mark.parametrize(("reward", "gamma"), [(1.0, 0.9), (3.0, 0.5), (2.0, 0.0)])
def test_in_the_aliased_pair_chance_beats_any_fixed_action(reward, gamma):
    # always go: +R once, then -R for ever; by chance 1/2 each step is worth 0
    world = aliased_pair(reward, gamma=gamma)
    go, turn = ([[1.0, 0.0]], [[0.0, 1.0]])
    np.testing.assert_allclose(
        expected_return(world, go), reward - gamma * reward / (1 - gamma), rtol=1e-12, atol=1e-12
    )
    np.testing.assert_allclose(expected_return(world, turn), -reward / (1 - gamma), rtol=1e-12)
    np.testing.assert_allclose(expected_return(world, [[0.5, 0.5]]), 0.0, atol=1e-12)


def test_the_aliased_pair_is_the_same_from_either_start_with_the_actions_exchanged():
    for p in (0.0, 0.3, 0.8):
        one = expected_return(aliased_pair(start=0, gamma=0.9), [[p, 1 - p]])
        other = expected_return(aliased_pair(start=1, gamma=0.9), [[1 - p, p]])
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_the_aliased_pair_seen_earns_the_reward_at_every_step():
    # go in 0 and turn in 1: +R always, R / (1 - gamma); one bit of memory can do it too
    world = with_memory(aliased_pair(2.0, gamma=0.75))
    go_then_one, turn_then_zero = np.eye(4)[1], np.eye(4)[2]
    np.testing.assert_allclose(
        expected_return(world, [go_then_one, turn_then_zero]), 2.0 / 0.25, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: aliased_pair(gamma=1.0), "gamma must be below 1: this world has no end"),
        (lambda: aliased_pair(start=2, gamma=0.9), "start must be at least 0, at most 1; it is 2"),
        (lambda: with_memory(two_state(gamma=1.0), 0), "size must be at least 1; it is 0"),
    ],
)
def test_pairs_and_memories_name_what_is_wrong(call, says):
    with pytest.raises(ValueError, match=escape(says)):
        call()


def test_the_size_of_a_memory_is_a_whole_number():
    with pytest.raises(TypeError, match=escape("size must be a whole number; it is 1.5")):
        with_memory(two_state(gamma=1.0), 1.5)


# --- memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_memory_that_is_not_used_changes_nothing(size):
    rng = np.random.default_rng(size)
    plain = random_mdp(rng, 5, 2, O=3, absorbing=1, gamma=0.9)
    pi = rng.dirichlet(np.ones(2), size=3)
    # whatever is remembered, act by the percept; remember at random
    forgetful = np.einsum("oa,kj->okaj", pi, rng.dirichlet(np.ones(size), size=size))
    np.testing.assert_allclose(
        expected_return(with_memory(plain, size), forgetful.reshape(3 * size, 2 * size)),
        expected_return(plain, pi),
        rtol=1e-12,
    )


def test_a_memory_of_the_last_action_lets_a_policy_alternate():
    # two steps of a bandit-like world: reward 1 for action t at step t.  One percept, so without
    # memory the best is 1 on average; remembering that a step was taken earns 2.
    P = np.zeros((3, 2, 3))
    P[0, :, 1] = P[1, :, 2] = P[2, :, 2] = 1.0
    R = np.zeros((3, 2, 3))
    R[0, 0, 1] = R[1, 1, 2] = 1.0
    world = MDP(P, R, [1, 0, 0], horizon=2, observe=[0, 0, 0], gamma=1.0)
    assert max(expected_return(world, [[p, 1 - p]]) for p in np.linspace(0, 1, 101)) <= 1 + 1e-12
    first, second = np.eye(4)[0 * 2 + 1], np.eye(4)[1 * 2 + 0]
    assert expected_return(with_memory(world), [first, second]) == 2.0


def test_with_a_memory_names_and_ends_are_kept():
    world = with_memory(vacuum_corridor(), 2)
    assert (world.S, world.A, world.O) == (16, 6, 10)
    np.testing.assert_array_equal(world.absorbing, np.repeat(vacuum_corridor().absorbing, 2))
    assert world.percepts[:2] == ("NW memory 0", "NW memory 1")
    assert world.actions[1] == "left remember 1"
    assert world.mu.sum() == 1.0
    assert world.mu[1::2].sum() == 0.0
