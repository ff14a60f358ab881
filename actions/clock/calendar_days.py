"""Which day is meant: a date in any usual form, a day of the week, yesterday, 3 days ago.

A day that is not said whole gives several candidates, the newest first; what can be read as two dates is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from actions.clock.zones import WhenError

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
WEEKDAY = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
)
_TH = r"(?:st|nd|rd|th)?"
DAY = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)|\d{8}(?!\d)|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}(?!\d)|"
    rf"(?:{WEEKDAY}\.?,? )?(?:the )?\d{{1,2}}{_TH}\.?(?: of)?[ /-]?{MONTH}\.?,?(?:[ /-]?\d{{4}}(?!\d))?|"
    rf"(?:{WEEKDAY}\.?,? )?{MONTH}\.? ?\d{{1,2}}{_TH}(?![\d:.h])(?:,? \d{{4}}(?!\d))?|"
    rf"(?:on |this |last |past )?{WEEKDAY}(?: last week)?|"
    r"\d{1,2}[./-]\d{1,2}(?:\.(?!\d))?(?![\d:./-])|"
    r"yesterday|today|tomorrow|(?:\d{1,4}|an?) (?:days?|weeks?) ago"
)
"""Every form of a day, as the part of a regular expression."""

_AGO = re.compile(r"(\d{1,4}|an?) (day|week)s? ago", re.ASCII)
_ISO = re.compile(r"(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})", re.ASCII)
_NUMBERS = re.compile(r"(\d{1,2})[-/.](\d{1,2})(?:[-/.](\d{4}))?\.?", re.ASCII)
_OF_WEEK = re.compile(rf"(?:(on|this|last|past) )?({WEEKDAY})( last week)?", re.ASCII)
_OLD = timedelta(days=180)
_FORM = "Dates are written year-month-day, for example 2026-02-09."


def days_meant(words: str, today: date, clock: str) -> tuple[date, ...]:
    """The days that the words can mean, the one that is meant if it is past first. `clock` is for what is said of them.

    Raises:
        WhenError: there is no such day, or it can be read as two.
    """
    if words in ("today", "yesterday", "tomorrow"):
        return (today + timedelta(days={"today": 0, "yesterday": -1, "tomorrow": 1}[words]),)
    if ago := _AGO.fullmatch(words):
        many = (1 if ago[1].startswith("a") else int(ago[1])) * (7 if ago[2] == "week" else 1)
        return (today - timedelta(days=many),)
    if of_week := _OF_WEEK.fullmatch(words):
        return _weekday(words, _number_of(of_week[2]), of_week[1] or "", bool(of_week[3]), today, clock)
    found = _date(words, today, clock)
    said = re.match(rf"({WEEKDAY})\b", words)
    if said is None:
        return found
    right = tuple(day for day in found if day.weekday() == _number_of(said[1]))
    if not right:
        raise WhenError(
            f"{found[0]} was no {_NAMES[_number_of(said[1])]}, but a {_NAMES[found[0].weekday()]}.",
            code="MD-WHEN-014",
            hint=f"Check the date. {_FORM}",
        )
    return right


def _number_of(weekday: str) -> int:
    return _WEEKDAYS.index(weekday[:3])


def _weekday(words: str, number: int, how: str, last_week: bool, today: date, clock: str) -> tuple[date, ...]:
    back = (today.weekday() - number) % 7
    newest = today - timedelta(days=back)
    if last_week:
        return (today - timedelta(days=today.weekday() + 7 - number),)
    if how == "this":
        return (today + timedelta(days=number - today.weekday()),)
    if how != "last":
        return (newest, newest - timedelta(days=7))
    nearest = newest if back else newest - timedelta(days=7)
    before = today - timedelta(days=today.weekday() + 7 - number)
    if nearest != before:
        raise WhenError(
            f"“{words}” can be {nearest} or {before}.",
            code="MD-WHEN-015",
            detail="Some mean the nearest one that is over, some that of the week before.",
            hint=f"Say which: “{nearest} {clock}” or “{before} {clock}”.",
            instead=(f"{nearest} {clock}", f"{before} {clock}"),
        )
    return (nearest,)


def _date(words: str, today: date, clock: str) -> tuple[date, ...]:
    if iso := _ISO.fullmatch(words):
        return (_day(words, *map(int, iso.groups())),)
    if numbers := _NUMBERS.fullmatch(words):
        return _by_numbers(words, int(numbers[1]), int(numbers[2]), int(numbers[3] or 0), today, clock)
    return _named(words, today, clock)


def _by_numbers(words: str, first: int, second: int, year: int, today: date, clock: str) -> tuple[date, ...]:
    """A date in figures with the year last or none: which of them is the month has to be clear."""
    orders = {(second, first), (first, second)} if "/" in words or "." in words or "-" in words else set()
    possible = {(month, day) for month, day in orders if 1 <= month <= 12 and 1 <= day <= 31}
    if len(possible) > 1:
        # One that is long ago is named all the same: it must not hide the other one.
        both = [_any_year(words, year, month, day, today) for month, day in sorted(possible)]
        past = [days[0] for days in both if days and days[0] <= today]
        meant = [f"{day} {clock}" for day in sorted(past, reverse=True) or [days[0] for days in both]]
        shown = " or ".join(f"“{one}”" for one in meant)
        raise WhenError(
            f"“{words}” can be read as two dates.",
            code="MD-WHEN-016",
            detail="Some write the month first, some the day.",
            hint=f"Did you mean {shown}? {_FORM}",
            instead=meant,
        )
    for month, day in possible:
        return _of_years(words, year, month, day, today, clock)
    raise _no_day(words)


def _named(words: str, today: date, clock: str) -> tuple[date, ...]:
    """A date with the month's name."""
    month = re.search(rf"(?<![a-z]){MONTH}(?![a-z])", re.sub(rf"^{WEEKDAY}\b\.?,? ?", "", words))
    numbers = [int(n) for n in re.findall(r"\d+", words)]
    if month is None or not numbers:
        raise _no_day(words)
    day = next((n for n in numbers if n < 1000), 0)
    year = next((n for n in numbers if n >= 1000), 0)
    return _of_years(words, year, _MONTHS.index(month[0][:3]) + 1, day, today, clock)


def _of_years(words: str, year: int, month: int, day: int, today: date, clock: str) -> tuple[date, ...]:
    """That day of its year; without a year its last two occurrences, unless that is long ago."""
    if year:
        return (_day(words, year, month, day),)
    found = tuple(_occurrences(month, day, today))
    if not found:
        raise _no_day(words)
    if today - found[0] > _OLD:
        raise WhenError(
            f"“{words}” was last {found[0]}, which is long ago.",
            code="MD-WHEN-017",
            detail="The year was not said.",
            hint=f"If that is meant, say the year: “{found[0]} {clock}”.",
            instead=(f"{found[0]} {clock}",),
        )
    return found


def _any_year(words: str, year: int, month: int, day: int, today: date) -> tuple[date, ...]:
    return (_day(words, year, month, day),) if year else tuple(_occurrences(month, day, today))


def _occurrences(month: int, day: int, today: date) -> Iterator[date]:
    """The newest first. Tomorrow counts: where the person is, it may have begun."""
    for year in range(today.year + 1, today.year - 9, -1):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found <= today + timedelta(days=1):
            yield found


def _day(words: str, year: int, month: int, day: int) -> date:
    try:
        found = date(year, month, day)
    except ValueError:
        raise _no_day(words) from None
    # The first and last days of the calendar cannot be shifted into another zone.
    if not 2000 <= found.year < 9000:
        raise WhenError(f"Nothing can be recovered to {words}.", code="MD-WHEN-006", hint="Check the year.")
    return found


def _no_day(words: str) -> WhenError:
    return WhenError(f"There is no day {words}.", code="MD-WHEN-005", hint=_FORM)
