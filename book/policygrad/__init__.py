"""Policy gradients on tiny decision processes, with nothing left to trust.

From the ground up: ``validate`` and ``memory``; ``tables`` and ``trajectories``; ``mdp`` and
``policies``; ``worlds``, ``exact``, ``sampling`` and ``estimators``; ``learning`` and ``trial``.
Beside them ``symbolic``, ``formulas``, ``checks`` and ``figures``.  Each module's docstring is its
mathematics.  Import names from the modules themselves.
"""

__version__ = "0.1.0"
