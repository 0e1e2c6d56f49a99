"""What comes of a check: the record, the one line that shows it, the errors, the history.

A check calls ``passed`` or ``failed`` with its :class:`Check`.  Outside a control a failure raises
:class:`CheckFailed`; inside one it is what the control waits for, and passing is the error.

What is raised is about the reader's cell, so that its traceback ends at the reader's line
(``tracebacks``).
"""

from __future__ import annotations

import html
import sys
from dataclasses import asdict, dataclass, field

from .tracebacks import Short

__all__ = [
    "Check",
    "CheckFailed",
    "NotRefuted",
    "TooFewSamples",
    "Undecided",
    "failed",
    "history",
    "passed",
    "show",
]


class CheckFailed(Short, AssertionError):
    """The claim does not hold."""


class NotRefuted(Short, AssertionError):
    """A control did not fail: the claim holds after all, the check is too weak, or none was run."""


class Undecided(Short, AssertionError):
    """SymPy could neither bring the difference to 0 nor find where it is not."""


class TooFewSamples(Short, ValueError):
    """The samples cannot carry the stated false-alarm rate."""


@dataclass(frozen=True)
class Check:
    """One verdict: what the ledger reads.

    A record is the same on every machine.  So it holds no rounding error: where two computations
    agree, the record has the tolerance and not how far within it they came out, since that differs
    from processor to processor, its power of ten included.  A deviation that a check was failed
    for, and what a test finds in samples, are real; they keep three digits, after the tenth and
    all that follow have been dropped, so that a half is rounded alike everywhere.  A figure that
    rounding could reach is 0, or None where 0 would say something else.

    Attributes
    ----------
    label : the equation's label in the book, without ``eq-``.
    kind : "runs", "identity", "close" or "unbiased"; for a control, the kind of the check inside.
    passed : False only inside ``refuted``.
    figures : numbers behind the verdict, by name.
    claim : for a control, the false claim; else None.
    where : the case it was tried on, where there are several; else empty.
    """

    label: str
    kind: str
    passed: bool
    figures: dict = field(default_factory=dict)
    claim: str | None = None
    where: str = ""


_history: list[Check] = []
_controls: list[str] = []  # the claim now being refuted, if any


def history() -> list[Check]:
    """Give the verdicts of this session so far, oldest first."""
    return list(_history)


def passed(check: Check, what: str) -> None:
    """Record and show a check that passed.

    Raises
    ------
    NotRefuted
        inside a control, which waits for a failure.
    """
    if _controls:
        raise NotRefuted(
            f"the control did not fail: with these settings the false claim {_controls[-1]!r} "
            "holds too (or the check is too weak to see it). The check "
            f"{check.label!r} inside passed: {what}"
        )
    _history.append(check)
    case = f"{check.where} · " if check.where else ""
    show("ok", check.label, f"{check.kind} · {case}{what}", check)


def failed(check: Check, short: str, message: str) -> None:
    """Raise the failure of a check; ``short`` is what a control says of it.

    Raises
    ------
    CheckFailed
        always.
    """
    failure = CheckFailed(f"{check.label} · {check.kind} · {message}")
    failure.check, failure.short = check, short
    raise failure


def show(verdict: str, name: str, what: str, check: Check) -> None:
    """Print one line; in a notebook also as HTML, with the record in the output's metadata."""
    line = f"{verdict}  {name} · {what}"
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(line)
        return
    mark = '<span class="pg-mark" aria-hidden="true">\N{CHECK MARK}</span>'
    ipython.display.display(
        {
            "text/plain": line,
            "text/html": f'<div class="pg-check pg-check--{verdict}" '
            f'data-label="{html.escape(check.label)}">{mark} '
            f'<span class="pg-verdict">{verdict}</span> <code>{html.escape(name)}</code> '
            f"<span>{html.escape(what)}</span></div>",
        },
        raw=True,
        metadata={"policygrad": asdict(check)},
    )
