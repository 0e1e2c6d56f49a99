r"""The surrogate objective: J as an old policy's states and advantages foretell it, and its clip.

With d_old and A_old the occupancy and advantages of the policy of theta_old,

    J~(theta) = J(theta_old) + sum_s d_old(s) sum_a pi_theta(a|s) A_old(s, a).

At theta = theta_old its value is J and its gradient is grad J; elsewhere it differs, since the new
policy visits other states.  With a horizon, the sum goes over time too, sum_t sum_s d_t(s) ...
A_t(s, a); d_t carries gamma^t.  Advantages are those of states, whatever of them is perceived; the
policies act on percepts, pi(a|s) = pi(a|o(s)), so in aliased states one row of theta serves several
advantages.

With w = pi_theta(a|s) / pi_old(a|s), clipped to the interval from 1 - epsilon to 1 + epsilon_high,

    J~_clip(theta) = J(theta_old) + sum_s d_old(s) sum_a pi_old(a|s) min(w A_old, clip(w) A_old),

the objective of PPO with exact advantages in place of estimates, and the old policy's whole
occupancy in place of samples.  Where A_old > 0, the minimum does not rise beyond w = 1 +
epsilon_high; where A_old < 0, not below w = 1 - epsilon.  It never exceeds J~.

Source: Kakade & Langford (2002), section 4; Schulman et al. (2015), equation 3; Schulman et al.
(2017), equation 7, for the clip; Yu et al. (2025) for one of two widths.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..mdp import MDP
from ..policies import softmax_policy
from ..validate import real_array, real_number, require_between, require_instance
from .limits import QUIETLY, require_finite
from .values import advantages, occupancy, state_values

__all__ = ["surrogate", "surrogate_gradient"]


@QUIETLY
def surrogate(
    mdp: MDP, theta, theta_old, *, epsilon: float | None = None, epsilon_high: float | None = None
) -> float:
    """Compute J~(theta) = J(theta_old) + sum_s d_old(s) sum_a pi_theta(a|s) A_old(s, a).

    Parameters
    ----------
    mdp : the world.
    theta : (O, A) logits of the policy that is judged.
    theta_old : (O, A) logits of the one whose states and advantages are known.
    epsilon : in [0, 1], the width of the clip; default: no clip.
    epsilon_high : of at least 0, the width upwards where it is another; only with ``epsilon``.

    Raises
    ------
    ValueError, TypeError
        as :func:`.policy_gradient` at theta_old; if theta_old leaves some advantage undefined,
        which takes an action of probability 0; or naming the argument that is wrong.
    """
    old = _old(mdp, theta_old, epsilon, epsilon_high)
    pi = _policy(mdp, "theta", theta)[mdp.observe]
    gain = pi * old.A
    if old.low is not None:
        gain = np.minimum(gain, np.clip(pi, old.low, old.high) * old.A)
    J = mdp.mu @ np.where(mdp.mu > 0, old.V, 0.0)
    return float(require_finite("the surrogate", J + (old.d[..., None] * gain).sum()))


@QUIETLY
def surrogate_gradient(
    mdp: MDP, theta, theta_old, *, epsilon: float | None = None, epsilon_high: float | None = None
) -> np.ndarray:
    """Compute grad J~(theta), by theta.

    grad J~[o, a] = sum_{s: o(s) = o} d_old(s) pi(a|s) (B(s, a) - sum_b pi(b|s) B(s, b)),

    with B = A_old, but 0 where the clip holds: where A_old > 0 and w > 1 + epsilon_high, or
    A_old < 0 and w < 1 - epsilon.  At these bounds, where the objective has a kink, B is A_old.
    Arguments and errors are those of :func:`surrogate`.

    Returns
    -------
    (O, A) array.
    """
    old = _old(mdp, theta_old, epsilon, epsilon_high)
    pi = _policy(mdp, "theta", theta)[mdp.observe]
    B = old.A
    if old.low is not None:
        B = np.where(((B > 0) & (pi > old.high)) | ((B < 0) & (pi < old.low)), 0.0, B)
    per_state = old.d[..., None] * pi * (B - (pi * B).sum(axis=-1, keepdims=True))
    if mdp.horizon is not None:
        per_state = per_state.sum(axis=0)
    gradient = np.zeros((mdp.O, mdp.A))
    np.add.at(gradient, mdp.observe, per_state)
    return require_finite("the gradient of the surrogate", gradient)


class _Old(NamedTuple):
    """What is known of the old policy.

    V : (S,), at the start.
    d, A : (S,) and (S, A), or (H, S) and (H, S, A); advantages are 0 where d is.
    low, high : (S, A) bounds of pi(a|s), (1 - epsilon) pi_old and (1 + epsilon_high) pi_old; None.
    """

    V: np.ndarray
    d: np.ndarray
    A: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None


def _old(mdp: MDP, theta_old, epsilon, epsilon_high) -> _Old:
    require_instance("mdp", mdp, MDP)
    pi = _policy(mdp, "theta_old", theta_old)
    if epsilon_high is not None:
        epsilon_high = real_number("epsilon_high", epsilon_high)
        if epsilon_high < 0:
            raise ValueError(f"epsilon_high must be at least 0; it is {epsilon_high:g}")
        if epsilon is None:
            raise ValueError("epsilon_high is the other width of a clip: give epsilon too")
    low = high = None
    if epsilon is not None:
        epsilon = require_between("epsilon", epsilon, 0.0, 1.0)
        low = (1 - epsilon) * pi[mdp.observe]
        high = (1 + (epsilon if epsilon_high is None else epsilon_high)) * pi[mdp.observe]
    d, start = occupancy(mdp, pi), mdp.mu > 0
    V = state_values(mdp, pi, start=start)
    A = np.where(d[..., None] > 0, advantages(mdp, pi, start=start), 0.0)
    unknown = np.isnan(A) & (pi[mdp.observe] == 0)
    if unknown.any():
        *_, s, a = np.argwhere(unknown)[0]
        raise ValueError(
            f"theta_old gives probability 0 to action {mdp.actions[a]} in state {mdp.states[s]}, "
            "so what comes after it has no value"
        )
    return _Old(V if mdp.horizon is None else V[0], d, A, low, high)


def _policy(mdp: MDP, name: str, theta) -> np.ndarray:
    return softmax_policy(real_array(name, theta, (mdp.O, mdp.A), "(O, A)"))
