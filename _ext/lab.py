"""Open the chapters in JupyterLab with the settings of this book: `make lab`.

    python _ext/lab.py [options of JupyterLab]

Settings lie in ``lab/``: they keep JupyterLab from asking the network for news and releases, and
its kernel from telling more of itself than a chapter stores. ``saving.py`` keeps a save from
changing what was only read. ``cross_references.py`` makes references to other chapters lead there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cross_references

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FOLDER = ("--notebook-dir=", "--ServerApp.root_dir=")


def environment(made: Path) -> dict[str, str]:
    """Where JupyterLab looks for settings, kernels and extensions before it looks elsewhere."""
    return {
        "JUPYTER_CONFIG_PATH": str(HERE / "lab"),
        "JUPYTER_PATH": os.pathsep.join([str(HERE / "lab"), str(made)]),
    }


def trust(folder: Path, made: Path) -> list[str]:
    """Let JupyterLab show the pictures of the chapters; the options by which it knows of this.

    Pictures are SVG and HTML, which it hides in a notebook that was not made on this machine. What
    it may show stands in a file of this book, not in the one of all that the reader trusts.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    places = {"db_file": str(made / "trusted.db"), "secret_file": str(made / "trusted.key")}
    notary = NotebookNotary(**places)
    for path in sorted(folder.glob("*.ipynb")):
        notary.sign(nbformat.read(path, as_version=4))
    notary.store.close()
    return [f"--NotebookNotary.{name}={place}" for name, place in places.items()]


def main(options: list[str]) -> None:
    """Become JupyterLab."""
    made = ROOT / "_build" / "lab"
    cross_references.write(ROOT, made)
    folder = next((o.partition("=")[2] for o in options if o.startswith(FOLDER)), ROOT / "book")
    given = [o for o in options if not o.startswith(FOLDER)] + trust(Path(folder), made)
    os.environ.update(environment(made))
    from jupyterlab.labapp import main as start

    sys.exit(start([f"--notebook-dir={folder}", *given]))


if __name__ == "__main__":
    main(sys.argv[1:])
