r"""What came of a trial, and the lines that say so.

With m = E[g] the mean update, and Cov_0 the covariance of plain REINFORCE from as many trajectories
drawn by theta itself,

    size  = |m| / |grad J|,          along = m . grad J / |grad J|,
    angle = arctan2(sqrt(|m|^2 - along^2), along),
    noise = tr Cov / tr Cov_0 / size^2,
    excess = m - c grad J,           c = m . grad J / grad J . grad J.

The noise is measured at equal length, since half the size is used with twice the step.

Source: :mod:`.judge` for the verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .judge import CLOSE, FACTOR, MOVING, NEARLY, NOTHING, UNBIASED, ZERO
from .places import Place
from .words import counted, degrees, digits, folded, number, percent, settled

SHOWN = 2  # entries that get most too much, and most too little
LEAST = 5e-4  # of the largest entry of grad J: less is not shown

__all__ = ["OldReport", "Outcome", "Report"]


@dataclass(frozen=True, eq=False, repr=False)
class Outcome:
    """What a mean update is, and how it stands beside grad J.

    Attributes
    ----------
    verdict : one of :data:`.VERDICTS`.
    climbs : the name of the objective that the mean update climbs; None where none is known.
    field : the name of what the mean update is, also where that is the gradient of nothing; None.
    factor : the multiple of that field, the same at every theta; None for none, or for a sum.
    nearest : where nothing fits, the closest name and what is left of the mean update; else None.
        Up to a thousandth, the name is that of a multiple or a sum.
    size, angle, noise : beside grad J at theta; angle in degrees; NaN where the mean is zero.
    mean : (O, A) the exact mean update at theta.
    covariance : (O*A, O*A) its covariance, the update flattened row by row.
    clip : (epsilon, epsilon_high) of the clipped surrogate that was looked for.
    """

    verdict: str
    climbs: str | None
    field: str | None
    factor: float | None
    nearest: tuple[str, float] | None
    size: float
    angle: float
    noise: float
    mean: np.ndarray
    covariance: np.ndarray
    clip: tuple[float, float | None]

    @property
    def off_policy(self) -> bool:
        """Did an old policy draw?"""
        return True

    @property
    def told(self) -> str:
        """What the mean is, or what comes nearest, in words."""
        if self.verdict == ZERO:
            return "it moves nothing on average"
        if self.verdict == UNBIASED:
            return "the gradient of J"
        if self.verdict == FACTOR:
            return f"{number(self.factor)} of the gradient of J"
        if self.field is None:
            name, rest = self.nearest
            as_if = "as if it climbed " if self.verdict == NOTHING else ""
            if rest <= NEARLY:
                return (
                    f"{as_if}{name}, to {digits(rest)} digits: off by more than rounding, as by an "
                    f"epsilon beside a deviation, by 32 bits or by a further term"
                )
            if rest <= CLOSE:
                return f"{as_if}{name}, but for {percent(rest)}"
            no = "not"
            if self.off_policy:
                widths = " and ".join(f"{width:g}" for width in self.clip if width is not None)
                no = f"neither the surrogate clipped at {widths} nor"
            return f"{no} anything known: nearest is {name}, off by {percent(rest)}"
        if self.field == MOVING:
            return "along the gradient of J, by a factor that moves: the same path at another speed"
        much = "" if self.factor is None else number(self.factor)
        much = "" if much in ("", "1") else f"{much} of "
        how = "it climbs" if self.climbs else "as if it climbed"
        how = "downhill: it climbs" if self.field == "-J" else how
        return f"{how} {much}{self.field}"


@dataclass(frozen=True, eq=False, repr=False)
class OldReport(Outcome):
    """What came of a trial with the samples of one old policy; see :class:`Outcome`.

    Verdict, field and factor are those of all the old policies together.

    Attributes
    ----------
    theta_old : (O, A) logits of the policy that drew.
    """

    theta_old: np.ndarray

    def __str__(self) -> str:
        beside = f"size {number(self.size)}, angle {degrees(self.angle)} beside the gradient of J"
        return folded([self.verdict, self.told, beside], "")

    __repr__ = __str__


@dataclass(frozen=True, eq=False, repr=False)
class Report(Outcome):
    """What came of a trial; printed, a handful of lines.  See :class:`Outcome`.

    Attributes
    ----------
    place : theta, its world and its groups, a :class:`.Place`.
    thetas : (K, O, A) logits at which it was tried; the first is theta.
    old : the same with samples of old policies, an :class:`OldReport` each.
    knows_old : does the update look at the old policy at all?  None where none was tried.
    caution : what this world cannot show.
    """

    place: Place
    thetas: np.ndarray
    old: tuple[OldReport, ...]
    knows_old: bool | None
    caution: tuple[str, ...]

    @property
    def off_policy(self) -> bool:
        """Did an old policy draw, also for the verdict itself?"""
        return not self.place.on_policy

    @property
    def gradient(self) -> np.ndarray:
        """Grad J at theta, (O, A)."""
        return self.place.gradient

    @property
    def excess(self) -> np.ndarray:
        """What the mean has too much beside its best multiple of grad J, (O, A)."""
        gradient = self.gradient
        return self.mean - (self.mean * gradient).sum() / (gradient**2).sum() * gradient

    @property
    def groups(self) -> int:
        """How many groups there are at theta."""
        return len(self.place.groups.rows)

    def __str__(self) -> str:
        how = "with an old policy's samples" if self.off_policy else "on-policy"
        where = f"G = {self.place.G}, {how}, at {counted(len(self.thetas), 'theta')}"
        lines = [folded([self.verdict, self.told, where], "")]
        if self.verdict not in (UNBIASED, FACTOR, ZERO):
            beside = f"size {number(self.size)}, angle {degrees(self.angle)}"
            lines.append(folded([f"beside the gradient of J: {beside}"]))
            lines += [folded([line]) for line in self._direction()]
        if math.isfinite(self.noise):
            lines.append(f"  noise {number(self.noise)} of REINFORCE's at equal length")
        lines += [folded(self._of_old())] if self.old else []
        lines.append(folded([self._tried()]))
        if self.caution:
            lines.append(folded(["cannot be seen here: " + self.caution[0], *self.caution[1:]]))
        return "\n".join(lines)

    __repr__ = __str__

    def _tried(self) -> str:
        world, place = self.place.world, self.place
        starts = len(np.unique(place.tau.states[:, 0]))
        many = counted(len(place.tau), "trajectory"), counted(self.groups, "group")
        return (
            f"tried in: {counted(starts, 'start')}, {counted(world.A, 'action')}, {many[0]}, "
            f"{many[1]} at each place"
        )

    def _direction(self) -> list[str]:
        """Which entries get most too much and most too little, beside the largest of grad J."""
        world, unit = self.place.world, np.abs(self.gradient).max()
        names = [f"({o}, {a})" for o in world.percepts for a in world.actions]
        share = [settled(x) for x in self.excess.ravel() / unit]
        order = sorted(range(len(share)), key=lambda k: (-round(abs(share[k]), 6), k))
        out = []
        for word, sign in (("too much", 1), ("too little", -1)):
            some = [k for k in order if sign * share[k] > LEAST][:SHOWN]
            each = [f"{names[k]} {percent(share[k], '+')}" for k in some]
            out += [f"{word}: {', '.join(each)}"] if some else []
        return out

    def _of_old(self) -> list[str]:
        one = self.old[0]
        head = f"old samples, {counted(len(self.old), 'policy')}: "
        if one.verdict in (UNBIASED, ZERO):
            return [head + one.verdict]
        if one.verdict == FACTOR:
            return [f"{head}unbiased up to a factor, {number(one.factor)}"]
        angles = [x.angle for x in self.old if math.isfinite(x.angle)]
        low, high = degrees(min(angles)), degrees(max(angles))
        turned = f"{head}biased, {low if low == high else f'{low} to {high}'}"
        if self.knows_old is False:
            return [f"{turned}, as must be: it does not look at the old policy"]
        return [turned, one.told]
