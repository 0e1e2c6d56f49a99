"""Samples, each component in a unit of its own, so that nothing overflows or falls below floats.

Rows g_i, i = 1 .. m, and the mean g that they should have are divided, component by component, by
the power of two just above the largest number of the component.  That changes no digit, and the
squares and cubes of what is left, at most 1, can be taken.  A row may stand for several samples.

**What is too small to be judged.**  Numbers that were computed miss their true value by a rounding
error in proportion to the largest number that went into them.  A component whose spread is below
``ROUNDING`` times the largest number of all may be such an error, and a component whose spread is
below ``NO_SIZE`` times its own largest number as well is taken to be one: it does not vary.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .inputs import rectangular

__all__ = ["NO_SIZE", "ROUNDING", "Sample", "counted", "mean"]

NO_SIZE = 1e-9  # relative to the largest entry: an exact mean that nothing can be a percentage of
ROUNDING = 1e-13  # relative to the largest entry: a spread that only rounding has made


@dataclass(frozen=True)
class Sample:
    """Rows less their mean, and what they should have had as a mean.

    Attributes
    ----------
    rows : (n, d) less their mean, component c in units of 2**exponent[c].
    counts : (n,) how often each row was drawn; None: once.
    m : number of samples.
    deviation, truth : (d,) the mean less the exact one, and the exact one; in those units.
    size : (d,) the largest number of each component, in those units: from 1/2 to 1, or 0.
    exponent : (d,) of the units.
    """

    rows: np.ndarray
    counts: np.ndarray | None
    m: int
    deviation: np.ndarray
    truth: np.ndarray
    size: np.ndarray
    exponent: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, truth: np.ndarray, counts, m: int) -> Sample:
        """Bring rows (n, d) into these units."""
        size, exponent = np.frexp(np.maximum(_largest(rows), np.abs(truth)))
        unit = np.ldexp(1.0, np.minimum(-exponent, 1022))  # of subnormals, which are refused
        rows, truth = rows * unit, truth * unit  # the one copy
        first = rows[0].copy()
        rows -= first  # so that a component that never changes becomes 0, exactly
        deviation = mean(rows, counts)
        rows -= deviation
        deviation += first - truth
        return cls(rows, counts, m, deviation, truth, size, exponent)

    @cached_property
    def common(self) -> int:
        """The exponent of a unit for all components: that of the largest number."""
        return int(self.exponent[self.size > 0].max(initial=-(2**20)))

    def together(self, vector: np.ndarray) -> np.ndarray:
        """Bring a vector from the units of the components to the common one."""
        return np.ldexp(vector, np.maximum(self.exponent - self.common, -5000))

    @cached_property
    def norm(self) -> float:
        """The size of the exact mean in the common unit; 0 where it is a rounding error."""
        norm = float(np.linalg.norm(self.together(self.truth)))
        return norm if norm > NO_SIZE * self.together(self.size).max() else 0.0

    @cached_property
    def floor_of_all(self) -> np.ndarray:
        """(d,) what rounding of the largest number of all is in each component's unit."""
        largest = self.together(self.size).max()
        with np.errstate(over="ignore"):
            return ROUNDING * np.ldexp(largest, np.minimum(self.common - self.exponent, 5000))

    @cached_property
    def floor(self) -> np.ndarray:
        """(d,) the same, but never more than what is nothing beside the component itself."""
        return np.minimum(self.floor_of_all, NO_SIZE * self.size)

    def apart(self, vector: np.ndarray) -> np.ndarray:
        """Bring a vector, as it was given, to the units of the components."""
        with np.errstate(over="ignore"):
            return np.ldexp(vector, np.where(self.size > 0, -self.exponent, 0))

    def plain(self, vector: np.ndarray, component: int) -> float:
        """A component of a vector as it was given."""
        with np.errstate(over="ignore"):
            return float(np.ldexp(vector[component], self.exponent[component]))


def counted(label: str, rows: np.ndarray, counts):
    """Give the rows that were drawn, how often each, and the number of samples.

    Raises
    ------
    ValueError, TypeError
        naming counts, and the entry that is none.
    """
    if counts is None:
        return rows, None, len(rows)
    counts = rectangular(label, "counts", counts)
    if counts.dtype.kind not in "iu":
        raise TypeError(f"{label}: counts must hold whole numbers; it holds {counts.dtype}")
    if counts.shape != rows.shape[:1]:
        raise ValueError(
            f"{label}: counts must have one entry per row, shape {rows.shape[:1]}; "
            f"it has {counts.shape}"
        )
    if counts.size and counts.min() < 0:
        i = int(counts.argmin())
        raise ValueError(f"{label}: counts[{i}] must not be negative; it is {counts[i]}")
    if not counts.sum(dtype=float) < 2**53:
        raise ValueError(f"{label}: counts must sum to less than 2^53, so that each sample counts")
    drawn = counts > 0
    return rows[drawn], counts[drawn].astype(float), int(counts.sum())


def mean(rows: np.ndarray, counts) -> np.ndarray:
    """The mean of rows, each as often as it was drawn."""
    return rows.mean(axis=0) if counts is None else counts @ rows / counts.sum()


def _largest(rows: np.ndarray) -> np.ndarray:
    """The largest absolute value of each column; of long lines, which are gone through faster."""
    n, d = rows.shape
    k = max(1, 512 // d)
    whole = n - n % k
    parts = [rows[whole:]]
    if whole and rows.flags.c_contiguous:
        lines = rows[:whole].reshape(-1, k * d)
        parts += list(np.stack([lines.max(axis=0), lines.min(axis=0)]).reshape(2, k, d))
    else:
        parts = [rows]
    return np.max([np.maximum(x.max(axis=0), -x.min(axis=0)) for x in parts if len(x)], axis=0)
