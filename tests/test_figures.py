"""A picture draws the numbers it is given, says what they are, and is the same text on every run.

What a picture says is the title and the labels of its panels, and its legend: names, each beside
the colour, marker and dashes of what it names.
"""

import functools
import inspect
import re
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex

from policygrad import figures
from policygrad.mdp import MDP
from policygrad.trajectories import Trajectories
from policygrad.worlds import short_corridor, vacuum_corridor

RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(6, 2))
MEANS = np.array([0.5, -0.2]) + 0.1 * RNG.normal(size=(40, 2))
SIZES = np.array([1, 10, 100])
ERRORS = np.abs(RNG.normal(size=(3, 50))) / np.sqrt(SIZES)[:, None]


def cloud(rows=ROWS):
    return figures.gradient_cloud(
        rows, np.full(6, 1 / 6), np.array([0.5, -0.2]), MEANS, labels=("left", "right"), m=9
    )


def decay(predicted=None):
    predicted = 1 / np.sqrt(SIZES) if predicted is None else predicted
    band = np.outer(predicted, [0.2, 1.7])
    wrong = (ERRORS + 1, np.sqrt(1 + predicted**2), "elsewhere")
    return figures.error_decay(SIZES, ERRORS, predicted, band, wrong)


PICTURES = {
    "factors": figures.trajectory_factors,
    "map": figures.derivation_map,
    "cloud": cloud,
    "decay": decay,
}
POLICIES = {"one": np.array([[0.25, 0.75], [1.0, 0.0]]), "other": np.array([[0.5, 0.5]] * 2)}
SIDE = np.linspace(-1, 1, 9)
HILL = -(SIDE**2 + SIDE[:, None] ** 2)
ASCENT = np.array([[0.8, -0.6], [0.4, -0.3], [0.2, -0.15]])


def table(policies=POLICIES):
    return figures.policy_table(policies, ["dark", "light"], ["left", "right"])


def curve(J=HILL[4]):
    paths = [np.column_stack([ASCENT[:, 0], -(ASCENT[:, 0] ** 2)])]
    return figures.objective_curve(SIDE, J, (0.0, 0.0), paths, label="x")


def hill(J=HILL):
    return figures.landscape(
        SIDE,
        SIDE,
        J,
        [-1.0, -0.5],
        labels=("x", "y"),
        ascents=[ASCENT],
        descents=[ASCENT[::-1]],
        marks={"top": (0.0, 0.0)},
        summits={"edge": (1.0, 1.0)},
    )


def climbs(J=(-3.0, -1.0, -0.5)):
    runs = {"short": (np.array(J), True), "long": (np.array([-3.0, -9.0]), False)}
    return figures.ascent_runs(runs, 0.0, lowest=-5.0)


PICTURES |= {"policies": table, "curve": curve, "landscape": hill, "climbs": climbs}


def corridor(aliased=(1, 2)):
    percepts = {(1, 1): "NSW", (1, 2): "NE"}
    return figures.corridor_map("####\n#..#\n##D#\n####", percepts, aliased={aliased: "u"})


def limits(dots=((0.3, -2.5, -4.0), (0.6, -4.1, -3.2))):
    shares = np.linspace(0.1, 0.9, 5)
    return figures.aliased_limit(shares, np.outer(shares, [-2, -3]), np.array(dots))


def curves(level=-2.0):
    J = {"one": -1 / SIZES, "other": -2 / SIZES}
    points = {"good": [[0.5, -1.0]], "bad": [[0.1, -3.0], [0.9, -4.0]]}
    return figures.return_curves(
        SIZES / 100, J, points=points, level=("level", level), xlabel="p", ylim=(-5, 0)
    )


PICTURES |= {"corridor": corridor, "limits": limits, "curves": curves}
MAP = "#####\n#..h#\n#D###\n#####"
WORLD = vacuum_corridor(MAP, starts="r1c2")
WALK = Trajectories(
    [[1, 1, 0, 3], [1, 2, 2, 2]], [[2, 0, 2], [1, -1, -1]], [[-1, -1, -1], [-11, 0, 0]], [3, 1]
)


LONG = Trajectories([[1] * 14], [[2] * 13], [[-1] * 13], [13])


def walk(i=0):
    return figures.episode_walk(MAP, WORLD, WALK, i)


PI, SCORE = np.array([0.6, 0.3, 0.1]), np.array([-0.6, 0.7, -0.1])
NEW = {"good": np.array([0.5, 0.4, 0.1]), "bad": np.array([0.65, 0.25, 0.1])}


def push(after=NEW):
    returns = {"good": 2.0, "bad": -1.0}
    return figures.push_on_bars(PI, SCORE, returns, actions=["a", "b", "c"], after=after)


def relative(gradient=(0.1, 0.2, -0.3, 0.0)):
    P = np.array([0.1, 0.2, 0.3, 0.4])
    return figures.gradient_and_score(P, gradient, label="logit", marks={"A": 0, "B": 1})


PICTURES |= {"loop": figures.agent_and_world, "walk": walk, "push": push, "relative": relative}
GRID = np.triu(RNG.random((4, 4)))
PATH = np.column_stack([np.linspace(0.5, 0.9, 4)] * 3) * [1, 2, 3]


def grid(sizes=GRID):
    return figures.score_reward_grid(sizes)


def trap(right=PATH):
    return figures.gamma_trap_paths(PATH[:, 0], PATH[:, 1], PATH[:, 2], right, 1 - PATH)


def slopes(means=SIZES / 7):
    x = np.linspace(0, 1, 5)
    return figures.slope_estimates(x, x**2, x[:3], means, np.ones(3) / 3, label="gain")


PICTURES |= {"grid": grid, "trap": trap, "slopes": slopes}
RETURNS = np.array([1.0, 0.0, 1.0, 3.0])
CHANCES = {"mild": np.array([0.3, 0.4, 0.2, 0.1]), "keen": np.array([0.1, 0.1, 0.2, 0.6])}


def blocks(chances=CHANCES):
    return figures.return_bars(RETURNS, chances, {k: P @ RETURNS for k, P in chances.items()})


def shift(slopes=(-0.2, 0.1, 0.05, 0.05)):
    return figures.probability_shift(RETURNS, np.array(slopes))


PICTURES |= {"blocks": blocks, "shift": shift}


def learning(best=-2.0):
    J, x = best - np.geomspace(1, 0.01, 4), np.array([1, 10, 100, 1000])
    runs = J[:, None] - np.linspace(0, 1, 5)
    curves = {"one": (x, J), "noisy": (x, runs), "soft": (x, runs), "stuck": (x, runs - 5)}
    return figures.learning_curves({"world": (best, curves), "again": (best, curves)})


PICTURES |= {"learning": learning}


ALARMS = {"many": (1000, np.array([110, 9])), "singly": (500, np.array([90, 12]))}


def rates(series=ALARMS):
    return figures.calibration(np.array([0.1, 0.01]), series)


def catches(shares=(0.1, 0.6, 0.98)):
    x = np.linspace(0, 1.5, 7)
    return figures.power_curve(x, x / 2, x / 3, x[:3], np.array(shares), sure=0.99)


PICTURES |= {"rates": rates, "catches": catches}


def weights(limit=3):
    x = np.linspace(0.1, 0.9, 5)
    return figures.group_weights(x, {"two": x, "four": 2 * x}, limit * x)


PICTURES |= {"weights": weights}
PALETTE = {
    colour.lower()
    for colour in (
        figures.EXACT,
        figures.ESTIMATE,
        figures.POLICY,
        figures.WORLD,
        figures.WRONG,
        figures.FAINT,
        "#ffffff",
        "#000000",
    )
}


@functools.cache
def svg(name):
    """The text of a picture, drawn once for all tests that only read it."""
    return PICTURES[name]()._repr_svg_()


every_picture = pytest.mark.parametrize("name", PICTURES)


@every_picture
def test_a_picture_is_the_same_text_whenever_and_in_whatever_style_it_is_drawn(name):
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 9, "axes.facecolor": "red"}):
        assert PICTURES[name]()._repr_svg_() == svg(name)


@every_picture
def test_a_picture_is_one_svg_element_with_no_date_and_no_raster_image(name):
    root = ET.fromstring(svg(name))
    assert root.tag.endswith("svg")
    assert not [e for e in root.iter() if e.tag.endswith(("image", "script", "}date"))]
    assert not re.search(r"\b20\d\d-\d\d-\d\d", svg(name))


@every_picture
def test_a_picture_uses_the_colours_of_the_book_alone(name):
    used = {c.lower() for c in re.findall(r"#[0-9a-fA-F]{6}\b", svg(name))}
    assert used <= PALETTE, used - PALETTE


# --- what a picture says -------------------------------------------------------------------------

# title, what is on the axis below and on the one to the left, of each panel
PANELS = {
    "factors": [("", "", "")],
    "map": [("", "", "")],
    "cloud": [
        ("every single trajectory", "left", "right"),
        ("40 means of 9 trajectories", "left", ""),
    ],
    "decay": [
        ("", "", r"typical $|\hat g-\nabla J|$"),
        ("", "trajectories m", "error / typical"),
    ],
    "policies": [("one", "", ""), ("other", "", "")],
    "curve": [("", "x", "J")],
    "landscape": [("", "x", "y")],
    "climbs": [("", "step", "J")],
    "corridor": [("", "", "")],
    "loop": [("", "", "")],
    "walk": [("", "", "")],
    "push": [("good", "", "probability"), ("bad", "", "")],
    "relative": [
        (
            "slope of the probability: absolute",
            r"$P(\tau;\theta)$",
            r"slope of $P(\tau;\theta)$, logit",
        ),
        (
            "slope of its logarithm: relative to size",
            r"$P(\tau;\theta)$",
            r"slope of $\log P(\tau;\theta)$",
        ),
    ],
    "limits": [("", "w, the share of the visits that fall on u", "entry")],
    "curves": [("", "p", "J")],
    "grid": [("", "time k of the reward", "time t of the score")],
    "trap": [
        ("discounted: what is to be climbed", "p, the probability of right", "J(p)"),
        ("undiscounted", "p, the probability of right", ""),
    ],
    "slopes": [("", "gain", "slope of J")],
    "blocks": [
        ("mild", "", r"$P(\tau;\theta)$"),
        ("keen", r"return $R(\tau)$", r"$P(\tau;\theta)$"),
    ],
    "shift": [("", r"return $R(\tau)$", r"slope of $P(\tau;\theta)$")],
    "learning": [("world", "episodes", "J* − J"), ("again", "episodes", "")],
    "rates": [("", "stated rate of false alarms", "measured / stated")],
    "catches": [("", "bias / smallest bias reported", "share caught")],
    "weights": [("", "p, the chance of a right answer", "weight")],
}

# Names of the legends, from the top, each with the look of what it names: what is exact is EXACT,
# what is sampled ESTIMATE, what depends on theta POLICY, what does not WORLD, what fails WRONG.
LEGENDS = {
    "factors": {
        "the world's: no θ inside": "WORLD --",
        "the policy's: what is left of the gradient": "POLICY -",
    },
    "cloud": {"exact gradient": "EXACT -", "estimates": "ESTIMATE dots"},
    "decay": {
        r"exact, $\sqrt{\mathrm{tr}\,\Sigma/m}$": "EXACT -",
        "measured": "ESTIMATE o",
        "exact, elsewhere": "WRONG --",
        "measured, elsewhere": "WRONG x",
        "nine estimates in ten": "ESTIMATE --",  # so matplotlib calls a line that stands for bars
        "where they end for large m": "EXACT --",
    },
    "curve": {
        "J, exact": "EXACT -",
        "its largest value": "EXACT *",
        "ascent, from the ring on": "POLICY o",
    },
    "landscape": {"ascent": "POLICY o-", "descent": "WRONG s--", "start": "EXACT o"},
    "push": {"score × return": "EXACT -", "policy": "POLICY", "after the step": "POLICY dashed"},
    "climbs": {"largest J": "EXACT -", "short": "POLICY o-", "long": "WRONG s-"},
    "limits": {
        "left, exact": "EXACT --",
        "left, Q-learning": "ESTIMATE s",
        "right, exact": "EXACT -",
        "right, Q-learning": "ESTIMATE o",
    },
    "curves": {
        "one": "EXACT -",
        "other": "EXACT --",
        "good": "POLICY D",
        "bad": "WRONG s",
        "level": "POLICY :",
    },
    "trap": {
        "the objective": "EXACT -",
        r"with $\gamma^t$": "POLICY o",
        r"without $\gamma^t$": "WRONG s",
    },
    "slopes": {"exact": "EXACT -", "estimated": "ESTIMATE bars"},
    "shift": {"likelier": "POLICY", "less likely": "POLICY hatched"},
    "learning": {
        "one": "ESTIMATE -",
        "noisy": "ESTIMATE -.",
        "soft": "WORLD -",
        "stuck": "WRONG --",
        "one fiftieth of J*": "FAINT :",
    },
    "rates": {"as stated": "EXACT -", "many": "ESTIMATE bars", "singly": "WRONG bars"},
    "catches": {"predicted": "EXACT -", "bound": "EXACT --", "measured": "ESTIMATE o"},
    "weights": {"two": "EXACT -", "four": "EXACT --", "endless": "WRONG :"},
}

COLOURS = ("EXACT", "ESTIMATE", "POLICY", "WORLD", "WRONG", "FAINT")
NAME_OF = {to_hex(getattr(figures, name)): name for name in COLOURS}


def look(artist):
    """The colour of something drawn, by its name in the module, its marker and its dashes."""
    if isinstance(artist, matplotlib.lines.Line2D):
        marks = (artist.get_marker(), artist.get_linestyle())
        shape, colour = "".join(mark for mark in marks if mark != "None"), artist.get_color()
    elif isinstance(artist, matplotlib.patches.FancyArrowPatch):
        shape = {"solid": "-", "dashed": "--"}.get(artist.get_linestyle(), artist.get_linestyle())
        colour = artist.get_edgecolor()
    elif isinstance(artist, matplotlib.patches.Patch):
        dashed = artist._dash_pattern[1] is not None  # which a legend copies, unlike its name
        shape = "hatched" if artist.get_hatch() else "dashed" if dashed else ""
        colour = artist.get_edgecolor()
    elif isinstance(artist, matplotlib.collections.LineCollection):
        shape, colour = "bars", artist.get_edgecolor()[0]
    else:
        shape, colour = "dots", np.ravel(artist.get_facecolor())[:3]
    name = NAME_OF.get(to_hex(colour), to_hex(colour))
    return f"{name} {shape}".strip()


def legends(figure):
    """Names in the legends of a figure, from the top, each with its look."""
    found = [ax.get_legend() for ax in figure.axes if ax.get_legend()] + figure.legends
    return [
        (text.get_text(), look(handle))
        for legend in found
        for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
    ]


def drawn(ax):
    """The looks of all that is drawn from numbers; stand-ins for a legend have none."""
    found = [line for line in ax.lines if len(line.get_xdata())]
    dots = [c for c in ax.collections if isinstance(c, matplotlib.collections.PathCollection)]
    found += [c for c in dots if len(c.get_offsets())]
    found += [c for c in ax.collections if isinstance(c, matplotlib.collections.LineCollection)]
    found += [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None)]
    return {look(artist) for artist in found}


@every_picture
def test_each_panel_has_its_title_and_its_axes_their_names(name):
    axes = PICTURES[name]().figure.axes
    titles = [ax.get_title() + ax.get_title("left") for ax in axes]
    labels = [(ax.get_xlabel(), ax.get_ylabel()) for ax in axes]
    assert [(t, *both) for t, both in zip(titles, labels, strict=True)] == PANELS[name]


@every_picture
def test_each_name_stands_once_and_beside_the_look_of_what_it_names(name):
    assert legends(PICTURES[name]().figure) == list(LEGENDS.get(name, {}).items())


@pytest.mark.parametrize("name", LEGENDS)
def test_whatever_a_legend_names_is_drawn_with_that_look(name):
    for ax in PICTURES[name]().figure.axes:
        handles, names = ax.get_legend_handles_labels()
        for artist, words in zip(handles, names, strict=True):
            if not isinstance(artist, matplotlib.container.Container):
                assert look(artist) in drawn(ax), words


# --- the formulas that are drawn -----------------------------------------------------------------


def test_a_trajectory_alternates_factors_of_the_policy_and_of_the_world():
    ax = figures.trajectory_factors(1).figure.axes[0]
    nodes = {text.get_position()[0]: text.get_text() for text in ax.texts if text.get_text()}
    factors = {x: text for x, text in nodes.items() if x % 1}
    mu, pi, P = r"$\mu$", r"$\pi_\theta$", "$P$"
    assert [nodes[x] for x in range(6)] == [
        "$s_0$", "$a_0$", "$s_1$", r"$\cdots$", "$a_{H-1}$", "$s_H$"
    ]  # fmt: skip
    assert [factors[x] for x in sorted(factors)] == [mu, pi, P, pi, pi, P]
    arrows = sorted(
        (text.xy[0], look(text.arrow_patch)) for text in ax.texts if not text.get_text()
    )
    policy, world = "POLICY -", "WORLD --"
    assert [how for _, how in arrows] == [world, policy, world, policy, policy, world]


def test_the_map_names_the_chapter_of_each_formula_and_the_licence_of_each_step():
    # The chapters of the book: 3 the objective, 4 the log-derivative trick, 5 expectations,
    # 6 the dynamics drop out, 7 REINFORCE, 8 causality, 9 its samples.
    ax = figures.derivation_map().figure.axes[0]
    texts = [text for text in ax.texts if text.get_text()]
    said = {tuple(np.round(text.get_position(), 9)): text.get_text() for text in texts}

    def column(x):  # downwards
        return [
            text for (at, y), text in sorted(said.items(), key=lambda one: -one[0][1]) if at == x
        ]

    chapters = dict(zip(range(10), column(-0.25), strict=True))
    own, world = [0, 1, 2, 3, 7, 8, 9], [4, 5, 6]
    assert [chapters[row] for row in own] == [f"ch. {n}" for n in (3, 4, 4, 5, 7, 8, 9)]
    assert [chapters[row] for row in world] == ["ch. 3", "ch. 6", "ch. 6"]
    parts = [r"J(\theta)=", r"\nabla P", r"P(\tau;\theta)\,\nabla\log P", r"E_\tau[\,\nabla\log P"]
    parts += [r"\,R(\tau)\,]", r"\gamma^t G_t\,]", r"\hat g=\frac{1}{m}"]
    assert all(part in formula for part, formula in zip(parts, column(0.0), strict=True))
    assert [y for (x, y) in said if x == 0.0] == [-row for row in own]
    assert [y for (x, y) in said if x == 0.55] == [-row for row in world]
    licences = column(0.3)
    assert licences[:2] == ["finite sum", r"$\nabla f=f\,\nabla\log f$"]
    assert licences[-1] == "samples for the mean" and len(licences) == 5
    assert column(0.85) == [
        "log of a product",
        r"no $\theta$ in the world",
        "the two branches meet",
    ]


def test_two_arrows_of_the_map_meet_and_only_there():
    ax = figures.derivation_map().figure.axes[0]
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
    to = [(round(-text.xyann[1]), round(-text.xy[1]), look(text.arrow_patch)) for text in arrows]
    own, world = look_of(to, 0, 1), look_of(to, 4, 5)
    assert own != world
    assert to == [
        *((0, 1, own), (1, 2, own), (2, 3, own), (4, 5, world), (5, 6, world)),
        *((3, 7, own), (6, 7, world), (7, 8, own), (8, 9, own)),
    ]


def look_of(arrows, start, end):
    """How the arrow between two rows is drawn."""
    return next(how for a, b, how in arrows if (a, b) == (start, end))


# --- the numbers that are drawn ------------------------------------------------------------------


def test_a_picture_says_in_plain_text_what_it_is():
    assert repr(decay()) == "<picture: the error falls as one over the square root of m>"


def test_areas_are_proportional_to_probability():
    p = np.array([0.4, 0.2, 0.2, 0.1, 0.05, 0.05])
    picture = figures.gradient_cloud(ROWS, p, ROWS[0], MEANS, labels=("a", "b"), m=9)
    areas = picture.figure.axes[0].collections[0].get_sizes()
    np.testing.assert_allclose(areas / areas.sum(), p, rtol=1e-12)


def test_the_exact_gradient_is_an_arrow_on_both_panels_and_the_means_are_dots_on_the_right():
    left, right = cloud().figure.axes
    for ax in (left, right):
        (arrow,) = ax.texts
        assert (*arrow.xy, *arrow.get_position()) == (0.5, -0.2, 0, 0)
    np.testing.assert_allclose(left.collections[0].get_offsets(), ROWS, atol=1e-6)
    np.testing.assert_allclose(right.collections[0].get_offsets(), MEANS, atol=1e-6)


def test_dots_are_root_mean_squares_and_lines_are_what_was_predicted():
    above = decay().figure.axes[0]
    exact, measured, stays, others = (line.get_ydata() for line in above.lines)
    np.testing.assert_allclose(exact, 1 / np.sqrt(SIZES), atol=1e-8)
    np.testing.assert_allclose(measured, np.sqrt((ERRORS**2).mean(axis=1)), atol=1e-8)
    np.testing.assert_allclose(stays, np.sqrt(1 + 1 / SIZES), atol=1e-8)
    np.testing.assert_allclose(others, np.sqrt(((ERRORS + 1) ** 2).mean(axis=1)), atol=1e-8)


def test_bars_hold_nine_errors_in_ten_in_units_of_the_predicted_one():
    below = decay().figure.axes[1]
    bars = np.array(below.collections[0].get_segments())
    ends = np.quantile(ERRORS, [0.05, 0.95], axis=1) * np.sqrt(SIZES)
    np.testing.assert_allclose(bars[:, :, 1], ends.T, atol=1e-6)
    np.testing.assert_allclose(bars[:, :, 0], np.transpose([SIZES, SIZES]))
    one, low, high, _ = (line.get_ydata() for line in below.lines)
    np.testing.assert_allclose(one, 1)
    np.testing.assert_allclose(low, 0.2)
    np.testing.assert_allclose(high, 1.7)


def test_a_band_and_wrong_estimates_are_drawn_only_if_given():
    above, below = figures.error_decay(SIZES, ERRORS, 1 / np.sqrt(SIZES)).figure.axes
    assert len(above.lines) == 2
    assert len(below.lines) == 1


def test_a_ray_leads_from_the_origin_to_each_gradient():
    rays = cloud().figure.axes[0].lines[: len(ROWS)]
    found = [line.get_xydata() for line in rays]
    np.testing.assert_allclose(found, [[[0, 0], row] for row in ROWS], atol=1e-6)


def test_bars_of_a_policy_are_as_long_as_its_probabilities():
    for ax, pi in zip(table().figure.axes, POLICIES.values(), strict=True):
        whole, part = (np.array([bar.get_width() for bar in ax.patches[i::2]]) for i in (0, 1))
        np.testing.assert_allclose(part / whole, pi.ravel(), atol=1e-12)
        assert [text.get_text() for text in ax.texts] == [f"{p:.2f}" for p in pi.ravel()]
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["left", "right"]
        places = [text.get_position() for text in ax.texts]
        assert places == [(0.45, 0), (1.45, 0), (0.45, 1), (1.45, 1)]
    rows = table().figure.axes[0].get_yticklabels()
    assert [tick.get_text() for tick in rows] == ["dark", "light"]


def test_the_curve_and_the_dots_on_it_are_the_numbers_given():
    line, best, dots, ring = curve().figure.axes[0].lines
    np.testing.assert_allclose(line.get_ydata(), HILL[4], atol=1e-6)
    np.testing.assert_allclose(np.ravel(best.get_data()), [0, 0])
    np.testing.assert_allclose(dots.get_xdata(), ASCENT[:, 0])
    np.testing.assert_allclose(ring.get_xdata(), ASCENT[0, 0])


def test_lines_of_the_landscape_lie_at_their_heights_and_paths_where_they_went():
    ax = hill().figure.axes[0]
    for level, path in zip([-1.0, -0.5], ax.collections[0].get_paths(), strict=True):
        heights = -(path.vertices**2).sum(axis=1)
        np.testing.assert_allclose(heights, level, atol=0.05)  # straight pieces on a coarse grid
    ascent = next(line for line in ax.lines if line.get_color() == figures.POLICY)
    descent = next(line for line in ax.lines if line.get_color() == figures.WRONG)
    np.testing.assert_allclose(ascent.get_xydata(), ASCENT)
    np.testing.assert_allclose(descent.get_xydata(), ASCENT[::-1])
    starts = next(line for line in ax.lines if look(line) == "EXACT o")
    np.testing.assert_allclose(starts.get_xydata(), ASCENT[[0, -1]])
    at = {text.get_text(): tuple(text.xy) for text in ax.texts if hasattr(text, "xy")}
    signs = {look(line): line.get_xydata()[0] for line in ax.lines[-2:]}
    assert at["top"] == tuple(signs["EXACT x"]) == (0, 0)
    assert at["edge"] == tuple(signs["EXACT *"])
    np.testing.assert_allclose(at["edge"], 1 - 2 / 30)  # just inside


def test_the_higher_the_darker_and_no_name_stands_on_a_path_or_outside():
    picture = hill()
    shades = picture.figure.axes[0].collections[1]
    alphas = shades.get_facecolor()[:, 3]
    assert np.all(np.diff(alphas) > 0) and alphas[0] == 0
    assert {to_hex(shade[:3]) for shade in shades.get_facecolor()} == {figures.FAINT}
    picture.figure.canvas.draw()
    ax = picture.figure.axes[0]
    path = ax.transData.transform(np.concatenate([ASCENT, [[0.0, 0.0]]]))
    frame = ax.get_window_extent()
    for text in ax.texts:
        box = text.get_window_extent()
        assert not any(box.contains(*point) for point in path), text.get_text()
        assert frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1), text.get_text()


def test_ascents_are_drawn_as_they_ran_and_coloured_by_whether_they_settle():
    best, short, long = climbs().figure.axes[0].lines
    assert set(best.get_ydata()) == {0.0}
    np.testing.assert_allclose(short.get_ydata(), [-3.0, -1.0, -0.5])
    assert (short.get_color(), long.get_color()) == (figures.POLICY, figures.WRONG)


def test_a_map_hatches_the_aliased_cells_and_writes_each_percept_where_it_is_felt():
    ax = corridor().figure.axes[0]
    hatched = [patch.get_xy() for patch in ax.patches if patch.get_hatch()]
    assert hatched == [(2, 1)]
    written = {text.get_text(): text.get_position() for text in ax.texts}
    assert set(written) == {"NSW", "NE", "$u$", "dust"}
    assert written["NSW"] == (1.5, 1.5)
    assert written["NE"] == (2.5, 1.5)
    assert (int(written["$u$"][0]), int(written["$u$"][1])) == (2, 1)  # the hatched cell
    assert (int(written["dust"][0]), int(written["dust"][1])) == (2, 2)
    assert [look(line) for line in ax.lines] == ["WORLD *"]
    walls = [p.get_xy() for p in ax.patches if to_hex(p.get_facecolor()) == figures.FAINT]
    assert len(walls) == 13 and (1, 2) in walls and (2, 2) not in walls


def arrows(ax):
    """(from, to) of the arrows that have no text."""
    tips = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
    return [(text.get_position(), text.xy) for text in tips]


def test_a_map_shows_what_is_needed_in_a_cell_and_where_the_cleaner_is():
    needed = {(1, 1): "right", (1, 2): "down"}
    percepts = {(1, 1): "NSW", (1, 2): "NE"}
    ax = figures.corridor_map(
        "####\n#..#\n##D#\n####", percepts, aliased={}, needed=needed, agent=(1, 2)
    ).figure.axes[0]
    right, down = (np.subtract(to, start) for start, to in arrows(ax))
    assert right[0] > 0.3 and right[1] == 0 and down[0] == 0 and down[1] > 0.1
    assert [np.floor(to).tolist() for _, to in arrows(ax)] == [[1, 1], [2, 1]]
    rings = [p for p in ax.patches if to_hex(p.get_edgecolor()) == figures.POLICY.lower()]
    assert [np.floor(ring.center).tolist() for ring in rings] == [[2, 1]]


def test_an_episode_is_walked_row_by_row_with_what_was_felt_done_and_paid():
    ax = walk().figure.axes[0]
    rows = {}
    for text in ax.texts:
        if text.get_text() and not getattr(text, "arrow_patch", None):
            x, y = text.get_position()
            rows.setdefault(round(y, 6), []).append((x, text.get_text()))
    said = [[text for _, text in sorted(row)] for _, row in sorted(rows.items())]
    assert said[-4:] == [
        ["0", "NS", "down", "−1"], ["1", "NS", "left", "−1"], ["2", "NW", "down", "−1"],
        ["return −3"],
    ]  # fmt: skip
    assert [(a[0], b[0]) for a, b in arrows(ax)] == [(2.5, 2.5), (2.5, 1.5), (1.5, 1.5)]
    dots = [line for line in ax.lines if look(line).startswith("POLICY o")]
    assert [line.get_xdata()[0] for line in dots] == [2.5, 2.5, 1.5]
    other = [text.get_text() for text in walk(1).figure.axes[0].texts]
    assert other[-1] == "return −11" and "right" in other and "down" not in other


def test_the_loop_sends_the_action_to_the_world_and_percept_and_reward_back():
    ax = figures.agent_and_world().figure.axes[0]
    said = {
        round(t.get_position()[1] - 0.13, 6): t.get_text() for t in ax.texts if ":" in t.get_text()
    }
    ways = {start[1]: (np.sign(to[0] - start[0]), said[start[1]]) for start, to in arrows(ax)}
    assert [ways[y] for y in sorted(ways)[::-1]] == [
        (1, "action: what it does"), (-1, "percept: what it feels"),
        (-1, "reward: what it is paid"),
    ]  # fmt: skip
    looks = [look(t.arrow_patch) for t in ax.texts if getattr(t, "arrow_patch", None)]
    assert looks == ["POLICY -", "WORLD --", "WORLD --"]


def test_a_push_is_score_times_return_from_the_top_of_each_bar():
    for ax, R, new in zip(push().figure.axes, (2.0, -1.0), NEW.values(), strict=True):
        heights = [bar.get_height() for bar in ax.patches]
        np.testing.assert_allclose(heights, [*PI, *new])
        said = [text.get_text() for text in ax.texts if text.get_text()]
        assert said == [f"{R * s:+.2f}".replace("-", "−") for s in SCORE]
        starts, tips = zip(*arrows(ax), strict=True)
        np.testing.assert_allclose(starts, np.column_stack([range(3), PI]))
        lengths = np.subtract(tips, starts)[:, 1]
        np.testing.assert_allclose(lengths, 0.42 * R * SCORE / 1.4, atol=1e-6)


def test_a_slope_of_a_logarithm_is_the_slope_over_the_probability():
    left, right = relative().figure.axes
    P, slope = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.1, 0.2, -0.3, 0.0])
    dots = [next(line for line in ax.lines if look(line) == "POLICY o") for ax in (left, right)]
    np.testing.assert_allclose(dots[0].get_xydata(), np.column_stack([P, slope]))
    np.testing.assert_allclose(dots[1].get_xydata(), np.column_stack([P, slope / P]))
    for ax, y in ((left, slope), (right, slope / P)):
        assert {text.get_text(): text.xy for text in ax.texts} == {
            name: (P[i], pytest.approx(y[i])) for i, name in enumerate("AB")
        }
    rays = sorted(tuple(line.get_xydata()[1]) for line in left.lines if look(line) == "FAINT -")
    np.testing.assert_allclose(rays[:3], [(0.2, 0.2), (0.3, -0.3), (0.4, 0.0)])


CELLS = "####\n#..#\n####"


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: figures.corridor_map("##\n#", {}, aliased={}), "drawing must be rows of one"),
        (
            lambda: figures.corridor_map(CELLS, {}, aliased={}, needed={(1, 1): "on"}),
            r"needed\[1, 1\] must be one of left, right",
        ),
        (
            lambda: figures.corridor_map(CELLS, {}, aliased={}, agent=(0, 0)),
            "agent must stand in a cell",
        ),
        (
            lambda: figures.episode_walk(MAP, short_corridor(), WALK),
            "world must be built from a map",
        ),
        (lambda: figures.episode_walk(MAP, WORLD, LONG), "tau must be 1 to 12 steps long; .* 13"),
        (
            lambda: figures.push_on_bars(PI, SCORE[:2], {"x": 1.0}, actions="abc"),
            "score must have an entry for each of 3",
        ),
        (lambda: relative([0.1]), "probability and gradient must be lists of one length"),
        (
            lambda: figures.gradient_and_score([0, 1], [0, 0], label="x"),
            "probability must be above 0",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_name_of_the_argument(draw, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        draw()


def test_limits_are_drawn_as_given_with_what_was_learned_beside_them():
    left, left_dots, right, right_dots = limits().figure.axes[0].lines
    shares = np.linspace(0.1, 0.9, 5)
    np.testing.assert_allclose(left.get_xydata(), np.transpose([shares, -2 * shares]), atol=1e-6)
    np.testing.assert_allclose(right.get_xydata(), np.transpose([shares, -3 * shares]), atol=1e-6)
    np.testing.assert_allclose(left_dots.get_xydata(), [[0.3, -2.5], [0.6, -4.1]])
    np.testing.assert_allclose(right_dots.get_xydata(), [[0.3, -4.0], [0.6, -3.2]])


def test_return_curves_points_and_level_are_drawn_as_given():
    one, other, good, bad, level = curves().figure.axes[0].lines
    np.testing.assert_allclose(one.get_ydata(), -1 / SIZES, atol=1e-6)
    np.testing.assert_allclose(other.get_ydata(), -2 / SIZES, atol=1e-6)
    np.testing.assert_allclose(good.get_xydata(), [[0.5, -1.0]])
    np.testing.assert_allclose(bad.get_xydata(), [[0.1, -3.0], [0.9, -4.0]])
    np.testing.assert_allclose(level.get_ydata(), -2.0)


def test_squares_have_the_area_of_their_number_and_zeros_are_circles():
    squares, circles = grid().figure.axes[0].collections
    t, k = np.triu_indices(4)
    np.testing.assert_allclose(squares.get_offsets(), np.column_stack([k, t]))
    areas = squares.get_sizes()
    np.testing.assert_allclose(areas / areas.max(), GRID[t, k] / GRID.max(), atol=1e-6)
    assert all(k < t for k, t in circles.get_offsets())
    assert len(circles.get_offsets()) == 6


def test_both_ways_of_updating_are_drawn_on_both_objectives():
    for i, ax in enumerate(trap().figure.axes):
        line, right, wrong = (drawn.get_xydata() for drawn in ax.lines)
        np.testing.assert_allclose(line, PATH[:, [0, 1 + i]])
        np.testing.assert_allclose(right, PATH[:, [0, 1 + i]], atol=1e-6)
        np.testing.assert_allclose(wrong, 1 - PATH[:, [0, 1 + i]], atol=1e-6)


def test_estimated_slopes_carry_two_standard_errors_to_either_side():
    ax = slopes().figure.axes[0]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), np.linspace(0, 1, 5) ** 2, atol=1e-6)
    bars = np.array(ax.collections[0].get_segments())
    np.testing.assert_allclose(bars[:, 1, 1] - bars[:, 0, 1], 4 / 3, atol=1e-5)
    np.testing.assert_allclose(bars[:, :, 1].mean(axis=1), SIZES / 7, atol=1e-5)


def test_a_trajectory_is_a_block_at_its_return_as_high_as_its_probability():
    for ax, P in zip(blocks().figure.axes, CHANCES.values(), strict=True):
        drawn = ax.patches
        centres = [b.get_x() + b.get_width() / 2 for b in drawn]
        np.testing.assert_allclose(centres, RETURNS)
        np.testing.assert_allclose([b.get_height() for b in drawn], P)
        np.testing.assert_allclose([b.get_y() for b in drawn], [0, 0, P[0], 0])
        np.testing.assert_allclose(ax.lines[0].get_xdata(), P @ RETURNS)


def test_a_bar_is_the_slope_of_all_probability_at_its_return():
    drawn = {b.get_x() + b.get_width() / 2: b for b in shift().figure.axes[0].patches}
    heights = {round(place, 6): round(b.get_height(), 6) for place, b in drawn.items()}
    assert heights == {0.0: 0.1, 1.0: -0.15, 3.0: 0.05}
    assert [bool(drawn[place].get_hatch()) for place in sorted(drawn)] == [False, True, False]


def test_a_learning_curve_shows_the_median_and_eight_runs_in_ten_below_the_best():
    J = -3 - np.abs(RNG.normal(size=(4, 30)))
    x = np.array([1, 10, 100, 1000])
    curves = {"one": (x, J[:, 0]), "noisy": (x, J), "stuck": (x, J - 5)}
    ax = figures.learning_curves({"world": (-2.0, curves)}).figure.axes[0]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), -2 - J[:, 0], atol=1e-6)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), np.median(-2 - J, axis=1), atol=1e-6)
    low, high = np.quantile(-2 - J, [0.1, 0.9], axis=1)
    band = ax.collections[0].get_paths()[0].vertices
    for at, lowest, highest in zip(x, low, high, strict=True):
        here = band[band[:, 0] == at, 1]
        np.testing.assert_allclose([here.min(), here.max()], [lowest, highest], atol=1e-6)
    np.testing.assert_allclose(ax.lines[3].get_ydata(), 0.04)


def test_measured_rates_are_shown_relative_to_the_stated_ones_with_two_deviations():
    ax = rates().figure.axes[0]
    for container, ratio, runs, each in zip(
        ax.containers,
        ([1.1, 0.9], [1.8, 2.4]),
        (1000, 500),
        ([0.11, 0.009], [0.18, 0.024]),
        strict=True,
    ):
        dots, _, (bars,) = container.lines
        np.testing.assert_allclose(dots.get_ydata(), ratio)
        ends = np.array(bars.get_segments())[:, :, 1]
        deviation = np.sqrt(np.array(each) * (1 - np.array(each)) / runs) / [0.1, 0.01]
        np.testing.assert_allclose(ends[:, 1] - ends[:, 0], 4 * deviation, atol=2e-6)
    assert ax.containers[1].lines[0].get_color() == figures.WRONG


def test_the_power_its_bound_and_what_was_measured_are_drawn_as_given():
    one, sure, power, bound, dots = catches().figure.axes[0].lines
    assert (set(one.get_xdata()), set(sure.get_ydata())) == ({1}, {0.99})
    x = np.linspace(0, 1.5, 7)
    np.testing.assert_allclose(power.get_xydata(), np.transpose([x, x / 2]), atol=1e-6)
    np.testing.assert_allclose(bound.get_xydata(), np.transpose([x, x / 3]), atol=1e-6)
    np.testing.assert_allclose(dots.get_xydata(), np.transpose([x[:3], [0.1, 0.6, 0.98]]))


def test_the_weights_of_contexts_are_drawn_as_given_and_the_limit_last():
    *curves, limit = weights().figure.axes[0].lines
    x = np.linspace(0.1, 0.9, 5)
    for line, k in zip(curves, (1, 2), strict=True):
        np.testing.assert_allclose(line.get_xydata(), np.transpose([x, k * x]), atol=1e-6)
    np.testing.assert_allclose(limit.get_xydata(), np.transpose([x, 3 * x]), atol=1e-6)
    assert limit.get_color() == figures.WRONG


# --- what cannot be drawn ------------------------------------------------------------------------

NO_NUMBERS = {"trajectory_factors", "derivation_map", "corridor_map", "episode_walk"}
NO_NUMBERS |= {"agent_and_world"}  # but a count, or words


def call_of(draw, monkeypatch):
    """The function of the module that a picture of these tests comes from, with its arguments."""
    calls = []

    def recorder(function):
        def record(*args, **options):
            calls.append((function, inspect.signature(function).bind(*args, **options).arguments))
            return function(*args, **options)

        return record

    for name in figures.__all__:
        if inspect.isfunction(getattr(figures, name)):
            monkeypatch.setattr(figures, name, recorder(getattr(figures, name)))
    draw = getattr(figures, draw.__name__, draw)
    draw()
    ((function, arguments),) = calls
    return function, arguments


def spoilt(value):
    """The value with one number that cannot be drawn, in each way and each place in turn."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from ({**value, key: other} for other in spoilt(part))
    elif isinstance(value, (list, tuple)) and not all(isinstance(x, float) for x in value):
        for i, part in enumerate(value):
            yield from ([*value[:i], other, *value[i + 1 :]] for other in spoilt(part))
    elif not isinstance(value, (str, bool, type(None), MDP, Trajectories)):
        array = np.array(value, float)
        for number in (np.nan, np.inf, -np.inf):
            bad = array.copy()
            bad.flat[-1] = number
            yield bad
        yield array + 0j
        yield np.ma.masked_array(array, np.ones(array.shape, bool))
        yield array.astype(object)


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_what_cannot_be_drawn_is_refused_by_name(draw, monkeypatch):
    function, arguments = call_of(draw, monkeypatch)
    tried = 0
    for name, value in arguments.items():
        for bad in spoilt(value):
            with pytest.raises((ValueError, TypeError), match=rf"^{name}\b.* must "):
                function(**{**arguments, name: bad})
            tried += 1
    assert tried >= 6 or function.__name__ in NO_NUMBERS


def test_numbers_that_do_not_fit_together_are_refused_with_the_name_of_the_picture():
    with pytest.raises(ValueError, match=r"objective_curve\(x, J, best.* cannot draw"):
        figures.objective_curve(SIDE, SIDE[:-1], (0.0, 0.0), label="x")
    with pytest.raises(ValueError, match=r"return_bars\(.* cannot draw"):
        figures.return_bars(RETURNS, CHANCES, {"mild": 1.0})
