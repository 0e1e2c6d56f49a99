"""The book's promise: every equation has a check that runs, and every check has been seen to fail.

Read off what the notebooks' cells put out, by the code that makes the page of the ledger.
"""

import copy
from dataclasses import fields, replace
from pathlib import Path

import nbformat
import pytest

import ledger
from policygrad.checks import Check

BOOK = Path(__file__).resolve().parents[1] / "book"
PAGES = {path.stem: nbformat.read(path, as_version=4) for path in sorted(BOOK.glob("*.ipynb"))}
ROWS = ledger.equations(PAGES)
TEXT = (BOOK / "ledger.md").read_text("utf-8")
LINES = ledger.lines_of(TEXT)
WITH_EQUATIONS = [page for page, notebook in PAGES.items() if ledger.labels(notebook)]


def changed(change, only=None):
    """All pages, with the outputs of all or one of them changed, by a function of an output.

    What the function leaves alone is shared with the pages as they are.
    """
    pages = dict(PAGES)
    for page in [only] if only else PAGES:
        pages[page] = copy.copy(PAGES[page])
        pages[page].cells = [with_outputs(change, cell) for cell in PAGES[page].cells]
    return pages


def with_outputs(change, cell):
    if cell.cell_type != "code":
        return cell
    cell = copy.copy(cell)
    cell.outputs = [new for output in cell.outputs if (new := change(output))]
    return cell


def record_of(output):
    return output.get("metadata", {}).get("policygrad")


def rendered(pages, page):
    """The rows of one page and the totals, as the directives write them."""
    rows = [row for row in ledger.equations(pages) if row.page == page]
    return ledger.table(rows, LINES[page]), ledger.totals(pages)


# --- complete -----------------------------------------------------------------------------------


def test_every_equation_has_a_row_a_check_a_control_and_a_meaning():
    assert len(ROWS) > 80
    assert ledger.gaps(ROWS, LINES) == []


def test_no_two_equations_share_a_label():
    names = [n for what in ("eq", "def") for nb in PAGES.values() for n in ledger.labels(nb, what)]
    assert len(set(names)) == len(names)


def test_every_verdict_is_on_an_equation_of_the_book():
    known = {row.label for row in ROWS}
    known |= {name for notebook in PAGES.values() for name in ledger.labels(notebook, "def")}
    strange = {
        v.record["label"] for page, nb in PAGES.items() for v in ledger.verdicts(page, nb)
    } - known
    assert strange == set()


def test_the_ledger_has_a_table_for_each_page_in_the_order_of_the_book():
    assert [page for page in LINES if page[0].isdigit()] == [
        page for page in WITH_EQUATIONS if page[0].isdigit()
    ]
    assert set(LINES) == set(WITH_EQUATIONS)
    assert TEXT.count(":::{ledger-totals}") == 1


def test_a_record_says_all_that_a_check_knows():
    for page, notebook in PAGES.items():
        for verdict in ledger.verdicts(page, notebook):
            assert set(verdict.record) == {field.name for field in fields(Check)}
            assert verdict.record["kind"] in ledger.KINDS
            assert verdict.record["passed"] is True
            assert verdict.record["figures"]


# --- it changes when a check does ---------------------------------------------------------------


@pytest.mark.parametrize("page", WITH_EQUATIONS)
def test_removing_a_check_or_a_control_changes_the_ledger_and_leaves_a_gap(page):
    label = next(row.label for row in ROWS if row.page == page)
    before = rendered(PAGES, page)
    for control, missing in ((False, "check"), (True, "control")):

        def without(output, control=control):
            record = record_of(output)
            gone = record and record["label"] == label and (record["claim"] is not None) == control
            return None if gone else output

        pages = changed(without)
        after = rendered(pages, page)
        assert after[0] != before[0] and after[1] != before[1]
        gaps = ledger.gaps(ledger.equations(pages), LINES)
        assert f"{page}: eq-{label} has no {missing}" in gaps
        assert all(f"eq-{label} " in gap for gap in gaps)


def test_a_display_that_is_neither_executed_nor_read_leaves_a_gap():
    row = next(row for row in ROWS if row.of("runs") and row.what == "def")
    rest = tuple(v for v in row.verdicts if v.kind != "runs")
    gap = f"{row.page}: def-{row.label} is neither executed as typeset nor read"
    rows = [one if one is not row else replace(row, verdicts=rest) for one in ROWS]
    assert ledger.gaps(rows, LINES) == [gap]
    read = LINES[row.page] | {f"def-{row.label}": ("a definition", "a limit")}
    assert ledger.gaps(rows, LINES | {row.page: read}) == []


@pytest.mark.parametrize("page", WITH_EQUATIONS)
def test_a_check_that_failed_is_named(page):
    def failing(output):
        record = record_of(output)
        if record and record["claim"] is None:
            output = copy.deepcopy(output)
            output.metadata["policygrad"]["passed"] = False
        return output

    pages = changed(failing, only=page)
    gaps = ledger.gaps(ledger.equations(pages), LINES)
    assert gaps
    assert all("failed in cell" in gap and gap.startswith(f"{page}:") for gap in gaps)
    assert any("of which failed: 0" in line for line in ledger.totals(PAGES))
    assert not any("of which failed: 0" in line for line in ledger.totals(pages))


@pytest.mark.parametrize("page", WITH_EQUATIONS)
def test_another_check_changes_the_ledger(page):
    notebook = copy.deepcopy(PAGES[page])
    cell = next(
        c for c in notebook.cells if c.cell_type == "code" and any(map(record_of, c.outputs))
    )
    again = next(o for o in cell.outputs if record_of(o))
    cell.outputs.append(copy.deepcopy(again))
    pages = PAGES | {page: notebook}
    assert ledger.totals(pages) != ledger.totals(PAGES)
    owner = next(r.page for r in ROWS if r.label == record_of(again)["label"])
    assert rendered(pages, owner)[0] != rendered(PAGES, owner)[0]


def test_an_equation_that_comes_or_goes_is_noticed():
    page = WITH_EQUATIONS[0]
    notebook = copy.deepcopy(PAGES[page])
    notebook.cells.append(nbformat.v4.new_markdown_cell("$$\na = b\n$$ (eq-a-new-one)\n"))
    gaps = ledger.gaps(ledger.equations(PAGES | {page: notebook}), LINES)
    assert gaps == [
        f"{page}: eq-a-new-one is neither executed as typeset nor read",
        f"{page}: eq-a-new-one has no check",
        f"{page}: eq-a-new-one has no control",
        f"{page}: the ledger has no line that says what eq-a-new-one means",
    ]
    label = ROWS[0].label
    gaps = ledger.gaps(ROWS[1:], LINES)
    assert gaps == [f"{ROWS[0].page}: the ledger explains {label}, which is not there"]


# --- its words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("no colon", "the ledger expects `label: what it says`; it has 'no colon'"),
        ("eq label: two words", "the ledger expects"),
        ("a: one\na: two", "the ledger has two lines for a"),
        ("a: one | read:", r"the ledger expects ` \| read: the reason`; it has 'a: one \| read:'"),
        ("a: one |read: why", r"the ledger expects ` \| read: the reason`"),
        ("a: one | read why", r"the ledger expects ` \| read: the reason`"),
        ("a: one | read: b | read: c", r"the ledger expects ` \| read: the reason`"),
        ("def-a: one", "def-a is a definition; its line says why it is read"),
    ],
)
def test_a_line_that_is_not_label_and_meaning_is_refused(line, says):
    with pytest.raises(ValueError, match=says):
        ledger.entries(line.splitlines())


def test_a_line_may_end_in_the_reason_why_a_person_reads_the_display():
    lines = [
        "a: $|x|^2$ | and more. | read: it has no values",
        "",
        "b: two",
        "def-c: $c$ | read: why",
    ]
    assert ledger.entries(lines) == {
        "a": ("$|x|^2$ | and more.", "it has no values"),
        "b": ("two", None),
        "def-c": ("$c$", "why"),
    }
    assert ledger.readings(lines) == {"a": "it has no values", "def-c": "why"}
    text = "\n".join(
        ["# Title", ":::{ledger} 01-a", *lines, ":::", "Text.", ":::{ledger} 02-b", ":::"]
    )
    assert ledger.lines_of(text) == {"01-a": ledger.entries(lines), "02-b": {}}
    assert ledger.readings_of(text) == {"01-a": ledger.readings(lines), "02-b": {}}


def test_a_line_on_a_definition_is_no_line_on_an_equation():
    row = next(row for row in ROWS if row.what == "def")
    for key, gaps in (
        (f"def-{row.label}", []),
        (row.label, [f"{row.page}: the ledger explains {row.label}, which is not there"]),
    ):
        more = LINES | {row.page: LINES[row.page] | {key: ("it defines", "a limit")}}
        assert ledger.gaps(ROWS, more) == gaps


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0, "0"),
        (1e-6, "$10^{-6}$"),
        (9.65e-16, "$10^{-15}$"),
        (3.1e-9, "$4\\cdot10^{-9}$"),
        (4.3e-5, "$5\\cdot10^{-5}$"),
        (0.02, "0.02"),
        (0.25, "0.25"),
        (0.1234, "0.13"),
        (0.5, "0.5"),
        (9.99e-4, "$10^{-3}$"),
    ],
)
def test_small_numbers_are_rounded_up(x, text):
    assert ledger.power(x) == text


@pytest.mark.parametrize(
    ("x", "text"), [(0.0523, "0.0523"), (30.7, "30.7"), (3640.0, "3,640"), (3.0, "3"), (0, "0")]
)
def test_figures_keep_their_digits(x, text):
    assert ledger.short(x) == text


def test_no_figure_that_is_shown_exceeds_what_is_allowed():
    for row in ROWS:
        for verdict in row.of("unbiased"):
            figures = verdict.record["figures"]
            assert figures["statistic"] <= figures["limit"]


def test_no_test_of_a_mean_is_blinder_than_a_tenth():
    for row in ROWS:
        for verdict in row.of("unbiased"):
            figures = verdict.record["figures"]
            if figures["rank"] and figures["exact_norm"]:
                assert figures["smallest_bias"] <= 0.1 * figures["exact_norm"], verdict


def test_the_weakest_checks_come_first():
    head, rule, *lines = ledger.weakest(PAGES)
    sizes = sorted(
        (ledger.blindness(v)[0] for row in ROWS for v in row.of("close", "unbiased")), reverse=True
    )
    assert len(lines) == sum(size > ledger.FINE for size in sizes) > 40
    assert head == "| lets pass | equation | cell | seen to fail by |"
    assert rule == "|---|---|---|---|"
    first = next(
        (row, v)
        for row in ROWS
        for v in row.of("close", "unbiased")
        if ledger.blindness(v)[0] == sizes[0]
    )
    assert ledger.blindness(first[1])[1] in lines[0] and f"eq-{first[0].label}" in lines[0]
    slips = ledger.written(ledger.TESTS / "seen_to_fail.json")
    recorded = slips.get(first[1].page, {}).get(ledger.name_of(first[1]))
    assert recorded is None or ledger.code(recorded["slip"]).replace("|", r"\|") in lines[0]


def test_a_row_is_as_weak_as_the_strongest_of_its_checks():
    def row(*figures, kind="close"):
        found = []
        for one in figures:
            record = {"label": "a", "kind": kind, "passed": True, "figures": one, "claim": None}
            words = "ok  a · unbiased · 9 samples, 1 direction; a bias of 3% would have been caught"
            found.append(ledger.Verdict("01-a", 3, record, words))
        return ledger.Equation("01-a", "a", tuple(found))

    fine, coarse = ({"counted": "rtol", "rtol": x, "atol": 0.0} for x in (1e-10, 1e-2))
    scaled = {"counted": "scale", "rtol": 1e-8, "atol": 0.0, "scale": 3.2}
    test = {"samples": 9, "rank": 1, "smallest_bias": 0.06, "exact_norm": 2.0}
    assert ledger.weakness(row(fine, coarse)) == 1e-10
    assert ledger.weakness(row(coarse)) == 1e-2
    assert ledger.weakness(row(scaled)) == 1e-8
    assert ledger.weakness(row(test, kind="unbiased")) == 0.03
    assert ledger.weakness(row({"entries": 1}, kind="identity")) == 0.0
    runs = {"relations": 1, "worlds": 2, "cases": 2, "exact": False}
    assert ledger.weakness(row(runs, kind="runs")) == ledger.FINE
    assert ledger.weakness(row(runs | {"exact": True}, kind="runs")) == 0.0
    assert ledger.weakness(row()) == float("inf")


def test_ranks_go_up_with_weakness_and_are_the_same_where_that_is():
    ranks = ledger.ranks(ROWS)
    for a in ROWS:
        for b in ROWS:
            assert (ranks[a.what, a.label] < ranks[b.what, b.label]) == (
                ledger.weakness(a) < ledger.weakness(b)
            )


def test_slips_on_the_page_and_in_the_code_stand_in_the_row():
    row = next(row for row in ROWS if row.label == "reward-to-go")
    words = "\n".join(ledger.table([row], LINES[row.page]))
    record = ledger.written(ledger.TESTS / "typeset" / f"{row.page}.json")[row.label]
    noticed = record["made"] - len(record["still true"])
    assert f"{noticed} slips in the display, such as `" in words
    assert "**as typeset**: 2 worlds" in words
    verdict = row.of("close")[0]
    seen = ledger.written(ledger.TESTS / "seen_to_fail.json")[verdict.page]
    assert ledger.code(seen[ledger.name_of(verdict)]["slip"]) in words
    read = next(row for row in ROWS if row.label == "false-alarm-rate")
    assert "**read**: a limit" in "\n".join(ledger.table([read], LINES[read.page]))


def test_what_agrees_has_no_figure_that_a_machine_decides():
    for row in ROWS:
        for verdict in row.of("close"):
            figures = set(verdict.record["figures"]) - {"scale"}  # of three digits
            assert figures == {"entries", "rtol", "atol", "counted"}


def test_the_tolerance_in_the_ledger_is_the_one_that_the_reader_saw():
    for row in ROWS:
        for verdict in row.of("close"):
            size, counted = ledger.tolerance(verdict.record["figures"])
            words = f"agree to {'within ' * (counted == 'atol')}{size:g}".replace("e-0", "e-")
            if counted == "scale":
                words = f" {size:g} of the scale ".replace("e-0", "e-")
            assert words in verdict.line, verdict.line


def test_the_ledger_says_how_closely_the_two_sides_of_an_equation_agree():
    def verdict(counted, **figures):
        figures |= {"counted": counted, "entries": 1}
        record = {"label": "a", "kind": "close", "passed": True, "figures": figures, "claim": None}
        return ledger.Verdict("01-a", 3, record, "ok  a · close · two computations agree")

    fine, coarse = verdict("rtol", rtol=1e-10, atol=0.0), verdict("rtol", rtol=1e-2, atol=1e-12)
    zeros, more_zeros = (verdict("atol", rtol=1e-10, atol=atol) for atol in (1e-12, 1e-15))
    for found, words in [
        ([fine], "to $10^{-10}$"),
        ([fine, fine], "to $10^{-10}$"),
        ([fine, coarse], "to 0.01 or closer"),
        ([zeros], "to within $10^{-12}$"),
        ([more_zeros, zeros], "to within $10^{-12}$ or closer"),
        ([zeros, fine], "to $10^{-10}$, others to within $10^{-12}$"),
        ([fine, zeros, coarse], "to 0.01 or closer, others to within $10^{-12}$"),
    ]:
        assert ledger.agreement(found) == f"the two sides agree {words}"


def test_the_words_of_a_control_are_no_markup():
    assert ledger.plain("a_b is $5 * [c]$") == r"a\_b is \$5 \* \[c\]\$"
