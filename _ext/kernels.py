"""Kernels that take no port from one another, or from anything else on the machine.

Jupyter picks free ports for a kernel, lets go of them, and the kernel takes them up a second later:
meanwhile another kernel, or any connection, may have got one. Where the system can, kernels are
therefore spoken to through files, in a folder of their own whose path is short enough for that.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import tempfile

_number = itertools.count()


@functools.cache
def _folder() -> str:
    folder = tempfile.mkdtemp(prefix="pg-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def apart() -> dict[str, str]:
    """Give the settings of a `KernelManager` for one kernel; none on Windows: it has ports only."""
    if os.name != "posix":
        return {}
    return {"transport": "ipc", "ip": os.path.join(_folder(), str(next(_number)))}
