"""Moments and spans of time in words, the same everywhere."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, tzinfo

from actions.clock.zones import zone_name


def spell(moment: datetime) -> str:
    """A moment in UTC; microseconds only where there are any."""
    return f"{_clock(moment.astimezone(UTC), '%Y-%m-%d %H:%M:%S')} UTC"


def _clock(moment: datetime, form: str) -> str:
    return moment.strftime(form) + (f".{moment.microsecond:06d}" if moment.microsecond else "")


def span_words(span: timedelta) -> str:
    """A length of time with at most two units: 42 s, 47 min, 2 h 11 min, 3 d 4 h."""
    seconds = int(abs(span).total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours = seconds // 60, seconds // 3600
    if minutes < 60:
        return f"{minutes} min"
    if hours < 24:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def span_rounded_up(span: timedelta) -> str:
    """A length of time that is never said shorter than it is: 4.3 s, 5 min 23 s, 2 h 11 min."""
    tenths = math.ceil(round(span.total_seconds() * 10, 3))
    if tenths < 600:
        return f"{tenths / 10:.1f} s"
    seconds = math.ceil(tenths / 10)
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s" if seconds % 60 else f"{seconds // 60} min"
    return span_words(timedelta(minutes=math.ceil(seconds / 60)))


def describe_moment(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """UTC, the local reading (its date only where it differs), and how long ago."""
    utc, local = moment.astimezone(UTC), moment.astimezone(zone)
    parts = [spell(moment)]
    if local.utcoffset() != timedelta(0):
        form = "%H:%M:%S" if local.date() == utc.date() else "%Y-%m-%d %H:%M:%S"
        parts.append(f"{_clock(local, form)} {zone_name(zone)}")
    ahead = moment > now
    return " · ".join([*parts, f"in {span_words(moment - now)}" if ahead else f"{span_words(now - moment)} ago"])
