r"""The loops, a room each: from Q-learning and exact ascent to PPO and GRPO.

* Q-learning moves one entry of a table at a time, towards what the next percept promises:

      Q[o, a] <- Q[o, a] + alpha (r + gamma max_b Q[o', b] - Q[o, a]),

  with no promise after an absorbing state or the last step of a horizon.
* Exact ascent moves the logits by the exact gradient, theta <- theta + alpha grad J(theta).
* REINFORCE moves them by an estimate from m trajectories, theta <- theta + alpha ghat.
* Actor-critic does so with advantages that a critic estimates (:mod:`.actor_critic`).
* PPO makes several passes over a batch, on a clipped surrogate (:mod:`.ppo`, :mod:`.clipped`).
* GRPO and its relatives compare answers to one prompt (:mod:`.grpo`, with :mod:`.groups` and
  :mod:`.methods`).

Each returns its whole history.  A run whose numbers leave the finite ones raises
:class:`Diverged`, which says at which iteration and why.

Source: Watkins & Dayan (1992); Williams (1992); Sutton & Barto (2018), sections 6.5 and 13.3.
"""

from .actor_critic import actor_critic
from .ascent import Ascent, Diverged, exact_ascent
from .clipped import clipped_gradients, clipped_objectives
from .groups import group_gradient, group_objective
from .grpo import GRPO, grpo
from .methods import GROUP_METHODS, GroupOptions
from .ppo import PPO, ppo
from .q_learning import QLearning, q_learning
from .reinforce import reinforce, reinforce_many
from .rollouts import ActorCritic

__all__ = [
    "GROUP_METHODS",
    "GRPO",
    "PPO",
    "ActorCritic",
    "Ascent",
    "Diverged",
    "GroupOptions",
    "QLearning",
    "actor_critic",
    "clipped_gradients",
    "clipped_objectives",
    "exact_ascent",
    "group_gradient",
    "group_objective",
    "grpo",
    "ppo",
    "q_learning",
    "reinforce",
    "reinforce_many",
]
