r"""The softmax policy over percepts, its score, and the greedy policies of a table.

    pi(a|o; theta) = exp(theta[o, a]) / sum_b exp(theta[o, b])

Its *score* is the gradient of the log-probability of an action:

    d log pi(a|o) / d theta[o', b] = 1[o = o'] (1[a = b] - pi(b|o))

Adding one number to a whole row of theta changes nothing, so the score sums to 0 over b: of the
O*A directions in which theta can move, O are idle.

A table of action values is read as a policy by giving the probability to the largest entry of each
row, all but a part epsilon, which every action shares:

    pi(a|o) = epsilon / A + (1 - epsilon) 1[Q[o, a] = max_b Q[o, b]] / n(o)

with n(o) the number of entries of the row that are as large as its largest.

Source: Sutton & Barto (2018), equations 13.2 and exercise 13.3; section 5.4 for epsilon.
"""

from __future__ import annotations

import numpy as np

from .validate import real_array, require_between

__all__ = ["greedy_policy", "score", "softmax_policy"]


def softmax_policy(theta) -> np.ndarray:
    """Turn logits into probabilities: pi[o, a] = exp(theta[o, a]) / sum_b exp(theta[o, b]).

    Parameters
    ----------
    theta : (O, A) finite logits, of any size: the largest of a row is subtracted first.

    Returns
    -------
    (O, A) array; rows sum to 1.

    Raises
    ------
    ValueError
        if theta is not two-dimensional, or naming the entry that is NaN or infinite.
    """
    theta = _table("theta", theta)
    with np.errstate(over="ignore"):  # a gap beyond the largest float is a probability of 0
        weights = np.exp(theta - theta.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def score(theta) -> np.ndarray:
    """Give every score: entry [o, a] is the gradient of log pi(a|o; theta) by theta.

    score[o, a, o', b] = 1[o = o'] (1[a = b] - pi(b|o))

    Parameters
    ----------
    theta : (O, A) finite logits.

    Returns
    -------
    (O, A, O, A) array.

    Raises
    ------
    ValueError
        as :func:`softmax_policy`.
    """
    pi = softmax_policy(theta)
    O, A = pi.shape
    out = np.zeros((O, A, O, A))
    for o in range(O):
        out[o, :, o, :] = np.eye(A) - pi[o]
    return out


def greedy_policy(Q, epsilon: float = 0.0) -> np.ndarray:
    """Read a policy off a table of action values.

    pi[o, a] = epsilon / A + (1 - epsilon) 1[Q[o, a] = max_b Q[o, b]] / n(o)

    It is greedy, and for epsilon > 0 epsilon-greedy.  Entries that tie for the largest share the
    probability evenly, n(o) of them, as they do in :func:`learning.q_learning`, which breaks ties
    at random.  So the greedy policy is deterministic where no row ties, and only there.

    Parameters
    ----------
    Q : (O, A) finite action values.
    epsilon : in [0, 1], how much of the probability all actions share.

    Returns
    -------
    (O, A) array; rows sum to 1.

    Raises
    ------
    ValueError, TypeError
        if Q is not two-dimensional, naming its entry that is NaN or infinite, or saying what
        epsilon is instead of a number in [0, 1].
    """
    Q, epsilon = _table("Q", Q), require_between("epsilon", epsilon, 0.0, 1.0)
    largest = Q == Q.max(axis=1, keepdims=True)
    return epsilon / Q.shape[1] + (1 - epsilon) * largest / largest.sum(axis=1, keepdims=True)


def _table(name: str, value) -> np.ndarray:
    array = real_array(name, value)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} must have shape (O, A) with O, A >= 1; it has {array.shape}")
    return array
