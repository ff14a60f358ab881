"""The store's tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


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
journals = sa.Table(
    "journals",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("site", sa.String(200), nullable=False),
    sa.Column("service", sa.String(200), nullable=False),
    sa.Column("opened_at", UtcTime, nullable=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("closed_at", UtcTime),
    # Numbers of changes in the whole store: of the journal's first entry and of its last one.
    sa.Column("began", sa.BigInteger, nullable=False),
    sa.Column("change", sa.BigInteger, nullable=False),
    sa.Index("journals_change", "change", unique=True),
    sa.Index("journals_newest", "kind", "opened_at"),
    sa.Index("journals_open", "closed_at", "kind", "opened_at"),
)
archived = sa.Table(
    "archived",
    metadata,
    sa.Column("run", sa.String(40), primary_key=True),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("at", UtcTime, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
claims = sa.Table(
    "claims",
    metadata,
    sa.Column("site", sa.String(200), primary_key=True),
    sa.Column("service", sa.String(200), primary_key=True),
    sa.Column("run", sa.String(40), primary_key=True, index=True),
    sa.Column("mode", sa.String(12), nullable=False),
    # Ids of runs, by spaces. A version that knows of no children writes none.
    sa.Column("lenders", sa.Text, nullable=False, server_default=""),
)
due_times = sa.Table(
    "due_times",
    metadata,
    sa.Column("schedule", sa.String(200), primary_key=True),
    sa.Column("due", UtcTime, primary_key=True),
    sa.Column("taken", UtcTime, nullable=False, index=True),
    sa.Column("run", sa.String(40), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)
# Those of stores of before are in "leases", by service; see `migrations`.
leases = sa.Table(
    "run_leases",
    metadata,
    sa.Column("run", sa.String(120), primary_key=True),
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
