"""Slips in the package, made on purpose: each makes a test fail, by a claim that does not hold.

The slips are those of ``alterations.txt``.  ``make slips`` makes all that a machine can make.
"""

import ast
from collections import Counter

import pytest

from alterations import ALTERATIONS, read
from marks import needs_fork
from package_slips import Alteration, Judge


def named(alteration):
    return f"{alteration.module}: {alteration.slip}"


@pytest.fixture(scope="module")
def judge():
    """Judges any number of slips."""
    judge = Judge()
    yield judge.judge
    judge.close()


@needs_fork
@pytest.mark.parametrize("alteration", ALTERATIONS, ids=named)
def test_a_slip_in_the_package_makes_a_test_fail(alteration, judge):
    code = alteration.code()
    ast.parse(code)
    found = judge(alteration.module, code, [alteration.by], all_=False)
    assert found.how == "noticed", found


def test_no_slip_is_listed_twice():
    listed = Counter((a.module, a.old, a.new) for a in ALTERATIONS)
    assert [slip for slip, times in listed.items() if times > 1] == []
    assert all(a.old != a.new for a in ALTERATIONS)


def test_an_alteration_that_no_longer_applies_says_what_to_mend():
    with pytest.raises(ValueError, match=r"mdp.py has changed.* stands there 0 times"):
        Alteration("mdp", "no such line", "", "", "test_mdp.py").code()


@pytest.mark.parametrize(
    "text",
    ["    a | b | c", "[mdp]\n    a | b | c", "[mdp]\ntest_mdp.py\n    a | b", "[mdp]\ntests"],
    ids=["no module", "no test", "no new text", "no slip"],
)
def test_a_line_of_the_table_that_is_none_is_named(text):
    number = text.count("\n") + 1
    with pytest.raises(ValueError, match=f"line {number} of the table must be"):
        read(text)


# --- what counts as noticed -----------------------------------------------------------------------

SOUND = Alteration("mdp", "class MDP", "class MDP", "", "").code()
ENDS = {
    "an assertion": ("assert False", "noticed"),
    "a check": ("from policygrad.checks import close; close('a', 1, 2)", "noticed"),
    "no error": ("import pytest\n    with pytest.raises(ValueError): pass", "noticed"),
    "a crash": ("None + 1", "crash"),
    "a warning": ("import warnings; warnings.warn('no')", "crash"),
    "nothing": ("pass", "survived"),
    "a skip": ("import pytest; pytest.skip('no')", "survived"),
}


@needs_fork
@pytest.mark.parametrize(("body", "how"), ENDS.values(), ids=ENDS)
def test_only_a_claim_that_does_not_hold_counts_as_noticed(body, how, tmp_path, judge):
    test = tmp_path / "test_some.py"
    test.write_text(f"def test_it():\n    {body}\n")
    assert judge("mdp", SOUND, [str(test)]).how == how


@needs_fork
@pytest.mark.parametrize("source", ["x = (", "x = 1", "x = None.y"])
def test_a_module_that_cannot_be_imported_is_no_slip_that_a_test_noticed(source, judge):
    assert judge("mdp", source, ["test_mdp.py"]).how == "crash"


@needs_fork
def test_a_test_that_is_not_there_is_an_error(judge):
    with pytest.raises(ValueError, match=r"(?s)cannot be run.* not found"):
        judge("mdp", SOUND, ["test_mdp.py::test_no_such"])


@needs_fork
def test_no_slip_is_left_to_the_next_judgement(judge):
    test = "test_mdp.py::test_a_row_that_does_not_sum_to_one_is_named_with_its_sum"
    assert judge("mdp", "x = 1", ["test_mdp.py"]).how == "crash"
    assert judge("mdp", SOUND, [test]).how == "survived"
