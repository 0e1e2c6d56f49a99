r"""A finite decision process with percepts, as arrays.

The object is the tuple (P, R, mu, observe, gamma, H):

* ``P[s, a, s']``  = Pr(s_{t+1} = s' given s_t = s, a_t = a), the dynamics;
* ``R[s, a, s']``  = reward r_t paid on that transition;
* ``mu[s]``        = Pr(s_0 = s), the start distribution;
* ``observe[s]``   = the percept o of state s.  Two states that share a percept are
  *aliased*: a policy over percepts must treat them alike.  Nothing is hidden when
  ``observe`` is the identity;
* ``gamma``        = discount in [0, 1];
* ``horizon`` H    = number of actions taken, t = 0 .. H-1, so that s_H is the last state;
  ``None`` for no limit.

A state is *absorbing* when every action leads back to it with probability 1 and reward 0.
An episode ends on entering an absorbing state, or after H actions, whichever comes first.
No action is taken in an absorbing state, so its percept has no bearing on anything.

The objective is J = E[ sum_t gamma^t r_t ].

Source: Sutton & Barto (2018), chapter 3, with percepts added as in Singh, Jaakkola & Jordan (1994).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .tables import REWARDS, arrays_of_table, reward_array
from .validate import (
    probability_array,
    real_array,
    rectangular,
    require_count,
    require_discount,
    require_one_of,
    require_policy,
    whole_array,
)

__all__ = ["MDP", "reachable"]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class MDP:
    """A finite Markov decision process with percepts, validated once and then frozen.

    Parameters
    ----------
    P : (S, A, S) array of probabilities; each ``P[s, a]`` sums to 1.  One in float32
        may miss it by the rounding of that type, and is brought to 1.
    R : (S, A, S) array of finite rewards; or see ``rewards``.
    mu : (S,) array of probabilities that sum to 1, likewise.
    gamma : discount in [0, 1].
    horizon : number of actions H >= 1, or None: until an absorbing state, or for ever
        when ``gamma < 1``.
    observe : (S,) integers 0 .. O-1 without gaps, the percept of each state;
        default: the state itself.
    states, actions, percepts : names, one distinct string each; default: the numbers.
    rewards : what R depends on: "transition", with R of shape (S, A, S); "action", (S, A); or
        "state", (S,), paid whenever an action is taken there.  Then R is spread over the rest.

    Other orders and tables: :meth:`from_matrices`, :meth:`from_gymnasium`.

    ``dataclasses.replace(mdp, horizon=4)`` builds the same world but for the horizon, and so for
    every parameter.  Names are kept; where their number changes, give new ones, or None.

    Attributes
    ----------
    S, A, O : how many states, actions and percepts.
    absorbing : (S,) booleans.
    r : (S, A), the mean reward of an action, r(s, a) = sum_s' P(s'|s, a) R(s, a, s').

    Raises
    ------
    ValueError, TypeError
        naming the entry that is wrong and what was expected.
    """

    P: np.ndarray
    R: np.ndarray
    mu: np.ndarray
    horizon: int | None
    gamma: float
    observe: np.ndarray
    states: tuple[str, ...]
    actions: tuple[str, ...]
    percepts: tuple[str, ...]
    absorbing: np.ndarray = field(init=False)
    r: np.ndarray = field(init=False)

    def __init__(
        self,
        P,
        R,
        mu,
        *,
        gamma: float,
        horizon: int | None = None,
        observe=None,
        states: Sequence[str] | None = None,
        actions: Sequence[str] | None = None,
        percepts: Sequence[str] | None = None,
        rewards: str = "transition",
    ):
        P = _dynamics(P)
        S, A, _ = P.shape
        R = reward_array(R, S, A, rewards)
        mu = probability_array("mu", mu, (S,), "(S,)")
        observe = _percept_numbers(observe, S)
        values = dict(
            P=P,
            R=R,
            mu=mu,
            horizon=None if horizon is None else require_count("horizon", horizon),
            gamma=require_discount(gamma),
            observe=observe,
            states=_names("states", states, S),
            actions=_names("actions", actions, A),
            percepts=_names("percepts", percepts, int(observe.max()) + 1),
            absorbing=_absorbing(P, R),
            r=_mean_reward(P, R),
        )
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
                value = value.view()  # cannot be made writeable again, as its owner could
            object.__setattr__(self, name, value)

    def __reduce__(self):
        # Copies and what comes out of a pickle are validated and frozen like any other.
        return _built, (type(self), *(getattr(self, name) for name in _ARGUMENTS))

    @classmethod
    def from_matrices(
        cls, P, R, mu, *, gamma: float, rewards: str = "transition", **options
    ) -> MDP:
        """Build a world from matrices with the action first, ``P[a][s, s']``.

        That order is common elsewhere, and where A = S nothing tells it from this one.

        Parameters
        ----------
        P : (A, S, S) array of probabilities; each ``P[a, s]`` sums to 1.
        R : (A, S, S) rewards for ``rewards="transition"``, (S, A) for "action", (S,) for "state".
        mu, gamma, options : as in :class:`MDP`.

        Raises
        ------
        ValueError, TypeError
            naming the entry that is wrong; P and R then have the order of :class:`MDP`.
        """
        P = real_array("P", P)
        if P.ndim != 3 or P.shape[1] != P.shape[2] or 0 in P.shape:
            raise ValueError(f"P must have shape (A, S, S) with S, A >= 1; it has {P.shape}")
        if require_one_of("rewards", rewards, REWARDS) == "transition":
            R = real_array("R", R, P.shape, "(A, S, S)").swapaxes(0, 1)
        return cls(P.swapaxes(0, 1), R, mu, gamma=gamma, rewards=rewards, **options)

    @classmethod
    def from_gymnasium(cls, table, mu, *, gamma: float, **options) -> MDP:
        """Build a world from a Gymnasium table, ``table[s][a] = [(p, s', r, done), ...]``.

        That is the attribute ``P`` of FrozenLake, Taxi and CliffWalking.  Outcomes of one (s, a)
        with the same s' are merged: their probabilities add up and their reward is the mean, which
        leaves J and all values as they are.  An outcome that is ``done`` ends the episode: where s'
        is not absorbing by its own row, it leads to one more state, the last one, named "end".

        Parameters
        ----------
        table : mappings or lists over s = 0 .. S-1 and a = 0 .. A-1.
        mu : (S,) start distribution over the states of the table, which does not hold it.
        gamma, options : as in :class:`MDP`; ``observe`` and ``states`` over the table's states.

        Raises
        ------
        ValueError, TypeError
            naming the entry of the table that is wrong.
        """
        P, R, added = arrays_of_table(table)
        S = len(P) - added
        mu = probability_array("mu", mu, (S,), "(S,)")
        if added:
            mu = np.append(mu, 0.0)
            names = options.get("states")
            names = range(S) if names is None else names
            options["states"] = (*map(str, names), "end")
            if options.get("observe") is not None:
                observe = whole_array("observe", options["observe"], (S,), "(S,)")
                options["observe"] = np.append(observe, observe.max() + 1)
        return cls(P, R, mu, gamma=gamma, **options)

    @property
    def S(self) -> int:
        """Number of states."""
        return self.P.shape[0]

    @property
    def A(self) -> int:
        """Number of actions."""
        return self.P.shape[1]

    @property
    def O(self) -> int:
        """Number of percepts."""
        return len(self.percepts)

    def __repr__(self) -> str:
        return (
            f"MDP(S={self.S}, A={self.A}, O={self.O}, horizon={self.horizon}, gamma={self.gamma:g})"
        )

    def action_probabilities(self, pi) -> np.ndarray:
        """Spread a policy over percepts to states: entry [s, a] is pi[observe[s], a].

        Parameters
        ----------
        pi : (O, A) array of probabilities; each ``pi[o]`` sums to 1.

        Returns
        -------
        (S, A) array.

        Raises
        ------
        ValueError
            naming the entry of ``pi`` that is wrong.
        """
        return require_policy(pi, self.O, self.A)[self.observe]

    def require_logits(self, shape: tuple[int, ...]) -> None:
        """Refuse logits whose shape is not (O, A).

        Raises
        ------
        ValueError
            giving both shapes.
        """
        if shape != (self.O, self.A):
            raise ValueError(f"theta must have shape (O, A) = ({self.O}, {self.A}); it has {shape}")

    def endless(self, pi, *, start=None) -> np.ndarray:
        """Mark the states that may be visited and from which no absorbing state can be reached.

        Without a horizon, an episode that comes to one of these goes on for ever.

        Parameters
        ----------
        pi : (O, A) policy.
        start : (S,) booleans, the states to start from; default: those with ``mu > 0``.

        Returns
        -------
        (S,) booleans.

        Raises
        ------
        ValueError, TypeError
            naming the entry of ``pi`` that is wrong, or if ``start`` is no such array.
        """
        moves = np.einsum("sa,sap->sp", self.action_probabilities(pi), self.P) > 0
        visited = reachable(moves, self._start_states(start))
        return visited & ~reachable(moves.T, self.absorbing)

    def require_ending(self, pi, *, start=None) -> None:
        """Refuse a policy whose undiscounted episodes may never end.

        With ``gamma = 1`` and no horizon, J is defined only if an absorbing state is reached
        with probability 1, that is, if one can be reached from every state that the
        policy may visit.

        Parameters
        ----------
        pi : (O, A) policy.
        start : (S,) booleans, the states to start from; default: those with ``mu > 0``.

        Raises
        ------
        ValueError, TypeError
            naming the states from which the episode may never end; or as :meth:`endless`.
        """
        if self.horizon is not None or self.gamma < 1.0:
            self.action_probabilities(pi), self._start_states(start)
            return
        stuck = self.endless(pi, start=start)
        if stuck.any():
            names = ", ".join(self.states[s] for s in np.flatnonzero(stuck))
            raise ValueError(
                "gamma = 1 and no horizon, but under this policy the episode may never end: "
                f"no absorbing state can be reached from state {names}"
            )

    def _start_states(self, start) -> np.ndarray:
        if start is None:
            return self.mu > 0
        start = rectangular("start", start)
        if start.dtype != bool:
            raise TypeError(f"start must hold booleans; it holds {start.dtype}")
        if start.shape != (self.S,):
            raise ValueError(f"start must have shape (S,) = ({self.S},); it has {start.shape}")
        return start


_ARGUMENTS = (
    "P", "R", "mu", "gamma", "horizon", "observe", "states", "actions", "percepts",
)  # fmt: skip


def _built(kind, P, R, mu, *options) -> MDP:
    return kind(P, R, mu, **dict(zip(_ARGUMENTS[3:], options, strict=True)))


def reachable(moves: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Mark the states that can be reached along the arrows ``moves[s, s']``.

    Parameters
    ----------
    moves : (S, S) booleans.
    seen : (S,) booleans, the states to start from; they count as reached.

    Returns
    -------
    (S,) booleans.
    """
    seen = new = np.array(seen)
    while new.any():
        new = moves[new].any(axis=0) & ~seen
        seen = seen | new
    return seen


def _dynamics(P) -> np.ndarray:
    shape = np.shape(P := rectangular("P", P))
    if len(shape) != 3 or shape[0] != shape[2] or 0 in shape:
        hint = ""
        if len(shape) == 3 and shape[1] == shape[2] and 0 not in shape:
            hint = "; for matrices P[a][s, s'], the action first, there is MDP.from_matrices"
        raise ValueError(f"P must have shape (S, A, S) with S, A >= 1; it has {shape}{hint}")
    return probability_array("P", P)


def _absorbing(P: np.ndarray, R: np.ndarray) -> np.ndarray:
    """States that every action leads back to, with probability 1 and reward 0: (S,) booleans."""
    s = np.arange(len(P))
    only_back = np.count_nonzero(P, axis=2) == (P[s, :, s] != 0)
    return (only_back & (R[s, :, s] == 0.0)).all(axis=1)


def _mean_reward(P: np.ndarray, R: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # who computes with it refuses what is not finite
        return np.vecdot(P, R)


def _percept_numbers(observe, S: int) -> np.ndarray:
    if observe is None:
        return np.arange(S)
    array = whole_array("observe", observe, (S,), "(S,)")
    used = np.unique(array)
    if used[0] < 0:
        s = int(array.argmin())
        raise ValueError(f"observe[{s}] must be a percept number 0, 1, ...; it is {array[s]}")
    if used[-1] != len(used) - 1:
        gap = int((used != np.arange(len(used))).argmax())
        raise ValueError(
            "observe must use the percept numbers 0 .. O-1 without gaps; "
            f"it uses {used[-1]} but not {gap}"
        )
    return array


def _names(what: str, names, count: int) -> tuple[str, ...]:
    if names is None:
        return tuple(str(i) for i in range(count))
    if isinstance(names, str):
        raise TypeError(f"{what} must be a sequence of names, not the one string {names!r}")
    try:
        names = tuple(names)
    except TypeError:
        raise TypeError(f"{what} must be a sequence of names; it is {names!r}") from None
    if len(names) != count:
        raise ValueError(f"{what} must hold {count} names; it holds {len(names)}")
    for i, name in enumerate(names):
        if not isinstance(name, str):
            raise TypeError(f"{what}[{i}] must be a string; it is {name!r}")
        if name in names[:i]:
            raise ValueError(f"{what}[{i}] repeats the name {name!r}; names must differ")
    return names
