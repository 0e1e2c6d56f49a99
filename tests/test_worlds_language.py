"""The tiny language: its answers are its trajectories, and each is paid once, when it is over."""

import itertools
from re import escape

import numpy as np
import pytest

from policygrad.exact import enumerate_trajectories, expected_return, policy_gradient
from policygrad.policies import softmax_policy
from policygrad.worlds import tiny_language


def answers(world):
    """Every trajectory as (prompt, what was written with the end, return), off the arrays."""
    tau = enumerate_trajectories(world)
    for i, T in enumerate(tau.lengths):
        written = "".join(world.actions[a] for a in tau.actions[i, :T])
        yield world.states[tau.states[i, 0]].rstrip("|"), written, tau.returns[i]


def by_hand(prompts, letters, longest):
    """Every (prompt, tokens): words that end, and words that are cut."""
    for prompt in prompts:
        for n in range(longest):
            yield from ((prompt, "".join(w) + ".") for w in itertools.product(letters, repeat=n))
        yield from ((prompt, "".join(w)) for w in itertools.product(letters, repeat=longest))


@pytest.mark.parametrize(
    ("prompts", "letters", "longest"),
    [(("a", "ba"), "ab", 3), (("a",), "ab", 2), (("b", "c", "a"), "cab", 2), (("a",), "a", 1)],
)
def test_the_trajectories_are_all_answers_to_all_prompts(prompts, letters, longest):
    world = tiny_language(prompts, letters, longest)
    found = [(prompt, written) for prompt, written, _ in answers(world)]
    assert sorted(found) == sorted(by_hand(prompts, letters, longest))
    k = len(letters)  # 1 + k + ... + k^H to each prompt
    assert len(found) == len(prompts) * sum(k**n for n in range(longest + 1))
    assert world.gamma == 1.0 and world.horizon == longest


def test_with_two_letters_there_are_15_answers_of_three_tokens_and_7_of_two():
    for longest, many in ((3, 15), (2, 7)):
        assert len(enumerate_trajectories(tiny_language(["a"], longest=longest))) == many


def test_by_default_an_answer_earns_one_if_it_begins_with_its_prompt():
    for prompt, written, earned in answers(tiny_language()):
        assert earned == float(written.startswith(prompt))


def test_of_thirty_answers_seven_and_three_are_right_and_chance_earns_two_in_nine():
    # to "a": a., a letter and ".", two letters: 1 + 2 + 4; to "ba": ba., baa, bab
    earned = {"a": 0.0, "ba": 0.0}
    for prompt, _, earns in answers(tiny_language()):
        earned[prompt] += earns
    assert earned == {"a": 7.0, "ba": 3.0}
    # tokens at random: a first letter "a" has 1/3, "b" and then "a" 1/9; half of each
    world = tiny_language()
    J = expected_return(world, np.full((world.O, world.A), 1 / 3))
    assert J == pytest.approx((1 / 3 + 1 / 9) / 2)


def test_the_reward_is_asked_once_for_each_answer_and_paid_with_its_last_token():
    asked = []

    def reward(prompt, answer, ended):
        asked.append((prompt, answer + "." * ended))
        return 10.0 * len(answer) + ended + (prompt == "ba") / 2

    world = tiny_language(reward=reward)
    assert sorted(asked) == sorted(by_hand(("a", "ba"), "ab", 3))
    tau = enumerate_trajectories(world)
    for i, T in enumerate(tau.lengths):
        assert not tau.rewards[i, : T - 1].any()
    for prompt, written, earned in answers(world):
        letters = written.rstrip(".")
        assert earned == 10.0 * len(letters) + (letters != written) + (prompt == "ba") / 2


def test_states_are_named_after_prompt_and_text_and_only_prompts_begin():
    world = tiny_language(["ba"], longest=2, mu=[1.0])
    written = "", "a", "b", ".", "aa", "ab", "a.", "ba", "bb", "b."
    assert world.states == tuple("ba|" + text for text in written)
    assert world.actions == ("a", "b", ".")
    over = [name.endswith(".") or len(name) == len("ba|aa") for name in world.states]
    np.testing.assert_array_equal(world.absorbing, over)
    world = tiny_language(["a", "b", "ba"], mu=[0.5, 0.0, 0.5])
    np.testing.assert_array_equal(world.mu[:3], [0.5, 0.0, 0.5])
    assert not world.mu[3:].any()
    np.testing.assert_array_equal(tiny_language().mu[:2], [0.5, 0.5])


def test_where_the_prefix_is_seen_nothing_is_hidden_and_the_end_has_no_row_of_its_own():
    world = tiny_language()
    acting = ~world.absorbing
    assert world.O == acting.sum() == 14
    assert [world.percepts[o] for o in world.observe[acting]] == [
        name for name, acts in zip(world.states, acting, strict=True) if acts
    ]
    for s in np.flatnonzero(world.absorbing):
        assert world.percepts[world.observe[s]] == world.states[s][:-1]


def test_where_the_last_letter_is_seen_places_that_end_alike_share_a_row():
    world = tiny_language(seen="last")
    assert world.percepts == ("a|", "ba|", "a|…a", "a|…b", "ba|…a", "ba|…b")
    for name, o in zip(world.states, world.observe, strict=True):
        if not world.absorbing[world.states.index(name)]:
            prompt, written = name.split("|")
            assert world.percepts[o] == f"{prompt}|" + (f"…{written[-1]}" if written else "")
    # a row for each place can do all that shared rows can: the same policy earns the same
    theta = np.random.default_rng(1).normal(size=(world.O, world.A))
    seen = tiny_language()
    rows = [world.observe[world.states.index(name)] for name in seen.percepts]
    J = expected_return(world, softmax_policy(theta))
    assert expected_return(seen, softmax_policy(theta[rows])) == pytest.approx(J, rel=1e-13)


@pytest.mark.parametrize("seen", ["prefix", "last"])
def test_all_routes_to_the_gradient_agree_on_it(seen):
    world = tiny_language(seen=seen, reward=lambda p, a, e: len(a) - 1.7 * e * (p == "a"))
    theta = np.random.default_rng(2).normal(size=(world.O, world.A))
    one, *others = (
        policy_gradient(world, theta, method=method)
        for method in ("adjoint", "enumeration", "forwards")
    )
    for other in others:
        np.testing.assert_allclose(other, one, atol=1e-14)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (dict(letters="aba"), "letters must hold each sign once; it holds 'a' twice"),
        (dict(letters="ab."), "letters must not hold '.'"),
        (dict(letters="a|b"), "letters must not hold '|'"),
        (dict(letters=""), "letters must hold one sign at least"),
        (dict(letters=["a", "b"]), "letters must be a string"),
        (dict(prompts=[]), "prompts must hold one word at least"),
        (dict(prompts="ab"), "prompts must be a list of words"),
        (dict(prompts=["a", "ca"]), "prompts[1] must be a word of the letters 'ab'; it is 'ca'"),
        (dict(prompts=["a", ""]), "prompts[1] must be a word"),
        (dict(prompts=["a", 3]), "prompts[1] must be a word; it is 3"),
        (dict(prompts=["a", "b", "a"]), "prompts must hold each word once; it holds 'a' twice"),
        (dict(longest=0), "longest must be at least 1"),
        (dict(longest=3.0), "longest must be a whole number"),
        (dict(longest=40), "longest = 40"),
        (dict(longest=10**15), "longest = 1,000,000,000,000,000"),
        (dict(letters="a", prompts=["a"], longest=10**15), "longest = 1,000,000,000,000,000"),
        (dict(reward=1.0), "reward must be a function of (prompt, answer, ended)"),
        (dict(reward=lambda p, a, e: np.nan), "reward('a', '', True) must be finite; it is nan"),
        (dict(reward=lambda p, a, e: None), "reward('a', '', True) must hold real numbers"),
        (
            dict(reward=lambda p, a, e: [1.0, 2.0]),
            "reward('a', '', True) must be one number; it has shape (2,)",
        ),
        (
            dict(reward=lambda p, a, e: np.inf if a == "bab" and p == "ba" else 0.0),
            "reward('ba', 'bab', False) must be finite",
        ),
        (dict(mu=[1.0]), "mu must have shape (prompts,) = (2,)"),
        (dict(mu=[0.7, 0.7]), "mu must sum to 1"),
        (dict(seen="all"), "seen must be one of prefix, last"),
    ],
)
def test_what_is_no_language_is_refused_by_name(given, says):
    with pytest.raises((ValueError, TypeError), match=escape(says)):
        tiny_language(**given)
