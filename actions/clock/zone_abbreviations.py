"""Zones by the letters that people write after a time: CEST, EST, IST. Each is an offset, by the clocks of its region.

Letters that several regions use are refused with the choices, unless the person's own zone or that of the operations
uses them; so are letters for an offset that was not in force then, since half of the people mean their clock then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from actions.clock.zones import WhenError


@dataclass(frozen=True)
class Lettered:
    """An offset by its letters, and the region whose clocks show it at some time of the year."""

    letters: str
    minutes: int
    region: str

    @property
    def zone(self) -> timezone:
        """The offset as a zone."""
        return timezone(timedelta(minutes=self.minutes))

    @property
    def offset(self) -> str:
        """As people write it: +02:00."""
        sign, rest = "-" if self.minutes < 0 else "+", abs(self.minutes)
        return f"{sign}{rest // 60:02}:{rest % 60:02}"


_KNOWN: dict[str, tuple[tuple[int, str], ...]] = {
    "wet": ((0, "Europe/Lisbon"),),
    "west": ((60, "Europe/Lisbon"),),
    "cet": ((60, "Europe/Berlin"),),
    "cest": ((120, "Europe/Berlin"),),
    "mez": ((60, "Europe/Berlin"),),
    "mesz": ((120, "Europe/Berlin"),),
    "met": ((60, "Europe/Berlin"),),
    "eet": ((120, "Europe/Athens"),),
    "eest": ((180, "Europe/Athens"),),
    "msk": ((180, "Europe/Moscow"),),
    "est": ((-300, "America/New_York"),),
    "edt": ((-240, "America/New_York"),),
    "cdt": ((-300, "America/Chicago"),),
    "mst": ((-420, "America/Denver"),),
    "mdt": ((-360, "America/Denver"),),
    "pst": ((-480, "America/Los_Angeles"),),
    "pdt": ((-420, "America/Los_Angeles"),),
    "akst": ((-540, "America/Anchorage"),),
    "akdt": ((-480, "America/Anchorage"),),
    "hst": ((-600, "Pacific/Honolulu"),),
    "adt": ((-180, "America/Halifax"),),
    "brt": ((-180, "America/Sao_Paulo"),),
    "sast": ((120, "Africa/Johannesburg"),),
    "pkt": ((300, "Asia/Karachi"),),
    "sgt": ((480, "Asia/Singapore"),),
    "hkt": ((480, "Asia/Hong_Kong"),),
    "awst": ((480, "Australia/Perth"),),
    "jst": ((540, "Asia/Tokyo"),),
    "kst": ((540, "Asia/Seoul"),),
    "acst": ((570, "Australia/Adelaide"),),
    "acdt": ((630, "Australia/Adelaide"),),
    "aest": ((600, "Australia/Sydney"),),
    "aedt": ((660, "Australia/Sydney"),),
    "nzst": ((720, "Pacific/Auckland"),),
    "nzdt": ((780, "Pacific/Auckland"),),
    "ist": ((330, "Asia/Kolkata"), (60, "Europe/Dublin"), (120, "Asia/Jerusalem")),
    "cst": ((-360, "America/Chicago"), (480, "Asia/Shanghai"), (-300, "America/Havana")),
    "bst": ((60, "Europe/London"), (360, "Asia/Dhaka")),
    "ast": ((-240, "America/Halifax"), (180, "Asia/Riyadh")),
    "gst": ((240, "Asia/Dubai"), (-120, "Atlantic/South_Georgia")),
}


def lettered(letters: str, own: Iterable[tzinfo], now: datetime) -> Lettered | None:
    """The offset that is meant, None where these are no letters of a zone. `own` are the zones near the person.

    Raises:
        WhenError: several regions use them.
    """
    name = letters.casefold()
    found = [Lettered(name.upper(), minutes, region) for minutes, region in _KNOWN.get(name, ())]
    if len(found) < 2:
        return found[0] if found else None
    near = {one for zone in own for one in found if one.minutes in _used_by(zone, name, now)}
    if len(near) == 1:
        return near.pop()
    choices = ", ".join(f"{one.offset} ({one.region})" for one in found)
    written = " or ".join(f"“14:30 {one.offset}”" for one in found)
    raise WhenError(
        f"{name.upper()} is used in several regions.",
        code="MD-WHEN-026",
        detail=f"It can be {choices}.",
        hint=f"Write the offset or the place instead, for example: {written}.",
        instead=[one.offset for one in found],
    )


def must_be_in_force(one: Lettered, at: datetime) -> None:
    """See that the region's clocks showed that offset then.

    Raises:
        WhenError: they showed another one.
    """
    there = at.astimezone(ZoneInfo(one.region))
    shown = there.utcoffset() or timedelta(0)
    if shown == timedelta(minutes=one.minutes):
        return
    other = Lettered(str(there.tzname()), int(shown.total_seconds() // 60), one.region)
    raise WhenError(
        f"On {there:%Y-%m-%d} the clocks of {one.region} showed {other.letters} ({other.offset}), not {one.letters}.",
        code="MD-WHEN-027",
        detail=f"{one.letters} is {one.offset}.",
        hint=f"Say which: the offset {one.offset}, or what the clocks showed: {one.region}.",
        instead=(one.offset, one.region),
    )


def _used_by(zone: tzinfo, name: str, now: datetime) -> set[int]:
    """The offsets, in minutes, for which a zone uses these letters in the course of a year."""
    found = set()
    for month in (1, 7):
        there = datetime(now.year, month, 1, tzinfo=UTC).astimezone(zone)
        if (there.tzname() or "").casefold() == name:
            found.add(int((there.utcoffset() or timedelta(0)).total_seconds() // 60))
    return found
