"""How far off the false claims are that the controls refute, by equation.

    for equation in equations():
        print(equation.label, equation.nearest)       # 0.1: the nearest one is 10 % off

A control says the more the nearer it is to the truth.  How far off it is, relative to the truth,
is read off the records of what the cells put out.  Some have no such size: the control of an
identity, which has no tolerance either, and one where the truth is 0.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

BOOK = Path(__file__).resolve().parents[1] / "book"
sys.path.append(str(BOOK.parent / "_ext"))

from records import verdicts  # noqa: E402

NEAR = 0.1


@dataclass(frozen=True)
class Equation:
    """An equation that has controls.

    Attributes
    ----------
    page, label : where its first control stands, and what it is called.
    sizes : of each control, how far off it is relative to the truth; None where that has no size.
    """

    page: str
    label: str
    sizes: tuple[float | None, ...]

    @property
    def nearest(self) -> float | None:
        """The least size; None if there is none."""
        return min((size for size in self.sizes if size is not None), default=None)


def records(path: Path) -> list[dict]:
    """Give the record of each control of a notebook."""
    found = verdicts(path.stem, nbformat.read(path, as_version=4))
    return [verdict.record for verdict in found if verdict.kind == "refuted"]


def equations(paths=None) -> list[Equation]:
    """Give the equations of the book, or of these notebooks, the coarsest controls first."""
    sizes: dict[str, list] = {}
    pages: dict[str, str] = {}
    for path in sorted(BOOK.glob("*.ipynb")) if paths is None else paths:
        for record in records(path):
            pages.setdefault(record["label"], path.stem)
            sizes.setdefault(record["label"], []).append(record["figures"].get("relative"))
    found = [Equation(pages[label], label, tuple(each)) for label, each in sizes.items()]
    return sorted(found, key=lambda e: (e.nearest is None, -(e.nearest or 0), e.page))


def coarse(found: list[Equation]) -> list[Equation]:
    """Those whose nearest control is further off than 10 %."""
    return [e for e in found if e.nearest is not None and e.nearest > NEAR]


def report() -> list[str]:
    """Say how far off the controls of each equation are, the coarsest first."""
    found = equations()
    lines = [
        f"{_percent(e.nearest):>8}  {e.label} ({e.page}), {len(e.sizes)} controls" for e in found
    ]
    return [f"{len(coarse(found))} of {len(found)} equations: no control within 10 %", *lines]


def _percent(size: float | None) -> str:
    return "no size" if size is None else f"{size:.2g}" if math.isinf(size) else f"{size:.1%}"
