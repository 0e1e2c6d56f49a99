"""A traceback that ends at the reader's line, and not inside the package.

What a check has to say is in its message; the frames below the line that called it show code that
is not on trial.  IPython asks an exception for its traceback, and plain Python its ``excepthook``,
which is wrapped for these exceptions alone.  The traceback itself stays whole, for a debugger.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

__all__ = ["Short", "trimmed"]

PACKAGE = str(Path(__file__).resolve().parent)


class Short:
    """An exception that is shown without the frames of these checks."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it."""
        shell = sys.modules["IPython"].get_ipython()
        return shell.InteractiveTB.structured_traceback(
            type(self), self, trimmed(self.__traceback__), tb_offset=shell.InteractiveTB.tb_offset
        )


def trimmed(traceback: TracebackType | None) -> TracebackType | None:
    """Leave out the frames of the checks at the end; all of it if there is no other."""
    frames = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    kept = len(frames)
    while kept and _inside(frames[kept - 1]):
        kept -= 1
    shorter = None
    for one in reversed(frames[: kept or len(frames)]):
        shorter = TracebackType(shorter, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return shorter


def _inside(traceback: TracebackType) -> bool:
    """Is it a frame of the checks, or of what hands a block to ``refuted``?"""
    frame = traceback.tb_frame
    name = frame.f_code.co_filename
    return name.startswith(PACKAGE) or frame.f_globals.get("__name__") == "contextlib"


def _show(kind, error, traceback, before=sys.excepthook) -> None:
    """Show an exception as before; those of the checks without their frames."""
    if isinstance(error, Short):
        traceback = trimmed(traceback)
        error = error.with_traceback(traceback)
    before(kind, error, traceback)


sys.excepthook = _show
