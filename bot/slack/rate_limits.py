"""Keeping below Slack's rate limits instead of running into them; and waiting for one where Slack said so.

A limit that Slack tells is one of its method and channel, so that nothing else waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_WAIT = timedelta(minutes=5)
"""A moment further ahead is of before the clock was set back."""


class Method(StrEnum):
    """The calls that Slack limits, each by itself."""

    POST = "post"
    EDIT = "edit"
    UPLOAD = "upload"
    LOOK = "look"


Call = tuple[Method, str]
"""A method, and the channel that it is used on."""


def waits(until: datetime | None, now: datetime) -> bool:
    """Whether that moment is still to come."""
    return until is not None and timedelta() < until - now <= LONGEST_WAIT


@dataclass
class Bucket:
    """Calls that may be made now, refilled steadily."""

    per_second: float
    size: float
    left: float
    at: datetime

    def has(self, now: datetime, spare: float = 0.0) -> bool:
        """Whether a call may be made and leave `spare` for more important ones."""
        passed = max(0.0, (now - self.at).total_seconds())
        self.left, self.at = min(self.size, self.left + passed * self.per_second), now
        return self.left >= 1 + spare

    def take(self, now: datetime) -> None:
        """Count a call."""
        self.has(now)
        self.left -= 1


@dataclass
class SlackLimits:
    """One bucket for each channel's posts, one for all edits: Slack counts them so."""

    clock: Callable[[], datetime]
    posts: dict[str, Bucket] = field(default_factory=dict)
    edits: Bucket = field(init=False)
    told: dict[Call, datetime] = field(default_factory=dict)
    """Until when Slack wants no such call."""

    def __post_init__(self) -> None:
        # Slack allows 50 edits a minute; some are left for what people do at the same time.
        self.edits = Bucket(45 / 60, 12, 12, self.clock())

    def limited(self, call: Call, seconds: float) -> None:
        """Slack wants no such call for so long."""
        self.told[call] = self.clock() + timedelta(seconds=seconds)

    def allows(self, call: Call) -> bool:
        """Whether Slack has not said that such a call has to wait."""
        return not waits(self.told.get(call), self.clock())

    def may_post(self, channel: str, reply: bool = False) -> bool:
        """Whether a message may be posted now; replies leave room for a thread that begins."""
        return self._posts(channel).has(self.clock(), spare=1.0 if reply else 0.0)

    def posted(self, channel: str) -> None:
        """Count a post."""
        self._posts(channel).take(self.clock())

    def may_edit(self, cosmetic: bool) -> bool:
        """Whether a message may be edited now; cosmetics leave room for answers and failures."""
        return self.edits.has(self.clock(), spare=4.0 if cosmetic else 0.0)

    def edited(self) -> None:
        """Count an edit."""
        self.edits.take(self.clock())

    def _posts(self, channel: str) -> Bucket:
        return self.posts.setdefault(channel, Bucket(1.0, 6, 6, self.clock()))
