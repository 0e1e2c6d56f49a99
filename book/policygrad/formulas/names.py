r"""What the caller gives: values of symbols, spelled as in the book; ranges and laws of letters.

    {r"\gamma": 0.7, "s_t": lambda t, tau: ..., r"P(\tau;\theta)": lambda tau, theta: ...,
     "g_i": r"\nabla\log P(\tau^{(i)};\theta)",                         # a definition, as LaTeX
     "domains": {r"\tau": range(64), "t": range(3), r"\theta": [...]},  # what letters range over
     "laws": {r"\tau": r"P(\tau;\theta)"}, "E": r"\tau"}                # what is drawn, and how

A function gets the letters that its key writes; its further parameters are letters of the scope,
found by name (``theta`` is ``\theta``).  ``\theta``, with whatever index, is an array, which
functions get flat, and ``\theta_{o,a}`` is its entry; ``x^{(i)}`` is x at the i-th ``\tau`` of the
letter ``batch``.  A key that is no symbol, ``\mathbb E[T]``, is matched token by token.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from numbers import Integral

import numpy as np

from .tex import Missing, Reader, Refused, Undefined, is_symbol, split, tokens
from .values import plain, slope, whole

__all__ = ["SEPARATORS", "Entry", "Names", "Unbound", "is_parameter"]

SEPARATORS = {",", ";", "|", r"\mid", r"\vert"}  # of arguments


class Unbound(Exception):
    """A letter with a domain that nothing has bound."""


def is_parameter(name: str) -> bool:
    r"""Is this \theta, or some \theta_k?"""
    return name.startswith(r"\theta")


@dataclass
class Entry:
    """A symbol: its name, the letters below it and in brackets, and its meaning in a scope."""

    name: str
    below: tuple = ()
    inside: tuple = ()
    meaning: object = None
    words: list | None = None  # of a definition
    constant: bool = False


class Names:
    """All that can be spoken of."""

    def __init__(self, table, symbolic=False):
        table, self.symbolic, self.entries, self.phrases = dict(table), symbolic, {}, {}
        self.domains = {x: list(values) for x, values in table.pop("domains", {}).items()}
        self.laws, self.draws = table.pop("laws", {}), table.pop("E", "").split()
        self.ambient = {"batch", r"\theta", *self.laws, *self.draws}
        self.shape = np.shape(self.domains.get(r"\theta", [table.get(r"\theta")])[0])
        for x in filter(is_parameter, self.domains):
            self.domains[x] = [np.ravel(value) for value in self.domains[x]]
        if any(len(batch) == 1 for batch in self.domains.get("batch", ())):
            raise Refused("a batch of one: where nothing is averaged, wrong estimators pass")
        self.least = {  # where the letters that count begin
            x: min(values)
            for x, values in self.domains.items()
            if values and all(isinstance(value, Integral) for value in values)
        }
        for key, value in table.items():
            self.declare(tokens(key), tokens(value) if isinstance(value, str) else value)

    def read(self, words) -> Entry | None:
        """Tokens as one symbol, or None; what stands below it and is no letter is of its name."""
        reader = Reader(words)
        if not is_symbol(reader.next):
            return None
        name = reader.name()
        lower, upper = reader.scripts()
        below = tuple("".join(x) for x in split(lower, {","})) if lower else ()
        if not all(x.rstrip("'") in self.domains and not is_parameter(x) for x in below):
            name, below = f"{name}_{''.join(lower)}", ()
        name += ("_" if below else "") + (f"^{''.join(upper)}" if upper else "")
        inside = (
            split(reader.until(")"), SEPARATORS) if reader.next == "(" and reader.take() else []
        )
        for x in inside:
            if (
                not x
                or not is_symbol(x[0])
                or set(x[1:]) - ({"_", "k"} if is_parameter(x[0]) else {"'"})
            ):
                return None
        return None if reader.next else Entry(name, below, tuple("".join(x) for x in inside))

    def declare(self, words, value) -> Entry:
        """Give a symbol, or a phrase, its value: tokens of LaTeX, a function, or a constant."""
        entry = self.read(words)
        if entry is None:
            entry = Entry("".join(words))
            self.phrases[entry.name] = words
        if isinstance(value, list):
            entry.words = value
        elif callable(value):
            letters = entry.below + entry.inside
            for x in list(inspect.signature(value).parameters.values())[len(letters) :]:
                if x.default is x.empty:
                    name = x.name.rstrip("_")
                    letters += (name if name in self.domains or len(name) == 1 else "\\" + name,)
            entry.meaning = lambda scope: value(*[self.lookup(x, scope) for x in letters])
        else:
            value = np.ravel(value) if is_parameter(entry.name) else value
            entry.meaning, entry.constant = lambda scope: value, True
        self.entries.setdefault(entry.name, []).append(entry)
        return entry

    def extent(self, letter):
        """The values of a letter, in any scope; a' has those of a."""
        if letter.rstrip("'") not in self.domains:
            raise Missing(f"{letter} has no domain to range over")
        return lambda scope: self.domains[letter.rstrip("'")]

    def lookup(self, letter, scope):
        """The value of a letter, or of a symbol without arguments."""
        if letter in scope:
            return scope[letter]
        if letter.rstrip("'") in self.domains:
            raise Unbound(letter)
        return self.call(letter, (), None, scope)

    def value(self, name, below, inside, primes, scope):
        """The value of a symbol as it is written: with indices, arguments, primes."""
        if name == r"\theta" and below:
            return self.lookup(name, scope)[self.place(below)]
        if primes:
            (letter,) = self.entries[name][0].inside
            f = partial(self._at, name, below, scope)
            for _ in range(primes):
                f = partial(slope, f)
            return f(inside[0] if inside else self.lookup(letter, scope))
        bare = not below and inside is None
        return plain(self.lookup(name, scope) if bare else self.call(name, below, inside, scope))

    def _at(self, name, below, scope, x):
        return plain(self.call(name, below, [x], scope))

    def call(self, name, below, inside, scope):
        """The value of a symbol; arguments that are not written are those of the scope."""
        entries = [x for x in self.entries.get(name, ()) if len(x.below) == len(below)]
        entries = [x for x in entries if inside is None or len(x.inside) == len(inside)]
        if not entries:
            raise Missing(f"{name} has no value for {len(inside or ()) + len(below)} arguments")
        entry = min(entries, key=lambda x: sum(letter not in scope for letter in x.inside))
        given = [self.lookup(x, scope) for x in entry.inside] if inside is None else inside
        given = dict(zip(entry.below + entry.inside, (*below, *given), strict=True))
        for x, value in given.items():
            if is_parameter(x) or getattr(value, "shape", ())[1:] == (1,):
                given[x] = np.ravel(value)
            elif isinstance(value, Integral) and value < self.least.get(x, value):
                raise Undefined(f"{name} at {x} = {value}: {x} begins at {self.least[x]}")
        try:
            return (
                self._defined(entry, given, scope) if entry.words else entry.meaning(scope | given)
            )
        except Refused:
            raise
        except (LookupError, ArithmeticError, TypeError, ValueError) as trouble:
            raise Undefined(f"{name} has no value at {given}: {trouble!r}") from trouble

    def _defined(self, entry, given, scope):
        """A definition sees its arguments and what is drawn, never its caller's indices."""
        hidden = {x for x in scope if x.rstrip("'") in self.domains} - self.ambient
        try:
            return entry.meaning({x: y for x, y in scope.items() if x not in hidden} | given)
        except Unbound as free:
            if free.args[0] in hidden:
                raise Missing(
                    f"the definition of {entry.name} uses {free}, no argument of it"
                ) from None
            raise

    def place(self, index):
        r"""Where an entry of \theta stands in the flat array."""
        index = [whole(i, r"an index of \theta") for i in index]
        if len(index) != len(self.shape) or not all(
            0 <= i < n for i, n in zip(index, self.shape, strict=True)
        ):
            raise Undefined(rf"\theta has no entry {index}: its shape is {self.shape}")
        return int(np.ravel_multi_index(index, self.shape))

    def of_batch(self, i, scope):
        """The i-th of a batch, counted from 1."""
        batch, i = self.lookup("batch", scope), whole(i, "an index of the batch")
        if not 1 <= i <= len(batch):
            raise Undefined(f"number {i} in a batch of {len(batch)}")
        return batch[i - 1]
