"""The book's promise: every equation has a check that runs, and every check has been seen to fail.

Read off what the chapters' cells put out: each verdict carries a record in its output's metadata.
"""

import re
from dataclasses import fields
from pathlib import Path

import nbformat
import pytest

from policygrad.checks import Check

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]-*.ipynb"))
LABEL = re.compile(r"^\$\$ \(((?:eq|def)-[a-z0-9-]+)\)$", re.MULTILINE)
KINDS = {"identity", "close", "unbiased"}


def cells(path, kind):
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == kind]


def prose(path):
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


def records(path):
    """Every verdict that a chapter put out, as its machine-readable record."""
    return [
        output.metadata["policygrad"]
        for cell in cells(path, "code")
        for output in cell.outputs
        if "policygrad" in output.get("metadata", {})
    ]


def labels(path):
    return LABEL.findall(prose(path))


def unchecked(path):
    """Equations without a passing check, or without a control, and checks without an equation."""
    equations = {name.removeprefix("eq-") for name in labels(path) if name.startswith("eq-")}
    checked = {r["label"] for r in records(path) if r["claim"] is None}
    controlled = {r["label"] for r in records(path) if r["claim"] is not None}
    known = {name.removeprefix("eq-") for chapter in CHAPTERS for name in labels(chapter)}
    return {
        "no check": equations - checked,
        "no control": equations - controlled,
        "no equation": (checked | controlled) - known,
    }


def test_there_are_chapters_to_test():
    assert CHAPTERS


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_equation_has_a_check_and_every_check_a_control(path):
    assert unchecked(path) == {"no check": set(), "no control": set(), "no equation": set()}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_displayed_equation_has_a_label(path):
    displays = re.findall(r"^\$\$(.*)$", prose(path), re.MULTILINE)
    closing = displays[1::2]
    assert len(displays) % 2 == 0
    assert all(re.fullmatch(r" \((eq|def)-[a-z0-9-]+\)", end) for end in closing), closing


def test_no_two_equations_share_a_label():
    names = [name for path in CHAPTERS for name in labels(path)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_record_says_all_that_a_check_knows(path):
    found = records(path)
    assert found
    for record in found:
        assert set(record) == {field.name for field in fields(Check)}
        assert record["kind"] in KINDS
        assert record["passed"] is True
        assert record["figures"]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_removing_a_check_or_a_control_is_noticed(path, tmp_path):
    """The test above can fail: without any one label's verdicts it does."""
    notebook = nbformat.read(path, as_version=4)
    label = records(path)[0]["label"]
    for keep, missing in (
        (lambda r: r["claim"] is not None, "no check"),
        (lambda r: r["claim"] is None, "no control"),
    ):
        copy = nbformat.from_dict(notebook)
        for cell in copy.cells:
            if cell.cell_type == "code":
                cell.outputs = [
                    o
                    for o in cell.outputs
                    if (r := o.get("metadata", {}).get("policygrad")) is None
                    or r["label"] != label
                    or keep(r)
                ]
        changed = tmp_path / path.name
        nbformat.write(copy, changed)
        assert label in unchecked(changed)[missing]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_has_all_its_parts(path):
    text = prose(path)
    for part in (
        ":class: contract",
        "**The question.**",
        "**You need**",
        "**You will be able to**",
        "**Source line",
        "## What we now know",
        "## Try it",
        "## Exercises",
    ):
        assert part in text, part
    exercises = re.findall(r"\{exercise\}.*\n:label: (\S+)", text)
    solutions = re.findall(r"\{solution-start\} (\S+)\n(?::label: \S+\n)?:class: dropdown", text)
    assert len(exercises) >= 3
    assert solutions == exercises
    assert text.count("{solution-end}") == len(solutions)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_every_solution_runs_a_check(path):
    inside, checked = False, 0
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            for start, end in re.findall(r"(\{solution-start\})|(\{solution-end\})", cell.source):
                if end:
                    assert checked, cell.source
                inside, checked = bool(start), 0
        elif inside:
            checked += sum("policygrad" in o.get("metadata", {}) for o in cell.outputs)


def test_the_source_lines_that_the_chapters_claim_are_each_named_once():
    """S19 to S22 stand in chapter 6 and S23 in chapter 7, in the source's order."""
    claimed = {}
    for path in CHAPTERS:
        line = re.search(r"\*\*Source lines?\*\* (.*)", prose(path))[1]
        for row in re.findall(r"S\d+", line):
            assert row not in claimed, row
            claimed[row] = path.stem
    assert [row for row in claimed if claimed[row].startswith("06")] == ["S19", "S20", "S21", "S22"]
    assert [row for row in claimed if claimed[row].startswith("07")] == ["S23"]
    order = [int(row[1:]) for row in claimed]
    assert order == sorted(order)
