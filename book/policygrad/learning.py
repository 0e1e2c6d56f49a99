r"""The loops: Q-learning, exact gradient ascent and REINFORCE.

* Q-learning moves one entry of a table at a time, towards what the next percept promises:

      Q[o, a] <- Q[o, a] + alpha (r + gamma max_b Q[o', b] - Q[o, a]),

  with no promise after an absorbing state or the last step of a horizon.
* Exact ascent moves the logits by the exact gradient, theta <- theta + alpha grad J(theta).
* REINFORCE moves them by an estimate from m trajectories, theta <- theta + alpha ghat.

Each returns its whole history.  A run whose numbers leave the finite ones raises
:class:`Diverged`, which says at which iteration and why.

Source: Watkins & Dayan (1992); Williams (1992); Sutton & Barto (2018), sections 6.5 and 13.3.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

import numpy as np

from .estimators import discounts, reinforce_gradients, returns, rewards_to_go
from .exact import expected_return, policy_gradient
from .mdp import MDP
from .memory import TooLarge, require_memory
from .policies import softmax_policy
from .sampling import sample_trajectories
from .trajectories import Trajectories
from .validate import (
    real_array,
    real_number,
    rectangular,
    require_between,
    require_callable,
    require_count,
    require_generator,
    require_instance,
    require_policy,
)

LARGEST = float(np.finfo(float).max)

__all__ = ["Ascent", "Diverged", "QLearning", "exact_ascent", "q_learning", "reinforce"]


class Diverged(ArithmeticError):
    """A run left the finite numbers, or the policies under which episodes end.

    Attributes
    ----------
    iteration : the episode or step, counted from 0, that did it.
    """

    def __init__(self, iteration: int, message: str):
        super().__init__(message)
        self.iteration = iteration

    def __reduce__(self):
        return type(self), (self.iteration, str(self))


@dataclass(frozen=True, eq=False)
class QLearning:
    """The history of n episodes of Q-learning.

    Attributes
    ----------
    tables : (n + 1, O, A) the table before the first episode and after each one.
    returns : (n,) sum_t gamma^t r_t of each episode, up to its cut.
    lengths : (n,) number of actions taken.
    cut : (n,) booleans: was the episode cut at ``max_steps`` before its end?
    visits : (O, A) how often each entry was updated.
    """

    tables: np.ndarray
    returns: np.ndarray
    lengths: np.ndarray
    cut: np.ndarray
    visits: np.ndarray

    @property
    def Q(self) -> np.ndarray:
        """The last table: (O, A)."""
        return self.tables[-1]


@dataclass(frozen=True, eq=False)
class Ascent:
    """The history of n steps of ascent.

    Attributes
    ----------
    thetas : (n + 1, O, A) the logits at the start and after each step.
    J : what was seen of the objective: (n + 1,) exact values along ``thetas`` from
        :func:`exact_ascent`; (n,) mean returns of the batches from :func:`reinforce`.
    """

    thetas: np.ndarray
    J: np.ndarray

    @property
    def theta(self) -> np.ndarray:
        """The last logits: (O, A)."""
        return self.thetas[-1]

    def expected_returns(self, mdp: MDP, every: int = 1) -> np.ndarray:
        """Compute the exact J of every so many of the policies passed: (ceil((n + 1) / every),).

        Raises
        ------
        ValueError, TypeError
            if ``mdp`` is no world for these logits, or ``every`` no whole number of at least 1.
        """
        require_instance("mdp", mdp, MDP)
        mdp.require_logits(self.thetas.shape[1:])
        every = require_count("every", every)
        return np.array([expected_return(mdp, softmax_policy(x)) for x in self.thetas[::every]])


def q_learning(
    mdp: MDP,
    rng: np.random.Generator,
    *,
    episodes: int,
    step_size: float | Callable[[int], float],
    epsilon: float | None = None,
    behaviour=None,
    initial: float = 0.0,
    max_steps: int = 10_000,
) -> QLearning:
    """Learn a table Q[o, a] over percepts from episodes, one update for each action taken.

    Q[o, a] <- Q[o, a] + alpha (r + gamma max_b Q[o', b] - Q[o, a])

    Actions are drawn by ``behaviour``, or epsilon-greedily: with probability epsilon any
    action, else one with the largest entry, ties broken at random.  That is
    :func:`greedy_policy` of the table as it is at that moment.

    Parameters
    ----------
    mdp : the world.
    rng : the source of randomness.
    episodes : how many.
    step_size : alpha, or a function of how often the entry has been updated, this time included:
        ``lambda n: 1 / n``.
    epsilon : in [0, 1].  Give either it or ``behaviour``.
    behaviour : (O, A) policy that draws the actions whatever the table says.
    initial : the value of all entries at the start.
    max_steps : cut an episode after so many actions, and note it in ``cut``.

    Raises
    ------
    Diverged
        if an entry becomes NaN or infinite.
    ValueError, TypeError
        naming the argument that does not fit.
    """
    require_instance("mdp", mdp, MDP)
    require_generator(rng)
    episodes = require_count("episodes", episodes)
    max_steps = require_count("max_steps", max_steps)
    if (epsilon is None) == (behaviour is None):
        raise ValueError("give either epsilon or behaviour, and not both")
    if epsilon is not None:
        draw_action = _epsilon_greedy(require_between("epsilon", epsilon, 0.0, 1.0), mdp.A)
    else:
        behaviour = require_policy(behaviour, mdp.O, mdp.A, name="behaviour")
        draw_action = _fixed(behaviour[mdp.observe], mdp)
    initial = real_number("initial", initial)
    alpha = _step_sizes(step_size)
    require_memory(f"the tables of episodes = {episodes:,}", episodes * (mdp.O * mdp.A * 8 + 17))

    start = _cumulative(mdp.mu)
    moves = [[_cumulative(mdp.P[s, a]) for a in range(mdp.A)] for s in range(mdp.S)]
    rewards, observe = mdp.R.tolist(), mdp.observe.tolist()
    ends, gamma = mdp.absorbing.tolist(), mdp.gamma
    limit = max_steps if mdp.horizon is None else min(mdp.horizon, max_steps)

    Q = [[initial] * mdp.A for _ in range(mdp.O)]
    visits = [[0] * mdp.A for _ in range(mdp.O)]
    tables = np.empty((episodes + 1, mdp.O, mdp.A))
    returns, lengths, cut = np.zeros(episodes), np.zeros(episodes, int), np.zeros(episodes, bool)
    tables[0] = Q
    uniform = _uniforms(rng)
    for n in range(episodes):
        s, t, total = bisect_right(start, next(uniform)), 0, 0.0
        while not ends[s] and t < limit:
            o = observe[s]
            a = draw_action(Q[o], o, uniform)
            p = bisect_right(moves[s][a], next(uniform))
            r = rewards[s][a][p]
            over = ends[p] or t + 1 == mdp.horizon
            target = r if over else r + gamma * max(Q[observe[p]])
            visits[o][a] += 1
            Q[o][a] += alpha(visits[o][a]) * (target - Q[o][a])
            total += gamma**t * r
            s, t = p, t + 1
        tables[n + 1], returns[n], lengths[n] = Q, total, t
        cut[n] = not ends[s] and t != mdp.horizon
        if not np.isfinite(tables[n + 1]).all():
            o, a = np.argwhere(~np.isfinite(tables[n + 1]))[0]
            raise Diverged(
                n,
                f"Q-learning diverged in episode {n}: Q[{o}, {a}] is {Q[o][a]}; "
                "a step size must not exceed 1, and rewards must be moderate",
            )
    return QLearning(tables, returns, lengths, cut, np.array(visits))


def exact_ascent(
    mdp: MDP,
    theta,
    *,
    step_size: float,
    steps: int,
    direction: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Ascent:
    """Climb J by its exact gradient: theta <- theta + step_size grad J(theta).

    Parameters
    ----------
    mdp : the world.
    theta : (O, A) logits to start from.
    step_size : alpha > 0.
    steps : how many.
    direction : a function of theta, which it is given as a copy, that gives the (O, A) array to
        move along; default: the exact gradient.

    Raises
    ------
    Diverged
        if theta, J or what ``direction`` gives leaves the finite numbers, naming the step.
    ValueError, TypeError
        naming the argument that does not fit, or what ``direction`` gives that does not.
    """
    theta = _start(mdp, theta)
    step_size, steps = _require_step(step_size), _require_steps(steps, theta)
    if direction is None:
        direction = partial(policy_gradient, mdp)
    require_callable("direction", direction, "a function of theta")
    thetas, J = np.empty((steps + 1, *theta.shape)), np.empty(steps + 1)
    thetas[0], J[0] = theta, expected_return(mdp, softmax_policy(theta))
    for k in range(steps):
        step = _direction_at(k, direction, theta)
        theta = _moved(k, theta, step_size * step)
        try:
            thetas[k + 1], J[k + 1] = theta, expected_return(mdp, softmax_policy(theta))
        except (ValueError, np.linalg.LinAlgError) as error:
            raise Diverged(k, f"ascent diverged at step {k}: {error}") from error
        if not np.isfinite(J[k + 1]):
            raise Diverged(k, f"ascent diverged at step {k}: J is {J[k + 1]}")
    return Ascent(thetas, J)


def reinforce(
    mdp: MDP,
    theta,
    rng: np.random.Generator,
    *,
    m: int,
    step_size: float,
    steps: int,
    weights: Callable[[Trajectories, float], np.ndarray] | None = None,
    max_steps: int | None = None,
) -> Ascent:
    """Climb J by estimates: theta <- theta + step_size * mean of m single-trajectory gradients.

    Parameters
    ----------
    mdp : the world.
    theta : (O, A) logits to start from.
    rng : the source of randomness.
    m : trajectories for each step.
    step_size : alpha > 0.
    steps : how many.
    weights : a function of the trajectories, which it is given as a copy, and gamma that gives the
        weight of each score: (m, H) one per step, (m, 1) one per trajectory, or (1, H);
        default: gamma^t G_t, the discounted return from step t on.
    max_steps : the longest episode that is waited for, as in :func:`sample_trajectories`.

    Raises
    ------
    Diverged
        if theta leaves the finite numbers, or episodes no longer end, naming the step.
    ValueError, TypeError
        naming the argument that does not fit, or what ``weights`` gives that does not.
    """
    theta = _start(mdp, theta)
    require_generator(rng)
    m, step_size, steps = (
        require_count("m", m),
        _require_step(step_size),
        _require_steps(steps, theta),
    )
    if max_steps is not None:
        require_count("max_steps", max_steps)
    if weights is not None:
        require_callable("weights", weights, "a function of the trajectories and gamma")
    thetas, J = np.empty((steps + 1, *theta.shape)), np.empty(steps)
    thetas[0] = theta
    for k in range(steps):
        try:
            tau = sample_trajectories(mdp, softmax_policy(theta), m, rng, max_steps=max_steps)
        except TooLarge:
            raise
        except ValueError as error:
            raise Diverged(k, f"REINFORCE diverged at step {k}: {error}") from error
        gradients = reinforce_gradients(mdp, theta, tau, _weights_of(tau, mdp.gamma, weights))
        theta = _moved(k, theta, step_size * gradients.mean(axis=0))
        thetas[k + 1], J[k] = theta, returns(tau, mdp.gamma).mean()
    return Ascent(thetas, J)


# --- what the loops share -----------------------------------------------------------------------


def _moved(k: int, theta: np.ndarray, step) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        theta = theta + step
    bad = np.argwhere(~np.isfinite(theta))
    if len(bad):
        o, a = bad[0]
        raise Diverged(k, f"diverged at step {k}: theta[{o}, {a}] is {theta[o, a]}")
    return theta


def _direction_at(k: int, direction, theta: np.ndarray) -> np.ndarray:
    """Ask for a direction; one of the right kind that is not finite says that the run diverged."""
    name = "direction(theta)"
    given = rectangular(name, direction(theta.copy()))
    try:
        return real_array(name, given, theta.shape, "(O, A)")
    except ValueError as error:
        if given.shape != theta.shape:
            raise
        raise Diverged(k, f"diverged at step {k}: {error}") from None


def _weights_of(tau: Trajectories, gamma: float, weights) -> np.ndarray:
    if weights is None:
        return discounts(tau, gamma) * rewards_to_go(tau, gamma)
    m, H = tau.actions.shape
    copy = Trajectories(*(np.array(getattr(tau, x)) for x in Trajectories.__annotations__))
    given = real_array("weights(tau, gamma)", weights(copy, gamma))
    if given.shape not in ((m, H), (m, 1), (1, H)):
        raise ValueError(
            f"weights(tau, gamma) must have shape (m, H) = ({m}, {H}), (m, 1) or (1, H); "
            f"it has {given.shape}. One weight per trajectory is a column: "
            "returns(tau, gamma)[:, None]"
        )
    return given


def _start(mdp: MDP, theta) -> np.ndarray:
    require_instance("mdp", mdp, MDP)
    theta = real_array("theta", theta)
    mdp.require_logits(theta.shape)
    return theta


def _epsilon_greedy(epsilon: float, A: int):
    def draw(values, _, uniform) -> int:
        if next(uniform) < epsilon:
            return int(A * next(uniform))
        best = max(values)
        ties = [a for a, value in enumerate(values) if value == best]
        return ties[0] if len(ties) == 1 else ties[int(len(ties) * next(uniform))]

    return draw


def _fixed(state_pi: np.ndarray, mdp: MDP):
    rows = {int(o): _cumulative(state_pi[s]) for s, o in enumerate(mdp.observe)}
    return lambda _, o, uniform: bisect_right(rows[o], next(uniform))


def _cumulative(p: np.ndarray) -> list[float]:
    """Upper ends of the intervals; the last outcome that is possible takes what rounding left."""
    ends = list(accumulate(p.tolist()))
    last = int(np.flatnonzero(p)[-1])
    return ends[:last] + [1.0] * (len(ends) - last)


def _uniforms(rng: np.random.Generator):
    while True:
        yield from rng.random(4096).tolist()


def _step_sizes(step_size):
    """Make a function of the number of updates, which refuses what is no step size."""
    if not callable(step_size):
        alpha = _require_step(step_size)
        return lambda n: alpha

    def checked(n: int) -> float:
        alpha = step_size(n)
        if type(alpha) is float and 0.0 <= alpha <= LARGEST:
            return alpha
        return require_between(f"step_size({n})", alpha, 0.0, LARGEST)

    return checked


def _require_step(step_size) -> float:
    alpha = require_between("step_size", step_size, 0.0, LARGEST)
    if alpha == 0:
        raise ValueError("step_size must be positive; it is 0")
    return alpha


def _require_steps(steps, theta: np.ndarray) -> int:
    steps = require_count("steps", steps)
    require_memory(f"the logits of steps = {steps:,}", (steps + 1) * (theta.nbytes + 8))
    return steps
