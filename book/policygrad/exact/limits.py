"""Results that leave the range of floats, whose largest is about 1.8e308, are refused by name.

Beyond it there would be an infinity, and the next operation would make a NaN of it: one route would
give the one, another the other.
"""

from __future__ import annotations

import numpy as np

QUIETLY = np.errstate(over="ignore", invalid="ignore")  # require_finite says it in words

__all__ = ["QUIETLY", "require_finite"]


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
