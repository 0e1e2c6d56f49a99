"""The vacuum cleaner's world, computed from a drawn map.

Percepts are the walls around a cell, so that cells with the same walls are aliased.
"""

from __future__ import annotations

import numpy as np

from ..mdp import MDP
from ..validate import real_number, require_flag

__all__ = ["CORRIDOR_MAP", "vacuum_corridor"]

# '#' wall, '.' floor, 'D' dust (the goal), 'h' hamster; an episode ends on D and on h
CORRIDOR_MAP = """\
#######
#.....#
#h#D#h#
#######"""

_MOVES = {"left": (0, -1), "right": (0, 1), "down": (1, 0), "up": (-1, 0)}
_SIDES = {"N": (-1, 0), "E": (0, 1), "S": (1, 0), "W": (0, -1)}


def vacuum_corridor(
    drawing: str = CORRIDOR_MAP,
    *,
    starts: str | None = None,
    step_reward: float = -1.0,
    dust_reward: float = 0.0,
    hamster_reward: float = -10.0,
    observed: bool = False,
) -> MDP:
    """Build the vacuum cleaner's world from a drawn map; percepts are computed from the walls.

    The cleaner feels which of its four sides are walls and nothing else, so two cells with the
    same walls are aliased.  It moves left, right or down; a move into a wall leaves it in place.
    Entering the dust or a hamster ends the episode.

    Its discount is gamma = 1: a later step costs as much as an early one.

    With hamsters avoided, q = pi(right) in the two aliased cells and the uniform start over
    the other four, the mean number of steps is 1/2 + 1/q + 1/(1 - q).

    Parameters
    ----------
    drawing : rows of '#' wall, '.' floor, 'D' dust, 'h' hamster, closed in by walls.
    starts : names of the start cells, "r1c1 r1c2 ..."; default: every floor cell that does
        not lie directly above the dust, equally likely.
    step_reward, dust_reward, hamster_reward : paid for each step, and on top of it for
        entering the dust or a hamster.
    observed : True lets the cleaner see its cell, so that nothing is hidden.

    Raises
    ------
    ValueError, TypeError
        if the drawing has an unknown sign, is not closed by walls, or has no dust or no floor; for
        a start that is unknown or named twice; or naming the argument that is of another kind.
    """
    cells = _read_map(drawing)
    step_reward = real_number("step_reward", step_reward)
    dust_reward = real_number("dust_reward", dust_reward)
    hamster_reward = real_number("hamster_reward", hamster_reward)
    observed = require_flag("observed", observed)
    number = {place: s for s, place in enumerate(cells)}
    names = [f"r{row}c{col}" for row, col in cells]
    ends = [sign in "Dh" for sign in cells.values()]
    bonus = {".": 0.0, "D": dust_reward, "h": hamster_reward}
    actions = ["left", "right", "down"]

    S, A = len(cells), len(actions)
    P, R = np.zeros((S, A, S)), np.zeros((S, A, S))
    for s, (row, col) in enumerate(cells):
        for a, action in enumerate(actions):
            down, across = _MOVES[action]
            to = s if ends[s] else number.get((row + down, col + across), s)
            P[s, a, to] = 1.0
            R[s, a, to] = 0.0 if ends[s] else step_reward + bonus[cells[list(cells)[to]]]

    walls = [
        "".join(n for n, (y, x) in _SIDES.items() if (row + y, col + x) not in cells)
        for row, col in cells
    ]
    felt = names if observed else walls
    percepts = list(dict.fromkeys(felt))
    return MDP(
        P,
        R,
        _start_cells(cells, names, starts),
        observe=[percepts.index(f) for f in felt],
        states=names,
        actions=actions,
        percepts=[p or "open" for p in percepts],
        gamma=1.0,
    )


def _read_map(drawing: str) -> dict[tuple[int, int], str]:
    """Cells that are not walls, in reading order: {(row, column): sign}."""
    if not isinstance(drawing, str):
        raise TypeError(f"drawing must be a string of rows; it is of type {type(drawing).__name__}")
    rows = drawing.splitlines()
    cells = {}
    for y, line in enumerate(rows):
        for x, sign in enumerate(line):
            if sign not in "#.Dh":
                raise ValueError(f"drawing, row {y}, column {x}: {sign!r} is not one of # . D h")
            if sign != "#":
                cells[y, x] = sign
    for (y, x), sign in cells.items():
        for side, (down, across) in _SIDES.items():
            v, u = y + down, x + across
            if not (0 <= v < len(rows) and 0 <= u < len(rows[v])):
                raise ValueError(
                    f"drawing, row {y}, column {x}: {sign!r} has no wall on its side {side}"
                )
    for sign, what in (("D", "dust"), (".", "floor")):
        if sign not in cells.values():
            raise ValueError(f"drawing has no {what} ({sign!r})")
    return cells


def _start_cells(cells, names, starts: str | None) -> np.ndarray:
    if starts is None:
        chosen = [sign == "." and cells.get((y + 1, x)) != "D" for (y, x), sign in cells.items()]
    elif not isinstance(starts, str):
        raise TypeError(
            'starts must be a string of names, "r1c1 r1c2", or None; it is of type '
            f"{type(starts).__name__}"
        )
    else:
        named = starts.split()
        for k, name in enumerate(named):
            if name not in names:
                raise ValueError(f"starts must name cells, {', '.join(names)}; it names {name!r}")
            if name in named[:k]:
                raise ValueError(f"starts must name a cell once; it names {name!r} twice")
        chosen = [name in named for name in names]
    if not any(chosen):
        raise ValueError("no cell is left to start from; name one in starts")
    return np.array(chosen) / np.sum(chosen)
