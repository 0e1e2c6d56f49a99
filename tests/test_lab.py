"""`make lab` asks the network for nothing, and a chapter that is only read stays unchanged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from notebooks import METADATA

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ROOT / "_ext" / "lab"


def test_make_lab_uses_the_settings_of_this_folder():
    shown = subprocess.run(
        ["make", "--dry-run", "lab", "ARGS=--port=1234"], cwd=ROOT, capture_output=True, text=True
    ).stdout.splitlines()[-1]
    for variable in ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH"):
        assert f'{variable}="$PWD/{SETTINGS.relative_to(ROOT)}"' in shown
    assert shown.endswith(" -m jupyterlab --notebook-dir=book --port=1234")


def test_jupyterlab_asks_for_no_news_no_release_and_no_catalogue(tmp_path):
    alone = {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_CONFIG_PATH": str(SETTINGS)}
    shown = subprocess.run(
        [sys.executable, "-m", "jupyterlab", "--show-config-json"],
        env=os.environ | alone,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert json.loads(shown.stdout)["LabApp"] == {
        "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
        "extension_manager": "readonly",
        "news_url": None,
    }
    page = json.loads((SETTINGS / "labconfig" / "page_config.json").read_bytes())
    assert page["disabledExtensions"] == {"@jupyterlab/apputils-extension:announcements": True}


@pytest.fixture
def kernel(monkeypatch, tmp_path):
    """The kernel that JupyterLab starts for a chapter."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    specs = KernelSpecManager(kernel_dirs=[str(SETTINGS / "kernels")], ensure_native_kernel=False)
    manager = KernelManager(kernel_name="python3", kernel_spec_manager=specs)
    manager.start_kernel(cwd=ROOT / "book")
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        yield manager.kernel_spec, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_the_kernel_says_of_itself_just_what_a_chapter_stores_and_finds_the_package(kernel):
    # JupyterLab writes both into a notebook that it opens: other words would be a change.
    spec, client = kernel
    stored = {"display_name": spec.display_name, "language": spec.language, "name": "python3"}
    assert stored == METADATA["kernelspec"]
    info = client.kernel_info(reply=True, timeout=60)["content"]["language_info"]
    assert info == METADATA["language_info"]
    reply = client.execute_interactive(
        "from policygrad.worlds import two_state; two_state(gamma=1.0)", silent=True, timeout=60
    )
    assert reply["content"]["status"] == "ok"
