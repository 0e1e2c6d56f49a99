"""What this book asks of Sphinx beyond its extensions.

Formulas offline
    MathJax comes from the package ``sphinx-mathjax-offline``, of which only one file is
    taken: a build with every TeX package and its glyphs inside, so that it never loads
    another file. Sphinx links it on the pages that have formulas.

An honest cache
    jupyter-cache knows a notebook by the text of its cells. The outputs also depend on the
    package that the cells import, on the locked requirements and on Python. A digest of
    those names the cache folder, and is a setting of the environment, so that pages are
    read again, too, once it changes.

No half-written cache
    A marker lies in the cache folder while a build runs. A build that finds one starts
    with an empty cache: the last build was interrupted, perhaps in the middle of a write.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from importlib.metadata import distribution
from pathlib import Path

from sphinx.errors import ExtensionError

MATHJAX = "tex-svg-full.js"
UNFINISHED = "unfinished"


def mathjax_file() -> Path:
    """The single-file MathJax build inside the installed package."""
    files = distribution("sphinx-mathjax-offline").files or []
    for entry in files:
        if entry.name == MATHJAX:
            return Path(entry.locate()).resolve()
    raise ExtensionError(f"sphinx-mathjax-offline has no {MATHJAX}; is its version the locked one?")


def digest(root: Path) -> str:
    """Name of everything outside a notebook that its outputs depend on."""
    sha = hashlib.sha256(sys.version.encode())
    sources = sorted((root / "book" / "policygrad").rglob("*.py"))
    for path in [root / "requirements.txt", *sources]:
        content = path.read_bytes()
        sha.update(f"\n{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        sha.update(content)
    return sha.hexdigest()[:16]


def configure(app, config):
    """Point Sphinx to the local MathJax and to the cache of this state of the package."""
    config.html_static_path.append(str(mathjax_file()))
    config.mathjax_path = MATHJAX

    name = digest(Path(app.srcdir))
    cache = Path(app.outdir).parent / ".jupyter_cache" / name
    config.policygrad_digest = name
    config.nb_execution_cache_path = str(cache)


def open_cache(app):
    """Remove caches of other states of the package, and one that a dead build left behind."""
    cache = Path(app.config.nb_execution_cache_path)
    cache.parent.mkdir(parents=True, exist_ok=True)
    for entry in cache.parent.iterdir():
        if entry.name == cache.name and not (entry / UNFINISHED).exists():
            continue
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    cache.mkdir(exist_ok=True)
    (cache / UNFINISHED).touch()


def close_cache(app, exception):
    """The build came to an end of its own, with or without an error: the cache is whole."""
    (Path(app.config.nb_execution_cache_path) / UNFINISHED).unlink(missing_ok=True)


def setup(app):
    app.add_config_value("policygrad_digest", "", "env")
    # Jupyter Book sets this for sphinx_comments, an extension that the book leaves out.
    app.add_config_value("comments_config", {}, "env")
    app.connect("config-inited", configure)
    app.connect("builder-inited", open_cache)
    app.connect("build-finished", close_cache)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
