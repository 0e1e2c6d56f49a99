"""Gradients, those of single trajectories, and how estimates scatter around the exact one."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from .style import ESTIMATE, EXACT, FAINT, POLICY, WRONG, Picture, Refused, axes_of, drawn, styled

__all__ = [
    "error_decay",
    "gamma_trap_paths",
    "gradient_and_score",
    "gradient_cloud",
    "score_reward_grid",
    "slope_estimates",
]


@drawn
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
    figure, (left, right) = axes_of(7.2, 3.5, columns=2)
    rows, means = np.round(rows, 6), np.round(means, 6)
    with styled():
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


@drawn
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
    with styled():
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


@drawn
def slope_estimates(x, exact, at, means, errors, *, label: str) -> Picture:
    """Plot an exact slope of J over one parameter, and estimates of it from samples.

    Parameters
    ----------
    x, exact : (n,) parameter and exact slope.
    at, means, errors : (k,) where it was estimated, the estimates and their standard errors;
        bars show two of these to either side.
    label : name of the parameter.
    """
    figure, ax = axes_of(6.4, 3.2)
    with styled():
        ax.axhline(0, color=FAINT, linewidth=0.8)
        ax.plot(np.round(x, 6), np.round(exact, 6), color=EXACT, label="exact")
        bars = {"fmt": "o", "color": ESTIMATE, "markersize": 5, "capsize": 3}
        ax.errorbar(
            at, np.round(means, 6), np.round(2 * errors, 6), label="estimated", zorder=3, **bars
        )
        ax.set(xlabel=label, ylabel="slope of J")
        ax.legend()
    return Picture(figure, "an exact slope and estimates of it")


@drawn
def score_reward_grid(sizes) -> Picture:
    """Show for each score (row) and each reward (column) how much they have to do with each other.

    Parameters
    ----------
    sizes : (H, H) length of E[ score of step t times reward of step k ], at [t, k]; squares have
        that area, and what is zero to ten digits is an open circle.
    """
    sizes = np.round(sizes, 10)
    figure, ax = axes_of(4.2, 3.9)
    steps = np.arange(len(sizes))
    with styled():
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


@drawn
def gamma_trap_paths(p, J, J_undiscounted, right, wrong) -> Picture:
    """Show two ways of updating in the gamma trap, on the discounted and undiscounted objective.

    Parameters
    ----------
    p : (n,) probabilities of right.
    J, J_undiscounted : (n,) both objectives there.
    right, wrong : (k, 3) p and both objectives along the updates with gamma^t and without.
    """
    figure, axes = axes_of(7.2, 3.3, columns=2)
    right, wrong = np.round(right, 6), np.round(wrong, 6)
    with styled():
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


@drawn
def gradient_and_score(probability, gradient, *, label: str, marks=None) -> Picture:
    """Compare the slope of each trajectory's probability with that of its logarithm.

    On the left a slope is absolute: what is rare hardly moves.  On the right it is divided by the
    probability, the slope of log P: rare and likely trajectories have slopes of the same size.

    Parameters
    ----------
    probability : (n,) P(tau; theta) of every trajectory, above 0.
    gradient : (n,) its derivative by one parameter.
    label : name of that parameter.
    marks : {name: index} of trajectories to be named in both panels.
    """
    P, slope = np.asarray(probability, float), np.asarray(gradient, float)
    if P.ndim != 1 or slope.shape != P.shape:
        raise Refused(
            "probability and gradient must be lists of one length, an entry per trajectory; "
            f"their shapes are {P.shape} and {slope.shape}"
        )
    if (P <= 0).any():
        raise Refused(
            "probability must be above 0 where a logarithm is taken; "
            f"probability[{int(np.argmin(P))}] is {P.min():g}"
        )
    figure, axes = axes_of(7.2, 3.5, columns=2)
    heights = (np.round(slope, 8), np.round(slope / P, 8))
    with styled():
        left, right = axes
        for score in np.unique(np.round(slope / P, 6)):
            ends = np.array([0, P[np.isclose(slope / P, score, atol=1e-5)].max()])
            left.plot(np.round(ends, 8), np.round(score * ends, 8), color=FAINT, linewidth=0.7)
        for ax, y in zip(axes, heights, strict=True):
            ax.axhline(0, color=FAINT, linewidth=0.8)
            ax.plot(np.round(P, 8), y, "o", color=POLICY, markersize=5, alpha=0.7)
            ax.margins(0.1)
            for name, i in (marks or {}).items():
                ring = {"color": EXACT, "fillstyle": "none", "markersize": 10}
                ax.plot(np.round(P[i], 8), y[i], "o", **ring)
                above = y[i] >= 0
                ax.annotate(
                    name,
                    (np.round(P[i], 8), y[i]),
                    (0, 8 if above else -8),
                    textcoords="offset points",
                    ha="center",
                    va="bottom" if above else "top",
                )
            ax.set_xlabel(r"$P(\tau;\theta)$")
            ax.set_xlim(-0.05 * P.max(), None)
        left.set_title("slope of the probability: absolute", fontsize=10)
        right.set_title("slope of its logarithm: relative to size", fontsize=10)
        left.set_ylabel(rf"slope of $P(\tau;\theta)$, {label}")
        right.set_ylabel(r"slope of $\log P(\tau;\theta)$")
    return Picture(figure, "the slope of each probability, and that of its logarithm")
