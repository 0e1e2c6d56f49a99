"""Random decision processes for property tests, and what "equal" means there."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import note, settings
from hypothesis import strategies as st

from policygrad.mdp import MDP
from policygrad.worlds import random_mdp

ENUMERABLE = ("horizon", "acyclic")
ENDLESS = ("absorbing", "discount")
EVERY_KIND = ENUMERABLE + ENDLESS


def examples(count: int):
    """So many examples, the same on every run; HYPOTHESIS_PROFILE=search has its own number."""
    if os.environ.get("HYPOTHESIS_PROFILE") == "search":
        return settings()
    return settings(max_examples=count, derandomize=True, deadline=None)


@st.composite
def worlds(draw, kinds=EVERY_KIND, max_S: int = 4, max_A: int = 3):
    """A world of one of the kinds, and logits for it.

    "horizon"    at most four actions, with and without absorbing states;
    "acyclic"    no horizon, but no state can come back: finitely many trajectories;
    "absorbing"  no horizon, every policy ends with probability 1;
    "discount"   no horizon, no end, gamma < 1.

    The start may be an absorbing state, impossible transitions carry rewards, percepts may be
    aliased: wherever a route could forget something, there is something to forget.
    """
    kind = draw(st.sampled_from(kinds))
    S = draw(st.integers(2 if kind in ("acyclic", "absorbing") else 1, max_S))
    A = draw(st.integers(1, max_A))
    O = draw(st.integers(1, S))
    start = draw(st.sampled_from(["random", "uniform", "first", "anywhere"]))
    gamma = draw(st.sampled_from([0.0, 0.5, 0.9] if kind == "discount" else [0.0, 0.5, 0.9, 1.0]))
    horizon = draw(st.integers(1, 4)) if kind == "horizon" else None
    absorbing = {
        "horizon": st.integers(0, S - 1),
        "acyclic": st.just(1),
        "absorbing": st.integers(1, max(S - 1, 1)),
        "discount": st.just(0),
    }
    ends = draw(absorbing[kind])
    successors = draw(st.integers(1, S))
    seed = draw(st.integers(0, 2**32 - 1))
    scale = draw(st.sampled_from([0.0, 1.0, 3.0]))
    note(f"{kind=} {S=} {A=} {O=} {start=} {gamma=} {horizon=} {ends=} {successors=} {seed=}")

    rng = np.random.default_rng(seed)
    mdp = random_mdp(
        rng,
        S,
        A,
        O=O,
        successors=successors,
        start="random" if start == "anywhere" else start,
        absorbing=ends,
        horizon=horizon,
        gamma=gamma,
    )
    P, R, mu = mdp.P.copy(), mdp.R.copy(), mdp.mu
    if kind == "acyclic":  # only to states of a higher number; the last one is absorbing
        P = np.triu(rng.exponential(size=(A, S, S)), k=1).swapaxes(0, 1)
        P[-1, :, -1] = 1.0
        P /= P.sum(axis=2, keepdims=True)
    if ends:
        R[-1, :, :-1] = rng.normal(size=(A, S - 1))  # on transitions of probability 0
    if start == "anywhere":
        mu = rng.dirichlet(np.ones(S))
    mdp = MDP(P, R, mu, horizon=horizon, gamma=gamma, observe=mdp.observe)
    return mdp, scale * rng.normal(size=(mdp.O, A))


def agree(value, reference, rtol: float = 1e-10):
    """Same shape, and equal up to rtol of the largest entry; rewards of order 1 make 0 of 1e-13."""
    assert np.shape(value) == np.shape(reference)
    size = np.abs(reference).max(initial=0.0)
    np.testing.assert_allclose(value, reference, rtol=0, atol=rtol * size + 1e-13)


def slope(f, theta, h: float = 1e-3) -> np.ndarray:
    """Central differences, f' = (8 f(+h) - 8 f(-h) - f(+2h) + f(-2h)) / 12h up to h^4/30 f^(5)."""
    theta = np.asarray(theta, float)
    out = np.zeros(theta.shape + np.shape(f(theta)))
    for place in np.ndindex(theta.shape):
        e = np.zeros_like(theta)
        e[place] = h
        out[place] = (8 * (f(theta + e) - f(theta - e)) - (f(theta + 2 * e) - f(theta - 2 * e))) / (
            12 * h
        )
    return out
