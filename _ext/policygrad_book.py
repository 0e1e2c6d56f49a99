"""What this book asks of Sphinx beyond its extensions.

An honest cache
    jupyter-cache knows a notebook by the text of its cells. The outputs also depend on the
    package that the cells import, on the locked requirements and on Python. A digest of
    those names the cache folder, and is a setting of the environment, so that pages are
    read again, too, once it changes.

Chapters run first
    Before a page is read, every notebook whose outputs the cache has not is run, several at
    a time (``execution.py``). MyST-NB then finds them all in the cache. `make test` leaves there
    those that it has run and compared (``outputs.py``).

Every character
    What a cell has printed is shown as it is, blank lines at its beginning and end included.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from myst_nb.core.lexers import AnsiColorLexer

import execution
import outputs


class Printed(AnsiColorLexer):
    """The lexer of MyST-NB for what is printed, which keeps blank lines."""

    def __init__(self, **options):
        super().__init__(**options | {"stripnl": False})


def configure(app, config):
    """Point Sphinx to the cache of this state of the package."""
    folder = outputs.folder(Path(app.srcdir))
    config.policygrad_digest = folder.name
    config.nb_execution_cache_path = str(folder)


def forget_others(app):
    """Remove the caches of other states of the package."""
    cache = Path(app.config.nb_execution_cache_path)
    cache.parent.mkdir(parents=True, exist_ok=True)
    for entry in cache.parent.iterdir():
        if entry.name != cache.name:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def run_notebooks(app, env, docnames):
    """Run what the cache has not: also for pages that stay as they are, since others read them."""
    folder = Path(app.config.nb_execution_cache_path)
    execution.heal(folder)
    paths = {name: Path(env.doc2path(name)) for name in sorted(env.found_docs)}
    notebooks = {name: path for name, path in paths.items() if path.suffix == ".ipynb"}
    with execution.opened(folder) as cache:
        execution.run_missing(cache, notebooks, app.config.nb_execution_timeout)
    print(f"Writing the pages: {len(paths)} in all.", flush=True)


def setup(app):
    app.add_config_value("policygrad_digest", "", "env")
    # Jupyter Book sets this for sphinx_comments, an extension that the book leaves out.
    app.add_config_value("comments_config", {}, "env")
    app.add_lexer("myst-ansi", Printed)
    app.connect("config-inited", configure)
    app.connect("builder-inited", forget_others)
    app.connect("env-before-read-docs", run_notebooks)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
