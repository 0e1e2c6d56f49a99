"""Slips that are made on purpose in the package are noticed.

A slip counts as noticed only if a check fails by it.  One that ends in a TypeError proves nothing.
"""

import ast
from pathlib import Path

import pytest

import forks
import mutants
from alterations import ALTERATIONS

ROOT = Path(__file__).resolve().parents[1]

needs_fork = pytest.mark.skipif(
    not forks.AVAILABLE, reason="slips are tried in forked processes, which this system has not"
)

# --- the package ---------------------------------------------------------------------------------


def named(alteration):
    return f"{alteration.module}: {alteration.slip}"


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=named)
def test_an_alteration_still_applies(alteration):
    ast.parse(alteration.code())


@needs_fork
@pytest.mark.parametrize("alteration", [a for a in ALTERATIONS if "::" not in a.by], ids=named)
def test_a_slip_in_the_package_makes_a_check_of_a_chapter_fail(alteration):
    (path,) = (ROOT / "book").glob(f"{alteration.by}-*.ipynb")
    found = forks.in_child(mutants.judge, alteration.module, alteration.code(), [path])
    assert found.how == "check", found


@pytest.mark.parametrize("alteration", [a for a in ALTERATIONS if "::" in a.by], ids=named)
def test_a_slip_that_no_chapter_can_show_makes_a_test_fail(alteration, tmp_path):
    run = mutants.run_tests(alteration.module, alteration.code(), alteration.by, tmp_path)
    assert (run.returncode, "1 failed" in run.stdout) == (1, True), run.stdout


def test_an_alteration_that_no_longer_applies_says_what_to_mend():
    with pytest.raises(ValueError, match=r"mdp.py has changed.* stands there 0 times"):
        mutants.Alteration("mdp", "no such line", "", "", "03").code()
