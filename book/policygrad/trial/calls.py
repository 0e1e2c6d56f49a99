r"""An update called for every group: its mean, its covariance, and what it must not do.

    E[g] = sum over groups of P(group) g(group),
    Cov[g] = sum over groups of P(group) (g - E g)(g - E g)^T.

Groups are listed without their order (:mod:`policygrad.exact.groups`).  So the update must not look
at it; nor may it change what it is given, or answer the same question in two ways; nor compute in
32 bits, as means are compared to nine digits.

Source: as :mod:`policygrad.exact.groups`.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np

from ..exact import GroupMoments
from ..memory import FLOAT, require_memory
from ..validate import real_array
from .places import Group, Place

TOGETHER = 1 << 22  # so many numbers are cut at a time
TRIED = 4  # groups that are tried again, and in another order
SHORT = 16  # bits: so short a number is as it is in 64 bits too, a half or a count
SAME = 1e-9  # relative: by so much may an order, or a second call, change an update
IN_64_BITS = (
    "a trial compares nine digits; use float64 throughout (in PyTorch tensors made of the arrays "
    'as they are, in JAX "jax_enable_x64")'
)

__all__ = ["Caller", "in_32_bits", "moments", "require_64_bits", "takes", "why_not_finite"]


def moments(place: Place, each: np.ndarray) -> GroupMoments:
    """The exact mean (O, A) and covariance (O*A, O*A) of an update's rows, one a group.

    Parameters
    ----------
    place : whose groups they belong to.
    each : (n, O*A) the update of each group.
    """
    chances = place.groups.chances
    mean = chances @ each
    apart = (each - mean) * np.sqrt(chances)[:, None]
    return GroupMoments(mean.reshape(place.theta.shape), apart.T @ apart)


def in_32_bits(values: np.ndarray) -> bool:
    """Have these numbers been rounded to 32 bits, or fewer, whatever holds them now?"""
    leading = np.ldexp(np.frexp(values)[0], SHORT)
    short = leading == np.round(leading)
    return bool((values.astype(np.float32) == values).all() and not short.all())


def require_64_bits(name: str, value) -> None:
    """Refuse numbers that are held in fewer than 64 bits."""
    held = getattr(value, "dtype", None)
    if held is not None and np.asarray(value).dtype.kind == "f" and np.asarray(value).itemsize < 8:
        raise TypeError(f"{name} must be computed in 64 bits; it holds {held}: {IN_64_BITS}")


def why_not_finite(error: Exception, group: Group) -> str:
    """A reason that a group may have for what is not finite; empty for another error."""
    if "must be finite" not in str(error):
        return ""
    if group.G == 1:
        return "; G is 1, and one alone has no group to compare with"
    return "; its rewards are all equal: their deviation is 0" * bool(np.ptp(group.rewards) == 0)


def takes(function, arguments, **named) -> bool:
    """Can a function be called so?  True where nobody can tell."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(*arguments, **named)
    except TypeError:
        return False
    return True


@dataclass(frozen=True, eq=False)
class Caller:
    """Calls an update for groups, and names what is wrong with what it returns.

    Attributes
    ----------
    update : of a :class:`.Group`, gives an (O, A) table.
    name : under which errors speak of it, "update" or "loss".
    """

    update: object
    name: str = "update"

    def each(self, place: Place) -> np.ndarray:
        """The update of each group of a place: (n, O*A).

        Raises
        ------
        ValueError, TypeError
            naming the group, if what is returned is no (O, A) table of finite numbers, if the
            update writes into its arguments, if it depends on the order within a group, or if a
            second call for the same group gives something else.
        """
        rows = place.groups.rows
        require_memory(
            f"what {self.name} returns for {len(rows):,} groups",
            FLOAT * len(rows) * place.theta.size,
            "take a smaller G or a smaller world",
        )
        out = np.empty((len(rows), place.theta.size))
        many = max(1, TOGETHER // (place.scores[0].size * place.G + 1))
        for first in range(0, len(rows), many):
            part = rows[first : first + many]
            for j, value in enumerate(self._of(place, part)):
                out[first + j] = value.ravel()
        return out

    def require_sound(self, place: Place, each: np.ndarray) -> None:
        """Call it again for some groups: as before, and in other orders."""
        rows = place.groups.rows
        different = (np.diff(rows, axis=1) != 0).sum(axis=1)
        most = np.flatnonzero(different == different.max())
        some = most[np.linspace(0, len(most) - 1, min(len(most), TRIED)).astype(int)]
        floor = SAME * np.abs(each).max() + 1e-300
        for how, group in (
            ("answer the same group in the same way", rows[some]),
            ("depend on the order within a group", rows[some][:, ::-1]),
            ("depend on the order within a group", np.roll(rows[some], 1, axis=1)),
        ):
            again = np.array([value.ravel() for value in self._of(place, group)])
            off = np.abs(again - each[some])
            if (off > floor).any():
                j, k = np.unravel_index(off.argmax(), off.shape)
                must = "must" if how.startswith("answer") else "must not"
                o, a = divmod(int(k), place.theta.shape[1])
                raise ValueError(
                    f"{self.name} {must} {how}; for the trajectories {rows[some][j].tolist()} and "
                    f"{group[j].tolist()} its entries [{o}, {a}] differ by {off[j, k]:.3g}"
                )

    def require_64_bits(self, each: list[np.ndarray]) -> None:
        """Refuse an update that was rounded to 32 bits on the way, at all of some places."""
        if in_32_bits(np.concatenate(each)):
            raise TypeError(
                f"{self.name} must be computed in 64 bits; all it returns is rounded to 32: "
                f"{IN_64_BITS}"
            )

    def _of(self, place: Place, rows: np.ndarray):
        for row, group in zip(rows, place.cut(rows), strict=True):
            try:
                value = self.update(group)
            except (TypeError, AttributeError) as error:
                if place.theta_ref is not None or "NoneType" not in str(error):
                    raise
                raise TypeError(
                    f"{self.name} stops at a None: without theta_ref there is no reference, and "
                    f"ref_logp is None; give theta_ref=, if it is meant ({error})"
                ) from error
            except ValueError as error:
                if "read-only" not in str(error):
                    raise
                raise ValueError(
                    f"{self.name} must not change what it is given; it writes into an array that "
                    f"is read-only: {error}; work on a copy"
                ) from error
            try:
                table = real_array(f"{self.name}(group)", value, place.theta.shape, "(O, A)")
                require_64_bits(f"{self.name}(group)", value)
            except (ValueError, TypeError) as error:
                raise type(error)(
                    f"{error}, for the group of trajectories {row.tolist()}"
                    f"{why_not_finite(error, group)}"
                ) from None
            yield table
