r"""Sums, products, extreme values and means: each runs over the cases that letters can take.

A draw is (letter, its values, their law), the latter two functions of the scope, so that what is
drawn later may depend on what was drawn before.  In a sum the law is 1.
"""

from __future__ import annotations

import itertools
import math
from functools import partial, reduce

import numpy as np

from .grammar import ADD, FACTOR, construct, lift
from .names import place
from .tex import Missing, Refused, Undefined, chain, is_symbol, split, tokens
from .values import JOIN, compare, norm, plain, symbolic, whole

__all__ = ["Vacuous"]

TERMS = 10_000  # that a letter may run through
TAIL = 50  # so many terms as small as nothing end an endless sum
BARS = {r"\mid", r"\vert"}


class Vacuous(Exception):
    """What is given has probability 0, so an expectation under it says nothing."""


def _one(scope):
    return 1


def _ranged(first, last):
    def values(scope):
        start, end = whole(first(scope), "a lower bound"), last(scope)
        if end == math.inf:
            return itertools.count(start)
        return range(start, whole(end, "an upper bound") + 1)

    return values


def _cases(draws, conditions, scope, weight=1):
    if not draws:
        if all(holds(scope) for holds in conditions):
            yield weight, scope
        return
    (letter, values, law), *rest = draws
    for n, x in enumerate(values(scope)):
        if n == TERMS:
            raise Undefined(f"more than {TERMS} values of {letter}")
        inner = scope | {letter: x}
        share = law(inner)
        if symbolic(share) or share != 0:  # what cannot happen need not have a value
            yield from _cases(rest, conditions, inner, weight * share)


def _sum(draws, conditions, body, scope):
    total, small = 0, 0
    endless = isinstance(draws[0][1](scope), itertools.count)
    for _, inner in _cases(draws, conditions, scope):
        term = body(inner)
        total = JOIN["+"](total, term)
        small = small + 1 if endless and norm(term) <= 1e-17 * (1 + norm(total)) else 0
        if small == TAIL:
            break
    return total


def _product(draws, conditions, body, scope):
    return reduce(JOIN["*"], (body(inner) for _, inner in _cases(draws, conditions, scope)), 1)


def _extreme(best, argument, draws, conditions, body, scope):
    found = [(body(inner), inner) for _, inner in _cases(draws, conditions, scope)]
    if not found:
        raise Undefined("an extreme value of nothing")
    value, inner = best(found, key=lambda pair: pair[0] if symbolic(pair[0]) else np.real(pair[0]))
    return inner[draws[0][0]] if argument else value


FOLDS = {r"\sum": _sum, r"\prod": _product}
for _sign, _best in ((r"\max", max), (r"\min", min)):
    FOLDS |= {
        _sign: partial(_extreme, _best, False),
        rf"\arg{_sign}": partial(_extreme, _best, True),
    }


def _large(sign, p):
    if sign == r"\arg":
        sign += p.take()
    lower, upper = p.scripts()
    named, *such = split(lower, {":"})
    conditions = [p.condition(part) for part in such]
    (letters, *rest), signs = chain(named)
    letters = ["".join(part) for part in split(letters, {","})]
    readable = sign in FOLDS and all(is_symbol(x.rstrip("'")) for x in letters)
    if readable and upper and signs == ["="]:
        draws = [(letters[0], _ranged(p.inner(rest[0]), p.inner(upper)), _one)]
    elif upper or len(set(letters)) < len(letters) or not readable:
        raise Refused(f"cannot read what {sign} ranges over: {' '.join(lower) or 'nothing'}")
    else:
        conditions += [p.condition(named)] if signs else []
        draws = [(x, p.names.extent(x), _one) for x in letters]
    return partial(FOLDS[sign], draws, conditions, p.expression(ADD + 1))


for _sign in (r"\sum", r"\prod", r"\max", r"\min", r"\arg"):
    construct(_sign)(partial(_large, _sign))


def _means(draws, body, conditions=(), held=()):
    """The meaning of a mean; what is drawn outside counts only by what is held of it."""
    drawn, known = {letter for letter, *_ in draws}, {}

    def value(scope):
        fixed = [plain(x(scope)) for x in held]
        rest = {x: y for x, y in scope.items() if x not in drawn}
        here = place(rest | dict(enumerate(fixed)))
        if here not in known:
            known[here] = _mean(draws, body, conditions, list(zip(held, fixed, strict=True)), rest)
        return known[here]

    return value


def _mean(draws, body, conditions, fixed, scope):
    """The mean where the conditions hold, and what is held has the values that are fixed."""
    total = weight = 0
    for share, inner in _cases(draws, conditions, scope):
        if all(compare(x(inner), "=", y) for x, y in fixed):
            total, weight = JOIN["+"](total, share * body(inner)), weight + share
    if conditions or fixed:
        if weight == 0:
            raise Vacuous
        return total / weight
    if not symbolic(weight) and abs(weight - 1) > 1e-9:
        raise Undefined(
            f"the chances of {', '.join(x for x, *_ in draws)} sum to {weight}, not to 1"
        )
    return total


@construct(r"\mathbb E")
def _expectation(p):
    draws = _draws(p, p.scripts()[0])
    if p.next != "[":
        return _means(draws, p.expression(FACTOR))
    p.take("[")
    body, *given = split(p.until("]"), BARS)
    return _means(draws, p.inner(body), *_given(p, given))


@construct(r"\Pr")
def _probability(p):
    p.take("(")
    event, *given = split(p.until(")"), BARS)
    return _means(_draws(p, []), lift(int, p.condition(event)), *_given(p, given))


@construct(r"\operatorname{Var}")
def _variance(p):
    p.take("(")
    x, draws = p.inner(p.until(")")), _draws(p, [])

    def value(scope):
        centre = mean(scope)
        return _mean(draws, lambda case: norm(JOIN["-"](x(case), centre)) ** 2, (), (), scope)

    mean = _means(draws, x)
    return value


def _given(p, bars):
    """Behind the bar: conditions, and what is held at its value."""
    parts = [part for words in bars for part in split(words, {","})]
    conditions = [p.condition(part) for part in parts if chain(part)[1]]
    return conditions, [p.inner(part) for part in parts if not chain(part)[1]]


def _draws(p, lower):
    """The letters below, each with its law; by default where there is none, or only a policy."""
    drawn = split(lower, {","}) if lower not in ([], [r"\pi"]) else [[x] for x in p.names.draws]
    if not drawn:
        raise Refused("an expectation over nothing: neither a letter below it, nor a default")
    return [_draw(p, "".join(x), *law) for x, *law in (split(x, {r"\sim"}) for x in drawn)]


def _draw(p, letter, law=None):
    base, values = letter.rstrip("'"), p.names.extent(letter)
    stated = p.names.laws.get("".join(law) if law else base)
    if stated is not None:  # of x; that of x' is the same
        weight = p.inner(tokens(stated))
        return letter, values, lambda scope: weight(scope | {base: scope[letter]})
    if law is None:
        raise Missing(f"{letter} is drawn, and no law of it is given")
    if law[0] == r"\text{Uniform}":
        first, *_, last = split(law[2:-1], {","})
        values = _ranged(p.inner(first), p.inner(last))
        return letter, values, lambda scope: 1 / len(values(scope))
    law = law if r"\cdot" in law else [*law, "(", r"\cdot", ")"]
    law = [word for x in law for word in (tokens(letter) if x == r"\cdot" else [x])]
    return letter, values, p.inner(law)
