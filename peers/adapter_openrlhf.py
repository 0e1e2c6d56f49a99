"""OpenRLHF: what its policy loss follows, with its advantages, and its KL penalties.

Run as released: ``PolicyLoss`` and ``aggregate_loss`` of ``openrlhf/models/loss.py``,
``compute_approx_kl`` of ``openrlhf/models/utils.py``, and
``RemoteExperienceMaker.compute_advantages_and_returns`` of
``openrlhf/trainer/ppo_utils/experience_maker.py``, with ``Experience`` beside it.

Not run: what imports DeepSpeed and vLLM, which need a GPU.  The packages' own ``__init__`` files
are passed by, the modules named above are imported from the installed release, and two names stand
empty that they import and that are not called here: ``deepspeed`` and ``RayActorGroup``.

Made here: log-probabilities, which come from a table; rewards; the options, under the names that
``train_ppo_ray.py`` gives them.
"""

import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import torch
from groups import Row
from tables import Followed

LIBRARY, VERSION = "OpenRLHF", version("openrlhf")
ROOT = Path(find_spec("openrlhf").submodule_search_locations[0])


def _shell(name, **holds):
    """Put an empty module in the place of one, or of a package whose modules are still found."""
    module = ModuleType(name)
    if name.startswith("openrlhf"):
        module.__path__ = [str(ROOT.joinpath(*name.split(".")[1:]))]
    vars(module).update(holds)
    sys.modules[name] = module


for name in ("", ".models", ".trainer", ".trainer.ppo_utils", ".trainer.ray", ".utils"):
    _shell("openrlhf" + name)
if find_spec("deepspeed") is None:
    _shell("deepspeed")
_shell("openrlhf.trainer.ray.launcher", RayActorGroup=None)
_shell("openrlhf.utils.utils", zero_pad_sequences=None)

from openrlhf.models.loss import PolicyLoss, aggregate_loss  # noqa: E402
from openrlhf.models.utils import compute_approx_kl  # noqa: E402
from openrlhf.trainer.ppo_utils.experience import Experience  # noqa: E402
from openrlhf.trainer.ppo_utils.experience_maker import RemoteExperienceMaker  # noqa: E402

if not hasattr(sys.modules["deepspeed"], "__file__"):
    del sys.modules["deepspeed"]  # others look whether it is there


def advantages_of(batch, mask, estimator, no_std_norm=False):
    """The released estimator on one batch of answers, without a KL in the reward."""
    make = object.__new__(RemoteExperienceMaker)
    advantage = SimpleNamespace(estimator=estimator, gamma=1.0, lambd=1.0, no_std_norm=no_std_norm)
    make.strategy = SimpleNamespace(
        args=SimpleNamespace(
            reward=SimpleNamespace(overlong_buffer_len=None, stop_properly_penalty_coef=None,
                                   clip_range=None),
            rollout=SimpleNamespace(n_samples_per_prompt=batch.G),
            algo=SimpleNamespace(advantage=advantage),
        )
    )  # fmt: skip
    make.advantage_estimator, make.kl_ctl = estimator, SimpleNamespace(value=0.0)
    experience = Experience(
        index=list(range(len(mask))), rewards=torch.tensor(np.array(batch.rewards)),
        action_mask=mask.bool(), kl=torch.zeros_like(mask), info={},
    )  # fmt: skip
    return make.compute_advantages_and_returns([experience])[0].advantages


def followed(
    estimator, loss_agg_mode="token-mean", policy_loss_type="ppo", no_std_norm=False, **more
):
    """An update: an estimator of advantages, and a policy loss."""
    loss_of = PolicyLoss(
        token_level_loss=loss_agg_mode == "token-mean", policy_loss_type=policy_loss_type, **more
    )

    def of(batch, logp, old, ref, rewards, mask):
        advantages = advantages_of(batch, mask, estimator, no_std_norm)
        return loss_of(logp, old, advantages, action_mask=mask)[0]

    return Followed(of)


def penalty(kind, unbiased):
    """The KL penalty by itself, as a loss; the actor takes its mean over tokens."""

    def of(batch, logp, old, ref, rewards, mask):
        kl = compute_approx_kl(
            logp, ref, log_probs_old=old, kl_estimator=kind, unbiased_gradient=unbiased
        )
        return aggregate_loss(kl, mask)

    return Followed(of)


CLIP = dict(clip="min", epsilon=0.2)
ANSWER, TOKENS = dict(length="answer"), dict(length="group")
NORM = dict(advantages="standardised", ddof=1, epsilon_std=1e-9)


def rows():
    """Estimators, then losses, then penalties."""
    for estimator, row, ours in (
        ("group_norm", "GRPO, token mean", NORM | CLIP | TOKENS),
        ("dr_grpo", "the mean, token mean", dict(advantages="mean") | CLIP | TOKENS),
        ("rloo", "RLOO, token mean", dict(advantages="leave-one-out") | CLIP | TOKENS),
        ("reinforce_baseline", "REINFORCE++ with the group's mean", None),
    ):
        yield _row(estimator, row, ours, estimator=estimator)
    yield _row("reinforce", "REINFORCE++", None, estimator="reinforce", G=2, groups=2)
    yield _row(
        "flash_reinforce",
        "the batch's mean, token mean",
        None,
        estimator="flash_reinforce",
        G=1,
        groups=4,
    )
    yield _row(
        "group_norm-answer",
        "GRPO",
        NORM | CLIP | ANSWER,
        estimator="group_norm",
        loss_agg_mode="seq-mean-token-mean",
    )
    yield _row(
        "gspo",
        "GSPO",
        NORM | CLIP | ANSWER | dict(ratio="geometric"),
        estimator="group_norm",
        policy_loss_type="gspo",
    )
    for kind in ("k1", "k2", "k3"):
        for unbiased in (False, True):
            ours = TOKENS | dict(kl="k2" if unbiased else kind)
            yield Row(
                key=f"openrlhf-kl-{kind}{'-unbiased' if unbiased else ''}", library=LIBRARY,
                version=VERSION, kl=True, row=f"{ours['kl']} in the loss",
                option=f"kl.use_loss, kl.estimator={kind!r}" + ", kl.unbiased_gradient" * unbiased,
                update=penalty(kind, unbiased), update_old=penalty(kind, unbiased), ours=ours,
                ours_old=None if unbiased else ours,
            )  # fmt: skip


def _row(key, row, ours, G=4, groups=1, **options):
    names = {"estimator": "advantage.estimator"}
    said = ", ".join(f"{names.get(name, name)}={value!r}" for name, value in options.items())
    update = followed(**options)
    return Row(
        key=f"openrlhf-{key}", library=LIBRARY, version=VERSION, option=said, row=row, G=G,
        groups=groups, update=update, update_old=update, ours=ours, ours_old=ours,
    )  # fmt: skip
