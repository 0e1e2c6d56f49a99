"""Slips in the package, read from the table ``alterations.txt``."""

import re
from pathlib import Path

from package_slips import Alteration

TABLE = Path(__file__).with_suffix(".txt")


def read(text: str) -> list[Alteration]:
    """Give the slips of a table.

    Raises
    ------
    ValueError
        with the number of a line that is neither a module, nor a test, nor a slip.
    """
    module = test = None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if heading := re.fullmatch(r"\[([\w/]+)\]", line):
            module, test = heading[1], None
        elif module and re.match(r"test_\w+\.py(::test_\w+|$)", line):
            test = line
        else:
            parts = line.removeprefix("    ").replace("⏎", "\n").split(" | ")
            if test is None or not line.startswith("    ") or len(parts) != 3:
                raise ValueError(
                    f"line {number} of the table must be a [module], a test or "
                    f"'    slip | old | new' below both; it is {line!r}"
                )
            slip, old, new = parts
            found.append(Alteration(module, old, new, slip, test))
    return found


ALTERATIONS = read(TABLE.read_text("utf-8"))
