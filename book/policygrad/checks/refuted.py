"""``refuted``: the control of an equation, a check that must fail.

It passes if the first check inside fails, and nothing else will do: a check that passes, no check
at all, or one that crashes refutes nothing.  Its line begins with ``caught``: the false claim was.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from . import verdict
from .inputs import require_label
from .verdict import CheckFailed, NotRefuted

__all__ = ["refuted"]


def refuted(claim: str) -> AbstractContextManager[None]:
    """Run one check that must fail: the control of an equation.

    Parameters
    ----------
    claim : the false claim, in words.

    Raises
    ------
    NotRefuted
        if the check inside passes, or if none is run.  Other errors pass through: a crash,
        too few samples or an undecided identity refutes nothing.
    TypeError
        if the claim is not words.
    """
    require_label(claim, "claim")
    return _control(claim)


@contextmanager
def _control(claim: str):
    controls = verdict._controls
    if controls:
        raise ValueError(f"refuted({claim!r}) stands inside refuted({controls[-1]!r})")
    controls.append(claim)
    try:
        yield
    except CheckFailed as failure:
        check, short = failure.check, failure.short
    else:
        raise NotRefuted(f"the control of {claim!r} did not fail: no check was run inside")
    finally:
        controls.pop()
    record = replace(check, passed=True, claim=claim)
    verdict._history.append(record)
    verdict.show("caught", claim, short, record)
