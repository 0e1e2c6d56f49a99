"""How soon the search of the built book answers, from a folder, in a browser just started.

"Records" is from the first key until the records have been read and every word has its place;
"query" is from a whole query to its ranked places, of the thirty in tests/queries.json. Each is
given in milliseconds, and as a share of the time that the page itself took to load in the same run.

    python benchmarks/search.py

Needs `make book` and a Chromium.  Seconds depend on the machine, and on what else it does.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "_ext"), str(ROOT / "tests")]

from browser import Browser, find_browser  # noqa: E402

STARTS = 5
READ = """(async () => {
  const begun = performance.now(), script = document.createElement('script');
  script.src = '../search-data.js';
  await new Promise(done => { script.onload = done; document.head.append(script); });
  const read = performance.now() - begun;
  const took = %s.map(query => {
    const begun = performance.now();
    policygradSearch.find(query);
    return performance.now() - begun;
  });
  return [performance.getEntriesByType('navigation')[0].loadEventEnd, read, ...took];
})()"""


def start(executable: str, queries: list[str]) -> list[float]:
    """Of one browser: milliseconds to load the page, to read the records, and for each query."""
    browser = Browser(executable)
    try:
        page = browser.open(ROOT / "_build" / "html" / "book" / "index.html")
        return page.evaluate(READ % json.dumps(queries))
    finally:
        browser.close()


def main():
    """Print a line for each thing that is timed."""
    executable = find_browser() or sys.exit("no Chromium or Chrome on this machine")
    if not (ROOT / "_build" / "html" / "search-data.js").is_file():
        print("No book in _build/html: run `make book` first.")
        return
    written = json.loads((ROOT / "tests" / "queries.json").read_text(encoding="utf-8"))
    queries = [one["query"] for one in written["thirty"]]
    runs = [start(executable, queries) for _ in range(STARTS)]
    loaded, read, *took = (statistics.median(column) for column in zip(*runs, strict=True))
    slowest = max(range(len(took)), key=took.__getitem__)
    print(f"from a folder, median of {STARTS} browsers; milliseconds, and share of the page's load")
    for name, value in (
        ("page loaded", loaded),
        ("records", read),
        (f"query, median of {len(took)}", statistics.median(took)),
        (f"query, slowest: {queries[slowest]}", took[slowest]),
    ):
        print(f" {name:<45}{value:>8.1f}{value / loaded:>8.2f}")


if __name__ == "__main__":
    main()
