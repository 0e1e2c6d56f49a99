"""REINFORCE: ascent along an estimate of the gradient, made of m trajectories.

    theta <- theta + alpha / m * sum_i sum_t gamma^t G_t grad log pi(a_t|s_t)

:func:`reinforce` is the algorithm in any world.  :func:`reinforce_many` is the same with many runs
side by side, each with its own logits, in the worlds where that is easy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..estimators import discounts, reinforce_gradients, returns, rewards_to_go
from ..mdp import MDP
from ..memory import FLOAT, TooLarge, require_memory
from ..policies import softmax_policy
from ..sampling import sample_trajectories
from ..trajectories import Trajectories
from ..validate import (
    real_array,
    require_callable,
    require_count,
    require_flag,
    require_generator,
    require_instance,
)
from .ascent import Ascent, Diverged, moved, require_step, require_steps, start_of

__all__ = ["reinforce", "reinforce_many"]


def reinforce(
    mdp: MDP,
    theta,
    rng: np.random.Generator,
    *,
    m: int,
    step_size: float,
    steps: int,
    weights: Callable[[Trajectories, float], np.ndarray] | None = None,
    max_steps: int | None = None,
) -> Ascent:
    """Climb J by estimates: theta <- theta + step_size * mean of m single-trajectory gradients.

    Parameters
    ----------
    mdp : the world.
    theta : (O, A) logits to start from.
    rng : the source of randomness.
    m : trajectories for each step.
    step_size : alpha > 0.
    steps : how many.
    weights : a function of the trajectories, which it is given as a copy, and gamma that gives the
        weight of each score: (m, H) one per step, (m, 1) one per trajectory, or (1, H);
        default: gamma^t G_t, the discounted return from step t on.
    max_steps : the longest episode that is waited for, as in :func:`sample_trajectories`.

    Raises
    ------
    Diverged
        if theta leaves the finite numbers, or episodes no longer end, naming the step.
    ValueError, TypeError
        naming the argument that does not fit, or what ``weights`` gives that does not.
    """
    theta = start_of(mdp, theta)
    require_generator(rng)
    m, step_size, steps = (
        require_count("m", m),
        require_step(step_size),
        require_steps(steps, theta),
    )
    if max_steps is not None:
        require_count("max_steps", max_steps)
    if weights is not None:
        require_callable("weights", weights, "a function of the trajectories and gamma")
    thetas, J = np.empty((steps + 1, *theta.shape)), np.empty(steps)
    thetas[0] = theta
    for k in range(steps):
        try:
            tau = sample_trajectories(mdp, softmax_policy(theta), m, rng, max_steps=max_steps)
        except TooLarge:
            raise
        except ValueError as error:
            raise Diverged(k, f"REINFORCE diverged at step {k}: {error}") from error
        gradients = reinforce_gradients(mdp, theta, tau, _weights_of(tau, mdp.gamma, weights))
        theta = moved(k, theta, step_size * gradients.mean(axis=0))
        thetas[k + 1], J[k] = theta, returns(tau, mdp.gamma).mean()
    return Ascent(thetas, J)


def reinforce_many(
    mdp: MDP,
    theta,
    rng: np.random.Generator,
    *,
    runs: int,
    m: int,
    step_sizes,
    leave_one_out: bool = False,
    max_steps: int = 1000,
) -> np.ndarray:
    """Run REINFORCE many times side by side, each run with its own logits.

    Every run makes the steps of :func:`reinforce`, with the weights G_t, or G_t less a baseline.
    The world has gamma = 1 and one outcome for each action: G_t is then what the episode earns in
    all, less what it has earned before t.  A run with an episode that is not over after
    ``max_steps`` actions is lost and stays where it is.  Logits are rounded to six decimals after
    each step: computers differ in the last digit of an exponential, and hundreds of noisy steps
    would blow that up until an action differs.

    Parameters
    ----------
    mdp : the world.
    theta : (O, A) logits to start from, or (runs, O, A), a start for each run.
    rng : the source of randomness.
    runs : how many.
    m : trajectories for each step.
    step_sizes : (steps,) alpha > 0 of each step, or (steps, runs).
    leave_one_out : subtract from each G_t a baseline, the mean return of the m - 1 other
        trajectories of the batch.
    max_steps : the longest episode that is waited for.

    Returns
    -------
    (steps + 1, runs, O, A) the logits at the start and after each step.

    Raises
    ------
    Diverged
        if theta leaves the finite numbers, naming the step.
    ValueError, TypeError
        naming the argument that does not fit, or if ``mdp`` has a discount, or an action with
        several outcomes.
    """
    walk = _Walk.through(mdp)
    require_generator(rng)
    runs, m = require_count("runs", runs), require_count("m", m)
    max_steps = require_count("max_steps", max_steps)
    if require_flag("leave_one_out", leave_one_out) and m == 1:
        raise ValueError("leave_one_out needs other trajectories: m must be at least 2; it is 1")
    alphas = _alphas(step_sizes, runs)
    require_memory(f"m = {m:,} trajectories of runs = {runs:,}", m * runs * 8 * FLOAT)
    shape = (runs, mdp.O, mdp.A)
    size = (len(alphas) + 1) * runs * mdp.O * mdp.A * FLOAT
    require_memory(f"the logits of runs = {runs:,} in {len(alphas):,} steps", size)
    thetas, alive = np.empty((len(alphas) + 1, *shape)), np.ones(runs, bool)
    thetas[0] = _starts(theta, shape)
    for k, alpha in enumerate(alphas):
        pi = softmax_policy(thetas[k].reshape(-1, mdp.A))  # a row per run and percept
        i, by, pair, G, R = walk.episodes(pi, np.flatnonzero(alive.repeat(m)), m, rng, max_steps)
        alive[i // m] = False
        if leave_one_out:
            G = G - _mean_of_the_others(R.reshape(runs, m)).take(by)
        w = np.bincount(pair, G, pi.size).reshape(pi.shape)  # sum of G_t by (run, percept, action)
        g = (w - w.sum(axis=1, keepdims=True) * pi).reshape(shape) / m  # times the score
        with np.errstate(over="ignore"):
            step = alpha * g * alive[:, None, None]
        thetas[k + 1] = np.round(moved(k, thetas[k], step), 6)
    return thetas


@dataclass(frozen=True)
class _Walk:
    """A world whose actions have one outcome each, flat: entry s A + a is about action a in s."""

    mdp: MDP
    to: np.ndarray
    pay: np.ndarray

    @classmethod
    def through(cls, mdp: MDP) -> _Walk:
        require_instance("mdp", mdp, MDP)
        if mdp.gamma != 1:
            raise ValueError(f"mdp must have gamma = 1 here; it has gamma = {mdp.gamma:g}")
        several = np.argwhere((mdp.P > 0).sum(axis=2) > 1)
        if len(several):
            s, a = several[0]
            raise ValueError(
                f"mdp must have one outcome for each action here; P[{s}, {a}] has several"
            )
        to = mdp.P.argmax(axis=2)
        pay = np.take_along_axis(mdp.R, to[:, :, None], axis=2)
        return cls(mdp, to.ravel(), pay.ravel())

    def episodes(self, pi, i, m: int, rng, max_steps: int):
        """Walk the episodes i, of which i // m is the run.

        Those that are lost; of all actions taken the episode, the entry of ``pi`` and G_t; and of
        all episodes the return.
        """
        mdp = self.mdp
        bars = pi.cumsum(axis=1).T[:-1].copy()
        s = rng.choice(mdp.S, size=i.size, p=mdp.mu)
        on = ~mdp.absorbing.take(s)
        i, s = i[on], s[on]
        earned, log = np.zeros(pi.shape[0] // mdp.O * m), [(i[:0], i[:0], i[:0])]
        limit = max_steps if mdp.horizon is None else min(max_steps, mdp.horizon)
        while i.size and len(log) <= limit:
            row = i // m * mdp.O + mdp.observe.take(s)
            u = rng.random(i.size)
            a = sum(u > bar.take(row) for bar in bars)
            before, step = earned.take(i), s * mdp.A + a
            log.append((row * mdp.A + a, i, before))
            earned[i] = before + self.pay.take(step)
            s = self.to.take(step)
            going = np.flatnonzero(~mdp.absorbing.take(s))
            i, s = i.take(going), s.take(going)
        pair, by, before = map(np.concatenate, zip(*log, strict=True))
        return i[: 0 if limit == mdp.horizon else None], by, pair, earned[by] - before, earned


def _mean_of_the_others(R) -> np.ndarray:
    """(runs, m) returns, and for each the mean of the m - 1 others of its batch."""
    return (R.sum(axis=1, keepdims=True) - R) / (R.shape[1] - 1)


def _alphas(step_sizes, runs: int) -> np.ndarray:
    """(steps, 1 or runs, 1, 1) positive step sizes."""
    alphas = real_array("step_sizes", step_sizes)
    if alphas.ndim not in (1, 2) or alphas.size == 0 or alphas.shape[1:] not in ((), (runs,)):
        raise ValueError(
            f"step_sizes must have shape (steps,) or (steps, runs) = (steps, {runs}); "
            f"it has {alphas.shape}"
        )
    bad = np.argwhere(~(alphas > 0))
    if len(bad):
        where = ", ".join(map(str, bad[0]))
        raise ValueError(f"step_sizes[{where}] must be positive; it is {alphas[tuple(bad[0])]:g}")
    return alphas.reshape(len(alphas), -1, 1, 1)


def _starts(theta, shape: tuple) -> np.ndarray:
    """(O, A) or (runs, O, A) logits."""
    theta = real_array("theta", theta)
    if theta.shape not in (shape[1:], shape):
        raise ValueError(
            f"theta must have shape (O, A) = {shape[1:]} or (runs, O, A) = {shape}; "
            f"it has {theta.shape}"
        )
    return theta


def _weights_of(tau: Trajectories, gamma: float, weights) -> np.ndarray:
    if weights is None:
        return discounts(tau, gamma) * rewards_to_go(tau, gamma)
    m, H = tau.actions.shape
    copy = Trajectories(*(np.array(getattr(tau, x)) for x in Trajectories.__annotations__))
    given = real_array("weights(tau, gamma)", weights(copy, gamma))
    if given.shape not in ((m, H), (m, 1), (1, H)):
        raise ValueError(
            f"weights(tau, gamma) must have shape (m, H) = ({m}, {H}), (m, 1) or (1, H); "
            f"it has {given.shape}. One weight per trajectory is a column: "
            "returns(tau, gamma)[:, None]"
        )
    return given
