"""How replication stands, as one server sees it: its role, who follows it and how far behind, its slots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from actions.engine.facts import volatile
from actions.postgres.lsn import Lsn, parse_lsn

# The timeline: that of a primary stands in the name of its present segment; a standby has that of what it receives, and
# without a connection that of its last restart point. Columns are those of 13 to 18. Base backups stream as well.
REPLICATION_SQL = """
SELECT json_build_object(
  'recovering', pg_is_in_recovery(),
  'sees_all', pg_has_role(current_user, 'pg_monitor', 'USAGE'),
  'system', (SELECT system_identifier::text FROM pg_control_system()),
  'timeline', CASE WHEN pg_is_in_recovery()
     THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver LIMIT 1),
                   (SELECT timeline_id FROM pg_control_checkpoint()))
     ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END,
  'at', CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text,
  'received', CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() END::text,
  'replayed_ago', CASE WHEN pg_is_in_recovery()
     THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END,
  'paused', CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END,
  'delay', (SELECT setting::bigint / 1000.0 FROM pg_settings WHERE name = 'recovery_min_apply_delay'),
  'upstream', (SELECT json_build_object('at', concat_ws(':', sender_host, sender_port), 'status', status,
                 'slot', slot_name, 'end', latest_end_lsn::text,
                 'heard', extract(epoch FROM clock_timestamp() - last_msg_receipt_time))
               FROM pg_stat_wal_receiver LIMIT 1),
  'followers', (SELECT coalesce(json_agg(json_build_object('name', application_name,
                  'at', coalesce(client_hostname, host(client_addr)), 'state', state, 'sync', sync_state,
                  'flushed', flush_lsn::text, 'replayed', replay_lsn::text,
                  'lag', extract(epoch FROM replay_lag),
                  'slot', (SELECT slot_name FROM pg_replication_slots s WHERE s.active_pid = r.pid))
                  ORDER BY application_name, pid), '[]')
                FROM pg_stat_replication r
                WHERE (state IS NULL OR state NOT IN ('startup', 'backup'))
                  AND application_name NOT IN ('pg_basebackup', 'mayday')
                  AND pid NOT IN (SELECT active_pid FROM pg_replication_slots
                                  WHERE slot_type = 'logical' AND active_pid IS NOT NULL)),
  'slots', (SELECT coalesce(json_agg(json_build_object('name', slot_name, 'physical', slot_type = 'physical',
              'active', active, 'status', wal_status, 'room', safe_wal_size,
              'kept', pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                                           ELSE pg_current_wal_lsn() END, restart_lsn)) ORDER BY slot_name), '[]')
            FROM pg_replication_slots WHERE NOT temporary))
"""

SLOW_BYTES = 16 * 1024**2
"""A standby that is a segment behind is slow: so much would be lost by a failover at once."""
SLOW_SECONDS = 10.0
_SILENT_SECONDS = 60.0
"""PostgreSQL's own wal_receiver_timeout: a connection that brought nothing for so long is none."""


class ReplicationState(StrEnum):
    """How replication stands, in one word for people."""

    READY = "ready"
    SLOW = "slow"
    DEGRADED = "degraded"
    NONE = "no standby"


@dataclass(frozen=True)
class StreamingStandby:
    """A standby that streams from this server. `behind` are bytes not replayed there, `lag` seconds, None if idle."""

    name: str
    at: str
    state: str
    sync: str
    behind: int | None
    unflushed: int | None
    lag: float | None
    slot: str

    @property
    def slow(self) -> bool:
        """Whether it streams, and is far behind."""
        return self.state != "streaming" or (self.behind or 0) > SLOW_BYTES or (self.lag or 0) > SLOW_SECONDS


@dataclass(frozen=True)
class SlotUse:
    """What a slot holds back: `kept` bytes of WAL; `room` bytes until it is lost, None without a limit."""

    name: str
    physical: bool
    active: bool
    status: str
    kept: int | None
    room: int | None

    @property
    def lost(self) -> bool:
        """Whether WAL that its reader needs is gone."""
        return self.status == "lost"


@dataclass(frozen=True)
class Upstream:
    """From whom a standby receives. `behind` are bytes that it heard of and has not replayed, `heard` seconds ago."""

    at: str
    status: str
    slot: str
    behind: int | None
    heard: float | None

    @property
    def streams(self) -> bool:
        """Whether WAL arrives."""
        return self.status == "streaming" and (self.heard or 0) <= _SILENT_SECONDS


@dataclass(frozen=True)
class Replication:
    """One server's view. `at` is what a primary has written, what a standby has replayed; `silent`: why there is none.

    `sees_all` is False where the user of the settings may not look at other sessions, so that what is known is little.
    """

    standby: bool = volatile(default=False)
    system: str = volatile(default="")
    timeline: int = volatile(default=0)
    at: Lsn | None = volatile(default=None)
    received: Lsn | None = volatile(default=None)
    replayed_ago: float | None = volatile(default=None)
    paused: bool = volatile(default=False)
    delay: float = volatile(default=0.0)
    sees_all: bool = volatile(default=True)
    upstream: Upstream | None = volatile(default=None)
    standbys: tuple[StreamingStandby, ...] = volatile(default=())
    slots: tuple[SlotUse, ...] = volatile(default=())
    silent: str = volatile(default="")

    @property
    def state(self) -> ReplicationState:
        """In one word. What is not known to be well is degraded."""
        troubles = [*self.troubles()]
        if self.silent or not self.sees_all or troubles:
            return ReplicationState.DEGRADED
        if self.standby:
            behind = (self.upstream.behind or 0) if self.upstream else 0
            return ReplicationState.SLOW if behind > SLOW_BYTES else ReplicationState.READY
        if not self.standbys:
            return ReplicationState.NONE
        slow = any(one.slow for one in self.standbys)
        return ReplicationState.SLOW if slow else ReplicationState.READY

    def troubles(self) -> Iterator[str]:
        """What would make a failover fail or lose more, as sentences."""
        if self.standby and (self.upstream is None or not self.upstream.streams):
            yield "It receives nothing: it follows no primary now, or only through the archive."
        if self.standby and self.paused:
            yield "Its replay is paused: pg_wal_replay_resume() lets it go on."
        for slot in self.slots:
            if slot.lost:
                yield f"The slot {slot.name} is lost: WAL that its reader needs is gone, so it has to be built anew."
            elif not slot.active and not self.standby:
                yield f"Nobody reads the slot {slot.name}, which keeps WAL on this server's disk until somebody does."

    def says(self) -> str:
        """One line for the thread."""
        if self.silent:
            return f"it did not answer: {self.silent.splitlines()[0]}"
        return f"{'standby' if self.standby else 'primary'} on timeline {self.timeline}, {self.state}"


def read_replication(said: Mapping[str, Any]) -> Replication:
    """What `REPLICATION_SQL` brought."""
    at = _lsn(said["at"])
    return Replication(
        standby=bool(said["recovering"]),
        system=str(said["system"] or ""),
        timeline=int(said["timeline"] or 0),
        at=at,
        received=_lsn(said["received"]),
        replayed_ago=_seconds(said["replayed_ago"]),
        paused=bool(said["paused"]),
        delay=float(said["delay"] or 0),
        sees_all=bool(said["sees_all"]),
        upstream=_upstream(said["upstream"], at),
        standbys=tuple(_streaming(row, at) for row in said["followers"]),
        slots=tuple(_slot(row) for row in said["slots"]),
    )


def _upstream(row: Mapping[str, Any] | None, at: Lsn | None) -> Upstream | None:
    if row is None:
        return None
    heard = _seconds(row["heard"])
    return Upstream(row["at"] or "", row["status"] or "", row["slot"] or "", _behind(at, _lsn(row["end"])), heard)


def _streaming(row: Mapping[str, Any], at: Lsn | None) -> StreamingStandby:
    return StreamingStandby(
        name=row["name"] or "",
        at=row["at"] or "",
        state=row["state"] or "unknown",
        sync=row["sync"] or "",
        behind=_behind(_lsn(row["replayed"]), at),
        unflushed=_behind(_lsn(row["flushed"]), at),
        lag=_seconds(row["lag"]),
        slot=row["slot"] or "",
    )


def _slot(row: Mapping[str, Any]) -> SlotUse:
    kept = None if row["kept"] is None else max(0, int(row["kept"]))
    room = None if row["room"] is None else int(row["room"])
    return SlotUse(row["name"], bool(row["physical"]), bool(row["active"]), row["status"] or "", kept, room)


def _behind(start: Lsn | None, end: Lsn | None) -> int | None:
    return None if start is None or end is None else max(0, end - start)


def _lsn(text: str | None) -> Lsn | None:
    return parse_lsn(text) if text else None


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value)
