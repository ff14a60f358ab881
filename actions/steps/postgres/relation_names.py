"""What the files that WAL names are called: asked of the database that has them, else of the inventories of backups.

WAL knows a relation by tablespace, database and file number (relfilenode). The number is the table's oid only until the
table is truncated, rewritten or moved for the first time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.databases import named, parse_databases
from actions.postgres.inventory import Inventory, parse_inventory
from actions.postgres.lost_rows import RowCounts
from actions.postgres.server import Server
from actions.tools.postgres_files import PostgresFiles
from actions.tools.sql import Sql

_AT_ONCE = 2_000
_STOPPED_AT = re.compile(r'"stopped_at": "[^"]+')
# pg_class says 0 for the default tablespace of the database; pg_filenode_relation takes the real one for it too.
_NAMES = (
    "SELECT json_object_agg(q.file, json_build_array(n.nspname, c.relname)) FROM (SELECT file, pg_filenode_relation("
    "split_part(file, '/', 1)::oid, split_part(file, '/', 3)::oid) AS rel FROM unnest('{{{files}}}'::text[]) AS file) "
    "q JOIN pg_class c ON c.oid = q.rel JOIN pg_namespace n ON n.oid = c.relnamespace"
)
# Not people's rows: TOAST is counted with its table's, catalogs are changed by statements that are told otherwise.
_NOT_SHOWN = ("pg_toast", "pg_catalog")

Called = tuple[str, str, str]
"""A table by database, schema and name."""


@dataclass(frozen=True)
class Relations:
    """The files of lost rows, grouped by the oid of their database."""

    by_database: Mapping[int, Sequence[str]]

    @classmethod
    def of(cls, rows: Iterable[RowCounts]) -> Relations:
        """Those of people's data."""
        found: dict[int, list[str]] = {}
        for row in rows:
            if row.user_data:
                found.setdefault(row.database_oid, []).append(row.relation)
        return cls(found)

    def queries(self, oid: int) -> list[str]:
        """What asks one database for the names of its files, each for as many as one statement should."""
        files = self.by_database.get(oid, ())
        return [_NAMES.format(files=",".join(files[at : at + _AT_ONCE])) for at in range(0, len(files), _AT_ONCE)]


def ask_names(relations: Relations, told: Any, server: Server, sql: Sql, seconds: float) -> dict[str, Called]:
    """Of the live server: by file its database, schema and name. `told` is the JSON of ``DATABASES``."""
    databases = {one.oid: one.name for one in parse_databases(told or ())}
    asked = {
        databases[oid]: queries
        for oid in relations.by_database
        if (queries := relations.queries(oid)) and oid in databases
    }
    if not asked:
        return {}
    answers = sql.everywhere(server.service, server, asked, seconds=seconds, bare=True)
    return {
        file: (database, schema, name)
        for database, given in answers.items()
        for answer in given
        for file, (schema, name) in (answer.value or {}).items()
    }


def remembered_names(unknown: Iterable[str], server: Server, files: PostgresFiles) -> dict[str, Called]:
    """Of files that the server does not know any more: what the newest inventory that has them called them."""
    left, found = set(unknown), dict[str, Called]()
    for inventory in _inventories(server, files) if left else ():
        for contents in inventory.every:
            for table in contents.tables:
                if table.file in left:
                    found[table.file] = (contents.database, table.schema, table.name)
                    left.discard(table.file)
        if not left:
            break
    return found


def _inventories(server: Server, files: PostgresFiles) -> Iterable[Inventory]:
    """The readable ones, newest first; no more of them are read than are needed."""
    texts = [found.inventory for found in files.backups(server) if found.inventory]
    # Sorted by one search in the text: to parse those of thousands of tables takes its time.
    for text in sorted(texts, key=lambda text: (_STOPPED_AT.search(text) or [""])[0], reverse=True):
        try:
            yield parse_inventory(text)
        except RecoveryError:
            continue  # Another backup's is as good a witness.


def name_of(file: str, names: Mapping[str, Called], told: Any, own: str) -> str:
    """What people read for a file; nothing where it is not theirs to see."""
    if file in names:
        database, schema, name = names[file]
        return "" if schema in _NOT_SHOWN else named(database, own, f"{schema}.{name}")
    oid, number = (int(part) for part in file.split("/")[1:])
    database = {one.oid: one.name for one in parse_databases(told or ())}.get(oid, "")
    if not told:
        return f"relation {number} of database {oid}"
    if not database:
        return f"a table of a database that is gone (oid {oid}, file {number})"
    return f"a table of database {database} that is gone (file {number})"
