"""``close``: two independent computations agree, up to a tolerance.

All numbers are divided by one power of two before they are compared, which changes none of their
digits, so that no difference overflows and no tolerance is lost below the smallest float.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .inputs import real_array, require_label, require_number, require_where
from .verdict import Check, failed, passed
from .words import digits, relative, short

__all__ = ["close"]

CERTAIN = 1e-10  # relative to the largest entry: smaller deviations may be rounding, to a digit


def close(
    label: str, value, reference, *, rtol: float = 1e-10, atol: float = 0.0, where: str = ""
) -> None:
    """Check that two independent computations agree.

    max |value - reference| <= rtol max |reference| + atol

    Parameters
    ----------
    label : the equation's label.
    value, reference : numbers or arrays of one shape; shapes are not stretched to fit.
    rtol, atol : relative and absolute tolerance.  A reference of zeros needs an atol.
    where : the case that it is tried on, for the verdict.

    Raises
    ------
    CheckFailed
        showing both sides where they differ most.
    ValueError, TypeError
        if the shapes differ, the arrays are empty, masked or hold no real numbers, the reference is
        not finite, or no tolerance is left for a reference of zeros.
    """
    require_label(label)
    require_where(label, where)
    value, reference = _two_sides(label, value, reference)
    rtol, atol = _tolerances(label, rtol, atol, reference)
    found = _compared(value, reference, rtol, atol)
    figures = {"entries": reference.size, "rtol": rtol, "atol": atol, "counted": found.counted}
    if not found.gap <= found.allowed:
        at = f" at entry {list(found.worst)}" if found.worst else ""
        off = f"off by {found.words}"
        failed(
            Check(label, "close", False, {**figures, **found.deviation}, where=where),
            off,
            f"{off}{at}: value {float(value[found.worst])}, "
            f"reference {float(reference[found.worst])}, "
            f"allowed rtol = {short(rtol)}, atol = {short(atol)}",
        )
    agree = f"agree to {short(rtol)}"
    if found.counted == "atol":
        agree = f"agree to within {short(atol)}"
    count = f"{reference.size:,} numbers, " if reference.size > 1 else ""
    passed(Check(label, "close", True, figures, where=where), f"{count}two computations {agree}")


def _two_sides(label: str, value, reference) -> tuple[np.ndarray, np.ndarray]:
    value = real_array(label, "value", value)
    reference = real_array(label, "reference", reference)
    if value.shape != reference.shape:
        raise ValueError(f"{label}: value has shape {value.shape}, reference {reference.shape}")
    if not reference.size:
        raise ValueError(f"{label}: there is nothing to compare")
    if not np.isfinite(reference).all():
        raise ValueError(f"{label}: the reference holds NaN or infinity")
    return value, reference


def _tolerances(label: str, rtol, atol, reference: np.ndarray) -> tuple[float, float]:
    rtol, atol = require_number(label, "rtol", rtol), require_number(label, "atol", atol)
    if not (0 <= rtol < 1 and 0 <= atol < math.inf and rtol + atol > 0):
        raise ValueError(f"{label}: tolerances must be 0 <= rtol < 1, atol >= 0, not both 0")
    if atol == 0 and not reference.any():
        raise ValueError(f"{label}: the reference is all zeros; say how small is small with atol")
    return rtol, atol


@dataclass(frozen=True)
class _Compared:
    """The largest difference, where it is and what was allowed, in units of a power of two."""

    worst: tuple[int, ...]
    gap: float
    allowed: float
    counted: str  # the tolerance that was the larger: "rtol" or "atol"
    scale: float  # the largest reference
    exponent: int

    @property
    def words(self) -> str:
        """The difference, relative to the largest reference if that is not 0."""
        with np.errstate(over="ignore"):
            plain = self.gap if self.scale else np.ldexp(self.gap, self.exponent)
            return relative(float(plain), self.scale)

    @property
    def deviation(self) -> dict:
        """The figures of a failure; None where rounding might reach them, or they are infinite."""
        with np.errstate(over="ignore"):
            difference = np.ldexp(self.gap, self.exponent)
        ratio = self.gap / self.scale if self.scale else math.inf
        if not ratio >= CERTAIN:
            return {"difference": None, "relative": None}
        return {"difference": digits(difference), "relative": digits(ratio)}


def _compared(value: np.ndarray, reference: np.ndarray, rtol: float, atol: float) -> _Compared:
    finite = np.where(np.isfinite(value), value, 0.0)
    largest = max(np.abs(finite).max(), np.abs(reference).max(), atol)
    exponent = int(np.frexp(largest)[1])
    value, reference = np.ldexp(value, -exponent), np.ldexp(reference, -exponent)
    atol = float(np.ldexp(atol, -exponent))
    scale = np.abs(reference).max()

    gap = np.abs(value - reference)
    gap = np.where(np.isnan(gap), np.inf, gap)
    worst = tuple(int(i) for i in np.unravel_index(gap.argmax(), gap.shape))
    counted = "rtol" if rtol * scale >= atol else "atol"
    allowed = rtol * scale + atol
    return _Compared(worst, float(gap[worst]), allowed, counted, float(scale), exponent)
