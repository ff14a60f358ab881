"""Misfortunes to practise on."""

from __future__ import annotations

from typing import Any

import psycopg

from actions.engine.errors import Refused
from lab.database import connected
from lab.home import Lab
from lab.notes import Note, append
from lab.replication import primary_service
from lab.standins.proof import Proof, prove

# Whoever writes waits while the tables are locked. So nothing is committed between the moment, which is
# taken under the locks, and the deletion.
_HOLD_STILL = """
    LOCK TABLE nchat_messages, nchat_channels, nchat_channel_members, nchat_users, auth.users, nchat_events,
               nchat_attachments, smoke_checks IN SHARE ROW EXCLUSIVE MODE
"""
_BUSIEST = """
    SELECT c.id, c.name FROM nchat_channels c JOIN nchat_messages m ON m.channel_id = c.id
    GROUP BY c.id, c.name ORDER BY count(*) DESC, c.id LIMIT 1
"""
_NOW = """SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_WHERE = "SELECT pg_current_xact_id()::text, pg_current_wal_insert_lsn()::text"


def data_loss(lab: Lab) -> dict[str, Any]:
    """Deletes the busiest channel and all of its messages, and writes the moment before it into the truth."""
    with connected(lab, primary_service(lab)) as connection:
        with connection.transaction():
            moment, channel, messages = _delete_busiest_channel(connection)
            xid, before = _one(connection, _WHERE)
        proof = prove(connection, xid, before)
    append(lab.truth_file, _noted(moment, channel, messages, proof))
    return {
        "moment": moment,
        "channel": channel,
        "messages": messages,
        "commit_time": proof["commit_time"],
        "xid": xid,
    }


def _noted(moment: str, channel: str, messages: int, proof: Proof) -> Note:
    return Note(
        kind="loss",
        channel=channel,
        messages=messages,
        moment=moment,
        xid=proof["xid"],
        commit_time=proof["commit_time"],
        timeline=proof["timeline"],
        lsn=proof["lsn"],
        exact=proof["exact"],
    )


def _delete_busiest_channel(connection: psycopg.Connection[tuple[Any, ...]]) -> tuple[str, str, int]:
    connection.execute(_HOLD_STILL)
    (moment,) = _one(connection, _NOW)
    ident, channel = _one(connection, _BUSIEST)
    messages = connection.execute("DELETE FROM nchat_messages WHERE channel_id = %s", (ident,)).rowcount
    connection.execute("DELETE FROM nchat_channel_members WHERE channel_id = %s", (ident,))
    connection.execute("DELETE FROM nchat_channels WHERE id = %s", (ident,))
    return moment, channel, messages


def _one(connection: psycopg.Connection[tuple[Any, ...]], query: str) -> tuple[Any, ...]:
    row = connection.execute(query.encode()).fetchone()
    if row is None:
        raise Refused(
            "There is nothing left to lose: no channel has a message.",
            detail="The practice company's database holds no messages.",
            hint="Let the town talk for a while, or start again: mayday lab down --purge, mayday lab up",
        )
    return row
