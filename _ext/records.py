"""The verdicts of the checks of a notebook, as its cells have put them out.

Each carries the record of ``policygrad.checks.Check`` in the metadata of its output.  What reads
verdicts, be it the ledger or a test, reads them here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One record, with the place where it was put out and the words that the reader saw there."""

    page: str
    cell: int  # execution count, the number that Jupyter shows
    record: dict
    line: str

    @property
    def kind(self) -> str:
        """runs, identity, close, unbiased or, for a control, refuted."""
        return "refuted" if self.record["claim"] is not None else self.record["kind"]

    @property
    def words(self) -> str:
        """What the verdict says behind its name: for a control, by how much the claim is off."""
        return self.line.partition("  ")[2].removeprefix(f"{self.record['claim']} · ")


def verdicts(page: str, notebook) -> list[Verdict]:
    """Everything that the checks of a notebook put out, in order."""
    return [
        Verdict(
            page, cell.execution_count, output.metadata["policygrad"], output.data["text/plain"]
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "policygrad" in output.get("metadata", {})
    ]
