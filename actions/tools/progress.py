"""How far a step is, as it says while it works."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Says how far a long act is, notices a stop, keeps the act within its limit."""

    def __call__(self, done: float, total: float, text: str = "") -> None:
        """Raises Stopped where a person pressed Stop, RecoveryError where the act's limit is over."""
