r"""What begins with a token of its own: brackets, fractions, functions, derivatives.

\sum, d/dx and a minus sign reach up to the next + or -; \nabla and \log take one factor, powers and
all.  A transposition behind a gradient is that of the gradient: \nabla J^\top.
"""

from __future__ import annotations

import math
import operator
from functools import partial

import numpy as np

from .grammar import ADD, FACTOR, Parser, construct, lift
from .names import is_parameter, remembered
from .tex import Refused, is_symbol
from .values import JOIN, along, apply, norm, plain, slope, whole

__all__ = []

for _opening, _closing in (("(", ")"), ("[", "]"), ("{", "}")):
    construct(_opening)(lambda p, closing=_closing: p.inner(p.until(closing)))
for _opening, _closing in (("|", "|"), (r"\lvert", r"\rvert")):
    construct(_opening)(lambda p, closing=_closing: lift(norm, p.inner(p.until(closing))))
for _name in ("log", "exp", "arcsin", "sign", "tr"):
    construct(rf"\{_name}", rf"\operatorname{{{_name}}}")(
        lambda p, name=_name: lift(partial(apply, name), p.expression(FACTOR))
    )
construct("+")(lambda p: p.expression(ADD + 1))
construct("-")(lambda p: lift(operator.neg, p.expression(ADD + 1)))
construct(r"\infty")(lambda p: lambda scope: math.inf)
construct(r"\sqrt")(lambda p: lift(partial(apply, "sqrt"), p.inner(p.group())))


@construct(r"\binom")
def _binomial(p):
    n, k = p.inner(p.group()), p.inner(p.group())
    return lambda scope: math.comb(*(whole(x(scope), "n or k in n over k") for x in (n, k)))


@construct(r"\underbrace")
def _underbrace(p):
    inside = p.inner(p.group())
    p.scripts()
    return inside


@construct(r"\vphantom")
def _phantom(p):
    p.group()
    return p.prefix()


@construct(r"\mathbb 1")
def _indicator(p):
    p.take("[")
    return lift(int, p.condition(p.until("]")))


@construct(r"\frac")
def _fraction(p):
    (d, *above), (other, *by) = p.group(), p.group()
    if d == other and d in ("d", r"\partial") and by and (by[0] == r"\log" or is_symbol(by[0])):
        return _derivative(p, p.inner(above) if above else p.expression(ADD + 1), by)
    return lift(JOIN["/"], p.inner([d, *above]), p.inner([other, *by]))


def _derivative(p, body, by):
    logarithm = by[0] == r"\log"
    reader = Parser(by[logarithm:], p.names, [])
    name, index, upper, primes, _ = reader.resolve()
    if reader.next or upper or primes or (index and name != r"\theta"):
        raise Refused(f"a derivative by {' '.join(by)}, which is no symbol")
    index = p.several(index, {","})

    def value(scope):
        if index:
            theta, k = p.names.entry(name, [part(scope) for part in index], scope)
            return along(lambda y: body(scope | {name: y}), theta, k)
        x = p.names.lookup(name, scope)
        if logarithm:  # d / d log x, where x = e^y
            return slope(lambda y: body(scope | {name: apply("exp", y)}), apply("log", x))
        return slope(lambda y: body(scope | {name: y}), x)

    return value


@construct(r"\nabla")
def _gradient(p):
    if (by := p.scripts()[0]) not in ([], [r"\theta"]):
        raise Refused(rf"a gradient by {''.join(by)}, not \theta")
    row = p.transposes
    if row:
        p.take("^")
        p.group()
    before = len(p.used)
    body = p.expression(FACTOR)
    name, *others = sorted({x for x in p.used[before:] if is_parameter(x)}) or [r"\theta"]
    if others:
        raise Refused(f"a gradient by {name} or by {others[0]}?")

    @remembered
    def value(scope):
        theta = p.names.lookup(name, scope)
        found = [along(lambda x: body(scope | {name: x}), theta, k) for k in range(len(theta))]
        return plain(np.array(found).reshape(len(theta), -1))

    return lift(partial(apply, "transpose"), value) if row else value
