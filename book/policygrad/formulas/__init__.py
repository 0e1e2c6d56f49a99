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

The grammar stands in ``grammar``, sums and the like in ``constructs``.  A letter with a domain
that nothing binds means "for all": a forgotten expectation fails.  A single symbol without a value
is *defined* by its equation, and another statement must use it; a definition sees its arguments and
what is drawn, nothing else.  With ``symbolic=True`` numbers are SymPy's, and so may
the caller's values be: then a relation is proved for all of them.

Refused, never skipped: symbols without value, constructs that the grammar does not have, equal
sides, definitions that nothing uses.  It cannot tell a true equation from the one that was meant,
so controls stay necessary; and in a bland world, gamma = 1 or theta = 0, slips pass.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from .constructs import Vacuous
from .grammar import Parser
from .names import Names, Unbound
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
from .values import ABSOLUTE, compare

__all__ = ["Finding", "Formula", "Missing", "Names", "Refused", "Undefined"]
__all__ += ["definitions", "display", "evaluate"]

CASES = 20_000  # of one relation, at most


@dataclass(frozen=True)
class Finding:
    """What became of one relation.

    line : of the display, from 1.
    holds : in all cases?
    cases, alive : how many there were, and how many of them with a left side that is not 0.
    counterexample : None, or the first one: what the letters stood for, and the two sides.
    """

    line: int
    holds: bool
    cases: int
    alive: int
    counterexample: tuple | None


@dataclass
class Claim:
    """One relation: its sides and conditions are functions of the scope."""

    line: int
    sign: str
    left: object
    right: object
    conditions: list
    starts: list  # scopes
    slack: float | None  # how near is near
    is_zero: bool  # does it say "= 0"?

    def holds(self, a, b):
        """Is it true of these two sides?"""
        if self.sign in ARROWS:
            return a == b or (self.sign == r"\Longrightarrow" and b)
        return compare(a, self.sign, b, ABSOLUTE, self.slack)


def evaluate(tex: str, env: dict, **options) -> list[Finding]:
    r"""Try every relation of a display; the options are those of :class:`Formula`.

    >>> env = {r"\gamma": 0.5, "H": 3, r"t\in": range(3)}
    >>> evaluate(r"\sum_{t=0}^{H-1}\gamma^t=\frac{1-\gamma^H}{1-\gamma}", env)
    [Finding(line=1, holds=True, cases=1, alive=1, counterexample=None)]
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
    env : values, domains and laws; see ``names``; or the :class:`Names` made of them.
    where : conditions on the cases, as LaTeX: for all lines, or by line in a dictionary.
    given : what is taken for granted: words behind "if" in a reason, "laws", "limits".
    lines : those to try; by default all.
    symbolic : take numbers as SymPy's?  By default, where a value is SymPy's.

    Refused, or a kind of it, is raised with the line and the symbol or construct.
    """

    def __init__(self, tex, env, *, where=None, given=(), lines=None, symbolic=None):
        self.names = env.again() if isinstance(env, Names) else Names(env, symbolic)
        self.given, self.claims = set(given), []
        self.symbolic = self.names.symbolic
        where = where if isinstance(where, dict) else {None: where or ""}
        self.where = {n: self._condition(tokens(words)) for n, words in where.items()}
        kept = [x for x in statements(tex) if lines is None or x.line in lines]
        defined, before = [self._defined(x.words) for x in kept], []
        for statement, entry in zip(kept, defined, strict=True):
            with _line(statement.line):
                before = self._read(statement, before, entry is not None)
        for statement, entry in zip(kept, defined, strict=True):
            if entry is not None and entry.meaning is None:  # what is used has been parsed
                why = "has no value: its equation defines it, and no other statement uses it"
                raise Missing(f"line {statement.line}: {entry.name} {why}")
        if not self.claims:
            raise Refused("nothing is on trial: all statements are definitions")

    def _parser(self, words):
        return Parser(words, self.names)

    def _condition(self, words):
        return [self._parser([]).condition(words)] if words else []

    def _defined(self, words):
        """The symbol without a value that stands alone on the left: its equation gives it one."""
        (left, *right), signs = chain(words)
        if signs[:1] != ["="] or ARROWS.keys() & {*words} or self.names.read(left) is None:
            return None
        try:
            self._parser(left).resolve()
        except Missing:
            return self.names.declare(left, " ".join(right[0]))
        return None

    def _read(self, statement, before, skip):
        """Note what a statement claims; return its last side, from which a line may go on."""
        words = statement.words
        if "limits" in self.given:  # what tends to a limit is tried, not that it does
            words = split(words, LIMITS)[0]
        if r"\sim" in chain(words, {r"\sim"})[1]:
            if "laws" in self.given:
                return before
            law = " ".join(words)
            raise Refused(f'{law} is a law in passing: acknowledge it with given=("laws",)')
        for arrow in ARROWS.keys() & {*words}:
            sides = [self._condition(side)[0] for side in split(words, {arrow})]
            self._claim(statement, arrow, *sides)
            return []
        parts, signs = chain(words)
        parts[0] = parts[0] or before
        if words and not (signs and all(parts)):
            raise Refused(f"this states nothing: {' '.join(words)}")
        for left, sign, right in zip(parts[skip:], signs[skip:], parts[skip + 1 :], strict=False):
            if _bare(left) == _bare(right):
                raise Refused(f"both sides are the same, {' '.join(left)}")
            sides = [self._parser(side).whole() for side in (left, right)]
            slack = _half_a_digit(right) if sign == r"\approx" else None
            self._claim(statement, sign, *sides, slack, right == ["0"])
        return parts[-1]

    def _claim(self, statement, sign, left, right, slack=None, is_zero=False):
        conditions = self._reason(statement.reason)
        conditions += self.where.get(None, []) + self.where.get(statement.line, [])
        starts = [{}]
        if statement.at:
            first, *more = split(statement.at, {","})
            letter, first = split(first, {"="})
            letter = self._parser([]).letter(letter)
            starts = [{letter: self._parser(x).whole()({})} for x in (first, *more)]
        claim = Claim(statement.line, sign, left, right, conditions, starts, slack, is_zero)
        self.claims.append(claim)

    def _reason(self, reason):
        """The condition in a reason; an "if" in words must be acknowledged."""
        word, *rest = reason or [""]
        word = word.removeprefix(r"\text{").removesuffix("}")
        if word.split(" ")[0] != "if":
            return []
        if word != "if" and word[3:] not in self.given:
            raise Refused(f'the reason says "{word}": acknowledge it with given=("{word[3:]}",)')
        return self._condition(rest)

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
        while todo and not (bad and until_false):
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
                    many = f"more than {CASES} cases, {letter} is bound by nothing"
                    raise Undefined(many) from None
                continue
            cases, alive = cases + 1, alive + (not compare(a, "=", 0, ABSOLUTE))
            truths.add(a if claim.sign in ARROWS else None)
            if bad is None and not claim.holds(a, b):
                bad = (scope, a, b)
        if not cases or (claim.sign in ARROWS and not truths >= ARROWS[claim.sign] and not bad):
            why = "the premise never varies" if cases else "no case"
            raise Refused(f"nothing is tried: {why}")
        return Finding(claim.line, bad is None, cases, alive, bad)


def _bare(words):
    """A side as text, without braces around a single token: s_{t} is s_t."""
    return re.sub(r"\{ (\S+) \}", r"\1", " ".join(words))


def _half_a_digit(words):
    number = "".join(words).removeprefix("-")
    if not number.replace(".", "", 1).isdigit():
        raise Refused(f"{' '.join(words)} is no printed number, so nothing says how near is meant")
    return 0.5 * 10.0 ** -len(number.partition(".")[2]) * (1 + 1e-9)
