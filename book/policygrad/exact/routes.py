"""J and grad J by the route of one's choice.

The routes are independent computations of one number; this room only chooses among them, and asks
of each the same: that the world is an MDP, that J is defined, that the result is finite.
"""

from __future__ import annotations

import numpy as np

from ..mdp import MDP
from ..policies import softmax_policy
from ..validate import require_instance, require_one_of
from . import adjoint, enumeration, forwards
from .limits import QUIETLY, require_finite

ROUTES = {"adjoint": adjoint, "enumeration": enumeration, "forwards": forwards}
METHODS = tuple(ROUTES)

__all__ = ["METHODS", "expected_return", "policy_gradient"]


@QUIETLY
def expected_return(mdp: MDP, pi, *, method: str = "adjoint") -> float:
    """Compute J(pi) = E[ sum_t gamma^t r_t ], exactly.

    Parameters
    ----------
    mdp : the world.
    pi : (O, A) policy.
    method : one of ``METHODS``.

    Raises
    ------
    ValueError, TypeError
        if J is not defined (see :meth:`MDP.require_ending`), the method does not fit, J leaves the
        range of floats, or naming the argument that is wrong.
    """
    require_instance("mdp", mdp, MDP)
    mdp.require_ending(pi)
    route = ROUTES[require_one_of("method", method, METHODS)]
    return float(require_finite("J", route.expected_return(mdp, pi)))


@QUIETLY
def policy_gradient(mdp: MDP, theta, *, method: str = "adjoint") -> np.ndarray:
    """Compute grad J(theta) for the softmax policy, exactly.

    Parameters
    ----------
    mdp : the world.
    theta : (O, A) logits.
    method : one of ``METHODS``.

    Returns
    -------
    (O, A) array: entry [o, a] is dJ / d theta[o, a].

    Raises
    ------
    ValueError, TypeError
        as :func:`expected_return`; also if the shape of theta does not fit the world.
    """
    require_instance("mdp", mdp, MDP)
    pi = softmax_policy(theta)
    mdp.require_logits(pi.shape)
    mdp.require_ending(pi)
    route = ROUTES[require_one_of("method", method, METHODS)]
    return require_finite("grad J", route.policy_gradient(mdp, theta))
