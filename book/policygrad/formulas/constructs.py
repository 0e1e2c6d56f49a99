r"""What begins with a token of its own: brackets, fractions, derivatives, sums, means.

\sum, d/dx and a minus sign reach up to the next + or -; \nabla and \log take one factor, powers and
all.  A transposition behind a gradient is that of the gradient: \nabla J^\top.

Sums, extreme values and means run over the cases that letters can take.  A draw is (letter, its
values, its law), the latter two functions of the scope, so that what is drawn later may depend on
what was drawn before.  In a sum the law is 1.  A mean under conditions is

    E[ f | c ] = sum of law f, where c holds  /  sum of law, where c holds
"""

from __future__ import annotations

import itertools
import math
import operator
from functools import partial, reduce

import numpy as np

from .grammar import ADD, CONSTRUCTS, FACTOR, Parser, lift
from .names import is_parameter
from .tex import BRACKETS, Missing, Refused, Undefined, chain, is_symbol, split, tokens
from .values import along, apply, compare, join, norm, plain, real, slope, symbolic, whole

__all__ = ["Vacuous"]

TERMS = 10_000  # that a letter may run through
TAIL = 50  # so many terms as small as nothing end an endless sum
BARS = {r"\mid", r"\vert"}


class Vacuous(Exception):
    """What is given has probability 0, so an expectation under it says nothing."""


# --- brackets, fractions, functions -------------------------------------------------------------


def _braced(p):
    inside = p.inner(p.group())
    p.scripts()  # what stands below an \underbrace
    return inside


def _phantom(p):
    p.group()
    return p.prefix()


def _indicator(p):
    p.take("[")
    return lift(int, p.condition(p.until("]")))


def _choose(n, k):
    return math.comb(whole(n, "n or k in n over k"), whole(k, "n or k in n over k"))


CONSTRUCTS |= {
    "+": lambda p: p.expression(ADD + 1),
    "-": lambda p: lift(operator.neg, p.expression(ADD + 1)),
    r"\infty": lambda p: lambda scope: math.inf,
    r"\sqrt": lambda p: lift(partial(apply, "sqrt"), p.inner(p.group())),
    r"\binom": lambda p: lift(_choose, p.inner(p.group()), p.inner(p.group())),
    r"\underbrace": _braced,
    r"\vphantom": _phantom,
    r"\mathbb 1": _indicator,
}
for _opening, _closing in ("()", "[]", "{}"):
    CONSTRUCTS[_opening] = lambda p, closing=_closing: p.inner(p.until(closing))
for _opening, _closing in (("|", "|"), (r"\lvert", r"\rvert")):
    CONSTRUCTS[_opening] = lambda p, closing=_closing: lift(norm, p.inner(p.until(closing)))
for _name in (r"\log", r"\exp", r"\arcsin", r"\operatorname{sign}", r"\operatorname{tr}"):
    _function = partial(apply, _name.removeprefix(r"\operatorname").strip(r"\{}"))
    CONSTRUCTS[_name] = lambda p, f=_function: lift(f, p.expression(FACTOR))


# --- derivatives --------------------------------------------------------------------------------


def _fraction(p):
    (d, *above), (other, *by) = p.group(), p.group()
    if d == other and d in ("d", r"\partial") and by and (by[0] == r"\log" or is_symbol(by[0])):
        return _derivative(p, p.inner(above) if above else p.expression(ADD + 1), by)
    return lift(partial(join, "/"), p.inner([d, *above]), p.inner([other, *by]))


def _derivative(p, body, by):
    logarithm = by[0] == r"\log"
    reader = Parser(by[logarithm:], p.names)
    name, index, upper, primes, _ = reader.resolve()
    if reader.next or upper or primes or (index and name != r"\theta"):
        raise Refused(f"a derivative by {' '.join(by)}, which is no symbol")
    index = p.several(index, {","})

    def value(scope):
        f = lambda y: body(scope | {name: y})  # noqa: E731
        if index:
            return along(f, *p.names.entry(name, [part(scope) for part in index], scope))
        x = p.names.value(name, scope)
        if logarithm:  # d / d log x, where x = e^y
            return slope(lambda y: f(apply("exp", y)), apply("log", x))
        return slope(f, x)

    return value


def _gradient(p):
    if (by := p.scripts()[0]) not in ([], [r"\theta"]):
        raise Refused(rf"a gradient by {''.join(by)}, not \theta")
    row = p.transposes
    if row:
        p.take("^")
        p.group()
    start, before = p.at, len(p.used)
    body = p.expression(FACTOR)
    name, *others = sorted({x for x in p.used[before:] if is_parameter(x)}) or [r"\theta"]
    if others:
        raise Refused(f"a gradient by {name} or by {others[0]}?")

    def value(scope):
        theta = p.names.value(name, scope)
        found = [along(lambda x: body(scope | {name: x}), theta, k) for k in range(len(theta))]
        return plain(np.array(found).reshape(len(theta), -1))

    value = p.names.remembered([r"\nabla", *p.words[start : p.at]], p.used[before:], value)
    return lift(partial(apply, "transpose"), value) if row else value


# --- sums, products, extreme values -------------------------------------------------------------


def _ranged(first, last):
    def values(scope):
        start, end = whole(first(scope), "a lower bound"), last(scope)
        if end == math.inf:
            return itertools.count(start)
        return range(start, whole(end, "an upper bound") + 1)

    return values


def _cases(draws, conditions, scope, weight=1):
    """(weight, scope) of all cases of what is drawn in which the conditions hold."""
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


def _sum(terms, endless):
    total = small = 0
    for term, _ in terms:
        total = join("+", total, term)
        small = small + 1 if endless and norm(term) <= 1e-17 * (1 + norm(total)) else 0
        if small == TAIL:
            break
    return total


def _product(terms, endless):
    return reduce(partial(join, "*"), (term for term, _ in terms), 1)


def _extreme(best, part, terms, endless):
    found = list(terms)
    if not found:
        raise Undefined("an extreme value of nothing")
    return best(found, key=lambda pair: real(pair[0]))[part]


FOLDS = {r"\sum": _sum, r"\prod": _product}
EXTREMES = {r"\max": max, r"\min": min}
for _sign, _best in EXTREMES.items():
    FOLDS |= {_sign: partial(_extreme, _best, 0), rf"\arg{_sign}": partial(_extreme, _best, 1)}


def _of_listed(best, p):
    r"""The least or the largest of what stands in brackets: \min(x, y), \max\{x, y\}."""
    listed = p.several(p.until(BRACKETS[p.take()]), {","})
    if len(listed) < 2:
        raise Refused("an extreme value of one thing alone")
    return lambda scope: best((x(scope) for x in listed), key=real)


def _clip(p):
    r"""\operatorname{clip}(x, low, high): x, or the bound that it is beyond."""
    p.take("(")
    listed = p.several(p.until(")"), {","})
    if len(listed) != 3:
        raise Refused("a clip of other than three things: what is clipped, and two bounds")
    return lift(lambda x, low, high: max(min(x, high, key=real), low, key=real), *listed)


CONSTRUCTS[r"\operatorname{clip}"] = _clip


def _large(sign, p):
    if sign in EXTREMES and p.next in ("(", r"\{"):
        return _of_listed(EXTREMES[sign], p)
    if sign == r"\arg":
        sign += p.take()
    lower, upper = p.scripts()
    named, *such = split(lower, {":"})
    conditions = [p.condition(part) for part in such]
    (letters, *rest), signs = chain(named)
    letters = ["".join(part) for part in split(letters, {","})]
    readable = sign in FOLDS and all(is_symbol(x.rstrip("'")) for x in letters)
    if readable and upper and signs == ["="]:
        draws = [(letters[0], _ranged(p.inner(rest[0]), p.inner(upper)), lambda scope: 1)]
    elif upper or len(set(letters)) < len(letters) or not readable:
        raise Refused(f"cannot read what {sign} ranges over: {' '.join(lower) or 'nothing'}")
    else:
        conditions += [p.condition(named)] if signs else []
        draws = [(x, p.names.extent(x), lambda scope: 1) for x in letters]
    body = p.expression(ADD + 1)

    def value(scope):
        cases = (inner for _, inner in _cases(draws, conditions, scope))
        endless = isinstance(draws[0][1](scope), itertools.count)
        return FOLDS[sign](((body(inner), inner[letters[0]]) for inner in cases), endless)

    return value


# --- means --------------------------------------------------------------------------------------


def _mean(kind, p):
    start, before = p.at, len(p.used)
    draws, given = _draws(p, p.scripts()[0]), []
    if kind == r"\mathbb E" and p.next != "[":
        body = p.expression(FACTOR)
    else:
        opening, closing = "[]" if kind == r"\mathbb E" else "()"
        p.take(opening)
        body, *given = split(p.until(closing), BARS)
        body = lift(int, p.condition(body)) if kind == r"\Pr" else p.inner(body)
    given = [part for words in given for part in split(words, {","})]
    conditions = [p.condition(part) for part in given if chain(part)[1]]
    held = [p.inner(part) for part in given if not chain(part)[1]]
    words, remembered = [kind, *p.words[start : p.at]], p.names.remembered
    once = partial(remembered, words, p.used[before:])
    mean = _expected(draws, body, conditions, held, once)
    if kind != r"\operatorname{Var}":
        return mean
    square = lambda scope: norm(join("-", body(scope), mean(scope))) ** 2  # noqa: E731
    once = partial(remembered, ["mean", *words], p.used[before:])
    return _expected(draws, square, conditions, held, once)


def _expected(draws, body, conditions, held, once):
    """The meaning of a mean; what is drawn outside counts only by what is held of it."""
    drawn = [letter for letter, *_ in draws]

    @once
    def mean(scope):
        total = weight = 0
        for share, inner in _cases(draws, conditions, scope):
            if all(compare(x(inner), "=", scope[f"held {k}"]) for k, x in enumerate(held)):
                total, weight = join("+", total, share * body(inner)), weight + share
        if conditions or held:
            if weight == 0:
                raise Vacuous
            return total / weight
        if not symbolic(weight) and abs(weight - 1) > 1e-9:
            raise Undefined(f"the chances of {', '.join(drawn)} sum to {weight}, not to 1")
        return total

    def value(scope):
        fixed = {f"held {k}": plain(x(scope)) for k, x in enumerate(held)}
        return mean({x: y for x, y in scope.items() if x not in drawn} | fixed)

    return value


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


CONSTRUCTS |= {r"\frac": _fraction, r"\nabla": _gradient}
CONSTRUCTS |= {x: partial(_large, x) for x in (r"\sum", r"\prod", r"\max", r"\min", r"\arg")}
CONSTRUCTS |= {x: partial(_mean, x) for x in (r"\mathbb E", r"\Pr", r"\operatorname{Var}")}
