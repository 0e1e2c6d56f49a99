"""Formulas are set when the book is built: smaller than MathJax writes them, and like its own."""

import re
from types import SimpleNamespace

import pytest
from docutils import nodes
from lxml import html

import mathematics
import slim
from test_build import build, tiny

# With a V8 in it, a process is not to be copied any more, as the tests of chapters do.
pytestmark = pytest.mark.site

UNREADABLE = {
    r"\nosuchcommand": r"Undefined control sequence \nosuchcommand",
    r"\frac{1": "Missing close brace",
    "a}": "Extra close brace or missing open brace",
    r"\left( x": r"Extra \left or missing \right",
    r"x \right)": r"Missing \left or extra \right",
    r"\begin{aligned} x": r"Missing \end{aligned}",
    r"x^2^3": "Double exponent",
}


@pytest.mark.parametrize("form", ["chtml", "svg"])
def test_a_formula_that_cannot_be_read_is_refused_in_words(form):
    setter = mathematics.Typesetter(form)
    for tex, says in UNREADABLE.items():
        for display in (False, True):
            with pytest.raises(mathematics.Unreadable) as refused:
                setter.set(tex, display)
            assert says in str(refused.value), tex
            with pytest.raises(mathematics.Unreadable):
                setter.mathml(tex, display)
    assert setter.set("x", False).startswith("<mjx-container")  # and it goes on


def test_a_page_shows_the_source_of_what_cannot_be_read_and_the_build_hears_of_it():
    body = []
    writer = SimpleNamespace(
        body=body, starttag=lambda node, tag, end, CLASS, **a: f'<{tag} data-tex="{a["data-tex"]}">'
    )
    node = nodes.math("", r"\nosuchcommand <", source="a.md", line=3)
    with pytest.raises(nodes.SkipNode):
        mathematics.visit_inline(writer, node)
    assert "".join(body).endswith(r"<code>\nosuchcommand &lt;</code></span>")


def test_a_build_with_a_broken_formula_fails_and_names_page_and_line(tmp_path):
    root = tiny(
        tmp_path,
        a="# A\n\nWords $x$.\n\n$$\n\\frac{1}{2}\n$$\n",
        b="# B\n\nGood $y$, bad $\\nosuchcommand$.\n\n$$\n\\left( x\n$$\n",
    )
    done = build(root)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    named = "\n".join(
        lines[lines.index("The book was not built: each of these warnings counts as an error.") :]
    )
    assert re.search(r"book/b\.md:3: WARNING: formula \\nosuchcommand: Undefined control", named)
    assert re.search(
        r"book/b\.md:5: WARNING: formula \\left\( x: Extra \\left or missing \\right", named
    )
    assert "book/a.md" not in named
    assert not (root / "_build" / "html").exists()


# --- shorter, and the same ------------------------------------------------------------------------

FORMULAS = (
    r"\nabla_\theta J(\theta) = \mathbb{E}_{\tau}\!\left[\sum_{t=0}^{T-1} \gamma^t G_t\right]",
    r"\widehat{A}_t \approx \frac{1}{\sqrt{N}}\underbrace{a+b}_{\text{all of it}}, \qquad x' \in S",
    r"\begin{aligned} a &= b_1^2 \\ c &= \max_a Q(s,a) \end{aligned}",
)


@pytest.fixture(scope="module")
def whole():
    """MathJax without anything left out."""
    setter = mathematics.Typesetter()
    return lambda tex, display: setter._call("set", tex, display)


@pytest.mark.parametrize("tex", FORMULAS)
def test_the_shorter_markup_draws_the_same_signs_and_says_the_same(tex, whole):
    long, short = whole(tex, True), slim.formula(whole(tex, True))
    assert len(short) < 0.8 * len(long)
    assert signs(short) == signs(long)
    assert said(short) == said(long)


def signs(markup: str) -> list[str]:
    """The signs of a formula, in order."""
    return [re.sub("mjx-c", "c", sign) for sign in re.findall(r'<mjx-c class="([^"]*)"', markup)]


def said(markup: str) -> str:
    """What a reader of MathML finds: elements that say something, and their text."""
    tree = html.fromstring(markup).find(".//math")
    return " ".join(
        f"{e.tag}:{e.text or ''}" for e in tree.iter() if e.tag not in ("mstyle", "mrow")
    )
