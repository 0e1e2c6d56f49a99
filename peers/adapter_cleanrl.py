"""CleanRL: what one update of its script ``ppo.py`` follows.

A script is no library: it draws, learns and logs in one loop.  Run as released: the statements of
that loop from the one that computes advantages to the end of the epochs, read out of the installed
``cleanrl/ppo.py`` and executed as they stand, the step of the optimiser included.

Made here: what stands before them, namely the stored steps (``obs``, ``actions``, ``logprobs``,
``rewards``, ``dones``, ``values``), an agent of two tables, the arguments with the script's own
defaults but for what a row names, one minibatch, and SGD with step size 1 as the optimiser, so that
the step is the gradient.
"""

import ast
from importlib.metadata import files, version
from types import SimpleNamespace

import numpy as np
import torch
from groups import Row
from worlds import CRITIC, STEPS

LIBRARY, VERSION = "CleanRL", version("cleanrl")
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
DEFAULTS = dict(
    gamma=0.99, gae_lambda=0.95, update_epochs=4, norm_adv=True, clip_coef=0.2, clip_vloss=True,
    ent_coef=0.01, vf_coef=0.5, max_grad_norm=0.5, target_kl=None,
)  # fmt: skip


def released():
    """The statements of the loop, compiled."""
    path = next(x for x in files("cleanrl") if str(x) == "cleanrl/ppo.py")
    module = ast.parse(path.locate().read_text("utf-8"))
    script = next(x for x in module.body if isinstance(x, ast.If)).body
    loop = next(x for x in script if isinstance(x, ast.For)).body
    first = next(i for i, x in enumerate(loop) if isinstance(x, ast.With))
    last = next(i for i, x in enumerate(loop) if isinstance(x, ast.For) and x.target.id == "epoch")
    return compile(ast.Module(loop[first : last + 1], type_ignores=[]), "cleanrl/ppo.py", "exec")


class Agent(torch.nn.Module):
    """The two tables, as the script asks for them."""

    def __init__(self, S, A):
        super().__init__()
        self.theta = torch.nn.Parameter(torch.zeros(S, A))
        self.value = torch.nn.Parameter(torch.tensor(CRITIC))

    def get_value(self, x):
        """The critic's values."""
        return self.value[x.long()]

    def get_action_and_value(self, x, action):
        """What the script gets from its network, for given actions."""
        chosen = torch.distributions.Categorical(logits=self.theta[x.long()])
        return action, chosen.log_prob(action), chosen.entropy(), self.get_value(x)


class Update:
    """From a batch of episodes to the change of the logits in one update."""

    code = released()

    def __init__(self, world, **options):
        self.options = DEFAULTS | options | dict(gamma=world.gamma)

    def __call__(self, batch):
        world, (envs, steps) = batch.world, batch.actions.shape
        args = SimpleNamespace(
            **self.options, num_steps=steps, num_envs=envs, batch_size=steps * envs,
            minibatch_size=steps * envs,
        )  # fmt: skip
        agent = Agent(world.S, world.A)
        agent.theta.data = torch.tensor(batch.theta)
        obs, actions, rewards = (
            torch.tensor(np.array(x.T, dtype=float))
            for x in (batch.states, batch.actions, batch.step_rewards)
        )
        drew = torch.log_softmax(torch.tensor(batch.theta_old), dim=1)
        scope = dict(
            torch=torch, np=np, nn=torch.nn, args=args, agent=agent, device="cpu",
            optimizer=torch.optim.SGD(agent.parameters(), lr=1.0),
            envs=SimpleNamespace(
                single_observation_space=SimpleNamespace(shape=()),
                single_action_space=SimpleNamespace(shape=()),
            ),
            obs=obs[:-1], actions=actions, rewards=rewards,
            logprobs=drew[obs[:-1].long(), actions.long()],
            values=agent.get_value(obs[:-1]).detach(), dones=torch.zeros(steps, envs),
            next_obs=obs[-1], next_done=torch.ones(envs),
        )  # fmt: skip
        exec(self.code, scope)
        return (agent.theta.data - torch.tensor(batch.theta)).numpy()


def rows():
    """What the script makes of two episodes of two steps each."""
    free = dict(update_epochs=1, norm_adv=False, ent_coef=0.0, max_grad_norm=float("inf"))
    for key, row, options in (
        ("whole", "a critic's weight, without a clip", free | dict(gae_lambda=1.0)),
        ("lambda", "GAE", free),
        ("normalised", "advantages put in order within a batch",
         free | dict(gae_lambda=1.0, norm_adv=True)),
        ("entropy", "an entropy bonus", free | dict(gae_lambda=1.0, ent_coef=0.01)),
        ("defaults", "PPO", dict(update_epochs=1)),
    ):  # fmt: skip
        shown = {k: v for k, v in options.items() if k != "update_epochs"}
        said = ", ".join(f"{name}={value!r}" for name, value in shown.items())
        said = said or "defaults but update_epochs=1"
        update = Update(STEPS[1.0][0], **options)
        yield Row(
            key=f"cleanrl-{key}", library=LIBRARY, version=VERSION, option=said,
            row=row, update=update, update_old=update, G=1, groups=2, world="steps-1.0",
        )  # fmt: skip
