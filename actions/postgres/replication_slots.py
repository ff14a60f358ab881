"""Replication slots: no base backup has them, and no WAL tells of them. Physical ones can be made again, empty.

A logical slot cannot: what it would have decoded between its position and the stopping point may be gone, and its
reader has seen changes that the recovery takes back. So it is named, with its reader and with the gap.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from actions.postgres.lsn import Lsn, format_lsn, parse_lsn
from actions.postgres.quoting import literal

# As one object each: which columns there are depends on the version (`failover`, `synced` from 17 on).
SLOTS = (
    "select coalesce(json_agg(to_jsonb(s) || jsonb_build_object('application', r.application_name, 'client', "
    "r.client_addr) order by s.slot_name), '[]'::json) from pg_replication_slots s "
    "left join pg_stat_replication r on r.pid = s.active_pid where not s.temporary"
)
# ReplicationSlotOnDisk of src/backend/replication/slot.c: magic, checksum, version and length, then the slot's name,
# database, persistency, xmin, catalog_xmin and restart_lsn, at the same places in 13 to 18.
_ON_DISK = struct.Struct("<I12x64sIIIIQ")
_MAGIC, _PERSISTENT = 0x1051CA1, 0
ON_DISK_BYTES = _ON_DISK.size


@dataclass(frozen=True)
class Slot:
    """One slot. `restart` is from where it keeps WAL, `confirmed` up to where a logical reader has said it is.

    `reader` is who streams from it now, empty where nobody does or that is not known.
    """

    name: str
    physical: bool
    database: str = ""
    plugin: str = ""
    reader: str = ""
    active: bool = False
    restart: Lsn | None = None
    confirmed: Lsn | None = None
    failover: bool = False


def parse_slots(found: Iterable[Mapping[str, Any]]) -> tuple[Slot, ...]:
    """What `SLOTS` brought."""
    return tuple(_slot(row) for row in found)


def _slot(row: Mapping[str, Any]) -> Slot:
    client = f" at {row['client']}" if row.get("client") else ""
    return Slot(
        name=row["slot_name"],
        physical=row["slot_type"] == "physical",
        database=row.get("database") or "",
        plugin=row.get("plugin") or "",
        reader=f"{row['application']}{client}" if row.get("application") else "",
        active=bool(row.get("active")),
        restart=_lsn(row.get("restart_lsn")),
        confirmed=_lsn(row.get("confirmed_flush_lsn")),
        failover=bool(row.get("failover")),
    )


def _lsn(text: str | None) -> Lsn | None:
    return parse_lsn(text) if text else None


def parse_slot_file(data: bytes) -> Slot | None:
    """A slot from the first bytes of its `state` file, where nobody can be asked; None if damaged or temporary."""
    if len(data) < ON_DISK_BYTES:
        return None
    magic, name, database, persistency, _, _, restart = _ON_DISK.unpack(data[:ON_DISK_BYTES])
    if magic != _MAGIC or persistency != _PERSISTENT:
        return None
    told = name.split(b"\0", 1)[0].decode(errors="replace")
    return Slot(told, database == 0, restart=Lsn(restart) if restart else None)


def gap_of(slot: Slot, stop: Lsn) -> str:
    """What the reader of a logical slot has seen, or not, at the stopping point."""
    at = slot.confirmed or slot.restart
    if at is None:
        return "how far its reader is, is not known"
    if at > stop:
        return f"its reader is at {format_lsn(at)}, past the stop: it has seen changes that go"
    return f"from {format_lsn(at)} to the stop at {format_lsn(stop)} its reader misses changes"


def words_of(slot: Slot) -> str:
    """A logical slot for people: whose it is, and who reads it."""
    of = ", ".join(part for part in (f"database {slot.database}" if slot.database else "", slot.plugin) if part)
    reader = f"read by {slot.reader}" if slot.reader else "in use" if slot.active else "nobody reads it now"
    return f"{slot.name} ({'; '.join(part for part in (of, reader) if part)})"


def wanted_sql(names: Iterable[str]) -> str:
    """Which of these slots exist, and whether one more could be made."""
    listed = ", ".join(literal(name) for name in names)
    return (
        "select json_build_object('there', (select coalesce(json_agg(slot_name), '[]'::json) from pg_replication_slots "
        f"where slot_name in ({listed})), 'room', (select count(*) from pg_replication_slots) "
        "< current_setting('max_replication_slots')::int and current_setting('wal_level') <> 'minimal')"
    )


def make_sql(name: str) -> str:
    """Make a physical slot that keeps WAL from now on."""
    return f"select to_json(slot_name) from pg_create_physical_replication_slot({literal(name)}, true)"


def parse_wanted(found: Any) -> tuple[set[str], bool]:
    """The slots that exist, and whether one more could be made."""
    told = json.loads(found) if isinstance(found, str) else found
    return set(told["there"]), bool(told["room"])
