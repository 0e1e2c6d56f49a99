r"""An update called for every group: its mean, its covariance, and what it must not do.

    E[g] = sum over groups of P(group) g(group),
    Cov[g] = sum over groups of P(group) (g - E g)(g - E g)^T.

Groups are listed without their order (:mod:`policygrad.exact.groups`).  So the update must not look
at it; nor may it change what it is given, or answer the same question in two ways.

Source: as :mod:`policygrad.exact.groups`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exact import GroupMoments
from ..memory import FLOAT, require_memory
from ..validate import real_array
from .places import Place

TOGETHER = 1 << 22  # so many numbers are cut at a time
TRIED = 4  # groups that are tried again, and in another order
SAME = 1e-9  # relative: by so much may an order, or a second call, change an update

__all__ = ["Caller", "moments"]


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

    def _of(self, place: Place, rows: np.ndarray):
        for row, group in zip(rows, place.cut(rows), strict=True):
            try:
                value = self.update(group)
            except ValueError as error:
                if "read-only" not in str(error):
                    raise
                raise ValueError(
                    f"{self.name} must not change what it is given; it writes into an array that "
                    f"is read-only: {error}; work on a copy"
                ) from error
            try:
                yield real_array(f"{self.name}(group)", value, place.theta.shape, "(O, A)")
            except (ValueError, TypeError) as error:
                alone = "; G is 1, and one alone has no group to compare with" * (place.G == 1)
                raise type(error)(
                    f"{error}, for the group of trajectories {row.tolist()}{alone}"
                ) from None
