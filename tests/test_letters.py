"""A letter means one thing: every form in a display stands in the table of letters, on its page."""

import pytest

import claims
import letters
from claims import Display
from policygrad.formulas.tex import tokens

NOTATION = (letters.BOOK / "notation.md").read_text("utf-8")
DISPLAYS = claims.displays(claims.book())


def test_every_letter_of_every_display_is_in_the_table():
    assert letters.missing(DISPLAYS, NOTATION) == []


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"P(s'\mid s,a)", {"P(·|·,·)", "s", "a"}),
        (r"p(1-p)", {"p"}),
        (r"\pi_\theta(a_t\mid s_t)", {r"\pi_\theta(·|·)", r"\theta", "a_·", "s_·", "t"}),
        (r"Q^*(s,a)+Q^\pi(s',a)", {"Q^*(·,·)", r"Q^\pi(·,·)", r"\pi", "s", "a"}),
        (r"R(\tau^{(i)})", {"R(·)", r"\tau", "i"}),
        (r"C_{\text{bit}}", {r"C_\text{bit}"}),
        (r"d_{t+1}(s')", {"d_·(·)", "t", "s"}),
    ],
)
def test_a_form_is_a_letter_with_the_marks_that_stay(tex, expected):
    assert letters.forms(tokens(tex)) == expected


TABLE = """
| letter | is |
|---|---|
| $P(s'\\mid s,a)$, $s,\\ a$ | dynamics |

| letter | is | where |
|---|---|---|
| $x$ | a lead | [](02-learning-the-policy) |
"""


@pytest.mark.parametrize(
    ("tex", "page", "says"),
    [
        (r"P(s'\mid s,a)=x", "02-learning-the-policy", []),
        (r"P(s)=x", "02-learning-the-policy", ["P(·) is used in 02"]),
        (r"s=x", "03-objective", ["x is used in 03-objective; the table has no such row"]),
        (r"s=a", "02-learning-the-policy", ["x is not used in 02-learning-the-policy"]),
    ],
)
def test_another_meaning_of_a_letter_is_noticed(tex, page, says):
    found = letters.missing([Display(page, "eq-a", tex)], TABLE)
    assert len(found) >= len(says)
    assert all(any(x in y for y in found) for x in says), found


def test_a_letter_of_one_page_is_no_letter_of_the_whole_book():
    twice = TABLE.replace("$x$", "$s$")
    found = letters.missing([Display("02-learning-the-policy", "eq-a", "s=a")], twice)
    assert any("one thing in the whole book" in x for x in found)
