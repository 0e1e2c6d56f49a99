"""What a page is about, in one or two plain sentences, for whoever has not opened it yet.

A summary is read off the page: from the question in its contract, else from its first paragraphs.
Where a search engine or a message shows it no formula can be set, so a formula is spelled with
letters where that reads well, as γᵗ; a sentence with one that cannot is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes

LEAST, ENOUGH, MOST = 50, 110, 160  # characters: a search engine shows no more
GREEK = dict(
    zip(
        "alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi pi rho "
        "sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Sigma Phi Psi Omega".split(),
        "αβγδεεζηθκλμνξπρστφφχψωΓΔΘΛΣΦΨΩ",
        strict=True,
    )
)
WORDS = {"log": "log ", "sum": "Σ", "mid": "|", "to": "→", "le": "≤", "ge": "≥"}
SUBSCRIPTS = dict(zip("0123456789aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
SUPERSCRIPTS = dict(zip("0123456789aehijklmnoprstT", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵉʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵀ", strict=True))
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-ZΑ-Ωα-ω“\"0-9])")
CITED = re.compile(r"\s*\[[^\]]*\]")
UNSAID = "\N{REPLACEMENT CHARACTER}"  # a formula that letters cannot spell


def spelled(tex: str) -> str:
    r"""Spell a formula with letters, or say that it cannot be done.

    >>> spelled(r"\gamma^t G_t"), spelled(r"\nabla_\theta J(\theta)")
    ('γᵗ Gₜ', '∇J(θ)')
    """
    text = re.sub(r"\\nabla(_(\\theta|\{\\theta\}))? *", "∇", tex)
    text = re.sub(r"\\([,;:!]| )", " ", text).replace("-", "−")
    text = re.sub(r"\\([A-Za-z]+) ?", lambda m: (GREEK | WORDS).get(m[1], UNSAID), text)
    for sign, table in (("_", SUBSCRIPTS), ("^", SUPERSCRIPTS)):
        text = re.sub(rf"\{sign}(.)", lambda m, t=table: t.get(m[1], UNSAID), text)
    return UNSAID if re.search(rf"[\\{{}}_^&{UNSAID}]", text) else " ".join(text.split())


def said(node: nodes.Node) -> str:
    """The words of a paragraph, with its formulas spelled."""
    if isinstance(node, nodes.math):
        return spelled(node.astext())
    if isinstance(node, (nodes.footnote_reference, nodes.raw, nodes.comment)):
        return ""
    if isinstance(node, nodes.Text):
        return node.astext()
    words = "".join(map(said, node.children))
    to_a_page = isinstance(node, nodes.reference) and node.get("refuri", "#").endswith(".html")
    return f"“{words}”" if to_a_page else words


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph that can be said in letters."""
    found = SENTENCE.split(" ".join(CITED.sub("", text).split()))
    return [sentence for sentence in found if sentence and UNSAID not in sentence]


def paragraphs(doctree: nodes.document) -> Iterator[str]:
    """The words that may say what a page is about, the best first."""
    body = [p for p in doctree.findall(nodes.paragraph) if not isinstance(p.parent, nodes.entry)]
    inside = [p for p in body if "contract" in _classes(p.parent)]
    for paragraph in (p for p in inside if said(p).startswith("The question.")):
        yield said(paragraph).removeprefix("The question.").strip()
    for paragraph in (p for p in body if p not in inside):
        if isinstance(paragraph.parent, (nodes.section, nodes.document, nodes.block_quote)):
            yield said(paragraph)


def _classes(node: nodes.Node) -> list[str]:
    return node["classes"] if isinstance(node, nodes.Element) else []


def summary(doctree: nodes.document | None, title: str, book: str) -> str:
    """One or two sentences on a page, between 50 and 160 characters."""
    text = ""
    for paragraph in paragraphs(doctree) if doctree is not None else ():
        for sentence in sentences(paragraph):
            longer = f"{text} {sentence}".strip()
            if len(longer) > MOST:
                return text if len(text) >= ENOUGH else cut(longer)
            text = longer
        if len(text) >= LEAST:
            return text
    return cut(
        f"{title}. {text}".strip() + f" A page of the book “{book}”, whose equations are run."
    )


def cut(text: str) -> str:
    """As many words as there is room for, with the sign that more follow."""
    if len(text) <= MOST:
        return text
    return text[: MOST - 1].rsplit(" ", 1)[0].rstrip(" ,;:–—") + "…"
