"""Policies as tables of probabilities, and what becomes likelier as they are changed."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from .style import EXACT, FAINT, POLICY, Picture, Refused, axes_of, drawn, styled

__all__ = ["policy_table", "probability_shift", "push_on_bars", "return_bars"]


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


@drawn
def push_on_bars(pi, score, returns, *, actions, after=None) -> Picture:
    """Show how one trajectory pushes the logits of a policy: score times return, on each bar.

    Parameters
    ----------
    pi : (A,) probabilities of the actions, one row of the policy; green bars.
    score : (A,) the derivatives of log P(tau; theta) by the logits of that row.
    returns : {title: R} what the trajectory brought, a panel each; arrows are score times R.
    actions : names of the actions.
    after : {the same titles: (A,)} the row after a step; dashed outlines.
    """
    pi, score = np.asarray(pi, float), np.asarray(score, float)
    for name, value in (("pi", pi), ("score", score)):
        if value.shape != (len(actions),):
            raise Refused(
                f"{name} must have an entry for each of {len(actions)} actions; "
                f"its shape is {value.shape}"
            )
    longest = max(np.abs(score * R).max() for R in returns.values()) or 1.0
    tips = [pi + 0.42 * score * R / longest for R in returns.values()]
    low, high = np.min(tips, initial=0), np.max(tips, initial=1)
    figure, axes = axes_of(7.2, 3.3, len(returns), sharey=True, squeeze=False)
    places = np.arange(len(actions))
    arrow = {"arrowstyle": "-|>,head_width=0.35,head_length=0.6", "color": EXACT, "linewidth": 2.2}
    with styled():
        for ax, (title, R) in zip(axes[0], returns.items(), strict=True):
            bar = {"facecolor": POLICY, "edgecolor": POLICY, "linewidth": 0, "alpha": 0.6}
            ax.bar(places, np.round(pi, 6), 0.62, label="policy", **bar)
            if after is not None:
                edge = {"facecolor": "none", "edgecolor": POLICY, "linestyle": "--"}
                new = np.round(np.asarray(after[title], float), 6)
                ax.bar(places, new, 0.62, linewidth=1.8, label="after the step", **edge)
            ax.axhline(0, color=FAINT, linewidth=0.8)
            for x, p, push in zip(places, pi, score * R, strict=True):
                tip = np.round(p + 0.42 * push / longest, 6)
                if abs(push) > 0.02 * longest:
                    ends = {"shrinkA": 0, "shrinkB": 0}
                    ax.annotate("", (x, tip), (x, np.round(p, 6)), arrowprops=arrow | ends)
                up = push > 0
                ax.text(
                    x,
                    max(tip, p) + 0.03 if up else min(tip, 0) - 0.03,
                    f"{push:+.2f}".replace("-", "−"),
                    ha="center",
                    va="bottom" if up else "top",
                    fontsize=10,
                    bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
                )
            ax.set_title(title, fontsize=10)
            ax.set_xticks(places, actions)
            ax.set(xlim=(-0.6, len(actions) - 0.4), ylim=(low - 0.16, high + 0.16))
            ax.set_yticks([0, 0.5, 1])
            ax.tick_params(axis="x", length=0)
            ax.spines["bottom"].set_visible(False)
        axes[0][0].set_ylabel("probability")
        axes[0][-1].plot([], [], color=EXACT, linewidth=2.2, label="score × return")
        handles, names = axes[0][-1].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=9)
    return Picture(figure, "score times return pushes the bars of a policy")
