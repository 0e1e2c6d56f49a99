"""``close``: two independent computations agree, up to a tolerance.

All numbers are divided by one power of two before they are compared, which changes none of their
digits, so that no difference overflows and no tolerance is lost below the smallest float.

**Next to 0.**  Where both sides are small differences of larger terms, what is left of them may be
rounding, which no tolerance relative to the reference allows.  ``scale`` says how large the terms
are, and the tolerance is then relative to them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .inputs import real_array, require_label, require_number, require_scale, require_where
from .verdict import Check, failed, passed
from .words import digits, multiple, relative, short, times

__all__ = ["close"]

CERTAIN = 1e-10  # relative to the largest entry: smaller deviations may be rounding, to a digit
SMALL = 1e-9  # what is below it may be the difference of two terms of size one, and only rounding
UNLIKE = 0.1  # relative: numbers of which only rounding is left differ by more
NEXT_TO_0 = 1e-6  # relative to the scale: references below it are next to 0


def close(
    label: str,
    value,
    reference,
    *,
    rtol: float = 1e-10,
    atol: float = 0.0,
    scale=None,
    where: str = "",
) -> None:
    """Check that two independent computations agree.

    max |value - reference| <= rtol max(|reference|, scale) + atol

    with the largest entries of both.  How far off a failure is, is said relative to the largest
    entry of the reference (or to the scale, where that is larger), be it of many.

    Parameters
    ----------
    label : the equation's label.
    value, reference : numbers or arrays of one shape; shapes are not stretched to fit.
    rtol, atol : relative and absolute tolerance.  A reference of zeros needs an atol, or a scale.
    scale : the size of the terms of which the two sides are differences, where these are next to 0:
        a positive number, or an array of the terms' sizes, of which the largest counts.
    where : the case that it is tried on, for the verdict.

    Raises
    ------
    CheckFailed
        showing both sides where they differ most.
    ValueError, TypeError
        if the shapes differ, the arrays are empty, masked or hold no real numbers, the reference is
        not finite, the scale is not above 0, or no tolerance is left for a reference of zeros.
    """
    require_label(label)
    require_where(label, where)
    value, reference = _two_sides(label, value, reference)
    scale = float(np.max(require_scale(label, scale), initial=0.0))
    rtol, atol = _tolerances(label, rtol, atol, reference, scale)
    found = _compared(value, reference, rtol, atol, scale)
    figures = {"entries": reference.size, "rtol": rtol, "atol": atol, "counted": found.counted}
    figures |= {"scale": digits(scale)} if scale else {}
    if not found.gap <= found.allowed:
        failed(
            Check(label, "close", False, {**figures, **found.deviation}, where=where),
            found.words,
            _message(found, value, reference, rtol, atol, scale),
        )
    agree = f"agree to {short(rtol)}"
    if found.counted == "atol":
        agree = f"agree to within {short(atol)}"
    elif found.counted == "scale":
        agree = f"agree to {short(rtol)} of the scale {digits(scale, 2):g}"
        if found.next_to_0:
            agree = f"agree, {_of_the_scale(found, rtol, scale)}"
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


def _message(found: _Compared, value, reference, rtol, atol, scale) -> str:
    """Say how far off it is, where, by which numbers, and how much was allowed."""
    at = f" at entry {list(found.worst)}" if found.worst else ""
    off = found.words if found.single else f"{found.words}{at}"
    if found.whole and at:
        off = f"{found.whole}, most{at}"
    if found.tiny and not scale:
        off = f"both sides are next to 0 ({off})"
    sides = f"value {float(value[found.worst])}, reference {float(reference[found.worst])}"
    if found.counted == "scale":
        also = f", and atol = {short(atol)}" if atol else ""
        return f"{off}: {sides}; {_of_the_scale(found, rtol, scale)}{also}"
    tolerances = f"rtol = {short(rtol)}, atol = {short(atol)}"
    hint = (
        "; where each is a difference of larger terms, that may be rounding: "
        "scale= says how large the terms are"
    )
    return f"{off}: {sides}, allowed {found.tolerance} ({tolerances})" + (
        hint if found.tiny and not scale else ""
    )


def _of_the_scale(found: _Compared, rtol: float, scale: float) -> str:
    where = "next to 0: " if found.next_to_0 else ""
    return f"{where}allowed {short(rtol)} of the scale {digits(scale, 2):g}"


def _tolerances(label: str, rtol, atol, reference: np.ndarray, scale) -> tuple[float, float]:
    rtol, atol = require_number(label, "rtol", rtol), require_number(label, "atol", atol)
    if not (0 <= rtol < 1 and 0 <= atol < math.inf and rtol + atol > 0):
        raise ValueError(f"{label}: tolerances must be 0 <= rtol < 1, atol >= 0, not both 0")
    if atol == 0 and not reference.any() and not (scale and rtol):
        raise ValueError(
            f"{label}: the reference is all zeros; say how small is small with atol, or with scale "
            "how large the terms are of which it is a difference"
        )
    return rtol, atol


@dataclass(frozen=True)
class _Compared:
    """The largest difference, where it is and what was allowed, in units of a power of two.

    Attributes
    ----------
    worst : the entry of the largest difference.
    gap, allowed : that difference, and the tolerance.
    counted : the part of the tolerance that was the larger: "rtol", "atol" or "scale".
    largest, scale, size : the largest reference; the same, or the scale where that is larger; the
        largest of both sides.
    whole : what is wrong with all of the value, if it is another multiple of the reference than 1.
    single : else, what is wrong with the worst entry, if it has the wrong sign and is no small one.
    exponent : of the power of two.
    """

    worst: tuple[int, ...]
    gap: float
    allowed: float
    counted: str
    largest: float
    scale: float
    size: float
    whole: str
    single: str
    exponent: int

    @property
    def words(self) -> str:
        """The difference: as a multiple, or relative to the largest reference if that is not 0."""
        if self.whole or self.single:
            return self.whole or f"{self.single} at entry {list(self.worst)}"
        return f"off by {self._sized(self.gap, self.allowed)}"

    @property
    def tolerance(self) -> str:
        """What was allowed, in the same words."""
        return self._sized(self.allowed)

    @property
    def next_to_0(self) -> bool:
        """Is the reference small beside the scale?"""
        return self.largest < NEXT_TO_0 * self.scale

    @property
    def tiny(self) -> bool:
        """May both sides be what rounding has left of terms of size one?"""
        with np.errstate(over="ignore"):
            size = np.ldexp(self.size, self.exponent)
        return bool(size < SMALL) and self.gap > UNLIKE * self.size

    @property
    def deviation(self) -> dict:
        """The figures of a failure; None where rounding might reach them, or they are infinite."""
        with np.errstate(over="ignore"):
            difference = np.ldexp(self.gap, self.exponent)
        ratio = self.gap / self.scale if self.scale else math.inf
        if not ratio >= CERTAIN:
            return {"difference": None, "relative": None}
        return {"difference": digits(difference), "relative": digits(ratio)}

    def _sized(self, size: float, beyond: float = 0.0) -> str:
        if self.scale:
            of = "the scale" if self.counted == "scale" else "the largest reference"
            text = relative(size, self.scale, beyond=beyond, of=of)
            return text + " of the scale" * (self.counted == "scale" and text.endswith("%"))
        with np.errstate(over="ignore"):
            plain, least = (float(np.ldexp(x, self.exponent)) for x in (size, beyond))
        return relative(plain, 0.0, beyond=least)


def _compared(value: np.ndarray, reference: np.ndarray, rtol, atol, scale) -> _Compared:
    finite = np.where(np.isfinite(value), value, 0.0)
    largest = max(np.abs(finite).max(), np.abs(reference).max(), atol, scale)
    exponent = int(np.frexp(largest)[1])
    value, reference = np.ldexp(value, -exponent), np.ldexp(reference, -exponent)
    atol, scale = (float(np.ldexp(x, -exponent)) for x in (atol, scale))
    largest = float(np.abs(reference).max())
    scale = max(largest, scale)

    gap = np.abs(value - reference)
    gap = np.where(np.isnan(gap), np.inf, gap)
    worst = tuple(int(i) for i in np.unravel_index(gap.argmax(), gap.shape))
    counted = "scale" if scale > largest else "rtol"
    counted = counted if rtol * scale >= atol else "atol"
    allowed = rtol * scale + atol

    whole = times(multiple(value, reference))
    there = reference[worst]
    single = times(multiple(value[worst], there)) if abs(there) > largest / 2 else ""
    single = "" if whole or "sign" not in single else single
    size = max(float(np.ldexp(np.abs(finite).max(), -exponent)), largest)
    return _Compared(
        worst, float(gap[worst]), allowed, counted, largest, scale, size, whole, single, exponent
    )
