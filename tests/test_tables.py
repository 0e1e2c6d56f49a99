"""Decision processes as other libraries write them: read so that J stays what it was there."""

from re import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policygrad.exact import expected_return
from policygrad.mdp import MDP
from random_worlds import agree, examples


def played(table, pi, gamma, s, left):
    """What a table's own rules pay from s on in so many steps, one outcome at a time."""
    if left == 0:
        return 0.0
    return sum(
        pi[s][a] * p * (r + (0.0 if done else gamma * played(table, pi, gamma, to, left - 1)))
        for a in range(len(table[s]))
        for p, to, r, done in table[s][a]
    )


@st.composite
def tables(draw):
    """A table whose outcomes repeat their next state, with other rewards, done here and not there.

    Sometimes its last state is absorbing by its own row, as the holes of FrozenLake are.
    """
    S, A, K = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ends = draw(st.sampled_from([0.0, 0.3, 1.0]))

    def outcomes():
        chances = rng.dirichlet(np.ones(K)).tolist()
        return [
            (p, int(rng.integers(S)), float(rng.normal()), bool(rng.random() < ends))
            for p in chances
        ]

    table = {s: {a: outcomes() for a in range(A)} for s in range(S)}
    if draw(st.booleans()):
        table[S - 1] = {a: [(1.0, S - 1, 0, True)] for a in range(A)}
    return table, rng.dirichlet(np.ones(A), size=S), rng.dirichlet(np.ones(S))


@examples(150)
@given(world=tables(), gamma=st.sampled_from([0.0, 0.7, 1.0]), steps=st.integers(1, 3))
def test_a_table_is_worth_what_its_own_rules_pay(world, gamma, steps):
    table, pi, mu = world
    mdp = MDP.from_gymnasium(table, mu, gamma=gamma, horizon=steps)
    wanted = sum(mu[s] * played(table, pi, gamma, s, steps) for s in range(len(table)))
    if mdp.S > len(table):  # what is done in the added state does not matter
        pi = np.vstack([pi, np.eye(pi.shape[1])[0]])
    agree(expected_return(mdp, pi), wanted)


def test_outcomes_with_one_next_state_become_one_with_their_mean_reward():
    # 1/2: reward 4, 1/4: reward 0, both to 1; P = 3/4, R = (1/2 4 + 1/4 0) / (3/4) = 8/3
    rows = [(0.5, 1, 4.0, False), (0.25, 0, 1.0, False), (0.25, 1, 0.0, False)]
    stay = [(1.0, 1, 0.0, True)]
    mdp = MDP.from_gymnasium([[rows], [stay]], [1, 0], gamma=1.0)
    np.testing.assert_allclose(mdp.P[0, 0], [0.25, 0.75], rtol=1e-15)
    np.testing.assert_allclose(mdp.R[0, 0], [1.0, 8 / 3], rtol=1e-15)


def test_a_state_that_is_absorbing_by_its_own_row_needs_no_other_end():
    hole = {a: [(1.0, 1, 0, True)] for a in range(2)}
    lake = {0: {0: [(1.0, 1, 0.0, True)], 1: [(1.0, 0, 0.0, False)]}, 1: hole}
    mdp = MDP.from_gymnasium(lake, [1, 0], gamma=1.0)
    assert (mdp.S, mdp.absorbing.tolist(), mdp.states) == (2, [False, True], ("0", "1"))


def test_an_episode_that_ends_where_it_could_start_again_leads_to_a_state_of_its_own():
    # a bandit as a table: each pull is done and "leads" back to the one state
    arms = {0: {0: [(1.0, 0, 1.0, True)], 1: [(1.0, 0, 3.0, True)]}}
    mdp = MDP.from_gymnasium(arms, [1.0], gamma=1.0, states=["table"], observe=[0])
    assert (mdp.S, mdp.O, mdp.states) == (2, 2, ("table", "end"))
    assert mdp.absorbing.tolist() == [False, True] and mdp.mu.tolist() == [1.0, 0.0]
    agree(expected_return(mdp, [[0.5, 0.5], [1, 0]]), 2.0)


def test_an_outcome_of_probability_zero_leaves_no_trace():
    rows = [(1.0, 0, 1.0, False), (0.0, 0, 1e9, True)]
    mdp = MDP.from_gymnasium([[rows]], [1.0], gamma=0.5)
    assert (mdp.S, mdp.R[0, 0, 0]) == (1, 1.0)


GOOD = [(1.0, 0, 0.0, False)]
REFUSED = {
    "no table": (None, TypeError, "table must be a mapping or a list, numbered from 0"),
    "a word": ("table", TypeError, "table must be a mapping or a list, numbered from 0"),
    "empty": ({}, ValueError, "table must hold at least one entry; it holds none"),
    "a gap": ({0: [GOOD], 2: [GOOD]}, ValueError, "table must have the keys 0 .. 1; it has no 1"),
    "names": ({"a": [GOOD]}, ValueError, "table must have the keys 0 .. 0; it has no 0"),
    "no action": ([[]], ValueError, "table[0] must hold at least one entry; it holds none"),
    "actions differ": ([[GOOD], [GOOD, GOOD]], ValueError, "table[1] must hold 1 actions"),
    "no outcome": ([[[]]], ValueError, "table[0][0] must hold at least one entry"),
    "three entries": (
        [[[(1.0, 0, 0.0)]]],
        ValueError,
        "table[0][0][0] must be (probability, next state, reward, done); it is (1.0, 0, 0.0)",
    ),
    "an outcome, no list": ([[(1.0, 0, 0.0, False)]], ValueError, "table[0][0][0] must be (prob"),
    "p above 1": ([[[(1.5, 0, 0.0, False)]]], ValueError, "table[0][0][0], the probability, must"),
    "p nan": (
        [[[(float("nan"), 0, 0.0, False)]]],
        ValueError,
        "table[0][0][0], the probability, must lie in [0, 1]; it is nan",
    ),
    "sums to less": (
        [[GOOD], [[(0.5, 0, 0.0, False), (0.25, 1, 0.0, False)]]],
        ValueError,
        "the probabilities of table[1][0] must sum to 1; they sum to 0.75",
    ),
    "a state that is not there": (
        [[[(1.0, 1, 0.0, False)]]],
        ValueError,
        "table[0][0][0], the next state, must be at least 0, at most 0; it is 1",
    ),
    "a negative state": ([[[(1.0, -1, 0.0, False)]]], ValueError, "the next state, must be at le"),
    "a state of floats": ([[[(1.0, 0.0, 0.0, False)]]], TypeError, "the next state, must be a who"),
    "reward nan": ([[[(1.0, 0, float("nan"), False)]]], ValueError, "the reward, must be finite"),
    "reward a word": ([[[(1.0, 0, "1", False)]]], TypeError, "the reward, must hold real numbers"),
    "done a word": (
        [[[(1.0, 0, 0.0, "no")]]],
        TypeError,
        "done, must be True or False; it is 'no'",
    ),
}


@pytest.mark.parametrize(("table", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_in_a_table_is_refused_by_its_place(table, error, words):
    with pytest.raises(error, match=escape(words)):
        MDP.from_gymnasium(table, [1.0], gamma=0.5)


def test_a_start_over_other_states_than_the_tables_is_refused():
    with pytest.raises(ValueError, match=escape("mu must have shape (S,) = (1,); it has (2,)")):
        MDP.from_gymnasium([[GOOD]], [1.0, 0.0], gamma=0.5)
