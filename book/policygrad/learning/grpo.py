r"""GRPO and its relatives: ascent with groups of answers to one prompt.

A step draws prompts from mu, for each of them G answers by theta_old = theta, and climbs for
``epochs`` moves the mean over the groups of what :mod:`.groups` states,

    theta <- theta + alpha grad mean_g J_G(theta).

Answers are drawn from the list of all trajectories that begin with the prompt, so the world must be
one whose trajectories can be listed.

Source: as :mod:`.groups`; Yu et al. (2025) for drawing again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exact import enumerate_trajectories
from ..mdp import MDP
from ..memory import FLOAT, require_memory
from ..policies import softmax_policy
from ..validate import real_array, require_count, require_flag, require_generator, require_instance
from .ascent import Ascent, require_step, require_steps, start_of
from .groups import Group
from .methods import GroupOptions
from .rollouts import Batch, climbed

TRIES = 20  # how often a group in which nothing differs is drawn again

__all__ = ["GRPO", "grpo"]


@dataclass(frozen=True, eq=False)
class GRPO(Ascent):
    """The history of n steps with groups.

    Attributes
    ----------
    thetas : (n + 1, O, A) the logits at the start and after each step.
    J : (n,) the mean return of the first draw of each step's groups.
    silent : (n,) the part of these groups in which all rewards are equal.
    drawn : (n,) how many answers were drawn, those of groups that were drawn again included.
    clip_fraction : (n,) the part of the tokens that were cut, in the last move of the step.
    ratios : (n, 2) the smallest and the largest ratio in the last move.
    """

    silent: np.ndarray
    drawn: np.ndarray
    clip_fraction: np.ndarray
    ratios: np.ndarray


def grpo(
    world: MDP,
    theta,
    rng: np.random.Generator,
    *,
    G: int,
    groups: int,
    step_size: float,
    steps: int,
    epochs: int = 1,
    redraw: bool = False,
    **options,
) -> GRPO:
    """Climb J with groups of G answers to one prompt.

    Logits are rounded to six decimals after each move, as :func:`reinforce_many` does.

    Parameters
    ----------
    world : whose trajectories can be listed.
    theta : (O, A) logits to start from.
    rng : the source of randomness.
    G : answers in a group.
    groups : how many in a step, each with a prompt of its own.
    step_size : alpha > 0.
    steps : how many.
    epochs : moves with one draw of groups.
    redraw : draw a group whose rewards are all equal again, prompt and answers, up to 20 times.
    options : those of :class:`GroupOptions`; ``**GROUP_METHODS["DAPO"]``.

    Raises
    ------
    Diverged
        if theta leaves the finite numbers, naming the step.
    ValueError, TypeError
        naming the argument that does not fit, or if trajectories cannot be listed.
    """
    require_instance("world", world, MDP)
    theta = start_of(world, theta)
    require_generator(rng)
    G, groups = require_count("G", G), require_count("groups", groups)
    alpha, steps = require_step(step_size), require_steps(steps, theta)
    epochs, redraw = require_count("epochs", epochs), require_flag("redraw", redraw)
    options = GroupOptions(**options)
    if options.theta_ref is not None:
        real_array("theta_ref", options.theta_ref, theta.shape, "(O, A)")
    answers = _Answers(world, rng, G, groups)
    thetas, rows = [theta], []
    for k in range(steps):
        first, group, drawn = answers.draw(theta, options, redraw)
        old = theta
        for _ in range(epochs):
            g, w, cut = group.gradient(theta, old)
            theta = climbed(k, theta, alpha, g)
        thetas.append(theta)
        w, cut = w[group.happened], cut[group.happened]
        rows.append((first.mean(), _silent(first).mean(), drawn, cut.mean(), w.min(), w.max()))
    J, silent, drawn, cut, low, high = np.array(rows).T
    return GRPO(np.array(thetas), J, silent, drawn.astype(int), cut, np.column_stack([low, high]))


def _silent(R: np.ndarray) -> np.ndarray:
    """In which groups are all rewards equal?"""
    return (R == R[..., :1]).all(axis=-1)


class _Answers:
    """All answers of a world, to draw groups from."""

    def __init__(self, world: MDP, rng: np.random.Generator, G: int, groups: int):
        self.tau = enumerate_trajectories(world)
        size = G * groups * self.tau.actions.shape[1] * 16 * FLOAT
        require_memory(f"groups = {groups:,} of G = {G:,} answers", size)
        if not self.tau.lengths.all():
            raise ValueError("world must start in states in which an action is taken")
        self.world, self.rng, self.shape = world, rng, (groups, G)
        self.batch = Batch.of(world, self.tau)
        self.prompts = np.flatnonzero(world.mu)
        self.answers = [np.flatnonzero(self.tau.states[:, 0] == s) for s in self.prompts]

    def draw(self, theta: np.ndarray, options: GroupOptions, redraw: bool):
        """The first draw's returns (groups, G), the groups, and how many answers were drawn."""
        chances = self.tau.probability(softmax_policy(theta))
        bars = [chances[i].cumsum() / chances[i].sum() for i in self.answers]
        i = self._groups(bars, self.shape[0])
        first, drawn = self.tau.returns[i], i.size
        for _ in range(TRIES if redraw else 0):
            again = np.flatnonzero(_silent(self.tau.returns[i]))
            if not again.size:
                break
            i[again] = self._groups(bars, again.size)
            drawn += again.size * i.shape[1]
        A = options.advantages_of(self.tau.returns[i])
        pair, happened, T = self.batch.pair[i], self.batch.happened[i], self.tau.lengths[i]
        return first, Group(pair, happened, T, A, options), drawn

    def _groups(self, bars, n: int) -> np.ndarray:
        """(n, G) rows of the list of answers; each group has one prompt."""
        mu = self.world.mu[self.prompts].cumsum()
        prompts = _picked(mu, self.rng.random(n))
        u = self.rng.random((n, self.shape[1]))
        out = np.empty(u.shape, int)
        for k, (answers, bar) in enumerate(zip(self.answers, bars, strict=True)):
            here = prompts == k
            out[here] = answers[_picked(bar, u[here])]
        return out


def _picked(bar: np.ndarray, u: np.ndarray) -> np.ndarray:
    return np.minimum(np.searchsorted(bar, u, side="right"), len(bar) - 1)
