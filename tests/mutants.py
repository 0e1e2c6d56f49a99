"""Slips made on purpose, in the chapters and in the package: which checks notice?

    python tests/mutants.py --record                      a slip for each check, written down
    python tests/mutants.py --record --chapter 03         for the checks of one chapter
    python tests/mutants.py --controls                    how far off the controls are, by equation
    python tests/mutants.py --module estimators           all slips in one module
    python tests/mutants.py --every 20                    a sample of those in all modules

``--record`` writes ``seen_to_fail.json``, see ``proofs``: the tests then make just those slips, and
need not search.  What is recorded already and still holds is kept, so that it is quick.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.abc
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import controls
from chapters import run
from forks import Died, in_child
from proofs import prove, recorded, write
from slips import Slip, slips

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"


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


# --- the chapters: what is written down ---------------------------------------------------------


def record(path: Path) -> None:
    """Make the checks of a chapter fail, write down by what, and say which prove little."""
    proof = in_child(prove, path, recorded(path), seconds=3_600)
    write(path, proof.seen)
    print(f"{path.name}: {len(proof.seen)} checks, {proof.tried} slips tried", flush=True)
    for verdict in proof.bad:
        print(f"    fails as it is: {verdict.label}, cell {verdict.cell}: {verdict.error}")
    if proof.error:
        print(f"    the chapter breaks off: {proof.error}")
    for name, why in proof.faults.items():
        print(f"    {name}: {why}", flush=True)


def main() -> None:
    """Make the slips that were asked for, and say what came of them."""
    options = _options()
    sys.path.insert(0, str(BOOK))
    chapters = sorted(path for path in BOOK.glob("*.ipynb") if path.stem != "index")
    if options.controls:
        print(*controls.report(), sep="\n")
    if options.record:
        for path in chapters:
            if not options.chapter or path.stem.split("-")[0] in options.chapter:
                record(path)
    if options.module:
        reaches = {path: in_child(reach, path) for path in chapters}
        for module in options.module:
            print(f"policygrad/{module}.py:", flush=True)
            print("  ", survey_module(module, reaches, options), flush=True)


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
    parser.add_argument("--controls", action="store_true", help="list how far off they are")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    options = parser.parse_args()
    if not (options.module or options.controls or options.record):
        options.module = [name for name in modules if name != "figures"]
    return options


if __name__ == "__main__":
    main()
