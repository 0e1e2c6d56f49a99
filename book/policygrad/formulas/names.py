r"""What the caller gives: values of symbols, spelled as in the book; ranges and laws of letters.

    {r"\gamma": 0.7, "s_t": lambda t, tau: ..., r"P(\tau;\theta)": lambda tau, theta: ...,
     "g_i": r"\nabla\log P(\tau^{(i)};\theta)",                         # a definition, as LaTeX
     r"\tau\in": range(64), "t\in": range(3), r"\theta\in": [...],      # what letters range over
     r"\tau\sim": r"P(\tau;\theta)", "E": r"\tau"}                      # what is drawn, and how

``"domains": {"t": range(3)}`` and ``"laws"`` say the same of several letters.  ``"t\in": None``
takes a range away, ``"d_t": None`` a symbol.

A function gets the letters that its key writes; its further parameters are letters of the scope,
found by name (``theta`` is ``\theta``).  ``\theta``, with whatever index, is an array, which
functions get flat, and ``\theta_{o,a}`` is its entry; ``x^{(i)}`` is x at the i-th ``\tau`` of the
letter ``batch``.  A key that is no symbol, ``\mathbb E[T]``, is matched token by token.
"""

from __future__ import annotations

import inspect
from copy import copy
from dataclasses import dataclass, field, replace
from numbers import Integral

import numpy as np

from .tex import Missing, Reader, Refused, Undefined, is_symbol, split, tokens
from .values import symbolic, whole

__all__ = ["SEPARATORS", "Entry", "Names", "Unbound", "is_parameter"]

SEPARATORS = {",", ";", "|", r"\mid", r"\vert"}  # of arguments


class Unbound(Exception):
    """A letter that ranges over something, and no sum or mean around it says over what."""


def is_parameter(name: str) -> bool:
    r"""Is this \theta, or some \theta_k?"""
    return name.startswith(r"\theta")


@dataclass
class Entry:
    """A symbol: its name, the letters below it and in brackets, and what it stands for.

    That is a constant, or a function of ``letters``, or the meaning of the words of a definition,
    which speaks of the names in ``used``.
    """

    name: str
    below: tuple = ()
    inside: tuple = ()
    meaning: object = None
    letters: tuple | None = None
    words: list | None = None
    used: list = field(default_factory=list)

    @property
    def is_letter(self):
        r"""May it be an argument of a key: x, x', \theta_k, but not b^2 or s_{t+1}?"""
        parameter = is_parameter(self.name) and "^" not in self.name
        return not (self.below or self.inside) and (parameter or is_symbol(self.name.rstrip("'")))


class Names:
    """All that can be spoken of; ``constants`` are the values given, ``spoken`` what is used.

    ``known`` are values of means and gradients, by their words and what these rest on.
    """

    def __init__(self, table, symbols=None):
        table, self.entries, self.phrases, self.constants = dict(table), {}, {}, {}
        self.known, self.spoken, self.draws = {}, set(), table.pop("E", "").split()
        domains, self.laws = (
            _of_letters(table, *x) for x in (("domains", "\\in"), ("laws", "\\sim"))
        )
        self.domains = {x: list(values) for x, values in domains.items()}
        given = [*table.values(), *(x for values in self.domains.values() for x in values)]
        self.symbolic = symbolic(*given) if symbols is None else symbols
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
            if value is not None:
                self.declare(tokens(key), value)

    def again(self) -> Names:
        """The same names for another display, which need not compute again what is known."""
        other = copy(self)
        other.spoken, other.entries = set(), {}
        for name, entries in self.entries.items():
            other.entries[name] = [replace(x, meaning=None) if x.words else x for x in entries]
        return other

    @property
    def parameters(self):
        """All values of parameters, flat."""
        given = [x for name, x in self.constants.items() if is_parameter(name)]
        return given + [x for y in filter(is_parameter, self.domains) for x in self.domains[y]]

    def read(self, words) -> Entry | None:
        """Tokens as one symbol, or None; what stands below it and is no letter is of its name."""
        reader = Reader(words)
        if not is_symbol(reader.next):
            return None
        name, (lower, upper), inside = reader.name(), reader.scripts(), []
        below = tuple("".join(x) for x in split(lower, {","})) if lower else ()
        if not all(x.rstrip("'") in self.domains and not is_parameter(x) for x in below):
            name, below = f"{name}_{''.join(lower)}", ()
        name += ("_" if below else "") + (f"^{''.join(upper)}" if upper else "")
        if reader.next == "(":
            reader.take()
            inside = [self.read(x) for x in split(reader.until(")"), SEPARATORS)]
        if reader.next is not None or not all(x is not None and x.is_letter for x in inside):
            return None
        return Entry(name, below, tuple(x.name for x in inside))

    def declare(self, words, value) -> Entry:
        """Give a symbol, or a phrase, its value: a function, a constant, or its definition."""
        entry = self.read(words)
        if entry is None:
            entry = Entry("".join(words))
            self.phrases[entry.name] = words
        for other in self.entries.setdefault(entry.name, []):
            alike = len(other.below) == len(entry.below) and len(other.inside) == len(entry.inside)
            if alike and other.below != entry.below:
                one, two = (entry.name + "".join(x.below) for x in (other, entry))
                raise Refused(f"{one} and {two} are both given: which of them is {entry.name}1?")
        self.entries[entry.name].append(entry)
        letters = entry.below + entry.inside
        if isinstance(value, str):
            entry.words = tokens(value)
        elif callable(value) and not symbolic(value):
            for x in list(inspect.signature(value).parameters.values())[len(letters) :]:
                name = x.name.rstrip("_")
                known = name in self.domains or len(name) == 1
                letters += (name if known else "\\" + name,) if x.default is x.empty else ()
            entry.meaning, entry.letters = value, letters
        else:
            value = np.array(value) if isinstance(value, list) else value
            value = np.ravel(value) if is_parameter(entry.name) else value
            entry.meaning = self.constants[entry.name] = value
        return entry

    def extent(self, letter):
        """The values of a letter, in any scope; a' has those of a."""
        if letter.rstrip("'") not in self.domains:
            raise Missing(f"{letter} has no domain to range over")
        return lambda scope: self.domains[letter.rstrip("'")]

    def value(self, name, scope, below=(), inside=None):
        """The value of a letter or symbol; arguments that are not written are of the scope."""
        if not below and inside is None:
            if name in scope:
                return scope[name]
            if name.rstrip("'") in self.domains:
                raise Unbound(name)
        below = [x if type(x) is int else whole(x, f"an index of {name}") for x in below]
        entries = [
            x
            for x in self.entries.get(name, ())
            if len(x.below) == len(below) and (inside is None or len(x.inside) == len(inside))
        ]
        if not entries:
            raise Missing(f"{name} has no value for {len(inside or ()) + len(below)} arguments")
        entry = entries[0]
        if len(entries) > 1:
            entry = min(entries, key=lambda x: sum(letter not in scope for letter in x.inside))
        inside = [self.value(x, scope) for x in entry.inside] if inside is None else inside
        given = dict(zip(entry.below + entry.inside, (*below, *inside), strict=True))
        for x, value in given.items():
            if is_parameter(x) or getattr(value, "shape", ())[1:] == (1,):
                given[x] = np.ravel(value)
            elif x in self.least and isinstance(value, Integral) and value < self.least[x]:
                raise Undefined(f"{name} at {x} = {value}: {x} begins at {self.least[x]}")
        try:
            if entry.words:
                return self._defined(entry, scope, given)
            if entry.letters is None:
                return entry.meaning
            here = scope | given
            return entry.meaning(
                *[here[x] if x in here else self.value(x, here) for x in entry.letters]
            )
        except Refused:
            raise
        except (LookupError, ArithmeticError, TypeError, ValueError) as trouble:
            raise Undefined(f"{name} has no value at {given}: {trouble!r}") from trouble

    def _defined(self, entry, scope, given):
        """The value of a definition, from which the indices around its use are hidden."""
        hidden = {x for x in scope if x.rstrip("'") in self.domains} - self.ambient
        try:
            return entry.meaning({x: y for x, y in scope.items() if x not in hidden} | given)
        except Unbound as free:
            if free.args[0] not in hidden:
                raise
            why = f"the definition of {entry.name} uses {free}, no argument of it"
            raise Missing(why) from None

    def remembered(self, words, used, meaning):
        """The same meaning, each value of which is computed once for these words."""
        known = None

        def value(scope):
            nonlocal known
            if known is None:  # by now all definitions have been read
                known = self.known.setdefault((*words, self._grounds(used)), {})
            here = frozenset(
                (x, y.tobytes() if isinstance(y, np.ndarray) else y) for x, y in scope.items()
            )
            if here not in known:
                known[here] = meaning(scope)
            return known[here]

        return value

    def _grounds(self, used):
        """What defines these names, and those that stand in definitions; all others are given."""
        found, todo = {}, list(used)
        while todo:
            name = todo.pop()
            if name not in found:
                entries = self.entries.get(name, ())
                found[name] = tuple((x.below, x.inside, *(x.words or ())) for x in entries)
                todo += [y for x in entries for y in x.used]
        return frozenset(found.items())

    def entry(self, name, index, scope):
        r"""(\theta, flat; where in it the entry stands that these indices name)."""
        theta = self.value(name, scope)
        index = [whole(i, rf"an index of {name}") for i in index]
        try:
            return theta, int(np.ravel_multi_index(index, self.shape))
        except ValueError:
            raise Undefined(f"{name} has no entry {index}: its shape is {self.shape}") from None


def _of_letters(table, name, mark):
    """What is given for letters, in one dictionary or key by key, and is not taken away."""
    found = table.pop(name, {})
    for key in [key for key in table if key.endswith(mark)]:
        found = found | {key.removesuffix(mark).strip(): table.pop(key)}
    return {letter: value for letter, value in found.items() if value is not None}
