"""Make .venv from the lock, requirements.txt: `make` calls this, once and after each new lock.

    python3 install.py

Nothing is resolved here.  The lock names every package with its version and its hashes, so each is
installed as it stands there and none is looked up beyond it (--no-deps); `pip check` then says
whether one is missing.  uv does in seconds what takes pip a minute, so pip fetches uv, which is in
the lock, and uv the rest.  Where uv does not get through, pip does it all: it knows more settings
of a machine, such as a mirror of packages.

The environment is whole if and only if it holds a copy of the lock that it was made from.  The copy
is written last: an interrupted installation starts again from nothing.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.txt"
VENV = ROOT / ".venv"
LOG = ROOT / "_build" / "install.log"
LAST_WORDS = 12  # lines of the log that a failure shows
SILENCE = 10  # seconds between two lines of progress where no terminal shows them in place

# Settings of pip that would lead it out of .venv.
ASTRAY = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV")
PIP = ("--disable-pip-version-check", "--no-input")
EXACTLY = ("--no-deps", "--require-hashes")


class Failed(Exception):
    """What went wrong, in words for the reader."""


def packages(lock: str) -> list[str]:
    """Give the lines of a lock that name a package."""
    return re.findall(r"^[A-Za-z0-9][^\s;]*==[^\s;\\]+", lock, re.MULTILINE)


def entry(lock: str, name: str) -> str:
    """Give the whole entry of a package, hashes and all; empty where the lock has none."""
    found = re.search(rf"^{name}==.*(?:\n .*)*", lock, re.MULTILINE)
    return found[0] + "\n" if found else ""


class Progress:
    """One line that says how far it is: in place on a terminal, else now and then."""

    def __init__(self):
        self.terminal, self.shown = sys.stdout.isatty(), time.monotonic()

    def show(self, text: str) -> None:
        """Show it in place of what was shown before."""
        now = time.monotonic()
        if self.terminal:
            print(f"\r\033[K  {text}", end="", flush=True)
        elif now - self.shown > SILENCE:
            print(f"  {text}", flush=True)
            self.shown = now

    def clear(self) -> None:
        """Leave the line empty."""
        if self.terminal:
            print("\r\033[K", end="", flush=True)


def run(command, environment, said=None) -> None:
    """Run a command, its words going to the log; `said` makes progress of each line."""
    progress = Progress()
    with LOG.open("a", encoding="utf-8") as log:
        print("$", *command, file=log, flush=True)
        with subprocess.Popen(
            list(map(str, command)),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            for line in process.stdout:
                print(line, end="", file=log)
                if said and (text := said(line)):
                    progress.show(text)
    progress.clear()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def pip_progress(total: int):
    """How many of the packages pip has turned to."""
    seen = 0

    def said(line: str) -> str:
        nonlocal seen
        if not line.startswith(("Collecting ", "Ignoring ", "Requirement already")):
            return "installing" if line.startswith("Installing collected") else ""
        seen += 1
        return f"{seen} of {total}: {line.split()[1].rstrip(':')}"

    return said


def uv_progress():
    """Which of the large packages has arrived; the small ones uv does not mention."""
    due, there = set(), set()

    def said(line: str) -> str:
        if found := re.match(r"\s*(Downloading|Downloaded|Building|Built) (\S+)", line):
            (due if found[1].endswith("ing") else there).add(found[2])
            return f"{len(there)} of {len(due | there)} large packages: {found[2]}"
        return "installing" if line.startswith("Prepared ") else ""

    return said


def index_of(pip, environment) -> str:
    """The mirror that pip is set to use, if any; "none" where it is to ask no index at all."""
    asked = [*pip, "config", "list"]
    answer = subprocess.run(asked, env=environment, capture_output=True, encoding="utf-8")
    found = re.findall(r"^(\S+)\.([\w-]+)='(.*)'$", answer.stdout, re.MULTILINE)
    order = ("global", "install", ":env:")  # the later one wins
    settings = {key: value for section in order for place, key, value in found if place == section}
    if settings.get("no-index", "false").lower() not in ("0", "false", "no", "off"):
        return "none"
    return settings.get("index-url", "")


def cache_is_writable(environment) -> bool:
    """Whether uv can keep what it fetched in the reader's home."""
    home = Path(environment.get("HOME") or os.path.expanduser("~"))
    cache = Path(environment.get("UV_CACHE_DIR") or environment.get("XDG_CACHE_HOME") or home)
    nearest = next(folder for folder in [cache, *cache.parents] if folder.exists())
    return os.access(nearest, os.W_OK | os.X_OK)


def with_uv(python: Path, lock: str, environment) -> bool:
    """Install the lock by uv; False where there is no way with it here."""
    mine, index = entry(lock, "uv"), index_of([python, "-m", "pip"], environment)
    if not mine or index == "none":
        return False
    if index and not any(name in environment for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")):
        environment = environment | {"UV_DEFAULT_INDEX": index}
    if not cache_is_writable(environment):
        environment = environment | {"UV_NO_CACHE": "1"}
    only = VENV / "uv.txt"
    only.write_text(mine, encoding="utf-8")
    fetch = [python, "-m", "pip", "install", *PIP, *EXACTLY, "--retries", "1", "-r", only]
    # As pip does. Where Python may not write it, each process would compile all that it imports.
    install = [python, "-m", "uv", "pip", "install", "--compile-bytecode", "--python", python]
    install += [*EXACTLY, "-r", LOCK]
    try:
        run(fetch, environment)
        run(install, environment, uv_progress())
    except subprocess.CalledProcessError:
        return False
    finally:
        only.unlink()
    return True


def with_pip(python: Path, lock: str, environment) -> None:
    """Install the lock by pip."""
    command = [python, "-m", "pip", "install", *PIP, *EXACTLY, "-r", LOCK]
    run(command, environment, pip_progress(len(packages(lock))))


def base_python() -> str:
    """The Python under this one: a virtual environment must not stand on another."""
    return getattr(sys, "_base_executable", None) or sys.executable


def new_environment(environment) -> Path:
    """Make .venv anew, with pip in it and nothing else; give its Python."""
    for module in ("venv", "ensurepip"):
        known = subprocess.run([base_python(), "-c", f"import {module}"], capture_output=True)
        if known.returncode:
            raise Failed(
                f"{sys.executable} has no {module}, which makes .venv. On Debian or Ubuntu: "
                "apt install python3-venv. Or name another Python: make PYTHON=python3.12"
            )
    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        shutil.rmtree(VENV)
    run([base_python(), "-m", "venv", VENV], environment)
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def point_to_the_book() -> None:
    """Let .venv find policygrad from any folder: by a relative path, so that both can move."""
    for site in [*VENV.glob("lib/python3*/site-packages"), *VENV.glob("Lib/site-packages")]:
        path = os.path.relpath(ROOT / "book", site)
        (site / "policygrad_book.pth").write_text(path + "\n", encoding="utf-8")


def install() -> None:
    """Make .venv from the lock."""
    lock = LOCK.read_text(encoding="utf-8")
    environment = {k: v for k, v in os.environ.items() if k not in ASTRAY} | {"PIP_USER": "0"}
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_text("", encoding="utf-8")
    start = time.monotonic()
    print(
        f"Installing the lock, {len(packages(lock))} packages at most, into .venv, once: "
        "half a minute with a fast network.",
        flush=True,
    )
    python = new_environment(environment)
    if not with_uv(python, lock, environment):
        with_pip(python, lock, environment)
    run([python, "-m", "pip", "check"], environment)
    point_to_the_book()
    shutil.copy(LOCK, VENV / LOCK.name)
    print(f"Installed in {time.monotonic() - start:.0f} s.", flush=True)


def main() -> str | int:
    """Install; give what to say where that failed."""
    try:
        install()
    except Failed as failure:
        return str(failure)
    except subprocess.CalledProcessError:
        words = LOG.read_text(encoding="utf-8").rstrip().splitlines()[-LAST_WORDS:]
        return "\n".join([*words, f"The installation failed; {LOG} has all of its words."])
    except OSError as failure:
        return f"The installation failed: {failure}"
    except KeyboardInterrupt:
        return "\nInterrupted. The next command starts the installation again."
    return 0


if __name__ == "__main__":
    sys.exit(main())
