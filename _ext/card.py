"""The picture that is shown beside a link to the book: drawn from the book's own package.

What it shows is what the book does: an equation, the check that it passed, and REINFORCE climbing
to the best that a policy can do in the corridor of the first page, judged by the exact objective.
The same code gives the same bytes: seeds are fixed, and the file holds no time and no name.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

PIXELS, DPI = (1200, 630), 100
BEST = -4.5  # the expected return of the best policy that sees no more than a percept
UPDATES, EVERY, RUNS = 150, 5, 12
EQUATION = (
    r"$\nabla J(\theta)=\mathbb{E}_{\tau}\,\left[\,\sum_{t=0}^{T-1}\gamma^{t}\,G_{t}\;"
    r"\nabla\log\,\pi_{\theta}(a_{t}|s_{t})\,\right]$"
)


def climbs() -> np.ndarray:
    """The exact objective of some runs of REINFORCE, a row for every few updates."""
    from policygrad.exact import expected_return
    from policygrad.learning import reinforce_many
    from policygrad.policies import softmax_policy
    from policygrad.worlds import vacuum_corridor

    world = vacuum_corridor()
    start, steps = np.zeros((world.O, world.A)), np.full(UPDATES, 0.05)
    rng = np.random.default_rng(0)
    thetas = reinforce_many(world, start, rng, runs=RUNS, m=20, step_sizes=steps)[::EVERY]
    return np.array([[expected_return(world, softmax_policy(x)) for x in look] for look in thetas])


def draw(target: Path, title: str) -> None:
    """Write the card of a book into a PNG file."""
    book = str(Path(__file__).resolve().parents[1] / "book")
    if book not in sys.path:
        sys.path.append(book)
    from matplotlib.figure import Figure

    from policygrad.figures.style import ESTIMATE, EXACT, FAINT, POLICY, styled

    with styled():
        figure = Figure(figsize=[side / DPI for side in PIXELS], dpi=DPI, facecolor="white")
        words = {"x": 0.055, "ha": "left", "va": "top", "color": EXACT}
        figure.text(y=0.90, s=title, fontsize=44, fontweight="bold", **words)
        figure.text(y=0.765, s="A derivation that you can run", fontsize=25, **words)
        figure.text(y=0.585, s=EQUATION, fontsize=21, math_fontfamily="cm", **words)
        words["color"] = POLICY
        figure.text(y=0.36, s="✓ every equation has a check that runs", fontsize=18, **words)
        figure.text(y=0.275, s="✓ every check has been seen to fail", fontsize=18, **words)
        axes = figure.add_axes((0.66, 0.16, 0.29, 0.48))
        seen = climbs()
        updates = np.arange(len(seen)) * EVERY
        axes.plot(updates, seen, color=ESTIMATE, alpha=0.45, linewidth=1.6)
        axes.axhline(BEST, color=EXACT, linestyle="--", linewidth=1.5)
        axes.set(xlim=(0, UPDATES), xlabel="updates of REINFORCE", ylabel="expected return")
        axes.tick_params(colors=FAINT, length=0, labelsize=11)
        target.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(target, format="png", dpi=DPI, metadata={"Software": None})
