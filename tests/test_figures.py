"""A picture is the same text on every run, draws the numbers it is given, and has few colours."""

import re
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest

from policygrad import figures

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
    return figures.error_decay(SIZES, ERRORS, predicted)


PICTURES = {"factors": figures.trajectory_factors, "cloud": cloud, "decay": decay}
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


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_a_picture_is_the_same_text_on_every_run(draw):
    assert draw()._repr_svg_() == draw()._repr_svg_()


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_a_picture_is_one_svg_element_with_no_date_and_no_raster_image(draw):
    text = draw()._repr_svg_()
    root = ET.fromstring(text)
    assert root.tag.endswith("svg")
    assert not [e for e in root.iter() if e.tag.endswith(("image", "script", "}date"))]
    assert not re.search(r"\b20\d\d-\d\d-\d\d", text)


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_a_picture_uses_the_colours_of_the_book_alone(draw):
    used = {c.lower() for c in re.findall(r"#[0-9a-fA-F]{6}\b", draw()._repr_svg_())}
    assert used <= PALETTE, used - PALETTE


@pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)
def test_a_style_of_the_reader_does_not_change_a_picture(draw):
    plain = draw()._repr_svg_()
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 9, "axes.facecolor": "red"}):
        assert draw()._repr_svg_() == plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (cloud(), cloud(ROWS + 0.1)),
        (decay(), decay(2 / np.sqrt(SIZES))),
        (figures.trajectory_factors(1), figures.trajectory_factors(2)),
    ],
    ids=["cloud", "decay", "factors"],
)
def test_other_numbers_make_another_picture(one, other):
    assert one._repr_svg_() != other._repr_svg_()


def test_a_picture_says_in_plain_text_what_it_is():
    assert repr(decay()) == "<picture: the error falls as one over the square root of m>"


def test_areas_are_proportional_to_probability():
    p = np.array([0.4, 0.2, 0.2, 0.1, 0.05, 0.05])
    picture = figures.gradient_cloud(ROWS, p, ROWS[0], MEANS, labels=("a", "b"), m=9)
    areas = picture.figure.axes[0].collections[0].get_sizes()
    np.testing.assert_allclose(areas / areas.sum(), p, rtol=1e-12)


def test_the_band_holds_nine_errors_in_ten_and_the_dots_are_root_mean_squares():
    ax = decay().figure.axes[0]
    measured = ax.lines[1].get_ydata()
    np.testing.assert_allclose(measured, np.sqrt((ERRORS**2).mean(axis=1)), atol=1e-8)
    band = ax.collections[0].get_paths()[0].vertices
    low, high = np.quantile(ERRORS, [0.05, 0.95], axis=1)
    for x, lo, hi in zip(SIZES, low, high, strict=True):
        at = band[band[:, 0] == x, 1]
        np.testing.assert_allclose([at.min(), at.max()], [lo, hi], atol=1e-7)
