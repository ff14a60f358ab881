"""Slack's rate limits: a bucket per method, and one per channel for chat.postMessage."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

PER_MINUTE = {
    1: ("apps.connections.open",),
    20: ("users.list", "usergroups.list", "usergroups.users.list", "conversations.list", "pins.add"),
    50: (
        "chat.update",
        "chat.delete",
        "conversations.history",
        "conversations.replies",
        "conversations.info",
        "conversations.join",
        "reactions.add",
    ),
    100: (
        "chat.postEphemeral",
        "views.open",
        "views.update",
        "views.publish",
        "views.push",
        "users.info",
        "conversations.members",
        "files.getUploadURLExternal",
        "files.completeUploadExternal",
    ),
}
TIER = {method: per_minute for per_minute, methods in PER_MINUTE.items() for method in methods}
POST_BURST = 8


@dataclass
class Bucket:
    """Tokens that refill steadily; empty means wait."""

    per_second: float
    size: float
    left: float
    at: float

    def take(self, now: float) -> float:
        """0.0 when the call may pass, else the seconds until the next one may."""
        self.left = min(self.size, self.left + (now - self.at) * self.per_second)
        self.at = now
        if self.left < 1:
            return (1 - self.left) / self.per_second
        self.left -= 1
        return 0.0


@dataclass
class Tally:
    """How many calls were answered, and how many of them with "too many", by method."""

    calls: int = 0
    limited: Counter[str] = field(default_factory=Counter)

    def count(self, method: str, status: int) -> None:
        """Note one answer."""
        self.calls += 1
        if status == 429:
            self.limited[method] += 1

    def as_json(self) -> dict[str, Any]:
        """For the control API."""
        return {"calls": self.calls, "limited": dict(self.limited)}


class Limiter:
    """Counts calls as Slack does, per method (and channel, for posts)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def retry_after(self, method: str, channel: str) -> int | None:
        """None when the call may pass, else the whole seconds of Retry-After."""
        shape = shape_of(method)
        if shape is None:
            return None
        key = (method, channel if method == "chat.postMessage" else "")
        now = self._clock()
        bucket = self._buckets.setdefault(key, Bucket(shape[0], shape[1], shape[1], now))
        wait = bucket.take(now)
        return max(1, math.ceil(wait)) if wait else None


def shape_of(method: str) -> tuple[float, float] | None:
    """Refill per second and burst of a method, or None where there is no limit."""
    if method == "chat.postMessage":
        return 1.0, float(POST_BURST)
    per_minute = TIER.get(method)
    if per_minute is None:
        return None
    # Slack's first tier promises one call a minute and bears bursts; a bot that reconnects after an
    # outage asks for a new socket every few seconds, and the real service lets it.
    return (1.0, 20.0) if per_minute == 1 else (per_minute / 60, float(per_minute) / 2)
