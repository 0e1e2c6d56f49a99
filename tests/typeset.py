r"""Slips in typeset equations: each display that a chapter runs is altered, one slip at a time.

    python tests/typeset.py                    all chapters: what came of the slips
    python tests/typeset.py 04 mean-score      one chapter or one label; each slip that passed
    python tests/typeset.py --record [04]      write what came of them to tests/typeset/
    ... --because "s_0 is fixed"               a reason for those that passed and have none yet

For every call of ``runs`` that a chapter makes, the page is altered under it: the same call reads
the display with a slip in it, and has to fail, or to refuse it.  A slip is what one may write by
mistake, or on purpose to see whether it is noticed: a sign turned, a digit off by one, a letter in
place of another of its kind, a step too far, a bound, a relation turned, a prime, an index, a
power, a factor, a term or a function left out, max for min, numerator and denominator exchanged,
and, nearest to the truth, a side that comes out 10 % too large in its first term.

A slip may leave a true statement: a sum that starts at the same place, 0 times another number.
Such slips are listed in ``tests/typeset/``, each with the reason why it is true; no other may
pass.  Words are not executed, and are left alone; nor is it a slip to write pi for pi_theta, or E
for E_tau.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import chapters
import forks

BOOK = Path(__file__).resolve().parents[1] / "book"
RECORDS = Path(__file__).with_name("typeset")
SECONDS = 600  # for one chapter and all its slips

TOKEN = re.compile(
    r"\\(?:text|mathsf|operatorname|begin|end)\*?\{[^{}]*\}|\\[A-Za-z]+|\\.|\S", re.S
)
LAYOUT = re.compile(
    r"\\(?:text|begin|end)\b.*|\\(?:big|Big|bigg|Bigg)[lr]?|\\(?:left|right|quad|qquad|vphantom)|[&{}]"
    r"|\\[,;:!\\ ]"
)
KINDS = ["tkuj", "ij", "ab", "so", "pqw", "xy", "mGHNA", "rR", "uvk", "bc", "VQ"]
SWAPS = {"+": "-", "-": "+", "<": ">", ">": "<", r"\le": r"\ge", r"\ge": r"\le", r"\max": r"\min"}
SWAPS |= {r"\min": r"\max", r"\sum": r"\prod", r"\prod": r"\sum", r"\approx": "<", r"\neq": "="}
SWAPS |= {r"\mu": r"\pi", r"\pi": r"\mu", r"\sigma": r"\mu", r"\binom": r"\frac", r"\log": r"\exp"}
TERM_ENDS = {
    "+",
    "-",
    "=",
    "<",
    ">",
    r"\le",
    r"\ge",
    r"\approx",
    r"\neq",
    "&",
    r"\\",
    ",",
    r"\qquad",
}
EDGES = {"<": r"\le", r"\le": "<", ">": r"\ge", r"\ge": ">"}


@dataclass(frozen=True)
class Slip:
    """A slip: what it is, with what stands around it, the display with it, and its line."""

    what: str
    tex: str
    line: int


def slips(tex: str) -> list[Slip]:
    """Every slip in a display, each once."""
    found = {slip.tex: slip for slip in _all(tex) if slip.tex != tex}
    return list(found.values())


def _all(tex: str) -> Iterator[Slip]:
    tokens = [(m.start(), m.end(), m[0]) for m in TOKEN.finditer(tex)]
    alive = _executed(tokens)
    letters = {token for k, (_, _, token) in enumerate(tokens) if alive[k]}
    for k, (start, end, token) in enumerate(tokens):
        label = token == "_" and _under_a_brace(tokens, k + 1)
        notation = (
            token == "_" and tokens[k + 1 : k + 2] and tokens[k + 1][2] in (r"\theta", r"\tau")
        )
        if not alive[k] or LAYOUT.fullmatch(token) or label or notation:
            continue
        if token == "=" and (at := re.compile(r"(?:\s|&|\{\})*(?=[^-+\s&}])").match(tex, end)):
            yield _slip(tex, at.end(), at.end(), "1.1")
        for new in _instead(tokens, k, letters):
            yield _slip(tex, start, end, new)
        for stop in _ends(tokens, k):
            yield _slip(tex, start, tokens[stop - 1][1], "")
    for match in re.finditer(
        r"\\t?frac(\{(?:[^{}]|\{[^{}]*\})*\}|\w)(\{(?:[^{}]|\{[^{}]*\})*\}|\w)", tex
    ):
        yield _slip(tex, *match.span(), rf"\frac{match[2]}{match[1]}".replace("\\frac", "\\frac "))


def _slip(tex: str, start: int, end: int, new: str) -> Slip:
    old = tex[start:end]
    if new[:1] == "\\" and new[-1:].isalpha() and tex[end : end + 1].isalpha():
        new += " "
    before, after = tex[max(0, start - 14) : start], tex[end : end + 10]
    if old[:1] == "\\" and not new and before[-1:].isalpha() and after[:1].isalpha():
        new = " "
    what = " ".join(f"{before}⟦{old} → {new}⟧{after}".split())
    return Slip(what, tex[:start] + new + tex[end:], 1 + tex[:start].count(r"\\"))


def _executed(tokens) -> list[bool]:
    """Is a token executed: no label of a brace, and no reason in words but a condition?"""
    alive, reason, skipping, depth = [], False, None, 0
    for k, (_, _, token) in enumerate(tokens):
        before = [x for _, _, x in tokens[max(0, k - 2) : k]]
        if token == r"\\":
            reason = False
        if before == ["&", "&"]:
            row = [x for _, _, x in tokens[k:]]
            row = row[: row.index(r"\\")] if r"\\" in row else row
            words = [x for x in row if x.startswith(r"\text{")]
            reason = bool(words) and words not in ([r"\text{if }"], [r"\text{if}"])
        depth += (token == "{") - (token == "}")
        if skipping is not None and depth < skipping:
            skipping = None
        if token == "{" and before[-1:] == ["_"] and _under_a_brace(tokens, k):
            skipping = depth
        alive.append(not reason and skipping is None and not token.startswith(r"\text{"))
    return alive


def _under_a_brace(tokens, k) -> bool:
    r"""Does the group at k stand below an \underbrace?"""
    at, depth = k - 2, 0
    if at < 0 or tokens[at][2] != "}":
        return False
    while at >= 0:
        depth += (tokens[at][2] == "}") - (tokens[at][2] == "{")
        if not depth:
            return at > 0 and tokens[at - 1][2] == r"\underbrace"
        at -= 1
    return False


def _instead(tokens, k, letters) -> Iterator[str]:
    """What may be written by mistake in place of a token."""
    token = tokens[k][2]
    before = tokens[k - 1][2] if k else ""
    after = tokens[k + 1][2] if k + 1 < len(tokens) else ""
    for table in (SWAPS, EDGES):
        if token in table:
            yield table[token]
    if token.isdigit():
        yield str((int(token) + 1) % 10)
        yield str((int(token) - 1) % 10)
    if len(token) == 1 and token.isalpha():
        for kind in KINDS:
            if token in kind:
                yield from (x for x in kind if x in letters and x != token)
        if before in ("_", "^") and token != "T":
            yield f"{{{token}+1}}"
            yield f"{{{token}-1}}"
        elif token in "tkuij" and before != "'" and after != "'":
            yield f"({token}+1)"
        if token in "as" and after != "'":
            yield f"{token}'"
    if token in (r"\gamma", r"\alpha", r"\varepsilon", r"\rho", r"\sigma", "p", "q", "m", "G", "H"):
        yield f"(1-{token})" if after not in ("_", "^", "'", "(") else token
    if token in ("H", "T", "m", "G") and before != "_":
        yield f"({token}-1)"


def _ends(tokens, k) -> Iterator[int]:
    """Where what is left out may end: the token alone, or with its scripts."""
    token = tokens[k][2]
    if token in ("(", ")", "[", "]", "|", ",", ";", r"\mid", "=", r"\{", r"\}", "_", "^"):
        if token in ("_", "^"):
            yield _behind_group(tokens, k + 1)
        return
    yield k + 1
    end = k + 1
    while end < len(tokens) and tokens[end][2] in ("_", "^", "'"):
        end = end + 1 if tokens[end][2] == "'" else _behind_group(tokens, end + 1)
    if end > k + 1:
        yield end
    if token in "+-" and k + 1 < len(tokens):
        yield _behind_group(tokens, k + 1)
        yield _behind_term(tokens, k + 1)


def _behind_term(tokens, k) -> int:
    """The end of a term: before the next sign, relation or bracket that closes."""
    depth = 0
    for end in range(k, len(tokens)):
        token = tokens[end][2]
        depth += (token in "([{") - (token in ")]}")
        if depth < 0 or (depth == 0 and token in TERM_ENDS):
            return end
    return len(tokens)


def _behind_group(tokens, k) -> int:
    """The end of one argument: a token, or what stands in braces."""
    if k >= len(tokens) or tokens[k][2] != "{":
        return min(k + 1, len(tokens))
    depth, end = 1, k + 1
    while end < len(tokens) and depth:
        depth += (tokens[end][2] == "{") - (tokens[end][2] == "}")
        end += 1
    return end


# --- what comes of them -------------------------------------------------------------------------


@dataclass
class Tally:
    """What came of the slips in one display: those that passed, in words; and one that did not.

    Where a display runs several times, a slip has to be noticed once.
    """

    made: int = 0
    seconds: float = 0.0
    false: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)


def judged(path, labels=None) -> dict[str, Tally]:
    """Run a chapter; under each of its calls of ``runs``, alter the display.  For a fresh process.

    Raises
    ------
    Exception
        that the chapter itself raised.
    """
    found = collect(labels)
    outcome = chapters.run(path)
    if outcome.error is not None:
        raise outcome.error
    return found


def collect(labels=None, every: int = 1) -> dict[str, Tally]:
    """Let each call of ``runs`` in this process be followed by slips; give where they are noted.

    ``every`` makes only each so-manieth slip of a display.  A forked process makes none.
    """
    found: dict[str, Tally] = {}
    sys.path.insert(0, str(BOOK))
    checks = importlib.import_module("policygrad.checks")
    room = importlib.import_module("policygrad.checks.runs")
    plain, here = checks.runs, os.getpid()
    room.definitions = cache(room.definitions)  # no slip is in another display

    def runs(label, *tried, slip=None, **options):
        plain(label, *tried, slip=slip, **options)
        asked = not (checks._controls or slip) and (not labels or label in labels)
        if asked and os.getpid() == here:
            tally, made = found.setdefault(label, Tally()), slips(room.display(label))
            worlds: list = []  # names, with what is known: a slip leaves most as it is
            again = [slip for slip in made if slip.what in tally.passed]
            todo = again if tally.made else made[::every]
            tally.made, tally.passed, start = len(made), [], time.process_time()
            for one in todo:
                call = lambda: plain(label, *tried, **options)  # noqa: E731
                getattr(tally, _try(one, room, checks, call, worlds)).append(one.what)
            tally.seconds += time.process_time() - start

    checks.runs = runs
    return found


def _try(slip: Slip, room, checks, call, worlds) -> str:
    """Call a check while the page has a slip in it: "passed", "false" or "refused"."""
    page, formula, number = room.display, room.Formula, itertools.count()
    names = importlib.import_module("policygrad.formulas").Names

    class NearestFirst(formula):
        """Tries the claims near the slip first: it is there that one will be false."""

        def __init__(self, tex, env, **options):
            if (n := next(number)) == len(worlds):
                worlds.append(names(env))
            super().__init__(tex, worlds[n], **options)

        def run(self, **options):
            self.claims.sort(key=lambda claim: abs(claim.line - slip.line))
            return super().run(**options)

    room.display, room.Formula = lambda _: slip.tex, NearestFirst
    checks._controls.append("a slip")
    try:
        call()
    except checks.NotRefuted:
        return "passed"
    except checks.CheckFailed:
        return "false"
    except ValueError:
        return "refused"
    finally:
        checks._controls.pop()
        room.display, room.Formula = page, formula
    raise AssertionError("a check in a control ends in one of these ways")


def recorded(path) -> dict:
    """What is written down of a page: label -> made, example, still true."""
    file = RECORDS / f"{path.stem}.json"
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


def record_of(tally: Tally, before: dict, because: str = "") -> dict:
    """The record of a display; reasons that are there already are kept."""
    reasons = before.get("still true", {})
    noticed = tally.false or tally.refused
    return {
        "made": tally.made,
        "example": min(noticed, key=lambda what: (abs(len(what) - 32), what), default=""),
        "still true": {what: reasons.get(what) or because for what in tally.passed},
    }


def complaints(path, found: dict[str, Tally], whole: bool) -> list[str]:
    """Say what is wrong with what came of the slips in a page; ``whole`` if all were made."""
    records, again = recorded(path), f"run `python tests/typeset.py --record {path.stem}`"
    said = [f"{label} is not executed any more; {again}" for label in records.keys() - found.keys()]
    for label, tally in found.items():
        record = records.get(label, {"made": 0, "still true": {}})
        if tally.made != record["made"]:
            said.append(f"{label}: {tally.made} slips, {record['made']} are recorded; {again}")
        said += [
            f"{label}: this slip passes: {what}; sharpen the values, or record why it is true"
            for what in tally.passed
            if what not in record["still true"]
        ]
        gone = record["still true"].keys() - tally.passed if whole else ()
        said += [f"{label}: this slip is noticed by now: {what}; {again}" for what in gone]
    return [f"{path.stem}, {one}" for one in said]


def main() -> None:
    """Make the slips that were asked for, and say what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("asked", nargs="*", help="numbers or names of chapters, or labels")
    parser.add_argument("--record", action="store_true", help="write down what came of them")
    parser.add_argument("--because", default="", help="why those are true that have no reason yet")
    options = parser.parse_args()
    pages = {x: [*BOOK.glob(f"{x}.ipynb"), *BOOK.glob(f"{x}-*.ipynb")] for x in options.asked}
    labels = {x for x in options.asked if not pages[x]}
    asked = sorted({path for found in pages.values() for path in found})
    total = Tally()
    for path in asked or sorted(BOOK.glob("*.ipynb")):
        records = recorded(path)
        found = forks.in_child(judged, path, labels, seconds=SECONDS)
        if not labels:
            records = {label: old for label, old in records.items() if label in found}
        for label, tally in found.items():
            noticed = len(tally.false) + len(tally.refused)
            print(f"{path.stem[:2]} {label:28} {tally.made:4} slips, {noticed} noticed", flush=True)
            records[label] = record_of(tally, records.get(label, {}), options.because)
            for what, reason in records[label]["still true"].items():
                print(f"     passes: {what}   {reason and f'[{reason}]'}".rstrip())
            for name in ("false", "refused", "passed"):
                getattr(total, name).extend(getattr(tally, name))
        if options.record and records:
            text = json.dumps(dict(sorted(records.items())), indent=1, ensure_ascii=False)
            (RECORDS / f"{path.stem}.json").write_text(text + "\n", "utf-8")
    many = f"{len(total.false)} made it false, {len(total.refused)} were refused"
    print(f"{many}, {len(total.passed)} passed")


if __name__ == "__main__":
    main()
