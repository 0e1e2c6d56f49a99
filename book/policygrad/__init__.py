"""Policy gradients on tiny decision processes, with nothing left to trust.

From the ground up: ``mdp`` and ``trajectories``; ``policies`` and ``worlds``; ``exact`` and
``sampling``; ``estimators``.  Beside them ``symbolic``, ``checks`` and ``figures``.  Each module's
docstring is its mathematics.  Import names from the modules themselves.
"""

__version__ = "0.1.0"
