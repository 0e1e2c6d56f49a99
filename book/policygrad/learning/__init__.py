r"""The loops: Q-learning, exact gradient ascent and REINFORCE, a room each.

* Q-learning moves one entry of a table at a time, towards what the next percept promises:

      Q[o, a] <- Q[o, a] + alpha (r + gamma max_b Q[o', b] - Q[o, a]),

  with no promise after an absorbing state or the last step of a horizon.
* Exact ascent moves the logits by the exact gradient, theta <- theta + alpha grad J(theta).
* REINFORCE moves them by an estimate from m trajectories, theta <- theta + alpha ghat.

Each returns its whole history.  A run whose numbers leave the finite ones raises
:class:`Diverged`, which says at which iteration and why.

Source: Watkins & Dayan (1992); Williams (1992); Sutton & Barto (2018), sections 6.5 and 13.3.
"""

from .ascent import Ascent, Diverged, exact_ascent
from .q_learning import QLearning, q_learning
from .reinforce import reinforce, reinforce_many

__all__ = [
    "Ascent",
    "Diverged",
    "QLearning",
    "exact_ascent",
    "q_learning",
    "reinforce",
    "reinforce_many",
]
