"""Numbers in words and in records: rounded so that every machine writes the same.

Machines differ in the last digits of a float.  A number is therefore first rounded to nine digits
and then to what is shown, so that 0.125 and 0.125 - 1e-16 are both 0.12.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Context

import numpy as np

__all__ = ["digits", "index", "relative", "round_down", "round_up", "settled", "short"]


def settled(x: float) -> float:
    """Drop the last digits, on which machines may differ, so that a half rounds alike on all."""
    return float(f"{float(x):.9g}")


def digits(x, count: int = 3) -> float | None:
    """Keep what is certain: the same figure on every machine.  JSON has no infinity: None."""
    return float(f"{settled(x):.{count}g}") if math.isfinite(x) else None


def short(x: float) -> str:
    """A tolerance or a rate, as one would type it."""
    return f"{x:g}".replace("e-0", "e-")


def relative(size: float, norm: float, *, up: bool = False) -> str:
    """A size relative to a norm, or as it is where that is 0; rounded up if asked."""
    x = settled(size / norm if norm else size)
    if up and math.isfinite(x):
        x = float(Context(prec=2, rounding=ROUND_CEILING).create_decimal(repr(x)))
    return _percent(x) if norm else f"{x:.2g}"


def _percent(x: float) -> str:
    if not math.isfinite(x):
        return "an infinite amount"
    if x >= 10:
        return f"{x:.2g} times its size"
    return f"{x:.0%}" if x >= 0.1 else f"{100 * x:.2g}%"


def round_up(n: int) -> str:
    """A count, rounded up to one digit."""
    digit = 10 ** (len(str(n)) - 1)
    return f"{-(-n // digit) * digit:,}"


def round_down(z: float) -> str:
    """A number of standard errors, rounded down to two digits."""
    z = settled(z)
    digit = 10 ** max(int(math.floor(math.log10(max(z, 1)))) - 1, 0)
    return f"{int(z // digit) * digit:,}"


def index(flat: int, shape: tuple) -> str:
    """The place of an entry, [1, 2], from its number in the flattened array."""
    return str([int(i) for i in np.unravel_index(flat, shape)])
