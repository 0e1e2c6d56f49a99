"""Where the book keeps what its cells put out, and how a run that compared them adds to it.

`make test` runs every notebook from the top and compares what each cell puts out with what is
stored. A notebook of which all cells agree need not be run again for the pages: its outputs, those
of that run, go into the cache that the build takes them from, under the same digest of all that
they depend on. The build runs what is missing there.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from ipykernel.ipkernel import IPythonKernel

import execution


def folder(root: Path) -> Path:
    """The cache for this state of the package, the equations, the requirements and Python."""
    return root / "_build" / ".jupyter_cache" / execution.digest(root)


def keep(root: Path, run: dict[str, str]) -> None:
    """Keep the outputs of notebooks that were just run: by their paths, as JSON."""
    place = folder(root)
    place.parent.mkdir(parents=True, exist_ok=True)
    execution.heal(place)
    with execution.opened(place) as cache:
        for path, text in run.items():
            execution.keep(cache, as_built(nbformat.reads(text, as_version=4)), Path(path), 0.0)


def as_built(notebook):
    """What the build would have kept: it numbers results, and notes what the kernel says of itself.

    nbval runs cells without a history, in which a result would have the number of its cell.
    """
    notebook.metadata.language_info = nbformat.from_dict(IPythonKernel.language_info)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
    return notebook
