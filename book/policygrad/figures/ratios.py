"""Ratios of probabilities: what a clip pays for, and what passes over one batch bring."""

from __future__ import annotations

import numpy as np

from .style import ESTIMATE, EXACT, FAINT, POLICY, WRONG, Picture, axes_of, drawn, styled

__all__ = ["clip_branches", "reused_batches"]


@drawn
def clip_branches(ratio, branches, epsilon: float) -> Picture:
    """Plot what a sample adds to the clipped objective over its ratio, a panel for each sign.

    Parameters
    ----------
    ratio : (n,) of the new probability to the old, ascending.
    branches : {title: (plain, clipped)}, (n,) values each: for a good action, then for a bad one.
    epsilon : half the width of the clip; 1 - epsilon and 1 + epsilon are marked.
    """
    figure, axes = axes_of(7.2, 3.0, len(branches), squeeze=False)
    with styled():
        for ax, (title, values), colour in zip(
            axes[0], branches.items(), (POLICY, WRONG), strict=False
        ):
            plain, clipped = (np.round(x, 6) for x in values)
            ax.plot(ratio, plain, ":", color=FAINT, linewidth=2, label="ratio × advantage")
            ax.plot(ratio, clipped, color=colour, linewidth=2.5, label="the smaller of the two")
            for edge in (1 - epsilon, 1 + epsilon):
                ax.axvline(round(edge, 6), color=FAINT, linewidth=0.8)
            ax.plot(1, np.interp(1, ratio, clipped), "o", color=EXACT, markersize=6, zorder=3)
            ax.set_xticks([0, round(1 - epsilon, 6), 1, round(1 + epsilon, 6), 2])
            ax.set(title=title, xlabel="ratio")
            ax.title.set_fontsize(10)
        axes[0][0].set_ylabel("what the sample adds")
    return Picture(figure, "the clipped objective of one sample")


@drawn
def reused_batches(best: float, curves, exact, *, mark: float) -> Picture:
    """Plot how far J lies below the best after each batch, for methods that use it once or often.

    Parameters
    ----------
    best : the largest J.
    curves : {name: (batches + 1, runs) J}, two of them: the median, and the band of eight in ten.
    exact : (name, (batches + 1,) J) of ascent along the exact gradient.
    mark : a distance from the best that is marked, as a share of it.
    """
    figure, ax = axes_of(6.4, 3.6)
    least = mark * abs(best) / 100
    with styled():
        looks = ((ESTIMATE, "-"), (POLICY, "--"))
        for (name, J), (colour, dash) in zip(curves.items(), looks, strict=True):
            short = np.round(np.maximum(best - np.asarray(J), least), 6)
            low, middle, high = np.quantile(short, [0.1, 0.5, 0.9], axis=1)
            x = np.arange(len(short))
            ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
            ax.plot(x, middle, dash, color=colour, linewidth=1.8, label=name)
        name, J = exact
        short = np.round(np.maximum(best - np.asarray(J), least), 6)
        ax.plot(np.arange(len(short)), short, color=EXACT, linewidth=1.4, label=name)
        ax.axhline(mark * abs(best), color=FAINT, linestyle=":", label=f"{mark:.0%} of J*")
        ax.set(yscale="log", xlabel="batches", ylabel="J* − J")
        ax.minorticks_off()
        figure.legend(loc="outside upper center", ncols=2, fontsize=9)
    return Picture(figure, "learning from batches that are used once, or often")
