"""Run chapters anew and store what their cells put out now: `make fresh CHAPTER=08`.

    python _ext/fresh.py NAME [NAME ...]

After an edit the outputs that a chapter stores are those of other cells, and `make test`, which
compares, says so. This command stores the new ones. A chapter is named by its file, by how that
begins, or by its number: ``08-policy-gradient-theorem``, ``08`` or ``8``. The text of cells is
never touched; and if a cell fails, it is named, and no file is written at all.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
import time
from pathlib import Path

import nbformat

CELL_SECONDS = 60

# Nothing here depends on the machine or on the patch version of Python.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"},
}
PAGE = ("mystnb", "html_theme.sidebar_secondary.remove")  # how the page is to look
TRACES_OF_AN_EDITOR = ("ExecuteTime", "collapsed", "execution", "scrolled", "trusted")


class Unknown(Exception):
    """No chapter, or more than one, has this name."""


class CellFailed(Exception):
    """A cell of a notebook did not come to its end, so nothing was stored."""


# --- which chapters -------------------------------------------------------------------------------


def chapter(name: str, stems: list[str]) -> str:
    """The chapter that a reader means; raise Unknown with what could be meant."""
    asked = re.sub(r"^(?:.*/)?(.*?)(?:\.ipynb)?$", r"\1", name.strip())
    padded = re.sub(r"^\d(?!\d)", r"0\g<0>", asked).lower()
    for fits in (
        padded.__eq__,
        lambda s: s.startswith(f"{padded}-"),
        lambda s: s.startswith(padded),
    ):
        found = [stem for stem in stems if padded and fits(stem)]
        if len(found) == 1:
            return found[0]
    if found:
        raise Unknown(f"{name!r} may be {_either(found)}: name one of them.")
    parts = [(part, stem) for stem in stems for part in (stem, *stem.split("-"))]
    close = difflib.get_close_matches(padded, [part for part, _ in parts], n=5, cutoff=0.6)
    near = dict.fromkeys(stem for word in close for part, stem in parts if part == word)
    hint = f"\nNear it: {_either([*near][:5])}." if near else ""
    raise Unknown(f"There is no chapter {name!r} in book/.{hint}\nAll: {', '.join(stems)}.")


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


def names(arguments: list[str]) -> list[str]:
    """The names that a command was given, with blanks or commas between them."""
    return " ".join(arguments).replace(",", " ").split()


# --- running and storing --------------------------------------------------------------------------


def normalise(notebook):
    """Replace or remove in place whatever an editor or another machine would write differently."""
    for key in list(notebook.metadata):
        if key not in METADATA and key not in PAGE:
            del notebook.metadata[key]
    notebook.metadata.update(nbformat.from_dict(METADATA))
    for cell in notebook.cells:
        for key in TRACES_OF_AN_EDITOR:
            cell.metadata.pop(key, None)
    return notebook


def executed(path: Path) -> str:
    """Run a notebook as the build does; its text with the outputs that it has now."""
    import execution

    notebook, failures = nbformat.read(path, as_version=4), []

    async def run(clients):
        client = clients.new(notebook, path, CELL_SECONDS)
        failures.append(await execution.execute(client, path.stem))

    execution.in_a_thread(run)
    for failure in filter(None, failures):
        if failure.trace:
            print(failure.trace.rstrip(), flush=True)
        first = next(iter(failure.error.strip().splitlines()), "")
        raise CellFailed(f"{path}, cell [{failure.cell}]: {first}")
    return nbformat.writes(normalise(notebook), version=4) + "\n"


def store(path: Path, text: str) -> bool:
    """Write a notebook if it is another one; an interrupted run leaves the old file or the new."""
    if text == path.read_text(encoding="utf-8"):
        return False
    fresh = path.with_suffix(".ipynb.new")
    fresh.write_text(text, encoding="utf-8", newline="\n")
    os.replace(fresh, path)
    return True


def main(folder: Path, named: list[str]) -> int:
    """Run the chapters that are named, and if all come to their end store them; 0 if so."""
    stems = sorted(path.stem for path in folder.glob("*.ipynb"))
    if not named:
        raise Unknown("Which chapter? make fresh CHAPTER=08, or several: CHAPTER='08 12'.")
    paths = [folder / f"{stem}.ipynb" for stem in dict.fromkeys(chapter(n, stems) for n in named)]
    texts = {}
    for path in paths:
        start = time.monotonic()
        print(f"{path} ... ", end="", flush=True)
        texts[path] = executed(path)
        print(f"ran in {time.monotonic() - start:.0f} s", flush=True)
    for path, text in texts.items():
        print(f"{path}: {'new outputs stored' if store(path, text) else 'nothing has changed'}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(Path("book"), names(sys.argv[1:])))
    except Unknown as unknown:
        sys.exit(str(unknown))
    except CellFailed as failed:
        sys.exit(f"\nNothing was stored, since a cell failed.\n  {failed}")
