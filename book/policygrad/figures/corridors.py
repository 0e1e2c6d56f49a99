"""A world of cells: what is felt in each, what is needed there, and how an episode goes."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from .style import (
    EXACT,
    FAINT,
    POLICY,
    WORLD,
    WRONG,
    Picture,
    Refused,
    axes_of,
    drawn,
    styled,
)

__all__ = ["agent_and_world", "corridor_map", "episode_walk", "place_of", "rows_of"]

MOVES = {"left": (-1, 0), "right": (1, 0), "down": (0, 1), "up": (0, -1)}
EDGE = 0.6  # of the outer walls that is not shown
LONGEST = 12  # steps that a picture of an episode holds


def rows_of(drawing) -> list[str]:
    """Read the rows of a map, all of one length; what is not one is refused by name."""
    if not isinstance(drawing, str):
        raise TypeError(f"drawing must be a string of rows; it is {type(drawing).__name__}")
    rows = drawing.splitlines()
    if not rows or len({len(row) for row in rows}) > 1:
        raise Refused("drawing must be rows of one length; see policygrad.worlds.CORRIDOR_MAP")
    return rows


def place_of(world, state: int) -> tuple[int, int]:
    """Read (row, column) of a cell off the name of its state, "r1c2"."""
    found = re.fullmatch(r"r(\d+)c(\d+)", world.states[state])
    if found is None:
        raise Refused(
            "world must be built from a map, its states named r1c1, r1c2, ...; "
            f"state {state} is named {world.states[state]!r}"
        )
    return int(found[1]), int(found[2])


@drawn
def agent_and_world() -> Picture:
    """Draw agent and world as a loop: the percept o, the action a, the reward r.

    Green, solid: what the agent chooses.  Orange, dashed: what the world answers.
    """
    figure, ax = axes_of(7.2, 2.3)
    with styled():
        for x, name, inside, colour in (
            (0, "agent", r"policy $\pi$", POLICY),
            (5.4, "world", "dynamics $P$", WORLD),
        ):
            look = {"facecolor": "white", "edgecolor": colour, "linewidth": 2.5}
            ax.add_patch(FancyBboxPatch((x, 0), 1.9, 1.8, boxstyle="round,pad=0.05", **look))
            ax.text(x + 0.95, 1.1, name, ha="center", va="center", fontsize=14, weight="bold")
            ax.text(x + 0.95, 0.62, inside, ha="center", va="center", fontsize=10)
        for y, to, name, words, colour, dashes in (
            (1.52, 1, "$a$", "action: what it does", POLICY, "-"),
            (0.84, -1, "$o$", "percept: what it feels", WORLD, "--"),
            (0.16, -1, "$r$", "reward: what it is paid", WORLD, "--"),
        ):
            ends = (2.05, 5.25)[::to]
            arrow = {"arrowstyle": "-|>,head_width=0.3,head_length=0.6", "color": colour}
            arrow |= {"linewidth": 2.2, "linestyle": dashes, "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", (ends[1], y), (ends[0], y), arrowprops=arrow)
            ax.text(2.3, y + 0.13, name, ha="left", va="bottom", fontsize=13)
            ax.text(2.6, y + 0.13, words, ha="left", va="bottom", fontsize=10)
        ax.set(xlim=(-0.15, 7.45), ylim=(-0.15, 2.0))
        ax.axis("off")
    return Picture(figure, "agent and world as a loop")


@drawn
def corridor_map(drawing: str, percepts, *, aliased, needed=None, agent=None) -> Picture:
    """Draw a map of walls, cells, dust and hamsters, with the percept written in each cell.

    Parameters
    ----------
    drawing : rows of '#' wall, '.' floor, 'D' dust, 'h' hamster.
    percepts : {(row, column): text} for the cells in which an action is taken.
    aliased : {(row, column): name} of the cells that share a percept; they are hatched.
    needed : {(row, column): "left", "right", "down" or "up"}, what is needed in a cell: an arrow.
    agent : (row, column) of the cell in which the cleaner stands.
    """
    rows = rows_of(drawing)
    figure, ax = axes_of(6.4, 6.4 * (len(rows) - 2 * EDGE) / (len(rows[0]) - 2 * EDGE))
    with styled():
        _draw_map(ax, rows, aliased)
        for (y, x), text in percepts.items():
            if rows[y][x] not in "Dh":
                _label(ax, x + 0.5, y + 0.5, text)
        for (y, x), name in aliased.items():
            if (y, x) in percepts:
                _label(ax, x + 0.14, y + 0.16, f"${name}$", "square,pad=0.15")
        for (y, x), action in (needed or {}).items():
            _draw_needed(ax, x, y, action)
        if agent is not None:
            y, x = (int(k) for k in agent)
            if rows[y][x] == "#":
                raise Refused(f"agent must stand in a cell; at row {y}, column {x} is a wall")
            _draw_cleaner(ax, x + 0.78, y + 0.22)
        ax.set(xlim=(EDGE, len(rows[0]) - EDGE), ylim=(len(rows) - EDGE, EDGE), aspect="equal")
        ax.axis("off")
    return Picture(figure, "the corridor, and what is felt in each cell")


@drawn
def episode_walk(drawing: str, world, tau, i: int = 0) -> Picture:
    """Draw one episode under the map: a row per step, with its percept, action and reward.

    A dot stands below the cell in which the action is taken, an arrow leads to where it took the
    cleaner.  Orange: what the world gives, percept and reward.  Green: what the agent does.

    Parameters
    ----------
    drawing : the map from which the world was built.
    world : that world.
    tau : trajectories in it.
    i : which of them.
    """
    rows, T = rows_of(drawing), int(tau.lengths[i])
    if not 1 <= T <= LONGEST:
        raise Refused(f"tau must be 1 to {LONGEST} steps long; trajectory {i} has {T}")
    places = [place_of(world, s) for s in tau.states[i, : T + 1]]
    rewards = np.asarray(tau.rewards[i, :T], float)
    wide, high, step = len(rows[0]) - EDGE, len(rows) - EDGE, 0.62
    figure, ax = axes_of(7.2, 7.2 * (high + 0.9 + step * (T + 1)) / (wide + 5.2))
    columns = dict(zip(("$t$", "percept $o$", "action $a$", "reward $r$"), _COLUMNS, strict=True))
    with styled():
        _draw_map(ax, rows, {}, EDGE)
        _draw_cleaner(ax, places[0][1] + 0.5, places[0][0] + 0.5, 4)
        for name, x in columns.items():
            ax.text(wide + x, high + 0.3, name, ha="center", va="center", fontsize=9)
        for t, ((y, x), (y_next, x_next)) in enumerate(pairwise(places)):
            at = high + 0.85 + step * t
            ax.plot([EDGE, wide + 5.5], [at + step / 2] * 2, color=FAINT, linewidth=0.5, zorder=0)
            ax.plot(x + 0.5, at, "o", color=POLICY, markersize=9)
            said = (
                (f"{t}", EXACT),
                (world.percepts[world.observe[tau.states[i, t]]], WORLD),
                (world.actions[tau.actions[i, t]], POLICY),
                (f"{rewards[t]:g}".replace("-", "−"), WORLD),
            )
            for place, (text, colour) in zip(columns.values(), said, strict=True):
                framed = {"boxstyle": "round,pad=0.25", "facecolor": "white", "edgecolor": colour}
                ax.text(
                    wide + place,
                    at,
                    text,
                    ha="center",
                    va="center",
                    fontsize=10,
                    bbox=None if colour == EXACT else {**framed, "linewidth": 1.2},
                )
            _draw_step(ax, x + 0.5, x_next + 0.5, at, step, (y, x) == (y_next, x_next))
        at = high + 0.85 + step * T
        y, x = places[-1]
        _draw_thing(ax, rows[y][x], x + 0.5, at)
        total = float(rewards @ float(world.gamma) ** np.arange(T))
        text = f"return {total:.6g}".replace("-", "−")
        ax.text(wide + columns["reward $r$"] + 0.45, at, text, ha="right", va="center", fontsize=10)
        ax.set(xlim=(EDGE, wide + 5.6), ylim=(at + 0.45, EDGE), aspect="equal")
        ax.axis("off")
    return Picture(figure, "one episode, step by step")


_COLUMNS = (0.5, 1.75, 3.35, 4.9)  # right of the map


def _draw_map(ax, rows, aliased, cut: float = 0.0) -> None:
    high, wide = len(rows) - cut, len(rows[0]) - cut
    for y, line in enumerate(rows):
        for x, sign in enumerate(line):
            face = (FAINT, 0.5) if sign == "#" else "white"
            look = {"hatch": "///", "edgecolor": WRONG} if (y, x) in aliased else {}
            edge = "none" if sign == "#" else FAINT
            box = {"facecolor": face, "edgecolor": edge, "linewidth": 0.8, **look}
            left, top = max(x, cut), max(y, cut)
            corner = (min(x + 1, wide) - left, min(y + 1, high) - top)
            ax.add_patch(Rectangle((left, top), *corner, **box))
            if sign in "Dh":
                _draw_thing(ax, sign, x + 0.5, y + 0.4)
                what = "dust" if sign == "D" else "hamster"
                ax.text(x + 0.5, y + 0.83, what, ha="center", va="center", fontsize=9)


def _draw_thing(ax, sign: str, x: float, y: float) -> None:
    if sign == "D":
        ax.plot(x, y, "*", color=WORLD, markersize=17)
    elif sign == "h":
        for ear in (-0.13, 0.13):
            ax.add_patch(Circle((x + ear, y - 0.13), 0.08, facecolor=EXACT, linewidth=0))
        ax.add_patch(Circle((x, y), 0.16, facecolor=EXACT, linewidth=0))


def _draw_cleaner(ax, x: float, y: float, width: float = 6) -> None:
    look = {"facecolor": "white", "edgecolor": POLICY, "linewidth": width, "zorder": 4}
    ax.add_patch(Circle((x, y), 0.1, **look))


def _draw_needed(ax, x: int, y: int, action: str) -> None:
    if action not in MOVES:
        raise Refused(f"needed[{y}, {x}] must be one of {', '.join(MOVES)}; it is {action!r}")
    across, down = MOVES[action]
    ax.add_patch(Rectangle((x + 0.16, y + 0.69), 0.68, 0.24, facecolor="white", linewidth=0))
    long = 0.28 if across else 0.11
    arrow = {"arrowstyle": "-|>,head_width=0.3,head_length=0.5", "color": POLICY, "linewidth": 2.5}
    ends = [(x + 0.5 + k * long * across, y + 0.81 + k * long * down) for k in (1, -1)]
    ax.annotate("", *ends, arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})


def _draw_step(ax, x: float, to: float, y: float, step: float, stayed: bool) -> None:
    arrow = {"arrowstyle": "-|>,head_width=0.25,head_length=0.45", "color": POLICY}
    arrow |= {"linewidth": 1.8, "shrinkA": 7, "shrinkB": 8}
    if stayed:  # against a wall
        arrow |= {"connectionstyle": "arc3,rad=-0.6"}
    ax.annotate("", (to, y + step), (x, y), arrowprops=arrow)


def _label(ax, x: float, y: float, text: str, box: str = "round,pad=0.2") -> None:
    back = {"boxstyle": box, "facecolor": "white", "edgecolor": "none"}
    ax.text(x, y, text, ha="center", va="center", fontsize=12, bbox=back)
