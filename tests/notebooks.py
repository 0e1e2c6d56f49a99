"""The form in which the book's notebooks are stored: executed, in order, and the same everywhere.

    python tests/notebooks.py run book/*.ipynb      run each and store its outputs
    python tests/notebooks.py check book/*.ipynb    say what is wrong with each

nbval compares stored outputs with fresh ones. What is not stored it cannot compare: a cell that
was never executed passes, and so does a PNG. `problems` covers what nbval leaves open.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat

sys.path.append(str(Path(__file__).resolve().parents[1] / "_ext"))
import fresh
from fresh import CellFailed, normalise

METADATA = fresh.METADATA

MAX_LINES = 30
MAX_FOLDED = 60  # plumbing, which a reader opens on purpose
MEDIAN_LINES = 10  # at least half of the cells that a page shows stay below it
FOLDED = {"hide-input", "remove-input"}
MEMORY_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/])/(?:home|Users|root|tmp|usr|opt|var)/|\b[A-Z]:\\")


def join(text) -> str:
    """Text as notebooks store it: a string, or a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def source_lines(cell) -> int:
    """Number of lines of a cell."""
    return len(join(cell.source).splitlines())


def texts(output) -> Iterator[str]:
    """Every piece of text that an output stores."""
    if output.output_type == "stream":
        yield join(output.text)
    for kind, content in output.get("data", {}).items():
        yield json.dumps(content) if kind.endswith("json") else join(content)


def cell_problems(cell) -> Iterator[str]:
    """What is wrong with one code cell and its outputs."""
    lines = source_lines(cell)
    most = MAX_FOLDED if FOLDED & set(cell.metadata.get("tags", ())) else MAX_LINES
    if lines > most:
        yield f"{lines} lines; {most} are the most"
    kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
    for kind in sorted(kinds):
        if kind.startswith("image/") and kind != "image/svg+xml":
            yield f"stores {kind}, which is never compared; figures are SVG"
    if "image/svg+xml" in kinds:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if not alt.strip():
            yield "draws a figure without alt text (cell metadata mystnb.image.alt)"
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"stores an error: {output.ename}"
        if output.output_type == "stream" and output.name == "stderr":
            yield "stores output on stderr"
        for text in texts(output):
            if found := MEMORY_ADDRESS.search(text):
                yield f"stores a memory address: {found[0]}"
            if found := ABSOLUTE_PATH.search(text):
                yield f"stores a path of one machine: {text[found.start() :][:40]!r}"


def problems(path: Path) -> list[str]:
    """What is wrong with one stored notebook; an empty list when nothing is."""
    # Not nbformat.read, which repairs what is to be found here.
    notebook = nbformat.from_dict(json.loads(path.read_text(encoding="utf-8")))
    found = []

    def report(problem, number=None):
        place = "" if number is None else f" code cell {number}"
        found.append(f"{path.name}{place}: {problem}")

    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        report("is older than notebook format 4.5, which gives each cell an id")
    ids = [cell.get("id") for cell in notebook.cells]
    if len(set(ids)) != len(ids):
        report("two cells have one id")
    if normalise(nbformat.from_dict(notebook)) != notebook:
        report("metadata is of one machine or editor; `make notebooks` removes it")

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code):  # from 0, as nbval counts in its messages
        if cell.execution_count != number + 1:
            counted = cell.execution_count or "none"
            report(f"has execution count {counted}, not {number + 1}: run it whole", number)
        for problem in cell_problems(cell):
            report(problem, number)
    shown = [cell for cell in code if not FOLDED & {*cell.metadata.get("tags", ())}]
    if shown:
        median = statistics.median(map(source_lines, shown))
        if median >= MEDIAN_LINES:
            report(f"the median cell has {median:g} lines; below {MEDIAN_LINES} is asked")
    return found


def run(path: Path) -> bool:
    """Execute a notebook as the build does and store it; True if the file changed."""
    return fresh.store(path, fresh.executed(path))


def main(command: str, *names: str) -> int:
    """Run or check each notebook; the number of those with a problem."""
    bad, failed = 0, []
    for path in map(Path, names):
        if command == "run":
            start = time.monotonic()
            print(f"{path} ... ", end="", flush=True)
            try:
                changed = run(path)
            except CellFailed as failure:
                print("failed")
                failed.append(str(failure))
                continue
            seconds = time.monotonic() - start
            print(f"{'changed' if changed else 'unchanged'}, {seconds:.0f} s", flush=True)
        found = problems(path)
        print("\n".join(found), end="\n" * bool(found))
        bad += bool(found)
    if failed:
        print("Not stored, since a cell failed:", *failed, sep="\n  ")
    return bad + len(failed)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("run", "check"):
        sys.exit(__doc__)
    sys.exit(1 if main(*sys.argv[1:]) else 0)
