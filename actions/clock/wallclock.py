"""From a time on the wall to the one moment that it means, or a refusal that helps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from actions.clock.calendar_days import days_meant
from actions.clock.times import span_words, spell
from actions.clock.zones import WhenError, readings, zone_name

NOT_YET, TWICE, NEVER_WAS = "MD-WHEN-007", "MD-WHEN-008", "MD-WHEN-009"
"""The codes of refusals that are of one zone: in another one the same time may be a moment."""


@dataclass(frozen=True)
class Wall:
    """A time as read from a clock; the day is a date, a word, or missing."""

    words: str
    clock: time
    day: str | None

    @classmethod
    def of(cls, words: str, match: re.Match[str]) -> Wall:
        """From the groups of the grammar in ``when``.

        Raises:
            WhenError: there is no such time, or it is not said of which half of the day it is.
        """
        half = match["half"] or match["half2"] or match["half3"]
        hour = _hour(int(match["hour"] or match["hour2"] or match["hour3"]), half, words)
        # A clock that shows nanoseconds is cut to what PostgreSQL keeps.
        fraction = (match["fraction"] or "0").ljust(6, "0")[:6]
        minute = match["minute"] or match["minute2"] or match["minute3"] or 0
        second = match["second"] or match["second2"] or 0
        try:
            clock = time(hour, int(minute), int(second), int(fraction))
        except ValueError:
            raise _no_such_clock(words) from None
        return cls(words, clock, match["day"])

    @property
    def said(self) -> str:
        """The day, where one was said, and the time."""
        return f"{self.day} {self.shown}" if self.day else self.shown

    @property
    def shown(self) -> str:
        """The time of day as people write it."""
        return f"{self.clock:%H:%M:%S}" if self.clock.second else f"{self.clock:%H:%M}"

    def on(self, day: date) -> datetime:
        """The naive reading on that day."""
        return datetime.combine(day, self.clock)


def _hour(hour: int, half: str | None, words: str) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise _no_such_clock(words)
    if half == "?":
        raise _which_half(words)
    return hour % 12 + (12 if half == "p" else 0)


def _no_such_clock(words: str) -> WhenError:
    return WhenError(
        f"“{words[:60]}” is not a time of day.",
        code="MD-WHEN-004",
        detail="Hours go from 00 to 23, minutes and seconds from 00 to 59.",
        hint="For example: 14:30, 14:30:05, 2:30pm.",
    )


def _which_half(words: str) -> WhenError:
    morning, later = (words.replace("?m", half).replace(" am", "am").replace(" pm", "pm") for half in ("am", "pm"))
    return WhenError(
        "That can be in the morning or later in the day.",
        code="MD-WHEN-023",
        detail="An hour in words is one of twelve, and the half of the day was not said.",
        hint=f"Say which: “{morning}” or “{later}”.",
        instead=(morning, later),
    )


def resolve(wall: Wall, now: datetime, zone: tzinfo) -> datetime:
    """The moment in UTC, never in the future. Of several days the newest on which it is past."""
    today = now.astimezone(zone).date()
    days = (today, today - timedelta(days=1)) if wall.day is None else days_meant(wall.day, today, wall.shown)
    clock_now = now.astimezone(zone).replace(tzinfo=None)
    for day in days[:-1]:
        reading = wall.on(day)
        moments = readings(reading, zone)
        # A time that a day's clocks skipped was meant for that day as soon as the clocks are past it.
        if any(moment <= now for moment in moments) or (not moments and reading <= clock_now):
            return _on_day(wall, day, now, zone)
    return _on_day(wall, days[-1], now, zone)


def _on_day(wall: Wall, day: date, now: datetime, zone: tzinfo) -> datetime:
    reading = wall.on(day)
    moments = readings(reading, zone)
    if not moments:
        raise _never_was(reading, zone)
    past = [moment for moment in moments if moment <= now]
    if not past:
        raise in_the_future(moments[0], now)
    # In a repeated hour, a second reading that is still to come cannot be meant.
    if len(past) > 1:
        raise _twice(reading, zone, past)
    return past[0]


def in_the_future(moment: datetime, now: datetime) -> WhenError:
    """The refusal of a moment that is still to come."""
    return WhenError(
        f"{spell(moment)} is in the future.",
        code="MD-WHEN-007",
        detail=f"That is {span_words(moment - now)} from now ({spell(now.replace(microsecond=0))}).",
        hint="Check the date and the time zone; “latest” recovers to the last committed transaction.",
        instead=_before_now(moment, now),
    )


def _before_now(moment: datetime, now: datetime) -> tuple[str, ...]:
    """What was probably meant by a moment to come: the same time of the day before, or of this year."""
    day_before = moment - timedelta(days=1)
    guesses = [day_before] if day_before <= now else []
    if not guesses and (moment.month, moment.day) != (2, 29):
        guesses = [guess for guess in (moment.replace(year=now.year),) if guess <= now]
    return tuple(_exact(guess) for guess in guesses)


def _exact(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _twice(reading: datetime, zone: tzinfo, moments: list[datetime]) -> WhenError:
    first, second = (moment.strftime("%Y-%m-%d %H:%M:%S UTC") for moment in moments)
    return WhenError(
        f"{reading:%Y-%m-%d %H:%M} happened twice in {zone_name(zone)}: the clocks were set back.",
        code="MD-WHEN-008",
        detail="The first and the second time are different moments.",
        hint=f"Say which one: “{first}” or “{second}”.",
        instead=(first, second),
    )


def _never_was(reading: datetime, zone: tzinfo) -> WhenError:
    before = reading.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = reading.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return WhenError(
        f"{reading:%Y-%m-%d %H:%M} never was in {zone_name(zone)}: the clocks were set forward over it.",
        code="MD-WHEN-009",
        detail="That hour was skipped.",
        hint=f"Say it in UTC, for example “{_exact(before)}” or “{_exact(after)}”.",
        instead=(_exact(before), _exact(after)),
    )
