"""Make the PDF of the book: ``make pdf``.

The pages of the site that was built are joined into one, which Chromium prints twice: first to
learn on which page everything stands, then with the numbers of the pages filled in. That nothing
moved in between is asserted. The file takes the place of an older one when it is whole.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import matplotlib

import binding
from browser import Browser, Page, find_browser
from pdf_file import Pdf

NEEDED = 131  # the first Chromium that prints heads of sheets
COLUMN = 605  # pixels: the 160 mm between the margins of a sheet
PATIENCE = 900  # seconds, for a machine that has much else to do
INTERRUPTED = 130
FONTS = ("STIXGeneral*.ttf", "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf", "DejaVuSans*.ttf")
NAME = "policy-gradients-checked.pdf"


class Refused(Exception):
    """The PDF cannot be made; the words say why, and what helps."""


def main(root: Path) -> int:
    """Make the file; 0, or 1 with the reason on stderr."""
    start, side = time.monotonic(), root / "_build/paper"
    try:
        pages, content = make(root, side)
        (side / NAME).write_bytes(content)
        os.replace(side / NAME, made := root / "_build" / NAME)
    except Refused as reason:
        print(f"The PDF was not made: {reason}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(side, ignore_errors=True)
    seconds = time.monotonic() - start
    print(f"The book, {pages} pages, {len(content) / 1e6:.1f} MB, in {seconds:.0f} s: {made}")
    return 0


def make(root: Path, side: Path) -> tuple[int, bytes]:
    """The number of pages, and the file; ``side`` is a folder for what is needed on the way."""
    browser = start_browser()
    try:
        tell(1, "Joining the pages of the site.")
        bookmarks = lay_out(root, side)
        tell(2, "Setting the type, to learn on which page everything stands.")
        page = browser.open(side / "book.html", width=COLUMN, timeout=PATIENCE)
        prepare(page)
        first = Pdf(printed(page))
        tell(3, f"Printing {len(first.pages())} pages, their numbers filled in.")
        fill_in(page, first)
        last = Pdf(printed(page, tagged=True))
    finally:
        browser.close()
    if moved := differing(first, last):
        raise Refused(f"with the numbers of pages filled in these moved: {', '.join(moved[:5])}")
    tell(4, "Adding bookmarks, and packing.")
    pages = len(last.pages())
    last.complete(about(root), bookmarks)
    return pages, last.packed()


def tell(step: int, words: str) -> None:
    """Say how far it is."""
    print(f"{step} of 4. {words}", flush=True)


def start_browser() -> Browser:
    """A browser that prints heads of sheets."""
    executable = find_browser()
    if executable is None:
        chosen = os.environ.get("BROWSER_BIN")
        there = f"there is no program {chosen}" if chosen else "no Chromium or Chrome was found"
        raise Refused(
            f"{there}.\nIt takes Chromium or Chrome, version {NEEDED} or later. Where it is not on "
            "the PATH, name it:\n  make pdf BROWSER_BIN=/path/to/chromium"
        )
    browser = Browser(executable)
    version = browser.send("Browser.getVersion")["product"]
    if int(re.search(r"/(\d+)", version)[1]) < NEEDED:
        browser.close()
        raise Refused(f"{executable} is {version}; it takes version {NEEDED} or later.")
    return browser


def lay_out(root: Path, side: Path) -> list:
    """Write the joined book and the fonts that it uses into a folder; give its bookmarks."""
    shutil.rmtree(side, ignore_errors=True)
    (side / "fonts").mkdir(parents=True)
    for pattern in FONTS:
        for font in (Path(matplotlib.get_data_path()) / "fonts/ttf").glob(pattern):
            shutil.copyfile(font, side / "fonts" / font.name)
    text, bookmarks = binding.join(root / "_build/html", root / "_toc.yml", edition(root))
    (side / "book.html").write_text(text, encoding="utf-8")
    return bookmarks


def edition(root: Path) -> str:
    """Which version of the book this is."""
    text = (root / "CITATION.cff").read_text(encoding="utf-8")
    return f"Version {re.search('^version: *(.*)$', text, re.MULTILINE)[1]}"


def about(root: Path) -> dict[str, str]:
    """What the file says of itself."""
    text = (root / "_config.yml").read_text(encoding="utf-8")
    author = re.search("^author: *(.*)$", text, re.MULTILINE)[1]
    return {"Title": binding.TITLE, "Author": author, "Creator": "make pdf", "Producer": "Chromium"}


# --- in the browser -------------------------------------------------------------------------------


def prepare(page: Page) -> None:
    """Make everything fit its column; refuse what would be cut."""
    page.evaluate((Path(__file__).parent / "paper.js").read_text(encoding="utf-8"))
    page.evaluate("document.fonts.ready.then(() => true)")
    page.send("Emulation.setEmulatedMedia", media="print")
    page.evaluate("paper.number({})")
    if missing := page.evaluate("paper.signs()"):
        print(
            f"  No font on this machine has {len(missing)} Chinese signs, {missing[:8]}…\n"
            "  [Chinese] stands in their place; a font such as Noto Sans CJK brings them back.",
            flush=True,
        )
    if wide := page.evaluate("paper.fit()"):
        raise Refused(f"too wide for a sheet: {'; '.join(wide)}")


def printed(page: Page, tagged: bool = False) -> bytes:
    """What the page prints as; with tags, in the way that a screen reader can use."""
    handle = page.send(
        "Page.printToPDF",
        timeout=PATIENCE,
        preferCSSPageSize=True,
        printBackground=True,
        generateTaggedPDF=tagged,
        transferMode="ReturnAsStream",
    )["stream"]
    found = b""
    while True:
        chunk = page.send("IO.read", handle=handle, size=1 << 20)
        found += base64.b64decode(chunk["data"])
        if chunk["eof"]:
            page.send("IO.close", handle=handle)
            return found


def fill_in(page: Page, first: Pdf) -> None:
    """Write the numbers of pages to where they belong."""
    pages = {name: place for name, (place, _) in first.destinations().items()}
    if missing := page.evaluate(f"paper.number({pages!r})"):
        raise Refused(f"no page is known of: {', '.join(missing[:5])}")


def differing(first: Pdf, last: Pdf) -> list[str]:
    """The targets that are not where they were."""
    one, other = first.destinations(), last.destinations()
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def stop(*_) -> None:
    """End as on Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    try:
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
    except KeyboardInterrupt:
        print(
            "The PDF was not made: it was interrupted. An older one is as it was.", file=sys.stderr
        )
        sys.exit(INTERRUPTED)
