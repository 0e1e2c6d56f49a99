r"""What a definition may say: one symbol, ``=`` or ``\leftarrow``, and what it stands for.

The symbol must be new: no display before it, in the order of the book, uses it.  A symbol that is
known, an expression, a chain ``a=b=c`` or an inequality makes the statement a claim.  Letters and
numbers in an index do not make another symbol (``\theta_k`` and ``\theta_{k+1}`` are one), and
neither do arguments: ``J(\theta)``, ``\pi_\theta(a\mid o)`` and ``\mathbb E_x[f]`` are symbols.
"""

from __future__ import annotations

import re
from functools import cache

from claims import Display
from policygrad.formulas.tex import BRACKETS, Reader, Refused, chain, is_symbol, split, statements

OPERATORS = {r"\mathbb E", r"\Pr"}


def _names(word) -> bool:
    return word is not None and (
        word in OPERATORS or is_symbol(word) or word.startswith(r"\operatorname{")
    )


def _head(reader: Reader) -> str:
    """The symbol that begins here, without its arguments."""
    name = reader.name()
    lower, upper = reader.scripts()
    index = "".join(lower)
    if re.fullmatch(r"[a-z0-9,+-]+", index):
        index = "index"
    upper = "" if upper[:1] == ["("] else "".join(upper)  # x^{(i)} is an x
    return name + ("_" + index if index else "") + ("^" + upper if upper else "")


@cache
def symbols(words: tuple) -> set[str]:
    """All symbols that occur somewhere in these tokens."""
    found = set()
    for at, word in enumerate(words):
        if _names(word):
            try:
                found.add(_head(Reader(words[at:])))
            except Refused:  # a bracket that closes before the index does
                found.add(word)
    return found


def symbol(words) -> str | None:
    """The symbol that a side is, or None where it is an expression."""
    reader = Reader(words)
    if not _names(reader.next):
        return None
    text = reader.next.startswith(r"\text{")
    head = _head(reader)
    if reader.next in ("(", "["):
        reader.until(BRACKETS[reader.take()])
        if reader.next == "^":
            head += "^" + "".join(reader.scripts()[1])
    if text and is_symbol(reader.next):
        head += " " + reader.take()
    return head if reader.next is None else None


def claimed(displays: list[Display], allowed=()) -> list[str]:
    """What definitions claim, in words; ``allowed`` holds (label, symbol) that may come again."""
    found, known, used = [], {}, set()
    for display in displays:
        rows = _rows(display.tex)
        if display.label.startswith("def-"):
            here = f"{display.page}: {display.label}"
            lefts = {}
            for row in rows:
                why = _claim(row.words, known | lefts)
                if row.reason[:1] != [r"\text{if}"]:  # by cases, a symbol has several lines
                    lefts[symbol(_sides(row.words)[0][0])] = display.label
                entry = display.label, symbol(_sides(row.words)[0][0])
                if why and entry in allowed:
                    used.add(entry)
                elif why:
                    found.append(f"{here} {why}; label what is claimed eq-, and check it")
        for row in rows:
            for name in symbols((*row.words, *row.at)):
                known.setdefault(name, display.label)
    return found + [f"{entry} is allowed, and nobody needs it" for entry in set(allowed) - used]


_rows = cache(statements)


def _sides(words):
    arrow = split(words, {r"\leftarrow"})
    return (arrow, ["="]) if len(arrow) == 2 else chain(words)


def _claim(words, known) -> str | None:
    sides, signs = _sides(words)
    said = " ".join(words)
    if len(signs) != 1:
        return f"is no definition but {'a chain' if signs else 'no equation'}, {said}"
    if signs != ["="]:
        return f"compares, {said}"
    name = symbol(sides[0])
    if name is None:
        return f"has an expression on its left, {' '.join(sides[0])}"
    if name in known:
        return f"defines {name}, which {known[name]} knows already"
    return None
