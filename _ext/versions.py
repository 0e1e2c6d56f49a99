"""Put the book as it is, and each version that has a tag, into one folder to publish.

    python _ext/versions.py [command that builds, by default: make book]

In ``_build/versions/site`` the book of this checkout lies at the top, and that of a tag ``v1.2`` or
``v1.2.3`` in the folder ``v1.2``; of several tags of one folder the last counts. A version is built
from its own files, with its own lock. Each lists all of them on its page ``versions.html``, and
each page of an older one begins with a line that leads to the same page of the newest.

All links are relative: the folder may lie anywhere.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import publish

TAG = re.compile(r"v(\d+)\.(\d+)(?:\.(\d+))?")
ARTICLE = re.compile(r'<article class="bd-article"[^>]*>')
FIRST = "book/index.html"
LOOK = "border-left: 0.3rem solid #e69f00; padding: 0.4rem 1rem"  # whatever that version's styles


def main(root: Path, command: list[str]) -> int:
    """Build every version of a repository; 0 if all are in place."""
    work = root / "_build" / "versions"
    site, checkouts = work / "site", work / "checkouts"
    shutil.rmtree(work, ignore_errors=True)
    git(root, "worktree", "prune")
    tags = tagged(root)
    build(root, command)
    shutil.copytree(root / "_build" / "html", site)
    for folder, tag in tags.items():
        print(f"Version {tag}:", flush=True)
        git(root, "worktree", "add", "--detach", checkouts / folder, tag)
        try:
            build(checkouts / folder, command)
            shutil.copytree(checkouts / folder / "_build" / "html", site / folder)
        finally:
            git(root, "worktree", "remove", "--force", checkouts / folder)
    join(site, list(tags))
    print(f"The book and {len(tags)} tagged versions of it: {site}")
    return 0


def git(root: Path, *words) -> str:
    """What git says to a command."""
    run = subprocess.run(["git", *words], cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    return run.stdout


def tagged(root: Path) -> dict[str, str]:
    """The tag of each folder, the newest version first."""
    found = {}
    for tag in git(root, "tag", "--list").split():
        if match := TAG.fullmatch(tag):
            found[tuple(int(number or 0) for number in match.groups())] = tag
    folders = {f"v{major}.{minor}": tag for (major, minor, _), tag in sorted(found.items())}
    return dict(reversed(folders.items()))


def build(checkout: Path, command: list[str]) -> None:
    """Build the book of a checkout in its ``_build/html``."""
    subprocess.run(command, cwd=checkout, check=True)


def join(site: Path, folders: list[str]) -> None:
    """Let the versions know of one another."""
    title = re.search(r"<title>(.*?)</title>", (site / "index.html").read_text(encoding="utf-8"))[1]
    for here in ("", *folders):
        top = "../" if here else ""
        items = [entry("The newest, as it is now", f"{top}{FIRST}", not here)]
        items += [entry(f, f"{top}{f}/{FIRST}", f == here) for f in folders]
        page = publish.versions_page(title, items)
        (site / here / "versions.html").write_text(page, encoding="utf-8", newline="\n")
    for folder in folders:
        for page in sorted((site / folder).glob("book/*.html")):
            lead_on(page, site, folder)


def entry(words: str, link: str, here: bool) -> str:
    """One version in the list."""
    return f'<a href="{link}">{words}</a>' + (" (where you are)" if here else "")


def lead_on(page: Path, site: Path, folder: str) -> None:
    """Begin a page of an older version with a line that leads to the newest."""
    name = f"book/{page.name}" if (site / "book" / page.name).is_file() else FIRST
    line = (
        f'<p class="older-version" role="note" style="{LOOK}">This is version {folder[1:]}. '
        f'<a href="../../{name}">The newest version</a>, <a href="../versions.html">all</a>.</p>'
    )
    text = page.read_text(encoding="utf-8")
    page.write_text(
        ARTICLE.sub(lambda m: f"{m[0]}\n{line}", text, count=1), encoding="utf-8", newline="\n"
    )


if __name__ == "__main__":
    told = sys.argv[1:] or shlex.split("make book")
    try:
        sys.exit(main(Path(__file__).resolve().parents[1], told))
    except subprocess.CalledProcessError as failed:
        sys.exit(f"Nothing to publish: {shlex.join(map(str, failed.cmd))} failed.")
