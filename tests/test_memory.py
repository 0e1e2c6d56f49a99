"""How much memory a computation may take, and what is said where it is too much."""

from re import escape

import pytest

from policygrad import memory
from policygrad.memory import TooLarge, memory_allowed, require_memory


@pytest.fixture(autouse=True)
def asked_anew():
    """The machine is asked once, but for these tests."""
    memory._memory.cache_clear()
    yield
    memory._memory.cache_clear()


def allowed_now():
    memory._memory.cache_clear()
    return memory_allowed()


def test_what_does_not_fit_is_refused_with_both_figures_and_what_would(monkeypatch):
    monkeypatch.setattr(memory, "memory_allowed", lambda: 4 * 10**9)
    require_memory("m = 2 trajectories", 4 * 10**9)
    words = (
        "m = 3 trajectories would take about 12.3 GB of memory, more than half of this machine's "
        "(4.0 GB); draw fewer"
    )
    with pytest.raises(TooLarge, match=f"^{escape(words)}$"):
        require_memory("m = 3 trajectories", 12.3e9, "draw fewer")


@pytest.mark.parametrize(
    ("size", "words"),
    [(10**18, "1,000.0 PB"), (32 * 10**13, "320.0 TB"), (1_500_000_000_000, "1.5 TB")],
)
def test_sizes_are_told_in_the_unit_that_fits(monkeypatch, size, words):
    monkeypatch.setattr(memory, "memory_allowed", lambda: 999)
    with pytest.raises(ValueError, match=escape(f"about {words} of memory")):
        require_memory("it", size)


def test_half_of_the_least_of_what_is_known_is_allowed(monkeypatch, tmp_path):
    pages = {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(memory.os, "sysconf", pages.get, raising=False)
    container = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "OF_THE_CONTAINER", container)
    assert allowed_now() == 2_048_000  # no container
    container.write_text("max\n")
    assert allowed_now() == 2_048_000  # one without a limit
    container.write_text("1000000\n")
    assert allowed_now() == 500_000


def test_where_the_system_does_not_tell_so_much_is_assumed(monkeypatch, tmp_path):
    monkeypatch.delattr(memory.os, "sysconf", raising=False)
    monkeypatch.setattr(memory, "OF_THE_CONTAINER", tmp_path / "none")
    assert allowed_now() == memory.UNKNOWN / 2
