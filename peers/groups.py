"""All batches of answers of a tiny world, and the exact mean of an update over them.

A batch is one group of G answers to one prompt; or several groups, each with a prompt of its own.
An adapter of a library makes of a batch the gradient that the library would step along, as a table
(O, A).  Here it is averaged: every batch there is, times its probability.
"""

from dataclasses import dataclass
from math import factorial

import numpy as np

from policygrad.exact import list_groups

__all__ = ["Batch", "Row", "every_batch", "mean_update"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Answers that a library is given, row by row, and the policies that go with them.

    Attributes
    ----------
    world : the tiny language.
    G : answers to each prompt.
    group : (B,) number of the group that each answer is of.
    percepts, actions : (B, T) what is seen and written at each token; 0 in the padding.
    mask : (B, T) booleans, is there a token?
    rewards : (B,) what each answer earned.
    step_rewards, states : (B, T) and (B, T + 1), for libraries that are given steps.
    theta, theta_old, theta_ref : (O, A) logits: of the policy, of what drew, of the reference.
    """

    world: object
    G: int
    group: np.ndarray
    percepts: np.ndarray
    actions: np.ndarray
    mask: np.ndarray
    rewards: np.ndarray
    step_rewards: np.ndarray
    states: np.ndarray
    theta: np.ndarray
    theta_old: np.ndarray
    theta_ref: np.ndarray

    @property
    def lengths(self):
        """(B,) tokens of each answer."""
        return self.mask.sum(axis=1)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One option of a library, as it is judged.

    Attributes
    ----------
    key : a short name of the row, without spaces.
    library, version : who, as released.
    option : what is set, in the library's own words.
    update : from a batch to the (O, A) table that a step follows, where the policy itself drew.
    update_old : the same where an older policy drew; None: not judged.
    G, groups : answers to a prompt, prompts to a batch.
    ours : the same in words of :func:`policygrad.learning.expected_group_gradient`, or None.
    ours_old : the same for an older policy; default: ``ours``.
    world : "language", or "steps-" and the discount.
    kl : is the update that of a KL penalty alone, to be set beside minus the gradient of the KL?
    many : are the batches so many that only their mean is taken?
    row : what stands for it in the book.
    """

    key: str
    library: str
    version: str
    option: str
    update: object
    update_old: object = None
    G: int = 4
    groups: int = 1
    ours: dict | None = None
    ours_old: dict | None = None
    world: str = "language"
    kl: bool = False
    many: bool = False
    row: str = ""


def every_batch(world, G, groups, theta_old):
    """List the batches: rows (n, groups * G) of the list of answers, and their chances (n,).

    The order of the groups in a batch does not matter, so each set of groups is listed once.
    """
    rows, chances, tau = list_groups(world, theta_old, G)
    if groups == 1:
        return rows, chances, tau
    picked = _multisets(len(rows), groups)
    ways = [factorial(groups) / np.prod([factorial(n) for n in _copies(k)]) for k in picked]
    return rows[picked].reshape(len(picked), -1), ways * chances[picked].prod(axis=1), tau


def mean_update(update, world, theta, G, *, groups=1, theta_old=None, theta_ref=None, said=None):
    """Average ``update(batch)``, (O, A), over every batch there is, exactly."""
    theta_old = theta if theta_old is None else theta_old
    theta_ref = theta if theta_ref is None else theta_ref
    rows, chances, tau = every_batch(world, G, groups, theta_old)
    happened = np.arange(tau.actions.shape[1]) < tau.lengths[:, None]
    group = np.repeat(np.arange(groups), G)
    total = np.zeros((world.O, world.A))
    for number, (row, chance) in enumerate(zip(rows, chances, strict=True)):
        batch = Batch(
            world, G, group, tau.percepts[row], tau.actions[row], happened[row],
            tau.returns[row], tau.rewards[row], tau.states[row], theta, theta_old, theta_ref,
        )  # fmt: skip
        total += chance * update(batch)
        if said:
            said(number, len(rows))
    return total


def _multisets(n, k):
    from itertools import combinations_with_replacement

    return np.array(list(combinations_with_replacement(range(n), k)))


def _copies(row):
    return np.unique(row, return_counts=True)[1]
