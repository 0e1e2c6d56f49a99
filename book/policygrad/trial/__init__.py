r"""Put an update of your own on trial: what does its mean climb?

    m(theta) = E[g] = sum over groups of P(group) g(group)

is exact on a world whose groups of G trajectories can be listed.  So is everything that it is
compared with: grad J, what is climbed instead (:mod:`.objectives`, :mod:`.clips`), and whether it
is the gradient of anything, which it is only if

    d m_i / d theta_j = d m_j / d theta_i.

For example, with the mean of the others as a baseline::

    def rloo(group):
        A = group.rewards - (group.rewards.sum() - group.rewards) / (group.G - 1)
        return np.einsum("i,itoa->oa", A, group.scores) / group.G

    print(trial(rloo, world, theta, G=4))      # unbiased, the gradient of J, ...

* :func:`.trial` takes an update of a :class:`.Group`, :func:`.trial_of_loss` a loss of
  log-probabilities.  Both give a :class:`.Report`.
* A :class:`.Place` is a world with its policies, on which fields are exact.

Source: Williams (1992); Shao et al. (2024); Nota & Thomas (2020).
"""

from .judge import VERDICTS
from .losses import trial_of_loss
from .places import Group, Place
from .report import OldReport, Report
from .trials import trial

__all__ = ["VERDICTS", "Group", "OldReport", "Place", "Report", "trial", "trial_of_loss"]
