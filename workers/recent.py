"""What was listed a moment ago: the looks of one plan read the same folders several times."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SECONDS = 2.0
"""Long enough for one plan, too short to show a person an old folder."""


class Recent:
    """Listings by name, each kept for a moment and forgotten as soon as something is changed."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._kept: dict[str, tuple[float, object]] = {}

    def get(self, name: str, look: Callable[[], T]) -> T:
        """The listing of that name, looked up anew when it is not recent."""
        found = self._kept.get(name)
        if found is None or time.monotonic() - found[0] > self._seconds:
            found = (time.monotonic(), look())
            self._kept[name] = found
        return found[1]  # type: ignore[return-value]

    def forget(self) -> None:
        """Look everything up anew."""
        self._kept.clear()
