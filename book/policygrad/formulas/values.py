r"""Numbers, vectors and matrices, and what may be done with them.

A vector is a column and its transpose a row, so that the product of matrices says which products
there are: v^T w is a number, v w^T a matrix, v w nothing.  What has one entry is a number.

    f'(x) = Im f(x + ih) / h, h = 10^-30      the complex step: no difference, hence no rounding
    f'(x) = (4 D(h) - D(2h)) / 3              inside another derivative; D(h): central difference

SymPy's expressions pass through the same functions, and SymPy differentiates them.
"""

from __future__ import annotations

import math
import operator

import numpy as np

from .tex import Undefined

__all__ = ["along", "apply", "compare", "is_zero", "join", "norm", "plain", "power"]
__all__ += ["real", "slope", "symbolic", "whole"]

TINY, STEP = 1e-30, 5e-4  # of the complex step; of differences
RELATIVE, ABSOLUTE = 1e-9, 1e-12  # so near are the two sides of an equation
ORDER = {"<": operator.lt, r"\le": operator.le, ">": operator.gt, r"\ge": operator.ge}
MATRIX = {"tr": np.trace, "transpose": np.transpose, "pinv": np.linalg.pinv}


def symbolic(*xs) -> bool:
    """Is one of these an expression of SymPy?"""
    for x in xs:  # a loop, as this is asked of every number: any(...) takes three times as long
        if hasattr(x, "free_symbols"):
            return True
    return False


def plain(x):
    """A list of numbers as a column, what has one entry as a number of Python."""
    if type(x) is not float and isinstance(x, (np.ndarray, np.generic)):
        return x.item() if x.size == 1 else x[:, None] if x.ndim == 1 else x
    return x


def real(x):
    """A number, or its real part where a complex step goes through it."""
    return x if type(x) in (int, float) or symbolic(x) else np.real(x)


def whole(x, what: str) -> int:
    """A whole number, for an index or a bound."""
    if type(x) is int:
        return x
    if _shape(x) or real(x) != int(real(x)):
        raise Undefined(f"{what} is no whole number but {x}")
    return int(real(x))


def _shape(x):
    return getattr(x, "shape", ())


def _require_alike(sign, a, b):
    """The same shape; but 0 is as good as a vector of zeros."""
    if _shape(a) != _shape(b) and not any(not _shape(x) and x == 0 for x in (a, b)):
        raise Undefined(f"{sign} between shapes {_shape(a)} and {_shape(b)}")


def join(sign: str, a, b):
    r"""a + b, a - b, a / b, a \cdot b, or their product."""
    if sign in ("+", "-"):
        _require_alike(sign, a, b)
        return a + b if sign == "+" else a - b
    if sign == "/":
        if _shape(b):
            raise Undefined("a vector in a denominator")
        return a / b
    if not (_shape(a) and _shape(b)):
        return a * b
    if sign == r"\cdot" and a.shape == b.shape and b.shape[1] == 1:
        a = a.T
    if a.shape[1] != b.shape[0]:
        raise Undefined(rf"a product of shapes {a.shape} and {b.shape}; of vectors, \cdot or ^\top")
    return plain(a @ b)


def power(a, n):
    """a^n; of a square matrix too."""
    if not _shape(a):
        found = a**n
        if isinstance(found, complex) and not np.iscomplexobj([a, n]):
            raise Undefined("a root of a negative number")
        return found
    if a.shape[0] != a.shape[1]:
        raise Undefined("a power of a vector")
    return np.linalg.matrix_power(a, whole(n, "a matrix's power"))


def norm(x):
    """The length of a vector, the absolute value of a number."""
    if _shape(x):
        return np.sum(x * x) ** 0.5
    return abs(x) if symbolic(x) else x if np.real(x) >= 0 else -x


def apply(name: str, x):
    """log, exp, sqrt, arcsin, sign of a number; tr, transpose, pinv of a matrix."""
    if name in MATRIX:
        return plain(MATRIX[name](np.atleast_2d(x)))
    if symbolic(x):
        import sympy

        return getattr(sympy, {"arcsin": "asin"}.get(name, name))(x)
    if _shape(x):
        raise Undefined(f"{name} of a vector")
    return plain(getattr(np, name)(np.real(x) if name == "sign" else x))


def slope(f, x):
    """f'(x)."""
    if symbolic(x):
        import sympy

        letter = sympy.Dummy()
        return sympy.diff(f(letter), letter).subs(letter, x)
    if np.iscomplexobj(x):  # a complex step goes through it already
        near, far = ((f(x + h) - f(x - h)) / (2 * h) for h in (STEP, 2 * STEP))
        return (4 * near - far) / 3
    return np.imag(f(x + 1j * TINY)) / TINY


def along(f, theta, k):
    """The slope of f along the k-th entry of an array."""

    def moved(y):
        there = theta.astype(object if symbolic(y) else np.result_type(theta, y))
        there[k] = y
        return f(there)

    return slope(moved, theta[k])


def compare(a, sign: str, b, least=0.0, slack=None) -> bool:
    r"""Does a claim, or (``least`` = 0) a condition hold?  ``slack``: how near is ``\approx``?"""
    if isinstance(a, tuple):  # a history
        return (a == b) == (sign == "=")
    _require_alike(sign, a, b)
    if sign in ORDER and _shape(a):
        raise Undefined(f"{sign} between vectors")
    if np.dtype(object) in (getattr(a, "dtype", None), getattr(b, "dtype", None)):
        pairs = zip(*np.broadcast_arrays(a, b), strict=True)
        return all(compare(x, "=", y, least, slack) for x, y in pairs) == (sign != r"\neq")
    if symbolic(a, b):
        import sympy

        a, b = sympy.sympify(a) - b, 0
        same = abs(a.evalf()) <= slack if slack else is_zero(a)
        a = sympy.simplify(a) if sign in ORDER else a
    else:
        a, b = np.real(a), np.real(b)
        size = max(np.max(np.abs(a)), np.max(np.abs(b)))
        near = RELATIVE * size + least if slack is None else slack
        same = math.isfinite(size) and np.max(np.abs(a - b)) <= near
    if sign in ORDER:
        return bool(ORDER[sign](a, b)) or (sign in (r"\le", r"\ge") and bool(same))
    return bool(same) == (sign != r"\neq")


def is_zero(x) -> bool:
    """Is an expression of SymPy 0, whatever its letters are?  Quick answers come first."""
    import sympy

    letters = sorted(x.free_symbols, key=str)
    unlike = any(letter.is_integer or letter.is_positive is False for letter in letters)
    if not (unlike or x.has(sympy.core.function.AppliedUndef)):  # a point where none is special
        there = x.subs({y: sympy.Rational(3, 8 + 5 * n) for n, y in enumerate(letters)}).evalf(20)
        if there.is_number and there.is_finite and abs(there) > RELATIVE:
            return False
    return (x.is_rational_function() and sympy.cancel(x) == 0) or bool(sympy.simplify(x) == 0)
