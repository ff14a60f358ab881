"""Damages the data at a noted moment, and takes a picture of every table just before and just after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from lab.database import connected
from lab.home import Lab
from lab.notes import Note, append
from lab.standins.proof import prove

Picture = Mapping[str, tuple[int, str]]
"""Rows and checksum by table."""

_TABLES = """
    SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n
    ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname IN ('public', 'auth') ORDER BY 1
"""
_PICTURE = """
    SELECT count(*), coalesce(md5(string_agg(md5(t::text), ',' ORDER BY md5(t::text) COLLATE "C")), '') FROM {table} t
"""
# A row whose commit time is not known any more is an old one, or just being written by whoever asks.
_UNTIL = " WHERE coalesce(pg_xact_commit_timestamp(t.xmin) <= {until}, true)"
_NOW = """SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_OWN = """
    DROP TABLE IF EXISTS soak_lines, soak_heads CASCADE;
    CREATE TABLE soak_heads (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE soak_lines (id int PRIMARY KEY, head int NOT NULL REFERENCES soak_heads, body text, weight int);
    INSERT INTO soak_heads SELECT n, 'head ' || n FROM generate_series(1, 50) n;
    INSERT INTO soak_lines SELECT n, 1 + n % 50, repeat(md5(n::text || {round}), 20), n
    FROM generate_series(1, 20000) n;
    CREATE INDEX ON soak_lines (weight);
    INSERT INTO nchat_channels (name) VALUES ('soak-' || {round}) ON CONFLICT DO NOTHING;
"""
_STATEMENTS = {
    "every row is updated": "UPDATE soak_lines SET body = 'gone', weight = -weight",
    "half of the rows are deleted": "DELETE FROM soak_lines WHERE id % 2 = 0",
    "a table is emptied": "TRUNCATE soak_heads CASCADE",
    "a table is dropped": "DROP TABLE soak_heads CASCADE",
    "a column is dropped": "ALTER TABLE soak_lines DROP COLUMN weight",
    "all people get one name": "UPDATE nchat_users SET name = 'Anybody'",
}
_BUSIEST = """
    SELECT c.id, c.name FROM nchat_channels c JOIN nchat_messages m ON m.channel_id = c.id
    GROUP BY c.id, c.name ORDER BY count(*) DESC, c.id LIMIT 1
"""


@dataclass(frozen=True)
class Damage:
    """When and where it was done, and how the tables were: nobody else wrote between the two pictures."""

    moment: str
    xid: str
    lsn: str
    committed: datetime
    before: Picture
    after: Picture


def prepare(lab: Lab, number: int) -> None:
    """Tables of the soak's own, whole ones, and a channel in place of one that an earlier round deleted."""
    with connected(lab) as db:
        db.execute(sql.SQL(_OWN).format(round=sql.Literal(str(number))))


def damage(lab: Lab, what: str) -> Damage:
    """Do it, as one transaction that everybody who writes waits for."""
    with connected(lab) as db:
        with db.transaction():
            tables = [str(row[0]) for row in db.execute(_TABLES)]
            db.execute(f"LOCK TABLE {', '.join(tables)} IN SHARE ROW EXCLUSIVE MODE".encode())
            moment = _one(db, _NOW)[0]
            lsn = _one(db, "SELECT pg_current_wal_insert_lsn()::text")[0]
            before = picture(db)
            channel = _delete_channel(db) if what not in _STATEMENTS else ()
            if not channel:
                db.execute(_STATEMENTS[what].encode())
            after = picture(db)
            xid, place = _one(db, "SELECT pg_current_xact_id()::text, pg_current_wal_insert_lsn()::text")
        proof = prove(db, xid, place)
    if channel:
        append(
            lab.truth_file,
            Note(
                kind="loss",
                channel=channel[1],
                messages=channel[2],
                moment=moment,
                xid=xid,
                commit_time=proof["commit_time"],
                timeline=proof["timeline"],
                lsn=proof["lsn"],
                exact=proof["exact"],
            ),
        )
    return Damage(moment, xid, lsn, datetime.fromisoformat(proof["commit_time"]), before, after)


def _delete_channel(db: psycopg.Connection[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The busiest one, with its messages."""
    ident, name = _one(db, _BUSIEST)
    messages = db.execute("DELETE FROM nchat_messages WHERE channel_id = %s", (ident,)).rowcount
    db.execute("DELETE FROM nchat_channel_members WHERE channel_id = %s", (ident,))
    db.execute("DELETE FROM nchat_channels WHERE id = %s", (ident,))
    return ident, name, messages


def picture(db: psycopg.Connection[tuple[Any, ...]], until: datetime | None = None) -> Picture:
    """Every table as it is; with `until` without what was committed later."""
    found = {}
    for (table,) in db.execute(_TABLES).fetchall():
        where = sql.SQL(_UNTIL).format(until=sql.Literal(until)) if until else sql.SQL("")
        asked = sql.SQL(_PICTURE).format(table=sql.SQL(str(table))) + where
        rows, checksum = _one(db, asked)
        found[str(table)] = (int(rows), str(checksum))
    return found


def picture_now(lab: Lab, until: datetime) -> Picture:
    """The live database, without what was committed after that moment."""
    with connected(lab) as db:
        return picture(db, until)


def _one(db: psycopg.Connection[tuple[Any, ...]], query: str | sql.Composed) -> tuple[Any, ...]:
    row = db.execute(query.encode() if isinstance(query, str) else query).fetchone()
    assert row is not None
    return row
