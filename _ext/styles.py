"""One stylesheet in place of a dozen: what no page can ask for is left out, the rest is in order.

A rule of a theme or an extension stays where each class and id of its selector occurs on some page
or in some script; what stands within ``:not``, ``:is`` and the like counts as asked for. The book's
own rules all stay.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from pathlib import Path

TOKEN = re.compile(
    r"""/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\(\s*[^"')\s][^)]*\)|\s+|[{};]"""
    r"""|[^{};"'/\s]+|.""",
    re.DOTALL,
)
NAME = re.compile(r"[.#]((?:[\w-]|\\.|[^\x00-\x7f])+)")
INNER = re.compile(r":(?:not|is|where|has)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)|\[[^]]*\]")
COMMA = re.compile(r",(?![^(]*\))")
ADDRESS = re.compile(r"""url\(\s*(["']?)(?!data:|#|\w+:)([^"')]+)\1\s*\)""")
IMPORT = re.compile(r"""@import (?:url\()?["']([^"']+)["']\)?""")
WITH_RULES = ("@media", "@supports", "@layer", "@container")

# What opens a rule, and its declarations or the rules within; None after a statement.
Rule = tuple[str, "str | list | None"]


def read(pieces: Iterator[str]) -> list[Rule]:
    """The rules of a stylesheet, or of a block up to its end."""
    rules: list[Rule] = []
    opens: list[str] = []
    for piece in pieces:
        if piece.startswith("/*"):
            rules += [(piece, None)] if piece.startswith("/*!") else []
        elif piece == "{":
            head = tidy(opens)
            rules.append((head, read(pieces) if head.startswith(WITH_RULES) else declared(pieces)))
            opens = []
        elif piece in (";", "}"):
            rules += [(tidy(opens), None)] if tidy(opens) else []
            opens = []
            if piece == "}":
                break
        else:
            opens.append(piece)
    return rules


def declared(pieces: Iterator[str]) -> str:
    """What stands in braces, up to the one that closes."""
    inner, depth = [], 1
    for piece in pieces:
        depth += {"{": 1, "}": -1}.get(piece, 0)
        if depth == 0:
            break
        inner.append(piece)
    return tidy(inner).strip("; ")


def tidy(pieces: list[str]) -> str:
    """Pieces in a row, without comments, nor blanks where they say nothing."""
    out = ""
    for piece in pieces:
        if piece.isspace():
            out += "" if not out or out[-1] in "{};:, " else " "
        elif not piece.startswith("/*"):
            out = (out.rstrip() if piece in "{};" or piece[0] == "," else out) + piece
    return out.rstrip()


def written(rules: list[Rule]) -> str:
    """Rules as text."""
    parts = []
    for head, body in rules:
        if head.startswith("/*"):
            parts += [head] if head not in parts else []
        elif body is None:
            parts.append(f"{head};")
        else:
            parts.append(f"{head}{{{body if isinstance(body, str) else written(body)}}}")
    return "".join(parts)


# --- what is asked for ----------------------------------------------------------------------------


def asked(rules: list[Rule], words: Collection[str]) -> list[Rule]:
    """The rules without the selectors that nothing on any page can meet."""
    kept = []
    for head, body in rules:
        if isinstance(body, list):
            if inner := asked(body, words):
                kept.append((head, inner))
        elif body is None or head.startswith("@"):
            kept.append((head, body))
        elif selectors := [s for s in COMMA.split(head) if names(s) <= words]:
            kept.append((",".join(selectors), body))
    return kept


def names(selector: str) -> set[str]:
    """The classes and ids that an element and those around it must have."""
    bare = INNER.sub("", selector)
    return {re.sub(r"\\(.)", r"\1", name) for name in NAME.findall(bare)}


# --- files ----------------------------------------------------------------------------------------


def opened(path: Path, top: Path) -> list[Rule]:
    """The rules of a file and of those that it imports, addresses as from the folder ``top``."""
    here = posixpath.relpath(path.parent.as_posix(), top.as_posix())

    def moved(address: re.Match) -> str:
        return f'url("{posixpath.normpath(posixpath.join(here, address[2]))}")'

    rules = []
    css = ADDRESS.sub(moved, path.read_text(encoding="utf-8"))
    for head, body in read(iter(TOKEN.findall(css))):
        if found := IMPORT.match(head):
            rules += opened(path.parent / found[1], top)
        elif not head.startswith("@charset"):
            rules.append((head, body))
    return rules
