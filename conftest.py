"""How nbval runs the notebooks, and what it leaves out when it compares: the records of checks.

Several kernels run at a time, and none may take a port that another was promised.

nbval compares what a reader sees. The ledger reads the records behind the verdicts, which lie in
the metadata of the outputs.

With ``--keep-outputs`` a notebook of which all cells passed need not be run again for the book.
"""

import copy
import json
import sys
from itertools import zip_longest

import pytest

import kernels

# jsonschema would build 38 grammars of addresses when it is imported, and use none. So nbval,
# which imports it, is kept (in pyproject.toml) from being a plug-in before this is said.
sys.modules.setdefault("rfc3987_syntax", None)
import nbformat  # noqa: E402
import nbval.kernel  # noqa: E402

pytest_plugins = ["nbval.plugin"]

LONG = ("09-", "14-", "12-", "13-", "18-")  # begun last, they would be waited for
RUN = pytest.StashKey[dict]()  # of the session: notebooks of which all cells agree, as JSON
CELLS = pytest.StashKey[list]()  # of a notebook: its code cells that agree, with their outputs


def pytest_addoption(parser):
    """Let `make test` ask that no notebook be run twice."""
    words = "let the build of the book take the outputs of notebooks that passed from this run"
    parser.addoption("--keep-outputs", action="store_true", help=words)


def pytest_configure(config):
    """Let nbval start kernels apart from one another."""
    config.stash[RUN] = {}
    make = nbval.kernel.KernelManager
    nbval.kernel.KernelManager = lambda **settings: make(**kernels.apart(), **settings)


def pytest_collection_modifyitems(items):
    """Begin with the notebooks that take long."""
    items.sort(key=lambda item: hasattr(item, "cell") and not item.path.name.startswith(LONG))


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


# --- what passed, for the book ------------------------------------------------------------------


def pytest_runtest_makereport(item, call):
    """Note what was put out by a cell that was compared, and passed."""
    compared = hasattr(item, "test_outputs") and item.cell.execution_count is not None
    if compared and call.when == "call" and call.excinfo is None:
        note(item)


def note(item) -> None:
    """Note what a cell has put out; and the notebook, if that was its last one."""
    cells = item.parent.stash.setdefault(CELLS, [])
    cells.append(copy.deepcopy(item.cell))
    cells[-1].outputs = [nbformat.from_dict(output) for output in item.test_outputs]
    code = [cell for cell in item.parent.nb.cells if cell.cell_type == "code"]
    if len(cells) == len(code):
        made = copy.deepcopy(item.parent.nb)
        made.cells = [cells.pop(0) if c.cell_type == "code" else c for c in made.cells]
        item.config.stash[RUN][str(item.path)] = nbformat.writes(made)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over what a worker of pytest-xdist has run."""
    node.config.stash[RUN] |= getattr(node, "workeroutput", {}).get("run", {})


def pytest_sessionfinish(session):
    """Hand over what was run: to the process that began the session; and there, to the book."""
    run = session.config.stash[RUN]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["run"] = run
    elif run and session.config.option.keep_outputs:
        import outputs  # and with it all that runs notebooks

        outputs.keep(session.config.rootpath, run)
        print(f"\nThe outputs of {len(run)} notebooks are kept for `make book`.")
