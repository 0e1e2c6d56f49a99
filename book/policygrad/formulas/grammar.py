r"""The grammar: a Pratt parser that turns tokens into their meaning, a function of the scope.

A scope says what letters stand for.  An operand takes in all that binds more tightly than its sign:

    +  -  \vert_{x=0}    <    factors, /, \cdot    <    ^\top    <    ^2  ^{-1}  ^+

- and \sum \prod \max \min d/dx reach up to the next + or -; \nabla \log \mathbb E take one factor,
its powers included.  Whether f(x) is a value or a product depends on what f is declared to be.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from .folds import FOLDS, mean, one, ranged
from .names import SEPARATORS, Names, is_parameter
from .tex import RELATIONS, Missing, Reader, Refused, Undefined, is_symbol, split, tokens
from .values import (
    add,
    along,
    apply,
    binomial,
    compare,
    divide,
    dot,
    multiply,
    norm,
    plain,
    power,
    slope,
    whole,
)

__all__ = ["Parser", "chain"]

ADD, DOT, TIMES, TRANSPOSE, FACTOR, POWER = 10, 15, 20, 30, 40, 50
SIGNS = {"+": ADD, "-": ADD, r"\vert": ADD, "/": TIMES, r"\cdot": DOT, "^": POWER}
JOIN = {"+": add, "-": lambda a, b: add(a, -b), "/": divide, r"\cdot": dot}  # all else: a factor
BARS = {r"\mid", r"\vert"}


def chain(words):
    """The sides of a chain of relations, and the signs between them."""
    parts, signs, at = split(words, RELATIONS), [], 0
    for part in parts[:-1]:
        at += len(part) + 1
        signs.append(words[at - 1])
    return parts, signs


def lift(f, *operands):
    """A function of values, as one of meanings."""
    return lambda scope: f(*[x(scope) for x in operands])


class Parser(Reader):
    """One expression; ``used`` gathers the names that it speaks of."""

    def __init__(self, words, names: Names, used: set):
        super().__init__(words)
        self.names, self.used = names, used

    def whole(self):
        """The meaning of all tokens together."""
        meaning = self._expression(ADD)
        if self.next is not None:
            raise Refused(f"cannot read {self.next} in {' '.join(self.words)}")
        return meaning

    def inner(self, words):
        """The meaning of some tokens by themselves."""
        return Parser(words, self.names, self.used).whole()

    def condition(self, words):
        """The truth of a list of chains of relations; exact, but for rounding."""
        links = []
        for parts, signs in (chain(part) for part in split(words, {","})):
            if not signs:
                raise Refused(f"no condition: {' '.join(words)}")
            terms = [self.inner(part) for part in parts]
            links += zip(terms, signs, terms[1:], strict=False)
        return lambda scope: all(compare(a(scope), sign, b(scope)) for a, sign, b in links)

    def _expression(self, least):
        left = self._prefix()
        while (sign := self.next) is not None:
            binds = TRANSPOSE if self.transposes else SIGNS.get(sign, TIMES)
            if binds < least:
                break
            if sign in SIGNS:
                self.take()
            if sign == "^":
                left = self._raised(left, self.group())
            elif sign == r"\vert":
                left = self._at(left)
            else:
                left = lift(JOIN.get(sign, multiply), left, self._expression(binds + 1))
                if sign == "/" and self.next not in (None, *SIGNS):
                    raise Refused(f"a/b {self.next}: is {self.next} below the stroke or beside it?")
        return left

    def _raised(self, base, upper):
        if upper in ([r"\top"], ["+"]):
            return lift(partial(apply, "transpose" if upper == [r"\top"] else "pinv"), base)
        return lift(power, base, self.inner(upper))

    def _at(self, left):
        self.take("_")
        letter, value = split(self.group(), {"="})
        letter, value = self.letter(letter), self.inner(value)
        return lambda scope: left(scope | {letter: value(scope)})

    def letter(self, words):
        """The name of a symbol that can be given another value."""
        reader = Parser(words, self.names, self.used)
        name, index, upper, primes, theta = reader.resolve()
        if reader.next or index or upper or primes or theta:
            raise Refused(f"{' '.join(words)} is no letter")
        return name

    def _prefix(self):
        for phrase, words in self.names.phrases.items():
            if self.words[self.at : self.at + len(words)] == words:
                self.at += len(words)
                self.used.add(phrase)
                return lambda scope: plain(self.names.lookup(phrase, scope))
        if self.next in PREFIXES:
            return PREFIXES[self.take()](self)
        if self.next is not None and (self.next.isdigit() or self.next == "."):
            return self._number()
        return self._symbol()

    def _number(self):
        digits = ""
        while self.next is not None and (self.next.isdigit() or self.next == "."):
            digits += self.take()
        value = float(digits) if "." in digits else int(digits)
        if self.names.symbolic:
            import sympy

            value = sympy.Rational(digits)
        return lambda scope: value

    def _function(self, name):
        return lift(partial(apply, name), self._expression(FACTOR))

    def _braced(self):
        inside = self.inner(self.group())
        self.scripts()
        return inside

    def _fraction(self):
        above, below = self.group(), self.group()
        by = below[2:] if below[1:2] == [r"\log"] else below[1:]
        if (
            above[:1] != below[:1]
            or above[0] not in ("d", r"\partial")
            or not is_symbol(*by[:1] or [None])
        ):
            return lift(divide, self.inner(above), self.inner(below))
        body = self.inner(above[1:]) if above[1:] else self._expression(ADD + 1)
        reader = Parser(by, self.names, set())
        name, index, upper, primes, _ = reader.resolve()
        if reader.next or upper or primes or (index and name != r"\theta"):
            raise Refused(f"a derivative by {' '.join(by)}, which is no symbol")
        return self._derivative(body, name, self._list(index), below[1] == r"\log")

    def _derivative(self, body, name, index, logarithm):
        def value(scope):
            def there(y):
                return body(scope | {name: y})

            x = self.names.lookup(name, scope)
            if index:
                return along(there, x, self.names.place([x(scope) for x in index]))
            if logarithm:  # d/d log x: x = e^y
                return slope(lambda y: there(apply("exp", y)), apply("log", x))
            return slope(there, x)

        return value

    def _gradient(self):
        if self.next == "_":
            self.take()
            if (by := self.group()) != [r"\theta"]:
                raise Refused(rf"a gradient by {''.join(by)}, not \theta")
        row = self.transposes
        if row:
            self.take(), self.group()
        outer, self.used = self.used, set()
        body = self._expression(FACTOR)
        (name, *others) = sorted(filter(is_parameter, self.used)) or [r"\theta"]
        outer |= self.used
        self.used = outer
        if others:
            raise Refused(f"a gradient by {name} or by {others[0]}?")

        def value(scope):
            theta = self.names.lookup(name, scope)
            slopes = [along(lambda x: body(scope | {name: x}), theta, k) for k in range(len(theta))]
            return plain(np.array(slopes).reshape(len(theta), -1))

        return lift(partial(apply, "transpose"), value) if row else value

    def _large(self, sign):
        if sign == r"\arg":
            sign += self.take(r"\max" if self.next == r"\max" else r"\min")
        lower, upper = self.scripts()
        named, *such = split(lower, {":"})
        conditions = [self.condition(part) for part in such]
        (letters, *rest), signs = chain(named)
        if upper and signs == ["="]:
            draws = [("".join(letters), ranged(self.inner(rest[0]), self.inner(upper)), one)]
        elif upper or not letters:
            raise Refused(f"cannot read what {sign} ranges over: {' '.join(lower) or 'nothing'}")
        else:
            conditions += [self.condition(named)] if signs else []
            draws = [(x, self._values(x), one) for x in map("".join, split(letters, {","}))]
        return partial(FOLDS[sign], draws, conditions, self._expression(ADD + 1))

    def _values(self, letter):
        values = self.names.extent(letter)
        return lambda scope: values

    def _indicator(self):
        self.take("[")
        return lift(int, self.condition(self.until("]")))

    def _mean(self, event=False):
        draws = self._draws(self.scripts()[0])
        if not event and self.next != "[":
            return partial(mean, draws, self._expression(FACTOR), (), ())
        self.take("(" if event else "[")
        body, *given = split(self.until(")" if event else "]"), BARS)
        body = lift(int, self.condition(body)) if event else self.inner(body)
        given = [part for x in given for part in split(x, {","})]
        conditions = [self.condition(x) for x in given if chain(x)[1]]
        return partial(
            mean, draws, body, conditions, [self.inner(x) for x in given if not chain(x)[1]]
        )

    def _variance(self):
        self.take("(")
        x, draws = self.inner(self.until(")")), self._draws([])

        def value(scope):
            centre = mean(draws, x, (), (), scope)
            return mean(draws, lambda inner: norm(add(x(inner), -centre)) ** 2, (), (), scope)

        return value

    def _draws(self, lower):
        """What is drawn: as it stands below, or, where only a policy or nothing does, as ever."""
        named = "".join(lower) in self.names.entries and "".join(lower) not in self.names.domains
        drawn = split(lower, {","}) if lower and not named else [[x] for x in self.names.draws]
        if not drawn:
            raise Refused("an expectation over nothing: neither a letter below it, nor a default")
        return [self._draw("".join(x), *law) for x, *law in (split(x, {r"\sim"}) for x in drawn)]

    def _draw(self, letter, law=None):
        plain_letter = letter.rstrip("'")
        stated = self.names.laws.get("".join(law) if law else plain_letter)
        if stated is not None:  # of x; that of x' is the same
            weight = self.inner(tokens(stated))
            return letter, self._values(letter), lambda s: weight(s | {plain_letter: s[letter]})
        if law is None:
            raise Missing(f"{letter} is drawn, and no law of it is given")
        if law[0] == r"\text{Uniform}":
            first, *_, last = split(law[2:-1], {","})
            values = ranged(self.inner(first), self.inner(last))
            return letter, values, lambda scope: 1 / len(values(scope))
        law = law if r"\cdot" in law else [*law, "(", r"\cdot", ")"]
        return (
            letter,
            self._values(letter),
            self.inner([y for x in law for y in (tokens(letter) if x == r"\cdot" else [x])]),
        )

    def _list(self, words, at=(",",)):
        return [self.inner(part) for part in split(words, at)] if words else []

    def resolve(self):
        """A symbol's name, what indexes it, stands above it, differentiates it; its theta."""
        token, known, letters = self.next, self.names.entries, self.names.domains
        if not is_symbol(token):
            raise Refused(f"cannot execute {token or 'nothing'} in {' '.join(self.words)}")
        written = self.name()
        lower, upper = self.scripts()
        literal, at_theta = "_" + "".join(lower), lower[:1] == [r"\theta"]
        for name in (written, written.rstrip("'")):
            primes = len(written) - len(name)
            for up in ("^" + "".join(upper), "") if upper else ("",):
                rest = [] if up else upper
                for low in (literal, r"_\theta" if at_theta else "_") if lower else ("",):
                    if name + low + up in known:
                        index = lower if low == "_" else []
                        theta = self.inner(lower) if low != literal and at_theta else None
                        return name + low + up, index, rest, primes, theta
            if name.rstrip("'") in letters and not lower and upper != ["*"]:
                return name, [], upper, 0, None
            if name == r"\theta" and lower and (name in known or name in letters):
                return name, lower, upper, 0, None
        raise (Refused if token.startswith((r"\text", r"\mathsf")) else Missing)(
            f"{written}{literal if lower else ''} has no value; is it misspelt, or the edit unsaved?"
        )

    def _symbol(self):
        name, index, upper, primes, theta = self.resolve()
        self.used.add(name)
        index, inside, batch = self._list(index), None, None
        if upper[:1] + upper[-1:] == ["(", ")"]:
            upper, batch = [], self.inner(upper[1:-1])
        if self.next == "(":
            inside = self._arguments(name)
        value = partial(self._value, name, index, inside, primes)

        def there(scope):
            if theta is not None:
                scope = scope | {r"\theta": np.ravel(theta(scope))}
            if batch is not None:
                scope = scope | {r"\tau": self.names.of_batch(batch(scope), scope)}
            return value(scope)

        return self._raised(there, upper) if upper else there

    def _arguments(self, name):
        if any(entry.inside for entry in self.names.entries.get(name, ())):
            self.take("(")
            return self._list(self.until(")"), SEPARATORS)
        first, *others = Reader(self.words[self.at + 1 :]).until(")") or [""]
        if not set(others) - {"'"}:
            raise Refused(f"{name}({first}): {name} is declared, but not as a function")
        return None

    def _value(self, name, index, inside, primes, scope):
        below = [whole(x(scope), f"an index of {name}") for x in index]
        given = None if inside is None else [x(scope) for x in inside]
        if name == r"\theta" and below:
            return self.names.lookup(name, scope)[self.names.place(below)]
        if primes:
            letter = self.names.entries[name][0].inside[0]
            f = partial(self._there, name, below, scope)
            for _ in range(primes):
                f = partial(slope, f)
            return f(given[0] if given else self.names.lookup(letter, scope))
        if below or given is not None:
            return plain(self.names.call(name, below, given, scope))
        return plain(self.names.lookup(name, scope))

    def _there(self, name, below, scope, x):
        return plain(self.names.call(name, below, [x], scope))


PREFIXES = {
    "(": lambda p: p.inner(p.until(")")),
    "[": lambda p: p.inner(p.until("]")),
    "{": lambda p: p.inner(p.until("}")),
    "|": lambda p: lift(norm, p.inner(p.until("|"))),
    r"\lvert": lambda p: lift(norm, p.inner(p.until(r"\rvert"))),
    "+": lambda p: p._expression(ADD + 1),
    "-": lambda p: lift(lambda x: -x, p._expression(ADD + 1)),
    r"\infty": lambda p: lambda scope: math.inf,
    r"\frac": Parser._fraction,
    r"\binom": lambda p: lift(binomial, p.inner(p.group()), p.inner(p.group())),
    r"\sqrt": lambda p: lift(partial(apply, "sqrt"), p.inner(p.group())),
    r"\underbrace": Parser._braced,
    r"\vphantom": lambda p: p._prefix() if p.group() else None,
    r"\nabla": Parser._gradient,
    r"\mathbb 1": Parser._indicator,
    r"\mathbb E": Parser._mean,
    r"\Pr": partial(Parser._mean, event=True),
    r"\operatorname{Var}": Parser._variance,
}
for _name in ("log", "exp", "arcsin", "sign", "trace"):
    _written = {"sign": r"\operatorname{sign}", "trace": r"\operatorname{tr}"}.get(
        _name, rf"\{_name}"
    )
    PREFIXES[_written] = partial(Parser._function, name=_name)
for _sign in (r"\sum", r"\prod", r"\max", r"\min", r"\arg"):
    PREFIXES[_sign] = partial(Parser._large, sign=_sign)
