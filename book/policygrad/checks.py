r"""Checks that fail when the equation is wrong: identity, close, unbiased, refuted.

Each takes the label of an equation first, prints one stable line and leaves a machine-readable
record; or raises :class:`CheckFailed`, an AssertionError that shows both sides.

* ``identity(label, lhs, rhs)``: SymPy shows that lhs - rhs = 0.
* ``close(label, value, reference, rtol=...)``: two independent computations agree.
* ``unbiased(label, gradients, exact)``: a test that samples have the mean ``exact``.
* ``with refuted(claim): ...``: the control; it passes only if the one check inside fails.

Nothing here imports what it checks: arrays and SymPy expressions come in, verdicts go out.

**The test behind** ``unbiased``.  From m independent rows g_i in R^d with mean gbar and covariance
C, Hotelling's statistic is T^2 = m (gbar - g)' C^{-1} (gbar - g), in the r directions in which the
rows vary at all.  If E[g_i] = g, then (m - r) / (r (m - 1)) T^2 has the F(r, m - r)
distribution for normal rows, and for any others as m grows.  T^2 above the 1 - alpha point c
is a failure: a false alarm with probability alpha.  A true bias b is caught with probability at
least Phi((sqrt(m b' C^{-1} b) - sqrt(c)) / w), where w, about 1, is the spread of sqrt(T^2); from
which comes the smallest bias sure to be caught.

Skewed rows have skewed tails: where that would change the rate of false alarms by more than the
factor ``DISTORTION``, m is refused.  But an event that was never drawn leaves no trace in the rows.
One of probability q >= ln(1/alpha) / m is missed altogether with a probability below alpha.

Sources: Hotelling (1931); Anderson (2003), section 5.2; Wang (2005) for the tails.
"""

from __future__ import annotations

import functools
import html
import math
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from statistics import NormalDist

import numpy as np

__all__ = [
    "Check",
    "CheckFailed",
    "NotRefuted",
    "TooFewSamples",
    "Undecided",
    "close",
    "finite_differences",
    "history",
    "identity",
    "refuted",
    "unbiased",
]

ATTEMPTS = 6  # points at which a counterexample is looked for
POWER = 0.99  # the bias that `unbiased` reports would be caught with at least this probability
DISTORTION = 3.0  # skewness may stretch the false-alarm rate by this factor before m is refused
NO_VARIANCE = 1e-12  # relative to the largest: a direction in which samples do not vary
NO_SIZE = 1e-9  # relative to the largest entry: an exact mean that nothing can be a percentage of
ROUNDING = 1e-13  # relative to the largest entry: a spread that only rounding has made


class CheckFailed(AssertionError):
    """The claim does not hold."""


class NotRefuted(AssertionError):
    """A control did not fail: either the claim holds after all, or no check was run."""


class Undecided(AssertionError):
    """SymPy could neither bring the difference to 0 nor find where it is not."""


class TooFewSamples(ValueError):
    """The samples cannot carry the stated false-alarm rate."""


@dataclass(frozen=True)
class Check:
    """One verdict: what the ledger reads.

    Attributes
    ----------
    label : the equation's label in the book, without ``eq-``.
    kind : "identity", "close" or "unbiased"; for a control, the kind of the check inside.
    passed : False only inside ``refuted``.
    figures : numbers behind the verdict, by name.
    claim : for a control, the false claim; else None.
    where : the case it was tried on, where there are several; else empty.
    """

    label: str
    kind: str
    passed: bool
    figures: dict = field(default_factory=dict)
    claim: str | None = None
    where: str = ""


_history: list[Check] = []
_controls: list[str] = []  # the claim now being refuted, if any


def history() -> list[Check]:
    """Give the verdicts of this session so far, oldest first."""
    return list(_history)


# --- identity -----------------------------------------------------------------------------------


def identity(label: str, lhs, rhs, *, where: str = "") -> None:
    """Check that lhs = rhs as expressions: SymPy brings the difference to 0.

    Parameters
    ----------
    label : the equation's label.
    lhs, rhs : SymPy expressions, or nested lists or matrices of them of one shape.
    where : the case that it is tried on, for the verdict.

    Raises
    ------
    CheckFailed
        showing both sides and a point at which they differ.
    Undecided
        if SymPy finds neither; such an outcome is never taken as a refutation.
    """
    _require_label(label)
    left, right = (dict(_entries(label, *side)) for side in (("lhs", lhs), ("rhs", rhs)))
    if len(left) != len(right):
        raise ValueError(f"{label}: lhs has {len(left)} entries, rhs has {len(right)}")
    if left.keys() != right.keys():
        raise ValueError(f"{label}: the entries of lhs and rhs are not arranged alike")
    if not left:
        raise ValueError(f"{label}: there is nothing to compare")
    for place, x in left.items():
        y = right[place]
        difference = x - y
        if _vanishes(difference, False):
            continue
        witness = _witness(x, y, range(1))  # a counterexample is found sooner than a proof fails
        if witness is None and _vanishes(difference, True):
            continue
        witness = witness or _witness(x, y, range(1, ATTEMPTS))
        entry = f"entry {list(place)}, " if place else ""
        sides = f"{entry}\n  lhs = {x}\n  rhs = {y}\n  difference = {difference}"
        if witness is None:
            raise Undecided(f"{label}: SymPy can neither bring it to 0 nor refute it: {sides}")
        figures = {"entries": len(left), "witness": witness}
        _fail(
            Check(label, "identity", False, figures, where=where),
            f"the two sides differ by {witness} at a random point",
            f"not an identity: {sides}\n  which is {witness} at a random point",
        )
    what = "SymPy: the difference is 0"
    if len(left) > 1:
        what = f"SymPy: all {len(left):,} differences are 0"
    _pass(Check(label, "identity", True, {"entries": len(left)}, where=where), what)


def _entries(label: str, name: str, side, place: tuple = ()):
    """Yield (place, expression), for an expression or each entry of lists or matrices."""
    try:
        import sympy as sp
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "checks.identity needs SymPy: pip install sympy", name=missing.name
        ) from missing

    if hasattr(side, "tolist") and hasattr(side, "shape"):  # NumPy's arrays and SymPy's matrices
        side = side.tolist()
    if isinstance(side, (list, tuple, sp.Tuple)):
        for i, part in enumerate(side):
            yield from _entries(label, name, part, (*place, i))
        return
    try:
        expression = sp.sympify(side, strict=True)
    except sp.SympifyError:
        expression = None
    if not isinstance(expression, sp.Expr) or isinstance(expression, sp.MatrixExpr):
        raise TypeError(f"{label}: {name} must hold SymPy expressions; it holds {side!r}")
    yield place, expression


def _vanishes(difference, thoroughly: bool) -> bool:
    """Try SymPy's quick or its thorough ways of showing that an expression is 0."""
    import sympy as sp

    ways = (sp.simplify, lambda x: sp.simplify(sp.expand(x))) if thoroughly else (sp.cancel,)
    return difference == 0 or any(way(difference) == 0 for way in ways)


def _witness(lhs, rhs, attempts=range(ATTEMPTS)) -> str | None:
    """Look for a point at which the two sides differ, and give the difference there.

    It is a counterexample, not a guess: symbols take values that their assumptions allow, symbolic
    limits of sums are small whole numbers, every unknown function is one definite function.
    """
    for attempt in attempts:
        try:
            left, right = (complex(side.evalf(30)) for side in _at_a_point(lhs, rhs, attempt))
        except (TypeError, ValueError):  # something has no value there
            continue
        gap = left - right
        if math.isfinite(abs(gap)) and abs(gap) > 1e-9 * max(1.0, abs(left), abs(right)):
            return f"{gap.real:.3g}" if gap.imag == 0 else f"{gap:.3g}"
    return None


def _at_a_point(lhs, rhs, attempt: int):
    """Give both sides as numbers: the same values for the same unknowns, others at each attempt."""
    import sympy as sp

    both = sp.Tuple(lhs, rhs)
    limits = [x for s in both.atoms(sp.Sum, sp.Product) for lim in s.limits for x in lim[1:]]
    sizes = sorted({x for lim in limits for x in lim.free_symbols}, key=sp.default_sort_key)
    both = both.subs({x: _value(x, i, attempt, whole=True) for i, x in enumerate(sizes)})

    unknown = both.atoms(sp.core.function.AppliedUndef)
    if unknown and any(lim.is_infinite for lim in limits):
        raise ValueError("an endless sum over an unknown function")
    names = sorted({str(u.func) for u in unknown})

    def definite(u):
        if u.is_integer or u.is_real is False:
            raise ValueError(f"no stand-in for {u}")
        k = names.index(str(u.func)) + attempt
        value = 1 / (2 + k + sum((j + 1) * (x + j) ** 2 for j, x in enumerate(u.args)))
        return -value if u.is_extended_nonpositive else value

    both = both.replace(lambda x: isinstance(x, sp.core.function.AppliedUndef), definite).doit()
    for kind in (sp.Symbol, sp.Indexed):
        bases = {x.base.label for x in both.atoms(sp.Indexed)}
        found = sorted(both.atoms(kind) - bases, key=sp.default_sort_key)
        both = both.subs({x: _value(x, i, attempt) for i, x in enumerate(found)})
    return both


def _value(x, i: int, attempt: int, *, whole: bool = False):
    """Pick a number for symbol x that its assumptions allow; of either sign in later attempts."""
    import sympy as sp

    fraction, n = sp.Rational(2 * i + 3 + attempt, 3 * i + 8 + 3 * attempt), sp.Integer(2 + attempt)
    fractions = (
        (-fraction, fraction) if (i + attempt) % 2 and attempt > 2 else (fraction, -fraction)
    )
    for value in (*(() if whole else fractions), n + i, n + i + 1, -n - i, -n - i - 1):
        facts = ("real", "integer", "even", "odd", "prime", "composite", "positive", "negative")
        if all(getattr(x, f"is_{f}") in (None, getattr(value, f"is_{f}")) for f in facts):
            return value
    raise ValueError(f"no value for {x}")


# --- close --------------------------------------------------------------------------------------


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
    ValueError
        if the shapes differ, the arrays are empty, the reference is not finite, or no tolerance
        is left for a reference of zeros.
    """
    _require_label(label)
    value, reference = _real(label, "value", value), _real(label, "reference", reference)
    if value.shape != reference.shape:
        raise ValueError(f"{label}: value has shape {value.shape}, reference {reference.shape}")
    if not reference.size:
        raise ValueError(f"{label}: there is nothing to compare")
    if not np.isfinite(reference).all():
        raise ValueError(f"{label}: the reference holds NaN or infinity")
    if not (0 <= rtol < 1 and 0 <= atol < math.inf and rtol + atol > 0):
        raise ValueError(f"{label}: tolerances must be 0 <= rtol < 1, atol >= 0, not both 0")
    scale = np.abs(reference).max()
    if scale == 0 and atol == 0:
        raise ValueError(f"{label}: the reference is all zeros; say how small is small with atol")

    gap = np.abs(value - reference)
    gap = np.where(np.isnan(gap), np.inf, gap)
    worst = np.unravel_index(gap.argmax(), gap.shape)
    relative = gap[worst] / scale if scale else None
    figures = {
        "entries": reference.size,
        "difference": _digits(gap[worst]),
        "relative": _digits(relative if scale else math.inf),
        "rtol": float(rtol),
        "atol": float(atol),
    }
    if not gap[worst] <= rtol * scale + atol:
        at = f" at entry {list(map(int, worst))}" if worst else ""
        off = f"off by {_relative(gap[worst], scale)}"
        _fail(
            Check(label, "close", False, figures, where=where),
            off,
            f"{off}{at}: value {float(value[worst])}, reference {float(reference[worst])}, "
            f"allowed rtol = {_short(rtol)}, atol = {_short(atol)}",
        )
    if rtol * scale >= atol:
        agree = f"agree to {_short(rtol)}"
    else:
        agree = f"agree to within {_short(atol)}"
    count = f"{reference.size:,} numbers, " if reference.size > 1 else ""
    _pass(Check(label, "close", True, figures, where=where), f"{count}two computations {agree}")


# --- unbiased -----------------------------------------------------------------------------------


def unbiased(
    label: str,
    gradients,
    exact,
    *,
    counts=None,
    false_alarm: float = 1e-6,
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
    false_alarm : the probability of failing although the claim is true.
    where : the case that it is tried on, for the verdict.

    Raises
    ------
    CheckFailed
        showing the component that is furthest off, in standard errors.
    TooFewSamples
        if m is too small for the number of directions, or for how skewed the samples are.
    ValueError
        if shapes do not fit or a number is not finite.
    """
    _require_label(label)
    gradients, exact = _real(label, "gradients", gradients), _real(label, "exact", exact)
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
    if not 0 < false_alarm < 1:
        raise ValueError(f"{label}: false_alarm must lie between 0 and 1; it is {false_alarm}")
    gradients, counts, m = _counted(label, gradients, counts)
    d = exact.size
    if m < max(100, 20 * d):
        raise TooFewSamples(
            f"{label}: {m} samples of {d} components; at least {max(100, 20 * d)} are needed"
        )

    rows, truth = gradients.reshape(len(gradients), d), exact.reshape(d)
    largest = max(rows.max(), -rows.min(), np.abs(truth).max())
    rounding = ROUNDING * largest
    size_of_truth = float(np.linalg.norm(truth))
    if size_of_truth <= NO_SIZE * largest:
        size_of_truth = 0.0

    first = rows[0].copy()
    rows = rows - first  # the one copy; a component that never changes becomes 0, exactly
    deviation = _mean(rows, counts)
    rows -= deviation
    deviation += first - truth
    weighted = rows if counts is None else rows * counts[:, None]
    covariance = weighted.T @ rows / (m - 1)
    unit = np.sqrt(covariance.diagonal())
    still = unit <= rounding
    unit[still] = largest or 1.0
    correlation = covariance / np.outer(unit, unit) * np.outer(~still, ~still)
    size, direction = np.linalg.eigh(correlation)
    least = NO_VARIANCE * max(size[-1], 1.0)
    vary = size > least
    r = int(vary.sum())
    limit = _critical_value(max(r, 1), m, false_alarm)

    # Directions without variance: the mean must be exact there, up to rounding, or up to the
    # error of the mean that a variance too small to be told from none would excuse.
    fixed = direction[:, ~vary]
    leftover = np.abs(fixed @ (fixed.T @ (deviation / unit))) * unit
    excuse = math.sqrt(d) * (rounding + ~still * unit * math.sqrt(limit * least / m))
    if (leftover > excuse).any():
        worst = int((leftover - excuse).argmax())
        _fail(
            Check(label, "unbiased", False, {"samples": m, "rank": r}, where=where),
            f"off by {_relative(np.linalg.norm(leftover), size_of_truth)}, without any variance",
            f"component {_index(worst, exact.shape)}: mean {truth[worst] + deviation[worst]:.6g}, "
            f"exact {truth[worst]:.6g}, off by {deviation[worst]:.3g} in a direction in which the "
            "samples do not vary: a bias, or an event too rare to be drawn",
        )

    if r == 0:
        figures = {"samples": m, "rank": 0, "statistic": 0.0, "limit": 0.0, "smallest_bias": 0.0}
        _pass(
            Check(
                label, "unbiased", True, {**figures, "false_alarm": float(false_alarm)}, where=where
            ),
            f"{m:,} samples, all equal to the exact value",
        )
        return

    whiten = direction[:, vary] / np.sqrt(size[vary]) / unit[:, None]
    shift = deviation @ whiten
    statistic = float(m * shift @ shift)
    _require_near_normal(label, rows, counts, m, whiten, limit)

    scores = ~still * deviation / (unit / math.sqrt(m))
    worst = int(np.abs(scores).argmax())
    smallest = _smallest_bias(rows, counts, m, covariance, limit)
    figures = {
        "samples": m,
        "components": d,
        "rank": r,
        "statistic": _digits(statistic),
        "limit": _digits(limit),
        "largest_z": _digits(abs(scores[worst])),
        "false_alarm": float(false_alarm),
        "smallest_bias": _digits(smallest),
        "exact_norm": _digits(size_of_truth),
        "power": POWER,
    }
    directions = "1 direction" if r == 1 else f"{r} directions"
    if statistic > limit:
        off = _relative(np.linalg.norm(deviation), size_of_truth)
        _fail(
            Check(label, "unbiased", False, figures, where=where),
            f"off by {off}, {_round_down(abs(scores[worst]))} standard errors",
            f"component {_index(worst, exact.shape)}: mean {truth[worst] + deviation[worst]:.6g}, "
            f"exact {truth[worst]:.6g}, {scores[worst]:+.1f} standard errors; over {directions} "
            f"T^2 = {statistic:.1f} > {limit:.1f}, the limit at false-alarm rate "
            f"{_short(false_alarm)}",
        )
    _pass(
        Check(label, "unbiased", True, figures, where=where),
        f"{m:,} samples, {directions}; a bias of {_relative(smallest, size_of_truth, up=True)} "
        "would have been caught",
    )


def _counted(label: str, rows: np.ndarray, counts):
    """Give the rows that were drawn, how often each, and the number of samples."""
    if counts is None:
        return rows, None, len(rows)
    counts = np.asarray(counts)
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
    drawn = counts > 0
    return rows[drawn], counts[drawn].astype(float), int(counts.sum())


def _mean(rows: np.ndarray, counts) -> np.ndarray:
    return rows.mean(axis=0) if counts is None else counts @ rows / counts.sum()


@functools.lru_cache(maxsize=1024)
def _critical_value(r: int, m: int, alpha: float) -> float:
    """The 1 - alpha point of T^2 with r directions and m samples: Pr(T^2 > c) = alpha."""
    try:
        import mpmath
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "checks.unbiased needs mpmath, which comes with SymPy: pip install sympy",
            name=missing.name,
        ) from missing

    def tail(c: float) -> float:
        F = c * (m - r) / (r * (m - 1))
        x = (m - r) / (m - r + r * F)
        return float(mpmath.betainc((m - r) / 2, r / 2, 0, x, regularized=True))

    low, high = 0.0, 2.0 * r
    while tail(high) > alpha:
        low, high = high, 2.0 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > alpha else (low, middle)
    return high


def _require_near_normal(label: str, rows, counts, m: int, whiten, limit: float) -> None:
    """Refuse samples so skewed that their mean is not normal enough out in the tail.

    In a direction u in which single samples have the skewness k(u), the tails of a studentised mean
    change by the factors exp(+-k(u) x^3 / (3 sqrt(m))), x standard errors out.  The tail of T^2 is
    made of all directions alike, so beyond x = sqrt(limit) it changes by the mean of their cosh.
    """
    r = whiten.shape[1]
    third = np.zeros((r, r, r))
    step = 2**17 // max(r, 8) ** 2 + 1  # pieces that fit the cache, too small to wait for threads
    for start in range(0, len(rows), step):
        v = rows[start : start + step] @ whiten
        w = v if counts is None else v * counts[start : start + step, None]
        for i in range(r):
            third[i] += (w * v[:, i, None]).T @ v / m
    u = _directions(r)
    skewness = np.einsum("nij,ni,nj->n", np.tensordot(u, third, 1), u, u)
    exponents = skewness * limit**1.5 / 3

    def stretched(samples: float) -> float:
        return float(np.cosh(np.minimum(np.abs(exponents) / math.sqrt(samples), 500)).mean())

    if stretched(m) > DISTORTION:
        needed = m
        while stretched(needed) > DISTORTION:
            needed = 1.1 * needed
        raise TooFewSamples(
            f"{label}: with skewness up to {np.abs(skewness).max():.2g}, {m:,} samples do not "
            f"carry the stated false-alarm rate; about {_round_up(math.ceil(needed))} would"
        )


@functools.lru_cache(maxsize=64)
def _directions(r: int, count: int = 4096) -> np.ndarray:
    """Give unit vectors that are spread over all directions, the same ones every time."""
    u = np.random.default_rng(0).normal(size=(count, r))
    return u / np.linalg.norm(u, axis=1, keepdims=True)


def _smallest_bias(rows, counts, m: int, covariance: np.ndarray, limit: float) -> float:
    """Give the length of bias that T^2 passes its limit for with probability POWER, at least.

    The worst direction for it is the one in which the mean is least certain.  There the mean has to
    stand z w standard errors beyond the limit, where w is the spread of a studentised mean so far
    out: to first order, that of v - h v^2 over the standardised rows v, with h = x / (2 sqrt(m)).
    """
    variance, axes = np.linalg.eigh(covariance)
    z = NormalDist().inv_cdf(POWER)
    v = rows @ (axes[:, -1] / math.sqrt(variance[-1]))
    h = (math.sqrt(limit) + z) / (2 * math.sqrt(m))
    w = max(_spread(v - h * v**2, counts), _spread(v + h * v**2, counts))
    return (math.sqrt(limit) + z * w) * math.sqrt(variance[-1] / m)


def _spread(x: np.ndarray, counts) -> float:
    return math.sqrt(float(_mean((x - _mean(x, counts)) ** 2, counts)))


# --- refuted ------------------------------------------------------------------------------------


@contextmanager
def refuted(claim: str):
    """Run one check that must fail: the control of an equation.

    Parameters
    ----------
    claim : the false claim, in words.

    Raises
    ------
    NotRefuted
        if the check inside passes, or if none is run.  Other errors pass through: a crash,
        too few samples or an undecided identity refutes nothing.
    """
    _require_label(claim)
    if _controls:
        raise ValueError(f"refuted({claim!r}) stands inside refuted({_controls[-1]!r})")
    _controls.append(claim)
    try:
        yield
    except CheckFailed as failure:
        check, short = failure.check, failure.short
    else:
        raise NotRefuted(f"refuted {claim!r}: no check was run inside")
    finally:
        _controls.pop()
    record = replace(check, passed=True, claim=claim)
    _history.append(record)
    _show("refuted", claim, short, record)


# --- an oracle ----------------------------------------------------------------------------------


def finite_differences(f, theta, step: float = 1e-3) -> np.ndarray:
    """Differentiate f at theta by nudging each entry, with no theory at all.

    The central difference over +-h, extrapolated to h = 0 from h and h/2 and h/4 (Romberg):
    exact for polynomials of degree six, else off by O(h^6).

    Parameters
    ----------
    f : a function of an array like theta, with a value of any shape.
    theta : the point.
    step : h, of the size over which f changes little.

    Returns
    -------
    array of the shape of f's value followed by the shape of theta.

    Raises
    ------
    ValueError
        if f is not finite beside theta.
    """
    theta = np.array(theta, float)
    columns = []
    for place in np.ndindex(*theta.shape):
        slopes = []
        for h in (step, step / 2, step / 4):
            up, down = theta.copy(), theta.copy()
            up[place] += h
            down[place] -= h
            rise = np.asarray(f(up), float) - np.asarray(f(down), float)
            slopes.append(rise / (up[place] - down[place]))
        a, b, c = slopes
        b, c = (4 * b - a) / 3, (4 * c - b) / 3
        columns.append((16 * c - b) / 15)
    out = np.stack(columns, axis=-1)
    if not np.isfinite(out).all():
        raise ValueError("f is not finite beside theta")
    return out.reshape(out.shape[:-1] + theta.shape)


# --- verdicts -----------------------------------------------------------------------------------


def _pass(check: Check, what: str) -> None:
    if _controls:
        raise NotRefuted(
            f"refuted {_controls[-1]!r}: the check {check.label!r} inside passed ({what})"
        )
    _history.append(check)
    case = f"{check.where} · " if check.where else ""
    _show("ok", check.label, f"{check.kind} · {case}{what}", check)


def _fail(check: Check, short: str, message: str):
    failure = CheckFailed(f"{check.label} · {check.kind} · {message}")
    failure.check, failure.short = check, short
    raise failure


def _show(verdict: str, name: str, what: str, check: Check) -> None:
    """Print one line; in a notebook also as HTML, with the record in the output's metadata."""
    line = f"{verdict}  {name} · {what}"
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(line)
        return
    ipython.display.display(
        {
            "text/plain": line,
            "text/html": f'<div class="pg-check pg-check--{verdict}">'
            f'<span class="pg-verdict">{verdict}</span> <code>{html.escape(name)}</code> '
            f"<span>{html.escape(what)}</span></div>",
        },
        raw=True,
        metadata={"policygrad": asdict(check)},
    )


def _require_label(label) -> None:
    if not isinstance(label, str) or not label.strip():
        raise TypeError(f"the first argument must be a label in words; it is {label!r}")


def _real(label: str, name: str, value) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "biufO":
        raise TypeError(f"{label}: {name} must hold real numbers; it holds {array.dtype}")
    return array.astype(float, copy=False)


def _settled(x: float) -> float:
    """Drop the last digits, on which machines may differ, so that a half rounds alike on all."""
    return float(f"{float(x):.9g}")


def _digits(x, digits: int = 3) -> float | None:
    """Keep what is certain: the same figure on every machine.  JSON has no infinity: None."""
    return float(f"{_settled(x):.{digits}g}") if math.isfinite(x) else None


def _short(x: float) -> str:
    return f"{x:g}".replace("e-0", "e-")


def _percent(x: float) -> str:
    if not math.isfinite(x):
        return "an infinite amount"
    if x >= 10:
        return f"{x:.2g} times its size"
    return f"{x:.0%}" if x >= 0.1 else f"{100 * x:.2g}%"


def _relative(size: float, norm: float, *, up: bool = False) -> str:
    """A size relative to a norm, or as it is where that is 0; rounded up if asked."""
    x = _settled(size / norm if norm else size)
    if up:
        digit = 10.0 ** (math.floor(math.log10(x)) - 1)
        x = _settled(math.ceil(_settled(x / digit)) * digit)
    return _percent(x) if norm else f"{x:.2g}"


def _round_up(n: int) -> str:
    digit = 10 ** (len(str(n)) - 1)
    return f"{-(-n // digit) * digit:,}"


def _round_down(z: float) -> str:
    z = _settled(z)
    digit = 10 ** max(int(math.floor(math.log10(max(z, 1)))) - 1, 0)
    return f"{int(z // digit) * digit:,}"


def _index(flat: int, shape: tuple) -> str:
    return str([int(i) for i in np.unravel_index(flat, shape)])
