r"""Which letters the displays use, in which forms, and what the table of letters says of them.

A *form* is a letter with the marks that stay wherever it stands: ``P(·|·,·)``, ``Q^*(·,·)``.  What
stands below a letter or in its brackets is a mark only by its number and separators, since
``Q(s,a)`` and ``Q(s',a')`` are one function.  Brackets count if they hold nothing but letters: in
``p(1-p)`` the p is a number.

Every table of ``notation.md`` has the letters in its first column, as formulas, from which forms
are read in the same way.  A table with a column "where" lists letters that mean something on the
pages named there only; all others mean one thing in the whole book.

    python tests/letters.py      lists the forms in use, with their pages
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / x) for x in ("book", "_ext", "tests")]

from policygrad.formulas.tex import GREEK, Reader, Refused, is_symbol, split, statements, tokens

BOOK = Path(__file__).resolve().parents[1] / "book"
SEPARATORS = {",", ";", r"\mid", "|", r"\vert"}
WORDS = (r"\text{", r"\mathsf{", r"\operatorname")
SIGNS = {"e", "d"}  # of a sentence: Euler's number and the d of dx are no letters of the book


def forms(words) -> set[str]:
    """The forms of all letters among these tokens."""
    found = set()
    for at, word in enumerate(words):
        if is_symbol(word) and not word.startswith(WORDS):
            alone = at and words[at - 1] in ("_", "^")  # in \pi_\theta(a), the brackets are pi's
            try:
                found.add(_form(Reader(words[at : at + 1] if alone else words[at:])))
            except Refused:  # a bracket that closes before the index does
                found.add(word)
    return found


def _form(reader) -> str:
    name = reader.name().rstrip("'")
    lower, upper = reader.scripts()
    marks = [x for x in lower if x == r"\theta" or x.startswith(r"\text{")]
    form = name + (f"_{marks[0] if marks else '·'}" if lower else "")
    if len(upper) == 1 and upper[0] in GREEK | {"*"}:
        form += "^" + upper[0]
    if reader.next == "(":
        reader.take()
        inside = _arguments(reader.until(")"))
        form += f"({inside})" if inside else ""
    return form


def _arguments(words) -> str:
    """The arguments of a function, a dot each; nothing where the bracket holds an expression."""
    reader, out = Reader(words), ""
    while reader.next is not None:
        if reader.next in SEPARATORS:
            out += {r"\mid": "|", r"\vert": "|"}.get(word := reader.take(), word)
        elif (is_symbol(reader.next) or reader.next == r"\cdot") and out[-1:] != "·":
            reader.name() if is_symbol(reader.next) else reader.take()
            reader.scripts()
            if reader.next == "(":
                reader.take()
                reader.until(")")
            out += "·"
        else:
            return ""
    return out


def used(displays) -> dict[str, set[str]]:
    """form -> the pages on which a display has it."""
    found = {}
    for display in displays:
        for row in statements(display.tex):
            for form in forms([*row.words, *row.at]):
                found.setdefault(form, set()).add(display.page)
    return found


def listed(notation: str) -> tuple[set[str], dict[str, set[str]]]:
    """The forms that mean one thing in the whole book, and form -> pages for all others."""
    everywhere, local, where = set(), {}, False
    for line in notation.splitlines():
        columns = [x.strip() for x in line.strip().strip("|").split(" | ")]
        if line.startswith("| letter"):
            where = "where" in columns
        elif line.startswith("| $"):
            parts = [split(tokens(x), {","}) for x in re.findall(r"\$([^$]+)\$", columns[0])]
            here = {_form(Reader(part)) for row in parts for part in row if is_symbol(part[0])}
            if where:
                pages = set(re.findall(r"\]\(([\w-]+)\)", columns[-1]))
                for form in here:
                    local.setdefault(form, set()).update(pages)
            else:
                everywhere |= here
    return everywhere, local


def letter(form: str) -> str:
    """The letter itself, without marks."""
    return re.match(r"(\\[a-zA-Z]+ )?(\\[a-zA-Z]+|.)", form)[0]


def missing(displays, notation) -> list[str]:
    """What the table of letters does not say, or says without need, in words."""
    everywhere, local = listed(notation)
    found, seen = [], used(displays)
    for form, pages in sorted(seen.items()):
        if form in everywhere or letter(form) in SIGNS:
            continue
        lost = pages - local.get(form, set())
        if lost:
            found.append(f"{form} is used in {', '.join(sorted(lost))}; the table has no such row")
    for form, pages in sorted(local.items()):
        if form in everywhere:
            found.append(
                f"{form} means one thing in the whole book, and another in {sorted(pages)}"
            )
        found += [f"{form} is not used in {x}" for x in sorted(pages - seen.get(form, set()))]
    return found


if __name__ == "__main__":
    import claims

    for form, pages in sorted(used(claims.displays(claims.book())).items()):
        print(f"{form:24} {' '.join(sorted(x[:2] for x in pages))}")
