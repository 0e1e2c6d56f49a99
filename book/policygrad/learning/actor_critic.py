r"""Actor-critic: REINFORCE with advantages that a critic estimates, by GAE.

    delta_t = r_t + gamma V(s_{t+1}) - V(s_t),      A_t = delta_t + gamma lam A_{t+1},
    theta <- theta + alpha / m * sum_i sum_t gamma^t A_t grad log pi(a_t|s_t)

**What a critic can know.**  Where states share a percept, a critic over percepts has one number for
all of them.  With lam = 1 its numbers are a baseline and no more, A_t = G_t - V(o_t): whatever they
are, the mean of the step is the gradient.  With lam < 1 they also stand in for what comes next, and
an average over states that look alike is wrong in each of them: in the short corridor, which has
one percept, every delta_t but the last is -1 and the step pushes towards the action that ends an
episode from the last cell, for ever.  A critic over states may see what the actor does not; its
values are fit for any lam.  Both are time-blind: under a horizon, values depend on the step and
such a critic is a mean over the steps.

Source: Konda & Tsitsiklis (2000); Schulman et al. (2016); Sutton & Barto (2018), section 13.5.
"""

from __future__ import annotations

import numpy as np

from ..estimators import discounts, gae, returns
from ..exact import fisher_information
from ..mdp import MDP
from ..policies import softmax_policy
from ..validate import require_between, require_count, require_flag, require_generator
from .ascent import require_step, require_steps, start_of
from .rollouts import ActorCritic, Batch, Critic, Walker, along_scores, climbed

__all__ = ["actor_critic"]


def actor_critic(
    mdp: MDP,
    theta,
    rng: np.random.Generator,
    *,
    m: int,
    step_size: float,
    critic_step: float,
    steps: int,
    lam: float,
    critic: str = "percept",
    values=None,
    natural: bool = False,
    max_steps: int | None = None,
) -> ActorCritic:
    """Climb J by estimates with advantages from a critic, which learns from the same episodes.

    The step is taken with the critic as it was before the batch.  Logits are rounded to six
    decimals after each step, for the reason given at :func:`reinforce_many`.

    Parameters
    ----------
    mdp : the world.
    theta : (O, A) logits to start from.
    rng : the source of randomness.
    m : trajectories for each step.
    step_size : alpha > 0.
    critic_step : in [0, 1], how far an entry of the critic moves to the mean of its targets
        A_t + V; with 0 it stays as it is.
    steps : how many.
    lam : lambda of GAE, in [0, 1].
    critic : what it sees: "percept", like the actor, or "state".
    values : (O,) or (S,) the critic at the start; default: zeros.
    natural : move along F^+ g, with F the exact Fisher matrix of the world, not an estimate.
    max_steps : the longest episode that is waited for; default: the horizon, or 10,000.

    Raises
    ------
    Diverged
        if theta or the critic leaves the finite numbers, or an episode does not end, naming the
        step.
    ValueError, TypeError
        naming the argument that does not fit.
    """
    theta = start_of(mdp, theta)
    require_generator(rng)
    m, alpha, steps = require_count("m", m), require_step(step_size), require_steps(steps, theta)
    critic_step = require_between("critic_step", critic_step, 0.0, 1.0)
    lam = require_between("lam", lam, 0.0, 1.0)
    natural = require_flag("natural", natural)
    walker, V = Walker(mdp, rng, max_steps), Critic(mdp, critic, values)
    thetas, J, seen, actions = [theta], np.empty(steps), [V.values], np.empty(steps, int)
    for k in range(steps):
        batch = walker.batch(k, theta, m)
        along = V.along(batch)
        A = gae(batch.tau.rewards, along, mdp.gamma, lam)
        g = _direction(batch, softmax_policy(theta), discounts(batch.tau, mdp.gamma) * A)
        if natural:
            g = np.linalg.pinv(fisher_information(mdp, theta)) @ g.ravel()
            g = g.reshape(theta.shape)
        theta = climbed(k, theta, alpha, g)
        V.fit(k, batch, A + along[:, :-1], critic_step)
        thetas.append(theta), seen.append(V.values)
        J[k], actions[k] = returns(batch.tau, mdp.gamma).mean(), batch.tau.lengths.sum()
    return ActorCritic(np.array(thetas), J, np.array(seen), actions)


def _direction(batch: Batch, pi: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean over trajectories of sum_t weight_t grad log pi(a_t|s_t): (O, A)."""
    return along_scores(pi, batch.pair, weights * batch.happened) / len(weights)
