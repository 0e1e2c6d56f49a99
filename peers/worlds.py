"""The worlds in which libraries are judged, and the policies: small numbers, written down."""

import numpy as np

from policygrad.mdp import MDP
from policygrad.worlds import tiny_language

__all__ = ["CRITIC", "LANGUAGE", "STEPS", "near", "two_steps"]


def _tables(world, seed):
    """Logits of a policy, of an older one and of a reference, with two digits behind the point."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(world.O, world.A))
    old, ref = theta + 0.5 * rng.normal(size=(2, *theta.shape))
    return tuple(np.round(x, 2) for x in (theta, old, ref))


def near(theta):
    """Two policies near one, at which it is asked again what an update climbs."""
    rng = np.random.default_rng(2)
    return [np.round(theta + 0.5 * rng.normal(size=theta.shape), 2) for _ in range(2)]


def two_steps(gamma):
    """Two steps, always: rooms 0 and 1, then 2 and 3, and where the limit cuts, 4 and 5."""
    P, R = np.zeros((6, 2, 6)), np.zeros((6, 2, 6))
    P[0, :, 2:4] = [[0.8, 0.2], [0.3, 0.7]]
    P[1, :, 2:4] = [[0.5, 0.5], [0.1, 0.9]]
    P[2, :, 4:] = [[1.0, 0.0], [0.0, 1.0]]
    P[3, :, 4:] = [[0.0, 1.0], [1.0, 0.0]]
    P[4, :, 4] = P[5, :, 5] = 1.0
    R[0, 1], R[1, 0] = 0.5, -0.3
    R[2, :, 4:] = [[1.0, 0.0], [0.0, 0.4]]
    R[3, :, 4:] = [[0.0, -0.5], [0.8, 0.0]]
    R[4], R[5] = 0.2, -0.2  # what would come, without the limit
    return MDP(P, R, [0.6, 0.4, 0, 0, 0, 0], gamma=gamma, horizon=2)


LANGUAGE = tiny_language(longest=2), _tables(tiny_language(longest=2), 0)
STEPS = {gamma: (two_steps(gamma), _tables(two_steps(gamma), 1)) for gamma in (1.0, 0.9)}
CRITIC = np.array([0.3, -0.2, 0.6, 0.15, 0.7, -0.4])  # no policy's values
