"""The judge gives the verdict that a chapter proves, for every estimator and slip of the book.

The rows stand in ``estimator_table``.  Where a chapter names what is climbed, the mean update is
held against finite differences of that objective too, which the judge never sees.
"""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from estimator_table import FACTOR, NO_UPDATE, NOTHING, OTHER, ROWS, UNBIASED, ZERO, cases
from policygrad.checks import finite_differences
from policygrad.exact import policy_gradient
from policygrad.trial import trial

BOOK = Path(__file__).resolve().parents[1] / "book"
OWN = "what the chapter says"
SIGNS = {UNBIASED: "=", FACTOR: "∝", OTHER: "≠", NOTHING: "∅", ZERO: "0"}


def cells_of(page):
    cells = json.loads((BOOK / f"{page}.ipynb").read_text("utf-8"))["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def sources(page):
    return list(cells_of(page).values())


def glance_rows():
    """The key and the three marks of each row of the page of all estimators.

    Its last table stands beside the gradient of -KL, which is another objective to the judge.
    """
    found = {}
    for name, cell in cells_of("estimators-at-a-glance").items():
        texts = re.findall(r'r"""\n(.*?)"""', cell, re.DOTALL) if name.startswith("rows-") else []
        for block in "\n\n".join(x.strip() for x in texts).split("\n\n") if texts else []:
            key, *_, marks, _ = (x.strip() for x in block.split("|"))
            found[key] = marks.replace("=", "≠") if name == "rows-kl" else marks
    return found


def claims():
    """The targets of the trials of chapters 15 and 16."""
    text = "\n".join(sources("15-slips-in-derivations") + sources("16-slips-in-code"))
    return set(re.findall(r"^\((claim-[\w-]+)\)=$", text, re.MULTILINE))


@pytest.fixture(scope="module", params=ROWS, ids=[row.name for row in ROWS])
def judged(request):
    row = request.param
    case = cases()[row.case]
    objective = row.climbs or row.climbs_old
    report = trial(
        row.at(case),
        case.world,
        case.theta,
        G=row.G,
        theta_ref=case.ref,
        shared_start=row.shared,
        old_policies=() if row.old is None else [case.old],
        against=objective and {OWN: lambda place: objective(case, place.theta)},
    )
    return row, case, report


def close(one, other, rtol=1e-6):
    return np.linalg.norm(np.subtract(one, other)) <= rtol * np.linalg.norm(other)


def test_the_verdict_is_that_of_the_chapter(judged):
    row, _, report = judged
    assert report.verdict == row.verdict


def test_a_factor_is_that_of_the_chapter(judged):
    row, case, report = judged
    if row.factor is not None:
        factor = row.factor(case)
        assert report.climbs == ("J" if factor > 0 else "-J")
        assert report.factor == pytest.approx(abs(factor), rel=1e-9)
    if row.verdict == UNBIASED:
        assert report.factor == pytest.approx(1, rel=1e-9)


def test_the_mean_update_is_what_the_chapter_says(judged):
    """The gradient, a multiple, zero, or the slope of the objective that the chapter names."""
    row, case, report = judged
    gradient = policy_gradient(case.world, case.theta)
    if row.along is not None:
        assert close(report.mean, row.along(case) * gradient, rtol=1e-9)
        assert report.angle == pytest.approx(0, abs=1e-6)
    if row.verdict == UNBIASED or row.factor is not None:
        times = 1 if row.factor is None else row.factor(case)
        assert close(report.mean, times * gradient, rtol=1e-9)
    elif row.verdict == ZERO:
        assert np.abs(report.mean).max() < 1e-12
    elif row.climbs is not None:
        slope = finite_differences(lambda theta: row.climbs(case, theta), case.theta)
        assert close(report.mean, slope)
        assert row.along is not None or not close(report.mean, gradient, rtol=1e-3)


def test_the_verdict_on_old_samples_is_that_of_the_chapter(judged):
    row, case, report = judged
    if row.old is None:
        return
    (old,) = report.old
    assert old.verdict == row.old
    if row.climbs_old is not None:
        slope = finite_differences(lambda theta: row.climbs_old(case, theta), case.theta)
        assert close(old.mean, slope)


def test_what_climbs_another_objective_says_which():
    """Or it climbs down, a multiple of J below zero."""
    unsaid = {row.name for row in ROWS if row.verdict == OTHER and not (row.climbs or row.factor)}
    unsaid |= {row.name for row in ROWS if row.old == OTHER and row.climbs_old is None}
    assert unsaid == set()


def test_every_factor_is_given_by_the_chapter():
    assert {row.name for row in ROWS if row.verdict == FACTOR and row.factor is None} == set()


def test_every_row_of_the_page_of_all_estimators_is_on_trial():
    rows = glance_rows()
    assert len(rows) > 40
    assert {row.glance for row in ROWS} - {None} == set(rows)


@pytest.mark.parametrize("row", [row for row in ROWS if row.glance], ids=lambda row: row.name)
def test_the_page_of_all_estimators_has_the_same_verdict_in_some_world(row):
    """Its marks for samples of an old policy are those of the verdict at the old policy.

    The page looks at one policy, where a multiple is a multiple; the judge looks at several.
    """
    sign = "∝" if row.along else SIGNS[row.old or row.verdict]
    assert sign in glance_rows()[row.glance].replace("∝", "∝≠")


def test_every_trial_of_slips_is_on_trial_or_has_a_reason():
    told = [row.claim for row in ROWS if row.claim] + list(NO_UPDATE)
    assert sorted(told) == sorted(claims())
    assert all(NO_UPDATE.values())


def test_every_row_names_an_equation_of_the_book():
    text = "\n".join(x for page in BOOK.glob("*.ipynb") for x in sources(page.stem))
    labels = set(re.findall(r"^\$\$ \(((?:eq|def)-[\w-]+)\)$", text, re.MULTILINE))
    assert {row.equation for row in ROWS} <= labels


def test_names_are_unique():
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("times", "verdict", "climbs"), [(1.01, FACTOR, "J"), (-1, OTHER, "-J")])
def test_a_hundredth_more_or_the_wrong_sign_is_no_longer_unbiased(times, verdict, climbs):
    (row,) = (row for row in ROWS if row.name == "RLOO")
    case = cases()[row.case]
    rloo = row.at(case)
    report = trial(lambda group: times * rloo(group), case.world, case.theta, G=row.G)
    assert (report.verdict, report.climbs) == (verdict, climbs)
    assert report.factor == pytest.approx(abs(times))
