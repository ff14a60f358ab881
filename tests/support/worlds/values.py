"""The JSON values that the world's databases answer to the statements of checks, comparisons and inventories."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from actions.postgres import integrity_many as many
from actions.postgres import integrity_sql as checks
from actions.postgres.compare_sql import DIGESTS_IF_FEW, TABLES
from actions.postgres.databases import DATABASES
from actions.postgres.inventory_sql import inventory_sql
from tests.support.worlds.wal import FILENODES, Tables

_FROM = re.compile(r'FROM ONLY "(\w+)"\."(\w+)"')
_COUNTED = re.compile(r"c\.oid = ANY \('\{([\d,]+)\}'::oid\[\]\) OFFSET 0\) q$")
_LOST = {
    "pg_filenode_relation": {f"1663/16384/{node}": name.split(".") for name, node in FILENODES.items()},
    "order by created_at desc": {"id": 1, "created_at": "2026-02-09 09:00"},
    "order by created_at limit": {"id": 2, "created_at": "2026-02-09 09:01"},
}


def value_of(sql: str, tables: Tables) -> Any:
    """The JSON value of one query."""
    if sql == DATABASES:
        return [{"oid": 16384, "name": "nself_db", "allows": True, "template": False, "limit": -1, "may": True}]
    if sql in (TABLES, inventory_sql()):
        return _listed(tables) if sql == TABLES else _inventory(tables)
    if sql == DIGESTS_IF_FEW:
        return {str(FILENODES[name]): _digest(rows) for name, rows in tables.items()}
    if oids := _COUNTED.search(sql):
        by_oid = {str(FILENODES[name]): rows for name, rows in tables.items()}
        return {oid: [len(by_oid[oid]), _newest(by_oid[oid]), 8192] for oid in oids[1].split(",")}
    for words, value in _LOST.items():
        if words in sql:
            return value
    if sql.startswith("SELECT to_json(coalesce(translate(encode("):
        found = _FROM.search(sql)
        assert found, sql
        return base64.b64encode(b"".join(_pairs(tables[f"{found[1]}.{found[2]}"]))).decode()
    return _checked(sql, tables)


def _listed(tables: Tables) -> dict[str, Any]:
    rows = [[FILENODES[name], *name.split("."), "r", 8192, 2, ["id"], "1", "p", True] for name in sorted(tables)]
    return {"at": "2026-02-09T09:00:00+00:00", "most": 500, "tables": rows, "sequences": [], "foreign": []}


def _pairs(rows: dict[int, datetime]) -> Iterator[bytes]:
    """The hashes of keys and rows, as pairs_sql gives them."""
    for key, at in rows.items():
        yield struct.pack(">qq", key * 7919, int(at.timestamp() * 1e6))


def _digest(rows: dict[int, datetime]) -> list[Any]:
    return [len(rows), str(sum(int.from_bytes(pair[8:], "big") for pair in _pairs(rows)))]


def _inventory(tables: Tables) -> dict[str, Any]:
    listed = [
        {
            "schema": n.split(".")[0],
            "name": n.split(".")[1],
            "oid": FILENODES[n],
            "locks": 2,
            "file": f"1663/16384/{FILENODES[n]}",
        }
        for n in sorted(tables)
    ]
    return {
        "database": "nself_db",
        "total_bytes": 50_000_000,
        "most": 500,
        "tables": listed,
        "indexes": ["public.nchat_messages_pkey"],
        "constraints": [],
    }


def _newest(rows: dict[int, datetime]) -> str | None:
    return max(rows.values()).isoformat() if rows else None


def _checked(sql: str, tables: Tables) -> Any:
    known: dict[str, Any] = {
        checks.TABLE_SIZES: [
            {"schema": "public", "name": "nchat_messages", "bytes": 8192, "rows": len(tables["public.nchat_messages"])}
        ],
        checks.ORPHANED_MESSAGES: {"orphans": 0, "no_channel": 0},
        checks.FUTURE_TIMESTAMPS: {"future": 0},
        checks.USER_COUNTS: {"nchat_users": len(tables["public.nchat_users"]), "auth_users": len(tables["auth.users"])},
        checks.CONSTRAINTS: {"total": 4, "not_validated": []},
        checks.INDEXES: {"total": 4, "invalid": []},
        checks.CHECKSUM_FAILURES: {"failures": 0, "enabled": True},
        many.FOREIGN_KEYS: [{"constraint": "c", "table": "nchat_messages", "parent": "nchat_users", "orphans": 0}],
    }
    return known.get(sql, [])
