r"""From a display to its statements: lines, commas, reasons.

A comma, a ``\qquad`` and ``\\`` separate statements; a line that begins with a sign is the rest of
its predecessor.  Behind ``&&`` stands the reason; one that is all mathematics is a statement, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .grammar import chain
from .tex import Refused, display, split, tokens

__all__ = ["ARROWS", "LIMITS", "Statement", "definitions", "statements"]

GAPS = {r"\qquad", r"\quad"}
ARROWS = {r"\Longrightarrow": {True}, r"\Longleftrightarrow": {True, False}}  # premises to be met
LIMITS = {r"\to", r"\longrightarrow"}


@dataclass
class Statement:
    """One statement of a display, in tokens: its line, its reason, where it is said to hold."""

    line: int
    words: list
    reason: list
    at: list = field(default_factory=list)  # x = 1, and further values


def statements(tex: str) -> list[Statement]:
    """All statements of a display."""
    rows = []
    for n, row in enumerate(split(tokens(tex), {r"\\"}), 1):
        end = next((k for k in range(len(row)) if row[k : k + 2] == ["&", "&"]), len(row))
        words = [word for word in row[:end] if word != "&"]
        if rows and words[:1] in (["+"], ["-"]):
            rows[-1].words += words
        else:
            rows.append(Statement(n, words, row[end + 2 :]))
    stated = [row for row in rows if chain(row.reason)[1] and not any(map(_is_text, row.reason))]
    rows += [Statement(row.line, row.reason, []) for row in stated]
    return [statement for row in rows for statement in _cut(row)]


def _is_text(word):
    return word.startswith(r"\text")


def _cut(row):
    """The statements of a row: a gap beside an arrow or a text does not cut."""
    words, kept = row.words, []
    for k, word in enumerate(words):
        beside = words[max(k - 1, 0) : k + 2]
        if word not in GAPS:
            kept.append(word)
        elif not any(x in ARROWS or x in LIMITS or _is_text(x) for x in beside):
            kept.append(",")
    found = []
    for part in filter(None, split(kept, {","})):
        if found and found[-1].at and not chain(part)[1]:
            found[-1].at += [",", *part]
        else:
            words, *at = split(part, {r"\text{at}"})
            found.append(Statement(row.line, words, row.reason, *at))
    return found


def definitions(*labels: str, folder=None) -> dict[str, str]:
    """The equations of displays that define, as entries of an environment."""
    found = {}
    for label in labels:
        for statement in statements(display(label, folder)):
            sides, signs = chain(statement.words)
            if signs != ["="]:
                raise Refused(f"{label}: {' '.join(statement.words)} defines nothing")
            found[" ".join(sides[0])] = " ".join(sides[1])
    return found
