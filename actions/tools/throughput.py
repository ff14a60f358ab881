"""What a host achieved before, for estimates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actions.watch.step_times import PastSeconds


class Throughput(Protocol):
    """What this host achieved in earlier runs."""

    def bytes_a_second(self, phase: str) -> float | None:
        """The median of the last runs for `copy`, `replay` or `check`, None where there were none."""

    def seconds(self, steps: Sequence[str]) -> PastSeconds | None:
        """What these steps took together in earlier runs of this procedure on this service and site, None without."""

    def note(self, phase: str, bytes: int, seconds: float) -> None:
        """Keep a figure of this run."""
