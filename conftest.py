"""How nbval runs the notebooks, and what it leaves out when it compares: the records of checks.

Several kernels run at a time, and none may take a port that another was promised.

nbval compares what a reader sees. The ledger reads the records behind the verdicts, which lie in
the metadata of the outputs.
"""

import json
import sys
from itertools import zip_longest

import pytest

import kernels

# jsonschema would build 38 grammars of addresses when it is imported, and use none. So nbval,
# which imports it, is kept (in pyproject.toml) from being a plug-in before this is said.
sys.modules.setdefault("rfc3987_syntax", None)
import nbval.kernel  # noqa: E402

pytest_plugins = ["nbval.plugin"]


def pytest_configure():
    """Let nbval start kernels apart from one another."""
    make = nbval.kernel.KernelManager
    nbval.kernel.KernelManager = lambda **settings: make(**kernels.apart(), **settings)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fail a cell of a notebook whose checks leave other records than the stored ones."""
    result = yield
    if hasattr(item, "test_outputs") and item.cell.execution_count is not None:
        fresh, stored = records(item.test_outputs), records(item.cell.outputs)
        for new, old in zip_longest(fresh, stored):
            if new != old:
                item.raise_cell_error("Records of checks differ", f"stored: {old}\nnow:    {new}")
    return result


def records(outputs) -> list[str]:
    """The records of checks among some outputs, in order; a number is one, 0 or 0.0."""
    found = (output.get("metadata", {}).get("policygrad") for output in outputs)
    told = (json.dumps(record, sort_keys=True) for record in found if record is not None)
    return [json.dumps(json.loads(text, parse_int=float), sort_keys=True) for text in told]
