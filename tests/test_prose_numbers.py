"""No number that looks computed stands in the prose untied; `prose` says what ties it."""

import copy
import re
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest

import claims
import ledger
import prose
import stated
from policygrad import checks
from prose import (
    BOOK,
    NOTEBOOKS,
    NUMBER,
    Evidence,
    evidence,
    numbers,
    stored,
    ties,
    ties_of_cells,
    untied,
)

ROOT = Path(__file__).resolve().parents[1]
MADE = BOOK / "libraries-on-trial.md"  # of the results in peers, see test_peers
PAGES = [*NOTEBOOKS, *sorted({*BOOK.glob("*.md")} - {MADE}), ROOT / "README.md"]

# What neither a cell nor a source can tie: (page, number): its value, and why.
ALLOWED = {
    ("ledger", "0.99"): (checks.POWER, "a page without cells names a constant of the package"),
    ("ledger", "10^9"): (round(1 / ledger.FINE), "and one of the page's own"),
}


def ties_of_page(path):
    if path.suffix == ".md":
        return ties([path.read_text("utf-8")], Evidence())
    return ties_of_cells(stored(path.stem))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_number_of_a_page_that_looks_computed_is_tied(path):
    allowed = {number for page, number in ALLOWED if page == path.stem}
    assert set(untied(ties_of_page(path))) <= allowed


@pytest.mark.parametrize(("entry", "tie"), ALLOWED.items(), ids=lambda x: "-".join(map(str, x)))
def test_an_exception_is_needed_and_has_a_reason_and_the_value_that_it_names(entry, tie):
    (page, number), (value, reason) = entry, tie
    (path,) = (path for path in PAGES if path.stem == page)
    assert number in untied(ties_of_page(path)), f"{entry} is tied, or is gone: take it out"
    assert numbers(number)[0].size == Decimal(repr(value))
    assert reason


# --- the test can fail ---------------------------------------------------------------------------


def chapter(prose, source="x = 0.9", output="J = -11.657", **metadata):
    code = nbformat.v4.new_code_cell(source, metadata=metadata)
    code.outputs = [nbformat.v4.new_output("stream", text=output)]
    return [nbformat.v4.new_markdown_cell(prose), code]


@pytest.mark.parametrize(
    ("prose", "number"),
    [
        ("It earns $J^*=-11.658$.", "11.658"),
        ("It earns 11.65.", "11.65"),
        ("It earns 11.6570.", "11.6570"),
        ("It earns $J^*=+11.657$.", "11.657"),
        ("It earns $-0.9$.", "0.9"),
        ("$$\nJ\\approx-0.984\n$$ (eq-some)", "0.984"),
        ("A share of .984 is left.", ".984"),
        ("It fails in 31% of the runs.", "31%"),
        ("It fails in $31\\,\\%$ of the runs.", "31\\,\\%"),
        ("It fails in 5 per cent of the runs.", "5 per cent"),
        ("It takes 300,000 episodes.", "300,000"),
        ("It takes $300{,}000$ episodes.", "300,000"),
        ("The error is 1e-6.", "1e-6"),
        ("The error is $10^{-9}$.", "10^{-9}"),
        ("The error is $2\\times10^{-7}$.", "2\\times 10^{-7}"),
        ("| what | how much |\n|---|---|\n| a share | 0.25 |", "0.25"),
        ("```{prf:lemma}\n:label: lem-some\nIt earns 0.25.\n```", "0.25"),
        ("```\ncode\n```\nIt earns 0.25.\n```\ncode\n```", "0.25"),
        ("It is said in {cite}`slides`. It earns 0.25.", "0.25"),
        ("Section 3.1 says that it earns 0.25.", "0.25"),
        ("If $p<q$, it earns 0.25, and $q>p$.", "0.25"),
    ],
)
def test_a_number_that_nothing_ties_is_found(prose, number):
    assert untied(ties_of_cells(chapter(prose))) == [number]


@pytest.mark.parametrize(
    ("prose", "source", "output"),
    [
        ("It earns $J^*=-11.657$.", "", "J = -11.657"),
        ("It costs 11.657 steps.", "", "J = -11.657"),
        ("It earns minus 11.657.", "", "J = -11.657"),
        ("It earns $-4.5$.", "", "[-4.50  2.00]"),
        ("$$\nJ\\approx-0.984\n$$ (eq-some)", "", "-0.984"),
        ("It fails in 31% of the runs.", "", "fails: 31%"),
        ("It fails in 31 per cent of the runs.", "", "fails: 0.31"),
        ("It takes $300{,}000$ episodes.", "", "300000 episodes"),
        ("The error is $10^{-9}$.", "", "agree to 1e-9"),
        ("With $\\varepsilon=0.05$ and 2% less.", "epsilon, rtol = 0.05, 0.02", ""),
        ("Draw 300,000 episodes.", "m = 300_000", ""),
        ("Draw $10^9$ episodes.", "m = 10**9", ""),
        ("They give 0.59 {cite}`sutton2018`.", "", ""),
        ("It earns {glue}`the-return:.2f`.", "", ""),
        ("See {eq}`eq-0.5`, `x = 0.5` and [this](https://a.org/0.5).", "", ""),
        ("```python\nx = 0.5\n\ny = 0.5\n```", "", ""),
        ("```{note}\nText.\n```\n\n```\nx = 0.5\n```", "", ""),
        ("Equation 13.2, Example 13.1 and sections 6.5 and 13.3; Python 3.11.", "", ""),
        ("States 0, 1, 2; 64 trajectories; $\\frac12$; 3/16; $8^{10}$; S1.", "", ""),
    ],
)
def test_a_number_that_is_tied_is_let_through(prose, source, output):
    assert untied(ties_of_cells(chapter(prose, source, output))) == []


@pytest.mark.parametrize(
    "source", ['print("J = -11.657")', 'x = 2\nprint(f"J = -11.657 at {x:.3f}")']
)
def test_what_was_typed_into_a_string_is_no_output(source):
    assert untied(ties_of_cells(chapter("It earns $-11.657$.", source))) == ["11.657"]


def test_a_whole_number_in_a_string_is_no_decimal():
    cells = chapter("It is 1.0 long.", 'print(f"at step 1: {x:.1f}")', "at step 1: 1.0")
    assert untied(ties_of_cells(cells)) == []


def test_what_a_string_names_and_the_code_sets_is_an_output_too():
    cells = chapter("", 'x = 0.9\nprint("at 0.9:", x**9)', "at 0.9: 0.387")
    assert [n.text for n in evidence(cells).outputs] == ["0.9", "0.387"]


def test_the_format_of_a_number_is_not_its_digits():
    cells = chapter("A share of 0.3.", 'print(f"{x:.3f} {y:0.3f}")', "0.3 0.300")
    assert untied(ties_of_cells(cells)) == []


def test_captions_alternative_texts_and_comments_are_prose():
    cells = chapter(
        "",
        "x = 1  # 0.1 of it",
        mystnb={"image": {"alt": "A bar at 0.2."}, "figure": {"caption": "It is 0.3."}},
    )
    assert untied(ties_of_cells(cells)) == ["0.1", "0.2", "0.3"]


def test_a_paragraph_has_the_outputs_of_the_chapters_to_which_it_leads(monkeypatch):
    cells = chapter("(s6)=\n## Six\n\n$$\nx\n$$ (eq-some)")
    other, path = chapter("", output="0.25"), BOOK / "99-some-chapter.ipynb"
    stored_as = {path.stem: cells, "index": other}
    monkeypatch.setattr(prose, "NOTEBOOKS", [path, BOOK / "index.ipynb"])
    monkeypatch.setattr(prose, "stored", stored_as.get)
    prose.names_of.cache_clear(), prose.evidence_of.cache_clear()
    for link in ("[](s6)", "{eq}`eq-some`", "[](99-some-chapter)"):
        assert untied(ties([f"It earns $-11.657$, see {link}."], Evidence())) == []
        assert untied(ties([f"See {link}.\n\nIt earns $-11.657$."], Evidence())) == ["11.657"]
        assert untied(ties([f"It earns 0.25, see {link}."], Evidence())) == ["0.25"]
    prose.names_of.cache_clear(), prose.evidence_of.cache_clear()


def with_one_digit_changed(cells, size):
    """A copy in which the number of that size is another one, wherever it is put out."""

    def other(match):
        same = prose._read(match, "").size == size
        return (
            re.sub(r"\d(?=\D*$)", lambda d: str((int(d[0]) + 1) % 10), match[0])
            if same
            else match[0]
        )

    changed = copy.deepcopy(cells)
    for cell in changed:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = NUMBER.sub(other, output.text)
            for kind in output.get("data", {}):
                if kind.startswith("text/"):
                    output.data[kind] = NUMBER.sub(other, output.data[kind])
    return changed


def test_one_digit_of_an_output_of_a_chapter_that_changes_is_noticed():
    tried = 0
    for path in NOTEBOOKS:
        cells = stored(path.stem)
        silent = copy.deepcopy(cells)
        for cell in silent:
            if cell.cell_type == "code":
                cell.outputs = []
        by_output = {n for n, tie in ties_of_cells(cells) if tie == "output"}
        only = [n for n, tie in ties_of_cells(silent) if tie is None and n in by_output]
        for number in only[:2]:  # of each chapter
            changed = with_one_digit_changed(cells, number.size)
            assert number.text in untied(ties_of_cells(changed)), (path.stem, number)
            tried += 1
    assert tried >= 5


# --- what formulas state of numbers --------------------------------------------------------------

STEP = "a step of a derivation; a check of the equation that it leads to tries the outcome"
SCORES = "a mean or a sum that has to be zero; `eq-mean-score` and `eq-past-reward` try its kind"
ELSEWHERE = "the value of a labelled equation, in other words"

# What no kind holds: (page, formula): why.
LISTED = {
    ("01-value-based-failure", r"$4/(1-\delta)^2>0$"): "a square is positive",
    ("a-what-q-learning-learns", "$-2+wx=-4$"): STEP,
    ("a-what-q-learning-learns", "$-1+x>-11$"): STEP,
    ("b-aliasing-and-memory", r"$(2\ell+\delta)+(2q+\delta)=2(q+\ell+\delta)=2$"): (
        "the three probabilities of an action sum to 1"
    ),
    ("02-learning-the-policy", r"$p=q=\tfrac13$"): "where the brackets of `eq-keys-slope` vanish",
    ("c-step-sizes-and-summits", r"$-1<1-8\sqrt2\,\alpha$"): STEP,
    (
        "c-step-sizes-and-summits",
        r"$2J''(x^*)=-8\sqrt2$",
    ): "twice the curvature of `eq-step-factor`",
    ("c-step-sizes-and-summits", r"$x=y=\log3$"): STEP,
    ("c-step-sizes-and-summits", r"$p=q=\tfrac34$"): "the case that is put into `eq-keys`",
    ("c-step-sizes-and-summits", "$p^2-4p+2=0$"): STEP,
    (
        "03-objective-over-trajectories",
        r"$\sum_a\pi_\theta(a\mid s)\sum_{s'}P(s'\mid s,a)=\sum_a\pi_\theta(a\mid s)=1$",
    ): "probabilities sum to 1",
    ("04-log-derivative-trick", r"$P(\tau;\theta)=0$"): "it says which trajectories are meant",
    (
        "04-log-derivative-trick",
        r"$\sum_a\pi_\theta(a\mid s)\,\nabla\log\pi_\theta(a\mid s)=0$",
    ): SCORES,
    (
        "04-log-derivative-trick",
        r"$\sum_{\tau:\,s_0=s}P\,\nabla\log P=\nabla\mu(s)=0$",
    ): SCORES,
    (
        "05-expectation-and-sampling",
        r"$\mathbb E[(g_1-\nabla J)\cdot(g_2-\nabla J)]<0$",
    ): STEP,
    (
        "06-dynamics-drop-out",
        r"$\sum_b(\mathbb 1[a=b]-\pi_\theta(b\mid o))=1-1=0$",
    ): SCORES,
    ("g-real-valued-actions", "$M_0=1$"): "the variance of the start that stands beside it",
    ("08-policy-gradient-theorem", r"$\mathbb E[b(s_t)\,\nabla\log\pi_t]=0$"): SCORES,
    (
        "08-policy-gradient-theorem",
        r"$\mathbb E[\nabla\log\pi_t\,\nabla\log\pi_k^{\!\top}]=0$",
    ): SCORES,
    ("09-reinforce", "$J^*=-4.5$"): ELSEWHERE,
    ("i-noise-at-the-top", "$G_0-G_1=r_0>0$"): STEP,
    ("15-slips-in-derivations", r"$\hat g=\frac14$"): STEP,
    ("15-slips-in-derivations", r"$\hat g<0$"): STEP,
    ("16-slips-in-code", "$p-p=0$"): "a difference of equals",
    ("15-slips-in-derivations", "$J''=6>0$"): STEP,
    (
        "14-grpo",
        r"$J'=\frac12\bigl(p_1(1-p_1)-2\,p_2(1-p_2)\bigr)"
        r"=\frac12\bigl(\frac14-\frac9{50}\bigr)$",
    ): STEP,
    ("e-how-far-an-estimate-strays", r"$\mathbb E[\hat g-\mathbb E\hat g]=0$"): STEP,
    ("e-how-far-an-estimate-strays", r"$g(\tau)=0$"): STEP,
    (
        "h-when-the-trick-needs-care",
        r"$\pi_0=(\tfrac13,\tfrac23)$",
    ): "the reference that a cell sets",
    ("how-checks-work", r"$\Phi(z_{99})=0.99$"): "it says which quantile is meant",
}
PAGES_OF_BOOK = claims.book()


def listed(page):
    return {formula for name, formula in LISTED if name == page}


@pytest.mark.parametrize("page", PAGES_OF_BOOK)
def test_what_a_formula_states_of_a_number_is_held_or_listed_with_a_reason(page):
    assert set(stated.unheld(PAGES_OF_BOOK[page])) == listed(page)


def test_the_list_names_pages_of_the_book_and_gives_reasons():
    assert {page for page, _ in LISTED} <= set(PAGES_OF_BOOK)
    assert all(LISTED.values())


def kinds(text, source="gamma, m = 0.9, 20", output="J = -11.657\ncaught  J = 5", **metadata):
    """How each relation of a text is held, in a chapter with such a cell."""
    cells = chapter(text, source, output, **metadata)
    shown, lines = evidence(cells), tuple(output.splitlines())
    return [
        stated.held(one, shown, lines)
        for formula in stated.formulas(cells)
        for one in stated.stated(formula)
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("In all $2+2+3=7$, $0.1<\\tfrac12$, $\\sqrt2\\approx1.41$.", "arithmetic"),
        ("Since $0<q<1$ and $\\frac12=J(p)$.", "displayed"),
        ("With $\\gamma=0.9$, $m=20$, $p\\ge0$ and $t=0,1,2$; $H\\to\\infty$.", "case"),
        ("If $J(p)=3$, for $\\hat g<2$, where $V_0=7$.", "condition"),
        ("It earns $J=-11.657$, and $J^*\\approx-11.657$ at best.", "printed"),
        ("It earns J = -11.657.", "printed"),
        ("With γ = 0.9 and m ≤ 20.", "case"),
    ],
)
def test_what_is_stated_is_held_by_its_kind(text, kind, monkeypatch):
    shown = (tuple(r"\frac 1 2".split()), "=", tuple("J(p)"))
    shown = {shown, (("0",), "<", ("q",)), (("q",), "<", ("1",))}
    monkeypatch.setattr(stated, "displayed", lambda: shown)
    assert set(kinds(text)) == {kind}


@pytest.mark.parametrize(
    "text",
    [
        "It earns $J=17$.",
        "It earns $J(\\tfrac12)=-4$.",
        "It earns J = 17.",
        "It earns $J=11.657$.",
        "It earns $J=5$.",
        "It earns $J<-11.657$.",
        "It earns **$J=17$** and no more.",
        "## It earns $J=17$",
        ":::{admonition} It earns $J=17$\n:class: tip\n\nText.\n:::",
        ":::{exercise}\n:label: ex-some\n\n- It earns $J=17$.\n:::",
        "| how | much |\n|---|---|\n| it earns | $J=17$ |",
        "Text.[^1]\n\n[^1]: It earns $J=17$.",
        "> It earns $17=J$.",
        "It earns $J\\equiv17$, or $J:=17$.",
        "It earns $J\\leq17$.",
        "It is $2+2=5$.",
        "It is $2+2\\approx5$.",
        "It is $\\sqrt2\\approx1.42$.",
        "It ends: $J\\to17$.",
        "It takes $J=17\\text{ steps}$.",
        "It takes $J=17;$ no more.",
        "It takes $J=17{,}000$.",
        "It takes $J=1.7\\times10^1$.",
        "It takes $J=\\mathbf{17}$, or $J=17\\pm1$.",
        "It takes $J\\sim17$.",
        "With $\\gamma=0.7$.",
        "It never stops: $J=-\\infty$.",
        "So $0<J\\le17$.",
        "So $\\nabla J(\\theta)=0$ everywhere.",
    ],
)
def test_what_is_stated_and_not_held_is_found(text):
    assert None in kinds(text)


@pytest.mark.parametrize(
    "tex", ["{J=17}", "J\\mathrel{\\sim}17", "\\boxed{J=17}", "\\text{J=17}", "\\mathrm{J=17}"]
)
def test_a_relation_in_braces_or_in_words_is_found(tex):
    assert "(a relation in" in stated.unheld(chapter(f"It earns ${tex}$."))[0]
    assert stated.unheld(chapter(r"It earns $x_{J=17}^{t=3}+\sum_{t=2}^{4}t$.")) == []


def test_a_caption_an_alternative_text_and_a_comment_state_something_too():
    for said in ({"figure": {"caption": "It is $J=17$."}}, {"image": {"alt": "It is J = 17."}}):
        assert kinds("", mystnb=said) == [None]
    assert None in kinds("", "x = 1  # J = 17")
    assert None in kinds("", "print('J = 17')")
    assert kinds("", "with refuted('J = 17'):\n    close('a', 1, 2, where='J = 17')") == []
