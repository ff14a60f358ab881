"""Waiting until something holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Polling(Protocol):
    """Waits for something to come true."""

    def until(self, holds: Callable[[], bool], *, seconds: float, every: float = 0.25) -> bool:
        """Ask again and again; False when the time is over."""

    def seconds(self) -> float:
        """A clock that only goes forward, for durations."""
