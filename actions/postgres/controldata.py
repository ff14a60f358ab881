"""What ``pg_controldata`` prints (run with LC_ALL=C and TZ=UTC), as facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from actions.engine.errors import RecoveryError
from actions.postgres.lsn import Lsn, parse_lsn

CLEANLY_STOPPED = ("shut down", "shut down in recovery")


@dataclass(frozen=True)
class ControlData:
    """The identity and the limits that a data directory carries."""

    system_identifier: str
    state: str
    timeline: int
    checkpoint_lsn: Lsn
    redo_lsn: Lsn
    redo_file: str
    checkpoint_at: datetime | None
    min_recovery_end: Lsn
    backup_start: Lsn
    wal_level: str
    max_connections: int
    max_worker_processes: int
    max_wal_senders: int
    max_prepared_transactions: int
    max_locks_per_transaction: int
    track_commit_timestamp: bool
    segment_size: int
    block_size: int
    checksums: bool
    wal_log_hints: bool = False

    @property
    def cleanly_stopped(self) -> bool:
        """Whether the server wrote its last checkpoint before it ended."""
        return self.state in CLEANLY_STOPPED


def is_damaged(text: str) -> bool:
    """Whether pg_controldata itself doubts what it printed; the figures are none then."""
    return "crc checksum does not match" in text.casefold()


def parse_controldata(text: str) -> ControlData:
    """Read the output; a missing line means that this was not pg_controldata in English."""
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    values = {name.strip(): value.strip() for name, _, value in pairs}
    try:
        return _from(values)
    except (KeyError, ValueError) as error:
        raise RecoveryError(
            "The control file of the data directory could not be read.",
            code="MD-PG-004",
            detail=f"pg_controldata printed no usable {error}.",
            hint="Run it with the same major version as the server and LC_ALL=C; a damaged file needs a restore.",
        ) from error


def _from(values: dict[str, str]) -> ControlData:
    return ControlData(
        system_identifier=values["Database system identifier"],
        state=values["Database cluster state"],
        timeline=int(values["Latest checkpoint's TimeLineID"]),
        checkpoint_lsn=parse_lsn(values["Latest checkpoint location"]),
        redo_lsn=parse_lsn(values["Latest checkpoint's REDO location"]),
        redo_file=values["Latest checkpoint's REDO WAL file"],
        checkpoint_at=_moment(values.get("Time of latest checkpoint", "")),
        min_recovery_end=parse_lsn(values["Minimum recovery ending location"]),
        backup_start=parse_lsn(values["Backup start location"]),
        wal_level=values["wal_level setting"],
        max_connections=int(values["max_connections setting"]),
        max_worker_processes=int(values["max_worker_processes setting"]),
        max_wal_senders=int(values["max_wal_senders setting"]),
        max_prepared_transactions=int(values["max_prepared_xacts setting"]),
        max_locks_per_transaction=int(values["max_locks_per_xact setting"]),
        track_commit_timestamp=values.get("track_commit_timestamp setting") == "on",
        segment_size=int(values["Bytes per WAL segment"]),
        block_size=int(values["Database block size"]),
        checksums=values["Data page checksum version"] != "0",
        wal_log_hints=values.get("wal_log_hints setting") == "on",
    )


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return None
