"""Staying close to a reference: what two policies miss, estimates of KL, where penalties push.

What belongs to the reference is in the colour of the world, for it does not depend on theta.
"""

from __future__ import annotations

import numpy as np

from .style import EXACT, FAINT, POLICY, WORLD, WRONG, Picture, Refused, axes_of, drawn, styled

__all__ = ["kl_curves", "missed_and_covered", "penalty_fields"]

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])  # of the triangle of policies
HATCHES = ("", "///", "...")
DASHES = ("-", "--", "-.")


@drawn
def missed_and_covered(reference, policies, *, actions) -> Picture:
    """Draw a reference and other policies as bars, action by action.

    Parameters
    ----------
    reference : (A,) its probabilities.
    policies : {name: (A,) probabilities}, up to three.
    actions : A names.
    """
    figure, ax = axes_of(6.4, 2.9)
    named = {"the reference": reference} | dict(policies)
    width, places = 0.8 / len(named), np.arange(len(reference))
    with styled():
        for i, (name, pi) in enumerate(named.items()):
            _require_policy(name, pi, len(places))
            look = {"color": WORLD} if i == 0 else {"color": POLICY, "hatch": HATCHES[i - 1]}
            ax.bar(
                places + (i - (len(named) - 1) / 2) * width,
                np.round(pi, 6),
                0.9 * width,
                label=name,
                edgecolor="white",
                **look,
            )
        ax.set_xticks(places, actions)
        ax.set(ylabel="probability", ylim=(0, 1.02))
        figure.legend(loc="outside upper center", ncols=len(named), fontsize=9)
    return Picture(figure, "a reference, and two ways of not being it")


def _require_policy(name, pi, A):
    pi = np.asarray(pi, float)
    if pi.shape != (A,) or (pi < 0).any() or not abs(pi.sum() - 1) < 1e-6:
        raise Refused(f"{name!r} must be {A} probabilities that sum to 1; it is {pi.tolist()}")


@drawn
def kl_curves(x, curves, density) -> Picture:
    """Plot estimates of KL over the log ratio log(pi/pi_ref) of what was drawn.

    Parameters
    ----------
    x : (n,) log ratios.
    curves : {name: (n,) estimates}, up to three.
    density : (n,) how likely each ratio is, in an example; drawn as a shadow, to its own scale.
    """
    figure, ax = axes_of(6.4, 3.4)
    with styled():
        top = max(np.max(y) for y in curves.values())
        shadow = np.asarray(density) / np.max(density) * 0.45 * top
        ax.fill_between(
            np.round(x, 6), np.round(shadow, 6), color=FAINT, alpha=0.3, linewidth=0, label="drawn"
        )
        ax.axhline(0, color=FAINT, linewidth=0.8)
        for (name, y), dash in zip(curves.items(), DASHES, strict=False):
            ax.plot(np.round(x, 6), np.round(y, 6), linestyle=dash, color=EXACT, label=name)
        ax.set_xlabel(r"$\log\,\pi/\pi_{\mathrm{ref}}$ of the sample")
        ax.set_ylabel("estimate")
        figure.legend(loc="outside upper center", ncols=len(curves) + 1, fontsize=9)
    return Picture(figure, "three estimates of KL")


@drawn
def penalty_fields(reference, points, fields, *, actions=None) -> Picture:
    """Draw where penalties push policies over three actions, as arrows in a triangle.

    A corner is an action that is always taken.  Arrows start at the points; their lengths are to
    the scale of each panel, their longest as long as the points are apart.

    Parameters
    ----------
    reference : (3,) its probabilities.
    points : (n, 3) policies.
    fields : {title: (n, 3) how fast the probabilities change}, a panel each, up to four.  Where a
        step would lead further from the reference, in the sense of KL(pi || pi_ref), its arrow has
        the colour of what is wrong.
    actions : three names for the corners, or none.
    """
    figure, axes = axes_of(2.4 * len(fields), 2.6, columns=len(fields), squeeze=False)
    reference, points = np.asarray(reference, float), np.asarray(points, float)
    _require_policy("reference", reference, 3)
    if actions is not None and len(actions) != 3:
        raise Refused("actions must be three names, one for each corner")
    gap = _gap(points @ CORNERS)
    with styled():
        for ax, (title, field) in zip(axes.flat, fields.items(), strict=True):
            field = np.asarray(field, float)
            moves = field @ CORNERS
            scale = gap / max(np.linalg.norm(moves, axis=1).max(), 1e-12)
            ax.plot(*CORNERS[[0, 1, 2, 0]].T, color=FAINT, linewidth=0.8)
            away = (field * np.log(points / reference)).sum(axis=1) > 1e-9
            for which, colour in ((~away, EXACT), (away, WRONG)):
                if which.any():
                    ax.quiver(
                        *np.round((points @ CORNERS)[which].T, 5),
                        *np.round(scale * moves[which].T, 5),
                        angles="xy",
                        scale_units="xy",
                        scale=1,
                        width=0.008,
                        color=colour,
                    )
            ax.plot(*(reference @ CORNERS), "o", color=WORLD, markersize=8, zorder=3)
            for corner, name in zip(CORNERS, actions or (), strict=False):
                above = corner[1] > 0
                look = {"ha": "center", "va": "bottom" if above else "top", "fontsize": 8}
                shift = (0, 3 if above else -3)
                ax.annotate(name, corner, shift, textcoords="offset points", **look)
            ax.set_title(title, fontsize=9, pad=14 if actions else None)
            ax.set_aspect("equal")
            ax.axis("off")
    return Picture(figure, "where penalties push")


def _gap(places):
    """The smallest distance between two points."""
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    return np.min(apart[apart > 0])
