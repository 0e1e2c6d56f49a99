r"""The options of an objective of a group of G answers, and the methods by their names.

    J_G(theta) = sum_i c_i sum_t [ f(w_{i,t}, A_i) - beta k(theta; a_{i,t}) ]

* A_i: ``advantages``, from the rewards of the group, or the rewards themselves;
* c_i: ``length``, what a token of answer i counts;
* w_{i,t}: ``ratio``, w_t for "token", prod_t w_t for "sequence", its T_i-th root for "geometric";
  the last two are the same at all tokens of an answer;
* f: ``clip``, w A for None, min(w A, clip(w) A) for "min", and for "weight" sg(clip(w)) A log w,
  where sg(.) is held fixed when the gradient is taken;
* k: ``kl``, one of the three estimates of a token's KL from the reference, differentiated as it
  stands: no ratio corrects for the policy that drew.

Source: Shao et al. (2024), equations 3 and 4; Liu et al. (2025) for length and deviation; Yu et al.
(2025) for "group" and the upper width; Zheng et al. (2025) for "geometric"; MiniMax (2025) for
"weight"; Ahmadian et al. (2024) for RLOO; Tang & Munos (2025) for the KL estimates' slopes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..estimators import KINDS, group_advantages
from ..validate import real_array, require_between, require_count, require_one_of
from .ascent import LARGEST
from .clipped import Clip

ADVANTAGES = ("return", *KINDS)
LENGTHS = ("answer", "group", "batch", "constant")
RATIOS = ("token", "sequence", "geometric")
CLIPS = ("min", "weight")
ESTIMATES = ("k1", "k2", "k3")

# No KL penalty is in them: it needs a reference, beta=0.04, theta_ref=... .  DAPO also draws groups
# again, redraw=True in grpo.  CISPO states no width; epsilon = 1 leaves the ratio free below.
GROUP_METHODS = {
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

__all__ = ["GROUP_METHODS", "GroupOptions"]


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupOptions:
    """The expressions that make up an objective of a group.

    Parameters
    ----------
    advantages : "return", A_i = R_i; "mean", "leave-one-out" or "standardised", as in
        :func:`.group_advantages`.
    ddof, epsilon_std : for "standardised", what is subtracted from G in the deviation, and what is
        added to the deviation.
    length : c_i; "answer", 1 / (G T_i); "group", 1 / sum_j T_j, the tokens of the group; "batch",
        the same with the mean of sum_j T_j over all groups of a step; "constant", 1 / (G constant).
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
        if self.length == "batch":
            return np.full(T.shape, 1.0 / T.sum(axis=-1).mean())
        return np.full(T.shape, 1.0 / (T.shape[-1] * self.constant))
