"""Judge what released libraries follow, exactly, and write results.json and the page.

    peers/.venv/bin/python peers/judge.py [adapter ...]

Called by ``make peers``.  For each row of each adapter: the update's mean over every batch there
is, where the policy itself drew and where an older one did; its size and angle beside the gradient
of J (or of minus the KL).

What it climbs is asked at three policies.  A gradient known to the book is named where the mean is
a multiple of it at all three; it is a factor only where the multiple stays.  And at each of them
derivatives of the mean are exchanged in two directions: those of a gradient commute.
"""

import datetime
import importlib
import json
import platform
import sys
import time
import traceback
from math import comb
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "book")]

from groups import mean_update  # noqa: E402
from page import write_page  # noqa: E402
from worlds import CRITIC, LANGUAGE, STEPS, near  # noqa: E402

from policygrad.estimators import reinforce_gradients  # noqa: E402
from policygrad.exact import (  # noqa: E402
    enumerate_trajectories,
    list_groups,
    policy_gradient,
    state_values,
)
from policygrad.mdp import MDP  # noqa: E402
from policygrad.policies import softmax_policy  # noqa: E402

ADAPTERS = ("sb3", "cleanrl", "openrlhf", "verl", "trl")
LIBRARIES = ("TRL", "verl", "OpenRLHF", "Stable-Baselines3", "CleanRL")
RESULTS = HERE / "results.json"
SAME = 2e-6  # relative: two updates are one; several libraries compute in single precision
MOVES = 1e-4  # relative: factors that differ by more are no factor
BENDS = 1e-3  # relative: derivatives that differ by more do not commute
STEP = 1e-3  # of differences


def directions(row, world, theta, ref):
    """Gradients known to the book, by the names of what they climb."""
    if row.kl:
        yield "minus the KL", -kl_gradient(world, theta, ref)
        yield "minus the KL of each token by itself", -own_kl(world, theta, ref)
        yield "minus the mean of one over the tokens", -one_over_tokens(world, theta, row.G)
        return
    yield "J", policy_gradient(world, theta)
    if row.world == "language":
        pi = softmax_policy(theta)
        of = lambda R: (R - R.mean()) / R.std()  # noqa: E731
        yield "sum of f_G(V)", by_difficulty(world, theta, pi, row.G, of)
        of = lambda R: (R - R.mean()) / R.mean()  # noqa: E731
        yield (
            "sum of f(V), weighed by one over the share of right ones",
            by_difficulty(world, theta, pi, row.G, of),
        )
        yield "J less the baseline by G", less_the_baseline(world, theta, row.G)
    else:
        gamma = world.gamma
        R = world.R.copy()
        R[2:4] += gamma * CRITIC  # the last step is paid what the critic expects of what was cut
        for paid, name in ((world.R, "J"), (R, "J, the cut paid by the critic")):
            other = MDP(world.P, paid, world.mu, gamma=gamma, horizon=world.horizon)
            yield name, policy_gradient(other, theta)
            yield f"{name}, without the factor of its time", without_factor(other, theta)


def by_difficulty(world, theta, pi, G, of):
    """Sum over prompts of mu w_G(V) grad V, for rewards 0 and 1 and advantages ``of`` them."""
    total = np.zeros_like(theta)
    V = state_values(world, pi)[0]
    for s in np.flatnonzero(world.mu):
        alone = MDP(world.P, world.R, np.eye(world.S)[s], gamma=1.0, horizon=world.horizon,
                    observe=world.observe)  # fmt: skip
        p, weight = V[s], 0.0
        for k in range(G):  # of the others are right
            chance = comb(G - 1, k) * p**k * (1 - p) ** (G - 1 - k)
            for right, sign in ((1, 1), (0, -1)):
                R = np.arange(G) < k + right
                if 0 < R.sum() < G:
                    # One answer that is right, or wrong, at the end that it is sorted to.
                    weight += chance * sign * of(1.0 * R)[0 if right else -1]
        total += world.mu[s] * weight * policy_gradient(alone, theta)
    return total


def less_the_baseline(world, theta, G):
    """The gradient of E[R - b / G], b the mean of a group's rewards, each weighed by its length.

    Whatever is the same for all answers of a group and taken off each counts like that: the sum of
    all scores is the score of the group.
    """
    rows, chances, tau = list_groups(world, theta, G)
    R, T = tau.returns[rows], tau.lengths[rows]
    weight = chances * (R.mean(axis=1) - (R * T).sum(axis=1) / T.sum(axis=1) / G)
    return group_scores(world, theta, tau, rows, weight)


def without_factor(world, theta):
    """Sum over t of E[A_t grad log pi_t], each step counted alike."""
    pi = softmax_policy(theta)
    V, visits, total = state_values(world, pi), world.mu, np.zeros_like(theta)
    for t in range(world.horizon):
        Q = (world.P * (world.R + world.gamma * V[t + 1])).sum(axis=2)
        total += visits[:, None] * pi * (Q - V[t][:, None])
        visits = np.einsum("s,sa,sap->p", visits, pi, world.P)
    return total


def kl_gradient(world, theta, ref, own=False):
    """The gradient of the answers' KL from the reference, by enumeration."""
    tau = enumerate_trajectories(world)
    pi = softmax_policy(theta)
    log = np.log(pi) - np.log(softmax_policy(ref))
    happened = np.arange(tau.actions.shape[1]) < tau.lengths[:, None]
    o, a = tau.percepts, tau.actions
    k1 = np.where(happened, log[o, a], 0.0)
    weight = k1 if own else np.broadcast_to(k1.sum(axis=1, keepdims=True), k1.shape)
    weight = tau.probability(pi)[:, None] * np.where(happened, weight, 0.0)
    total = np.zeros_like(theta)
    np.add.at(total, (o, a), weight)
    visits = np.zeros(len(theta))
    np.add.at(visits, o, weight)
    return total - visits[:, None] * pi


def one_over_tokens(world, theta, G):
    """The gradient of E[1 / sum_j T_j], over groups."""
    rows, chances, tau = list_groups(world, theta, G)
    return group_scores(world, theta, tau, rows, chances / tau.lengths[rows].sum(axis=1))


def group_scores(world, theta, tau, rows, weight):
    """Sum over groups of a weight times the group's score."""
    each = np.bincount(rows.ravel(), np.repeat(weight, rows.shape[1]), len(tau))
    ones = np.ones((len(tau), 1))
    return np.einsum("m,moa->oa", each, reinforce_gradients(world, theta, tau, ones))


def own_kl(world, theta, ref):
    """The same, each token's score beside its own log-ratio alone."""
    return kl_gradient(world, theta, ref, own=True)


def beside(mean, slope):
    """Size and angle of an update beside a gradient."""
    size, unit = np.linalg.norm(mean), np.linalg.norm(slope)
    if size < SAME * unit:
        return 0.0, None
    along = (mean * slope).sum() / unit
    across = np.linalg.norm(mean - along * slope / unit)
    return size / unit, float(np.degrees(np.arctan2(across, along)))


def judge(row):
    """Everything about one row, as it is written down."""
    world, (theta, old, ref) = LANGUAGE if row.world == "language" else STEPS[float(row.world[6:])]
    places = [theta, *near(theta)]

    def field(at):
        return mean_update(row.update, world, at, row.G, groups=row.groups, theta_ref=ref)

    def known(at):
        return list(directions(row, world, at, ref))

    mean, slopes = field(theta), known(theta)
    size, angle = beside(mean, slopes[0][1])
    entry = {
        name: getattr(row, name)
        for name in ("key", "library", "version", "option", "row", "G", "groups", "world", "kl",
                     "ours", "ours_old")
    }  # fmt: skip
    entry |= asked(field, known, places, (mean, slopes), row.many)
    entry["on"] = numbers(mean, size, angle)
    if row.update_old:
        mean = mean_update(row.update_old, world, theta, row.G, groups=row.groups, theta_old=old,
                           theta_ref=ref)  # fmt: skip
        entry["old"] = numbers(mean, *beside(mean, slopes[0][1]))
    return entry


def asked(field, known, places, first, many):
    """The verdict on a field, the name of what it is a multiple of, and the multiples.

    ``factor`` is None where the multiple moves with the policy, and ``factors`` are those at the
    places, None where there is no name.
    """
    mean, slopes = first
    if nothing(mean, slopes) and all(nothing(field(at), known(at)) for at in places[1:]):
        return said("mean zero")
    fits = [number for number, (_, slope) in enumerate(slopes) if multiple(mean, slope)]
    if many and not fits:
        return said("biased")
    if fits:
        means = [mean, *(field(at) for at in places[1:])]
        gradients = [slopes, *(known(at) for at in places[1:])]
    for number in fits:
        factors = [multiple(m, g[number][1]) for m, g in zip(means, gradients, strict=True)]
        if all(factors):
            break
    else:
        factors = None
    commute = all(abs(bend(field, at)) < BENDS for at in places)
    if factors is None:
        return said("the gradient of another objective" if commute else "the gradient of nothing")
    name = slopes[number][0]
    if max(factors) - min(factors) > MOVES * abs(factors[0]):
        # A gradient, times a function of what it climbs, is a gradient too.
        verdict = "the gradient of another objective" if commute else "the gradient of nothing"
        return said(verdict, name, factors, moves=True)
    if not commute:
        return said("the gradient of nothing", name, factors)
    if number or factors[0] < 0:
        return said("the gradient of another objective", name, factors)
    one = abs(factors[0] - 1) < MOVES
    return said("unbiased" if one else "unbiased up to a factor", name, factors)


def said(verdict, climbs=None, factors=None, moves=False):
    """A verdict, as it is written down."""
    factors = factors and [round(float(x), 4) for x in factors]
    factor = factors[0] if factors and not moves else None
    return {"verdict": verdict, "climbs": climbs, "factor": factor, "factors": factors}


def nothing(mean, slopes):
    """Is a mean no more than rounding, beside the gradient that the row is about?"""
    return np.linalg.norm(mean) < SAME * np.linalg.norm(slopes[0][1])


def multiple(mean, slope):
    """The number times a slope that a mean is; None if it is in another direction."""
    if not slope.any():
        return None
    factor = (mean * slope).sum() / (slope**2).sum()
    off = np.linalg.norm(mean - factor * slope)
    return factor if off < SAME * np.linalg.norm(mean) * 5 else None


def bend(field, theta):
    """How far derivatives of a field are from commuting, relative to them."""
    u, v = np.random.default_rng(0).normal(size=(2, *theta.shape))
    rise = [(field(theta + STEP * x) - field(theta - STEP * x)) / (2 * STEP) for x in (u, v)]
    one, other = (rise[0] * v).sum(), (rise[1] * u).sum()
    return (one - other) / (abs(one) + abs(other))


def numbers(mean, size, angle):
    """Rounded, so that they are the same on every machine."""
    return {
        "mean": [[round(float(x), 6) + 0.0 for x in row] for row in mean],
        "size": round(size, 3),
        "angle": None if angle is None else round(angle, 1) + 0.0,
    }


def main(chosen):
    """Judge what is asked for, libraries or rows, and write the page after each library."""
    start, failed = time.monotonic(), []
    for asked in chosen or ADAPTERS:
        name = asked.split("-")[0]
        print(f"{name}: loading", flush=True)
        try:
            adapter = importlib.import_module(f"adapter_{name}")
            rows = list(adapter.rows())
            entries = list(judged([x for x in rows if x.key.startswith(asked)], adapter))
        except ImportError as error:
            print(f"{name} is passed by, and what is recorded of it stays: {error}", flush=True)
        except Exception:  # another library may still be judged
            traceback.print_exc()
            failed.append(name)
        else:
            write(adapter.LIBRARY, entries, [x.key for x in rows])
    print(
        f"Judged in {time.monotonic() - start:.0f} s, {time.process_time():.0f} s of a processor."
    )
    if failed:
        sys.exit(f"Not judged, as above: {', '.join(failed)}.")
    print("peers/results.json and book/libraries-on-trial.md are written.")


def judged(rows, adapter):
    """Judge row after row, saying how far it is."""
    for number, row in enumerate(rows, 1):
        begun = time.monotonic()
        entry = judge(row)
        print(
            f"{adapter.LIBRARY} {adapter.VERSION}, {number} of {len(rows)}: {row.option}: "
            f"{entry['verdict']} ({time.monotonic() - begun:.0f} s)",
            flush=True,
        )
        yield entry


def write(library, entries, keys):
    """Put entries in their places among those recorded, and write the page."""
    found = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"rows": []}
    now = {row["key"]: row for row in found["rows"] if row["library"] == library}
    now |= {entry["key"]: entry for entry in entries}
    others = [row for row in found["rows"] if row["library"] != library]
    rows = others + [now[key] for key in keys if key in now]
    rows.sort(key=lambda row: LIBRARIES.index(row["library"]))
    found = {
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "versions": {row["library"]: row["version"] for row in rows},
        "rows": rows,
    }
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    write_page(found)


if __name__ == "__main__":
    main(sys.argv[1:])
