"""Numbers in words and in records: rounded so that every machine writes the same.

Machines differ in the last digits of a float.  A number is therefore first rounded to nine digits
and then to what is shown, so that 0.125 and 0.125 - 1e-16 are both 0.12.

**How far a thing is off** is said in the words that help most: where it is a multiple of what it
should be, by the multiple (opposite sign, 42 times too large), else by the size of the difference,
relative to the size that it should have.  Who calls says which size that is: the largest entry, or
the length.
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Context

import numpy as np

__all__ = [
    "above",
    "digits",
    "index",
    "multiple",
    "relative",
    "round_down",
    "round_up",
    "settled",
    "short",
    "times",
]

MANY = 10  # from here on a ratio is told as so many times, and not as a percentage
NOTHING = 0.01  # a multiple below it is as good as 0: its sign says nothing


def settled(x: float) -> float:
    """Drop the last digits, on which machines may differ, so that a half rounds alike on all."""
    return float(f"{float(x):.9g}")


def digits(x, count: int = 3) -> float | None:
    """Keep what is certain: the same figure on every machine.  JSON has no infinity: None."""
    return float(f"{settled(x):.{count}g}") if math.isfinite(x) else None


def short(x: float) -> str:
    """A tolerance or a rate, as one would type it."""
    return f"{x:g}".replace("e-0", "e-")


def relative(
    size: float, norm: float, *, up: bool = False, beyond: float = 0.0, of: str = "its size"
) -> str:
    """A size relative to a norm, or as it is where that is 0.

    Parameters
    ----------
    up : whether it is rounded up.
    beyond : what it exceeds, as it is and not relative: it gets the digits that show so.
    of : what the norm is, for a size that is many times as large.
    """
    exact = size / norm if norm else size
    least = beyond / norm if norm else beyond
    x = settled(exact)
    if up and math.isfinite(x):
        x = float(Context(prec=2, rounding=ROUND_CEILING).create_decimal(repr(x)))
    for count in range(2, 18):
        text = _percent(x, count, of) if norm else f"{x:.{count}g}"
        if not exact > least or float(f"{x:.{count}g}") > least or not math.isfinite(x):
            break
        x = exact if count > 8 else x
    return text


def _percent(x: float, count: int, of: str) -> str:
    if not math.isfinite(x):
        return "an infinite amount"
    if x >= MANY:
        return f"{x:.{count}g} times {of}"
    if count == 2 and x >= 0.1:
        return f"{x:.0%}"
    return f"{100 * x:.{count}g}%"


def above(x: float, limit: float) -> tuple[str, str]:
    """A number and the limit that it exceeds, with the decimals that show so."""
    for decimals in range(1, 15):
        texts = f"{x:.{decimals}f}", f"{limit:.{decimals}f}"
        if texts[0] != texts[1]:
            break
    return texts


def multiple(value, reference, slack: float = 0.005) -> float | None:
    """Which multiple of the reference the value is, up to a relative slack; None if of none."""
    value, reference = np.ravel(value), np.ravel(reference)
    with np.errstate(all="ignore"):  # what is too large or too small for it has no multiple
        factor = float((value @ reference) / (reference @ reference))
        rest = np.abs(value - factor * reference).max()
        if not rest <= slack * abs(factor) * np.abs(reference).max() < math.inf:
            return None
    return settled(factor)


def times(factor: float | None, slack: float = 0.005) -> str:
    """Say what is wrong with a thing that is so many times what it should be.

    Empty where a percentage says it better.
    """
    if factor is None or abs(factor) < NOTHING:
        return ""
    large = f"{abs(factor):.2g} times too large"
    if factor > 0:
        return large if factor >= MANY else ""
    if abs(factor + 1) <= slack:
        return "opposite sign"
    return "opposite sign, " + (
        large if -factor >= MANY else f"and {-factor:.2g} times the right size"
    )


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
