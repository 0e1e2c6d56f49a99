"""A picture that moves shows the numbers it is given, frame by frame, and works by hand.

Its drawing is read back from the HTML: a mark of the SVG for each number.
"""

import re
from dataclasses import replace
from html import unescape

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup

import moving as reader
import pages
import pictures
import prose
from policygrad import figures
from policygrad.exact import expected_return
from policygrad.figures import marks
from policygrad.learning import exact_ascent
from policygrad.policies import softmax_policy
from policygrad.sampling import sample_trajectories
from policygrad.worlds import CORRIDOR_MAP, short_corridor, vacuum_corridor

ALT = "What is seen at first, said in words, as many of them as are asked for here."
WORLD = vacuum_corridor()
ALIAS = WORLD.percepts.index("NS")
PLACES = [tuple(int(n) for n in name[1:].split("c")) for name in WORLD.states]


def by_coin(q):
    """Right with chance q where the percept is shared, and right everywhere else."""
    pi = np.zeros((WORLD.O, 3))
    for felt, row in (("NW", [0, 1, 0]), ("N", [0, 0, 1]), ("NE", [1, 0, 0])):
        pi[WORLD.percepts.index(felt)] = row
    pi[:, 0] += 1 - pi.sum(axis=1)
    pi[ALIAS] = [1 - q, q, 0]
    return pi


def walk(q, seed, steps=6):
    start = vacuum_corridor(starts="r1c2")
    rng = np.random.default_rng(seed)
    tau = sample_trajectories(start, by_coin(q), 1, rng, max_steps=steps, truncate=True)
    return tau.states[0, : tau.lengths[0] + 1]


WALKS = {"greedy": walk(0.0, 1), "coin": walk(0.5, 4)}
ROWS = {"greedy": by_coin(0.0)[ALIAS], "coin": by_coin(0.5)[ALIAS]}
Q = np.linspace(0.2, 0.8, 7)
PARTS = {
    name: np.array([-expected_return(vacuum_corridor(starts=cell), by_coin(q)) for q in Q])
    for name, cell in (("from u", "r1c2"), ("from v", "r1c4"))
}
STEPS = np.array([-expected_return(WORLD, by_coin(q)) for q in Q])
EXACT = np.array([0.3, -0.2])
CLOUDS = {
    m: EXACT + np.random.default_rng(m).normal(size=(20, 2)) / np.sqrt(m) for m in (4, 16, 400)
}
TYPICAL = {m: np.sqrt(2 / m) for m in CLOUDS}
XS = np.linspace(-2, 3, 41)
J = np.array([expected_return(short_corridor(), softmax_policy([[0.0, x]])) for x in XS])


def ascent(size, steps=8):
    run = exact_ascent(short_corridor(), np.zeros((1, 2)), step_size=size, steps=steps)
    return np.column_stack([run.thetas[:, 0, 1] - run.thetas[:, 0, 0], run.J])


RUNS = {0.02: ascent(0.02), 0.14: ascent(0.14), 0.3: ascent(0.3, 3), 0.2: ascent(0.2, 3)}


def two(policies=ROWS, walks=WALKS):
    return figures.two_cleaners(CORRIDOR_MAP, WORLD, walks, policies=policies, alt=ALT)


def learns(policies=ROWS, walks=WALKS):
    return figures.cleaner_learns(CORRIDOR_MAP, WORLD, walks, policies, alt=ALT)


def over_q(q=Q, steps=STEPS, parts=PARTS):
    return figures.slider_over_q(q, steps, parts, alt=ALT)


def over_m(clouds=CLOUDS, typical=TYPICAL):
    names = ("one", "two")
    return figures.slider_over_m(EXACT, clouds, labels=names, alt=ALT, typical=typical)


def over_step(runs=RUNS, x=XS):
    return figures.slider_over_step_size(x, J, runs, label="x", alt=ALT)


DRAWN = {"two": two, "learns": learns, "q": over_q, "m": over_m, "step": over_step}
each = pytest.mark.parametrize("name", DRAWN)


def numbers(mark, *names):
    """Numbers in the attributes of a mark."""
    return [float(re.search(rf'\b{name}="([^"]*)"', mark)[1]) for name in names]


def path(mark):
    """The points of a path."""
    places = re.findall(r"(-?[\d.]+) (-?[\d.]+)", re.search(r' d="([^"]*)"', mark)[1])
    return np.array(places, float)


def found(kind, frame, look=""):
    """The marks of a kind in a frame."""
    return [m for m in re.findall(rf"<{kind} [^>]*/?>", frame) if look in m]


# --- what every one of them is --------------------------------------------------------------------


@each
def test_it_is_the_same_text_every_time_and_asks_for_nothing(name):
    html = DRAWN[name]()._repr_html_()
    assert html == DRAWN[name]()._repr_html_()
    assert len(html.encode()) < 60_000
    assert not re.search(r"https?:|\bsrc=|\bid=|url\(|@import", html)
    assert 'type="range"' in html and html.count("<button") == 3


@each
def test_the_gates_read_its_still_its_words_and_all_it_ever_shows(name):
    picture = DRAWN[name]()
    read = reader.read({"data": {"text/html": picture._repr_html_()}})
    assert read is not None
    assert read.alt == ALT
    assert list(read.words) == list(picture.frames)
    still, whole = pictures.image(read.still), pictures.image(read.whole)
    assert still.drawn <= whole.drawn and set(still.texts) <= set(whole.texts)
    assert list(picture.frames)[picture.still] in still.texts
    assert set(picture.frames) <= set(whole.texts)
    assert {x for x in ("green", "blue") if pictures.COLOURS[x] in whole.bright}


@each
def test_the_palette_of_the_other_pictures_is_its_own(name):
    used = set(re.findall(r'class="[fs]-(\w+)', DRAWN[name]()._repr_html_()))
    assert used <= set(marks.COLOURS)
    for colour in ("EXACT", "ESTIMATE", "POLICY", "WORLD", "WRONG", "FAINT"):
        assert marks.COLOURS[colour.lower()][0] == getattr(figures, colour)


@pytest.mark.parametrize(
    "change",
    [
        ("<output>", "<output>J is 17. "),
        ("</svg>", "</svg><p>J is 17.</p>"),
        ('<div class="pg-hand"', 'J is 17.<div class="pg-hand"'),
        ("<script>", "<script>document.title = 'J is 17';"),
        ("one back", "back", "play</button>", "J is 17</button>"),
        (' class="on"', ""),
    ],
)
def test_what_the_package_does_not_write_is_no_picture(change):
    html = over_q()._repr_html_()
    assert reader.read({"data": {"text/html": html}})
    for old, new in zip(change[::2], change[1::2], strict=True):
        assert old in html
        html = html.replace(old, new)
    assert reader.read({"data": {"text/html": html}}) is None


def test_other_outputs_are_no_pictures_that_move():
    assert reader.read({}) is reader.read({"data": {"text/html": "<b>J is 17.</b>"}}) is None
    assert reader.drawing({"data": {"image/svg+xml": "<svg/>"}}) == "<svg/>"
    assert "J" in reader.drawing({"data": {"text/html": over_step()._repr_html_()}})


def cell_of(picture, caption=""):
    """A cell that shows a picture."""
    data = {"text/html": picture._repr_html_(), "text/plain": repr(picture)}
    shown = nbformat.v4.new_output("display_data", data)
    said = {"mystnb": {"figure": {"caption": caption}}}
    return nbformat.v4.new_code_cell("picture", outputs=[shown], metadata=said)


def complaints(alt, caption=""):
    """What is wrong with the texts about the ascents."""
    picture = figures.slider_over_step_size(XS, J, RUNS, label="x", alt=alt)
    return pictures.complaints(pictures.pictures([cell_of(picture, caption)]))


STILL = (
    "An uncoloured curve is J over x; green dots climb it, and a green curve goes down below it."
)


def test_an_alternative_text_is_held_to_the_still_and_a_caption_to_all_frames():
    assert complaints(STILL) == []
    assert complaints(STILL, "At last the dots are orange-red; they were green.") == []
    assert complaints(STILL, "At last the dots are blue.") != []
    assert complaints(STILL, "Largest at 0.1234.") != []
    assert complaints(STILL, "At step size 0.14 it is still green, at 0.3 orange-red.") == []
    found = complaints(f"{STILL} Later come orange-red dots.")
    assert found == ["picture 1, alt: no dot in the picture is orange-red"]


def test_bars_rings_discs_and_stars_are_told_apart_by_their_colours():
    alt = (
        "Green rings, the cleaners, uncoloured discs, the hamsters, and orange stars, by green bars"
    )
    picture = figures.two_cleaners(CORRIDOR_MAP, WORLD, WALKS, policies=ROWS, alt=f"{alt}: left.")
    (shown,) = pictures.pictures([cell_of(picture)])
    assert pictures.single(shown) == []
    for word in ("Green", "uncoloured", "orange", "green"):
        for other in {"green", "uncoloured", "orange", "grey", "blue"} - {word.lower()}:
            assert pictures.single(replace(shown, alt=shown.alt.replace(word, other))), other


def test_the_alternative_text_of_the_call_is_the_prose_of_its_cell():
    alt, caption = prose.prose_of(cell_of(over_q(), "What to see."))
    assert (alt, caption) == (ALT, "What to see.")
    assert list(prose.output_texts(cell_of(over_q()))) == []


def test_a_page_shows_a_picture_that_moves_within_its_figure():
    html = two()._repr_html_()
    page = (
        '<div class="cell" id="x-3"><div class="cell_output"><figure>'
        f'<div class="output text_html">{html}</div><figcaption>It walks.</figcaption>'
        "</figure></div></div>"
    )
    figure = BeautifulSoup(page, "html.parser").figure
    stored = nbformat.v4.new_output("display_data", {"text/html": html, "text/plain": "x"})
    assert pages.read(figure, None) == pages.wanted(stored)


# --- cleaners -------------------------------------------------------------------------------------


def test_each_cleaner_stands_at_each_step_where_its_walk_has_it():
    picture = two()
    assert len(picture.frames) == max(map(len, WALKS.values()))
    lane = 46 * (4 - 2 + 0.6) + 34
    for t, frame in enumerate(picture.frames.values()):
        for k, states in enumerate(WALKS.values()):
            x, y = numbers(found("circle", frame, "s-policy")[k], "cx", "cy")
            row, column = PLACES[states[min(t, len(states) - 1)]]
            assert x == pytest.approx(8 + 46 * (column - 1 + 0.3 + 0.5), abs=0.06)
            assert y == pytest.approx(k * lane + 26 + 46 * (row - 1 + 0.3 + 0.5), abs=0.06)


def test_the_words_say_where_each_walk_has_come_to():
    words = list(two().frames)
    assert words[0] == "Step 0. greedy: at the start; coin: at the start."
    assert words[1].startswith("Step 1. greedy: on its way after 1 step; coin: on its way")
    assert words[-1] == "Step 6. greedy: on its way after 6 steps; coin: at the dust after 2 steps."
    lost = {"lost": [PLACES.index((1, 1)), PLACES.index((2, 1))]}
    assert list(two(None, lost).frames)[-1] == "Step 1. lost: at a hamster after 1 step."


def test_the_bars_are_the_probabilities_of_the_shared_percept():
    base = two().base
    bars = [numbers(bar, "width")[0] for bar in found("rect", base, "f-policy")]
    np.testing.assert_allclose(np.reshape(bars, (2, 3)) / 90, list(ROWS.values()), atol=1e-3)
    assert re.findall(r">(\d\.\d\d)<", base) == ["1.00", "0.00", "0.00", "0.50", "0.50", "0.00"]
    assert "f-policy" not in two(None).base


def test_a_learner_walks_after_each_stage_beside_the_policy_of_that_stage():
    picture = learns()
    lengths = [len(states) for states in WALKS.values()]
    assert [span[:2] for span in picture.spans] == [(0, 6), (7, 6 + lengths[1])]
    for (first, last, shown), (stage, pi) in zip(picture.spans, ROWS.items(), strict=True):
        assert f">{stage}<" in shown
        assert re.findall(r">(\d\.\d\d)<", shown) == [f"{p:.2f}" for p in pi]
        words = list(picture.frames)[first : last + 1]
        assert all(said.startswith(f"{stage}, step {t}: ") for t, said in enumerate(words))
    seen = "".join(picture.frames.values())
    states = np.concatenate(list(WALKS.values()))
    columns = [numbers(disc, "cx")[0] for disc in found("circle", seen, "s-policy")]
    np.testing.assert_allclose(columns, [8 + 46 * (PLACES[s][1] - 0.2) for s in states], atol=0.06)


# --- sliders --------------------------------------------------------------------------------------


def test_the_point_on_the_curve_is_the_mean_number_of_steps_and_the_bars_its_parts():
    picture = over_q()
    assert picture.still == np.argmin(STEPS) == 3
    scale = 330 / max(part.max() for part in PARTS.values())
    for k, (words, frame) in enumerate(picture.frames.items()):
        assert words == (
            f"Chance {Q[k]:.3g}: {STEPS[k]:.2f} steps on average; "
            f"from u {PARTS['from u'][k]:.2f}, from v {PARTS['from v'][k]:.2f}."
        )
        (disc,) = found("circle", frame)
        x, y = numbers(disc, "cx", "cy")
        assert x == pytest.approx(48 + 418 * (Q[k] - 0.2) / 0.6, abs=0.06)
        assert y == pytest.approx(180 - 150 * STEPS[k] / (1.05 * STEPS.max()), abs=0.06)
        bars = [numbers(bar, "width")[0] / scale for bar in found("rect", frame)]
        np.testing.assert_allclose(bars, [part[k] for part in PARTS.values()], atol=0.01)
    curve = max(map(path, found("path", picture.base)), key=len)
    points = [numbers(found("circle", frame)[0], "cx", "cy") for frame in picture.frames.values()]
    np.testing.assert_allclose(curve, points)


def test_a_cloud_lies_where_its_estimates_are_and_its_error_is_said():
    picture = over_m()
    every = np.concatenate([*CLOUDS.values(), [EXACT, [0, 0]]])
    low, high = every.min(axis=0), every.max(axis=0)
    side, middle = 1.1 * (high - low).max(), (low + high) / 2
    scale = 300 / side
    for (m, cloud), (words, frame) in zip(CLOUDS.items(), picture.frames.items(), strict=True):
        dots = path(found("path", frame, "linecap")[0])
        places = np.array([214, 180]) + scale * (cloud - middle) * [1, -1]
        np.testing.assert_allclose(dots, places, atol=0.06)
        error = np.sqrt(((cloud - EXACT) ** 2).sum(axis=1).mean())
        assert words == (
            f"{m} trajectories in each estimate: typical error {error:.2g}, "
            f"expected {TYPICAL[m]:.2g}."
        )
        x, y, r = numbers(found("circle", frame)[0], "cx", "cy", "r")
        tip = np.array([214, 180]) + scale * (EXACT - middle) * [1, -1]
        np.testing.assert_allclose([x, y, r], [*tip, scale * TYPICAL[m]], atol=0.06)
        np.testing.assert_allclose(path(found("path", frame, "f-exact")[0])[0], tip, atol=0.06)
    assert "circle" not in "".join(over_m(typical=None).frames.values())


def test_an_ascent_is_drawn_on_the_curve_and_below_it_step_by_step():
    picture = over_step()
    assert list(picture.frames) == [
        "Step size 0.02: J rises at each of 8 steps, from one side.",
        "Step size 0.14: J rises at each of 8 steps, from one side of the top to the other.",
        "Step size 0.2: J falls at some of 3 steps.",
        "Step size 0.3: J falls; after 2 steps it is out of sight.",
    ]
    colours = ["policy", "policy", "wrong", "wrong"]
    top = J.max() + 0.08 * (J.max() - J.min())
    for size, colour, frame in zip(sorted(RUNS), colours, picture.frames.values(), strict=True):
        run = RUNS[size][:2] if size == 0.3 else RUNS[size]
        above, below = map(path, found("path", frame, "linecap"))
        x = 52 + 414 * (run[:, 0] + 2) / 5
        y = 30 + 150 * (top - run[:, 1]) / (top - J.min())
        np.testing.assert_allclose(above, np.column_stack([x, y]), atol=0.06)
        steps = 216 + 150 * np.arange(len(run)) / 8
        np.testing.assert_allclose(below, np.column_stack([x, steps]), atol=0.06)
        assert f"s-{colour}" in found("path", frame, "linecap")[0]


# --- axes and marks -------------------------------------------------------------------------------


def test_axes_have_round_numbers_at_their_places():
    drawn = marks.Axes((0.1, 0.9), (-50, 0), (10, 20, 80, 100)).marks("x", "y")
    texts = [mark for mark in drawn if mark.startswith("<text")]
    at = {re.search(r">(.*)<", mark)[1]: numbers(mark, "x", "y") for mark in texts}
    assert list(at) == [
        "0.2", "0.4", "0.6", "0.8", "−50", "−40", "−30", "−20", "−10", "0", "x", "y"
    ]  # fmt: skip
    assert [at[x][0] for x in ("0.2", "0.8")] == pytest.approx([20, 80])
    assert [at[y][1] - 4 for y in ("−50", "−10", "0")] == pytest.approx([120, 40, 20])


def test_words_in_a_picture_are_escaped_and_a_tip_has_three_corners():
    assert unescape(re.search(r">(.*)</text>", marks.text(0, 0, "a < b & c"))[1]) == "a < b & c"
    assert "<b" not in marks.text(0, 0, "a <b>")
    shaft, tip = re.findall("<path.*?/>", marks.arrow((0, 0), (30, 0)))
    np.testing.assert_allclose(path(shaft), [[0, 0], [20, 0]])
    np.testing.assert_allclose(path(tip), [[30, 0], [20, 4.5], [20, -4.5]])
    assert marks.arrow((0, 0), (0.1, 0)) == ""


# --- what is refused ------------------------------------------------------------------------------

FRAMES = {"one": [], "two": []}
REFUSED = {
    "alt": (lambda: figures.draggable([], FRAMES, alt="a cat", name="x"), "alt must say in 12"),
    "one frame": (
        lambda: figures.draggable([], {"one": []}, alt=ALT, name="x"),
        "frames must be two at least",
    ),
    "still": (lambda: figures.draggable([], FRAMES, alt=ALT, name="x", still=2), "still must be"),
    "large": (
        lambda: figures.draggable(["x" * 60_000], FRAMES, alt=ALT, name="x"),
        "frames must make a picture of 60,000 bytes",
    ),
    "colour": (lambda: marks.text(0, 0, "x", colour="red"), "colour must be one of exact, "),
    "falling q": (lambda: over_q(Q[::-1]), "q must be rising numbers"),
    "few parts": (lambda: over_q(parts={"u": STEPS[:2]}), r"parts\['u'\] must have a number"),
    "flat cloud": (lambda: over_m({4: EXACT}), r"clouds\[4\] must be points in two"),
    "lone x": (lambda: over_step(x=XS[:3]), "x and J must be lists of one length"),
    "run": (lambda: over_step({0.1: J}), r"runs\[0.1\] must be points"),
    "run elsewhere": (lambda: over_step({0.1: RUNS[0.02] + 9}), r"runs\[0.1\] must start within"),
    "no walk": (lambda: two(walks={}), "walks must be 1 to 6; there are 0"),
    "a long walk": (lambda: two(walks={"a": [1] * 42}), r"walks\['a'\] must be a list of states"),
    "a wall": (
        lambda: figures.two_cleaners("###\n###", WORLD, {"a": [0]}, alt=ALT),
        r"walks\['a'\] must stay in cells",
    ),
    "few actions": (lambda: two(dict.fromkeys(ROWS, (0.5, 0.5))), "policies must have a prob"),
    "no map": (
        lambda: figures.two_cleaners(CORRIDOR_MAP, short_corridor(), {"a": [0]}, alt=ALT),
        "world must be built from a map",
    ),
}


@pytest.mark.parametrize(("draw", "says"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_with_the_name_of_the_argument(draw, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        draw()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1j])
def test_a_number_that_cannot_be_drawn_is_refused_by_name(bad):
    for draw, name in (
        (lambda: over_q(steps=[*STEPS[:-1], bad]), "steps"),
        (lambda: over_m({4: [[bad, 0]]}), "clouds"),
        (lambda: over_step({0.1: [[0, bad]]}), "runs"),
        (lambda: two({**ROWS, "coin": [bad, 0, 0]}), "policies"),
    ):
        with pytest.raises((ValueError, TypeError), match=rf"^{name}\b"):
            draw()


# --- by hand, in a browser ------------------------------------------------------------------------


@pytest.fixture
def opened(browser, tmp_path):
    """A page with a picture of each kind in it, opened as asked."""

    def open_page(dark=False, width=1280, script=True, motion=True):
        body = "".join(DRAWN[name]()._repr_html_() for name in DRAWN)
        if not script:
            body = re.sub(r"<script>.*?</script>", "", body, flags=re.DOTALL)
        theme = "dark" if dark else "light"
        ground = "#121212" if dark else "#fff"
        page = tmp_path / f"{theme}.html"
        page.write_text(
            f'<!doctype html><html data-theme="{theme}"><meta charset="utf-8"><title>x</title>'
            f'<link rel="icon" href="data:,"><body style="background: {ground}">{body}',
            encoding="utf-8",
        )
        shown = browser.open(page, width=width, dark=dark)
        if not motion:
            still = {"name": "prefers-reduced-motion", "value": "reduce"}
            shown.send("Emulation.setEmulatedMedia", features=[still])
        return shown

    return open_page


SEEN = """[...document.querySelectorAll(".pg-moving")].map(box =>
  [...box.querySelectorAll("g[data-words]")].filter(g => getComputedStyle(g).display !== "none")
  .map(g => g.dataset.words).join("|"))"""
SAID = '[...document.querySelectorAll(".pg-moving output")].map(x => x.textContent)'


@pytest.mark.browser
def test_slider_and_buttons_choose_the_frame_and_what_is_said(opened):
    page = opened()
    pictures_here = [DRAWN[name]() for name in DRAWN]
    frames = [list(picture.frames) for picture in pictures_here]
    stills = [picture.still for picture in pictures_here]

    def now(shift):
        return [
            words[min(len(words) - 1, max(0, still + shift))]
            for words, still in zip(frames, stills, strict=True)
        ]

    assert page.evaluate(SEEN) == page.evaluate(SAID) == now(0)
    page.evaluate('document.querySelectorAll("[data-do=on]").forEach(x => x.click())')
    assert page.evaluate(SEEN) == page.evaluate(SAID) == now(1)
    for _ in range(2):
        page.evaluate('document.querySelectorAll("[data-do=back]").forEach(x => x.click())')
    back = [words[max(0, min(len(words) - 1, k + 1) - 2)] for words, k in zip(frames, stills)]  # noqa: B905
    assert page.evaluate(SEEN) == page.evaluate(SAID) == back
    page.evaluate(
        'document.querySelectorAll(".pg-moving input").forEach(x => { x.value = x.max; '
        'x.dispatchEvent(new Event("input")); })'
    )
    assert page.evaluate(SEEN) == page.evaluate(SAID) == [words[-1] for words in frames]
    spoken = '[...document.querySelectorAll("input")].map(x => x.getAttribute("aria-valuetext"))'
    assert page.evaluate(spoken) == [words[-1] for words in frames]
    assert page.errors == [] and len(page.requests) == 1
    page.close()


@pytest.mark.browser
def test_a_key_moves_the_slider_and_play_plays_to_the_end_and_stops(opened):
    page = opened()
    page.evaluate('document.querySelectorAll("input")[0].focus()')
    for kind in ("rawKeyDown", "keyUp"):
        page.send("Input.dispatchKeyEvent", type=kind, key="ArrowRight", windowsVirtualKeyCode=39)
    words = list(two().frames)
    assert page.evaluate(SAID)[0] == words[1]
    page.evaluate("window.setInterval = f => { window.tick = f; return 1; }")
    page.evaluate('document.querySelector("[data-do=play]").click()')
    play = 'document.querySelector("[data-do=play]").textContent'
    assert page.evaluate(play) == "pause"
    for _ in range(len(words) - 2):
        page.evaluate("tick()")
    assert page.evaluate(SAID)[0] == words[-1] and page.evaluate(play) == "play"
    page.evaluate('document.querySelector("[data-do=play]").click()')  # from the start again
    assert page.evaluate(SAID)[0] == words[0] and page.evaluate(play) == "pause"
    page.close()


@pytest.mark.browser
def test_without_script_the_still_remains_and_no_control_that_would_do_nothing(opened):
    page = opened(script=False)
    stills = [list(picture.frames)[picture.still] for picture in (DRAWN[x]() for x in DRAWN)]
    assert page.evaluate(SEEN) == page.evaluate(SAID) == stills
    shown = '[...document.querySelectorAll("input, button")].filter(x => x.offsetWidth).length'
    assert page.evaluate(shown) == 0
    page.close()


@pytest.mark.browser
def test_where_less_motion_is_asked_for_nothing_plays_and_in_print_no_control_is_seen(opened):
    page = opened(motion=False)
    names = (
        '[...document.querySelectorAll("button")].filter(x => x.offsetWidth).map(x => x.innerText)'
    )
    assert "play" not in page.evaluate(names) and "+" in page.evaluate(names)
    page.send("Emulation.setEmulatedMedia", media="print", features=[])
    assert page.evaluate(names) == []
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_page_and_its_words_are_legible_in_light_and_dark(opened, dark, width):
    page = opened(dark=dark, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    colours = page.evaluate(
        """[...document.querySelectorAll(".pg-moving :is(output, label, text)")].map(x =>
        getComputedStyle(x)[x.tagName === "text" ? "fill" : "color"])"""
    )
    ground = 18 if dark else 255
    for colour in set(colours) - ({"rgb(26, 26, 26)"} if dark else {"rgb(255, 255, 255)"}):
        red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
        assert abs(0.3 * red + 0.6 * green + 0.1 * blue - ground) > 90, colour
    sizes = page.evaluate(
        '[...document.querySelectorAll(".pg-moving text")].map(x => '
        "parseFloat(getComputedStyle(x).fontSize) * x.ownerSVGElement.clientWidth / 480)"
    )
    assert min(sizes) > 9
    assert page.errors == []
    page.close()
