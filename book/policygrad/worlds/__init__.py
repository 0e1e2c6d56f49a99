r"""The tiny decision processes of the book, by name.

Each is small enough that J and its gradient are known exactly, and each is there for one reason.

==================  ============================================================================
``bandit``          one decision; the whole of policy gradients without time
``two_state``       every transition possible, three steps: 64 trajectories from its start
``vacuum_corridor`` two cells with the same walls, so the same percept, that need opposite actions
``short_corridor``  Sutton & Barto's Example 13.1: a closed form for J, endless for some policies
``aliased_pair``    two states that look alike and need opposite actions, each and for ever
``two_keys``        two choices, the second blind to the first: a landscape with two heights
``gamma_trap``      dropping gamma^t from the update turns the gradient around
``tiny_language``   prompts, answers letter by letter, and an end: what language models do, in full
``with_memory``     any world, for an agent that may remember a number from step to step
``random_mdp``      anything else, to test what must hold everywhere
==================  ============================================================================
"""

from .corridor import CORRIDOR_MAP, vacuum_corridor
from .drawn import random_mdp
from .handmade import aliased_pair, bandit, gamma_trap, short_corridor, two_keys, two_state
from .language import tiny_language
from .remembering import with_memory

__all__ = [
    "CORRIDOR_MAP",
    "aliased_pair",
    "bandit",
    "gamma_trap",
    "random_mdp",
    "short_corridor",
    "tiny_language",
    "two_keys",
    "two_state",
    "vacuum_corridor",
    "with_memory",
]
