r"""What is refused, with its message, and the traps that a runner of equations falls into."""

import numpy as np
import pytest
import sympy as sp

from policygrad.formulas import Formula, Missing, Refused, Undefined, evaluate
from test_formulas import ARMS, ARRAYS, COINS, holds

LETTERS = {"domains": {"t": range(3), "s": range(2), "a": range(2)}, "c_t": lambda t: (4, 5, 6)[t]}


@pytest.mark.parametrize(
    ("tex", "kind", "says"),
    [
        ("z=1+1", Missing, "line 1: z has no value: its equation defines it, and no other"),
        ("1+1=z", Missing, "z has no value"),
        (r"1=1\cdot1\\ q_{\text{old}}+1=2", Missing, r"line 2: q_\\text\{old\} has no value"),
        (r"\hat g+1=2", Missing, r"\\hat g has no value: is it misspelt, or an edit unsaved?"),
        (r"c_{1/2}=1", Undefined, "an index of c_ is no whole number but 0.5"),
        (r"c_{-1}=6", Undefined, "c_ at t = -1: t begins at 0"),
        (r"c_{t-1}=c_t-1", Undefined, "c_ at t = -1: t begins at 0"),
        (r"c_{t+1}=c_t+1", Undefined, "c_ has no value at .'t': 3.: IndexError"),
        (r"\int_0^1x=1", Refused, r"line 1: cannot execute \\int"),
        (r"\lim_{t\to\infty}c_t=1", Refused, r"cannot execute \\lim"),
        (r"c_0\propto1=1", Refused, r"cannot execute \\propto"),
        (r"1=1\cdot1\to1", Refused, r"cannot execute \\to"),
        (r"\foo{1}=1", Refused, r"cannot execute \\foo"),
        (r"\operatorname*{median}c_t=5", Refused, r"cannot execute \\operatorname\*\{median\}"),
        (r"\begin{cases}1\end{cases}=1", Refused, r"cannot execute \\begin\{cases\}"),
        (r"\text{some words}=1", Refused, r"some words\} has no value"),
        (r"\sum_u u=1", Missing, "u has no domain"),
        (r"\sum u=1", Refused, r"what \\sum ranges over: nothing"),
        (r"\sum_{t=0}^{1/2}t=1", Undefined, "an upper bound is no whole number but 0.5"),
        (r"\sum_{t=0}^{\infty}1=1", Undefined, "more than 10000 values of t"),
        (r"\prod_{t=0}^{\infty}1=1", Undefined, "more than 10000 values of t"),
        (r"\sum_{(t+1)=1}^3t=1", Refused, r"what \\sum ranges over: \( t \+ 1 \) = 1"),
        (r"\sum_{=0}^2t=1", Refused, r"what \\sum ranges over: = 0"),
        (r"\sum_{t,t}1=9", Refused, r"cannot read what \\sum ranges over: t , t"),
        (r"\arg\sum_tt=1", Refused, r"cannot read what \\arg\\sum ranges over: t"),
        (r"\min(t)=1", Refused, "an extreme value of one thing alone"),
        (r"\min t=1", Refused, r"cannot read what \\min ranges over: nothing"),
        (r"\operatorname{clip}(t,1)=1", Refused, "a clip of other than three things"),
        (r"\operatorname{clip}t=1", Refused, r"t, not \(, comes too early"),
        (r"\sum_{t:t}1=1", Refused, "no condition: t"),
        (r"\max_{t>7}t=1", Undefined, "an extreme value of nothing"),
        (r"\mathbb E[c_0]=1", Refused, "an expectation over nothing"),
        (r"\mathbb E_t[c_t]=1", Missing, "t is drawn, and no law of it is given"),
        (r"\frac10=1", Undefined, "line 1: division by zero"),
        (r"\log0=1", Undefined, "line 1: divide by zero"),
        (r"\sqrt{1-3}=1", Undefined, "line 1: invalid value"),
        (r"(1-3)^{1/2}=1", Undefined, "a root of a negative number"),
        (r"\binom{1/2}2=1", Undefined, "n or k in n over k is no whole number but 0.5"),
        ("1/2t=t", Refused, "a/b t: is t below the stroke or beside it"),
        ("2^{}t=t", Refused, "cannot execute nothing in"),
        ("1+=2", Refused, "cannot execute nothing"),
        (r"\frac1=2", Refused, r"the end comes too early in \\frac 1"),
        ("(1+1=2", Refused, r"this states nothing: \( 1 \+ 1 = 2"),
        ("1+1)=2", Refused, r"this states nothing: 1 \+ 1 \) = 2"),
        ("1+1", Refused, r"this states nothing: 1 \+ 1"),
        ("=2", Refused, "this states nothing: = 2"),
        ("1=", Refused, "this states nothing: 1 ="),
        ("t+1=t+1", Refused, r"line 1: both sides are the same, t \+ 1"),
        (r"c_t\le c_t", Refused, "both sides are the same"),
        (r"c_{t}=c_t", Refused, "both sides are the same"),
        (
            r"\tfrac12\approx\tfrac12+0",
            Refused,
            "is no printed number, so nothing says how near is meant",
        ),
        (r"t=5 && \text{if }t>7", Refused, "line 1: nothing is tried: no case"),
        (r"t<7\Longleftrightarrow t<8", Refused, "nothing is tried: the premise never varies"),
        (r"t>7\Longrightarrow t>8", Refused, "nothing is tried: the premise never varies"),
        (r"t=0\text{ at }z=0", Missing, "z has no value"),
        (r"t\big|_{z=1}=0", Missing, "z has no value"),
        (r"\frac{dt}{d(1+t)}=0", Refused, "cannot execute d|d has no value"),
    ],
)
def test_what_cannot_be_executed_is_refused_by_name(tex, kind, says):
    with pytest.raises(kind, match=says):
        evaluate(tex, LETTERS)


@pytest.mark.parametrize(
    ("tex", "says"),
    [
        ("v\\,w=1", r"a product of shapes \(2, 1\) and \(2, 1\); of vectors, \\cdot or \^\\top"),
        ("v+1=1", r"\+ between shapes \(2, 1\) and \(\)"),
        ("v+v^\\top=1", r"\+ between shapes \(2, 1\) and \(1, 2\)"),
        ("\\frac1v=1", "a vector in a denominator"),
        ("v^2=1", "a power of a vector"),
        ("M^{1/2}=1", "a matrix's power is no whole number but 0.5"),
        ("\\log v=1", "log of a vector"),
        ("v<w", "< between vectors"),
        (r"v\neq3", r"\\neq between shapes \(2, 1\) and \(\)"),
        (r"v=v^\top", r"= between shapes \(2, 1\) and \(1, 2\)"),
        ("\\operatorname{tr}(M-M)^{-1}=1", "line 1: .*ingular"),
    ],
)
def test_what_vectors_do_not_allow_is_refused(tex, says):
    with pytest.raises(Undefined, match=says):
        evaluate(tex, ARRAYS)


def test_a_matrix_without_inverse_is_refused():
    with pytest.raises(Undefined, match="line 1: Singular matrix"):
        evaluate("(M-M)^{-1}v=v", ARRAYS)


def test_a_letter_in_brackets_after_what_is_no_function_is_refused():
    with pytest.raises(Refused, match=r"x\(y\): x is declared, but not as a function"):
        evaluate("x(y)=6", ARRAYS)
    assert holds("x(y+0)=6", ARRAYS)  # a product


def test_a_number_of_arguments_that_no_key_has_is_refused():
    with pytest.raises(Missing, match="f has no value for 2 arguments"):
        evaluate("f(1,2)=3", {"f(x)": lambda x: x})


def test_a_gradient_by_two_parameters_is_refused():
    env = ARMS | {r"\theta_k": np.zeros(3)}
    with pytest.raises(Refused, match=r"a gradient by \\theta or by \\theta_k"):
        evaluate(r"\nabla(J(\theta)+J(\theta_k))=0", env)
    with pytest.raises(Refused, match=r"a gradient by x, not \\theta"):
        evaluate(r"\nabla_xJ(\theta)=0", env | {"x": 1.0})


def test_an_entry_that_theta_does_not_have_is_refused():
    for index, shape in (("3", r"\(3,\)"), ("0,1", r"\(3,\)"), ("-1", r"\(3,\)")):
        with pytest.raises(Undefined, match=rf"\\theta has no entry .*: its shape is {shape}"):
            evaluate(rf"\theta_{{{index}}}=0", ARMS)


def test_below_an_expectation_stands_what_is_drawn_or_the_policy():
    env = COINS | {r"\pi": 0, "m": 3}
    assert holds(r"\mathbb E_\pi[c_0]=\tfrac14", env)
    with pytest.raises(Missing, match="m has no domain"):
        evaluate(r"\mathbb E_m[c_0]=\tfrac14", env)


def test_what_sympy_cannot_decide_is_refused():
    env = {"p": sp.Symbol("p", real=True)}
    with pytest.raises(Undefined, match="line 1: cannot determine truth value"):
        evaluate("p<1", env, symbolic=True)


def test_trouble_in_a_function_of_the_callers_is_put_down_to_its_symbol():
    for trouble in (lambda x: {}[x], lambda x: 1 // x, lambda x: 1 + "x"):
        with pytest.raises(Undefined, match=r"line 1: f has no value at .'x': 0."):
            evaluate("f(0)=1", {"f(x)": trouble})


def test_a_law_that_does_not_sum_to_one_is_refused():
    with pytest.raises(Undefined, match=r"the chances of \\tau sum to 0.9"):
        evaluate(r"\mathbb E[c_0]=\tfrac14", COINS | {r"P(\tau)": lambda tau: 0.225})


def test_a_condition_that_never_holds_says_nothing():
    # given c_0 + c_1 = t, for t = 0, 1, 2, 3: the last never happens
    env = COINS | {"domains": COINS["domains"] | {"t": range(4)}}
    (found,) = evaluate(r"\mathbb E[c_0\mid c_0+c_1=t]=\frac t2", env)
    assert (found.holds, found.cases) == (True, 3)


def test_an_unexpected_number_of_cases_is_refused():
    env = {"domains": {x: range(30) for x in "abcs"}}
    with pytest.raises(Undefined, match=r"more than 20000 cases, . is bound by nothing"):
        evaluate("a+b=c+s", env)


# -- trap 1: a claim taken for a definition


def test_a_claim_is_never_taken_for_a_definition():
    # E[h] = J: with J without a value the left side is no symbol that could be defined
    env = COINS | {r"\hat h": lambda tau: 3 * (tau // 2)}
    with pytest.raises(Missing, match="J has no value"):
        evaluate(r"\mathbb E[\hat h]=J", env)
    assert not holds(r"\mathbb E[\hat h]=\tfrac14", env)
    with pytest.raises(Missing, match="f has no value"):
        evaluate("f(1)=2", LETTERS)


def test_neither_an_implication_nor_a_value_elsewhere_defines_a_symbol():
    with pytest.raises(Missing, match="line 1: z has no value"):
        evaluate(r"z=1\Longrightarrow z+1=2,\quad z+1=2", {})
    for left in ("f(2t)", "f(c(t))", "f(t^2)", "f(c_t)"):
        with pytest.raises(Missing, match="line 1: f has no value"):
            evaluate(f"{left}=1,\\quad f(1)=1", LETTERS | {"c(s)": lambda s: s})


def test_a_symbol_with_a_value_is_not_defined_again():
    assert not holds(r"x=4,\qquad x+1=5", {"x": 3})


def test_a_definition_that_no_other_statement_uses_is_refused():
    for tex in ("z=2,\\quad 1+1=2", "z=z+1,\\quad 1+1=2", "z=q,\\quad q=z,\\quad 1+1=2"):
        with pytest.raises(
            Missing,
            match=r"[qz] has no value: its equation defines it, and no other statement uses it",
        ):
            evaluate(tex, {})
    with pytest.raises(Refused, match="line 1: z has no value: its equation defines it"):
        evaluate("z=2", {})
    assert holds("z=2,\\quad z+1=3", {})
    assert not holds("z=2,\\quad z+1=4", {})
    assert holds("y=2z,\\quad z=2,\\quad y=4", {})


def test_what_follows_a_definition_in_its_chain_is_a_claim():
    found = evaluate("z=2=1+1=3,\\quad z=2", {})
    assert [f.holds for f in found] == [True, False, True]


def test_a_definition_that_goes_round_in_a_circle_is_refused():
    with pytest.raises(Refused, match="line 1: a definition that goes round in a circle"):
        evaluate("z=q,\\quad q=z,\\quad z=2+0", {})


# -- trap 2: a definition that sees its caller's indices


def test_a_definition_does_not_see_the_indices_of_its_caller():
    env = LETTERS | {"f(s)": "s+t"}
    with pytest.raises(Missing, match="the definition of f uses t, no argument of it"):
        evaluate(r"\sum_tf(0)=3", env)
    with pytest.raises(Missing, match="the definition of z uses t, no argument of it"):
        evaluate(r"z=c_t,\qquad\sum_{t=0}^{2}z=15", LETTERS)
    assert holds(r"z_t=2c_t,\qquad\sum_{t=0}^{2}z_t=30", LETTERS)


def test_a_definition_sees_what_is_drawn():
    assert holds(r"\hat g=2c_0,\qquad\mathbb E[\hat g]=\tfrac12", COINS)
    assert not holds(r"\hat g=2c_0,\qquad\mathbb E[\hat g]=1", COINS)


# -- trap 3: no index from the end


def test_an_action_after_the_end_is_no_index_from_the_end():
    ended = {"domains": {"a": range(2), "t": range(2)}, "a_t": lambda t: (0, -1)[t]}
    env = ended | {r"\pi(a)": lambda a: (0.25, 0.75)[a]}
    with pytest.raises(Undefined, match=r"\\pi at a = -1: a begins at 0"):
        evaluate(r"\prod_{t=0}^{1}\pi(a_t)=\tfrac1{16}", env)
    assert holds(r"\prod_{t=0}^{0}\pi(a_t)=\tfrac14", env)


def test_what_counts_from_one_has_no_number_zero():
    env = {"domains": {"i": range(1, 4)}, "g_i": lambda i: (4, 5, 6)[i - 1]}
    with pytest.raises(Undefined, match="g_ at i = 0: i begins at 1"):
        evaluate(r"\sum_{i=0}^{2}g_i=15", env)


# -- trap 4: 0 = 0 = 0


def test_a_line_in_which_all_vanishes_is_reported():
    found = evaluate(r"c_t-c_t=0=0\cdot c_t,\qquad c_t-4=t", LETTERS)
    assert [(f.cases, f.alive) for f in found] == [(3, 0), (3, 0), (3, 2)]
    (found,) = evaluate(r"v-v=0", ARRAYS)
    assert found.alive == 0
    (found,) = evaluate("(p+1)^2-p^2-2p-1=0", {"p": sp.Symbol("p")}, symbolic=True)
    assert (found.holds, found.alive) == (True, 0)
    (found,) = evaluate("p+p=2p", {"p": sp.Symbol("p")}, symbolic=True)
    assert (found.holds, found.alive) == (True, 1)


# -- trap 5: a batch of one


def batch(m):
    pairs = [(i, j) for i in range(2) for j in range(2)] if m == 2 else [(0,), (1,)]
    return {
        "domains": {r"\tau": range(2), "batch": pairs, "i": range(1, m + 1)},
        "laws": {"batch": r"\prod_{i=1}^mP(\tau^{(i)})"},
        "E": "batch",
        "m": m,
        r"P(\tau)": lambda tau: (0.25, 0.75)[tau],
        r"R(\tau)": lambda tau: (8.0, 4.0)[tau],
    }


def test_a_batch_of_one_is_refused():
    with pytest.raises(Refused, match="a batch of one"):
        evaluate(r"\mathbb E\bigl[\sum_{i=1}^mR(\tau^{(i)})\bigr]=5", batch(1))


def test_a_batch_of_two_tells_a_mean_from_a_sum():
    # E[R] = 8 / 4 + 3 4 / 4 = 5
    assert holds(r"\mathbb E\bigl[\tfrac1m\sum_{i=1}^mR(\tau^{(i)})\bigr]=5", batch(2))
    assert not holds(r"\mathbb E\bigl[\sum_{i=1}^mR(\tau^{(i)})\bigr]=5", batch(2))
    with pytest.raises(Undefined, match="number 3 in a batch of 2"):
        evaluate(r"R(\tau^{(3)})=5", batch(2))


# -- trap 6 stands above: endless sums, too many cases


def test_equality_is_up_to_rounding_and_no_more():
    assert holds("x=1", {"x": 1 + 1e-12})
    assert not holds("x=1", {"x": 1 + 1e-8})
    assert not holds("x=0", {"x": 1e-11})
    assert holds(
        r"\sum_{t:\,p_t>0}1=2", {"domains": {"t": range(3)}, "p_t": lambda t: (0, 1e-99, 1)[t]}
    )
    assert not holds("x=x+1", {"x": np.nan})


def test_reading_alone_finds_unknown_symbols():
    with pytest.raises(Missing, match="z has no value"):
        Formula("1+1=z", {})


def test_brackets_that_hold_nothing_are_refused():
    env = {"x": 0.5, "f(x)": lambda x: x, "f": 0.5}
    for tex in ("f()=x", "f'()=1"):
        with pytest.raises(Refused, match=r"f\(\): nothing stands in the brackets"):
            evaluate(tex, env)


def test_two_symbols_that_only_their_index_tells_apart_are_refused():
    env = {"domains": {"a": range(3), "i": range(2)}, "r_a": lambda a: a, "r_i": lambda i: 7 + i}
    with pytest.raises(Refused, match="r_a and r_i are both given: which of them is r_1"):
        evaluate("r_1=8", env)
