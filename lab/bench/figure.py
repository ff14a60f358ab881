"""One row of the table, and how a percentile is taken of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One row of the table."""

    what: str
    measured: str
    bound: str
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """Whether the bound was met."""
        return "" if self.met is None else "met" if self.met else "MISSED"


def percentile(values: Sequence[float], percent: int) -> float:
    """By nearest rank: the smallest measured value that so many percent of all do not exceed.

    Nothing is interpolated, so that what is said was really seen. Of 30 values the 95th percentile is the 29th.
    """
    rank = -(-len(values) * percent // 100)
    return sorted(values)[rank - 1]
