r"""What an update climbs with old samples: the surrogate, clipped in one way or another.

    E_old[ sum_t c f(w_t, A_t) ],    w_t = pi(a_t|s_t) / pi_old(a_t|s_t),

its gradient by theta, theta_old held, is a sum over groups with a weight u on each score z_t,

    sum over groups of P(group) sum_{i,t} c u z_t / G.

With clip(w) = w kept between 1 - epsilon and 1 + epsilon_high,

    the surrogate                   u = w A
    the clipped surrogate           u = f'(w, A) w,  f = min(w A, clip(w) A), as in PPO and GRPO
    the surrogate, ratios capped    u = min(w, 1 + epsilon_high) A, held, as in CISPO
    the surrogate, ratios clipped   u = clip(w) A, held
    by answer                       w = prod_t w_t^(1/T) and u over T, as in GSPO.

A_t is the exact advantage of theta_old; the whole return; the return from t on; these less the old
policy's value; what a group makes of the return, less the group's mean, and standardised.  c is 1,
or one over the length of the answer, or over the mean length of the group.  Only where u is linear
in A does the kind of A_t not matter.

Source: Schulman et al. (2017), equation 7; Shao et al. (2024), equation 3; Yu et al. (2025) for
lengths of groups and two widths; MiniMax (2025) and Zheng et al. (2025) for the last ones.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from ..estimators import clip_slope, discounts, group_advantages, rewards_to_go
from ..exact import state_values, surrogate_gradient
from .objectives import Candidate
from .places import Place

__all__ = ["surrogates"]


def surrogates(
    epsilon: float, epsilon_high: float | None, off_policy: bool
) -> tuple[Candidate, ...]:
    """Candidates for old samples, the plain ones first; on-policy no clip can be told from none.

    Parameters
    ----------
    epsilon, epsilon_high : widths of the clip, as in :func:`.clip_slope`.
    off_policy : does theta_old stand still?  Only then are these the gradients of something.
    """
    clip = epsilon, epsilon if epsilon_high is None else epsilon_high
    found = [Candidate("the surrogate", _exact(None, None), off_policy, plain=True)]
    if off_policy:
        found.append(Candidate("the clipped surrogate", _exact(*clip), True))
    pushes = PUSHES if off_policy else {"the surrogate of {}": PUSHES["the surrogate of {}"]}
    for length, kind, name in product(LENGTHS, KINDS, pushes):
        field = _sampled(kind, LENGTHS[length], pushes[name], clip)
        found.append(Candidate(name.format(kind) + length, field, off_policy))
    for kind, name in product(KINDS, pushes if off_policy else ()):
        field = _sampled(kind, None, pushes[name], clip)
        found.append(Candidate(f"{name.format(kind)}, by answer", field, True))
    return tuple(found)


def _exact(epsilon, epsilon_high):
    def field(place: Place):
        return surrogate_gradient(
            place.world, place.theta, place.theta_old, epsilon=epsilon, epsilon_high=epsilon_high
        )

    return field


def _sampled(kind, length, push, clip):
    """The field of a kind of advantage; without a length, the ratio is that of answers."""

    def field(place: Place):
        A = KINDS[kind](place)
        if A is None:
            return None
        rows = place.groups.rows
        T = np.maximum(place.tau.lengths, 1)
        log_w, c = (place.logp - place.old_logp)[rows], 1 / T[rows][..., None]
        if length is None:
            log_w = np.broadcast_to(log_w.sum(axis=-1, keepdims=True) * c, log_w.shape)
        else:
            c = length(T[rows])
        u = push(np.exp(log_w), np.broadcast_to(A, log_w.shape), *clip) * c
        u = u * place.groups.chances[:, None, None] / place.G
        m, H = place.logp.shape
        at = rows[..., None] * H + np.arange(H)
        weights = np.bincount(at.ravel(), u.ravel(), m * H).reshape(m, H)
        return np.einsum("mt,mtoa->oa", weights, place.scores)

    return field


PUSHES = {  # what stands before a score, of w, A and the widths
    "the surrogate of {}": lambda w, A, low, high: w * A,
    "the clipped surrogate of {}": lambda w, A, low, high: clip_slope(w, A, low, high) * w,
    "the surrogate of {}, ratios capped": lambda w, A, low, high: np.minimum(w, 1 + high) * A,
    "the surrogate of {}, ratios clipped": lambda w, A, low, high: (
        np.clip(w, 1 - low, 1 + high) * A
    ),
}


# --- advantages, (n, G, 1) or (n, G, T) -----------------------------------------------------------


def _return(place):
    return place.tau.returns[place.groups.rows][..., None]


def _to_go(place):
    gamma = place.world.gamma
    return (discounts(place.tau, gamma) * rewards_to_go(place.tau, gamma))[place.groups.rows]


def _values(place):
    """V_old at each step, discounted to the start: (m, T)."""
    V, t = state_values(place.world, place.pi_old), np.arange(place.logp.shape[1])
    at = place.tau.states[:, :-1]
    V = V[at] if place.world.horizon is None else V[t, at]
    return np.where(place.tau.happened, V, 0.0) * place.world.gamma**t


def _less_value(place):
    return _return(place) - _values(place)[:, :1][place.groups.rows]


def _to_go_less_values(place):
    return _to_go(place) - _values(place)[place.groups.rows]


def _of_groups(*kind, **how):
    def advantages(place):
        if place.G < 2:
            return None
        R = place.tau.returns[place.groups.rows]
        return group_advantages(R, *kind, **how)[..., None]

    return advantages


KINDS = {
    "R": _return,
    "R to go": _to_go,
    "R - V(s_0)": _less_value,
    "R to go - V": _to_go_less_values,
    "R - group mean": _of_groups("mean"),
    "standardised R": _of_groups("standardised"),
    "standardised R (ddof 1)": _of_groups("standardised", ddof=1),
}
LENGTHS = {
    "": lambda T: 1.0,
    ", per answer": lambda T: 1.0 / T[..., None],
    ", per token of the group": lambda T: T.shape[1] / T.sum(axis=1)[:, None, None],
}
