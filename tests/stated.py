r"""What inline formulas state of numbers, and what holds each of it.

A relation states something of a number where one of its sides is a mere number, as in ``J=17`` or
``4/(1-\delta)^2>0``.  It is held as one of these kinds:

* arithmetic: both sides are numbers, and it is true;
* displayed: the same relation stands in a labelled equation, which has its check;
* a case: the other side is a parameter, a letter that the reader sets or that runs over a range,
  and the number is 0, 1, infinity, or one that the chapter's cells set or put out;
* a condition: "if", "where", "for" or the like stands right before it, so that nothing is stated;
* printed: the other side is one symbol, and behind its name a cell prints that number.

Whatever else is stated has to be listed, with a reason.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache

import claims
import moving
import prose
from policygrad.formulas.grammar import Parser
from policygrad.formulas.names import Names
from policygrad.formulas.tex import Refused, chain, is_symbol, split, statements
from policygrad.formulas.values import compare
from reading import Formula, bare, read

SIGNS = {"=", "<", ">", r"\le", r"\ge", r"\approx", r"\neq"}
# Letters that a reader sets, that run over a range, or that coordinates are called by.
PARAMETERS = set(r"\alpha \beta \gamma \delta \varepsilon \lambda \rho \sigma".split())
PARAMETERS |= set("c d h j k m n p q r t u w x y G H K T".split())
CONDITION = re.compile(
    r"\b(if|only if|where|wherever|when|whenever|unless|for|let|suppose) $", re.IGNORECASE
)


class Hidden(ValueError):
    """A relation where nobody looks for one."""


@cache
def numeric(words: tuple[str, ...]) -> float | None:
    """The value of a side that is a mere number, NaN if nobody can tell it, or None."""
    words = [word for word in words if not word.startswith((r"\text", r"\%"))]
    while words[-1:] and words[-1] in set(".;:!?"):
        words.pop()
    if words and set(words) <= {"-", "+", r"\infty"}:
        return float("inf")
    if not any(word.isdigit() for word in words) or any(map(is_symbol, words)):
        return None
    try:
        return float(Parser(words, Names({}), []).whole()({}))
    except (Refused, TypeError, ArithmeticError):
        return float("nan")


@cache
def relations(tex: str) -> list[tuple[tuple, str, tuple]]:
    """All relations of a formula that have a number on a side: left, sign, right, in tokens."""
    words = claims.spelled(tex)
    _refuse_hidden(words)
    found = []
    for statement in statements(" ".join(words)):
        for part in split(statement.words, {r"\Longrightarrow", r"\Longleftrightarrow"}):
            sides, signs = chain(part)
            for left, sign, right in zip(sides, signs, sides[1:], strict=False):
                left, right = tuple(left), tuple(right)
                if numeric(left) is not None or numeric(right) is not None:
                    found.append((left, sign, right))
    return found


def _refuse_hidden(words):
    """Refuse a relation in braces, unless these are an index, a limit or the like."""
    scripts = []
    for before, word in zip(["", *words], words, strict=False):
        if word == "{":
            scripts.append(before in ("_", "^") or (scripts[-1:] == [True]))
        elif word == "}" and scripts:
            scripts.pop()
        elif word in SIGNS and scripts and not scripts[-1]:
            raise Hidden("a relation in braces")
        elif re.match(r"\\(text|operatorname|math\w+|mbox)", word) and re.search(r"[=<>$]", word):
            raise Hidden("a relation in words")


@cache
def displayed() -> frozenset:
    """The relations of the book's labelled equations; what is equal, in both directions."""
    found = set()
    for display in claims.displays(claims.book()):
        if display.label.startswith("eq-"):
            for statement in statements(display.tex):
                sides, signs = chain(statement.words)
                for a, sign, b in zip(sides, signs, sides[1:], strict=False):
                    found |= {(tuple(a), sign, tuple(b))} | (
                        {(tuple(b), "=", tuple(a))} if sign == "=" else set()
                    )
    return frozenset(found)


@dataclass(frozen=True)
class Stated:
    """One relation with a number on a side: its formula, the other side, the number's value."""

    formula: Formula
    relation: tuple[tuple, str, tuple]
    other: tuple
    value: float

    def __str__(self):
        return f"${self.formula.tex}$"


def stated(formula: Formula) -> list[Stated]:
    """Everything that a formula states of numbers."""
    found = []
    for left, sign, right in relations(formula.tex):
        other, number = (left, right) if numeric(left) is None else (right, left)
        found.append(Stated(formula, (left, sign, right), other, numeric(number)))
    return found


def held(one: Stated, evidence: prose.Evidence, lines: tuple[str, ...]) -> str | None:
    """The kind by which a relation is held, or None."""
    left, sign, right = one.relation
    if numeric(one.other) is not None:
        decimals = len("".join(right).partition(".")[2])
        slack = 0.5001 * 10.0**-decimals if sign == r"\approx" else None
        true = compare(numeric(left), sign, numeric(right), 1e-12, slack)
        return "arithmetic" if true else None
    if one.relation in displayed():
        return "displayed"
    if one.other in {(letter,) for letter in PARAMETERS}:
        known = one.value in (0, 1, float("inf")) or _among(
            one.value, evidence.inputs + evidence.outputs
        )
        return "case" if known else None
    if CONDITION.search(one.formula.before):
        return "condition"
    name = re.fullmatch(r"(?:\\(?:hat|bar) )?([A-Za-z])(?: \^ \*)?", " ".join(one.other))
    if (
        sign in ("=", r"\approx")
        and name
        and any(_among(one.value, _behind(name[1], x)) for x in lines)
    ):
        return "printed"
    return None


def _among(value, numbers):
    """Is the value one of these numbers, exactly or to two or more decimals that are written?"""
    for number in numbers:
        size = float(number.size)
        signs = (-1,) if number.sign == "-" else (1,) if number.sign else (1, -1)
        decimals = -number.digits.exponent
        slack = max(1e-12 * size, 0.5001 * 10.0**-decimals if decimals >= 2 else 0)
        if any(abs(sign * size - value) <= slack for sign in signs):
            return True
    return False


def _behind(name, line):
    """The numbers that a line of output has behind a name."""
    if line.startswith("caught  "):
        return []
    found = re.search(rf"(?<![\w']){name}(?![\w'])", line)
    return prose.numbers(line[found.end() :]) if found else []


def formulas(cells) -> list[Formula]:
    """All formulas in lines of text, wherever a reader may see them."""
    found = [formula for reading in claims.readings(cells) for formula in reading.formulas]
    for cell in cells:
        if cell.cell_type == "code":
            alt, _, *comments = prose.prose_of(cell)
            drawn = [moving.drawing(output) for output in cell.outputs]
            texts = [text for svg in drawn for text in re.findall(r"<!--(.*?)-->", svg, re.DOTALL)]
            for text in (alt, *texts, *comments):
                found += read(re.sub(r"[#`]", "", text).strip()).formulas
            found += [formula for text in spoken(cell.source) for formula in bare(text)]
    return found


SILENT = ("where", "cases")  # a case's name, and which cases of a formula are meant


def spoken(source: str) -> list[str]:
    """The strings of a cell, but for what is refuted in it and the names of cases."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords = [option for option in node.keywords if option.arg not in SILENT]
            if ast.unparse(node.func).endswith("refuted"):
                node.args = []
    return list(prose.strings(tree))


def unheld(cells) -> list[str]:
    """Everything that the formulas of a page state and nothing holds, with the reason why not."""
    evidence = prose.evidence(cells)
    code = [cell for cell in cells if cell.cell_type == "code"]
    lines = tuple(
        x for cell in code for text in prose.output_texts(cell) for x in text.splitlines()
    )
    found = []
    for formula in formulas(cells):
        try:
            found += [str(one) for one in stated(formula) if held(one, evidence, lines) is None]
        except (Hidden, Refused) as why:
            found.append(f"${formula.tex}$ ({why})")
    return found
