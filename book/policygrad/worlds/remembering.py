"""Any world, for an agent that may remember a number from step to step.

Its states, percepts and actions are pairs, of one of the old world's and a number.
"""

from __future__ import annotations

import numpy as np

from ..mdp import MDP
from ..memory import require_memory
from ..validate import require_count, require_instance

__all__ = ["with_memory"]


def with_memory(mdp: MDP, size: int = 2) -> MDP:
    """Give the agent a memory: with each action it chooses a number 0 .. size-1 to remember.

    What it perceives is (percept, number); what it does is (action, next number).  A policy
    without memory in this larger world is a policy with memory in the old one.

        P((s', k') | (s, k), (a, j)) = P(s'|s, a) 1[k' = j],  R the same as before

    Memory is 0 at the start, and stays as it is in an absorbing state.  State (s, k) has the
    number s size + k; actions and percepts alike.

    Parameters
    ----------
    mdp : the world.
    size : how many numbers can be told apart; 2 is one bit.

    Raises
    ------
    ValueError, TypeError
        if mdp is no world, or size not a whole number of at least 1, or one that makes a world too
        large for this machine.
    """
    require_instance("mdp", mdp, MDP)
    S, A, K = mdp.S, mdp.A, require_count("size", size)
    require_memory(f"the worlds with size = {K:,}", 3 * 8 * S**2 * A * K**3)
    kept = np.broadcast_to(np.eye(K), (K, K, K))  # [k, j, k'] = 1[k' = j]
    P = np.einsum("sap,kjl->skajpl", mdp.P, kept)
    P[mdp.absorbing] = np.einsum(  # nothing is remembered after the end
        "sp,kl,aj->skajpl", np.eye(S), np.eye(K), np.ones((A, K))
    )[mdp.absorbing]
    R = np.broadcast_to(mdp.R[:, None, :, None, :, None], P.shape)
    size_of = (S * K, A * K, S * K)

    def named(names, template):
        return [template.format(name, k) for name in names for k in range(K)]

    return MDP(
        P.reshape(size_of),
        R.reshape(size_of),
        np.einsum("s,k->sk", mdp.mu, np.eye(K)[0]).reshape(-1),
        horizon=mdp.horizon,
        gamma=mdp.gamma,
        observe=(mdp.observe[:, None] * K + np.arange(K)).reshape(-1),
        states=named(mdp.states, "{} memory {}"),
        actions=named(mdp.actions, "{} remember {}"),
        percepts=named(mdp.percepts, "{} memory {}"),
    )
