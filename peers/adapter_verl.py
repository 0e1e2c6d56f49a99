"""verl: what its policy losses follow, with its advantage estimators.

Run as released, from ``verl/trainer/ppo/core_algos.py``, imported the usual way: the advantage
estimators (``get_adv_estimator_fn``), the policy losses (``get_policy_loss_fn``), ``agg_loss``
inside of them, and ``kl_penalty``.  Their settings are verl's own ``ActorConfig`` and
``AlgoConfig``, with the defaults kept but for what a row names.

Made here: log-probabilities, which come from a table; rewards, paid with the last token; and one
line that adds the KL as a loss, as the actor does where ``use_kl_loss`` is set.
"""

import warnings
from importlib.metadata import version

import numpy as np
from groups import Row
from tables import Followed

warnings.simplefilter("ignore")

from verl.trainer.config import AlgoConfig  # noqa: E402
from verl.trainer.ppo.core_algos import (  # noqa: E402
    agg_loss,
    get_adv_estimator_fn,
    get_policy_loss_fn,
    kl_penalty,
)
from verl.workers.config import ActorConfig  # noqa: E402

LIBRARY, VERSION = "verl", version("verl")


def followed(estimator="grpo", loss="vanilla", loss_agg_mode="token-mean", std=True, **actor):
    """An update: an estimator of advantages, a policy loss and how its tokens are put together."""
    config = ActorConfig(
        strategy="fsdp", rollout_n=4, ppo_micro_batch_size_per_gpu=4, use_dynamic_bsz=False,
        loss_agg_mode=loss_agg_mode, **actor,
    )  # fmt: skip
    algo = AlgoConfig(adv_estimator=estimator, norm_adv_by_std_in_grpo=std, gamma=1.0)
    advantages_of, loss_of = get_adv_estimator_fn(estimator), get_policy_loss_fn(loss)
    extra = {"norm_adv_by_std_in_grpo": std} if estimator.startswith("grpo") else {}

    def of(batch, logp, old, ref, rewards, mask):
        index = np.array([f"prompt-{i}" for i in batch.group], dtype=object)
        advantages, _ = advantages_of(
            token_level_rewards=rewards, response_mask=mask, index=index, config=algo, **extra
        )
        return loss_of(old, logp, advantages, mask, loss_agg_mode, config)[0]

    return Followed(of)


def penalty(kind):
    """The KL penalty by itself, as a loss, tokens summed over an answer."""

    def of(batch, logp, old, ref, rewards, mask):
        return agg_loss(kl_penalty(logp, ref, kind), mask, "seq-mean-token-sum")

    return Followed(of)


GRPO = dict(advantages="standardised", ddof=1, epsilon_std=1e-6, clip="min", epsilon=0.2)
MEAN, RLOO = dict(advantages="mean"), dict(advantages="leave-one-out")
CLIP = dict(clip="min", epsilon=0.2)
ANSWER, TOKENS, SUM = dict(length="answer"), dict(length="group"), dict(length="constant")
H = dict(length="constant", constant=2)


def rows():
    """Losses, estimators, ways to put tokens together."""
    yield _row("grpo", "GRPO, token mean", GRPO | TOKENS)
    for mode, ours, row in (
        ("seq-mean-token-mean", ANSWER, "GRPO"),
        ("seq-mean-token-sum", SUM, "GRPO, sum"),
        ("seq-mean-token-sum-norm", H, "GRPO, constant"),
    ):
        yield _row(f"grpo-{mode}", row, GRPO | ours, loss_agg_mode=mode)
    yield _row(
        "mean-norm", "Dr. GRPO", MEAN | CLIP | H, std=False, loss_agg_mode="seq-mean-token-sum-norm"
    )
    yield _row(
        "rloo-sum", "RLOO", RLOO | CLIP | SUM, estimator="rloo", loss_agg_mode="seq-mean-token-sum"
    )
    yield _row("rloo", "RLOO, token mean", RLOO | CLIP | TOKENS, estimator="rloo")
    yield _row(
        "reinforce_plus_plus-sum",
        "REINFORCE++",
        None,
        estimator="reinforce_plus_plus",
        loss_agg_mode="seq-mean-token-sum",
        G=2,
        groups=2,
    )
    for estimator, row in (
        ("reinforce_plus_plus_baseline", "REINFORCE++ with the group's mean"),
        ("opo", "a baseline weighted by length"),
        ("gpg", "GPG's advantage"),
    ):
        yield _row(
            f"{estimator}-sum", row, None, estimator=estimator, loss_agg_mode="seq-mean-token-sum"
        )
    yield _row(
        "gspo",
        "GSPO",
        GRPO | ANSWER | dict(ratio="geometric"),
        loss="gspo",
        loss_agg_mode="seq-mean-token-mean",
        clip_ratio_low=3e-4,
        clip_ratio_high=4e-4,
    )
    yield _row("cispo", "CISPO", GRPO | TOKENS | dict(clip="weight"), loss="cispo")
    yield _row(
        "sapo",
        "GRPO on policy",
        GRPO | ANSWER,
        old=None,
        loss="sapo",
        loss_agg_mode="seq-mean-token-mean",
    )
    yield _row(
        "gpg",
        "RLOO without a ratio",
        RLOO | SUM,
        old=None,
        loss="gpg",
        estimator="rloo",
        loss_agg_mode="seq-mean-token-sum",
    )
    yield _row("geo_mean", "GRPO on policy", GRPO | ANSWER, old=None, loss="geo_mean")
    for kind, ours in (("k1", "k1"), ("k2", "k2"), ("low_var_kl", "k3"), ("low_var_kl+", "k2")):
        yield Row(
            key=f"verl-kl-{kind}", library=LIBRARY, version=VERSION, kl=True,
            option=f"use_kl_loss=True, kl_loss_type={kind!r}", row=f"{ours} in the loss",
            update=penalty(kind), update_old=penalty(kind), ours=SUM | dict(kl=ours),
            ours_old=SUM | dict(kl=ours),
        )  # fmt: skip


def _row(key, row, ours, old=True, G=4, groups=1, **options):
    names = {"estimator": "adv_estimator", "loss": "loss_mode", "std": "norm_adv_by_std_in_grpo"}
    said = ", ".join(f"{names.get(name, name)}={value!r}" for name, value in options.items())
    if ours and "clip_ratio_low" in options:
        ours = ours | dict(
            epsilon=options["clip_ratio_low"], epsilon_high=options["clip_ratio_high"]
        )
    update = followed(**options)
    return Row(
        key=f"verl-{key}", library=LIBRARY, version=VERSION, row=row, G=G, groups=groups,
        option=said or "adv_estimator='grpo', loss_mode='vanilla'", update=update,
        update_old=update, ours=ours, ours_old=ours if old else None,
    )  # fmt: skip
