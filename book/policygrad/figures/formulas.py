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
    """Draw the derivation: formulas one below the other, narrow enough for a phone.

    At the edge, from the objective to an estimate of its gradient.  Set in, orange: why the world
    drops out of it, which joins in chapter 7.  Each arrow carries the licence for its step.
    """
    main, side, joins = _TO_THE_ESTIMATE, _OF_THE_WORLD, 4
    steps = [(*step, 0.0, EXACT) for step in main]
    steps[joins:joins] = [(*step, 0.55, WORLD) for step in side]
    figure, ax = axes_of(4.3, 0.72 * len(steps))
    with styled():
        last: dict[float, int] = {}
        for row, (formula, chapter, licence, x, colour) in enumerate(steps):
            box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour}
            ax.text(x, -row, formula, va="center", fontsize=11, bbox=box)
            ax.text(-0.25, -row, f"ch. {chapter}", ha="right", va="center", fontsize=9, color=EXACT)
            arrow = {"arrowstyle": "-|>", "shrinkA": 15, "shrinkB": 15}
            comes = [
                (at, above) for at, above in last.items() if at == x or row == joins + len(side)
            ]
            for at, above in comes:
                colour = WORLD if at else EXACT
                ax.annotate(
                    "", (at + 0.2, -row), (at + 0.2, -above), arrowprops={**arrow, "color": colour}
                )
            if comes:
                ax.text(max(comes)[0] + 0.3, 0.5 - row, licence, va="center", fontsize=9)
            last[x] = row
        ax.set(xlim=(-0.75, 3.75), ylim=(0.5 - len(steps), 0.5))
        ax.axis("off")
    return Picture(figure, "a map of the derivation")
