"""A bare time, read in the operations zone and in the asker's own: each as its most recent past occurrence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from actions.clock.target import Target, in_zone_words
from actions.clock.wallclock import NEVER_WAS, NOT_YET, TWICE, Wall, resolve
from actions.clock.zones import WhenError, zone_name, zone_named

_NO_READING = {NOT_YET: "has not come yet", NEVER_WAS: "never was, the clocks were set forward over it"}
"""What is wrong with a reading that leaves the other one standing."""


def in_zone(words: str, wall: Wall, now: datetime, zone: tzinfo) -> Target:
    """The time as read in one zone.

    Raises:
        WhenError: it cannot be meant there.
    """
    return Target("time", words, zone_name(zone), resolve(wall, now.astimezone(UTC), zone))


def in_both_zones(words: str, wall: Wall, now: datetime, operations: tzinfo, asker: str | None) -> Target:
    """The later of the two readings, with the earlier one as its `other`; the only one, with why there is no other.

    Raises:
        WhenError: no reading is left, or a zone's clocks showed that time twice; each that can be meant is named.
    """
    zones = [operations, *_own(asker)]
    found: list[Target] = []
    refused: list[tuple[tzinfo, WhenError]] = []
    for zone in zones:
        try:
            found.append(in_zone(words, wall, now, zone))
        except WhenError as error:
            refused.append((zone, error))
    problem = next((error for _, error in refused if error.code not in _NO_READING or not found), None)
    if problem is not None:
        raise _with_others(problem, found, [error for _, error in refused])
    meant, *earlier = sorted(found, key=_at, reverse=True)
    told = [in_zone_words(wall.said, zone_name(zone)) + f" {_NO_READING[error.code]}" for zone, error in refused]
    other = earlier[0] if earlier and earlier[0].at != meant.at else None
    # Of two names for one moment that of the operations zone is the one that all know.
    named = found[0].zone if other is None and not refused else meant.zone
    return replace(meant, zone=named, other=other, not_read=told[0] if told else "")


def _own(asker: str | None) -> list[tzinfo]:
    try:
        return [zone_named(asker)] if asker else []
    except WhenError:
        return []


def _at(target: Target) -> datetime:
    assert target.at is not None
    return target.at


def _with_others(error: WhenError, found: Sequence[Target], refused: Sequence[WhenError]) -> WhenError:
    """A refusal with all that can be meant: what one zone's clocks showed twice, and the other zone's reading."""
    rest = [word for one in refused if one is not error and error.code == TWICE for word in one.instead]
    words = [f"{_at(target):%Y-%m-%d %H:%M:%S} UTC" for target in found]
    named = dict.fromkeys([*error.instead, *rest, *words])
    hint = error.hint
    if found and error.code == TWICE:
        said = "; ".join(f"“{word}” is {one.text} {one.zone}" for word, one in zip(words, found, strict=True))
        hint = f"{error.hint} {said}."
    return WhenError(error.message, code=error.code, detail=error.detail, hint=hint, instead=tuple(named))
