"""What a critic does: bias and noise of an update over lambda; an actor that learns beside it."""

from __future__ import annotations

import numpy as np

from .style import ESTIMATE, EXACT, FAINT, POLICY, WRONG, Picture, axes_of, drawn, styled

__all__ = ["actor_critic_runs", "bias_and_noise"]


@drawn
def bias_and_noise(lam, bias, noise, *, m: int) -> Picture:
    """Plot the two parts of the mean squared error of an update over lambda, and their sum.

    Parameters
    ----------
    lam : (n,) lambda.
    bias : (n,) the squared length of the bias.
    noise : (n,) the trace of the covariance of a mean of m episodes.
    m : how many episodes.
    """
    figure, ax = axes_of(6.4, 3.4)
    bias, noise = np.asarray(bias), np.asarray(noise)
    total = bias + noise
    least = int(total.argmin())
    with styled():
        ax.plot(lam, np.round(total, 8), color=EXACT, linewidth=2, label="their sum")
        ax.plot(lam, np.round(noise, 8), color=ESTIMATE, label=f"variance, m = {m}")
        ax.plot(lam, np.round(bias, 8), "--", color=WRONG, label="squared bias")
        best = np.round([lam[least], total[least]], 8)
        ax.plot(*best, "D", color=POLICY, markersize=7, label="least")
        ax.set(xlim=(0, 1.01), ylim=(0, None), xlabel="lambda", ylabel="mean squared error")
        figure.legend(loc="outside upper center", ncols=4, fontsize=9)
    return Picture(figure, "bias and variance of an update over lambda")


@drawn
def actor_critic_runs(runs, exact, best: float, *, lowest: float, wrong=None) -> Picture:
    """Plot how J grows over the steps of many runs, beside exact ascent.

    Parameters
    ----------
    runs : (n, k) J after each step of k runs, drawn as the median and a band for eight in ten.
    exact : (n,) J after each step of exact ascent.
    best : the largest J.
    lowest : where the plot is cut off below.
    wrong : (name, (n,) J) of a run that goes wrong.
    """
    figure, ax = axes_of(6.4, 3.6)
    low, middle, high = np.quantile(runs, [0.1, 0.5, 0.9], axis=1)
    x = np.arange(len(middle))
    with styled():
        ax.axhline(np.round(best, 6), color=FAINT, linestyle=":", label="largest J")
        ax.fill_between(
            x, np.round(low, 6), np.round(high, 6), color=ESTIMATE, alpha=0.25, linewidth=0
        )
        ax.plot(x, np.round(middle, 6), color=ESTIMATE, label="critic sees the state")
        ax.plot(x, np.round(exact, 6), color=EXACT, label="exact ascent")
        if wrong is not None:
            ax.plot(x, np.round(wrong[1], 6), "--", color=WRONG, label=wrong[0])
        ax.set(xlabel="step", ylabel="J", ylim=(lowest, best + 0.04 * (best - lowest)))
        ax.set_xlim(0, len(x) - 1)
        ax.legend(loc="center right", fontsize=9)
    return Picture(figure, "actor-critic beside exact ascent")
