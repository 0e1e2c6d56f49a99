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
from numbers import Integral, Real

import numpy as np

SUM_TOLERANCE = 1e-10  # a row of probabilities may miss 1 by rounding, not by more

__all__ = [
    "MDP",
    "reachable",
    "real_array",
    "require_between",
    "require_count",
    "require_discount",
    "require_generator",
    "require_policy",
]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class MDP:
    """A finite Markov decision process with percepts, validated once and then frozen.

    Parameters
    ----------
    P : (S, A, S) array of probabilities; each ``P[s, a]`` sums to 1.
    R : (S, A, S) array of finite rewards.
    mu : (S,) array of probabilities that sum to 1.
    horizon : number of actions H >= 1, or None: until an absorbing state, or for ever
        when ``gamma < 1``.
    gamma : discount in [0, 1].
    observe : (S,) integers 0 .. O-1 without gaps, the percept of each state;
        default: the state itself.
    states, actions, percepts : names, one distinct string each; default: the numbers.

    ``dataclasses.replace(mdp, horizon=4)`` builds the same world but for the horizon, and so for
    every parameter.  Names are kept; where their number changes, give new ones, or None.

    Attributes
    ----------
    S, A, O : how many states, actions and percepts.
    absorbing : (S,) booleans.

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

    def __init__(
        self,
        P,
        R,
        mu,
        *,
        horizon: int | None = None,
        gamma: float = 1.0,
        observe=None,
        states: Sequence[str] | None = None,
        actions: Sequence[str] | None = None,
        percepts: Sequence[str] | None = None,
    ):
        P = real_array("P", P)
        if P.ndim != 3 or P.shape[0] != P.shape[2] or 0 in P.shape:
            raise ValueError(f"P must have shape (S, A, S) with S, A >= 1; it has {P.shape}")
        S, A, _ = P.shape
        R = real_array("R", R)
        if R.shape != P.shape:
            raise ValueError(f"R must have the shape of P, {P.shape}; it has {R.shape}")
        mu = real_array("mu", mu)
        if mu.shape != (S,):
            raise ValueError(f"mu must have shape (S,) = ({S},); it has {mu.shape}")
        _require_probabilities("P", P)
        _require_probabilities("mu", mu)
        observe = _percept_numbers(observe, S)
        O = int(observe.max()) + 1

        elsewhere = P * ~np.eye(S, dtype=bool)[:, None, :]
        free = R[np.arange(S), :, np.arange(S)] == 0.0
        absorbing = (free & ~elsewhere.any(axis=2)).all(axis=1)

        values = dict(
            P=P,
            R=R,
            mu=mu,
            horizon=_horizon(horizon),
            gamma=require_discount(gamma),
            observe=observe,
            states=_names("states", states, S),
            actions=_names("actions", actions, A),
            percepts=_names("percepts", percepts, O),
            absorbing=absorbing,
        )
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

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
        start = _rectangular("start", start)
        if start.dtype != bool:
            raise TypeError(f"start must hold booleans; it holds {start.dtype}")
        if start.shape != (self.S,):
            raise ValueError(f"start must have shape (S,) = ({self.S},); it has {start.shape}")
        return start


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
    while True:
        more = seen | moves[seen].any(axis=0)
        if (more == seen).all():
            return seen
        seen = more


def require_policy(pi, O: int, A: int, *, name: str = "pi") -> np.ndarray:
    """Copy a policy, pi[o, a] = Pr(a given o), into an (O, A) array of probabilities.

    Raises
    ------
    ValueError, TypeError
        naming the entry that is no probability, or the row that does not sum to 1.
    """
    pi = real_array(name, pi)
    if pi.shape != (O, A):
        raise ValueError(f"{name} must have shape (O, A) = ({O}, {A}); it has {pi.shape}")
    _require_probabilities(name, pi)
    return pi


def require_discount(gamma) -> float:
    """Refuse what is no discount, a real number in [0, 1].

    Raises
    ------
    ValueError, TypeError
        saying what it is instead.
    """
    if isinstance(gamma, bool) or not isinstance(gamma, Real):
        raise TypeError(f"gamma must be a number in [0, 1]; it is {gamma!r}")
    if not 0.0 <= gamma <= 1.0:  # also catches nan
        raise ValueError(f"gamma must be in [0, 1]; it is {gamma}")
    return float(gamma)


def require_between(name: str, value, low: float, high: float) -> float:
    """Refuse what is no real number from ``low`` to ``high``.

    Raises
    ------
    ValueError, TypeError
        naming the number and saying what it is instead.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number; it is {value!r}")
    if not low <= value <= high:  # also catches nan
        raise ValueError(f"{name} must lie in [{low:g}, {high:g}]; it is {value}")
    return float(value)


def require_count(name: str, value, low: int = 1, high: int | None = None) -> int:
    """Refuse what is no whole number from ``low`` to ``high``.

    Raises
    ------
    ValueError, TypeError
        naming the count and saying what it is instead.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number; it is {value!r}")
    if value < low or (high is not None and value > high):
        most = "" if high is None else f", at most {high}"
        raise ValueError(f"{name} must be at least {low}{most}; it is {value}")
    return int(value)


def require_generator(rng) -> None:
    """Refuse what is no ``numpy.random.Generator``.

    Raises
    ------
    TypeError
        saying what it is instead.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator; it is {type(rng).__name__}")


def real_array(name: str, value) -> np.ndarray:
    """Copy a value into an array of finite floats.

    Raises
    ------
    ValueError, TypeError
        naming the array, or the entry that is NaN or infinite.
    """
    array = _rectangular(name, value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold real numbers; it holds {array.dtype}")
    array = array.astype(float, copy=False)  # a copy it is already
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.argwhere(~finite)[0]
        raise ValueError(f"{_entry(name, bad)} must be finite; it is {array[tuple(bad)]}")
    return array


def _rectangular(name: str, value) -> np.ndarray:
    try:
        return np.array(value)
    except ValueError:
        raise ValueError(
            f"{name} must be a rectangular array of numbers; its rows differ"
        ) from None


def _require_probabilities(name: str, array: np.ndarray) -> None:
    negative = array < 0
    if negative.any():
        bad = np.argwhere(negative)[0]
        raise ValueError(f"{_entry(name, bad)} must be a probability; it is {array[tuple(bad)]:g}")
    totals = array.sum(axis=-1)
    off = np.abs(totals - 1.0) > SUM_TOLERANCE
    if off.any():
        row = tuple(np.argwhere(off)[0])
        raise ValueError(f"{_entry(name, row)} must sum to 1; it sums to {totals[row]:.12g}")


def _entry(name: str, index) -> str:
    return f"{name}[{', '.join(str(int(i)) for i in index)}]" if len(index) else name


def _percept_numbers(observe, S: int) -> np.ndarray:
    if observe is None:
        return np.arange(S)
    array = _rectangular("observe", observe)
    if array.dtype.kind not in "iu":
        raise TypeError(f"observe must hold integers; it holds {array.dtype}")
    if array.shape != (S,):
        raise ValueError(f"observe must have shape (S,) = ({S},); it has {array.shape}")
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
    return array.astype(np.intp)


def _horizon(horizon) -> int | None:
    if horizon is None:
        return None
    if isinstance(horizon, bool) or not isinstance(horizon, Integral):
        raise TypeError(f"horizon must be a whole number of actions or None; it is {horizon!r}")
    if horizon < 1:
        raise ValueError(f"horizon must be at least 1; it is {horizon}")
    return int(horizon)


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
