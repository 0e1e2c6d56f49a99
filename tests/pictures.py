"""Alternative texts and captions, held to the pictures that they speak of.

A picture is read off the SVG that its cell has put out: the words and numbers in it, and what is
drawn in which colour.  A text about it is refused where it says what the picture does not show: a
number that neither stands in it nor is set by its cell or printed in its chapter, a colour in which
nothing of that kind is drawn, a name in capitals or quotation marks.  An alternative text that
names one of the palette's bright colours names all that are drawn, shares words with its picture,
and fits it better than it fits any other of its chapter.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from functools import cache, cached_property

import moving
import prose
from policygrad import figures

# What is black on a white page is white on a dark one, so that neither word is true of it.
PALETTE = {"uncoloured": figures.EXACT, "blue": figures.ESTIMATE, "green": figures.POLICY}
PALETTE |= {"orange": figures.WORLD, "vermillion": figures.WRONG, "orange-red": figures.WRONG}
PALETTE |= {"grey": figures.FAINT, "gray": figures.FAINT}
COLOURS = {name: colour.lower() for name, colour in PALETTE.items()}
BRIGHT = {COLOURS[name] for name in ("blue", "green", "orange", "vermillion")}
STRANGE = "red yellow purple violet pink brown magenta cyan turquoise black white".split()
COLOUR = re.compile(
    rf"(?<![\w-])({'|'.join([*sorted(COLOURS, key=len)[::-1], *STRANGE])})(?![\w-])"
)
# What a thing may be drawn as; a line is straight, a curve is not, an edge goes round an area.
KINDS = {
    "curve arch": {"curve"},
    "line ray": {"line"},
    "staircase path": {"curve", "line"},
    "dot circle disc": {"round"},
    "ring": {"ring"},
    "square triangle diamond star": {"angular"},
    "cross": {"cross"},
    "bar band block": {"area", "segment"},
    "arrow": {"tip"},
}
NOUNS = {noun: kinds for nouns, kinds in KINDS.items() for noun in nouns.split()}
# What stands in quotation marks, or has a capital in the middle of a sentence.
NAME = re.compile(r"“([^”]+)”|\"([^\"]+)\"|(?<=[a-z0-9,:] )(?![\w-]+-shaped)([A-Z][\w-]+)")
LEAST_WORDS = 12
COMMON = set(
    """about above across after again along also always among another around away because been
    before below beside between both curve each either every fall first four from have here highest
    hold into just left less like line lower mark more most near nearly never next none once only
    other over place point reach right rise same second side small stand stay step than that their
    them then there these they this three through upper very well were what where which while whole
    with within without""".split()
)


@dataclass(frozen=True)
class Image:
    """What an SVG shows."""

    svg: str

    @cached_property
    def texts(self) -> list[str]:
        """The texts in the picture."""
        return [text.strip() for text in re.findall(r"<!--(.*?)-->", self.svg, re.DOTALL)]

    @cached_property
    def numbers(self) -> list:
        """The numbers in these texts."""
        plain = (text.replace("\\mathdefault", "").strip("$") for text in self.texts)
        return [number for text in plain for number in prose.numbers(text)]

    @cached_property
    def drawn(self) -> set[tuple[str, str, bool]]:
        """What is drawn: its kind, its colour, and whether it is dashed."""
        shapes = dict(re.findall(r'<path id="(\w+)" d="([^"]*)"', self.svg))
        return set(_drawn(ET.fromstring(self.svg), "", shapes))

    @cached_property
    def bright(self) -> set[str]:
        """The bright colours in which something is drawn."""
        return {colour for _, colour, _ in self.drawn} & BRIGHT

    @cached_property
    def legend(self) -> dict[str, str]:
        """The names in the legends, each with the colour of the sign before it."""
        found, colour = {}, ""
        for legend in self.svg.split('<g id="legend_')[1:]:
            part = legend.partition('<g id="axes_')[0]
            for hue, name in re.findall(r"(?:fill|stroke): (#\w{6})|<!--(.*?)-->", part, re.DOTALL):
                colour = hue or colour
                found |= {name.strip(): colour} if name else {}
        return found

    @cached_property
    def words(self) -> set[str]:
        """The words and numbers that tell of the picture: those in it, and those for its parts."""
        found = stems(" ".join(re.sub(r"[\\$_^{}]", " ", text) for text in self.texts))
        dashes = set(re.findall(r"stroke-dasharray: ([^;\"]*)", self.svg))
        found |= {"panel"} if self.svg.count('<g id="axes_') > 1 else set()
        found |= {"dashed"} if dashes else set()
        colours = {colour for _, colour, _ in self.drawn}
        return found | {name for name, colour in COLOURS.items() if colour in colours}


@dataclass(frozen=True)
class Picture:
    """A picture with its texts, and the numbers that its cell sets and its chapter puts out.

    One that moves has a second image, ``whole``, with all that is ever seen.  Of that its caption
    may speak, the alternative text of what is seen first.
    """

    alt: str
    caption: str
    image: Image
    known: tuple
    whole: Image | None = None

    @cached_property
    def numbers(self) -> tuple:
        """The numbers that a text may speak of."""
        return (*self.image.numbers, *self.known)


def _drawn(element, group, shapes):
    name = element.get("id", "")
    group = re.sub(r"_\d+$", "", name) if element.tag.endswith("}g") and name else group
    if (
        element.tag.endswith("}defs")
        or group.startswith(("text", "xtick", "ytick"))
        or name.startswith("legend")
    ):
        return
    style = dict(re.findall(r"([\w-]+): ([^;]+)", element.get("style", "")))
    fill, stroke = style.get("fill", "none"), style.get("stroke", "none")
    dashed, path = "stroke-dasharray" in style, element.get("d", "")
    if element.tag.endswith("}use"):
        path = shapes.get(element.get("{http://www.w3.org/1999/xlink}href", "")[1:], "")
    if "PolyCollection" in group:
        yield "area", fill, dashed
    elif element.tag.endswith("}use") or group == "PathCollection":
        shape = "round" if "C" in path else "angular" if "z" in path else "cross"
        yield from ((shape, colour, False) for colour in (fill, stroke))
    elif element.tag.endswith("}path") and fill != "none":
        yield from (("area", fill, dashed), ("edge", stroke, dashed))
        if _is_round(path):
            yield from (("round", fill, dashed), ("ring", stroke, dashed))
        if len(re.findall("[MLCQ]", path)) <= 3:  # the three corners of an arrow's tip
            yield "tip", fill, dashed
    elif element.tag.endswith("}path") and group == "patch" and _is_round(path):
        yield "ring", stroke, dashed
    elif element.tag.endswith("}path"):
        kind = "line" if _straight(path) else "curve"
        kind = {"patch": "edge", "LineCollection": "segment"}.get(group, kind)
        yield kind, stroke, dashed
    for child in element:
        yield from _drawn(child, group, shapes)


def _is_round(path: str) -> bool:
    """Is a closed path made of arcs alone?"""
    return "C" in path and "L" not in path and "z" in path


def _straight(path: str) -> bool:
    """Do all points of a path lie on one line?"""
    numbers = [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", path)]
    points = [complex(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
    along = points[-1] - points[0]
    off = [((point - points[0]) * along.conjugate()).imag for point in points]
    return max(map(abs, off)) <= 0.5 * abs(along)


@cache
def image(svg: str) -> Image:
    """An SVG, read once."""
    return Image(svg)


def pictures(cells) -> list[Picture]:
    """The pictures of a chapter, in order."""
    printed = prose.evidence(cells).outputs
    found = []
    for cell in cells:
        outputs = cell.outputs if cell.cell_type == "code" else []
        for output in outputs:
            moves = moving.read(output)
            if svg := moves.still if moves else output.get("data", {}).get("image/svg+xml"):
                alt, caption, *_ = prose.prose_of(cell)
                set_here = prose.evidence([cell]).inputs
                whole = image(moves.whole) if moves else None
                found.append(Picture(alt, caption, image(svg), printed + set_here, whole))
    return found


@cache
def stems(text: str) -> set[str]:
    """The words of a text that say something, without a plural's s, and its numbers."""
    words = re.findall(r"[^\W\d_]{4,}", text.lower())
    words = {word.rstrip("s") for word in words}
    numbers = {f"{number.sign}{number.size.normalize()}" for number in prose.numbers(text)}
    return (words - COMMON) | numbers


def amiss(text: str, picture: Picture) -> list[str]:
    """What a text says that its picture does not show."""
    found = [
        f"{number.sign}{number.text} stands neither in the picture nor in an output"
        for number in prose.numbers(text)
        if not _known(number, picture)
    ]
    if chapters := set(re.findall(r"\bch\. (\d+)", " ".join(picture.image.texts))):
        named = re.findall(r"\bchapter (\d+)", text)
        found += [f"the picture has no chapter {n}" for n in named if n not in chapters]
    for match in COLOUR.finditer(text.lower()):
        before, after = text.lower()[: match.start()], text.lower()[match.end() :]
        noun, kinds = _noun(after)
        dashes = re.search(r"\b(dashed|dotted|solid) $", before)
        fitting = {
            colour
            for kind, colour, dashed in picture.image.drawn
            if kind in kinds and (not dashes or dashed == (dashes[1] != "solid"))
        }
        if COLOURS.get(match[0]) not in fitting:
            found.append(f"no {noun} in the picture is {dashes[0] if dashes else ''}{match[0]}")
    for sentence in re.split(r"(?<=[.;])\s", text):
        named = {colour for name, colour in picture.image.legend.items() if name in sentence}
        colours = COLOUR.findall(sentence.lower())
        if len(named) == len(colours) == 1 and named != {COLOURS.get(colours[0])}:
            found.append(f"the legend has another colour than {colours[0]}: {sentence}")
    shown = " ".join(picture.image.texts)
    for name in NAME.findall(text):
        if "".join(name) not in shown:
            found.append(f"the picture has no text {''.join(name)!r}")
    return found


def _noun(rest: str) -> tuple[str, set[str]]:
    """The noun behind a colour, within three words of it, and what such a thing is drawn as."""
    for word in re.findall(r"[\w-]+", re.split(r"[.,;:]", rest)[0])[:4]:
        for noun, kinds in NOUNS.items():
            if word in (noun, noun + "s", noun + "es"):
                return noun, kinds
    return "thing", {"edge", *set.union(*KINDS.values())}


def _known(number, picture):
    return number.is_output(picture.numbers) or number.is_input(picture.image.numbers)


def fit(text: str, picture: Picture) -> int:
    """How many words and numbers a text shares with a picture."""
    return len(stems(text) & picture.image.words)


def single(picture: Picture) -> list[str]:
    """What is wrong with the texts about one picture."""
    found = []
    for name in ("alt", "caption"):
        text = getattr(picture, name)
        seen = picture.whole if name == "caption" and picture.whole else picture.image
        found += [f"{name}: {what}" for what in amiss(text, replace(picture, image=seen))]
        named = {COLOURS.get(colour) for colour in COLOUR.findall(text.lower())}
        names = [x for x in COLOURS if COLOURS[x] in seen.bright - named]
        if named and names:
            found.append(f"{name}: it names some colours, and not {names[0]}")
    if len(picture.alt.split()) < LEAST_WORDS or not fit(picture.alt, picture):
        found.append(f"alt: it says too little of the picture, {picture.alt!r}")
    return found


def complaints(shown: list[Picture]) -> list[str]:
    """Everything that is wrong with the texts about a chapter's pictures."""
    found = [f"picture {i}, {what}" for i, one in enumerate(shown, 1) for what in single(one)]
    for i, one in enumerate(shown):
        for j, other in enumerate(shown[:i]):
            own, exchanged = (
                fit(a.alt, one) + fit(b.alt, other) for a, b in ((one, other), (other, one))
            )
            if own <= exchanged:
                found.append(f"pictures {j + 1} and {i + 1}: the alt of one fits the other as well")
    return found
