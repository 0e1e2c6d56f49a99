"""Where do two expressions differ?  A search for a counterexample to an identity.

Symbols take values that their assumptions allow, symbolic limits of sums are small whole numbers,
every unknown function is one definite function.  Both sides are then numbers, and a difference that
is no rounding error refutes the identity.

**At any scale.**  The two values are compared relative to the larger, be it 1e-400 or 1e400: they
are kept as SymPy's numbers, whose exponents have no end.  Beside values below 1 a residue of
rounding could look large.  There the difference has to be the same with twice the digits, which a
residue is not; and where the expression holds floats, whose own rounding more digits do not mend,
it has to be above 1e-9 as it is.
"""

from __future__ import annotations

__all__ = ["ATTEMPTS", "witness"]

ATTEMPTS = 6  # points at which a counterexample is looked for
DIGITS = 30  # to which both sides are evaluated
CERTAIN = 1e-9  # relative to the larger side: a difference that no rounding makes


def witness(lhs, rhs, attempts=range(ATTEMPTS)) -> str | None:
    """Look for a point at which the two sides differ, and give the difference there.

    It is a counterexample, not a guess: a definite value for every symbol and every function.
    """
    for attempt in attempts:
        try:
            gap = _gap(*_at_a_point(lhs, rhs, attempt))
        except (TypeError, ValueError):  # something has no value there
            continue
        if gap is not None:
            return gap
    return None


def _gap(lhs, rhs) -> str | None:
    """Give the difference of two numbers in words, or None where it may be rounding."""
    import sympy as sp

    left, right = _number(lhs, DIGITS), _number(rhs, DIGITS)
    gap, size = sp.Abs(left - right), sp.Max(sp.Abs(left), sp.Abs(right))
    if not gap > CERTAIN * size:
        return None
    if not gap > CERTAIN:
        if lhs.has(sp.Float) or rhs.has(sp.Float):
            return None
        again = _number(lhs, 2 * DIGITS) - _number(rhs, 2 * DIGITS)
        if not sp.Abs(again - (left - right)) <= CERTAIN * gap:
            return None
    return _in_words(left - right)


def _number(side, figures: int):
    """Evaluate to a finite number.

    Raises
    ------
    ValueError
        if it has no such value.
    """
    import sympy as sp

    value = side.evalf(figures)
    if not all(isinstance(x, (sp.Float, sp.Rational)) for x in value.as_real_imag()):
        raise ValueError(f"{side} has no value")
    return value


def _in_words(gap) -> str:
    import sympy as sp

    real, imaginary = (sp.Float(x, 15) for x in gap.as_real_imag())
    if not imaginary:
        return _three_digits(real)
    return f"{_three_digits(real)}{'+' * bool(imaginary > 0)}{_three_digits(imaginary)}j"


def _three_digits(x) -> str:
    """As Python would write a float; one beyond a float's exponents as SymPy writes it."""
    import sympy as sp

    return f"{float(x):.3g}" if not x or 1e-300 < abs(x) < 1e300 else str(sp.Float(x, 3))


def _at_a_point(lhs, rhs, attempt: int):
    """Give both sides as numbers: the same values for the same unknowns, others at each attempt."""
    import sympy as sp

    both = sp.Tuple(lhs, rhs)
    limits = [x for s in both.atoms(sp.Sum, sp.Product) for lim in s.limits for x in lim[1:]]
    sizes = sorted({x for lim in limits for x in lim.free_symbols}, key=sp.default_sort_key)
    both = both.subs({x: _value(x, i, attempt, whole=True) for i, x in enumerate(sizes)})

    unknown = both.atoms(sp.core.function.AppliedUndef)
    if unknown and any(lim.is_infinite for lim in limits):
        raise ValueError("an endless sum over an unknown function")
    names = sorted({str(u.func) for u in unknown})

    def definite(u):
        if u.is_integer or u.is_real is False:
            raise ValueError(f"no stand-in for {u}")
        k = names.index(str(u.func)) + attempt
        value = 1 / (2 + k + sum((j + 1) * (x + j) ** 2 for j, x in enumerate(u.args)))
        return -value if u.is_extended_nonpositive else value

    both = both.replace(lambda x: isinstance(x, sp.core.function.AppliedUndef), definite).doit()
    for kind in (sp.Symbol, sp.Indexed):
        bases = {x.base.label for x in both.atoms(sp.Indexed)}
        found = sorted(both.atoms(kind) - bases, key=sp.default_sort_key)
        both = both.subs({x: _value(x, i, attempt) for i, x in enumerate(found)})
    return both


def _value(x, i: int, attempt: int, *, whole: bool = False):
    """Pick a number for symbol x that its assumptions allow; of either sign in later attempts."""
    import sympy as sp

    fraction, n = sp.Rational(2 * i + 3 + attempt, 3 * i + 8 + 3 * attempt), sp.Integer(2 + attempt)
    fractions = (
        (-fraction, fraction) if (i + attempt) % 2 and attempt > 2 else (fraction, -fraction)
    )
    for value in (*(() if whole else fractions), n + i, n + i + 1, -n - i, -n - i - 1):
        facts = ("real", "integer", "even", "odd", "prime", "composite", "positive", "negative")
        if all(getattr(x, f"is_{f}") in (None, getattr(value, f"is_{f}")) for f in facts):
            return value
    raise ValueError(f"no value for {x}")
