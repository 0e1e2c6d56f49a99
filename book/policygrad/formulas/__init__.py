r"""Typeset equations that run: the LaTeX of a display, its meaning, both sides of each relation.

``display("reward-to-go")`` reads a labelled display from the notebook in which it stands, and
``evaluate`` tries each ``=``, ``\le``, ... of each line on values that the caller gives to its
*primitive* symbols (``names`` says how).  No right-hand side may stand among them, or only the
typesetting would be on trial.

**Statements.**  A comma, a ``\qquad`` and ``\\`` separate them.  A line that begins with a relation
goes on from the side before it; one that begins with a sign is the rest of the line before.  In the
column of reasons, behind ``&&``, ``\text{if }k<t`` filters the cases; an "if" in words must be
acknowledged with ``given=``, and so must a law in passing ("laws") and what stands behind ``\to``
("limits").  ``=0\text{ at }x=1, 2`` is tried there.  ``\approx`` means within half of the last
digit printed.  An equivalence must be met both true and false, an implication where its premise
holds.

**Meaning.**  What a formula means depends on a scope, which says what letters stand for:

    [[ a + b ]](scope) = [[ a ]](scope) + [[ b ]](scope)
    [[ sum_t f ]](scope) = sum over the domain of t of [[ f ]](scope with t)
    [[ E_tau f ]](scope) = sum over the domain of tau of [[ law of tau ]] [[ f ]](scope with tau)
    [[ grad f ]](scope) = slopes of [[ f ]](scope with theta) in each entry of theta

The grammar stands in ``grammar`` and ``constructs``, sums and means in ``folds``.  A letter with a
domain that nothing binds means "for all": a forgotten expectation fails.  A single symbol without
a value is *defined* by its equation, and another statement must use it; a definition sees its
arguments and what is drawn, nothing else.  With ``symbolic=True`` numbers are SymPy's, and so may
the caller's values be: then a relation is proved for all of them.

Refused, never skipped: symbols without value, constructs that the grammar does not have, equal
sides, definitions that nothing uses.  It cannot tell a true equation from the one that was meant,
so controls stay necessary; and in a bland world, gamma = 1 or theta = 0, slips pass.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from . import constructs  # noqa: F401 (it registers them)
from .folds import Vacuous
from .grammar import Parser
from .names import Names, Unbound, has_symbols
from .tex import (
    ARROWS,
    LIMITS,
    Missing,
    Refused,
    Undefined,
    chain,
    definitions,
    display,
    split,
    statements,
    tokens,
)
from .values import ABSOLUTE, compare, is_zero, symbolic

__all__ = ["Finding", "Formula", "Missing", "Refused", "Undefined"]
__all__ += ["definitions", "display", "evaluate"]

CASES = 20_000  # of one relation, at most


@dataclass(frozen=True)
class Finding:
    """What became of one relation.

    line : of the display, from 1.
    holds : in all cases?
    cases, alive : how many there were, and how many of them with a left side that is not 0.
    counterexample : None, or the first one: what the letters stood for, and the two sides.
    constant : is one side a mere number of the caller's?  Then it is tried once, and no more.
    """

    line: int
    holds: bool
    cases: int
    alive: int
    counterexample: tuple | None
    constant: bool


@dataclass
class _Claim:
    line: int
    left: object
    sign: str
    right: object
    conditions: list
    starts: list = field(default_factory=lambda: [{}])
    slack: float | None = None
    constant: bool = False
    is_zero: bool = False  # does it say "= 0"?

    def holds(self, a, b):
        """Is the claim true of these two sides?"""
        if self.sign in ARROWS:
            return a == b or (self.sign == r"\Longrightarrow" and b)
        if any(np.iscomplexobj(x) and np.any(np.imag(x)) for x in (a, b) if not symbolic(x)):
            raise Undefined("a root of a negative number")
        return compare(a, self.sign, b, ABSOLUTE, self.slack)


def evaluate(tex: str, env: dict, **options) -> list[Finding]:
    r"""Try every relation of a display; the options are those of :class:`Formula`.

    >>> env = {r"\gamma": 0.5, "H": 3, "domains": {"t": range(3)}}
    >>> evaluate(r"\sum_{t=0}^{H-1}\gamma^t=\frac{1-\gamma^H}{1-\gamma}", env)
    [Finding(line=1, holds=True, cases=1, alive=1, counterexample=None, constant=False)]
    """
    return Formula(tex, env, **options).run()


@contextmanager
def _line(number):
    try:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            yield
    except Refused as refused:
        raise type(refused)(f"line {number}: {refused}") from refused
    except (ArithmeticError, LookupError, TypeError, ValueError) as trouble:
        raise Undefined(f"line {number}: {trouble}") from trouble
    except RecursionError:
        raise Refused(f"line {number}: a definition that goes round in a circle") from None


class Formula:
    """A display, read: its definitions and its claims.

    tex : LaTeX, as ``display`` returns it.
    env : values, domains and laws; see ``names``.
    where : conditions on the cases, as LaTeX: for all lines, or by line in a dictionary.
    given : what is taken for granted: words behind "if" in a reason, "laws", "limits".
    lines : those to try; by default all.
    symbolic : take numbers as SymPy's?  By default, where a value is SymPy's.

    Refused, or a kind of it, is raised with the line and the symbol or construct.
    """

    def __init__(self, tex, env, *, where=None, given=(), lines=None, symbolic=None):
        self.symbolic = has_symbols(env) if symbolic is None else symbolic
        self.names, self.given, self.claims = Names(env, self.symbolic), set(given), []
        where = where if isinstance(where, dict) else {None: where or ""}
        self.where = {n: self._condition(tokens(words)) for n, words in where.items()}
        kept = [x for x in statements(tex) if lines is None or x.line in lines]
        defined, before = [self._defined(x) for x in kept], []
        for statement, entry in zip(kept, defined, strict=True):
            with _line(statement.line):
                before = self._read(statement, before, entry is not None)
        for statement, entry in zip(kept, defined, strict=True):
            if entry is not None and entry.meaning is None:  # what is used has been parsed
                why = "has no value: its equation defines it, and no other statement uses it"
                raise Missing(f"line {statement.line}: {entry.name} {why}")
        if not self.claims:
            raise Refused("nothing is on trial: all statements are definitions")

    def _meaning(self, words):
        return Parser(words, self.names, []).whole()

    def _condition(self, words):
        return [Parser(words, self.names, []).condition(words)] if words else []

    def _defined(self, statement):
        """The symbol without a value that stands alone on the left: its equation gives it one."""
        (left, *right), signs = chain(statement.words)
        arrow = ARROWS.keys() & set(statement.words)
        if signs[:1] != ["="] or arrow or self.names.read(left) is None:
            return None
        try:
            Parser(left, self.names, []).resolve()
        except Missing:
            return self.names.declare(left, definition=right[0])
        return None

    def _reason(self, reason):
        """The condition in a reason; an "if" in words must be acknowledged."""
        word, *rest = reason or [""]
        word = word.removeprefix(r"\text{").removesuffix("}")
        if word.split(" ")[0] != "if":
            return []
        if word != "if" and word[3:] not in self.given:
            raise Refused(f'the reason says "{word}": acknowledge it with given=("{word[3:]}",)')
        return self._condition(rest)

    def _read(self, statement, before, skip):
        """Note what a statement claims; return its last side, from which a line may go on."""
        words = statement.words
        if "limits" in self.given:  # what tends to a limit is tried, not that it does
            words = split(words, LIMITS)[0]
        if len(split(words, {r"\sim"})) > 1:
            if "laws" not in self.given:
                raise Refused(
                    f'{" ".join(words)} is a law in passing: acknowledge it with given=("laws",)'
                )
            return before
        for arrow in ARROWS.keys() & set(words):
            return self._claim(statement, *split(words, {arrow}), arrow)
        parts, signs = chain(words)
        parts[0] = parts[0] or before
        if words and not (signs and all(parts)):
            raise Refused(f"this states nothing: {' '.join(words)}")
        for left, sign, right in zip(parts[skip:], signs[skip:], parts[skip + 1 :], strict=False):
            if _bare(left) == _bare(right):
                raise Refused(f"both sides are the same, {' '.join(left)}")
            self._claim(statement, left, right, sign)
        return parts[-1]

    def _claim(self, statement, left, right, sign):
        read = (lambda side: self._condition(side)[0]) if sign in ARROWS else self._meaning
        claim = _Claim(
            statement.line, read(left), sign, read(right), self._reason(statement.reason)
        )
        claim.conditions += self.where.get(None, []) + self.where.get(statement.line, [])
        claim.is_zero = right == ["0"]
        claim.constant = any(map(self._is_constant, (left, right)))
        claim.slack = _half_a_digit(right) if sign == r"\approx" else None
        if statement.at:
            first, *more = split(statement.at, {","})
            letter, first = split(first, {"="})
            letter = Parser([], self.names, []).letter(letter)
            claim.starts = [{letter: self._meaning(x)({})} for x in (first, *more)]
        self.claims.append(claim)
        return []

    def _is_constant(self, side):
        entry = self.names.read(side)
        entries = self.names.entries.get(entry.name if entry else "".join(side), [])
        return bool(entries) and all(x.constant for x in entries)

    def run(self, *, until_false: bool = False) -> list[Finding]:
        """Try every claim in every case; or until one is false, which comes last."""
        found = []
        for claim in self.claims:
            with _line(claim.line):
                found.append(self._try(claim, until_false))
            if until_false and not found[-1].holds:
                break
        return found

    def _try(self, claim, until_false):
        todo, truths, cases, alive, bad = claim.starts[::-1], set(), 0, 0, None
        while todo:
            scope = todo.pop()
            try:
                if not all(holds(scope) for holds in claim.conditions):
                    continue
                a, b = claim.left(scope), claim.right(scope)
            except Vacuous:
                continue
            except Unbound as free:  # so it holds for all its values, or not
                letter = str(free)
                todo += [scope | {letter: x} for x in reversed(self.names.extent(letter)(scope))]
                if cases + len(todo) > CASES:
                    raise Undefined(
                        f"more than {CASES} cases, {letter} is bound by nothing"
                    ) from None
                continue
            cases, alive = cases + 1, alive + _alive(a)
            truths.add(a if claim.sign in ARROWS else None)
            if bad is None and not claim.holds(a, b):
                bad = (scope, a, b)
                if until_false:
                    break
        if not cases or (claim.sign in ARROWS and not truths >= ARROWS[claim.sign]):
            raise Refused(
                "nothing is tried: " + ("the premise never varies" if cases else "no case")
            )
        return Finding(claim.line, bad is None, cases, alive, bad, claim.constant)


def _bare(words):
    """The tokens, without braces around a single one: s_{t} is s_t."""
    bare = []
    for x in words:
        bare.append(x)
        if x == "}" and bare[-3:-2] == ["{"]:
            bare[-3:] = bare[-2:-1]
    return bare


def _half_a_digit(words):
    number = "".join(words).removeprefix("-")
    if not number.replace(".", "", 1).isdigit():
        raise Refused(f"{' '.join(words)} is no printed number, so nothing says how near is meant")
    return 0.5 * 10.0 ** -len(number.partition(".")[2]) * (1 + 1e-9)


def _alive(x):
    if isinstance(x, tuple):
        return True
    if getattr(x, "dtype", None) == object:
        return any(map(_alive, x.flat))
    return not is_zero(x) if symbolic(x) else bool(np.max(np.abs(x)) > ABSOLUTE)
