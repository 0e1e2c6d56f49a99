"""Formulas in words: nothing is left out, and no sign passes in silence."""

import pytest

import spoken
from mathematics import Typesetter

# With a V8 in it, a process is not to be copied any more, as the tests of chapters do.
pytestmark = pytest.mark.site


@pytest.fixture(scope="module")
def said():
    engine = Typesetter("svg")
    return lambda tex: spoken.words(engine.mathml(tex))


@pytest.mark.parametrize(
    ("tex", "words"),
    [
        (r"J(\theta)", "capital J open paren theta close paren"),
        (r"\gamma^t\,G_t", "gamma to the t capital G sub t"),
        (r"\lambda^2=-1", "lambda squared equals minus 1"),
        (r"s_{t+1}", "s sub t plus 1 end"),
        (r"\pi_\theta(a\mid s)", "pi sub theta open paren a given s close paren"),
        (r"\sum_{t=0}^{T-1}r_t", "sum from t equals 0 to capital T minus 1 of r sub t"),
        (r"\sum_\tau x", "sum over tau of x"),
        (r"\tfrac12", "1 over 2"),
        (r"\frac{a+b}{c}", "fraction a plus b over c end fraction"),
        (r"\hat g", "g hat"),
        (r"\sqrt{x}", "square root of x"),
        (r"V^*", "capital V star"),
        (r"s'", "s prime"),
        (r"\mathbb E[x]", "expectation open bracket x close bracket"),
        (r"\mathbb 1", "indicator"),
        (r"\log\Sigma", "log capital sigma"),
        (r"p\le\varepsilon", "p is at most epsilon"),
        (r"a\text{ if }b", "a if b"),
        (
            r"\begin{aligned}a&=b && \text{why}\\&=c\end{aligned}",
            "line 1: a equals b, why; line 2: equals c",
        ),
    ],
)
def test_a_formula_in_words(said, tex, words):
    assert said(tex) == words


def test_a_sign_without_a_word_is_an_error(said):
    with pytest.raises(spoken.Wordless, match="⊠"):
        said(r"a\boxtimes b")


def test_two_formulas_that_differ_sound_different(said):
    pairs = [
        ("J", "j"),
        (r"\frac{a}{b+c}", r"\frac ab+c"),
        ("s_{t}+1", "s_{t+1}"),
        ("x_i^2", "x_2^i"),
    ]
    for one, other in pairs:
        assert said(one) != said(other)
