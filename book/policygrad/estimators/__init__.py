r"""Estimates of the gradient, and what is put in them for a weight, a room each.

* REINFORCE, one row per trajectory, for any weights (:mod:`.reinforce`):

      g_i = sum_t w_{i,t} grad log pi(a_{i,t} | s_{i,t}).

* Advantages from a critic, generalised (:mod:`.gae`), and from a group (:mod:`.groups`).
* Ratios of two policies, and PPO's clip of them (:mod:`.ratios`).
* Three estimates of the KL divergence from a reference (:mod:`.kl`).

Each is one formula and differs from its neighbour in one visible expression.  Given all
trajectories in place of samples, the rows weighted by P(tau) add up to the exact mean.

Source: Williams (1992); Schulman et al. (2016, 2017); Kool et al. (2019); Shao et al. (2024).
"""

from .gae import gae
from .groups import KINDS, group_advantages
from .kl import KLEstimates, kl_estimates
from .ratios import clip_objective, clip_slope, importance_ratios
from .reinforce import discounts, reinforce_gradients, returns, rewards_to_go

__all__ = [
    "KINDS",
    "KLEstimates",
    "clip_objective",
    "clip_slope",
    "discounts",
    "gae",
    "group_advantages",
    "importance_ratios",
    "kl_estimates",
    "reinforce_gradients",
    "returns",
    "rewards_to_go",
]
