"""What a host achieved before, for estimates."""

from __future__ import annotations

from typing import Protocol


class Throughput(Protocol):
    """What this host achieved in earlier runs."""

    def bytes_a_second(self, phase: str) -> float | None:
        """The median of the last runs for `copy`, `replay` or `check`, None where there were none."""

    def note(self, phase: str, bytes: int, seconds: float) -> None:
        """Keep a figure of this run."""
