"""Pictures beside a reference: what is drawn is what was given, and where a push leads away."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from policygrad import figures

REFERENCE = np.array([0.5, 0.3, 0.2])
POLICIES = {"narrow": np.array([0.9, 0.05, 0.05]), "wide": np.ones(3) / 3}
X = np.linspace(-1, 1, 5)
CURVES = {"k1": X, "k2": X**2 / 2, "k3": np.exp(-X) - 1 + X}
POINTS = np.array([[0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.2, 0.2, 0.6], [0.5, 0.4, 0.1]])
TOWARDS = REFERENCE - POINTS


def bars(reference=REFERENCE, policies=POLICIES):
    return figures.missed_and_covered(reference, policies, actions=["a", "b", "c"])


BELL = np.exp(-(X**2))


def curves(density=BELL):
    return figures.kl_curves(X, CURVES, density)


def fields(field=TOWARDS):
    return figures.penalty_fields(REFERENCE, POINTS, {"back": TOWARDS, "other": field})


@pytest.mark.parametrize("draw", [bars, curves, fields])
def test_a_picture_is_the_same_text_twice_and_in_the_colours_of_the_book(draw):
    assert draw()._repr_svg_() == draw()._repr_svg_()
    assert draw()._repr_svg_().startswith("<svg")


def test_bars_are_as_high_as_the_probabilities_and_the_reference_has_the_colour_of_the_world():
    (ax,) = bars().figure.axes
    heights = [[bar.get_height() for bar in group] for group in ax.containers]
    assert np.allclose(heights, [REFERENCE, *POLICIES.values()], atol=1e-6)
    colours = [to_hex(group[0].get_facecolor()) for group in ax.containers]
    assert colours == [x.lower() for x in (figures.WORLD, figures.POLICY, figures.POLICY)]


def test_each_estimate_is_the_curve_that_was_given_in_dashes_of_its_own():
    (ax,) = curves().figure.axes
    lines = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    for name, y in CURVES.items():
        assert np.allclose(lines[name].get_ydata(), y, atol=1e-6)
    assert len({line.get_linestyle() for line in lines.values()}) == 3


def test_the_corners_bear_the_names_of_the_actions_where_they_are_given():
    names = ["a", "b", "c"]
    (ax,) = figures.penalty_fields(REFERENCE, POINTS, {"one": TOWARDS}, actions=names).figure.axes
    assert [(x.get_text(), x.xy[0]) for x in ax.texts] == [
        ("a", 0),
        ("b", 1),
        ("c", 0.5),
    ]
    assert not fields().figure.axes[0].texts


def arrows(ax):
    """Colour and moves of the arrows of a panel."""
    return [(to_hex(x.get_facecolor()[0]), np.column_stack([x.U, x.V])) for x in ax.collections]


def test_an_arrow_that_leads_away_from_the_reference_has_the_colour_of_what_is_wrong():
    back, away = fields(-TOWARDS).figure.axes
    assert [colour for colour, _ in arrows(back)] == [figures.EXACT.lower()]
    assert [colour for colour, _ in arrows(away)] == [figures.WRONG.lower()]


def test_arrows_keep_their_proportions_and_the_longest_is_as_long_as_points_are_apart():
    (_, moves), *_ = arrows(fields().figure.axes[0])
    corners = np.array([[0, 0], [1, 0], [0.5, np.sqrt(0.75)]])
    wanted = TOWARDS @ corners
    assert np.allclose(moves / np.abs(moves).max(), wanted / np.abs(wanted).max(), atol=1e-3)
    places = POINTS @ corners
    apart = min(np.linalg.norm(places[i] - places[j]) for i in range(4) for j in range(i))
    assert np.linalg.norm(moves, axis=1).max() == pytest.approx(apart, abs=1e-4)


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: bars([0.5, 0.5, 0.5]), "'the reference' must be 3 probabilities"),
        (lambda: bars(policies={"one": [0.5, 0.5]}), "'one' must be 3 probabilities"),
        (lambda: bars(policies={"one": [1.5, -0.5, 0.0]}), "'one' must be 3 probabilities"),
        (lambda: curves(np.full(5, np.nan)), "density"),
        (lambda: figures.penalty_fields([1.0, 0.0], POINTS, {"one": TOWARDS}), "reference"),
        (
            lambda: figures.penalty_fields(REFERENCE, POINTS, {"one": TOWARDS}, actions="ab"),
            "three names",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(draw, says):
    with pytest.raises(ValueError, match=says):
        draw()
