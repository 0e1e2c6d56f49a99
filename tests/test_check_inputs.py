"""A sweep: every argument of every public function of checks and symbolic, with what it is not.

Each call has one argument replaced by something from a list of what readers hand over by mistake.
It must end in an error that names the argument.  Where the thing is a number after all, and only a
wrong one, a check fails; where it is as good as what stood there, the call goes through.  Both are
listed here one by one, with nothing else beside them.
"""

import math
import re
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from policygrad.checks import (
    CheckFailed,
    NotAssumed,
    TooFewSamples,
    Undecided,
    assumes,
    close,
    finite_differences,
    history,
    identity,
    refuted,
    unbiased,
)
from policygrad.symbolic import log_of_product, symbolic_trajectory, symbolic_world

x = sp.Symbol("x", positive=True)
ROWS = np.random.default_rng(0).normal(size=(200, 1))
WORLD = symbolic_world(2, 2, 1)
STRANGE = {
    "nothing": None,
    "word": "up",
    "empty word": "",
    "bytes": b"up",
    "number as a word": "1",
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
    "-1": -1,
    "0": 0,
    "1": 1,
    "half": 0.5,
    "true": True,
    "numpy's true": np.True_,
    "complex": 1j,
    "complex without imaginary part": 1 + 0j,
    "huge": 10**400,
    "tiny": 1e-320,
    "float32": np.float32(0.5),
    "fraction": Fraction(1, 2),
    "decimal": Decimal("0.5"),
    "symbol": sp.Symbol("s"),
    "sympy's half": sp.Rational(1, 2),
    "sympy's nan": sp.nan,
    "sympy's truth": sp.true,
    "equation": sp.Eq(x, 2),
    "matrix symbol": sp.MatrixSymbol("M", 2, 2),
    "empty list": [],
    "list": [1, 2, 3],
    "ragged": [[1.0], [1.0, 2.0]],
    "list with None": [1.0, None],
    "list with a word": [1.0, "up"],
    "list with a huge number": [10**400],
    "list of masked": [np.ma.masked, 1.0],
    "masked": np.ma.masked_array([1.0, 2.0], [False, True]),
    "masked rows": np.ma.masked_array(ROWS, ROWS > 1),
    "masked integers": np.ma.masked_array([1, 2], [False, True]),
    "complex array": np.ones(2) * 1j,
    "array of objects": np.array([object(), 1.0], dtype=object),
    "array in an array": np.array([np.ones(1), None], dtype=object)[:1],
    "array of words": np.array(["1", "2"]),
    "array of times": np.array(["2026-01-01"], dtype="datetime64[D]"),
    "records": np.zeros(2, dtype=[("a", float)]),
    "three axes": np.ones((2, 2, 2)),
    "transposed": ROWS.T,
    "dictionary": {0: 1.0},
    "set": {0, 1},
    "generator": (i for i in ()),
    "function": abs,
    "object": object(),
    "type": str,
    # of the shapes that samples have
    "masked one": np.ma.masked_array([0.0], [True]),
    "list of 0": [0],
    "list of a true": [True],
    "list of None": [None],
    "list of a symbol": [x],
    "list of a complex": [0j],
    "list of nan": [math.nan],
    "200 ones": np.ones((200, 1)),
    "rows of 0 and 1": np.zeros((200, 1), bool),
    "rows of complex": ROWS + 0j,
    "rows of objects": [[None]] * 200,
    "rows of words": [["1"]] * 200,
    "rows beyond floats": [[10**400]] * 200,
    "rows with a nan": np.where(np.arange(200) == 3, math.nan, 1.0)[:, None],
    "rows below floats": ROWS * 1e-310,
    "counts": np.full(200, 2),
    "small counts": np.full(200, 200, np.uint8),
    "counts of nan": np.full(200, math.nan),
    "counts as floats": np.ones(200),
    "counts as truth values": np.ones(200, bool),
    "counts below 0": np.full(200, -1),
    "counts without end": np.full(200, 2**62),
    "masked counts": np.ma.masked_array(np.ones(200, int), np.arange(200) == 3),
    "counts as objects": np.full(200, 10**30, dtype=object),
}


def probability(**arguments):
    return WORLD.probability(**arguments)


def return_of(**arguments):
    return WORLD.return_of(**arguments)


def score(**arguments):
    return WORLD.score(**arguments)


def control(claim):
    with refuted(claim):
        close("a", 1.0, 2.0)


def differentiated(value):
    """finite_differences of a function with this value."""
    return finite_differences(lambda theta: value, [0.5])


GOOD = {
    close: {
        "label": "a",
        "value": 0.5,
        "reference": 0.5,
        "rtol": 1e-10,
        "atol": 0.0,
        "scale": None,
        "where": "",
    },
    identity: {"label": "a", "lhs": x, "rhs": x, "where": ""},
    unbiased: {
        "label": "a",
        "gradients": ROWS,
        "exact": [0.0],
        "counts": np.ones(200, int),
        "false_alarm": 1e-6,
        "scale": None,
        "where": "",
    },
    control: {"claim": "one is two"},
    finite_differences: {"f": np.sum, "theta": [0.5], "step": 1e-3},
    differentiated: {"value": 1.0},
    symbolic_world: {"S": 2, "A": 2, "horizon": 1, "observe": None},
    symbolic_trajectory: {"dynamics_depend_on_theta": False},
    log_of_product: {"expression": x},
    probability: {"states": (0, 1), "actions": (0,)},
    return_of: {"states": (0, 1), "actions": (0,)},
    score: {"states": (0, 1), "actions": (0,), "parameter": WORLD.parameters[0]},
}
NAMES = {"label": "first argument", "value of differentiated": "f"}
WORDS = {"word": "right", "number as a word": "right"}
CASES = {**WORDS, "empty word": "right"}
HALF = ("half", "float32", "fraction", "sympy's half")  # real numbers, every one


def listed(right=(), failed=(), few=()):
    """What comes of some things, by their names."""
    how = {"right": right, "failed": failed, "too few": few}
    return {name: what for what, names in how.items() for name in names}


REAL = (*HALF, "decimal")  # which may also stand in an array
SIZES = ("nothing", *REAL, "1", "tiny")
TERMS = ("list", "three axes", "list of a true", "200 ones", "counts", "small counts")
TERMS += ("counts as floats", "counts as objects", "counts as truth values", "counts without end")
NUMBERS = (*REAL, "-1", "0", "1")
ARRAYS = ("list", "three axes", "transposed", "list of 0", "200 ones")
ARRAYS += ("counts", "small counts", "counts as floats", "counts below 0")
EXPRESSIONS = (*NUMBERS, "nan", "sympy's nan", "inf", "-inf", "huge", "tiny", "symbol")
EXPRESSIONS += ("complex", "complex without imaginary part")
LISTED = {  # what else comes of it than an error that names the argument
    "label of close": WORDS,
    "label of identity": WORDS,
    "label of unbiased": WORDS,
    "claim of control": WORDS,
    "where of close": CASES,
    "where of identity": CASES,
    "where of unbiased": CASES,
    "value of close": listed(
        right=REAL,
        failed=["nan", "sympy's nan", "inf", "-inf", "-1", "0", "1", "true", "numpy's true"],
    )
    | listed(failed=["tiny"]),
    "reference of close": listed(REAL, ["-1", "1", "true", "numpy's true", "tiny"]),
    "rtol of close": listed(right=[*HALF, "tiny"]),
    "atol of close": listed(right=[*HALF, "tiny", "0", "1"]),
    "scale of close": listed([*SIZES, *TERMS]),
    "scale of unbiased": listed([*SIZES, "list of a true"]),
    "lhs of identity": listed(failed=EXPRESSIONS),
    "rhs of identity": listed(failed=EXPRESSIONS),
    "gradients of unbiased": listed(["rows of 0 and 1"], ["200 ones"]),
    "exact of unbiased": listed(["list of 0"], ["list of a true"]),
    "counts of unbiased": listed(right=["nothing", "counts", "small counts"]),
    "false_alarm of unbiased": listed(right=HALF, few=["tiny"]),
    "f of finite_differences": listed(right=["function"]),
    "theta of finite_differences": listed([*NUMBERS, *ARRAYS, "tiny", "rows below floats"]),
    "step of finite_differences": listed(right=[*HALF, "1"]),
    "value of differentiated": listed(
        [*NUMBERS, *ARRAYS, "empty list", "counts without end", "counts as objects"]
    ),
    "S of symbolic_world": listed(right=["1"]),
    "A of symbolic_world": listed(right=["1"]),
    "horizon of symbolic_world": listed(right=["1", "huge"]),
    "observe of symbolic_world": listed(right=["nothing"]),
    "dynamics_depend_on_theta of symbolic_trajectory": listed(right=["true"]),
    "expression of log_of_product": listed(right=[*HALF, "1", "huge", "tiny", "symbol"]),
    "actions of probability": listed(right=["list of 0"]),
    "actions of return_of": listed(right=["list of 0"]),
    "actions of score": listed(right=["list of 0"]),
}


def outcome(function, argument, thing):
    """What comes of a call with a thing in the place of one argument; in a word, if all is well."""
    called = f"{argument} of {function.__name__}"
    name = NAMES.get(called, NAMES.get(argument, argument))
    before = len(history())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            function(**{**GOOD[function], argument: thing})
    except (CheckFailed, Undecided):
        found = "failed"
    except TooFewSamples:
        found = "too few"
    except (TypeError, ValueError) as error:
        found = "named" if re.search(rf"\b{name}\b", str(error)) else f"unnamed: {error!r}"
    except BaseException as error:
        found = f"raw: {error!r}"
    else:
        return "right"
    assert len(history()) == before
    return found


CALLS = [(function, argument) for function, good in GOOD.items() for argument in good]


@pytest.mark.parametrize(
    ("function", "argument"), CALLS, ids=[f"{a} of {f.__name__}" for f, a in CALLS]
)
def test_what_an_argument_is_not_is_named(function, argument, capsys):
    found = {name: outcome(function, argument, thing) for name, thing in STRANGE.items()}
    strange = {name: how for name, how in found.items() if how != "named"}
    assert strange == LISTED.get(f"{argument} of {function.__name__}", {})


def test_what_a_cell_assumes_is_named_where_it_no_longer_holds():
    assumes("H = 3", True)
    with pytest.raises(NotAssumed, match=r"^this cell assumes H = 3\."):
        assumes("H = 3", np.bool_(False))


@pytest.mark.parametrize(
    ("what", "holds", "says"),
    [("", True, "what"), (3, True, "what"), ("H = 3", 1, "holds"), ("H = 3", np.ones(2), "holds")],
)
def test_an_assumption_is_words_and_one_truth_value(what, holds, says):
    with pytest.raises((TypeError, ValueError), match=says):
        assumes(what, holds)
