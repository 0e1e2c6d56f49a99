"""Typeset equations that run: whatever slip is made in one, its check fails."""

from pathlib import Path

import pytest

import typeset

BOOK = Path(__file__).resolve().parents[1] / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_slip_that_leaves_an_equation_true_has_a_reason(path):
    for label, record in typeset.recorded(path).items():
        assert all(record["still true"].values()), label


@pytest.mark.parametrize(
    ("tex", "new"),
    [
        (r"J=\sum_t\gamma^t r_t", [
            r"J=\prod_t\gamma^t r_t",
            r"J=_t\gamma^t r_t",
            r"J=\gamma^t r_t",
            r"J=\sum_t r_t",
            r"J=\sum_t\gamma r_t",
            r"J=\sum_t\gamma^{t+1} r_t",
            r"J=\sum_t\gamma^t r_{t-1}",
            r"J=\sum_t\gamma^t",
        ]),
        (r"x'\le\tfrac12-y_s", [
            r"x'\ge\tfrac12-y_s",
            r"x'<\tfrac12-y_s",
            r"x\le\tfrac12-y_s",
            r"y'\le\tfrac12-y_s",
            r"x'\le\frac 21-y_s",
            r"x'\le\tfrac13-y_s",
            r"x'\le\tfrac12+y_s",
            r"x'\le\tfrac12-y_{s+1}",
            r"x'\le\tfrac12-y",
            r"x'\le\tfrac12",
        ]),
        (r"a&=b && \text{if }k<t", [r"a&=b && \text{if }k\le t", r"a&=b && \text{if }k>t"]),
        (r"a&=b && k^2=t", [r"a&=b && k^3=t"]),
        (r"\max_s\log q", [r"\min_s\log q", r"\max_s q", r"\max_s\log p", r"\log q"]),
    ],
)  # fmt: skip
def test_a_slip_is_what_one_may_write_by_mistake(tex, new):
    made = {" ".join(slip.tex.split()) for slip in typeset.slips(f"{tex} +pq")}
    assert {" ".join(f"{one} +pq".split()) for one in new} <= made


@pytest.mark.parametrize(
    "tex",
    [r"\text{old}", r"\underbrace{1}_{\text{start}}", r"&& \text{as }k=t", r"\quad\,\;\bigl"],
)
def test_words_and_layout_are_left_alone(tex):
    inside = {
        slip.tex.replace("1", "").replace("2", "").replace("0", "") for slip in typeset.slips(tex)
    }
    assert inside <= {tex.replace("1", ""), r"{}_{\text{start}}"}


def test_each_slip_is_made_once_and_none_changes_nothing():
    tex = r"\nabla J=\sum_t\sum_{k\ge t}\gamma^k\,\mathbb E_\tau\bigl[\nabla\log\pi_t\;r_k\bigr]"
    made = [slip.tex for slip in typeset.slips(tex)]
    assert len(set(made)) == len(made) > 40
    assert tex not in made
