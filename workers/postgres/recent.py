"""What was listed a moment ago: the looks of one plan read the same folders several times."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

SECONDS = 2.0
"""Long enough for one plan, too short to show a person an old folder."""


class Recent(Generic[T]):
    """A listing, kept for a moment and forgotten as soon as something is changed."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._kept: tuple[float, T] | None = None

    def get(self, look: Callable[[], T]) -> T:
        """The listing, looked up anew when it is not recent."""
        if self._kept is None or time.monotonic() - self._kept[0] > self._seconds:
            self._kept = (time.monotonic(), look())
        return self._kept[1]

    def forget(self) -> None:
        """Look it up anew."""
        self._kept = None
