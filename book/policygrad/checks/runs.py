r"""``runs``: the typeset equation itself holds, line by line, on the values of its letters.

The LaTeX of the display is read from the notebook in which it stands; ``policygrad.formulas``
evaluates both sides of every relation in it.  What is altered in the display is thereby on trial.

**Nothing bland.**  A slip hides where a number is special: gamma^t is 1 where gamma is, k is t
where there is one step, and H = 3 is any 3.  So an equation is tried on two sets of values at
least, and no number that it speaks of may be the same in all of them, unless the call says
``fixed=``; nor may all logits be equal.  Values of SymPy stand for all numbers at once, and need no
second set.  An equation about one world of its own says why one is enough, with ``only=``.
"""

from __future__ import annotations

import math
from numbers import Number

import numpy as np

from ..formulas import Finding, Formula, definitions, display
from .inputs import require_label, require_where, shown
from .verdict import Check, failed, passed
from .words import digits, multiple, relative, times

__all__ = ["runs"]

SMALL = 1e-10  # relative: deviations below it may be rounding, to a digit


def runs(
    label: str,
    *tried: dict,
    using: tuple[str, ...] = (),
    cases: str | dict[int, str] = "",
    given: tuple[str, ...] = (),
    lines: tuple[int, ...] | None = None,
    fixed: tuple[str, ...] = (),
    only: str = "",
    zeros: str = "",
    slip: tuple[str, str] | None = None,
    where: str = "",
) -> None:
    r"""Check that a typeset equation holds as it stands on the page.

    Parameters
    ----------
    label : of the display, without its ``eq-`` or ``def-``.
    tried : the values of its letters, spelled as in the book, one dictionary for each world; see
        :mod:`policygrad.primitives`.  The right-hand side must not stand among them.
    using : labels of other displays, whose equations are taken as definitions.
    cases : a condition on the cases that stands in the text only, as LaTeX: ``k<t``; or one for
        each of some lines, ``{2: "k<t"}``.
    given : what is taken for granted: words behind "if" in the column of reasons, "laws", "limits".
    lines : those to try, from 1; default: all.
    fixed : letters of numbers that are the same in all that is tried, because they have to be.
    only : why one world is enough, in words.
    zeros : why it is right that all sides are 0 in all cases, in words.
    slip : (old, new): the display is tried with ``old``, which stands in it once, replaced by
        ``new``.  For controls.
    where : the case that it is tried on, for the verdict.

    Raises
    ------
    CheckFailed
        showing the line, both its sides, and what the letters stood for.
    ValueError
        (a :class:`~policygrad.formulas.Refused`) if the display cannot be read, a symbol has no
        value, or what is tried is bland; the message names the line and the symbol.
    """
    require_label(label)
    require_where(label, where)
    tex = _with_slip(label, display(label), slip)
    options = {"where": cases or None, "given": given, "lines": lines}
    defined = definitions(*using)
    formulas = [_read(label, tex, values, defined, options) for values in tried or ({},)]
    exact = any(formula.symbolic for formula in formulas)
    if not exact:
        _require_nothing_bland(label, formulas, {"e", *fixed}, only)
    found, figures = [], {"relations": len(formulas[0].claims), "worlds": len(formulas)}
    for formula in formulas:
        found.append(formula.run(until_false=True))
        cases = sum(finding.cases for findings in found for finding in findings)
        figures |= {"cases": cases, "exact": exact}
        if not found[-1][-1].holds:
            _fail(label, tex, found[-1][-1], (len(found), len(formulas)), figures, where)
    _require_alive(label, formulas[0], found, zeros)
    passed(Check(label, "runs", True, figures, where=where), _in_words(figures))


def _read(label, tex, values, defined, options):
    if not isinstance(values, dict):
        raise TypeError(f"{label}: values must be a dictionary of letters; it is {shown(values)}")
    try:
        return Formula(tex, defined | values, **options)
    except ValueError as refused:
        refused.args = (f"{label}: {refused}",)
        raise


def _with_slip(label, tex, slip):
    if slip is None:
        return tex
    old, new = slip
    if tex.count(old) != 1:
        raise ValueError(f"{label}: {old} stands {tex.count(old)} times in the display, not once")
    return tex.replace(old, new)


def _require_nothing_bland(label, formulas, fixed, only):
    spoken = set.union(*(formula.names.spoken for formula in formulas))
    numbers = [
        {x: formula.names.constants[x] for x in spoken & formula.names.constants.keys()}
        for formula in formulas
    ]
    if len(formulas) < 2:
        if spoken and not only:
            raise ValueError(
                f"{label}: one set of values, in which any number may be special: give a second "
                "world, or say with only= why one is enough"
            )
        return
    for x, value in numbers[0].items():
        if not isinstance(value, Number) or x in fixed:
            continue
        if all(x in others and np.array_equal(others[x], value) for others in numbers[1:]):
            raise ValueError(
                f"{label}: {x} is {value} in all that is tried, so that a slip could hide behind "
                f'it: vary it, or say that it has to be so with fixed=("{x}",)'
            )
    thetas = [theta for formula in formulas for theta in formula.names.parameters]
    if thetas and not any(np.ptp(theta) > 0 for theta in thetas):
        raise ValueError(f"{label}: all logits are equal in all that is tried: vary them")


def _require_alive(label, formula, found, zeros):
    for n, findings in enumerate(zip(*found, strict=True)):
        if any(finding.alive for finding in findings) or zeros or formula.claims[n].is_zero:
            continue
        raise ValueError(
            f"{label}: line {findings[0].line} compares 0 with 0 in every case, which shows "
            "nothing: try other values, or say with zeros= why it has to be so"
        )


def _in_words(figures):
    many, worlds, cases = (figures[name] for name in ("relations", "worlds", "cases"))
    what = "as typeset: " + (f"{many} relations hold" if many > 1 else "it holds")
    if figures["exact"]:
        return f"{what}, by SymPy" + (f", in {cases:,} cases" if cases > many else "")
    if cases == many:
        return what
    in_worlds = f"in {worlds} worlds" if worlds > 1 else ""
    if cases == many * worlds:
        return f"{what} {in_worlds}"
    return f"{what} in {cases:,} cases" + (f", {in_worlds}" if in_worlds else "")


def _fail(label, tex, finding: Finding, world, figures, where):
    scope, a, b = finding.counterexample
    deviation, off = _deviation(a, b)
    check = Check(label, "runs", False, figures | deviation, where=where)
    rows = tex.replace(r"\begin{aligned}", "").replace(r"\end{aligned}", "").split(r"\\")
    row = " ".join(rows[finding.line - 1].split())
    letters = ", ".join(f"{x} = {_shown(value)}" for x, value in sorted(scope.items()))
    place = f" (world {world[0]} of {world[1]})" if world[1] > 1 else ""
    message = (
        f"line {finding.line} of the typeset equation does not hold{place}:\n  {row}\n"
        f"  left  = {_shown(a)}\n  right = {_shown(b)}"
        + (f"\n  where {letters}" if letters else "")
    )
    failed(check, f"line {finding.line} {off}", message)


def _deviation(a, b):
    """How far two sides are apart: figures for the record, and words."""
    try:
        a, b = (np.asarray(x, dtype=complex).real for x in (a, b))
        gap, size = float(np.max(np.abs(a - b))), float(np.max(np.abs(b)))
    except (TypeError, ValueError):
        return {"relative": None}, "does not hold"
    if not math.isfinite(gap) or not gap > SMALL * size:
        return {"relative": None}, "does not hold"
    if size < SMALL * gap:  # 0, but for rounding, which is another on every machine
        size = 0.0
    figures = {"relative": digits(gap / size) if size else None}
    factor = multiple(a, b) if size else None
    said = times(factor)
    if "sign" in said:
        return figures, "has opposite signs on its two sides" + said.removeprefix("opposite sign")
    if said:
        return figures, f"has {factor:.2g} times as much on its left as on its right"
    return figures, f"is off by {relative(gap, size, of='its right side')}"


def _shown(x):
    if isinstance(x, tuple) or hasattr(x, "free_symbols"):
        return str(x)
    x = np.real(np.asarray(x))
    if x.dtype.kind in "iub":
        return str(x)
    return np.array2string(np.ravel(x) if x.size > 1 else x, precision=6)
