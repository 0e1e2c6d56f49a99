"""Hotelling's test that samples have a mean, in the directions in which they vary and the others.

Works on a :class:`~policygrad.checks.samples.Sample`: from its m rows come the deviation of the
mean, the covariance C and T^2 = m (gbar - g)' C^{-1} (gbar - g), with the point that T^2 exceeds
with the probability alpha alone; whether the tails of these samples are normal enough for that; and
the smallest bias that would have been caught.

C is taken in units of the standard deviations, as the correlation.  Its eigenvectors of eigenvalue
0, up to ``NO_VARIANCE``, are directions in which the samples do not vary; there the mean must be
exact, up to rounding or up to the error that a variance too small to be told from none excuses.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .samples import Sample, mean
from .verdict import TooFewSamples
from .words import round_up

__all__ = [
    "DISTORTION",
    "POWER",
    "Hotelling",
    "critical_value",
    "require_near_normal",
    "smallest_bias",
]

POWER = 0.99  # the bias that `unbiased` reports would be caught with at least this probability
DISTORTION = 3.0  # skewness may stretch the false-alarm rate by this factor before m is refused
NO_VARIANCE = 1e-12  # relative to the largest: a direction in which samples do not vary
ALIKE = 1e-9  # relative: variances and lengths that only rounding tells apart


@dataclass(frozen=True)
class Hotelling:
    """The test's figures, everything in units of the sample's components.

    Attributes
    ----------
    rank : r, the number of directions in which the samples vary.
    limit : of T^2.
    unit : (d,) standard deviation of a row; of a component that does not vary, its size.
    still : (d,) which those are.
    covariance : (d, d) of a row.
    leftover, excuse : (d,) deviation in directions without variance, and how much of it may be.
    whiten : (d, r) brings rows to the unit covariance in r directions.
    statistic : T^2.
    """

    rank: int
    limit: float
    unit: np.ndarray
    still: np.ndarray
    covariance: np.ndarray
    leftover: np.ndarray
    excuse: np.ndarray
    whiten: np.ndarray
    statistic: float

    @classmethod
    def of(cls, sample: Sample, floor: np.ndarray, alpha: float) -> Hotelling:
        """Put the samples to the test; a spread up to the floor is taken for rounding."""
        rows, m, deviation = sample.rows, sample.m, sample.deviation
        weighted = rows if sample.counts is None else rows * sample.counts[:, None]
        covariance = weighted.T @ rows / (m - 1)
        unit = np.sqrt(covariance.diagonal())
        still = ~(unit > floor)
        unit[still] = np.where(sample.size, sample.size, 1.0)[still]
        correlation = covariance / np.outer(unit, unit) * np.outer(~still, ~still)
        size, direction = np.linalg.eigh(correlation)
        least = NO_VARIANCE * max(size[-1], 1.0)
        vary = size > least
        r = int(vary.sum())
        limit = critical_value(max(r, 1), m, alpha)

        fixed = direction[:, ~vary]
        leftover = np.abs(fixed @ (fixed.T @ (deviation / unit))) * unit
        excuse = math.sqrt(len(unit)) * (floor + ~still * unit * math.sqrt(limit * least / m))
        whiten = direction[:, vary] / np.sqrt(size[vary]) / unit[:, None]
        shift = deviation @ whiten
        statistic = float(m * shift @ shift)
        return cls(r, limit, unit, still, covariance, leftover, excuse, whiten, statistic)

    def scores(self, sample: Sample) -> np.ndarray:
        """(d,) the deviation of each component in standard errors; 0 where it does not vary."""
        return ~self.still * sample.deviation / (self.unit / math.sqrt(sample.m))


@functools.lru_cache(maxsize=1024)
def critical_value(r: int, m: int, alpha: float) -> float:
    """The 1 - alpha point of T^2 with r directions and m samples: Pr(T^2 > c) = alpha."""
    try:
        import mpmath
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "checks.unbiased needs mpmath, which comes with SymPy: pip install sympy",
            name=missing.name,
        ) from missing

    digits = 15 + max(0, math.ceil(math.log10(m)) - 9)  # x below is 1 less some c / m

    def tail(c: float) -> float:
        with mpmath.workdps(digits):
            F = mpmath.mpf(c) * (m - r) / (r * (m - 1))
            x = (m - r) / (m - r + r * F)
            return float(mpmath.betainc((m - r) / 2, r / 2, 0, x, regularized=True))

    low, high = 0.0, 2.0 * r
    while tail(high) > alpha:
        low, high = high, 2.0 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > alpha else (low, middle)
    return high


def require_near_normal(label: str, sample: Sample, whiten: np.ndarray, limit: float) -> None:
    """Refuse samples so skewed that their mean is not normal enough out in the tail.

    In a direction u in which single samples have the skewness k(u), the tails of a studentised mean
    change by the factors exp(+-k(u) x^3 / (3 sqrt(m))), x standard errors out.  The tail of T^2 is
    made of all directions alike, so beyond x = sqrt(limit) it changes by the mean of their cosh.

    Raises
    ------
    TooFewSamples
        if that mean exceeds ``DISTORTION``, saying how many samples would do.
    """
    skewness = _skewness(sample, whiten)
    exponents = skewness * limit**1.5 / 3

    def stretched(samples: float) -> float:
        return float(np.cosh(np.minimum(np.abs(exponents) / math.sqrt(samples), 500)).mean())

    if not stretched(sample.m) <= DISTORTION:
        needed = sample.m
        while stretched(needed) > DISTORTION:
            needed = 1.1 * needed
        raise TooFewSamples(
            f"{label}: with skewness up to {np.abs(skewness).max():.2g}, {sample.m:,} samples do "
            f"not carry the stated false-alarm rate; about {round_up(math.ceil(needed))} would"
        )


def _skewness(sample: Sample, whiten: np.ndarray) -> np.ndarray:
    """E[(v.u)^3] of the whitened rows v in directions u all around.

    From the table of third moments E[v_i v_j v_k], of which j and k go from i on: a third of it.
    """
    r = whiten.shape[1]
    third = [np.zeros((r - i, r - i)) for i in range(r)]
    for v, w in _pieces(sample, whiten, 2**17 // max(r, 8) ** 2 + 1):
        for i in range(r):
            third[i] += (w[:, i:] * v[:, i, None]).T @ v[:, i:]
    u = _directions(r)
    found = np.zeros(len(u))
    for i in range(r):
        # How often a product stands in the full sum: i in one place of three, in two, in all.
        third[i][1:, 1:] *= 3
        third[i][0, 1:] *= 1.5
        third[i][1:, 0] *= 1.5
        found += u[:, i] * ((u[:, i:] @ third[i]) * u[:, i:]).sum(axis=1)
    return found / sample.m


def _pieces(sample: Sample, whiten: np.ndarray, step: int):
    """Yield whitened rows, and the same times their counts, in pieces that fit the cache."""
    for start in range(0, len(sample.rows), step):
        v = sample.rows[start : start + step] @ whiten
        w = v if sample.counts is None else v * sample.counts[start : start + step, None]
        yield v, w


@functools.lru_cache(maxsize=64)
def _directions(r: int, count: int = 4096) -> np.ndarray:
    """Give unit vectors that are spread over all directions, the same ones every time."""
    u = np.random.default_rng(0).normal(size=(count, r))
    return u / np.linalg.norm(u, axis=1, keepdims=True)


def smallest_bias(sample: Sample, test: Hotelling) -> float:
    """Give the length of bias that T^2 passes its limit for with probability POWER, at least.

    The worst direction for it is the one in which the mean is least certain.  There the mean has to
    stand z w standard errors beyond the limit, where w is the spread of a studentised mean so far
    out: to first order, that of v - h v^2 over the standardised rows v, with h = x / (2 sqrt(m)).
    In the sample's common unit.
    """
    spread = np.where(test.still, 0.0, test.unit)
    exponent = int((sample.exponent + np.frexp(spread)[1])[spread > 0].max())
    unit = np.where(test.still, 0.0, np.ldexp(1.0, np.clip(sample.exponent - exponent, -1074, 99)))
    variance, axes = np.linalg.eigh(test.covariance * np.outer(unit, unit))
    z = NormalDist().inv_cdf(POWER)
    v = sample.rows @ (_widest(variance, axes) * unit / math.sqrt(variance[-1]))
    h = (math.sqrt(test.limit) + z) / (2 * math.sqrt(sample.m))
    w = max(_spread(v - h * v**2, sample.counts), _spread(v + h * v**2, sample.counts))
    length = (math.sqrt(test.limit) + z * w) * math.sqrt(variance[-1] / sample.m)
    return float(np.ldexp(length, exponent - sample.common))


def _widest(variance: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """The axis of the largest variance; where several share it, one that all machines agree on."""
    shared = axes[:, variance >= (1 - ALIKE) * variance[-1]]
    lengths = np.linalg.norm(shared, axis=1)
    nearest = int(np.flatnonzero(lengths >= (1 - ALIKE) * lengths.max())[0])
    return shared @ shared[nearest] / lengths[nearest]


def _spread(x: np.ndarray, counts) -> float:
    return math.sqrt(float(mean((x - mean(x, counts)) ** 2, counts)))
