"""The objective as a curve or a landscape, with the paths that climb it and those that do not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patheffects import withStroke

from .style import ESTIMATE, EXACT, FAINT, POLICY, WRONG, Picture, axes_of, drawn, styled

__all__ = ["aliased_limit", "ascent_runs", "landscape", "objective_curve", "return_curves"]


NEAR = 0.03  # of a picture's size: a name is that far from its point, if there is room


@drawn
def objective_curve(x, J, best, paths=(), *, label: str) -> Picture:
    """Plot J over one parameter, with its highest point and the steps of ascents.

    Parameters
    ----------
    x, J : (n,) the curve.
    best : (x, J) where J is largest.
    paths : (k, 2) arrays, the points (x, J) of an ascent each.
    label : name of the parameter.
    """
    figure, ax = axes_of(6.4, 3.2)
    with styled():
        ax.plot(np.round(x, 6), np.round(J, 6), color=EXACT, label="J, exact")
        ax.plot(*np.round(best, 6), "*", color=EXACT, markersize=11, label="its largest value")
        for i, path in enumerate(paths):
            name = None if i else "ascent, from the ring on"
            ax.plot(*np.round(path, 6).T, "o", color=POLICY, markersize=4, label=name)
            ax.plot(*np.round(path[0], 6), "o", color=EXACT, fillstyle="none", markersize=9)
        ax.set(xlabel=label, ylabel="J")
        ax.legend(loc="upper left" if len(paths) else "lower center")
    return Picture(figure, "the objective as a curve")


@drawn
def landscape(
    x, y, J, levels, *, labels, ascents=(), descents=(), marks=None, summits=None
) -> Picture:
    """Draw J over two parameters, the higher the darker, with paths up and down it.

    Parameters
    ----------
    x, y : (n,), (k,) the grid.
    J : (k, n) heights.
    levels : heights of the lines.
    labels : names of the two parameters.
    ascents, descents : lists of (l, 2) paths; the first point of a path is its start.
    marks : {name: (x, y)} points to name, a cross each.
    summits : {name: (x, y)} where it is highest, a star each; a point on the edge is drawn just
        inside, for a height that is reached beyond it.
    """
    figure, ax = axes_of(5.6, 4.6)
    J, levels = np.round(J, 6), np.sort(np.ravel(levels))
    paths = [np.round(path, 6) for path in (*ascents, *descents)]
    points = {**_inside(summits, x, y), **(marks or {})}
    taken = [np.reshape(place, (1, 2)) for place in points.values()] + paths
    with styled():
        lines = ax.contour(x, y, J, levels, colors=FAINT, linewidths=0.9)
        steps = np.linspace(0, 0.62, len(levels) + 1)
        shades = [(*to_rgb(FAINT), round(float(alpha), 3)) for alpha in steps]
        bounds = [min(J.min(), levels[0]) - 1, *levels, max(J.max(), levels[-1]) + 1]
        ax.contourf(x, y, J, bounds, colors=shades, zorder=0)
        places = _label_places(lines, taken, x, y)
        names = ax.clabel(lines, fontsize=9, colors=EXACT, manual=places)
        taken += [np.reshape(text.get_position(), (1, 2)) for text in names]
        for these, colour, line, name in (
            (ascents, POLICY, "o-", "ascent"),
            (descents, WRONG, "s--", "descent"),
        ):
            for path in these:
                path = np.round(path, 6)
                ax.plot(*path.T, line, color=colour, markersize=3.5, linewidth=1.6)
            if len(these):
                ax.plot([], [], line, color=colour, markersize=3.5, label=name)
        starts = np.array([path[0] for path in paths])
        if len(starts):
            ax.plot(*starts.T, "o", color=EXACT, markersize=6, label="start")
            figure.legend(loc="outside upper center", ncols=3)
        for name, place in points.items():
            star = name in (summits or {})
            sign = {"marker": "*", "markersize": 13} if star else {"marker": "x", "markersize": 8}
            ax.plot(*place, color=EXACT, linestyle="none", markeredgewidth=2 - star, **sign)
            halo = [withStroke(linewidth=3, foreground="white")]
            toward, gap = _clear_side(name, place, taken, x, y)
            across, up = toward
            leader = {"arrowstyle": "-", "color": EXACT, "linewidth": 0.8, "shrinkB": 6}
            ax.annotate(
                name,
                place,
                (300 * gap * across, 300 * gap * up),
                textcoords="offset points",
                ha=("center", "left", "right")[across],
                va=("center", "bottom", "top")[up],
                fontsize=10,
                path_effects=halo,
                arrowprops=leader if gap > NEAR else None,
            )
        ax.set(xlabel=labels[0], ylabel=labels[1], xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
        ax.set_aspect("equal")
    return Picture(figure, "the objective as a landscape")


def _inside(summits, x, y) -> dict:
    """Summits, those on the edge of the picture moved inside by a thirtieth of its size."""
    low, high = np.array([x[0], y[0]], float), np.array([x[-1], y[-1]], float)
    edge = (high - low) / 30
    return {k: np.clip(at, low + edge, high - edge) for k, at in (summits or {}).items()}


def _distance(place, taken, size) -> float:
    """How far a place is from all that is drawn, in parts of the picture."""
    return min((np.linalg.norm((part - place) / size, axis=1).min() for part in taken), default=1.0)


def _label_places(lines, taken, x, y) -> list:
    """A place on each line of equal height, as clear of all else as can be."""
    size = np.array([x[-1] - x[0], y[-1] - y[0]], float)
    middle = np.array([x[0], y[0]]) + size / 2
    found, taken = [], list(taken)
    for path in lines.get_paths():
        where = path.vertices[::3]
        where = where[(np.abs(where - middle) < 0.42 * size).all(axis=1)]
        if len(where):
            clear = [round(min(_distance(at, taken, size), 0.25), 3) for at in where]
            found.append(where[int(np.argmax(clear))])
            taken.append(found[-1][None])
    return found


def _clear_side(name: str, place, taken, x, y) -> tuple[tuple[int, int], float]:
    """The side of a point on which its name stands clear, and how far from it.

    It stays within the picture, and near its point if there is room.
    """
    size = np.array([x[-1] - x[0], y[-1] - y[0]], float)
    others = [_close_points(part[np.any(part != place, axis=1)], size) for part in taken]
    others = [part for part in others if len(part)]
    box = np.array([0.021 * len(name), 0.035])  # of the words, in parts of the picture
    grid = np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 13), [-0.5, 0, 0.5]), axis=-1)

    def room(choice):
        side, gap = choice
        middle = (np.asarray(place) - [x[0], y[0]]) / size + np.array(side) * (gap + box / 2)
        points = middle + grid.reshape(-1, 2) * box
        if not ((points > 0.01) & (points < 0.99)).all():
            return -1.0, 0.0
        where = [x[0], y[0]] + points * size
        clear = min(_distance(at, others, size) for at in where)
        return round(min(clear, NEAR), 3), -gap

    sides = ((1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1))
    return max(((side, gap) for gap in (NEAR, 0.1, 0.18) for side in sides), key=room)


def _close_points(path, size) -> np.ndarray:
    """Points along a path, none further from the next than a hundredth of the picture."""
    found = [path[:1]]
    for start, end in pairwise(path):
        many = 1 + int(100 * np.linalg.norm((end - start) / size))
        found.append(start + (end - start) * np.arange(1, many + 1)[:, None] / many)
    return np.concatenate(found)


@drawn
def ascent_runs(runs, best: float, *, lowest: float) -> Picture:
    """Plot J over the steps of several ascents.

    Parameters
    ----------
    runs : {name: (J, settles)}: heights after each step, and whether the run settles.
    best : the height to be reached.
    lowest : where the plot is cut off below.
    """
    figure, ax = axes_of(6.4, 3.4)
    with styled():
        ax.axhline(np.round(best, 6), color=EXACT, linewidth=0.8, label="largest J")
        markers = iter(("o-", "s-", "^--", "v:"))
        for name, (J, settles) in runs.items():
            colour = POLICY if settles else WRONG
            ax.plot(np.round(J, 6), next(markers), color=colour, markersize=4, label=name)
        ax.set(xlabel="step", ylabel="J", ylim=(lowest, best + 0.05 * (best - lowest)))
        ax.legend(loc="center right")
    return Picture(figure, "ascents with several step sizes")


@drawn
def return_curves(x, curves, *, xlabel: str, ylim, points=None, level=None) -> Picture:
    """Plot exact objectives over a probability, with single policies marked.

    Parameters
    ----------
    x : (n,) the probability.
    curves : {name: (n,) J}; solid, then dashed.
    xlabel : what x is.
    ylim : the range shown; J may leave it downwards.
    points : {name: list of (x, J)}; diamonds, the good ones, then squares, the bad ones.
    level : (name, J) of a policy that x does not describe.
    """
    figure, ax = axes_of(6.4, 3.6)
    with styled():
        for (name, J), dashes in zip(curves.items(), ("-", "--"), strict=False):
            ax.plot(x, np.round(J, 6), dashes, color=EXACT, label=name)
        looks = (("D", POLICY), ("s", WRONG))
        for (name, at), (marker, colour) in zip((points or {}).items(), looks, strict=False):
            ax.plot(*np.round(at, 6).T, marker, color=colour, markersize=8, label=name)
        if level is not None:
            ax.axhline(level[1], color=POLICY, linestyle=":", linewidth=2.5, label=level[0])
        ax.set(xlim=(0, 1), ylim=ylim, xlabel=xlabel, ylabel="J")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
    return Picture(figure, "exact objectives over a probability")


@drawn
def aliased_limit(shares, entries, dots) -> Picture:
    """Plot two entries of a table at an aliased percept over the share of visits to one state.

    Parameters
    ----------
    shares : (n,) share of the visits that fall on that state.
    entries : (n, 2) the exact limits of the entries for left and right.
    dots : (k, 3) share, left and right, as learned.
    """
    figure, ax = axes_of(6.4, 3.4)
    dots = np.round(dots, 6)
    with styled():
        for j, (name, dashes, marker) in enumerate((("left", "--", "s"), ("right", "-", "o"))):
            y = np.round(np.asarray(entries)[:, j], 6)
            ax.plot(np.round(shares, 6), y, dashes, color=EXACT, label=f"{name}, exact")
            shown = {"color": ESTIMATE, "markersize": 7, "linestyle": "none"}
            learned = f"{name}, Q-learning"
            ax.plot(dots[:, 0], dots[:, 1 + j], marker, label=learned, **shown)
        ax.set(xlim=(0, 1), xlabel="w, the share of the visits that fall on u", ylabel="entry")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return Picture(figure, "two entries of the table follow the visits")
