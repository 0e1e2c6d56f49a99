r"""What an update climbs with old samples: the surrogate, clipped or not.

    E_old[ sum_t c f(w_t, A_t) ],   f(w, A) = w A  or  min(w A, clip(w) A),

with w_t = pi(a_t|s_t) / pi_old(a_t|s_t), clip(w) = w kept between 1 - epsilon and 1 +
epsilon_high, and A_t one of: the exact advantage of theta_old; the whole return; the return from t
on; these less the old policy's value; what a group makes of the return, less the group's mean, and
standardised.  c is 1, or one over the length of the answer, or over that of the group.  Only where
f is linear does the kind of A_t not matter.  The field is the gradient by theta, theta_old held,

    sum over groups of P(group) sum_{i,t} c f'(w, A) w z_t.

Source: Schulman et al. (2017), equation 7; Shao et al. (2024), equation 3; Yu et al. (2025) for
lengths of groups and two widths.
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
    clips = {"the surrogate": None}
    if off_policy:
        clips["the clipped surrogate"] = (epsilon, epsilon_high)
    found = [
        Candidate(name, _exact(*(clip or (None, None))), off_policy) for name, clip in clips.items()
    ]
    for length, kind, (name, clip) in product(LENGTHS, KINDS, clips.items()):
        field = _sampled(kind, length, clip)
        found.append(Candidate(f"{name} of {kind}{length}", field, off_policy))
    return tuple(found)


def _exact(epsilon, epsilon_high):
    def field(place: Place):
        return surrogate_gradient(
            place.world, place.theta, place.theta_old, epsilon=epsilon, epsilon_high=epsilon_high
        )

    return field


def _sampled(kind, length, clip):
    def field(place: Place):
        A = KINDS[kind](place)
        if A is None:
            return None
        rows = place.groups.rows
        w = np.exp(place.logp - place.old_logp)[rows]
        slope = np.broadcast_to(A, w.shape) if clip is None else clip_slope(w, A, *clip)
        c = LENGTHS[length](place.tau.lengths[rows])
        on = slope * w * c * place.groups.chances[:, None, None] / place.G
        weights = np.zeros(place.logp.shape)
        np.add.at(weights, rows, on)
        return np.einsum("mt,mtoa->oa", weights, place.scores)

    return field


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
    ", per answer": lambda T: 1.0 / np.maximum(T, 1)[..., None],
    ", per token of the group": lambda T: T.shape[1] / np.maximum(T.sum(1), 1)[:, None, None],
}
