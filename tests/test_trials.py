"""Claims on trial: each row of the table at the head is borne out by its section."""

import copy
import re

import nbformat
import pytest

from prose import NOTEBOOKS, evidence, numbers, stored

FAMILY = "17-practice-on-trial"  # a chapter on several pages, with one table for all of them
SHEETS = [path.stem for path in NOTEBOOKS if re.match(FAMILY[:2] + "[b-z]?-", path.stem)]
TRIALS = ("15-slips-in-derivations", "16-slips-in-code", *SHEETS)

VERDICTS = {
    "false": "False",
    "true only if": "True only if",
    "true in the limit": "True in the limit",
}
ROW = re.compile(r"^\|\s*\[.*?\]\((claim-[\w-]+)\)\s*\|(.*?)\|(.*)\|\s*$", re.MULTILINE)


def trials(cells):
    """The sections of the claims: the lines of prose and the code cells of each one, in order."""
    found, here, headed = {}, None, False
    for cell in cells:
        if cell.cell_type == "code":
            if here is not None:
                here.append(cell)
            continue
        for line in cell.source.splitlines():
            if anchor := re.fullmatch(r"\((claim-[\w-]+)\)=", line):
                here, headed = [], False
                found.setdefault(anchor[1], []).append(here)
            elif line.startswith("#"):
                if headed and line.startswith("## "):  # the first heading is the section's own
                    here = None
                headed = True
            if here is not None:
                here.append(line)
    return found


def table(cells):
    """The rows of the table at the head: claim, verdict, by how much."""
    return ROW.findall("\n".join(cell.source for cell in cells if cell.cell_type == "markdown"))


def mistrials(cells, rows=None):
    """Everything in the table at the head, or in these rows, that a trial does not bear out."""
    rows, sections, found = table(cells) if rows is None else rows, trials(cells), []
    for name in sorted({row[0] for row in rows} | set(sections)):
        counts = sum(row[0] == name for row in rows), len(sections.get(name, []))
        if counts != (1, 1):
            found.append(f"{name} has {counts[0]} rows and {counts[1]} sections")
    for name, verdict, how_much in rows:
        for section in sections.get(name, [])[:1]:
            found += [f"{name}: {what}" for what in _mistrial(section, verdict.strip(), how_much)]
    return found


def _mistrial(section, verdict, how_much):
    words = "\n".join(part for part in section if isinstance(part, str))
    code = [part for part in section if not isinstance(part, str)]
    records = [output.get("metadata", {}).get("policygrad") for c in code for output in c.outputs]
    passed = [record["claim"] for record in records if record and record["passed"]]
    if None not in passed:
        yield "there is no passing check"
    if not set(passed) - {None}:
        yield "there is no control"
    kinds = [kind for kind in VERDICTS if re.match(rf"{kind}\b", verdict)]
    spoken = re.findall(r"\*\*Verdict\.\*\*\s+\*?([^.*]+)", words)
    if len(spoken) != 1:
        yield f"it has {len(spoken)} verdicts"
    elif not kinds:
        yield f"{verdict!r} is no verdict; it is one of {', '.join(VERDICTS)}"
    elif not re.match(rf"{VERDICTS[kinds[0]]}\b", spoken[0]):
        yield f"the table says {verdict!r}, the section {spoken[0].strip()!r}"
    shown = evidence(code).outputs
    for number in numbers(how_much):
        if len(number.text) > 1 and not number.is_output(shown):
            yield f"no cell of the section puts out {number.text}"


def rows_of(page):
    """The rows for the trials of a page, and those for no trial at all."""
    if page not in SHEETS:
        return table(stored(page))
    elsewhere = set().union(*(trials(stored(other)) for other in SHEETS if other != page))
    return [row for row in table(stored(FAMILY)) if row[0] not in elsewhere]


@pytest.mark.parametrize("page", TRIALS)
def test_every_row_of_the_claims_on_trial_is_borne_out_by_its_section(page):
    cells = stored(page)
    assert trials(cells)
    assert mistrials(cells, rows_of(page)) == []


def test_no_claim_is_tried_on_two_pages():
    tried = [name for page in TRIALS for name in trials(stored(page))]
    assert len(set(tried)) == len(tried)


def verdict_of(claim):
    return nbformat.v4.new_output(
        "display_data", {}, metadata={"policygrad": {"claim": claim, "passed": True}}
    )


def court():
    """A chapter with two trials that are in order."""
    rows = [
        "| [It is all one](claim-one) | false | 0.25 in place of +0.75, 64 times |",
        "| [Two is [also] one](claim-two) | true only if two is one | factor 2, −31% |",
    ]
    cells = [nbformat.v4.new_markdown_cell("# Claims\n\n| claim | verdict |\n" + "\n".join(rows))]
    for name, verdict, shown in (
        ("one", "*False.* It is two.", "0.25 for 0.75, 64 draws"),
        ("two", "*True only if* two is one.", "J = -0.31"),
    ):
        code = nbformat.v4.new_code_cell("x = 1")
        code.outputs = [nbformat.v4.new_output("stream", text=shown)]
        code.outputs += [verdict_of(None), verdict_of("it is all one")]
        heading = f"Before.\n\n(claim-{name})=\n## It is all one\n\n### Why"
        cells += [nbformat.v4.new_markdown_cell(heading), code]
        cells += [nbformat.v4.new_markdown_cell(f"**Verdict.** {verdict}")]
    cells += [nbformat.v4.new_markdown_cell("## What we now know"), *copy.deepcopy(cells[2:3])]
    cells[-1].outputs[0].text = "0.99"
    return cells


def test_a_court_in_order_is_let_through():
    assert mistrials(court()) == []
    codes = [
        [part for part in own if not isinstance(part, str)] for (own,) in trials(court()).values()
    ]
    assert [len(code) for code in codes] == [1, 1]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("| 0.25 in", "| 0.26 in", "claim-one: no cell of the section puts out 0.26"),
        ("+0.75", "-0.75", "claim-one: no cell of the section puts out 0.75"),
        (", 64 times", ", 65 times", "claim-one: no cell of the section puts out 65"),
        ("| 0.25 in", "| 0.99 in", "claim-one: no cell of the section puts out 0.99"),
        ("factor 2, −31%", "64", "claim-two: no cell of the section puts out 64"),
        ("(claim-one)=", "(claim-won)=", "claim-one has 1 rows and 0 sections"),
        ("](claim-two)", "](claim-one)", "claim-two has 0 rows and 1 sections"),
        ("](claim-two)", "](claim-one)", "claim-one has 2 rows and 1 sections"),
        ("| false |", "| wrong |", "claim-one: 'wrong' is no verdict; it is one of false,"),
        ("| false |", "| true in the limit |", "says 'true in the limit', the section 'False'"),
        ("*False.*", "*Falsely.*", "claim-one: the table says 'false', the section 'Falsely'"),
        ("**Verdict.** *False", "*False", "claim-one: it has 0 verdicts"),
    ],
)
def test_a_row_that_its_section_does_not_bear_out_is_found(old, new, complaint):
    cells = court()
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace(old, new)
    assert complaint in "\n".join(mistrials(cells))


@pytest.mark.parametrize(
    ("kept", "complaint"),
    [
        (lambda claim: claim, "claim-one: there is no passing check"),
        (lambda claim: not claim, "claim-one: there is no control"),
    ],
)
def test_a_trial_without_a_check_or_without_a_control_is_found(kept, complaint):
    cells = court()
    records = cells[2].outputs[1:]
    cells[2].outputs[1:] = [o for o in records if kept(o.metadata["policygrad"]["claim"])]
    assert complaint in mistrials(cells)
