"""TRL: what one step of ``GRPOTrainer`` follows.

Run as released, by their names in ``trl/trainer/grpo_trainer.py`` and ``utils.py``:

* ``GRPOTrainer._generate_and_score_completions``: padding, masks, log-probabilities of the policy
  that drew and of the reference, advantages;
* ``GRPOTrainer.compute_loss``, which is all of ``_compute_loss`` and
  ``_get_per_token_logps_and_entropies``; its gradient by PyTorch;
* ``add_fused_lm_head``, by which the trainer reads log-probabilities off a model;
* ``GRPOConfig``: every option below is given to it, and all others keep its defaults.

Made here: the model, whose hidden state is the percept, one-hot, and whose head is the table of
logits; which answers were drawn, and what they earned (``_generate`` and ``_calculate_rewards`` of
the class below).  The trainer is made without its constructor, which wants a data set, a tokenizer
and a directory; the attributes that it would set are set from the options, under the same names.
"""

from collections import defaultdict
from importlib.metadata import version
from types import SimpleNamespace

import torch
from accelerate import Accelerator
from groups import Row
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import add_fused_lm_head

LIBRARY, VERSION = "TRL", version("trl")
PAD = 99  # no token; masked wherever it stands
# Attributes that the constructor copies from the options under their own names.
COPIED = (
    "loss_type", "scale_rewards", "importance_sampling_level", "beta", "num_iterations",
    "num_generations", "max_completion_length", "temperature", "top_entropy_quantile",
    "entropy_coef", "use_adaptive_entropy", "off_policy_mask_threshold", "use_vllm",
    "mask_truncated_completions", "pad_to_multiple_of", "multi_objective_aggregation",
    "vllm_importance_sampling_correction", "log_multimodal",
)  # fmt: skip

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


class Table(torch.nn.Module):
    """A language model that is a table: row theta[percept] for each text there is."""

    def __init__(self, world, theta, texts):
        super().__init__()
        self.texts, self.O, self.is_gradient_checkpointing = texts, world.O, False
        self.head = torch.nn.Linear(world.O, world.A, bias=False)
        self.head.weight.data = torch.tensor(theta).T.contiguous()
        self.config = SimpleNamespace(get_text_config=lambda: SimpleNamespace())
        add_fused_lm_head(self, outputs=("log_probs", "entropy"))

    @property
    def base_model(self):
        """From texts to the percept at each token, one-hot."""
        return self._hidden

    def _hidden(self, input_ids, **_):
        hidden = torch.zeros(*input_ids.shape, self.O)
        for i, row in enumerate(input_ids.tolist()):
            for t in range(len(row)):
                percept = self.texts.get(tuple(row[: t + 1]))
                if percept is not None:
                    hidden[i, t, percept] = 1.0
        return SimpleNamespace(last_hidden_state=hidden)

    def get_output_embeddings(self):
        """The table, as a head."""
        return self.head

    def forward(self, input_ids, **_):
        """Logits; the trainer takes the fused head instead."""
        return self.head(self._hidden(input_ids).last_hidden_state)


class Trainer(GRPOTrainer):
    """The released trainer, given what was drawn and what it earned."""

    def __init__(self, args, end):
        self.args, self.end = args, end
        for name in COPIED:
            setattr(self, name, getattr(args, name))
        self.epsilon_low = args.epsilon
        self.epsilon_high = args.epsilon if args.epsilon_high is None else args.epsilon_high
        self.num_generations_eval = self.num_generations
        self._entropy_bonus_enabled = False
        self.aux_loss_enabled = False
        self.reward_weights = torch.ones(1)
        self.reward_funcs, self.reward_func_names = [None], ["reward"]
        self._tokenizer = SimpleNamespace(pad_token_id=PAD)
        self.environment_factories = self.environments = self.ref_model = None
        self.tools, self.eos_token_ids = [], [self.end]
        self.accelerator = Accelerator(cpu=True)
        self.current_gradient_accumulation_steps = args.gradient_accumulation_steps
        self.forget()

    def forget(self):
        """Drop what is kept for logs."""
        self._metrics = {"train": defaultdict(list), "eval": defaultdict(list)}
        self._logs = defaultdict(list)
        self._logs["rewards"], self._logs["extra"] = defaultdict(list), defaultdict(list)
        self._pending_extra_logs, self._pending_metrics = defaultdict(list), defaultdict(list)

    def _generate(self, prompts):
        return [[p] for p in prompts], self.drawn, None, self.drawn, None, {}, None, []

    def _calculate_rewards(self, inputs, prompts, completions, completion_ids_list):
        return torch.tensor(self.earned)[:, None]


class Update:
    """From a batch to minus the gradient of the loss, with the options of one row."""

    def __init__(self, G, *, groups=1, old=False, longest=2, end=2, **options):
        size = G * groups
        self.args = GRPOConfig(
            output_dir="/tmp/policygrad-peers", use_cpu=True, bf16=False, report_to="none",
            num_generations=G, per_device_train_batch_size=size, steps_per_generation=1,
            max_completion_length=longest, num_iterations=2 if old else 1, **options,
        )  # fmt: skip
        self.trainer = Trainer(self.args, end)
        self.key = None

    def models(self, batch):
        """The three policies as language models, made anew when a table changes."""
        key = [x.tobytes() for x in (batch.theta, batch.theta_old, batch.theta_ref)]
        if key != self.key:
            self.key, self.texts = key, {}
            self.now, self.old, self.ref = (
                Table(batch.world, x, self.texts)
                for x in (batch.theta, batch.theta_old, batch.theta_ref)
            )
        return self.now, self.old, self.ref

    def __call__(self, batch):
        now, old, self.trainer.ref_model = self.models(batch)
        # Tokens are the actions, and a prompt is one behind them.
        prompts = (batch.world.A + batch.percepts[:, 0]).tolist()
        lengths = batch.lengths
        drawn = [row[:n].tolist() for row, n in zip(batch.actions, lengths, strict=True)]
        for prompt, answer, seen in zip(prompts, drawn, batch.percepts, strict=True):
            for t in range(len(answer)):
                self.texts[(prompt, *answer[:t])] = int(seen[t])
        trainer = self.trainer
        trainer.drawn, trainer.earned = drawn, batch.rewards
        trainer.model = old
        inputs = trainer._generate_and_score_completions([{"prompt": p} for p in prompts])
        now.zero_grad()
        trainer.model = now
        trainer.compute_loss(now, inputs).backward()
        trainer.forget()
        return -now.head.weight.grad.numpy().T


class Penalty:
    """What ``beta=1`` adds to an update: the update with it less the update without."""

    def __init__(self, **options):
        self.pulled, self.free = Update(4, beta=1.0, **options), Update(4, **options)

    def __call__(self, batch):
        return self.pulled(batch) - self.free(batch)


GROUP = dict(advantages="standardised", ddof=1, epsilon_std=1e-4, clip="min", epsilon=0.2)
NONE = dict(advantages="mean", clip="min", epsilon=0.2)
ANSWER, TOKENS, SUM = dict(length="answer"), dict(length="group"), dict(length="constant")
H = dict(length="constant", constant=2)  # max_completion_length
HELD = dict(clip="weight", epsilon=1.0, epsilon_high=4.0)
GEOMETRIC = dict(ratio="geometric")


def rows():
    """Every ``loss_type`` there is, then the other options that change what is climbed."""
    kinds = [
        # key, row of the book, options, ours on policy, ours at an old policy
        ("grpo", "GRPO", dict(loss_type="grpo"), GROUP | ANSWER, True),
        ("bnpo", "GRPO, token mean", dict(loss_type="bnpo"), GROUP | TOKENS, True),
        ("dr_grpo", "GRPO, constant", dict(loss_type="dr_grpo"), GROUP | H, True),
        ("dapo", "DAPO without redrawing", dict(loss_type="dapo"), GROUP | TOKENS, True),
        ("cispo", "CISPO", dict(loss_type="cispo", epsilon_high=5.0), GROUP | TOKENS | HELD, True),
        ("sapo", "GRPO on policy", dict(loss_type="sapo"), GROUP | ANSWER, None),
        ("luspo", "GSPO, sum", dict(loss_type="luspo", importance_sampling_level="sequence"),
         GROUP | SUM | GEOMETRIC, True),
        ("vespo", "DAPO on policy", dict(loss_type="vespo"), GROUP | TOKENS, None),
        ("gspo", "GSPO", dict(loss_type="grpo", importance_sampling_level="sequence"),
         GROUP | ANSWER | GEOMETRIC, True),
        ("grpo-none", "the mean, per answer", dict(loss_type="grpo", scale_rewards="none"),
         NONE | ANSWER, True),
        ("dapo-none", "the mean, token mean", dict(loss_type="dapo", scale_rewards="none"),
         NONE | TOKENS, True),
        ("dr_grpo-none", "Dr. GRPO", dict(loss_type="dr_grpo", scale_rewards="none"), NONE | H,
         True),
    ]  # fmt: skip
    for key, row, options, ours, old in kinds:
        yield _row(key, row, options, ours, old)
    yield _row(
        "dr_grpo-batch",
        "one deviation for a batch",
        dict(loss_type="dr_grpo", scale_rewards="batch"),
        None,
        None,
        G=2,
        groups=2,
    )
    yield _row(
        "truncated",
        "answers that were cut are left out",
        dict(loss_type="dr_grpo", scale_rewards="none", mask_truncated_completions=True),
        None,
        None,
    )
    yield _row(
        "quantile",
        "only tokens of high entropy",
        dict(loss_type="dr_grpo", scale_rewards="none", top_entropy_quantile=0.2),
        None,
        None,
    )
    for corrected in (False, True):
        options = dict(loss_type="dr_grpo", scale_rewards="none", use_bias_correction_kl=corrected)
        yield Row(
            key="trl-kl" + "-corrected" * corrected, library=LIBRARY, version=VERSION, kl=True,
            option=f"beta, loss_type='dr_grpo', use_bias_correction_kl={corrected}",
            row="k3, its ratio differentiated" if corrected else "k3 in the loss",
            update=Penalty(**options), update_old=Penalty(old=True, **options),
            ours=None if corrected else H | dict(kl="k3"),
            ours_old=None if corrected else H | dict(kl="k3"),
        )  # fmt: skip


def _row(key, row, options, ours, old, G=4, groups=1):
    said = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return Row(
        key=f"trl-{key}", library=LIBRARY, version=VERSION, option=said, row=row, G=G,
        groups=groups, ours=ours, ours_old=ours if old else None,
        update=Update(G, groups=groups, **options),
        update_old=Update(G, groups=groups, old=True, **options),
    )  # fmt: skip
