"""The installation gives exactly the lock, tomorrow too, and wherever the checkout lies.

Installed here are made-up packages, from a folder: `upper` needs `lower[more]`, of which the lock
has 1.0 and the folder 2.0 as well.  The Makefile and install.py are the real ones.
"""

import base64
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import bundle

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

spec = importlib.util.spec_from_file_location("install", ROOT / "install.py")
installer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(installer)


# --- made-up packages, and a checkout that is to have them ---------------------------------------


def wheel(folder: Path, name: str, version: str, *needs: str, extras=(), files=None) -> None:
    """Write a wheel that holds one package."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Provides-Extra: {extra}" for extra in extras]
    metadata += [f"Requires-Dist: {need}" for need in needs]
    content = {
        f"{name}/__init__.py": f"__version__ = {version!r}\n",
        **(files or {}),
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = []
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record.append(f"{path},sha256={digest.decode().rstrip('=')},{len(text)}\n")
        archive.writestr(f"{info}/RECORD", "".join(record) + f"{info}/RECORD,,\n")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> Path:
    """A folder of wheels; it is laid out as an index, too."""
    folder = tmp_path_factory.mktemp("wheels")
    wheel(folder, "upper", "1.0", "lower[more]>=1")
    wheel(folder, "lower", "1.0", extras=["more"])
    wheel(folder, "lower", "2.0", extras=["more"])
    uv = shutil.which("uv", path=Path(sys.executable).parent)
    main = f"import os, sys\nos.execv({uv!r}, [{uv!r}, *sys.argv[1:]])\n"
    wheel(folder, "uv", "1.0", files={"uv/__main__.py": main})
    wheel(folder, "uv", "0.9", files={"uv/__main__.py": "raise SystemExit('no way through')\n"})
    for path in folder.glob("*.whl"):
        page = folder / "simple" / path.name.split("-")[0] / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a") as links:
            links.write(f'<a href="{path.as_uri()}#sha256={sha(path)}">{path.name}</a>\n')
    return folder


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lock(wheels: Path, *names: str) -> str:
    """Give a lock of packages that the folder has, each as name==version."""
    entries = []
    for name in names:
        path = wheels / f"{name.replace('==', '-')}-py3-none-any.whl"
        entries.append(f"{name} \\\n    --hash=sha256:{sha(path)}\n    # via upper\n")
    return "".join(entries)


def checkout(folder: Path, lock: str) -> Path:
    """Lay out as much of the book as an installation needs."""
    (folder / "book" / "policygrad").mkdir(parents=True)
    (folder / "book" / "policygrad" / "__init__.py").write_text("")
    for name in ("Makefile", "install.py"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "requirements.txt").write_text(lock)
    return folder


def make(folder: Path, *words: str, **environment) -> subprocess.CompletedProcess:
    """Call make there, apart from this run and from the settings of this machine."""
    inherited = {"PATH": os.environ["PATH"], "HOME": str(folder), "PIP_CONFIG_FILE": os.devnull}
    return subprocess.run(
        ["make", f"PYTHON={PYTHON}", *words],
        cwd=folder,
        env=inherited | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def offline(wheels: Path) -> dict[str, str]:
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}


def installed(folder: Path) -> list[str]:
    """What an environment holds beside its pip and setuptools."""
    found = (folder / ".venv").glob("lib/python3*/site-packages/*.dist-info")
    names = sorted(path.name.removesuffix(".dist-info").replace("-", "==") for path in found)
    return [name for name in names if not name.startswith(("pip=", "setuptools="))]


PYTHON = getattr(sys, "_base_executable", sys.executable)


# --- exactly the lock -----------------------------------------------------------------------------

EXACT = ["lower==1.0", "upper==1.0"]


def test_pip_installs_all_where_uv_does_not_get_through_and_a_lock_that_lacks_one_is_found_out(
    wheels, tmp_path
):
    # Where pip resolved dependencies itself it would refuse lower, which no line of the lock has.
    here = checkout(tmp_path / "here", lock(wheels, "uv==0.9", "upper==1.0"))
    run = make(here, "ready", PIP_INDEX_URL=(wheels / "simple").as_uri())
    assert "no way through" in (here / "_build" / "install.log").read_text(encoding="utf-8")
    assert installed(here) == ["upper==1.0", "uv==0.9"]
    assert run.returncode != 0
    assert "upper 1.0 requires lower, which is not installed" in run.stdout
    assert not (here / ".venv" / "requirements.txt").exists()


@pytest.fixture(scope="module")
def attempts(wheels, tmp_path_factory):
    """Two installations of the unpacked bundle: with a package that is nowhere, and without it."""
    above = tmp_path_factory.mktemp("attempts")
    bundle.write(ROOT, above / "b.zip")
    zipfile.ZipFile(above / "b.zip").extractall(above)
    here, kept = above / bundle.NAME, above / "someone's"
    kept.mkdir()
    (kept / "file").touch()
    (here / ".venv").symlink_to(kept)
    ghost = "ghost==1.0 --hash=sha256:" + 64 * "0" + "\n"
    runs = []
    index = {"PIP_INDEX_URL": (wheels / "simple").as_uri()}
    for text, settings in (
        (lock(wheels, *EXACT) + ghost, offline(wheels)),
        (lock(wheels, "uv==1.0", *EXACT), index),
    ):
        (here / "requirements.txt").write_text(text)
        runs.append(make(here, "ready", **settings))
        runs[-1].whole = (here / ".venv" / "requirements.txt").exists()
        runs[-1].rests = (here / ".venv" / "rest").exists()
        (here / ".venv" / "rest").touch()
    return here, kept, runs


def test_uv_installs_exactly_the_lock_from_the_mirror_that_pip_is_set_to(attempts):
    here, _, (_, run) = attempts
    assert (run.returncode, run.whole) == (0, True), run.stdout
    assert installed(here) == [*EXACT, "uv==1.0"]
    log = (here / "_build" / "install.log").read_text(encoding="utf-8")
    assert "-m uv pip install" in log and "-m pip install" in log
    assert not re.search(r"-m pip install .*requirements.txt", log)


def test_the_bundle_of_the_site_is_ready_where_it_was_unpacked(attempts):
    here, _, _ = attempts
    shown = make(here, "--dry-run", "lab").stdout
    assert "_ext/lab.py" in shown


def test_a_failed_installation_shows_the_last_words_and_the_next_one_starts_anew(attempts):
    here, kept, (failed, last) = attempts
    assert (failed.returncode != 0, failed.whole) == (True, False)
    assert "No matching distribution found for ghost==1.0" in failed.stdout
    assert str(here / "_build" / "install.log") in failed.stdout
    assert len(failed.stdout.splitlines()) < 20
    assert not last.rests, "what an installation left behind is gone"
    assert (kept / "file").exists(), "what a link pointed to is not ours to remove"
    assert len(last.stdout.splitlines()) == 2, last.stdout


# --- wherever the checkout lies, whatever is set there --------------------------------------------

PROBE = """include Makefile
probe: ready
\t@$(RUN) -c 'import os, sys, upper; print(__debug__, sys.flags.utf8_mode, \\
\t\tos.environ.get("PYTHONPATH"), os.environ["IPYTHONDIR"])'
"""


@pytest.fixture(scope="module")
def odd(wheels, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """An installation in surroundings that are odd in every way at once."""
    above = tmp_path_factory.mktemp("odd")
    junk = above / "junk"
    junk.mkdir()
    for name in ("upper", "pip", "venv", "re"):
        (junk / f"{name}.py").write_text("raise ImportError('junk')\n")
    (junk / "pip.conf").write_text("[global]\nuser = true\n")
    here = checkout(above / "Ünï cödé 策略's dir" / "pg", lock(wheels, *EXACT))
    (here / "probe.mk").write_text(PROBE)
    surroundings = {
        "LC_ALL": "C",
        "HOME": f"{os.devnull}/home",  # nobody can write there, root included
        "PIP_CONFIG_FILE": str(junk / "pip.conf"),
        "PYTHONPATH": str(junk),
        "PYTHONOPTIMIZE": "1",
        "MAKEFLAGS": "-j4",
        "TZ": "Pacific/Chatham",
    }
    return here, make(here, "-f", "probe.mk", "probe", **offline(wheels), **surroundings)


def test_pip_installs_exactly_the_lock_in_odd_surroundings_too(odd):
    # The lock pins lower without its extra: pip before 23.3 then looks lower[more] up anew.
    here, run = odd
    assert run.returncode == 0, run.stdout
    assert installed(here) == EXACT
    assert f"True 1 None {here}/_build/.ipython\n" in run.stdout


def test_nothing_is_left_outside_the_environment_and_the_build_folder(odd):
    here, _ = odd
    assert {path.name for path in here.parent.parent.iterdir()} == {"junk", here.parent.name}
    assert {path.name for path in here.parent.iterdir()} == {"pg"}
    made = {path.name for path in here.iterdir()} - {"Makefile", "install.py", "book", "probe.mk"}
    assert made == {".venv", "_build", "requirements.txt"}


def test_a_moved_checkout_is_ready_and_finds_its_own_package(odd, wheels, tmp_path):
    here, _ = odd
    moved = tmp_path / "moved to"
    shutil.copytree(here, moved, symlinks=True)  # as if moved: what points back would be noticed
    here.rename(away := here.with_name("gone"))
    try:
        run = make(moved, "-f", "probe.mk", "probe", **offline(wheels))
        asked = [moved / ".venv/bin/python", "-c", "import policygrad; print(policygrad.__file__)"]
        answer = subprocess.run(asked, cwd="/", capture_output=True, encoding="utf-8")
    finally:
        away.rename(here)
    assert run.returncode == 0, run.stdout
    assert "Installing" not in run.stdout
    found = Path(answer.stdout.strip())
    assert found.resolve() == (moved / "book/policygrad/__init__.py").resolve(), answer.stderr


@pytest.mark.parametrize("name", ["Makefile", ".pre-commit-config.yaml", ".ci/run", "README.md"])
def test_no_command_calls_a_script_that_holds_the_path_of_the_checkout(name):
    called = re.findall(r"\.venv/bin/[\w-]+", (ROOT / name).read_text(encoding="utf-8"))
    assert set(called) <= {".venv/bin/python"}


def test_the_makefile_keeps_to_what_make_3_81_knows():
    assert not re.search(r"\.SHELLFLAGS|\.ONESHELL|\$\(file |!=|^\s*undefine|::=", MAKEFILE, re.M)


# --- what cannot work says what to do -------------------------------------------------------------


def test_a_python_that_is_not_there_is_named_in_one_line(tmp_path):
    here = checkout(tmp_path / "here", "")
    run = make(here, "PYTHON=nosuch", "ready")
    first, *rest = run.stdout.splitlines()
    assert first == "There is no program 'nosuch'. Name a Python: make PYTHON=python3.12"
    assert len(rest) == 1 and rest[0].startswith("make: ***")


@pytest.mark.parametrize(
    "script, said",
    [
        ('case "$1$2" in -c) ;; --version) echo Python 3.8.18 ;; *) exit 1 ;; esac', "3.8.18"),
        ("echo 'pyenv: python3.12: command not found' >&2; exit 127", "does not start"),
    ],
    ids=["too old", "a shim without a Python"],
)
def test_a_python_that_will_not_do_is_refused_in_one_line(script, said, tmp_path):
    here = checkout(tmp_path / "here", "")
    other = tmp_path / "another's python"
    other.write_text(f"#!/bin/sh\n{script}\n")
    other.chmod(0o755)
    run = make(here, f"PYTHON={other}", "ready")
    first, *rest = run.stdout.splitlines()
    assert said in first and str(other) in first and "make PYTHON=python3.12" in first
    assert len(rest) == 1
    assert not (here / ".venv").exists()


def test_a_python_without_venv_names_the_package_that_brings_it(monkeypatch):
    monkeypatch.setattr(installer, "base_python", lambda: shutil.which("false"))
    with pytest.raises(installer.Failed, match="apt install python3-venv"):
        installer.new_environment({})


@pytest.mark.parametrize(
    "file, variables, index",
    [
        ("", {}, ""),
        ("[global]\nindex-url = here\n", {}, "here"),
        ("[global]\nindex-url = here\n[install]\nindex-url = there\n", {}, "there"),
        ("[install]\nindex-url = there\n", {"PIP_INDEX_URL": "elsewhere"}, "elsewhere"),
        ("[global]\nno-index = true\nindex-url = here\n", {}, "none"),
        ("[global]\nindex-url = here\n", {"PIP_NO_INDEX": "0"}, "here"),
    ],
)
def test_uv_is_told_of_the_mirror_as_pip_would_take_it(file, variables, index, tmp_path):
    (tmp_path / "pip.conf").write_text(file)
    machine = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")}
    settings = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "HOME": str(tmp_path)}
    settings |= {"XDG_CONFIG_HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path)}
    pip = [sys.executable, "-m", "pip"]
    assert installer.index_of(pip, machine | settings | variables) == index


# --- progress -------------------------------------------------------------------------------------


def test_progress_counts_the_packages_that_pip_turns_to():
    said = installer.pip_progress(3)
    lines = ["Collecting lower==1.0 (from -r x)\n", "  Using cached lower.whl\n"]
    lines += ["Ignoring colorama: markers do not match\n", "Installing collected packages: a\n"]
    shown = ["1 of 3: lower==1.0", "", "2 of 3: colorama", "installing"]
    assert [said(line) for line in lines] == shown


def test_progress_counts_the_large_packages_that_uv_has_fetched():
    said = installer.uv_progress()
    lines = [
        "Downloading scipy (33.4MiB)\n",
        "Downloading numpy (16.0MiB)\n",
        " Downloaded numpy\n",
    ]
    assert [said(line) for line in lines] == [
        "0 of 1 large packages: scipy",
        "0 of 2 large packages: numpy",
        "1 of 2 large packages: numpy",
    ]
    assert said("Prepared 2 packages in 1s\n") == "installing"


# --- the lock itself ------------------------------------------------------------------------------


def pins() -> dict[str, Requirement]:
    """What the lock has for this machine, by name."""
    found = {}
    for line in re.findall(r"^\w.*?(?= \\$)", LOCK, re.MULTILINE):
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate():
            found[canonicalize_name(wanted.name)] = wanted
    return found


def asked_for() -> list[tuple[str, Requirement]]:
    """What each package of the lock needs here, and what the lock's own source asks for."""
    needs = []
    for name, pin in pins().items():
        for text in distribution(name).requires or ():
            need = Requirement(text)
            surroundings = [default_environment() | {"extra": e} for e in ("", *pin.extras)]
            if need.marker is None or any(map(need.marker.evaluate, surroundings)):
                needs.append((name, need))
    source = (ROOT / "requirements.in").read_text(encoding="utf-8")
    needs += [
        ("requirements.in", Requirement(r)) for r in re.findall(r"^[\w.,<=\[\]-]+", source, re.M)
    ]
    return needs


def test_whatever_a_package_needs_is_in_the_lock():
    has = pins()
    for name, need in asked_for():
        pin = has.get(canonicalize_name(need.name))
        assert pin is not None, f"{name} needs {need}, which is not in the lock"
        version = str(pin.specifier).removeprefix("==")
        assert need.specifier.contains(version, prereleases=True), f"{name} needs {need}, not {pin}"


def test_an_extra_that_a_package_asks_for_is_pinned_with_it():
    # pip before 23.3 takes coverage[toml] for a name of its own, which coverage==1.0 leaves open.
    has = pins()
    for name, need in asked_for():
        pin = has[canonicalize_name(need.name)]
        assert need.extras <= pin.extras, f"{name} asks for {need}, the lock has {pin}"


def test_every_entry_of_the_lock_has_a_version_and_a_hash():
    entries = re.split(r"\n(?=\w)", LOCK.split("\n", 2)[2])
    assert len(entries) == len(installer.packages(LOCK)) > 100
    assert [e for e in entries if "==" not in e or "--hash=sha256:" not in e] == []


def test_the_lock_names_no_host():
    assert "://" not in LOCK and "--index-url" not in LOCK and "--find-links" not in LOCK


def test_the_entry_of_a_package_is_whole_and_its_own():
    alone = installer.entry(LOCK, "uv")
    assert installer.packages(alone)[0].startswith("uv==") and len(installer.packages(alone)) == 1
    assert alone.count("--hash=") > 5
    assert installer.entry(LOCK, "nosuch") == ""


def test_make_lock_passes_on_what_is_to_be_upgraded():
    shown = make(ROOT, "--dry-run", "lock", "ARGS=--upgrade-package numpy").stdout
    assert "-m uv pip compile requirements.in" in shown
    assert "--no-strip-extras" in shown and "--upgrade-package numpy" in shown


# --- elsewhere ------------------------------------------------------------------------------------


def test_every_action_of_the_workflow_is_named_by_the_digest_of_a_commit():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    used = re.findall(r"uses: *(.*)", text)
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", action), action


def test_the_workflow_runs_on_every_python_of_the_book_and_on_two_systems():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    matrix = yaml.safe_load(text)["jobs"]["book"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert {"system": "macos-latest", "python": "3.13"} in matrix["include"]
