"""Run a chapter's cells without Jupyter: in this process, in one namespace, with nothing shown.

    outcome = run("book/03-objective-over-trajectories.ipynb")   # stops at the first failure
    outcome = run(path, go_on=True)                              # records failures and goes on
    outcome = run(path, go_on=True, seed=7)                      # with other random numbers
    outcome = run(path, watch=print)                             # shows what each check is given

Every check that ran is a :class:`Verdict` of ``outcome.verdicts``, failed ones included.  Where a
cell broke off, ``outcome.error`` is what it raised and ``outcome.cell`` its number, counted from 0
over the code cells as nbval counts them.

Figures are not drawn: ``policygrad.figures`` is replaced by a stand-in.  ``policygrad`` itself is
imported from wherever ``sys.path`` finds it, and only once a chapter runs.
"""

from __future__ import annotations

import ast
import functools
import importlib
import io
import json
import sys
import types
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("identity", "close", "unbiased", "runs")  # those of them that policygrad.checks has
# What a cell may catch itself, where it shows a check that fails.
CAUGHT = {"AssertionError", "CheckFailed", "Exception", "NotRefuted", "TooFewSamples"}


@dataclass(frozen=True)
class Verdict:
    """What came of one check.

    Attributes
    ----------
    cell : number of the code cell, from 0.
    place : how many checks ran in that cell before this one.
    line : of the cell, from 1, where the check stands.
    kind, label, where, claim : as in ``policygrad.checks.Check``; claim is None but for a control.
    outcome : "passed", "failed" (CheckFailed), "not refuted", "error" (anything else raised), or
        "caught" where it raised and an ``except`` of the cell was there for it.
    error : what was raised, as text; else empty.
    more : whatever the session was asked to keep, see :class:`Session`.
    """

    cell: int
    place: int
    line: int
    kind: str
    label: str
    where: str
    claim: str | None
    outcome: str
    error: str = ""
    more: object = field(default=None, compare=False)


@dataclass
class Outcome:
    """A run of a chapter: its verdicts, and what broke it off, if anything did."""

    verdicts: list[Verdict] = field(default_factory=list)
    cell: int | None = None
    error: BaseException | None = None

    @property
    def bad(self) -> list[Verdict]:
        """The verdicts that nobody expected."""
        return [v for v in self.verdicts if v.outcome not in ("passed", "caught")]


def read(path) -> list[str]:
    """Give the sources of the code cells of a notebook."""
    notebook = json.loads(Path(path).read_text(encoding="utf-8"))
    found = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [source if isinstance(source, str) else "".join(source) for source in found]


def run(path, *, go_on: bool = False, seed: int | None = None, watch=None) -> Outcome:
    """Run a chapter from the top.

    Parameters
    ----------
    path : of the notebook; its folder becomes the current one meanwhile.
    go_on : record a check that fails, or that raises anything else, and go on after it.  What a
        cell raises outside its checks ends the run either way: later cells would lack its names.
    seed : under it, every ``np.random.default_rng(k)`` of the cells is ``default_rng([k, seed])``.
    watch : called as ``watch(kind, label, where, args, options, in_control)`` before each check,
        with what stands in the call after the label; what it gives becomes ``more`` of the verdict.
    """
    outcome = Outcome()
    with Session(path, go_on=go_on, seed=seed, watch=watch) as session:
        for number, source in enumerate(read(path)):
            outcome.error = session.execute(number, source)
            if outcome.error is not None:
                outcome.cell = number
                break
    outcome.verdicts = session.verdicts
    return outcome


class Session:
    """One namespace for the cells of a chapter, while entered; see :func:`run`."""

    def __init__(self, path, *, go_on: bool = False, seed: int | None = None, watch=None):
        self.path, self.go_on, self.seed = Path(path).resolve(), go_on, seed
        self.watch = watch or (lambda *call: None)
        self.verdicts: list[Verdict] = []
        self.namespace = {"__name__": "__main__", "display": lambda *shown, **options: None}
        self._cell, self._place, self._guarded = 0, 0, set()
        self._inside = ("", "", "")  # kind, label and where of the check inside a control

    def __enter__(self) -> Session:
        with ExitStack() as stack:
            stack.enter_context(_quiet())
            stack.enter_context(chdir(self.path.parent))
            self.checks = importlib.import_module("policygrad.checks")
            stack.enter_context(_no_figures())
            stack.enter_context(self._watched_checks())
            self._leave = stack.pop_all().close
        return self

    def __exit__(self, *_) -> None:
        self._leave()

    def plainly(self) -> Session:
        """Stop a cell at a check that fails, from here on, and let nobody watch."""
        self.go_on, self.watch = False, lambda *call: None
        return self

    def execute(self, number: int, cell: str | ast.Module) -> BaseException | None:
        """Run one cell, given as source or as a syntax tree; give what it raised, or None."""
        try:
            tree = ast.parse(cell) if isinstance(cell, str) else cell
            self._cell, self._place, self._guarded = number, 0, _guarded_lines(tree)
            if self.seed is not None:
                tree = ast.fix_missing_locations(_Reseed().visit(tree))
                self.namespace[_Reseed.name] = functools.partial(_default_rng, self.seed)
            exec(compile(tree, self._file(), "exec"), self.namespace)
        except (Exception, SystemExit) as error:
            return error
        return None

    def _file(self) -> str:
        return f"<{self.path.stem}, cell {self._cell}>"

    @contextmanager
    def _watched_checks(self) -> Iterator[None]:
        """Let every check leave its verdict here, whichever way it ends."""
        checks, plain = self.checks, {k: getattr(self.checks, k, None) for k in KINDS}
        plain = {name: function for name, function in plain.items() if function is not None}
        refuted, history = checks.refuted, checks._history[:]
        checks._history.clear()
        for name, function in plain.items():
            setattr(checks, name, self._watched(name, function))
        checks.refuted = self._watched_control(refuted)
        try:
            yield
        finally:
            for name, function in plain.items():
                setattr(checks, name, function)
            checks.refuted = refuted
            checks._history[:] = history

    def _watched(self, kind: str, function):
        @functools.wraps(function)
        def check(label, *args, where="", **options):
            inside = bool(self.checks._controls)
            more = self.watch(kind, label, where, args, options, inside)
            if inside:
                self._inside = (kind, label, where)
                return function(label, *args, where=where, **options)
            with self._judged(lambda: (kind, label, where, None), more):
                function(label, *args, where=where, **options)

        return check

    def _watched_control(self, refuted):
        @contextmanager
        def control(claim):
            self._inside = ("", "", "")
            with self._judged(lambda: (*self._inside, claim)), refuted(claim):
                yield

        return control

    @contextmanager
    def _judged(self, what, more=None) -> Iterator[None]:
        line, place = self._line(), self._place
        self._place += 1
        outcome, error = "passed", None
        try:
            yield
        except self.checks.CheckFailed as raised:
            outcome, error = "failed", raised
        except self.checks.NotRefuted as raised:
            outcome, error = "not refuted", raised
        except Exception as raised:
            outcome, error = "error", raised
        text, caught = "", error is not None and line in self._guarded
        if error is not None:
            text = f"{type(error).__name__}: {error}"
        outcome = "caught" if caught else outcome
        self.verdicts.append(Verdict(self._cell, place, line, *what(), outcome, text, more))
        if error is not None and (caught or not self.go_on):
            raise error

    def _line(self) -> int:
        """The line of the cell that is being run."""
        frame = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            if code.co_filename == self._file() and code.co_name == "<module>":
                return frame.f_lineno
            frame = frame.f_back
        return 0


# --- what Jupyter would do, and what is left out ------------------------------------------------


@contextmanager
def _quiet() -> Iterator[None]:
    """Show nothing, and let a warning be no error, as in Jupyter."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


class Picture:
    """What a stand-in draws: nothing."""


@contextmanager
def _no_figures() -> Iterator[None]:
    """Let every function of ``policygrad.figures`` give an empty picture, without matplotlib."""
    name, package = "policygrad.figures", importlib.import_module("policygrad")
    module, attribute = sys.modules.get(name), package.__dict__.get("figures")
    stand_in = types.ModuleType(name)
    stand_in.__getattr__ = lambda function: lambda *data, **options: Picture()
    sys.modules[name] = package.figures = stand_in
    try:
        yield
    finally:
        del sys.modules[name], package.figures
        if module is not None:
            sys.modules[name] = module
        if attribute is not None:
            package.figures = attribute


def _guarded_lines(tree: ast.Module) -> set[int]:
    """The lines of a cell from which a failed check is caught by the cell itself."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and any(_catches(handler) for handler in node.handlers):
            found.update(range(node.lineno, node.body[-1].end_lineno + 1))
    return found


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    named = {getattr(x, "id", getattr(x, "attr", "")) for x in ast.walk(handler.type)}
    return bool(named & CAUGHT)


class _Reseed(ast.NodeTransformer):
    """Put another name in place of ``np.random.default_rng``."""

    name = "_default_rng_of_this_run"

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == "default_rng":
            return ast.copy_location(ast.Name(self.name, ast.Load()), node)
        return node


def _default_rng(master: int, seed):
    import numpy as np

    return np.random.default_rng([*np.atleast_1d(seed).tolist(), master])
