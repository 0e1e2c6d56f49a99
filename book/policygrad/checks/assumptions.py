"""``assumes``: what a cell takes for granted, said before its checks.

A reader who changes a world should hear that a formula was made for three steps, and not that it is
wrong.  A cell whose formula, or whose table, holds for one setting only says so first::

    assumes("H = 3", world.horizon == 3)
"""

from __future__ import annotations

import numpy as np

from .inputs import require_label
from .tracebacks import Short

__all__ = ["NotAssumed", "assumes"]


class NotAssumed(Short, ValueError):
    """The cell was made for another setting; nothing is wrong with the equation."""


def assumes(what: str, holds: bool) -> None:
    """Stop a cell that was made for another setting, with a line that names it.

    Parameters
    ----------
    what : the assumption in words, as in "H = 3" or "the two actions are left and right".
    holds : whether it holds here, one truth value.

    Raises
    ------
    NotAssumed
        if it does not hold: "this cell assumes H = 3".
    TypeError
        if ``what`` is not words, or ``holds`` not one truth value.
    """
    require_label(what, "what")
    if not isinstance(holds, (bool, np.bool_)):
        raise TypeError(f"holds must be True or False; it is {holds!r}")
    if not holds:
        raise NotAssumed(
            f"this cell assumes {what}. Something above was changed, and it no longer holds; "
            "the cells below that do not need it still run."
        )
