"""An answer for the person who asked, and for nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class PrivateAnswer(Protocol):
    """Hands text to whoever asked for the run. It is kept for minutes and never in a journal."""

    def give(self, lines: Sequence[str]) -> None:
        """These lines are what they see."""
