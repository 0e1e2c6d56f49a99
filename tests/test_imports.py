"""The floors of the package: a module imports only from floors below its own."""

import ast
import functools
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "book" / "policygrad"
FLOORS = {
    "validate": 1,
    "memory": 1,
    "tables": 2,
    "trajectories": 2,
    "policies": 3,
    "mdp": 3,
    "worlds": 4,
    "exact": 4,
    "sampling": 4,
    "estimators": 4,
    "learning": 5,
    "primitives": 5,
    "trial": 5,
}
APART = {"symbolic", "checks", "figures", "formulas"}
DOORS_FOR = {"checks": {"validate", "formulas"}, "figures": {"validate"}}
# Oracles share no code with what they judge.
STRANGERS = (
    {"exact", "estimators", "symbolic"},
    {"exact/adjoint", "exact/enumeration", "exact/forwards"},
    {"exact/values", "exact/enumeration", "exact/forwards"},
    {"exact/endless", "exact/enumeration", "exact/forwards"},
    {"exact/groups", "exact/information", "exact/surrogates", "exact/adjoint", "exact/forwards"},
    {"exact/groups", "exact/information", "exact/surrogates", "exact/routes"},
    {"exact/information", "exact/surrogates", "exact/enumeration"},
    {"exact/groups", "exact/values"},
)
LIBRARIES = {
    "symbolic": {"sympy"},
    "checks": {"numpy", "sympy", "mpmath"},
    "figures": {"numpy", "matplotlib"},
    "formulas": {"numpy", "sympy"},
}
BY_NAME = ("import_module", "__import__", "exec", "eval")  # ways around an import statement


def room(path):
    """A module's name below the package: "mdp", "exact/adjoint"; of a folder, "exact"."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "/".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


SOURCES = {room(path): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
MODULES = sorted(SOURCES)


@functools.cache
def imported(name, source):
    """(siblings, libraries) that a module imports anywhere in its text."""
    siblings, libraries = set(), set()
    folder = any(other.startswith(f"{name}/") for other in MODULES)
    here = name.split("/") if folder else name.split("/")[:-1]  # from the package down
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            libraries |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - (node.level - 1)]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            siblings |= {_named([*base, *name.split(".")]) for name in names}
        elif isinstance(node, ast.ImportFrom):
            top, *rest = node.module.split(".")
            if top == "policygrad":
                siblings |= {_named(rest)} if rest else set()
            else:
                libraries.add(top)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in BY_NAME:
            libraries.add("something by its name")
    if "policygrad" in libraries:
        libraries.remove("policygrad")
        siblings.add("policygrad")
    return siblings, {name for name in libraries if name not in sys.stdlib_module_names}


def _named(parts):
    """The deepest module of the package that a dotted name reaches."""
    while len(parts) > 1 and "/".join(parts) not in SOURCES:
        parts = parts[:-1]
    return "/".join(parts)


def allowed_for(name, names):
    """(siblings, libraries) that a module may import; None where it has no floor."""
    top, inside = name.split("/")[0], "/" in name
    own = {other for other in names if other.startswith(f"{top}/")} if top != name else set()
    if name == "__init__":
        return set(), set()
    if top in APART:
        below, libraries = DOORS_FOR.get(top, set()), LIBRARIES[top]
    elif top in FLOORS:
        below = {other for other, floor in FLOORS.items() if floor < FLOORS[top]}
        libraries = {"numpy"}
    else:
        return None
    if not inside:  # a folder's own __init__ gathers its rooms
        own = {other for other in names if other.startswith(f"{name}/")}
    return below | own, libraries


def violations(sources):
    """Every import that the table of floors forbids, in words; sources are texts by module."""
    found = []
    for name, source in sorted(sources.items()):
        siblings, libraries = imported(name, source)
        may = allowed_for(name, set(sources))
        if may is None:
            found.append(f"{name} has no floor")
            continue
        allowed, libs = may
        for group in STRANGERS:
            if name in group:
                allowed = allowed - group
        found += [f"{name} imports {other}" for other in sorted(siblings - allowed - {name})]
        found += [f"{name} imports {other}" for other in sorted(libraries - libs)]
    return found


def test_every_module_imports_only_from_floors_below():
    assert violations(SOURCES) == []


@pytest.mark.parametrize(
    ("module", "line", "says"),
    [
        ("mdp", "from .policies import score", "mdp imports policies"),
        ("policies", "from . import worlds", "policies imports worlds"),
        ("exact", "from ..sampling import sample_trajectories", "exact imports sampling"),
        (
            "exact/adjoint",
            "from .forwards import MAX_STEPS",
            "exact/adjoint imports exact/forwards",
        ),
        (
            "exact/enumeration",
            "from . import adjoint",
            "exact/enumeration imports exact/adjoint",
        ),
        ("exact/forwards", "from .values import visits", "exact/forwards imports exact/values"),
        (
            "exact/forwards",
            "from ..exact.endless import solve",
            "exact/forwards imports exact/endless",
        ),
        ("exact/values", "from ..estimators import returns", "exact/values imports estimators"),
        (
            "exact/groups",
            "from ..estimators import reinforce_gradients",
            "exact/groups imports estimators",
        ),
        ("exact/groups", "from .values import occupancy", "exact/groups imports exact/values"),
        (
            "exact/information",
            "from .enumeration import enumerate_trajectories",
            "exact/information imports exact/enumeration",
        ),
        (
            "exact/surrogates",
            "from .routes import policy_gradient",
            "exact/surrogates imports exact/routes",
        ),
        ("estimators", "from ..exact import policy_gradient", "estimators imports exact"),
        ("symbolic", "from policygrad.mdp import MDP", "symbolic imports mdp"),
        ("checks", "def f():\n    from policygrad.exact import J", "checks imports exact"),
        ("checks/close", "from ..exact import occupancy", "checks/close imports exact"),
        ("worlds", "import matplotlib.pyplot", "worlds imports matplotlib"),
        ("sampling", "import sympy", "sampling imports sympy"),
        ("exact", "import scipy.linalg", "exact imports scipy"),
        ("__init__", "from .figures import Picture", "__init__ imports figures"),
        ("exact", "import policygrad.symbolic", "exact imports policygrad"),
        ("figures/style", "from ..exact import occupancy", "figures/style imports exact"),
        ("checks", "import IPython", "checks imports IPython"),
        ("formulas", "from ..exact import occupancy", "formulas imports exact"),
        ("formulas", "import mpmath", "formulas imports mpmath"),
        ("__init__", "from .formulas import evaluate", "__init__ imports formulas"),
        ("exact", "__import__('policygrad.symbolic')", "exact imports something by its name"),
        ("extra", "x = 1", "extra has no floor"),
    ],
)
def test_a_forbidden_import_is_noticed(module, line, says):
    altered = f"{SOURCES.get(module, '')}\n{line}\n"
    assert violations(SOURCES | {module: altered}) == [says]


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


def dotted(name):
    """The name under which Python imports a module."""
    return "policygrad" if name == "__init__" else f"policygrad.{name.replace('/', '.')}"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is_and_lists_only_what_it_has(name):
    module = importlib.import_module(dotted(name))
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
    assert silent(ast.parse(SOURCES[name])) == []


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
    module = importlib.import_module(dotted(name))
    for public in module.__all__:
        thing = getattr(module, public)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert (thing.__doc__ or "").strip(), public
            # a dataclass without one gets its signature instead
            assert not thing.__doc__.startswith(f"{public}("), public
