"""The store's tables, and the statements that are said most often.

Building a statement takes SQLAlchemy longer than SQLite takes to carry it out, so these are built once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


class UtcTime(sa.TypeDecorator[datetime]):
    """An aware UTC datetime, kept to the microsecond as text that sorts by time on every database."""

    impl = sa.String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        """To text; a naive time is refused."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone is no time")
        return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        """Back to a datetime."""
        return None if value is None else datetime.fromisoformat(str(value))


metadata = sa.MetaData()
entries = sa.Table(
    "entries",
    metadata,
    sa.Column("run", sa.String(40), primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("kind", sa.String(24), nullable=False, index=True),
    sa.Column("step", sa.Integer),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("prev", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
leases = sa.Table(
    "leases",
    metadata,
    sa.Column("key", sa.String(120), primary_key=True),
    sa.Column("run", sa.String(40), nullable=False),
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("token", sa.Integer, nullable=False),
    sa.Column("beat", UtcTime, nullable=False),
)
notes = sa.Table(
    "notes",
    metadata,
    sa.Column("kind", sa.String(24), primary_key=True),
    sa.Column("key", sa.String(400), primary_key=True),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Column("at", UtcTime, nullable=False),
)

KEPT = sa.select(notes.c.data).where(notes.c.kind == sa.bindparam("kind"), notes.c.key == sa.bindparam("key"))
READ = (
    sa.select(entries)
    .where(entries.c.run == sa.bindparam("run"), entries.c.n > sa.bindparam("after"))
    .order_by(entries.c.n)
)
TIP = (
    sa.select(entries.c.n, entries.c.hash)
    .where(entries.c.run == sa.bindparam("run"))
    .order_by(entries.c.n.desc())
    .limit(1)
)
WRITE = sa.insert(entries)
BEAT = (
    # In an update the names of the columns are taken: they would be what is set.
    sa.update(leases)
    .where(
        leases.c.key == sa.bindparam("mine"),
        leases.c.token == sa.bindparam("fence"),
        leases.c.owner == sa.bindparam("me"),
    )
    .values(beat=sa.bindparam("now"))
)


def _insert(dialect: str, table: sa.Table) -> Any:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def replacing(dialect: str) -> Any:
    """Keep a note in place of the one before."""
    wanted = _insert(dialect, notes)
    replaced = {"data": wanted.excluded.data, "at": wanted.excluded.at}
    return wanted.on_conflict_do_update(index_elements=["kind", "key"], set_=replaced)


@cache
def ignoring(dialect: str, table: sa.Table) -> Any:
    """Insert a row unless there is one of its key; the count of rows tells which."""
    # Without the option an INSERT's count of rows is not kept on PostgreSQL.
    return _insert(dialect, table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
