"""The page of all estimators: its tables hold what the weights make, and a slip in any is noticed.

Each row of the four tables is altered: its weight is made a hundredth larger where an answer earned
more.  The page's own checks have to fail for that row; unaltered, they pass: else the page stops.
"""

import json
import re
from contextlib import chdir, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from chapters import read
from policygrad.checks import CheckFailed, NotAssumed
from policygrad.estimators import group_advantages, reinforce_gradients
from policygrad.exact import group_expectation, policy_gradient

PAGE = Path(__file__).resolve().parents[1] / "book" / "estimators-at-a-glance.ipynb"
CELLS = json.loads(PAGE.read_text("utf-8"))["cells"]
STORED = [
    "".join(output["data"]["text/markdown"])
    for cell in CELLS
    for output in cell.get("outputs", [])
    if "text/markdown" in output.get("data", {})
]
TABLES = ("first", "second", "third", "fourth")
RESULT = re.compile(r"\*\*(.)\*\* (\d+(?:\.\d\d)?), (\d+(?:\.\d)?)°<br>noise (\d+(?:\.\d\d)?)$")


@pytest.fixture(scope="module")
def page():
    """All names of the page after its code has run."""
    names = {"__name__": "page"}
    with chdir(PAGE.parent), redirect_stdout(StringIO()):
        for source in read(PAGE):
            exec(compile(source, PAGE.name, "exec"), names)
    return names


def results(table):
    """The cells of a table that are computed, a list for each row."""
    return [line.strip("| ").split(" | ")[4:] for line in table.splitlines()[2:]]


def noticed(page, sheet, row):
    """What the checks of the page say against one row of a sheet; an empty list if nothing."""
    said, names = [], ("cases", "slopes", "spreads", "apart")
    cases, apart = sheet.of
    given = cases, sheet.slopes, sheet.spreads, apart
    one = page["Sheet"]([row], **dict(zip(names, given, strict=True)))
    holds = ["unbiased"] * (row.marks == "===") + ["by_routes"] * bool(row.target)
    holds += ["by_slopes"] * bool(row.objective)
    with redirect_stdout(StringIO()):
        try:
            page["hold_marks"](one)
        except NotAssumed as failure:
            said.append(f"hold_marks: {failure}")
        for hold in holds:
            try:
                page["agree"](page[hold](one), hold, rtol=1e-6)
            except CheckFailed as failure:
                said.append(f"{hold}: {failure}")
        rule = page["own_rules"].get(row.key) if sheet is page["second"] else None
        if rule:
            pair = page["moments"](page["three"], row), page["by_hand"](page["three"], *rule)
            try:
                page["agree"](pair, "group by group")
            except CheckFailed as failure:
                said.append(f"by hand: {failure}")
    return said


@pytest.mark.parametrize("table", TABLES)
def test_a_slip_in_the_weight_of_any_row_is_noticed(page, table):
    sheet = page[table]
    assert len(sheet.rows) >= 9
    for row in sheet.rows:
        slipped = replace(row, weight=lambda x, w=row.weight: w(x) * (1 + 0.01 * x.R))
        assert noticed(page, sheet, slipped), row.key


@pytest.mark.parametrize("table", TABLES)
def test_another_mark_than_the_computed_one_is_noticed(page, table):
    sheet = page[table]
    row = replace(sheet.rows[-1], marks="≠≠∝")
    assert any("hold_marks" in x for x in noticed(page, sheet, row))


def test_each_table_shows_what_its_sheet_found(page):
    for shown, name in zip(STORED, TABLES, strict=False):
        sheet = page[name]
        found = [[page["shown"](*one) for one in sheet.found[row.key]] for row in sheet.rows]
        assert results(shown) == found


def test_no_result_is_typed():
    cells = [x for table in STORED for row in results(table) for x in row]
    assert len(cells) == 3 * sum(len(results(table)) for table in STORED) >= 120
    assert all(RESULT.match(x) or x == "**0** —" for x in cells)
    source = "".join("".join(cell["source"]) for cell in CELLS)
    texts = "".join(re.findall(r'\+?= r"""\n(.*?)"""', source, re.DOTALL))
    assert texts.count("{cite}") > 20
    assert not re.search(r"\d\.\d|\d°", texts)
    assert not re.search(r"[=∝≠∅]\*\* \d", source)


def test_a_row_is_what_the_package_makes_of_it_group_by_group(page):
    """GRPO's row in world B, with none of the page's code but its world and its logits."""
    world, theta = page["worlds"][1], page["thetas"][1]

    def update(tau, R):
        A = group_advantages(R, "standardised") / tau.lengths
        return reinforce_gradients(world, theta, tau, A[:, None]).mean(axis=0)

    mean = group_expectation(update, world, theta, 4).mean.ravel()
    slope = policy_gradient(world, theta).ravel()
    sizes = np.linalg.norm(mean), np.linalg.norm(slope)
    angle = np.degrees(np.arccos(mean @ slope / np.prod(sizes)))
    row = results(STORED[1])[[x.key for x in page["second"].rows].index("GRPO")]
    assert row[1].startswith(f"**∅** {sizes[0] / sizes[1]:.2f}, {angle:.1f}°<br>")


@pytest.mark.parametrize("k", range(3))
def test_the_nearer_the_old_policy_the_nearer_to_the_gradient_but_for_gspo_and_a_critic(page, k):
    world, theta, slope = page["worlds"][k], page["thetas"][k], page["slopes"][k]
    step = page["some"](9, world)

    def off(row, h):
        case = page["Case"](world, theta, 5, old=theta - h * step, shared=world.gamma == 1)
        mean = page["moments"](case, row)[0]
        return np.linalg.norm(mean - slope) / np.linalg.norm(slope)

    for row in page["third"].rows:
        apart = row.key in {"GSPO", "GSPO, clip", "PPO, wrong"}
        assert (off(row, 0.0) > 0.01) == apart, row.key
        if not apart:
            assert off(row, 0.02) < 0.2 * off(row, 0.25) + 1e-9, row.key
