"""Slips in the package, made on purpose: each makes a test fail, by a claim that does not hold."""

import ast

import pytest

import forks
from alterations import ALTERATIONS
from package_slips import Alteration, judge

needs_fork = pytest.mark.skipif(
    not forks.AVAILABLE, reason="slips are tried in forked processes, which this system has not"
)


def named(alteration):
    return f"{alteration.module}: {alteration.slip}"


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=named)
def test_an_alteration_still_applies(alteration):
    ast.parse(alteration.code())


@needs_fork
@pytest.mark.parametrize("alteration", [a for a in ALTERATIONS if "::" in a.by], ids=named)
def test_a_slip_in_the_package_makes_a_test_fail(alteration):
    found = forks.in_child(judge, alteration.module, alteration.code(), [alteration.by], "-x")
    assert found.how == "noticed", found


def test_an_alteration_that_no_longer_applies_says_what_to_mend():
    with pytest.raises(ValueError, match=r"mdp.py has changed.* stands there 0 times"):
        Alteration("mdp", "no such line", "", "", "03").code()
