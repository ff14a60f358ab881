"""PagerDuty's rate limits: 960 calls a minute and token on REST, 120 events a minute and routing key."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from lab.slack.limits import Bucket

REST_PER_MINUTE = 960
EVENTS_PER_MINUTE = 120


@dataclass(frozen=True)
class Allowance:
    """What is left for a caller; `wait` is 0 where the call may pass. Seconds."""

    limit: int
    remaining: int
    wait: float

    @property
    def headers(self) -> dict[str, str]:
        """As PagerDuty says it with every answer."""
        reset = max(1, math.ceil(self.wait))
        return {
            "ratelimit-limit": str(self.limit),
            "ratelimit-remaining": str(self.remaining),
            "ratelimit-reset": str(reset),
        }


class Limiter:
    """A bucket for each caller."""

    def __init__(self, clock: Callable[[], float], per_minute: int) -> None:
        self._clock = clock
        self.per_minute = per_minute
        self._buckets: dict[str, Bucket] = {}

    def take(self, caller: str) -> Allowance:
        now, size = self._clock(), float(self.per_minute)
        bucket = self._buckets.setdefault(caller, Bucket(size / 60, size, size, now))
        wait = bucket.take(now)
        return Allowance(self.per_minute, int(bucket.left), wait)
