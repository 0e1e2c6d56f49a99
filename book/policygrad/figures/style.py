"""What all pictures share: colours, fonts, how a picture shows itself, what it refuses.

The same colours mean the same things in every chapter.  They are from the palette of
Okabe & Ito (2008), which the colour-blind can tell apart; shapes and dashes say the same once more.
"""

from __future__ import annotations

import functools
import inspect
import io
from collections.abc import Mapping

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure

from ..validate import real_array

EXACT = "#1a1a1a"  # what is computed with no sampling
ESTIMATE = "#0072B2"  # what is estimated from samples
POLICY = "#009E73"  # what depends on theta
WORLD = "#E69F00"  # what does not: start and dynamics
WRONG = "#D55E00"  # what is refuted
FAINT = "#8c8c8c"

STYLE = {
    "svg.hashsalt": "policygrad",  # else the names inside the file change from run to run
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": EXACT,
    "xtick.color": EXACT,
    "ytick.color": EXACT,
    "legend.frameon": False,
    "path.simplify": False,
}

__all__ = [
    "ESTIMATE",
    "EXACT",
    "FAINT",
    "POLICY",
    "STYLE",
    "WORLD",
    "WRONG",
    "Picture",
    "Refused",
    "axes_of",
    "drawn",
    "styled",
]


def styled():
    """Give the context in which a picture is drawn and saved, whatever the reader's own style."""
    return style.context(["default", STYLE])


class Picture:
    """A finished figure; it shows itself as SVG, the same text on every run."""

    def __init__(self, figure: Figure, name: str):
        self.figure = figure
        self.name = name

    def _repr_svg_(self) -> str:
        out = io.StringIO()
        with styled():
            self.figure.savefig(
                out, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight"
            )
        text = out.getvalue()
        return text[text.index("<svg") :]

    def __repr__(self) -> str:
        return f"<picture: {self.name}>"


def drawn(function):
    """Let a function that draws refuse, by name, what it cannot draw.

    Every number inside an argument has to be real and finite, whatever lists and dictionaries it
    stands in; worlds and trajectories have seen to their own.  Where numbers are sound but do not
    fit together, the error names the function.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def draw(*args, **options):
        bound = signature.bind(*args, **options)
        for name, value in bound.arguments.items():
            _require_drawable(name, value)
        try:
            return function(*args, **options)
        except Refused:
            raise
        except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{function.__name__}{signature} cannot draw what it was given: {error}"
            ) from error

    return draw


class Refused(ValueError):
    """An argument that names itself in the message, and needs no more said."""


def _require_drawable(name: str, value) -> None:
    """Refuse a number that is NaN, infinite, complex or masked, wherever it stands in the value."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            _require_drawable(f"{name}[{key!r}]", part)
    elif isinstance(value, (list, tuple)) and not all(map(_is_number, value)):
        for i, part in enumerate(value):
            _require_drawable(f"{name}[{i}]", part)
    elif not (value is None or isinstance(value, (str, bool, np.bool_)) or _is_whole(value)):
        real_array(name, value)


def _is_number(value) -> bool:
    return isinstance(value, (int, float, complex, np.number)) and not isinstance(value, bool)


def _is_whole(value) -> bool:
    """Is it a world or trajectories, which were checked when they were made?"""
    return hasattr(value, "states") and hasattr(value, "actions")


def axes_of(width: float, height: float, columns: int = 1, **options):
    """Give an empty figure of that size in inches, and its panels beside each other."""
    with styled():
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(1, columns, **options)
