"""How much memory a computation may take; more is refused before any of it is asked for.

Half of the machine's memory is allowed, or half of what a container may use if that is less: the
other half is for what is made of the result.
"""

from __future__ import annotations

import functools
import os
from contextlib import suppress
from pathlib import Path

FLOAT = 8  # bytes
UNKNOWN = 16 * 10**9  # bytes, where the system does not tell
OF_THE_CONTAINER = Path("/sys/fs/cgroup/memory.max")  # a number, or the word "max"

__all__ = ["FLOAT", "TooLarge", "memory_allowed", "require_memory"]


class TooLarge(ValueError):
    """What was asked for does not fit into this machine's memory."""


def memory_allowed() -> float:
    """Give the most bytes that one computation may take: half of what there is."""
    return _memory() / 2


@functools.cache
def _memory() -> int:
    known = []
    with suppress(AttributeError, OSError, ValueError):  # no such system call, or no answer
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError):
        known.append(int(OF_THE_CONTAINER.read_text()))
    return min(known, default=UNKNOWN)


def require_memory(what: str, size: float, instead: str = "") -> None:
    """Refuse, before it begins, what would not fit into memory.

    Parameters
    ----------
    what : is to be computed, naming the argument: "m = 1,000 trajectories".
    size : in bytes, about.
    instead : what would fit, if anything.

    Raises
    ------
    TooLarge
        saying how much memory it would take, how much may be taken, and what fits.
    """
    allowed = memory_allowed()
    if size > allowed:
        raise TooLarge(
            f"{what} would take about {_in_words(size)} of memory, more than half of this "
            f"machine's ({_in_words(allowed)})" + (f"; {instead}" if instead else "")
        )


def _in_words(size: float) -> str:
    units = ("bytes", "kB", "MB", "GB", "TB", "PB")
    power = min((len(str(int(size))) - 1) // 3, len(units) - 1)
    return f"{size / 1000**power:,.1f} {units[power]}"
