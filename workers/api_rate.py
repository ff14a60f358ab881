"""Keeps calls of somebody else's API within its rate limit, for all runs of one process together.

Several processes do not know of each other; the headers of each answer tell them when nothing is left.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from actions.engine.errors import Away

_LONGEST_WAIT = 5.0


_WINDOW = 60.0
"""Seconds that PagerDuty counts calls over. A proxy before it may say anything, and nothing is paged for so long."""


@dataclass
class ApiRate:
    """A bucket of calls: `per_second` refill it, `burst` is how many may come at once."""

    per_second: float
    burst: float
    _left: float = field(init=False)
    _at: float = field(init=False)
    _closed_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._left, self._at = self.burst, time.monotonic()

    def wait(self, longest: float = _LONGEST_WAIT) -> None:
        """Wait for this call's turn.

        Raises:
            Away: the turn does not come within `longest` seconds.
        """
        seconds = self._turn(longest)
        if seconds > longest:
            raise Away(
                "PagerDuty's rate limit is used up for the moment.",
                code="MD-PD-003",
                detail=f"free again in {seconds:.0f} s",
                hint="Nothing to do: it is tried again by itself.",
            )
        time.sleep(seconds)

    def _turn(self, longest: float) -> float:
        with self._lock:
            now = time.monotonic()
            self._left = min(self.burst, self._left + (now - self._at) * self.per_second)
            self._at = now
            seconds = max(self._closed_until - now, (1 - self._left) / self.per_second, 0.0)
            if seconds <= longest:
                self._left -= 1
            return seconds

    def learn(self, status: int, headers: Mapping[str, str]) -> None:
        """Read what the answer says of the limit, and stay away while nothing is left."""
        left, reset = headers.get("ratelimit-remaining", ""), headers.get("ratelimit-reset", "")
        if status == 429 or (left.isascii() and left.isdigit() and float(left) == 0):
            pause = min(float(reset), _WINDOW) if reset.isascii() and reset.isdigit() else 1.0
            with self._lock:
                self._closed_until = time.monotonic() + pause


@cache
def pace_of(account: str, per_second: float, burst: float) -> ApiRate:
    """The one pace of an account in this process."""
    return ApiRate(per_second, burst)
