r"""A formula in one line of plain characters, as one would type it or say it.

``\nabla J=\mathbb E_\tau[\sum_t\gamma^t r_t]`` reads ``∇J=Eˍτ[∑ˍt γ^t rˍt]``. What stands below the
line is marked by ``ˍ`` (U+02CD), which no text has, so that it is not taken for the underscore of a
name in code; what stands above, by ``^``.
"""

from __future__ import annotations

import re
from functools import cache

BELOW = "\u02cd"
TOKEN = re.compile(r"\\[a-zA-Z]+\*?|\\.|[{}^_&~]|\s+|.", re.DOTALL)
GREEK = dict(
    alpha="α", beta="β", gamma="γ", delta="δ", epsilon="ε", varepsilon="ε", zeta="ζ", eta="η",
    theta="θ", vartheta="θ", kappa="κ", lambda_="λ", mu="μ", nu="ν", xi="ξ", pi="π", rho="ρ",
    sigma="σ", tau="τ", phi="φ", varphi="φ", chi="χ", psi="ψ", omega="ω", Gamma="Γ", Delta="Δ",
    Theta="Θ", Lambda="Λ", Pi="Π", Sigma="Σ", Phi="Φ", Psi="Ψ", Omega="Ω",
)  # fmt: skip
SIGNS = dict(
    nabla="∇", sum="∑", prod="∏", partial="∂", infty="∞", le="≤", leq="≤", ge="≥", geq="≥", ne="≠",
    neq="≠", approx="≈", sim="∼", mid="|", vert="|", Vert="‖", cdot="·", times="×", to="→", in_="∈",
    dots="…", ldots="…", cdots="…", top="ᵀ", circ="∘", ell="ℓ", pm="±", propto="∝", int="∫", lt="<",
    gt=">", setminus="∖", cup="∪", cap="∩", equiv="≡", langle="⟨", rangle="⟩", forall="∀",
    mapsto="↦", rightarrow="→", longrightarrow="→", leftarrow="←", Longleftrightarrow="⇔",
    lvert="|", rvert="|", Rightarrow="⇒", ll="≪", gg="≫", notin="∉", subset="⊂", colon=":",
    star="*", ast="*", prime="'", dagger="†", odot="⊙", otimes="⊗",
)  # fmt: skip
ACCENTS = dict(hat="\u0302", widehat="\u0302", bar="\u0304", overline="\u0304", tilde="\u0303")
WORDS = {"text", "textbf", "textit", "operatorname", "operatorname*", "mathrm", "textrm", "mathit"}
LETTERS = {"mathbb", "mathcal", "mathbf", "boldsymbol", "mathsf", "texttt", "mathtt", "pmb"}
FUNCTIONS = {
    "log",
    "ln",
    "arcsin",
    "exp",
    "max",
    "min",
    "arg",
    "Pr",
    "lim",
    "sup",
    "inf",
    "det",
    "sin",
    "cos",
}
ESCAPED = {"\\": "; ", "|": "‖", "!": "", "{": "{", "}": "}", "%": "%", "_": "_", "#": "#"}
SPACES = {"quad", "qquad", "enspace", "thinspace"}


@cache
def readable(tex: str) -> str:
    """The formula as plain characters, with single blanks."""
    tex = re.sub(r"\\(?:begin|end)\{[a-z]+\*?\}(?:\{[lcr@{}]*\})?", " ", tex)
    found, _ = sequence(TOKEN.findall(tex), 0)
    found = re.sub(r"\s*([,;])\s*", r"\1 ", found)
    return re.sub(
        r"(?<=[(\[])\s+|\s+(?=[)\]^|\u02cd])|(?<=\|)\s+", "", re.sub(r"\s+", " ", found)
    ).strip()


def sequence(tokens: list[str], at: int) -> tuple[str, int]:
    """What follows up to the end of the group, and where that is."""
    parts = []
    while at < len(tokens) and tokens[at] != "}":
        part, at = one(tokens, at)
        parts.append(part)
    return "".join(parts), at


def one(tokens: list[str], at: int) -> tuple[str, int]:
    """The next thing: a group, a command with what belongs to it, or a character."""
    token = tokens[at]
    if token == "{":
        inner, at = sequence(tokens, at + 1)
        return inner, at + 1
    if token in "^_" and token:
        inner, at = argument(tokens, at + 1)
        return ("^" if token == "^" else BELOW) + bracketed(inner), at
    if token.startswith("\\") and token[1].isalpha():
        return command(token[1:], tokens, at + 1)
    if token.startswith("\\"):
        return ESCAPED.get(token[1], " "), at + 1
    return (" " if token in "&~" or token.isspace() else token), at + 1


def command(name: str, tokens: list[str], at: int) -> tuple[str, int]:
    """A command, its backslash dropped, and what it applies to."""
    for table in (GREEK, SIGNS):
        if sign := table.get(name) or table.get(f"{name}_"):
            return sign, at
    if name in ACCENTS:
        inner, at = argument(tokens, at)
        return inner + ACCENTS[name], at
    if name in ("frac", "tfrac", "dfrac", "tbinom", "binom"):
        above, at = argument(tokens, at)
        below, at = argument(tokens, at)
        line = "/" if "frac" in name else " over "
        return f" {bracketed(above)}{line}{bracketed(below)} ", at
    if name == "sqrt":
        inner, at = argument(tokens, at)
        return f"√{bracketed(inner)}", at
    if name in WORDS:
        inner, at = argument(tokens, at)
        return f" {inner} ", at
    if name in LETTERS:
        return argument(tokens, at)
    if name in FUNCTIONS:
        return f" {name} ", at
    return (" " if name in SPACES else ""), at


def argument(tokens: list[str], at: int) -> tuple[str, int]:
    """What a command applies to: the next thing that is not a blank."""
    while at < len(tokens) and tokens[at].isspace():
        at += 1
    if at >= len(tokens) or tokens[at] == "}":
        return "", at
    found, at = one(tokens, at)
    return found.strip(), at


def bracketed(inner: str) -> str:
    """In brackets where it is more than one sign or word, unless it has some."""
    plain = (
        len(inner) == 1 or inner.isalnum() or re.fullmatch(r"\([^()]*\)|.[\u0300-\u036f]", inner)
    )
    return inner if plain else f"({inner})"
