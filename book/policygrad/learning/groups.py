r"""What GRPO and its relatives climb with a group of G answers, and its gradient.

    J_G(theta) = sum_i c_i sum_t [ f(w_{i,t}, A_i) - beta k(theta; a_{i,t}) ]

The parts are named options, one expression for each (:class:`GroupOptions`).  Rewards, and so the
advantages, do not depend on theta; neither do the ratios of ``clip="weight"``, which are held fixed
when the gradient is taken.

Source: Shao et al. (2024), equations 3 and 4; others at :mod:`.methods`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..estimators import kl_estimates
from ..mdp import MDP
from ..policies import softmax_policy
from ..trajectories import Trajectories
from ..validate import real_array, require_instance
from .methods import GroupOptions
from .rollouts import Batch, along_scores

__all__ = ["Group", "group_gradient", "group_objective"]


def group_objective(
    world: MDP,
    theta,
    trajectories: Trajectories,
    rewards,
    *,
    theta_old=None,
    theta_held=None,
    **options,
) -> float:
    """What is climbed with one group, J_G(theta).

    Parameters
    ----------
    world, theta, trajectories, rewards, theta_old, options : as in :func:`group_gradient`.
    theta_held : (O, A) logits of what is held fixed, the weights of ``clip="weight"``; default:
        theta.  A derivative by theta needs it.

    Raises
    ------
    ValueError, TypeError
        as :func:`group_gradient`.
    """
    group = Group.read(world, trajectories, rewards, GroupOptions(**options))
    theta, theta_old = _logits(world, theta, theta_old)
    if theta_held is None:
        theta_held = theta
    theta_held = real_array("theta_held", theta_held, theta.shape, "(O, A)")
    return float(group.objective(theta, theta_old, theta_held))


def group_gradient(
    world: MDP, theta, trajectories: Trajectories, rewards, *, theta_old=None, **options
) -> np.ndarray:
    """The gradient by theta of what is climbed with one group: (O, A).

    As an ``update`` of :func:`.group_expectation`::

        lambda tau, R: group_gradient(world, theta, tau, R, **GROUP_METHODS["GRPO"])

    Parameters
    ----------
    world : the world, for its percepts.
    theta : (O, A) logits at which the gradient is taken.
    trajectories : the G answers.
    rewards : (G,) what each earned.
    theta_old : (O, A) logits of the policy that drew them; default: theta.
    options : those of :class:`GroupOptions`.

    Raises
    ------
    ValueError, TypeError
        naming the argument that does not fit.
    """
    group = Group.read(world, trajectories, rewards, GroupOptions(**options))
    return group.gradient(*_logits(world, theta, theta_old))[0]


@dataclass(frozen=True, eq=False)
class Group:
    """Groups of G answers, side by side.

    Attributes
    ----------
    pair : (..., G, H) o A + a of each token; 0 in the padding.
    happened : (..., G, H) booleans.
    T : (..., G) how many tokens.
    A : (..., G) advantages.
    options : what is climbed.
    """

    pair: np.ndarray
    happened: np.ndarray
    T: np.ndarray
    A: np.ndarray
    options: GroupOptions

    @classmethod
    def read(cls, world: MDP, trajectories, rewards, options: GroupOptions) -> Group:
        """One group, checked."""
        require_instance("world", world, MDP)
        require_instance("trajectories", trajectories, Trajectories)
        if options.theta_ref is not None:
            real_array("theta_ref", options.theta_ref, (world.O, world.A), "(O, A)")
        for name, size in (("states", world.S), ("actions", world.A)):
            if (most := getattr(trajectories, name).max(initial=0)) >= size:
                raise ValueError(
                    f"trajectories are of another world: {name} must be below {size}; one is {most}"
                )
        if not trajectories.lengths.all():
            raise ValueError("trajectories must take one action at least; one takes none")
        R = real_array("rewards", rewards, (len(trajectories),), "(G,)")
        batch = Batch.of(world, trajectories)
        T = trajectories.lengths
        return cls(batch.pair, batch.happened, T, options.advantages_of(R), options)

    def objective(self, theta, theta_old, theta_held):
        """The mean over groups of J_G(theta)."""
        log_w, options = self._log_ratios(theta, theta_old), self.options
        A, c = self.A[..., None], options.shares(self.T)[..., None]
        if options.clip == "weight":
            f = options.bounds.held(np.exp(self._log_ratios(theta_held, theta_old)))
            f = f * A * log_w
        else:
            f = options.bounds.objective(np.exp(log_w), A)
        if options.beta:
            f = f - options.beta * getattr(kl_estimates(-self._from_reference(theta)), options.kl)
        return (c * f * self.happened).sum(axis=(-2, -1)).mean()

    def gradient(self, theta, theta_old):
        """Its gradient, the ratios of the tokens, and which of them are flat or held."""
        options, clip = self.options, self.options.bounds
        w = np.exp(self._log_ratios(theta, theta_old))
        A, c = self.A[..., None], options.shares(self.T)[..., None] * self.happened
        if options.clip == "weight":
            u = clip.held(w) * A
            cut = clip.held(w) != w
        else:
            u = clip.slope(w, A) * w
            cut = (u == 0) & (A != 0)
        u = c * u  # by d log w
        if options.ratio == "sequence":
            u = u.sum(axis=-1, keepdims=True) * self.happened
        if options.beta:
            u = u - options.beta * c * _slope(options.kl, self._from_reference(theta))
        number = self.T.size // self.T.shape[-1]
        pi = softmax_policy(theta)
        return along_scores(pi, self.pair, u) / number, w, cut & self.happened

    def _log_ratios(self, theta, theta_old) -> np.ndarray:
        """log w at each token, (..., G, H); 0 in the padding, for "token"."""
        log_w = self._along(_log_softmax(theta) - _log_softmax(theta_old))
        if self.options.ratio == "token":
            return log_w
        total = log_w.sum(axis=-1, keepdims=True)
        if self.options.ratio == "geometric":
            total = total / self.T[..., None]
        return np.broadcast_to(total, log_w.shape)

    def _from_reference(self, theta) -> np.ndarray:
        """log pi - log pi_ref of each token."""
        return self._along(_log_softmax(theta) - _log_softmax(self.options.theta_ref))

    def _along(self, table: np.ndarray) -> np.ndarray:
        return np.where(self.happened, table.ravel()[self.pair], 0.0)


def _slope(kl: str, l: np.ndarray) -> np.ndarray:
    """The derivative of an estimate by l = log pi - log pi_ref: k1 = l, l^2/2, e^-l - 1 + l."""
    return {"k1": np.ones_like, "k2": np.copy, "k3": lambda l: -np.expm1(-l)}[kl](l)


def _log_softmax(theta: np.ndarray) -> np.ndarray:
    shifted = theta - theta.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _logits(world: MDP, theta, theta_old):
    theta = real_array("theta", theta, (world.O, world.A), "(O, A)")
    if theta_old is None:
        return theta, theta
    return theta, real_array("theta_old", theta_old, (world.O, world.A), "(O, A)")
