r"""The softmax policy over percepts, and its score.

    pi(a|o; theta) = exp(theta[o, a]) / sum_b exp(theta[o, b])

Its *score* is the gradient of the log-probability of an action:

    d log pi(a|o) / d theta[o', b] = 1[o = o'] (1[a = b] - pi(b|o))

Adding one number to a whole row of theta changes nothing, so the score sums to 0 over b: of the
O*A directions in which theta can move, O are idle.

Source: Sutton & Barto (2018), equations 13.2 and exercise 13.3.
"""

from __future__ import annotations

import numpy as np

from .mdp import real_array

__all__ = ["score", "softmax_policy"]


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
    theta = _logits(theta)
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


def _logits(theta) -> np.ndarray:
    theta = real_array("theta", theta)
    if theta.ndim != 2 or 0 in theta.shape:
        raise ValueError(f"theta must have shape (O, A) with O, A >= 1; it has {theta.shape}")
    return theta
