"""Ascent along the exact gradient, and what every loop over logits shares.

    theta <- theta + alpha grad J(theta)

Each step is checked as it is taken: logits that leave the finite numbers raise :class:`Diverged`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..exact import expected_return, policy_gradient
from ..mdp import MDP
from ..memory import require_memory
from ..policies import softmax_policy
from ..validate import (
    real_array,
    rectangular,
    require_between,
    require_callable,
    require_count,
    require_instance,
)

LARGEST = float(np.finfo(float).max)

__all__ = [
    "LARGEST",
    "Ascent",
    "Diverged",
    "exact_ascent",
    "moved",
    "require_step",
    "require_steps",
    "start_of",
]


class Diverged(ArithmeticError):
    """A run left the finite numbers, or the policies under which episodes end.

    Attributes
    ----------
    iteration : the episode or step, counted from 0, that did it.
    """

    def __init__(self, iteration: int, message: str):
        super().__init__(message)
        self.iteration = iteration

    def __reduce__(self):
        return type(self), (self.iteration, str(self))


@dataclass(frozen=True, eq=False)
class Ascent:
    """The history of n steps of ascent.

    Attributes
    ----------
    thetas : (n + 1, O, A) the logits at the start and after each step.
    J : what was seen of the objective: (n + 1,) exact values along ``thetas`` from
        :func:`exact_ascent`; (n,) mean returns of the batches from :func:`reinforce`.
    """

    thetas: np.ndarray
    J: np.ndarray

    @property
    def theta(self) -> np.ndarray:
        """The last logits: (O, A)."""
        return self.thetas[-1]

    def expected_returns(self, mdp: MDP, every: int = 1) -> np.ndarray:
        """Compute the exact J of every so many of the policies passed: (ceil((n + 1) / every),).

        Raises
        ------
        ValueError, TypeError
            if ``mdp`` is no world for these logits, or ``every`` no whole number of at least 1.
        """
        require_instance("mdp", mdp, MDP)
        mdp.require_logits(self.thetas.shape[1:])
        every = require_count("every", every)
        return np.array([expected_return(mdp, softmax_policy(x)) for x in self.thetas[::every]])


def exact_ascent(
    mdp: MDP,
    theta,
    *,
    step_size: float,
    steps: int,
    direction: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Ascent:
    """Climb J by its exact gradient: theta <- theta + step_size grad J(theta).

    Parameters
    ----------
    mdp : the world.
    theta : (O, A) logits to start from.
    step_size : alpha > 0.
    steps : how many.
    direction : a function of theta, which it is given as a copy, that gives the (O, A) array to
        move along; default: the exact gradient.

    Raises
    ------
    Diverged
        if theta, J or what ``direction`` gives leaves the finite numbers, naming the step.
    ValueError, TypeError
        naming the argument that does not fit, or what ``direction`` gives that does not.
    """
    theta = start_of(mdp, theta)
    step_size, steps = require_step(step_size), require_steps(steps, theta)
    if direction is None:
        direction = partial(policy_gradient, mdp)
    require_callable("direction", direction, "a function of theta")
    thetas, J = np.empty((steps + 1, *theta.shape)), np.empty(steps + 1)
    thetas[0], J[0] = theta, expected_return(mdp, softmax_policy(theta))
    for k in range(steps):
        step = _direction_at(k, direction, theta)
        theta = moved(k, theta, step_size * step)
        try:
            thetas[k + 1], J[k + 1] = theta, expected_return(mdp, softmax_policy(theta))
        except (ValueError, np.linalg.LinAlgError) as error:
            raise Diverged(k, f"ascent diverged at step {k}: {error}") from error
        if not np.isfinite(J[k + 1]):
            raise Diverged(k, f"ascent diverged at step {k}: J is {J[k + 1]}")
    return Ascent(thetas, J)


def moved(k: int, theta: np.ndarray, step) -> np.ndarray:
    """Take step k, or say which entry left the finite numbers."""
    with np.errstate(over="ignore", invalid="ignore"):
        theta = theta + step
    bad = np.argwhere(~np.isfinite(theta))
    if len(bad):
        where = ", ".join(map(str, bad[0]))
        raise Diverged(k, f"diverged at step {k}: theta[{where}] is {theta[tuple(bad[0])]}")
    return theta


def start_of(mdp: MDP, theta) -> np.ndarray:
    """Give the logits as an array, which must be of this world."""
    require_instance("mdp", mdp, MDP)
    theta = real_array("theta", theta)
    mdp.require_logits(theta.shape)
    return theta


def require_step(step_size) -> float:
    """Refuse what is no positive step size."""
    alpha = require_between("step_size", step_size, 0.0, LARGEST)
    if alpha == 0:
        raise ValueError("step_size must be positive; it is 0")
    return alpha


def require_steps(steps, theta: np.ndarray) -> int:
    """Refuse what is no number of steps, or more than fit into memory."""
    steps = require_count("steps", steps)
    require_memory(f"the logits of steps = {steps:,}", (steps + 1) * (theta.nbytes + 8))
    return steps


def _direction_at(k: int, direction, theta: np.ndarray) -> np.ndarray:
    """Ask for a direction; one of the right kind that is not finite says that the run diverged."""
    name = "direction(theta)"
    given = rectangular(name, direction(theta.copy()))
    try:
        return real_array(name, given, theta.shape, "(O, A)")
    except ValueError as error:
        if given.shape != theta.shape:
            raise
        raise Diverged(k, f"diverged at step {k}: {error}") from None
