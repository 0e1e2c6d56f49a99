r"""What an update may climb in place of J: each an exact field, a table (O, A) at every theta.

With p = P(tau; theta), Z = grad log p = sum_t z_t the score of a trajectory, and J_s the mean
return of what starts in s:

    log J                     grad J / J
    log J of each start       sum_s mu(s) grad J_s / J_s
    deviation-weighted J      sum_s mu(s) w_G(p_s) grad p_s, for returns of two values, the larger
                              with chance p_s, and w_G(p) = E[sqrt(k/G (1 - k/G))] / (p (1 - p)),
                              k binomial: what standardising in groups of G makes of J
    E[R/T]                    sum_tau p (R/T) Z
    (R - J)/T, J held         sum_tau p ((R - J_s)/T) Z, the gradient of nothing
    J without discount        sum_tau p (sum_t r_t) Z
    KL(P||P_ref)              sum_tau p log(p/p_ref) Z
    KL(P_ref||P)              - sum_tau p_ref Z
    entropy                   - sum_tau p log p Z, the dynamics' own share left out

and those of the steps, with the states that are met held: in place of Z stand the z_t, in place of
p/p_ref the ratio of the step; per answer, each p is divided by T.  They are what the estimates k2
and k3 have for a slope where theta itself draws, since E[z_t] = 0.  With old samples it is

    k of old samples          sum_tau p_old sum_t k'(log pi - log pi_ref) z_t
                              k1' = 1,   k2' = l,   k3' = 1 - exp(-l).

Source: Shao et al. (2024) and Liu et al. (2025) for the deviation and the lengths; Schulman (2020)
and Tang & Munos (2025) for what the estimates of the KL divergence climb.
"""

from __future__ import annotations

from math import lgamma
from typing import NamedTuple

import numpy as np

from .places import Place

EPSILONS = (0.0, 1e-8, 1e-6, 1e-5, 1e-4)  # added to a deviation in programs

__all__ = ["ADDED", "ADDED_OLD", "ALONE", "Candidate", "deviation_weight"]


class Candidate(NamedTuple):
    """An objective, or a field that is none.

    name : as a report says it.
    field : of a :class:`.Place`, gives (O, A), or None where it has no meaning.
    objective : is it the gradient of something in every world?
    plain : does it go before all others, whatever its factor?
    """

    name: str
    field: object
    objective: bool = True
    plain: bool = False


def deviation_weight(p: float, G: int, *, ddof: int = 0, epsilon: float = 0.0) -> float:
    """Give w_G(p), by which standardising in groups of G weighs grad p.

    w_G(p) = sum_k C(G, k) p^k (1 - p)^(G - k) k (G - k) / G^2 / (sigma_k + epsilon) / (p (1 - p)),

    with sigma_k^2 = k (G - k) / (G (G - ddof)); p strictly between 0 and 1, else 0.
    """
    if not 0 < p < 1 or G < 2:
        return 0.0
    k = np.arange(1, G)
    log_many = lgamma(G + 1) - np.array([lgamma(i + 1) + lgamma(G - i + 1) for i in k])
    chance = np.exp(log_many + k * np.log(p) + (G - k) * np.log1p(-p))
    sigma = np.sqrt(k * (G - k) / (G * (G - ddof))) + epsilon
    return float(chance @ (k * (G - k) / G**2 / sigma)) / (p * (1 - p))


# --- sums over trajectories ----------------------------------------------------------------------


def over_trajectories(place: Place, weight) -> np.ndarray:
    """sum_tau weight(tau) Z(tau), for weights (m,)."""
    return np.einsum("m,moa->oa", weight, place.whole)


def over_steps(place: Place, weight) -> np.ndarray:
    """sum_tau sum_t weight z_t, for weights (m, T)."""
    return np.einsum("mt,mtoa->oa", weight, place.scores)


def by_start(place: Place):
    """Yield each start's chance, its rows of the list, and their chances given the start."""
    start = place.tau.states[:, 0]
    for s in np.unique(start):
        rows = start == s
        yield place.world.mu[s], rows, np.where(rows, place.chance, 0.0) / place.world.mu[s]


def held_mean(place: Place) -> np.ndarray:
    """The mean return of what a group is drawn from, for each trajectory: (m,)."""
    if not place.shared_start:
        return np.full(len(place.tau), place.chance @ place.tau.returns)
    out = np.zeros(len(place.tau))
    for _, rows, chance in by_start(place):
        out[rows] = chance @ place.tau.returns
    return out


# --- objectives ----------------------------------------------------------------------------------


def _log_J(place):
    J = place.chance @ place.tau.returns
    return place.gradient / J if J > 0 else None


def _log_J_of_each_start(place):
    R, out = place.tau.returns, 0.0
    for mu, _, chance in by_start(place):
        J = chance @ R
        if not J > 0:
            return None
        out = out + mu * over_trajectories(place, chance * R) / J
    return out


def _deviation(ddof, epsilon):
    def field(place):
        R = place.tau.returns
        values = np.unique(R)
        if len(values) != 2 or place.G - ddof < 1 or place.G < 2:
            return None
        low, high = values
        right, off = (R == high).astype(float), epsilon / (high - low)
        parts = by_start(place) if place.shared_start else [(1.0, None, place.chance)]
        out = 0.0
        for mu, _, chance in parts:
            weight = deviation_weight(chance @ right, place.G, ddof=ddof, epsilon=off)
            out = out + mu * weight * over_trajectories(place, chance * right)
        return out

    return field


def _per_length(place):
    return over_trajectories(place, place.chance * place.tau.returns / _lengths(place))


def _less_mean_per_length(place):
    held = place.tau.returns - held_mean(place)
    return over_trajectories(place, place.chance * held / _lengths(place))


def _lengths(place):
    return np.maximum(place.tau.lengths, 1)


def _undiscounted(place):
    if place.world.gamma == 1.0:
        return None
    return over_trajectories(place, place.chance * place.tau.rewards.sum(axis=1))


def _without_gamma_t(place):
    if place.world.gamma == 1.0:
        return None
    to_go = place.tau.rewards.copy()
    for t in range(to_go.shape[1] - 2, -1, -1):
        to_go[:, t] += place.world.gamma * to_go[:, t + 1]
    return over_steps(place, place.chance[:, None] * to_go)


# --- what is added to them -----------------------------------------------------------------------


def _entropy(place):
    return -over_trajectories(place, place.chance * place.logp.sum(axis=1))


def _with_reference(field):
    return lambda place: None if place.theta_ref is None else field(place)


@_with_reference
def _reverse(place):
    return over_trajectories(place, place.chance * (place.logp - place.ref_logp).sum(axis=1))


@_with_reference
def _forward(place):
    ratio = np.exp((place.ref_logp - place.logp).sum(axis=1))
    return -over_trajectories(place, place.chance * ratio)


def _of_steps(slope, per_answer: bool, *, old: bool = False):
    """sum_tau p sum_t slope z_t, p the chance under theta or theta_old, or that over T."""

    def field(place):
        chance = place.old_chance if old else place.chance
        if per_answer:
            chance = chance / _lengths(place)
        found = slope(place)
        return None if found is None else over_steps(place, chance[:, None] * found)

    return field


def _from_reference(slope):
    return _with_reference(lambda place: slope(place.logp - place.ref_logp))


SLOPES = {  # of k1, k2 and k3 by log pi, for l = log pi - log pi_ref
    "k1": _from_reference(np.ones_like),
    "k2": _from_reference(np.copy),
    "k3": _from_reference(lambda l: -np.expm1(-l)),
}
HELD = {
    "KL(pi||pi_ref) at the states met": SLOPES["k2"],
    "KL(pi_ref||pi) at the states met": SLOPES["k3"],
    "entropy at the states met": lambda place: -place.logp,
}
PER = {"": False, ", per answer": True}


def _deviations():
    for epsilon in EPSILONS:
        for ddof in (0, 1):
            how = ["ddof 1"] * ddof + [f"epsilon {epsilon:g}".replace("e-0", "e-")] * (epsilon > 0)
            name = "deviation-weighted J" + (f" ({', '.join(how)})" if how else "")
            yield Candidate(name, _deviation(ddof, epsilon))


ALONE = (
    Candidate("log J", _log_J),
    Candidate("log J of each start", _log_J_of_each_start),
    *_deviations(),
    Candidate("E[R/T]", _per_length),
    Candidate("(R - J)/T, J held", _less_mean_per_length, False),
    Candidate("J without discount", _undiscounted),
    Candidate("J without gamma^t before its steps", _without_gamma_t, False),
)
ADDED = (
    Candidate("KL(P||P_ref)", _reverse),
    Candidate("KL(P_ref||P)", _forward),
    Candidate("entropy", _entropy),
    *(
        Candidate(name + per, _of_steps(slope, answer), False)
        for per, answer in PER.items()
        for name, slope in HELD.items()
    ),
)
ADDED_OLD = tuple(
    Candidate(f"{name} of old samples{per}", _of_steps(slope, answer, old=True))
    for per, answer in PER.items()
    for name, slope in SLOPES.items()
)
