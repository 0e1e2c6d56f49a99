"""Every picture of the book; the one folder that imports matplotlib.

A function takes numbers and returns a :class:`Picture`, which a notebook shows as SVG: sharp,
small, and compared as text when the book is tested; or a :class:`Draggable`, HTML with a slider,
which holds what was computed before and nothing else.  Nothing is computed here but positions, and
what can be read off them.  What cannot be drawn is refused by name, NaN and masked entries among
it: a gap in a curve says nothing.

==============  ================================================================================
``style``       the colours, and what all pictures share
``corridors``   a world, and what is felt and done in it
``formulas``    the factors of a trajectory, and the derivation as a map
``policies``    policies, and what becomes likelier
``objectives``  the objective as a curve or a landscape, and the ways up it
``gradients``   gradients and their estimates
``baselines``   what is subtracted from a return
``references``  policies and penalties beside a reference
``critics``     bias and noise of an update with a critic, and runs beside exact ascent
``runs``        many runs: learning, false alarms, what is caught
``groups``      methods with groups of answers
``ratios``      ratios of probabilities: clips, and batches that are used again
``moving``      what all pictures share that play or can be dragged; ``marks``, what they draw with
``cleaners``    cleaners that walk, step by step
``sliders``     over a chance, a number of trajectories, a step size
==============  ================================================================================
"""

try:
    import matplotlib  # noqa: F401 - asked for here, with a word of advice
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "policygrad.figures needs matplotlib: pip install matplotlib", name=missing.name
    ) from missing

from .baselines import variance_parabola
from .cleaners import cleaner_learns, two_cleaners
from .corridors import agent_and_world, corridor_map, episode_walk
from .critics import actor_critic_runs, bias_and_noise
from .formulas import derivation_map, trajectory_factors
from .gradients import (
    error_decay,
    gamma_trap_paths,
    gradient_and_score,
    gradient_cloud,
    score_reward_grid,
    slope_estimates,
)
from .groups import method_race
from .moving import Draggable, draggable
from .objectives import aliased_limit, ascent_runs, landscape, objective_curve, return_curves
from .policies import policy_table, probability_shift, push_on_bars, return_bars
from .ratios import clip_branches, reused_batches
from .references import kl_curves, missed_and_covered, penalty_fields
from .runs import calibration, group_weights, learning_curves, power_curve
from .sliders import slider_over_m, slider_over_q, slider_over_step_size
from .style import ESTIMATE, EXACT, FAINT, POLICY, WORLD, WRONG, Picture

__all__ = [
    "ESTIMATE",
    "EXACT",
    "FAINT",
    "POLICY",
    "WORLD",
    "WRONG",
    "Draggable",
    "Picture",
    "actor_critic_runs",
    "agent_and_world",
    "aliased_limit",
    "ascent_runs",
    "bias_and_noise",
    "calibration",
    "cleaner_learns",
    "clip_branches",
    "corridor_map",
    "derivation_map",
    "draggable",
    "episode_walk",
    "error_decay",
    "gamma_trap_paths",
    "gradient_and_score",
    "gradient_cloud",
    "group_weights",
    "kl_curves",
    "landscape",
    "learning_curves",
    "method_race",
    "missed_and_covered",
    "objective_curve",
    "penalty_fields",
    "policy_table",
    "power_curve",
    "probability_shift",
    "push_on_bars",
    "return_bars",
    "return_curves",
    "reused_batches",
    "score_reward_grid",
    "slider_over_m",
    "slider_over_q",
    "slider_over_step_size",
    "slope_estimates",
    "trajectory_factors",
    "two_cleaners",
    "variance_parabola",
]
