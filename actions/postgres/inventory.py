"""``mayday-inventory.json``: what was inside the database when a base backup was made.

It lies beside the backup, outside of the data directory, so that a restored database can be compared with
what it should hold: tables, row counts, newest rows, indexes and constraints, in every database. The site's own
database stands at the top, as it did when it was the only one; the others came later.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.lsn import Lsn, format_lsn, parse_lsn

FILE_NAME = "mayday-inventory.json"
FORMAT = 1


@dataclass(frozen=True)
class TableCount:
    """One table: its rows (None where counting was not finished), bytes, newest row, and its file as WAL names it."""

    schema: str
    name: str
    rows: int | None
    bytes: int
    newest: datetime | None = None
    file: str = ""

    @property
    def full_name(self) -> str:
        """Schema and name as people say it."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Contents:
    """What a database holds, as ``inventory_sql`` reads it."""

    database: str
    total_bytes: int
    tables: tuple[TableCount, ...]
    indexes: tuple[str, ...]
    constraints: tuple[str, ...]

    @property
    def uncounted(self) -> int:
        """Tables whose rows are not known."""
        return sum(table.rows is None for table in self.tables)


@dataclass(frozen=True)
class Inventory:
    """The contents together with the identity of the backup that they belong to.

    `missing` says in sentences what could not be read or counted: a backup is as good without it.
    """

    system_identifier: str
    timeline: int
    start_lsn: Lsn
    stop_lsn: Lsn
    started_at: datetime
    stopped_at: datetime
    server_version: str
    segment_size: int
    database: str
    total_bytes: int
    tables: tuple[TableCount, ...] = ()
    indexes: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    others: tuple[Contents, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def contents(self) -> Contents:
        """What the site's own database held."""
        return Contents(self.database, self.total_bytes, self.tables, self.indexes, self.constraints)

    @property
    def every(self) -> tuple[Contents, ...]:
        """What each database held."""
        return (self.contents, *self.others)


def parse_contents(data: dict[str, Any]) -> Contents:
    """The JSON row of ``inventory_sql`` (or the same part of an inventory) as facts."""
    return Contents(
        str(data["database"]),
        int(data["total_bytes"]),
        tuple(_table(item) for item in data["tables"]),
        tuple(data["indexes"]),
        tuple(data["constraints"]),
    )


def _table(item: dict[str, Any]) -> TableCount:
    rows = item.get("rows")
    return TableCount(
        item["schema"],
        item["name"],
        None if rows is None else int(rows),
        int(item.get("bytes") or 0),
        _moment(item.get("newest")),
        str(item.get("file") or ""),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def dump_inventory(inventory: Inventory) -> str:
    """The text of the file: readable by people too, a line for each table."""
    data = asdict(inventory) | {
        "start_lsn": format_lsn(inventory.start_lsn),
        "stop_lsn": format_lsn(inventory.stop_lsn),
    }
    # Every plan reads the inventories of all backups, so thousands of tables must not take ten lines each.
    return json.dumps({"format": FORMAT, **data}, default=_as_text).replace('{"schema"', '\n{"schema"') + "\n"


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"no place for {type(value).__name__} in an inventory")


def parse_inventory(text: str) -> Inventory:
    """Read the file; newer fields of a later format are ignored."""
    try:
        return _inventory(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise RecoveryError(
            f"{FILE_NAME} beside a base backup cannot be read.",
            code="MD-PG-005",
            detail=f"{type(error).__name__}: {error}"[:200],
            hint="The backup itself may be whole: it can be used, but not compared with its inventory.",
        ) from error


def _inventory(data: dict[str, Any]) -> Inventory:
    known = {field.name: data[field.name] for field in fields(Inventory) if field.name in data}
    read = _shallow(parse_contents(data))
    return Inventory(
        **{
            **known,
            **read,
            "others": tuple(map(parse_contents, data.get("others") or ())),
            "missing": tuple(map(str, data.get("missing") or ())),
            "timeline": int(data["timeline"]),
            "system_identifier": str(data["system_identifier"]),
            "start_lsn": parse_lsn(data["start_lsn"]),
            "stop_lsn": parse_lsn(data["stop_lsn"]),
            "started_at": datetime.fromisoformat(data["started_at"]),
            "stopped_at": datetime.fromisoformat(data["stopped_at"]),
        }
    )


def _shallow(contents: Contents) -> dict[str, Any]:
    """The fields of the contents without turning the tables back into dicts."""
    return {field.name: getattr(contents, field.name) for field in fields(contents)}
