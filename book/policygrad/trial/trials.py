r"""Put an update on trial: its exact mean beside grad J, at several thetas and with old samples.

    m(theta) = E[g],     g = update(group),     over all groups of G trajectories.

It is tried at theta and at two points near it, where theta_old goes along, and then with the
samples of three old policies, far enough that some ratio leaves [1 - epsilon, 1 + epsilon] above,
and some below.

Source: :mod:`.judge` for the verdict, :mod:`.report` for the numbers.
"""

from __future__ import annotations

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
from .calls import Caller, moments
from .cautions import cautions
from .clips import surrogates
from .fits import angle_between, commute, multiple
from .judge import Means, judge
from .objectives import Candidate
from .places import Place
from .report import OldReport, Report

NEAR = 0.3  # standard deviation of the logits of neighbours about theta
NEIGHBOURS = 2
OLD = (0.25, 0.5, 1.0)  # of old policies about theta
EXACT = 1e-9  # relative: what an exact mean may be off
STEP, COMMUTING = 1e-3, 1e-4  # of differences of the mean update, and what these may be off

__all__ = ["trial"]


def trial(
    update,
    world: MDP,
    theta,
    *,
    G: int = 1,
    theta_old=None,
    theta_ref=None,
    shared_start: bool = True,
    old_policies=None,
    against=None,
    epsilon: float = 0.2,
    epsilon_high: float | None = None,
    seed: int = 0,
    limit: int = 20_000,
) -> Report:
    """Say what the mean of an update climbs, exactly.

    Parameters
    ----------
    update : called as ``update(group)`` with a :class:`.Group` of G trajectories, gives an (O, A)
        table, the direction in which theta is to go up.  The order of the trajectories must not
        matter.
    world : whose trajectories can be listed.
    theta : (O, A) logits.
    G : trajectories in a group, or in a batch.
    theta_old : (O, A) logits of the one old policy that draws; it stands still.  Default: theta
        draws and theta_old follows it, and old policies are tried after that.
    theta_ref : (O, A) logits of a reference policy.
    shared_start : does one start serve the whole group?
    old_policies : a list of (O, A) logits to draw from, each; () for none.  Default: three, drawn
        near theta; none where ``theta_old`` is given.
    against : ``{"name": function}`` of objectives of your own.  The function is called with a
        :class:`.Place` and returns a number, the objective at ``place.theta``, or an (O, A) table,
        its gradient by theta there, with theta_old and theta_ref held.
    epsilon, epsilon_high : widths of the clip that is looked for.
    seed : of the neighbours and the old policies; another one draws others.
    limit : refuse to visit more groups than that at one place.

    Returns
    -------
    A :class:`.Report`; print it.

    Raises
    ------
    ValueError, TypeError
        naming the argument that is wrong, or the group for which ``update`` gives no (O, A) table
        of finite numbers; if it writes into its arguments, depends on the order within a group, or
        gives two answers to one question; with the number of groups, if there are more than
        ``limit``; if J has no slope at theta.
    """
    require_callable("update", update, "a function of a group")
    caller = Caller(update)
    return tried(
        caller,
        world,
        theta,
        EXACT,
        G=G,
        theta_old=theta_old,
        theta_ref=theta_ref,
        shared_start=shared_start,
        old_policies=old_policies,
        against=against,
        epsilon=epsilon,
        epsilon_high=epsilon_high,
        seed=seed,
        limit=limit,
    )


@np.errstate(all="ignore")
def tried(
    caller: Caller,
    world: MDP,
    theta,
    tolerance: float,
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
) -> Report:
    """As :func:`trial`, with what calls the update, and how far off its mean may be."""
    require_instance("world", world, MDP)
    shape = (world.O, world.A)
    theta = real_array("theta", theta, shape, "(O, A)")
    if theta_ref is not None:
        theta_ref = real_array("theta_ref", theta_ref, shape, "(O, A)")
    if theta_old is not None:
        theta_old = real_array("theta_old", theta_old, shape, "(O, A)")
    G, limit = require_count("G", G), require_count("limit", limit)
    epsilon = require_between("epsilon", epsilon, 0.0, 1.0)
    if epsilon_high is not None:
        epsilon_high = real_number("epsilon_high", epsilon_high)
    clip = (epsilon, epsilon_high)
    rng = np.random.default_rng(require_count("seed", seed, 0))
    on_policy = theta_old is None or np.array_equal(theta_old, theta)
    here = Place(
        world,
        theta,
        theta if on_policy else theta_old,
        theta_ref,
        G,
        require_flag("shared_start", shared_start),
        limit,
        on_policy,
    )
    own = _own(against)
    places = [here]
    for _ in range(NEIGHBOURS):
        places.append(here.moved(theta + NEAR * rng.normal(size=shape)))
    old = _old_policies(here, old_policies, theta_old, clip, rng)
    directions = rng.normal(size=(4, *shape))
    _require_slope(places)

    found, each = _means(caller, places, tolerance, sound=True)
    means = Means(places, *found[:2], tolerance)

    def commutes():
        def field(x):
            return moments(place := here.moved(x), caller.each(place)).mean

        return commute(field, theta, directions, STEP, COMMUTING)

    judged = judge(means, own, surrogates(*clip, not on_policy), commutes)
    reports, knows = (), None
    if old:
        elsewhere = [_with_old(here, x) for x in old]
        found_old, each_old = _means(caller, elsewhere, tolerance)
        judged_old = judge(
            Means(elsewhere, *found_old[:2], tolerance), own, surrogates(*clip, True), None
        )
        knows = not all(x.shape == each[0].shape and np.array_equal(x, each[0]) for x in each_old)
        reports = tuple(
            OldReport(
                place.theta_old,
                judged_old.verdict,
                judged_old.climbs,
                judged_old.field,
                judged_old.factor,
                judged_old.nearest,
                *_compared(mean, covariance, here),
                mean,
                covariance,
            )
            for place, mean, covariance in zip(elsewhere, found_old[0], found_old[2], strict=True)
        )
    mean, covariance = found[0][0], found[2][0]
    gradient = here.gradient
    return Report(
        judged.verdict,
        judged.climbs,
        judged.field,
        judged.factor,
        judged.nearest,
        *_compared(mean, covariance, here),
        mean,
        covariance,
        gradient,
        mean - multiple(mean, gradient) * gradient,
        G,
        on_policy,
        np.array([place.theta for place in places]),
        len(here.groups.rows),
        reports,
        knows,
        cautions(here),
        tuple(f"({o}, {a})" for o in world.percepts for a in world.actions),
        len(here.tau),
        int((world.mu > 0).sum()),
        world.A,
    )


def _with_old(here: Place, theta_old: np.ndarray) -> Place:
    return Place(
        here.world,
        here.theta,
        theta_old,
        here.theta_ref,
        here.G,
        here.shared_start,
        here.limit,
        False,
    )


def _means(caller, places, tolerance, sound=False):
    means, sizes, covariances, rows = [], [], [], []
    for place in places:
        each = caller.each(place)
        if sound and place is places[0]:
            caller.require_sound(place, each)
        mean, covariance = moments(place, each)
        means.append(mean)
        sizes.append(np.sqrt(np.trace(covariance) + (mean**2).sum()))
        covariances.append(covariance)
        rows.append(each)
    return (np.array(means), np.array(sizes), covariances), rows


def _compared(mean, covariance, here: Place):
    """Size, angle and noise beside grad J."""
    unit, length = np.linalg.norm(here.gradient), np.linalg.norm(mean)
    spread = np.sqrt(np.trace(covariance) + length**2)
    if length <= EXACT * spread:
        return 0.0, np.nan, np.nan
    size = length / unit
    noise = np.trace(covariance) / _plain_noise(here) / size**2
    return float(size), angle_between(mean, here.gradient), float(noise)


def _plain_noise(here: Place) -> float:
    """tr Cov of REINFORCE from groups that theta itself draws."""
    place = here if here.on_policy else _with_old(here, here.theta)
    each = (place.tau.returns[:, None, None] * place.whole)[place.groups.rows].mean(axis=1)
    each = each.reshape(len(each), -1)
    mean = place.groups.chances @ each
    return float(place.groups.chances @ ((each - mean) ** 2).sum(axis=1))


def _require_slope(places) -> None:
    for place in places:
        if np.abs(place.gradient).max() <= 1e-12 * np.abs(place.tau.returns).max():
            raise ValueError(
                "J must have a slope at theta; its gradient is 0, and there is nothing to compare "
                "with: take another world or another theta"
            )


def _own(against) -> list[Candidate]:
    """The caller's own objectives, each as a field."""
    if against is None:
        return []
    if not isinstance(against, dict):
        raise TypeError(
            f'against must be {{"name": a function of a place}}; it is {shown(against)}'
        )
    return [
        Candidate(str(name), _own_field(f"against[{name!r}]", function), False)
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
    out, h = np.zeros(place.theta.shape), 1e-3
    for k in np.ndindex(out.shape):
        for step, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
            theta = place.theta.copy()
            theta[k] += step * h
            value = real_array(f"{name}(place)", function(place.held(theta)), (), "of one number,")
            out[k] += weight * float(value) / (12 * h)
    return out


def _old_policies(here: Place, given, theta_old, clip, rng) -> list[np.ndarray]:
    if given is not None:
        if not isinstance(given, (list, tuple)):
            raise TypeError(
                f"old_policies must be a list of logits (O, A), or () for none; it is "
                f"{shown(given)}"
            )
        shape = here.theta.shape
        return [real_array(f"old_policies[{k}]", x, shape, "(O, A)") for k, x in enumerate(given)]
    if theta_old is not None:
        return []
    return [_far_enough(here, distance, clip, rng) for distance in OLD]


def _far_enough(here: Place, distance: float, clip, rng) -> np.ndarray:
    """Logits about theta, so far that ratios leave the clip on both sides."""
    low, high = 1 - clip[0], 1 + (clip[0] if clip[1] is None else clip[1])
    direction = rng.normal(size=here.theta.shape)
    for _ in range(20):
        there = _with_old(here, here.theta + distance * direction)
        w = np.exp(there.logp - there.old_logp)[there.tau.happened]
        if w.min() < low and w.max() > high:
            break
        distance *= 1.3
    return there.theta_old
