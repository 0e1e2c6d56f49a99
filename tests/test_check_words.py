"""What a check says: by how much a thing is off, in words that help, and at the reader's line."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from policygrad import checks
from policygrad.checks import (
    CheckFailed,
    NotRefuted,
    TooFewSamples,
    close,
    history,
    refuted,
    unbiased,
    words,
)
from policygrad.checks.tracebacks import trimmed

BOOK = Path(checks.__file__).parents[2]
NORMAL = np.random.default_rng(0).normal(size=(500, 1))


def message(call, *args, **options):
    with pytest.raises(CheckFailed) as failure:
        call("a", *args, **options)
    return str(failure.value), failure.value.short


# --- how far off ---------------------------------------------------------------------------------

OFF = {
    "a sign": (-2.0, 2.0, "opposite sign"),
    "a sign and a little": (-2.009, 2.0, "opposite sign"),
    "a sign and a factor": (-5.0, 2.0, "opposite sign, and 2.5 times the right size"),
    "a sign and a large one": (-84.0, 2.0, "opposite sign, 42 times too large"),
    "all signs": ([1.0, -2.0, 3.0], [-1.0, 2.0, -3.0], "opposite sign"),
    "a factor": (84.0, 2.0, "42 times too large"),
    "a factor of all": ([84.0, -42.0], [2.0, -1.0], "42 times too large"),
    "a factor of some": ([84.0, 1.0], [2.0, 1.0], "off by 41 times the largest reference"),
    "a small factor": (5.0, 2.0, "off by 150%"),
    "a part": (2.1, 2.0, "off by 5%"),
    "nothing": (0.0, 2.0, "off by 100%"),
    "as good as nothing": (-1e-17, 2.0, "off by 100%"),
    "one sign of many": ([1.0, -3.0], [1.0, 3.0], "opposite sign at entry [1]"),
    "the sign of a small one": ([-1.0, 30.0], [1.0, 30.0], "off by 6.7%"),
    "infinity": ([np.inf, -2.0], [1.0, 2.0], "off by an infinite amount"),
    "not a number": (np.nan, 2.0, "off by an infinite amount"),
}


@pytest.mark.parametrize(("value", "reference", "says"), OFF.values(), ids=OFF)
def test_what_is_off_is_told_as_a_sign_a_multiple_or_a_part_of_the_largest(value, reference, says):
    long, short = message(close, value, reference)
    assert short == says
    assert long.startswith(f"a · close · {says}")


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_a_multiple_is_told_at_every_scale(scale):
    assert message(close, np.array([1.0, 2.0]) * -scale, np.array([1.0, 2.0]) * scale)[1] == (
        "opposite sign"
    )


def test_a_multiple_of_all_entries_says_where_it_is_most():
    assert message(close, [-1.0, 2.0], [1.0, -2.0])[0] == (
        "a · close · opposite sign, most at entry [1]: value 2.0, reference -2.0, "
        "allowed 1e-08% (rtol = 1e-10, atol = 0)"
    )


@pytest.mark.parametrize(
    ("value", "rtol", "off", "allowed"),
    [
        (1.0104, 0.01, "1.04%", "1%"),
        (1.01000003, 0.01, "1.000003%", "1%"),
        (1.5000001, 0.5, "50.00001%", "50%"),
        (1.02, 0.01, "2%", "1%"),
        (1.005 + 1e-15, 0.005, "0.50000000000", "0.5%"),
    ],
)
def test_what_is_off_by_a_little_more_than_allowed_is_seen_to_be_more(value, rtol, off, allowed):
    long, short = message(close, value, 1.0, rtol=rtol)
    assert f"off by {off}" in long and f"off by {off}" in short
    assert f"allowed {allowed} (" in long
    said = short.split("by ")[1].rstrip("%")
    assert float(said) > float(allowed.rstrip("%"))


def test_the_same_holds_of_a_difference_that_is_not_relative():
    long, _ = message(close, 0.00504, 0.0, atol=0.005)
    assert "off by 0.00504: value" in long and "allowed 0.005 (" in long


def test_a_mean_of_the_opposite_sign_is_told_so_with_its_size_in_the_record():
    rows = np.random.default_rng(1).normal(size=(10_000, 2)) * 0.1 - [1.0, 2.0]
    _, short = message(unbiased, rows, [1.0, 2.0])
    assert short.startswith("opposite sign, ") and short.endswith(" standard errors")
    with refuted("uphill is downhill"):
        unbiased("a", rows, [1.0, 2.0])
    assert history()[-1].figures["relative"] == 2.0
    assert message(unbiased, 20 * rows, [-1.0, -2.0])[1].startswith("20 times too large, ")


def test_a_statistic_just_above_its_limit_is_seen_to_be_above():
    rows = np.tile([1.0, -1.0], 5000)
    limit = checks.hotelling.critical_value(1, 10_000, 1e-6)
    off = np.sqrt(limit * (1 + 1e-5) / 9_999)
    long, _ = message(unbiased, rows, off)
    found, allowed = long.split("T^2 = ")[1].split(", the limit")[0].split(" > ")
    assert float(found) > float(allowed)


@pytest.mark.parametrize(("exact", "more"), [(1.0104, 1.0), (1.0 + 3e-13, 1.0)])
def test_more_digits_come_until_the_two_numbers_differ(exact, more):
    text = words.relative(exact, 1.0, beyond=more)
    assert float(text.rstrip("%")) / 100 > more
    assert words.relative(exact, 1.0) in ("101%", "100%")


# --- next to 0 -----------------------------------------------------------------------------------


def test_two_rounding_errors_agree_beside_the_terms_that_they_are_differences_of(capsys):
    close("a", 6e-13, -2e-13, scale=3.2)
    assert capsys.readouterr().out == (
        "ok  a · close · two computations agree, next to 0: allowed 1e-10 of the scale 3.2\n"
    )
    assert history()[-1].figures["counted"] == "scale"
    assert history()[-1].figures["scale"] == 3.2
    close("a", [1e-12, 0.0], [0.0, 0.0], scale=[3.2, 0.1])  # needs no atol
    with pytest.raises(
        CheckFailed,
        match=r"off by 3\.3% of the scale at .*; next to 0: allowed 1e-10 of the scale 3$",
    ):
        close("a", [0.1, 0.0], [0.0, 0.0], scale=3.0)


def test_beside_a_scale_the_tolerance_is_relative_to_the_larger_of_both(capsys):
    close("a", 1.0 + 0.9e-3, 1.0, rtol=1e-4, scale=10.0)
    assert "two computations agree to 0.0001 of the scale 10\n" in capsys.readouterr().out
    with pytest.raises(
        CheckFailed, match=r"off by 0\.011% of the scale: .*; allowed 0\.0001 of the scale 10$"
    ):
        close("a", 1.0 + 1.1e-3, 1.0, rtol=1e-4, scale=10.0)
    with pytest.raises(
        CheckFailed, match=r"off by 0\.11%: .*allowed 0\.01% \("
    ):  # the reference is larger: it counts
        close("a", 1.0 + 1.1e-3, 1.0, rtol=1e-4, scale=0.5)
    assert message(close, 1.1, 1.0, scale=0.5)[0].endswith("(rtol = 1e-10, atol = 0)")
    close("a", 1.5, 1.0, rtol=1e-4, atol=0.6, scale=10.0)
    assert history()[-1].figures["counted"] == "atol"


def test_without_a_scale_nothing_is_allowed_next_to_0_but_the_message_says_what_it_may_be():
    long, _ = message(close, 6e-13, -2e-13)
    assert long.startswith("a · close · both sides are next to 0 (opposite sign, and 3 times")
    assert long.endswith("that may be rounding: scale= says how large the terms are")
    assert "next to 0" not in message(close, 6e-13, 6.1e-13)[0]  # they share their digits
    assert "next to 0" not in message(close, 6e-3, -2e-3)[0]


@pytest.mark.parametrize("scale", [0, -1.0, np.inf, np.nan, [0.0, 0.0], [], [1.0, -1.0]])
@pytest.mark.parametrize("call", [close, lambda *a, **k: unbiased("a", NORMAL, [0.0], **k)])
def test_a_scale_is_finite_and_above_0(call, scale):
    with pytest.raises(ValueError, match="a: scale must be the size of the terms"):
        call("a", 1.0, 1.0, scale=scale)


def test_a_scale_has_one_number_or_one_for_each_component():
    with pytest.raises(ValueError, match=r"a: scale must be one number, .* it has shape \(2,\)"):
        unbiased("a", NORMAL, [0.0], scale=[1.0, 1.0])
    with pytest.raises(TypeError, match="a: scale must be a number; it is True"):
        close("a", 1.0, 1.0, scale=True)


def test_samples_of_rounding_errors_have_the_mean_0_beside_their_terms(capsys):
    # scores of a policy that always does the same, by finite differences: 1e-12 in place of 0
    rows = 1e-12 * np.random.default_rng(2).integers(0, 3, size=(5000, 2))
    with pytest.raises(CheckFailed, match=r"no number of that component exceeds 2e-12: .* scale="):
        unbiased("a", rows, [0.0, 0.0])
    unbiased("a", rows, [0.0, 0.0], scale=1.0)
    assert capsys.readouterr().out == (
        "ok  a · unbiased · 5,000 samples, all equal to the exact value; "
        "next to 0: 1e-10 of the scale 1 is nothing\n"
    )
    with pytest.raises(CheckFailed, match="do not vary"):
        unbiased("a", rows, [1e-6, 0.0], scale=1.0)
    with pytest.raises(CheckFailed):  # terms of another size: it is no rounding
        unbiased("a", rows, [0.0, 0.0], scale=1e-6)


def test_beside_rounding_errors_the_other_components_are_tested_as_ever():
    rng = np.random.default_rng(3)
    rows = np.column_stack([rng.normal(size=5000), 1e-12 * rng.integers(0, 3, size=5000)])
    unbiased("a", rows, [0.0, 0.0], scale=1.0)
    with_scale = history()[-1].figures
    unbiased("a", rows[:, :1], [0.0])
    assert with_scale["rank"] == 1
    assert with_scale["statistic"] == history()[-1].figures["statistic"]
    for exact in ([0.2, 0.0], [0.0, 1e-9]):
        with pytest.raises(CheckFailed):
            unbiased("a", rows, exact, scale=1.0)
    with pytest.raises(CheckFailed):  # a scale for each: the second has small terms
        unbiased("a", rows, [0.0, 0.0], scale=[1.0, 1e-6])
    unbiased("a", rows, [0.0, 0.0], scale=[1e-6, 1.0])


@pytest.mark.parametrize("seed", range(5))
def test_a_scale_of_the_size_of_the_rows_changes_no_verdict(seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(1000, 3)) @ rng.normal(size=(3, 3))
    exact = rows.mean(axis=0) + rng.choice([0.0, 0.2]) * rng.normal(size=3)
    found = []
    for options in ({}, {"scale": np.abs(rows).max()}):
        try:
            unbiased("a", rows, exact, **options)
            found.append({**history()[-1].figures, "scale": None})
        except CheckFailed as failure:
            found.append({**failure.check.figures, "scale": None})
    assert found[0] == found[1]


# --- where it went wrong -------------------------------------------------------------------------

FAILS = {
    "close": "close('a', 1, 2)",
    "a control": "with refuted('two is two'):\n    close('a', 2, 2)",
    "an empty control": "with refuted('anything'):\n    pass",
    "an assumption": "assumes('H = 3', False)",
    "too few samples": "unbiased('a', [[1.0]], [1.0])",
    "undecided": "identity('a', f(x), f(x + 0 * sp.Float(1)) + sp.Integral(g(x), (x, 0, y)))",
    "typeset": "failed(Check('a', 'runs', False), '', 'line 1 does not hold')",
}
HEAD = """
import sympy as sp
from policygrad.checks import *
from policygrad.checks.verdict import Check, Undecided, failed
def identity(label, *sides):
    raise Undecided(label)
x, y = sp.symbols("x y")
f, g = sp.Function("f"), sp.Function("g")
"""


@pytest.mark.parametrize("source", FAILS.values(), ids=FAILS)
def test_in_plain_python_a_traceback_ends_at_the_readers_line(source, tmp_path):
    script = tmp_path / "reader.py"
    script.write_text(HEAD + "def work():\n" + textwrap.indent(source, "    ") + "\nwork()\n")
    run = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, cwd=BOOK, env={"PYTHONPATH": BOOK}
    )
    assert run.returncode == 1
    files = [line.split('"')[1] for line in run.stderr.splitlines() if line.startswith("  File")]
    assert set(files) == {str(script)}
    assert source.splitlines()[-1].strip() in run.stderr or "pass" in source
    assert run.stderr.splitlines()[-1].startswith("policygrad.checks.")


@pytest.mark.parametrize("source", FAILS.values(), ids=FAILS)
def test_in_ipython_a_traceback_ends_at_the_readers_line(source, capsys):
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))
    try:
        shell.run_cell(HEAD)
        capsys.readouterr()
        shell.run_cell(source)
    finally:
        InteractiveShell.clear_instance()
    shown = capsys.readouterr().out
    assert "policygrad/checks" not in shown.replace("\\", "/") and "contextlib" not in shown
    assert source.splitlines()[0] in re.sub(r"\x1b\[[0-9;]*m", "", shown)


def test_the_hook_of_plain_python_shows_the_readers_line_and_leaves_others_alone(capsys):
    for call, shown in ((lambda: close("a", 1.0, 2.0), False), (lambda: close("a", [1], 1), True)):
        with pytest.raises((CheckFailed, ValueError)) as raised:
            call()
        sys.excepthook(raised.type, raised.value, raised.tb)
        said = capsys.readouterr().err
        assert ("close.py" in said) is shown and "in <lambda>" in said


def test_an_error_of_anything_else_is_shown_whole(tmp_path):
    script = tmp_path / "reader.py"
    script.write_text("from policygrad.checks import close\nclose('a', [1], 1)\n")
    run = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, cwd=BOOK, env={"PYTHONPATH": BOOK}
    )
    assert "value has shape" in run.stderr and "close.py" in run.stderr


def test_the_traceback_itself_stays_whole():
    try:
        close("a", 1.0, 2.0)
    except CheckFailed as failure:
        whole, shown = [], []
        for traceback, frames in (
            (failure.__traceback__, whole),
            (trimmed(failure.__traceback__), shown),
        ):
            while traceback is not None:
                frames.append(traceback.tb_frame.f_code.co_name)
                traceback = traceback.tb_next
    assert shown == ["test_the_traceback_itself_stays_whole"]
    assert whole[1:] == ["close", "failed"]


def test_a_control_that_did_not_fail_does_not_read_as_if_the_book_were_wrong():
    with pytest.raises(NotRefuted) as raised, refuted("two is two"):
        close("some-label", 2.0, 2.0)
    assert str(raised.value) == (
        "the control did not fail: with these settings the false claim 'two is two' holds too "
        "(or the check is too weak to see it). The check 'some-label' inside passed: "
        "two computations agree to 1e-10"
    )


def test_samples_too_few_are_no_failure():
    assert not issubclass(TooFewSamples, AssertionError)
