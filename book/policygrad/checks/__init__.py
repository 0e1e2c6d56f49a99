r"""Checks that fail when the equation is wrong: runs, identity, close, unbiased, refuted.

Each takes the label of an equation first, prints one stable line and leaves a machine-readable
record; or raises :class:`CheckFailed`, an AssertionError that shows both sides.

* ``runs(label, *values)``: the typeset equation itself, evaluated line by line.
* ``identity(label, lhs, rhs)``: SymPy shows that lhs - rhs = 0.
* ``close(label, value, reference, rtol=...)``: two independent computations agree.
* ``unbiased(label, gradients, exact)``: a test that samples have the mean ``exact``.
* ``with refuted(claim): ...``: the control; it passes only if the one check inside fails.

``assumes(what, holds)`` says what a cell takes for granted, before its checks.
``finite_differences(f, theta)`` is an oracle that knows no rule of calculus.

Nothing here imports what it checks: arrays and SymPy expressions come in, verdicts go out, and
what is typeset is read by ``formulas``.  What
cannot be judged is refused, with an error that names the argument; no check passes because a number
overflowed, was masked or was no number at all.

A room per job: ``verdict`` (the record and where it goes), ``inputs`` (what comes in), ``words``
(numbers that read alike on every machine), one for each check, ``counterexample`` behind
``identity``, ``samples`` and ``hotelling`` behind ``unbiased``.
"""

from .assumptions import NotAssumed, assumes
from .close import close
from .differences import finite_differences
from .hotelling import DISTORTION, POWER
from .identity import identity
from .refuted import refuted
from .runs import runs
from .unbiased import unbiased
from .verdict import (
    Check,
    CheckFailed,
    NotRefuted,
    TooFewSamples,
    Undecided,
    history,
)
from .verdict import _controls as _controls  # the lists themselves, for who watches checks
from .verdict import _history as _history

__all__ = [
    "DISTORTION",
    "POWER",
    "Check",
    "CheckFailed",
    "NotAssumed",
    "NotRefuted",
    "TooFewSamples",
    "Undecided",
    "assumes",
    "close",
    "finite_differences",
    "history",
    "identity",
    "refuted",
    "runs",
    "unbiased",
]
