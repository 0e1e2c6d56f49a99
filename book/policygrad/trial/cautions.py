r"""What a world cannot show, whatever is tried in it.

Where one percept and two actions are all, theta has one direction, and every update is a multiple
of grad J.  With two actions a percept has one direction only, so that a share given to the wrong
one of two others stays unseen; with one step there is neither time nor length; with equal lengths a
mean per answer is a constant factor; where returns have two values, a deviation is a weight per
start, and with G = 2 and 3 a constant, 1 and sqrt(2); with one start any weight per start is a
factor, and with equally likely ones a weight by their chance mu; with G = 2 a median is a mean,
and with G = 1 either is the return itself;
without a discount gamma^t is 1.

Source: :mod:`.objectives`, term by term.
"""

from __future__ import annotations

import numpy as np

from .places import Place

__all__ = ["cautions"]


def cautions(place: Place) -> tuple[str, ...]:
    """Say what the world of a place hides, each in a few words; empty if nothing."""
    world, tau = place.world, place.tau
    possible = place.old_chance > 0
    lengths, returns = tau.lengths[possible], np.unique(tau.returns[possible])
    found = []
    if world.O * (world.A - 1) == 1:
        found.append("any direction (theta has only one)")
    elif world.A < 3:
        found.append("shares among several other actions (fewer than three actions)")
    if lengths.max() <= 1:
        found.append("time, ratios over steps, lengths (one step only)")
    elif np.ptp(lengths) == 0:
        found.append("a weight by length (all of one length)")
    elif np.ptp(lengths[tau.returns[possible] != 0]) == 0:
        found.append("R/T (what pays is all of one length)")
    if len(returns) == 2:
        if place.G < 4:
            found.append("a deviation (returns of two values, G below 4: a factor)")
        else:
            found.append("a deviation beyond a weight per start (returns of two values)")
    if place.G == 1:
        found.append("what a group's mean takes off (G = 1)")
    elif place.G == 2:
        found.append("a median for a mean (G = 2)")
    starts = np.unique(tau.states[possible, 0])
    if len(starts) == 1:
        found.append("a weight per start (one start)")
    elif np.ptp(world.mu[starts]) <= 1e-9:
        found.append("a weight by mu(s_0) (equally likely starts: a factor)")
    if world.gamma == 1.0 and lengths.max() > 1:
        found.append("a missing gamma^t (gamma = 1)")
    return tuple(found)
