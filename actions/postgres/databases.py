"""The databases of a cluster: what pg_database says of each, and of which it is known that nobody can connect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DATABASES = (
    "SELECT json_agg(json_build_object('oid', oid::bigint, 'name', datname, 'allows', datallowconn, 'template', "
    "datistemplate, 'limit', datconnlimit, 'may', has_database_privilege(oid, 'CONNECT')) ORDER BY oid) "
    "FROM pg_catalog.pg_database"
)
# DROP DATABASE marks a database so before its files go, since 15.4 (and the releases of August 2023 before it);
# one that was interrupted leaves the mark, and can only be dropped again (src/backend/commands/dbcommands.c).
_INVALID = -2


@dataclass(frozen=True)
class Database:
    """One of a cluster's databases. `may` says whether the role that asked may connect."""

    name: str
    oid: int = 0
    allows: bool = True
    template: bool = False
    invalid: bool = False
    may: bool = True


def parse_databases(data: Iterable[Mapping[str, Any]]) -> tuple[Database, ...]:
    """The JSON of ``DATABASES``."""
    return tuple(
        Database(
            row["name"],
            int(row["oid"]),
            bool(row["allows"]),
            bool(row["template"]),
            int(row["limit"]) == _INVALID,
            bool(row["may"]),
        )
        for row in data
    )


def shut(listed: Sequence[Database]) -> tuple[str, ...]:
    """Which allow no connections by their owners' will, so that nothing of them can be read."""
    return tuple(one.name for one in listed if not one.allows)


def named(database: str, own: str, thing: str) -> str:
    """A thing of a database as people read it: with the database's name where it is not the site's own."""
    return thing if database == own else f"{database}.{thing}"
