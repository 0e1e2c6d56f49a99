"""Markup that looks, reads and copies as before, and is half as long.

A formula is a box for each sign inside a box for each letter or operator; beside it stands MathML,
which is heard and not seen. Code is a span for each word, also where that looks like all text. What
no stylesheet and no reader asks for goes. Rules are by the text of the markup, which MathJax and
Pygments write in one form only.
"""

from __future__ import annotations

import re

CONTAINER = re.compile(
    r'(<mjx-container) class="MathJax" jax="CHTML"([^>]*?) style="position: relative;"'
)
# A family of fonts goes with the element, which is always of that class.
FAMILY = re.compile(r'(<mjx-math[^>]*?) class=" MJX-TEX"')
# A letter, number or operator of one sign, and the attributes of its box that are drawn.
LEAF = re.compile(
    r'<(mjx-m[ion]|mjx-mtext)((?: [\w-]+="[^"]*")*)><mjx-c class="([^"]*)"></mjx-c></\1>'
)
DRAWN = re.compile(r' (?:size|r?space|style)="[^"]*"')
NO_RULE = re.compile(r' (?:texclass="\w+"|class="mjx-(?:i|n|b|bi|lop|sop|var|s\d)")')
SPACE = re.compile(r"<mjx-mstyle>(<mjx-mspace [^>]*></mjx-mspace>)</mjx-mstyle>")
SIGN = re.compile(r"\bmjx-c(?=[0-9A-F])")
# Of MathML that is heard only: what concerns its look.
SPOKEN = re.compile(r"<mjx-assistive-mml.*", re.DOTALL)
LOOK = re.compile(
    r" (?:unselectable|data-mjx-[\w-]+|stretchy|minsize|maxsize|rowspacing|columnspacing"
    r'|xmlns|columnalign|displaystyle|scriptlevel|linethickness|movablelimits)="[^"]*"'
)
MSTYLE = re.compile(r"<mstyle>(<mspace [^>]*></mspace>)</mstyle>")
LONG_NAME, NAME_OF_MML = "mjx-assistive-mml", "mjx-mml"
# Beside MathJax's own rules: what was said at each formula, and how a sign stands without its box.
RULES = """
mjx-container { position: relative; }
mjx-c { text-align: left; }
"""


def formula(markup: str) -> str:
    """The elements of a formula as MathJax sets it, shorter."""
    drawn, spoken, rest = markup.partition("<mjx-assistive-mml")
    drawn = LEAF.sub(
        lambda m: f'<mjx-c class="{m[3]}"{"".join(DRAWN.findall(m[2]))}></mjx-c>', drawn
    )
    spoken += rest.replace(' display="inline"', "", 1)
    drawn = FAMILY.sub(r"\1", CONTAINER.sub(r"\1\2", drawn))
    drawn = SPACE.sub(r"\1", NO_RULE.sub("", drawn))
    spoken = MSTYLE.sub(r"\1", LOOK.sub("", spoken)).replace(LONG_NAME, NAME_OF_MML)
    return SIGN.sub("c", drawn) + spoken


def styles(css: str) -> str:
    """The stylesheet of formulas for the shorter markup."""
    css = (
        css.replace(".MJX-TEX {", "mjx-math {")
        .replace('[jax="CHTML"]', "")
        .replace(LONG_NAME, NAME_OF_MML)
    )
    return SIGN.sub("c", css) + RULES


# --- code -----------------------------------------------------------------------------------------

PRE = re.compile(r"<pre>(?=<span></span>).*?</pre>", re.DOTALL)
WORD = re.compile(r'<span class="(\w+)">([^<]*)</span>')
NEIGHBOURS = re.compile(r'<span class="(\w+)">([^<]*)</span>(\s*)<span class="\1">')
# Classes that no rule and no script asks for.
WORDS = (
    ('class="reference internal"', 'class="reference"'),
    ('class="math notranslate nohighlight"', 'class="math notranslate"'),
    ('<span class="doc std std-doc">', "<span>"),
    ('<span class="std std-ref">', "<span>"),
    ('<span class="std std-term">', "<span>"),
)
INLINE = re.compile(r'<code class="docutils literal notranslate">(.*?)</code>', re.DOTALL)
SPAN = re.compile(r'</?span(?: class="pre")?>')
COLOUR = re.compile(r'html\[data-theme="(\w+)"\] \.highlight (?:\.(\w+) )?\{([^}]*)\}')


def plain(css: str) -> frozenset[str]:
    """The kinds of words that Pygments' stylesheet draws like all text, in each scheme."""
    looks = {}
    for scheme, kind, rule in COLOUR.findall(css):
        looks.setdefault(scheme, {})[kind] = re.sub(r"background[^;]*;|\s|;$", "", rule)
    kinds = {kind for look in looks.values() for kind in look if kind}
    return frozenset(
        kind for kind in kinds if all(x.get(kind, x[""]) == x[""] for x in looks.values())
    )


def code(text: str, plain: frozenset[str]) -> str:
    """A page whose code has no span for a word that looks like all text, nor two for one look.

    Code within a line has none for each of its words: it does not break between two letters anyway.
    """

    def shorter(pre: re.Match) -> str:
        inner = WORD.sub(lambda m: m[2] if m[1] in plain or not m[2].strip() else m[0], pre[0])
        while (joined := NEIGHBOURS.sub(r'<span class="\1">\2\3', inner)) != inner:
            inner = joined
        return inner

    for said, heard in WORDS:
        text = text.replace(said, heard)
    text = INLINE.sub(lambda m: f'<code class="literal">{SPAN.sub("", m[1])}</code>', text)
    return PRE.sub(shorter, text)


# --- pictures -------------------------------------------------------------------------------------

METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
PATH = re.compile(r'(?<= d=")[^"]*|(?<=translate\()[^)]*')
LONG = re.compile(r"-?\d+\.\d{3,}")
INDENT = re.compile(r">\s*\n\s*<")
NAME = re.compile(r' id="([^"]*)"')
ASKED = re.compile(r"#([\w.-]+)")
STYLE = re.compile(r'(?<= style=")[^"]*')


def drawing(svg: str) -> str:
    """A picture of matplotlib's with its paths to a hundredth of a point, and no word on itself."""

    def rounded(number: re.Match) -> str:
        return f"{round(float(number[0]), 2) + 0.0:.2f}".rstrip("0").rstrip(".")

    def path(data: re.Match) -> str:
        return " ".join(LONG.sub(rounded, data[0]).split())

    asked = set(ASKED.findall(svg))
    svg = NAME.sub(lambda name: name[0] if name[1] in asked else "", METADATA.sub("", svg))
    svg = STYLE.sub(lambda rules: re.sub(r"([:;]) ", r"\1", rules[0]), svg)
    return INDENT.sub(">\n<", PATH.sub(path, svg))
