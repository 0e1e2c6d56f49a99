"""Write book/libraries-on-trial.md from results.json: needs the standard library alone."""

import datetime
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "book" / "libraries-on-trial.md"

# What stands in the book for a row: its name there, and where it is explained.
WHERE = {
    "GRPO": "GRPO {eq}`eq-length-division`",
    "GRPO, token mean": "GRPO with a token mean {eq}`eq-length-division`",
    "GRPO, sum": "$A_i$ without a length {eq}`eq-group-climbs`",
    "GRPO, constant": "$A_i$ without a length {eq}`eq-group-climbs`",
    "GRPO on policy": "GRPO; another gate off policy",
    "DAPO without redrawing": "DAPO, groups not drawn again",
    "DAPO on policy": "DAPO; another gate off policy",
    "CISPO": "CISPO {eq}`eq-capped-score`",
    "GSPO": "GSPO {eq}`eq-geometric-slope`",
    "GSPO, sum": "GSPO, summed over tokens {eq}`eq-geometric-slope`",
    "the mean, per answer": "$R_i-\\bar R$, by length {eq}`eq-length-division`",
    "the mean, token mean": "$R_i-\\bar R$, token mean {eq}`eq-length-division`",
    "the batch's mean, token mean": "$R_i-\\bar R$, one group, token mean",
    "Dr. GRPO": "Dr. GRPO {eq}`eq-group-mean`",
    "RLOO": "RLOO {eq}`eq-group-mean`",
    "RLOO without a ratio": "RLOO {eq}`eq-group-mean`",
    "RLOO, token mean": "RLOO with a token mean {eq}`eq-length-division`",
    "one deviation for a batch": "{eq}`eq-group-deviation`",
    "answers that were cut are left out": "[](14-grpo)",
    "only tokens of high entropy": "no row",
    "REINFORCE++": "[](estimators-at-a-glance)",
    "REINFORCE++ with the group's mean": "[](estimators-at-a-glance)",
    "a baseline weighted by length": "[](10-baselines)",
    "GPG's advantage": "no row",
    "k1 in the loss": "$k_1$ {eq}`eq-k-in-loss`",
    "k2 in the loss": "$k_2$ {eq}`eq-k-in-loss`",
    "k3 in the loss": "$k_3$ {eq}`eq-k-in-loss`",
    "a critic's weight, without a clip": "$G_t-\\hat V_t$ {eq}`eq-baseline`",
    "GAE": "GAE {eq}`eq-gae-bias`",
    "advantages put in order within a batch": "[standardised](claim-standardise)",
    "the same, with four episodes": "[standardised](claim-standardise)",
    "the step is cut to a length": "no row",
    "PPO": "PPO [](12-ppo)",
    "PPO, second pass": "PPO {eq}`eq-clip-slopes`",
    "the factor is dropped": "[dropped $\\gamma^t$](claim-drop-gamma)",
    "time limit": "[](f-where-gamma-t-goes)",
    "an entropy bonus": "[an entropy bonus](claim-entropy)",
}
NAMES = {
    "J": "$J$",
    "sum of f_G(V)": "$\\sum_s\\mu(s)f_G(V_0(s))$",
    "sum of f(V), weighed by one over the share of right ones": "$\\sum_s\\mu(s)f(V_0(s))$, another $f$",
    "J less the baseline by G": "$J-\\frac1G\\mathbb E[b]$, $b$ the baseline",
    "minus the KL": "the KL, downhill",
    "J, without the factor of its time": "no objective: $J$'s steps without $\\gamma^t$",
    "J, the cut paid by the critic, without the factor of its time":
        "no objective: the same, for a return that goes on as the critic says",
    "minus the KL of each token by itself": "no objective: each token's own KL",
    "minus the mean of one over the tokens": "longer answers: $-\\mathbb E[1/\\sum_jT_j]$",
    "J, the cut paid by the critic": "a return that goes on as the critic says",
}  # fmt: skip
PLAIN = {
    "mean zero": "nothing: its mean is 0",
    "biased": "not $J$",
    "the gradient of nothing": "no objective",
    "the gradient of another objective": "another objective",
}


def climbs(row):
    """What the mean update climbs, in the words of the table."""
    if row["climbs"] is None:
        return PLAIN[row["verdict"]]
    name = NAMES[row["climbs"]]
    if row["verdict"] == "unbiased" or abs(row["factor"] - 1) < 1e-4:
        return name
    return f"{name}, times {row['factor']:.3g}"


def cells(numbers):
    """Size and angle."""
    if numbers["angle"] is None:
        return "0 | "
    return f"{numbers['size']:.2f} | {numbers['angle']:.1f}°"


def table(rows):
    """A table of rows of one kind."""
    lines = [
        "| option | it climbs | size | angle | size, old | angle, old | in this book |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        option = "<br>".join(f"`{part}`" for part in row["option"].split(", "))
        lines.append(
            f"| {option} | {climbs(row)} | {cells(row['on'])} | {cells(row['old'])} | "
            f"{WHERE[row['row']]} |"
        )
    return "\n".join(lines)


def by_key(found):
    """Rows by their keys."""
    return {row["key"]: row for row in found["rows"]}


def render(found):
    """The whole page."""
    rows, at = found["rows"], by_key(found)
    day = datetime.date.fromisoformat(found["date"])
    versions = [f"{name} {number}" for name, number in found["versions"].items()]

    def of(library, kl=False):
        return table([x for x in rows if x["library"] == library and x["kl"] == kl])

    def angle(key, when="on"):
        return f"{at[key][when]['angle']:.1f}°"

    def size(key, when="on"):
        return f"{at[key][when]['size']:.2f}"

    values = {
        "date": f"{day.day} {day:%B %Y}",
        "versions": ", ".join(versions[:-1]) + " and " + versions[-1],
        "number": len(rows),
        "trl": of("TRL"),
        "verl": of("verl"),
        "openrlhf": of("OpenRLHF"),
        "sb3": of("Stable-Baselines3"),
        "cleanrl": of("CleanRL"),
        "verl_kl": of("verl", kl=True),
        "openrlhf_kl": of("OpenRLHF", kl=True),
        "rloo_angle": angle("verl-rloo"),
        "answer_angle": angle("trl-grpo-none"),
        "token_angle": angle("trl-dapo-none"),
        "normalised_two": angle("sb3-normalised"),
        "normalised_four": angle("sb3-normalised-4"),
        "cut_angle": angle("trl-truncated"),
        "cut_size": size("trl-truncated"),
        "half": size("sb3-whole"),
        "norm_angle": angle("sb3-grad-norm"),
    }
    return TEXT.format(**values)


TEXT = """# Libraries on trial

:::{{admonition}} Contract
:class: contract

**The question.** What does the loss climb that a training library has in its release, with each of its options?

**You need** the words of [](estimators-at-a-glance); each row says where it is explained.

**You will be able to** say of an option of your library what its mean update follows, and to judge the next release by one command.
:::

Judged on {date}: {versions}, each installed from its release and run as it is. {number} options were tried. Nothing on this page was typed: `make peers` installs
the libraries, judges them and writes the page. A later release may do otherwise.

## What was done

A library is given a policy so small that everything about it is known, and every batch of samples that this policy can draw, each with its probability. From each batch the library's own code makes a loss, and
PyTorch its gradient. Their average is what the option follows: exactly, with no sampling. It is set beside $\\nabla J$, by its **size** as a multiple of $\\nabla J$ and its **angle** to it.
*It climbs* names an objective where the average is the gradient of one that this book knows; *no objective* means that its derivatives do not commute, so that it is nobody's gradient {{eq}}`eq-derivatives-commute`.
The columns *old* are the same where the samples came from an older policy, half a unit of noise away in each logit; there the clips have work to do.

- **Answers of a language model** (TRL, verl, OpenRLHF): the tiny language of [](14-grpo) with the prompts a and ba and answers of one or two tokens. Rewards are 0 and 1. Groups have $G=4$ answers, or stand in a batch of several where the option
is about batches.
- **Steps of an agent** (Stable-Baselines3, CleanRL): two steps, always, in a world of six rooms. A batch is two episodes, and the critic is wrong on purpose. $\\gamma=1$ unless said.

What a row does not name is the library's default. Which lines are run as released, and which inputs were made for them, stands at the head of each adapter in the folder `peers`.
For each row that the book's own package can compute, the tests compare every entry of the average with the package's, by code that shares nothing with the library's.

A verdict says where a mean points, in one world and at one policy. It does not say how well a library trains: an update may lean away from $\\nabla J$ for a good reason, such as less noise.

## TRL

`GRPOTrainer`, from the drawn answers to the gradient of its loss. It divides by the deviation with $G-1$ and adds $10^{{-4}}$.

{trl}

Its documentation agrees: it says that `"grpo"` favours short answers with a positive advantage, that scaling by the deviation weighs prompts by difficulty, that `"luspo"` wants the level `"sequence"`.
With `scale_rewards="none"` the length is all that differs: the angle is {answer_angle} for a mean per answer, {token_angle} for a token mean and 0 for a constant.
`scale_rewards="batch"` was judged on two groups of two, the one case in which a batch's deviation weighs prompts alike.
`mask_truncated_completions` keeps {cut_size} of the gradient's length, {cut_angle} off: here an answer that is cut may be right.

## verl

Its policy losses, fed by its estimators of advantages.

{verl}

The estimator alone decides nothing: RLOO's advantages with the default `"token-mean"` are {rloo_angle} off, and with `"seq-mean-token-sum"` they are exactly $\\nabla J$. To follow $J$, take both settings together.

## OpenRLHF

`PolicyLoss`, fed by the advantages of its experience maker.

{openrlhf}

## A KL penalty in the loss

Here size and angle are beside minus the gradient of the answers' KL from a reference, and the penalty is judged alone.

{openrlhf_kl}

{verl_kl}

With verl the tokens of an answer are summed; OpenRLHF takes their mean whatever the policy loss does. The trick behind `kl.unbiased_gradient` and behind the sign `+` makes every estimate pull like $k_2$, as both say. That is each token's own KL, in the
places that were met. What a token does to the KL of those behind it is missing, and so it is the gradient of the answers' KL only where answers have one token: see [](13-kl).

## Stable-Baselines3

`PPO`: `collect_rollouts` and one call of `train`, with SGD of step size 1 in the place of Adam. One pass over the data, in one batch, unless said.

{sb3}

Without the normalisation, with $\\lambda=1$ and no limit on the length of a step, the first pass climbs $J$, whatever the critic says; the factor is one over the number of steps, as the loss is a mean over them.
Normalising advantages within a batch turns it by {normalised_two}, in a batch of four steps; with eight it is {normalised_four}. It is a matter of small batches.
`max_grad_norm=0.5` turns it by {norm_angle}, since long steps are cut and short ones are not. `TimeLimit.truncated` adds the critic's value of what was cut, so that the return goes on: angles there are beside $J$ of the two steps alone.

## CleanRL

The statements of `ppo.py` between the stored steps and the end of the epochs.

{cleanrl}

Rows that are set alike come out as those of Stable-Baselines3, which is another program.

## What was not run

- **Spinning Up** has no release that a package index serves; the package `spinup` there is a program for web servers. Its code asks for MPI and for versions of TensorFlow or PyTorch and Gym that today's Python does not install.
- **TorchRL**: its release asks for a newer `tensordict` than verl allows, so that it needs an environment of its own. It is not judged yet.
- **Sampling engines, several machines, accumulation over micro-batches, Adam**: a row is one gradient of one batch. What engines do to ratios is tried in [](17-practice-on-trial).
- In TRL `"cispo"` is judged with the width that it recommends; widths of other losses are the defaults.

## Do it again

`make peers` makes an environment of its own, `peers/.venv`, and touches neither the book's nor its notebooks. On Linux the release of PyTorch brings the libraries of a GPU along, although none is used. `peers/README.md` says how long it takes and how much
disk, and how to judge a library of your own: an adapter is a function from a batch to a gradient. [](18-your-own) does the same for a loss that you wrote yourself.
"""


def write_page(found):
    """Write the page; give its path."""
    PAGE.write_text(render(found), "utf-8")
    return PAGE


if __name__ == "__main__":
    print(write_page(json.loads((HERE / "results.json").read_text("utf-8"))))
