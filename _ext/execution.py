"""Running the chapters, several at a time, and keeping what they put out.

What is kept
    The cache of outputs (jupyter-cache) lies in a folder that is named by a digest of all that
    outputs depend on beside the text of the cells: the package, the locked requirements, Python.
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
import hashlib
import os
import re
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from sphinx.errors import SphinxError

AT_A_TIME = 4  # more gain little: the longest chapter has to be waited for
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
    import sys

    sha = hashlib.sha256(sys.version.encode())
    sources = sorted((root / "book" / "policygrad").rglob("*.py"))
    for path in [root / "requirements.txt", *sources, Path(__file__)]:
        content = path.read_bytes()
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        sha.update(f"\n{name} {len(content)}\n".encode())
        sha.update(content)
    return sha.hexdigest()[:16]


def open_cache(folder: Path):
    """Give the cache in a folder; one that is damaged is emptied first, and a line says so."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return _whole(get_cache(folder))
    except Exception as damage:
        # Whatever is wrong with it: nothing in it can be relied on.
        reason = (str(damage).splitlines() or [type(damage).__name__])[0]
        print(f"The cache of outputs was damaged ({reason}): it is emptied.", flush=True)
        shutil.rmtree(folder)
        folder.mkdir()
        return get_cache(folder)


def _whole(cache):
    """Give the cache back if each of its entries is as it was written."""
    for record in cache.list_cache_records():
        notebook = cache.get_cache_bundle(record.pk).nb
        if record.data.get("digest") != _content(notebook):
            raise ValueError(f"the outputs of {Path(record.uri).name} are not as they were written")
    return cache


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
    together = min(len(missing), _processors(), AT_A_TIME)
    known = f", the outputs of {n} others are known" if (n := len(paths) - len(missing)) else ""
    print(f"Running {len(missing)} of {len(paths)} notebooks, {together} at a time{known}.")
    failures = []

    async def run(name: str, free: asyncio.Semaphore) -> None:
        async with free:
            start = time.monotonic()
            failure = await execute(missing[name], paths[name], name, timeout)
            seconds = time.monotonic() - start
        if failure is None:
            keep(cache, missing[name], paths[name], seconds)
            words = f"{seconds:.0f} s"
        else:
            failures.append(failure)
            words = f"failed in cell {failure.cell}"
        done.append(name)
        count = f"{len(done):{len(str(len(missing)))}} of {len(missing)}"
        print(f"  {count}  {name.rpartition('/')[2]}  {words}", flush=True)

    async def run_all() -> None:
        free = asyncio.Semaphore(together)
        await asyncio.gather(*(run(name, free) for name in missing))

    done = []
    _in_a_thread(run_all)
    if failures:
        raise ChaptersFailed(sorted(failures, key=lambda f: list(paths).index(f.page)))


async def execute(notebook, path: Path, name: str, timeout: int) -> Failure | None:
    """Run the cells of a notebook, in place; say what ended it early, if anything did."""
    from nbclient.client import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client = NotebookClient(
        notebook,
        timeout=timeout,
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        coalesce_streams=True,
    )
    try:
        await client.async_execute()
    except CellExecutionError as error:
        words, trace = f"{error.ename}: {error.evalue}", COLOURS.sub("", error.traceback)
    except CellTimeoutError:
        words, trace = f"it took longer than {timeout} s", ""
    except DeadKernelError:
        words, trace = "the process that ran it died", ""
    else:
        return None
    return Failure(name, client.code_cells_executed, words, trace)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _in_a_thread(work) -> None:
    """Run a coroutine in a thread of its own; an interruption ends it, kernels included.

    In the main thread nbclient would put its own handlers of signals in place.
    """
    tasks, errors = [], []

    async def watched():
        tasks.append((asyncio.get_running_loop(), asyncio.current_task()))
        await work()

    def target():
        try:
            asyncio.run(watched())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    try:
        thread.join()
    except BaseException:
        for loop, task in tasks:
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    if errors:
        raise errors[0]
