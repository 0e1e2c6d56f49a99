r"""What a trial is asked for: its arguments, read once, and the places where it is held.

    theta, and theta + 0.3 x twice, x normal           where theta_old goes along
    theta_old = theta + d x, d = 0.25, 0.5 and 1       further, until a ratio of a step leaves
                                                       [1 - epsilon, 1 + epsilon] on either side

An objective of the caller's own, f(theta) at a place, has the gradient

    (8 f(x + h) - 8 f(x - h) - f(x + 2h) + f(x - 2h)) / 12h,     off by h^4 f^(5) / 30.

Source: Abramowitz & Stegun (1964), formula 25.3.6 and the like, for the differences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..mdp import MDP
from ..validate import (
    real_array,
    real_number,
    require_between,
    require_callable,
    require_count,
    require_flag,
    require_instance,
    shown,
)
from .objectives import Candidate
from .places import Place

NEAR, NEIGHBOURS = 0.3, 2
OLD = (0.25, 0.5, 1.0)  # how far old policies are from theta, in logits
FURTHER, FARTHEST = 1.3, 4.0  # until ratios leave the clip
STEP = 1e-3  # of the differences of an objective

__all__ = ["Asked", "read"]


@dataclass(frozen=True, eq=False)
class Asked:
    """The arguments of a trial, checked.

    Attributes
    ----------
    places : theta, and its neighbours.
    old : places with samples of old policies.
    own : the caller's own objectives.
    clip : (epsilon, epsilon_high).
    directions : (2, O, A) along which derivatives are taken.
    """

    places: list[Place]
    old: list[Place]
    own: list[Candidate]
    clip: tuple[float, float | None]
    directions: np.ndarray


def read(
    world,
    theta,
    *,
    G,
    theta_old,
    theta_ref,
    shared_start,
    old_policies,
    against,
    epsilon,
    epsilon_high,
    seed,
    limit,
) -> Asked:
    """Read the arguments of :func:`.trial`, which says what they are.

    Raises
    ------
    ValueError, TypeError
        naming the argument that is wrong; or if J has no slope.
    """
    require_instance("world", world, MDP)
    theta, theta_old, theta_ref = (
        x if x is None and name != "theta" else real_array(name, x, (world.O, world.A), "(O, A)")
        for name, x in (("theta", theta), ("theta_old", theta_old), ("theta_ref", theta_ref))
    )
    on_policy = theta_old is None or np.array_equal(theta_old, theta)
    counts = require_count("G", G), require_flag("shared_start", shared_start)
    limit = require_count("limit", limit)
    old = theta if on_policy else theta_old
    here = Place(world, theta, old, theta_ref, *counts, limit, on_policy)
    clip = _clip(epsilon, epsilon_high)
    rng = np.random.default_rng(require_count("seed", seed, 0))
    near = [here.moved(theta + NEAR * rng.normal(size=theta.shape)) for _ in range(NEIGHBOURS)]
    old = _old_policies(here, old_policies, theta_old, clip, rng)
    asked = Asked([here, *near], old, _own(against), clip, rng.normal(size=(2, *theta.shape)))
    _require_slope(asked.places)
    for candidate in asked.own:  # refuses what is no objective, also where it is not needed
        candidate.field(here)
    return asked


def _clip(epsilon, epsilon_high):
    epsilon = require_between("epsilon", epsilon, 0.0, 1.0)
    if epsilon_high is not None and (epsilon_high := real_number("epsilon_high", epsilon_high)) < 0:
        raise ValueError(f"epsilon_high must be at least 0; it is {epsilon_high:g}")
    return epsilon, epsilon_high


def _require_slope(places: list[Place]) -> None:
    for place in places:
        if np.abs(place.gradient).max() <= 1e-12 * np.abs(place.tau.returns).max():
            raise ValueError(
                "J must have a slope at theta; its gradient is 0, and there is nothing to compare "
                "with: take another world or another theta"
            )


# --- old policies --------------------------------------------------------------------------------


def _old_policies(here: Place, given, theta_old, clip, rng) -> list[Place]:
    if given is not None:
        if not isinstance(given, (list, tuple)):
            raise TypeError(
                f"old_policies must be a list of logits (O, A), or () for none; it is "
                f"{shown(given)}"
            )
        shape = here.theta.shape
        read = [real_array(f"old_policies[{k}]", x, shape, "(O, A)") for k, x in enumerate(given)]
        return [here.drawn_by(x) for x in read]
    if theta_old is not None:
        return []
    return [_far_enough(here, distance, clip, rng) for distance in OLD]


def _far_enough(here: Place, distance: float, clip, rng) -> Place:
    """An old policy near theta, so far that ratios leave the clip on both sides."""
    low, high = 1 - clip[0], 1 + (clip[0] if clip[1] is None else clip[1])
    direction = rng.normal(size=here.theta.shape)
    far = distance
    while far < FARTHEST:
        there = here.drawn_by(here.theta + far * direction)
        w = np.exp(there.logp - there.old_logp)[there.tau.happened]
        if (w.min() < low or low == 0) and w.max() > high:
            return there
        far *= FURTHER
    return here.drawn_by(here.theta + distance * direction)


# --- objectives of the caller's own --------------------------------------------------------------


def _own(against) -> list[Candidate]:
    if against is None:
        return []
    if not isinstance(against, dict):
        raise TypeError(
            f'against must be {{"name": a function of a place}}; it is {shown(against)}'
        )
    for name in against:
        if not isinstance(name, str):
            raise TypeError(f"against must have names for keys; one is {shown(name)}")
    return [
        Candidate(name, _own_field(f"against[{name!r}]", function), False)
        for name, function in against.items()
    ]


def _own_field(name, function):
    require_callable(name, function, "a function of a place")

    def field(place: Place):
        value = real_array(f"{name}(place)", function(place))
        if value.shape == place.theta.shape:
            return value
        if value.shape:
            raise ValueError(
                f"{name}(place) must be a number, or a table (O, A) = {place.theta.shape}; "
                f"it has shape {value.shape}"
            )
        return _slope(name, function, place)

    return field


def _slope(name, function, place: Place) -> np.ndarray:
    """The gradient of an objective, by differences of fourth order."""
    out = np.zeros(place.theta.shape)
    for k in np.ndindex(out.shape):
        for many, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
            theta = place.theta.copy()
            theta[k] += many * STEP
            value = real_array(f"{name}(place)", function(place.held(theta)), ())
            out[k] += weight * float(value) / (12 * STEP)
    return out
