"""Slips made on purpose, in the chapters and in the package: which checks notice?

    python tests/mutants.py --module estimators           all slips in one module
    python tests/mutants.py --chapter 03 --every 5        every fifth of a chapter
    python tests/mutants.py --every 20                    a sample of everything
    python tests/mutants.py --record                      a slip for each check, written down

``tests/test_mutations.py`` asks less, at every run of the tests: that each check can fail, and that
the slips in ``alterations.py`` are noticed.  For each check ``seen_to_fail.json`` names a slip that
made it fail.  The test tries that one first, and searches where it is out of date, which is slow.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.abc
import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from types import FunctionType, ModuleType

import numpy as np
import sympy  # noqa: F401 - once, here: no forked child has to

from chapters import Session, Verdict, read, run
from forks import Died, Snapshot, in_child
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
    _install(module, code)
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


# --- slips in the package -----------------------------------------------------------------------


@dataclass(frozen=True)
class Alteration:
    """A slip in the package that checks have to notice.

    Attributes
    ----------
    module : of the package.
    old, new : what stands there, and what is put in its place; ``old`` stands there once.
    slip : what went wrong, in words.
    by : number of the chapter whose checks notice, or the test that does, "test_mdp.py::test_...".
    """

    module: str
    old: str
    new: str
    slip: str
    by: str

    def __str__(self) -> str:
        return f"{self.module}.py, {self.slip}: {self.old} -> {self.new}"

    def code(self) -> str:
        """Give the altered source of the module.

        Raises
        ------
        ValueError
            unless ``old`` stands there once.
        """
        code = source(self.module)
        if code.count(self.old) != 1:
            raise ValueError(
                f"{self.module}.py has changed: {self.old!r} stands there {code.count(self.old)} "
                "times, not once; mend the entry of this alteration"
            )
        return code.replace(self.old, self.new)


@dataclass(frozen=True)
class Finding:
    """What came of a slip in the package.

    Attributes
    ----------
    how : "check" if a check of a chapter failed, else "crash" if something else did, else
        "survived".
    chapter, cell : where.
    what : the error, as text.
    """

    how: str
    chapter: str = ""
    cell: int | None = None
    what: str = ""


def source(module: str) -> str:
    """Give the source of a module of the package, "mdp" or "exact/adjoint"."""
    return (BOOK / "policygrad" / f"{module}.py").read_text("utf-8")


def judge(module: str, code: str | ast.Module, chapters) -> Finding:
    """Run chapters on a package with one module altered, until a check fails.

    To be called in a process that has not imported the package.
    """
    found = Finding("survived")
    try:
        _install(module, code)
    except Exception as error:
        return Finding("crash", what=f"on import: {error!r}")
    for path in chapters:
        outcome = run(path)
        if outcome.error is None:
            continue
        noticed = type(outcome.error).__name__ in ("CheckFailed", "NotRefuted")
        found = Finding(
            "check" if noticed else "crash", path.stem, outcome.cell, repr(outcome.error)
        )
        if noticed:
            break
    return found


class _Altered(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Finds one module of the package, and gives other code than its own."""

    def __init__(self, module: str, code: str | ast.Module):
        self.name, self.code = f"policygrad.{module.replace('/', '.')}", code
        self.file = str(BOOK / "policygrad" / f"{module}.py")

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            return importlib.util.spec_from_file_location(name, self.file, loader=self)
        return None

    def get_filename(self, name):
        return self.file

    def get_data(self, path):
        raise OSError(f"{path} is compiled from altered code only")

    def get_code(self, name):
        return compile(self.code, self.file, "exec")


def _install(module: str, code: str | ast.Module) -> None:
    """Import a module of the package from other code than its own."""
    finder = _Altered(module, code)
    sys.meta_path.insert(0, finder)
    importlib.import_module(finder.name)


def run_tests(module: str, code: str, tests: str, folder: Path) -> subprocess.CompletedProcess:
    """Run tests, "test_mdp.py" or one of them, on a copy of the package with one module altered."""
    ignored = shutil.ignore_patterns("__pycache__")
    copy = shutil.copytree(BOOK / "policygrad", folder / "policygrad", ignore=ignored)
    (copy / f"{module}.py").write_text(code, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    command += ["-o", f"pythonpath={folder} tests _ext", f"tests/{tests}"]
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    plain["PYTHONDONTWRITEBYTECODE"] = "1"
    return subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True)


# --- all slips, for a report --------------------------------------------------------------------


@dataclass
class Tally:
    """How many slips were made, and what came of them; survivors in words."""

    check: int = 0
    crash: int = 0
    tests: int = 0
    survivors: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        made = self.check + self.crash + self.tests + len(self.survivors)
        by_tests = f", {self.tests} by the module's tests only" if self.tests else ""
        return (
            f"{made} made, {self.check} caught by a check, {self.crash} by another error{by_tests}"
            f", {len(self.survivors)} survived"
        )


def survey_module(module: str, chapters: dict[Path, Reach], options) -> Tally:
    """Make the slips of a module, and let the chapters that come by judge each."""
    tally, tree = Tally(), ast.parse(source(module))
    found = list(slips(tree))[options.start :: options.every]
    tasks = [
        (module, slip, _that_come_by(module, slip, tree, chapters, options.patience), options.tests)
        for slip in found
    ]
    with get_context("fork").Pool(options.jobs) as pool:
        for slip, how in zip(found, pool.imap(_judged, tasks), strict=True):
            if how == "survived":
                tally.survivors.append(_in_words(f"policygrad/{module}.py", slip))
                print("   ", tally.survivors[-1], flush=True)
            else:
                setattr(tally, how, getattr(tally, how) + 1)
    return tally


def _judged(task) -> str:
    module, slip, paths, by_tests = task
    try:
        how = in_child(judge, module, slip.tree, paths, seconds=60).how
    except Died:
        return "crash"
    if how == "survived" and by_tests:
        with tempfile.TemporaryDirectory() as folder:
            code = ast.unparse(slip.tree)
            tests = f"test_{module.split('/')[0]}.py"
            tested = run_tests(module, code, tests, Path(folder))
        how = "tests" if tested.returncode else how
    return how


def _in_words(file: str, slip: Slip) -> str:
    return f"{file}:{slip.line}: {slip.kind}: {slip.old} -> {slip.new}"


@dataclass(frozen=True)
class Reach:
    """Which lines of the package a chapter runs, as (module, line), and how long it takes."""

    lines: frozenset[tuple[str, int]]
    seconds: float


def reach(path: Path) -> Reach:
    """Run a chapter and look."""
    lines, package = set(), str(BOOK / "policygrad")

    def on_call(frame, event, _):
        return on_line if frame.f_code.co_filename.startswith(package) else None

    def on_line(frame, event, _):
        file = Path(frame.f_code.co_filename).relative_to(package).with_suffix("")
        lines.add((file.as_posix(), frame.f_lineno))
        return on_line

    start = time.process_time()
    sys.settrace(on_call)
    run(path)
    sys.settrace(None)
    return Reach(frozenset(lines), time.process_time() - start)


def _that_come_by(module, slip, tree, chapters, patience: float) -> list[Path]:
    """The chapters that run the line of a slip, the quickest first, up to so many seconds."""
    first, last = _statement_at(tree, slip.line)
    found, spent = [], 0.0
    for path, its in sorted(chapters.items(), key=lambda item: item[1].seconds):
        if any((module, line) in its.lines for line in range(first, last + 1)):
            spent += its.seconds
            if not found or spent <= patience:
                found.append(path)
    return found


def _statement_at(tree: ast.Module, line: int) -> tuple[int, int]:
    """First and last line of the innermost statement there; of a block, of its head."""
    best = (line, line)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= node.end_lineno:
            body = getattr(node, "body", None)
            last = max(body[0].lineno - 1, node.lineno) if body else node.end_lineno
            if line <= last and (best[0] <= node.lineno):
                best = (node.lineno, last)
    return best


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
    if options.module:
        reaches = {path: in_child(reach, path) for path in chapters}
        for module in options.module:
            print(f"policygrad/{module}.py:", flush=True)
            print("  ", survey_module(module, reaches, options), flush=True)
    for number in options.chapter:
        (path,) = BOOK.glob(f"{number}-*.ipynb")
        tally = in_child(survey_chapter, path, options, seconds=36_000)
        print(f"{path.name}:", *tally.survivors, sep="\n    ")
        print("  ", tally, flush=True)


def _options():
    package = BOOK / "policygrad"
    files = (path.relative_to(package).with_suffix("") for path in package.rglob("[a-z]*.py"))
    modules = sorted(file.as_posix() for file in files)
    numbers = [path.stem.split("-")[0] for path in sorted(BOOK.glob("*-*.ipynb"))]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--module", action="append", choices=modules, help="of the package")
    parser.add_argument("--chapter", action="append", choices=numbers, help="by its number")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth slip")
    parser.add_argument("--start", type=int, default=0, help="the first of those, below N")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds for each slip")
    parser.add_argument("--tests", action="store_true", help="let the module's tests judge as well")
    parser.add_argument("--record", action="store_true", help="write seen_to_fail.json anew")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    options = parser.parse_args()
    if not (options.module or options.chapter or options.record):
        options.module = [name for name in modules if name != "figures"]
        options.chapter = numbers
    options.module, options.chapter = options.module or [], options.chapter or []
    return options


if __name__ == "__main__":
    main()
