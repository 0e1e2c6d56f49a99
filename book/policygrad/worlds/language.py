r"""A language model's task, small enough to be known in full.

A prompt is drawn, then one token at a time is written behind it, a letter or the end ".".  An
answer is over with its "." or is cut after its last allowed token, and is then paid for as a whole:

    state (prompt, what was written so far),     action a token,     gamma = 1

Nothing is random but the prompt and the policy, so with prompt s_0 an answer *is* a trajectory, and

    P(tau) = mu(s_0) prod_t pi(a_t | s_t),     R(tau) = reward(prompt, answer, ended).

With k letters and answers of up to H tokens there are 1 + k + ... + k^H answers to each prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..mdp import MDP
from ..memory import memory_allowed, require_memory
from ..validate import (
    probability_array,
    real_number,
    require_callable,
    require_count,
    require_one_of,
    shown,
)

END, BEHIND = ".", "|"  # the token that ends an answer; what stands in names behind the prompt
SEEN = ("prefix", "last")

__all__ = ["tiny_language"]


def tiny_language(
    prompts: Sequence[str] = ("a", "ba"),
    letters: str = "ab",
    longest: int = 3,
    *,
    reward: Callable[[str, str, bool], float] | None = None,
    mu=None,
    seen: str = "prefix",
) -> MDP:
    """Build the world of prompts and answers, written token by token and paid for when over.

    A state has the name "prompt|written so far": "ba|" is a prompt, "ba|b" one letter later.  An
    answer is over in a state of its own: "ba|b." if it ended, "ba|bab" if it was cut, for
    ``longest`` = 3.  Nothing is discounted.

    Parameters
    ----------
    prompts : words of the letters, each at most once.
    letters : the tokens, one sign each, in the order of the actions; "." comes last, behind them.
    longest : how many tokens an answer has at most, its "." included; then it is cut.
    reward : called once for each answer, as reward(prompt, answer, ended), with the answer's
        letters and whether it ended with "." or was cut; paid with the answer's last token.
        Default: 1 if the answer begins with the prompt, else 0, ended or cut.
    mu : (prompts,) chances of the prompts; default: all equally likely.
    seen : "prefix", the percept is the state; "last", it is the prompt and the last letter, so that
        all places that end alike share a row of the parameters.  A percept of the second kind has
        the name "ba|" where nothing is written and "ba|…b" behind a b.  In a state in which an
        answer is over no action is taken; it has the percept of the state before it.

    Raises
    ------
    ValueError, TypeError
        naming the argument that is wrong, or the answer to which the reward is no finite number; or
        if ``longest`` makes a world too large for this machine.
    """
    letters = _letters(letters)
    prompts = _prompts(prompts, letters)
    longest, seen = require_count("longest", longest), require_one_of("seen", seen, SEEN)
    if reward is None:
        reward = _begins_with_the_prompt
    require_callable("reward", reward, "a function of (prompt, answer, ended)")
    n, tokens = len(prompts), letters + END
    if mu is not None:
        mu = probability_array("mu", mu, (n,), "(prompts,)")
    _require_room(n, len(letters), longest)

    writing = [(p, "") for p in prompts]  # the states in which a token is chosen, prompts first
    for p, written in writing:
        if len(written) < longest - 1:
            writing += [(p, written + letter) for letter in letters]
    over = [
        (p, written, token)
        for p, written in writing
        for token in tokens
        if token == END or len(written) == longest - 1
    ]
    names = [p + BEHIND + written for p, written in writing]
    names += [p + BEHIND + written + token for p, written, token in over]
    number = {name: s for s, name in enumerate(names)}

    S, A = len(names), len(tokens)
    P, R = np.zeros((S, A, S)), np.zeros((S, A, S))
    for s in range(len(writing)):
        for a, token in enumerate(tokens):
            P[s, a, number[names[s] + token]] = 1.0
    for p, written, token in over:
        s, to = (number[p + BEHIND + text] for text in (written, written + token))
        ended = token == END
        answer = written if ended else written + token
        P[to, :, to] = 1.0
        R[s, tokens.index(token), to] = _paid(reward, p, answer, ended)

    looks = {"prefix": _prefix, "last": _last_letter}[seen]
    percepts = list(dict.fromkeys(looks(*place) for place in writing))
    places = writing + [(p, written) for p, written, _ in over]
    return MDP(
        P,
        R,
        np.append(np.full(n, 1.0 / n) if mu is None else mu, np.zeros(S - n)),
        gamma=1.0,
        horizon=longest,
        observe=[percepts.index(looks(*place)) for place in places],
        states=names,
        actions=list(tokens),
        percepts=percepts,
    )


def _begins_with_the_prompt(prompt: str, answer: str, ended: bool) -> float:
    return float(answer.startswith(prompt))


def _prefix(prompt: str, written: str) -> str:
    return prompt + BEHIND + written


def _last_letter(prompt: str, written: str) -> str:
    return prompt + BEHIND + (f"…{written[-1]}" if written else "")


def _paid(reward, prompt: str, answer: str, ended: bool) -> float:
    return real_number(f"reward({prompt!r}, {answer!r}, {ended})", reward(prompt, answer, ended))


def _letters(letters) -> str:
    if not isinstance(letters, str):
        raise TypeError(f'letters must be a string, "ab"; it is {shown(letters)}')
    if not letters:
        raise ValueError("letters must hold one sign at least; it is empty")
    for k, letter in enumerate(letters):
        if letter in (END, BEHIND, "…"):
            raise ValueError(f"letters must not hold {letter!r}, which has a meaning of its own")
        if letter in letters[:k]:
            raise ValueError(f"letters must hold each sign once; it holds {letter!r} twice")
    return letters


def _prompts(prompts, letters: str) -> list[str]:
    if not isinstance(prompts, (list, tuple)):
        raise TypeError(f'prompts must be a list of words, ["a", "ba"]; it is {shown(prompts)}')
    if not prompts:
        raise ValueError("prompts must hold one word at least; it is empty")
    for k, prompt in enumerate(prompts):
        if not isinstance(prompt, str):
            raise TypeError(f"prompts[{k}] must be a word; it is {shown(prompt)}")
        if not prompt or set(prompt) - set(letters):
            raise ValueError(
                f"prompts[{k}] must be a word of the letters {letters!r}; it is {prompt!r}"
            )
        if prompt in prompts[:k]:
            raise ValueError(f"prompts must hold each word once; it holds {prompt!r} twice")
    return list(prompts)


def _require_room(n: int, k: int, longest: int) -> None:
    """Refuse a world that would not fit, without counting on for ever."""
    S, layer = 0, n
    for written in range(longest):  # of each place with so many letters: itself and its end
        S += layer * (2 if written < longest - 1 else 2 + k)
        layer *= k
        size = 3 * 8 * S**2 * (k + 1)
        if size > memory_allowed():
            break
    require_memory(f"the worlds with longest = {longest:,} and {k} letters", size)
