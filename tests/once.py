"""One run of a chapter, from which all starts that the tests ask of a chapter that has run.

    slips that its checks have to notice, in the cells and on the page     "proof"
    every cell run again after all the others                             "rerun"
    what becomes of it when a reader changes something                    "experiments"

To run the chapters takes as long as most of these.  So a chapter is run once, in a child of this
process: each slip and each experiment is made in a copy of it, at its cell, and the cells are run
again in a copy of it at its end.  Nothing done in a copy stays.

A test that asks first brings about the answers to all that this session's tests ask of the chapter
from there on; tests of one chapter follow one another, see ``conftest``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import experiments
import forks
import proofs
import rerun
import typeset
from chapters import Session, read
from marks import EVERY, EVERY_EXPERIMENT

SECONDS = 1200  # of processor time, for one chapter but what is done in its copies
asked: dict[str, list[str]] = {}  # by page: the parts that tests of this session ask for, in order
_answers: dict[tuple[str, str], object] = {}


def asks(part: str) -> Callable:
    """Mark a test that asks for a part of a chapter, whose path is its parameter."""

    def marked(test):
        test.part = part
        return test

    return marked


def expect(asking: list[tuple[Path, str]]) -> None:
    """Note what the tests of a session are going to ask, in the order in which they are run."""
    asked.clear()
    for path, part in asking:
        asked.setdefault(path.stem, []).append(part)


def answer(path: Path, part: str):
    """Of "proof" the proof and what came of the slips on the page; of others what is wrong."""
    if (path.stem, part) not in _answers:
        _answers.clear()
        listed = asked.get(path.stem, [])
        parts = listed[listed.index(part) :] if part in listed else [part]
        found = forks.in_child(told, path, parts, seconds=SECONDS)
        _answers.update({(path.stem, name): found[name] for name in parts})
    return _answers[path.stem, part]


def _by_page(made) -> dict[str, list[experiments.Experiment]]:
    found: dict[str, list[experiments.Experiment]] = {}
    for one in made:
        found.setdefault(one.page, []).append(one)
    return found


WRITTEN = [x for path in sorted(experiments.FOLDER.glob("*.json")) for x in experiments.read(path)]
MADE = _by_page(WRITTEN[::EVERY_EXPERIMENT])


# --- in the child -------------------------------------------------------------------------------


def told(path: Path, parts: list[str], every: int = EVERY, made=None) -> dict[str, object]:
    """Run a chapter, and give what came of each part.  For a fresh process."""
    slips = typeset.collect(every=every) if "proof" in parts else {}
    made = MADE.get(path.stem, []) if made is None else made
    all_parts = {
        "proof": lambda: proofs.Prover(path, proofs.recorded(path), False, every),
        "experiments": lambda: experiments.Tries(made, path),
        "rerun": lambda: rerun.Again(path),
    }
    askers = {name: asker() for name, asker in all_parts.items() if name in parts}
    with Session(path, go_on=True) as session:
        for one in askers.values():
            one.begin(session)
        beside = Beside(session, slips)
        for number, cell in enumerate(read(path)):
            for one in askers.values():
                one.before(number)
            ran = rerun.ran(session, number, cell, beside)
            for one in askers.values():
                one.after(number, ran)
            if ran.error:
                break
        found = {name: one.end() for name, one in askers.items()}
    if "proof" in found:
        found["proof"] = found["proof"], slips
    return found


class Beside:
    """How much processor time of a session went into what is no part of its cells."""

    def __init__(self, session: Session, slips: dict[str, typeset.Tally]):
        self.slips, self.watch, self.seconds = slips, session.watch, 0.0
        session.watch = self.watched

    def watched(self, *call):
        """Let whoever watches look at a check."""
        start = time.process_time()
        try:
            return self.watch(*call)
        finally:
            self.seconds += time.process_time() - start

    def __call__(self) -> float:
        return self.seconds + sum(tally.seconds for tally in self.slips.values())
