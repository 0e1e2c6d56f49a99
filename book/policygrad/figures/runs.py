"""Summaries of many runs: how methods learn, how often a check errs, and what it catches."""

from __future__ import annotations

import numpy as np

from .style import ESTIMATE, EXACT, FAINT, WORLD, WRONG, Picture, axes_of, drawn, styled

__all__ = ["calibration", "group_weights", "learning_curves", "power_curve"]


@drawn
def learning_curves(panels) -> Picture:
    """Plot how far J lies below the best value as several methods learn, on logarithmic axes.

    Parameters
    ----------
    panels : {title: (best, {name: (episodes, J)})}, a panel each.  J of shape (n,) is one curve;
        (n, runs) is drawn as the median over the runs and the band that holds eight in ten.  The
        first two methods estimate a gradient, the third has no theta, the fourth is the one that
        fails.
    """
    figure, axes = axes_of(7.2, 3.8, len(panels), squeeze=False)
    looks = ((ESTIMATE, "-"), (ESTIMATE, "-."), (WORLD, "-"), (WRONG, "--"))
    with styled():
        for ax, (title, (best, curves)) in zip(axes[0], panels.items(), strict=True):
            below = abs(best) / 50
            for (name, (x, J)), (colour, dashes) in zip(curves.items(), looks, strict=False):
                short = np.round(np.maximum(best - np.asarray(J), below / 1000), 6)
                if short.ndim == 2:
                    low, short, high = np.quantile(short, [0.1, 0.5, 0.9], axis=1)
                    ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
                ax.plot(x, short, dashes, color=colour, linewidth=1.8, label=name)
            ax.axhline(below, color=FAINT, linestyle=":", label="one fiftieth of J*")
            ax.set(xscale="log", yscale="log", xlabel="episodes", title=title)
            ax.set_ylim(below / 40, None)
            ax.minorticks_off()
            ax.title.set_fontsize(10)
        axes[0][0].set_ylabel("J* − J")
        handles, names = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=9)
    return Picture(figure, "learning curves: how far J lies below the best")


@drawn
def calibration(stated, series) -> Picture:
    """Plot measured rates of false alarms relative to the stated ones.

    Parameters
    ----------
    stated : (n,) stated rates.
    series : {name: (runs, alarms)}: how many runs, and (n,) in how many the truth was turned down.
        The last one is how it should not be done.  Bars show two binomial standard deviations.
    """
    figure, ax = axes_of(6.8, 3.6)
    stated = np.asarray(stated)
    looks = ("o", "s", "^", "v")
    with styled():
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


@drawn
def power_curve(x, power, bound, at, shares, *, sure: float) -> Picture:
    """Plot how often a bias is caught over its size.

    Parameters
    ----------
    x : (n,) the bias, in units of the one that is reported.
    power, bound : (n,) predicted probability of catching it, and a bound from below.
    at, shares : (k,) sizes tried, and the share of runs that caught them.
    sure : the probability with which the reported bias is caught.
    """
    figure, ax = axes_of(6.4, 3.2)
    with styled():
        ax.axvline(1, color=FAINT, linestyle=":")
        ax.axhline(sure, color=FAINT, linestyle=":")
        ax.plot(np.round(x, 6), np.round(power, 6), color=EXACT, label="predicted")
        ax.plot(np.round(x, 6), np.round(bound, 6), "--", color=EXACT, label="bound")
        ax.plot(np.round(at, 6), np.round(shares, 6), "o", color=ESTIMATE, label="measured")
        ax.set(xlabel="bias / smallest bias reported", ylabel="share caught", ylim=(-0.03, 1.05))
        ax.legend(loc="center left", fontsize=9)
    return Picture(figure, "how often a bias is caught, by its size")


@drawn
def group_weights(p, curves, limit) -> Picture:
    """Plot the weight that a context gets over the chance of a right answer in it.

    Parameters
    ----------
    p : (n,) the chance.
    curves : {name: (n,) weights} for growing groups, up to four.
    limit : (n,) weights for endless groups.
    """
    figure, ax = axes_of(6.4, 3.4)
    dashes = ("-", "--", "-.", (0, (5, 1)))
    with styled():
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
