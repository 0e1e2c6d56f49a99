"""How a page looks to those who read it otherwise: by keyboard, by ear, enlarged, on a phone.

`look_at` opens a page once and asks all of it: axe-core in both widths and both schemes, and a few
questions that axe does not ask.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js"
WIDE, TABLET, PHONE = 1280, 768, 390
SETTINGS = tuple((width, dark) for width in (WIDE, PHONE) for dark in (False, True))

# What axe finds elsewhere than in the colours does not depend on them.
IN_DARK = ("color-contrast", "link-in-text-block")
# Drawn formulas are hidden from readers by ear, who have MathML beside them.
RUN = """axe.run({exclude: [['mjx-math']]}, %s).then(found => found.violations.flatMap(
  rule => rule.nodes.map(node => [rule.id, node.target.join(' '), node.html.slice(0, 160),
    (node.any[0] || node.all[0] || node.none[0] || {}).message || ''])))"""


def scheme(page, dark: bool):
    """Switch the scheme, as the button of the page does in the end."""
    page.evaluate(f"document.documentElement.dataset.theme = '{'dark' if dark else 'light'}'")


def axe(page, *rules: str) -> list[tuple[str, str, str, str]]:
    """What axe finds: rule, place, source, words; given rules, by those alone."""
    options = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": rules}
    return [tuple(found) for found in page.evaluate(RUN % json.dumps(options))]
