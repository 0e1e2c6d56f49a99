r"""What the caller gives: values of symbols, spelled as in the book; ranges and laws of letters.

    {r"\gamma": 0.7, "s_t": lambda t, tau: ..., r"P(\tau;\theta)": lambda tau, theta: ...,
     "g_i": r"\nabla\log P(\tau^{(i)};\theta)",                         # a definition, as LaTeX
     "domains": {r"\tau": range(64), "t": range(3), r"\theta": [...]},  # what letters range over
     "laws": {r"\tau": r"P(\tau;\theta)"}, "E": r"\tau"}                # what is drawn, and how

To an environment that is there already, ``r"t\in": range(3)`` adds a range, ``r"t\in": None`` takes
it away, and ``r"\tau\sim": r"P(\tau;\theta)"`` adds a law.  ``"d_t": None`` takes a symbol away.

A function gets the letters that its key writes; its further parameters are letters of the scope,
found by name (``theta`` is ``\theta``).  ``\theta``, with whatever index, is an array, which
functions get flat, and ``\theta_{o,a}`` is its entry; ``x^{(i)}`` is x at the i-th ``\tau`` of the
letter ``batch``.  A key that is no symbol, ``\mathbb E[T]``, is matched token by token.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from numbers import Integral

import numpy as np

from .tex import Missing, Reader, Refused, Undefined, is_symbol, split, tokens
from .values import symbolic, whole

__all__ = [
    "SEPARATORS",
    "Entry",
    "Names",
    "Unbound",
    "has_symbols",
    "is_parameter",
    "place",
    "remembered",
]

SEPARATORS = {",", ";", "|", r"\mid", r"\vert"}  # of arguments


class Unbound(Exception):
    """A letter that ranges over something, and no sum or mean around it says over what."""


def is_parameter(name: str) -> bool:
    r"""Is this \theta, or some \theta_k?"""
    return name.startswith(r"\theta")


def place(scope):
    """A scope as a key of dictionaries."""
    return frozenset((x, y.tobytes() if isinstance(y, np.ndarray) else y) for x, y in scope.items())


def remembered(meaning):
    """The same meaning, each value of which is computed once."""
    known = {}

    def value(scope):
        here = place(scope)
        if here not in known:
            known[here] = meaning(scope)
        return known[here]

    return value


def has_symbols(table: dict) -> bool:
    """Are some of the values given, or of those that letters take, SymPy's?"""
    ranges = [*table.get("domains", {}).values()]
    ranges += [
        values for key, values in table.items() if key.endswith("\\in") and values is not None
    ]
    return symbolic(*table.values(), *(x for values in ranges for x in values))


@dataclass
class Entry:
    """A symbol: its name, the letters below it and in brackets, and its meaning in a scope."""

    name: str
    below: tuple = ()
    inside: tuple = ()
    meaning: object = None
    words: list | None = None  # of a definition
    constant: bool = False

    @property
    def is_letter(self):
        r"""May it be an argument of a key: x, x', \theta_k, but not b^2 or s_{t+1}?"""
        bare = not (self.below or self.inside or "^" in self.name)
        return bare and (is_parameter(self.name) or is_symbol(self.name.rstrip("'")))


class Names:
    """All that can be spoken of."""

    def __init__(self, table, symbolic=False):
        table, self.symbolic, self.entries, self.phrases = dict(table), symbolic, {}, {}
        self.domains = {x: list(values) for x, values in table.pop("domains", {}).items()}
        self.laws, self.draws = dict(table.pop("laws", {})), table.pop("E", "").split()
        for key in [key for key in table if key.endswith(("\\in", "\\sim"))]:
            letter, _, what = key.rpartition("\\")
            values, given = self.domains if what == "in" else self.laws, table.pop(key)
            values.pop(letter.strip(), None)
            if given is not None:
                values[letter.strip()] = list(given) if what == "in" else given
        self.spoken, self.constants = set(), {}
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
        for key, value in ((key, value) for key, value in table.items() if value is not None):
            definition = tokens(value) if isinstance(value, str) else None
            self.declare(tokens(key), value, definition)

    @property
    def parameters(self):
        """All values of parameters, flat."""
        given = [x for name, x in self.constants.items() if is_parameter(name)]
        return given + [
            x for letter in filter(is_parameter, self.domains) for x in self.domains[letter]
        ]

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
        inside = []
        if reader.next == "(":
            reader.take()
            inside = [self.read(x) for x in split(reader.until(")"), SEPARATORS)]
        if reader.next is not None or not all(x is not None and x.is_letter for x in inside):
            return None
        return Entry(name, below, tuple(x.name for x in inside))

    def declare(self, words, value=None, definition=None) -> Entry:
        """Give a symbol, or a phrase, its value: a function, a constant, or its definition."""
        entry = self.read(words)
        if entry is None:
            entry = Entry("".join(words))
            self.phrases[entry.name] = words
        self._require_one_meaning(entry)
        letters = entry.below + entry.inside
        if definition is not None:
            entry.words = definition
        elif callable(value) and not symbolic(value):
            for x in list(inspect.signature(value).parameters.values())[len(letters) :]:
                name = x.name.rstrip("_")
                known = name in self.domains or len(name) == 1
                letters += (name if known else "\\" + name,) if x.default is x.empty else ()
            entry.meaning = lambda scope: value(*[self.lookup(x, scope) for x in letters])
        else:
            value = np.array(value) if isinstance(value, list) else value
            value = np.ravel(value) if is_parameter(entry.name) else value
            entry.meaning, entry.constant = lambda scope: value, True
            self.constants[entry.name] = value
        self.entries.setdefault(entry.name, []).append(entry)
        return entry

    def _require_one_meaning(self, entry):
        for other in self.entries.get(entry.name, ()):
            alike = len(other.below) == len(entry.below) and len(other.inside) == len(entry.inside)
            if alike and other.below != entry.below:
                one, two = (entry.name + "".join(x.below) for x in (other, entry))
                raise Refused(f"{one} and {two} are both given: which of them is {entry.name}1?")

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

    def call(self, name, below, inside, scope):
        """The value of a symbol; arguments that are not written are those of the scope."""
        below = [whole(x, f"an index of {name}") for x in below]
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
        """The value of a definition, from which the indices around its use are hidden."""
        hidden = {x for x in scope if x.rstrip("'") in self.domains} - self.ambient
        try:
            return entry.meaning({x: y for x, y in scope.items() if x not in hidden} | given)
        except Unbound as free:
            if free.args[0] in hidden:
                raise Missing(
                    f"the definition of {entry.name} uses {free}, no argument of it"
                ) from None
            raise

    def entry(self, name, index, scope):
        r"""(\theta, flat; where in it the entry stands that these indices name)."""
        theta = self.lookup(name, scope)
        index = [whole(i, rf"an index of {name}") for i in index]
        try:
            return theta, int(np.ravel_multi_index(index, self.shape))
        except ValueError:
            raise Undefined(f"{name} has no entry {index}: its shape is {self.shape}") from None
