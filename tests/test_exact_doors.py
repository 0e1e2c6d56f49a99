"""What comes in through the doors of `exact`: a right answer, or an error that names the argument.

Every public function is given every kind of array and every kind of nonsense in every argument.
"""

from dataclasses import fields, replace

import numpy as np
import pytest

from policygrad.exact import (
    METHODS,
    EnumeratedTrajectories,
    action_values,
    advantages,
    enumerate_trajectories,
    expected_return,
    occupancy,
    policy_gradient,
    state_values,
)
from policygrad.mdp import MDP
from policygrad.trajectories import Trajectories
from policygrad.worlds import gamma_trap, random_mdp, two_state
from random_worlds import agree

WORLD = two_state(2, gamma=0.9)
LIST = enumerate_trajectories(WORLD)
PI = np.array([[0.25, 0.75], [0.5, 0.5]])
START = np.array([True, False])


class Foreign:
    """An array of another library."""

    def __init__(self, array, fails=False):
        self.array, self.fails = array, fails

    def __array__(self, dtype=None, copy=None):
        if self.fails:
            raise RuntimeError("it lives on another device")
        return np.array(self.array, dtype=dtype)


ARRAYS = {  # what means the same as a good array
    "a list": lambda x: x.tolist(),
    "a tuple of arrays": tuple,
    "Fortran's order": np.asfortranarray,
    "a view": lambda x: np.repeat(x, 2, axis=0)[::2],
    "read-only": lambda x: np.broadcast_to(x, x.shape),
    "float32": lambda x: x.astype(np.float32) if x.dtype.kind == "f" else x,
    "another library's": Foreign,
}
NONSENSE = {  # what means nothing, whatever argument it is given for
    "nothing": lambda x: None,
    "a number": lambda x: 0.5,
    "text": lambda x: "up",
    "an empty list": lambda x: [],
    "ragged": lambda x: [x[0].tolist() if x.ndim > 1 else [0], []],
    "one row too many": lambda x: np.concatenate([x, x[:1]]),
    "an axis too many": lambda x: x[None],
    "masked": lambda x: np.ma.masked_array(x, mask=False),
    "masked inside a list": lambda x: [np.ma.masked_array(row, mask=True) for row in x],
    "complex": lambda x: x + 0j,
    "objects": lambda x: x.astype(object),
    "strings": lambda x: x.astype(str),
    "dates": lambda x: np.zeros(x.shape, "datetime64[s]"),
    "another library's that fails": lambda x: Foreign(x, fails=True),
    "a function": lambda x: np.zeros_like,
    "a world": lambda x: WORLD,
}
WRONG_NUMBERS = {
    "nan": lambda x: x * np.nan,
    "inf": lambda x: x + np.inf,
    "booleans": lambda x: x.astype(bool),
}

DOORS = {  # each with the name of the argument and a good value for it
    **{
        f"J by {m}": (lambda x, m=m: expected_return(WORLD, x, method=m), "pi", PI) for m in METHODS
    },
    **{
        f"grad J by {m}": (lambda x, m=m: policy_gradient(WORLD, x, method=m), "theta", PI)
        for m in METHODS
    },
    **{
        f.__name__: (lambda x, f=f: f(WORLD, x), "pi", PI)
        for f in (state_values, action_values, advantages, occupancy)
    },
    **{
        f"{f.__name__} from": (lambda x, f=f: f(WORLD, PI, start=x), "start", START)
        for f in (state_values, action_values, advantages)
    },
    "probability": (LIST.probability, "pi", PI),
    "ratio to": (lambda x: LIST.ratio(x, PI), "new", PI),
    "ratio from": (lambda x: LIST.ratio(PI, x), "old", PI),
    "list, dynamics": (lambda x: replace(LIST, dynamics=x).dynamics, "dynamics", LIST.dynamics),
    "list, returns": (lambda x: replace(LIST, returns=x).returns, "returns", LIST.returns),
    "list, percepts": (lambda x: replace(LIST, percepts=x).percepts, "percepts", LIST.percepts),
}


@pytest.mark.parametrize("form", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize(("call", "name", "good"), DOORS.values(), ids=DOORS)
def test_the_form_of_an_array_does_not_matter(call, name, good, form):
    agree(call(form(good)), call(good), rtol=1e-6 if form is ARRAYS["float32"] else 1e-13)


def refused(call, name, value):
    """The words of the refusal, which names the argument."""
    with pytest.raises((TypeError, ValueError)) as refusal:
        call(value)
    assert name in str(refusal.value).replace("[", " ").split(), refusal.value
    return str(refusal.value)


@pytest.mark.parametrize("wrong", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize(("call", "name", "good"), DOORS.values(), ids=DOORS)
def test_nonsense_is_refused_by_the_name_of_the_argument(call, name, good, wrong):
    if name == "start" and wrong is NONSENSE["nothing"]:
        return  # the default
    refused(call, name, wrong(good))


@pytest.mark.parametrize("wrong", WRONG_NUMBERS.values(), ids=WRONG_NUMBERS)
@pytest.mark.parametrize(("call", "name", "good"), DOORS.values(), ids=DOORS)
def test_what_is_no_number_is_refused_by_the_name_of_the_argument(call, name, good, wrong):
    if good.dtype == bool and wrong is WRONG_NUMBERS["booleans"]:
        return  # what it should be
    refused(call, name, wrong(good.astype(float)))


FUNCTIONS = {
    "J": expected_return,
    "grad J": policy_gradient,
    "V": state_values,
    "Q": action_values,
    "A": advantages,
    "d": occupancy,
}


@pytest.mark.parametrize("world", [None, PI, "two states", MDP, (WORLD,), LIST], ids=str)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_is_no_world_is_refused_by_name(function, world):
    words = refused(lambda x: function(x, PI), "mdp", world)
    assert "must be an MDP" in words
    refused(lambda x: enumerate_trajectories(x), "mdp", world)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_swapped_arguments_are_noticed(function):
    with pytest.raises(TypeError, match=r"mdp must be an MDP.* in the right order"):
        function(PI, WORLD)


@pytest.mark.parametrize("limit", [float("nan"), "10", None, 10.0, -1, True, [5], 1j])
def test_a_limit_is_a_whole_number(limit):
    refused(lambda x: enumerate_trajectories(WORLD, limit=x), "limit", limit)


@pytest.mark.parametrize("method", [None, "magic", "Adjoint", "", 0, ["adjoint"], b"adjoint"])
def test_a_method_is_one_of_the_routes(method):
    refused(lambda x: expected_return(WORLD, PI, method=x), "method", method)
    refused(lambda x: policy_gradient(WORLD, PI, method=x), "method", method)


@pytest.mark.parametrize("count", [0, -1, 2.0, None, "2", True])
@pytest.mark.parametrize("name", ["O", "A"])
def test_a_list_of_trajectories_needs_counts(name, count):
    refused(lambda x: replace(LIST, **{name: x}), name, count)


# --- finding trajectories in the list ------------------------------------------------------------


def some(tau, rows, H):
    """Some of the trajectories, padded to H steps only."""
    parts = tau.states[rows, : H + 1], tau.actions[rows, :H], tau.rewards[rows, :H]
    return Trajectories(*parts, tau.lengths[rows])


def test_samples_that_end_early_are_found_though_they_are_narrower_than_the_list():
    # ends early: 4 steps are listed; 16 trajectories have ended after one, more after two
    ends_early = random_mdp(np.random.default_rng(5), 4, 2, absorbing=1, horizon=4, gamma=1.0)
    for every in (
        enumerate_trajectories(ends_early),
        enumerate_trajectories(gamma_trap(gamma=0.5)),
    ):
        for H in range(every.actions.shape[1] + 1):
            rows = np.flatnonzero(every.lengths <= H)
            np.testing.assert_array_equal(every.locate(some(every, rows, H)), rows)


def test_samples_may_be_wider_than_the_list():
    every = enumerate_trajectories(gamma_trap(gamma=0.5))
    m = len(every)
    wide = Trajectories(
        np.column_stack([every.states, every.states[:, -1]]),
        np.column_stack([every.actions, np.full(m, -1)]),
        np.column_stack([every.rewards, np.zeros(m)]),
        every.lengths,
    )
    np.testing.assert_array_equal(every.locate(wide), np.arange(m))


def test_no_samples_are_found_nowhere():
    assert LIST.locate(some(LIST, [], 2)).shape == (0,)


def test_a_trajectory_of_another_world_does_not_stand_in_the_list():
    # a state, an action, a length that this world has not
    other = random_mdp(np.random.default_rng(0), 3, 3, horizon=2, gamma=1.0)
    with pytest.raises(ValueError, match="trajectory 0 does not stand in the list: states"):
        LIST.locate(some(enumerate_trajectories(other), slice(-1, None), 2))
    for H in (1, 3):
        with pytest.raises(ValueError, match="trajectory 0 does not stand in the list: states"):
            LIST.locate(enumerate_trajectories(two_state(H, gamma=0.9)))


@pytest.mark.parametrize("tau", [None, PI, "all", WORLD, [0, 1], LIST.states], ids=str)
def test_only_trajectories_are_looked_for(tau):
    refused(LIST.locate, "tau", tau)


def test_a_list_of_trajectories_has_a_field_for_each_thing_tried_here():
    own = {f.name for f in fields(EnumeratedTrajectories)} - {f.name for f in fields(Trajectories)}
    assert own == {"dynamics", "returns", "percepts", "O", "A"}
