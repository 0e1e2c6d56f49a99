"""Typeset equations that run: whatever slip is made in one, its check fails."""

from pathlib import Path

import pytest

import forks
import typeset

BOOK = Path(__file__).resolve().parents[1] / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))

needs_fork = pytest.mark.skipif(
    not forks.AVAILABLE, reason="slips are tried in forked processes, which this system has not"
)


@needs_fork
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_slip_in_a_typeset_equation_is_noticed_but_those_that_leave_it_true(path):
    found = forks.in_child(typeset.judged, path, seconds=typeset.SECONDS)
    records = typeset.recorded(path)
    fresh = {
        label: typeset.record_of(tally, records.get(label, {})) for label, tally in found.items()
    }
    passed = {
        f"{label}: {what}"
        for label, record in fresh.items()
        for what, reason in record["still true"].items()
        if not reason
    }
    assert not passed, "these slips pass; sharpen the check, or write down why they are true"
    assert fresh == records, f"run: python tests/typeset.py --record {path.stem}"
