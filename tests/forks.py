"""Copies of this process that try something out and report: cheap, and nothing they do stays.

A forked process shares all memory with its parent until it writes to it, so a chapter that has run
up to some cell can be gone on with in a hundred ways, each from exactly there.  POSIX only.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe

AVAILABLE = hasattr(os, "fork")
MEMORY = 12 << 30  # bytes of address space; an alteration must not fill the machine
MODULES = ("policygrad",)  # imported anew in a child of `in_child`


class Died(Exception):
    """A child gave no answer: out of time, out of memory, or worse."""


def in_child(function: Callable, *args, seconds: float = 600.0):
    """Call a function in a child in which ``policygrad`` was never imported; give its result.

    Raises
    ------
    Died
        if the child used more processor time than ``seconds`` or was killed otherwise.
    RuntimeError
        with the child's traceback, if the function raised.
    """
    here, there = Pipe()
    pid = _fork()
    if pid == 0:
        _be_child(here, there, function, args, seconds)
    there.close()
    try:
        done, result = here.recv()
    except EOFError:
        raise Died(f"{function.__name__}: no answer") from None
    finally:
        here.close()
        os.waitpid(pid, 0)
    if not done:
        raise RuntimeError(result)
    return result


def _be_child(here, there, function, args, seconds) -> None:
    try:
        here.close()
        limit(seconds)
        forget()
        there.send((True, function(*args)))
    except BaseException:
        there.send((False, traceback.format_exc()))
    finally:
        os._exit(0)


def forget() -> None:
    """Let ``policygrad`` be imported anew in this process."""
    for name in [n for n in sys.modules if n.split(".")[0] in MODULES]:
        del sys.modules[name]


def limit(seconds: float) -> None:
    """Let this process be killed once it has used so much processor time from now on."""
    import resource  # which Windows lacks

    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard == resource.RLIM_INFINITY or hard > MEMORY:
        with suppress(OSError, ValueError):  # macOS sets no such limit
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))


class Snapshot:
    """This process as it is now, kept to answer questions: each in a copy of its own."""

    def __init__(self, answer: Callable, ready: Callable = lambda serve: serve()):
        """Keep this process, or what ``ready`` makes of it.

        Parameters
        ----------
        answer : a function of a question, called in the copies.
        ready : called once in what is kept, with a function of nothing to call in the end.
        """
        self._here, there = Pipe()
        self._pid = _fork()
        if self._pid == 0:
            self._here.close()
            try:
                ready(lambda: _serve(there, answer))
            finally:
                os._exit(1)
        there.close()

    def ask(self, question, seconds: float):
        """Give the answer, or None if that took more processor time or the copy died."""
        self._here.send((question, seconds))
        return self._here.recv()

    def close(self) -> None:
        """Forget it."""
        self._here.close()
        os.waitpid(self._pid, 0)


def _serve(there, answer) -> None:
    try:
        while True:
            question, seconds = there.recv()
            pid = _fork()
            if pid == 0:
                limit(seconds)
                there.send(answer(question))
                os._exit(0)
            if os.waitpid(pid, 0)[1] != 0:
                there.send(None)
    except EOFError:
        os._exit(0)
    finally:
        os._exit(1)


def _fork() -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # threads of a test runner; a child has only this one
        pid = os.fork()
    if pid == 0:
        sys.settrace(None)  # a child's coverage is nobody's
        gc.freeze()
        gc.set_threshold(50_000)  # it does not live long: to look for rings often takes longer
    return pid
