"""Open the chapters in JupyterLab with the settings of this book: `make lab`.

    python _ext/lab.py [options of JupyterLab]

Settings lie in ``lab/``: they keep JupyterLab from asking the network for news and releases, and its
kernel from telling more of itself than a chapter stores. ``saving.py`` keeps a save from changing
what was only read. ``cross_references.py`` makes the references to other chapters lead there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cross_references

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def environment(made: Path) -> dict[str, str]:
    """Where JupyterLab looks for settings, kernels and extensions before it looks elsewhere."""
    return {
        "JUPYTER_CONFIG_PATH": str(HERE / "lab"),
        "JUPYTER_PATH": os.pathsep.join([str(HERE / "lab"), str(made)]),
    }


def main(options: list[str]) -> None:
    """Become JupyterLab."""
    made = ROOT / "_build" / "lab"
    cross_references.write(ROOT, made)
    os.environ.update(environment(made))
    from jupyterlab.labapp import main as start

    elsewhere = any(o.startswith(("--notebook-dir", "--ServerApp.root_dir")) for o in options)
    sys.exit(start(options if elsewhere else [f"--notebook-dir={ROOT / 'book'}", *options]))


if __name__ == "__main__":
    main(sys.argv[1:])
