r"""Markdown as the book's own parser sees it: displays, formulas in a line, and what is refused.

A display has one spelling, since the readers of labels (``policygrad.formulas``, the ledger) know
no other::

    $$
    a = b
    $$ (eq-some-label)

with both marks at the start of a line.  Every other way to set a formula apart, or to bring in text
that this parser does not see, is refused with a message that says how to write it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

import ledger

ROOT = Path(__file__).resolve().parents[1]

HOW = "write a display as `$$`, the formula, `$$ (eq-label)`, each at the start of its own line"
LABEL = re.compile(r"(eq|def)-[a-z0-9]+(-[a-z0-9]+)*")
# What stands in these directives is Markdown, or nothing; a directive that is not here is refused.
DIRECTIVES = {"admonition", "note", "tip", "warning", "important", "seealso", "dropdown"}
DIRECTIVES |= {"exercise", "exercise-start", "exercise-end", "solution-start", "solution-end"}
DIRECTIVES |= {"solution", "ledger", "ledger-totals", "ledger-weakest", "glossary"}
DIRECTIVES |= {"bibliography", "list-table", "index-of-terms"}
DIRECTIVES |= {f"prf:{kind}" for kind in ("lemma", "theorem", "proof", "corollary", "remark")}
ROLES = {"eq", "ref", "numref", "doc", "term", "prf:ref", "cite", "cite:t", "cite:p", "glue"}
HTML = re.compile(r"</?a\b[^<>$\\]*>|<br ?/?>")
NAMES = {"label", "class", "name", "header-rows", "filter", "style", "open", "nonumber"}
MATH = re.compile(r"\$|\\[(\[]|\\begin\b|<math\b", re.IGNORECASE)
# A number that is set equal to something, or compared with it, with no dollars around it.
NUMBER = r"[-−+]?(?:\d*\.?\d[\d,./]*|\\[td]?(?:frac|sqrt)\S*)"
BARE = re.compile(rf"([^\s|]*[\w)\]}}*'’])\s*(=|≈|<|>|≤|≥|≠)\s*({NUMBER})")
TYPED = {"=": "=", "≈": r"\approx", "<": "<", ">": ">", "≤": r"\le", "≥": r"\ge", "≠": r"\ne"}
GREEK = {"α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "ε": r"\varepsilon", "θ": r"\theta"}


@dataclass(frozen=True)
class Formula:
    """A formula in a line of text, and the text before it."""

    tex: str
    before: str = ""


@dataclass
class Reading:
    """What one piece of Markdown shows: displays (label, LaTeX), formulas, and what is refused."""

    displays: list[tuple[str, str]] = field(default_factory=list)
    formulas: list[Formula] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def refuse(self, what: str, text: str, how: str = HOW) -> None:
        """Note what is refused, and how to write it."""
        self.faults.append(f"{what}, {' '.join(text.split())[:60]!r}: {how}")


@cache
def markdown():
    """The parser of the book's pages, with the extensions of its settings."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["parse"]
    config = MdParserConfig(enable_extensions=set(settings["myst_enable_extensions"]))
    return create_md_parser(config, RendererHTML)


@cache
def read(source: str) -> Reading:
    """Read a cell, or a whole page, of Markdown."""
    reading = Reading()
    _blocks(source, reading)
    named = ledger.LABEL.findall(source), [label for label, _ in reading.displays]
    if [f"{kind}-{name}" for kind, name in named[0]] != named[1] and not reading.faults:
        reading.refuse("a display that the ledger does not find", source)
    return reading


def _blocks(source, reading):
    lines = source.splitlines()
    for token in markdown().parse(source, {}):
        kind, text = token.type, token.content
        if kind == "math_block_label":
            _display(token, lines[slice(*token.map)], reading)
        elif kind.startswith("math_") or kind == "amsmath":
            reading.refuse("a display without a label, or in another form", text)
        elif kind in ("fence", "colon_fence"):
            _fence(token, reading)
        elif kind == "inline":
            _inline(token, reading)
        elif kind in ("html_block", "front_matter") or kind.startswith("substitution"):
            reading.refuse(f"{kind.replace('_', ' ')} is not read", text, "write Markdown")
        elif kind in ("code_block", "myst_line_comment") and MATH.search(text):
            reading.refuse("a formula that is shown as code, or not at all", text)


def _display(token, lines, reading):
    tex, label = token.content.strip(), token.info
    if not LABEL.fullmatch(label):
        reading.refuse("a label that begins with neither eq- nor def-", label)
    elif lines[:1] != ["$$"] or lines[-1:] != [f"$$ ({label})"] or "$" in tex:
        reading.refuse("a display in another form", "\n".join(lines))
    elif found := re.search(r"\\(label|tag|eqref|ref|require|def|newcommand|let|href)\b|%", tex):
        reading.refuse(f"{found[0]} in a display", label, "a display holds its formula alone")
    elif "&" in tex and r"\begin{" not in tex:
        reading.refuse("& in a display without columns", label, "write \\begin{aligned}")
    else:
        reading.displays.append((label, tex))


def _fence(token, reading):
    info, text = token.info.strip(), token.content
    named = re.fullmatch(r"\{([^{}]+)\}\s*(.*)", info)
    if named is None:
        if token.type == "colon_fence" or info.split(" ")[0] in ("math", "latex", "tex"):
            reading.refuse("a fence that sets a formula", text)
        elif MATH.search(text):
            reading.refuse("a formula in a block of code", text)
        return
    name, title = named.groups()
    if name not in DIRECTIVES:
        how = HOW if "math" in name else "write Markdown, or add the directive to tests/reading.py"
        return reading.refuse(f"the directive {{{name}}} is not read", text, how)
    if title and name not in ("ledger", "solution-start", "exercise-start"):
        _blocks(title, reading)
    lines = text.splitlines()
    if lines[:1] == ["---"]:
        return reading.refuse("options between dashes", text, "write an option as `:name: value`")
    while lines and (option := re.fullmatch(r":([\w-]+):(?: +(.*))?", lines[0])):
        if option[1] not in NAMES and option[2]:
            _blocks(option[2], reading)
        lines.pop(0)
    if name == "ledger":
        for line in filter(str.strip, lines):
            _blocks(line.partition(": ")[2], reading)
    else:
        _blocks("\n".join(lines), reading)


def _inline(token, reading):
    raw = re.sub(r"(\\\$)|`[^`]*`|\$[^$]*\$", r"\1 ", token.content)
    if found := re.search(r"\\{1,2}[(\[]", raw):
        reading.refuse(f"{found[0]} sets a formula in some readers", token.content)
    dollars = sum(x.content.count("$") for x in token.children if x.type == "text")
    if dollars > len(re.findall(r"\\\$", raw)):
        reading.refuse("a dollar sign that sets no formula", token.content)
    before = ""
    for child in token.children:
        kind, text = child.type, child.content
        if kind == "math_inline":
            reading.formulas.append(Formula(text, before))
        elif kind == "myst_role" and child.meta["name"] not in ROLES:
            reading.refuse(f"the role {{{child.meta['name']}}} is not read", text, "write $…$")
        elif kind == "html_inline" and not HTML.fullmatch(text):
            reading.refuse("raw HTML is not read", text, "write Markdown")
        elif kind == "image":
            reading.refuse("a picture that no cell draws", text, "draw it in a cell")
        elif kind.startswith(("math_", "substitution", "footnote_inline")):
            reading.refuse(f"{kind.replace('_', ' ')} is not read", text)
        before = " " if kind == "softbreak" else text if kind == "text" else ""
    reading.formulas += bare("".join(map(_shown, token.children)))


def _shown(child) -> str:
    """What stands in a line: a relation may be made of a formula, emphasis and text."""
    if child.type == "math_inline" and re.search(r"[=<>]|\\(le|ge|approx|neq?)\b", child.content):
        return " | "
    return " " if child.type.endswith("break") else child.content


def bare(text: str) -> list[Formula]:
    """The relations with a number that a plain text states, as LaTeX."""
    found = []
    for left, sign, number in BARE.findall(text):
        left = "".join(f"{GREEK[x]} " if x in GREEK else x for x in left.lstrip("("))
        left = re.sub(r"(?<!\\)\b(alpha|beta|gamma|delta|theta|sigma)\b", r"\\\1 ", left)
        number = number.rstrip(",./").replace("−", "-").replace(",", "")
        found.append(Formula(f"{left}{TYPED[sign]} {number}"))
    return found
