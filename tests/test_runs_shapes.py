"""``runs`` where the arrays of its worlds differ in shape."""

import json

import numpy as np
import pytest

from policygrad.checks import runs
from policygrad.formulas import tex


@pytest.fixture
def page(tmp_path, monkeypatch):
    text = "$$\nx=\\mu^\\top r\n$$ (eq-product)"
    cells = [{"cell_type": "markdown", "source": text}]
    (tmp_path / "page.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")
    monkeypatch.setattr(tex, "_beside", lambda: tmp_path)


def values(mu, r, x):
    return {r"\mu": np.array(mu), "r": np.array(r), "x": x}


def test_worlds_of_unequal_sizes_are_compared_number_by_number(page):
    two, three = values([0.5, 0.5], [1.0, 3.0], 2.0), values([1.0, 2.0, 3.0], [1.0, 1.0, 0.0], 3.0)
    runs("product", two, three)
    other = values([2.0, 0.0, 5.0], [1.0, 7.0, 0.0], 2.0)
    with pytest.raises(ValueError, match=r"x is 2\.0 in all that is tried"):
        runs("product", two, other)
