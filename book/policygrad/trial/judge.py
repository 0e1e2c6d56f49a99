r"""The verdict on mean updates that are known exactly, at several places.

Tried in this order, the first that holds:

    E g = 0                    mean zero
    E g = grad J               unbiased
    E g = c grad J             unbiased up to a factor, c > 0 the same at every place
    E g = c f                  the gradient of another objective, f from a list, or -J
    E g || grad J              the gradient of another objective, a function of J
    E g = a f + b h            the gradient of another objective, such as J - beta KL
    derivatives commute        biased: the gradient of something that is not in the list
    they do not                the gradient of nothing

Derivatives are exchanged at all places: at a single one, a number that changes with theta may stand
still, as the entropy does at theta = 0.

A mean that is off its field by more than rounding, and by less than a thousandth, is told with the
field; by less than a millionth, with the digits to which it agrees.  If that field is a gradient,
such a mean is called biased: whether so small a rest is one is not to be seen.

A field f that is not the gradient of anything in every world is asked for its derivatives as well.

Source: Nota & Thomas (2020) for updates that are the gradient of no function.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np

from .fits import Fit, angle_between, fitted, multiple
from .objectives import ADDED, ADDED_OLD, ALONE, Candidate
from .words import digits, sum_in_words

VERDICTS = (
    "unbiased",
    "unbiased up to a factor",
    "mean zero",
    "the gradient of another objective",
    "biased",
    "the gradient of nothing",
)
UNBIASED, FACTOR, ZERO, OTHER, BIASED, NOTHING = VERDICTS
J = Candidate("J", lambda place: place.gradient, plain=True)
NEARLY = 1e-6  # relative: what agrees as well as that is told with its digits
CLOSE = 1e-3  # and what agrees as well as that, with its name
MOVING = "J, times a number that changes with theta"

__all__ = ["VERDICTS", "Judged", "Means", "judge"]


@dataclass(frozen=True, eq=False)
class Means:
    """Mean updates at several places, and what they are compared with.

    Attributes
    ----------
    places : K of them.
    means : (K, O, A) the mean update at each.
    sizes : (K,) the root mean square of the update at each, of which rounding is a part.
    tolerance : relative; 1e-9 for exact updates.
    known : fields of candidates that were asked for.
    near : names of what agrees but for less than ``CLOSE``, with what is left, and whether it is
        the gradient of something in every world; for all but single candidates.
    """

    places: list
    means: np.ndarray
    sizes: np.ndarray
    tolerance: float
    known: dict = field(default_factory=dict)
    near: dict = field(default_factory=dict)

    @property
    def zero(self) -> bool:
        """Is the mean as good as 0 everywhere?"""
        norms = np.sqrt((self.means**2).sum(axis=(1, 2)))
        return bool((norms <= self.tolerance * self.sizes).all())

    @property
    def unbiased(self) -> bool:
        """Is the mean grad J everywhere?"""
        off = self.means - np.array([place.gradient for place in self.places])
        return bool(np.linalg.norm(off) <= self.allowed * np.linalg.norm(self.means))

    @property
    def allowed(self) -> float:
        """What may be left of a fit."""
        norm = np.linalg.norm(self.means)
        return self.tolerance * (1.0 + 1e-3 * np.linalg.norm(self.sizes) / norm)

    def fields(self, candidate: Candidate) -> np.ndarray | None:
        """A candidate's field at all places, (K, O, A); None where it has no meaning, or is 0."""
        if candidate not in self.known:
            found = [candidate.field(place) for place in self.places]
            nothing = any(f is None for f in found) or not np.any(found)
            self.known[candidate] = None if nothing else np.array(found)
        return self.known[candidate]

    def first(self, candidates) -> tuple[Candidate, Fit] | None:
        """The first that fits: a plain one before those of factor 1, and these before others."""
        fits = []
        for c in candidates:
            if (values := self.fields(c)) is None:
                continue
            fit = fitted(self.means, [values])
            if fit.rest <= self.allowed:
                if c.plain or abs(fit.coefficients[0] - 1) <= self.allowed:
                    return c, fit
                fits.append((c, fit))
        return fits[0] if fits else None

    def parallel(self) -> bool:
        """Does the mean point along grad J, or against it, everywhere?"""
        angles = [
            np.radians(angle_between(m, p.gradient))
            for m, p in zip(self.means, self.places, strict=True)
        ]
        off = max(min(x, np.pi - x) for x in angles)
        if self.allowed < off <= CLOSE:
            self.near[MOVING] = float(off), False
        return bool(off <= self.allowed)

    @property
    def ways(self) -> set[int]:
        """Along grad J, 1, or against it, -1: all that occur, places where the mean is 0 apart."""
        along = [multiple(m, p.gradient) for m, p in zip(self.means, self.places, strict=True)]
        norms = np.linalg.norm(self.means, axis=(1, 2))
        there = norms > self.tolerance * self.sizes
        return {int(np.sign(x)) for x, some in zip(along, there, strict=True) if some}


@dataclass(frozen=True)
class Judged:
    """A verdict, and what was found out on the way.

    Attributes
    ----------
    verdict : one of ``VERDICTS``.
    field : the name of what the mean update is, "J" or "J - 0.1 KL(P||P_ref)"; None where none is
        known.
    factor : by which its gradient is multiplied, for a single one; else None.
    nearest : name, and what is left relative to the mean update, where nothing fits; else None.
    """

    verdict: str
    field: str | None = None
    factor: float | None = None
    nearest: tuple[str, float] | None = None

    @property
    def climbs(self) -> str | None:
        """The field's name, if it is the gradient of something."""
        return None if self.verdict == NOTHING else self.field


def judge(found: Means, own, surrogates, commutes, unknown: bool = True) -> Judged:
    """Give the verdict on mean updates.

    Parameters
    ----------
    found : the mean updates.
    own : candidates of the caller, tried right after J.
    surrogates : candidates with old samples.
    commutes : called without an argument, says whether the derivatives of the mean update commute.
    unknown : is that to be asked, too, of a mean that nothing fits?  If not, it is called biased.
    """
    if found.zero:
        return Judged(ZERO)
    off_policy = not found.places[0].on_policy
    added = [*ADDED, *(ADDED_OLD if off_policy else ())]
    bases = [J, *own, *(surrogates if off_policy else ()), *ALONE]
    late = [] if off_policy else [*surrogates]
    if found.unbiased:
        return Judged(UNBIASED, "J", 1.0)
    if fit := found.first([*bases, *added]):
        return _single(*fit, found, commutes)
    if found.parallel():
        return _function_of_J(found, commutes)
    if judged := _combined(found, bases, [*own, *added], commutes):
        return judged
    if fit := found.first(late):
        return _single(*fit, found, commutes)
    if judged := _combined(found, late, [*own, *added], commutes):
        return judged
    return _unknown(found, [*bases, *added, *late], commutes if unknown else None)


def _single(c: Candidate, fit: Fit, found: Means, commutes) -> Judged:
    (factor,) = fit.coefficients
    if c is J:
        return Judged(FACTOR, "J", factor) if factor > 0 else Judged(OTHER, "-J", -factor)
    return Judged(_kind(c.objective, commutes), c.name, factor)


def _kind(objective: bool, commutes) -> str:
    return OTHER if objective or commutes() else NOTHING


def _function_of_J(found: Means, commutes) -> Judged:
    if _kind(False, commutes) == NOTHING:
        return Judged(NOTHING, MOVING if found.ways == {1} else f"{MOVING}, also below 0")
    if found.ways == {1, -1}:
        return Judged(OTHER, "a function of J, neither rising nor falling")
    return Judged(OTHER, "a falling function of J" if found.ways == {-1} else "a function of J")


def _combined(found: Means, bases, added, commutes) -> Judged | None:
    """A sum of two: a plain one before those of factor 1, and these before others."""
    first = None
    for base, more in product(bases, added):
        one, other = found.fields(base), found.fields(more)
        if one is None or other is None or base is more:
            continue
        fit = fitted(found.means, [one, other])
        if found.allowed < fit.rest <= CLOSE:
            both = base.objective and more.objective
            found.near[_in_words(fit, base.name, more.name)] = fit.rest, both
        if fit.rest <= found.allowed:
            first = first or (fit, base, more)
            if base.plain or abs(fit.coefficients[0] - 1) <= found.allowed:
                first = fit, base, more
                break
    if first is None:
        return None
    fit, base, more = first
    name = sum_in_words(fit.coefficients, (base.name, more.name))
    return Judged(_kind(base.objective and more.objective, commutes), name)


def _unknown(found: Means, candidates, commutes) -> Judged:
    fits = {
        c: fitted(found.means, [values])
        for c in candidates
        if (values := found.fields(c)) is not None
    }
    best = min(fits, key=lambda c: round(fits[c].rest, 9))
    name, rest, gradient = best.name, fits[best].rest, best.objective
    if rest <= CLOSE:
        name = _in_words(fits[best], name)
    for other, (left, both) in found.near.items():
        if digits(left) > digits(rest):  # of those with as many digits, the first
            name, rest, gradient = other, left, both
    unseen = gradient and rest <= NEARLY
    verdict = BIASED if unseen or commutes is None or commutes() else NOTHING
    return Judged(verdict, nearest=(name, rest))


def _in_words(fit: Fit, *names: str) -> str:
    """A sum that is off by a little, with few digits."""
    return sum_in_words([float(f"{c:.3g}") for c in fit.coefficients], names)
