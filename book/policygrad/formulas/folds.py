r"""Sums, products, extreme values and expectations: all run over the cases that letters can take.

A draw is (letter, its values, their law), the latter two functions of the scope, so that what is
drawn later may depend on what was drawn before.  In a sum the law is one.
"""

from __future__ import annotations

import itertools
import math
from functools import partial, reduce

import numpy as np

from .tex import Undefined
from .values import add, compare, divide, multiply, norm, symbolic, whole

__all__ = ["FOLDS", "Vacuous", "mean", "one", "ranged"]

TERMS, TAIL = (
    20_000,
    50,
)  # of a sum: at most so many; so many as small as nothing end an endless one


class Vacuous(Exception):
    """A condition that never holds: nothing is said of this case."""


def one(scope):
    """The law of a sum."""
    return 1


def ranged(first, last):
    """The whole numbers from the one to the other."""

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
    for x in values(scope):
        inner = scope | {letter: x}
        share = law(inner)
        if symbolic(share) or share != 0:  # what cannot happen need not have a value
            yield from _cases(rest, conditions, inner, multiply(weight, share))


def _sum(draws, conditions, body, scope):
    total, small = 0, 0
    endless = isinstance(draws[0][1](scope), itertools.count)
    for n, (_, inner) in enumerate(_cases(draws, conditions, scope)):
        term = body(inner)
        total = add(total, term)
        small = small + 1 if endless and norm(term) <= 1e-17 * (1 + norm(total)) else 0
        if small == TAIL:
            break
        if n == TERMS:
            raise Undefined(f"a sum of more than {TERMS} terms")
    return total


def _product(draws, conditions, body, scope):
    return reduce(multiply, (body(inner) for _, inner in _cases(draws, conditions, scope)), 1)


def _extreme(best, argument, draws, conditions, body, scope):
    found = [(body(inner), inner) for _, inner in _cases(draws, conditions, scope)]
    if not found:
        raise Undefined("an extreme value of nothing")
    value, inner = best(found, key=lambda pair: pair[0] if symbolic(pair[0]) else np.real(pair[0]))
    return inner[draws[0][0]] if argument else value


def mean(draws, body, conditions, held, scope):
    """The expectation where the conditions hold and what is held has its value of this scope."""
    fixed = [(x, x(scope)) for x in held]
    total = weight = 0
    for share, inner in _cases(draws, conditions, scope):
        if all(compare(x(inner), "=", y) for x, y in fixed):
            total, weight = add(total, multiply(share, body(inner))), weight + share
    if conditions or held:
        if weight == 0:
            raise Vacuous
        return divide(total, weight)
    if not symbolic(weight) and abs(weight - 1) > 1e-9:
        raise Undefined(
            f"the chances of {', '.join(x for x, *_ in draws)} sum to {weight}, not to 1"
        )
    return total


FOLDS = {
    r"\sum": _sum,
    r"\prod": _product,
    r"\max": partial(_extreme, max, False),
    r"\min": partial(_extreme, min, False),
    r"\arg\max": partial(_extreme, max, True),
    r"\arg\min": partial(_extreme, min, True),
}
