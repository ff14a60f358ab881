"""What a primary has to say before a standby of it is built: its settings, the role, the slot, the rule, the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.engine.facts import volatile
from actions.postgres.quoting import literal

LIMITS = (
    "max_connections",
    "max_worker_processes",
    "max_wal_senders",
    "max_prepared_transactions",
    "max_locks_per_transaction",
)
"""Of these a standby must have at least as many as its primary, or it stops: Hot Standby in PostgreSQL's manual,
"Administrator's Overview"."""
MADE = "made by Mayday, run "
"""Begins the comment of a role that Mayday made, and the comment above its line in pg_hba.conf."""

# Columns are those of 13 to 18. A base backup that streams its WAL takes two senders.
_SQL = """
SELECT json_build_object(
  'recovering', pg_is_in_recovery(),
  'superuser', (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
  'timeline', CASE WHEN pg_is_in_recovery() THEN 0
     ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END,
  'port', current_setting('port')::int,
  'wal_level', current_setting('wal_level'),
  'senders', current_setting('max_wal_senders')::int,
  'sending', (SELECT count(*) FROM pg_stat_replication),
  'slots', current_setting('max_replication_slots')::int,
  'slots_used', (SELECT count(*) FROM pg_replication_slots),
  'slot', (SELECT json_build_object('physical', slot_type = 'physical', 'lost', wal_status = 'lost', 'reader',
             (SELECT application_name FROM pg_stat_replication r WHERE r.pid = s.active_pid), 'active', active)
           FROM pg_replication_slots s WHERE slot_name = {slot}),
  'role', (SELECT json_build_object('comment', shobj_description(oid, 'pg_authid'),
             'fit', rolreplication AND rolcanlogin) FROM pg_roles WHERE rolname = {role}),
  'keep', (SELECT json_build_object('megabytes', setting::bigint, 'source', source) FROM pg_settings
           WHERE name = 'max_slot_wal_keep_size'),
  'checksums', current_setting('data_checksums') = 'on',
  'hints', current_setting('wal_log_hints') = 'on',
  'limits', (SELECT json_agg(json_build_object('name', name, 'value', setting::int, 'copied',
               source = 'default' OR coalesce(starts_with(sourcefile, current_setting('data_directory') || '/'), false))
               ORDER BY name) FROM pg_settings WHERE name IN ({limits})),
  'hba_file', current_setting('hba_file'),
  'lets_in', (SELECT count(*) > 0 FROM pg_hba_file_rules WHERE error IS NULL AND type = 'host'
              AND 'replication' = ANY (database) AND {role} = ANY (user_name)
              AND address = {address} AND auth_method = 'scram-sha-256'),
  'hba_error', (SELECT min(format('line %s: %s', line_number, error)) FROM pg_hba_file_rules WHERE error IS NOT NULL),
  'bytes', (SELECT sum(pg_database_size(oid))::bigint FROM pg_database))
"""


@dataclass(frozen=True)
class FoundSlot:
    """The slot of that name on the primary. `reader` is who streams from it now."""

    physical: bool
    lost: bool
    active: bool
    reader: str = ""


@dataclass(frozen=True)
class StandbyLimit:
    """One of `LIMITS` on the primary. `copied`: a copy of its data directory has it, since a file there says it."""

    name: str
    value: int
    copied: bool


@dataclass(frozen=True)
class PrimaryState:
    """The primary's own word.

    `senders` and `slots` are how many there may be, `sending` and `slots_used` how many are taken. `role_made` says
    that Mayday made the role, `role_there` that there is one of the name. `keep` is `max_slot_wal_keep_size` in MB (-1:
    without a limit), `keep_fixed` that the command line says it. `lets_in` says that pg_hba.conf has the very rule.
    """

    recovering: bool
    superuser: bool
    timeline: int
    port: int
    wal_level: str
    senders: int
    slots: int
    slot: FoundSlot | None
    role_there: bool
    role_made: bool
    keep: int
    keep_fixed: bool
    checksums: bool
    hints: bool
    limits: tuple[StandbyLimit, ...]
    hba_file: str
    lets_in: bool
    hba_error: str = volatile(default="")
    sending: int = volatile(default=0)
    slots_used: int = volatile(default=0)
    bytes: int = volatile(default=0)

    def says(self) -> str:
        """One line for the thread."""
        return f"it takes writes, wal_level {self.wal_level}, {self.senders - self.sending} of its WAL senders are free"


def primary_sql(slot: str, role: str, address: str) -> str:
    """Asks for all of it. `address` is that of the rule in pg_hba.conf."""
    host = address.partition("/")[0]
    listed = ", ".join(literal(name) for name in LIMITS)
    return _SQL.format(slot=literal(slot), role=literal(role), address=literal(host), limits=listed)


def read_primary(said: Mapping[str, Any]) -> PrimaryState:
    """The answer to `primary_sql`."""
    slot, role = said["slot"], said["role"]
    return PrimaryState(
        recovering=bool(said["recovering"]),
        superuser=bool(said["superuser"]),
        timeline=int(said["timeline"]),
        port=int(said["port"]),
        wal_level=str(said["wal_level"]),
        senders=int(said["senders"]),
        sending=int(said["sending"]),
        slots=int(said["slots"]),
        slots_used=int(said["slots_used"]),
        slot=FoundSlot(bool(slot["physical"]), bool(slot["lost"]), bool(slot["active"]), slot["reader"] or "")
        if slot
        else None,
        role_there=role is not None,
        role_made=bool(role and role["fit"] and str(role["comment"] or "").startswith(MADE)),
        keep=int(said["keep"]["megabytes"]),
        keep_fixed=said["keep"]["source"] == "command line",
        checksums=bool(said["checksums"]),
        hints=bool(said["hints"]),
        limits=tuple(StandbyLimit(str(one["name"]), int(one["value"]), bool(one["copied"])) for one in said["limits"]),
        hba_file=str(said["hba_file"]),
        lets_in=bool(said["lets_in"]),
        hba_error=str(said["hba_error"] or ""),
        bytes=int(said["bytes"] or 0),
    )
