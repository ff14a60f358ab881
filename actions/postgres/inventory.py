"""``mayday-inventory.json``: what was inside the database when a base backup was made.

It lies beside the backup, outside of the data directory, so that a restored database can be compared with
what it should hold: tables, row counts, newest rows, indexes and constraints.
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
    """One table: its rows (None where counting was not finished), bytes, and newest row."""

    schema: str
    name: str
    rows: int | None
    bytes: int
    newest: datetime | None = None

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


@dataclass(frozen=True)
class Inventory:
    """The contents together with the identity of the backup that they belong to."""

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

    @property
    def contents(self) -> Contents:
        """The part that is compared with a database."""
        return Contents(self.database, self.total_bytes, self.tables, self.indexes, self.constraints)


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
        int(item["bytes"]),
        _moment(item.get("newest")),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def dump_inventory(inventory: Inventory) -> str:
    """The text of the file, readable by people too."""
    data = asdict(inventory) | {
        "start_lsn": format_lsn(inventory.start_lsn),
        "stop_lsn": format_lsn(inventory.stop_lsn),
    }
    return json.dumps({"format": FORMAT, **data}, indent=1, default=_as_text) + "\n"


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
