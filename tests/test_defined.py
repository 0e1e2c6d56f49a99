"""A definition may only define: which statements do, and what is said of those that do not."""

import pytest

import defined
from claims import Display


def definition(tex, before="J=b+c"):
    """What is said of a definition, after a display."""
    return defined.claimed([Display("x", "eq-first", before), Display("y", "def-new", tex)])


@pytest.mark.parametrize(
    "tex",
    [
        "f=b",
        r"f(x)=b,\qquad g_i=f(i)",
        r"\mathbb E_x[f]=\sum_x f",
        r"\pi_\theta(a\mid o)=c",
        r"Q(o)\leftarrow Q(o)+b",
        r"\operatorname{std}(r)^2=c",
        r"\text{power against }h=\Pr(T>c)",
        r"\begin{aligned}f&=b\\g&=c\end{aligned}",
    ],
)
def test_a_new_symbol_may_be_defined(tex):
    assert definition(tex) == []


@pytest.mark.parametrize(
    ("tex", "says"),
    [
        ("J=17", "defines J, which eq-first knows already"),
        (r"J(\theta)=17", "defines J, which"),
        ("b=0", "defines b, which"),
        ("f=b,\\qquad J=f", "defines J, which"),
        ("f=b,\\qquad f=c", "defines f, which def-new knows already"),
        ("f=b=c", "is no definition but a chain"),
        (r"f\le b", r"compares, f \le b"),
        (r"f\approx b", "compares"),
        (r"f\ne b", "compares"),
        (r"\nabla J=0", r"has an expression on its left, \nabla J"),
        ("f+g=b", "has an expression on its left, f + g"),
        ("2f=b", "has an expression on its left, 2 f"),
        (r"\frac{f}{g}=b", "has an expression on its left"),
        ("17=f", "has an expression on its left, 1 7"),
        ("f", "is no definition but no equation"),
        (r"\begin{aligned}f&=b\\&=c\end{aligned}", "has an expression on its left"),
    ],
)
def test_what_is_more_than_a_definition_is_named(tex, says):
    assert says in definition(tex)[0]


def test_an_index_makes_no_other_symbol():
    assert "defines r_index, which" in definition("r_{t+1}=0", "r_t=b")[0]
    assert "defines x, which" in definition("x^{(2)}=0", "x^{(i)}=b")[0]
    assert definition(r"\pi_\theta=b", r"\pi_\varepsilon=c") == []


def test_what_may_come_again_has_to_be_needed():
    assert definition("J=17") != []
    displays = [Display("x", "eq-first", "J=b"), Display("y", "def-new", "J=17")]
    assert defined.claimed(displays, {("def-new", "J"): "why"}) == []
    assert "nobody needs it" in defined.claimed(displays[:1], {("def-new", "J"): "why"})[0]
