"""What a person means by ``<when>``: the words of ``/recover postgres pitr``, as a target.

A bare time is read in the operations zone and in the asker's own, as its most recent past occurrence (`two_zones`).
Every time becomes UTC; what else could mean two moments is refused with both, rather than guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from actions.clock.no_moment import must_be_an_offset, must_be_one_moment
from actions.clock.pasted_text import refuse, spelled, tidy
from actions.clock.spans import OLDEST, ago, seconds_of, too_long_ago, unix
from actions.clock.spoken_times import in_figures
from actions.clock.target import Target, describe
from actions.clock.time_grammar import DAY_LAST, JUST_BEFORE, LSN, SPAN_BEFORE, TIME, XID, YEAR
from actions.clock.two_zones import in_both_zones, in_zone
from actions.clock.wallclock import Wall, in_the_future
from actions.clock.zone_abbreviations import Lettered, lettered, must_be_in_force
from actions.clock.zones import WhenError, place_named, zone_named
from actions.postgres.lsn import format_lsn, parse_lsn

__all__ = ["Target", "WhenError", "describe", "is_moment", "parse_when"]

_LATEST = ("latest", "now", "the latest", "right now", "newest", "the newest")
_SMALLEST = timedelta(microseconds=1)
"""PostgreSQL's clock has no smaller step: so much before a moment is all that was committed before it."""
_LARGEST_XID = 2**64
_OF_ZONES, _TWO_TIMES = ("MD-WHEN-012", "MD-WHEN-026", "MD-WHEN-027"), "MD-WHEN-022"
"""The codes of refusals of a zone, whose `instead` are zones; and of what may be an offset or a second time."""
_NAMES_A_ZONE = re.compile(r"(?:utc|z|[+-]\d{2}:?\d{2})$", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class _Reader:
    """What a text is read with: the moment, the zone of a bare time, the asker's own."""

    now: datetime
    operations: tzinfo
    asker: str | None = None

    def read(self, words: str) -> Target | None:
        """The target, None where the words are no moment at all.

        Raises:
            WhenError: they are one, but cannot be meant.
        """
        for simple in (_latest, _transaction, _position):
            if target := simple(words):
                return target
        said = in_figures(words)
        target = self._counted(said) or self._before(said) or _clock(said, words, self)
        if target is None:
            must_be_one_moment(words, said)
        if target is not None and target.at is not None and target.at > self.now:
            raise in_the_future(target.at, self.now.astimezone(UTC))
        return target and replace(target, text=words)

    def _counted(self, said: str) -> Target | None:
        at = ago(said, self.now) or unix(said)
        return Target("time", said, at=at) if at else None

    def _before(self, said: str) -> Target | None:
        """“just before 14:30”, “5 minutes before noon”: that much before another moment."""
        found = JUST_BEFORE.fullmatch(said) or SPAN_BEFORE.fullmatch(said)
        if found is None:
            return None
        try:
            target = self._counted(found["rest"]) or _clock(found["rest"], said, self)
        except WhenError as error:
            error.instead = tuple(said[: found.start("rest")] + one for one in error.instead)
            raise
        if target is None:
            return None
        seconds = seconds_of(found["span"]) if "span" in found.groupdict() else 0
        return _earlier(target, timedelta(seconds=seconds) or _SMALLEST)


def _earlier(target: Target, span: timedelta) -> Target:
    if target.at is None or span > target.at - OLDEST:
        raise too_long_ago(target.text)
    return replace(target, at=target.at - span, other=target.other and _earlier(target.other, span))


def parse_when(text: str, *, now: datetime, operations_zone: ZoneInfo | str, asker_zone: str | None = None) -> Target:
    """Read what somebody typed; a WhenError says what is wrong and what to type instead."""
    words = tidy(text)
    zone = zone_named(operations_zone) if isinstance(operations_zone, str) else operations_zone
    target = _Reader(now, zone, asker_zone).read(words)
    if target is None:
        raise refuse(text, words, understood(now, zone))
    return target


def understood(now: datetime, zone: tzinfo) -> Callable[[str], bool]:
    """A test whether a suggestion would itself be accepted, so that no hint leads into a second error."""

    def accepts(words: str) -> bool:
        try:
            return _Reader(now, zone).read(words) is not None
        except WhenError:
            return False

    return accepts


def is_moment(text: str, now: datetime) -> bool:
    """Whether the text names a moment, be it one that cannot be meant; and nothing else beside it."""
    try:
        return _Reader(now, UTC).read(tidy(text)) is not None
    except WhenError as refused:
        return not any(said in refused.message for said in ("too long", "no time zone called", "not a time of day"))


def _latest(words: str) -> Target | None:
    return Target("latest", words) if words in _LATEST else None


def _transaction(words: str) -> Target | None:
    match = XID.fullmatch(words)
    if match is None:
        return None
    if not 3 <= int(match[1]) < _LARGEST_XID:
        raise WhenError(
            f"{match[1]} is not a transaction number.", code="MD-WHEN-010", hint="Normal transactions count from 3."
        )
    return Target("xid", words, xid=int(match[1]))


def _position(words: str) -> Target | None:
    match = LSN.fullmatch(words)
    return Target("lsn", words, lsn=format_lsn(parse_lsn(match[1]))) if match else None


def _clock(said: str, words: str, reader: _Reader) -> Target | None:
    match = DAY_LAST.fullmatch(said) or TIME.fullmatch(said)
    if match is None or _is_no_clock(match):
        return None
    groups = match.groupdict()
    stated = next((groups[name] for name in ("zone", "named", "zone2", "named2") if groups.get(name)), "")
    try:
        return _of_day(said, words, match, stated, reader)
    except WhenError as error:
        raise _in_same_zone(error, stated) from None


def _of_day(said: str, words: str, match: re.Match[str], stated: str, reader: _Reader) -> Target | None:
    wall = Wall.of(said, match)
    if wall.day and "midnight" in words and wall.day != "today":
        raise WhenError(
            f"“{words}” can be where that day begins or where it ends.",
            code="MD-WHEN-024",
            hint=f"Say which: “{wall.day} 00:00” is where it begins, “{wall.day} 23:59:59” where it ends.",
            instead=(f"{wall.day} 00:00", f"{wall.day} 23:59:59"),
        )
    if stated:
        return _stated(said, wall, stated, reader)
    return in_both_zones(said, wall, reader.now, reader.operations, reader.asker)


def _in_same_zone(error: WhenError, stated: str) -> WhenError:
    """What is offered instead is a moment of the zone that was said."""
    if error.code in (*_OF_ZONES, _TWO_TIMES):
        return error
    told = [one for one in error.instead if _NAMES_A_ZONE.search(one) or one.endswith(stated)]
    error.instead = tuple(one if one in told else f"{one} {stated}" for one in error.instead)
    return error


def _is_no_clock(match: re.Match[str]) -> bool:
    """Whether figures without marks are no time: 2500, or the year in “nov 29 2025”."""
    if not match["hour2"]:
        return False
    day = match["day"] or ""
    figures = match["hour2"] + match["minute2"] + (match["second2"] or "")
    is_year = day and YEAR.fullmatch(figures) and not re.search(r"\d{4}|day|ago", day)
    return bool(is_year) or match["hour2"] > "23" or match["minute2"] > "59"


def _stated(said: str, wall: Wall, stated: str, reader: _Reader) -> Target | None:
    """In the zone that was said; where that is none, the same time in those that were probably meant."""
    try:
        return _zoned(said, wall, stated, reader)
    except WhenError as error:
        if error.code in _OF_ZONES:
            error.instead = tuple(f"{wall.said} {zone}" for zone in error.instead)
        raise


def _zoned(said: str, wall: Wall, stated: str, reader: _Reader) -> Target | None:
    """In the zone that was said. A word that is none may be a typing mistake of another word."""
    if stated in ("my", "mine", "local", "here"):
        return _mine(said, wall, reader)
    own = [reader.operations, *([zone_named(reader.asker)] if reader.asker and _is_zone(reader.asker) else [])]
    letters = lettered(stated, own, reader.now)
    if letters is not None:
        return _in_letters(said, wall, letters, reader.now)
    zone = place_named(stated)
    if zone is None:
        right = spelled(said)
        if right != said and not _is_zone(stated) and understood(reader.now, reader.operations)(right):
            return None
        zone = zone_named(stated.replace(" ", "") if stated[-1].isdigit() else stated)
        must_be_an_offset(wall, stated)
    return in_zone(said, wall, reader.now, zone)


def _mine(said: str, wall: Wall, reader: _Reader) -> Target:
    if reader.asker is None:
        raise WhenError(
            "Your own time zone is not known here.",
            code="MD-WHEN-025",
            hint="Name it, for example 14:30 Europe/Berlin.",
        )
    return in_zone(said, wall, reader.now, zone_named(reader.asker))


def _in_letters(said: str, wall: Wall, letters: Lettered, now: datetime) -> Target:
    target = in_zone(said, wall, now, letters.zone)
    if target.at is not None:
        must_be_in_force(letters, target.at)
    return target


def _is_zone(name: str) -> bool:
    try:
        return zone_named(name) is not None
    except WhenError:
        return False
