r"""From a notebook to tokens: the display of a label, cut into TeX's words, and a cursor over them.

A token is a command (``\sum``), a character, a command with its word (``\text{right}``) or a
decorated letter (``\hat g``); digits stay apart, for ``\frac12`` is one half.  Spaces, sizes of
brackets and ``aligned`` leave no token.  A bar whose size says on which side it stands becomes
``\lvert`` or ``\rvert``; one that stands alone, as in ``\big|``, becomes ``\vert``.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

__all__ = ["RELATIONS", "Missing", "Reader", "Refused", "Undefined", "display"]
__all__ += ["is_symbol", "split", "tokens"]

TOKEN = re.compile(
    r"\\(?:text|mathsf|operatorname|begin|end)\*?\{[^{}]*\}|\\[A-Za-z]+|\\.|\S", re.S
)
SPACE = {r"\,", r"\;", r"\:", r"\!", r"\ ", r"\displaystyle"}
SPACE |= {rf"\{end}{{{kind}}}" for end in ("begin", "end") for kind in ("aligned", "gathered")}
SIZES = {r"\left": r"\lvert", r"\right": r"\rvert"}
for _size in (r"\big", r"\Big", r"\bigg", r"\Bigg"):
    SIZES |= {_size: r"\vert", f"{_size}l": r"\lvert", f"{_size}r": r"\rvert"}
DECORATIONS = {r"\hat", r"\bar", r"\tilde", r"\mathcal", r"\mathbb"}
SAME = {r"\tfrac": r"\frac", r"\tbinom": r"\binom", r"\ln": r"\log", r"\ne": r"\neq"}
RELATIONS = {"=", r"\neq", "<", ">", r"\le", r"\ge", r"\approx"}
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


def split(words: list[str], at: set[str]) -> list[list[str]]:
    """Cut where a token of ``at`` stands outside all brackets."""
    parts, depth = [[]], 0
    for word in words:
        depth += (word in BRACKETS) - (word in BRACKETS.values())
        if word in at and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


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
