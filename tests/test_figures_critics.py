"""Pictures of critics draw the numbers they are given, and name them."""

import re

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex

from policygrad import figures

LAM = np.linspace(0, 1, 5)
BIAS = np.array([4.0, 2.0, 1.0, 0.25, 0.0])
NOISE = np.array([1.0, 1.0, 1.5, 3.0, 6.0])
RUNS = -20.0 + np.outer(np.arange(6), np.linspace(0.5, 1.5, 11))
CLIMB = np.array([-20.0, -15, -13, -12, -12, -12])


def mse(bias=BIAS, noise=NOISE):
    return figures.bias_and_noise(LAM, bias, noise, m=7)


def climbs(runs=RUNS, wrong=("blind", CLIMB - 5)):
    return figures.actor_critic_runs(runs, CLIMB, -11.0, lowest=-30, wrong=wrong)


PICTURES = {"mse": mse, "climbs": climbs}


def lines(picture):
    """Name -> (colour, x, y) of the lines of a picture's one panel."""
    (ax,) = picture.figure.axes
    return {x.get_label(): (to_hex(x.get_color()), *x.get_data()) for x in ax.get_lines()}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_same_text_in_whatever_style_it_is_drawn(name):
    plain = PICTURES[name]()._repr_svg_()
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 9}):
        assert PICTURES[name]()._repr_svg_() == plain
    assert not re.search(r"<image|\b20\d\d-\d\d-\d\d", plain)


def test_bias_and_variance_are_drawn_with_their_sum_and_its_least_value():
    found = lines(mse())
    for name, colour, y in (
        ("squared bias", figures.WRONG, BIAS),
        ("variance, m = 7", figures.ESTIMATE, NOISE),
        ("their sum", figures.EXACT, BIAS + NOISE),
    ):
        assert found[name][0] == colour.lower()
        np.testing.assert_allclose(found[name][1], LAM)
        np.testing.assert_allclose(found[name][2], y)
    colour, x, y = found["least"]  # 5, 3, 2.5, 3.25, 6
    assert (colour, list(x), list(y)) == (figures.POLICY.lower(), [0.5], [2.5])


def test_runs_are_drawn_as_their_median_and_the_band_of_eight_in_ten():
    picture = climbs()
    colour, x, y = lines(picture)["critic sees the state"]
    assert colour == figures.ESTIMATE.lower()
    np.testing.assert_allclose(y, -20 + np.arange(6.0))  # the middle one of eleven slopes is 1
    np.testing.assert_allclose(x, np.arange(6))
    (band,) = picture.figure.axes[0].collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == -20
    assert corners[:, 1].max() == pytest.approx(-20 + 5 * 1.4)  # nine in ten of 0.5 to 1.5


def test_exact_ascent_the_best_value_and_what_goes_wrong_have_their_own_lines():
    found = lines(climbs())
    assert found["exact ascent"][0] == figures.EXACT.lower()
    np.testing.assert_allclose(found["exact ascent"][2], CLIMB)
    assert found["blind"][0] == figures.WRONG.lower()
    np.testing.assert_allclose(found["blind"][2], CLIMB - 5)
    assert found["largest J"][0] == figures.FAINT.lower()
    assert set(found["largest J"][2]) == {-11.0}
    assert "blind" not in lines(climbs(wrong=None))


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: mse(bias=BIAS * np.nan), "bias"),
        (lambda: mse(noise=NOISE[:3]), "bias_and_noise"),
        (lambda: climbs(runs=RUNS * np.inf), "runs"),
        (lambda: climbs(wrong=("blind", CLIMB[:3])), "actor_critic_runs"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(draw, says):
    with pytest.raises(ValueError, match=says):
        draw()
