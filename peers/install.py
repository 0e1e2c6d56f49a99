"""Make peers/.venv from peers/requirements.txt; with --lock, compile that.

    .venv/bin/python peers/install.py [--lock [option ...]]

Called by `make peers` and `make peers-lock`.  Like the book's own, the lock names each package with
its version and hashes, and nothing is looked up beyond it.  The environment is whole if and only if
it holds a copy of the lock; one that is not is made anew.
"""

import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
LOCK, VENV = HERE / "requirements.txt", HERE / ".venv"
COPY = VENV / "requirements.txt"
UV = (sys.executable, "-m", "uv")
COMPILE = (
    *UV, "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes",
    "--no-emit-index-url", "--no-strip-extras", "--no-header", "--quiet",
)  # fmt: skip
HEADER = """# Made by `make peers-lock`: requirements.in, and released.in without its dependencies.
# triton, which compiles for GPUs, is left out.
"""


def run(*command, **options):
    """Run a command; where it fails, so does this."""
    done = subprocess.run(list(map(str, command)), cwd=HERE.parent, text=True, **options)
    if done.returncode:
        sys.exit(f"This failed: {' '.join(map(str, command))}")
    return done.stdout


def lock(options):
    """Compile the lock, keeping versions that are in it unless told otherwise."""
    parts = []
    for name, more in (
        ("requirements.in", ("--no-emit-package", "triton")),
        ("released.in", ("--no-deps",)),
    ):
        kept = HERE / f".{name}.txt"
        if LOCK.exists():
            shutil.copy(LOCK, kept)
        try:
            command = (*COMPILE, f"peers/{name}", *more, *options, "--output-file", kept)
            run(*command, stdout=subprocess.DEVNULL)
            parts.append(kept.read_text("utf-8"))
        finally:
            kept.unlink(missing_ok=True)
    LOCK.write_text(HEADER + "".join(parts), "utf-8")
    print("peers/requirements.txt is up to date; `make peers` installs it.")


def install():
    """Make the environment, unless it is there."""
    if COPY.exists() and COPY.read_bytes() == LOCK.read_bytes():
        return
    number = sum(
        "==" in line and line[0] not in "# " for line in LOCK.read_text("utf-8").splitlines()
    )
    print(
        f"1 of 2. Installing {number} packages into peers/.venv, on Linux with a GPU's libraries,"
    )
    print("   5 GB on disk. The book's own environment stays as it is.", flush=True)
    start = time.monotonic()
    run(*UV, "venv", "--quiet", "--clear", "--python", sys.executable, VENV)
    python = VENV / "bin" / "python"
    run(*UV, "pip", "install", "--python", python, "--no-deps", "--require-hashes", "-r", LOCK)
    shutil.copy(LOCK, COPY)
    print(f"   Installed in {time.monotonic() - start:.0f} s.", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--lock"]:
        lock(sys.argv[2:])
    else:
        install()
        print("2 of 2. Judging. Each library takes a minute or a few.", flush=True)
