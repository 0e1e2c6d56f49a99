r"""``unbiased``: a test that samples have the mean that they should.

**The test.**  From m independent rows g_i in R^d with mean gbar and covariance C, Hotelling's
statistic is T^2 = m (gbar - g)' C^{-1} (gbar - g), in the r directions in which the rows vary at
all.  If E[g_i] = g, then (m - r) / (r (m - 1)) T^2 has the F(r, m - r) distribution for normal
rows, and for any others as m grows.  T^2 above the 1 - alpha point c is a failure: a false alarm
with probability alpha.  A true bias b is caught with probability at least
Phi((sqrt(m b' C^{-1} b) - sqrt(c)) / w), where w, about 1, is the spread of sqrt(T^2); from which
comes the smallest bias sure to be caught.

**Its rate is nominal.**  At moderate m, and for rows that are not normal, false alarms come more
often than alpha: 1.2 to 1.6 times as often where it was summed up exactly (two and three arms, some
thousand samples).  Skewed rows have skewed tails: where that would change the rate by more than the
factor ``DISTORTION``, m is refused; up to that factor it is let pass, by design.  The skewness is
that of the samples at hand, so that one seed may be refused where another was not.  And an event
that was never drawn leaves no trace in the rows: one of probability q >= ln(1/alpha) / m is missed
altogether with a probability below alpha.

**Every component is judged by its own size**, whatever its unit.  Where the verdict hangs on a
component that is no larger than the rounding of the largest one, there is none.

Sources: Hotelling (1931); Anderson (2003), section 5.2; Wang (2005) for the tails.
"""

from __future__ import annotations

import math

import numpy as np

from .hotelling import POWER, Hotelling, require_near_normal, smallest_bias
from .inputs import real_array, require_label, require_number, require_scale, require_where
from .samples import ROUNDING, Sample, counted
from .verdict import Check, CheckFailed, TooFewSamples, failed, passed
from .words import above, digits, index, multiple, relative, round_down, short, times

__all__ = ["unbiased"]

TINY = float(np.finfo(float).tiny)  # below it floats have ever fewer digits
LEFT = 1e-10  # relative to the scale: what rounding may leave of a difference of such terms
NEXT_TO_0 = 1e-9  # relative to 1, or to the largest component: it may be such a rest
ALIKE = 0.1  # relative: a mean so near a multiple of the exact one is told as a multiple


def unbiased(
    label: str,
    gradients,
    exact,
    *,
    counts=None,
    false_alarm: float = 1e-6,
    scale=None,
    where: str = "",
) -> None:
    """Test that samples have the mean that they should: E[g_i] = exact, in all components at once.

    Parameters
    ----------
    label : the equation's label.
    gradients : (m, ...) one row per independent sample.
    exact : (...) the exact mean.
    counts : (n,) whole numbers; gradients then holds n rows, and row i was drawn counts[i] times.
        The samples are m = sum(counts) in number.  Default: each row was drawn once.
    false_alarm : the nominal probability of failing although the claim is true: that of normal
        rows.  For others it is reached as m grows; before, the rate is somewhat higher (1.2 to 1.6
        times as much was measured), by design up to ``DISTORTION`` = 3 times.
    scale : the size of the terms of which rows and exact mean are differences, where these may be
        next to 0: a positive number, or one for each component in an array of the shape of exact.
        What is below 1e-10 of it counts as rounding: a spread so small is none, and a mean that is
        off by no more is right.
    where : the case that it is tried on, for the verdict.

    Raises
    ------
    CheckFailed
        showing the component that is furthest off, in standard errors.
    TooFewSamples
        if m is too small for the number of directions, or for how skewed the samples are.  Skewness
        is estimated from the samples: with another seed the same m may be refused.
    ValueError, TypeError
        if shapes do not fit, an argument is masked or holds what is no finite real number, or a
        component cannot be judged: its numbers lie below the normal floats, or the verdict would
        hang on them though they are no larger than the rounding error of the largest component.
    """
    require_label(label)
    require_where(label, where)
    gradients, exact = _read(label, gradients, exact)
    alpha = require_number(label, "false_alarm", false_alarm)
    if not 0 < alpha < 1:
        raise ValueError(f"{label}: false_alarm must lie between 0 and 1; it is {false_alarm}")
    scale = _scale(label, scale, exact)
    sample = _sample(label, gradients, exact, counts)
    floor = np.maximum(sample.floor, LEFT * sample.apart(scale))
    check = Check(label, "unbiased", True, where=where)
    try:
        figures, what = _judged(check, sample, floor, exact.shape, alpha)
    except (CheckFailed, TooFewSamples):
        _require_no_rounding(check, sample, floor, exact.shape, alpha)
        raise
    if scale.any():
        figures["scale"] = digits(scale.max())
        what += f"; next to 0: {short(LEFT)} of the scale {digits(scale.max(), 2):g} is nothing"
    passed(Check(label, "unbiased", True, figures, where=where), what)


def _read(label: str, gradients, exact) -> tuple[np.ndarray, np.ndarray]:
    gradients, exact = (
        real_array(label, name, x) for name, x in (("gradients", gradients), ("exact", exact))
    )
    if gradients.ndim < 1 or gradients.shape[1:] != exact.shape or not exact.size:
        raise ValueError(
            f"{label}: gradients must have shape (m, ...) over the shape {exact.shape} of exact; "
            f"it has {gradients.shape}"
        )
    if not np.isfinite(exact).all():
        raise ValueError(f"{label}: exact holds NaN or infinity")
    if not np.isfinite(gradients).all():
        row = int(np.argwhere(~np.isfinite(gradients))[0][0])
        raise ValueError(f"{label}: gradients, row {row}, holds NaN or infinity")
    return gradients, exact


def _scale(label: str, scale, exact: np.ndarray) -> np.ndarray:
    """The scale of each component, in a flat array; 0 where none is given."""
    if scale is None:
        return np.zeros(exact.size)
    scale = require_scale(label, scale)
    if scale.shape not in ((), exact.shape):
        raise ValueError(
            f"{label}: scale must be one number, or one for each component, of shape "
            f"{exact.shape}; it has shape {scale.shape}"
        )
    return np.broadcast_to(scale, exact.shape).ravel()


def _sample(label: str, gradients: np.ndarray, exact: np.ndarray, counts) -> Sample:
    """Bring the samples into the form that is tested, if there are enough."""
    gradients, counts, m = counted(label, gradients, counts)
    d = exact.size
    if m < max(100, 20 * d):
        raise TooFewSamples(
            f"{label}: {m} samples of {d} components; at least {max(100, 20 * d)} are needed"
        )
    sample = Sample.of(gradients.reshape(len(gradients), d), exact.reshape(d), counts, m)
    small = (sample.size > 0) & (np.ldexp(sample.size, sample.exponent) < TINY)
    if small.any():
        worst = int(small.argmax())
        raise ValueError(
            f"{label}: component {index(worst, exact.shape)} cannot be judged: none of its numbers "
            f"reaches {TINY:.2g}, below which floats lose their digits; multiply gradients and "
            "exact by a constant"
        )
    return sample


def _judged(check: Check, sample: Sample, floor: np.ndarray, shape: tuple, alpha: float):
    """Give the figures and the words of a pass, or raise the failure."""
    test = Hotelling.of(sample, floor, alpha)
    m, r = sample.m, test.rank
    if not (test.leftover <= test.excuse).all():
        _fail_without_variance(check, sample, test, shape)
    if r == 0:
        figures = {"samples": m, "rank": 0, "statistic": 0.0, "limit": 0.0, "smallest_bias": 0.0}
        return {**figures, "false_alarm": alpha}, f"{m:,} samples, all equal to the exact value"
    require_near_normal(check.label, sample, test.whiten, test.limit)
    smallest = smallest_bias(sample, test)
    figures = _figures(sample, test, smallest, alpha)
    if not test.statistic <= test.limit:
        _fail(check, sample, test, shape, figures)
    bias = _length(sample, smallest, up=True)
    return figures, f"{m:,} samples, {_directions(r)}; a bias of {bias} would have been caught"


def _figures(sample: Sample, test: Hotelling, smallest: float, alpha: float) -> dict:
    largest_z = float(np.abs(test.scores(sample)).max())
    rounding = 1e3 * ROUNDING * math.sqrt(sample.m) * float((sample.size / test.unit).max())
    with np.errstate(over="ignore"):
        lengths = np.ldexp([smallest, sample.norm], sample.common)
    return {
        "samples": sample.m,
        "components": len(sample.size),
        "rank": test.rank,
        "statistic": digits(test.statistic) if test.statistic > rounding**2 else 0.0,
        "limit": digits(test.limit),
        "largest_z": digits(largest_z) if largest_z > rounding else 0.0,
        "false_alarm": alpha,
        "smallest_bias": digits(lengths[0]),
        "exact_norm": digits(lengths[1]) if sample.norm else 0.0,
        "power": POWER,
    }


def _fail(check: Check, sample: Sample, test: Hotelling, shape: tuple, figures: dict) -> None:
    scores = test.scores(sample)
    worst = int(np.abs(scores).argmax())
    off, relative_size = _off(sample, sample.deviation)
    statistic, limit = above(test.statistic, test.limit)
    failed(
        Check(check.label, "unbiased", False, figures | relative_size, where=check.where),
        f"{off}, {round_down(abs(scores[worst]))} standard errors",
        f"{_means(sample, worst, shape)}, {scores[worst]:+.1f} standard errors; over "
        f"{_directions(test.rank)} T^2 = {statistic} > {limit}, "
        f"the limit at false-alarm rate {short(figures['false_alarm'])}" + _hint(sample, worst),
    )


def _fail_without_variance(check: Check, sample: Sample, test: Hotelling, shape: tuple) -> None:
    worst = int(sample.together(test.leftover - test.excuse).argmax())
    off, relative_size = _off(sample, test.leftover)
    figures = {"samples": sample.m, "rank": test.rank, **relative_size}
    failed(
        Check(check.label, "unbiased", False, figures, where=check.where),
        f"{off}, without any variance",
        f"{_means(sample, worst, shape)}, off by {sample.plain(sample.deviation, worst):.3g} in a "
        "direction in which the samples do not vary: a bias, or an event too rare to be drawn"
        + _hint(sample, worst),
    )


def _off(sample: Sample, deviation: np.ndarray) -> tuple[str, dict]:
    """How far off the mean is in words, by its length; and as a figure, relative to the exact."""
    size = np.linalg.norm(sample.together(deviation))
    figures = {"relative": digits(size / sample.norm) if sample.norm else None}
    truth = sample.together(sample.truth)
    mean = truth + sample.together(sample.deviation)
    said = times(multiple(mean, truth, ALIKE) if sample.norm else None, ALIKE)
    return said or f"off by {_length(sample, size)}", figures


def _hint(sample: Sample, worst: int) -> str:
    """What else may be the reason, where a component is next to 0."""
    sizes = [sample.plain(sample.size, component) for component in range(len(sample.size))]
    if not sizes[worst] < NEXT_TO_0 * max(1.0, *sizes):
        return ""
    return (
        f"; no number of that component exceeds {sizes[worst]:.1g}: where they are differences of "
        "larger terms, that may be rounding, and scale= says how large the terms are"
    )


def _require_no_rounding(check: Check, sample: Sample, floor, shape: tuple, alpha: float) -> None:
    """Refuse a failure that is gone once the smallest components are taken for rounding."""
    faint = floor < sample.floor_of_all
    if not faint.any():
        return
    _judged(
        check, sample, np.maximum(floor, sample.floor_of_all), shape, alpha
    )  # raises where they are not to blame
    off = np.where(faint, np.abs(sample.deviation) / np.where(sample.size, sample.size, 1), -1)
    worst = int(off.argmax())
    sizes = [sample.plain(sample.size, component) for component in range(len(off))]
    raise ValueError(
        f"{check.label}: component {index(worst, shape)} cannot be judged beside the others: what "
        f"it is off by may be rounding. Its largest number is {sizes[worst]:.2g}, that of all "
        f"{max(sizes):.2g}; leave it out, or test it alone"
    ) from None


def _means(sample: Sample, worst: int, shape: tuple) -> str:
    found = sample.plain(sample.truth + sample.deviation, worst)
    exact = sample.plain(sample.truth, worst)
    return f"component {index(worst, shape)}: mean {found:.6g}, exact {exact:.6g}"


def _length(sample: Sample, size: float, *, up: bool = False) -> str:
    """A length in the common unit, relative to the exact mean, or as it is where that is 0."""
    if sample.norm:
        return relative(size, sample.norm, up=up, of="the exact mean")
    with np.errstate(over="ignore"):
        return relative(float(np.ldexp(size, sample.common)), 0.0, up=up)


def _directions(r: int) -> str:
    return "1 direction" if r == 1 else f"{r} directions"
