"""What a reader downloads runs, or says what it needs."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

import bundle

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))


@pytest.fixture
def unpacked(tmp_path) -> Path:
    """The folder that the zip unpacks to."""
    bundle.write(ROOT, tmp_path / "b.zip")
    zipfile.ZipFile(tmp_path / "b.zip").extractall(tmp_path)
    return tmp_path / bundle.NAME


def test_the_same_files_give_the_same_bytes_whenever_they_were_written(tmp_path):
    here = tmp_path / "here"
    for name in ("book/a.ipynb", "book/policygrad/b.py", "_ext/c.py", "_static/d", "docs/e"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(name)
    for name in (part for part in bundle.PARTS if not (here / part).exists()):
        (here / name).write_text(name)
    bundle.write(here, tmp_path / "1.zip")
    for path in here.rglob("*"):
        os.utime(path, (0, 10**9))
    shutil.copytree(here, again := tmp_path / "again")
    for junk in (".ipynb_checkpoints/a.ipynb", "policygrad/__pycache__/b.pyc"):
        (again / "book" / junk).parent.mkdir()
        (again / "book" / junk).touch()
    bundle.write(again, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    names = zipfile.ZipFile(tmp_path / "1.zip").namelist()
    assert names == sorted(names) and len(names) == len(bundle.PARTS) + 1


def test_the_bundle_holds_every_file_that_the_repository_has_of_its_parts():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no repository here to compare with")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"]
    listed = subprocess.run([*command, *bundle.PARTS], cwd=ROOT, capture_output=True, text=True)
    tracked = {name for name in listed.stdout.split("\0") if (ROOT / name).is_file()}
    assert {path.relative_to(ROOT).as_posix() for path in bundle.files(ROOT)} == tracked


def test_the_chapters_find_their_package_where_the_zip_was_unpacked(unpacked):
    asked = [sys.executable, "-c", "import policygrad; print(policygrad.__file__)"]
    answer = subprocess.run(asked, cwd=unpacked / "book", capture_output=True, text=True)
    assert Path(answer.stdout.strip()).parent == unpacked / "book" / "policygrad", answer.stderr
    assert {path.name for path in CHAPTERS} == {p.name for p in (unpacked / "book").glob("*.ipynb")}


def test_the_commands_that_need_more_than_the_bundle_say_so(unpacked):
    needs = {"test": "tests", "site-test": "tests", "bench": "benchmarks", "peers": "peers"}
    for target, folder in needs.items():
        run = subprocess.run(["make", target], cwd=unpacked, capture_output=True, text=True)
        assert run.returncode != 0
        assert run.stderr.startswith(f"The folder {folder} is in the repository")
    assert not (unpacked / ".venv").exists()


# --- a chapter alone ------------------------------------------------------------------------------


@pytest.fixture
def alone(tmp_path) -> Path:
    """A chapter as its page offers it."""
    path = Path(shutil.copy(CHAPTERS[0], tmp_path))
    bundle.tell_what_it_needs(path)
    return path


def test_a_chapter_alone_says_where_its_package_is(alone):
    cells = nbformat.read(alone, as_version=4).cells
    assert f"{bundle.NAME}.zip" in cells[0].source
    first = next(cell.source for cell in cells if cell.cell_type == "code")
    command = [sys.executable, "-c", "import sys; sys.modules['policygrad'] = None\n" + first]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == f"ModuleNotFoundError: {bundle.SAYS}"


def test_a_chapter_beside_its_package_is_not_held_up(alone):
    cells = nbformat.read(alone, as_version=4).cells
    first = next(cell.source for cell in cells if cell.cell_type == "code")
    run = subprocess.run([sys.executable, "-c", first], cwd=ROOT / "book", capture_output=True)
    assert (run.returncode, run.stderr) == (0, b"")


def test_the_rest_of_the_chapter_is_untouched_and_told_once(alone):
    once = alone.read_bytes()
    notebook, original = json.loads(once), json.loads(CHAPTERS[0].read_bytes())
    assert notebook["cells"].pop(0) == bundle.NOTE
    assert notebook["cells"].pop(0) == bundle.TRIAL
    assert notebook == original
    nbformat.validate(json.loads(once))
    bundle.tell_what_it_needs(alone)
    assert alone.read_bytes() == once


# --- in the site ----------------------------------------------------------------------------------


@pytest.mark.site
def test_the_site_offers_the_bundle_of_these_files(site, tmp_path):
    bundle.write(ROOT, tmp_path / "b.zip")
    there = zipfile.ZipFile(site / f"{bundle.NAME}.zip")
    here = zipfile.ZipFile(tmp_path / "b.zip")
    assert there.namelist() == here.namelist()
    changed = [name for name in here.namelist() if here.read(name) != there.read(name)]
    assert changed == []


@pytest.mark.site
def test_the_download_menu_of_every_page_offers_the_bundle(site):
    pages = sorted((site / "book").glob("*.html"))
    assert pages
    for page in pages:
        assert f'href="../{bundle.NAME}.zip"' in page.read_text(encoding="utf-8"), page.name


@pytest.mark.site
def test_the_download_menu_saves_the_source_of_a_page_under_its_own_name(site):
    offered = {path.name for path in site.glob("_sources/book/*")}
    for page in sorted((site / "book").glob("*.html")):
        link = r'<a href="\.\./_sources/book/([^"]+)" download="([^"]+)"'
        ((source, name),) = re.findall(link, page.read_text(encoding="utf-8"))
        assert source == name and Path(name).stem == page.stem
        assert name in offered


@pytest.mark.site
def test_every_chapter_that_a_page_offers_says_what_it_needs(site):
    offered = sorted(site.glob("_sources/book/*.zip"))
    assert [path.stem for path in offered] == [path.stem for path in CHAPTERS]
    for path in offered:
        archive = zipfile.ZipFile(path)
        (name,) = archive.namelist()
        assert name == f"{path.stem}.ipynb"
        cells = json.loads(archive.read(name))["cells"]
        assert cells[:2] == [bundle.NOTE, bundle.TRIAL], name
