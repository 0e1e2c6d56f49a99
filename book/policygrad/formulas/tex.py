r"""From a notebook to statements: the display of a label, its tokens, lines, commas and reasons.

A token is a command (``\sum``), a character, a command with its word (``\text{right}``) or a
decorated letter (``\hat g``); digits stay apart, for ``\frac12`` is one half.  Spaces, sizes of
brackets and ``aligned`` leave no token.  A bar whose size says on which side it stands becomes
``\lvert`` or ``\rvert``; one that stands alone, as in ``\big|``, becomes ``\vert``.

A comma, a ``\qquad`` and ``\\`` separate statements; a line that begins with a sign is the rest of
its predecessor.  Behind ``&&`` stands the reason; one that is all mathematics is a statement, too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

__all__ = ["Missing", "Reader", "Refused", "Statement", "Undefined", "chain", "definitions"]
__all__ += ["display", "is_symbol", "split", "statements", "tokens"]

TOKEN = re.compile(
    r"\\(?:text|mathsf|operatorname|begin|end)\*?\{[^{}]*\}|\\[A-Za-z]+|\\.|\S", re.S
)
SPACE = {r"\,", r"\;", r"\:", r"\!", r"\ ", r"\displaystyle"}
SPACE |= {rf"\{end}{{{kind}}}" for end in ("begin", "end") for kind in ("aligned", "gathered")}
GAPS = {r"\qquad", r"\quad"}
SIZES = {r"\left": r"\lvert", r"\right": r"\rvert"}
for _size in (r"\big", r"\Big", r"\bigg", r"\Bigg"):
    SIZES |= {_size: r"\vert", f"{_size}l": r"\lvert", f"{_size}r": r"\rvert"}
DECORATIONS = {r"\hat", r"\bar", r"\tilde", r"\mathcal", r"\mathbb"}
SAME = {r"\tfrac": r"\frac", r"\tbinom": r"\binom", r"\ln": r"\log", r"\ne": r"\neq"}
RELATIONS = {"=", r"\neq", "<", ">", r"\le", r"\ge", r"\approx"}
ARROWS = {r"\Longrightarrow": {True}, r"\Longleftrightarrow": {True, False}}  # premises to be met
LIMITS = {r"\to", r"\longrightarrow"}
BRACKETS = {"(": ")", "[": "]", "{": "}", r"\{": r"\}", r"\lvert": r"\rvert"}
GREEK = set(
    r"\alpha \beta \gamma \delta \epsilon \varepsilon \zeta \eta \theta \kappa \lambda \mu \nu \xi"
    r" \pi \rho \sigma \tau \phi \varphi \chi \psi \omega \ell \Gamma \Delta \Theta \Lambda \Xi \Pi"
    r" \Sigma \Phi \Psi \Omega".split()
)


class Refused(ValueError):
    """The display is not run: it says something that has no meaning here, or nothing at all."""


class Missing(Refused):
    """A label that no display bears, or a symbol that has no value."""


class Undefined(Refused):
    """An operation without a value: a product of two vectors, 1/0, an endless sum, s_{1/2}."""


def display(label: str, folder: str | Path | None = None) -> str:
    """The LaTeX of a labelled display, from the notebooks' files: an unsaved edit is not seen.

    The label may leave out its ``eq-`` or ``def-``.  The folder is by default the package's own,
    and the current one where that has no notebooks: a chapter that was downloaded alone.
    """
    folder = _beside() if folder is None else Path(folder)
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        for name in (label, f"eq-{label}", f"def-{label}"):
            before, mark, _ = _prose(path, path.stat().st_mtime_ns).partition(f"$$ ({name})")
            found += [before.rpartition("$$")[2].strip()] if mark else []
    if len(found) != 1:
        many = f"{len(found) or 'no'} displays in {folder} are labelled {label}"
        raise Missing(f"{many}; the files are read, so save the notebook first")
    return found[0]


def _beside():
    beside = Path(__file__).resolve().parents[2]
    return beside if any(beside.glob("*.ipynb")) else Path.cwd()


@lru_cache(64)
def _prose(path, _changed):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def tokens(tex: str) -> list[str]:
    """Cut LaTeX into tokens."""
    found = []
    for token in TOKEN.findall(tex):
        before = found[-1] if found else ""
        if before in DECORATIONS:
            found[-1] = f"{before} {token}"
        elif before in SIZES:
            found[-1] = SIZES[before] if token == "|" else token
        elif token == "}" and before == "{" and {*found[-2:-1]} <= {"=", "&"}:  # ={} spaces
            found.pop()
        elif token == "}" and found[-2:] == ["{", "="]:  # {=} is no more than =, set closer
            found[-2:] = ["="]
        elif token not in SPACE:
            command, _, word = token.partition("{")
            found.append(f"{command}{{{word[:-1].strip()}}}" if word else SAME.get(token, token))
    return found


def is_symbol(token: str | None) -> bool:
    """Can this token be given a value: a letter, plain, Greek or decorated, or a word?"""
    if token in (None, r"\mathbb 1", r"\mathbb E"):
        return False
    word = token.startswith((r"\text{", r"\mathsf{")) or token.partition(" ")[0] in DECORATIONS
    return word or token in GREEK or (len(token) == 1 and token.isalpha())


def chain(words: list[str], at=RELATIONS) -> tuple[list[list[str]], list[str]]:
    """The parts between tokens of ``at`` that stand outside all brackets, and these tokens."""
    parts, signs, depth = [[]], [], 0
    for word in words:
        depth += (word in BRACKETS) - (word in BRACKETS.values())
        if word in at and depth == 0:
            parts.append([])
            signs.append(word)
        else:
            parts[-1].append(word)
    return parts, signs


def split(words: list[str], at: set[str]) -> list[list[str]]:
    """The parts alone."""
    return chain(words, at)[0]


class Reader:
    """A cursor over tokens."""

    def __init__(self, words):
        self.words, self.at = list(words), 0

    @property
    def next(self):
        """The token that comes, or None."""
        return self.words[self.at] if self.at < len(self.words) else None

    def take(self, wanted=None):
        """The token that comes, the wanted one, and step over it."""
        found = self.next
        if found is None or wanted not in (None, found):
            want = f", not {wanted}," if wanted else ""
            raise Refused(f"{found or 'the end'}{want} comes too early in {' '.join(self.words)}")
        self.at += 1
        return found

    def until(self, closing):
        """The tokens up to the bracket that closes what was just opened; a bar closes a bar."""
        depth, start = 0, self.at
        while depth or self.next != closing:
            word = self.take()
            depth += (word in BRACKETS) - (word in BRACKETS.values())
        self.take()
        return self.words[start : self.at - 1]

    def group(self):
        r"""One argument: what stands in braces, or a single token, as in ``\frac12``."""
        token = self.take()
        return self.until("}") if token == "{" else [token]

    def name(self):
        """A symbol's letter with its primes."""
        name = self.take()
        while self.next == "'":
            name += self.take()
        return name

    @property
    def transposes(self):
        """Does a transposition come?  It belongs to more than the letter before it."""
        return [w for w in self.words[self.at : self.at + 3] if w != "{"][:2] == ["^", r"\top"]

    def scripts(self):
        """What comes below and above, [] for nothing."""
        found = {"_": [], "^": []}
        while self.next in found and not found[self.next] and not self.transposes:
            mark = self.take()
            found[mark] = self.group()
        return found["_"], found["^"]


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
        words, reason = [word for word in row[:end] if word != "&"], row[end + 2 :]
        if rows and words[:1] in (["+"], ["-"]):
            rows[-1].words += words
        else:
            rows.append(Statement(n, words, reason))
    for row in list(rows):
        if chain(row.reason)[1] and not any(word.startswith(r"\text") for word in row.reason):
            rows.append(Statement(row.line, row.reason, []))
    return [statement for row in rows for statement in _cut(row)]


def _cut(row):
    """The statements of a row: a gap beside an arrow or a text does not cut."""
    kept, found = [], []
    for before, word, after in zip(["", *row.words], row.words, [*row.words[1:], ""], strict=False):
        joined = any(x in ARROWS or x in LIMITS or x[:5] == r"\text" for x in (before, after))
        if word not in GAPS:
            kept.append(word)
        elif not joined:
            kept.append(",")
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
            if signs != ["="] or not sides[0]:  # a line that goes on from the last has no left side
                raise Refused(f"{label}: {' '.join(statement.words)} defines nothing")
            found[" ".join(sides[0])] = " ".join(sides[1])
    return found
