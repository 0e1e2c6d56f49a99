"""A policy that is a table of logits, for libraries that are given log-probabilities.

The table is the only parameter; log-probabilities of the tokens are read off it, zero in the
padding, and what a library calls its loss is differentiated by PyTorch.
"""

import numpy as np
import torch

__all__ = ["Followed", "log_probabilities"]

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def log_probabilities(theta, batch):
    """(B, T) log pi of the tokens."""
    logp = torch.log_softmax(theta, dim=1)
    percepts, actions = (torch.tensor(np.array(x)) for x in (batch.percepts, batch.actions))
    return logp[percepts, actions] * torch.tensor(batch.mask)


class Followed:
    """From a batch to minus the gradient of ``loss``.

    ``loss`` is called with the batch, its log-probabilities under the policy, the old policy and
    the reference, all (B, T), its rewards, each paid with the last token, (B, T), and its mask as
    numbers, (B, T).
    """

    def __init__(self, loss):
        self.loss = loss

    def __call__(self, batch):
        theta = torch.tensor(batch.theta, requires_grad=True)
        old, ref = (
            log_probabilities(torch.tensor(x), batch) for x in (batch.theta_old, batch.theta_ref)
        )
        mask = torch.tensor(batch.mask, dtype=torch.float64)
        rewards = torch.zeros_like(mask)
        rewards[torch.arange(len(mask)), torch.tensor(batch.lengths) - 1] = torch.tensor(
            np.array(batch.rewards)
        )
        self.loss(batch, log_probabilities(theta, batch), old, ref, rewards, mask).backward()
        return -theta.grad.numpy()
