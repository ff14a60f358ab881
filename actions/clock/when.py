"""What a person means by ``<when>``: the words of ``/recover postgres pitr``, as a target.

A bare time is read in the operations zone, as its most recent past occurrence. Every time becomes UTC;
what could mean two moments is refused with both, rather than guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from actions.clock.pasted_text import refuse, tidy
from actions.clock.times import describe_moment
from actions.clock.wallclock import Wall, resolve
from actions.clock.zones import WhenError, zone_name, zone_named
from actions.postgres.lsn import format_lsn, parse_lsn

__all__ = ["Target", "WhenError", "describe", "parse_when"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AMOUNT = r"(\d{1,7}(?:\.\d{1,3})?|an?(?=\s))\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)"
_AGO = re.compile(rf"{_AMOUNT}(?:(?:,?\s*(?:and\s+)?){_AMOUNT}){{0,4}}\s+ago", re.ASCII)
_ONE_AMOUNT = re.compile(rf"{_AMOUNT}(?![a-z])", re.ASCII)
_XID = re.compile(r"(?:just )?before (?:xid|transaction|tx) #?(\d{1,20})", re.ASCII)
_LSN = re.compile(r"(?:just )?before (?:lsn )?([0-9a-f]{1,8}/[0-9a-f]{1,8})", re.ASCII)
_CLOCK = (
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,6}))?)?"
    r"(?:\s?(?P<half>[ap])\.?m\.?)?|\s?(?P<half2>[ap])\.?m\.?)"
)
_DAY = r"(?P<day>\d{4}-\d{2}-\d{2}|yesterday|today)"
_ZONE = r"(?:\s*(?P<zone>z|(?:utc|gmt)?\s?[+-]\d{1,2}(?::?\d{2})?)|\s+\(?(?P<named>[a-z][a-z_/+-]*[a-z0-9_/+-]*)\)?)?"
_TIME = re.compile(rf"(?:{_DAY}(?:t|,?\s+(?:at\s+)?))?(?:at\s+)?{_CLOCK}{_ZONE}", re.ASCII)
_DAY_LAST = re.compile(rf"{_CLOCK}\s+(?P<day>yesterday|today){_ZONE}", re.ASCII)
# PostgreSQL wrote no WAL that we could replay before this; it also keeps the arithmetic in range.
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
_LARGEST_XID = 2**64


@dataclass(frozen=True)
class Target:
    """The moment to recover to. Exactly one of at, xid and lsn is set, except for latest, which has none."""

    kind: Literal["time", "xid", "lsn", "latest"]
    text: str
    zone: str = "UTC"
    at: datetime | None = None
    xid: int | None = None
    lsn: str | None = None
    other: Target | None = None


def parse_when(text: str, *, now: datetime, operations_zone: ZoneInfo | str, asker_zone: str | None = None) -> Target:
    """Read what somebody typed; a WhenError says what is wrong and what to type instead."""
    words = tidy(text)
    zone = zone_named(operations_zone) if isinstance(operations_zone, str) else operations_zone
    for read in (_latest, _transaction, _position):
        if target := read(words):
            return target
    target = _ago(words, now) or _clock(words, now, zone, asker_zone)
    if target is None:
        raise refuse(text, words, understood(now, zone))
    return target


def understood(now: datetime, zone: tzinfo) -> Callable[[str], bool]:
    """A test whether a suggestion would itself be accepted, so that no hint leads into a second error."""

    def accepts(words: str) -> bool:
        try:
            simple = _latest(words) or _transaction(words) or _position(words)
            return bool(simple or _ago(words, now) or _clock(words, now, zone, None))
        except WhenError:
            return False

    return accepts


def _latest(words: str) -> Target | None:
    return Target("latest", words) if words in ("latest", "now", "the latest") else None


def _transaction(words: str) -> Target | None:
    match = _XID.fullmatch(words)
    if match is None:
        return None
    if not 3 <= int(match[1]) < _LARGEST_XID:
        raise WhenError(
            f"{match[1]} is not a transaction number.", code="MD-WHEN-010", hint="Normal transactions count from 3."
        )
    return Target("xid", words, xid=int(match[1]))


def _position(words: str) -> Target | None:
    match = _LSN.fullmatch(words)
    return Target("lsn", words, lsn=format_lsn(parse_lsn(match[1]))) if match else None


def _ago(words: str, now: datetime) -> Target | None:
    if not _AGO.fullmatch(words):
        return None
    found = _ONE_AMOUNT.findall(words.removesuffix("ago"))
    seconds = sum(_seconds(amount, unit) for amount, unit in found)
    if seconds > (now - _OLDEST).total_seconds():
        raise WhenError(
            f"“{words}” is longer ago than any backup.", code="MD-WHEN-011", hint="For example: 20m ago, 1h 20m ago."
        )
    return Target("time", words, at=(now - timedelta(seconds=seconds)).astimezone(UTC))


def _seconds(amount: str, unit: str) -> float:
    return (1.0 if amount.startswith("a") else float(amount)) * _UNITS[unit[0]]


def _clock(words: str, now: datetime, operations: tzinfo, asker: str | None) -> Target | None:
    match = _DAY_LAST.fullmatch(words) or _TIME.fullmatch(words)
    if match is None:
        return None
    wall = Wall.of(words, match)
    stated = (match["zone"] or match["named"] or "").replace(" ", "")
    if stated:
        return _in_zone(words, wall, now, zone_named(stated))
    other = _asker_reading(words, wall, now, asker)
    try:
        target = _in_zone(words, wall, now, operations)
    except WhenError as error:
        raise _with_other(error, other) from None
    return target if other is None or other.at == target.at else replace(target, other=other)


def _in_zone(words: str, wall: Wall, now: datetime, zone: tzinfo) -> Target:
    return Target("time", words, zone_name(zone), resolve(wall, now.astimezone(UTC), zone))


def _asker_reading(words: str, wall: Wall, now: datetime, asker: str | None) -> Target | None:
    """The same words in the asker's own zone, where that is a reachable moment."""
    try:
        return _in_zone(words, wall, now, zone_named(asker)) if asker else None
    except WhenError:
        return None


def _with_other(error: WhenError, other: Target | None) -> WhenError:
    """A refused reading still names the other one, if that would be accepted."""
    if other is None:
        return error
    return WhenError(
        error.message,
        code=error.code,
        detail=error.detail,
        hint=f"In your own zone: “{other.text} {other.zone}”. {error.hint}",
    )


def describe(target: Target, now: datetime, zone: ZoneInfo | str) -> str:
    """One line for the plan: UTC, the reader's own zone, and how long ago."""
    if target.at is not None:
        return describe_moment(target.at, now, zone_named(zone) if isinstance(zone, str) else zone)
    if target.kind == "xid":
        return f"just before transaction {target.xid}"
    return f"just before WAL position {target.lsn}" if target.kind == "lsn" else "the last committed transaction"
