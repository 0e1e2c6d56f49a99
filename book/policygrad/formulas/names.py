r"""What the caller gives: values of symbols, spelled as in the book; ranges and laws of letters.

    {r"\gamma": 0.7, "s_t": lambda t, tau: ..., r"P(\tau;\theta)": lambda tau, theta: ...,
     "g_i": r"\nabla\log P(\tau^{(i)};\theta)",                         # a definition, as LaTeX
     "domains": {r"\tau": range(64), "t": range(3), r"\theta": [...]},  # what letters range over
     "laws": {r"\tau": r"P(\tau;\theta)"}, "E": r"\tau"}                # what is drawn, and how

A function gets the letters that its key writes; its further parameters are letters of the scope,
found by name (``theta`` is ``\theta``).  ``\theta``, with whatever index, is an array, which
functions get flat, and ``\theta_{o,a}`` an entry of it.  A key that is no symbol, ``\mathbb E[T]``,
is matched token by token.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from .tex import Missing, Reader, Refused, Undefined, is_symbol, split, tokens
from .values import whole

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
        table, self.symbolic = dict(table), symbolic
        self.domains = {x: list(values) for x, values in table.pop("domains", {}).items()}
        self.laws, self.draws = dict(table.pop("laws", {})), table.pop("E", "").split()
        self.shape = np.shape(self.domains.get(r"\theta", [table.get(r"\theta")])[0])
        for x in filter(is_parameter, self.domains):
            self.domains[x] = [np.ravel(value) for value in self.domains[x]]
        if any(len(batch) == 1 for batch in self.domains.get("batch", ())):
            raise Refused("a batch of one: where nothing is averaged, wrong estimators pass")
        counts = {
            x: v for x, v in self.domains.items() if v and all(isinstance(y, Integral) for y in v)
        }
        self.least = {x: min(values) for x, values in counts.items()}
        self.ambient = {"batch", r"\theta", *self.laws, *self.draws}
        self.entries, self.phrases = {}, {}
        for key, value in table.items():
            self.declare(tokens(key), value)

    def read(self, words) -> Entry | None:
        """Tokens as one symbol, or None; what stands below it and is no letter is of its name."""
        reader = Reader(words)
        if not is_symbol(reader.next):
            return None
        name = reader.name()
        lower, upper = reader.scripts()
        inside = (
            split(reader.until(")"), SEPARATORS) if reader.next == "(" and reader.take() else []
        )
        plain = all(x and is_symbol(x[0]) and {*x[1:]} <= {"'"} | {*x} & set("_k") for x in inside)
        if reader.next or not plain:
            return None
        below = tuple("".join(x) for x in split(lower, {","})) if lower else ()
        if not all(x.rstrip("'") in self.domains and not is_parameter(x) for x in below):
            name, below = f"{name}_{''.join(lower)}", ()
        name += ("_" if below else "") + (f"^{''.join(upper)}" if upper else "")
        return Entry(name, below, tuple("".join(x) for x in inside))

    def declare(self, words, value) -> Entry:
        """Give a symbol, or a phrase, its value: LaTeX or its tokens, a function, or a constant."""
        entry = self.read(words)
        if entry is None:
            entry = Entry("".join(words))
            self.phrases[entry.name] = words
        if isinstance(value, (str, list)):
            entry.words = tokens(value) if isinstance(value, str) else value
        elif callable(value):
            letters = entry.below + entry.inside
            letters += self._further(value, len(letters))
            entry.meaning = lambda scope: value(*(self.lookup(x, scope) for x in letters))
        else:
            value = np.ravel(value) if is_parameter(entry.name) else value
            entry.meaning, entry.constant = lambda scope: value, True
        self.entries.setdefault(entry.name, []).append(entry)
        return entry

    def _further(self, function, written):
        rest = list(inspect.signature(function).parameters.values())[written:]
        names = [x.name.rstrip("_") for x in rest if x.default is x.empty]
        return tuple(x if x in self.domains or len(x) == 1 else "\\" + x for x in names)

    def extent(self, letter):
        """The values of a letter; a' has those of a."""
        if letter.rstrip("'") not in self.domains:
            raise Missing(f"{letter} has no domain to range over")
        return self.domains[letter.rstrip("'")]

    def lookup(self, letter, scope):
        """The value of a letter, or of a symbol without arguments."""
        if letter in scope:
            return scope[letter]
        if letter.rstrip("'") in self.domains:
            raise Unbound(letter)
        return self.call(letter, (), None, scope)

    def call(self, name, below, inside, scope):
        """The value of a symbol; arguments that are not written are those of the scope."""
        fits = [x for x in self.entries.get(name, ()) if len(x.below) == len(below)]
        fits = [x for x in fits if inside is None or len(x.inside) == len(inside)]
        if not fits:
            raise Missing(f"{name} has no value for {len(inside or ()) + len(below)} arguments")
        entry = min(fits, key=lambda x: sum(letter not in scope for letter in x.inside))
        given = [self.lookup(x, scope) for x in entry.inside] if inside is None else inside
        given = dict(zip(entry.below + entry.inside, (*below, *given), strict=True))
        for letter, x in given.items():
            if is_parameter(letter) or np.ndim(x):
                given[letter] = np.ravel(x) if is_parameter(letter) or x.shape[-1] == 1 else x
            elif isinstance(x, Integral) and x < self.least.get(letter, x):
                raise Undefined(
                    f"{name} at {letter} = {x}: {letter} begins at {self.least[letter]}"
                )
        try:
            return (
                self._defined(entry, given, scope) if entry.words else entry.meaning(scope | given)
            )
        except (LookupError, ArithmeticError) as trouble:
            raise Undefined(f"{name} has no value at {given}: {trouble!r}") from trouble

    def place(self, at):
        r"""Where an entry of \theta stands in the flat array."""
        if len(at) != len(self.shape) or not all(
            0 <= i < n for i, n in zip(at, self.shape, strict=True)
        ):
            raise Undefined(rf"\theta has no entry {at}: its shape is {self.shape}")
        return int(np.ravel_multi_index([int(i) for i in at], self.shape))

    def of_batch(self, i, scope):
        """The i-th of a batch, counted from 1."""
        batch, i = self.lookup("batch", scope), whole(i, "an index of the batch")
        if not 1 <= i <= len(batch):
            raise Undefined(f"number {i} in a batch of {len(batch)}")
        return batch[i - 1]

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
