r"""What is to come, and what is visited, in episodes without a horizon; with no subtraction.

x = b + L x  and  y = c + y L,  L[s, s'] = gamma Pr(s' after s), are the equations of values and
occupancy.  How often an episode leaves s at all, leaving[s] = 1 - sum_s' L[s, s'], can be as small
as 1e-9, and then 1 - L[s, s] has lost nine digits.  Therefore ``leaving`` comes as a number of its
own, a sum of probabilities, and the diagonal of L is never read: staying is what is not leaving.

Split the states into i and j, and watch the episode only while it is in j.  On a stay in i it goes
back to j with probability ``to_j``, is over with probability ``gone`` and collects ``x_i``, which
are right-hand sides of the same equations on i alone.  Seen from j there remains a smaller world of
the same kind,

    L' = L_jj + L_ji to_j,    leaving' = leaving_j + L_ji gone,    b' = b_j + L_ji x_i,

and so on, down to single states, where x = b / leaving.  Numbers of one sign are added, multiplied
and divided: every entry of (1 - L)^(-1) keeps nearly all its digits, however long episodes are.
So the error of x is some n 1e-16 of what x would be with |b| for b; likewise y.

Source: Grassmann, Taksar & Heyman (1985), Operations Research 33; O'Cinneide (1993), Numerische
Mathematik 65, for the bound on the error.
"""

from __future__ import annotations

import numpy as np

LEAST = 1e-290  # below, products of probabilities lose digits, and then vanish

__all__ = ["solve"]


def solve(L: np.ndarray, leaving: np.ndarray, b: np.ndarray, c: np.ndarray):
    """Solve x = b + L x and y = c + y L.

    Parameters
    ----------
    L : (n, n) numbers >= 0, n >= 1; the diagonal is not read.
    leaving : (n,) numbers > 0, what row s of L, with its diagonal, lacks to 1.
    b : (n, k) right-hand sides.
    c : (l, n) left-hand sides.

    Returns
    -------
    x, y : (n, k) and (l, n) arrays.

    Raises
    ------
    ValueError
        if some state is left so rarely that floats cannot tell it from never.
    """
    n = len(L) // 2
    if n == 0:
        if not leaving[0] > LEAST:
            raise ValueError(
                "episodes are too long under this policy: more than "
                f"{1 / LEAST:.0e} actions are expected"
            )
        return b / leaving, c / leaving
    L_ij, L_ji = L[:n, n:], L[n:, :n]
    x, y = solve(
        L[:n, :n],
        leaving[:n] + L_ij.sum(axis=1),
        np.hstack([L_ij, leaving[:n, None], b[:n]]),
        np.vstack([L_ji, c[:, :n]]),
    )
    to_j, gone, x_i = np.split(x, [len(L) - n, len(L) - n + 1], axis=1)
    from_j, y_i = np.split(y, [len(L) - n])
    x_j, y_j = solve(
        L[n:, n:] + L_ji @ to_j,
        leaving[n:] + L_ji @ gone[:, 0],
        b[n:] + L_ji @ x_i,
        c[:, n:] + c[:, :n] @ to_j,
    )
    return np.vstack([x_i + to_j @ x_j, x_j]), np.hstack([y_i + y_j @ from_j, y_j])
