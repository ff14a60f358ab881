"""Time zones by the names that people type, and wall-clock times that happen twice or never."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from actions.engine.errors import Refused

_OFFSET = re.compile(r"(?:utc|gmt)?([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII)
# An offset beyond this is a typo: no place on earth uses it.
_FARTHEST = timedelta(hours=14)


class WhenError(Refused):
    """A moment that cannot be understood or cannot be meant."""


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, str]:
    return {name.lower(): name for name in available_timezones()}


def zone_named(name: str) -> tzinfo:
    """The zone of that name, whatever its case; a WhenError suggests the nearest."""
    text = name.strip().lower()
    if text in ("z", "utc", "gmt", "zulu"):
        return UTC
    if match := _OFFSET.fullmatch(text):
        return _fixed(name, match)
    # Only listed names are opened: what a person typed never becomes part of a file path.
    if text.replace(" ", "_") in _zones():
        return ZoneInfo(_zones()[text.replace(" ", "_")])
    raise WhenError(
        f"There is no time zone called “{name[:40]}”.",
        code="MD-WHEN-012",
        detail="A zone is UTC, an offset such as +02:00, or a full name.",
        hint=_suggest_zone(text),
        instead=_near_zones(text)[:2],
    )


def place_named(name: str) -> tzinfo | None:
    """The zone of a place whose name alone is clear, such as Berlin or New York; None for any other word."""
    text = name.strip().lower().replace(" ", "_")
    found = [
        full
        for lower, full in _zones().items()
        if lower.partition("/")[0] not in ("etc", "us") and lower.endswith(f"/{text}")
    ]
    return ZoneInfo(found[0]) if len(found) == 1 else None


def _fixed(name: str, match: re.Match[str]) -> tzinfo:
    minutes = int(match[3] or 0)
    offset = timedelta(hours=int(match[2]), minutes=minutes)
    if offset > _FARTHEST or minutes > 59:
        raise WhenError(
            f"No place on earth has the offset {name[:20]}.",
            code="MD-WHEN-013",
            hint="Offsets go from -12:00 to +14:00.",
        )
    return timezone(-offset if match[1] == "-" else offset)


def _near_zones(text: str) -> list[str]:
    last_part = [full for lower, full in sorted(_zones().items()) if lower.rpartition("/")[2] == text.replace(" ", "_")]
    return last_part or [_zones()[lower] for lower in get_close_matches(text, _zones(), n=1, cutoff=0.7)]


def _suggest_zone(text: str) -> str:
    close = _near_zones(text)
    return f"Say the full name: {close[0]}." if close else "Say the full name, for example Europe/Berlin."


def zone_name(zone: tzinfo) -> str:
    """How a zone is shown: UTC, Europe/Berlin or +02:00."""
    if zone is UTC:
        return "UTC"
    key = getattr(zone, "key", None)
    return key if isinstance(key, str) else str(zone).replace("UTC", "") or "UTC"


def readings(wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """The moments (UTC) at which clocks in a zone showed this time: one, two in a repeated hour, none in a gap."""
    moments = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [moment for moment in moments if moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall]
    return tuple(sorted(set(shown)))
