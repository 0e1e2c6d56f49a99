r"""PPO: several passes of ascent on the clipped surrogate of one batch.

A step draws m trajectories by theta_old = theta, estimates their advantages by GAE, once, and then
climbs for ``epochs`` passes, a minibatch B of trajectories at a time,

    1/|B| sum_{i in B} sum_t gamma^t [ min(w_t A_t, clip(w_t, 1 - epsilon, 1 + epsilon_high) A_t)
                                       + entropy H(pi(.|s_t)) ],

whose gradient has a closed form (:mod:`.clipped`).  The critic is fitted to the targets A_t + V
after each minibatch (:mod:`.rollouts`).  With one pass, one minibatch and no options, all ratios
are 1, nothing is clipped, and a step is that of :func:`actor_critic`.

What common programs do differently: they leave gamma^t out, average over the steps of a minibatch
and not over its trajectories, normalise the advantages and move by Adam, actor and critic together.

Source: Schulman et al. (2017); for the options, Engstrom et al. (2020), Andrychowicz et al. (2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..estimators import discounts, gae, returns
from ..mdp import MDP
from ..policies import softmax_policy
from ..validate import require_between, require_count, require_flag, require_generator
from .ascent import LARGEST, require_step, require_steps, start_of
from .clipped import Clip, at_least_zero
from .rollouts import ActorCritic, Batch, Critic, Walker, along_scores, climbed

SMALL = 1e-8  # added to the deviation of the advantages, where they are normalised

__all__ = ["PPO", "ppo"]


@dataclass(frozen=True, eq=False)
class PPO(ActorCritic):
    """The history of n steps of PPO, beyond that of :class:`ActorCritic`.

    Attributes
    ----------
    clip_fraction : (n,) the part of the actions of a batch whose term was flat, in the last pass.
    ratios : (n, 2) the smallest and the largest w_t of the batch, after the last pass.
    """

    clip_fraction: np.ndarray
    ratios: np.ndarray


@dataclass(frozen=True)
class _Options:
    """The numbers that a pass needs."""

    alpha: float
    clip: Clip
    critic_step: float
    value_clip: float | None
    normalise: bool
    entropy: float


def ppo(
    mdp: MDP,
    theta,
    rng: np.random.Generator,
    *,
    m: int,
    epochs: int,
    epsilon: float | None,
    step_size: float,
    critic_step: float,
    steps: int,
    lam: float,
    minibatches: int = 1,
    epsilon_high: float | None = None,
    normalise: bool = False,
    entropy: float = 0.0,
    value_clip: float | None = None,
    critic: str = "percept",
    values=None,
    max_steps: int | None = None,
) -> PPO:
    """Climb J by passes of ascent on the clipped surrogate of a batch, one batch after the other.

    Logits are rounded to six decimals after each move, as :func:`reinforce_many` does.

    Parameters
    ----------
    mdp, theta, rng, m, critic_step, steps, lam, critic, values, max_steps : as in
        :func:`actor_critic`; ``critic_step`` is taken after each minibatch.
    epochs : passes over a batch.
    epsilon, epsilon_high : widths of the clip below and above 1; by default the same;
        None: no clip.
    step_size : alpha > 0, of a move along a minibatch's gradient.
    minibatches : into how many parts of as equal size as can be a pass cuts the batch, at random.
    normalise : subtract from the advantages of a minibatch their mean over its actions and divide
        by their deviation (and 1e-8).
    entropy : the weight of the policy's entropy at the states visited.
    value_clip : c; a target is left out where the critic has moved by more than c since the batch
        was drawn and is still farther from the target than the end of that interval.

    Raises
    ------
    Diverged
        if theta or the critic leaves the finite numbers, or an episode does not end, naming the
        step.
    ValueError, TypeError
        naming the argument that does not fit.
    """
    theta = start_of(mdp, theta)
    require_generator(rng)
    m, steps, epochs = (
        require_count("m", m),
        require_steps(steps, theta),
        require_count("epochs", epochs),
    )
    minibatches = require_count("minibatches", minibatches, 1, m)
    lam = require_between("lam", lam, 0.0, 1.0)
    options = _Options(
        require_step(step_size),
        Clip.read(epsilon, epsilon_high),
        require_between("critic_step", critic_step, 0.0, 1.0),
        None if value_clip is None else at_least_zero("value_clip", value_clip),
        require_flag("normalise", normalise),
        require_between("entropy", entropy, 0.0, LARGEST),
    )
    walker, V = Walker(mdp, rng, max_steps), Critic(mdp, critic, values)
    thetas, values, rows = [theta], [V.values], []
    for k in range(steps):
        batch = walker.batch(k, theta, m)
        A = gae(batch.tau.rewards, V.along(batch), mdp.gamma, lam)
        parts = [_parts(rng, m, minibatches) for _ in range(epochs)]
        theta, flat, ratios = _climbed(k, mdp, theta, batch, A, V, parts, options)
        thetas.append(theta), values.append(V.values)
        J = returns(batch.tau, mdp.gamma).mean()
        rows.append((J, batch.tau.lengths.sum(), flat, *ratios))
    J, actions, flat, low, high = np.array(rows).T
    ratios = np.column_stack([low, high])
    return PPO(np.array(thetas), J, np.array(values), actions.astype(int), flat, ratios)


def _parts(rng: np.random.Generator, m: int, minibatches: int) -> list:
    """Cut 0 .. m - 1 into minibatches, at random."""
    if minibatches == 1:
        return [slice(None)]
    return np.array_split(rng.permutation(m), minibatches)


def _climbed(k: int, mdp: MDP, theta, batch: Batch, A, V: Critic, parts, options: _Options):
    """All passes over one batch: theta, the part that was flat, and the range of the ratios."""
    log_old, old = np.log(softmax_policy(theta)), V.values
    targets = A + V.along(batch)[:, :-1]
    for minibatches in parts:
        flat = 0
        for i in minibatches:
            part = batch if isinstance(i, slice) else batch.only(i)
            g, clipped = _gradient(mdp, theta, log_old, part, A[i], options)
            theta = climbed(k, theta, options.alpha, g)
            V.fit(k, part, targets[i], options.critic_step, old, options.value_clip)
            flat += clipped
    w = np.exp(batch.log_chances(np.log(softmax_policy(theta)) - log_old))[batch.happened]
    return theta, flat / max(w.size, 1), (w.min(initial=1.0), w.max(initial=1.0))


def _gradient(mdp: MDP, theta, log_old, batch: Batch, A, options: _Options):
    """The gradient of the objective of a minibatch, and how many of its terms are flat."""
    pi, happened = softmax_policy(theta), batch.happened
    log_pi = np.log(pi)
    if options.normalise:
        A = (A - A[happened].mean()) / (A[happened].std() + SMALL)
    w = np.exp(batch.log_chances(log_pi - log_old))
    slope = options.clip.slope(w, A)
    factors = discounts(batch.tau, mdp.gamma) * happened
    g = along_scores(pi, batch.pair, slope * w * factors)
    if options.entropy:
        seen = np.bincount(batch.pair.ravel() // mdp.A, np.ravel(factors), mdp.O)[:, None]
        g = g - options.entropy * seen * pi * (log_pi - (pi * log_pi).sum(axis=1, keepdims=True))
    return g / len(A), ((slope == 0) & (A != 0) & happened).sum()
