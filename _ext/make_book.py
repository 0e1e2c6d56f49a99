"""Build the book, or say at the end why it was not built.

    python _ext/make_book.py [folder]

``_build/html`` is there if and only if the last build came to a good end: pages are written to
``_build/unfinished`` and put into place last. A warning counts as an error. The last lines of a
build that failed say which cell or which line did it, and what to do.

``_build/book.finished`` holds two digests: of all that went into the book, and of the site that
came out. Where both are still right there is nothing to do. Otherwise every page is written anew,
since a change on one page may alter numbers and links on any other; only the outputs of notebooks
are taken from the cache.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path

NOT_READ = {"_build", "__pycache__", "benchmarks", "peers", "tests"}
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
INTERRUPTED = 130  # the exit status that shells know
MANY = 20  # warnings that are listed


def main(root: Path) -> int:
    """Build the book in a folder; 0 if the site is in place and right."""
    build = root / "_build"
    site, side, stamp = build / "html", build / "unfinished", build / "book.finished"
    inputs = what_goes_in(root)
    if read(stamp) == {"inputs": inputs, "site": digest(site)}:
        print("Nothing has changed since the book was built.")
        return finished(site)
    stamp.unlink(missing_ok=True)
    for folder in (site, side):
        if folder.exists():
            shutil.rmtree(folder)
    build.mkdir(exist_ok=True)

    result, said = sphinx(root, side)
    if problem := trouble(result, said, root):
        print("\n".join(["", *problem]), file=sys.stderr)
        return INTERRUPTED if isinstance(result, KeyboardInterrupt) else 1
    os.replace(side / "html", site)
    shutil.rmtree(side)
    stamp.write_text(json.dumps({"inputs": inputs, "site": digest(site)}), encoding="utf-8")
    return finished(site)


def finished(site: Path) -> int:
    """Say where the book is."""
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    print(f"The book, {size / 1e6:.0f} MB: {site / 'index.html'}")
    return 0


def what_goes_in(root: Path) -> str:
    """Name of everything that a page may show: all files but tests and what is hidden or built."""
    return digest(root, NOT_READ)


def read(stamp: Path):
    """What a finished build has left; None if there is none that can be read."""
    try:
        return json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def digest(folder: Path, but: set[str] = frozenset()) -> str:
    """Name of this Python and a folder's files; given ``but``, without those, nor hidden ones."""

    def counts(name: str) -> bool:
        return not but or (name not in but and not name.startswith("."))

    sha = hashlib.sha256(sys.version.encode())
    for place, folders, files in os.walk(folder):
        inside = [name for name in folders if counts(name)]
        folders[:] = sorted(n for n in inside if not Path(place, n, "pyvenv.cfg").exists())
        for path in (Path(place, name) for name in sorted(filter(counts, files))):
            if not path.is_file():
                continue
            content = path.read_bytes()
            sha.update(f"\n{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
            sha.update(content)
    return sha.hexdigest()


def sphinx(root: Path, side: Path):
    """Let Jupyter Book write the site; give its result (0, 1 or an exception) and its warnings."""
    # Trees of pages are large and stay: Python would go through them again and again for garbage.
    gc.set_threshold(200_000, 20, 100)
    # jsonschema would build 38 grammars of addresses when it is imported, and use none of them.
    sys.modules.setdefault("rfc3987_syntax", None)
    from jupyter_book.sphinx import build_sphinx

    toc = (root / "_toc.yml").as_posix()
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            result = build_sphinx(
                root,
                side / "html",
                noconfig=True,
                path_config=root / "_config.yml",
                confoverrides={
                    "external_toc_path": toc,
                    "latex_individualpages": False,
                    "nitpicky": True,
                },
                warningiserror=True,
                keep_going=True,
                quiet=True,
            )
    except KeyboardInterrupt as interruption:
        result = interruption
    return result, COLOURS.sub("", said.getvalue())


# --- the end of a build that failed ---------------------------------------------------------------


def trouble(result, said: str, root: Path) -> list[str]:
    """Say what went wrong, the most useful words last; an empty list where nothing did."""
    if isinstance(result, KeyboardInterrupt):
        return [
            "The book was not built: the build was interrupted.",
            "Chapters that had been run are kept; `make book` goes on from there.",
        ]
    if failures := getattr(result, "failures", None):
        return failed_cells(failures)
    found = [line.replace(f"{root}/", "") for line in said.splitlines() if line.strip()]
    if isinstance(result, Exception):
        return [*found, f"The book was not built: {type(result).__name__}: {result}"]
    if result or found:
        return warnings_of(found)
    return []


def failed_cells(failures) -> list[str]:
    """Name the cells, their errors at full length first."""
    lines = [line for f in failures for line in [f"{f.page}, cell {f.cell}", f.trace.rstrip(), ""]]
    many = "a cell" if len(failures) == 1 else f"{len(failures)} cells"
    lines += [f"The book was not built: {many} failed."]
    lines += [f"  {f.page}.ipynb, cell [{f.cell}]: {first_line(f.error)}" for f in failures]
    return [
        *lines,
        "The whole error stands above. `make lab` opens the chapters: run the cells, mend this one",
        "or what it uses, save, and `make book` again.",
    ]


def first_line(text: str) -> str:
    """The first line of a text that is not blank."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def warnings_of(found: list[str]) -> list[str]:
    """List the warnings, each of which counts as an error."""
    shown = found[:MANY]
    more = [f"  … and {len(found) - MANY} more lines"] if len(found) > MANY else []
    return [
        "The book was not built: each of these warnings counts as an error.",
        *(f"  {line}" for line in shown),
        *more,
        "Mend the lines that they name, and `make book` again. The pages as far as they were",
        "written: _build/unfinished/html",
    ]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
