"""`policygrad` can be had without the book: as a wheel that needs NumPy alone."""

import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import policygrad

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel that pip builds of a copy of the checkout, without a network."""
    try:
        version("setuptools")
    except PackageNotFoundError:
        pytest.skip("setuptools, which builds the wheel, is not installed")
    here = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, here / name)
    shutil.copytree(ROOT / "book", here / "book", ignore=shutil.ignore_patterns("__pycache__"))
    inner = here / "book" / "policygrad" / "rooms" / "deeper"
    inner.mkdir(parents=True)
    (inner / "__init__.py").touch()
    (inner.parent / "__init__.py").touch()
    command = [sys.executable, "-m", "pip", "wheel", here, "--wheel-dir", here / "wheels"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    run = subprocess.run([*command, *options], capture_output=True, text=True, cwd="/")
    assert run.returncode == 0, run.stdout + run.stderr
    (built,) = (here / "wheels").glob("*.whl")
    return built


def test_the_wheel_holds_every_module_of_the_package_and_no_chapter(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    sources = (ROOT / "book" / "policygrad").rglob("*.py")
    expected = {path.relative_to(ROOT / "book").as_posix() for path in sources}
    assert names == expected | {
        "policygrad/rooms/__init__.py",
        "policygrad/rooms/deeper/__init__.py",
    }


def test_the_wheel_has_the_version_of_the_package_and_requires_numpy_alone(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
    metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["Version"] == policygrad.__version__
    needs = metadata.get_all("Requires-Dist")
    assert [need for need in needs if "extra ==" not in need] == ["numpy>=2"]
    assert set(metadata.get_all("Provides-Extra")) == {"symbolic", "figures", "all"}


def test_the_citation_has_the_version_of_the_package():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {policygrad.__version__}\n" in citation


ABSENT = "import sys; sys.modules.update(dict.fromkeys(['sympy', 'mpmath', 'matplotlib']))\n"


def alone(code: str, wheel: Path) -> subprocess.CompletedProcess:
    """Run code with the wheel and NumPy, as if neither SymPy nor matplotlib were there."""
    start = ABSENT + f"sys.path.insert(0, {str(wheel)!r})\n"
    command = [sys.executable, "-W", "error", "-c", start + code]
    return subprocess.run(command, capture_output=True, text=True, cwd="/")


def test_numpy_is_enough_to_learn_and_to_compare(wheel):
    run = alone(
        "import numpy as np\n"
        "from policygrad import checks, exact, learning, policies, sampling, worlds\n"
        "assert '.whl' in checks.__file__\n"
        "checks.close('two-ways', np.ones(3), np.ones(3), rtol=1e-10)\n",
        wheel,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("ok")


@pytest.mark.parametrize(
    "code, said",
    [
        ("import policygrad.symbolic", "policygrad.symbolic needs SymPy: pip install sympy"),
        ("import policygrad.figures", "policygrad.figures needs matplotlib: pip install"),
        (
            "from policygrad.checks import identity; identity('a', 1, 1)",
            "checks.identity needs SymPy: pip install sympy",
        ),
        (
            "import numpy as np; from policygrad.checks import unbiased\n"
            "unbiased('a', np.random.default_rng(1).normal(size=(10_000, 2)), np.zeros(2))",
            "checks.unbiased needs mpmath, which comes with SymPy: pip install sympy",
        ),
    ],
)
def test_what_needs_more_than_numpy_says_what(code, said, wheel):
    run = alone(code, wheel)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith(f"ModuleNotFoundError: {said}")
