"""How fast trajectories are drawn, as ratios within one run.

200,000 trajectories of 10 steps in a random world of 3 states and 2 actions.  The peers draw from
the same distribution, and keep less:

* one uniform number per step and nothing else: no sampler can be faster with this generator;
* one flat ``searchsorted`` per step over the cumulative probabilities of all states;
* Walker's alias tables in NumPy;
* a plain Python loop, on fewer trajectories and scaled up.

Run with ``make bench``.  Seconds depend on the machine; compare ratios.
"""

import statistics
import time

import numpy as np

from policygrad.policies import softmax_policy
from policygrad.sampling import sample_trajectories
from policygrad.worlds import random_mdp

M, H, LOOP_M = 200_000, 10, 500


def searchsorted(outcomes, mu, rng):
    """Draw with one search a step, each state's cumulative probabilities shifted by its number."""
    S, K = outcomes.shape
    ends = (np.cumsum(outcomes, axis=1) + np.arange(S)[:, None]).ravel()
    state = rng.choice(S, size=M, p=mu)
    for _ in range(H):
        u = rng.random(M) + state
        state = (np.searchsorted(ends, u, side="right") - state * K) % S


def alias_tables(outcomes):
    """Vose's construction, one table per state."""
    S, K = outcomes.shape
    keep, other = np.ones((S, K)), np.tile(np.arange(K), (S, 1))
    for s in range(S):
        height = list(outcomes[s] * K)
        low = [k for k in range(K) if height[k] < 1]
        high = [k for k in range(K) if height[k] >= 1]
        while low and high:
            lo, hi = low.pop(), high[-1]
            keep[s, lo], other[s, lo] = height[lo], hi
            height[hi] -= 1 - height[lo]
            if height[hi] < 1:
                low.append(high.pop())
    return keep.ravel(), other.ravel()


def alias(outcomes, mu, rng):
    """Draw with one alias look-up a step."""
    S, K = outcomes.shape
    keep, other = alias_tables(outcomes)
    state = rng.choice(S, size=M, p=mu)
    for _ in range(H):
        u = rng.random(M) * K
        cell = u.astype(np.intp)
        at = state * K + cell
        state = np.where(u - cell < keep[at], cell, other[at]) % S


def plain_loop(mdp, pi, rng):
    """Draw as one would write it first: a loop over trajectories and steps."""
    out = []
    for _ in range(LOOP_M):
        s = rng.choice(mdp.S, p=mdp.mu)
        path = [s]
        for _ in range(H):
            a = rng.choice(mdp.A, p=pi[mdp.observe[s]])
            s = rng.choice(mdp.S, p=mdp.P[s, a])
            path.append(s)
        out.append(path)
    return out


def seconds(job, repeats):
    """Median time of one call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main():
    rng = np.random.default_rng(0)
    mdp = random_mdp(rng, 3, 2, horizon=H, gamma=1.0)
    pi = softmax_policy(rng.normal(size=(3, 2)))
    outcomes = (pi[mdp.observe][:, :, None] * mdp.P).reshape(3, 6)

    ours = seconds(lambda: sample_trajectories(mdp, pi, M, rng), 15)
    peers = {
        "random numbers alone": seconds(lambda: [rng.random(M) for _ in range(H)], 15),
        "searchsorted, states only": seconds(lambda: searchsorted(outcomes, mdp.mu, rng), 5),
        "alias tables, states only": seconds(lambda: alias(outcomes, mdp.mu, rng), 5),
        "plain Python loop": seconds(lambda: plain_loop(mdp, pi, rng), 3) * M / LOOP_M,
    }
    print(f"{M:,} trajectories of {H} steps with states, actions, rewards: {1e3 * ours:.0f} ms")
    for name, time_ in peers.items():
        print(f"  {name:<28} {1e3 * time_:>9,.0f} ms   {time_ / ours:>8.2f} times ours")


if __name__ == "__main__":
    main()
