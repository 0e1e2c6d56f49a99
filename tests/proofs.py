"""Every check of a chapter is made to fail, by a slip in a formula that it rests on.

    proof = in_child(prove, path, recorded(path), search=True)
    proof.seen      # by the name of each check: the slip under which it failed, or None
    proof.faults    # by the name of each check that proves little: why, and what to do

A check compares two things, its sides.  A slip counts if

* it strikes a formula, and no whole side: see ``slips``; one operand comes out 10 % off.  Only a
  check of whole numbers (a count, a sign, an order: ``WHOLE``) may need a coarser one;
* exactly one side moves by it, and does not become nothing: a slip that strikes both sides alike,
  or that wipes one out, does not show that the two belong together;
* the check then fails.  An error of another kind proves nothing.

What says "= 0" no such slip moves: it counts as seen to fail by a control on the same equation, a
false claim that the same kind of check refutes.

The slip may stand in the cell of the check, in an earlier one, or in a function of the package.

Three faults need no slip: a check whose two sides are one thing (``flow.same_thing``), one that
still passes with a whole side 10 % off, and one that no slip makes fail.

``seen_to_fail.json`` has one line for each check, by chapter and name, "label · kind · case":
``in`` says where the slip stands, "the chapter" or a file of the package; ``line`` is the line of
code there, and ``slip`` what stands in it and what was put in its place.  A line and a slip are
looked for wherever the check rests on them, so that cells may come and go.  null is a check that
no slip made fail.
"""

from __future__ import annotations

import ast
import io
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from operator import attrgetter
from pathlib import Path
from types import FunctionType

import numpy as np
import sympy as sp

import controls
import rerun
from chapters import Session, Verdict, read
from flow import Unit, same_thing, sides_of, that_checks_need, that_matter, units_of
from forks import Snapshot
from slips import KINDS, called, slips

PACKAGE = Path(__file__).resolve().parents[1] / "book" / "policygrad"
RECORD = Path(__file__).parent / "seen_to_fail.json"
SECONDS = 0.5  # of processor time that a slip gets, on top of three times what is usual
MOST = 16  # slips of one kind that are tried for a check in the chapter; in the package, four times
NEAREST = 4  # cells before a check from which functions of the package are struck
HERE = "the chapter"
# What gives whole numbers, of which 10 % is no small part: an operand may be that far off unseen.
WHOLE = {"sign", "len", "count_nonzero", "matrix_rank", "argmax", "argmin", "argsort", "sorted"}
FORMULAS = ("estimators", "exact", "learning", "symbolic", "policies", "trajectories", "sampling")


# --- what a check compares ------------------------------------------------------------------------


@dataclass(frozen=True)
class Sides:
    """What a check was given: a digest of both sides, and what it thought of them 10 % off."""

    digests: tuple[int, int]
    nothing: tuple[bool, bool]
    blunt: bool = False


def watcher(session: Session, thoroughly: bool):
    """Give a function for ``Session.watch`` that looks at both sides of plain checks."""

    def watch(kind, label, where, args, options, in_control):
        if in_control or kind == "runs":
            return None
        names = {"close": ("value", "reference"), "identity": ("lhs", "rhs")}
        named = dict(zip(names.get(kind, ("gradients", "exact")), args, strict=False)) | options
        sides = [named.pop(name, None) for name in names.get(kind, ("gradients", "exact"))]
        nothing = tuple(map(_nothing, sides))
        digests = _digest([sides[0], named.get("counts")]), _digest(sides[1])
        blunt = (
            thoroughly and not any(nothing) and _passes_10_percent_off(session, kind, sides, named)
        )
        return Sides(digests, nothing, blunt)

    return watch


def _passes_10_percent_off(session: Session, kind: str, sides, options) -> bool:
    check, before = getattr(session.checks, kind).__wrapped__, len(session.checks._history)
    for tenths in (11, 9):
        try:
            off = _times(sides[0], sp.Rational(tenths, 10), kind)
            with redirect_stdout(io.StringIO()):  # it is no line of the cell's
                check("ten-percent", off, sides[1], **options)
        except (AssertionError, session.checks.TooFewSamples):
            return False
        finally:
            del session.checks._history[before:]
    return True


def _times(x, factor, kind: str):
    if kind != "identity":
        return np.asarray(x, float) * float(factor)
    if isinstance(x, (list, tuple)):
        return [_times(part, factor, kind) for part in x]
    return x * factor


def _digest(x) -> int:
    if isinstance(x, (list, tuple)):
        return hash(tuple(map(_digest, x)))
    array = np.asarray(x)
    if array.dtype.kind in "biuf":
        return hash((array.shape, (array + 0.0).tobytes()))
    return hash(tuple(map(hash, array.ravel().tolist())))


def _nothing(x) -> bool:
    try:
        return all(entry == 0 for entry in np.asarray(x).ravel().tolist())
    except ValueError:  # lists of unequal length
        return False


# --- the proof of a chapter -----------------------------------------------------------------------


@dataclass
class Proof:
    """What made the checks of a chapter fail.

    Attributes
    ----------
    bad : verdicts of the chapter as it is that are not passed; there must be none.
    error : what broke the chapter off as it is; else empty.
    seen : for the name of each check that says something true, the record of a slip; None if there
        is none.
    faults : for the name of each check that proves little, why, in words.
    tried : how many slips were tried.
    """

    bad: list[Verdict] = field(default_factory=list)
    error: str = ""
    seen: dict[str, dict | None] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    tried: int = 0


def prove(path, record=None, search: bool = True, every: int = 1) -> Proof:
    """Run what the checks of a chapter rest on; after each cell make its checks fail, one by one.

    To be called in a process of its own, see ``forks.in_child``.

    Parameters
    ----------
    path : of the chapter.
    record : slips by the name of the check, as :func:`recorded` gives them; they are tried first.
    search : look for another slip where the recorded one does not make the check fail.
    every : make only each so-manieth recorded slip again; of others see that their line stands.
    """
    prover = Prover(path, record, search, every)
    with Session(path, go_on=True) as session:
        prover.begin(session)
        for cell in prover.cells.values():
            prover.before(cell.number)
            ran = rerun.ran(session, cell.number, cell.tree)
            prover.after(cell.number, ran)
            if ran.raised:
                break
        return prover.end()


@dataclass
class Cell:
    """What matters of a code cell: number, lines of source, statements; the time that it took."""

    number: int
    lines: list[str]
    tree: ast.Module
    seconds: float = 0.0
    ran: dict | None = None  # the functions of the package that it calls, once that was asked

    def line(self, number: int) -> str:
        """Give a line, counted from 1, without what it is indented by."""
        return self.lines[number - 1].strip()

    def of(self, verdicts: list[Verdict]) -> list[Verdict]:
        """Of the verdicts of the whole cell those of the statements that matter, counted anew."""
        spans = [(node.lineno, node.end_lineno) for node in self.tree.body]
        kept = [v for v in verdicts if any(first <= v.line <= last for first, last in spans)]
        return [replace(verdict, place=place) for place, verdict in enumerate(kept)]


@dataclass(frozen=True)
class Try:
    """A slip to be tried: its record, where to start and with which tree, what of the package."""

    record: dict
    start: int
    tree: ast.Module
    package: tuple[str, ast.Module] | None = None


class Prover:
    """Makes the checks of a chapter fail, while a session runs its cells or what matters of them.

    It is told before each cell, and after it; what does not matter of a cell, it does not look at.
    """

    def __init__(self, path, record: dict | None, search: bool, every: int = 1):
        sources, self.path = read(path), Path(path)
        self.units, self.proof, self.record = units_of(sources), Proof(), record or {}
        self.search, self.name, self.every = search, names_of_checks(), every
        needed: dict[int, list[ast.stmt]] = {}
        for unit in that_checks_need(self.units):
            needed.setdefault(unit.cell, []).append(unit.node)
        self.cells = {
            i: Cell(i, sources[i].splitlines(), ast.Module(nodes, []))
            for i, nodes in needed.items()
        }
        self.snapshots: dict[int, Snapshot] = {}
        self.wanted: dict[Verdict, str] = {}

    def begin(self, session: Session) -> None:
        """Look at what is compared, from the first cell on."""
        self.session, session.watch = session, watcher(session, thoroughly=True)

    def before(self, number: int) -> None:
        """Keep the state in which a cell begins: slips start from there."""
        self.first = len(self.session.verdicts)
        if number in self.cells:
            self.snapshots[number] = Snapshot(lambda asked: _answer(self.session, *asked))

    def after(self, number: int, ran: rerun.Ran) -> None:
        """Make the checks of a cell fail that has just been run."""
        new = self.session.verdicts[self.first :]
        self.proof.bad += [v for v in new if v.outcome not in ("passed", "caught")]
        if ran.raised:
            self.proof.error = f"cell {number}: {ran.raised}"
        elif number in self.cells:
            self.cells[number].seconds = ran.seconds
            self.judge(self.cells[number].of(new))

    def end(self) -> Proof:
        """What made the checks fail."""
        self.count_controls(self.path)
        for snapshot in reversed(self.snapshots.values()):
            snapshot.close()
        return self.proof

    def judge(self, new: list[Verdict]) -> None:
        """Make checks of one cell fail, given their verdicts."""
        plain = [v for v in new if v.claim is None and v.outcome == "passed" and v.kind != "runs"]
        self.wanted |= {verdict: self.name(verdict) for verdict in plain}
        self.proof.seen |= {self.wanted[verdict]: None for verdict in plain}
        for verdict in plain:
            known = self.record.get(self.wanted[verdict])
            if list(self.wanted).index(verdict) % self.every and self._stands(known):
                self.proof.seen[self.wanted[verdict]] = known
            for one in self._tries(verdict):
                if self.proof.seen[self.wanted[verdict]] is not None:
                    break
                self._try(one, verdict)
            self._find_fault(verdict)

    def _stands(self, known: dict | None) -> bool:
        """Does the line of a recorded slip still stand in the chapter, or in the package?"""
        if known is None:
            return False
        if known["in"] != HERE:
            return known["line"] in map(str.strip, _source(known["in"])[0])
        return any(known["line"] in map(str.strip, cell.lines) for cell in self.cells.values())

    def count_controls(self, path) -> None:
        """What says "= 0" no slip of a tenth moves: it is seen to fail by a control of its kind."""
        found = controls.records(Path(path))
        refuted = {(one["label"], one["kind"]): one["claim"] for one in reversed(found)}
        for verdict, name in self.wanted.items():
            claim = refuted.get((verdict.label, verdict.kind))
            if claim and any(verdict.more.nothing) and self.proof.seen[name] is None:
                self.proof.seen[name] = {"in": HERE, "line": "= 0", "slip": claim}
                self.proof.faults.pop(name, None)

    def _find_fault(self, verdict: Verdict) -> None:
        name = self.wanted[verdict]
        same = next((s for u, c in self._calls(verdict) if (s := same_thing(self.units, u, c))), "")
        if same:
            self.proof.faults[name] = f"both sides are `{same}`: it compares a thing with itself"
        elif verdict.more.blunt:
            self.proof.faults[name] = "it passes with a whole side 10 % off: its tolerance is wide"
        elif self.proof.seen[name] is None and self.search:
            self.proof.faults[name] = "no slip of 10 % in one of its formulas makes it fail"

    def _calls(self, verdict: Verdict) -> Iterator[tuple[Unit, ast.Call]]:
        """The call of a check, where it stands."""
        for unit in self.units:
            for call in unit.checks:
                here = unit.cell == verdict.cell and call.lineno <= verdict.line <= call.end_lineno
                if here and called(call) == verdict.kind:
                    yield unit, call

    def _whole(self, verdict: Verdict) -> bool:
        """Does the check compare whole numbers of which 10 % is no small part?"""
        for unit, call in self._calls(verdict):
            read, sides = sides_of(self.units, unit, call)
            if any(called(read.meaning(*side)[0]) in WHOLE for side in sides if side):
                return True
        return False

    # --- slips to try, the likeliest first

    def _tries(self, verdict: Verdict) -> Iterator[Try]:
        known = self.record.get(self.wanted[verdict])
        if known is not None:
            ways = self._in_cells if known["in"] == HERE else self._in_package
            yield from (one for one in ways(verdict, KINDS, known) if one.record == known)
        for kind in KINDS if self._whole(verdict) else ("near",):
            if self.search:
                yield from islice(self._in_cells(verdict, (kind,)), MOST)
                yield from islice(self._in_package(verdict, (kind,)), 4 * MOST)

    def _in_cells(self, verdict: Verdict, kinds, known=None) -> Iterator[Try]:
        """Slips in the cells, nearest first."""
        for unit in that_matter(self.units, verdict.cell, verdict.line):
            cell = self.cells[unit.cell]
            lines = range(unit.node.lineno, unit.node.end_lineno + 1)
            lines = [i for i in lines if known is None or cell.line(i) == known["line"]]
            found = slips(cell.tree, kinds, lines) if lines else ()
            if known is None and unit.cell == verdict.cell:
                found = sorted(found, key=lambda slip: abs(verdict.line - slip.line))
            for slip in found:
                record = {"in": HERE, "line": cell.line(slip.line), "slip": str(slip)}
                yield Try(record, cell.number, slip.tree)

    def _in_package(self, verdict: Verdict, kinds, known=None) -> Iterator[Try]:
        """Slips in functions that a cell calls which matters, nearest first."""
        matter = {unit.cell for unit in that_matter(self.units, verdict.cell, verdict.line)}
        for number in sorted(matter, reverse=True)[:NEAREST]:
            cell = self.cells[number]
            for file, lines in self._lines(cell, known).items():
                code, tree = _source(file)
                for slip in slips(tree, kinds, lines) if lines else ():
                    record = {"in": file, "line": code[slip.line - 1].strip(), "slip": str(slip)}
                    yield Try(record, number, cell.tree, (file, slip.tree))

    def _lines(self, cell: Cell, known: dict | None) -> dict[str, list[int]]:
        """Lines of the package to strike, by file.

        Those of a recorded slip, whether the cell runs them or not: to see which it runs would take
        longer than to try the slip.  To look for one, those that it may run.
        """
        if known is None:
            return self._called_in(cell)
        code = _source(known["in"])[0]
        return {known["in"]: [i for i, line in enumerate(code, 1) if line.strip() == known["line"]]}

    def _called_in(self, cell: Cell) -> dict[str, list[int]]:
        """Lines of the package that a cell may run, by file, those of formulas first."""
        if cell.ran is None:
            run = [(cell.number, cell.tree)]
            cell.ran = self.snapshots[cell.number].ask((run, None, True), 10 * SECONDS) or {}
        return cell.ran

    def _between(self, start: int, end: int) -> list[Cell]:
        """Of the cells behind ``start``, in order: ``end``, and those that it rests on."""
        kept, needed = [], set()
        for cell in reversed([c for n, c in self.cells.items() if start < n <= end]):
            units = [unit for unit in self.units if unit.node in cell.tree.body]
            if cell.number == end or any(unit.sets & needed for unit in units):
                needed |= set().union(*(unit.uses for unit in units))
                kept.append(cell)
        return kept[::-1]

    def _try(self, one: Try, verdict: Verdict) -> None:
        rest = self._between(one.start, verdict.cell)
        run = [(one.start, one.tree), *((cell.number, cell.tree) for cell in rest)]
        usual = self.cells[one.start].seconds + sum(cell.seconds for cell in rest)
        found = self.snapshots[one.start].ask((run, one.package, False), SECONDS + 3 * usual)
        self.proof.tried += 1
        for other, name in self.wanted.items():
            if self.proof.seen[name] is None and noticed(other, found or ()):
                self.proof.seen[name] = one.record


def noticed(verdict: Verdict, found) -> bool:
    """Did this very check fail, with one side moved, the other as it was, and neither wiped out?"""
    place = attrgetter("cell", "place", "line", "kind", "label", "claim")
    same = next((v for v in found if place(v) == place(verdict)), None)
    if same is None or same.outcome != "failed" or same.more is None:
        return False
    sides = zip(verdict.more.digests, same.more.digests, strict=True)
    moved = sum(was != now for was, now in sides)
    wiped = any(same.more.nothing) and not any(verdict.more.nothing)
    return moved == 1 and not wiped


# --- in a copy of the process ---------------------------------------------------------------------


def _answer(session: Session, run, package, trace: bool):
    """Go on from a snapshot with these cells; give the verdicts, or what was called."""
    session.verdicts, session.watch, calls = [], watcher(session, thoroughly=False), set()
    if package is not None:
        _strike(*package)
    if trace:
        sys.setprofile(lambda frame, event, _: calls.add(frame.f_code))
    for number, tree in run:
        if session.execute(number, tree) is not None:
            break
    sys.setprofile(None)
    return _by_file(calls) if trace else session.verdicts


def _by_file(calls) -> dict[str, list[int]]:
    """The lines of functions, by file of the package, in the order of ``FORMULAS``."""
    found: dict[str, set[int]] = {}
    for code in calls:
        path = Path(code.co_filename)
        if PACKAGE in path.parents:
            file = path.relative_to(PACKAGE).as_posix()
            found.setdefault(file, set()).update(line for *_, line in code.co_lines() if line)
    rooms = [file for room in FORMULAS for file in sorted(found) if file.startswith(room)]
    return {file: sorted(found[file]) for file in rooms}


def _strike(file: str, tree: ast.Module) -> None:
    """Put the code of an altered module into the functions of the one that is loaded."""
    names = ["policygrad", *Path(file).with_suffix("").parts]
    module = sys.modules[".".join(n for n in names if n != "__init__")]
    code = {c.co_qualname: c for c in _codes(compile(tree, str(PACKAGE / file), "exec"))}
    for function in _functions(module):
        new = code.get(function.__code__.co_qualname)
        if new is not None and new.co_freevars == function.__code__.co_freevars:
            function.__code__ = new


def _codes(code) -> Iterator:
    for constant in code.co_consts:
        if hasattr(constant, "co_qualname"):
            yield constant
            yield from _codes(constant)


def _functions(module) -> Iterator[FunctionType]:
    """The functions and methods of a module."""
    for thing in vars(module).values():
        for x in vars(thing).values() if isinstance(thing, type) else [thing]:
            inner = (getattr(x, name, None) for name in ("fget", "func", "__func__"))
            x = next((f for f in inner if isinstance(f, FunctionType)), x)
            if isinstance(x, FunctionType) and x.__module__ == module.__name__:
                yield x


@cache
def _source(file: str) -> tuple[list[str], ast.Module]:
    path = PACKAGE / file
    code = path.read_text("utf-8") if path.exists() else ""  # a record may be older than the file
    return code.splitlines(), ast.parse(code)


# --- what an author is told -----------------------------------------------------------------------


def complaints(path: Path, proof: Proof, record=None) -> list[str]:
    """Say which checks of a chapter prove too little."""
    record = recorded(path) if record is None else record
    again = f"python tests/mutants.py --record {path.stem.split('-')[0]}"
    found = []
    for name, slip in proof.seen.items():
        why, old = proof.faults.get(name), record.get(name)
        if why is not None:
            what = f"{why}; sharpen it, or delete it"
        elif slip is None and old is not None:
            what = f"it no longer fails by `{old['slip']}` in `{old['line']}`; run `{again}`"
        elif slip is None:
            what = f"no slip is recorded that makes it fail; run `{again}`, which looks for one"
        else:
            continue
        found.append(f"{path.stem}, {name}: {what}")
    return found


# --- the record -----------------------------------------------------------------------------------


def names_of_checks():
    """Give a function that names each check of a chapter, asked for in their order."""
    count: dict[str, int] = {}

    def name(verdict: Verdict) -> str:
        words = f"{verdict.label} · {verdict.kind}" + f" · {verdict.where}" * bool(verdict.where)
        count[words] = count.get(words, 0) + 1
        return f"{words} · {count[words]}" if count[words] > 1 else words

    return name


def recorded(path: Path) -> dict[str, dict | None]:
    """Give the slip under which each check of a chapter was last seen to fail, by its name."""
    return json.loads(RECORD.read_text("utf-8")).get(path.stem, {}) if RECORD.exists() else {}


def write(path: Path, seen: dict[str, dict | None]) -> None:
    """Put what was seen of one chapter into the record, a line for each check."""
    found = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    chapters = dict(sorted({**found, path.stem: seen}.items()))
    line = lambda x: json.dumps(x, ensure_ascii=False)  # noqa: E731
    blocks = (
        f" {line(stem)}: {{\n"
        + ",\n".join(f"  {line(name)}: {line(slip)}" for name, slip in checks.items())
        + "\n }"
        for stem, checks in chapters.items()
        if checks
    )
    RECORD.write_text("{\n" + ",\n".join(blocks) + "\n}\n", "utf-8")
