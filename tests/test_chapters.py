"""Chapters are run without Jupyter, and what comes of their checks is told."""

import nbformat

import chapters

HEAD = "import numpy as np\nimport sympy as sp\n"
HEAD += "from policygrad.checks import CheckFailed, close, identity, refuted, unbiased"


def chapter(folder, *sources):
    """A notebook with these code cells after the imports."""
    cells = [nbformat.v4.new_code_cell(source) for source in (HEAD, *sources)]
    path = folder / "00-chapter.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


CHECKS = """\
close('a', 1, 2)
with refuted('one is one'):
    close('b', 1, 1)
with refuted('one is two'):
    close('b', 1, 2)
try:
    close('c', 1, 2)
except CheckFailed:
    pass
close('d', [1, 2], [1])
for i in (1, 2):
    close('e', i, 1, where=f'case {i}')"""


def test_a_chapter_is_run_to_its_end_and_every_verdict_recorded(tmp_path):
    path = chapter(tmp_path, CHECKS, "from policygrad import figures\nfigures.landscape(1)\nx")
    outcome = chapters.run(path, go_on=True)
    assert [(v.place, v.line, v.label, v.where, v.outcome) for v in outcome.verdicts] == [
        (0, 1, "a", "", "failed"),
        (1, 2, "b", "", "not refuted"),
        (2, 4, "b", "", "passed"),
        (3, 7, "c", "", "caught"),
        (4, 10, "d", "", "error"),
        (5, 12, "e", "case 1", "passed"),
        (6, 12, "e", "case 2", "failed"),
    ]
    assert [v.claim for v in outcome.verdicts[:3]] == [None, "one is one", "one is two"]
    assert [v.label for v in outcome.bad] == ["a", "b", "d", "e"]
    assert (outcome.cell, repr(outcome.error)) == (2, """NameError("name 'x' is not defined")""")


def test_a_chapter_is_run_to_its_first_failure(tmp_path):
    outcome = chapters.run(chapter(tmp_path, "close('zero', 1, 1)", CHECKS))
    assert [v.label for v in outcome.verdicts] == ["zero", "a"]
    assert (outcome.cell, type(outcome.error).__name__) == (2, "CheckFailed")


def test_other_random_numbers_on_demand(tmp_path):
    path = chapter(tmp_path, "x = np.random.default_rng([5, 6]).random()\nclose('x', x, 0.5)")
    errors = {seed: str(chapters.run(path, seed=seed).error) for seed in (None, 1, 2)}
    assert len(set(errors.values())) == 3
    assert str(chapters.run(path, seed=1).error) == errors[1]


def test_who_watches_is_told_of_each_check_what_it_is_given(tmp_path):
    told = []

    def watch(*call):
        told.append(call)
        return len(told)

    control = "with refuted('no'):\n    close('b', 1, reference=2)"
    outcome = chapters.run(
        chapter(tmp_path, "close('a', 1, 1, rtol=0.5, where='x')", control), watch=watch
    )
    assert told == [
        ("close", "a", "x", (1, 1), {"rtol": 0.5}, False),
        ("close", "b", "", (1,), {"reference": 2}, True),
    ]
    assert [v.more for v in outcome.verdicts] == [1, None]


def test_a_kind_of_check_that_comes_later_is_watched_as_well(tmp_path, monkeypatch):
    from policygrad import checks

    def runs(label, *values, where="", **options):
        checks.close(label, 1, 2 if checks._controls else 1)

    monkeypatch.setattr(checks, "runs", runs, raising=False)
    told = []
    cells = (
        "from policygrad.checks import runs",
        "runs('a', 7)",
        "with refuted('x'):\n    runs('a')",
    )
    chapters.run(chapter(tmp_path, *cells), watch=lambda *call: told.append(call))
    assert ("runs", "a", "", (7,), {}, False) in told
    assert ("runs", "a", "", (), {}, True) in told
