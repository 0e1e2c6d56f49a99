r"""What GRPO and its relatives climb with a group of G answers, and its gradient.

    J_G(theta) = sum_i c_i sum_t [ f(w_{i,t}, A_i) - beta k(theta; a_{i,t}) ]

Each part is an option, and a method a choice of one expression for each:

* A_i: ``advantages``, from the rewards of the group, or the rewards themselves;
* c_i: ``length``, 1 / (G T_i) for "answer", 1 / sum_j T_j for "group", and 1 / (G ``constant``);
* w_{i,t}: ``ratio``, w_t for "token", prod_t w_t for "sequence", its T_i-th root for "geometric";
  the last two are the same at all tokens of an answer;
* f: ``clip``, w A for None, min(w A, clip(w) A) for "min", and for "weight" sg(clip(w)) A log w,
  where sg(.) is held fixed when the gradient is taken;
* k: ``kl``, one of the three estimates of a token's KL from the reference, differentiated as it
  stands.

Numbers of tokens are counted in the group; programs often count those of a whole batch of groups.

Source: Shao et al. (2024), equations 3 and 4; Liu et al. (2025) for length and deviation; Yu et al.
(2025) for "group" and the upper width; Zheng et al. (2025) for "geometric"; MiniMax (2025) for
"weight"; Ahmadian et al. (2024) for RLOO; Tang & Munos (2025) for what the KL estimates' slopes are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..estimators import KINDS, group_advantages, kl_estimates
from ..mdp import MDP
from ..policies import softmax_policy
from ..trajectories import Trajectories
from ..validate import (
    real_array,
    require_between,
    require_count,
    require_instance,
    require_one_of,
)
from .ascent import LARGEST
from .clipped import Clip
from .rollouts import Batch, along_scores

ADVANTAGES = ("return", *KINDS)
LENGTHS = ("answer", "group", "constant")
RATIOS = ("token", "sequence", "geometric")
CLIPS = ("min", "weight")
ESTIMATES = ("k1", "k2", "k3")

METHODS_OF_GROUPS = {
    "REINFORCE": dict(advantages="return", length="constant"),
    "RLOO": dict(advantages="leave-one-out", length="constant"),
    "GRPO": dict(advantages="standardised", length="answer", clip="min", epsilon=0.2),
    "Dr. GRPO": dict(advantages="mean", length="constant", clip="min", epsilon=0.2),
    "DAPO": dict(
        advantages="standardised", length="group", clip="min", epsilon=0.2, epsilon_high=0.28
    ),
    "GSPO": dict(
        advantages="standardised",
        length="answer",
        ratio="geometric",
        clip="min",
        epsilon=3e-4,
        epsilon_high=4e-4,
    ),
    "CISPO": dict(
        advantages="standardised", length="group", clip="weight", epsilon=1.0, epsilon_high=0.28
    ),
}

__all__ = ["METHODS_OF_GROUPS", "GroupOptions", "group_gradient", "group_objective"]


@dataclass(frozen=True, eq=False)
class GroupOptions:
    """The expressions that make up an objective of a group.

    Parameters
    ----------
    advantages : "return", A_i = R_i; "mean", "leave-one-out" or "standardised", as in
        :func:`.group_advantages`.
    ddof, epsilon_std : for "standardised", what is subtracted from G in the deviation, and what is
        added to the deviation.
    length : "answer", c_i = 1 / (G T_i); "group", 1 / sum_j T_j; "constant", 1 / (G constant).
    constant : for "constant"; with 1 the gradient is a mean of sums over tokens.
    ratio : "token", "sequence" or "geometric".
    clip : None, "min" or "weight".
    epsilon, epsilon_high : widths of the clip below and above 1; by default the same.
    beta : the weight of the KL penalty.
    kl : its estimate, "k1", "k2" or "k3".
    theta_ref : (O, A) logits of the reference, needed for beta > 0.

    Raises
    ------
    ValueError, TypeError
        naming the option that does not fit.
    """

    advantages: str = "standardised"
    ddof: int = 0
    epsilon_std: float = 0.0
    length: str = "answer"
    constant: float = 1.0
    ratio: str = "token"
    clip: str | None = None
    epsilon: float | None = None
    epsilon_high: float | None = None
    beta: float = 0.0
    kl: str = "k3"
    theta_ref: np.ndarray | None = None

    def __post_init__(self):
        require_one_of("advantages", self.advantages, ADVANTAGES)
        require_one_of("length", self.length, LENGTHS)
        require_one_of("ratio", self.ratio, RATIOS)
        require_one_of("kl", self.kl, ESTIMATES)
        require_count("ddof", self.ddof, 0, 1)
        for name in ("epsilon_std", "beta", "constant"):
            require_between(name, getattr(self, name), 0.0, LARGEST)
        if self.constant == 0:
            raise ValueError("constant must be positive; it is 0")
        Clip.read(self.epsilon, self.epsilon_high)
        if self.clip is not None:
            require_one_of("clip", self.clip, CLIPS)
        if (self.clip is None) != (self.epsilon is None):
            raise ValueError(f"clip and epsilon go together; they are {self.clip}, {self.epsilon}")
        if self.theta_ref is None and self.beta:
            raise ValueError("theta_ref must be given for beta > 0: there is no KL without it")
        if self.theta_ref is not None:
            object.__setattr__(self, "theta_ref", real_array("theta_ref", self.theta_ref))

    @property
    def bounds(self) -> Clip:
        """The clip's two widths."""
        return Clip(self.epsilon, self.epsilon_high)

    def advantages_of(self, rewards: np.ndarray) -> np.ndarray:
        """A_i of each answer, over the last axis."""
        if self.advantages == "return":
            return rewards
        if self.advantages != "standardised":
            return group_advantages(rewards, self.advantages)
        return group_advantages(rewards, "standardised", ddof=self.ddof, epsilon=self.epsilon_std)

    def shares(self, T: np.ndarray) -> np.ndarray:
        """c_i of each answer, (..., G)."""
        if self.length == "answer":
            return 1.0 / (T.shape[-1] * T)
        if self.length == "group":
            return np.broadcast_to(1.0 / T.sum(axis=-1, keepdims=True), T.shape)
        return np.full(T.shape, 1.0 / (T.shape[-1] * self.constant))


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

        lambda tau, R: group_gradient(world, theta, tau, R, **METHODS_OF_GROUPS["GRPO"])

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
