"""A target: the moment, transaction or position that a recovery goes back to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from actions.clock.times import describe_moment
from actions.clock.zones import zone_named


@dataclass(frozen=True)
class Target:
    """The moment to recover to. Exactly one of at, xid and lsn is set, except for latest, which has none.

    A bare time is read in two zones. `other` is the earlier of two readings; `not_read` says why the other zone has
    no reading, for example that 14:30 UTC has not come yet.
    """

    kind: Literal["time", "xid", "lsn", "latest"]
    text: str
    zone: str = "UTC"
    at: datetime | None = None
    xid: int | None = None
    lsn: str | None = None
    other: Target | None = None
    not_read: str = ""


def in_zone_words(clock: str, zone: str) -> str:
    """A time with its zone as people say it: 14:30 UTC, 14:30 +02:00, 14:30 in Europe/Berlin."""
    return f"{clock} in {zone}" if "/" in zone else f"{clock} {zone}"


def describe(target: Target, now: datetime, zone: ZoneInfo | str) -> str:
    """One line for the plan: UTC, the reader's own zone, and how long ago."""
    if target.at is not None:
        return describe_moment(target.at, now, zone_named(zone) if isinstance(zone, str) else zone)
    if target.kind == "xid":
        return f"just before transaction {target.xid}"
    return f"just before WAL position {target.lsn}" if target.kind == "lsn" else "the last committed transaction"
