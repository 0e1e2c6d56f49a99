"""Trajectories of different lengths in one array: what fits together and what does not."""

from dataclasses import FrozenInstanceError
from re import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policygrad import trajectories
from policygrad.trajectories import NO_ACTION, Trajectories
from random_worlds import examples


def padded(**changes):
    """Three trajectories of lengths 2, 0 and 1, padded to two steps, but for the changes."""
    parts = dict(
        states=np.array([[0, 1, 2], [2, 2, 2], [1, 2, 2]]),
        actions=np.array([[0, 1], [NO_ACTION, NO_ACTION], [1, NO_ACTION]]),
        rewards=np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 0.0]]),
        lengths=np.array([2, 0, 1]),
    )
    return Trajectories(**{**parts, **changes})


def test_no_action_is_no_index_of_an_action():
    # a negative number could be an index from the end; NO_ACTION is -1 and every use has to mask it
    assert NO_ACTION < 0


def test_what_was_given_is_what_is_there():
    tau = padded()
    np.testing.assert_array_equal(tau.states[0], [0, 1, 2])
    np.testing.assert_array_equal(tau.actions[2], [1, NO_ACTION])
    np.testing.assert_array_equal(tau.rewards[0], [1, 2])
    np.testing.assert_array_equal(tau.lengths, [2, 0, 1])


def test_lists_become_arrays_and_arrays_are_not_copied():
    tau = padded()
    names = ("states", "actions", "rewards", "lengths")
    listed = Trajectories(*(getattr(tau, name).tolist() for name in names))
    for name in names:
        np.testing.assert_array_equal(getattr(listed, name), getattr(tau, name))
    rewards = np.array([[1, 2], [0, 0], [3, 0]])
    assert padded(rewards=rewards).rewards is rewards


def test_there_are_as_many_as_rows():
    assert len(padded()) == 3


def test_a_step_happened_if_the_trajectory_was_not_over():
    np.testing.assert_array_equal(padded().happened, [[True, True], [False, False], [True, False]])


@examples(50)
@given(lengths=st.lists(st.integers(0, 5), max_size=6), spare=st.integers(0, 2))
def test_happened_counts_to_the_lengths_and_has_no_holes(lengths, spare):
    m, H = len(lengths), max(lengths, default=0) + spare
    actions = np.full((m, H), NO_ACTION)
    for i, n in enumerate(lengths):
        actions[i, :n] = 0
    tau = Trajectories(
        np.zeros((m, H + 1), int), actions, np.zeros((m, H)), np.array(lengths, dtype=int)
    )
    assert tau.happened.shape == (m, H)
    for i, n in enumerate(lengths):
        assert tau.happened[i].tolist() == [True] * n + [False] * (H - n)


def test_a_trajectory_may_be_over_before_it_begins():
    tau = Trajectories(
        np.zeros((2, 1), int), np.zeros((2, 0), int), np.zeros((2, 0)), np.zeros(2, int)
    )
    assert len(tau) == 2 and tau.happened.shape == (2, 0)


def test_there_may_be_no_trajectory_at_all():
    tau = Trajectories(
        np.zeros((0, 3), int), np.zeros((0, 2), int), np.zeros((0, 2)), np.zeros(0, int)
    )
    assert len(tau) == 0 and tau.happened.shape == (0, 2)


def test_its_attributes_cannot_be_set():
    with pytest.raises(FrozenInstanceError):
        padded().rewards = None


def test_they_are_equal_only_if_they_are_the_same_object():
    tau = padded()
    assert tau == tau and tau != padded() and len({tau, padded()}) == 2


REFUSED = {
    "actions flat": (dict(actions=np.zeros(3, int)), "actions must have shape (m, H); it has (3,)"),
    "states without the last one": (
        dict(states=np.zeros((3, 2), int)),
        "states must have shape (3, 3); it has (3, 2)",
    ),
    "states of fewer": (
        dict(states=np.zeros((2, 3), int)),
        "states must have shape (3, 3); it has (2, 3)",
    ),
    "rewards with one too many": (
        dict(rewards=np.zeros((3, 3))),
        "rewards must have shape (3, 2); it has (3, 3)",
    ),
    "rewards per trajectory": (
        dict(rewards=np.zeros(3)),
        "rewards must have shape (3, 2); it has (3,)",
    ),
    "lengths of fewer": (
        dict(lengths=np.zeros(2, int)),
        "lengths must have shape (3,); it has (2,)",
    ),
    "lengths per step": (
        dict(lengths=np.zeros((3, 2), int)),
        "lengths must have shape (3,); it has (3, 2)",
    ),
    "a length above H": (
        dict(lengths=np.array([3, 0, 1])),
        "lengths[0] must lie in 0 .. 2; it is 3",
    ),
    "a length below 0": (
        dict(lengths=np.array([2, -1, 1])),
        "lengths[1] must lie in 0 .. 2; it is -1",
    ),
    "an action after the end": (
        dict(actions=np.array([[0, 1], [-1, -1], [1, 0]])),
        "actions[2, 1] must be NO_ACTION after the end of the trajectory; it is 0",
    ),
    "no action before the end": (
        dict(actions=np.array([[-1, 1], [-1, -1], [1, -1]])),
        "actions[0, 0] must be an action number 0, 1, ... before the end of the trajectory; "
        "it is -1",
    ),
    "a length too short": (
        dict(lengths=np.array([1, 0, 1])),
        "actions[0, 1] must be NO_ACTION after the end of the trajectory; it is 1",
    ),
    "an action below NO_ACTION": (
        dict(actions=np.array([[0, -2], [-1, -1], [1, -1]])),
        "actions[0, 1] must be an action number 0, 1, ... or NO_ACTION; it is -2",
    ),
    "a state below 0": (
        dict(states=np.array([[0, 1, 2], [2, 2, 2], [-1, 2, 2]])),
        "states[2, 0] must be a state number 0, 1, ...; it is -1",
    ),
    "a move after the end": (
        dict(states=np.array([[0, 1, 2], [2, 2, 2], [1, 2, 0]])),
        "states[2, 2] must be the state before it after the end of the trajectory; it is 0",
    ),
    "a move of one that never began": (
        dict(states=np.array([[0, 1, 2], [2, 0, 0], [1, 2, 2]])),
        "states[1, 1] must be the state before it after the end of the trajectory; it is 0",
    ),
    "a reward that is infinite": (
        dict(rewards=np.array([[1.0, np.inf], [0.0, 0.0], [3.0, 0.0]])),
        "rewards[0, 1] must be finite; it is inf",
    ),
    "ragged states": (
        dict(states=[[0, 1, 2], [2, 2], [1, 2, 2]]),
        "states must be a rectangular array of numbers; its rows differ",
    ),
    "a reward after the end": (
        dict(rewards=np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 4.0]])),
        "rewards[2, 1] must be 0 after the end of the trajectory; it is 4.0",
    ),
    "a cost after the end": (
        dict(rewards=np.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.0]])),
        "rewards[1, 1] must be 0 after the end of the trajectory; it is -1.0",
    ),
    "nan after the end": (
        dict(rewards=np.array([[1.0, 2.0], [0.0, np.nan], [3.0, 0.0]])),
        "rewards[1, 1] must be finite; it is nan",
    ),
}


@pytest.mark.parametrize(("changes", "words"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_together_is_refused(changes, words):
    with pytest.raises(ValueError, match=escape(words)):
        padded(**changes)


NO_NUMBERS = {
    "states of floats": (
        dict(states=np.array([[0.0, 1, 2], [2, 2, 2], [1, 2, 2]])),
        "states must hold integers; it holds float64",
    ),
    "actions of booleans": (
        dict(actions=np.zeros((3, 2), bool)),
        "actions must hold integers; it holds bool",
    ),
    "actions with None": (
        dict(actions=[[0, 1], [None, None], [1, None]]),
        "actions must hold integers; it holds object",
    ),
    "rewards of strings": (
        dict(rewards=np.full((3, 2), "0")),
        "rewards must hold real numbers; it holds <U1",
    ),
    "complex rewards": (
        dict(rewards=np.zeros((3, 2), complex)),
        "rewards must hold real numbers; it holds complex128",
    ),
    "lengths of floats": (
        dict(lengths=np.array([2.0, 0.0, 1.0])),
        "lengths must hold integers; it holds float64",
    ),
    "masked rewards": (
        dict(rewards=np.ma.masked_less([[1.0, 2.0], [0.0, 0.0], [3.0, 0.0]], 0.5)),
        "rewards must not be a masked array",
    ),
    "masked states in a list": (
        dict(states=[np.ma.array([0, 1, 2]), [2, 2, 2], [1, 2, 2]]),
        "states must not be a masked array",
    ),
    "no lengths": (dict(lengths=None), "lengths must hold integers; it holds object"),
}


@pytest.mark.parametrize(("changes", "words"), NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_what_are_no_numbers_of_states_and_actions_is_refused(changes, words):
    with pytest.raises(TypeError, match=escape(words)):
        padded(**changes)


WRONG = {
    "an infinite reward": ("rewards", 0, np.inf, "be finite"),
    "no action": ("actions", 0, NO_ACTION, "be an action number 0, 1, ... before the end"),
    "an action too late": ("actions", 1, 0, "be NO_ACTION after the end"),
    "a reward too late": ("rewards", 1, 0.5, "be 0 after the end"),
    "a move too late": ("states", 1, 4, "be the state before it after the end"),
}


@examples(150)
@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=7),
    order=st.sampled_from("CF"),
    slab=st.sampled_from([1, 6, 12, 1000]),
    wrong=st.sampled_from(sorted(WRONG)),
    data=st.data(),
)
def test_whichever_step_is_wrong_it_is_the_one_that_is_named(lengths, order, slab, wrong, data):
    # in whatever order the array lies in memory, and however it is cut up for looking at
    m, H = len(lengths), 5
    happened = np.arange(H) < np.array(lengths)[:, None]
    parts = dict(
        states=np.full((m, H + 1), 3, order=order),
        actions=np.asarray(np.where(happened, 1, NO_ACTION), order=order),
        rewards=np.asarray(np.where(happened, 2.0, 0.0), order=order),
    )
    name, late, value, words = WRONG[wrong]
    places = np.argwhere(~happened if late else happened)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trajectories, "SLAB", slab)
        Trajectories(**parts, lengths=lengths)
        if len(places):
            i, t = data.draw(st.sampled_from(places.tolist()))
            t += name == "states"
            parts[name][i, t] = value
            with pytest.raises(ValueError, match=escape(f"{name}[{i}, {t}] must {words}")):
                Trajectories(**parts, lengths=lengths)
