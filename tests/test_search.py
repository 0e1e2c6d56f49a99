"""What the search reads off pages, on small ones; what the index of terms is made of."""

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from lxml import html
from py_mini_racer import MiniRacer

import index_of_terms
import plain_tex
import search

# With a V8 in it, a process is not to be copied any more, as the tests of chapters do.
pytestmark = pytest.mark.site

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"


@pytest.mark.parametrize(
    ("tex", "said"),
    [
        (r"\gamma^t", "γ^t"),
        (r"\frac1m\sum_i g_i", "1/m ∑ˍi gˍi"),
        (r"\nabla_\theta\log\pi_\theta(a\mid s)", "∇ˍθ log πˍθ(a|s)"),
        (r"\operatorname{KL}(\pi_\theta\,\|\,\pi_{\text{ref}})", "KL (πˍθ ‖ πˍref)"),
        (r"\hat g=\bigl[\tfrac{G-1}{G}\bigr]^{2}", "ĝ=[(G-1)/G]^2"),
        (r"P(s'\mid s,a)", "P(s'|s, a)"),
        (r"\begin{aligned} a&=b\\ c&\le d \end{aligned}", "a =b; c ≤ d"),
    ],
)
def test_a_formula_is_said_in_one_line(tex, said):
    found = plain_tex.readable(tex)
    assert unicodedata.normalize("NFC", found) == said


PAGE = """<article><section id="a-title"><h1><span class="section-number">4. </span>A title</h1>
<p>Opening.</p>
<section id="of-it"><span id="id3"></span><span id="claim-it"></span><h2>Of <span class="math"
data-tex="\\gamma^t"><mjx-container>x</mjx-container></span><a class="headerlink">#</a></h2>
<p>Words about <em>it</em>.</p>
<div class="math" id="equation-eq-some-law" data-tex="a=b"><span class="eqno">(4.1)</span></div>
<div class="cell" id="cell-x-3"><div class="cell_input"><span class="n">of_world</span></div>
<div class="pg-check pg-check--ok" data-label="some-law"><span class="pg-mark">v</span>
<span class="pg-verdict">ok</span> <code>some-law</code> <span>runs</span></div>
<div class="pg-check pg-check--caught" data-label="some-law"><span class="pg-verdict">caught</span>
<code>b may be left out</code> <span>off by 10%</span></div></div>
</section></section></article>"""


def test_records_of_a_small_page():
    found = search.records({"x": html.fromstring(PAGE)})["x"]
    rows = {(r.kind, r.anchor): r for r in found}
    assert rows["page", ""].text == "Opening."
    section = rows["section", "claim-it"]
    assert (section.title, section.names, section.code) == ("Of γ^t", ["claim-it"], {"of_world"})
    assert section.text == "Words about it. a=b"
    assert rows["equation", "equation-eq-some-law"].row()[2:5] == [
        "(4.1) some-law",
        "a=b",
        "(4.1)|some-law",
    ]
    claim = rows["claim", "cell-x-3"]
    assert (claim.title, claim.text, claim.names) == (
        "b may be left out",
        "off by 10%",
        ["some-law"],
    )
    assert rows["check", "cell-x-3"].title == "some-law"
    assert len(found) == 5


def test_what_is_found_in_a_small_page():
    racer = MiniRacer()
    racer.eval("var window = globalThis")
    racer.eval(search.data({"x": html.fromstring(PAGE)}))

    def hits(query):
        asked = f"policygradSearch.find({json.dumps(query)}).hits.map(h => h.record.kind)"
        return json.loads(racer.eval(f"JSON.stringify({asked})"))

    assert hits("(4.1)") == ["equation"]
    assert hits("some law")[0] == "equation"
    assert hits("gamma^t") == ["section"]
    assert hits("(4.2)") == hits("nothing") == []
    asked = 'policygradSearch.find("law gamma^t").asked'
    marked = racer.eval(f'JSON.stringify(policygradSearch.marks("the laws of γ^t", {asked}))')
    assert [mark[:2] for mark in json.loads(marked)] == [[4, 8], [12, 15]]


def test_forms_of_a_word_share_a_stem_and_other_words_do_not():
    racer = MiniRacer()
    racer.eval("var window = globalThis")
    racer.eval(search.data({"x": html.fromstring(PAGE)}))
    stem = {}
    alike = [
        "clip clips clipped clipping",
        "normalise normalised normalize normalisation normalization",
        "behaviour behavior behaviours",
        "policy policies",
        "sample samples sampled sampling",
        "loss losses",
        "bias biases biased",
        "estimate estimates estimator estimation estimated",
        "variance variances",
        "collapse collapses collapsed",
    ]
    for line in alike:
        found = {racer.eval(f"policygradSearch.stem({word!r})") for word in line.split()}
        assert len(found) == 1, (line, found)
        stem[line] = found.pop()
    assert len(set(stem.values())) == len(alike)


def test_the_index_has_every_term_and_every_name_in_use():
    listed = re.findall(r"^(\S.*)\n  \S", (BOOK / "glossary.md").read_text("utf-8"), re.M)
    assert [one.name for one in index_of_terms.terms(BOOK)] == listed
    assert len(listed) > 70
    names = {one.name: one for one in index_of_terms.functions(BOOK)}
    assert {"policy_gradient", "runs", "two_state", "gae", "trial"} <= set(names)
    assert names["two_state"].ids == ["world-two_state"]
    assert names["runs"].ids == ["function-runs"]
    assert "probability_shift" not in names  # a figure
    assert {"策略梯度", "感知态"} <= {one.name for one in index_of_terms.chinese(BOOK)}
    assert "Loss zero" in {one.name for one in index_of_terms.symptoms(BOOK)}
    assert any(line.startswith(r"$\gamma$: discount") for line in index_of_terms.letters(BOOK))


def test_a_word_is_counted_in_its_forms_and_the_pages_come_in_their_order():
    counts = Counter({"b": 3, "a": 3, "c": 9, "d": 4, "e": 1})
    assert index_of_terms.most(counts) == ["a", "c", "d"]
    assert index_of_terms.most(Counter({"e": 1})) == []
    assert index_of_terms.used("baseline", BOOK)[0] == "10-baselines"
    assert index_of_terms.used("xylophone", BOOK) == []


def test_other_words_have_a_line_each_and_lead_somewhere():
    found = index_of_terms.others(
        ["PPO, proximal: 12-ppo", "TD(0): TD error", "G: eq-reward-to-go"], BOOK
    )
    assert [one.line for one in found] == [
        "PPO: see [](12-ppo)",
        "proximal: see [](12-ppo)",
        "TD(0): see {term}`TD error`",
        "G: see {eq}`eq-reward-to-go`",
    ]
    with pytest.raises(ValueError, match="word, word: term"):
        index_of_terms.others(["no target"], BOOK)
    text = (BOOK / "index-of-terms.md").read_text("utf-8")
    assert len(re.findall(r"^\S.*: \S.*$", text, re.M)) > 40
