"""Waiting, and a clock that only goes forward."""

from __future__ import annotations

import time
from collections.abc import Callable


class RealPolling:
    """Waits in real time."""

    def until(self, holds: Callable[[], bool], *, seconds: float, every: float = 0.25) -> bool:
        """Ask again and again; False when the time is over."""
        end = time.monotonic() + seconds
        while True:
            if holds():
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(every)

    def seconds(self) -> float:
        """The monotonic clock."""
        return time.monotonic()
