"""The decision process: what it accepts, what it refuses and in which words, and when it ends."""

import copy
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from fractions import Fraction
from re import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policygrad.mdp import MDP, reachable
from policygrad.validate import require_policy
from random_worlds import examples, worlds

NAN, INF = float("nan"), float("inf")


def arrays(S=2, A=2):
    """P, R, mu of a sound world: every row uniform, rewards 0, 1, 2, ..., start in 0."""
    return (
        np.full((S, A, S), 1 / S),
        np.arange(S * A * S, dtype=float).reshape(S, A, S),
        np.eye(S)[0],
    )


def build(**changes):
    """A sound world of two states and two actions, but for the changes."""
    P, R, mu = arrays()
    return MDP(**{"P": P, "R": R, "mu": mu, "horizon": 3, "gamma": 1.0, **changes})


def at(array, place, value):
    array = np.array(array, float)
    array[place] = value
    return array


P, R, MU = arrays()

# --- what is refused, and in which words ---------------------------------------------------------

REFUSED = {
    # shapes
    "P is a matrix": (
        dict(P=np.eye(2)),
        ValueError,
        "P must have shape (S, A, S) with S, A >= 1; it has (2, 2)",
    ),
    "P is not square": (dict(P=np.full((2, 2, 3), 1 / 3)), ValueError, "it has (2, 2, 3)"),
    "P has no action": (dict(P=np.zeros((2, 0, 2))), ValueError, "it has (2, 0, 2)"),
    "P has no state": (dict(P=np.zeros((0, 2, 0))), ValueError, "it has (0, 2, 0)"),
    "P is a number": (dict(P=1.0), ValueError, "it has ()"),
    "R per state and action": (
        dict(R=np.zeros((2, 2))),
        ValueError,
        "R must have the shape of P, (2, 2, 2); it has (2, 2)",
    ),
    "R of another world": (dict(R=np.zeros((3, 2, 3))), ValueError, "it has (3, 2, 3)"),
    "mu too long": (dict(mu=[1, 0, 0]), ValueError, "mu must have shape (S,) = (2,); it has (3,)"),
    "mu is a column": (dict(mu=[[1], [0]]), ValueError, "it has (2, 1)"),
    "P ragged": (
        dict(P=[[[1, 0], [1, 0]], [[1, 0]]]),
        ValueError,
        "P must be a rectangular array of numbers; its rows differ",
    ),
    "R ragged": (dict(R=[[1], [1, 2]]), ValueError, "R must be a rectangular array"),
    "mu ragged": (dict(mu=[[1], [1, 2]]), ValueError, "mu must be a rectangular array"),
    # not numbers
    "P complex": (
        dict(P=P.astype(complex)),
        TypeError,
        "P must hold real numbers; it holds complex128",
    ),
    "P boolean": (dict(P=P > 0), TypeError, "P must hold real numbers; it holds bool"),
    "R strings": (dict(R=R.astype(str)), TypeError, "R must hold real numbers; it holds <U"),
    "R objects": (dict(R=R.astype(object)), TypeError, "R must hold real numbers; it holds object"),
    "mu None": (dict(mu=None), TypeError, "mu must hold real numbers; it is None"),
    "P nan": (dict(P=at(P, (1, 0, 1), NAN)), ValueError, "P[1, 0, 1] must be finite; it is nan"),
    "P inf": (dict(P=at(P, (0, 1, 0), INF)), ValueError, "P[0, 1, 0] must be finite; it is inf"),
    "R nan": (dict(R=at(R, (1, 1, 0), NAN)), ValueError, "R[1, 1, 0] must be finite; it is nan"),
    "R -inf": (dict(R=at(R, (0, 0, 1), -INF)), ValueError, "R[0, 0, 1] must be finite; it is -inf"),
    "mu nan": (dict(mu=[1, NAN]), ValueError, "mu[1] must be finite; it is nan"),
    # not probabilities
    "P negative": (
        dict(P=at(P, (1, 0), [1.25, -0.25])),
        ValueError,
        "P[1, 0, 1] must be a probability; it is -0.25",
    ),
    "mu negative": (dict(mu=[1.5, -0.5]), ValueError, "mu[1] must be a probability; it is -0.5"),
    "P sums to less": (
        dict(P=at(P, (1, 1, 0), 0.4)),
        ValueError,
        "P[1, 1] must sum to 1; it sums to 0.9",
    ),
    "P sums to more": (dict(P=at(P, (0, 1), 1)), ValueError, "P[0, 1] must sum to 1; it sums to 2"),
    "P sums to nearly 1": (
        dict(P=at(P, (0, 0, 0), 0.5 + 1e-9)),
        ValueError,
        "P[0, 0] must sum to 1; it sums to 1.000000001",
    ),
    "mu sums to less": (dict(mu=[0.5, 0.25]), ValueError, "mu must sum to 1; it sums to 0.75"),
    "mu sums to more": (dict(mu=[1, 1]), ValueError, "mu must sum to 1; it sums to 2"),
    "mu is all zeros": (dict(mu=[0, 0]), ValueError, "mu must sum to 1; it sums to 0"),
    "P transposed": (  # columns sum to 1, rows do not
        dict(P=np.array([[[0.9, 0.4]] * 2, [[0.1, 0.6]] * 2])),
        ValueError,
        "P[0, 0] must sum to 1; it sums to 1.3",
    ),
    # percepts
    "observe with a gap": (
        dict(observe=[0, 2]),
        ValueError,
        "observe must use the percept numbers 0 .. O-1 without gaps; it uses 2 but not 1",
    ),
    "observe from 1": (dict(observe=[1, 1]), ValueError, "it uses 1 but not 0"),
    "observe negative": (
        dict(observe=[0, -1]),
        ValueError,
        "observe[1] must be a percept number 0, 1, ...; it is -1",
    ),
    "observe too short": (
        dict(observe=[0]),
        ValueError,
        "observe must have shape (S,) = (2,); it has (1,)",
    ),
    "observe too deep": (dict(observe=[[0, 1]]), ValueError, "it has (1, 2)"),
    "observe of floats": (
        dict(observe=[0.0, 1.0]),
        TypeError,
        "observe must hold integers; it holds float64",
    ),
    "observe of booleans": (
        dict(observe=[False, True]),
        TypeError,
        "observe must hold integers; it holds bool",
    ),
    "observe of names": (
        dict(observe=["a", "b"]),
        TypeError,
        "observe must hold integers; it holds <U1",
    ),
    "observe ragged": (dict(observe=[[0], [0, 1]]), ValueError, "observe must"),
    "observe absurd": (dict(observe=[0, 10**15]), ValueError, "it uses 1000000000000000 but not 1"),
    # discount
    "gamma above 1": (dict(gamma=1.5), ValueError, "gamma must lie in [0, 1]; it is 1.5"),
    "gamma below 0": (dict(gamma=-0.1), ValueError, "gamma must lie in [0, 1]; it is -0.1"),
    "gamma nan": (dict(gamma=NAN), ValueError, "gamma must lie in [0, 1]; it is nan"),
    "gamma boolean": (dict(gamma=True), TypeError, "gamma must be a number in [0, 1]; it is True"),
    "gamma a string": (
        dict(gamma="0.9"),
        TypeError,
        "gamma must be a number in [0, 1]; it is '0.9'",
    ),
    "gamma None": (dict(gamma=None), TypeError, "gamma must be a number in [0, 1]; it is None"),
    "gamma complex": (dict(gamma=0.5j), TypeError, "gamma must be a number in [0, 1]; it is 0.5j"),
    # horizon
    "horizon 0": (dict(horizon=0), ValueError, "horizon must be at least 1; it is 0"),
    "horizon negative": (dict(horizon=-3), ValueError, "horizon must be at least 1; it is -3"),
    "horizon 1.5": (
        dict(horizon=1.5),
        TypeError,
        "horizon must be a whole number; it is 1.5",
    ),
    "horizon 2.0": (dict(horizon=2.0), TypeError, "it is 2.0"),
    "horizon True": (dict(horizon=True), TypeError, "it is True"),
    "horizon inf": (dict(horizon=INF), TypeError, "it is inf"),
    "horizon a string": (dict(horizon="3"), TypeError, "it is '3'"),
    # names
    "too few states": (dict(states=["a"]), ValueError, "states must hold 2 names; it holds 1"),
    "too many actions": (
        dict(actions=["a", "b", "c"]),
        ValueError,
        "actions must hold 2 names; it holds 3",
    ),
    "percepts per state": (
        dict(observe=[0, 0], percepts=["a", "b"]),
        ValueError,
        "percepts must hold 1 names; it holds 2",
    ),
    "a name twice": (
        dict(states=["a", "a"]),
        ValueError,
        "states[1] repeats the name 'a'; names must differ",
    ),
    "a name that is a number": (
        dict(actions=["a", 1]),
        TypeError,
        "actions[1] must be a string; it is 1",
    ),
    "one string": (
        dict(states="ab"),
        TypeError,
        "states must be a sequence of names, not the one string 'ab'",
    ),
    "a number of names": (
        dict(states=3),
        TypeError,
        "states must be a sequence of names; it is 3",
    ),
}


@pytest.mark.parametrize(("changes", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_refused_by_name(changes, error, words):
    with pytest.raises(error, match=escape(words)):
        build(**changes)


def test_a_row_that_does_not_sum_to_one_is_named_with_its_sum():
    P = np.array([[[1, 0], [1, 0]], [[0.5, 0.5], [0.3, 0.6]]])
    with pytest.raises(ValueError, match=r"^P\[1, 1\] must sum to 1; it sums to 0\.9$"):
        build(P=P)


@examples(40)
@given(world=worlds(), data=st.data())
def test_whichever_entry_is_wrong_it_is_the_one_that_is_named(world, data):
    mdp, _ = world
    name = data.draw(st.sampled_from(["P", "R", "mu"]))
    good = dict(P=mdp.P, R=mdp.R, mu=mdp.mu)
    place = tuple(data.draw(st.integers(0, n - 1)) for n in good[name].shape)
    bad = at(good[name], place, NAN)
    with pytest.raises(ValueError, match=escape(f"{name}[{', '.join(map(str, place))}] must be")):
        MDP(**{**good, name: bad}, horizon=1, gamma=1.0)


@pytest.mark.parametrize("miss", [-9e-11, 9e-11])
def test_a_row_may_miss_one_by_rounding(miss):
    P = np.array([[[0.5, 0.5 + miss]], [[1, 0]]])
    assert MDP(P, np.zeros((2, 1, 2)), [1, 0], horizon=1, gamma=1.0).P[0, 0, 1] == 0.5 + miss


@pytest.mark.parametrize("miss", [-9e-11, 9e-11])
def test_a_start_may_miss_one_by_rounding(miss):
    assert build(mu=[0.5, 0.5 + miss]).mu[1] == 0.5 + miss


# --- what is accepted, and what becomes of it ----------------------------------------------------


def test_lists_of_whole_numbers_become_arrays_of_floats():
    mdp = MDP([[[0, 1]], [[1, 0]]], [[[0, 1]], [[2, 0]]], [1, 0], horizon=1, gamma=1.0)
    assert mdp.P.dtype == mdp.R.dtype == mdp.mu.dtype == float
    assert (mdp.S, mdp.A, mdp.O) == (2, 1, 2)


def test_counts_come_from_the_shapes_and_from_the_percepts():
    P, R, mu = arrays(S=3, A=2)
    mdp = MDP(P, R, mu, horizon=1, observe=[1, 0, 1], gamma=1.0)
    assert (mdp.S, mdp.A, mdp.O) == (3, 2, 2)


def test_nothing_is_hidden_unless_percepts_are_given():
    np.testing.assert_array_equal(build().observe, [0, 1])


def test_names_are_the_numbers_unless_given():
    mdp = build(observe=[0, 0])
    assert (mdp.states, mdp.actions, mdp.percepts) == (("0", "1"), ("0", "1"), ("0",))
    mdp = build(states=["x", "y"], actions=["l", "r"], percepts=["p", "q"])
    assert (mdp.states, mdp.actions, mdp.percepts) == (("x", "y"), ("l", "r"), ("p", "q"))


@pytest.mark.parametrize(
    "gamma", [0, 1, 0.0, 1.0, Fraction(1, 2), np.float64(0.9), np.float32(0.5)]
)
def test_a_discount_may_be_any_real_number_from_zero_to_one(gamma):
    mdp = build(gamma=gamma)
    assert mdp.gamma == gamma and type(mdp.gamma) is float


@pytest.mark.parametrize("horizon", [1, np.int64(1), np.uint8(1)])
def test_a_horizon_may_be_any_whole_number(horizon):
    mdp = build(horizon=horizon)
    assert mdp.horizon == 1 and type(mdp.horizon) is int


def test_by_default_there_is_no_horizon_but_the_discount_has_to_be_given():
    assert MDP(*arrays(), gamma=1.0).horizon is None
    with pytest.raises(TypeError, match="gamma"):
        MDP(*arrays())


def test_percepts_may_be_unsigned():
    np.testing.assert_array_equal(build(observe=np.array([1, 0], np.uint8)).observe, [1, 0])


def test_its_one_line_says_the_sizes_the_horizon_and_the_discount():
    assert repr(build(gamma=0.5, observe=[0, 0])) == "MDP(S=2, A=2, O=1, horizon=3, gamma=0.5)"


# --- the same but for one thing ------------------------------------------------------------------

ANOTHER = dict(
    P=P[:, :, ::-1] * [0.5, 1.5],
    R=-R,
    mu=[0.25, 0.75],
    horizon=4,
    gamma=0.5,
    observe=[1, 0],
    states=("x", "y"),
    actions=("l", "r"),
    percepts=("p", "q"),
)


@pytest.mark.parametrize("name", ANOTHER)
def test_replacing_one_parameter_changes_that_one_and_back_again_none(name):
    mdp = build()
    other = replace(mdp, **{name: ANOTHER[name]})
    again = replace(other, **{name: getattr(mdp, name)})
    for parameter in ANOTHER:
        there = ANOTHER[parameter] if parameter == name else getattr(mdp, parameter)
        np.testing.assert_array_equal(getattr(other, parameter), there)
        np.testing.assert_array_equal(getattr(again, parameter), getattr(mdp, parameter))


def test_every_parameter_can_be_replaced_and_nothing_else():
    assert {field.name for field in fields(MDP) if field.init} == set(ANOTHER)
    with pytest.raises((TypeError, ValueError), match="absorbing"):
        replace(build(), absorbing=[True, True])


def test_a_replaced_world_is_validated_and_its_absorbing_states_are_found_anew():
    mdp = build(R=np.zeros((2, 2, 2)))
    stays = np.array([P[0], [[0, 1], [0, 1]]])
    assert replace(mdp, P=stays).absorbing.tolist() == [False, True]
    with pytest.raises(ValueError, match="gamma must lie in"):
        replace(mdp, gamma=2)


def test_where_the_number_of_percepts_changes_their_names_have_to_be_given_anew():
    with pytest.raises(ValueError, match="percepts must hold 1 names; it holds 2"):
        replace(build(), observe=[0, 0])
    assert replace(build(), observe=[0, 0], percepts=None).percepts == ("0",)


def duplicates(mdp):
    """The same world, by each way that Python has of making a copy."""
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    pickled = [pickle.loads(pickle.dumps(mdp, protocol)) for protocol in protocols]
    return [copy.copy(mdp), copy.deepcopy(mdp), *pickled]


# --- frozen --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["P", "R", "mu", "observe", "absorbing"])
def test_its_arrays_cannot_be_written_to(name):
    for mdp in (build(), *duplicates(build())):
        array = getattr(mdp, name)
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


@pytest.mark.parametrize("name", ["P", "gamma", "horizon", "absorbing", "news"])
def test_its_attributes_cannot_be_set(name):
    with pytest.raises(FrozenInstanceError):
        setattr(build(), name, None)


def test_what_it_was_built_from_is_copied_and_left_writeable():
    P, R, mu = arrays()
    observe, states = np.array([0, 1]), ["a", "b"]
    mdp = MDP(P, R, mu, horizon=1, observe=observe, states=states, gamma=1.0)
    for array in (P, R, mu, observe):
        array[...] = 7
    states[0] = "other"
    fresh = arrays()
    np.testing.assert_array_equal(mdp.P, fresh[0])
    np.testing.assert_array_equal(mdp.R, fresh[1])
    np.testing.assert_array_equal(mdp.mu, fresh[2])
    np.testing.assert_array_equal(mdp.observe, [0, 1])
    assert mdp.states == ("a", "b")


def test_two_worlds_are_equal_only_if_they_are_the_same_object():
    mdp = build()
    assert mdp == mdp and mdp != build() and len({mdp, build()}) == 2


def test_copies_and_what_comes_out_of_a_pickle_are_the_same_world():
    mdp = build(gamma=0.5, observe=[0, 0], states=["x", "y"])
    for other in duplicates(mdp):
        assert type(other) is MDP and other is not mdp
        for field in fields(MDP):
            np.testing.assert_array_equal(getattr(other, field.name), getattr(mdp, field.name))


def test_a_pickle_that_was_tampered_with_is_validated():
    kind, arguments = build().__reduce__()
    spoilt = (arguments[0], at(P, (0, 0), [5, -3]), *arguments[2:])
    with pytest.raises(ValueError, match=escape("P[0, 0, 1] must be a probability; it is -3")):
        kind(*spoilt)


# --- other shapes of rewards, other orders --------------------------------------------------------


def test_rewards_of_a_state_or_of_an_action_are_spread_over_what_they_do_not_depend_on():
    per_action = np.array([[1.0, 2.0], [3.0, 4.0]])
    by_action, by_state = build(R=per_action, rewards="action"), build(R=[5, 6], rewards="state")
    for s, a, p in np.ndindex(2, 2, 2):
        assert by_action.R[s, a, p] == per_action[s, a]
        assert by_state.R[s, a, p] == [5, 6][s]


@pytest.mark.parametrize(
    ("R", "rewards", "words"),
    [
        (np.ones((2, 2)), "transition", '; it has (2, 2); if that is meant, say rewards="action"'),
        (np.ones(2), "transition", '; it has (2,); if that is meant, say rewards="state"'),
        (np.ones((2, 2, 2)), "state", 'it has (2, 2, 2); if that is meant, say rewards="transit'),
        (np.ones((3, 2)), "action", "R must have (2, 2); it has (3, 2)"),
        (np.ones(2), "sa", "rewards must be one of transition, action, state; it is 'sa'"),
        (np.ones(2), None, "rewards must be one of transition, action, state; it is None"),
    ],
)
def test_rewards_of_another_shape_are_refused_with_the_word_that_would_take_them(R, rewards, words):
    with pytest.raises(ValueError, match=escape(words)):
        build(R=R, rewards=rewards)


@examples(30)
@given(world=worlds())
def test_matrices_with_the_action_first_give_the_same_world(world):
    mdp, _ = world
    first = MDP.from_matrices(
        mdp.P.swapaxes(0, 1),
        mdp.R.swapaxes(0, 1),
        mdp.mu,
        gamma=mdp.gamma,
        horizon=mdp.horizon,
        observe=mdp.observe,
    )
    for field in fields(MDP):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(mdp, field.name))


def test_with_the_action_first_rewards_of_an_action_keep_the_order_state_action():
    # as in the packages that take such matrices: R[s, a]
    R = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])  # S = 2, A = 3
    mdp = MDP.from_matrices(np.full((3, 2, 2), 0.5), R, [1, 0], gamma=0.9, rewards="action")
    np.testing.assert_array_equal(mdp.R[:, :, 0], R)


def test_matrices_in_the_wrong_order_are_refused_with_the_way_that_takes_them():
    P = np.full((2, 3, 3), 1 / 3)  # A = 2, S = 3
    with pytest.raises(ValueError, match=escape("it has (2, 3, 3); for matrices P[a][s, s'], the")):
        MDP(P, P, [1, 0, 0], gamma=1.0)
    with pytest.raises(ValueError, match=escape("P must have shape (A, S, S) with S, A >= 1")):
        MDP.from_matrices(P.swapaxes(0, 1), P, [1, 0, 0], gamma=1.0)
    with pytest.raises(ValueError, match=escape("R must have shape (A, S, S) = (2, 3, 3)")):
        MDP.from_matrices(P, P.swapaxes(0, 1), [1, 0, 0], gamma=1.0)


# --- absorbing states ----------------------------------------------------------------------------


def absorbing(P, R=None):
    P = np.array(P, float)
    R = np.zeros_like(P) if R is None else np.array(R, float)
    return MDP(P, R, np.eye(len(P))[0], horizon=1, gamma=1.0).absorbing.tolist()


def test_a_state_is_absorbing_when_every_action_leads_back_to_it_for_nothing():
    assert absorbing([[[0, 1], [1, 0]], [[0, 1], [0, 1]]]) == [False, True]


def test_one_action_that_may_leave_is_enough_not_to_be_absorbing():
    assert absorbing([[[0, 1], [0, 1]], [[0, 1], [0.01, 0.99]]]) == [False, False]


@pytest.mark.parametrize("reward", [1.0, -1.0])
def test_a_loop_that_pays_or_costs_is_not_absorbing(reward):
    R = np.zeros((2, 2, 2))
    R[1, 1, 1] = reward
    assert absorbing([[[0, 1], [0, 1]], [[0, 1], [0, 1]]], R) == [False, False]


def test_a_reward_on_an_impossible_transition_does_not_stop_a_state_from_absorbing():
    R = np.zeros((2, 2, 2))
    R[1, :, 0] = 5.0
    assert absorbing([[[0, 1], [0, 1]], [[0, 1], [0, 1]]], R) == [False, True]


def test_a_state_that_leads_only_to_itself_is_absorbing_though_its_row_misses_one_by_rounding():
    # 0.7 + 0.2 + 0.1 is 1 - 1.1e-16 in floating point, and there is nowhere else to go
    assert absorbing([[[0, 1]], [[0, 0.7 + 0.2 + 0.1]]]) == [False, True]


# --- policies over percepts ----------------------------------------------------------------------


def test_aliased_states_act_alike():
    P, R, mu = arrays(S=3, A=2)
    mdp = MDP(P, R, mu, horizon=1, observe=[1, 0, 1], gamma=1.0)
    np.testing.assert_array_equal(
        mdp.action_probabilities([[0.25, 0.75], [0.5, 0.5]]), [[0.5, 0.5], [0.25, 0.75], [0.5, 0.5]]
    )


REFUSED_POLICIES = {
    "a row per state": (
        np.full((3, 2), 0.5),
        ValueError,
        "pi must have shape (O, A) = (2, 2); it has (3, 2)",
    ),
    "one row": ([0.5, 0.5], ValueError, "it has (2,)"),
    "too many actions": (np.full((2, 3), 1 / 3), ValueError, "it has (2, 3)"),
    "ragged": ([[1], [0.5, 0.5]], ValueError, "pi must be a rectangular array of numbers"),
    "nan": ([[NAN, 1], [0.5, 0.5]], ValueError, "pi[0, 0] must be finite; it is nan"),
    "inf": ([[0.5, 0.5], [INF, 0]], ValueError, "pi[1, 0] must be finite; it is inf"),
    "negative": (
        [[0.5, 0.5], [1.5, -0.5]],
        ValueError,
        "pi[1, 1] must be a probability; it is -0.5",
    ),
    "logits": ([[0.0, 0.0], [1, 0]], ValueError, "pi[0] must sum to 1; it sums to 0"),
    "sums to less": ([[0.5, 0.5], [0.5, 0.4]], ValueError, "pi[1] must sum to 1; it sums to 0.9"),
    "complex": (
        np.full((2, 2), 0.5 + 0j),
        TypeError,
        "pi must hold real numbers; it holds complex128",
    ),
    "None": (None, TypeError, "pi must hold real numbers; it is None"),
}


@pytest.mark.parametrize("door", ["action_probabilities", "require_ending", "endless"])
@pytest.mark.parametrize(("pi", "error", "words"), REFUSED_POLICIES.values(), ids=REFUSED_POLICIES)
def test_a_policy_that_is_none_is_refused_by_name(door, pi, error, words):
    P, R, mu = arrays(S=3, A=2)
    mdp = MDP(P, R, mu, horizon=1, observe=[1, 0, 1], gamma=1.0)
    with pytest.raises(error, match=escape(words)):
        getattr(mdp, door)(pi)
    with pytest.raises(error, match=escape(words.replace("pi", "old"))):
        require_policy(pi, 2, 2, name="old")


def test_a_policy_that_is_one_is_copied_into_floats():
    given_pi = np.array([[1, 0], [0, 1]])
    pi = require_policy(given_pi, 2, 2)
    np.testing.assert_array_equal(pi, given_pi)
    assert pi.dtype == float
    same = require_policy(pi, 2, 2)
    same[0] = 0.5
    np.testing.assert_array_equal(pi, given_pi)


# --- does it end? --------------------------------------------------------------------------------

# 0 <-> 1 by "go round"; "leave" goes 0 -> 2 (absorbing); 3 is a trap with a reward, entered from 1
ROUND, LEAVE = [1.0, 0.0], [0.0, 1.0]


def roundabout(**settings):
    P, R = np.zeros((4, 2, 4)), np.zeros((4, 2, 4))
    P[0, 0, 1] = P[0, 1, 2] = P[1, 0, 0] = P[1, 1, 3] = 1.0
    P[2, :, 2] = P[3, :, 3] = 1.0
    R[3, :, 3] = 1.0
    return MDP(P, R, [1, 0, 0, 0], states=["a", "b", "end", "trap"], **{"gamma": 1.0, **settings})


def test_a_policy_that_ends_is_let_through():
    roundabout().require_ending([LEAVE, ROUND, ROUND, ROUND])


def test_a_policy_that_goes_round_for_ever_is_refused_and_its_states_are_named():
    with pytest.raises(ValueError, match=r"may never end: no absorbing .* from state a, b$"):
        roundabout().require_ending([ROUND] * 4)


def test_a_policy_that_ends_only_with_luck_is_refused_and_the_trap_is_named():
    half = [0.5, 0.5]  # from a and b the end can be reached, but so can the trap
    with pytest.raises(ValueError, match=r"from state trap$"):
        roundabout().require_ending([half] * 4)


def test_a_trap_that_the_policy_never_visits_does_not_matter_until_one_starts_there():
    pi = [LEAVE, ROUND, ROUND, ROUND]
    roundabout().require_ending(pi, start=[True, True, True, False])
    with pytest.raises(ValueError, match=r"from state trap$"):
        roundabout().require_ending(pi, start=[True, True, True, True])


@pytest.mark.parametrize("settings", [dict(horizon=5), dict(gamma=0.99)])
def test_a_horizon_or_a_discount_makes_every_policy_end(settings):
    roundabout(**settings).require_ending([ROUND] * 4, start=[True] * 4)


def test_an_action_of_probability_zero_leads_nowhere():
    # dynamics alone would allow a -> end; the policy does not
    with pytest.raises(ValueError, match="state a, b"):
        roundabout().require_ending([ROUND, ROUND, LEAVE, LEAVE])


@pytest.mark.parametrize("settings", [dict(), dict(horizon=5), dict(gamma=0.99)])
def test_whether_an_episode_may_be_endless_depends_on_neither_horizon_nor_discount(settings):
    mdp = roundabout(**settings)
    assert mdp.endless([LEAVE, ROUND, ROUND, ROUND]).tolist() == [False] * 4
    assert mdp.endless([ROUND] * 4).tolist() == [True, True, False, False]
    assert mdp.endless([[0.5, 0.5]] * 4).tolist() == [False, False, False, True]
    only_trap = mdp.endless([ROUND] * 4, start=[False, False, True, True])
    assert only_trap.tolist() == [False, False, False, True]


NO_STARTS = {
    "too short": ([True] * 3, ValueError, "start must have shape (S,) = (4,); it has (3,)"),
    "too long": ([True] * 5, ValueError, "it has (5,)"),
    "a number": (True, ValueError, "it has ()"),
    "states": ([0, 1, 2, 3], TypeError, "start must hold booleans; it holds int64"),
    "mu": ([1.0, 0, 0, 0], TypeError, "start must hold booleans; it holds float64"),
    "ragged": ([[True], [True, True]], ValueError, "start must be a rectangular array"),
}


@pytest.mark.parametrize("settings", [dict(), dict(horizon=5), dict(gamma=0.99)])
@pytest.mark.parametrize("door", ["require_ending", "endless"])
@pytest.mark.parametrize(("start", "error", "words"), NO_STARTS.values(), ids=NO_STARTS)
def test_what_marks_no_states_to_start_from_is_refused(settings, door, start, error, words):
    with pytest.raises(error, match=escape(words)):
        getattr(roundabout(**settings), door)([LEAVE, ROUND, ROUND, ROUND], start=start)


@examples(60)
@given(
    seed=st.integers(0, 2**32 - 1), S=st.integers(1, 6), density=st.sampled_from([0.1, 0.3, 0.6])
)
def test_reachable_is_the_transitive_closure(seed, S, density):
    # oracle: (I + M)^S [s, s'] > 0, since a path without repeats has fewer than S arrows
    rng = np.random.default_rng(seed)
    moves, seen = rng.random((S, S)) < density, rng.random(S) < 0.4
    given_seen = seen.copy()
    closure = np.linalg.matrix_power((np.eye(S) + moves).astype(int), S) > 0
    np.testing.assert_array_equal(reachable(moves, seen), closure[seen].any(axis=0))
    np.testing.assert_array_equal(seen, given_seen)
