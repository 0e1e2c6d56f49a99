"""Stable-Baselines3: what one call of ``PPO.train`` follows.

Run as released: ``PPO``, built by its own constructor; ``collect_rollouts``, which fills the buffer
and takes care of time limits; ``RolloutBuffer`` with its GAE; ``train``, the step of the optimiser
included; ``DummyVecEnv``.

Made here: an environment that plays one episode after a script, the same actions from a policy
that draws nothing, and tables in the place of both networks.  The optimiser is SGD with step size
1, so that the step *is* the gradient, clipped or not; Adam is another matter.
"""

import warnings
from importlib.metadata import version

import gymnasium
import numpy as np
import torch
from groups import Row
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import DummyVecEnv
from worlds import CRITIC, STEPS

LIBRARY, VERSION = "Stable-Baselines3", version("stable-baselines3")
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
warnings.simplefilter("ignore")


class Script(gymnasium.Env):
    """An episode that is known before it begins."""

    def __init__(self, world, timeout):
        self.observation_space = gymnasium.spaces.Discrete(world.S)
        self.action_space = gymnasium.spaces.Discrete(world.A)
        self.timeout, self.states, self.rewards = timeout, [0], []

    def reset(self, *, seed=None, options=None):
        """Begin the episode."""
        self.t = 0
        return int(self.states[0]), {}

    def step(self, action):
        """Go on as written."""
        self.t += 1
        over = self.t == len(self.rewards)
        reward = float(self.rewards[self.t - 1])
        return (
            int(self.states[self.t]),
            reward,
            over and not self.timeout,
            over and self.timeout,
            {},
        )


class Tables(ActorCriticPolicy):
    """Logits and values in two tables; draws what the script says."""

    def _build(self, lr_schedule):
        S, A = self.observation_space.n, self.action_space.n
        self.theta = torch.nn.Parameter(torch.zeros(S, A))
        self.value = torch.nn.Parameter(torch.zeros(S))
        self.optimizer = torch.optim.SGD(self.parameters(), lr=1.0)

    def forward(self, obs, deterministic=False):
        """The scripted actions, the critic's values, log-probabilities of the policy that drew."""
        actions = torch.tensor(self.script[:, self.t])
        self.t += 1
        return actions, self.value[obs.long().flatten()], self._logp(obs)[range(len(obs)), actions]

    def evaluate_actions(self, obs, actions):
        """Values, log-probabilities and entropies, of the policy as it is."""
        logp = self._logp(obs)
        values = self.value[obs.long().flatten()]
        return values, logp[range(len(obs)), actions], -(logp.exp() * logp).sum(dim=1)

    def predict_values(self, obs):
        """The critic's values."""
        return self.value[obs.long().flatten()]

    def _logp(self, obs):
        return torch.log_softmax(self.theta, dim=1)[obs.long().flatten()]


class Quiet(BaseCallback):
    """Goes on."""

    def _on_step(self):
        return True


class Update:
    """From a batch of episodes to the change of the logits in one call of ``train``."""

    def __init__(self, world, episodes, *, timeout=False, **options):
        env = DummyVecEnv([lambda: Script(world, timeout) for _ in range(episodes)])
        self.scripts, self.H = env.envs, world.horizon
        self.model = PPO(
            Tables, env, learning_rate=1.0, n_steps=self.H, batch_size=self.H * episodes,
            gamma=world.gamma, device="cpu", **options,
        )  # fmt: skip
        self.model.set_logger(Logger(None, []))
        _, self.quiet = self.model._setup_learn(1, callback=Quiet())

    def __call__(self, batch):
        model, policy = self.model, self.model.policy
        for script, states, rewards in zip(
            self.scripts, batch.states, batch.step_rewards, strict=True
        ):
            script.states, script.rewards = states, rewards
        policy.script, policy.t = np.array(batch.actions), 0
        policy.theta.data = torch.tensor(batch.theta_old)
        policy.value.data = torch.tensor(CRITIC)
        model._last_obs = model.env.reset()
        model._last_episode_starts = np.ones(len(self.scripts), dtype=bool)
        model.collect_rollouts(model.env, self.quiet, model.rollout_buffer, n_rollout_steps=self.H)
        policy.theta.data = torch.tensor(batch.theta)
        model.train()
        return (policy.theta.data - torch.tensor(batch.theta)).numpy()


def rows():
    """What PPO makes of two episodes; then the same in a batch of four."""
    free = dict(n_epochs=1, normalize_advantage=False, max_grad_norm=float("inf"))
    whole = free | dict(gae_lambda=1.0)
    yield _row("whole", whole, "a critic's weight, without a clip", 1.0)
    yield _row("lambda", free, "GAE", 1.0)
    yield _row(
        "normalised",
        free | dict(gae_lambda=1.0, normalize_advantage=True),
        "advantages put in order within a batch",
        1.0,
    )
    yield _row(
        "normalised-4",
        free | dict(gae_lambda=1.0, normalize_advantage=True),
        "the same, with four episodes",
        1.0,
        groups=4,
    )
    yield _row("grad-norm", whole | dict(max_grad_norm=0.5), "the step is cut to a length", 1.0)
    yield _row("defaults", dict(n_epochs=1), "PPO", 1.0)
    yield _row("epochs", whole | dict(n_epochs=2), "PPO, second pass", 1.0)
    yield _row("discounted", whole | dict(gamma=0.9), "the factor is dropped", 0.9)
    yield _row("timeout", whole | dict(gamma=0.9, timeout=True), "time limit", 0.9)


def _row(key, options, row, gamma, groups=2):
    world, _ = STEPS[gamma]
    shown = {k: v for k, v in options.items() if k not in ("timeout", "n_epochs") or v == 2}
    said = ", ".join(f"{name}={value!r}" for name, value in shown.items())
    if options.get("timeout"):
        said += ", TimeLimit.truncated"
    said = said or "defaults but n_epochs=1"
    options = {k: v for k, v in options.items() if k != "gamma"}
    update = Update(world, groups, **options)
    return Row(
        key=f"sb3-{key}", library=LIBRARY, version=VERSION, option=said, row=row,
        update=update, update_old=update, G=1, groups=groups, many=groups > 2,
        world=f"steps-{gamma}",
    )  # fmt: skip
