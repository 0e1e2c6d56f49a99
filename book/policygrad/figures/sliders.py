"""Pictures with a slider: over a probability, a number of trajectories, or a step size.

Every number shown was passed in; a slider chooses among what was computed, it computes nothing.
"""

from __future__ import annotations

import numpy as np

from . import marks
from .marks import Axes, said
from .moving import Draggable, draggable
from .style import Refused, drawn

__all__ = ["slider_over_m", "slider_over_q", "slider_over_step_size"]


@drawn
def slider_over_q(q, steps, parts, *, alt: str) -> Draggable:
    """Move a point along the mean number of steps, and see what two starts contribute to it.

    Parameters
    ----------
    q : (n,) chances of right in the aliased cells, rising.
    steps : (n,) mean number of steps at each.
    parts : {name: (n,)} two mean numbers of steps, of the episodes of one start each.
    alt : what the still shows; it is the q with the fewest steps.
    """
    q, steps = np.asarray(q, float), np.asarray(steps, float)
    if q.ndim != 1 or steps.shape != q.shape or (np.diff(q) <= 0).any():
        raise Refused("q must be rising numbers, and steps a number for each of them")
    parts = {name: np.asarray(part, float) for name, part in parts.items()}
    for name, part in parts.items():
        if part.shape != q.shape:
            raise Refused(f"parts[{name!r}] must have a number for each of {len(q)} q")
    best = int(np.argmin(steps))
    axes = Axes(_wide(q), (0, 1.05 * steps.max()), (48, 30, 418, 150))
    base = axes.marks("q, the chance of right in the aliased cells", "mean number of steps")
    curve = axes.place(np.column_stack([q, steps]))
    base.append(marks.line(curve, width=2.5))
    scale = 330 / max(part.max() for part in parts.values())
    for row, name in enumerate(parts):
        base.append(marks.text(96, 252 + 26 * row, name, anchor="end"))
    frames = {}
    for k in range(len(q)):
        (x, y), foot = curve[k], axes.box[1] + axes.box[3]
        shown = [
            marks.line([(x, foot), (x, y)], colour="policy", width=1.5, dashed=True),
            marks.disc(x, y, 6),
        ]
        for row, part in enumerate(parts.values()):
            shown.append(marks.bar(104, 240 + 26 * row, scale * part[k], 16))
            number = f"{part[k]:.2f}"
            inside = scale * part[k] > 290
            at = 104 + scale * part[k] + (-6 if inside else 6)
            look = {"anchor": "end", "colour": "paper"} if inside else {}
            shown.append(marks.text(at, 252 + 26 * row, number, **look))
        each = ", ".join(f"{name} {part[k]:.2f}" for name, part in parts.items())
        frames[f"Chance {said(q[k])}: {steps[k]:.2f} steps on average; {each}."] = shown
    size = (480, 250 + 26 * len(parts))
    name = "the mean number of steps, by the chance of right"
    return draggable(base, frames, alt=alt, name=name, size=size, still=best, control="q")


@drawn
def slider_over_m(exact, clouds, *, labels, alt: str, typical=None) -> Draggable:
    """See estimates gather around the exact gradient, as more trajectories go into each.

    Parameters
    ----------
    exact : (2,) the exact gradient, in two directions.
    clouds : {m: (k, 2)} estimates from m trajectories each.
    labels : names of the two directions.
    alt : what the still shows; it is the smallest m.
    typical : {m: length} of the error that is to be expected; a dashed circle.
    """
    exact = np.asarray(exact, float)
    clouds = {m: np.asarray(cloud, float) for m, cloud in sorted(clouds.items())}
    for m, cloud in clouds.items():
        if exact.shape != (2,) or cloud.ndim != 2 or cloud.shape[1] != 2:
            raise Refused(
                f"clouds[{m}] must be points in two directions, (k, 2), like exact, (2,); "
                f"shapes are {cloud.shape} and {exact.shape}"
            )
    every = np.concatenate([*clouds.values(), [exact, [0.0, 0.0]]])
    middle = (every.min(axis=0) + every.max(axis=0)) / 2
    half = 0.55 * np.ptp(every, axis=0).max()
    axes = Axes(
        (middle[0] - half, middle[0] + half),
        (middle[1] - half, middle[1] + half),
        (64, 30, 300, 300),
    )
    tip, origin = axes.place([exact, (0, 0)])
    base = axes.marks(labels[0], labels[1])
    over = [marks.arrow(origin, tip)]
    base += [marks.disc(394, 60, 4, colour="estimate"), marks.text(404, 64, "estimates")]
    base += [marks.arrow((386, 86), (400, 86)), marks.text(404, 90, "exact")]
    if typical is not None:
        base += [marks.ring(393, 112, 6, dashed=True)]
        base += [marks.text(404, 116, "typical")]
    frames = {}
    for m, cloud in clouds.items():
        shown = [marks.dots(axes.place(cloud), size=4), *over]
        if typical is not None:
            radius = typical[m] * axes.box[2] / (2 * half)
            shown.append(marks.ring(*tip, radius, dashed=True))
        error = np.sqrt(((cloud - exact) ** 2).sum(axis=1).mean())
        trajectories = "trajectory" if m == 1 else "trajectories"
        words = f"{m:,} {trajectories} in each estimate: typical error {said(error, 2)}"
        words += "" if typical is None else f", expected {said(typical[m], 2)}"
        frames[f"{words}."] = shown
    name = "estimates around the exact gradient, by the number of trajectories"
    return draggable(base, frames, alt=alt, name=name, size=(480, 376), control="m")


@drawn
def slider_over_step_size(x, J, runs, *, label: str, alt: str) -> Draggable:
    """See ascents on a curve for several step sizes: they settle, zigzag or leave.

    Above, the points on the curve; below, where the ascent is at each step, downwards.

    Parameters
    ----------
    x, J : (n,) the curve.
    runs : {step size: (k, 2)} points (x, J) of an ascent, from its start on.
    label : name of the parameter.
    alt : what the still shows; it is the smallest step size.
    """
    x, J = np.asarray(x, float), np.asarray(J, float)
    if x.ndim != 1 or J.shape != x.shape:
        raise Refused(f"x and J must be lists of one length; shapes are {x.shape} and {J.shape}")
    low, high = J.min(), J.max()
    axes = Axes(_wide(x), (low, high + 0.08 * (high - low)), (52, 30, 414, 150))
    last = max(len(path) for path in runs.values()) - 1
    below = Axes(_wide(x), (max(last, 1), 0), (52, 216, 414, 150))
    base = [*axes.marks("", "J", whole=False), *below.marks(label, "step")]
    base.append(marks.line(axes.place(np.column_stack([x, J])), width=2.5))
    frames = {}
    for size, path in sorted(runs.items()):
        path = np.asarray(path, float)
        if path.ndim != 2 or path.shape[1] != 2:
            raise Refused(f"runs[{size}] must be points (x, J), (k, 2); it has {path.shape}")
        inside = axes.holds(path)
        left = len(path) if inside.all() else int(np.argmin(inside))
        if not left:
            raise Refused(f"runs[{size}] must start within the curve; it starts at {path[0]}")
        says, settles = _how(path, left)
        colour = "policy" if settles else "wrong"
        seen = axes.place(path[:left])
        walked = below.place(np.column_stack([path[:left, 0], np.arange(left)]))
        shown = [marks.line(walked, colour=colour, width=1.5)] if left > 1 else []
        for at in (seen, walked):
            shown.append(marks.dots(at, colour=colour, size=7))
            shown.append(marks.ring(*at[0], 7))
        frames[f"Step size {said(size)}: {says}."] = shown
    name = "ascents on a curve, by the step size"
    return draggable(base, frames, alt=alt, name=name, size=(480, 412), control="step size")


def _how(path, left: int) -> tuple[str, bool]:
    """What becomes of an ascent, in words, and whether it never falls."""
    if left < len(path):
        return f"J falls; after {left} {'step' if left == 1 else 'steps'} it is out of sight", False
    moves, rises = np.diff(path, axis=0).T
    moving = np.abs(moves) > 1e-6 * np.abs(path[:, 0]).max()
    turns = np.diff(np.sign(moves[moving])) != 0
    if (rises < -1e-9 * np.abs(path[:, 1]).max()).any():
        return f"J falls at some of {len(rises)} steps", False
    if turns.any():
        return f"J rises at each of {len(rises)} steps, from one side of the top to the other", True
    return f"J rises at each of {len(rises)} steps, from one side", True


def _wide(x) -> tuple[float, float]:
    """The range of numbers, from the least to the greatest."""
    if not np.ptp(x) > 0:
        raise Refused("x must hold two numbers at least")
    return float(np.min(x)), float(np.max(x))
