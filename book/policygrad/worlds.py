r"""The tiny decision processes of the book, by name.

Each is small enough that J and its gradient are known exactly, and each is there for one reason.

==================  ============================================================================
``bandit``          one decision; the whole of policy gradients without time
``two_state``       every transition possible, three steps: 64 trajectories from its start
``vacuum_corridor`` two cells with the same walls, so the same percept, that need opposite actions
``short_corridor``  Sutton & Barto's Example 13.1: a closed form for J, endless for some policies
``aliased_pair``    two states that look alike and need opposite actions, each and for ever
``two_keys``        two choices, the second blind to the first: a landscape with two heights
``gamma_trap``      dropping gamma^t from the update turns the gradient around
``with_memory``     any world, for an agent that may remember a number from step to step
``random_mdp``      anything else, to test what must hold everywhere
==================  ============================================================================
"""

from __future__ import annotations

import numpy as np

from .mdp import MDP
from .memory import require_memory
from .validate import (
    real_array,
    real_number,
    require_count,
    require_discount,
    require_flag,
    require_generator,
    require_instance,
    require_one_of,
)

__all__ = [
    "CORRIDOR_MAP",
    "aliased_pair",
    "bandit",
    "gamma_trap",
    "random_mdp",
    "short_corridor",
    "two_keys",
    "two_state",
    "vacuum_corridor",
    "with_memory",
]

# '#' wall, '.' floor, 'D' dust (the goal), 'h' hamster; an episode ends on D and on h
CORRIDOR_MAP = """\
#######
#.....#
#h#D#h#
#######"""

STARTS = ("random", "uniform", "first")  # how a random world begins

_MOVES = {"left": (0, -1), "right": (0, 1), "down": (1, 0), "up": (-1, 0)}
_SIDES = {"N": (-1, 0), "E": (0, 1), "S": (1, 0), "W": (0, -1)}


def bandit(rewards, chances=None) -> MDP:
    """Build a bandit: one decision, and arm a pays rewards[a] with probability chances[a], else 0.

    J(theta) = sum_a pi(a) chances[a] rewards[a].  There is nothing to discount: gamma = 1.

    Parameters
    ----------
    rewards : (A,) what each arm pays.
    chances : (A,) probabilities; default: every arm always pays.

    Raises
    ------
    ValueError, TypeError
        if the shapes differ or there is no arm, or naming the entry of ``rewards`` or ``chances``
        that is wrong.
    """
    rewards = real_array("rewards", rewards)
    chances = np.ones_like(rewards) if chances is None else real_array("chances", chances)
    if rewards.ndim != 1 or chances.shape != rewards.shape:
        raise ValueError(
            "rewards and chances must be two lists of one length, an entry per arm; "
            f"they have shapes {rewards.shape} and {chances.shape}"
        )
    if not rewards.size:
        raise ValueError("rewards must hold an entry for one arm at least; it holds none")
    for a in np.flatnonzero((chances < 0) | (chances > 1)):
        raise ValueError(f"chances[{a}] must be a probability; it is {chances[a]:g}")
    A = len(rewards)
    P, R = np.zeros((3, A, 3)), np.zeros((3, A, 3))
    P[0, :, 1], P[0, :, 2] = chances, 1.0 - chances
    R[0, :, 1] = rewards
    P[1, :, 1] = P[2, :, 2] = 1.0
    return MDP(
        P, R, [1, 0, 0], horizon=1, observe=[0, 0, 0], states=["start", "paid", "unpaid"], gamma=1.0
    )


def two_state(horizon: int | None = 3, *, gamma: float) -> MDP:
    """Build a world of two states and two actions in which every transition is possible.

    From its start there are 4^H trajectories: 64 for H = 3.  Being in state 1 pays;
    "push" makes state 1 likelier and costs a little.

    Raises
    ------
    ValueError, TypeError
        if the horizon is neither None nor a whole number of at least 1, or gamma none in [0, 1].
    """
    P = np.array([[[0.8, 0.2], [0.3, 0.7]], [[0.6, 0.4], [0.1, 0.9]]])
    R = np.array([[[0.0, 1.0], [-0.2, 0.8]], [[0.0, 2.0], [-0.2, 1.8]]])
    return MDP(P, R, [1, 0], horizon=horizon, gamma=gamma, actions=["wait", "push"])


def short_corridor() -> MDP:
    """Build the short corridor with switched actions: four states, one percept, gamma = 1.

    Start in 0.  Left in 0 stays; in 1 the actions are reversed; right in 2 ends.  Every step
    costs 1, the last included.  With p = pi(right):

        J(p) = (2p - 4) / (p (1 - p)),  largest at p = 2 - sqrt(2), where it is -6 - 4 sqrt(2).

    Source: Sutton & Barto (2018), Example 13.1.
    """
    left, right = 0, 1
    P = np.zeros((4, 2, 4))
    P[0, left, 0] = P[0, right, 1] = 1.0
    P[1, left, 2] = P[1, right, 0] = 1.0
    P[2, left, 1] = P[2, right, 3] = 1.0
    P[3, :, 3] = 1.0
    R = np.full((4, 2, 4), -1.0)
    R[3] = 0.0
    return MDP(
        P,
        R,
        [1, 0, 0, 0],
        observe=[0, 0, 0, 0],
        states=["0", "1", "2", "end"],
        actions=["left", "right"],
        percepts=["corridor"],
        gamma=1.0,
    )


def two_keys(silver: float = 1.0, gold: float = 2.0, *, felt: bool = False) -> MDP:
    """Build a hall with two keys and a room with two doors, which fit one key each.

    Left in the hall takes the silver key, right the gold one.  The left door opens with the silver
    key, and behind it lies ``silver``; the right one with the gold key, and there lies ``gold``.  A
    key in the wrong door earns nothing.  The key is not felt, so the two states of the second room
    share a percept.  Nothing is discounted.  With p = pi(right) in the hall, q at the doors:

        J = (1 - p)(1 - q) silver + p q gold

    Parameters
    ----------
    silver, gold : what lies behind the left door and the right one.
    felt : True lets the agent feel its key, so that nothing is hidden.

    Raises
    ------
    ValueError, TypeError
        naming the argument that is no such number or truth value.
    """
    silver, gold = real_number("silver", silver), real_number("gold", gold)
    felt = require_flag("felt", felt)
    hall, with_silver, with_gold, end = range(4)
    left, right = 0, 1
    P, R = np.zeros((4, 2, 4)), np.zeros((4, 2, 4))
    P[hall, left, with_silver] = P[hall, right, with_gold] = 1.0
    P[[with_silver, with_gold, end], :, end] = 1.0
    R[with_silver, left, end], R[with_gold, right, end] = silver, gold
    return MDP(
        P,
        R,
        [1, 0, 0, 0],
        gamma=1.0,
        observe=[0, 1, 2, 2] if felt else [0, 1, 1, 1],
        states=["hall", "silver", "gold", "end"],
        actions=["left", "right"],
        percepts=["hall", "silver", "gold"] if felt else ["hall", "doors"],
    )


def aliased_pair(reward: float = 1.0, *, gamma: float, start: int = 0) -> MDP:
    """Build two aliased states: the action that is right in one is wrong in the other.

    In state 0 "go" pays +reward and leads to state 1, "turn" pays -reward and stays.  In state 1
    it is the other way about: "turn" pays +reward and leads to state 0, "go" pays -reward and
    stays.  There is no end.  From state 0:

        state seen, go and turn by turns:  reward / (1 - gamma)
        one percept, always go:            reward - gamma reward / (1 - gamma)
        one percept, either by chance 1/2: 0

    Parameters
    ----------
    reward : what a right action pays and a wrong one costs.
    gamma : discount, below 1.
    start : the first state, 0 or 1.

    Raises
    ------
    ValueError, TypeError
        if gamma is 1, since J would be infinite, or start is neither state; or naming the argument
        that is no such number.

    Source: after the two aliased states of Singh, Jaakkola & Jordan (1994).
    """
    reward, gamma = real_number("reward", reward), require_discount(gamma)
    if gamma == 1.0:
        raise ValueError("gamma must be below 1: this world has no end")
    start = require_count("start", start, 0, 1)
    go, turn = 0, 1
    P, R = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    P[0, go, 1] = P[0, turn, 0] = P[1, turn, 0] = P[1, go, 1] = 1.0
    R[0, go, 1] = R[1, turn, 0] = reward
    R[0, turn, 0] = R[1, go, 1] = -reward
    return MDP(
        P,
        R,
        np.eye(2)[start],
        gamma=gamma,
        observe=[0, 0],
        actions=["go", "turn"],
        percepts=["either"],
    )


def with_memory(mdp: MDP, size: int = 2) -> MDP:
    """Give the agent a memory: with each action it chooses a number 0 .. size-1 to remember.

    What it perceives is (percept, number); what it does is (action, next number).  A policy
    without memory in this larger world is a policy with memory in the old one.

        P((s', k') | (s, k), (a, j)) = P(s'|s, a) 1[k' = j],  R the same as before

    Memory is 0 at the start, and stays as it is in an absorbing state.  State (s, k) has the
    number s size + k; actions and percepts alike.

    Parameters
    ----------
    mdp : the world.
    size : how many numbers can be told apart; 2 is one bit.

    Raises
    ------
    ValueError, TypeError
        if mdp is no world, or size not a whole number of at least 1, or one that makes a world too
        large for this machine.
    """
    require_instance("mdp", mdp, MDP)
    S, A, K = mdp.S, mdp.A, require_count("size", size)
    require_memory(f"the worlds with size = {K:,}", 3 * 8 * S**2 * A * K**3)
    kept = np.broadcast_to(np.eye(K), (K, K, K))  # [k, j, k'] = 1[k' = j]
    P = np.einsum("sap,kjl->skajpl", mdp.P, kept)
    P[mdp.absorbing] = np.einsum(  # nothing is remembered after the end
        "sp,kl,aj->skajpl", np.eye(S), np.eye(K), np.ones((A, K))
    )[mdp.absorbing]
    R = np.broadcast_to(mdp.R[:, None, :, None, :, None], P.shape)
    size_of = (S * K, A * K, S * K)

    def named(names, template):
        return [template.format(name, k) for name in names for k in range(K)]

    return MDP(
        P.reshape(size_of),
        R.reshape(size_of),
        np.einsum("s,k->sk", mdp.mu, np.eye(K)[0]).reshape(-1),
        horizon=mdp.horizon,
        gamma=mdp.gamma,
        observe=(mdp.observe[:, None] * K + np.arange(K)).reshape(-1),
        states=named(mdp.states, "{} memory {}"),
        actions=named(mdp.actions, "{} remember {}"),
        percepts=named(mdp.percepts, "{} memory {}"),
    )


def gamma_trap(gamma: float) -> MDP:
    """Build the world in which the update without gamma^t climbs down.

    Two decisions with one shared parameter p = pi(right).  First: right pays 1, left 0.  Then: left
    pays 2.5 and ends; right pays 0, and 8 arrives three steps later.

        J(p) = p + gamma 2.5 (1 - p) + gamma^4 8 p,  for gamma = 1/2: J' = +1/4.

    Raises
    ------
    ValueError, TypeError
        if gamma is no number in [0, 1].

    Source: an example of the kind given by Nota & Thomas (2020).
    """
    gamma = require_discount(gamma)
    names = ["first", "second", "wait 1", "wait 2", "wait 3", "end"]
    left, right = 0, 1
    P, R = np.zeros((6, 2, 6)), np.zeros((6, 2, 6))
    P[0, :, 1] = P[1, left, 5] = P[1, right, 2] = P[2, :, 3] = P[3, :, 4] = P[4, :, 5] = 1.0
    P[5, :, 5] = 1.0
    R[0, right, 1] = 1.0
    R[1, left, 5] = 2.5
    R[4, :, 5] = 8.0
    return MDP(
        P,
        R,
        [1, 0, 0, 0, 0, 0],
        gamma=gamma,
        observe=[0] * 6,
        states=names,
        actions=["left", "right"],
    )


def vacuum_corridor(
    drawing: str = CORRIDOR_MAP,
    *,
    starts: str | None = None,
    step_reward: float = -1.0,
    dust_reward: float = 0.0,
    hamster_reward: float = -10.0,
    observed: bool = False,
) -> MDP:
    """Build the vacuum cleaner's world from a drawn map; percepts are computed from the walls.

    The cleaner feels which of its four sides are walls and nothing else, so two cells with the
    same walls are aliased.  It moves left, right or down; a move into a wall leaves it in place.
    Entering the dust or a hamster ends the episode.

    Its discount is gamma = 1: a later step costs as much as an early one.

    With hamsters avoided, q = pi(right) in the two aliased cells and the uniform start over
    the other four, the mean number of steps is 1/2 + 1/q + 1/(1 - q).

    Parameters
    ----------
    drawing : rows of '#' wall, '.' floor, 'D' dust, 'h' hamster, closed in by walls.
    starts : names of the start cells, "r1c1 r1c2 ..."; default: every floor cell that does
        not lie directly above the dust, equally likely.
    step_reward, dust_reward, hamster_reward : paid for each step, and on top of it for
        entering the dust or a hamster.
    observed : True lets the cleaner see its cell, so that nothing is hidden.

    Raises
    ------
    ValueError, TypeError
        if the drawing has an unknown sign, is not closed by walls, or has no dust or no floor; for
        a start that is unknown or named twice; or naming the argument that is of another kind.
    """
    cells = _read_map(drawing)
    step_reward = real_number("step_reward", step_reward)
    dust_reward = real_number("dust_reward", dust_reward)
    hamster_reward = real_number("hamster_reward", hamster_reward)
    observed = require_flag("observed", observed)
    number = {place: s for s, place in enumerate(cells)}
    names = [f"r{row}c{col}" for row, col in cells]
    ends = [sign in "Dh" for sign in cells.values()]
    bonus = {".": 0.0, "D": dust_reward, "h": hamster_reward}
    actions = ["left", "right", "down"]

    S, A = len(cells), len(actions)
    P, R = np.zeros((S, A, S)), np.zeros((S, A, S))
    for s, (row, col) in enumerate(cells):
        for a, action in enumerate(actions):
            down, across = _MOVES[action]
            to = s if ends[s] else number.get((row + down, col + across), s)
            P[s, a, to] = 1.0
            R[s, a, to] = 0.0 if ends[s] else step_reward + bonus[cells[list(cells)[to]]]

    walls = [
        "".join(n for n, (y, x) in _SIDES.items() if (row + y, col + x) not in cells)
        for row, col in cells
    ]
    felt = names if observed else walls
    percepts = list(dict.fromkeys(felt))
    return MDP(
        P,
        R,
        _start_cells(cells, names, starts),
        observe=[percepts.index(f) for f in felt],
        states=names,
        actions=actions,
        percepts=[p or "open" for p in percepts],
        gamma=1.0,
    )


def _read_map(drawing: str) -> dict[tuple[int, int], str]:
    """Cells that are not walls, in reading order: {(row, column): sign}."""
    if not isinstance(drawing, str):
        raise TypeError(f"drawing must be a string of rows; it is of type {type(drawing).__name__}")
    rows = drawing.splitlines()
    cells = {}
    for y, line in enumerate(rows):
        for x, sign in enumerate(line):
            if sign not in "#.Dh":
                raise ValueError(f"drawing, row {y}, column {x}: {sign!r} is not one of # . D h")
            if sign != "#":
                cells[y, x] = sign
    for (y, x), sign in cells.items():
        for side, (down, across) in _SIDES.items():
            v, u = y + down, x + across
            if not (0 <= v < len(rows) and 0 <= u < len(rows[v])):
                raise ValueError(
                    f"drawing, row {y}, column {x}: {sign!r} has no wall on its side {side}"
                )
    for sign, what in (("D", "dust"), (".", "floor")):
        if sign not in cells.values():
            raise ValueError(f"drawing has no {what} ({sign!r})")
    return cells


def _start_cells(cells, names, starts: str | None) -> np.ndarray:
    if starts is None:
        chosen = [sign == "." and cells.get((y + 1, x)) != "D" for (y, x), sign in cells.items()]
    elif not isinstance(starts, str):
        raise TypeError(
            'starts must be a string of names, "r1c1 r1c2", or None; it is of type '
            f"{type(starts).__name__}"
        )
    else:
        named = starts.split()
        for k, name in enumerate(named):
            if name not in names:
                raise ValueError(f"starts must name cells, {', '.join(names)}; it names {name!r}")
            if name in named[:k]:
                raise ValueError(f"starts must name a cell once; it names {name!r} twice")
        chosen = [name in named for name in names]
    if not any(chosen):
        raise ValueError("no cell is left to start from; name one in starts")
    return np.array(chosen) / np.sum(chosen)


def random_mdp(
    rng: np.random.Generator,
    S: int = 4,
    A: int = 3,
    *,
    O: int | None = None,
    successors: int | None = None,
    start: str = "random",
    absorbing: int = 0,
    horizon: int | None = None,
    gamma: float,
) -> MDP:
    """Draw a decision process at random.

    Parameters
    ----------
    rng : the source of randomness.
    S, A : numbers of states and actions.
    O : number of percepts; fewer than S means aliasing, spread at random over the states.
        Default: S, nothing hidden.
    successors : how many next states each (s, a) can lead to; default: all of them.
    start : "random" (a distribution over the states that are not absorbing), "uniform" over
        them, or "first".
    absorbing : how many states, the last ones, are absorbing.  Each other (s, a) can then reach one
        of them, so that every policy ends with probability 1.
    horizon, gamma : as in :class:`MDP`.

    Raises
    ------
    ValueError, TypeError
        if a count is no whole number or does not fit, if ``rng`` is no generator, or if neither
        horizon, discount nor absorbing states make J finite.
    """
    require_generator(rng)
    S, A = require_count("S", S), require_count("A", A)
    O = S if O is None else require_count("O", O, 1, S)
    successors = S if successors is None else require_count("successors", successors, 1, S)
    absorbing = require_count("absorbing", absorbing, 0, S - 1)
    horizon = None if horizon is None else require_count("horizon", horizon)
    gamma, start = require_discount(gamma), require_one_of("start", start, STARTS)
    require_memory(f"the worlds with S = {S:,} and A = {A:,}", 3 * 8 * S**2 * A)
    if horizon is None and gamma == 1.0 and not absorbing:
        raise ValueError("J would be infinite: give a horizon, gamma < 1 or an absorbing state")

    P = np.zeros((S, A, S))
    for s in range(S):
        for a in range(A):
            to = rng.permutation(S)[:successors]
            if absorbing and not (to >= S - absorbing).any():
                to[0] = S - 1 - rng.integers(absorbing)
            P[s, a, to] = rng.dirichlet(np.ones(len(to)))
    R = rng.normal(size=(S, A, S))
    ends = np.arange(S) >= S - absorbing
    P[ends] = np.eye(S)[ends][:, None, :]
    R[ends] = 0.0

    weight = {"random": rng.exponential(size=S), "uniform": np.ones(S), "first": np.eye(S)[0]}[
        start
    ]
    weight = weight * ~ends
    observe = rng.permutation(np.concatenate([np.arange(O), rng.integers(O, size=S - O)]))
    return MDP(P, R, weight / weight.sum(), horizon=horizon, gamma=gamma, observe=observe)
