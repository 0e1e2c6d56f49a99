"""Every picture of the book; the one module that imports matplotlib.

A function takes numbers and returns a :class:`Picture`, which a notebook shows as SVG: sharp,
small, and compared as text when the book is tested.  Nothing is computed here but positions.  What
cannot be drawn is refused by name, NaN and masked entries among it: a gap in a curve says nothing.

The same colours mean the same things in every chapter.  They are from the palette of
Okabe & Ito (2008), which the colour-blind can tell apart; shapes and dashes say the same once more.
"""

from __future__ import annotations

import functools
import inspect
import io
from collections.abc import Mapping

import numpy as np

try:
    from matplotlib import style
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch, Rectangle
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "policygrad.figures needs matplotlib: pip install matplotlib", name=missing.name
    ) from missing

from .validate import real_array

EXACT = "#1a1a1a"  # what is computed with no sampling
ESTIMATE = "#0072B2"  # what is estimated from samples
POLICY = "#009E73"  # what depends on theta
WORLD = "#E69F00"  # what does not: start and dynamics
WRONG = "#D55E00"  # what is refuted
FAINT = "#8c8c8c"

STYLE = {
    "svg.hashsalt": "policygrad",  # else the names inside the file change from run to run
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": EXACT,
    "xtick.color": EXACT,
    "ytick.color": EXACT,
    "legend.frameon": False,
    "path.simplify": False,
}

__all__ = [
    "Picture",
    "aliased_limit",
    "ascent_runs",
    "calibration",
    "corridor_map",
    "derivation_map",
    "error_decay",
    "gamma_trap_paths",
    "gradient_cloud",
    "group_weights",
    "landscape",
    "learning_curves",
    "objective_curve",
    "policy_table",
    "power_curve",
    "probability_shift",
    "return_bars",
    "return_curves",
    "score_reward_grid",
    "slope_estimates",
    "trajectory_factors",
]


class Picture:
    """A finished figure; it shows itself as SVG, the same text on every run."""

    def __init__(self, figure: Figure, name: str):
        self.figure = figure
        self.name = name

    def _repr_svg_(self) -> str:
        out = io.StringIO()
        with style.context(["default", STYLE]):
            self.figure.savefig(
                out, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight"
            )
        text = out.getvalue()
        return text[text.index("<svg") :]

    def __repr__(self) -> str:
        return f"<picture: {self.name}>"


def _drawn(function):
    """Let a function that draws refuse, by name, what it cannot draw.

    Every number inside an argument has to be real and finite, whatever lists and dictionaries it
    stands in.  Where numbers are sound but do not fit together, the error names the function.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def draw(*args, **options):
        bound = signature.bind(*args, **options)
        for name, value in bound.arguments.items():
            _require_drawable(name, value)
        try:
            return function(*args, **options)
        except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{function.__name__}{signature} cannot draw what it was given: {error}"
            ) from error

    return draw


def _require_drawable(name: str, value) -> None:
    """Refuse a number that is NaN, infinite, complex or masked, wherever it stands in the value."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            _require_drawable(f"{name}[{key!r}]", part)
    elif isinstance(value, (list, tuple)) and not all(map(_is_number, value)):
        for i, part in enumerate(value):
            _require_drawable(f"{name}[{i}]", part)
    elif not (value is None or isinstance(value, (str, bool, np.bool_))):
        real_array(name, value)


def _is_number(value) -> bool:
    return isinstance(value, (int, float, complex, np.number)) and not isinstance(value, bool)


def _axes(width: float, height: float, columns: int = 1, **options):
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(1, columns, **options)


@_drawn
def trajectory_factors(steps: int = 2) -> Picture:
    """Draw a trajectory as a chain: each arrow is one factor of P(tau; theta).

    Green, solid: the policy's factors.  Orange, dashed: start and dynamics, whose
    logarithms have no theta in them.
    """
    figure, ax = _axes(7.2, 1.5)
    nodes = [f"${kind}_{t}$" for t in range(steps) for kind in "sa"]
    nodes += [f"$s_{steps}$", r"$\cdots$", "$a_{H-1}$", "$s_H$"]
    arrows = [r"$\mu$", *[r"$\pi_\theta$", "$P$"] * steps, *[r"$\pi_\theta$"] * 2, "$P$"]
    with style.context(["default", STYLE]):
        for x, (node, factor) in enumerate(zip(nodes, arrows, strict=True)):
            gap = node == r"$\cdots$"  # H is any number
            ax.text(x, 0, node, ha="center", va="center", fontsize=10 if "H" in node else 12)
            if not gap:
                corners = "round,pad=0,rounding_size=0.12" if "s" in node else "square,pad=0"
                ax.add_patch(
                    FancyBboxPatch(
                        (x - 0.25, -0.25),
                        0.5,
                        0.5,
                        boxstyle=corners,
                        facecolor="white",
                        edgecolor=EXACT,
                    )
                )
            colour, dashes = (POLICY, "-") if "pi" in factor else (WORLD, "--")
            arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 2, "linestyle": dashes}
            ax.annotate(
                "", (x - 0.25, 0), (x - 0.75, 0), arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0}
            )
            ax.text(x - 0.52, 0.18, factor, ha="center", fontsize=12)
        ax.plot([], [], color=WORLD, linestyle="--", linewidth=2, label="the world's: no θ inside")
        ax.plot(
            [], [], color=POLICY, linewidth=2, label="the policy's: what is left of the gradient"
        )
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.12), ncols=2)
        ax.set(xlim=(-0.85, len(nodes) - 0.6), ylim=(-0.55, 0.55))
        ax.axis("off")
    return Picture(figure, "a trajectory and its factors")


@_drawn
def gradient_cloud(rows, probability, exact, means, *, labels, m: int) -> Picture:
    """Show the gradients of single trajectories around the exact one, and means of m of them.

    Parameters
    ----------
    rows : (n, 2) gradient of each possible trajectory, in two directions.
    probability : (n,) of those trajectories; the area of a dot is proportional to it.
    exact : (2,) the exact gradient.
    means : (k, 2) means of m sampled trajectories each.
    labels : names of the two directions.
    m : how many trajectories went into each mean.
    """
    figure, (left, right) = _axes(7.2, 3.5, columns=2)
    rows, means = np.round(rows, 6), np.round(means, 6)
    with style.context(["default", STYLE]):
        area = 900 * np.asarray(probability) / np.max(probability)
        rays = np.stack([np.zeros_like(rows), rows], axis=1)
        left.plot(*rays.T, color=ESTIMATE, alpha=0.3, linewidth=0.7)
        left.scatter(*rows.T, s=area, color=ESTIMATE, alpha=0.35, linewidths=0)
        left.scatter(*rows.T, s=3, color=ESTIMATE, linewidths=0)
        left.set_title("every single trajectory", fontsize=10)
        right.scatter(*means.T, s=9, color=ESTIMATE, alpha=0.6, linewidths=0)
        right.set_title(f"{len(means)} means of {m} trajectories", fontsize=10)
        for ax in (left, right):
            ax.axhline(0, color=FAINT, linewidth=0.6)
            ax.axvline(0, color=FAINT, linewidth=0.6)
            ax.annotate(
                "",
                exact,
                (0, 0),
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": EXACT,
                    "linewidth": 2,
                    "shrinkA": 0,
                    "shrinkB": 0,
                },
            )
            ax.set_xlabel(labels[0])
            ax.margins(0.12)
        left.set_ylabel(labels[1])
        right.plot([], [], color=EXACT, linewidth=2, label="exact gradient")
        right.scatter([], [], s=12, color=ESTIMATE, label="estimates")
        right.legend(loc="best", fontsize=9)
    return Picture(figure, "single-trajectory gradients around the exact one")


@_drawn
def error_decay(sizes, errors, predicted, band=None, wrong=None) -> Picture:
    """Plot the error of the estimate over the number of trajectories, and relative to the exact.

    Parameters
    ----------
    sizes : (n,) numbers of trajectories m.
    errors : (n, k) the error |ghat - grad J| of k estimates at each m.
    predicted : (n,) sqrt(trace of the exact covariance / m).
    band : (n, 2) the errors that the limit distribution puts below 5% and 95%.
    wrong : errors (n, k) of estimates that are biased, (n,) what is predicted for them, a name.
    """
    errors = np.asarray(errors)
    low, high = np.quantile(errors, [0.05, 0.95], axis=1) / predicted
    measured = np.sqrt((errors**2).mean(axis=1))
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(6.8, 5.4), layout="constrained")
        ax, below = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
        exact = r"exact, $\sqrt{\mathrm{tr}\,\Sigma/m}$"
        ax.plot(sizes, np.round(predicted, 8), color=EXACT, label=exact)
        ax.plot(sizes, np.round(measured, 8), "o", color=ESTIMATE, label="measured")
        if wrong is not None:
            others, stays, name = wrong
            others = np.sqrt((np.asarray(others) ** 2).mean(axis=1))
            ax.plot(sizes, np.round(stays, 8), "--", color=WRONG, label=f"exact, {name}")
            ax.plot(sizes, np.round(others, 8), "x", color=WRONG, label=f"measured, {name}")
        ax.set(xscale="log", yscale="log", ylabel=r"typical $|\hat g-\nabla J|$")
        ax.legend(fontsize=9)

        bars = below.vlines(sizes, np.round(low, 6), np.round(high, 6), color=ESTIMATE, linewidth=3)
        bars.set_label("nine estimates in ten")
        below.axhline(1, color=EXACT)
        if band is not None:
            for edge in np.transpose(band):
                below.plot(sizes, np.round(edge / predicted, 6), "--", color=EXACT)
            below.plot([], [], "--", color=EXACT, label="where they end for large m")
        below.set(xlabel="trajectories m", ylabel="error / typical", ylim=(0, None))
        below.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, 1.22), ncols=2)
    return Picture(figure, "the error falls as one over the square root of m")


@_drawn
def policy_table(policies, percepts, actions) -> Picture:
    """Show policies as tables: a row per percept, a column per action, a bar per probability.

    Parameters
    ----------
    policies : {title: pi}, each pi of shape (len(percepts), len(actions)); a panel each.
    percepts, actions : names of the rows and columns.
    """
    width = 1.3 + 2.7 * len(policies)
    figure, axes = _axes(width, 0.7 + 0.5 * len(percepts), len(policies), sharey=True)
    with style.context(["default", STYLE]):
        for ax, (title, pi) in zip(np.atleast_1d(axes), policies.items(), strict=True):
            pi = np.round(pi, 6)
            for (row, column), p in np.ndenumerate(pi):
                ax.barh(row, 0.9, 0.72, column, color="white", edgecolor=FAINT, linewidth=0.8)
                ax.barh(row, 0.9 * p, 0.72, column, color=POLICY, linewidth=0, alpha=0.6)
                ax.text(column + 0.45, row, f"{p:.2f}", ha="center", va="center", fontsize=9)
            ax.set_title(title, fontsize=10)
            ax.set(xlim=(-0.2, len(actions) + 0.1), ylim=(len(percepts) - 0.5, -0.5))
            ax.set_xticks(np.arange(len(actions)) + 0.45, actions)
            ax.set_yticks(range(len(percepts)), percepts)
            ax.tick_params(length=0)
            for spine in ax.spines.values():
                spine.set_visible(False)
    return Picture(figure, "policies as tables of probabilities")


@_drawn
def objective_curve(x, J, best, paths=(), *, label: str) -> Picture:
    """Plot J over one parameter, with its highest point and the steps of ascents.

    Parameters
    ----------
    x, J : (n,) the curve.
    best : (x, J) where J is largest.
    paths : (k, 2) arrays, the points (x, J) of an ascent each.
    label : name of the parameter.
    """
    figure, ax = _axes(6.4, 3.2)
    with style.context(["default", STYLE]):
        ax.plot(np.round(x, 6), np.round(J, 6), color=EXACT, label="J, exact")
        ax.plot(*np.round(best, 6), "*", color=EXACT, markersize=11, label="its largest value")
        for i, path in enumerate(paths):
            name = None if i else "ascent, from the ring on"
            ax.plot(*np.round(path, 6).T, "o", color=POLICY, markersize=4, label=name)
            ax.plot(*np.round(path[0], 6), "o", color=EXACT, fillstyle="none", markersize=9)
        ax.set(xlabel=label, ylabel="J")
        ax.legend(loc="upper left" if len(paths) else "lower center")
    return Picture(figure, "the objective as a curve")


@_drawn
def landscape(x, y, J, levels, *, labels, ascents=(), descents=(), marks=None) -> Picture:
    """Draw J over two parameters by lines of equal height, with paths up and down it.

    Parameters
    ----------
    x, y : (n,), (k,) the grid.
    J : (k, n) heights.
    levels : heights of the lines.
    labels : names of the two parameters.
    ascents, descents : lists of (l, 2) paths; the first point of a path is its start.
    marks : {name: (x, y)} points to name.
    """
    figure, ax = _axes(5.6, 4.6)
    with style.context(["default", STYLE]):
        lines = ax.contour(x, y, np.round(J, 6), levels, colors=FAINT, linewidths=0.9)
        ax.clabel(lines, fontsize=9, colors=EXACT)
        for paths, colour, line, name in (
            (ascents, POLICY, "o-", "ascent"),
            (descents, WRONG, "s--", "descent"),
        ):
            for path in paths:
                path = np.round(path, 6)
                ax.plot(*path.T, line, color=colour, markersize=3.5, linewidth=1.6)
            if len(paths):
                ax.plot([], [], line, color=colour, markersize=3.5, label=name)
        starts = np.array([path[0] for path in (*ascents, *descents)])
        if len(starts):
            ax.plot(*starts.T, "o", color=EXACT, markersize=6, label="start")
            figure.legend(loc="outside upper center", ncols=3)
        for name, place in (marks or {}).items():
            ax.plot(*place, "x", color=EXACT, markersize=8, markeredgewidth=2)
            offset = {"xytext": (7, 7), "textcoords": "offset points", "ha": "center"}
            ax.annotate(name, place, fontsize=9, **offset)
        ax.set(xlabel=labels[0], ylabel=labels[1], xlim=(x[0], x[-1]), ylim=(y[0], y[-1]))
        ax.set_aspect("equal")
    return Picture(figure, "the objective as a landscape")


@_drawn
def ascent_runs(runs, best: float, *, lowest: float) -> Picture:
    """Plot J over the steps of several ascents.

    Parameters
    ----------
    runs : {name: (J, settles)}: heights after each step, and whether the run settles.
    best : the height to be reached.
    lowest : where the plot is cut off below.
    """
    figure, ax = _axes(6.4, 3.4)
    with style.context(["default", STYLE]):
        ax.axhline(np.round(best, 6), color=EXACT, linewidth=0.8, label="largest J")
        markers = iter(("o-", "s-", "^--", "v:"))
        for name, (J, settles) in runs.items():
            colour = POLICY if settles else WRONG
            ax.plot(np.round(J, 6), next(markers), color=colour, markersize=4, label=name)
        ax.set(xlabel="step", ylabel="J", ylim=(lowest, best + 0.05 * (best - lowest)))
        ax.legend(loc="center right")
    return Picture(figure, "ascents with several step sizes")


@_drawn
def return_bars(returns, weights, means) -> Picture:
    """Show each trajectory as a block at its return, as high as its probability.

    Parameters
    ----------
    returns : (n,) R(tau) of every trajectory.
    weights : {name of a policy: (n,) P(tau)}; one panel each, on the same axes.
    means : {the same names: J}.
    """
    returns = np.round(returns, 6)
    places = np.unique(returns)
    width = 0.7 * np.diff(places).min()
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(6.6, 1.9 * len(weights) + 0.3), layout="constrained")
        panels = figure.subplots(len(weights), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for ax, (name, P) in zip(panels, weights.items(), strict=True):
            bottom = np.zeros(len(returns))
            for place in places:
                here = np.flatnonzero(returns == place)
                bottom[here] = np.cumsum(P[here]) - P[here]
            block = {"facecolor": POLICY, "edgecolor": "white", "linewidth": 0.4}
            ax.bar(returns, np.round(P, 6), width, np.round(bottom, 6), **block)
            mean = np.round(means[name], 6)
            ax.axvline(mean, color=EXACT, linestyle="--", linewidth=1.2)
            ax.annotate(
                "J",
                (mean, 1),
                (4, -10),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
            )
            ax.set_title(name, fontsize=10, loc="left")
            ax.set_ylabel(r"$P(\tau;\theta)$")
        panels[-1].set_xlabel(r"return $R(\tau)$")
    return Picture(figure, "probabilities of trajectories over their returns")


@_drawn
def probability_shift(returns, slopes) -> Picture:
    """Show by return how much probability a nudge of a parameter adds or takes away.

    Parameters
    ----------
    returns : (n,) R(tau) of every trajectory.
    slopes : (n,) derivative of P(tau; theta) by that parameter.
    """
    returns = np.round(returns, 6)
    places = np.unique(returns)
    figure, ax = _axes(6.6, 2.8)
    with style.context(["default", STYLE]):
        height = np.round([np.sum(slopes[returns == place]) for place in places], 6)
        width = 0.7 * np.diff(places).min()
        for sign, hatch, name in ((1, None, "likelier"), (-1, "////", "less likely")):
            chosen = sign * height > 0
            filling = {"facecolor": "white" if hatch else POLICY, "hatch": hatch}
            ax.bar(places[chosen], height[chosen], width, edgecolor=POLICY, label=name, **filling)
        ax.axhline(0, color=EXACT, linewidth=0.8)
        ax.set(xlabel=r"return $R(\tau)$", ylabel=r"slope of $P(\tau;\theta)$")
        ax.legend(loc="best", fontsize=9)
    return Picture(figure, "where a nudge takes probability from, and where it puts it")


@_drawn
def corridor_map(drawing: str, percepts, *, aliased) -> Picture:
    """Draw a map of walls, cells, dust and hamsters, with the percept written in each cell.

    Parameters
    ----------
    drawing : rows of '#' wall, '.' floor, 'D' dust, 'h' hamster.
    percepts : {(row, column): text} for the cells in which an action is taken.
    aliased : {(row, column): name} of the cells that share a percept; they are hatched.
    """
    rows = drawing.splitlines()
    figure, ax = _axes(6.4, 6.4 * len(rows) / len(rows[0]))
    with style.context(["default", STYLE]):
        for y, line in enumerate(rows):
            for x, sign in enumerate(line):
                same, face = (y, x) in aliased, FAINT if sign == "#" else "white"
                look = {"hatch": "///", "edgecolor": WRONG} if same else {"edgecolor": FAINT}
                box = Rectangle((x, y), 1, 1, facecolor=face, linewidth=0.8, **look)
                ax.add_patch(box)
                if sign in "Dh":
                    what, colour = ("dust", WORLD) if sign == "D" else ("hamster", EXACT)
                    mark = {"marker": "*" if sign == "D" else "o", "color": colour}
                    ax.plot(x + 0.5, y + 0.4, markersize=17, **mark)
                    ax.text(x + 0.5, y + 0.83, what, ha="center", va="center", fontsize=9)
                elif (y, x) in percepts:
                    back = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none"}
                    text = {"ha": "center", "va": "center", "fontsize": 12, "bbox": back}
                    ax.text(x + 0.5, y + 0.5, percepts[y, x], **text)
                    if same:
                        text["bbox"] = {**back, "boxstyle": "square,pad=0.15"}
                        ax.text(x + 0.14, y + 0.16, f"${aliased[y, x]}$", **text)
        ax.set(xlim=(0, len(rows[0])), ylim=(len(rows), 0), aspect="equal")
        ax.axis("off")
    return Picture(figure, "the corridor, and what is felt in each cell")


@_drawn
def aliased_limit(shares, entries, dots) -> Picture:
    """Plot two entries of a table at an aliased percept over the share of visits to one state.

    Parameters
    ----------
    shares : (n,) share of the visits that fall on that state.
    entries : (n, 2) the exact limits of the entries for left and right.
    dots : (k, 3) share, left and right, as learned.
    """
    figure, ax = _axes(6.4, 3.4)
    dots = np.round(dots, 6)
    with style.context(["default", STYLE]):
        for j, (name, dashes, marker) in enumerate((("left", "--", "s"), ("right", "-", "o"))):
            y = np.round(np.asarray(entries)[:, j], 6)
            ax.plot(np.round(shares, 6), y, dashes, color=EXACT, label=f"{name}, exact")
            shown = {"color": ESTIMATE, "markersize": 7, "linestyle": "none"}
            learned = f"{name}, Q-learning"
            ax.plot(dots[:, 0], dots[:, 1 + j], marker, label=learned, **shown)
        ax.set(xlim=(0, 1), xlabel="w, the share of the visits that fall on u", ylabel="entry")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return Picture(figure, "two entries of the table follow the visits")


@_drawn
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
    figure, ax = _axes(6.4, 3.6)
    with style.context(["default", STYLE]):
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


@_drawn
def score_reward_grid(sizes) -> Picture:
    """Show for each score (row) and each reward (column) how much they have to do with each other.

    Parameters
    ----------
    sizes : (H, H) length of E[ score of step t times reward of step k ], at [t, k]; squares have
        that area, and what is zero to ten digits is an open circle.
    """
    sizes = np.round(sizes, 10)
    figure, ax = _axes(4.2, 3.9)
    steps = np.arange(len(sizes))
    with style.context(["default", STYLE]):
        t, k = np.nonzero(sizes)
        area = np.round(1100 * sizes[t, k] / sizes.max(), 4)
        ax.scatter(k, t, s=area, marker="s", color=EXACT, linewidths=0, label="not zero")
        t, k = np.nonzero(sizes == 0)
        ax.scatter(k, t, s=36, marker="o", facecolor="white", edgecolor=FAINT, label="zero")
        ends = np.repeat(np.arange(len(sizes)), 2) - 0.5
        ax.plot(ends[1:], ends[:-1] + 1, color=POLICY, linestyle="--")
        ax.set(xticks=steps, yticks=steps, xlim=(-0.6, steps[-1] + 0.6), aspect="equal")
        ax.set_ylim(steps[-1] + 0.6, -0.6)
        ax.set(xlabel="time k of the reward", ylabel="time t of the score")
    return Picture(figure, "scores and the rewards that they have to do with")


@_drawn
def gamma_trap_paths(p, J, J_undiscounted, right, wrong) -> Picture:
    """Show two ways of updating in the gamma trap, on the discounted and undiscounted objective.

    Parameters
    ----------
    p : (n,) probabilities of right.
    J, J_undiscounted : (n,) both objectives there.
    right, wrong : (k, 3) p and both objectives along the updates with gamma^t and without.
    """
    figure, axes = _axes(7.2, 3.3, columns=2)
    right, wrong = np.round(right, 6), np.round(wrong, 6)
    with style.context(["default", STYLE]):
        for i, (ax, line) in enumerate(zip(axes, (J, J_undiscounted), strict=True)):
            ax.plot(p, line, color=EXACT, label="the objective")
            for path, marker, colour, name in (
                (right, "o", POLICY, r"with $\gamma^t$"),
                (wrong, "s", WRONG, r"without $\gamma^t$"),
            ):
                ax.plot(*path[:, [0, 1 + i]].T, marker, color=colour, markersize=6, label=name)
            ax.set_xlabel("p, the probability of right")
            ax.margins(0.06)
        axes[0].set_title("discounted: what is to be climbed", fontsize=10)
        axes[1].set_title("undiscounted", fontsize=10)
        axes[0].set_ylabel("J(p)")
        axes[0].legend(loc="upper left", fontsize=9)
    return Picture(figure, "updates with and without the discount of the step")


# (formula, chapter, licence for the step that leads to it)
_GRADIENT = r"$\nabla J=E_\tau[\,\sum_t\nabla\log\pi_\theta(a_t|s_t)\,%s\,]$"
_TO_THE_ESTIMATE = (
    (r"$J(\theta)=\sum_\tau P(\tau;\theta)\,R(\tau)$", 3, ""),
    (r"$\nabla J=\sum_\tau \nabla P(\tau;\theta)\,R(\tau)$", 4, "finite sum"),
    (
        r"$\nabla J=\sum_\tau P(\tau;\theta)\,\nabla\log P(\tau;\theta)\,R(\tau)$",
        4,
        r"$\nabla f=f\,\nabla\log f$",
    ),
    (r"$\nabla J=E_\tau[\,\nabla\log P(\tau;\theta)\,R(\tau)\,]$", 5, "a mean, by its name"),
    (_GRADIENT % r"R(\tau)", 7, "the two branches meet"),
    (_GRADIENT % r"\gamma^t G_t", 8, "past rewards have mean zero"),
    (
        r"$\hat g=\frac{1}{m}\sum_i\sum_t\nabla\log\pi_\theta(a_t^{(i)}|s_t^{(i)})"
        r"\,\gamma^t G_t^{(i)}$",
        9,
        "samples for the mean",
    ),
)
_OF_THE_WORLD = (
    (r"$P(\tau;\theta)=\mu\,\prod_t\pi_\theta\,P_t$", 3, ""),
    (
        r"$\log P(\tau;\theta)=\log\mu+\sum_t\log P_t+\sum_t\log\pi_\theta$",
        6,
        "log of a product",
    ),
    (r"$\nabla\log P(\tau;\theta)=\sum_t\nabla\log\pi_\theta$", 6, r"no $\theta$ in the world"),
)


@_drawn
def derivation_map() -> Picture:
    """Draw the derivation: a column of formulas, and a second one that joins it in chapter 7.

    Left: from the objective to an estimate of its gradient.  Right, orange: why the world drops
    out of it.  Each arrow carries the licence for its step.
    """
    main, side, joins = _TO_THE_ESTIMATE, _OF_THE_WORLD, 4
    figure, ax = _axes(7.2, 0.82 * len(main) + 0.2)
    with style.context(["default", STYLE]):
        at = {}
        for steps, x, colour in ((main, 0.0, EXACT), (side, 4.3, WORLD)):
            lowest = joins - 1 if steps is side else len(steps) - 1
            for k, (formula, chapter, licence) in enumerate(steps):
                y = -(lowest - (len(steps) - 1) + k)
                at[x, k] = y
                ax.text(
                    x,
                    y,
                    formula,
                    ha="center",
                    va="center",
                    fontsize=11,
                    bbox={"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour},
                )
                number = f"ch. {chapter}"
                ax.text(x - 1.9, y, number, ha="right", va="center", fontsize=9, color=EXACT)
                if k:
                    arrow = {"arrowstyle": "-|>", "color": colour, "shrinkA": 15, "shrinkB": 15}
                    ax.annotate("", (x, y), (x, at[x, k - 1]), arrowprops=arrow)
                    ax.text(x + 0.1, y + 0.5, licence, va="center", fontsize=9)
        arrow = {"arrowstyle": "-|>", "color": WORLD, "connectionstyle": "angle,angleA=90,angleB=0"}
        ax.annotate("", (1.55, -joins), (4.3, -(joins - 0.75)), arrowprops=arrow)
        ax.set(xlim=(-2.6, 6.4), ylim=(-len(main) + 0.5, 0.5))
        ax.axis("off")
    return Picture(figure, "a map of the derivation")


@_drawn
def slope_estimates(x, exact, at, means, errors, *, label: str) -> Picture:
    """Plot an exact slope of J over one parameter, and estimates of it from samples.

    Parameters
    ----------
    x, exact : (n,) parameter and exact slope.
    at, means, errors : (k,) where it was estimated, the estimates and their standard errors;
        bars show two of these to either side.
    label : name of the parameter.
    """
    figure, ax = _axes(6.4, 3.2)
    with style.context(["default", STYLE]):
        ax.axhline(0, color=FAINT, linewidth=0.8)
        ax.plot(np.round(x, 6), np.round(exact, 6), color=EXACT, label="exact")
        bars = {"fmt": "o", "color": ESTIMATE, "markersize": 5, "capsize": 3}
        ax.errorbar(
            at, np.round(means, 6), np.round(2 * errors, 6), label="estimated", zorder=3, **bars
        )
        ax.set(xlabel=label, ylabel="slope of J")
        ax.legend()
    return Picture(figure, "an exact slope and estimates of it")


@_drawn
def learning_curves(panels) -> Picture:
    """Plot how far J lies below the best value as several methods learn, on logarithmic axes.

    Parameters
    ----------
    panels : {title: (best, {name: (episodes, J)})}, a panel each.  J of shape (n,) is one curve;
        (n, runs) is drawn as the median over the runs and the band that holds eight in ten.  The
        first method is the exact one, the second is estimated, a third is the one that fails.
    """
    figure, axes = _axes(7.2, 3.8, len(panels), squeeze=False)
    looks = ((EXACT, "-"), (ESTIMATE, "-"), (WRONG, "--"))
    with style.context(["default", STYLE]):
        for ax, (title, (best, curves)) in zip(axes[0], panels.items(), strict=True):
            below = abs(best) / 100
            for (name, (x, J)), (colour, dashes) in zip(curves.items(), looks, strict=False):
                short = np.round(np.maximum(best - np.asarray(J), below / 1000), 6)
                if short.ndim == 2:
                    low, short, high = np.quantile(short, [0.1, 0.5, 0.9], axis=1)
                    ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
                ax.plot(x, short, dashes, color=colour, linewidth=1.8, label=name)
            ax.axhline(below, color=FAINT, linestyle=":", label="one hundredth of J*")
            ax.set(xscale="log", yscale="log", xlabel="episodes", title=title)
            ax.set_ylim(below / 40, None)
            ax.minorticks_off()
            ax.title.set_fontsize(10)
        axes[0][0].set_ylabel("J* − J")
        handles, names = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=9)
    return Picture(figure, "learning curves: how far J lies below the best")


@_drawn
def calibration(stated, series) -> Picture:
    """Plot measured rates of false alarms relative to the stated ones.

    Parameters
    ----------
    stated : (n,) stated rates.
    series : {name: (runs, alarms)}: how many runs, and (n,) in how many the truth was turned down.
        The last one is how it should not be done.  Bars show two binomial standard deviations.
    """
    figure, ax = _axes(6.8, 3.6)
    stated = np.asarray(stated)
    looks = ("o", "s", "^", "v")
    with style.context(["default", STYLE]):
        ax.axhline(1, color=EXACT, linewidth=1, label="as stated")
        for i, (name, (runs, alarms)) in enumerate(series.items()):
            last = i == len(series) - 1
            marker, colour = ("x", WRONG) if last else (looks[i], ESTIMATE)
            ratio = alarms / (runs * stated)
            spread = 2 * np.sqrt(ratio * (1 - alarms / runs) / (runs * stated))
            x = stated * 1.1 ** (i - (len(series) - 1) / 2)  # side by side
            bars = {"fmt": marker, "color": colour, "markersize": 5, "elinewidth": 1, "capsize": 2}
            bars |= {"fillstyle": "full" if i == 0 or last else "none"}
            ax.errorbar(np.round(x, 9), np.round(ratio, 6), np.round(spread, 6), label=name, **bars)
        ax.set(xscale="log", xlabel="stated rate of false alarms", ylabel="measured / stated")
        ax.set_ylim(0, None)
        ax.set_xlim(1.4 * stated.max(), stated.min() / 1.4)
        ax.minorticks_off()
        figure.legend(loc="outside upper center", ncols=3, fontsize=9)
    return Picture(figure, "measured over stated rates of false alarms")


@_drawn
def power_curve(x, power, bound, at, shares, *, sure: float) -> Picture:
    """Plot how often a bias is caught over its size.

    Parameters
    ----------
    x : (n,) the bias, in units of the one that is reported.
    power, bound : (n,) predicted probability of catching it, and a bound from below.
    at, shares : (k,) sizes tried, and the share of runs that caught them.
    sure : the probability with which the reported bias is caught.
    """
    figure, ax = _axes(6.4, 3.2)
    with style.context(["default", STYLE]):
        ax.axvline(1, color=FAINT, linestyle=":")
        ax.axhline(sure, color=FAINT, linestyle=":")
        ax.plot(np.round(x, 6), np.round(power, 6), color=EXACT, label="predicted")
        ax.plot(np.round(x, 6), np.round(bound, 6), "--", color=EXACT, label="bound")
        ax.plot(np.round(at, 6), np.round(shares, 6), "o", color=ESTIMATE, label="measured")
        ax.set(xlabel="bias / smallest bias reported", ylabel="share caught", ylim=(-0.03, 1.05))
        ax.legend(loc="center left", fontsize=9)
    return Picture(figure, "how often a bias is caught, by its size")


@_drawn
def group_weights(p, curves, limit) -> Picture:
    """Plot the weight that a context gets over the chance of a right answer in it.

    Parameters
    ----------
    p : (n,) the chance.
    curves : {name: (n,) weights} for growing groups, up to four.
    limit : (n,) weights for endless groups.
    """
    figure, ax = _axes(6.4, 3.4)
    dashes = ("-", "--", "-.", (0, (5, 1)))
    with style.context(["default", STYLE]):
        for (name, weights), dash in zip(curves.items(), dashes, strict=False):
            y = np.round(weights, 6)
            ax.plot(np.round(p, 6), y, linestyle=dash, color=EXACT, label=name)
        y = np.round(limit, 6)
        ax.plot(np.round(p, 6), y, linestyle=":", color=WRONG, linewidth=2, label="endless")
        top = 1.3 * max(np.max(weights) for weights in curves.values())
        ax.set(xlim=(0, 1), ylim=(0, top), xlabel="p, the chance of a right answer")
        ax.set_ylabel("weight")
        figure.legend(loc="outside upper center", ncols=5, fontsize=9)
    return Picture(figure, "the weight of a context, by its difficulty")
