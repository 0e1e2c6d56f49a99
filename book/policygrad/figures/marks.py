"""Marks of a picture that moves, as pieces of SVG: text, lines, dots, bars, and axes for them.

A colour is one of the names in ``COLOURS``; what it is in light and in dark the page decides.
Positions are in the picture's own units, from its upper left corner, rounded to a tenth, so that a
picture is the same text on every machine.
"""

from __future__ import annotations

from html import escape

import numpy as np

from .style import ESTIMATE, EXACT, FAINT, POLICY, WORLD, WRONG, Refused

__all__ = ["COLOURS", "Axes", "arrow", "bar", "disc", "dots", "line", "ring", "star", "text"]

# name: in light, in dark
COLOURS = {
    "exact": (EXACT, "#e8e8e8"),
    "estimate": (ESTIMATE, "#56b4e9"),
    "policy": (POLICY, "#2fc79a"),
    "world": (WORLD, "#f0b429"),
    "wrong": (WRONG, "#ff8a4c"),
    "faint": (FAINT, "#9a9a9a"),
    "paper": ("#ffffff", "#1a1a1a"),
}


def short(value: float) -> str:
    """Write a position to a tenth, without a sign on zero or digits that say nothing."""
    return f"{round(float(value), 1) + 0.0:g}"


def said(value: float, digits: int = 3) -> str:
    """Write a number for a reader, to so many significant digits, with a true minus sign."""
    return f"{float(value) + 0.0:.{digits}g}".replace("-", "−")


def _known(colour: str) -> str:
    if colour not in COLOURS:
        raise Refused(f"colour must be one of {', '.join(COLOURS)}; it is {colour!r}")
    return colour


def text(x, y, words: str, *, colour="exact", size=13, anchor="start", bold=False) -> str:
    """Write words whose baseline starts, has its middle or ends at (x, y)."""
    look = f' class="f-{_known(colour)}"' + (' font-weight="700"' if bold else "")
    look += "" if anchor == "start" else f' text-anchor="{anchor}"'
    look += "" if size == 13 else f' font-size="{size}"'
    return f'<text x="{short(x)}" y="{short(y)}"{look}>{escape(words)}</text>'


def line(points, *, colour="exact", width=2.0, dashed=False) -> str:
    """Draw straight pieces through points, (n, 2)."""
    steps = " L".join(f"{short(x)} {short(y)}" for x, y in points)
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<path class="s-{_known(colour)}" stroke-width="{width:g}"{dashes} d="M{steps}"/>'


def dots(points, *, colour="estimate", size=5.0) -> str:
    """Draw many dots, (n, 2), as one path."""
    places = "".join(f"M{short(x)} {short(y)}h0" for x, y in points)
    look = f'class="s-{_known(colour)}" stroke-linecap="round" stroke-width="{size:g}"'
    return f'<path {look} stroke-opacity="0.6" d="{places}"/>'


def disc(x, y, r, *, colour="policy") -> str:
    """Draw a disc."""
    return f'<circle class="f-{_known(colour)}" cx="{short(x)}" cy="{short(y)}" r="{short(r)}"/>'


def ring(x, y, r, *, colour="exact", width=2.0, dashed=False) -> str:
    """Draw a ring, whose line has its middle at radius r."""
    look = f'class="s-{_known(colour)}" stroke-width="{width:g}"'
    look += ' stroke-dasharray="5 4"' if dashed else ""
    return f'<circle {look} cx="{short(x)}" cy="{short(y)}" r="{short(r)}"/>'


def bar(x, y, width, height, *, colour="policy", edge=False, pale=False) -> str:
    """Draw a bar from its upper left corner; with ``edge`` only its outline."""
    look = f'class="{"s" if edge else "f"}-{_known(colour)}"'
    look += ' fill-opacity="0.5"' if pale else ""
    size = f'width="{short(width)}" height="{short(height)}"'
    return f'<rect {look} x="{short(x)}" y="{short(y)}" {size}/>'


def star(x, y, r, *, colour="world") -> str:
    """Draw a star with five points."""
    turns = np.pi * np.arange(10) / 5
    far = np.where(np.arange(10) % 2, 0.42, 1.0) * r
    corners = zip(x + far * np.sin(turns), y - far * np.cos(turns), strict=True)
    return f'<path class="f-{_known(colour)} star" d="M{_through(corners)}z"/>'


def arrow(start, end, *, colour="exact", width=2.5) -> str:
    """Draw an arrow."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    along = end - start
    length = float(np.hypot(*along))
    if length < 1:
        return ""
    along /= length
    across = np.array([-along[1], along[0]])
    head = min(10.0, length)
    back = end - head * along
    corners = (end, back + 0.45 * head * across, back - 0.45 * head * across)
    shaft = line([start, back], colour=colour, width=width)
    return f'{shaft}<path class="f-{colour}" d="M{_through(corners)}z"/>'


def _through(corners) -> str:
    return " L".join(f"{short(x)} {short(y)}" for x, y in corners)


class Axes:
    """A place for numbers: where a point of the data stands in the picture.

    Parameters
    ----------
    x, y : (least, greatest) of what is shown.
    box : left, top, width and height in the picture.
    """

    def __init__(self, x, y, box):
        self.x, self.y, self.box = tuple(map(float, x)), tuple(map(float, y)), tuple(box)

    def place(self, points) -> np.ndarray:
        """Give (n, 2) places of (n, 2) points."""
        points = np.atleast_2d(np.asarray(points, float))
        left, top, width, height = self.box
        across = (points[:, 0] - self.x[0]) / (self.x[1] - self.x[0])
        up = (points[:, 1] - self.y[0]) / (self.y[1] - self.y[0])
        return np.column_stack([left + width * across, top + height * (1 - up)])

    def holds(self, points) -> np.ndarray:
        """Which of (n, 2) points are within: (n,) booleans."""
        points = np.atleast_2d(np.asarray(points, float))
        low, high = np.transpose([self.x, self.y])
        return ((points >= low) & (points <= high)).all(axis=1)

    def marks(self, xlabel: str, ylabel: str, *, whole=True) -> list[str]:
        """Draw both axes, with numbers and names; else the one on the left alone."""
        left, top, width, height = self.box
        low = top + height
        found = [line([(left, top), (left, low), (left + width, low)], colour="faint", width=1)]
        for value in _ticks(*self.x) if whole else ():
            (x, _), *_ = self.place([(value, self.y[0])])
            found.append(line([(x, low), (x, low + 4)], colour="faint", width=1))
            found.append(text(x, low + 17, said(value), size=12, anchor="middle"))
        for value in _ticks(*sorted(self.y)):
            (_, y), *_ = self.place([(self.x[0], value)])
            found.append(line([(left - 4, y), (left, y)], colour="faint", width=1))
            found.append(text(left - 7, y + 4, said(value), size=12, anchor="end"))
        if whole:
            found.append(text(left + width / 2, low + 35, xlabel, anchor="middle"))
        found.append(text(left - 30, top - 9, ylabel))
        return found


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two, three to seven of them."""
    raw = (high - low) / 5
    size = 10.0 ** np.floor(np.log10(raw))
    step = next(k * size for k in (1, 2, 5, 10) if k * size >= raw * 0.999)
    first = int(np.ceil(low / step - 1e-9))
    return [k * step for k in range(first, int(np.floor(high / step + 1e-9)) + 1)]
