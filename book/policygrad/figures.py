"""Every picture of the book; the one module that imports matplotlib.

A function takes numbers and returns a :class:`Picture`, which a notebook shows as SVG: sharp,
small, and compared as text when the book is tested.  Nothing is computed here but positions.

The same colours mean the same things in every chapter.  They are from the palette of
Okabe & Ito (2008), which the colour-blind can tell apart; shapes and dashes say the same once more.
"""

from __future__ import annotations

import io

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

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

__all__ = ["Picture", "error_decay", "gradient_cloud", "trajectory_factors"]


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


def _axes(width: float, height: float, columns: int = 1, **options):
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(1, columns, **options)


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


def error_decay(sizes, errors, predicted) -> Picture:
    """Plot the error of the estimate over the number of trajectories, both on log scales.

    Parameters
    ----------
    sizes : (n,) numbers of trajectories m.
    errors : (n, k) the error |ghat - grad J| of k estimates at each m.
    predicted : (n,) sqrt(trace of the exact covariance / m).
    """
    figure, ax = _axes(6.4, 3.6)
    errors = np.asarray(errors)
    with style.context(["default", STYLE]):
        low, high = np.quantile(errors, [0.05, 0.95], axis=1)
        measured = np.sqrt((errors**2).mean(axis=1))
        ax.fill_between(
            sizes,
            np.round(low, 8),
            np.round(high, 8),
            color=ESTIMATE,
            alpha=0.2,
            linewidth=0,
            label="nine estimates in ten",
        )
        ax.plot(sizes, predicted, color=EXACT, label=r"exact: $\sqrt{\mathrm{tr}\,\Sigma/m}$")
        ax.plot(
            sizes, np.round(measured, 8), "o", color=ESTIMATE, label="measured, root mean square"
        )
        ax.set(xscale="log", yscale="log", xlabel="trajectories m", ylabel=r"$|\hat g-\nabla J|$")
        ax.legend()
    return Picture(figure, "the error falls as one over the square root of m")
