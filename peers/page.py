"""Write book/libraries-on-trial.md, page.md with the tables and numbers of results.json.

Needs the standard library alone.
"""

import datetime
import json
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
PAGE, TEXT = HERE.parent / "book" / "libraries-on-trial.md", HERE / "page.md"

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
    "one deviation for a batch": "[a batch's deviation](claim-batch-deviation)",
    "answers that were cut are left out": "[masked](claim-masking)",
    "only tokens of high entropy": "not in this book",
    "REINFORCE++": "[a batch's deviation](claim-batch-deviation)",
    "REINFORCE++ with the group's mean": "[a batch's deviation](claim-batch-deviation)",
    "a baseline weighted by length": "[a baseline](10-baselines)",
    "GPG's advantage": "not in this book",
    "k1 in the loss": "$k_1$ {eq}`eq-k-in-loss`",
    "k2 in the loss": "$k_2$ {eq}`eq-k-in-loss`",
    "k3 in the loss": "$k_3$ {eq}`eq-k-in-loss`",
    "k3, its ratio differentiated": "$w\\,k_3$ {eq}`eq-k-off-policy`",
    "a critic's weight, without a clip": "$G_t-\\hat V_t$ {eq}`eq-baseline`",
    "GAE": "GAE {eq}`eq-gae-bias`",
    "advantages put in order within a batch": "[normalised](claim-minibatch-normalised)",
    "the same, with four episodes": "[normalised](claim-minibatch-normalised)",
    "the step is cut to a length": "not in this book",
    "PPO": "[PPO](12-ppo)",
    "PPO, second pass": "PPO {eq}`eq-clip-slopes`",
    "the factor is dropped": "[dropped $\\gamma^t$](claim-drop-gamma)",
    "time limit": "[a cut](claim-cut-bootstrapped)",
    "an entropy bonus": "[an entropy bonus](claim-entropy)",
}
NAMES = {
    "J": "$J$",
    "sum of f_G(V)": "$J$ bent by $f_G$",
    "sum of f(V), weighed by one over the share of right ones": "$J$ bent by another $f$",
    "J less the baseline by G": "$J$ less $\\frac1G\\mathbb E[b]$, $b$ the baseline",
    "minus the KL": "the KL, downhill",
    "J, without the factor of its time": "no objective: $J$'s steps without $\\gamma^t$",
    "J, the cut paid by the critic, without the factor of its time":
        "no objective: as above, the cut paid by the critic",
    "minus the KL of each token by itself": "no objective: each token's own KL",
    "minus the mean of one over the tokens": "longer answers: $-\\mathbb E[1/\\sum_jT_j]$",
    "J, the cut paid by the critic": "$J$, the cut paid by the critic",
}  # fmt: skip
DEFAULT = {"trl-dapo"}  # rows that a library follows unless it is told otherwise
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
    if row["factor"] is None:
        name = f"parallel to {name}; the factor moves with the policy"
    if row["verdict"] == "the gradient of nothing" and not name.startswith("no objective"):
        name = f"no objective: {name}"
    if row["factor"] is None:
        return name
    if abs(row["factor"] - 1) < 1e-4:
        return name
    return f"{name}, times {row['factor']:.3g}"


def code(part):
    """A part of an option; a long one may go on in the next line behind its sign."""
    if part.startswith("defaults but"):
        return "the defaults, one pass"
    name, sign, value = part.removeprefix("defaults: ").partition("=")
    if value[:1].isdigit() or value == "inf":
        return f"`{name}` {value}"
    return (
        f"`{name}={value}`"
        if len(part) < 26 and sign
        else f"`{name}{sign}` `{value}`".replace(" ``", "")
    )


def cells(numbers):
    """Size and angle."""
    if numbers["angle"] is None:
        return "0"
    return f"{numbers['size']:.2f},\u00a0{numbers['angle']:.1f}°"


def table(rows):
    """A table of rows of one kind."""
    lines = [
        "| option | size, angle | it climbs | old samples: size, angle | in this book |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        option = "<br>".join(code(part) for part in row["option"].split(", "))
        if row["key"] in DEFAULT:
            option += "<br>(the default)"
        lines.append(
            f"| {option} | {cells(row['on'])} | {climbs(row)} | {cells(row['old'])} | "
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
        "trl_kl": of("TRL", kl=True),
        "verl_kl": of("verl", kl=True),
        "openrlhf_kl": of("OpenRLHF", kl=True),
        "rloo_angle": angle("verl-rloo"),
        "answer_angle": angle("trl-grpo-none"),
        "token_angle": angle("trl-dapo-none"),
        "normalised_two": angle("sb3-normalised"),
        "normalised_four": angle("sb3-normalised-4"),
        "cut_angle": angle("trl-truncated"),
        "cut_size": size("trl-truncated"),
        "grpo_angle": angle("trl-grpo"),
        "defaults_angle": angle("sb3-defaults"),
        "dapo_angle": angle("trl-dapo"),
        "kl_angle": angle("openrlhf-kl-k2-unbiased"),
        "kl_old": angle("openrlhf-kl-k2", "old"),
        "kl_old_unbiased": angle("openrlhf-kl-k2-unbiased", "old"),
        "norm_angle": angle("sb3-grad-norm"),
        "batch_factors": "{:.4f}, {:.4f} and {:.4f}".format(*at["trl-dr_grpo-batch"]["factors"]),
    }
    text = TEXT.read_text("utf-8")
    named = set(re.findall(r"@(\w+)@", text))
    if named ^ set(values):
        raise ValueError(f"{TEXT.name} must name each value once: {sorted(named ^ set(values))}")
    return re.sub(r"@(\w+)@", lambda found: str(values[found[1]]), text)


def write_page(found):
    """Write the page; give its path."""
    PAGE.write_text(render(found), "utf-8")
    return PAGE


if __name__ == "__main__":
    print(write_page(json.loads((HERE / "results.json").read_text("utf-8"))))
