"""Pictures of ratios draw the numbers they are given, and name what they draw."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from policygrad import figures

RATIO = np.linspace(0, 2, 41)


def branches(epsilon=0.2, scale=1.0):
    values = {
        name: (scale * RATIO * A, scale * np.minimum(RATIO * A, np.clip(RATIO, 0.8, 1.2) * A))
        for name, A in (("good", 1), ("bad", -1))
    }
    return figures.clip_branches(RATIO, values, epsilon)


def curves(last=0.5, runs=20):
    """J of runs that approach 3, side by side."""
    gap = np.linspace(2, last, 6)[:, None] * np.linspace(0.9, 1.1, runs)
    return {"once": 3 - gap, "often": 3 - gap / 2}


def reused(**changed):
    given = {"best": 3.0, "curves": curves(), "exact": ("exact", 3 - np.linspace(2, 0.1, 6))}
    return figures.reused_batches(**given | changed, mark=0.01)


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def test_each_branch_is_drawn_in_its_panel_as_it_is_given():
    for ax, A, colour in zip(
        branches().figure.axes, (1, -1), (figures.POLICY, figures.WRONG), strict=True
    ):
        drawn = lines(ax)["the smaller of the two"]
        expected = np.minimum(RATIO * A, np.clip(RATIO, 0.8, 1.2) * A)
        assert np.allclose(drawn.get_ydata(), expected)
        assert to_hex(drawn.get_color()) == colour.lower()
        assert np.allclose(lines(ax)["ratio × advantage"].get_ydata(), RATIO * A)


def test_the_ends_of_the_clip_are_marked():
    ticks = branches(epsilon=0.3).figure.axes[0].get_xticks()
    assert np.allclose(ticks, [0, 0.7, 1, 1.3, 2])


def test_of_many_runs_the_median_is_drawn_and_eight_in_ten_of_them_lie_in_the_band():
    (ax,) = reused().figure.axes
    gap = 3 - curves()["once"]
    assert np.allclose(lines(ax)["once"].get_ydata(), np.median(gap, axis=1), atol=1e-6)
    low, high = np.quantile(gap, [0.1, 0.9], axis=1)
    ys = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert ys.min() == pytest.approx(low.min(), abs=1e-6)
    assert ys.max() == pytest.approx(high.max(), abs=1e-6)


def test_the_exact_curve_and_the_mark_are_drawn():
    drawn = lines(reused().figure.axes[0])
    assert np.allclose(drawn["exact"].get_ydata(), np.linspace(2, 0.1, 6))
    assert drawn["1% of J*"].get_ydata()[0] == pytest.approx(0.03)


def test_a_run_that_has_arrived_stands_at_the_bottom_and_not_at_minus_infinity():
    (ax,) = reused(exact=("exact", np.full(6, 3.0))).figure.axes
    assert (lines(ax)["exact"].get_ydata() > 0).all()


@pytest.mark.parametrize("draw", [branches, reused])
def test_the_pictures_are_the_same_text_on_every_run(draw):
    assert draw()._repr_svg_() == draw()._repr_svg_()


def test_what_cannot_be_drawn_is_refused_by_name():
    with pytest.raises(ValueError, match=r"curves\['once'\]"):
        reused(curves={"once": np.full((6, 2), np.nan), "often": np.ones((6, 2))})
    with pytest.raises(ValueError, match="branches"):
        figures.clip_branches(RATIO, {"good": (RATIO, np.inf + RATIO)}, 0.2)
    with pytest.raises(ValueError, match="reused_batches"):
        reused(curves={"once": np.ones((6, 2))})
