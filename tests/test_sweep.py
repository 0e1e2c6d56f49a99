"""The doors of the package, swept: what a function cannot mean, it refuses by name.

Each argument of each public function is given, in turn, a list of what people hand over by mistake:
NaN, infinity, masked, complex and ragged arrays, objects, words, another shape, another order,
nothing at all, a callback that forgets its ``return``.  Two outcomes are right: the answer that the
same thing in plain form gets, or a ValueError or TypeError, or a class that the docstring promises,
whose text names the argument.  A wrong answer without a word is not, and no traceback from inside.

The list of functions is read off the modules: a new one without an entry here fails.

    python tests/test_sweep.py      says how many inputs were tried, and what came of them
"""

import copy
import dataclasses
import inspect
import re
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

if __name__ == "__main__":  # under pytest the path is set already
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book"))

from policygrad import (
    estimators,
    learning,
    mdp,
    policies,
    sampling,
    tables,
    trajectories,
    trial,
    worlds,
)
from policygrad.exact import groups, information, surrogates
from policygrad.mdp import MDP

MODULES = (mdp, tables, trajectories, policies, worlds, sampling, estimators, learning, trial)
MODULES += (groups, information, surrogates)  # the older rooms of exact: test_exact_doors.py
NAN, INF, HUGE = float("nan"), float("inf"), 10**15
RAW = re.compile("broadcast|ambiguous|no attribute|unexpected keyword|subscript|iterable|__")


class Tensor:
    """An array of another library: it can be read as an array, and no more."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)


# --- what people hand over -----------------------------------------------------------------------
# kind of argument -> from its good value, what must be refused and what must make no difference


def array(good, *, whole=False, chances=False):
    """Arrays of numbers, of a shape that the other arguments fix."""
    first = (0,) * good.ndim

    def put(value, kind=float):
        out = good.astype(kind)
        out[first] = value
        return out

    bad = {
        "nothing": None,
        "a word": "abc",
        "a number": 1 if whole else 1.5,
        "an object": object(),
        "a dictionary": {0: 1.0},
        "an empty list": [],
        "an empty array": np.empty((0,) * good.ndim, good.dtype),
        "nan": put(NAN),
        "infinity": put(INF),
        "minus infinity": put(-INF),
        "masked": np.ma.masked_array(good, mask=np.arange(good.size).reshape(good.shape) == 0),
        "masked, in a list": [np.ma.masked_array(row, mask=True) for row in good]
        if good.ndim > 1
        else [np.ma.masked] * good.size,
        "complex": good.astype(complex),
        "objects": good.astype(object),
        "None inside": put(None, object).tolist(),
        "words": good.astype(str),
        "booleans": good.astype(bool),
        "times": good.astype("timedelta64[s]") if whole else good.astype(int).astype("m8[s]"),
        "one axis more": good[None],
        "one entry more": np.concatenate([good, good[-1:]]),
        "one entry less": good[:-1],
        "ragged": [*good[:-1].tolist(), [1, 2, 3, 4, 5, 6, 7]],
    }
    if good.ndim > 1:
        bad |= {
            "flat": good.ravel(),
            "upside down": good.T if good.shape != good.T.shape else good[0],
        }
    if whole:
        bad |= {"floats": good.astype(float), "a negative number": put(-5, int)}
    if chances:
        less = put(good[first] * 0.9)
        bad |= {"a negative chance": put(-0.5), "a chance of 2": put(2.0), "less than 1": less}
    same = {
        "a list": good.tolist(),
        "a tuple": tuple(good.tolist()),
        "in Fortran's order": np.asfortranarray(good),
        "another library's": Tensor(good),
        "every second of more": np.repeat(good, 2, axis=-1)[..., ::2],
    }
    if whole:
        same["int32"] = good.astype(np.int32)
    else:
        same["long double"] = good.astype(np.longdouble)
        if (good.astype(np.float32) == good).all():
            same["float32"] = good.astype(np.float32)
            same["another library's float32"] = Tensor(good.astype(np.float32))
    return bad, same


def of_whole(good):
    return array(good, whole=True)


def of_chances(good):
    return array(good, chances=True)


NO_NUMBERS = {
    "nothing": None,
    "a word": "0.5",
    "nan": NAN,
    "infinity": INF,
    "a complex number": 0.5 + 0j,
    "a list": [0.5],
    "an array": np.array([0.5, 0.5]),
    "an array of one": np.array([0.5]),
    "masked": np.ma.masked,
    "an object": object(),
    "True": True,
    "a function": len,
}
NOT_CALLABLE = {k: v for k, v in NO_NUMBERS.items() if k != "a function"}


def number(good):
    return NO_NUMBERS, {"float32": np.float32(good), "float64": np.float64(good)}


def chance(good):
    return NO_NUMBERS | {"below 0": -1e-9, "above 1": 1 + 1e-9}, {"float64": np.float64(good)}


def optional_chance(good):
    return {k: v for k, v in chance(good)[0].items() if k != "nothing"}, chance(good)[1]


def step(good):
    return NO_NUMBERS | {"0": 0, "negative": -0.1}, {"float64": np.float64(good)}


def step_or_function(good):
    given = {**NOT_CALLABLE, "a list": [0.1], "negative": -0.1}
    bad = {"0": 0} | {k: v for k, v in given.items()}
    bad |= {f"a function that gives {k}": (lambda n, v=v: v) for k, v in given.items()}
    same = {"a function": lambda n: good, "a function of float64": lambda n: np.float64(good)}
    return bad, same


NO_COUNTS = {
    "negative": -1,
    "a float": 2.0,
    "half": 2.5,
    "a word": "2",
    "nan": NAN,
    "infinity": INF,
    "True": True,
    "a list": [2],
    "an array": np.array([2]),
    "complex": 2 + 0j,
    "masked": np.ma.masked,
    "an object": object(),
}


def optional_count(good):
    return NO_COUNTS | {"0": 0}, {"int64": np.int64(good), "uint8": np.uint8(good)}


def count(good):
    return optional_count(good)[0] | {"nothing": None}, optional_count(good)[1]


def count_from_0(good):
    return NO_COUNTS | {"nothing": None, "too many": 50}, {"uint8": np.uint8(good)}


def count_that_suffices(good):
    return NO_COUNTS | {"nothing": None, "0": 0, "too few": 1}, {"int64": np.int64(good)}


def size(good):
    return count(good)[0] | {"more than fits": HUGE}, count(good)[1]


def flag(good):
    words = {"no": "no", "yes": "yes", "0": 0, "1": 1, "nothing": None, "an empty list": []}
    return words | {"nan": NAN, "an array": np.array([True])}, {"numpy's": np.bool_(good)}


def choice(good):
    bad = {"nothing": None, "a number": 3, "no word": "", "another word": "nope", "a list": [good]}
    return bad | {"an array": np.array([1.0, 2.0]), "capitals": good.upper()}, {}


def generator(_):
    old = np.random.RandomState(0)
    return {"nothing": None, "a seed": 0, "the old kind": old, "a word": "0", "the module": np}, {}


def instance(_):
    bad = {"nothing": None, "a number": 2, "an array": np.eye(2), "a dictionary": {}, "a word": "w"}
    return bad | {"an object": object(), "its class": MDP}, {}


def tau(_):
    return instance(_)[0] | {"a world": worlds.two_state(gamma=1.0)}, {}


def direction(_):
    def in_place(theta):
        slope = theta + 1.0
        theta *= NAN
        return slope

    plain = array(np.zeros((2, 2)))[0]
    bad = {f"a function that gives {k}": (lambda x, v=v: v) for k, v in plain.items()}
    words = {"a word": "up", "a number": 0, "an array": np.zeros((2, 2)), "False": False}
    return bad | words, {"one that changes its argument": in_place}


def weights_function(_):
    def in_place(tau, gamma):
        weights = tau.rewards * 2.0
        tau.rewards[:], tau.states[:], tau.actions[:] = 7.0, 0, 0
        return weights

    plain = array(np.zeros((4, 3)))[0]
    bad = {f"a function that gives {k}": (lambda t, g, v=v: v) for k, v in plain.items()}
    flat = {
        "one weight per trajectory, flat": estimators.returns,
        "discounts": estimators.discounts,
    }
    words = {"a word": "returns", "a number": 0, "an array": np.ones(5), "False": False}
    return bad | flat | words, {"one that changes its argument": in_place}


def group_update(_):
    plain = array(np.zeros((2, 2)))[0]
    bad = {f"a function that gives {k}": (lambda tau, R, v=v: v) for k, v in plain.items()}
    given = {"a word": "mean", "a number": 0, "an array": np.zeros((2, 2)), "False": False}
    bad |= given | {"one that looks at the first only": lambda tau, R: np.full((2, 2), R[0])}
    return bad, {"one that gives a list": lambda tau, R: total(tau, R).tolist()}


def update_of_a_group(_):
    plain = array(np.zeros((2, 2)))[0]
    bad = {f"a function that gives {k}": (lambda group, v=v: v) for k, v in plain.items()}
    given = {"a word": "mean", "a number": 0, "an array": np.zeros((2, 2)), "False": False}
    bad |= given | {"one that looks at the first only": lambda x: np.full((2, 2), x.rewards[0])}
    return bad, {"one that gives a list": lambda group: pushed(group).tolist()}


def loss_of_a_group(_):
    bad = {f"a function that gives {k}": (lambda *x, v=v: v) for k, v in NO_NUMBERS.items()}
    bad |= {"a word": "mean", "a number": 0, "an array": np.zeros((2, 2)), "nothing": None}
    return bad, {"one that gives float64": lambda *x: np.float64(lost(*x))}


def gradient_of_a_loss(_):
    plain = array(np.zeros((2, 1)))[0]
    bad = {f"a function that gives {k}": (lambda *x, v=v: v) for k, v in plain.items()}
    bad |= {"a word": "mean", "a number": 0, "an array": np.zeros((2, 2)), "False": False}
    return bad, {"one that gives a list": lambda *x: slope_of_the_loss(*x).tolist()}


def objectives(_):
    bad = {"a word": "J", "a number": 0, "a list": ["J"], "a function": len, "an array": np.eye(2)}
    bad |= {"numbers for names": {1: total_chance}, "no function": {"own": 3}}
    given = {k: v for k, v in NO_NUMBERS.items() if k != "a function"}
    bad |= {f"one that gives {k}": {"own": lambda place, v=v: v} for k, v in given.items()}
    return bad, {"one that gives float64": {"own": lambda place: np.float64(total_chance(place))}}


def policies_of_old(good):
    bad = {f"{k}, in a list": [v] for k, v in array(good[0])[0].items()}
    return bad | {"a word": "abc", "a number": 0, "an array": np.array(good)}, {
        "a tuple": tuple(good)
    }


def count_or_0(good):
    return NO_COUNTS | {"nothing": None}, {"uint8": np.uint8(good)}


def optional_array(good):
    bad, same = array(good)
    return {k: v for k, v in bad.items() if k != "nothing"}, same


def weights(good):
    bad, same = array(good)
    del bad["nothing"]  # the default
    return bad | {"as many as steps": np.ones(3), "transposed": np.ones((3, 4))}, same


def words(good):
    bad = {"one string": "ab", "a number": 5, "nothing": None, "none": [], "twice": [good[0]] * 2}
    bad |= {
        "a set": set(good),
        "numbers": [1, 2],
        "with None": [None, *good],
        "an array": np.eye(2),
    }
    return bad | {"an empty word": [""], "other letters": ["xyz"], "bytes": [b"a"]}, {
        "a tuple": tuple(good)
    }


def signs(good):
    bad = {"a list": list(good), "a number": 1, "nothing": None, "none": "", "twice": "aab"}
    return bad | {"with an end": "ab.", "bytes": good.encode(), "an array": np.eye(2)}, {}


def answer_reward(_):
    plain = {k: v for k, v in NO_NUMBERS.items() if k not in ("an array of one", "a list")}
    bad = {f"a function that gives {k}": (lambda p, a, e, v=v: v) for k, v in plain.items()}
    bad |= {"a word": "right", "a number": 1.0, "an array": np.ones(2), "False": False}
    return bad, {"one that gives float64": lambda p, a, e: np.float64(len(a))}


def optional_chances(good):
    bad, same = of_chances(good)
    return {k: v for k, v in bad.items() if k != "nothing"}, same


def optional_number(good):
    bad = {k: v for k, v in NO_NUMBERS.items() if k not in ("nothing", "an array of one")}
    return bad | {"negative": -0.1}, number(good)[1]


def positive(good):
    return optional_number(good)[0] | {"nothing": None}, number(good)[1]


def spread(good):
    """Arrays of any shape that is spread over the partner's."""
    bad, same = array(good)
    for what in ("a number", "one axis more"):
        del bad[what]
    return bad, same


def of_any_shape(good):
    bad, same = array(good)
    gone = "a number", "one axis more", "one entry more", "one entry less", "flat", "upside down"
    gone += "an empty list", "an empty array"
    return {k: v for k, v in bad.items() if k not in gone}, same


def one_or_none(good):
    return NO_COUNTS | {"nothing": None, "2": 2}, {"uint8": np.uint8(good)}


def names(good):
    bad = {"one string": "abc", "a number": 5, "too few": good[:1], "twice": [good[0]] * len(good)}
    return bad | {"numbers": list(range(len(good))), "with None": [None, *good[1:]]}, {
        "a tuple": tuple(good)
    }


def drawing(good):
    bad = {"nothing": None, "a number": 3, "rows": good.splitlines(), "bytes": good.encode()}
    return bad | {
        "no word": "",
        "open": good.replace("#", ".", 1),
        "another sign": good.replace("h", "H"),
    }, {}


def starts(_):
    bad = {
        "a list": ["r1c1"],
        "a number": 1,
        "unknown": "r9c9",
        "twice": "r1c1 r1c1",
        "no word": " ",
    }
    return bad | {"an array": np.ones(8) / 8, "bytes": b"r1c1"}, {}


def marks(good):
    bad = {
        "a number": 1,
        "numbers": good.astype(int),
        "floats": good.astype(float),
        "a word": "all",
    }
    return bad | {
        "one less": good[:-1],
        "ragged": [[True], [True, False]],
        "a column": good[:, None],
    }, {"a list": good.tolist()}


def table(good):
    def changed(outcome):
        out = copy.deepcopy(good)
        out[0][1] = outcome
        return out

    bad = {
        "nothing": None,
        "a number": 3,
        "a word": "abc",
        "empty": {},
        "a list of nothing": [None],
    }
    bad |= {
        "a state missing": {0: good[0], 2: good[1]},
        "an action less": {0: good[0], 1: {0: good[1][0]}},
    }
    for what, outcome in {
        "no outcome": [],
        "a triple": [(1.0, 0, 0.0)],
        "a chance of 2": [(2.0, 0, 0.0, False)],
        "a chance of nan": [(NAN, 0, 0.0, False)],
        "chances of 0.9": [(0.9, 0, 0.0, False)],
        "a state too far": [(1.0, 2, 0.0, False)],
        "half a state": [(1.0, 0.5, 0.0, False)],
        "a reward of nan": [(1.0, 0, NAN, False)],
        "no reward": [(1.0, 0, None, False)],
        "done by a word": [(1.0, 0, 0.0, "no")],
        "a masked reward": [(1.0, 0, np.ma.masked, False)],
    }.items():
        bad[what] = changed(outcome)
    return bad, {"lists": [[good[s][a] for a in range(2)] for s in range(2)]}


def trusted(_):
    """What only the package itself hands over."""
    return {}, {}


def width(good):
    """A number of at least 0."""
    return NO_NUMBERS | {"negative": -0.1}, {"float64": np.float64(good)}


def zero_or_one(good):
    return NO_COUNTS | {"nothing": None, "two": 2}, {"uint8": np.uint8(good)}


def any_logits(good):
    """Logits of a world that is not known yet: their shape is not asked for."""
    bad, same = array(good)
    shapes = ("a number", "an empty list", "an empty array", "one axis more", "flat")
    shapes += ("one entry more", "one entry less", "upside down", "nothing")
    return {k: v for k, v in bad.items() if k not in shapes}, same


# --- the doors -----------------------------------------------------------------------------------
# name -> function, and for each argument its kind and a good value

WORLD = worlds.two_state(gamma=0.5)
THETA = np.array([[0.5, -0.25], [0.0, 1.0]])
PI = np.array([[0.75, 0.25], [0.5, 0.5]])
SHORT = worlds.two_state(1, gamma=0.5)
WIDE = worlds.random_mdp(np.random.default_rng(1), 3, 2, absorbing=1, gamma=0.5)
TAU = sampling.sample_trajectories(WORLD, PI, 4, np.random.default_rng(0))
TABLE = {s: {a: [(1.0, 1 - s, float(a), False)] for a in range(2)} for s in range(2)}
RNG = np.random.default_rng(3)
STRAIGHT = worlds.short_corridor()
GAMMA = (chance, 0.5)
ASCENT = learning.exact_ascent(WORLD, THETA, step_size=0.1, steps=2)
MATRICES = WIDE.P.swapaxes(0, 1)


def up(theta):
    return theta + 1.0


def doubled(tau, gamma):
    return tau.rewards * 2.0


def total(trajectories, rewards):
    return np.array([[1.0, 2.0], [3.0, 5.0]]) * rewards.sum()


def pushed(group):
    weight = np.exp(group.logp - group.old_logp) * group.rewards[:, None] ** 2
    return np.einsum("it,itoa->oa", weight, group.scores)


def lost(logp, old_logp, ref_logp, rewards, mask):
    return -float((np.exp(logp - old_logp) * rewards.reshape(len(mask), -1) ** 2 * mask).sum())


def slope_of_the_loss(logp, old_logp, ref_logp, rewards, mask):
    return -np.exp(logp - old_logp) * rewards.reshape(len(mask), -1) ** 2 * mask


def total_chance(place):
    return float(place.chance @ place.tau.returns**2)


TRIED_WITH = dict(
    world=(instance, SHORT),
    theta=(array, THETA),
    G=(size, 2),
    theta_old=(optional_array, THETA[::-1].copy()),
    theta_ref=(optional_array, THETA[::-1].copy()),
    shared_start=(flag, True),
    old_policies=(policies_of_old, [THETA[::-1].copy()]),
    against=(objectives, {"own": total_chance}),
    epsilon=(chance, 0.25),
    epsilon_high=(optional_number, 0.5),
    seed=(count_or_0, 3),
    limit=(count_that_suffices, 100),
)
TRIED_IN_ORDER = ("world", "theta", "G", "theta_old", "theta_ref")

DOORS = {
    "mdp.MDP": (
        MDP,
        dict(
            P=(of_chances, WIDE.P),
            R=(array, WIDE.R),
            mu=(of_chances, np.array([0.5, 0.5, 0.0])),
            gamma=GAMMA,
            horizon=(optional_count, 3),
            observe=(of_whole, np.array([0, 1, 1])),
            states=(names, ["a", "b", "c"]),
            actions=(names, ["x", "y"]),
            percepts=(names, ["u", "v"]),
            rewards=(choice, "transition"),
        ),
    ),
    "mdp.MDP.from_matrices": (
        MDP.from_matrices,
        dict(
            P=(of_chances, MATRICES),
            R=(array, WIDE.R.swapaxes(0, 1)),
            mu=(of_chances, np.array([0.5, 0.5, 0.0])),
            gamma=GAMMA,
            rewards=(choice, "transition"),
        ),
    ),
    "mdp.MDP.from_gymnasium": (
        MDP.from_gymnasium,
        dict(table=(table, TABLE), mu=(of_chances, np.array([0.5, 0.5])), gamma=GAMMA),
    ),
    "mdp.MDP.action_probabilities": (WORLD.action_probabilities, dict(pi=(of_chances, PI))),
    "mdp.MDP.endless": (
        WORLD.endless,
        dict(pi=(of_chances, PI), start=(marks, np.array([True, False]))),
    ),
    "mdp.MDP.require_ending": (
        WORLD.require_ending,
        dict(pi=(of_chances, PI), start=(marks, np.array([True, False]))),
    ),
    "tables.arrays_of_table": (tables.arrays_of_table, dict(table=(table, TABLE))),
    "tables.reward_array": (
        tables.reward_array,
        dict(R=(array, WIDE.R), S=(trusted, 3), A=(trusted, 2), rewards=(choice, "transition")),
    ),
    "trajectories.Trajectories": (
        trajectories.Trajectories,
        dict(
            states=(of_whole, np.array([[0, 1, 1], [1, 0, 2], [2, 2, 2]])),
            actions=(of_whole, np.array([[0, -1], [1, 1], [-1, -1]])),
            rewards=(array, np.array([[1.5, 0.0], [2.0, -1.0], [0.0, 0.0]])),
            lengths=(of_whole, np.array([1, 2, 0])),
        ),
    ),
    "policies.softmax_policy": (policies.softmax_policy, dict(theta=(array, THETA))),
    "policies.score": (policies.score, dict(theta=(array, THETA))),
    "policies.greedy_policy": (
        policies.greedy_policy,
        dict(Q=(array, THETA), epsilon=(chance, 0.5)),
    ),
    "worlds.bandit": (
        worlds.bandit,
        dict(rewards=(array, np.array([1.0, 2.0])), chances=(array, np.array([0.5, 1.0]))),
    ),
    "worlds.two_state": (worlds.two_state, dict(horizon=(optional_count, 2), gamma=GAMMA)),
    "worlds.short_corridor": (worlds.short_corridor, {}),
    "worlds.two_keys": (
        worlds.two_keys,
        dict(silver=(number, 1.5), gold=(number, 2.5), felt=(flag, True)),
    ),
    "worlds.aliased_pair": (
        worlds.aliased_pair,
        dict(reward=(number, 2.0), gamma=GAMMA, start=(count_from_0, 1)),
    ),
    "worlds.with_memory": (worlds.with_memory, dict(mdp=(instance, WORLD), size=(size, 2))),
    "worlds.gamma_trap": (worlds.gamma_trap, dict(gamma=GAMMA)),
    "worlds.vacuum_corridor": (
        worlds.vacuum_corridor,
        dict(
            drawing=(drawing, worlds.CORRIDOR_MAP),
            starts=(starts, "r1c1 r1c2"),
            step_reward=(number, -1.5),
            dust_reward=(number, 0.5),
            hamster_reward=(number, -8.0),
            observed=(flag, False),
        ),
    ),
    "worlds.tiny_language": (
        worlds.tiny_language,
        dict(
            prompts=(words, ["a", "ba"]),
            letters=(signs, "ab"),
            longest=(size, 2),
            reward=(answer_reward, lambda prompt, answer, ended: float(len(answer))),
            mu=(optional_chances, np.array([0.25, 0.75])),
            seen=(choice, "last"),
        ),
    ),
    "worlds.random_mdp": (
        worlds.random_mdp,
        dict(
            rng=(generator, RNG),
            S=(size, 3),
            A=(size, 2),
            O=(optional_count, 2),
            successors=(optional_count, 2),
            start=(choice, "first"),
            absorbing=(count_from_0, 1),
            horizon=(optional_count, 3),
            gamma=GAMMA,
        ),
    ),
    "sampling.sample_trajectories": (
        sampling.sample_trajectories,
        dict(
            mdp=(instance, WORLD),
            pi=(of_chances, PI),
            m=(size, 5),
            rng=(generator, RNG),
            max_steps=(optional_count, 3),
            truncate=(flag, False),
        ),
    ),
    "estimators.returns": (estimators.returns, dict(trajectories=(tau, TAU), gamma=GAMMA)),
    "estimators.rewards_to_go": (
        estimators.rewards_to_go,
        dict(trajectories=(tau, TAU), gamma=GAMMA),
    ),
    "estimators.discounts": (estimators.discounts, dict(trajectories=(tau, TAU), gamma=GAMMA)),
    "estimators.reinforce_gradients": (
        estimators.reinforce_gradients,
        dict(
            mdp=(instance, WORLD),
            theta=(array, THETA),
            trajectories=(tau, TAU),
            weights=(weights, np.arange(12.0).reshape(4, 3)),
        ),
    ),
    "groups.group_expectation": (
        groups.group_expectation,
        dict(
            update=(group_update, total),
            world=(instance, SHORT),
            theta=(array, THETA),
            G=(size, 2),
            theta_old=(optional_array, THETA[::-1].copy()),
            shared_start=(flag, True),
            limit=(count_that_suffices, 100),
        ),
    ),
    "groups.list_groups": (
        groups.list_groups,
        dict(
            world=(instance, SHORT),
            theta=(array, THETA),
            G=(size, 2),
            shared_start=(flag, True),
            limit=(count_that_suffices, 100),
        ),
    ),
    "information.fisher_information": (
        information.fisher_information,
        dict(mdp=(instance, WORLD), theta=(array, THETA)),
    ),
    **{
        f"surrogates.{function.__name__}": (
            function,
            dict(
                mdp=(instance, WORLD),
                theta=(array, THETA),
                theta_old=(array, THETA[::-1].copy()),
                epsilon=(optional_chance, 0.25),
                epsilon_high=(optional_number, 0.5),
            ),
        )
        for function in (surrogates.surrogate, surrogates.surrogate_gradient)
    },
    "estimators.gae": (
        estimators.gae,
        dict(
            rewards=(array, np.arange(12.0).reshape(4, 3)),
            values=(array, np.arange(16.0).reshape(4, 4)),
            gamma=GAMMA,
            lam=(chance, 0.75),
            ends=(marks, np.arange(12).reshape(4, 3) % 3 == 1),
        ),
    ),
    "estimators.group_advantages": (
        estimators.group_advantages,
        dict(
            rewards=(of_any_shape, np.arange(12.0).reshape(4, 3) ** 2),
            kind=(choice, "standardised"),
            ddof=(one_or_none, 1),
            epsilon=(positive, 0.5),
        ),
    ),
    "estimators.importance_ratios": (
        estimators.importance_ratios,
        dict(
            mdp=(instance, WORLD),
            theta=(array, THETA),
            theta_old=(array, THETA.T),
            trajectories=(tau, TAU),
        ),
    ),
    "estimators.clip_objective": (
        estimators.clip_objective,
        dict(
            ratio=(spread, np.arange(12.0).reshape(4, 3)),
            advantage=(spread, np.arange(12.0).reshape(4, 3)),
            epsilon=(chance, 0.5),
            epsilon_high=(optional_number, 2.5),
        ),
    ),
    "estimators.clip_slope": (
        estimators.clip_slope,
        dict(
            ratio=(spread, np.arange(12.0).reshape(4, 3)),
            advantage=(spread, np.arange(12.0).reshape(4, 3)),
            epsilon=(chance, 0.5),
            epsilon_high=(optional_number, 2.5),
        ),
    ),
    "estimators.kl_estimates": (
        estimators.kl_estimates,
        dict(log_ratio=(of_any_shape, np.arange(12.0).reshape(4, 3) - 5.0)),
    ),
    "learning.q_learning": (
        learning.q_learning,
        dict(
            mdp=(instance, WORLD),
            rng=(generator, RNG),
            episodes=(size, 4),
            step_size=(step_or_function, 0.5),
            epsilon=(optional_chance, 0.5),
            behaviour=(trusted, None),  # swept on its own, below: it excludes epsilon
            initial=(number, 0.5),
            max_steps=(count, 7),
        ),
    ),
    "learning.q_learning, by a policy": (
        learning.q_learning,
        dict(
            mdp=(trusted, WORLD),
            rng=(trusted, RNG),
            episodes=(trusted, 4),
            step_size=(trusted, 0.5),
            epsilon=(trusted, None),
            behaviour=(of_chances, PI),
            initial=(trusted, 0.0),
            max_steps=(trusted, 7),
        ),
    ),
    "learning.exact_ascent": (
        learning.exact_ascent,
        dict(
            mdp=(instance, WORLD),
            theta=(array, THETA),
            step_size=(step, 0.5),
            steps=(size, 2),
            direction=(direction, up),
        ),
    ),
    "learning.reinforce": (
        learning.reinforce,
        dict(
            mdp=(instance, WORLD),
            theta=(array, THETA),
            rng=(generator, RNG),
            m=(size, 4),
            step_size=(step, 0.5),
            steps=(size, 2),
            weights=(weights_function, doubled),
            max_steps=(optional_count, 3),
        ),
    ),
    "learning.reinforce_many": (
        learning.reinforce_many,
        dict(
            mdp=(instance, STRAIGHT),
            theta=(array, np.array([[0.5, -0.25]])),
            rng=(generator, RNG),
            runs=(size, 3),
            m=(size, 4),
            step_sizes=(array, np.array([0.5, 0.25])),
            leave_one_out=(flag, True),
            max_steps=(count, 50),
        ),
    ),
    "learning.actor_critic": (
        learning.actor_critic,
        dict(
            mdp=(instance, WORLD),
            theta=(array, THETA),
            rng=(generator, RNG),
            m=(count, 4),
            step_size=(step, 0.5),
            critic_step=(chance, 0.5),
            steps=(size, 2),
            lam=(chance, 0.5),
            critic=(choice, "state"),
            values=(optional_array, np.array([0.5, -1.0])),
            natural=(flag, True),
            max_steps=(optional_count, 3),
        ),
    ),
    "learning.ppo": (
        learning.ppo,
        dict(
            mdp=(instance, WORLD),
            theta=(array, THETA),
            rng=(generator, RNG),
            m=(count, 4),
            epochs=(count, 2),
            epsilon=(optional_chance, 0.25),
            step_size=(step, 0.5),
            critic_step=(chance, 0.5),
            steps=(size, 2),
            lam=(chance, 0.5),
            minibatches=(count, 2),
            epsilon_high=(optional_number, 0.5),
            normalise=(flag, True),
            entropy=(width, 0.5),
            value_clip=(optional_number, 0.5),
            critic=(choice, "percept"),
            values=(optional_array, np.array([0.5, -1.0])),
            max_steps=(optional_count, 3),
        ),
    ),
    **{
        f"learning.{name}": (
            getattr(learning, name),
            dict(
                mdp=(instance, WORLD),
                theta=(array, THETA),
                theta_old=(array, THETA - 0.5 * np.eye(2)),
                trajectories=(tau, TAU),
                advantages=(array, np.arange(-6.0, 6.0).reshape(4, 3)),
                epsilon=(optional_chance, 0.25),
                epsilon_high=(optional_number, 2.5),
            ),
        )
        for name in ("clipped_gradients", "clipped_objectives")
    },
    "learning.GroupOptions": (
        learning.GroupOptions,
        dict(
            advantages=(choice, "standardised"),
            ddof=(zero_or_one, 1),
            epsilon_std=(width, 0.5),
            length=(choice, "constant"),
            constant=(step, 2.0),
            ratio=(choice, "sequence"),
            clip=(choice, "min"),
            epsilon=(optional_chance, 0.25),
            epsilon_high=(optional_number, 0.5),
            beta=(width, 0.5),
            kl=(choice, "k2"),
            theta_ref=(any_logits, THETA),
        ),
    ),
    "learning.group_gradient": (
        learning.group_gradient,
        dict(
            world=(instance, WORLD),
            theta=(array, THETA),
            trajectories=(tau, TAU),
            rewards=(array, np.array([1.0, 0.0, -1.0, 0.5])),
            theta_old=(optional_array, THETA - 0.5 * np.eye(2)),
        ),
    ),
    "learning.expected_group_gradient": (
        learning.expected_group_gradient,
        dict(
            world=(instance, WORLD),
            theta=(array, THETA),
            G=(size, 2),
            theta_old=(optional_array, THETA - 0.5 * np.eye(2)),
            shared_start=(flag, False),
        ),
    ),
    "learning.group_objective": (
        learning.group_objective,
        dict(
            world=(instance, WORLD),
            theta=(array, THETA),
            trajectories=(tau, TAU),
            rewards=(array, np.array([1.0, 0.0, -1.0, 0.5])),
            theta_old=(optional_array, THETA - 0.5 * np.eye(2)),
            theta_held=(optional_array, THETA + 0.5 * np.eye(2)),
        ),
    ),
    "learning.grpo": (
        learning.grpo,
        dict(
            world=(instance, WORLD),
            theta=(array, THETA),
            rng=(generator, RNG),
            G=(size, 4),
            groups=(size, 2),
            step_size=(step, 0.5),
            steps=(size, 2),
            epochs=(count, 2),
            redraw=(flag, True),
        ),
    ),
    "trial.trial": (trial.trial, dict(update=(update_of_a_group, pushed), **TRIED_WITH)),
    "trial.trial_of_loss": (
        trial.trial_of_loss,
        dict(
            loss=(loss_of_a_group, lost),
            **{name: TRIED_WITH[name] for name in TRIED_IN_ORDER},
            step_rewards=(flag, False),
            grad=(trusted, None),  # swept on its own, below: then the loss is not called
            **{name: of for name, of in TRIED_WITH.items() if name not in TRIED_IN_ORDER},
        ),
    ),
    "trial.trial_of_loss, by a gradient": (
        trial.trial_of_loss,
        dict(
            loss=(trusted, lost),
            **{name: (trusted, TRIED_WITH[name][1]) for name in TRIED_IN_ORDER},
            step_rewards=(flag, True),
            grad=(gradient_of_a_loss, slope_of_the_loss),
            **{
                name: (trusted, good)
                for name, (_, good) in TRIED_WITH.items()
                if name not in TRIED_IN_ORDER
            },
        ),
    ),
    "learning.Ascent.expected_returns": (
        ASCENT.expected_returns,
        dict(mdp=(instance, WORLD), every=(count, 2)),
    ),
}

# What is public and no door: made by the package, for the package, or nothing that can be wrong.
NO_DOORS = {
    "mdp.MDP.require_logits": "is itself the check of a shape",
    "mdp.reachable": "is given boolean arrays that the package made",
    "groups.GroupMoments": "made by group_expectation",
    "groups.Groups": "made by list_groups",
    "estimators.KLEstimates": "made by kl_estimates",
    "trial.Group": "made for an update",
    "trial.Place": "made by a trial",
    "trial.Place.moved": "is given logits that a door has read",
    "trial.Place.held": "is given logits that a door has read",
    "trial.Place.drawn_by": "is given logits that a door has read",
    "trial.Place.cut": "is given rows of the list of all groups",
    "trial.Report": "made by a trial",
    "trial.OldReport": "made by a trial",
    "learning.Diverged": "an exception",
    "learning.QLearning": "made by q_learning",
    "learning.Ascent": "made by the ascents; its method is swept",
    "learning.ActorCritic": "made by actor_critic",
    "learning.PPO": "made by ppo",
    "learning.GRPO": "made by grpo",
    "learning.GroupOptions.advantages_of": "is given rewards that a door has read",
    "learning.GroupOptions.shares": "is given numbers of tokens that a door has read",
}

# Shapes that must fit together: the error may name the partner.
PARTNERS = {
    "worlds.bandit": {"rewards", "chances"},
    "trajectories.Trajectories": {"states", "actions", "rewards", "lengths"},
    "estimators.gae": {"rewards", "values", "ends"},
    "estimators.clip_objective": {"ratio", "advantage"},
    "estimators.clip_slope": {"ratio", "advantage"},
    "mdp.MDP.from_matrices": {"P", "R"},
    "mdp.MDP": {"observe", "percepts"},
}
# A docstring that promises another class.
PROMISED = {
    f"learning.{loop}": learning.Diverged
    for loop in ("exact_ascent", "reinforce", "actor_critic", "ppo", "grpo")
}
# What is right for this argument though wrong for its kind.
RIGHT = {
    ("worlds.bandit", "chances", "nothing"),  # the default
    ("learning.reinforce_many", "step_sizes", "one entry more"),  # as many steps as there are
    ("learning.reinforce_many", "step_sizes", "one entry less"),
    *(
        (f"policies.{function}", name, f"one entry {what}")  # of as many percepts as there are
        for function, name in (
            ("softmax_policy", "theta"),
            ("score", "theta"),
            ("greedy_policy", "Q"),
        )
        for what in ("more", "less")
    ),
}


def public():
    """The names of all public functions, constructors and methods of the swept modules."""
    for module in MODULES:
        room = module.__name__.split(".")[-1]
        for name in module.__all__:
            value = getattr(module, name)
            if not callable(value):
                continue
            yield f"{room}.{name}"
            if inspect.isclass(value):
                for method, raw in vars(value).items():
                    if (
                        not method.startswith("_")
                        and not isinstance(raw, property)
                        and (callable(raw) or isinstance(raw, classmethod))
                    ):
                        yield f"{room}.{name}.{method}"


def parameters(function):
    """What can be given by name: no self, no **options."""
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {
        name: p for name, p in inspect.signature(function).parameters.items() if p.kind not in kinds
    }


def call(door, **changes):
    """Call with fresh copies of the good values but for the changes."""
    function, arguments = DOORS[door]
    given = {name: copy.deepcopy(good) for name, (_, good) in arguments.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function(**{**given, **changes})


def plain(value):
    """A result as nested lists and arrays, to compare it with another."""
    if dataclasses.is_dataclass(value):
        return [plain(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return [plain(part) for part in value] if isinstance(value, (tuple, list)) else value


def equal(x, y):
    if isinstance(x, list):
        return isinstance(y, list) and len(x) == len(y) and all(map(equal, x, y))
    return np.array_equal(x, y)


def judged(door, given, allowed):
    """What came of one input: "refused by name", or what is wrong with what came of it."""
    try:
        call(door, **given)
    except (ValueError, TypeError, PROMISED.get(door, ValueError)) as error:
        text = str(error)
        if RAW.search(text):
            return f"a raw message: {type(error).__name__}: {text[:150]}"
        if not any(re.search(rf"\b{name}\b", text) for name in allowed):
            return f"the argument is not named: {type(error).__name__}: {text[:150]}"
        return "refused by name"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:150]}"
    return "an answer without a word"


CASES = [
    (door, name)
    for door, (_, arguments) in DOORS.items()
    for name, (kind, _) in arguments.items()
    if kind is not trusted
]
TRIED = Counter()


def wrong_inputs(door, name):
    """Yield (what, what came of it) for each input that must be refused."""
    kind, good = DOORS[door][1][name]
    allowed = {name} | (PARTNERS[door] if name in PARTNERS.get(door, ()) else set())
    for what, value in kind(good)[0].items():
        if (door, name, what) not in RIGHT:
            yield what, judged(door, {name: value}, allowed)


def welcome_inputs(door, name):
    """Yield (what, what came of it) for each input that must make no difference."""
    kind, good = DOORS[door][1][name]
    usual = plain(call(door))
    for what, value in kind(good)[1].items():
        try:
            answer = plain(call(door, **{name: value}))
        except Exception as error:
            yield what, f"{type(error).__name__}: {str(error)[:150]}"
        else:
            yield what, "the right answer" if equal(answer, usual) else "another answer"


def exchanged(door):
    """Yield (the two arguments, what came of it) for each pair given in the other's place."""
    function, arguments = DOORS[door]
    first = [n for n, p in parameters(function).items() if p.kind == p.POSITIONAL_OR_KEYWORD]
    for i, x in enumerate(first):
        for y in first[i + 1 :]:
            (one, good_x), (other, good_y) = arguments[x], arguments[y]
            if one is not other and trusted not in (one, other):
                given = {x: copy.deepcopy(good_y), y: copy.deepcopy(good_x)}
                yield f"{x} and {y}", judged(door, given, {x, y} | PARTNERS.get(door, set()))


def settle(found, right, where):
    found = list(found)
    TRIED.update(came for _, came in found)
    wrong = [f"{where}, {what}: {came}" for what, came in found if came != right]
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_public_function_is_swept_or_says_why_not():
    swept = {door.split(",")[0] for door in DOORS}
    assert set(public()) == swept | set(NO_DOORS)
    assert not swept & set(NO_DOORS)


@pytest.mark.parametrize("door", DOORS)
def test_no_argument_is_forgotten(door):
    function, arguments = DOORS[door]
    assert list(arguments) == list(parameters(function))


@pytest.mark.parametrize(("door", "name"), CASES)
def test_what_cannot_be_meant_is_refused_by_name(door, name):
    settle(wrong_inputs(door, name), "refused by name", f"{door}({name}=)")


@pytest.mark.parametrize(("door", "name"), CASES)
def test_the_same_in_another_form_makes_no_difference(door, name):
    settle(welcome_inputs(door, name), "the right answer", f"{door}({name}=)")


@pytest.mark.parametrize("door", DOORS)
def test_arguments_in_each_others_place_are_named(door):
    settle(exchanged(door), "refused by name", door)


@pytest.mark.parametrize("door", DOORS)
def test_an_argument_that_is_missing_is_named(door):
    function, arguments = DOORS[door]
    for name, p in parameters(function).items():
        if p.default is inspect.Parameter.empty:
            given = {n: copy.deepcopy(good) for n, (_, good) in arguments.items() if n != name}
            with pytest.raises(TypeError, match=rf"'{name}'"):
                function(**given)


if __name__ == "__main__":
    for door, name in CASES:
        for what, came in wrong_inputs(door, name):
            TRIED[came.split(":")[0]] += 1
            if came != "refused by name":
                print(f"{door}({name}=), {what}: {came}")
        for what, came in welcome_inputs(door, name):
            TRIED[came.split(":")[0]] += 1
            if came != "the right answer":
                print(f"{door}({name}=), {what}: {came}")
    for door in DOORS:
        for what, came in exchanged(door):
            TRIED[came.split(":")[0]] += 1
            if came != "refused by name":
                print(f"{door}, {what} exchanged: {came}")
    print(f"{len(DOORS)} doors, {len(CASES)} arguments, {TRIED.total()} inputs:", dict(TRIED))
