"""References from one chapter to another, for JupyterLab, which sees one chapter at a time.

An extension for JupyterLab, plain JavaScript of a hundred lines (``lab/references.js``), gives each
reference that JupyterLab cannot resolve the words that it has on the built page, and opens the
chapter that it leads to. What it needs to know is read off the chapters here, in a moment: for each
label its file, its words and its cell. Nothing in a notebook is changed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import numbering
from built import parts

NAME = "policy-gradients-checked"
EQUATION = re.compile(r"^\$\$ \((?P<equation>[\w-]+)\)$", re.MULTILINE)
TARGET = re.compile(  # the heading may stand below several of them
    r"^\((?P<label>[^()\s]+)\)=\n+(?:(?=(?:\(\S+\)=\n+)*#+ (?P<heading>.+)))?", re.MULTILINE
)
BLOCK = re.compile(
    r"^[:`]{3,}\{(?P<kind>[\w:]+)\}.*\n(?:^:.*\n)*?^:label: (?P<label>\S+)$", re.MULTILINE
)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
KINDS = {"exercise": "exercise"}
PACKAGE = {
    "name": NAME,
    "version": "1.0.0",
    "description": "References from one chapter to another",
    "license": "BSD-3-Clause",
    "jupyterlab": {
        "extension": True,
        "_build": {"load": "static/references.js", "extension": "./extension"},
    },
}


def plain(text: str) -> str:
    """A heading without its marks."""
    return re.sub(r"[*`$\\]|\{\w+\}", "", text).strip()


def cells(path: Path) -> list[str]:
    """The texts of a page: its cells, or the whole of a page without any."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return [text]
    found = json.loads(text)["cells"]
    return ["".join(c["source"]) if c["cell_type"] == "markdown" else "" for c in found]


def figures(path: Path) -> list[tuple[int, str]]:
    """The names of the figures that cells of a page draw, each with its cell."""
    if path.suffix == ".md":
        return []
    found = enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"])
    named = (
        (k, cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")) for k, cell in found
    )
    return [(k, name) for k, name in named if name]


def pages(root: Path) -> list[Path]:
    """The pages of the book in the order of its contents."""
    names = [name for _, within in parts(root / "_toc.yml") for name in within]
    return [next((root / "book").glob(f"{name}.*")) for name in names]


def labels(root: Path) -> dict[str, tuple[str, str, int]]:
    """For each label of the book: the file, the words of a reference to it, and the cell."""
    found, counts = {}, Counter()
    for path in pages(root):
        name = path.relative_to(root).with_suffix("").as_posix()
        own = f"{numbering.prefix(name)}."
        texts = cells(path)
        title = TITLE.search("\n".join(texts))
        found[path.stem] = (path.name, plain(title[1]) if title else path.stem, 0)
        for k, figure in figures(path):
            counts[own, "figure"] += 1
            found[figure] = (path.name, f"Fig. {own}{counts[own, 'figure']}", k)
        for k, text in enumerate(texts):
            for match in EQUATION.finditer(text):
                counts[own, "equation"] += 1
                found[match["equation"]] = (path.name, f"({own}{counts[own, 'equation']})", k)
            for match in TARGET.finditer(text):
                found[match["label"]] = (path.name, plain(match["heading"] or ""), k)
            for match in BLOCK.finditer(text):
                found[match["label"]] = (path.name, KINDS.get(match["kind"], ""), k)
    return found


def citations(bibliography: Path) -> dict[str, str]:
    """For each work that is cited, who wrote it and when."""
    from pybtex.database import parse_file

    found = {}
    for key, entry in parse_file(str(bibliography)).entries.items():
        names = [" ".join([*p.prelast_names, *p.last_names]) for p in entry.persons["author"]]
        names = [re.sub(r"[{}]", "", name) for name in names]
        who = {1: names[0], 2: " and ".join(names)}.get(len(names), f"{names[0]} et al.")
        found[key] = ", ".join(filter(None, [who, entry.fields.get("year")]))
    return found


def write(root: Path, folder: Path) -> None:
    """Write the extension into a folder where JupyterLab looks for extensions."""
    here = folder / "labextensions" / NAME
    (here / "static").mkdir(parents=True, exist_ok=True)
    (here / "package.json").write_text(json.dumps(PACKAGE, indent=1), encoding="utf-8")
    known = {"labels": labels(root), "works": citations(root / "book" / "references.bib")}
    script = (Path(__file__).parent / "lab" / "references.js").read_text(encoding="utf-8")
    text = script.replace("{}; // KNOWN", json.dumps(known, ensure_ascii=False) + ";", 1)
    (here / "static" / "references.js").write_text(text, encoding="utf-8", newline="\n")
