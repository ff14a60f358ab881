"""The settings a clone runs with, on PostgreSQL 13 to 18, as ``-c`` flags, the whole of its command line.

Nothing is taken from the live server's command line or configuration but what its extensions need: so no port,
no socket, no pg_hba.conf, no wrapper and no include of the live server can keep the clone from being asked, and no
stale setting that came along with a backup can redirect the recovery. Flags also win over postgresql.auto.conf.
Only settings that exist in the server's version are given.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from actions.engine.errors import RecoveryError
from actions.postgres.controldata import ControlData
from actions.postgres.lsn import format_lsn
from actions.postgres.postmaster import CLONE
from actions.postgres.stops import Stop

OLDEST, NEWEST = 13, 18
_TARGETS = (
    "recovery_target",
    "recovery_target_name",
    "recovery_target_time",
    "recovery_target_xid",
    "recovery_target_lsn",
)
# Once in service it runs without the flags of a clone, and what ALTER SYSTEM had left would count again.
_STALE = re.compile(
    r"\s{0,99}(recovery_target\w*|restore_command|recovery_end_command|archive_cleanup_command|primary_conninfo"
    r"|primary_slot_name|recovery_min_apply_delay|promote_trigger_file|standby_mode)\s*(?:=|\s)",
    re.IGNORECASE | re.ASCII,
)
_MB = 1024 * 1024

Settings = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CloneLimits:
    """What the clone may use, and what it must not fall below."""

    memory_bytes: int
    max_connections: int
    max_worker_processes: int
    max_wal_senders: int
    max_prepared_transactions: int
    max_locks_per_transaction: int
    wal_level: str = "replica"
    track_commit_timestamp: bool = False
    wal_log_hints: bool = False
    segment_size: int = 16 * _MB

    @classmethod
    def of(cls, memory_bytes: int, *controls: ControlData) -> CloneLimits:
        """The highest limits of the backup's and the live server's control files: WAL may raise them midway."""

        def highest(name: str) -> int:
            return max(int(getattr(control, name)) for control in controls)

        return cls(
            memory_bytes,
            highest("max_connections"),
            highest("max_worker_processes"),
            highest("max_wal_senders"),
            highest("max_prepared_transactions"),
            highest("max_locks_per_transaction"),
            "logical" if any(control.wal_level == "logical" for control in controls) else "replica",
            any(control.track_commit_timestamp for control in controls),
            any(control.wal_log_hints for control in controls),
            highest("segment_size"),
        )


def clone_settings(major: int, limits: CloneLimits, stop: Stop, timeline: int) -> Settings:
    """Every setting in an order that is safe: other targets are emptied before the real one is set."""
    if not OLDEST <= major <= NEWEST:
        raise RecoveryError(
            f"PostgreSQL {major} is not supported.",
            code="MD-PG-008",
            detail=f"Supported are {OLDEST} to {NEWEST}.",
            hint="Recover by hand, or upgrade Mayday.",
        )
    return (*_PLACE, *_isolation(major), *_enough(major, limits), *_speed(major, limits), *_target(stop, timeline))


# The folder is in memory and goes with the container: nothing of it is ever swapped in.
_PLACE: Settings = (
    ("config_file", f"{CLONE.host}/postgresql.conf"),
    ("hba_file", f"{CLONE.host}/pg_hba.conf"),
    ("ident_file", f"{CLONE.host}/pg_ident.conf"),
    ("unix_socket_directories", CLONE.host),
    ("unix_socket_group", ""),
    ("unix_socket_permissions", "0777"),
    ("port", str(CLONE.port)),
    ("external_pid_file", ""),
)


def _isolation(major: int) -> Settings:
    always = (
        # A clone that archives could mix its own WAL and history into the archive of the live server.
        ("archive_mode", "off"),
        ("listen_addresses", ""),
        ("primary_conninfo", ""),
        ("primary_slot_name", ""),
        ("archive_cleanup_command", ""),
        ("recovery_end_command", ""),
        ("recovery_min_apply_delay", "0"),
        ("synchronous_standby_names", ""),
        ("ssl", "off"),
        ("logging_collector", "off"),
        ("log_destination", "stderr"),
        # The proof reads these lines.
        ("log_min_messages", "warning"),
        ("lc_messages", "C"),
        # Workers of logical replication would fetch and write as soon as the clone is promoted.
        ("max_logical_replication_workers", "0"),
        # Without it the server shuts down at its target instead of pausing there.
        ("hot_standby", "on"),
        ("autovacuum", "off"),
        # Whatever the live command line says: this copy is to become the live data.
        ("fsync", "on"),
    )
    progress = (("log_startup_progress_interval", "1s"),) if major >= 15 else ()
    return (*always, *progress, *((("summarize_wal", "off"),) if major >= 17 else ()))


def _enough(major: int, limits: CloneLimits) -> Settings:
    names = (
        "max_connections",
        "max_worker_processes",
        "max_wal_senders",
        "max_prepared_transactions",
        "max_locks_per_transaction",
    )
    # A promotion without it would throw the times of all commits away (CompleteCommitTsInitialization).
    kept = (
        ("wal_level", limits.wal_level),
        ("track_commit_timestamp", _on(limits.track_commit_timestamp)),
        ("wal_log_hints", _on(limits.wal_log_hints)),
    )
    # With more origins in pg_logical/replorigin_checkpoint than these the server would not start.
    origins = ("max_replication_slots", *(("max_active_replication_origins",) if major >= 18 else ()))
    return (*((name, str(getattr(limits, name))) for name in names), *kept, *((name, "1000") for name in origins))


def _on(value: bool) -> str:
    return "on" if value else "off"


def _speed(major: int, limits: CloneLimits) -> Settings:
    buffers = min(max(limits.memory_bytes // 4 // _MB, 128), 8192)
    always = (
        ("shared_buffers", f"{buffers}MB"),
        ("huge_pages", "try"),
        ("maintenance_io_concurrency", "64"),
        ("max_wal_size", "100GB"),
        # Nothing is smaller than two segments, of which initdb made sure in a file that the clone does not read.
        ("min_wal_size", f"{max(80, 2 * limits.segment_size // _MB)}MB"),
        ("checkpoint_timeout", "1h"),
        ("jit", "off"),
    )
    prefetch = (("recovery_prefetch", "try"), ("wal_decode_buffer_size", "2MB")) if major >= 15 else ()
    return (*always, *((("recovery_init_sync_method", "syncfs"),) if major >= 14 else ()), *prefetch)


def _target(stop: Stop, timeline: int) -> Settings:
    # Up to PostgreSQL 15 an empty value given after the real one would clear it.
    return (
        *((name, "") for name in _TARGETS),
        # A recovery has to name one; all WAL lies in pg_wal already, so there is nothing to fetch.
        ("restore_command", "false"),
        # Never "latest": after an earlier recovery that is the new branch, also for a target on the old one.
        ("recovery_target_timeline", str(timeline)),
        ("recovery_target_action", "pause"),
        ("recovery_target_inclusive", "on" if stop.inclusive else "off"),
        ("recovery_target_lsn", format_lsn(stop.lsn)),
    )


def as_flags(settings: Settings) -> list[str]:
    """Settings as argv, never through a shell."""
    return [part for name, value in settings for part in ("-c", f"{name}={value}")]


def strip_auto_conf(text: str) -> tuple[str, tuple[str, ...]]:
    """Remove what would redirect a recovery; returns the text to keep and the lines removed."""
    lines = text.splitlines(keepends=True)
    kept = "".join(line for line in lines if not _STALE.match(line))
    return kept, tuple(line.strip() for line in lines if _STALE.match(line))
