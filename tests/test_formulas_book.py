"""Displays read from notebooks; and slips in a few of the book's displays, all of them noticed."""

import doctest
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from policygrad import formulas
from policygrad.formulas import Missing, Refused, definitions, display, evaluate
from test_formulas import holds


def notebook(folder, name, *cells):
    """Write a notebook of Markdown cells, and a code cell that must not be read."""
    found = [{"cell_type": "markdown", "source": [text]} for text in cells]
    found.append({"cell_type": "code", "source": ["$$\n9=8\n$$ (eq-code)"]})
    (folder / name).write_text(json.dumps({"cells": found}), encoding="utf-8")


def test_a_display_is_found_by_its_label_with_or_without_its_prefix(tmp_path):
    notebook(tmp_path, "a.ipynb", "Costs $5.\n\n$$\na=b\n$$ (eq-first)\n\n$$\nc=d\n$$ (def-second)")
    notebook(tmp_path, "b.ipynb", "$$\ne=f\n$$ (eq-third)")
    assert display("first", tmp_path) == display("eq-first", tmp_path) == "a=b"
    assert display("second", tmp_path) == display("def-second", tmp_path) == "c=d"
    assert display("third", tmp_path) == "e=f"


def test_an_unknown_label_says_that_the_files_are_read(tmp_path):
    notebook(tmp_path, "a.ipynb", "$$\na=b\n$$ (eq-first)")
    for label in ("second", "fir", "code", "def-first"):
        with pytest.raises(Missing, match=f"no displays in .* are labelled {label}; .* save"):
            display(label, tmp_path)


def test_a_label_borne_twice_is_refused(tmp_path):
    notebook(tmp_path, "a.ipynb", "$$\na=b\n$$ (eq-first)\n\n$$\nc=d\n$$ (def-first)")
    with pytest.raises(Missing, match=r"2 displays in .* are labelled first"):
        display("first", tmp_path)
    assert display("def-first", tmp_path) == "c=d"


def test_a_saved_edit_is_seen(tmp_path):
    notebook(tmp_path, "a.ipynb", "$$\na=b\n$$ (eq-first)")
    assert display("first", tmp_path) == "a=b"
    notebook(tmp_path, "a.ipynb", "$$\na=b+0\n$$ (eq-first)")
    assert display("first", tmp_path) == "a=b+0"


def test_by_default_the_books_own_notebooks_are_read():
    assert display("log-derivative") == r"\nabla\log f=\frac{\nabla f}{f}"


def test_definitions_of_the_book_are_entries_of_an_environment(tmp_path):
    text = r"$$\begin{aligned}f(s)&=2s && \text{why}\\ q_{\text{old}}&=3,\qquad r=5\end{aligned}$$"
    notebook(tmp_path, "a.ipynb", f"{text} (def-some)")
    found = definitions("some", folder=tmp_path)
    assert len(found) == 3
    env = {"domains": {"s": range(3)}} | found
    assert holds(r"f(2)+q_{\text{old}}+r=12", env)
    assert not holds(r"f(2)+q_{\text{old}}+r=13", env)


def test_a_display_that_defines_nothing_gives_no_definitions(tmp_path):
    notebook(tmp_path, "a.ipynb", "$$\na<b\n$$ (eq-first)")
    with pytest.raises(Refused, match="first: a < b defines nothing"):
        definitions("first", folder=tmp_path)


def test_a_line_that_goes_on_from_the_last_defines_nothing(tmp_path):
    text = r"$$\begin{aligned}a&=b\\&=c\end{aligned}$$"
    notebook(tmp_path, "a.ipynb", f"{text} (def-some)")
    with pytest.raises(Refused, match="some: = c defines nothing"):
        definitions("some", folder=tmp_path)


def test_the_example_in_the_docstring_is_what_comes_out():
    ran = doctest.testmod(formulas)
    assert (ran.failed, ran.attempted) == (0, 2)


def test_sympy_is_loaded_only_when_it_is_needed():
    code = (
        "import sys; from policygrad.formulas import evaluate; evaluate('1+1=2', {});"
        "print('sympy' in sys.modules); evaluate('1+1=2', {}, symbolic=True);"
        "print('sympy' in sys.modules)"
    )
    book = Path(__file__).resolve().parents[1] / "book"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=book, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"]


# -- slips: a world of two states, two actions, two steps, in which nothing is special

START, GAMMA, H = (0.6, 0.4), 0.7, 2
MOVE = np.array([[[0.7, 0.3], [0.2, 0.8]], [[0.5, 0.5], [0.1, 0.9]]])
REWARD = np.array([[[1.0, -2.0], [0.5, 3.0]], [[-1.0, 2.0], [0.3, 1.5]]])
PATHS = [tuple(int(x) for x in f"{k:05b}") for k in range(32)]  # s a s a s


def policy(theta):
    weights = np.exp(theta.reshape(2, 2))
    return weights / weights.sum(axis=1, keepdims=True)


def chance(tau, theta):
    pi, (s, a, n, b, e) = policy(theta), PATHS[tau]
    return START[s] * pi[s, a] * MOVE[s, a, n] * pi[n, b] * MOVE[n, b, e]


def reward(t, tau):
    s, a, n = PATHS[tau][2 * t : 2 * t + 3]
    return REWARD[s, a, n]


def objective(theta):  # forwards in time: no sum over trajectories
    d, total = np.array(START), 0
    for t in range(H):
        step = d[:, None, None] * policy(theta)[:, :, None] * MOVE
        total, d = total + GAMMA**t * np.sum(step * REWARD), step.sum(axis=(0, 1))
    return total


WORLD = {
    "domains": {
        r"\tau": range(32),
        **dict.fromkeys("tkus", range(2)),
        "a": range(2),
        r"\theta": [np.array([[0.4, -0.3], [-0.2, 0.1]])],
    },
    "laws": {r"\tau": r"P(\tau;\theta)"},
    "E": r"\tau",
    r"\gamma": GAMMA,
    "H": H,
    r"\mu(s)": lambda s: START[s],
    r"P(s'\mid s,a)": lambda n, s, a: MOVE[s, a, n],
    r"\pi_\theta(a\mid s)": lambda a, s, theta: policy(theta)[s, a],
    r"P(\tau;\theta)": chance,
    "s_t": lambda t, tau: PATHS[tau][2 * t],
    "a_t": lambda t, tau: PATHS[tau][2 * t + 1],
    "r_t": reward,
    r"\pi_t": lambda t, tau, theta: policy(theta)[PATHS[tau][2 * t], PATHS[tau][2 * t + 1]],
    r"R(\tau)": lambda tau: reward(0, tau) + GAMMA * reward(1, tau),
    "G_t": lambda t, tau: reward(0, tau) + GAMMA * reward(1, tau) if t == 0 else reward(1, tau),
    r"J(\theta)": objective,
}
PROBABILITY = (
    r"P(\tau;\theta)=\mu(s_0)\prod_{t=0}^{H-1}\pi_\theta(a_t\mid s_t)\,P(s_{t+1}\mid s_t,a_t)"
)
TO_GO = r"""\begin{aligned}
\nabla J
&=\mathbb E_\tau\Bigl[\sum_t\nabla\log\pi_t\,\sum_k\gamma^k r_k\Bigr] && \text{whole return}\\
&=\sum_t\sum_{k\ge t}\gamma^k\,\mathbb E_\tau\bigl[\nabla\log\pi_t\;r_k\bigr] && \text{past}\\
&=\mathbb E_\tau\Bigl[\sum_t\gamma^t\,G_t\,\nabla\log\pi_t\Bigr] && \gamma^k=\gamma^t\gamma^{k-t}
\end{aligned}"""
SOFTMAX_SCORE = (
    r"\frac{\partial\log\pi_\theta(a\mid s)}{\partial\theta_{s',b}}"
    r"=\mathbb 1[s=s']\,\bigl(\mathbb 1[a=b]-\pi_\theta(b\mid s)\bigr)"
)
SCORES = WORLD | {"domains": WORLD["domains"] | {"b": range(2)}}
COUNT = r"\sum_{t=0}^{H-1}\gamma^t=\frac{1-\gamma^H}{1-\gamma}"
SLIPS = [  # (display, environment, what is replaced, by what)
    *((PROBABILITY, WORLD, old, new) for old, new in [
        (r"\mu(s_0)", r"\mu(s_1)"),
        (r"\mu(s_0)", r"\pi(s_0)"),
        (r"\prod", r"\sum"),
        ("t=0", "t=1"),
        ("H-1", "H-2"),
        ("H-1", "H+1"),
        (r"a_t\mid", r"a_{t+1}\mid"),
        (r"\mid s_t)", r"\mid s_{t+1})"),
        ("s_{t+1}", "s_{t-1}"),
        ("s_{t+1}", "s_t"),
        (r"s_{t+1}\mid s_t", r"s_t\mid s_{t+1}"),
        ("P(s_", "Q(s_"),
        (",a_t)", ")"),
        (r"\tau;\theta", r"\theta;\tau"),
    ]),
    *((TO_GO, WORLD, old, new) for old, new in [
        (r"\nabla J", "J"),
        (r"_\tau\Bigl[\sum_t\nabla", r"_\tau\Bigl[\sum_k\nabla"),
        (r"\log\pi_t\,\sum", r"\pi_t\,\sum"),
        (r"\nabla\log\pi_t\,\sum", r"\log\pi_t\,\sum"),
        (r"\gamma^k r_k", r"\gamma^t r_k"),
        (r"\gamma^k r_k", r"\gamma^k r_t"),
        (r"\gamma^k r_k", "r_k"),
        (r"\ge t", "> t"),
        (r"\ge t", r"\le t"),
        (r"k\ge t", r"t\ge k"),
        (r"\gamma^t\,G_t", "G_t"),
        (r"\gamma^t\,G_t", r"\gamma^{t+1}\,G_t"),
        (r"\gamma^t\,G_t", r"\gamma^t\,G_k"),
        (r"\mathbb E_\tau\Bigl[\sum_t\gamma", r"\Bigl[\sum_t\gamma"),
        (r"\mathbb E_\tau\bigl", r"\bigl"),
    ]),
    *((SOFTMAX_SCORE, SCORES, old, new) for old, new in [
        ("s=s'", "s=a"),
        ("s=s'", r"s\neq s'"),
        (r"\,\bigl(", "+("),
        ("a=b", "a=a"),
        (r"-\pi", r"+\pi"),
        (r"(b\mid s)", r"(a\mid s)"),
        (r"(b\mid s)", r"(b\mid s')-s"),
        (r"\log", ""),
        (r"\theta_{s',b}", r"\theta_{b,s'}"),
        (r"\theta_{s',b}", r"\theta_{s',a}"),
    ]),
    *((COUNT, WORLD, old, new) for old, new in [
        ("t=0", "t=1"),
        ("H-1", "H"),
        (r"\gamma^t", r"\gamma t"),
        (r"1-\gamma^H", r"1+\gamma^H"),
        (r"\gamma^H", r"\gamma^{H-1}"),
        (r"{1-\gamma}", r"{\gamma-1}"),
        (r"\frac", r"\binom"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tex", "env"), [(PROBABILITY, WORLD), (TO_GO, WORLD), (SOFTMAX_SCORE, SCORES), (COUNT, WORLD)]
)
def test_these_displays_hold_as_they_stand(tex, env):
    found = evaluate(tex, env)
    assert all(relation.holds and relation.alive for relation in found)


@pytest.mark.parametrize(("tex", "env", "old", "new"), SLIPS)
def test_a_slip_in_a_display_is_noticed(tex, env, old, new):
    assert old in tex
    try:
        found = evaluate(tex.replace(old, new, 1), env)
    except Refused:
        return
    assert not all(relation.holds for relation in found)
