r"""Pictures of what is subtracted from a return: the variance of an update over the baseline."""

from __future__ import annotations

import numpy as np

from .style import EXACT, POLICY, WRONG, Picture, axes_of, drawn, styled

__all__ = ["variance_parabola"]


@drawn
def variance_parabola(b, variance, marks) -> Picture:
    """Plot the total variance of an update over the constant that is subtracted.

    Parameters
    ----------
    b : (n,) what is subtracted.
    variance : (n,) the variance with it.
    marks : {name: (b, variance)}; the lowest is a diamond, all others are squares.
    """
    figure, ax = axes_of(6.4, 3.2)
    bottom, low = min(marks.values(), key=lambda place: place[1])
    with styled():
        ax.plot(b, np.round(variance, 6), color=EXACT)
        for name, place in marks.items():
            best = place[1] == low
            marker, colour = ("D", POLICY) if best else ("s", WRONG)
            at = np.round(place, 6)
            ax.plot(*at, marker, color=colour, markersize=8)
            side = "center" if best else ("left" if at[0] < bottom else "right")
            aside = {"center": (0, 9), "left": (9, 3), "right": (-9, 3)}[side]
            ax.annotate(name, at, aside, textcoords="offset points", ha=side, va="bottom")
        ax.set(xlabel="b, subtracted from the return", ylabel="total variance", ylim=(0, None))
    return Picture(figure, "the variance of an update over the baseline")
