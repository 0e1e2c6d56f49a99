"""Pictures of methods with groups draw the numbers they are given, and name what they draw."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from policygrad import figures

ANSWERS = 32 * np.arange(4)


def runs(top=0.9, many=11):
    """J of runs that approach a height, side by side."""
    return np.linspace(0.1, top, 4)[:, None] * np.linspace(0.8, 1.0, many)


def race(**changed):
    curves = {"exact": (ANSWERS, runs(1.0, 1)), "whole": (ANSWERS, runs())}
    curves |= {"bent": (ANSWERS, runs(0.7)), "other": (ANSWERS, runs(0.6))} | changed
    return figures.method_race({"one": curves, "two": curves}, ["bent"])


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_each_method_is_drawn_as_the_mean_of_its_runs_in_its_colour():
    for ax in race().figure.axes:
        for name, J in (("whole", runs()), ("bent", runs(0.7)), ("exact", runs(1.0, 1))):
            line = lines(ax)[name]
            np.testing.assert_array_equal(line.get_xdata(), ANSWERS)
            np.testing.assert_allclose(line.get_ydata(), J.mean(axis=1), atol=1e-6)
        colours = {name: to_hex(lines(ax)[name].get_color()) for name in ("whole", "bent", "exact")}
        assert colours == {
            "whole": figures.ESTIMATE.lower(),
            "bent": figures.WRONG.lower(),
            "exact": figures.EXACT.lower(),
        }


def test_a_bar_behind_the_end_holds_eight_in_ten_runs():
    ax = race().figure.axes[0]
    bars = [line for line in ax.get_lines() if line.get_label().startswith("_")]
    assert len(bars) == 3
    for bar, J in zip(bars, (runs(), runs(0.7), runs(0.6)), strict=True):
        assert min(bar.get_xdata()) > ANSWERS[-1]
        np.testing.assert_allclose(bar.get_ydata(), np.quantile(J[-1], [0.1, 0.9]), atol=1e-6)


def test_methods_of_one_colour_have_dashes_of_their_own():
    ax = race().figure.axes[0]
    assert lines(ax)["whole"].get_linestyle() != lines(ax)["other"].get_linestyle()


def test_the_legend_names_each_method_once():
    (legend,) = race().figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["exact", "whole", "bent", "other"]


def test_the_picture_is_the_same_text_on_every_run():
    assert race()._repr_svg_() == race()._repr_svg_()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_cannot_be_drawn_is_refused_by_name(bad):
    J = runs()
    J[1, 2] = bad
    with pytest.raises(ValueError, match="panels"):
        race(whole=(ANSWERS, J))


def test_numbers_that_do_not_fit_are_refused_with_the_name_of_the_function():
    with pytest.raises(ValueError, match="method_race"):
        race(whole=(ANSWERS[:2], runs()))
