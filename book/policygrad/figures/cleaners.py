"""Cleaners that walk through their corridor, step by step, beside the policies that they follow.

A walk is a list of states, as the sampler has drawn it; a picture adds nothing to it.
"""

from __future__ import annotations

import numpy as np

from . import marks
from .corridors import place_of, rows_of
from .moving import Draggable, draggable
from .style import Refused, drawn

__all__ = ["cleaner_learns", "two_cleaners"]

CELL = 46.0  # side of a cell
MARGIN = 0.3  # of the walls around, in cells
MOST_STEPS, MOST_WALKS = 40, 6
BAR = 90.0  # length of a bar for probability 1


@drawn
def two_cleaners(drawing: str, world, walks, *, alt: str, policies=None) -> Draggable:
    """Let cleaners walk side by side, each in a corridor of its own.

    Parameters
    ----------
    drawing : the map from which the world was built.
    world : that world.
    walks : {name: states} one walk each, the numbers of its states from the start on.
    alt : what the still shows: all cleaners at their start.
    policies : {the same names: (A,)} what each does where the percept is shared; bars.
    """
    rows, walks = rows_of(drawing), _checked(world, rows_of(drawing), walks)
    high = CELL * (len(rows) - 2 + 2 * MARGIN) + 34
    base, last = [], max(map(len, walks.values())) - 1
    for lane, name in enumerate(walks):
        base += [marks.text(8, high * lane + 18, name, bold=True), *_map(rows, high * lane + 26)]
        if policies is not None:
            base += _bars(world, policies[name], high * lane + 26, CELL * (len(rows[0]) - 2) + 40)
    frames = {}
    for t in range(last + 1):
        shown, words = [], []
        for lane, (name, walk) in enumerate(walks.items()):
            at = walk[min(t, len(walk) - 1)]
            shown += _cleaner(at, high * lane + 26)
            words.append(f"{name}: {_state(rows, walk, t)}")
        frames[f"Step {t}. {'; '.join(words)}."] = shown
    size = (480, high * len(walks))
    name = "cleaners, step by step"
    return draggable(base, frames, alt=alt, name=name, size=size, play=True)


@drawn
def cleaner_learns(drawing: str, world, walks, policies, *, alt: str) -> Draggable:
    """Let a cleaner walk after each of several stages of its learning, one after the other.

    Parameters
    ----------
    drawing : the map from which the world was built.
    world : that world.
    walks : {stage: states} the walk after each stage, in order.
    policies : {the same stages: (A,)} the row of the policy where the percept is shared; bars.
    alt : what the still shows: the first stage, the cleaner at its start.
    """
    rows, walks = rows_of(drawing), _checked(world, rows_of(drawing), walks)
    frames, spans = {}, []
    for stage, walk in walks.items():
        bars = _bars(world, policies[stage], 26, CELL * (len(rows[0]) - 2) + 40)
        title = marks.text(8, 18, stage, bold=True)
        spans.append((len(frames), len(frames) + len(walk) - 1, [title, *bars]))
        for t, place in enumerate(walk):
            words = f"{stage}, step {t}: {_state(rows, walk, t)}."
            frames[words] = _cleaner(place, 26)
    return draggable(
        _map(rows, 26),
        frames,
        alt=alt,
        name="a cleaner learns",
        spans=spans,
        size=(480, CELL * (len(rows) - 2 + 2 * MARGIN) + 34),
        play=True,
    )


def _checked(world, rows, walks) -> dict:
    """The places of each walk; one that is too long or leaves the map is refused."""
    if not 1 <= len(walks) <= MOST_WALKS:
        raise Refused(f"walks must be 1 to {MOST_WALKS}; there are {len(walks)}")
    found = {}
    for name, states in walks.items():
        states = np.asarray(states)
        if states.ndim != 1 or not 1 <= len(states) <= MOST_STEPS + 1:
            raise Refused(
                f"walks[{name!r}] must be a list of states, {MOST_STEPS} steps at most; "
                f"its shape is {states.shape}"
            )
        places = [place_of(world, int(s)) for s in states]
        for y, x in places:
            if not (y < len(rows) and x < len(rows[0])) or rows[y][x] == "#":
                raise Refused(f"walks[{name!r}] must stay in cells of the drawing; see {y}, {x}")
        found[name] = places
    return found


def _state(rows, walk, t: int) -> str:
    """Where a walk has come to at step t, in words."""
    done = min(t, len(walk) - 1)
    y, x = walk[done]
    steps = f"{done} {'step' if done == 1 else 'steps'}"
    if rows[y][x] == "D":
        return f"at the dust after {steps}"
    if rows[y][x] == "h":
        return f"at a hamster after {steps}"
    return f"on its way after {steps}" if done else "at the start"


def _corner(y: float, x: float, top: float) -> tuple[float, float]:
    """The upper left corner of a cell in the picture."""
    return 8 + CELL * (x - 1 + MARGIN), top + CELL * (y - 1 + MARGIN)


def _map(rows, top: float) -> list[str]:
    wide, high = (CELL * (n - 2 + 2 * MARGIN) for n in (len(rows[0]), len(rows)))
    found = [marks.bar(8, top, wide, high, colour="faint", pale=True)]
    for y, row in enumerate(rows):
        for x, sign in enumerate(row):
            if sign == "#":
                continue
            left, above = _corner(y, x, top)
            found.append(marks.bar(left + 0.5, above + 0.5, CELL - 1, CELL - 1, colour="paper"))
            middle = (left + CELL / 2, above + CELL / 2)
            if sign == "D":
                found.append(marks.star(*middle, 13))
            elif sign == "h":
                found += [
                    marks.disc(middle[0] + k, middle[1] - 7, 5, colour="exact") for k in (-9, 9)
                ]
                found.append(marks.disc(middle[0], middle[1] + 2, 10, colour="exact"))
    return found


def _cleaner(place, top: float) -> list[str]:
    left, above = _corner(*place, top)
    return [marks.ring(left + CELL / 2, above + CELL / 2, 9, colour="policy", width=8)]


def _bars(world, pi, top: float, left: float) -> list[str]:
    pi = np.asarray(pi, float)
    if pi.shape != (len(world.actions),):
        raise Refused(
            f"policies must have a probability for each of {len(world.actions)} actions; "
            f"one has shape {pi.shape}"
        )
    found = []
    for row, (action, p) in enumerate(zip(world.actions, pi, strict=True)):
        y = top + 8 + 30 * row
        found.append(marks.text(left + 46, y + 14, action, anchor="end"))
        found.append(marks.bar(left + 52, y, BAR, 18, colour="faint", edge=True))
        found.append(marks.bar(left + 52, y, BAR * p, 18))
        found.append(marks.text(left + 56 + BAR, y + 14, f"{p:.2f}"))
    return found
