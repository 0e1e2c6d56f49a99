"""Pictures that move, or that can be dragged: a still below, and frames of which one is shown.

What a page gets is one piece of HTML: an SVG, a slider, buttons, and some twenty lines of script
of our own.  Everything shown was computed when the page was built.  Nothing moves before it is
asked to.  Without script the still remains, in print the frame that was chosen; where less motion
is asked for, a picture is stepped through by hand.
"""

from __future__ import annotations

from html import escape

from .marks import COLOURS
from .style import Refused

__all__ = ["Draggable", "draggable"]

LARGEST = 60_000  # bytes: a page holds several
LEAST_WORDS = 12  # of an alternative text

_SCRIPT = """\
document.querySelectorAll(".pg-moving:not([data-ready])").forEach(box => {
  box.dataset.ready = "";
  const frames = [...box.querySelectorAll("g[data-words]")];
  const spans = [...box.querySelectorAll("g[data-first]")];
  const slider = box.querySelector("input"), words = box.querySelector("output");
  const [back, play, on] = ["back", "play", "on"].map(x => box.querySelector(`[data-do=${x}]`));
  let timer = 0;
  const show = k => {
    frames.forEach((frame, i) => frame.classList.toggle("on", i === k));
    spans.forEach(({ classList, dataset }) =>
      classList.toggle("on", +dataset.first <= k && k <= +dataset.last));
    slider.value = k;
    words.textContent = frames[k].dataset.words;
    slider.setAttribute("aria-valuetext", words.textContent);
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "play";
  };
  const by = d => show(Math.min(frames.length - 1, Math.max(0, +slider.value + d)));
  slider.addEventListener("input", () => { stop(); show(+slider.value); });
  back.addEventListener("click", () => { stop(); by(-1); });
  on.addEventListener("click", () => { stop(); by(1); });
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (+slider.value === frames.length - 1) show(0);
    play.textContent = "pause";
    timer = setInterval(() => { by(1); if (+slider.value === frames.length - 1) stop(); }, 700);
  });
  show(+slider.value);
  box.querySelector(".pg-hand").hidden = false;
});"""

_LAYOUT = """\
.output.text_html:has(> .pg-moving) { background: none !important; padding: 0 !important; }
.pg-moving { max-width: 600px; margin: 0 auto; text-align: left; }
.pg-moving svg { display: block; width: 100%; height: auto; font: 13px sans-serif; }
.pg-moving :is(g[data-words], g[data-first]) { display: none; }
.pg-moving svg g.on { display: inline; }
.pg-moving output { display: block; min-height: 3em; font-size: 0.9rem; line-height: 1.5; }
.pg-hand { display: flex; gap: 0.5rem; align-items: center; }
.pg-hand[hidden] { display: none; }
.pg-hand label { display: flex; gap: 0.5rem; align-items: center; flex: 1; white-space: nowrap; }
.pg-hand input { flex: 1; min-width: 4rem; accent-color: #0072b2; }
.pg-hand button { min-width: 2.6em; min-height: 2.2em; font: inherit; cursor: pointer; }
@media (prefers-reduced-motion: reduce) { .pg-hand [data-do="play"] { display: none; } }
@media print { .pg-moving .pg-hand { display: none; } }"""


_DARK = ":is([data-theme=dark], [data-jp-theme-light=false])"


class Draggable:
    """A picture of which one frame is shown at a time; it shows itself as HTML, always the same.

    Attributes
    ----------
    base : the SVG that all frames share.
    frames : {words: SVG} what is drawn over it, and what is said beside it.
    spans : [(first, last, SVG)] what is drawn over it during several frames.
    still : number of the frame that is seen first.
    """

    def __init__(self, base: str, frames: dict, spans: list, still: int, **words):
        self.base, self.frames, self.spans, self.still = base, frames, spans, still
        self.alt, self.name, self.control = words["alt"], words["name"], words["control"]
        self.size, self.play = words["size"], words["play"]

    def _repr_html_(self) -> str:
        seen = ' class="on"'
        shown = [
            f'<g data-first="{first}" data-last="{last}"'
            f"{seen if first <= self.still <= last else ''}>{marks}</g>"
            for first, last, marks in self.spans
        ]
        for k, (words, marks) in enumerate(self.frames.items()):
            look = seen if k == self.still else ""
            shown.append(f'<g data-words="{escape(words)}"{look}>{marks}</g>')
        width, height = self.size
        last = len(self.frames) - 1
        play = "" if self.play else " hidden"
        return "\n".join(
            [
                '<div class="pg-moving mathjax_ignore tex2jax_ignore">',
                f"<style>\n{_style()}\n</style>",
                f'<svg viewBox="0 0 {width:g} {height:g}" role="img" '
                f'aria-label="{escape(self.alt)}">',
                self.base,
                *shown,
                "</svg>",
                f"<output>{escape(list(self.frames)[self.still])}</output>",
                '<div class="pg-hand" hidden>',
                f'<label>{escape(self.control)} <input type="range" min="0" max="{last}" '
                f'step="1" value="{self.still}"></label>',
                '<button type="button" data-do="back" aria-label="one back">−</button>',
                f'<button type="button" data-do="play"{play}>play</button>',
                '<button type="button" data-do="on" aria-label="one on">+</button>',
                "</div>",
                f"<script>\n{_SCRIPT}\n</script>",
                "</div>",
            ]
        )

    def __repr__(self) -> str:
        return f"<picture that can be moved: {self.name}>"


def draggable(
    base,
    frames,
    *,
    alt: str,
    name: str,
    spans=(),
    size=(480, 260),
    still: int = 0,
    control: str = "step",
    play: bool = False,
) -> Draggable:
    """Make a picture of which a reader chooses the frame, with a slider or by playing it.

    Parameters
    ----------
    base : list of marks, see :mod:`policygrad.figures.marks`, that are always seen.
    frames : {words: list of marks}, in order; the words are said while the frame is seen.
    alt : what the still shows, in words, for those who do not see it.
    name : what the picture is.
    spans : [(first, last, list of marks)] that are seen during several frames.
    size : width and height in the units of the marks.
    still : the frame that is seen first, and without script the only one.
    control : name of the slider.
    play : is there a button that plays the frames?

    Raises
    ------
    ValueError
        naming the argument that is wrong, or if the picture is larger than a page should hold.
    """
    if not isinstance(alt, str) or len(alt.split()) < LEAST_WORDS:
        raise Refused(
            f"alt must say in {LEAST_WORDS} words or more what the picture shows; it is {alt!r}"
        )
    if len(frames) < 2:
        raise Refused(f"frames must be two at least, to have a choice; there are {len(frames)}")
    if not 0 <= still < len(frames):
        raise Refused(f"still must be one of the {len(frames)} frames, from 0 on; it is {still}")
    made = Draggable(
        "".join(base),
        {words: "".join(marks) for words, marks in frames.items()},
        [(first, last, "".join(marks)) for first, last, marks in spans],
        still,
        alt=alt,
        name=name,
        control=control,
        size=size,
        play=play,
    )
    if (large := len(made._repr_html_().encode())) > LARGEST:
        raise Refused(
            f"frames must make a picture of {LARGEST:,} bytes at most; it has {large:,}: "
            "give fewer, or fewer points in each"
        )
    return made


def _style() -> str:
    """Give the style of a picture; colours in the dark themes of the book and of JupyterLab."""
    found = [_LAYOUT]
    for k, (where, scheme) in enumerate((("", "light"), (f"{_DARK} ", "dark"))):
        words = f"color: {COLOURS['exact'][k]}; color-scheme: {scheme};"
        found.append(f"{where}.pg-moving {{ {words} }}")
        for name, pair in COLOURS.items():
            found.append(f"{where}.pg-moving .f-{name} {{ fill: {pair[k]}; }}")
            found.append(f"{where}.pg-moving .s-{name} {{ stroke: {pair[k]}; fill: none; }}")
    return "\n".join(found)
