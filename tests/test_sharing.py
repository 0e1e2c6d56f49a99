"""Tests that share what is long to make run in one worker, those that do not in any."""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import sharing

FILE = """import os, time
import pytest

@pytest.mark.parametrize("k", range(3))
def test_together(k):
    time.sleep(0.05)

@pytest.mark.parametrize("k", range(6))
def test_a_fault_is_seen(k):
    time.sleep(0.05)
"""


def test_a_file_goes_to_one_worker_but_for_what_stands_apart(tmp_path):
    assert "test_a_fault_is_seen" in sharing.APART
    for name in ("test_a", "test_b", "test_c"):
        (tmp_path / f"{name}.py").write_text(FILE)
    command = f"-m pytest -p sharing -n 2 --dist loadscope --rootdir {tmp_path} -c /dev/null -v"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    where = {"PYTHONPATH": str(Path(sharing.__file__).parent)}
    command = [sys.executable, *command.split(), str(tmp_path)]
    run = subprocess.run(command, env=kept | where, capture_output=True, text=True, timeout=120)
    workers = defaultdict(set)
    for line in run.stdout.splitlines():
        if "PASSED" in line:
            worker, *_, node = line.split()
            workers[sharing.scope_of(Path(node).name)].add(worker)
    assert len(workers) == 3 + 3 * 6, run.stdout + run.stderr
    assert {scope: found for scope, found in workers.items() if len(found) > 1} == {}
    assert len(set.union(*workers.values())) == 2
    apart = [found for scope, found in workers.items() if "::" in scope]
    assert len(set.union(*apart)) == 2
