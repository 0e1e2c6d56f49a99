r"""J, values, occupancy and grad J with no sampling, by routes that share no code.

* ``"enumeration"`` lists every trajectory and adds up P(tau) R(tau), or
  P(tau) R(tau) sum_t grad log pi(a_t|s_t).  The definition itself, for short episodes only.
* ``"dynamic-programming"`` steps through time with the state distribution
  d_t[s] = Pr(s_t = s) and adds up what is earned.  For the gradient it carries
  grad d_t along by the product rule; no logarithm and no action value occurs.
* ``"linear-solve"`` solves (I - gamma P_pi) V = r and its transpose for the occupancy d, and puts
  both into the policy gradient theorem, grad J = sum_s d(s) sum_a grad pi(a|s) Q(s, a).  A finite
  horizon becomes a larger system with one block per time step, solved a window of time at a time.

All know percepts (aliased states share their parameters), the discount (return and occupancy carry
gamma^t) and absorbing states (no action is taken there).

Conventions.  With a horizon H, values depend on the time: V has shape (H+1, S) with
V[H] = 0, Q and the advantages (H, S, A), the occupancy (H, S).  Without, the time index is gone.
Rewards have the unit of J; probabilities and occupancies have none.

Source: Sutton & Barto (2018), chapters 3, 4 and 13; Puterman (1994), chapters 4 to 6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .mdp import MDP, reachable
from .policies import score, softmax_policy
from .trajectories import NO_ACTION, Trajectories
from .validate import require_policy

METHODS = ("enumeration", "dynamic-programming", "linear-solve")
MAX_STEPS = 1_000_000  # where dynamic programming over endless time gives up
COUNTED_STEPS = 10_000  # so many steps are counted exactly before "at least" will do
MOST_ACTIONS = 1e9  # expected, in an episode: beyond, an exact value has lost half its digits
WINDOW = 256  # unknowns that a linear system over time may have; longer times are cut into windows
NEGLIGIBLE = 1e-25  # discounted probability of being still on the way, times a generous return

__all__ = [
    "METHODS",
    "EnumeratedTrajectories",
    "action_values",
    "advantages",
    "enumerate_trajectories",
    "expected_return",
    "occupancy",
    "policy_gradient",
    "state_values",
]


def expected_return(mdp: MDP, pi, *, method: str | None = None) -> float:
    """Compute J(pi) = E[ sum_t gamma^t r_t ], exactly.

    Parameters
    ----------
    mdp : the world.
    pi : (O, A) policy.
    method : one of ``METHODS``; default: dynamic programming with a horizon, else a linear solve.

    Raises
    ------
    ValueError
        if J is not defined (see :meth:`MDP.require_ending`) or the method does not fit.
    """
    mdp.require_ending(pi)
    match _method(mdp, method):
        case "enumeration":
            tau = enumerate_trajectories(mdp)
            return float(tau.probability(pi) @ tau.returns)
        case "dynamic-programming":
            return float(sum(earned for earned, _ in _earned_over_time(mdp, pi)))
        case "linear-solve":
            V = _values(mdp, *_linear_system(mdp, pi, mdp.mu > 0), 0.0)
            return float(mdp.mu @ (V if mdp.horizon is None else V[0]))


def policy_gradient(mdp: MDP, theta, *, method: str | None = None) -> np.ndarray:
    """Compute grad J(theta) for the softmax policy, exactly.

    Parameters
    ----------
    mdp : the world.
    theta : (O, A) logits.
    method : one of ``METHODS``; default: dynamic programming with a horizon, else a linear solve.

    Returns
    -------
    (O, A) array: entry [o, a] is dJ / d theta[o, a].

    Raises
    ------
    ValueError
        as :func:`expected_return`; also if the shape of theta does not fit the world.
    """
    pi = softmax_policy(theta)
    mdp.require_logits(pi.shape)
    mdp.require_ending(pi)
    match _method(mdp, method):
        case "enumeration":
            return _gradient_by_enumeration(mdp, theta)
        case "dynamic-programming":
            return sum(slope for _, slope in _earned_over_time(mdp, pi))
        case "linear-solve":
            return _gradient_by_theorem(mdp, pi)


# --- route 1: every trajectory ------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class EnumeratedTrajectories(Trajectories):
    """Every trajectory that the dynamics allow, whatever the policy.

    Parameters (beyond those of :class:`Trajectories`)
    ----------
    dynamics : (m,) the factors that no policy can change, mu(s_0) prod_t P(s_{t+1}|s_t, a_t).
    returns : (m,) R(tau) = sum_t gamma^t r_t.
    percepts : (m, H) integers, the percept seen at each step.
    O, A : how many percepts and actions the world has.
    """

    dynamics: np.ndarray
    returns: np.ndarray
    percepts: np.ndarray
    O: int
    A: int

    def probability(self, pi) -> np.ndarray:
        """P(tau) = mu(s_0) prod_t P(s_{t+1}|s_t, a_t) pi(a_t|s_t), for each trajectory: (m,).

        Raises
        ------
        ValueError, TypeError
            naming the entry of ``pi``, an (O, A) policy, that is wrong.
        """
        return self.dynamics * self._policy_factors("pi", pi).prod(axis=1)

    def ratio(self, new, old) -> np.ndarray:
        """P(tau; new) / P(tau; old) = prod_t new(a_t|s_t) / old(a_t|s_t): (m,).

        Raises
        ------
        ValueError
            if some action has probability 0 under ``old``: the ratio is then undefined; or naming
            the entry of ``new`` or ``old``, both (O, A) policies, that is wrong.
        """
        factors = self._policy_factors("old", old)
        if (factors == 0).any():
            raise ValueError("old gives probability 0 to an action that occurs; no ratio exists")
        return (self._policy_factors("new", new) / factors).prod(axis=1)

    def locate(self, tau: Trajectories) -> np.ndarray:
        """Find each of the trajectories ``tau`` in this list: (m,) row numbers.

        Trajectories are compared by their states and actions; padding does not count.

        Raises
        ------
        ValueError
            naming the first trajectory that does not stand in the list.
        """
        steps = max(self.actions.shape[1], tau.actions.shape[1])
        listed, drawn = (_as_rows(x, steps) for x in (self, tau))
        key = np.zeros(len(listed) + len(drawn), np.int64)
        for column in np.concatenate([listed, drawn]).T:  # equal so far, equal key
            _, key = np.unique(key * (column.max() + 1) + column, return_inverse=True)
        key, wanted = key[: len(listed)], key[len(listed) :]
        row = np.full(max(key.max(), wanted.max(initial=0)) + 1, -1)
        row[key] = np.arange(len(key))
        found = row[wanted]
        if (found < 0).any():
            i = int((found < 0).argmax())
            raise ValueError(
                f"trajectory {i} does not stand in the list: states {tau.states[i].tolist()}, "
                f"actions {tau.actions[i].tolist()}"
            )
        return found

    def _policy_factors(self, name: str, pi) -> np.ndarray:
        pi = require_policy(pi, self.O, self.A, name=name)
        return np.where(self.happened, pi[self.percepts, self.actions], 1.0)


def _as_rows(tau: Trajectories, steps: int) -> np.ndarray:
    """Start, then action and next state of each step, from 1 on; 0 where nothing happened."""
    out = np.zeros((len(tau), 2 * steps + 1), np.int64)
    out[:, 0] = tau.states[:, 0] + 1
    wide = 2 * tau.actions.shape[1]
    out[:, 1 : wide + 1 : 2] = tau.happened * (tau.actions + 1)
    out[:, 2 : wide + 2 : 2] = tau.happened * (tau.states[:, 1:] + 1)
    return out


def enumerate_trajectories(mdp: MDP, *, limit: int = 1_000_000) -> EnumeratedTrajectories:
    """List all trajectories with mu(s_0) prod_t P(s_{t+1}|s_t, a_t) > 0, with any actions.

    Parameters
    ----------
    mdp : the world; its episodes must be bounded in length.
    limit : refuse to list more than so many.

    Raises
    ------
    ValueError
        with the number of trajectories, if there are more than ``limit`` or infinitely many.
    """
    count, counted = _count_trajectories(mdp, limit)
    if count == math.inf:
        raise ValueError(
            "there are infinitely many trajectories: no horizon, and the world can go in circles; "
            "use dynamic programming or a linear solve"
        )
    if count > limit:
        many = f"{count:,}" if count < 10**15 else f"about 10^{math.log10(count):.0f}"
        many = many if counted else f"at least {many}"
        raise ValueError(f"there are {many} trajectories, more than the limit of {limit:,}")

    successors = [np.argwhere(mdp.P[s] > 0) for s in range(mdp.S)]
    fan_out = np.array([0 if mdp.absorbing[s] else len(successors[s]) for s in range(mdp.S)])
    table = np.zeros((mdp.S, max(fan_out.max(), 1), 2), np.intp)
    for s, pairs in enumerate(successors):
        table[s, : fan_out[s]] = pairs[: fan_out[s]]

    states, actions = (
        np.flatnonzero(mdp.mu > 0)[:, None],
        np.zeros((np.count_nonzero(mdp.mu), 0), int),
    )
    steps = 0
    while (fan_out[states[:, -1]] > 0).any() and steps != mdp.horizon:
        last = states[:, -1]
        copies = np.maximum(fan_out[last], 1)  # an ended trajectory is carried along, padded
        row = np.repeat(np.arange(len(last)), copies)
        branch = np.arange(len(row)) - np.repeat(np.cumsum(copies) - copies, copies)
        a, s = table[last[row], branch].T
        ended = fan_out[last[row]] == 0
        states = np.column_stack([states[row], np.where(ended, last[row], s)])
        actions = np.column_stack([actions[row], np.where(ended, NO_ACTION, a)])
        steps += 1

    before, after, happened = states[:, :-1], states[:, 1:], actions != NO_ACTION
    rewards = np.where(happened, mdp.R[before, actions, after], 0.0)
    factors = np.where(happened, mdp.P[before, actions, after], 1.0)
    return EnumeratedTrajectories(
        states=states,
        actions=actions,
        rewards=rewards,
        lengths=happened.sum(axis=1),
        dynamics=mdp.mu[states[:, 0]] * factors.prod(axis=1),
        returns=rewards @ mdp.gamma ** np.arange(steps),
        percepts=mdp.observe[before],
        O=mdp.O,
        A=mdp.A,
    )


def _count_trajectories(mdp: MDP, limit: int) -> tuple[int | float, bool]:
    """Count them backwards in time, in whole numbers: (count, is it exact?).

    The count stops changing when all have ended, and it never falls: where it is beyond the limit
    after ``COUNTED_STEPS``, "at least so many" is enough.
    """
    starts = np.flatnonzero(mdp.mu > 0)
    going = reachable((mdp.P > 0).any(axis=1), mdp.mu > 0) & ~mdp.absorbing
    branches = [
        [int(p) for p in np.argwhere(mdp.P[s] > 0)[:, 1]] if going[s] else [] for s in range(mdp.S)
    ]
    if mdp.horizon is None and _goes_in_circles(branches, starts):
        return math.inf, True
    count = [1] * mdp.S
    for t in range(mdp.horizon or mdp.S):
        shorter, count = count, [sum(count[p] for p in out) if out else 1 for out in branches]
        total = sum(count[s] for s in starts)
        if count == shorter:
            return total, True
        if t >= COUNTED_STEPS and total > limit:
            return total, False
    return total, True


def _goes_in_circles(branches: list[list[int]], starts) -> bool:
    """Can a path be as long as there are states?  Then it visits some state twice."""
    reached = set(starts)
    for _ in branches:
        reached = {p for s in reached for p in branches[s]}
    return bool(reached)


def _gradient_by_enumeration(mdp: MDP, theta) -> np.ndarray:
    tau = enumerate_trajectories(mdp)
    scores = score(theta)
    weight = tau.probability(softmax_policy(theta)) * tau.returns
    gradient = np.zeros(scores.shape[:2])
    for t in range(tau.actions.shape[1]):
        i = tau.happened[:, t]
        gradient += np.einsum("i,ipb->pb", weight[i], scores[tau.percepts[i, t], tau.actions[i, t]])
    return gradient


# --- route 2: forwards in time, differentiating as we go ----------------------------------------


def _earned_over_time(mdp: MDP, pi):
    r"""Yield, for t = 0, 1, ..., the expected gamma^t r_t and its gradient by the logits.

    d_{t+1}[s'] = sum_{s,a} d_t[s] pi[o(s), a] P[s, a, s'], and the same differentiated, with
    d pi[o, a] / d theta[o, b] = pi[o, a] (1[a = b] - pi[o, b]).
    """
    pi = np.asarray(pi, float)
    O, A, S = mdp.O, mdp.A, mdp.S
    jacobian = np.einsum("oa,ab->oab", pi, np.eye(A)) - np.einsum("oa,ob->oab", pi, pi)
    going = ~mdp.absorbing
    step = np.einsum("sa,sap->sp", pi[mdp.observe], mdp.P)
    reward = np.einsum("sa,sap,sap->s", pi[mdp.observe], mdp.P, mdp.R)
    sees = mdp.observe == np.arange(O)[:, None]  # (O, S)
    d_step = np.einsum("os,oab,sap->obsp", sees, jacobian, mdp.P).reshape(O * A, S, S)
    d_reward = np.einsum("os,oab,sap,sap->obs", sees, jacobian, mdp.P, mdp.R).reshape(O * A, S)

    d, slope, discount, t = mdp.mu * going, np.zeros((O * A, S)), 1.0, 0
    while t != mdp.horizon and discount * (d.sum() + np.abs(slope).sum()) > NEGLIGIBLE:
        if t == MAX_STEPS:
            raise ValueError(
                f"dynamic programming is not done after {MAX_STEPS:,} steps: episodes are too "
                "long; use a linear solve"
            )
        yield (
            discount * (d @ reward),
            discount * (slope @ reward + d_reward @ d).reshape(O, A),
        )
        slope = (slope @ step + np.einsum("s,ksp->kp", d, d_step)) * going
        d = (d @ step) * going
        discount *= mdp.gamma
        t += 1
    yield 0.0, np.zeros((O, A))


# --- route 3: one linear system -----------------------------------------------------------------


def state_values(mdp: MDP, pi, *, start=None) -> np.ndarray:
    """Compute V(s) = E[ sum_k gamma^k r_{t+k} given s_t = s ] by a linear solve.

    Parameters
    ----------
    mdp : the world.
    pi : (O, A) policy.
    start : (S,) booleans; only states that can be visited from these get a value, the others
        NaN.  Default: every state gets one.

    Returns
    -------
    (S,), or (H+1, S) with a horizon; V[t, s] is what is still to come at time t.

    Raises
    ------
    ValueError
        naming the states from which an undiscounted episode may never end, or the entry of ``pi``
        that is wrong, or if ``start`` does not hold a boolean per state.
    """
    start = np.ones(mdp.S, bool) if start is None else start
    mdp.require_ending(pi, start=start)
    return _values(mdp, *_linear_system(mdp, pi, np.asarray(start)), np.nan)


def action_values(mdp: MDP, pi) -> np.ndarray:
    """Compute Q(s, a) = sum_s' P(s'|s, a) (R(s, a, s') + gamma V(s')): (S, A) or (H, S, A)."""
    return _backed_up(mdp, state_values(mdp, pi))


def advantages(mdp: MDP, pi) -> np.ndarray:
    """Compute A(s, a) = Q(s, a) - V(s): (S, A) or (H, S, A)."""
    V = state_values(mdp, pi)
    return _backed_up(mdp, V) - (V if mdp.horizon is None else V[:-1])[..., None]


def occupancy(mdp: MDP, pi) -> np.ndarray:
    """Compute d(s) = sum_t gamma^t Pr(s_t = s and an action is taken), by a linear solve.

    Not normalised: it sums to the expected (discounted) number of actions.

    Returns
    -------
    (S,), or (H, S) with a horizon; then d[t, s] = gamma^t Pr(s_t = s and an action is taken).

    Raises
    ------
    ValueError
        as :func:`expected_return`.
    """
    mdp.require_ending(pi)
    return _visits(mdp, *_linear_system(mdp, pi, mdp.mu > 0))


def _gradient_by_theorem(mdp: MDP, pi) -> np.ndarray:
    """grad J[o, b] = sum_{t, s: o(s) = o} d_t(s) pi(b|o) (Q_t(s, b) - V_t(s))."""
    system = _linear_system(mdp, pi, mdp.mu > 0)
    d, V = _visits(mdp, *system), _values(mdp, *system, 0.0)
    Q = _backed_up(mdp, V)
    V = V if mdp.horizon is None else V[:-1]
    per_state = d[..., None] * pi[mdp.observe] * (Q - V[..., None])
    sees = mdp.observe == np.arange(mdp.O)[:, None]  # (O, S)
    return sees @ per_state.reshape(-1, mdp.S, mdp.A).sum(axis=0)


def _backed_up(mdp: MDP, V: np.ndarray) -> np.ndarray:
    V_next = V if mdp.horizon is None else V[1:]
    to_come = np.einsum("sap,...p->...sa", mdp.P, V_next)
    return np.einsum("sap,sap->sa", mdp.P, mdp.R) + mdp.gamma * to_come


def _linear_system(mdp: MDP, pi, start):
    """States that matter, the matrix of moves among them, and the expected reward in each."""
    state_pi = mdp.action_probabilities(pi)
    P_pi = np.einsum("sa,sap->sp", state_pi, mdp.P)
    live = np.flatnonzero(reachable(P_pi > 0, start) & ~mdp.absorbing)
    return live, P_pi[np.ix_(live, live)], np.einsum("sa,sap,sap->s", state_pi, mdp.P, mdp.R)[live]


def _values(mdp: MDP, live, M, r, elsewhere: float) -> np.ndarray:
    """V from the system, V = r + gamma M V, and ``elsewhere`` for states that do not matter."""
    V = np.full((mdp.horizon or 1, mdp.S), elsewhere)
    if mdp.horizon is None:
        V[0, live] = _solve_endless(mdp.gamma * M, r)
    else:  # V[H-1] = r, V[t] - gamma M V[t+1] = r
        V[::-1, live] = _solve_over_time(mdp.gamma * M, np.tile(r, (mdp.horizon, 1)))
    V[:, mdp.absorbing] = 0.0
    return V[0] if mdp.horizon is None else np.vstack([V, np.zeros(mdp.S)])


def _visits(mdp: MDP, live, M, _) -> np.ndarray:
    """The occupancy d from the same system, transposed: d = mu + gamma M' d."""
    d = np.zeros((mdp.horizon or 1, mdp.S))
    start = d[:, live]
    start[0] = mdp.mu[live]
    if mdp.horizon is None:
        d[0, live] = _solve_endless(mdp.gamma * M.T, start[0])
    else:  # d[0] = mu, d[t] - gamma M' d[t-1] = 0
        d[:, live] = _solve_over_time(mdp.gamma * M.T, start)
    return d[0] if mdp.horizon is None else d


def _solve_endless(L: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Solve x - L x = b, unless what is asked has drowned in the rounding of the probabilities.

    With b = 1 throughout, x is the number of actions to come (discounted); or, in the transposed
    system, the number of visits if an episode starts in each state.  Errors of size 1e-16 in L
    grow by about that factor.
    """
    x, steps = np.linalg.solve(np.eye(len(L)) - L, np.column_stack([b, np.ones_like(b)])).T
    if not (0.5 < steps).all() or steps.max(initial=0.0) > MOST_ACTIONS:
        raise ValueError(
            "episodes are too long under this policy: more than "
            f"{MOST_ACTIONS:.0e} actions are expected, and rounding would spoil the result"
        )
    return x


def _solve_over_time(L: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Solve x[0] = b[0], x[t] - L x[t-1] = b[t], one block of unknowns per time step: (T, n).

    As many steps make one linear system as ``WINDOW`` allows, two at the least; what comes before a
    window is known and goes to the right-hand side.  Memory then grows with T, not with T^2.
    """
    T, n = b.shape
    K = min(T, max(2, WINDOW // max(n, 1)))
    system = np.eye(K * n) - np.kron(np.eye(K, k=-1), L)
    x = b.copy()
    for first in range(0, T, K):
        window = x[first : first + K]
        if first:
            window[0] += L @ x[first - 1]
        size = window.size  # the last window may be shorter
        window[:] = np.linalg.solve(system[:size, :size], window.ravel()).reshape(window.shape)
    return x


def _method(mdp: MDP, method: str | None) -> str:
    if method is None:
        return "linear-solve" if mdp.horizon is None else "dynamic-programming"
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; it is {method!r}")
    return method
