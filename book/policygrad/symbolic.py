r"""Trajectories as SymPy expressions: of symbolic length, or of worlds with symbolic entries.

**Symbolic length.**  States and actions are indexed symbols s[t], a[t]; start, dynamics and
policy are unknown functions; the horizon H is a symbol.  Then

    P(tau; theta) = mu(s[0]) prod_{t=0}^{H-1} P(s[t+1], s[t], a[t]) pi(a[t], s[t], theta)

is one expression, and what is proved about it is proved for every horizon, every world and every
policy at once.  theta stands for any one component of the parameters.

**Small worlds.**  S states, A actions and H steps are numbers, every probability and every logit
is a symbol of its own, the policy is the softmax, and all trajectories are listed.

This module imports nothing else of the package: a proof shares no code with what it is compared to.
So it has a door of its own: where SymPy would take a word for a symbol that occurs nowhere, or
Python a negative number for a place counted from the end, an error names the argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from numbers import Integral, Real

try:
    import sympy as sp
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "policygrad.symbolic needs SymPy: pip install sympy", name=missing.name
    ) from missing

__all__ = [
    "LogTerms",
    "SymbolicTrajectory",
    "SymbolicWorld",
    "log_of_product",
    "symbolic_trajectory",
    "symbolic_world",
]


@dataclass(frozen=True)
class LogTerms:
    """The three terms of log P(tau; theta): their sum is the whole."""

    start: sp.Expr
    dynamics: sp.Expr
    policy: sp.Expr

    @property
    def total(self) -> sp.Expr:
        """start + dynamics + policy."""
        return self.start + self.dynamics + self.policy


@dataclass(frozen=True)
class SymbolicTrajectory:
    """A trajectory of H steps, H a symbol, in an unknown world under an unknown policy.

    Attributes
    ----------
    theta : one component of the parameters.
    H, t : the horizon and the index of time steps.
    start : mu(s[0]).
    dynamics : P(s[t+1], s[t], a[t]), the factor of step t.
    policy : pi(a[t], s[t], theta), the factor of step t.
    """

    theta: sp.Symbol
    H: sp.Symbol
    t: sp.Symbol
    start: sp.Expr
    dynamics: sp.Expr
    policy: sp.Expr

    @property
    def probability(self) -> sp.Expr:
        """P(tau; theta) = start * prod_t dynamics_t policy_t."""
        return self.start * sp.Product(self.dynamics * self.policy, (self.t, 0, self.H - 1))

    @property
    def log_terms(self) -> LogTerms:
        """log P(tau; theta) as log start + sum_t log dynamics_t + sum_t log policy_t."""
        steps = (self.t, 0, self.H - 1)
        return LogTerms(
            sp.log(self.start),
            sp.Sum(sp.log(self.dynamics), steps),
            sp.Sum(sp.log(self.policy), steps),
        )


def symbolic_trajectory(*, dynamics_depend_on_theta: bool = False) -> SymbolicTrajectory:
    """Write down a trajectory of symbolic length.

    Parameters
    ----------
    dynamics_depend_on_theta : the control.  True hands theta to the dynamics as well; then
        what drops out otherwise must stay.

    Raises
    ------
    TypeError
        if that is neither True nor False: a word such as "no" would count as True.
    """
    if not isinstance(dynamics_depend_on_theta, bool):
        raise TypeError(
            f"dynamics_depend_on_theta must be True or False; it is {dynamics_depend_on_theta!r}"
        )
    theta = sp.Symbol("theta", real=True)
    H = sp.Symbol("H", integer=True, positive=True)
    t = sp.Symbol("t", integer=True, nonnegative=True)
    s, a = sp.IndexedBase("s"), sp.IndexedBase("a")
    mu, P, pi = (sp.Function(name, positive=True) for name in ("mu", "P", "pi"))
    extra = (theta,) if dynamics_depend_on_theta else ()
    return SymbolicTrajectory(
        theta=theta,
        H=H,
        t=t,
        start=mu(s[0]),
        dynamics=P(s[t + 1], s[t], a[t], *extra),
        policy=pi(a[t], s[t], theta),
    )


def log_of_product(expression: sp.Expr) -> sp.Expr:
    """Rewrite log(x prod_t y_t z_t) as log x + sum_t log y_t + sum_t log z_t, by SymPy's own rules.

    ``force=True`` tells SymPy to take all factors as positive, as probabilities of what
    happened are.

    Raises
    ------
    TypeError
        if it is no SymPy expression.
    ValueError
        if it is known not to be positive, or not to be a number at all.
    """
    if not isinstance(expression, (sp.Expr, Real)) or isinstance(expression, (sp.MatrixExpr, bool)):
        raise TypeError(f"expression must be a SymPy expression; it is {expression!r}")
    expression = sp.sympify(expression)
    if expression.is_positive is False or expression.has(sp.nan):
        raise ValueError(f"expression must be positive, to have a logarithm; it is {expression}")
    expanded = sp.expand_log(sp.log(expression), force=True)
    return sp.expand(sp.expand_log(expanded.doit(), force=True))


@dataclass(frozen=True)
class SymbolicWorld:
    """A finite world in which every number is a symbol.

    Attributes
    ----------
    mu : S entries; the last is 1 minus the others.
    P : P[s][a][s'], the last of each row 1 minus the others.
    R : R[s][a][s'].
    theta : logits theta[o][a].
    observe : the percept of each state.
    horizon : H.
    """

    mu: tuple
    P: tuple
    R: tuple
    theta: tuple
    observe: tuple[int, ...]
    horizon: int

    @cached_property
    def pi(self) -> tuple:
        """pi[o][a] = exp(theta[o][a]) / sum_b exp(theta[o][b])."""
        return tuple(
            tuple(sp.exp(x) / sum(sp.exp(y) for y in row) for x in row) for row in self.theta
        )

    @property
    def parameters(self) -> tuple[sp.Symbol, ...]:
        """All logits, row by row."""
        return tuple(x for row in self.theta for x in row)

    def trajectories(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """List every (states, actions) with H+1 states and H actions: S (S A)^H of them."""
        S, A = len(self.mu), len(self.theta[0])
        for states in product(range(S), repeat=self.horizon + 1):
            for actions in product(range(A), repeat=self.horizon):
                yield states, actions

    def probability(self, states, actions) -> sp.Expr:
        """P(tau; theta) = mu[s_0] prod_t P[s_t][a_t][s_{t+1}] pi[o_t][a_t].

        Parameters
        ----------
        states, actions : H+1 and H whole numbers, as :meth:`trajectories` lists them.

        Raises
        ------
        ValueError, TypeError
            naming the argument, and the step whose state or action the world does not have.
        """
        states, actions = self._steps(states, actions)
        out = self.mu[states[0]]
        for t, a in enumerate(actions):
            s = states[t]
            out *= self.P[s][a][states[t + 1]] * self.pi[self.observe[s]][a]
        return out

    def return_of(self, states, actions) -> sp.Expr:
        """R(tau) = sum_t R[s_t][a_t][s_{t+1}]; arguments as in :meth:`probability`."""
        states, actions = self._steps(states, actions)
        return sum(self.R[states[t]][a][states[t + 1]] for t, a in enumerate(actions))

    def score(self, states, actions, parameter) -> sp.Expr:
        """sum_t d log pi(a_t|s_t) / d parameter: the policy's terms alone.

        Parameters
        ----------
        states, actions : as in :meth:`probability`.
        parameter : one of :attr:`parameters`, the symbol itself.  One of the same name made
            elsewhere may be another symbol, by which nothing here has a slope.

        Raises
        ------
        ValueError, TypeError
            naming the argument; also if the logits do not hold the parameter.
        """
        states, actions = self._steps(states, actions)
        if not isinstance(parameter, sp.Symbol):
            raise TypeError(f"parameter must be a symbol of the logits; it is {parameter!r}")
        known = {x for logit in self.parameters for x in logit.free_symbols}
        if parameter not in known:
            raise ValueError(
                f"parameter must be a symbol that the logits hold, one of {self.parameters}; "
                f"{parameter} is none of them, or another one of that name"
            )
        return sum(
            sp.diff(sp.log(self.pi[self.observe[states[t]]][a]), parameter)
            for t, a in enumerate(actions)
        )

    def _steps(self, states, actions) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Refuse what is no trajectory of this world; negative places would count from the end."""
        sizes = {
            "states": (states, self.horizon + 1, len(self.mu)),
            "actions": (actions, self.horizon, len(self.theta[0])),
        }
        found = []
        for name, (values, length, most) in sizes.items():
            values = _whole_numbers(name, values)
            if len(values) != length:
                raise ValueError(
                    f"{name} must have length {length} at horizon {self.horizon}; "
                    f"it has {len(values)}"
                )
            for t, value in enumerate(values):
                if not 0 <= value < most:
                    raise ValueError(f"{name}[{t}] must be one of 0 .. {most - 1}; it is {value}")
            found.append(values)
        return found[0], found[1]


def symbolic_world(S: int, A: int, horizon: int, *, observe=None) -> SymbolicWorld:
    """Build a world of S states and A actions whose every number is a symbol.

    Parameters
    ----------
    S, A, horizon : sizes, at least 1; S and A at most 10, so that P_12_3 and R_123 name one symbol.
    observe : the percept of each state, numbers without gaps; default: nothing hidden.

    Raises
    ------
    ValueError, TypeError
        naming the size, or ``observe``, and what was expected.
    """
    for name, value, most in (("S", S, 10), ("A", A, 10), ("horizon", horizon, math.inf)):
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name} must be a whole number; it is {value!r}")
        if value < 1:
            raise ValueError(f"{name} must be at least 1; it is {value}")
        if value > most:
            raise ValueError(f"{name} must be at most {most}; it is {value}")
    observe = tuple(range(S)) if observe is None else _whole_numbers("observe", observe)
    if len(observe) != S or set(observe) != set(range(max(observe) + 1)):
        raise ValueError(f"observe must give {S} percepts 0 .. O-1 without gaps; it is {observe}")

    def distribution(name):
        free = [sp.Symbol(f"{name}_{k}", positive=True) for k in range(S - 1)]
        return (*free, 1 - sum(free))

    return SymbolicWorld(
        mu=distribution("mu"),
        P=tuple(tuple(distribution(f"P_{s}{a}") for a in range(A)) for s in range(S)),
        R=tuple(
            tuple(tuple(sp.Symbol(f"R_{s}{a}{p}", real=True) for p in range(S)) for a in range(A))
            for s in range(S)
        ),
        theta=tuple(
            tuple(sp.Symbol(f"theta_{o}{a}", real=True) for a in range(A))
            for o in range(max(observe) + 1)
        ),
        observe=observe,
        horizon=horizon,
    )


def _whole_numbers(name: str, values) -> tuple[int, ...]:
    """Read a list of whole numbers, in an order of its own, as a tuple of Python's."""
    if hasattr(values, "mask") or not (
        isinstance(values, (list, tuple, range)) or getattr(values, "ndim", 0) == 1
    ):
        raise TypeError(f"{name} must be a list of whole numbers; it is {values!r}")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise TypeError(f"{name} must hold integers; it is {values!r}")
    return tuple(int(value) for value in values)
