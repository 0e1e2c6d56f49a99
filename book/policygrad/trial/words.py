"""The numbers and lines of a report, the same on every machine.

Machines differ in the last digits of a float.  So a number is first rounded to seven digits, then
to what is shown.  What is exact to seven digits stands without decimals: 1, 0°.
"""

from __future__ import annotations

import math
import textwrap

WIDE = 78
TIED = "\u2007=\u2007"

__all__ = [
    "WIDE",
    "counted",
    "degrees",
    "digits",
    "folded",
    "number",
    "percent",
    "settled",
    "sum_in_words",
]


def settled(x: float) -> float:
    """Drop the digits on which machines may differ."""
    return float(f"{float(x):.7g}")


def number(x: float) -> str:
    """A number, to three decimals or digits."""
    if not math.isfinite(x):
        return "undefined"
    x = settled(x)
    if x == round(x) and abs(x) < 1000:
        return f"{x:.0f}"
    return f"{x:.3f}" if 0.1 <= abs(x) < 10 else f"{x:.3g}"


def degrees(x: float) -> str:
    """An angle."""
    if not math.isfinite(x):
        return "undefined"
    x = settled(x)
    if abs(x - round(x)) < 1e-5:
        return f"{round(x):.0f}°"
    return f"{x:.1f}°" if x >= 0.05 else f"{x:.2g}°"


def percent(x: float, sign: str = "") -> str:
    """A share of 1, to two digits; ``sign`` "+" writes that of a gain, too."""
    x = 100 * settled(x)
    return f"{x:{sign}.2g}%" if abs(x) < 99.5 else f"{x:{sign}.0f}%"


def digits(rest: float) -> int:
    """To how many digits do two agree, of which this is left, relative to one of them?"""
    return math.floor(-math.log10(settled(rest)) + 1e-9)


def counted(many: int, what: str) -> str:
    """So many things: "1 start", "2 starts", "3 policies"."""
    if many == 1:
        return f"1 {what}"
    return f"{many:,} {what[:-1] + 'ies' if what.endswith('y') else what + 's'}"


def sum_in_words(coefficients, names) -> str:
    """A sum, as "J - 0.1 KL(P||P_ref)"."""
    out = ""
    for c, name in zip(coefficients, names, strict=True):
        size = settled(abs(c))
        sign = ("-" if c < 0 else "") if not out else (" - " if c < 0 else " + ")
        out += sign + ("" if size == 1 else f"{size:.3g} ") + name
    return out


def folded(parts: list[str], indent: str = "  ") -> str:
    """Join parts by a dot, and fold the line where it would be wider than 78."""
    text = textwrap.fill(
        " · ".join(parts).replace(" = ", TIED),  # "G = 4" stays on one line
        WIDE,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return text.replace(TIED, " = ")
