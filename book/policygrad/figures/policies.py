"""Policies as tables of probabilities, and what becomes likelier as they change."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from .style import EXACT, FAINT, POLICY, Picture, axes_of, drawn, styled

__all__ = ["policy_table", "probability_shift", "return_bars"]


@drawn
def policy_table(policies, percepts, actions) -> Picture:
    """Show policies as tables: a row per percept, a column per action, a bar per probability.

    Parameters
    ----------
    policies : {title: pi}, each pi of shape (len(percepts), len(actions)); a panel each.
    percepts, actions : names of the rows and columns.
    """
    width = 1.3 + 2.7 * len(policies)
    figure, axes = axes_of(width, 0.7 + 0.5 * len(percepts), len(policies), sharey=True)
    with styled():
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


@drawn
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
    with styled():
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


@drawn
def probability_shift(returns, slopes) -> Picture:
    """Show by return how much probability a nudge of a parameter adds or takes away.

    Parameters
    ----------
    returns : (n,) R(tau) of every trajectory.
    slopes : (n,) derivative of P(tau; theta) by that parameter.
    """
    returns = np.round(returns, 6)
    places = np.unique(returns)
    figure, ax = axes_of(6.6, 2.8)
    with styled():
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
