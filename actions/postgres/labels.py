"""``backup_label`` and the ``.backup`` file in the archive: where a base backup starts and stops."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from actions.clock.zones import WhenError, zone_named
from actions.engine.errors import RecoveryError
from actions.postgres.lsn import Lsn, parse_lsn

_LOCATION = re.compile(r"(?P<lsn>[0-9A-F]+/[0-9A-F]+)(?: \(file (?P<file>[0-9A-F]{24})\))?", re.ASCII)


@dataclass(frozen=True)
class BackupLabel:
    """What the file says; the stop fields are set only in a ``.backup`` history file.

    An incremental backup names the start of the backup that it builds on: position and timeline.
    """

    start_lsn: Lsn
    start_file: str
    checkpoint_lsn: Lsn
    timeline: int
    started_at: datetime | None
    label: str
    from_standby: bool
    incremental: bool
    from_lsn: Lsn | None = None
    from_timeline: int = 0
    stop_lsn: Lsn | None = None
    stopped_at: datetime | None = None


def parse_label(text: str) -> BackupLabel:
    """Read either of the two files."""
    pairs = (line.partition(":") for line in text.splitlines())
    values = {name.strip(): value.strip() for name, found, value in pairs if found}
    try:
        return _from(values)
    except (KeyError, ValueError) as error:
        raise RecoveryError(
            "The label of a base backup cannot be read.",
            code="MD-PG-006",
            detail=f"It has no usable {error}."[:200],
            hint="Without it the backup cannot be restored; use another one. Never write a label by hand.",
        ) from error


def _from(values: dict[str, str]) -> BackupLabel:
    start, start_file = _location(values["START WAL LOCATION"])
    return BackupLabel(
        start_lsn=start,
        start_file=start_file,
        checkpoint_lsn=parse_lsn(values["CHECKPOINT LOCATION"]),
        timeline=int(values["START TIMELINE"]) if "START TIMELINE" in values else int(start_file[:8], 16),
        started_at=_moment(values.get("START TIME")),
        label=values.get("LABEL", ""),
        from_standby=values.get("BACKUP FROM") == "standby",
        incremental="INCREMENTAL FROM LSN" in values,
        from_lsn=parse_lsn(values["INCREMENTAL FROM LSN"]) if "INCREMENTAL FROM LSN" in values else None,
        from_timeline=int(values.get("INCREMENTAL FROM TLI", "0")),
        stop_lsn=_location(values["STOP WAL LOCATION"])[0] if "STOP WAL LOCATION" in values else None,
        stopped_at=_moment(values.get("STOP TIME")),
    )


def _location(text: str) -> tuple[Lsn, str]:
    match = _LOCATION.fullmatch(text)
    if match is None:
        raise ValueError(f"WAL location {text[:40]!r}")
    return parse_lsn(match["lsn"]), match["file"] or ""


def _moment(text: str | None) -> datetime | None:
    """A time in the server's log zone; None where its abbreviation could mean several zones."""
    clock, _, zone = (text or "").rpartition(" ")
    try:
        return datetime.strptime(clock, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_zone(zone)).astimezone(UTC)
    except (ValueError, WhenError):
        return None


def _zone(text: str) -> tzinfo:
    return zone_named(text if text[:1].isalpha() else f"utc{text}")
