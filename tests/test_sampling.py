"""Sampling: exactly what a plain loop would draw, and in the right frequencies.

Two kinds of evidence. First, a plain loop that is given the same uniform numbers must make the same
trajectories, to the last one. Second, frequencies must follow P(tau), by chi-square tests at a
false-alarm rate of 1e-6 each; the seeds are fixed, so a test that passes once passes always.
"""

from re import escape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from policygrad import memory, sampling
from policygrad.exact import enumerate_trajectories, expected_return
from policygrad.mdp import MDP
from policygrad.policies import softmax_policy
from policygrad.sampling import BLOCK, DEFAULT_MAX_STEPS, _GuideTable, sample_trajectories
from policygrad.trajectories import NO_ACTION
from policygrad.worlds import bandit, random_mdp, short_corridor, two_state, vacuum_corridor
from random_worlds import examples, worlds

FALSE_ALARM = 1e-6
ARRAYS = ("states", "actions", "rewards", "lengths")


def rng(seed=0):
    return np.random.default_rng(seed)


def uniform(mdp):
    return np.full((mdp.O, mdp.A), 1 / mdp.A)


def follow(counts, probabilities):
    """Pearson's chi-square test, cells with fewer than 5 expected put together."""
    counts, mean = np.asarray(counts), np.asarray(probabilities) * np.sum(counts)
    assert not counts[mean == 0].any()
    small = mean < 5
    counts = np.append(counts[~small], counts[small].sum())
    mean = np.append(mean[~small], mean[small].sum())
    possible = mean > 0
    p = stats.chisquare(counts[possible], mean[possible]).pvalue if possible.sum() > 1 else 1.0
    assert p > FALSE_ALARM, f"chi-square test: p = {p:.2g}"


def same(tau, other):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(tau, name), getattr(other, name), err_msg=name)


# --- a plain loop --------------------------------------------------------------------------------


def pick(probabilities, u):
    """The outcome whose interval of the cumulative probabilities holds u."""
    return int(np.searchsorted(np.cumsum(probabilities), u, side="right"))


def plain_loop(mdp, pi, m, rng, limit):
    """At most BLOCK trajectories from the same numbers: [(states, actions, rewards), ...]."""
    tau = [([pick(mdp.mu, u)], [], []) for u in rng.random(m)]
    for _ in range(limit):
        running = [path for path in tau if not mdp.absorbing[path[0][-1]]]
        if not running:
            break
        for (states, actions, rewards), u in zip(running, rng.random(len(running)), strict=True):
            s = states[-1]
            outcomes = (pi[mdp.observe[s]][:, None] * mdp.P[s]).ravel()
            a, p = divmod(pick(outcomes, u), mdp.S)
            states.append(p)
            actions.append(a)
            rewards.append(mdp.R[s, a, p])
    return tau


def is_the_plain_loop(tau, paths):
    H = max(len(actions) for _, actions, _ in paths)
    assert tau.actions.shape == (len(paths), H)
    for i, (states, actions, rewards) in enumerate(paths):
        T = len(actions)
        assert tau.lengths[i] == T
        assert tau.states[i].tolist() == states + states[-1:] * (H - T)
        assert tau.actions[i].tolist() == actions + [NO_ACTION] * (H - T)
        assert tau.rewards[i].tolist() == rewards + [0.0] * (H - T)


@examples(60)
@given(world=worlds(("horizon", "acyclic", "absorbing"), max_S=5), m=st.integers(1, 40))
def test_the_sampler_draws_what_a_plain_loop_draws(world, m):
    mdp, theta = world
    pi = softmax_policy(theta)
    limit = mdp.horizon or DEFAULT_MAX_STEPS
    is_the_plain_loop(
        sample_trajectories(mdp, pi, m, rng(m)), plain_loop(mdp, pi, m, rng(m), limit)
    )


@pytest.mark.parametrize("mdp", [vacuum_corridor(), short_corridor(), bandit([1, 2], [0.3, 0.6])])
def test_on_the_books_worlds_too(mdp):
    is_the_plain_loop(
        sample_trajectories(mdp, uniform(mdp), 500, rng(4)),
        plain_loop(mdp, uniform(mdp), 500, rng(4), mdp.horizon or DEFAULT_MAX_STEPS),
    )


# --- frequencies ---------------------------------------------------------------------------------


def counted(tau, every):
    """How many times each of all trajectories was drawn."""
    assert tau.actions.shape[1] == every.actions.shape[1]
    drawn, all_of_them = (np.hstack([x.states, x.actions]).tolist() for x in (tau, every))
    number = {tuple(row): i for i, row in enumerate(all_of_them)}
    return np.bincount([number[tuple(row)] for row in drawn], minlength=len(every))


@pytest.mark.parametrize("seed", [0, 1])
def test_frequencies_follow_the_probabilities_of_all_64_trajectories(seed):
    mdp, pi = two_state(gamma=1.0), np.array([[0.7, 0.3], [0.4, 0.6]])
    every = enumerate_trajectories(mdp)
    tau = sample_trajectories(mdp, pi, 200_000, rng(seed))
    follow(counted(tau, every), every.probability(pi))


@pytest.mark.parametrize("seed", range(4))
def test_frequencies_follow_with_aliasing_sparsity_and_ends(seed):
    mdp = random_mdp(rng(seed), 4, 2, O=2, successors=2, absorbing=1, horizon=3, gamma=1.0)
    pi = softmax_policy(rng(seed + 50).normal(size=(2, 2)))
    every = enumerate_trajectories(mdp)
    tau = sample_trajectories(mdp, pi, 100_000, rng(seed + 100))
    follow(counted(tau, every), every.probability(pi))


@pytest.fixture(scope="module")
def crowd():
    """A random aliased world, a policy, and 60,000 trajectories of up to 6 steps."""
    mdp = random_mdp(rng(11), 5, 3, O=3, successors=3, absorbing=1, horizon=6, gamma=1.0)
    pi = softmax_policy(rng(12).normal(size=(3, 3)))
    return mdp, pi, sample_trajectories(mdp, pi, 60_000, rng(13))


def test_start_frequencies_follow_mu(crowd):
    mdp, _, tau = crowd
    follow(np.bincount(tau.states[:, 0], minlength=mdp.S), mdp.mu)


def test_action_frequencies_follow_the_policy_at_each_percept(crowd):
    mdp, pi, tau = crowd
    seen = mdp.observe[tau.states[:, :-1]]
    for o in range(mdp.O):
        here = tau.happened & (seen == o)
        follow(np.bincount(tau.actions[here], minlength=mdp.A), pi[o])


def test_transition_frequencies_follow_P_for_each_state_and_action(crowd):
    mdp, _, tau = crowd
    before, after = tau.states[:, :-1], tau.states[:, 1:]
    for s in np.flatnonzero(~mdp.absorbing):
        for a in range(mdp.A):
            here = (before == s) & (tau.actions == a)
            follow(np.bincount(after[here], minlength=mdp.S), mdp.P[s, a])


def test_steps_do_not_depend_on_the_time(crowd):
    # Markov: what follows (s, a) at t = 0 and at t = 2 has one distribution
    mdp, _, tau = crowd
    for t in (0, 2):
        for s in np.flatnonzero(~mdp.absorbing):
            here = (tau.states[:, t] == s) & (tau.actions[:, t] == 0)
            follow(np.bincount(tau.states[here, t + 1], minlength=mdp.S), mdp.P[s, 0])


def test_the_mean_return_is_J():
    # the short corridor's returns have no bound; 1e-6 two-sided is 4.89 standard errors
    mdp, pi = short_corridor(), np.array([[0.45, 0.55]])
    returns = sample_trajectories(mdp, pi, 100_000, rng(21)).rewards.sum(axis=1)
    error = (returns.mean() - expected_return(mdp, pi)) / (returns.std() / np.sqrt(len(returns)))
    assert abs(error) < stats.norm.isf(FALSE_ALARM / 2)


def test_trajectories_are_independent_of_their_neighbours():
    # correlation of the returns of neighbours: standard normal times 1/sqrt(m) if there is none
    returns = sample_trajectories(
        two_state(gamma=1.0), uniform(two_state(gamma=1.0)), 50_001, rng(22)
    ).rewards.sum(axis=1)
    r = np.corrcoef(returns[:-1], returns[1:])[0, 1]
    assert abs(r) * np.sqrt(50_000) < stats.norm.isf(FALSE_ALARM / 2)


def test_what_has_probability_zero_never_happens():
    mdp = random_mdp(rng(31), 6, 3, O=4, successors=2, absorbing=2, horizon=5, gamma=1.0)
    pi = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.25, 0.75]])
    tau = sample_trajectories(mdp, pi, 50_000, rng(32))
    i, t = np.nonzero(tau.happened)
    s, a, p = tau.states[i, t], tau.actions[i, t], tau.states[i, t + 1]
    assert (mdp.mu[tau.states[:, 0]] > 0).all()
    assert (pi[mdp.observe[s], a] > 0).all()
    assert (mdp.P[s, a, p] > 0).all()
    assert not mdp.absorbing[s].any()


# --- the guide table -----------------------------------------------------------------------------


class Numbers:
    """Stands in for a generator: "draws" the numbers that it was given."""

    def __init__(self, numbers):
        self.numbers = np.asarray(numbers, float)

    def random(self, size):
        assert size == len(self.numbers)
        return self.numbers.copy()


def draw(rows, which, numbers, draws=1):
    table = _GuideTable.build(np.array(rows, float), draws)
    return table.draw(np.asarray(which, np.int32), Numbers(numbers)).tolist()


LAST = 1 - 2.0**-53  # the largest number that a generator draws

ROWS = st.integers(1, 12).flatmap(
    lambda K: st.lists(
        st.lists(
            st.sampled_from([0.0, 0.0, 1e-9, 0.01, 0.3, 1.0, 7.0]), min_size=K, max_size=K
        ).filter(any),
        min_size=1,
        max_size=4,
    )
)


@examples(60)
@given(rows=ROWS, draws=st.sampled_from([1, 300, 5_000, 10**6]), seed=st.integers(0, 2**32 - 1))
def test_the_guide_table_finds_what_a_search_finds(rows, draws, seed):
    rows = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    which = rng(seed).integers(len(rows), size=400)
    # besides random numbers: 0, the largest, and every interval's end with its two neighbours
    u = rng(seed + 1).random(400)
    ends = np.cumsum(rows, axis=1)[which[: 400 // 2], rng(seed).integers(rows.shape[1], size=200)]
    beside = np.nextafter(ends, rng(seed).choice([-1.0, 2.0], size=200))
    u[:200] = np.clip(np.where(rng(seed + 2).random(200) < 1 / 3, ends, beside), 0, LAST)
    u[200:202] = 0.0, LAST
    last_possible = rows.shape[1] - 1 - (rows[:, ::-1] > 0).argmax(axis=1)
    search = [min(pick(rows[r], x), last_possible[r]) for r, x in zip(which, u, strict=True)]
    assert draw(rows, which, u, draws) == search


@pytest.mark.parametrize("K", [1, 2, 31, 33, 1_000, 70_000])
@pytest.mark.parametrize("draws", [1, 10**6])
def test_in_wide_rows_too_the_outcome_is_the_number_of_ends_that_u_has_passed(K, draws):
    # the rule itself, compared with every end: what the halving must find without looking at all
    p = rng(K).exponential(size=(3, K)) * (rng(K + 1).random((3, K)) < 0.7)
    p[:, K // 2] += 1e-3
    p /= p.sum(axis=1, keepdims=True)
    which = rng(K + 2).integers(3, size=300).astype(np.int32)
    table = _GuideTable.build(p.copy(), draws)
    u = rng(K + 3).random(300)
    upper = np.cumsum(p, axis=1) * table.cells
    at_ends = upper[which[:100], rng(K + 4).integers(K, size=100)] / table.cells
    u[:100] = np.minimum(at_ends, LAST)
    for row, chances in zip(upper, p, strict=True):
        row[np.flatnonzero(chances)[-1] :] = table.cells
    passed = (u[:, None] * table.cells >= upper[which]).sum(axis=1)
    np.testing.assert_array_equal(table.draw(which, Numbers(u)), passed)


def test_the_guides_of_many_states_stay_small_and_draw_the_same(monkeypatch):
    mdp = random_mdp(rng(44), 40, 2, horizon=5, gamma=1.0)
    pi, m = uniform(mdp), 3_000
    usual = sample_trajectories(mdp, pi, m, rng(45))
    monkeypatch.setattr(sampling, "GUIDES", 2_000)
    outcomes = np.full((40, 80), 1 / 80)
    assert _GuideTable.build(outcomes, 10**9).guide.size <= 2_000
    same(sample_trajectories(mdp, pi, m, rng(45)), usual)


def test_the_result_does_not_depend_on_the_size_of_the_table():
    mdp, n = random_mdp(rng(41), 5, 3, horizon=1, gamma=1.0), 20_000
    outcomes = (uniform(mdp)[:, :, None] * mdp.P).reshape(mdp.S, -1)
    which = rng(42).integers(mdp.S, size=n).astype(np.int32)
    tables = [_GuideTable.build(outcomes.copy(), draws) for draws in (1, 1_000, 10_000, 10**7)]
    assert len({table.cells for table in tables}) == 4
    first, *others = (table.draw(which, rng(43)) for table in tables)
    for other in others:
        np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize("draws", [1, 16, 255, 256, 257, 65_535, 65_536, 10**9])
def test_the_number_of_cells_is_a_power_of_two(draws):
    # scaling by it is exact, and only so the result cannot depend on it
    cells = _GuideTable.build(np.array([[1.0]]), draws).cells
    assert cells >= 2 and cells & (cells - 1) == 0


def test_more_draws_pay_for_a_finer_table_up_to_a_limit():
    sizes = [
        _GuideTable.build(np.array([[1.0]]), draws).cells for draws in (1, 10**4, 10**6, 10**9)
    ]
    assert sizes == sorted(sizes) and sizes[0] < sizes[1] < sizes[2] == sizes[3] <= 8192


def test_only_cells_with_an_end_strictly_inside_need_a_comparison():
    # 1/4 and 3/4 are borders of cells, 1/3 is inside of one: what the guide is for
    assert (_GuideTable.build(np.array([[0.25, 0.5, 0.25]]), 1).guide >= 0).all()
    assert (_GuideTable.build(np.array([[1 / 3, 2 / 3]]), 1).guide < 0).sum() == 1


def test_an_interval_holds_its_lower_end_and_not_its_upper_end():
    # ends at 1/4 and 3/4, exact in binary
    u = [0.0, np.nextafter(0.25, 0), 0.25, np.nextafter(0.75, 0), 0.75, LAST]
    assert draw([[0.25, 0.5, 0.25]], [0] * 6, u) == [0, 0, 1, 1, 2, 2]


def test_an_empty_interval_holds_nothing():
    u = [0.0, np.nextafter(0.5, 0), 0.5, LAST]
    assert draw([[0, 0.5, 0, 0, 0.5, 0]], [0] * 4, u) == [1, 1, 4, 4]


@pytest.mark.parametrize(
    "row",
    [
        [0.1] * 10,  # adds up to 1 - 1.1e-16
        [0.3, 0.7 - 9e-11],
        [0.3, 0.7 - 9e-11, 0.0, 0.0],
        [0.3, 0.7 + 9e-11],
        [0.3, 0.7 + 9e-11, 0.0],
    ],
)
@pytest.mark.parametrize("draws", [1, 10**6])
def test_what_a_row_misses_by_rounding_goes_to_its_last_possible_outcome(row, draws):
    last = max(k for k, p in enumerate(row) if p > 0)
    u = [LAST, 1 - 1e-12, 1 - 5e-11]
    assert draw([row], [0] * 3, u, draws) == [last] * 3


def test_an_outcome_that_rounding_leaves_no_room_for_is_not_overrun():
    # the first two already add up to more than 1: whatever is drawn is one of the three
    assert draw([[0.5, 0.5 + 9e-11, 1e-12, 0.0]], [0] * 2, [LAST, 0.25]) == [1, 0]


def test_rows_of_a_table_are_kept_apart():
    rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert draw(rows, [2, 0, 1, 2], [0.0, LAST, 0.5, LAST]) == [2, 0, 1, 2]


def test_a_world_whose_rows_are_one_up_to_rounding_is_sampled():
    P = np.zeros((11, 1, 11))
    P[:10, 0, :10] = 0.1
    P[0, 0, :10] += [-9e-11] + [0] * 9
    P[10, 0, 10] = 1.0
    mdp = MDP(P, np.zeros((11, 1, 11)), [0.1] * 10 + [0.0], horizon=20, gamma=1.0)
    tau = sample_trajectories(mdp, np.ones((11, 1)), 2_000, rng(51))
    assert tau.states.max() == 9 and (tau.lengths == 20).all()


# --- one state of rng, one result ----------------------------------------------------------------


def test_the_same_random_state_gives_the_same_trajectories():
    mdp = vacuum_corridor()
    first, again = (sample_trajectories(mdp, uniform(mdp), 300, rng(61)) for _ in range(2))
    same(first, again)
    other = sample_trajectories(mdp, uniform(mdp), 300, rng(62))
    assert first.states.shape != other.states.shape or (first.states != other.states).any()


def test_sampling_moves_the_random_state_on():
    generator = rng(63)
    first, second = (
        sample_trajectories(two_state(gamma=1.0), uniform(two_state(gamma=1.0)), 50, generator)
        for _ in range(2)
    )
    assert (first.states != second.states).any()


def test_neither_the_policy_nor_the_global_random_state_is_touched():
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    pi = np.array([[0.5, 0.5], [0.5, 0.5]])
    sample_trajectories(two_state(gamma=1.0), pi, 50, rng(64))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.testing.assert_array_equal(pi, 0.5)


# --- blocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1])
def test_there_are_as_many_trajectories_as_asked_for(m):
    tau = sample_trajectories(two_state(gamma=1.0), uniform(two_state(gamma=1.0)), m, rng(71))
    assert tau.states.shape == (m, 4) and tau.actions.shape == tau.rewards.shape == (m, 3)
    assert len(tau) == m and (tau.lengths == 3).all()


@pytest.mark.parametrize("sizes", [(BLOCK, 1), (BLOCK, BLOCK, 5)])
def test_blocks_do_not_show(sizes):
    # many at once are a block and then the rest, padded to the longest of all
    mdp, generator = vacuum_corridor(), rng(72)
    parts = [sample_trajectories(mdp, uniform(mdp), n, generator) for n in sizes]
    tau = sample_trajectories(mdp, uniform(mdp), sum(sizes), rng(72))
    H = max(part.lengths.max() for part in parts)
    assert tau.actions.shape[1] == H
    left = 0
    for part in parts:
        rows, steps = slice(left, left + len(part)), part.actions.shape[1]
        np.testing.assert_array_equal(tau.lengths[rows], part.lengths)
        np.testing.assert_array_equal(tau.states[rows, : steps + 1], part.states)
        assert (tau.states[rows, steps:] == part.states[:, -1:]).all()
        np.testing.assert_array_equal(tau.actions[rows, :steps], part.actions)
        assert (tau.actions[rows, steps:] == NO_ACTION).all()
        np.testing.assert_array_equal(tau.rewards[rows, :steps], part.rewards)
        assert not tau.rewards[rows, steps:].any()
        left += len(part)


def test_a_count_may_be_a_numpy_integer():
    m = np.int64(BLOCK + 1)
    assert (
        len(sample_trajectories(two_state(gamma=1.0), uniform(two_state(gamma=1.0)), m, rng(73)))
        == m
    )


# --- lengths and ends ----------------------------------------------------------------------------


def test_trajectories_end_in_an_absorbing_state_and_nowhere_before():
    mdp = vacuum_corridor()
    tau = sample_trajectories(mdp, uniform(mdp), 2_000, rng(81))
    assert tau.actions.shape[1] == tau.lengths.max()
    ends = mdp.absorbing[tau.states]
    np.testing.assert_array_equal(ends.argmax(axis=1), tau.lengths)  # the first one
    assert ends[np.arange(2_000), tau.lengths].all()


def test_an_episode_ends_at_the_horizon_or_in_an_absorbing_state_whichever_comes_first():
    base = vacuum_corridor()
    mdp = MDP(base.P, base.R, base.mu, horizon=3, observe=base.observe, gamma=1.0)
    tau = sample_trajectories(mdp, uniform(mdp), 2_000, rng(82))
    over = mdp.absorbing[tau.states[:, -1]]
    assert (tau.lengths[~over] == 3).all() and (~over).any()
    assert set(tau.lengths[over]) == {1, 2, 3}


def test_with_a_horizon_nothing_is_unfinished():
    mdp = MDP(np.ones((1, 1, 1)), np.ones((1, 1, 1)), [1], horizon=7, gamma=1.0)
    for limits in (dict(), dict(max_steps=7), dict(max_steps=100)):
        tau = sample_trajectories(mdp, [[1.0]], 3, rng(), **limits)
        assert (tau.lengths == 7).all() and (tau.rewards == 1).all()


def test_who_starts_at_the_end_does_nothing():
    mdp = vacuum_corridor(starts="r2c3")
    tau = sample_trajectories(mdp, uniform(mdp), 5, rng())
    assert tau.states.shape == (5, 1) and tau.actions.shape == (5, 0) and not tau.lengths.any()


def test_some_may_start_at_the_end():
    mdp = vacuum_corridor(starts="r2c3 r1c3")
    tau = sample_trajectories(mdp, uniform(mdp), 200, rng(83))
    there = mdp.absorbing[tau.states[:, 0]]
    assert (there == (tau.lengths == 0)).all() and 0 < there.sum() < 200


# --- unfinished ----------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [1_000, BLOCK + 500])
def test_unfinished_trajectories_are_an_error_that_counts_them(m):
    mdp = vacuum_corridor()
    late = (sample_trajectories(mdp, uniform(mdp), m, rng(91)).lengths > 3).sum()
    if m > BLOCK:  # after the first block the uniform numbers are no longer the same: count anew
        cut = sample_trajectories(mdp, uniform(mdp), m, rng(91), max_steps=3, truncate=True)
        late = (~mdp.absorbing[cut.states[:, -1]]).sum()
    assert 0 < late < m
    words = f"{late:,} of {m:,} trajectories are unfinished after max_steps = 3 actions; allow more"
    with pytest.raises(ValueError, match=escape(words)):
        sample_trajectories(mdp, uniform(mdp), m, rng(91), max_steps=3)


def test_just_enough_steps_are_enough():
    mdp = vacuum_corridor()
    tau = sample_trajectories(mdp, uniform(mdp), 100, rng(92))
    longest = int(tau.lengths.max())
    same(sample_trajectories(mdp, uniform(mdp), 100, rng(92), max_steps=longest), tau)
    with pytest.raises(ValueError, match="unfinished"):
        sample_trajectories(mdp, uniform(mdp), 100, rng(92), max_steps=longest - 1)


def test_truncated_trajectories_are_the_beginnings_of_whole_ones():
    mdp = vacuum_corridor()
    whole = sample_trajectories(mdp, uniform(mdp), 400, rng(93))
    cut = sample_trajectories(mdp, uniform(mdp), 400, rng(93), max_steps=4, truncate=True)
    np.testing.assert_array_equal(cut.states, whole.states[:, :5])
    np.testing.assert_array_equal(cut.actions, whole.actions[:, :4])
    np.testing.assert_array_equal(cut.rewards, whole.rewards[:, :4])
    np.testing.assert_array_equal(cut.lengths, np.minimum(whole.lengths, 4))


def test_a_horizon_cut_short_is_an_error_too():
    with pytest.raises(
        ValueError, match="10 of 10 trajectories are unfinished after max_steps = 2"
    ):
        sample_trajectories(
            two_state(3, gamma=1.0), uniform(two_state(gamma=1.0)), 10, rng(), max_steps=2
        )
    tau = sample_trajectories(
        two_state(3, gamma=1.0),
        uniform(two_state(gamma=1.0)),
        10,
        rng(),
        max_steps=2,
        truncate=True,
    )
    assert tau.actions.shape == (10, 2)


def test_a_policy_that_never_ends_is_refused_unless_it_is_to_be_cut():
    with pytest.raises(ValueError, match=r"may never end.*state 0, 1$"):
        sample_trajectories(short_corridor(), [[0.0, 1.0]], 5, rng())
    tau = sample_trajectories(short_corridor(), [[0.0, 1.0]], 5, rng(), max_steps=4, truncate=True)
    assert (tau.states == [0, 1, 0, 1, 0]).all() and (tau.lengths == 4).all()


def test_without_a_horizon_ten_thousand_steps_are_the_default_limit():
    # to stay 10,000 times has probability (1 - 1e-9)^10,000 > 0.99999
    P = [[[1 - 1e-9, 1e-9]], [[0, 1]]]
    mdp = MDP(P, np.zeros((2, 1, 2)), [1, 0], gamma=1.0)
    words = "2 of 2 trajectories are unfinished after max_steps = 10,000 actions"
    with pytest.raises(ValueError, match=words):
        sample_trajectories(mdp, [[1.0]] * 2, 2, rng())
    tau = sample_trajectories(mdp, [[1.0]] * 2, 2, rng(), truncate=True)
    assert tau.actions.shape == (2, 10_000)


def at_a_fork(**settings):
    """From the start to the end or into a circle of two, with chances of 99 to 1."""
    P = np.zeros((4, 1, 4))
    P[0, 0, [1, 2]] = 0.99, 0.01
    P[1, 0, 1] = P[2, 0, 3] = P[3, 0, 2] = 1.0
    R = np.zeros((4, 1, 4))
    R[2:] = 1.0
    return MDP(P, R, [1, 0, 0, 0], states=["start", "end", "to", "fro"], **settings)


FOR_EVER = {
    "no end at all": (MDP(np.ones((1, 1, 1)), np.ones((1, 1, 1)), [1], gamma=0.9), "0"),
    "an end that may be missed": (at_a_fork(gamma=0.9), "to, fro"),
}


@pytest.mark.parametrize(("mdp", "names"), FOR_EVER.values(), ids=FOR_EVER)
@pytest.mark.parametrize("limits", [dict(), dict(max_steps=50)])
def test_a_discount_makes_no_trajectory_whole_and_none_is_begun(mdp, names, limits):
    # J exists; but a trajectory that may never end is refused before a number is drawn
    generator, pi = rng(94), np.ones((mdp.S, 1))
    words = (
        "no horizon, and this policy's episodes may never end: no absorbing state can be reached "
        f"from state {names}; give the world a horizon, or ask for max_steps and truncate=True"
    )
    with pytest.raises(ValueError, match=escape(words)):
        sample_trajectories(mdp, pi, 20, generator, **limits)
    assert generator.random() == rng(94).random()
    assert np.isfinite(expected_return(mdp, pi))
    # that none of 2,000 misses the end has a chance of 0.99^2000 = 2e-9
    tau = sample_trajectories(mdp, pi, 2_000, generator, max_steps=50, truncate=True)
    assert tau.lengths.max() == 50


def test_a_circle_that_the_policy_avoids_or_the_horizon_cuts_is_no_reason_to_refuse():
    tau = sample_trajectories(at_a_fork(horizon=5, gamma=1.0), np.ones((4, 1)), 500, rng(95))
    assert set(tau.lengths) == {1, 5}
    base = at_a_fork(gamma=0.9)
    straight = np.array([np.eye(4)[1], *base.P[1:, 0]])[:, None, :]
    mdp = MDP(np.hstack([base.P, straight]), np.hstack([base.R] * 2), base.mu, gamma=0.9)
    assert (sample_trajectories(mdp, [[0, 1]] * 4, 500, rng(95)).lengths == 1).all()


# --- what is refused -----------------------------------------------------------------------------

NAN = float("nan")
REFUSED = {
    "m 0": (dict(m=0), ValueError, "m must be at least 1; it is 0"),
    "m negative": (dict(m=-5), ValueError, "m must be at least 1; it is -5"),
    "m 10.0": (dict(m=10.0), TypeError, "m must be a whole number; it is 10.0"),
    "m True": (dict(m=True), TypeError, "m must be a whole number; it is True"),
    "m None": (dict(m=None), TypeError, "m must be a whole number; it is None"),
    "m a string": (dict(m="10"), TypeError, "m must be a whole number; it is '10'"),
    "rng None": (dict(rng=None), TypeError, "rng must be a numpy.random.Generator; it is NoneType"),
    "rng a seed": (dict(rng=0), TypeError, "rng must be a numpy.random.Generator; it is int"),
    "rng of the old kind": (
        dict(rng=np.random.RandomState(0)),
        TypeError,
        "rng must be a numpy.random.Generator; it is RandomState",
    ),
    "max_steps 0": (dict(max_steps=0), ValueError, "max_steps must be at least 1; it is 0"),
    "max_steps 2.5": (
        dict(max_steps=2.5),
        TypeError,
        "max_steps must be a whole number; it is 2.5",
    ),
    "max_steps False": (
        dict(max_steps=False),
        TypeError,
        "max_steps must be a whole number; it is False",
    ),
    "pi per state": (
        dict(pi=np.full((3, 2), 0.5)),
        ValueError,
        "pi must have shape (O, A) = (2, 2)",
    ),
    "pi sums to less": (
        dict(pi=[[0.5, 0.5], [0.5, 0.4]]),
        ValueError,
        "pi[1] must sum to 1; it sums to 0.9",
    ),
    "pi nan": (dict(pi=[[0.5, 0.5], [NAN, 0.5]]), ValueError, "pi[1, 0] must be finite; it is nan"),
    "pi are logits": (
        dict(pi=[[-1.0, 2.0], [0, 1]]),
        ValueError,
        "pi[0, 0] must be a probability; it is -1",
    ),
}


@pytest.mark.parametrize("truncate", [False, True])
@pytest.mark.parametrize(("changes", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_sampled_is_refused_by_name(changes, error, words, truncate):
    arguments = {"pi": np.full((2, 2), 0.5), "m": 5, "rng": rng(), "truncate": truncate, **changes}
    with pytest.raises(error, match=escape(words)):
        sample_trajectories(two_state(gamma=1.0), **arguments)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (dict(truncate="no"), TypeError, "truncate must be True or False; it is 'no'"),
        (dict(truncate=None), TypeError, "truncate must be True or False; it is None"),
        (dict(truncate=1), TypeError, "truncate must be True or False; it is 1"),
        (dict(mdp=np.eye(2)), TypeError, "mdp must be an MDP; it is of type ndarray"),
        (dict(pi=np.ma.masked_less([[0.5, 0.5]] * 2, 0)), TypeError, "pi must not be a masked"),
        (dict(pi=None), TypeError, "pi must hold real numbers; it is None"),
        (dict(m=rng(), rng=5), TypeError, "m must be a whole number; it is Generator(PCG64)"),
    ],
)
def test_flags_and_arguments_in_another_order_are_refused(changes, error, words):
    arguments = dict(mdp=two_state(gamma=1.0), pi=np.full((2, 2), 0.5), m=5, rng=rng(), **{})
    with pytest.raises(error, match=escape(words)):
        sample_trajectories(**{**arguments, **changes})


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_a_policy_that_sums_to_one_up_to_its_types_rounding_is_brought_to_one(kind):
    mdp = bandit([1, 2, 3])
    narrow = np.full((1, 3), 1 / 3, kind)
    assert narrow.astype(float).sum() != 1.0
    exact = narrow.astype(float) / narrow.astype(float).sum()
    same(
        sample_trajectories(mdp, narrow, 1_000, rng(3)),
        sample_trajectories(mdp, exact, 1_000, rng(3)),
    )


# --- what is promised ----------------------------------------------------------------------------


def test_the_same_world_policy_m_and_state_of_rng_give_the_same_trajectories():
    mdp = two_state(gamma=1.0)
    for m in (10, 20, BLOCK + 1):
        same(*(sample_trajectories(mdp, uniform(mdp), m, rng(8)) for _ in range(2)))


def test_the_first_of_more_are_others_and_the_docstring_says_so():
    mdp = two_state(gamma=1.0)
    ten, twenty = (sample_trajectories(mdp, uniform(mdp), m, rng(8)) for m in (10, 20))
    assert (twenty.states[:10] != ten.states).any()
    words = " ".join(sample_trajectories.__doc__.split())
    assert "The first ten of m = 20 are not those of m = 10." in words


# --- memory --------------------------------------------------------------------------------------


def test_more_than_this_machine_can_hold_is_refused_before_a_number_is_drawn():
    # 16 bytes for the start and 32 for each of 10 steps: 336 bytes, times 10^12
    source = rng(9)
    before = source.bit_generator.state
    words = "m = 1,000,000,000,000 trajectories of up to 10 steps would take about 336.0 TB"
    with pytest.raises(ValueError, match=escape(words)):
        sample_trajectories(two_state(10, gamma=1.0), np.full((2, 2), 0.5), 10**12, source)
    assert source.bit_generator.state == before


def test_where_lengths_are_random_the_first_block_tells_how_much_is_needed(monkeypatch):
    mdp, blocks = short_corridor(), []
    walk = sampling._walk
    monkeypatch.setattr(memory, "memory_allowed", lambda: 10**12)
    monkeypatch.setattr(sampling, "_walk", lambda *a: blocks.append(1) or walk(*a))
    with pytest.raises(ValueError, match=r"m = 1,000,000,000 trajectories of up to [0-9]+ steps"):
        sample_trajectories(mdp, uniform(mdp), 10**9, rng(10))
    assert len(blocks) == 1


def test_a_long_horizon_that_is_never_reached_needs_no_memory(monkeypatch):
    # all end after one step, 48 bytes each: the horizon of 10^6 would be 3.2 GB for a hundred
    mdp = MDP(*(getattr(bandit([1, 2]), x) for x in ("P", "R", "mu")), horizon=10**6, gamma=1.0)
    monkeypatch.setattr(memory, "memory_allowed", lambda: 5_000)
    assert len(sample_trajectories(mdp, uniform(mdp), 100, rng(11))) == 100
    with pytest.raises(ValueError, match=escape("steps would take about 9.6 kB")):
        sample_trajectories(mdp, uniform(mdp), 200, rng(11))
