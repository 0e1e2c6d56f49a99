"""Methods with groups of answers, side by side: how their runs learn, and where they end."""

from __future__ import annotations

import numpy as np

from .style import ESTIMATE, EXACT, WRONG, Picture, axes_of, drawn, styled

__all__ = ["method_race"]

DASHES = ("-", "--", "-.")


@drawn
def method_race(panels, divide) -> Picture:
    """Plot the mean of J over many runs as methods learn, and where most runs end.

    Parameters
    ----------
    panels : {title: {name: (answers, J)}}, a panel each.  J of shape (n, 1) is exact ascent; of
        (n, runs), it is drawn as its mean, with a bar at the end that holds eight in ten runs.
    divide : names of the methods whose mean update is bent; the others climb J.
    """
    figure, axes = axes_of(7.4, 3.9, len(panels), squeeze=False)
    with styled():
        for ax, (title, curves) in zip(axes[0], panels.items(), strict=True):
            seen = {ESTIMATE: 0, WRONG: 0}
            for name, (x, J) in curves.items():
                x, J = np.asarray(x, float), np.asarray(J, float)
                mean = np.round(J.mean(axis=1), 6)
                if J.shape[1] == 1:
                    ax.plot(x, mean, ":", color=EXACT, linewidth=2.2, label=name)
                    continue
                colour = WRONG if name in divide else ESTIMATE
                dashes = DASHES[seen[colour] % len(DASHES)]
                seen[colour] += 1
                ax.plot(x, mean, dashes, color=colour, linewidth=1.8, label=name)
                aside = x[-1] * (1 + 0.03 * sum(seen.values()))
                ends = np.round(np.quantile(J[-1], [0.1, 0.9]), 6)
                ax.plot([aside, aside], ends, dashes, color=colour, linewidth=1.8)
            ax.set(title=title, xlabel="answers drawn")
            ax.title.set_fontsize(10)
        axes[0][0].set_ylabel("J")
        handles, names = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=9)
    return Picture(figure, "methods with groups as they learn")
