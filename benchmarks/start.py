"""How soon a page of the built book shows its first formula, from a folder, on a first visit.

Each start has a browser and a profile of its own.  The clock starts as the browser turns to the
page; a formula counts in the frame in which it has its place and its fonts.  One that lies further
down is brought to the screen as soon as the page has it.  "Loaded" is when all scripts have run.

    python benchmarks/start.py [pages, as in 04-log-derivative-trick, or all; the first and the
                                three longest by default]

Needs `make book` and a Chromium.  Seconds depend on the machine, and on what else it does.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "_ext"), str(ROOT / "tests")]

from browser import Browser, find_browser  # noqa: E402

STARTS = 5
WATCH = """
globalThis.firstFormula = new Promise((found) => {
  const look = () => {
    const formulas = [...document.querySelectorAll("article mjx-container")];
    const formula = formulas.find((one) => one.getBoundingClientRect().width);
    if (!formula) {
      return document.readyState === "complete" ? found(null) : requestAnimationFrame(look);
    }
    const {top, bottom, width} = formula.getBoundingClientRect();
    if (bottom < 0 || top > innerHeight) formula.scrollIntoView({block: "center"});
    const signs = [...formula.querySelectorAll("mjx-c")].map((sign) => getComputedStyle(sign));
    const fonts = new Set(signs.flatMap((sign) => sign.fontFamily.split(", ")));
    const faces = [...document.fonts].filter((face) => fonts.has(face.family));
    if (!width || !faces.length || faces.some((face) => face.status !== "loaded")) {
      return requestAnimationFrame(look);
    }
    requestAnimationFrame(() => setTimeout(() => found(performance.now())));
  };
  requestAnimationFrame(look);
});
"""
SEEN = """firstFormula.then((formula) => [
  performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
  formula,
  performance.getEntriesByType("navigation")[0].loadEventEnd,
  document.querySelectorAll("*").length,
])"""


def start(executable: str, path: Path, blank: Path) -> list[float | None]:
    """Of one first visit: milliseconds to paint, formula and load; elements; files that it read."""
    browser = Browser(executable)
    try:
        page = browser.open(blank)
        page.send("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        browser.events.clear()
        page.send("Page.navigate", url=path.as_uri())
        browser.wait_for("Page.loadEventFired", page.session)
        return [*page.evaluate(SEEN), len(page.requests)]
    finally:
        browser.close()


def medians(starts: list[list[float | None]]) -> list[float | None]:
    """Column by column; none where a column has none."""
    columns = (
        [value for value in column if value is not None] for column in zip(*starts, strict=True)
    )
    return [statistics.median(column) if column else None for column in columns]


def main():
    """Print a line for each page."""
    executable = find_browser() or sys.exit("no Chromium or Chrome on this machine")
    site = ROOT / "_build" / "html" / "book"
    pages = {path.stem: path.stat().st_size for path in sorted(site.glob("*.html"))}
    if not pages:
        print("No book in _build/html: run `make book` first.")
        return
    names = sys.argv[1:] or ["index", *sorted(pages, key=pages.get)[-3:]]
    names = [*pages] if names == ["all"] else names
    print(f"from a folder, median of {STARTS} first visits; milliseconds")
    print(
        f" {'page':<32}{'paint':>6}{'formula':>9}{'loaded':>8}{'elements':>10}{'kB':>6}{'files':>7}"
    )
    with tempfile.TemporaryDirectory() as folder:
        blank = Path(folder) / "blank.html"
        blank.write_text("<!DOCTYPE html><title>Blank</title>", encoding="utf-8")
        for name in names:
            path = site / f"{name}.html"
            found = medians([start(executable, path, blank) for _ in range(STARTS)])
            paint, formula, loaded, elements, files = (
                "-" if value is None else f"{value:.0f}" for value in found
            )
            line = f" {name:<32}{paint:>6}{formula:>9}{loaded:>8}{elements:>10}"
            print(f"{line}{path.stat().st_size / 1000:>6.0f}{files:>7}", flush=True)


if __name__ == "__main__":
    main()
