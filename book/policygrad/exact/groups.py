r"""The exact mean and covariance of an update made of a group of trajectories, such as GRPO's.

An update g(tau^(1), ..., tau^(G)), a table (O, A), may mix its trajectories in any way: take a mean
of their returns off, divide by their deviation, clip.  Its mean is then no sum over single
trajectories, but it is one over groups,

    E[g] = sum over (tau^(1), ..., tau^(G)) of P(group) g(group),

    P(group) = sum_s mu(s) prod_i P(tau^(i) | s_0 = s)        one start for all, as in GRPO,
    P(group) = prod_i P(tau^(i))                              a start of its own for each.

The order within a group must not matter to g.  So groups are listed without their order, each once,
with n_k copies of the k-th trajectory: of k trajectories there are (k+G-1)! / (G! (k-1)!) groups in
place of k^G, and each stands for G! / prod_k n_k! ordered ones, which have the same probability.

    Cov[g] = E[g g^T] - E[g] E[g]^T,

with g flattened row by row, is summed as E[(g - E g)(g - E g)^T], which loses no digits.

Trajectories are drawn by softmax(theta_old) where it is given; then g is off-policy, and has to
know by itself what it is to make of theta.  What has probability 0 is left out.

Source: Shao et al. (2024), section 4.1, for groups that share their start; Feller (1968), An
Introduction to Probability Theory, volume 1, section II.5, for their number.
"""

from __future__ import annotations

import math
from itertools import chain, combinations_with_replacement
from typing import NamedTuple

import numpy as np

from ..mdp import MDP
from ..memory import FLOAT, require_memory
from ..policies import softmax_policy
from ..validate import (
    real_array,
    require_callable,
    require_count,
    require_flag,
    require_instance,
)
from .enumeration import EnumeratedTrajectories, enumerate_trajectories
from .limits import QUIETLY, require_finite

TOGETHER = 1024  # so many groups are cut from the list at a time
TRIED = 4  # groups on which it is tried whether their order matters
PARTS = ("states", "actions", "rewards", "lengths", "dynamics", "returns", "percepts")
SAME = 1e-9  # relative to the update: by so much may another order change it

__all__ = ["GroupMoments", "Groups", "group_expectation", "list_groups"]


class GroupMoments(NamedTuple):
    """Mean and covariance of an update over all groups.

    mean : (O, A), E[g].
    covariance : (O*A, O*A), Cov[g], with g flattened row by row: entry [o*A + a, p*A + b].
    """

    mean: np.ndarray
    covariance: np.ndarray


class Groups(NamedTuple):
    """All groups of G trajectories, each listed once, whatever its order.

    rows : (n, G) integers; group j has the trajectories ``rows[j]`` of the list, in rising order.
    chances : (n,) the probability of each group, in any order; they sum to 1.
    trajectories : the list that the rows count, all trajectories of the world.
    """

    rows: np.ndarray
    chances: np.ndarray
    trajectories: EnumeratedTrajectories


@QUIETLY
def group_expectation(
    update,
    world: MDP,
    theta,
    G: int,
    *,
    theta_old=None,
    shared_start: bool = True,
    limit: int = 1_000_000,
) -> GroupMoments:
    """Compute E[g] and Cov[g] of an update g over all groups of G trajectories.

    Parameters
    ----------
    update : called as ``update(trajectories, rewards)``, gives an (O, A) table.  ``trajectories``
        are the G of a group, rows of the list of :func:`.enumerate_trajectories` with its returns
        and percepts, padded to the longest of the world; ``rewards`` (G,) are their returns R(tau).
        Their order must not matter.  The arrays are read-only.
    world : whose trajectories can be listed.
    theta : (O, A) logits that trajectories are drawn by.
    G : trajectories in a group.
    theta_old : (O, A) logits that they are drawn by instead of ``theta``, which then has no bearing
        but on what ``update`` itself makes of it.
    shared_start : does one start, drawn from mu, serve the whole group?  If not, each trajectory
        has its own.
    limit : refuse to visit more groups than that.

    Returns
    -------
    (mean, covariance), a :class:`GroupMoments`.

    Raises
    ------
    ValueError, TypeError
        with the number of groups, if there are more than ``limit``; if the order within a group
        changes the update by more than rounding, or what it returns is no table of finite numbers,
        naming the group; if something would not fit into memory; as
        :func:`.enumerate_trajectories`; or naming the argument that is wrong.
    """
    require_callable("update", update, "a function of trajectories and rewards")
    require_instance("world", world, MDP)
    theta = real_array("theta", theta, (world.O, world.A), "(O, A)")
    if theta_old is not None:
        theta = real_array("theta_old", theta_old, theta.shape, "(O, A)")
    rows, chances, tau = list_groups(world, theta, G, shared_start=shared_start, limit=limit)
    size = world.O * world.A
    require_memory(
        f"what update returns for {len(rows):,} groups, and its covariance",
        FLOAT * (len(rows) * size + size**2),
        "take a smaller G or a smaller world",
    )
    updated = _Update(update, tau, (world.O, world.A))
    _require_no_order(updated, rows)
    each = np.empty((len(rows), size))
    for first in range(0, len(rows), TOGETHER):
        updated.fill(each, rows, first)
    mean = require_finite("the mean of update", chances @ each)
    each -= mean
    each *= np.sqrt(chances)[:, None]
    covariance = require_finite("the covariance of update", each.T @ each)
    return GroupMoments(mean.reshape(world.O, world.A), covariance)


def list_groups(
    world: MDP, theta, G: int, *, shared_start: bool = True, limit: int = 1_000_000
) -> Groups:
    """List all groups of G trajectories of positive probability, and their probabilities.

    For any number x[k] made of the k-th trajectory, ``x[rows]`` is (n, G), and ``chances @ f`` is
    the mean of what is made of each row.  With the scores of the trajectories, (m, O, A), the mean
    over all groups is a few lines, thirty times as fast as an update called for each:

        R = tau.returns[rows]
        g = np.einsum("ni,nioa->noa", R - R.mean(axis=1, keepdims=True), scores[rows]) / G
        mean = np.einsum("n,noa->oa", chances, g)

    Parameters
    ----------
    world, theta, G, shared_start, limit : as in :func:`group_expectation`; theta draws.

    Returns
    -------
    (rows, chances, trajectories), :class:`Groups`.

    Raises
    ------
    ValueError, TypeError
        as :func:`group_expectation`.
    """
    require_instance("world", world, MDP)
    pi = softmax_policy(real_array("theta", theta, (world.O, world.A), "(O, A)"))
    G, limit = require_count("G", G), require_count("limit", limit, 0)
    shared_start = require_flag("shared_start", shared_start)
    tau = enumerate_trajectories(world)
    chance, start = tau.probability(pi), tau.states[:, 0]
    possible = np.flatnonzero(chance > 0)
    if shared_start:
        members = [possible[start[possible] == s] for s in np.unique(start[possible])]
        shares = [world.mu[start[k[0]]] for k in members]
    else:
        members, shares = [possible], [1.0]
    _require_few([len(k) for k in members], G, limit)
    picked = [_multisets(len(k), G) for k in members]
    rows = np.concatenate([k[which] for k, which in zip(members, picked, strict=True)])
    chances = np.concatenate(
        [
            share * _chances(chance[k] / share, which)
            for k, which, share in zip(members, picked, shares, strict=True)
        ]
    )
    return Groups(rows, chances, tau)


# --- groups, each once ---------------------------------------------------------------------------


def _require_few(sizes: list[int], G: int, limit: int) -> None:
    count = sum(math.comb(k + G - 1, G) for k in sizes)
    if count > limit:
        many = f"{count:,}" if count < 10**15 else f"about 10^{math.log10(count):.0f}"
        raise ValueError(
            f"with G = {G:,} there are {many} groups of {sum(sizes):,} trajectories, more than the "
            f"limit of {limit:,}; take a smaller G or a world with fewer trajectories, or raise "
            "the limit, if the time it takes is not too long"
        )
    require_memory(f"a list of {count:,} groups of G = {G:,}", FLOAT * 3 * count * G)


def _multisets(k: int, G: int) -> np.ndarray:
    """All ways to take G of k, with repetition and without order: (n, G), each row rising."""
    n = math.comb(k + G - 1, G)
    flat = chain.from_iterable(combinations_with_replacement(range(k), G))
    return np.fromiter(flat, np.intp, n * G).reshape(n, G)


def _chances(chance: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """G! / prod_k n_k! prod_i chance[k_i], for each of the multisets k: (n,).

    The factor is multiplied up as (1 / c_1) (2 / c_2) ... (G / c_G), with c_i the copies of the
    i-th member so far.
    """
    out, copies = np.ones(len(rows)), np.ones(len(rows))
    for i in range(rows.shape[1]):
        if i:
            copies = np.where(rows[:, i] == rows[:, i - 1], copies + 1, 1)
        out *= chance[rows[:, i]] * (i + 1) / copies
    return out


# --- the update of a group -----------------------------------------------------------------------


class _Update:
    """Calls an update on groups of the list, and refuses what is no table of finite numbers."""

    def __init__(self, function, tau: EnumeratedTrajectories, shape: tuple[int, int]):
        self.function, self.tau, self.shape = function, tau, shape

    def fill(self, each: np.ndarray, rows: np.ndarray, first: int) -> None:
        """Put the updates of the groups from the first on into the rows of ``each``."""
        rows = rows[first : first + TOGETHER]
        for j, value in enumerate(self.of(rows)):
            each[first + j] = value.ravel()

    def of(self, rows: np.ndarray):
        """Yield the update of each group, (O, A)."""
        cut = {
            name: _locked(getattr(self.tau, name)[rows])
            for name in (
                "states",
                "actions",
                "rewards",
                "lengths",
                "dynamics",
                "returns",
                "percepts",
            )
        }
        for j, group in enumerate(rows):
            trajectories = EnumeratedTrajectories.unchecked(
                self.tau.O, self.tau.A, **{name: value[j] for name, value in cut.items()}
            )
            value = self.function(trajectories, cut["returns"][j])
            try:
                yield real_array("update(trajectories, rewards)", value, self.shape, "(O, A)")
            except (ValueError, TypeError) as error:
                raise type(error)(
                    f"{error}, for the group of trajectories {group.tolist()}"
                ) from None


def _locked(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _require_no_order(updated: _Update, rows: np.ndarray) -> None:
    """Try some groups, of as many different trajectories as there are, in other orders."""
    different = (rows[:, 1:] != rows[:, :-1]).sum(axis=1)
    most = np.flatnonzero(different == different.max())
    if not different.max():  # all alike: no order
        return
    tried = rows[most[np.linspace(0, len(most) - 1, min(len(most), TRIED)).astype(int)]]
    usual = np.array(list(updated.of(tried)))
    floor = 1e-12 * np.abs(updated.tau.returns).max()
    for other in (tried[:, ::-1], np.roll(tried, 1, axis=1)):
        off = np.abs(np.array(list(updated.of(other))) - usual)
        if (wrong := off > SAME * np.abs(usual).max() + floor).any():
            j, o, a = np.argwhere(wrong)[0]
            raise ValueError(
                f"update must not depend on the order within a group; for the trajectories "
                f"{tried[j].tolist()} and {other[j].tolist()} its entries [{o}, {a}] differ by "
                f"{off[j, o, a]:.3g}"
            )
