"""The cover: a thousand estimates of a policy gradient, and the gradient that they are to have.

What is drawn is computed, in the first world of chapter 4: each dot is an estimate from some
episodes, in the directions of two logits; the arrow is the exact gradient, and a larger dot the
mean of all estimates.
"""

from __future__ import annotations

import io
import sys
from html import escape
from pathlib import Path

from epub_package import About, page

SHOWN = (
    "Cover. A cloud of blue dots, each an estimate of a policy gradient from a few episodes, and "
    "in its middle the exact gradient, a black arrow, at whose head an orange dot marks their mean."
)
PROMISE = "Every equation has a check that runs,\nand every check has been seen to fail."
WIDTH, HEIGHT, DOTS = 6.0, 9.0, 180  # inches, and dots an inch
MANY, EPISODES, SEED = 1000, 40, 4
EXACT, ESTIMATE = "#1a1a1a", "#0072b2"


def files(root: Path, about: About) -> dict[str, bytes]:
    """The picture, and the page that shows it."""
    title = escape(about.title)
    body = (
        '<section epub:type="cover" class="cover">\n'
        f'<h1 class="unseen">{title}</h1>\n'
        f'<img src="cover.png" alt="{escape(SHOWN)}"/>\n</section>'
    )
    return {
        "cover.png": drawn(root, about),
        "cover.xhtml": page(about.title, body, about.language),
    }


def estimates(root: Path):
    """Estimates of two entries of the gradient, each from some episodes, and the exact entries."""
    if str(root / "book") not in sys.path:
        sys.path.insert(0, str(root / "book"))
    import numpy as np

    from policygrad.estimators import reinforce_gradients
    from policygrad.exact import policy_gradient
    from policygrad.policies import softmax_policy
    from policygrad.sampling import sample_trajectories
    from policygrad.worlds import two_state

    rng = np.random.default_rng(SEED)
    world, theta = two_state(gamma=1.0), np.array([[0.4, -0.3], [-0.2, 0.1]])
    drawn = sample_trajectories(world, softmax_policy(theta), MANY * EPISODES, rng)
    each = reinforce_gradients(world, theta, drawn)[:, :, 1]
    exact = policy_gradient(world, theta)[:, 1]
    return np.round(each.reshape(MANY, EPISODES, -1).mean(1), 4), np.round(exact, 4)


def drawn(root: Path, about: About) -> bytes:
    """The picture as PNG, since shops and shelves take no SVG."""
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    dots, exact = estimates(root)
    with style.context(["default", {"font.family": "DejaVu Sans"}]):
        figure = Figure(figsize=(WIDTH, HEIGHT), facecolor="#fbfaf7")
        FigureCanvasAgg(figure)
        letter(figure, about)
        cloud(figure.add_axes((0.08, 0.12, 0.84, 0.56)), dots, exact)
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=DOTS, metadata={"Software": None})
    return out.getvalue()


def letter(figure, about: About) -> None:
    """The title above the picture, and what the book promises below it."""
    first, _, last = about.title.partition(", ")
    figure.text(0.09, 0.885, f"{first},", fontsize=31, fontweight="bold", color=EXACT)
    figure.text(0.09, 0.825, last, fontsize=31, fontweight="bold", color=ESTIMATE)
    figure.text(
        0.09, 0.745, PROMISE, fontsize=12.5, color=EXACT, linespacing=1.5,
    )  # fmt: skip
    told = (
        f"Blue: {MANY} estimates of a gradient, from {EPISODES} episodes each. Orange: their mean."
    )
    figure.text(
        0.09, 0.055, f"{told}\nBlack: the gradient itself, computed without a sample.",
        fontsize=9.5, color="#595959", linespacing=1.6,
    )  # fmt: skip


def cloud(ax, dots, exact) -> None:
    """The dots, their mean, and the arrow."""
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.scatter(*dots.T, s=17, color=ESTIMATE, alpha=0.45, linewidths=0)
    arrow = {"arrowstyle": "-|>", "color": EXACT, "linewidth": 4, "mutation_scale": 30}
    ax.annotate("", exact, (0, 0), arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})
    ax.plot(0, 0, "o", color=EXACT, markersize=9)
    ax.plot(*dots.mean(0), "o", markerfacecolor="#e69f00", markeredgecolor="white", markersize=10)
