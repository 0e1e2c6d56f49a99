"""The slip under which each check of a chapter fails, written down; how far off controls are.

    python tests/mutants.py --record                      for all chapters
    python tests/mutants.py --record 03 how-checks-work   for some
    python tests/mutants.py --controls                    how far off the controls are, by equation

``--record`` writes ``seen_to_fail.json``, see ``proofs``: the tests then make just those slips, and
need not search.  What is recorded already and still holds is kept, so that it is quick.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import controls
from forks import in_child
from proofs import prove, recorded, write

BOOK = Path(__file__).resolve().parents[1] / "book"


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
    """Do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="by number or name; all by default")
    parser.add_argument("--record", action="store_true", help="write seen_to_fail.json anew")
    parser.add_argument("--controls", action="store_true", help="list how far off they are")
    options = parser.parse_args()
    if not (options.record or options.controls):
        parser.error("say what to do: --record or --controls")
    sys.path.insert(0, str(BOOK))
    if options.controls:
        print(*controls.report(), sep="\n")
    for path in sorted(BOOK.glob("*.ipynb")) if options.record else ():
        names = {path.stem, path.stem.split("-")[0]} - {"index"}
        if names and (not options.chapters or names & {*options.chapters}):
            record(path)


if __name__ == "__main__":
    main()
