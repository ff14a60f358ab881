"""From a time on the wall to the one moment that it means, or a refusal that helps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from actions.clock.times import span_words, spell
from actions.clock.zones import WhenError, readings, zone_name


@dataclass(frozen=True)
class Wall:
    """A time as read from a clock; the day is a date, a word, or missing."""

    words: str
    clock: time
    day: str | None

    @classmethod
    def of(cls, words: str, match: re.Match[str]) -> Wall:
        """From the groups of the grammar in ``when``."""
        half = match["half"] or match["half2"]
        hour = _hour(int(match["hour"]), half, words)
        fraction = (match["fraction"] or "0").ljust(6, "0")
        try:
            clock = time(hour, int(match["minute"] or 0), int(match["second"] or 0), int(fraction))
        except ValueError:
            raise _no_such_clock(words) from None
        return cls(words, clock, match["day"])

    def on(self, day: date) -> datetime:
        """The naive reading on that day."""
        return datetime.combine(day, self.clock)


def _hour(hour: int, half: str | None, words: str) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise _no_such_clock(words)
    return hour % 12 + (12 if half == "p" else 0)


def _no_such_clock(words: str) -> WhenError:
    return WhenError(
        f"“{words[:60]}” is not a time of day.",
        code="MD-WHEN-004",
        detail="Hours go from 00 to 23, minutes and seconds from 00 to 59.",
        hint="For example: 14:30, 14:30:05, 2:30pm.",
    )


def resolve(wall: Wall, now: datetime, zone: tzinfo) -> datetime:
    """The moment in UTC, never in the future."""
    today = now.astimezone(zone).date()
    if wall.day is None:
        return _most_recent(wall, today, now, zone)
    return _on_day(wall, _day(wall.day, today), now, zone)


def _day(words: str, today: date) -> date:
    if words in ("today", "yesterday"):
        return today - timedelta(days=words == "yesterday")
    try:
        day = date.fromisoformat(words)
    except ValueError:
        raise WhenError(
            f"There is no day {words}.",
            code="MD-WHEN-005",
            hint="Dates are written year-month-day, for example 2026-02-09.",
        ) from None
    # The first and last days of the calendar cannot be shifted into another zone.
    if not 2000 <= day.year < 9000:
        raise WhenError(f"Nothing can be recovered to {words}.", code="MD-WHEN-006", hint="Check the year.")
    return day


def _most_recent(wall: Wall, today: date, now: datetime, zone: tzinfo) -> datetime:
    clock_now = now.astimezone(zone).replace(tzinfo=None)
    today_reading = wall.on(today)
    seen_today = any(moment <= now for moment in readings(today_reading, zone))
    # A time that today's clocks skipped was meant for today as soon as the clocks are past it.
    skipped = not readings(today_reading, zone) and today_reading <= clock_now
    return _on_day(wall, today if seen_today or skipped else today - timedelta(days=1), now, zone)


def _on_day(wall: Wall, day: date, now: datetime, zone: tzinfo) -> datetime:
    reading = wall.on(day)
    moments = readings(reading, zone)
    if not moments:
        raise _never_was(reading, zone)
    past = [moment for moment in moments if moment <= now]
    if not past:
        raise _future(moments[0], now)
    # In a repeated hour, a second reading that is still to come cannot be meant.
    if len(past) > 1:
        raise _twice(reading, zone, past)
    return past[0]


def _future(moment: datetime, now: datetime) -> WhenError:
    return WhenError(
        f"{spell(moment)} is in the future.",
        code="MD-WHEN-007",
        detail=f"That is {span_words(moment - now)} from now ({spell(now.replace(microsecond=0))}).",
        hint="Check the date and the time zone; “latest” recovers to the last committed transaction.",
    )


def _twice(reading: datetime, zone: tzinfo, moments: list[datetime]) -> WhenError:
    first, second = (moment.strftime("%Y-%m-%d %H:%M:%S UTC") for moment in moments)
    return WhenError(
        f"{reading:%Y-%m-%d %H:%M} happened twice in {zone_name(zone)}: the clocks were set back.",
        code="MD-WHEN-008",
        detail="The first and the second time are different moments.",
        hint=f"Say which one: “{first}” or “{second}”.",
    )


def _never_was(reading: datetime, zone: tzinfo) -> WhenError:
    before = reading.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = reading.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return WhenError(
        f"{reading:%Y-%m-%d %H:%M} never was in {zone_name(zone)}: the clocks were set forward over it.",
        code="MD-WHEN-009",
        detail="That hour was skipped.",
        hint=f"Say it in UTC, for example “{before:%Y-%m-%d %H:%M:%S} UTC” or “{after:%Y-%m-%d %H:%M:%S} UTC”.",
    )
