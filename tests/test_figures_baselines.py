"""The variance of an update over what is subtracted: drawn, named and marked as it was given."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from policygrad import figures

B = np.linspace(-1, 5, 13)
MARKS = {"none": (0.0, 5.0), "best": (2.0, 1.0), "late": (4.5, 7.25)}


def drawn(marks=MARKS, variance=None):
    variance = 1 + (B - 2) ** 2 if variance is None else variance
    return figures.variance_parabola(B, variance, marks)


def test_the_curve_and_the_marks_stand_where_the_numbers_are():
    (ax,) = drawn().figure.axes
    curve, *points = ax.lines
    np.testing.assert_allclose(curve.get_xydata(), np.column_stack([B, 1 + (B - 2) ** 2]))
    found = {tuple(point.get_xydata()[0]) for point in points}
    assert found == set(MARKS.values())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("b, subtracted from the return", "total variance")
    assert ax.get_ylim()[0] == 0


def test_the_lowest_mark_is_a_green_diamond_and_all_others_are_squares():
    for lowest in MARKS:
        marks = MARKS | {lowest: (MARKS[lowest][0], 0.5)}
        (ax,) = drawn(marks).figure.axes
        looks = {
            point.get_ydata()[0]: (point.get_marker(), to_hex(point.get_color()))
            for point in ax.lines[1:]
        }
        for name, (_, height) in marks.items():
            good = ("D", figures.POLICY.lower())
            assert looks[height] == (good if name == lowest else ("s", figures.WRONG.lower()))


def test_each_name_stands_beside_its_mark_and_off_the_curve():
    (ax,) = drawn().figure.axes
    sides = {text.get_text(): (text.xy, text.get_ha()) for text in ax.texts}
    assert sides == {
        "none": ((0.0, 5.0), "left"),
        "best": ((2.0, 1.0), "center"),
        "late": ((4.5, 7.25), "right"),
    }


def test_it_is_the_same_text_whenever_it_is_drawn():
    assert drawn()._repr_svg_() == drawn()._repr_svg_()


def test_what_cannot_be_drawn_is_refused_by_name():
    with pytest.raises(ValueError, match="variance"):
        drawn(variance=np.append(B[:-1], np.nan))
    with pytest.raises(ValueError, match="cannot draw"):
        drawn(marks={})
    with pytest.raises(ValueError, match="cannot draw"):
        drawn(variance=B[:-1])
