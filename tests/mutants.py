"""Slips made on purpose in the chapters: which checks notice?

    python tests/mutants.py --chapter 03 --every 5        every fifth of a chapter
    python tests/mutants.py --every 20                    a sample of all chapters
    python tests/mutants.py --record                      a slip for each check, written down

``tests/test_mutations.py`` asks less, at every run of the tests: that each check can fail.  For
each check ``seen_to_fail.json`` names a slip that made it fail.  The test tries that one first, and
searches where it is out of date, which is slow.
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType

import numpy as np
import sympy  # noqa: F401 - once, here: no forked child has to

from chapters import Session, Verdict, read, run
from forks import Snapshot, in_child
from package_slips import Alteration, install
from slips import CALL, FORMULA, KINDS, Slip, slips

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
RECORD = ROOT / "tests" / "seen_to_fail.json"
SECONDS = 1.0  # of processor time that a slip gets, on top of three times what is usual
OWN, BEFORE, PACKAGE = 6.0, 1.5, 5.0  # seconds for slips in a check's cell, in cells before it ...
BRIEFLY = 0.3  # seconds for both, where a slip in the package is known that the check notices
LAST_RESORT = 300  # slips, whatever they take, where all that has shown nothing
FORK = 0.02  # seconds


# --- each check of a chapter has to fail under some slip ------------------------------------------


@dataclass
class Proof:
    """What made the checks of a chapter fail.

    Attributes
    ----------
    bad : verdicts of the chapter as it is that are not passed; there must be none.
    error : what broke the chapter off as it is; else empty.
    seen : for each check that says something true, the slip under which it failed, in words; or
        None if there is none.
    tried : how many slips were tried.
    """

    bad: list[Verdict] = field(default_factory=list)
    error: str = ""
    seen: dict[Verdict, str | None] = field(default_factory=dict)
    tried: int = 0


def prove(path, alterations=(), record=None) -> Proof:
    """Run a chapter once; at each cell, look for slips that make its checks fail, one by one.

    Parameters
    ----------
    path : of the chapter.
    alterations : slips in the package, tried where a formula is not the chapter's own.
    record : of an earlier search, as :func:`recorded` gives it.  What it names is tried first, so
        that the search is short; it need not be up to date.
    """
    search = Search(Path(path), list(alterations), record or {})
    with Session(path, go_on=True) as session:
        for cell in search.cells:
            search.snapshots.append(Snapshot(lambda question: _answer(session, question)))
            first, start = len(session.verdicts), time.process_time()
            error = session.execute(cell.number, cell.source)
            cell.seconds = time.process_time() - start
            if error is not None:
                search.proof.error = f"cell {cell.number}: {error!r}"
                break
            search.judge(session.verdicts[first:], session.namespace)
        for snapshot in reversed(search.snapshots):
            snapshot.close()
    return search.proof


@dataclass
class Cell:
    """A code cell: its number and source, its statements, and the time that it took."""

    number: int
    source: str
    seconds: float = 0.0
    tried: set = field(default_factory=set)  # slips, each with the last cell that was run

    def __post_init__(self):
        self.tree = ast.parse(self.source)
        self.statements = [Statement.read(node) for node in self.tree.body]


class Search:
    """The search for slips under which each check of a chapter fails."""

    def __init__(self, path: Path, alterations: list, record: dict[str, str]):
        self.path, self.alterations, self.proof = path, alterations, Proof()
        self.record, self.names = record, names_of_checks()
        self.cells = [Cell(i, source) for i, source in enumerate(read(path))]
        self.snapshots: list[Snapshot] = []
        self.by_package: list[tuple[Alteration, list[Verdict]]] = []

    def judge(self, new: list[Verdict], namespace) -> None:
        """Make the checks of a cell fail that has just been run, given its verdicts."""
        wanted = [v for v in new if v.claim is None and v.outcome == "passed"]
        self.proof.bad += [v for v in new if v.outcome not in ("passed", "caught")]
        self.proof.seen.update(dict.fromkeys(wanted))
        for verdict in wanted:
            self._try_record(self.record.get(self.names(verdict)), verdict, namespace)
        for verdict in wanted:
            known = any(_noticed(verdict, found) for _, found in self.by_package)
            own, before = (BRIEFLY, BRIEFLY) if known else (OWN, BEFORE)
            self._try_cells(verdict, FORMULA, namespace, own, before)
            self._try_package(verdict, PACKAGE)
            self._try_cells(verdict, CALL, namespace, OWN, BEFORE)
            self._try_package(verdict, math.inf)
            self._try_cells(verdict, KINDS, namespace, math.inf, math.inf)

    def _try_cells(self, verdict, kinds, namespace, own: float, before: float) -> None:
        """Try slips in the check's own cell and before it, for so many seconds."""
        last, left, tries = verdict.cell, {True: own, False: before}, 0
        for cell, slip in _candidates(verdict, self.cells, kinds, namespace):
            key = (slip.kind, slip.line, slip.old, slip.new, last)
            cost = FORK + sum(c.seconds for c in self.cells[cell.number : last + 1])
            if self.proof.seen[verdict] is not None or tries == LAST_RESORT:
                return
            first = tries == 0 and cell.number == last  # has its turn, whatever it takes
            if key in cell.tried or (cost > left[cell.number == last] and not first):
                continue
            cell.tried.add(key)
            left[cell.number == last] -= cost
            tries += 1
            self._try_slip(cell, slip, last, SECONDS + 3 * cost)

    def _try_slip(self, cell: Cell, slip: Slip, last: int, seconds: float) -> None:
        rest = self.cells[cell.number + 1 : last + 1]
        run = [(cell.number, slip.tree)] + [(c.number, c.source) for c in rest]
        found = self.snapshots[cell.number].ask(run, seconds)
        self.proof.tried += 1
        self._note(lambda verdict: _in_cell(verdict, cell, slip), found or ())

    def _try_package(self, verdict: Verdict, seconds: float) -> None:
        """Let checks fail by slips in the package, each of which is tried once for all checks."""
        for slip, found in self.by_package:
            self._note(lambda _, slip=slip: str(slip), found)
        cost = 0.1 + sum(cell.seconds for cell in self.cells)  # that a run takes, or more
        while self.proof.seen[verdict] is None and self.alterations and cost <= seconds:
            seconds -= cost
            self._run_package(self.alterations.pop(0))

    def _run_package(self, slip: Alteration) -> None:
        found = in_child(verdicts_on, slip.module, slip.code(), self.path)
        self.by_package.append((slip, found))
        self.proof.tried += 1
        self._note(lambda _: str(slip), found)

    def _try_record(self, words: str | None, verdict: Verdict, namespace) -> None:
        """Try the slip that made this check fail the last time, if it still can be made."""
        if words is None or self.proof.seen[verdict] is not None:
            return
        for slip in [slip for slip in self.alterations if str(slip) == words]:
            self.alterations.remove(slip)
            self._run_package(slip)
            return
        for cell, slip in _candidates(verdict, self.cells, KINDS, namespace):
            if _in_cell(verdict, cell, slip) == words:
                cell.tried.add((slip.kind, slip.line, slip.old, slip.new, verdict.cell))
                seconds = SECONDS + 3 * sum(c.seconds for c in self.cells)
                self._try_slip(cell, slip, verdict.cell, seconds)
                return

    def _note(self, words, found) -> None:
        for verdict, before in self.proof.seen.items():
            if before is None and _noticed(verdict, found):
                self.proof.seen[verdict] = words(verdict)


def _in_cell(verdict: Verdict, cell: Cell, slip: Slip) -> str:
    """A slip, as seen from a check."""
    before = verdict.cell - cell.number
    place = {0: "its cell", 1: "the cell before"}.get(before, f"{before} cells before")
    return f"{place}, line {slip.line}, {slip.kind}: {slip.old} -> {slip.new}"


def names_of_checks():
    """Give a function that names each check of a chapter, asked for in their order."""
    count: dict[str, int] = {}

    def name(verdict: Verdict) -> str:
        words = f"{verdict.label} · {verdict.kind}" + f" · {verdict.where}" * bool(verdict.where)
        count[words] = count.get(words, 0) + 1
        return f"{words} · {count[words]}" if count[words] > 1 else words

    return name


def recorded(path: Path) -> dict[str, str]:
    """Give the slip under which each check of a chapter was last seen to fail, by its name."""
    return json.loads(RECORD.read_text("utf-8")).get(path.stem, {}) if RECORD.exists() else {}


def record(paths, alterations) -> None:
    """Search anew, and write down what made each check fail."""
    found = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    for path in paths:
        proof, name = in_child(prove, path, alterations(path)), names_of_checks()
        found[path.stem] = {name(verdict): words for verdict, words in proof.seen.items()}
        print(f"{path.name}: {len(proof.seen)} checks, {proof.tried} slips", flush=True)
        RECORD.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


def verdicts_on(module: str, code: str, path: Path) -> list[Verdict]:
    """Give all verdicts of a chapter on a package with one module altered.

    To be called in a process that has not imported the package.
    """
    install(module, code)
    return run(path, go_on=True).verdicts


def _noticed(verdict: Verdict, found) -> bool:
    """Did this very check fail among those that were found?  Its case may be worded otherwise."""

    def place(v):
        return v.cell, v.place, v.line, v.kind, v.label, v.claim

    return any(v.outcome == "failed" and place(v) == place(verdict) for v in found)


def _answer(session: Session, run) -> list[Verdict]:
    """Go on from a snapshot with these cells; give the verdicts."""
    session.verdicts = []
    for number, cell in run:
        if session.execute(number, cell) is not None:
            break
    return session.verdicts


def _candidates(verdict: Verdict, cells, kinds, namespace) -> Iterator[tuple[Cell, Slip]]:
    """Slips that may matter to a check: in its own cell, then in cells before, nearest first."""

    def names(node):
        return _alike(node.id, namespace)

    for cell, statement in _that_matter(verdict, cells):
        found = slips(cell.tree, kinds, statement.lines, names)
        for slip in sorted(found, key=lambda slip: KINDS.index(slip.kind)):
            yield cell, slip


def _alike(name: str, namespace) -> list[str]:
    """Other variables of the same kind, the latest first."""
    kind = _kind(namespace.get(name))
    others = [n for n in reversed(namespace) if n != name and not n.startswith("_")]
    return [n for n in others if _kind(namespace[n]) == kind] if kind else []


def _kind(value):
    if value is None or isinstance(value, (ModuleType, type)):
        return None
    if isinstance(value, np.ndarray):
        return "array", value.shape
    if isinstance(value, FunctionType):
        return "function", value.__code__.co_argcount
    return type(value).__name__


# --- which statements a check rests on ----------------------------------------------------------


@dataclass(frozen=True)
class Statement:
    """A statement of a cell: its lines, the names that it sets and uses."""

    lines: tuple[int, int]
    sets: frozenset[str]
    uses: frozenset[str]
    anew: bool  # it sets them without regard to what they were

    @classmethod
    def read(cls, node: ast.stmt) -> Statement:
        """Read off the names."""
        uses = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        sets = set(_set_by(node))
        anew = isinstance(node, (ast.Assign, ast.FunctionDef)) and not (sets & _touched(node))
        return cls((node.lineno, node.end_lineno), frozenset(sets), frozenset(uses), anew)


def _set_by(node: ast.stmt) -> Iterator[str]:
    """Names that a statement sets or whose values it may change in place."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
        return
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return
    for n in ast.walk(node):
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
            yield n.id
    yield from _touched(node)


def _touched(node: ast.stmt) -> set[str]:
    """Names whose values are changed in place: x[i] = 1, x += 1, x.append(1), add.at(x, i, 1)."""
    found = set()
    for n in ast.walk(node):
        target = None
        if isinstance(n, (ast.Subscript, ast.Attribute)) and isinstance(n.ctx, ast.Store):
            target = n.value
        elif isinstance(n, ast.AugAssign):
            target = n.target
        elif isinstance(n, ast.Expr) and isinstance(n.value, ast.Call):
            target = n.value
        found |= {x.id for x in ast.walk(target) if isinstance(x, ast.Name)} if target else set()
    return found


def _that_matter(verdict: Verdict, cells) -> Iterator[tuple[Cell, Statement]]:
    """The statement of a check, and those before it that its names come from, nearest first."""
    needed: set[str] = set()
    for cell in reversed(cells[: verdict.cell + 1]):
        for statement in reversed(cell.statements):
            first, last = statement.lines
            if cell.number == verdict.cell and first > verdict.line:
                continue
            own = cell.number == verdict.cell and first <= verdict.line <= last
            if own or statement.sets & needed:
                if statement.anew:
                    needed -= statement.sets
                needed |= statement.uses
                yield cell, statement


# --- all slips, for a report --------------------------------------------------------------------


@dataclass
class Tally:
    """How many slips were made, and what came of them; survivors in words."""

    check: int = 0
    crash: int = 0
    survivors: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        made = self.check + self.crash + len(self.survivors)
        return (
            f"{made} made, {self.check} caught by a check, {self.crash} by another error"
            f", {len(self.survivors)} survived"
        )


def _in_words(file: str, slip: Slip) -> str:
    return f"{file}:{slip.line}: {slip.kind}: {slip.old} -> {slip.new}"


def survey_chapter(path: Path, options) -> Tally:
    """Make the slips of a chapter that its checks rest on, each judged by the rest of it."""
    tally = Tally()
    verdicts = run(path).verdicts
    cells = [Cell(i, code) for i, code in enumerate(read(path))]
    matter = {(c.number, s.lines) for v in verdicts for c, s in _that_matter(v, cells)}
    made = -1
    with Session(path) as session:
        for cell in cells:
            snapshot = Snapshot(lambda run: _first_failure(session, run))
            for lines in sorted(lines for number, lines in matter if number == cell.number):
                for slip in slips(cell.tree, lines=lines):
                    made += 1
                    if made % options.every != options.start:
                        continue
                    rest = [(c.number, c.source) for c in cells[cell.number + 1 :]]
                    how = snapshot.ask([(cell.number, slip.tree), *rest], 60) or "crash"
                    if how == "survived":
                        place = f"{path.name}, cell {cell.number}"
                        tally.survivors.append(_in_words(place, slip))
                    else:
                        setattr(tally, how, getattr(tally, how) + 1)
            snapshot.close()
            session.execute(cell.number, cell.source)
    return tally


def _first_failure(session: Session, run) -> str:
    for number, cell in run:
        error = session.execute(number, cell)
        if error is not None:
            noticed = type(error).__name__ in ("CheckFailed", "NotRefuted")
            return "check" if noticed else "crash"
    return "survived"


def main() -> None:
    """Make the slips that were asked for, and say what came of them."""
    options = _options()
    sys.path.insert(0, str(BOOK))
    chapters = sorted(path for path in BOOK.glob("*.ipynb") if path.stem != "index")
    if options.record:
        from alterations import for_chapter

        asked = options.chapter or [path.stem.split("-")[0] for path in chapters]
        record([path for path in chapters if path.stem.split("-")[0] in asked], for_chapter)
        return
    for number in options.chapter:
        (path,) = BOOK.glob(f"{number}-*.ipynb")
        tally = in_child(survey_chapter, path, options, seconds=36_000)
        print(f"{path.name}:", *tally.survivors, sep="\n    ")
        print("  ", tally, flush=True)


def _options():
    numbers = [path.stem.split("-")[0] for path in sorted(BOOK.glob("*-*.ipynb"))]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chapter", action="append", choices=numbers, help="by its number")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth slip")
    parser.add_argument("--start", type=int, default=0, help="the first of those, below N")
    parser.add_argument("--record", action="store_true", help="write seen_to_fail.json anew")
    options = parser.parse_args()
    if not (options.chapter or options.record):
        options.chapter = numbers
    options.chapter = options.chapter or []
    return options


if __name__ == "__main__":
    main()
