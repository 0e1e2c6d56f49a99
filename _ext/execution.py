"""Running the chapters, several at a time, and keeping what they put out.

What is kept
    The cache of outputs (jupyter-cache) lies in a folder that is named by a digest of all that
    outputs depend on beside the text of the cells: the labelled equations of all pages, which
    cells execute, the package, the locked requirements, Python.
    Each entry carries a digest of its own file. A cache that cannot be read, or holds an entry
    that is not as it was written, counts as empty.

What is put out
    A kernel may flush in the middle of a line, and then sends one line as two messages. They are
    joined as they are, character by character, when a chapter is run.

What fails
    A cell that raises ends its chapter; the other chapters go on. Then all failures are raised
    together, before a page is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import sqlite3
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.cache.db import DB_NAME
from nbclient.client import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from sphinx.errors import SphinxError
from traitlets.config import Config

import kernels

AT_A_TIME = 4  # more gain little: the longest chapter has to be waited for
DISPLAY = re.compile(r"^\$\$\n.*?^\$\$ \(\S+\)$", re.MULTILINE | re.DOTALL)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Failure:
    """A cell that did not come to its end: the number is the one that Jupyter shows."""

    page: str
    cell: int
    error: str
    trace: str = ""


class ChaptersFailed(SphinxError):
    """Some chapters could not be run to their end."""

    category = "Chapters failed"

    def __init__(self, failures: list[Failure]):
        super().__init__("; ".join(f"{f.page}, cell {f.cell}: {f.error}" for f in failures))
        self.failures = failures


# --- the cache ----------------------------------------------------------------------------------


def digest(root: Path) -> str:
    """Name of everything outside a notebook that its outputs depend on."""
    sha = hashlib.sha256(sys.version.encode())
    sources = sorted((root / "book" / "policygrad").rglob("*.py"))
    for path in [root / "requirements.txt", *sources, Path(__file__)]:
        content = path.read_bytes()
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        sha.update(f"\n{name} {len(content)}\n".encode())
        sha.update(content)
    for path in sorted((root / "book").glob("*.ipynb")):
        prose = "\n".join(
            cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown"
        )
        sha.update("\n".join(DISPLAY.findall(prose)).encode())
    return sha.hexdigest()[:16]


@contextlib.contextmanager
def opened(folder: Path):
    """Give the cache in a folder, for as long as it is needed."""
    cache = get_cache(folder)
    try:
        yield cache
    finally:
        cache.db.dispose()


def heal(folder: Path) -> None:
    """Empty the cache in a folder if it is damaged, and say so in one line."""
    if not folder.exists():
        return
    try:
        with opened(folder) as cache:
            _require_whole(cache)
    except Exception as damage:
        # Whatever is wrong with it: nothing in it can be relied on.
        reason = (str(damage).splitlines() or [type(damage).__name__])[0]
        print(f"The cache of outputs was damaged ({reason}): it is emptied.", flush=True)
        shutil.rmtree(folder)


def _require_whole(cache) -> None:
    """Raise unless the database is sound and each entry is as it was written."""
    with contextlib.closing(sqlite3.connect(cache.path / DB_NAME)) as database:
        ((verdict,), *_) = database.execute("PRAGMA quick_check").fetchall()
    if verdict != "ok":
        raise ValueError(verdict)
    for record in cache.list_cache_records():
        notebook = cache.get_cache_bundle(record.pk).nb
        if record.data.get("digest") != _content(notebook):
            raise ValueError(f"the outputs of {Path(record.uri).name} are not as they were written")


def _content(notebook) -> str:
    text = nbformat.writes(notebook, nbformat.NO_CONVERT)
    return hashlib.sha256(text.encode()).hexdigest()


def is_cached(cache, notebook) -> bool:
    """Are the outputs of these cells known?"""
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def keep(cache, notebook, path: Path, seconds: float) -> None:
    """Put an executed notebook into the cache."""
    code, _ = cache.create_hashed_notebook(notebook)
    data = {"execution_seconds": seconds, "digest": _content(code)}
    cache.cache_notebook_bundle(
        CacheBundleIn(notebook, str(path), data=data), check_validity=False, overwrite=True
    )


def executed(cache, path: Path):
    """Give a notebook with the outputs that the cache has for it."""
    return cache.merge_match_into_notebook(nbformat.read(path, as_version=4))[1]


# --- running ------------------------------------------------------------------------------------


def run_missing(cache, paths: dict[str, Path], timeout: int) -> None:
    """Run the notebooks whose outputs are not in the cache; raise if a cell fails."""
    notebooks = {name: nbformat.read(path, as_version=4) for name, path in paths.items()}
    missing = {name: nb for name, nb in notebooks.items() if not is_cached(cache, nb)}
    if not missing:
        return
    together = min(len(missing), processors(), AT_A_TIME)
    known = f"; the outputs of {n} are known" if (n := len(paths) - len(missing)) else ""
    many = f"{len(missing)} of {len(paths)} notebooks"
    print(f"Running {many}, {together} at a time{known}.", flush=True)
    done, failures = [], []

    async def run(name: str, free: asyncio.Semaphore, clients: Clients) -> None:
        async with free:
            start = time.monotonic()
            client = clients.new(missing[name], paths[name], timeout)
            failure = await execute(client, name)
            seconds = time.monotonic() - start
        if clients.stopped:
            return
        if failure is None:
            keep(cache, missing[name], paths[name], seconds)
            words = f"{seconds:.0f} s"
        else:
            failures.append(failure)
            words = f"failed in cell {failure.cell}"
        done.append(name)
        count = f"{len(done):{len(str(len(missing)))}} of {len(missing)}"
        print(f"  {count}  {name.rpartition('/')[2]}  {words}", flush=True)

    async def run_all(clients: Clients) -> None:
        free = asyncio.Semaphore(together)
        await asyncio.gather(*(run(name, free, clients) for name in missing))

    in_a_thread(run_all)
    if failures:
        raise ChaptersFailed(sorted(failures, key=lambda f: list(paths).index(f.page)))


async def execute(client: NotebookClient, name: str) -> Failure | None:
    """Run the cells of a notebook, in place; say what ended it early, if anything did."""
    trace = ""
    try:
        await client.async_execute()
    except CellExecutionError as error:
        words, trace = f"{error.ename}: {error.evalue}", COLOURS.sub("", error.traceback)
    except CellTimeoutError:
        words = f"it took longer than {client.timeout} s"
    except DeadKernelError:
        words = "the process that ran it died"
    except RuntimeError as error:  # it died before it was ready
        words = str(error)
    else:
        return None
    return Failure(name, client.code_cells_executed, words, trace)


class Clients:
    """The notebooks that are being run, so that they can be stopped."""

    def __init__(self):
        self.stopped = False
        self._all = []

    def new(self, notebook, path: Path, timeout: int) -> NotebookClient:
        """Give what runs a notebook, in its own folder, streams joined as they are."""
        if self.stopped:
            raise asyncio.CancelledError
        client = NotebookClient(
            notebook,
            timeout=timeout,
            resources={"metadata": {"path": str(path.parent)}},
            record_timing=False,
            coalesce_streams=True,
            config=Config(KernelManager=kernels.apart()),
        )
        self._all.append(client)
        return client

    def stop(self) -> None:
        """End all kernels; what waits for them then comes to its end, too."""
        self.stopped = True
        for client in self._all:
            process = getattr(getattr(client.km, "provisioner", None), "process", None)
            if process is not None:
                process.kill()


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_a_thread(work) -> None:
    """Run a coroutine in a thread of its own; an interruption ends it, kernels included.

    In the main thread nbclient would put its own handlers of signals in place.
    """
    clients, errors, ended = Clients(), [], threading.Event()

    def target():
        try:
            asyncio.run(work(clients))
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    threading.Thread(target=target).start()
    try:
        ended.wait()  # not join, after which an interrupted wait takes the thread for dead
    except BaseException:
        while not ended.wait(0.1):  # again and again: a kernel may have been about to start
            clients.stop()
        raise
    if errors:
        raise errors[0]
