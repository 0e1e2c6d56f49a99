"""Run a chapter, then each of its cells again from the state in which the last one left things.

    python tests/rerun.py book/04-log-derivative-trick.ipynb ...

A reader who changes a cell runs that cell, with all that ran before and after it still there.  So a
cell has to pass again, and to put out the same, verdicts and all.  It does not where a name is used
twice for different things, or where a cell updates a thing in place.

Names are put back between two cells, things that were changed in place are not: that is how they
are found.  A cell that took long is run again only if it takes from others a name that more than
one cell sets or changes; else a rerun could only confirm what is known.
"""

from __future__ import annotations

import ast
import io
import sys
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from chapters import Session, read
from flow import GENERATORS
from forks import Snapshot

LONG = 0.5  # seconds of processor time: what takes longer is run again only if there is a reason
SECONDS = 600  # of processor time, to run all cells of a chapter again


@dataclass(frozen=True)
class Ran:
    """What came of a cell: its verdicts and its lines, or why it stopped, or would have.

    A session that goes on after a check that fails does not stop there; ``raised`` is what did.
    """

    verdicts: tuple
    lines: tuple[str, ...]
    error: str
    seconds: float
    raised: str

    def unlike(self, before: Ran) -> str:
        """Say what is not as it was before; nothing if all is."""
        if self.error:
            return self.error
        for then, now in zip(before.lines, self.lines, strict=False):
            if then != now:
                return f"it puts out something else: {now!r}, and not {then!r}"
        if (self.verdicts, self.lines) != (before.verdicts, before.lines):
            return "it puts out more or less than before"
        return ""


def faults(path) -> list[str]:
    """Say which cells of a chapter cannot be run again after all the others, and why."""
    again = Again(path)
    with Session(path) as session:
        again.begin(session)
        for number, cell in enumerate(again.cells):
            again.after(number, ran(session, number, cell))
        return again.faults()


class Again:
    """The cells of a session that has run them all are run again, each as if the last had ended."""

    def __init__(self, path):
        self.cells, self.first = read(path), []

    def begin(self, session: Session) -> None:
        """Note which session is meant."""
        self.session = session

    def before(self, number: int) -> None:
        """Do nothing yet."""

    def after(self, number: int, ran: Ran) -> None:
        """Note what a cell did when it was run in its turn."""
        self.first.append(ran)

    def end(self) -> list[str]:
        """The faults, found in a copy of the session, which others may go on with."""
        copy = Snapshot(lambda _: self.faults())
        found = copy.ask(None, SECONDS)
        copy.close()
        return ["it came to no end"] if found is None else found

    def faults(self) -> list[str]:
        """Run the cells again; say which do not come out as they did."""
        if stopped := [f"cell {n} stops: {x.error}" for n, x in enumerate(self.first) if x.error]:
            return stopped
        session = self.session.plainly()
        end, shared, found = dict(session.namespace), set_twice(self.cells), []
        for number, cell in enumerate(self.cells):
            if self.first[number].seconds > LONG and not needs(cell) & shared:
                continue
            session.namespace.clear()
            session.namespace.update(end)
            if why := ran(session, number, cell).unlike(self.first[number]):
                also = ", ".join(sorted(names(cell) & shared))
                hint = f" (set by several cells: {also})" if also else ""
                found.append(f"cell {number}, {cell.splitlines()[0]!r}: {why}{hint}")
        return found


def ran(session: Session, number: int, cell: str | ast.Module, beside=lambda: 0.0) -> Ran:
    """Run one cell; ``beside`` gives the processor time that went into other things so far."""
    before, out, start = len(session.verdicts), io.StringIO(), time.process_time() - beside()
    with redirect_stdout(out):
        error = session.execute(number, cell)
    seconds = time.process_time() - beside() - start
    new = session.verdicts[before:]
    said = tuple((v.kind, v.label, v.where, v.claim, v.outcome) for v in new)
    failed = next((v.error for v in new if v.outcome not in ("passed", "caught")), "")
    raised = "" if error is None else f"{type(error).__name__}: {error}"
    return Ran(said, tuple(out.getvalue().splitlines()), failed or raised, seconds, raised)


def names(cell: str) -> set[str]:
    """Every name that stands in a cell."""
    return {node.id for node in ast.walk(ast.parse(cell)) if isinstance(node, ast.Name)}


def needs(cell: str) -> set[str]:
    """The names that a cell takes from others: those that it reads before it has set them."""
    return _read_first(ast.parse(cell).body, set())


def _read_first(body: list[ast.stmt], given: set[str]) -> set[str]:
    """The names that statements read before they set them; what they surely set joins ``given``."""
    found: set[str] = set()
    for node in body:
        if isinstance(node, (ast.For, ast.While, ast.If, ast.Try)):  # may not be entered
            inside = set(given)
            if isinstance(node, ast.For):
                found |= _loads(node.iter) - given
                inside |= _stores(node.target)
            else:
                found |= _loads(getattr(node, "test", None)) - given
            for part in ("body", "handlers", "orelse", "finalbody"):
                for one in getattr(node, part, ()):
                    lines = one.body if isinstance(one, ast.ExceptHandler) else [one]
                    found |= _read_first(lines, inside)
        elif isinstance(node, ast.With):
            found |= set().union(*(_loads(item.context_expr) for item in node.items)) - given
            found |= _read_first(node.body, given)
        else:
            found |= _loads(node) - given
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                given |= set().union(*map(_stores, targets))
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                given |= _stores(node)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                given.add(node.name)
    return found


def _loads(node: ast.AST | None) -> set[str]:
    """The names that are read in a statement or an expression; not its own local ones."""
    if node is None:
        return set()
    if isinstance(node, ast.AugAssign):
        return _loads(node.value) | base(node.target)
    found = set().union(set(), *map(_loads, ast.iter_child_nodes(node)))
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
        found.add(node.id)
    if isinstance(node, (ast.FunctionDef, ast.Lambda)):
        every = ast.walk(node.args)
        found -= {one.arg for one in every if isinstance(one, ast.arg)} - _loads(node.args)
        found -= _stores(node)
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        first = _loads(node.generators[0].iter)
        found = (found - set().union(*(_stores(one.target) for one in node.generators))) | first
    return found


def _stores(node: ast.AST) -> set[str]:
    """The names that stand somewhere in it to be set."""
    stored = (
        x.id
        for x in ast.walk(node)
        if isinstance(getattr(x, "ctx", None), ast.Store) and isinstance(x, ast.Name)
    )
    return set(stored) | {
        (one.asname or one.name).partition(".")[0]
        for one in ast.walk(node)
        if isinstance(one, ast.alias)
    }


def set_twice(cells: list[str]) -> set[str]:
    """The names that more than one cell sets or changes."""
    found, twice = set(), set()
    for cell in cells:
        own = sets(cell)
        twice |= found & own
        found |= own
    return twice


def sets(cell: str) -> set[str]:
    """The names that a cell sets, or that stand for things which it changes."""
    found = names(cell) & GENERATORS  # whoever draws from one changes it
    rest: list[ast.AST] = [ast.parse(cell)]
    while rest:
        node = rest.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
            continue
        if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp)):
            continue
        if isinstance(getattr(node, "ctx", None), ast.Store):  # x = , x[i] = , x.y = , for x in
            found |= base(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # x.append(1)
            found |= base(node.value.func) if isinstance(node.value.func, ast.Attribute) else set()
        rest += ast.iter_child_nodes(node)
    return found


def base(node: ast.AST) -> set[str]:
    """The name of which something is a part; none if it is a part of no name."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def main() -> int:
    """Name the cells of some chapters that cannot be run again."""
    bad = 0
    for path in map(Path, sys.argv[1:]):
        found = faults(path)
        bad += bool(found)
        print(f"{path.stem}: " + ("\n    ".join(["", *found]) if found else "clean"), flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book"))
    sys.exit(main())
