r"""What came of a trial, and the lines that say so.

With m = E[g] the mean update, and Cov_0 the covariance of plain REINFORCE from as many trajectories
drawn by theta itself,

    size  = |m| / |grad J|,          along = m . grad J / |grad J|,
    angle = arctan2(sqrt(|m|^2 - along^2), along),
    noise = tr Cov / tr Cov_0 / size^2,
    excess = m - c grad J,           c = m . grad J / grad J . grad J.

The noise is measured at equal length, since half the size is used with twice the step.  Numbers are
rounded so that every machine prints the same.

Source: :mod:`.judge` for the verdict.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass

import numpy as np

from .judge import FACTOR, UNBIASED, ZERO

WIDE = 78
SHOWN = 2  # entries that get most too much, and most too little

__all__ = ["OldReport", "Report"]


@dataclass(frozen=True, eq=False)
class OldReport:
    """What came of a trial with the samples of one old policy.

    Attributes
    ----------
    theta_old : (O, A) logits of the policy that drew.
    verdict, climbs, field, factor, nearest : as in :class:`Report`, of all old policies together.
    size, angle, noise, mean, covariance : as in :class:`Report`, with this old policy.
    """

    theta_old: np.ndarray
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


@dataclass(frozen=True, eq=False)
class Report:
    """What came of a trial; printed, a handful of lines.

    Attributes
    ----------
    verdict : one of :data:`.VERDICTS`.
    climbs : the name of the objective that the mean update climbs; None where none is known.
    field : the name of what the mean update is, also where that is the gradient of nothing; None.
    factor : the multiple of that gradient, the same at every theta; None for none or for a sum.
    nearest : where nothing fits, the closest name and what is left of the mean update; else None.
    size, angle, noise : beside grad J, at theta; angle in degrees; NaN where the mean is zero.
    mean : (O, A) the exact mean update at theta.
    covariance : (O*A, O*A) its covariance.
    gradient : (O, A), grad J at theta.
    excess : (O, A) what the mean has too much beside its best multiple of grad J.
    G : trajectories in a group.
    on_policy : did theta itself draw?
    thetas : (K, O, A) logits at which it was tried; the first is theta.
    groups : how many groups there are.
    old : the same with samples of old policies, an :class:`OldReport` each.
    knows_old : does the update look at the old policy at all?  None where none was tried.
    caution : what this world cannot show.
    entries : the names of the entries, "percept action", (O*A,).
    trajectories, starts, actions : of the world, how many.
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
    gradient: np.ndarray
    excess: np.ndarray
    G: int
    on_policy: bool
    thetas: np.ndarray
    groups: int
    old: tuple[OldReport, ...]
    knows_old: bool | None
    caution: tuple[str, ...]
    entries: tuple[str, ...]
    trajectories: int
    starts: int
    actions: int

    def __str__(self) -> str:
        how = "on-policy" if self.on_policy else "with an old policy's samples"
        where = f"G = {self.G}, {how}, at {len(self.thetas)} thetas"
        lines = [_folded([self.verdict, *self._climbed(), where], "")]
        if self.verdict not in (UNBIASED, FACTOR, ZERO):
            beside = f"size {number(self.size)}, angle {degrees(self.angle)}"
            lines.append(_folded([f"beside the gradient of J: {beside}", *self._direction()]))
        if self.verdict != ZERO:
            lines.append(f"  noise {number(self.noise)} of REINFORCE's at equal length")
        lines += self._old_lines()
        tried = f"tried in: {self.starts} starts, {self.actions} actions"
        tried = tried.replace("1 starts", "1 start") if self.starts == 1 else tried
        many = f"{self.trajectories:,} trajectories, {self.groups:,} groups at each place"
        lines.append(_folded([f"{tried}, {many}"]))
        if self.caution:
            lines.append(_folded(["cannot be seen here: " + self.caution[0], *self.caution[1:]]))
        return "\n".join(lines)

    def _climbed(self) -> list[str]:
        if self.verdict == ZERO:
            return ["it moves nothing on average"]
        if self.verdict == UNBIASED:
            return ["the gradient of J"]
        return [_climbed(self)]

    def _direction(self) -> list[str]:
        """Which entries get most too much and most too little, beside the largest of grad J."""
        unit = np.abs(self.gradient).max()
        share = np.array([settled(x) for x in self.excess.ravel() / unit])
        order = sorted(range(len(share)), key=lambda k: (-abs(round(share[k], 6)), k))
        out = []
        for word, sign in (("too much", 1), ("too little", -1)):
            some = [k for k in order if sign * share[k] > 5e-4][:SHOWN]
            if some:
                each = ", ".join(f"{self.entries[k]} {100 * share[k]:+.2g}%" for k in some)
                out.append(f"{word}: {each}")
        return out

    def _old_lines(self) -> list[str]:
        if not self.old:
            return []
        one, angles = self.old[0], [x.angle for x in self.old]
        head = f"old samples, {len(self.old)} " + ("policies" if len(self.old) > 1 else "policy")
        parts = [one.verdict]
        if one.verdict == FACTOR:
            parts = [f"unbiased up to a factor, {number(one.factor)}"]
        elif one.verdict not in (UNBIASED, ZERO):
            low, high = degrees(min(angles)), degrees(max(angles))
            turn = low if low == high else f"{low} to {high}"
            parts = [f"biased, {turn}", _climbed(one)]
            if self.knows_old is False:
                parts = [f"biased, {turn}, as must be: it does not look at the old policy"]
        return [_folded([f"{head}: {parts[0]}", *parts[1:]])]


def _climbed(report) -> str:
    """What is climbed, or what comes nearest, in words."""
    factor, field = report.factor, report.field
    if report.verdict == FACTOR:
        return f"{number(factor)} of the gradient of J"
    if field is None:
        name, rest = report.nearest
        return f"nothing known fits; nearest is {name}, off by {100 * settled(rest):.2g}%"
    if field == "J":
        return f"downhill, {number(factor)} of the gradient of J"
    much = "" if factor is None or number(factor) == "1" else f"{number(factor)} of "
    return f"{'its mean is that of' if report.climbs is None else 'it climbs'} {much}{field}"


# --- numbers and lines ---------------------------------------------------------------------------


def settled(x: float) -> float:
    """Drop the digits on which machines may differ."""
    return float(f"{float(x):.7g}")


def number(x: float) -> str:
    """A number to three digits; what is exact stands without decimals."""
    if not math.isfinite(x):
        return "undefined"
    x = settled(x)
    if x == round(x) and abs(x) < 1000:
        return f"{x:.0f}"
    return f"{x:.3f}" if 0.1 <= abs(x) < 10 else f"{x:.3g}"


def degrees(x: float) -> str:
    """An angle; what is exact stands without decimals."""
    x = settled(x)
    if abs(x - round(x)) < 1e-5:
        return f"{round(x):.0f}°"
    return f"{x:.1f}°" if x >= 0.05 else f"{x:.2g}°"


def _folded(parts: list[str], indent: str = "  ") -> str:
    """Join parts by a dot, and fold the line where it would be wider than 78."""
    line = " · ".join(parts)
    return textwrap.fill(
        line,
        WIDE,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
