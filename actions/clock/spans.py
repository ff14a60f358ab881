"""Moments that need no calendar: so long ago, and seconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from actions.clock.time_grammar import AGO, ONE_AMOUNT, UNIX
from actions.clock.zones import WhenError

OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL wrote no WAL that we could replay before this; it also keeps the arithmetic in range."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def ago(words: str, now: datetime) -> datetime | None:
    """The moment of “1h 20m ago”, None for other words."""
    if not AGO.fullmatch(words):
        return None
    seconds = seconds_of(words.removesuffix("ago"))
    if seconds > (now - OLDEST).total_seconds():
        raise too_long_ago(words)
    return (now - timedelta(seconds=seconds)).astimezone(UTC)


def seconds_of(span: str) -> float:
    """The seconds of one amount after another, as in 1h 20m."""
    found = ONE_AMOUNT.findall(span)
    return sum((1.0 if amount.startswith("a") else float(amount)) * _UNITS[unit[0]] for amount, unit in found)


def unix(words: str) -> datetime | None:
    """The moment of seconds, milliseconds or microseconds since 1970, None for other words."""
    match = UNIX.fullmatch(words)
    if match is None:
        return None
    whole, part, milli, micro = match.groups()
    if whole:
        span = timedelta(seconds=int(whole), microseconds=int((part or "").ljust(6, "0")))
    else:
        span = timedelta(milliseconds=int(milli)) if milli else timedelta(microseconds=int(micro))
    at = datetime(1970, 1, 1, tzinfo=UTC) + span
    if at < OLDEST:
        raise too_long_ago(words)
    return at


def too_long_ago(words: str) -> WhenError:
    """The refusal of a moment of which there can be no backup."""
    return WhenError(
        f"“{words}” is longer ago than any backup.", code="MD-WHEN-011", hint="For example: 20m ago, 1h 20m ago."
    )
