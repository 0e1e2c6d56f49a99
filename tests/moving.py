"""Pictures that move: what such an output says, and the stills that it is made of.

    moving.read(output)       None, or the picture that the output is
    moving.drawing(output)    the SVG that an output draws, of either kind; "" for none

An output counts as such a picture only if it is, but for its drawing and its words, what the
package writes: the same script, style and controls.  So it can say nothing that is not read here.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path

BOOK = Path(__file__).resolve().parents[1] / "book"
if str(BOOK) not in sys.path:
    sys.path.insert(0, str(BOOK))

from policygrad.figures import marks, moving  # noqa: E402

OPENING = '<div class="pg-moving '
WORDS = re.compile(r'<g data-words="([^"]*)"( class="on")?>(.*?)</g>', re.DOTALL)
SPAN = re.compile(r'<g data-first="\d+" data-last="\d+"( class="on")?>(.*?)</g>', re.DOTALL)
SHAPE = re.compile(r"<(path|circle|rect) ([^>]*?)/>")


@dataclass(frozen=True)
class Moving:
    """A picture that moves: its alternative text, the words of its frames, and two drawings.

    ``still`` is what is seen first; ``whole`` is everything that is ever seen.  Both are SVG in the
    manner of matplotlib, so that they are read like any other picture.
    """

    alt: str
    words: tuple[str, ...]
    still: str
    whole: str


def read(output) -> Moving | None:
    """The picture that an output is, if it moves."""
    text = output.get("data", {}).get("text/html", "")
    return _read("".join(text)) if "".join(text).startswith(OPENING) else None


def drawing(output) -> str:
    """The SVG that an output draws; of a picture that moves, all that is ever seen."""
    found = read(output)
    return found.whole if found else output.get("data", {}).get("image/svg+xml", "")


@cache
def _read(html: str) -> Moving | None:
    whole = re.search(r'<svg [^>]*aria-label="([^"]*)">(.*?)</svg>', html, re.DOTALL)
    frames = WORDS.findall(whole[2]) if whole else []
    still = [k for k, (_, seen, _) in enumerate(frames) if seen]
    said = re.search(r"<output>(.*?)</output>", html)
    if len(still) != 1 or not said or unescape(said[1]) != unescape(frames[still[0]][0]):
        return None
    rest = html.replace(whole[0], "").replace(said[0], "")
    rest = re.sub(r"<label>[\w ]+<input[^<>]*></label>", "", rest)
    for known in (moving._style(), moving._SCRIPT):
        rest = rest.replace(known, "")
    if unescape(re.sub(r"<[^<>]*>", "", rest)).split() != ["−", "play", "+"]:
        return None
    base = SPAN.sub("", WORDS.sub("", whole[2]))
    spans = SPAN.findall(whole[2])
    seen_first = [marks for seen, marks in spans if seen] + [frames[still[0]][2]]
    ever = [marks for _, marks in spans] + [marks for _, _, marks in frames]
    words = tuple(unescape(said) for said, _, _ in frames)
    return Moving(
        unescape(whole[1]),
        words,
        _as_svg([base, *seen_first], words[still[0] : still[0] + 1]),
        _as_svg([base, *ever], words),
    )


def _as_svg(parts, words) -> str:
    """The same drawing as matplotlib would write it: colours as styles, words as comments."""
    drawn = re.sub(r"<text ([^>]*)>(.*?)</text>", _text, "".join(parts))
    drawn = SHAPE.sub(_shape, drawn)
    said = "".join(f'<g id="text_0"><!-- {word} --></g>' for word in words)
    space = 'xmlns="http://www.w3.org/2000/svg"'
    return f'<svg {space}><g id="axes_1">{drawn}{said}</g></svg>'


def _text(found) -> str:
    return f'<g id="text_1"><!-- {unescape(found[2])} --></g>'


def _shape(found) -> str:
    kind, look = found[1], dict(re.findall(r'([\w-]+)="([^"]*)"', found[2]))
    paint, _, colour = look["class"].split()[0].partition("-")
    colour = marks.COLOURS[colour][0].lower()
    solid = paint == "f" and "fill-opacity" not in look  # else a ground, not a bar
    style = f"fill: {colour}" if solid else f"fill: none; stroke: {colour}"
    style += "; stroke-dasharray: 5 4" if "stroke-dasharray" in look else ""
    path = look.get("d", "M 0 0 L 1 0 L 1 1 L 0 1 z")
    if kind == "circle" and paint == "s":
        return f'<g id="patch_1"><path d="M 0 0 C 1 1 2 2 3 3 z" style="{style}"/></g>'
    if kind == "circle" or look.get("stroke-linecap") == "round":
        return f'<g id="PathCollection_1"><path d="M 0 0 C 1 1 2 2 3 3 z" style="{style}"/></g>'
    if "star" in look["class"]:
        return f'<g id="PathCollection_1"><path d="{path}" style="{style}"/></g>'
    group = "patch_1" if paint == "f" or kind == "rect" else "line2d_1"
    return f'<g id="{group}"><path d="{path}" style="{style}"/></g>'
