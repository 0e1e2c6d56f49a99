r"""Nothing that is stated in a formula gets in unchecked.

Displays have one spelling and a label; definitions define; each display is executed as it is
typeset, or a person has compared it with its check.  What the formulas in a line state of numbers
is judged in ``test_prose_numbers``, and with it here, where all ways in are tried.
"""

import copy
import json
from collections import Counter

import nbformat
import pytest

import claims
import defined
import ledger
import pictures
import stated
from claims import Display
from policygrad import figures
from policygrad.formulas import display
from reading import read
from test_prose_numbers import LISTED

BOOK = claims.book()
DISPLAYS = claims.displays(BOOK)

# Symbols that a definition takes up again: (label, symbol): why.
AGAIN = {
    ("def-return", "G_index"): "the start page has it in one display, before the book begins",
    ("def-action-value", "J"): "the start page has it in one display, before the book begins",
    ("def-visits", "n"): "a number of visits, where other pages count something else",
    ("def-visits", "w"): "a share of visits, where chapters 12 and 13 have ratios",
    ("def-softmax", r"\pi_\theta"): "the start page has it in one display, before the book begins",
    ("def-objective", "R"): "the start page has it in one display, before the book begins",
    ("def-objective", "J"): "the expected return of chapter 1, as a function of theta",
    ("def-gradient-ascent", r"\theta_index"): "the iterates",
    ("def-trajectory", "R"): "the return, now with the horizon as the end of its sum",
    ("def-policy-chain", r"P_\pi"): "an appendix spells out the chain that chapter 8 steps through",
    ("def-policy-chain", r"r_\pi"): "an appendix spells out the rewards of that chain",
    ("def-group-advantage", "A_index"): "that of an answer in its group, not that of an action",
    ("def-update", r"\theta_index"): "the iterates of the ascent on estimates",
    ("def-t-squared", "C"): "the covariance of vectors, where def-z-score has that of numbers",
    ("def-shift", r"\delta"): "another delta than that of the noise floor",
    ("def-group-advantage", r"\bar R"): "the mean of a group, where chapter 10 has that of a batch",
    ("def-trust-region", "D"): "how far two policies are apart; in chapter 1 D is a chance",
    ("def-clipped", "c"): "what one sample adds to a surrogate; in chapter 8 c is of states",
    ("def-critic-loss", "L_index"): "the losses of a critic, where chapter 9 has one for each step",
    ("def-z-score", "C"): "the covariance of numbers, where chapter 12 has the constant of a bound",
    ("def-kl-estimates", "k_index"): "three estimates, told apart by their index",
}


def untied(pages, read=None):
    """Displays that are neither executed nor read."""
    read, executed = claims.readings_by_person() if read is None else read, claims.executed(pages)
    return {x.label for x in claims.displays(pages) if x.name not in executed} - read


def complaints(pages, changed=()):
    """Everything that the gate refuses; what is stated in a line is looked for in some pages."""
    listed = {formula for _, formula in LISTED}
    loose = untied(pages)
    return [
        *claims.faults(pages),
        *defined.claimed(claims.displays(pages), AGAIN),
        *(f"{label} is neither executed nor read" for label in sorted(loose)),
        *(x for name in changed for x in pictures.complaints(pictures.pictures(pages[name]))),
        *(f"{x} is not held" for name in changed for x in set(stated.unheld(pages[name])) - listed),
    ]


# --- the book ------------------------------------------------------------------------------------


def test_every_display_has_a_label_and_the_one_spelling():
    assert len(DISPLAYS) > 120
    assert claims.faults(BOOK) == []


def test_every_page_of_the_contents_is_read_in_its_order():
    here = {path.stem for path in claims.BOOK.iterdir() if path.suffix in (".ipynb", ".md")}
    assert set(BOOK) == here
    assert next(iter(BOOK)) == "index"
    nested = {"parts": [{"chapters": [{"file": "a", "sections": [{"file": "b"}]}, {"file": "c"}]}]}
    assert list(claims._files(nested)) == ["a", "b", "c"]


def test_a_definition_only_defines():
    assert defined.claimed(DISPLAYS, AGAIN) == []
    assert all(AGAIN.values())


def test_the_label_reader_finds_every_display_and_reads_the_same():
    for one in DISPLAYS:
        assert display(one.label) == display(one.name) == one.tex


def test_the_ledger_finds_the_labels_that_the_parser_finds():
    found = [
        f"{kind}-{name}"
        for cells in BOOK.values()
        for kind in ("eq", "def")
        for name in ledger.labels(nbformat.v4.new_notebook(cells=cells), kind)
    ]
    assert sorted(found) == sorted(one.label for one in DISPLAYS)


def test_every_display_is_executed_or_read():
    assert untied(BOOK) == set(), "neither executed by `runs` nor read, says the ledger"


def test_a_display_that_a_person_read_is_as_it_was_then():
    stored = json.loads(claims.READ.read_text("utf-8"))
    assert claims.altered(DISPLAYS, claims.readings_by_person(), stored) == []


# --- ties ----------------------------------------------------------------------------------------


def shown(kind, data, **metadata):
    """A code cell that displays something."""
    cell = nbformat.v4.new_code_cell("x")
    cell.outputs = [nbformat.v4.new_output("display_data", {kind: data}, metadata=metadata)]
    return cell


MOVES = figures.draggable(
    [], {"Here J = 17.": [], "There.": []}, alt="one two " * 6, name="x"
)._repr_html_()


def ran(label, **changes):
    """A cell with the record of a run."""
    record = {"kind": "runs", "label": label, "claim": None, "passed": True} | changes
    return shown("text/plain", "ok", policygrad=record)


def test_only_a_run_that_passed_and_is_no_control_executes_a_display():
    text = nbformat.v4.new_markdown_cell("$$\na=b\n$$ (eq-some)\n\n$$\nc=d\n$$ (def-other)")
    assert untied({"x": [text]}, set()) == {"eq-some", "def-other"}
    assert untied({"x": [text, ran("some")]}, set()) == {"def-other"}
    assert untied({"x": [text], "y": [ran("other")]}, set()) == {"eq-some"}
    assert untied({"x": [text, ran("eq-some")]}, {"def-other"}) == set()
    for change in ({"kind": "close"}, {"claim": "a is c"}, {"passed": False}):
        assert untied({"x": [text, ran("some", **change)]}, {"def-other"}) == {"eq-some"}


def test_a_fingerprint_changes_with_a_token_and_not_with_a_space():
    same = {claims.fingerprint(tex) for tex in (r"a=\frac12 b", r"a = \tfrac 1 2\,b")}
    assert len(same) == 1
    (first,) = same
    assert len(first) == 12 and int(first, 16) >= 0
    for tex in (r"a=\frac13 b", r"a=\frac12 B", r"a=-\frac12 b", r"a=\frac12 b+0"):
        assert claims.fingerprint(tex) != first


def test_a_display_that_is_altered_after_it_was_read_is_named_with_what_to_do():
    one, changed = Display("x", "eq-some", "a=b"), Display("x", "eq-some", "a=-b")
    stored = {"eq-some": claims.fingerprint("a=b")}
    assert claims.altered([one], {"eq-some"}, stored) == []
    (message,) = claims.altered([changed], {"eq-some"}, stored)
    assert message == (
        "eq-some was altered since a person compared it with its check; compare again and run "
        "`python tests/claims.py --read eq-some`"
    )
    assert "is not on record since" in claims.altered([one], {"eq-some"}, {})[0]
    assert "the ledger does not say" in claims.altered([one], set(), stored)[0]
    assert claims.altered([], {"eq-some"}, {}) == ["eq-some is read, and is no display"]


def test_reading_a_display_writes_down_its_fingerprint(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(claims, "READ", tmp_path / "read.json")
    monkeypatch.setattr(claims, "readings_by_person", lambda: {"def-return"})
    claims.READ.write_text('{"eq-gone": "0"}')
    assert claims.main("--read", "def-return") == 0
    (one,) = (one for one in DISPLAYS if one.label == "def-return")
    assert json.loads(claims.READ.read_text()) == {"def-return": claims.fingerprint(one.tex)}
    assert one.tex in capsys.readouterr().out
    for label, why in (("eq-bellman", "the ledger has no"), ("eq-none", "no display bears it")):
        with pytest.raises(SystemExit, match=why):
            claims.main("--read", label)
    with pytest.raises(SystemExit, match=r"python tests/claims\.py --read LABEL"):
        claims.main("eq-bellman")


def test_a_reading_is_read_off_the_ledger(tmp_path, monkeypatch):
    text = (
        ":::{ledger} x\nsome: It is. | read: why\nother: It is.\ndef-new: It is. | read: why\n:::\n"
    )
    (tmp_path / "ledger.md").write_text(text, encoding="utf-8")
    monkeypatch.setattr(claims, "BOOK", tmp_path)
    assert claims.readings_by_person() == {"eq-some", "def-new"}


# --- all ways in ---------------------------------------------------------------------------------

FALSE = r"\nabla J(\theta)=0"
WAYS = {
    "a definition that claims": (f"$$\n{FALSE}\n$$ (def-flat)", "expression on its left"),
    "a definition that redefines": ("$$\nJ(\\theta)=17\n$$ (def-flat)", "defines J, which"),
    "an equation without a check": (f"$$\n{FALSE}\n$$ (eq-flat)", "eq-flat is neither executed"),
    "a display without a label": (f"$$\n{FALSE}\n$$", "without a label"),
    "a label of another kind": (f"$$\n{FALSE}\n$$ (thm-flat)", "neither eq- nor def-"),
    "a display on one line": (f"$$ {FALSE} $$ (eq-flat)", "in another form"),
    "dollars in a sentence": (f"So $$ {FALSE} $$ holds.", "a dollar sign that sets no formula"),
    "a display inside a paragraph": (f"So\n$$\n{FALSE}\n$$ (eq-flat)\nholds.", "a dollar sign"),
    "in a list": (f"- So\n\n  $$\n  {FALSE}\n  $$ (eq-flat)", "in another form"),
    "in a quotation": (f"> $$\n> {FALSE}\n> $$ (eq-flat)", "in another form"),
    "in a footnote": (f"So.[^1]\n\n[^1]: $${FALSE}$$", "without a label"),
    "in a term's explanation": (f"Term\n: $${FALSE}$$", "without a label"),
    "in a cell of a table": (f"| so |\n|---|\n| $${FALSE}$$ |", "a dollar sign"),
    "in an admonition": (f":::{{note}}\n$$\n{FALSE}\n$$\n:::", "without a label"),
    "in the title of an admonition": (
        f":::{{admonition}} $${FALSE}$$\nSo.\n:::",
        "without a label",
    ),
    "in an exercise in a list": (
        f"- So\n\n  :::{{exercise}}\n  $$\n  {FALSE}\n  $$ (eq-flat)\n  :::",
        "a display that the ledger does not find",
    ),
    "a fenced directive": (f"```{{math}}\n:label: eq-flat\n{FALSE}\n```", "the directive {math}"),
    "tildes": (f"~~~{{math}}\n{FALSE}\n~~~", "the directive {math}"),
    "colons": (f":::{{math}}\n{FALSE}\n:::", "the directive {math}"),
    "a fence of GitHub's": (f"```math\n{FALSE}\n```", "a fence that sets a formula"),
    "nested fences": (f"````{{note}}\n```{{math}}\n{FALSE}\n```\n````", "the directive {math}"),
    "an environment": (f"\\begin{{equation}}\n{FALSE}\n\\end{{equation}}", "in another form"),
    "an environment with a label": (
        f"\\begin{{align}}\n{FALSE}\\label{{eq-flat}}\n\\end{{align}}",
        "in another form",
    ),
    "escaped brackets": (f"\\\\[ {FALSE} \\\\]", "sets a formula in some readers"),
    "brackets": (f"\\[ {FALSE} \\]", "sets a formula in some readers"),
    "escaped parentheses": ("So \\\\( J=17 \\\\).", "sets a formula in some readers"),
    "HTML": (f"<div>$${FALSE}$$</div>", "html block is not read"),
    "HTML in a line": ("So <b>J</b> <math>J=17</math>.", "raw HTML is not read"),
    "HTML without a formula": ("<p>The gradient is zero.</p>", "html block is not read"),
    "reStructuredText": (f"```{{eval-rst}}\n.. math:: {FALSE}\n```", "the directive {eval-rst}"),
    "raw output": (f"```{{raw}} html\n\\[{FALSE}\\]\n```", "the directive {raw} is not read"),
    "another file": ("```{include} ../README.md\n```", "the directive {include} is not read"),
    "a picture of a formula": ("![J=17](flat.svg)", "a picture that no cell draws"),
    "a substitution": ("---\nmyst:\n  substitutions:\n    x: $J=17$\n---\n{{ x }}", "front matter"),
    "a name that is substituted": ("So {{ x }}.", "substitution inline is not read"),
    "a role": ("So {math}`J=17`.", "the role {math} is not read"),
    "code by indentation": (f"So\n\n    $$\n    {FALSE}\n    $$ (eq-flat)", "shown as code"),
    "code in a fence": (f"```text\n$$\n{FALSE}\n$$ (eq-flat)\n```", "a formula in a block of code"),
    "a comment": (f"% $$ {FALSE} $$ (eq-flat)", "shown as code, or not at all"),
    "a label that TeX sets": (f"$$\n{FALSE}\\label{{a}}\n$$ (eq-flat)", r"\label in a display"),
    "a tag that TeX sets": (f"$$\n{FALSE}\\tag{{a}}\n$$ (eq-flat)", r"\tag in a display"),
    "a reason without a column": ("$$\na=b && \\text{so}\n$$ (eq-flat)", "& in a display"),
    "a comment of TeX's": (f"$$\na=b %c\n{FALSE}\n$$ (eq-flat)", "% in a display"),
    "a label twice": ("$$\nG_t=0\n$$ (eq-return)", "return labels 2 displays"),
    "options between dashes": (
        f"```{{admonition}} So\n---\nclass: tip\n---\n$${FALSE}$$\n```",
        "options between dashes",
    ),
    "a number in a line": ("So $J=17$.", "$J=17$ is not held"),
    "a value in a line": (r"So $J(\tfrac12)=-4$.", r"$J(\tfrac12)=-4$ is not held"),
    "a number in a heading": ("## So $J=17$", "$J=17$ is not held"),
    "a number in a table": ("| so |\n|---|\n| $J=17$ |", "$J=17$ is not held"),
    "a number in a title": (":::{admonition} $J=17$\nSo.\n:::", "$J=17$ is not held"),
    "a number without dollars": ("So J = 17, at last.", "$J= 17$ is not held"),
    "a formula, and a number beside it": ("So $J$ = 17, at last.", "$J= 17$ is not held"),
    "a name, and a number in a formula": ("So J = $17$, at last.", "$J= 17$ is not held"),
    "a name, and a fraction": (r"So J = $\tfrac12$.", r"$J= \tfrac12$ is not held"),
    "a name that is emphasised": ("So *J* = 17, at last.", "$J= 17$ is not held"),
    "signs that HTML spells": ("So J&nbsp;&equals;&nbsp;17.", "$J= 17$ is not held"),
    "a number set as code": ("So `J = 17`, at last.", "$J= 17$ is not held"),
    "a number in braces": ("So ${J=17}$.", "a relation in braces"),
    "a number in a link": ("So [$J=17$](notation).", "$J=17$ is not held"),
}


def with_cell(page, cell):
    """The book with one more cell at the end of a page."""
    return BOOK | {page: [*BOOK[page], cell]}


@pytest.mark.parametrize("way", WAYS)
def test_a_false_claim_is_refused_whatever_way_it_comes(way):
    source, says = WAYS[way]
    page = "08-policy-gradient-theorem" if "is not held" in says else "glossary"
    pages = with_cell(page, nbformat.v4.new_markdown_cell(source))
    found = "\n".join(complaints(pages, [page]))
    assert says in found


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (shown("text/markdown", f"$$\n{FALSE}\n$$ (eq-flat)"), "a cell shows eq-flat"),
        (shown("text/markdown", f"$${FALSE}$$"), "without a label"),
        (shown("text/markdown", "So $J=17$."), "$J=17$ is not held"),
        (shown("text/latex", f"${FALSE}$"), "a cell shows a formula that states something"),
        (shown("text/latex", f"$\\displaystyle {FALSE}$"), "a formula that states something"),
        (shown("text/latex", r"$\displaystyle J\leq 17$"), "a formula that states something"),
        (shown("text/latex", r"\begin{equation}J\end{equation}"), "that states something"),
        (shown("image/svg+xml", "<svg><!-- $J=17$ --></svg>"), "$J=17$ is not held"),
        (shown("image/svg+xml", "<svg><!-- J = 17 --></svg>"), "$J= 17$ is not held"),
        (nbformat.v4.new_code_cell('print("J = 17")'), "$J= 17$ is not held"),
        (nbformat.v4.new_code_cell("x = 1  # where J = 17"), "$J= 17$ is not held"),
        (nbformat.v4.new_raw_cell("The gradient is zero."), "a raw cell is not read"),
        (shown("text/html", "<b>The gradient is zero.</b>"), "a cell shows HTML"),
        (shown("text/html", MOVES.replace("</svg>", "</svg>No.")), "a cell shows HTML"),
        (shown("text/html", MOVES), "$J= 17$ is not held"),
    ],
)
def test_a_false_claim_that_a_cell_shows_is_refused(cell, says):
    page = "08-policy-gradient-theorem"
    assert says in "\n".join(complaints(with_cell(page, cell), [page]))


@pytest.mark.parametrize(
    ("field", "said", "says"),
    [
        ("alt", " There J = 17.", "$J= 17$ is not held"),
        ("caption", " There J = 17.", "$J= 17$ is not held"),
        ("caption", r" There $J(\tfrac12)=-4$.", r"$J(\tfrac12)=-4$ is not held"),
        ("caption", f" There $${FALSE}$$.", "a dollar sign that sets no formula"),
        ("caption", " It rises by 17.", "17 stands neither in the picture nor in an output"),
        ("alt", " The purple curve is flat.", "no curve in the picture is purple"),
    ],
)
def test_a_false_claim_in_a_caption_or_an_alternative_text_is_refused(field, said, says):
    page = "08-policy-gradient-theorem"
    cells = copy.deepcopy(BOOK[page])
    about = next(cell.metadata.mystnb for cell in cells if "mystnb" in cell.metadata)
    about["image" if field == "alt" else "figure"][field] += said
    assert says in "\n".join(complaints(BOOK | {page: cells}, [page]))


def test_one_label_in_two_chapters_is_refused():
    first, second = (copy.copy(BOOK[page]) for page in ("03-objective-over-trajectories", "index"))
    cell = nbformat.v4.new_markdown_cell("$$\na=b\n$$ (eq-twice)")
    other = nbformat.v4.new_markdown_cell("$$\na=c\n$$ (def-twice)")
    pages = BOOK | {"03-objective-over-trajectories": [*first, cell], "index": [*second, other]}
    assert "twice labels 2 displays" in complaints(pages)


def test_the_book_as_it_is_is_let_through():
    assert complaints(BOOK, BOOK) == []


def test_what_is_no_claim_is_let_through():
    for source in (
        "It costs \\$5, and `$x` is a name of the shell.",
        "```python\nx = 1\n```",
        ":::{note} A title with $x$\n:class: tip\n\nText with $t=0,1,2$ and $\\gamma=1$.\n:::",
        "See {eq}`eq-bellman` and {cite}`slides`, [here](notation).",
        "$$\nf=g\n$$ (eq-some)",
    ):
        assert Counter(read(source).faults) == Counter(), source
