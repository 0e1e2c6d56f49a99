"""The floors of the package: a module imports only from floors below its own."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "book" / "policygrad"
FLOORS = {
    "mdp": 1,
    "trajectories": 1,
    "policies": 2,
    "worlds": 2,
    "exact": 3,
    "sampling": 3,
    "estimators": 4,
    "learning": 5,
}
APART = {"symbolic", "checks", "figures"}
STRANGERS = ({"exact", "estimators", "symbolic"},)  # oracles share no code with what they judge
LIBRARIES = {
    "symbolic": {"sympy"},
    "checks": {"numpy", "sympy", "mpmath"},
    "figures": {"numpy", "matplotlib"},
}
BY_NAME = ("import_module", "__import__", "exec", "eval")  # ways around an import statement
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))


def imported(path):
    """(siblings, libraries) that a module imports anywhere in its text."""
    siblings, libraries = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            libraries |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            siblings |= {name.split(".")[0] for name in names}
        elif isinstance(node, ast.ImportFrom):
            top, *rest = node.module.split(".")
            (siblings.update(rest[:1]) if top == "policygrad" else libraries.add(top))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in BY_NAME:
            libraries.add("something by its name")
    if "policygrad" in libraries:
        libraries.remove("policygrad")
        siblings.add("policygrad")
    return siblings, {name for name in libraries if name not in sys.stdlib_module_names}


def violations(folder):
    """Every import that the table of floors forbids, in words."""
    found = []
    for path in sorted(folder.glob("*.py")):
        name = path.stem
        siblings, libraries = imported(path)
        if name == "__init__":
            allowed, libs = set(), set()
        elif name in APART:
            allowed, libs = set(), LIBRARIES[name]
        elif name in FLOORS:
            allowed = {other for other, floor in FLOORS.items() if floor < FLOORS[name]}
            libs = {"numpy"}
        else:
            found.append(f"{name} has no floor")
            continue
        found += [f"{name} imports {other}" for other in sorted(siblings - allowed)]
        found += [f"{name} imports {other}" for other in sorted(libraries - libs)]
        for group in STRANGERS:
            found += [
                f"{name} imports {other}"
                for other in sorted(siblings & allowed & group)
                if name in group
            ]
    return found


def test_every_module_imports_only_from_floors_below():
    assert violations(PACKAGE) == []


@pytest.mark.parametrize(
    ("module", "line", "says"),
    [
        ("mdp", "from .policies import score", "mdp imports policies"),
        ("policies", "from . import worlds", "policies imports worlds"),
        ("exact", "from .sampling import sample_trajectories", "exact imports sampling"),
        ("estimators", "from .exact import policy_gradient", "estimators imports exact"),
        ("symbolic", "from policygrad.mdp import MDP", "symbolic imports mdp"),
        ("checks", "def f():\n    from .exact import occupancy", "checks imports exact"),
        ("worlds", "import matplotlib.pyplot", "worlds imports matplotlib"),
        ("sampling", "import sympy", "sampling imports sympy"),
        ("exact", "import scipy.linalg", "exact imports scipy"),
        ("__init__", "from .figures import Picture", "__init__ imports figures"),
        ("exact", "import policygrad.symbolic", "exact imports policygrad"),
        ("figures", "from .exact import occupancy", "figures imports exact"),
        ("checks", "import IPython", "checks imports IPython"),
        ("exact", "__import__('policygrad.symbolic')", "exact imports something by its name"),
        ("extra", "x = 1", "extra has no floor"),
    ],
)
def test_a_forbidden_import_is_noticed(module, line, says, tmp_path):
    for path in PACKAGE.glob("*.py"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    target = tmp_path / f"{module}.py"
    before = target.read_text(encoding="utf-8") if target.exists() else ""
    target.write_text(f"{before}\n{line}\n", encoding="utf-8")
    assert violations(tmp_path) == [says]


def loaded_after(statement):
    """Which libraries does a fresh interpreter hold after a statement?"""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_the_package_loads_neither_sympy_nor_matplotlib():
    assert not {"sympy", "matplotlib", "mpmath"} & loaded_after("import policygrad")


def test_importing_the_checks_loads_sympy_only_when_it_is_needed():
    assert not {"sympy", "matplotlib", "IPython"} & loaded_after("import policygrad.checks")
    assert "sympy" in loaded_after("import policygrad.symbolic")


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is_and_lists_only_what_it_has(name):
    module = importlib.import_module("policygrad" if name == "__init__" else f"policygrad.{name}")
    assert module.__doc__ and len(module.__doc__) > 80
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), public


def test_checks_print_where_there_is_no_ipython():
    code = (
        "import sys; sys.modules['IPython'] = None\n"
        "from policygrad.checks import close\nclose('one-and-one', 1 + 1, 2)"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    assert run.stdout == "ok  one-and-one · close · two computations agree to 1e-10\n"


def silent(tree):
    """Public functions, classes, methods and properties without a docstring or with no summary.

    A summary is the docstring's first line: a sentence that stands alone.
    """

    def look(body, prefix):
        for node in body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            summary, *rest = (ast.get_docstring(node) or "").splitlines() or [""]
            if not summary.endswith((".", ":", "?")) or (rest and rest[0].strip()):
                yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from look(node.body, f"{node.name}.")

    return list(look(tree.body, ""))


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_a_docstring_with_a_summary(name):
    assert silent(ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def f(): pass", ["f"]),
        ("def _f(): pass", []),
        ("def f():\n    'No full stop'", ["f"]),
        ("def f():\n    '''A line.\n    And more.'''", ["f"]),
        ("def f():\n    '''A line.\n\n    And more.'''", []),
        ("class A:\n    '''A.'''\n    def g(self): pass\n    def __len__(self): pass", ["A.g"]),
    ],
)
def test_a_missing_summary_is_noticed(code, found):
    assert silent(ast.parse(code)) == found


@pytest.mark.parametrize("name", [name for name in MODULES if name != "__init__"])
def test_every_public_name_has_a_docstring(name):
    module = importlib.import_module(f"policygrad.{name}")
    for public in module.__all__:
        thing = getattr(module, public)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert (thing.__doc__ or "").strip(), public
            # a dataclass without one gets its signature instead
            assert not thing.__doc__.startswith(f"{public}("), public
