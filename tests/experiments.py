"""What becomes of a chapter when a reader changes something in it, and runs all of it.

    python tests/experiments.py 03            all experiments with the chapters that begin so

``experiments/NN-page.json`` lists what readers are likely to change first:

    {"cell": "<id>", "change": ["what stands once in the cell", "what is put there"], "ends": …}

``ends`` is "runs through", and then no cell fails; or part of the message of each cell that stops,
as in "this cell assumes H = 3".  Several parts are joined by " | ": each cell that stops says one
of them, and each is said.  A cell that stops ends there, and the next goes on; what fails since a
cell that stopped has not set a name is a part of that.

Only what the change can touch is run: the cells that take a name from the changed one, or from a
cell that does, and what these need.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chapters import Session
from forks import Snapshot
from rerun import Ran, names, needs, sets

FOLDER = Path(__file__).parent / "experiments"
BOOK = Path(__file__).resolve().parents[1] / "book"
THROUGH = "runs through"
SECONDS = 600  # of processor time, for one experiment


@dataclass(frozen=True)
class Experiment:
    """One change of one cell, and how it ends.

    Attributes
    ----------
    page : name of the notebook, without its ending.
    cell : id of the cell.
    old, new : what stands in it once, and what is put there.
    ends : parts of the messages of the cells that stop; none, if it runs through.
    """

    page: str
    cell: str
    old: str
    new: str
    ends: tuple[str, ...]

    def __str__(self):
        return f"{self.page}: {self.new}"

    def changed(self, sources: dict[str, str]) -> list[str]:
        """The cells of the chapter, one of them changed.

        Raises
        ------
        ValueError
            if there is no such cell, or what is to be changed does not stand in it once.
        """
        if self.cell not in sources:
            raise ValueError(f"{self.page} has no code cell {self.cell!r}")
        count = sources[self.cell].count(self.old)
        if count != 1:
            raise ValueError(f"in {self.page}, {self.cell}, {self.old!r} stands {count} times")
        changed = sources[self.cell].replace(self.old, self.new)
        return list((sources | {self.cell: changed}).values())


def read(path: Path) -> list[Experiment]:
    """The experiments with one chapter.

    Raises
    ------
    ValueError
        if one is not written as it should be.
    """
    found = []
    for one in json.loads(path.read_text("utf-8")):
        texts = [one.get("cell"), one.get("ends"), *one.get("change", ())]
        if set(one) != {"cell", "change", "ends"} or len(texts) != 4:
            raise ValueError(f"{path.name}: an experiment has a cell, a change, ends; not {one}")
        if not all(isinstance(text, str) for text in texts) or not texts[1]:
            raise ValueError(f"{path.name}: an experiment is told in words; not by {one}")
        cell, ends, old, new = texts
        parts = () if ends == THROUGH else tuple(ends.split(" | "))
        found.append(Experiment(path.stem, cell, old, new, parts))
    return found


def sources(path: Path) -> dict[str, str]:
    """The code cells of a notebook, by id."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return {c["id"]: "".join(c["source"]) for c in cells if c["cell_type"] == "code"}


def faults(made: list[Experiment], path: Path, everything: bool = False) -> list[list[str]]:
    """Make each change, run what it touches, and say of each what does not end as it should.

    The chapter is run once: each experiment goes on in a copy of it, from the cell that it changes.
    """
    tries = Tries(made, path, everything)
    shared = {number for run in tries.runs for number in run.touched if number < run.place}
    with Session(path) as session:
        stops = Stops(session)
        for number in sorted(shared | {run.place for run in tries.runs}):
            tries.make(number, stops)
            if number in shared:
                stops.execute(number, tries.cells[number])
        return tries.end()


class Tries:
    """Experiments with a chapter, each made in a copy of a session that has come to its cell."""

    def __init__(self, made: list[Experiment], path: Path, everything: bool = False):
        before, self.ends = sources(path), {}
        self.cells = list(before.values())
        self.runs = [Run(one, before, everything) for one in made]

    def begin(self, session: Session) -> None:
        """Note which session is meant."""
        self.session = session

    def before(self, number: int) -> None:
        """Make the experiments with a cell of a chapter that has come to it without a stop."""
        self.make(number, Stops(self.session))

    def after(self, number: int, ran: Ran) -> None:
        """Do nothing more."""

    def make(self, number: int, stops: Stops) -> None:
        """Make the experiments with a cell that is about to be run."""
        here = [k for k, run in enumerate(self.runs) if run.place == number]
        if here:
            copies = Snapshot(lambda k: self.runs[k].ends(stops))
            self.ends |= {k: copies.ask(k, SECONDS) for k in here}
            copies.close()

    def end(self) -> list[list[str]]:
        """Of each experiment, what did not end as it should."""
        ends = (self.ends.get(k) for k in range(len(self.runs)))
        return [["it came to no end"] if end is None else end for end in ends]


class Stops:
    """Which cells of a session have stopped, by what; and what is missing since."""

    def __init__(self, session: Session):
        self.session, self.said, self.missing = session, {}, set()

    def execute(self, number: int, cell: str) -> None:
        """Run a cell, and note whether it stops."""
        error = self.session.execute(number, cell)
        if error is not None:
            if not (isinstance(error, NameError) and error.name in self.missing):
                self.said[number] = f"{type(error).__name__}: {error}"
            self.missing |= sets(cell)


class Run:
    """An experiment with a chapter: its cells after the change, and those that are to be run."""

    def __init__(self, experiment: Experiment, before: dict[str, str], everything: bool):
        self.experiment, self.cells = experiment, experiment.changed(before)
        self.place = list(before).index(experiment.cell)
        lost = sets(before[experiment.cell])
        self.touched = touched(self.cells, self.place, lost)
        if everything:
            self.touched = list(range(len(self.cells)))

    def ends(self, stops: Stops) -> list[str]:
        """Go on from before the changed cell, and say what does not end as it should."""
        stops.session.plainly()
        for number in self.touched:
            if number >= self.place:
                stops.execute(number, self.cells[number])
        parts = self.experiment.ends
        said = [part for part in parts if any(part in text for text in stops.said.values())]
        found = [
            f"cell {number}, {self.cells[number].splitlines()[0]!r}, stops: {text}"
            for number, text in stops.said.items()
            if not any(part in text for part in said)
        ]
        return found + [f"no cell says {part!r}" for part in parts if part not in said]


def touched(cells: list[str], place: int, lost: set[str] = frozenset()) -> list[int]:
    """The cells that a change of one of them can touch, and those that these need, in order.

    ``lost`` are names that the cell has set before it was changed.
    """
    own = [sets(cell) | imported(cell) for cell in cells]
    within = {name: changed for cell in cells for name, changed in changed_by_functions(cell)}
    for cell, mine in zip(cells, own, strict=True):
        mine |= set().union(*(within[name] for name in names(cell) & within.keys()))
    used = [needs(cell) for cell in cells]
    tainted, touched = own[place] | lost, {place}
    for number in range(place + 1, len(cells)):
        if used[number] & tainted:
            touched.add(number)
            tainted |= own[number]
    needed: set[str] = set()
    for number in reversed(range(len(cells))):
        if number in touched or own[number] & needed:
            touched.add(number)
            needed |= used[number]
    return sorted(touched)


def changed_by_functions(cell: str) -> Iterator[tuple[str, set[str]]]:
    """The functions of a cell that change things of the chapter in place, and these things."""
    for node in ast.walk(ast.parse(cell)):
        if isinstance(node, ast.FunctionDef):
            body = "\n".join(map(ast.unparse, node.body))
            stored = (x.id for x in ast.walk(node) if is_stored(x))
            own = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)} | {*stored}
            if changed := sets(body) - own:
                yield node.name, changed


def is_stored(node: ast.AST) -> bool:
    """Is it a name that is set?"""
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def imported(cell: str) -> set[str]:
    """The names that a cell imports."""
    return {
        (name.asname or name.name).partition(".")[0]
        for node in ast.walk(ast.parse(cell))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in node.names
    }


def main() -> int:
    """Make the experiments with some chapters, and say how they end."""
    bad = 0
    for path in sorted(p for name in sys.argv[1:] for p in FOLDER.glob(f"{name}*.json")):
        made = read(path)
        for experiment, found in zip(made, faults(made, BOOK / f"{path.stem}.ipynb"), strict=True):
            bad += bool(found)
            print(
                experiment, "\n    ".join([":", *found] if found else ["  as written"]), flush=True
            )
    return int(bad > 0)


if __name__ == "__main__":
    sys.path.insert(0, str(BOOK))
    sys.exit(main())
