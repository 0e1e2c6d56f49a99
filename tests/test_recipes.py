"""The recipes of chapter 18 for other libraries, as printed, where these are installed."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from policygrad.trial import trial_of_loss
from policygrad.worlds import tiny_language

PAGE = Path(__file__).resolve().parents[1] / "book" / "18-your-own.ipynb"
WHY = "the recipe of chapter 18 for it is run only where {} is installed"


def recipes():
    """The Python in the text of the page, by the library that it imports first."""
    cells = json.loads(PAGE.read_text("utf-8"))["cells"]
    text = "\n".join("".join(x["source"]) for x in cells if x["cell_type"] == "markdown")
    found = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return {re.match(r"import (\w+)", recipe)[1]: recipe for recipe in found}


def small():
    """The page's language with two tokens in place of three, and its logits."""
    language = tiny_language(("a", "ba"), letters="ab", longest=2, seen="last")
    return language, np.random.default_rng(18).normal(size=(language.O, language.A))


def detached(logp, old_logp, ref_logp, rewards, mask, held_logp):
    """What the recipes have, for differences."""
    A = rewards - rewards.mean()
    w = np.minimum(np.exp(held_logp - old_logp), 1.28)
    return -(w * A[:, None] * logp * mask).sum() / len(rewards)


def test_there_is_a_recipe_for_each_library():
    assert set(recipes()) == {"torch", "jax"}


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_a_recipe_gives_the_verdict_and_the_means_of_the_same_loss_by_differences(library, capsys):
    pytest.importorskip(library, reason=WHY.format(library))
    language, theta = small()
    names = {"np": np, "trial_of_loss": trial_of_loss, "language": language, "theta": theta}
    exec(compile(recipes()[library], f"recipe for {library}", "exec"), names)
    report = names["report"]
    assert str(report) in capsys.readouterr().out
    expected = trial_of_loss(detached, language, theta, G=2)
    assert report.verdict == expected.verdict == "unbiased up to a factor"
    assert report.factor == pytest.approx(0.5, rel=1e-9)
    for one, other in zip((report, *report.old), (expected, *expected.old), strict=True):
        np.testing.assert_allclose(one.mean, other.mean, rtol=0, atol=1e-7)


@pytest.mark.parametrize("library", ["torch", "jax"])
def test_a_weight_that_is_not_detached_gets_another_verdict(library, capsys):
    pytest.importorskip(library, reason=WHY.format(library))
    language, theta = small()
    recipe = recipes()[library]
    forgotten = recipe.replace(".detach()", "").replace("jax.lax.stop_gradient(w)", "w")
    assert forgotten != recipe
    names = {"np": np, "trial_of_loss": trial_of_loss, "language": language, "theta": theta}
    exec(compile(forgotten, f"recipe for {library}", "exec"), names)
    capsys.readouterr()
    assert names["report"].verdict == "the gradient of nothing"
