"""``identity``: two expressions are one, because SymPy brings their difference to 0.

A difference that stays is compared at points, where a value other than 0 is a counterexample.  What
is neither brought to 0 nor refuted is undecided, and never taken for either.
"""

from __future__ import annotations

from .counterexample import ATTEMPTS, witness
from .inputs import rectangular, require_label, require_where, shown
from .verdict import Check, Undecided, failed, passed

__all__ = ["identity"]


def identity(label: str, lhs, rhs, *, where: str = "") -> None:
    """Check that lhs = rhs as expressions: SymPy brings the difference to 0.

    Parameters
    ----------
    label : the equation's label.
    lhs, rhs : SymPy expressions, or nested lists or matrices of them of one shape.
    where : the case that it is tried on, for the verdict.

    Raises
    ------
    CheckFailed
        showing both sides and a point at which they differ.
    Undecided
        if SymPy finds neither; such an outcome is never taken as a refutation.
    ValueError, TypeError
        if a side holds anything but expressions, nothing at all, or other places than the other.
    """
    require_label(label)
    require_where(label, where)
    left, right = _paired(label, lhs, rhs)
    for place, x in left.items():
        found = _counterexample(x, right[place])
        if found is None:
            continue
        entry = f"entry {list(place)}, " if place else ""
        sides = f"{entry}\n  lhs = {x}\n  rhs = {right[place]}\n  difference = {x - right[place]}"
        if not found:
            raise Undecided(f"{label}: SymPy can neither bring it to 0 nor refute it: {sides}")
        failed(
            Check(label, "identity", False, {"entries": len(left), "witness": found}, where=where),
            f"the two sides differ by {found} at a random point",
            f"not an identity: {sides}\n  which is {found} at a random point",
        )
    what = "SymPy: the difference is 0"
    if len(left) > 1:
        what = f"SymPy: all {len(left):,} differences are 0"
    passed(Check(label, "identity", True, {"entries": len(left)}, where=where), what)


def _paired(label: str, lhs, rhs) -> tuple[dict, dict]:
    """Give the entries of both sides by their places, which have to be the same."""
    left, right = (dict(_entries(label, *side)) for side in (("lhs", lhs), ("rhs", rhs)))
    if len(left) != len(right):
        raise ValueError(f"{label}: lhs has {len(left)} entries, rhs has {len(right)}")
    if left.keys() != right.keys():
        raise ValueError(f"{label}: the entries of lhs and rhs are not arranged alike")
    if not left:
        raise ValueError(f"{label}: there is nothing to compare")
    return left, right


def _entries(label: str, name: str, side, place: tuple = ()):
    """Yield (place, expression), for an expression or each entry of lists or matrices."""
    try:
        import sympy as sp
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            "checks.identity needs SymPy: pip install sympy", name=missing.name
        ) from missing

    if hasattr(side, "tolist") and hasattr(side, "shape"):  # NumPy's arrays and SymPy's matrices
        if hasattr(side, "mask"):
            rectangular(label, name, side)  # which refuses it
        side = side.tolist()
    if isinstance(side, (list, tuple, sp.Tuple)):
        for i, part in enumerate(side):
            yield from _entries(label, name, part, (*place, i))
        return
    try:
        expression = sp.sympify(side, strict=True)
    except Exception:  # SymPy's own and what it meets on its way
        expression = None
    if not isinstance(expression, sp.Expr) or isinstance(expression, sp.MatrixExpr):
        raise TypeError(f"{label}: {name} must hold SymPy expressions; it holds {shown(side)}")
    yield place, expression


def _counterexample(x, y) -> str | None:
    """None if x - y is 0; else the difference at a point; "" if it is neither."""
    if _vanishes(x - y, False):
        return None
    found = witness(x, y, range(1))  # a counterexample is found sooner than a proof fails
    if found is None and _vanishes(x - y, True):
        return None
    return found or witness(x, y, range(1, ATTEMPTS)) or ""


def _vanishes(difference, thoroughly: bool) -> bool:
    """Try SymPy's quick or its thorough ways of showing that an expression is 0."""
    import sympy as sp

    ways = (sp.simplify, lambda x: sp.simplify(sp.expand(x))) if thoroughly else (sp.cancel,)
    return difference == 0 or any(way(difference) == 0 for way in ways)
