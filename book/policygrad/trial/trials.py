r"""Put an update on trial: its exact mean beside grad J, at several thetas and with old samples.

    m(theta) = E[g],     g = update(group),     over all groups of G trajectories.

It is tried at theta and at two points near it, where theta_old goes along, and then with the
samples of three old policies (:mod:`.doors`), of the first of them at those two points as well.
Derivatives are exchanged at all of these places, with old samples only where something fits that is
not the gradient of anything in every world.

Source: :mod:`.judge` for the verdict, :mod:`.report` for the numbers.
"""

from __future__ import annotations

import numpy as np

from ..mdp import MDP
from ..validate import require_callable
from .calls import Caller, moments, takes
from .cautions import cautions
from .clips import surrogates
from .doors import Asked, read
from .fits import angle_between, commute
from .judge import Judged, Means, judge
from .places import Place
from .report import OldReport, Report

OF_LOSS = ("logp", "old_logp", "ref_logp", "rewards", "mask")
EXACT = 1e-9  # relative: what an exact mean may be off
COMMUTING = 1e3  # times that: what the differences of its derivatives may be off

__all__ = ["EXACT", "trial", "tried"]


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
        draws and theta_old follows it, and old policies are tried after that.  If it is theta, the
        same without the old policies.
    theta_ref : (O, A) logits of a reference policy.
    shared_start : does one start serve the whole group?
    old_policies : a list of (O, A) logits to draw from, each; () for none.  Default: three, drawn
        near theta; none where ``theta_old`` is given.
    against : ``{"name": function}`` of objectives of your own.  The function is called with a
        :class:`.Place` and returns a number, the objective at ``place.theta``, or an (O, A) table,
        its gradient by theta there, with theta_old and theta_ref held.
    epsilon, epsilon_high : widths of the clip that is looked for.
    seed : of the neighbours, the old policies and the directions; another one draws others.
    limit : refuse to visit more groups than that at one place.

    Returns
    -------
    A :class:`.Report`; print it.

    Raises
    ------
    ValueError, TypeError
        naming the argument that is wrong, or the group for which ``update`` gives no (O, A) table
        of finite numbers; if it writes into its arguments, depends on the order within a group, or
        gives two answers to one question, or computes in 32 bits; ``theta_ref``, if it stops at
        a None without one; with the number of groups, if there are more than
        ``limit``; if J has no slope at theta.
    """
    require_callable("update", update, "a function of a group")
    if not takes(update, ["group"]):
        loss = "; this looks like a loss: use trial_of_loss" if takes(update, OF_LOSS) else ""
        raise TypeError(f"update must be a function of one argument, a group{loss}")
    asked = read(
        world,
        theta,
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
    return tried(Caller(update), asked, EXACT)


@np.errstate(all="ignore")
def tried(caller: Caller, asked: Asked, tolerance: float) -> Report:
    """Hold a trial.

    Parameters
    ----------
    caller : of the update.
    asked : where.
    tolerance : relative, by what its mean may be off.
    """
    here = asked.places[0]
    each = [caller.each(here)]
    caller.require_sound(here, each[0])
    each += [caller.each(place) for place in asked.places[1:]]
    caller.require_64_bits(each)

    judged, found = _judged(caller, asked, asked.places, each, tolerance)
    old, knows_old = _with_old(caller, asked, each[0], tolerance)
    return Report(
        *_outcome(judged, *found[0], here, asked.clip),
        place=here,
        thetas=np.array([place.theta for place in asked.places]),
        old=old,
        knows_old=knows_old,
        caution=cautions(here),
    )


def _judged(caller: Caller, asked: Asked, places, each, tolerance, with_ratios=True, unknown=True):
    """The verdict at some places, and the moments of the update at each."""

    found = [moments(place, rows) for place, rows in zip(places, each, strict=True)]

    def commutes():
        at = zip(places, found, strict=True)
        return all(_commutes(caller, asked, place, here.mean, tolerance) for place, here in at)

    sizes = [np.sqrt(np.trace(x.covariance) + (x.mean**2).sum()) for x in found]
    means = Means(places, np.array([x.mean for x in found]), np.array(sizes), tolerance)
    looked_for = surrogates(*asked.clip, off_policy=not places[0].on_policy)
    looked_for = looked_for if with_ratios else ()
    return judge(means, asked.own, looked_for, commutes, unknown), found


def _commutes(caller: Caller, asked: Asked, place: Place, here, tolerance) -> bool:
    """Do the derivatives of the mean update, which is ``here`` there, commute at a place?"""

    def field(theta):
        there = place.moved(theta)
        return (there.groups.chances @ caller.each(there)).reshape(theta.shape)

    return commute(field, place.theta, here, *asked.directions, COMMUTING * tolerance)


def _with_old(caller: Caller, asked: Asked, on_policy, tolerance):
    """With samples of old policies: a report for each, and does the update look at them?"""
    if not asked.old:
        return (), None
    places = list(asked.old)
    each = [caller.each(place) for place in places]
    knows_old = not all(np.array_equal(x, on_policy) for x in each)
    # what fits at theta, with samples of whomever, may not do so near it: a factor of theta's own
    for old in asked.old[:1] if len(places) >= len(asked.places) else asked.old:
        near = [old.moved(place.theta) for place in asked.places[1:]]
        places, each = places + near, each + [caller.each(place) for place in near]
    judged, found = _judged(caller, asked, places, each, tolerance, knows_old, unknown=False)
    reports = tuple(
        OldReport(*_outcome(judged, *moments, place, asked.clip), theta_old=place.theta_old)
        for place, moments in zip(asked.old, found, strict=False)
    )
    return reports, knows_old


def _outcome(judged: Judged, mean, covariance, place: Place, clip):
    """The entries of an :class:`.Outcome`, in order."""
    told = judged.verdict, judged.climbs, judged.field, judged.factor, judged.nearest
    length, spread = np.linalg.norm(mean), np.trace(covariance)
    size = float(length / np.linalg.norm(place.gradient))
    if length <= EXACT * np.sqrt(spread + length**2):
        return *told, 0.0, np.nan, np.nan, mean, covariance, clip
    noise = float(spread / place.plain_noise / size**2)
    return *told, size, angle_between(mean, place.gradient), noise, mean, covariance, clip
