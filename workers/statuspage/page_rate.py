"""At most one request in so many seconds, whoever in this process asks."""

from __future__ import annotations

import threading
import time
from functools import cache


class PageRate:
    """Lets callers pass one after the other, `seconds` apart."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait(self) -> None:
        """Wait for the next free place; places are given in the order of asking."""
        with self._lock:
            mine = max(time.monotonic(), self._free_at)
            self._free_at = mine + self.seconds
        time.sleep(max(mine - time.monotonic(), 0.0))

    def rest(self, seconds: float) -> None:
        """Nobody passes for so long: the other side has said that it was too much."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic() + seconds)


@cache
def pace_for(address: str, token: str, seconds: float) -> PageRate:
    """The one pace of a token: adapters come and go with runs, the limit stays."""
    return PageRate(seconds)
