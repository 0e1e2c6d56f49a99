"""Formulas that are drawn: the factors of a trajectory, and the derivation as a map."""

from __future__ import annotations

from matplotlib.patches import FancyBboxPatch

from .style import EXACT, POLICY, WORLD, Picture, axes_of, drawn, styled

__all__ = ["derivation_map", "trajectory_factors"]


@drawn
def trajectory_factors(steps: int = 2) -> Picture:
    """Draw a trajectory as a chain: each arrow is one factor of P(tau; theta).

    Green, solid: the policy's factors.  Orange, dashed: start and dynamics, whose
    logarithms have no theta in them.
    """
    figure, ax = axes_of(7.2, 1.5)
    nodes = [f"${kind}_{t}$" for t in range(steps) for kind in "sa"]
    nodes += [f"$s_{steps}$", r"$\cdots$", "$a_{H-1}$", "$s_H$"]
    arrows = [r"$\mu$", *[r"$\pi_\theta$", "$P$"] * steps, *[r"$\pi_\theta$"] * 2, "$P$"]
    with styled():
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


# (formula, chapter, licence for the step that leads to it)
_GRADIENT = r"$\nabla J=E_\tau[\,\sum_t\nabla\log\pi_\theta(a_t|s_t)\,%s\,]$"
_TO_THE_ESTIMATE = (
    (r"$J(\theta)=\sum_\tau P(\tau;\theta)\,R(\tau)$", 3, ""),
    (r"$\nabla J=\sum_\tau \nabla P(\tau;\theta)\,R(\tau)$", 4, "finite sum"),
    (
        r"$\nabla J=\sum_\tau P(\tau;\theta)\,\nabla\log P(\tau;\theta)\,R(\tau)$",
        4,
        r"$\nabla f=f\,\nabla\log f$",
    ),
    (r"$\nabla J=E_\tau[\,\nabla\log P(\tau;\theta)\,R(\tau)\,]$", 5, "a mean, by its name"),
    (_GRADIENT % r"R(\tau)", 7, "the two branches meet"),
    (_GRADIENT % r"\gamma^t G_t", 8, "past rewards have mean zero"),
    (
        r"$\hat g=\frac{1}{m}\sum_i\sum_t\nabla\log\pi_\theta(a_t^{(i)}|s_t^{(i)})"
        r"\,\gamma^t G_t^{(i)}$",
        9,
        "samples for the mean",
    ),
)
_OF_THE_WORLD = (
    (r"$P(\tau;\theta)=\mu\,\prod_t\pi_\theta\,P_t$", 3, ""),
    (
        r"$\log P(\tau;\theta)=\log\mu+\sum_t\log P_t+\sum_t\log\pi_\theta$",
        6,
        "log of a product",
    ),
    (r"$\nabla\log P(\tau;\theta)=\sum_t\nabla\log\pi_\theta$", 6, r"no $\theta$ in the world"),
)


@drawn
def derivation_map() -> Picture:
    """Draw the derivation: a column of formulas, and a second one that joins it in chapter 7.

    Left: from the objective to an estimate of its gradient.  Right, orange: why the world drops
    out of it.  Each arrow carries the licence for its step.
    """
    main, side, joins = _TO_THE_ESTIMATE, _OF_THE_WORLD, 4
    figure, ax = axes_of(7.2, 0.82 * len(main) + 0.2)
    with styled():
        at = {}
        for steps, x, colour in ((main, 0.0, EXACT), (side, 4.3, WORLD)):
            lowest = joins - 1 if steps is side else len(steps) - 1
            for k, (formula, chapter, licence) in enumerate(steps):
                y = -(lowest - (len(steps) - 1) + k)
                at[x, k] = y
                ax.text(
                    x,
                    y,
                    formula,
                    ha="center",
                    va="center",
                    fontsize=11,
                    bbox={"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour},
                )
                number = f"ch. {chapter}"
                ax.text(x - 1.9, y, number, ha="right", va="center", fontsize=9, color=EXACT)
                if k:
                    arrow = {"arrowstyle": "-|>", "color": colour, "shrinkA": 15, "shrinkB": 15}
                    ax.annotate("", (x, y), (x, at[x, k - 1]), arrowprops=arrow)
                    ax.text(x + 0.1, y + 0.5, licence, va="center", fontsize=9)
        arrow = {"arrowstyle": "-|>", "color": WORLD, "connectionstyle": "angle,angleA=90,angleB=0"}
        ax.annotate("", (1.55, -joins), (4.3, -(joins - 0.75)), arrowprops=arrow)
        ax.set(xlim=(-2.6, 6.4), ylim=(-len(main) + 0.5, 0.5))
        ax.axis("off")
    return Picture(figure, "a map of the derivation")
