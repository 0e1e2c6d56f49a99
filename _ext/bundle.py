"""What a reader takes away to rerun the book: one zip, and chapters that say what they need.

The zip
    All that `make lab` and `make book` use, chapters and package and lock included, in one folder.
    It lies at the top of the site, and the download menu of every page offers it. The same files
    give the same bytes: names are sorted, and times are left out.

A chapter alone
    The menu also offers the notebook of its page. That copy opens with a cell that names the zip
    where the package is not there to import. The chapters themselves have no such cell.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

NAME = "policy-gradients-checked"
PARTS = (
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "_config.yml",
    "_ext",
    "_static",
    "_toc.yml",
    "book",
    "docs",
    "install.py",
    "pyproject.toml",
    "requirements.in",
    "requirements.txt",
)
SOURCES = ("download-source-button", "download-notebook-button")
LEFT_OUT = ("__pycache__", "build", ".egg-info")  # what a folder's name may end with; dots too
NO_TIME = (2026, 1, 1, 0, 0, 0)  # a zip has to give one

SAYS = (
    f"This chapter imports the package policygrad, which lies beside the chapters in {NAME}.zip; "
    "the download menu of each page of the book offers it. Unpack it and type `make lab` there, "
    "or put this notebook into its folder `book`."
)
NOTE = {"cell_type": "markdown", "id": "alone-note", "metadata": {}, "source": [f"*{SAYS}*"]}
TRIAL = {
    "cell_type": "code",
    "execution_count": None,
    "id": "alone-trial",
    "metadata": {},
    "outputs": [],
    "source": [
        "try:\n",
        "    import policygrad\n",
        "except ModuleNotFoundError:\n",
        "    raise ModuleNotFoundError(\n",
        *(f"        {part!r}\n" for part in SAYS.replace(". ", ". \n").splitlines()),
        "    ) from None",
    ],
}


def files(root: Path) -> Iterator[Path]:
    """Every file of the bundle, sorted by its path."""
    for part in sorted(PARTS):
        here = root / part
        for path in sorted(here.rglob("*")) if here.is_dir() else [here]:
            inner = path.relative_to(root).parts
            if path.is_file() and not any(n.startswith(".") or n.endswith(LEFT_OUT) for n in inner):
                yield path


def write(root: Path, target: Path) -> None:
    """Write the bundle of a checkout into a file."""
    inner = {path: f"{NAME}/{path.relative_to(root).as_posix()}" for path in files(root)}
    pack(target, {name: path.read_bytes() for path, name in inner.items()})


def pack(target: Path, contents: dict[str, bytes]) -> None:
    """Write a zip of these files, in this order."""
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in contents.items():
            archive.writestr(entry(name), content, compresslevel=9)


def entry(name: str, how: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    """A place in an archive, alike on every machine."""
    made = zipfile.ZipInfo(name, date_time=NO_TIME)
    made.create_system, made.external_attr, made.compress_type = 3, 0o100644 << 16, how
    return made


def tell_what_it_needs(path: Path) -> None:
    """Open a copy of a chapter with what to do where the package is not there; at most once."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    if any(cell.get("id") == TRIAL["id"] for cell in notebook["cells"]):
        return
    notebook["cells"][:0] = [NOTE, TRIAL]
    text = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


# --- what Sphinx calls ----------------------------------------------------------------------------


def offer(app, page, template, context, doctree):
    """Put the zip into the download menu of a page, and let the page's own source be saved."""
    for group in context.get("header_buttons", ()):
        if group.get("label") == "download-buttons":
            for button in group["buttons"]:
                if button.get("label") in SOURCES:
                    to_be_saved(button)
            group["buttons"].append(
                {
                    "type": "link",
                    "url": context["pathto"](f"{NAME}.zip", resource=True),
                    "text": "all, to run (.zip)",
                    "tooltip": "Download all chapters with the package, to run them",
                    "icon": "fas fa-file-zipper",
                    "label": "download-bundle-button",
                }
            )


def to_be_saved(button: dict) -> None:
    """Let a link save the file that it leads to, and say what that is.

    The theme's template has no place for the attribute but behind the address. A browser heeds it
    on a server; from a folder it shows the file, and the words say what to do then.
    """
    name = button["url"].rpartition("/")[2]
    button["url"] += f'" download="{name}'
    button["text"] = f"this page ({Path(name).suffix})"
    button["tooltip"] = "Download the source of this page; if it opens as text, save it"


def finish(app, exception):
    """Complete a site that was built without an error."""
    if exception is None and app.builder.format == "html":
        site = Path(app.outdir)
        write(Path(app.srcdir), site / f"{NAME}.zip")
        for path in sorted(site.glob("_sources/**/*.ipynb")):
            tell_what_it_needs(path)


def setup(app):
    # After the theme, which makes the menu at 501.
    app.connect("html-page-context", offer, priority=502)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
