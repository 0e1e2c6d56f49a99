r"""What the book's pages state in displays, and what ties each of these to a check.

A display is read by ``reading``.  It is tied when a cell has run it as it is typeset, or when the
ledger says why a person's reading ties it; then its fingerprint is kept in ``read.json``, and

    python tests/claims.py --read LABEL

writes it down once a person has compared the display with its check.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
READ = ROOT / "tests" / "read.json"
sys.path[:0] = [str(ROOT / "book"), str(ROOT / "_ext")]

import ledger  # noqa: E402
import moving  # noqa: E402
from policygrad.formulas.tex import chain, tokens  # noqa: E402
from reading import Reading, read  # noqa: E402

# Relations beside those of ``policygrad.formulas``, and what they amount to.
SPELLINGS = {r"\leq": r"\le", r"\geq": r"\ge", r"\lt": "<", r"\gt": ">", r"\equiv": "="}
SPELLINGS |= {r"\simeq": r"\approx", r"\coloneqq": "=", r"\doteq": "=", r"\cong": r"\approx"}
SPELLINGS |= {x: r"\approx" for x in (r"\to", r"\rightarrow", r"\longrightarrow", r"\sim")}
SPELLINGS |= {x: r"\approx" for x in (r"\propto", r"\lesssim", r"\gtrsim", r"\asymp")}
SPELLINGS |= {r"\ll": "<", r"\gg": ">", r"\leqslant": r"\le", r"\geqslant": r"\ge"}


@dataclass(frozen=True)
class Display:
    """A labelled display: the page, its label with ``eq-`` or ``def-``, its LaTeX."""

    page: str
    label: str
    tex: str

    @property
    def name(self) -> str:
        """The label as checks call it."""
        return self.label.partition("-")[2]


def spelled(tex: str) -> list[str]:
    """The tokens of a formula, each relation in its one spelling."""
    return [SPELLINGS.get(word, word) for word in tokens(tex.replace(":=", "=").replace("{,}", ""))]


# --- the book ------------------------------------------------------------------------------------


def names() -> list[str]:
    """The pages, in the order of the book's contents, however deep they stand there."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    return [name.removeprefix("book/") for name in (contents["root"], *_files(contents))]


def _files(entry):
    if isinstance(entry, dict) and "file" in entry:
        yield entry["file"]
    for part in entry.values() if isinstance(entry, dict) else entry:
        if isinstance(part, (dict, list)):
            yield from _files(part)


def book() -> dict[str, list]:
    """All pages, each as its cells; a page without code is one cell."""
    return {name: _cells(BOOK, name) for name in names()}


@cache
def _cells(folder, name) -> list:
    """The cells of a page, read once: nobody changes them in place."""
    path = folder / f"{name}.ipynb"
    if path.is_file():
        return nbformat.read(path, as_version=4).cells
    return [nbformat.v4.new_markdown_cell((folder / f"{name}.md").read_text("utf-8"))]


def readings(cells) -> list[Reading]:
    """Everything of a page that is read as Markdown, cell by cell: text, captions, outputs."""
    found = []
    for cell in cells:
        if cell.cell_type != "code":
            found.append(read(cell.source))
            if cell.cell_type == "raw":
                found.append(Reading(faults=["a raw cell is not read: write Markdown"]))
            continue
        said = cell.metadata.get("mystnb", {})
        found += [read(text) for text in (said.get("figure", {}).get("caption", ""),) if text]
        found += [_output(output, cell) for output in cell.outputs]
    return found


def _output(output, cell) -> Reading:
    """What a cell shows beside plain text; LaTeX has to be SymPy's and to state nothing."""
    data, reading = output.get("data", {}), Reading()
    if "text/markdown" in data:
        shown = read(data["text/markdown"])
        reading.faults, reading.formulas = [*shown.faults], [*shown.formulas]
        for label, tex in shown.displays:
            reading.refuse(f"a cell shows {label}", tex, "displays stand in the text")
    stated = data.get("text/latex", "$\\displaystyle $")
    shown = re.fullmatch(r"\$\\displaystyle ([^$]*)\$", stated)
    if shown is None or chain(spelled(shown[1]))[1]:
        reading.refuse("a cell shows a formula that states something", stated)
    known = "policygrad" in output.get("metadata", {}) or moving.read(output)
    if "text/html" in data and not known:
        reading.refuse("a cell shows HTML", data["text/html"], "show a verdict, text or a figure")
    return reading


def displays(pages) -> list[Display]:
    """All labelled displays, in the order of the book."""
    return [
        Display(page, label, tex)
        for page, cells in pages.items()
        for reading in readings(cells)
        for label, tex in reading.displays
    ]


def faults(pages) -> list[str]:
    """Everything that is refused, with its page; and labels that are borne twice."""
    found = [
        f"{page}: {fault}"
        for page, cells in pages.items()
        for reading in readings(cells)
        for fault in reading.faults
    ]
    borne = Counter(display.name for display in displays(pages))
    return found + [f"{name} labels {n} displays" for name, n in borne.items() if n > 1]


# --- what ties a display -------------------------------------------------------------------------


def executed(pages) -> set[str]:
    """Names of the displays that a cell has run as they are typeset, and found true."""
    records = [
        output.get("metadata", {}).get("policygrad")
        for cells in pages.values()
        for cell in cells
        for output in cell.get("outputs", [])
    ]
    runs = [x for x in records if x and x["kind"] == "runs" and x["claim"] is None and x["passed"]]
    return {record["label"].removeprefix("eq-").removeprefix("def-") for record in runs}


def readings_by_person() -> set[str]:
    """Labels, with ``eq-`` or ``def-``, that the ledger says a person's reading ties."""
    pages = ledger.readings_of((BOOK / "ledger.md").read_text("utf-8"))
    names = [label for page in pages.values() for label in page]
    return {name if name.startswith("def-") else f"eq-{name}" for name in names}


def fingerprint(tex: str) -> str:
    """Twelve hexadecimal digits that change with any token of a display, and with no space."""
    return hashlib.sha256(" ".join(tokens(tex)).encode()).hexdigest()[:12]


def altered(found: list[Display], read_labels: set[str], stored: dict[str, str]) -> list[str]:
    """Displays tied by reading that are not as they were when they were read."""
    tex = {display.label: display.tex for display in found}
    messages = [f"{label} is read, and is no display" for label in sorted(read_labels - set(tex))]
    for label in sorted(read_labels & set(tex)):
        if stored.get(label) != fingerprint(tex[label]):
            how = "was altered since" if label in stored else "is not on record since"
            messages.append(
                f"{label} {how} a person compared it with its check; compare again and run "
                f"`python tests/claims.py --read {label}`"
            )
    return messages + [
        f"{label} is in {READ.name}, and the ledger does not say that it is tied by reading"
        for label in sorted(set(stored) - read_labels)
    ]


def main(*arguments: str) -> int:
    """Write down that a display was compared with its check, as it is now."""
    if len(arguments) != 2 or arguments[0] != "--read":
        sys.exit(__doc__)
    label, read_labels = arguments[1], readings_by_person()
    found = {display.label: display.tex for display in displays(book())}
    if label not in found or label not in read_labels:
        why = "no display bears it" if label not in found else "the ledger has no `| read:` for it"
        sys.exit(f"{label}: {why}; labels are written with their eq- or def-")
    stored = json.loads(READ.read_text("utf-8")) | {label: fingerprint(found[label])}
    kept = {name: stored[name] for name in sorted(stored) if name in read_labels}
    READ.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8", newline="\n")
    print(f"{found[label]}\n{label} is as its reader saw it: {kept[label]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
