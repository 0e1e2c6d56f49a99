r"""The grammar: a Pratt parser that turns tokens into their meaning, a function of the scope.

A scope says what letters stand for.  An operand takes in all that binds more tightly than its sign:

    +  -  \vert_{x=0}    <    \cdot    <    factors, /    <    ^\top    <    ^2  ^{-1}  ^+

Whether f(x) is a value or a product depends on what f is declared to be.  What begins with a token
of its own, ``\sum`` or ``\frac``, is registered by the room ``constructs``.
"""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np

from .names import SEPARATORS, Names
from .tex import Missing, Reader, Refused, Undefined, chain, is_symbol, split
from .values import apply, compare, join, plain, power, slope, whole

__all__ = ["ADD", "CONSTRUCTS", "FACTOR", "Parser", "lift"]

ADD, DOT, TIMES, TRANSPOSE, FACTOR, POWER = 10, 15, 20, 30, 40, 50
SIGNS = {"+": ADD, "-": ADD, r"\vert": ADD, "/": TIMES, r"\cdot": DOT, "^": POWER}
CONSTRUCTS = {}  # token -> function of the parser that has just taken it


def lift(f, *operands):
    """A function of values, as one of meanings."""
    return lambda scope: f(*[x(scope) for x in operands])


class Parser(Reader):
    """One expression; ``used`` lists the names that it speaks of."""

    def __init__(self, words, names: Names, used: list | None = None):
        super().__init__(words)
        self.names, self.used = names, [] if used is None else used

    def whole(self):
        """The meaning of all tokens together."""
        meaning = self.expression(ADD)
        if self.next is not None:
            raise Refused(f"cannot read {self.next} in {' '.join(self.words)}")
        return meaning

    def inner(self, words):
        """The meaning of some tokens by themselves."""
        return Parser(words, self.names, self.used).whole()

    def several(self, words, at):
        """The meanings of the parts of a list."""
        return [self.inner(part) for part in split(words, at)] if words else []

    def condition(self, words):
        """The truth of a list of chains of relations; exact, but for rounding."""
        links = []
        for parts, signs in (chain(part) for part in split(words, {","})):
            if not signs:
                raise Refused(f"no condition: {' '.join(words)}")
            terms = [self.inner(part) for part in parts]
            links += zip(terms, signs, terms[1:], strict=False)
        return lambda scope: all(compare(a(scope), sign, b(scope)) for a, sign, b in links)

    def expression(self, least):
        """The meaning of what binds at least as tightly as that."""
        left = self.prefix()
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
                left = lift(partial(join, sign), left, self.expression(binds + 1))
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
        name, *more = reader.resolve()
        if reader.next or any(more):
            raise Refused(f"{' '.join(words)} is no letter")
        return name

    def prefix(self):
        """The meaning of what has nothing on its left."""
        for phrase, words in self.names.phrases.items():
            if self.words[self.at : self.at + len(words)] == words:
                self.at += len(words)
                self._speak_of(phrase)
                return lambda scope: plain(self.names.value(phrase, scope))
        if self.next in CONSTRUCTS:
            return CONSTRUCTS[self.take()](self)
        digits = ""
        while self.next is not None and (self.next.isdigit() or self.next == "."):
            digits += self.take()
        return self._number(digits) if digits else self._symbol()

    def _number(self, digits):
        value = float(digits) if "." in digits else int(digits)
        if self.names.symbolic:
            import sympy

            value = sympy.Rational(digits)
        return lambda scope: value

    def resolve(self):
        """(name, indices, what stands above, primes that differentiate, theta) of a symbol."""
        token, known, letters = self.next, self.names.entries, self.names.domains
        if not is_symbol(token):
            raise Refused(f"cannot execute {token or 'nothing'} in {' '.join(self.words)}")
        written, (lower, upper) = self.name(), self.scripts()
        literal, at_theta = "_" + "".join(lower), lower[:1] == [r"\theta"]
        star = upper == ["*"]  # b^* is no power of b
        lows = (literal, r"_\theta" if at_theta else "_") if lower else ("",)
        ups = ["^" + "".join(upper)] * bool(upper) + [""] * (not star)
        for name in (written, written.rstrip("'")):
            for up, low in product(ups, lows):
                if name + low + up in known:
                    index, primes = lower if low == "_" else [], len(written) - len(name)
                    theta = self.inner(lower) if at_theta and low != literal else None
                    return name + low + up, index, [] if up else upper, primes, theta
            if name.rstrip("'") in letters and not lower and not star:
                return name, [], upper, 0, None
            if name == r"\theta" and lower and (name in known or name in letters):
                return name, lower, upper, 0, None
        kind = Refused if token.startswith((r"\text", r"\mathsf")) else Missing
        name = written + (literal if lower else "")
        raise kind(f"{name} has no value: is it misspelt, or an edit unsaved?")

    def _speak_of(self, name):
        self.used.append(name)
        self.names.spoken.add(name)
        for entry in self.names.entries.get(name, ()):
            if entry.words is not None and entry.meaning is None:
                parser = Parser(entry.words, self.names)
                entry.meaning = parser.whole  # where it stands in itself, it is being parsed
                entry.meaning, entry.used = parser.whole(), parser.used

    def _symbol(self):
        name, index, upper, primes, theta = self.resolve()
        self._speak_of(name)
        batch, names = None, self.names
        if upper[:1] + upper[-1:] == ["(", ")"]:
            upper, batch = [], self.inner(upper[1:-1])
        index, inside = self.several(index, {","}), self._arguments(name)
        plainly = not (index or primes) and theta is batch is inside is None

        def value(scope):
            if plainly:
                return plain(names.value(name, scope))
            if theta is not None:
                scope = scope | {r"\theta": np.ravel(theta(scope))}
            if batch is not None:
                scope = scope | {r"\tau": _drawn(names.value("batch", scope), batch(scope))}
            below = [x(scope) for x in index]
            given = None if inside is None else [x(scope) for x in inside]
            if name == r"\theta" and below:
                flat, k = names.entry(name, below, scope)
                return flat[k]
            if primes:
                return _slope(names, name, below, given, primes, scope)
            return plain(names.value(name, scope, below, given))

        return self._raised(value, upper) if upper else value

    def _arguments(self, name):
        """What stands in brackets, if a function of that name is declared; else it is a factor."""
        if self.next != "(":
            return None
        inside = Reader(self.words[self.at + 1 :]).until(")")
        if any(entry.inside for entry in self.names.entries.get(name, ())):
            if not inside:
                raise Refused(f"{name}(): nothing stands in the brackets")
            self.at += len(inside) + 2
            return self.several(inside, SEPARATORS)
        if not set(inside[1:]) - {"'"}:
            raise Refused(f"{name}({''.join(inside)}): {name} is declared, but not as a function")
        return None


def _drawn(batch, i):
    if not 1 <= whole(i, "an index of the batch") <= len(batch):
        raise Undefined(f"number {i} in a batch of {len(batch)}")
    return batch[whole(i, "an index of the batch") - 1]


def _slope(names, name, below, given, primes, scope):
    (letter,) = names.entries[name][0].inside
    f = lambda x: plain(names.value(name, scope, below, [x]))  # noqa: E731
    for _ in range(primes):
        f = partial(slope, f)
    return f(given[0] if given else names.value(letter, scope))
