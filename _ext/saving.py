"""What JupyterLab saves of a chapter that was only read is what was there, byte for byte.

A browser has one kind of number, and sends 0.0 back as 0: a mere save would change the figures that
checks leave beside their verdicts. Where they are equal, compared as numbers, those on disk stay.
"""

from __future__ import annotations

import json


def keep_numbers(path: str, model: dict, contents_manager, **others) -> None:
    """Give what is about to be saved the metadata of the file where the two are equal."""
    if model.get("type") != "notebook":
        return
    try:
        with open(contents_manager._get_os_path(path), encoding="utf-8") as file:
            stored = {cell["id"]: cell for cell in json.load(file)["cells"]}
    except (OSError, ValueError, KeyError, TypeError):
        return  # a new file, or one that was no notebook of this form
    for cell in model["content"]["cells"]:
        before = stored.get(cell.get("id"), {})
        outputs = zip(cell.get("outputs", ()), before.get("outputs", ()), strict=False)
        for new, old in ((cell, before), *outputs):
            if "metadata" in new and new["metadata"] == old.get("metadata"):
                new["metadata"] = old["metadata"]
