r"""J, values, occupancy and grad J with no sampling, by routes that share no code.

* ``"adjoint"``, the default, for worlds of any size: values backwards in time, occupancy forwards,
  both put together in the policy gradient theorem (:mod:`.adjoint`, :mod:`.values`).
* ``"enumeration"`` lists every trajectory: the definition itself, for short episodes only
  (:mod:`.enumeration`).
* ``"forwards"`` steps through time and differentiates by the product rule as it goes; no logarithm
  and no action value occurs (:mod:`.forwards`).

Made of these lists and values: the mean and covariance of updates made of whole groups of
trajectories (:mod:`.groups`), the Fisher matrix (:mod:`.information`), and what an old policy
foretells of a new one's J (:mod:`.surrogates`).

All know percepts (aliased states share their parameters), the discount (return and occupancy carry
gamma^t) and absorbing states (no action is taken there).

Conventions.  With a horizon H, values depend on the time: V has shape (H+1, S) with
V[H] = 0, Q and the advantages (H, S, A), the occupancy (H, S).  Without, the time index is gone.
Rewards have the unit of J; probabilities and occupancies have none.

What is not finite in floats is refused, never returned; so is, before it begins, what would take
more memory than half of this machine's (:mod:`.limits`).

Source: Sutton & Barto (2018), chapters 3, 4 and 13; Puterman (1994), chapters 4 to 6.
"""

from .enumeration import EnumeratedTrajectories, enumerate_trajectories
from .groups import GroupMoments, Groups, group_expectation, list_groups
from .information import fisher_information
from .routes import METHODS, expected_return, policy_gradient
from .surrogates import surrogate, surrogate_gradient
from .values import action_values, advantages, occupancy, state_values

__all__ = [
    "METHODS",
    "EnumeratedTrajectories",
    "GroupMoments",
    "Groups",
    "action_values",
    "advantages",
    "enumerate_trajectories",
    "expected_return",
    "fisher_information",
    "group_expectation",
    "list_groups",
    "occupancy",
    "policy_gradient",
    "state_values",
    "surrogate",
    "surrogate_gradient",
]
