"""How far off the false claims are that the controls refute, by equation.

    for equation in equations():
        print(equation.label, equation.nearest)       # 0.1: the nearest one is 10 % off

A control says the more the nearer it is to the truth.  How far off it is, relative to the truth,
is read off what the cells put out.  Some have no such size: the control of an identity, which has
no tolerance either, and one where the truth is 0.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BOOK = Path(__file__).resolve().parents[1] / "book"
NEAR = 0.1
_OFF = re.compile(r"off by (?:([\d.e-]+)%|([\d.e+]+) times its size|(an infinite amount))")


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


def size_of(record: dict, line: str) -> float | None:
    """Give how far off a control is, from its record and from the line that it printed."""
    if record["kind"] in ("close", "runs"):
        return record["figures"].get("relative")
    found = _OFF.search(line) if record["kind"] == "unbiased" else None
    if found is None:
        return None
    percent, times, _ = found.groups()
    return float(percent) / 100 if percent else float(times) if times else math.inf


def records(path: Path) -> Iterator[tuple[dict, str]]:
    """Give the record of each control of a notebook, and the line that it printed."""
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            record = output.get("metadata", {}).get("policygrad")
            if record is not None and record["claim"] is not None:
                yield record, "".join(output["data"]["text/plain"])


def equations(paths=None) -> list[Equation]:
    """Give the equations of the book, or of these notebooks, the coarsest controls first."""
    sizes: dict[str, list] = {}
    pages: dict[str, str] = {}
    for path in sorted(BOOK.glob("*.ipynb")) if paths is None else paths:
        for record, line in records(path):
            pages.setdefault(record["label"], path.stem)
            sizes.setdefault(record["label"], []).append(size_of(record, line))
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
