r"""Put a loss on trial: the update that minimises it, by the scores and its own derivatives.

A loss L of the log-probabilities of the tokens moves theta by

    g = - sum_{i,t} (dL / d log pi_{i,t}) grad log pi_{i,t},

with everything else that it is given held.  The derivatives are the caller's own, by autograd, or
central differences, one token at a time,

    dL/dx = (L(x + h) - L(x - h)) / 2h,      off by h^2 L'''/6.

Where L has a kink the two sides differ: (L(x + h) - 2 L(x) + L(x - h)) / h falls with h if L is
smooth, and does not if it has a kink there.

Trajectories that are the same in a group have the same derivatives, as the order does not matter:
they are taken once.

Differences of numbers of 32 bits are noise: at h = 1e-5 they keep two digits or three.  What is
rounded so is refused, and told from a kink, at which the two sides differ by as much with any h.
"""

from __future__ import annotations

import inspect
import math

import numpy as np

from ..validate import real_array, real_number, require_callable, require_flag
from .calls import IN_64_BITS, Caller, in_32_bits, require_64_bits, takes, why_not_finite
from .doors import read
from .places import Group
from .report import Report
from .trials import EXACT, OF_LOSS, tried

STEP = 1e-5  # of the differences
BY_DIFFERENCES = 1e-7  # relative: what a mean made of them may be off
TRIED = 8  # groups for which the loss is called twice
KINK = 1e-4  # of the slopes of a group: if the two sides differ by more, one looks closer
WIDE = 100  # steps, where a kink is still one and rounding is not
ROUNDING = 1e-8  # what the two sides may differ by rounding, of terms of some 100

__all__ = ["trial_of_loss"]


def trial_of_loss(
    loss,
    world,
    theta,
    *,
    G: int = 1,
    theta_old=None,
    theta_ref=None,
    step_rewards: bool = False,
    grad=None,
    shared_start: bool = True,
    old_policies=None,
    against=None,
    epsilon: float = 0.2,
    epsilon_high: float | None = None,
    seed: int = 0,
    limit: int = 20_000,
) -> Report:
    """Say what the minimisation of a loss climbs, exactly.

    Parameters
    ----------
    loss : called as ``loss(logp, old_logp, ref_logp, rewards, mask)``, gives one number, to be
        minimised.  ``logp``, ``old_logp``, ``ref_logp`` and ``mask`` are (G, T), the mask 1.0 where
        a token counts and 0.0 in the padding; ``rewards`` is (G,), the whole returns.  Without
        ``theta_ref``, ``ref_logp`` is None.  What is to be held while the derivative by ``logp`` is
        taken may be asked for by a further argument ``held_logp``, the same numbers as ``logp``:
        ``exp(logp - held_logp)`` is 1 and has a slope.
    world, theta, G, theta_old, theta_ref, shared_start, old_policies, against, epsilon,
    epsilon_high, seed, limit : as in :func:`.trial`.
    step_rewards : give the rewards of the steps instead, (G, T).
    grad : called like ``loss``, but without ``held_logp``, and with arrays that may be written on;
        gives (G, T), the derivative of the loss by ``logp``, as from autograd.  ``loss`` itself is
        then not called.  Default: central differences.

    Returns
    -------
    A :class:`.Report`; print it.

    Raises
    ------
    ValueError, TypeError
        as :func:`.trial`; if the loss is no finite number, reads the padding, or has a kink, naming
        the token; if ``grad`` gives no (G, T) array.
    """
    require_callable("loss", loss, "a function of logp, old_logp, ref_logp, rewards, mask")
    if grad is not None:
        require_callable("grad", grad, "a function of logp, old_logp, ref_logp, rewards, mask")
    made = _Loss(loss, grad, require_flag("step_rewards", step_rewards))
    asked = read(
        world,
        theta,
        G=G,
        theta_old=theta_old,
        theta_ref=theta_ref,
        shared_start=shared_start,
        old_policies=old_policies,
        against=against,
        epsilon=epsilon,
        epsilon_high=epsilon_high,
        seed=seed,
        limit=limit,
    )
    return tried(Caller(made.update, "loss"), asked, BY_DIFFERENCES if grad is None else EXACT)


class _Loss:
    """A loss, as an update."""

    def __init__(self, loss, grad, step_rewards: bool):
        self.loss, self.grad, self.step_rewards = loss, grad, step_rewards
        try:
            self.held = "held_logp" in inspect.signature(loss).parameters
        except (TypeError, ValueError):
            self.held = False
        if grad is None and not takes(loss, OF_LOSS, **{"held_logp": None} if self.held else {}):
            group = "; this looks like an update: use trial" if takes(loss, ["group"]) else ""
            raise TypeError(f"loss must be a function of {', '.join(OF_LOSS)}{group}")
        if grad is not None and not takes(grad, OF_LOSS):
            raise TypeError(f"grad must be a function of {', '.join(OF_LOSS)}")
        self.asked = 0  # groups for which it was called twice
        self.padded = 0  # groups with a padding so far

    def update(self, group: Group) -> np.ndarray:
        """The step that lowers the loss, (O, A)."""
        slope = self._slopes(group) if self.grad is None else self._given(group)
        return -np.einsum("it,itoa->oa", slope * group.mask, group.scores)

    def _value(self, group: Group, logp, old_logp=None, ref_logp=None) -> float:
        old_logp = group.old_logp if old_logp is None else old_logp
        ref_logp = group.ref_logp if ref_logp is None else ref_logp
        logp.flags.writeable = False
        held = {"held_logp": group.logp} if self.held else {}
        rewards = group.step_rewards if self.step_rewards else group.rewards
        mask = group.mask.astype(float)
        mask.flags.writeable = False
        value = self.loss(logp, old_logp, ref_logp, rewards, mask, **held)
        if isinstance(value, float) and math.isfinite(value):  # also NumPy's own
            return value
        try:
            number = real_number("loss(...)", value)
            require_64_bits("loss(...)", value)
        except (ValueError, TypeError) as error:
            raise type(error)(f"{error}{_for(group)}{why_not_finite(error, group)}") from None
        return number

    def _slopes(self, group: Group) -> np.ndarray:
        """The derivatives by logp, (G, T), by differences."""
        base = self._value(group, group.logp.copy())
        self._require_one_answer(group, base)
        self._require_padding_unread(group, base)
        slopes, bends = np.zeros((2, *group.logp.shape))
        known, values = {}, []
        for i in range(group.G):
            like = known.setdefault(group.states[i].tobytes() + group.actions[i].tobytes(), i)
            for t in range(group.lengths[i]):
                if like != i:
                    slopes[i, t] = slopes[like, t]
                    continue
                up, down = self._beside(group, i, t, STEP)
                values += [up, down]
                slopes[i, t] = (up - down) / (2 * STEP)
                bends[i, t] = (up - 2 * base + down) / STEP
        if slopes.any() and in_32_bits(np.array(values)):
            raise TypeError(
                f"loss must be computed in 64 bits; all it returns is rounded to 32: {IN_64_BITS}"
            )
        sharp = np.abs(bends) > KINK * (np.abs(slopes).max(initial=0) + abs(base)) + ROUNDING
        for i, t in np.argwhere(sharp):
            self._require_smooth(group, i, t, base, bends[i, t])
        return slopes

    def _beside(self, group: Group, i: int, t: int, h: float) -> tuple[float, float]:
        """The loss with one log-probability moved up by h, and down."""
        found = []
        for by in (h, -h):
            logp = group.logp.copy()
            logp[i, t] += by
            found.append(self._value(group, logp))
        return found[0], found[1]

    def _require_one_answer(self, group: Group, base: float) -> None:
        """Ask for some groups twice."""
        if self.asked < TRIED:
            self.asked += 1
            again = self._value(group, group.logp.copy())
            if abs(again - base) > 1e-9 * (abs(again) + abs(base)):
                raise ValueError(
                    f"loss must answer the same group in the same way; it gives {base:.6g} and "
                    f"then {again:.6g}{_for(group)}"
                )

    def _require_smooth(self, group, i, t, base, bend) -> None:
        """Is it a sharp bend, which is half as large with half the step, or a kink?"""
        h = STEP / 2
        up, down = self._beside(group, i, t, h)
        nearer = (up - 2 * base + down) / h
        if abs(nearer - bend / 2) > 0.1 * abs(bend):
            self.asked = 0  # what is drawn anew looks like a kink
            self._require_one_answer(group, base)
            up_far, down_far = self._beside(group, i, t, WIDE * STEP)
            if abs(up_far - 2 * base + down_far) / (WIDE * STEP) < 0.1 * abs(bend):
                raise ValueError(
                    f"loss is rounded too much for differences, at logp[{i}, {t}]: its steps are "
                    f"some {abs(bend) * STEP:.1g}, beside a value of {base:.4g}; {IN_64_BITS}, or "
                    f"give grad={_for(group)}"
                )
            below, above = (base - down) / h, (up - base) / h
            raise ValueError(
                f"loss has a kink at logp[{i}, {t}] = {group.logp[i, t]:.4g}: its slope is "
                f"{below:.4g} below and {above:.4g} above; say which is meant, by grad=, or move "
                f"theta{_for(group)}"
            )

    def _given(self, group: Group) -> np.ndarray:
        rewards = group.step_rewards if self.step_rewards else group.rewards
        ref = None if group.ref_logp is None else group.ref_logp.copy()
        given = [group.logp.copy(), group.old_logp.copy(), ref, rewards.copy()]
        given.append(group.mask.astype(float))
        before = [None if x is None else x.copy() for x in given]
        value = self.grad(*given)
        for name, x, y in zip(
            ("logp", "old_logp", "ref_logp", "rewards", "mask"), given, before, strict=True
        ):
            if x is not None and not np.array_equal(x, y):
                raise ValueError(f"grad must not change what it is given; it changes {name}")
        try:
            slope = real_array("grad(...)", value, group.logp.shape, "(G, T)")
            require_64_bits("grad(...)", value)
        except (ValueError, TypeError) as error:
            raise type(error)(f"{error}{_for(group)}{why_not_finite(error, group)}") from None
        if in_32_bits(slope):
            raise TypeError(
                f"grad must be computed in 64 bits; all it returns is rounded to 32: {IN_64_BITS}"
            )
        if (slope[~group.mask] != 0).any():
            i, t = np.argwhere((slope != 0) & ~group.mask)[0]
            raise ValueError(
                f"loss reads padding: its derivative by logp[{i}, {t}], where mask is 0, is "
                f"{slope[i, t]:.4g}{_for(group)}; multiply by mask"
            )
        return slope

    def _require_padding_unread(self, group: Group, base: float) -> None:
        """Change what stands in the padding: of the first 8 groups with any, then of every 8th."""
        free = ~group.mask
        if not free.any():
            return
        self.padded += 1
        if self.padded > TRIED and self.padded % TRIED:
            return
        for k, name in enumerate(("logp", "old_logp", "ref_logp")):
            if getattr(group, name) is None:
                continue
            parts = [group.logp.copy(), group.old_logp, group.ref_logp]
            parts[k] = np.where(free, -1.5, getattr(group, name))
            parts[k].flags.writeable = False
            value = self._value(group, *parts)
            if abs(value - base) > 1e-9 * (1 + abs(base)):
                raise ValueError(
                    f"loss reads padding: it changes from {base:.6g} to {value:.6g} with {name} "
                    f"where mask is 0{_for(group)}; multiply by mask"
                )


def _for(group: Group) -> str:
    return (
        f", for a group with rewards {group.rewards.tolist()} and lengths {group.lengths.tolist()}"
    )
