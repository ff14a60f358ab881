"""When and where a transaction was committed: what an acknowledged write is proven with."""

from __future__ import annotations

from typing import Any, TypedDict

import psycopg

_COMMITTED = """
    SELECT to_char(pg_xact_commit_timestamp(%s::xid) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           pg_current_wal_flush_lsn()::text,
           ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int
"""
_COMMIT_RECORD = """
    SELECT end_lsn::text FROM pg_get_wal_records_info(%s, %s)
    WHERE xid::text = %s AND resource_manager = 'Transaction' AND record_type = 'COMMIT'
"""


class Proof(TypedDict):
    """`lsn` is the end of the COMMIT record where `exact`, else a place in the WAL that is not before it."""

    xid: str
    commit_time: str
    timeline: int
    lsn: str
    exact: bool


def prove(connection: psycopg.Connection[tuple[Any, ...]], xid: str, before: str | None) -> Proof:
    """Looks a committed transaction up; `before` is a place in the WAL shortly before its COMMIT."""
    row = connection.execute(_COMMITTED, (xid,)).fetchone()
    assert row is not None
    commit_time, flushed, timeline = row
    record = _commit_record(connection, xid, before, flushed) if before else None
    return Proof(xid=xid, commit_time=commit_time, timeline=timeline, lsn=record or flushed, exact=record is not None)


def _commit_record(connection: psycopg.Connection[tuple[Any, ...]], xid: str, before: str, flushed: str) -> str | None:
    try:
        row = connection.execute(_COMMIT_RECORD, (before, flushed, xid)).fetchone()
    except psycopg.DatabaseError:
        # Without pg_walinspect the write is still proven, only its place in the WAL is rounded up.
        return None
    return str(row[0]) if row else None
