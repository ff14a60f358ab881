"""Chance that can be had again: every decision is drawn from the seed, the index and its own name.

So a decision that is added, or a kind that is switched off, leaves all others as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Dice:
    """The decisions of one cluster."""

    seed: int
    index: int

    def of(self, name: str) -> Random:
        """The source of one decision."""
        return Random(f"{self.seed}/{self.index}/{name}")

    def chance(self, name: str, share: float) -> bool:
        return self.of(name).random() < share

    def one(self, name: str, of: Sequence[T], weights: Sequence[float] | None = None) -> T:
        return self.of(name).choices(of, weights)[0]

    def number(self, name: str, low: int, high: int) -> int:
        """Of `low` to `high`, both included."""
        return self.of(name).randint(low, high)
