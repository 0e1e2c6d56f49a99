"""Run the whole book with other random numbers, and count what fails.

    python tests/seeds.py                        fifty other seeds for every notebook, one process
    python tests/seeds.py --seeds 5 --jobs 2 book/07-reinforce-estimator.ipynb

Under a master seed every ``np.random.default_rng(k)`` of a cell is ``default_rng([k, master])``.
A true claim then fails its test with the probability that the test states, its false-alarm rate.
The report sets the number of failures beside the number that these rates add up to. All else that
fails depends on the draw without saying so by a rate, and is listed by name: a learning run that
misses its mark, a sample that is too small for its skewness, a control that was not refuted.

This is no part of the tests: it takes the time of fifty books.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "book"), str(ROOT / "tests")]
for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(threads, "1")


def one(path: Path, master: int) -> tuple[str, int, list, str]:
    """Run one notebook under one master seed: page, seed, verdicts, and what broke it off."""
    from chapters import run

    outcome = run(path, go_on=True, seed=master)
    broken = "" if outcome.error is None else f"cell {outcome.cell}: {outcome.error!r}"
    return path.stem, master, outcome.verdicts, broken


def report(results: list) -> str:
    """Say what ran, what failed, and how many failures the stated rates predict."""
    tests, failed, ran, other, broken = Counter(), [], Counter(), Counter(), []
    for page, master, verdicts, error in results:
        if error:
            broken.append(f"  {page}, seed {master}: {error}")
        for v in verdicts:
            ran[v.outcome] += 1
            statistical = v.kind == "unbiased" and v.claim is None
            if statistical and v.outcome in ("passed", "failed"):
                tests[v.outcome] += 1
            if statistical and v.outcome == "failed":
                failed.append(f"  {page}, seed {master}, cell {v.cell}: {v.error}")
            elif v.outcome not in ("passed", "caught"):
                what = v.claim or f"{v.label} {v.where}".strip()
                other[f"  {page}, cell {v.cell}, {v.kind}: {what} ({v.outcome})"] += 1
    number = sum(tests.values())
    lines = [
        f"{len(results)} runs of a notebook, {sum(ran.values()):,} verdicts",
        f"{number:,} statistical tests of true claims; failed: {len(failed)}; "
        f"predicted by a false-alarm rate of 1e-6: {number * 1e-6:.3g}",
        *failed,
        f"other verdicts that depend on the draw: {sum(other.values())}, in {len(other)} places",
        *(f"{where}: {count} times" for where, count in other.most_common()),
        f"runs that broke off: {len(broken)}",
        *broken,
    ]
    return "\n".join(lines)


def main() -> None:
    """Read the options, run, and print the report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of the book")
    parser.add_argument("--seeds", type=int, default=50, help="how many master seeds")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    paths = options.notebooks or sorted((ROOT / "book").glob("*.ipynb"))
    masters = range(options.first, options.first + options.seeds)
    start, results = time.monotonic(), []
    with ProcessPoolExecutor(options.jobs) as pool:
        waiting = [pool.submit(one, path.resolve(), k) for k in masters for path in paths]
        for done in as_completed(waiting):
            results.append(done.result())
            seconds = time.monotonic() - start
            print(f"\r{len(results)} of {len(waiting)}, {seconds:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)
    print(report(sorted(results, key=lambda result: result[:2])))


if __name__ == "__main__":
    main()
