r"""The Fisher information matrix of a softmax policy, weighed by how often each state is visited.

With the score psi(s, a) = grad log pi(a|o(s)), flattened row by row,

    F = sum_s d(s) sum_a pi(a|s) psi(s, a) psi(s, a)^T,

where d(s) = sum_t gamma^t Pr(s_t = s and an action is taken), the occupancy, is not normalised, as
everywhere in the book: F is the mean over trajectories,

    F = E[ sum_t gamma^t psi(s_t, a_t) psi(s_t, a_t)^T ].

For gamma = 1 it is the Fisher information of whole trajectories, E[psi(tau) psi(tau)^T] with
psi(tau) = grad log P(tau) = sum_t psi(s_t, a_t): given all that was before, a score has mean 0, so
that products of scores of two times have mean 0 too.  For gamma < 1 it is not; the weights gamma^t
are those with which the states enter grad J.

The score of the softmax policy is 0 but in the row of its own percept, where it is e_a - pi(.|o).
So F has a block for each percept and zeros between them,

    F[o, o] = D(o) (diag(pi(.|o)) - pi(.|o) pi(.|o)^T),      D(o) = sum_{s: o(s) = o} d(s).

One number added to a row of theta changes nothing: F maps it to 0, and there is no inverse.  The
natural gradient is F^+ grad J, by the pseudoinverse.

Source: Kakade (2001), section 2, there with d normalised; Amari (1998), Neural Computation 10.
"""

from __future__ import annotations

import numpy as np

from ..mdp import MDP
from ..memory import FLOAT, require_memory
from ..policies import softmax_policy
from ..validate import real_array, require_instance
from .values import occupancy

__all__ = ["fisher_information"]


def fisher_information(mdp: MDP, theta) -> np.ndarray:
    """Compute F = sum_s d(s) sum_a pi(a|s) grad log pi(a|s) grad log pi(a|s)^T.

    Parameters
    ----------
    mdp : the world.
    theta : (O, A) logits.

    Returns
    -------
    (O*A, O*A) array, symmetric; entry [o*A + a, p*A + b] belongs to theta[o, a] and theta[p, b].

    Raises
    ------
    ValueError, TypeError
        as :func:`.policy_gradient`.
    """
    require_instance("mdp", mdp, MDP)
    O, A = mdp.O, mdp.A
    pi = softmax_policy(real_array("theta", theta, (O, A), "(O, A)"))
    require_memory("the Fisher matrix", FLOAT * (O * A) ** 2)
    d = occupancy(mdp, pi)
    if mdp.horizon is not None:
        d = d.sum(axis=0)
    D = np.bincount(mdp.observe, d, O)
    F = np.zeros((O, A, O, A))
    for o in range(O):
        F[o, :, o, :] = D[o] * (np.diag(pi[o]) - np.outer(pi[o], pi[o]))
    return F.reshape(O * A, O * A)
