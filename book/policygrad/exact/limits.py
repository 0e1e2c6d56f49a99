"""What is refused for its size: arrays beyond the memory, numbers beyond the range of floats.

No mathematics happens here.  A float takes 8 bytes; the largest is about 1.8e308.
"""

from __future__ import annotations

import os

import numpy as np

UNKNOWN_MEMORY = 8 * 2**30  # bytes, where the system does not tell

__all__ = ["memory_allowed", "require_finite", "require_memory"]


def memory_allowed() -> float:
    """Give the most bytes that one computation may take: half of this machine's memory."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2
    except (AttributeError, OSError, ValueError):  # no such system call, or no such answer
        return UNKNOWN_MEMORY / 2


def require_memory(what: str, floats: float, instead: str = "") -> None:
    """Refuse, before it begins, what would not fit into memory.

    Parameters
    ----------
    what : is to be computed, for the message.
    floats : how many numbers would be held at a time, about.
    instead : what would fit, if anything.

    Raises
    ------
    ValueError
        saying how much memory it would take, how much there is, and what fits.
    """
    needed, allowed = 8 * floats, memory_allowed()
    if needed > allowed:
        raise ValueError(
            f"{what} would take some {needed / 2**30:.3g} GiB of memory, more than half of this "
            f"machine's ({allowed / 2**30:.3g} GiB)" + (f"; {instead}" if instead else "")
        )


def require_finite(what: str, value):
    """Refuse a result that has left the range of floats, where inf and NaN would follow.

    Raises
    ------
    ValueError
        saying so.
    """
    if not np.isfinite(value).all():
        raise ValueError(
            f"{what} leaves the range of floats, about 1.8e308, or something on the way to it "
            "does; make the rewards smaller"
        )
    return value
