"""Stand-in for the company's serverless functions: what the town writes through.

A write is answered after its COMMIT, with the proof of it: transaction, commit time and place in the WAL.
"""

from __future__ import annotations

from typing import Any

import psycopg

from lab.standins.db import Database
from lab.standins.proof import prove
from lab.standins.web import Answer, BadRequest, Request, as_json, routed, serve

_writes = Database("functions")
# Health has a connection of its own, because a write may be waiting for a lock.
_health = Database("functions-health")

_INSERT_MESSAGE = """
    WITH added AS (
        INSERT INTO nchat_messages (channel_id, user_id, body, client_ref) VALUES (%s, %s, %s, %s)
        ON CONFLICT (client_ref) DO NOTHING RETURNING id, channel_id)
    SELECT a.id, c.name, pg_current_xact_id()::text, pg_current_wal_insert_lsn()::text
    FROM added a JOIN nchat_channels c ON c.id = a.channel_id
"""
_FIND_MESSAGE = """
    SELECT m.id, c.name, m.xmin::text FROM nchat_messages m JOIN nchat_channels c ON c.id = m.channel_id
    WHERE m.client_ref = %s
"""


def post_message(request: Request) -> Answer:
    """Adds a message once per `client_ref`: a repeated request gets the proof of the first one."""
    asked = request.json()
    try:
        values = (int(asked["channel_id"]), int(asked["user_id"]), str(asked["body"]), asked.get("client_ref"))
    except (KeyError, TypeError, ValueError) as problem:
        raise BadRequest(f"a message needs channel_id, user_id and body ({problem})") from problem
    with _writes.use() as connection:
        with connection.transaction():
            added = connection.execute(_INSERT_MESSAGE, values).fetchone()
        if added is None:
            return _already_there(connection, values[3])
        ident, channel, xid, before = added
        return as_json({"id": ident, "channel": channel} | dict(prove(connection, xid, before)))


def _already_there(connection: psycopg.Connection[tuple[Any, ...]], client_ref: object) -> Answer:
    found = connection.execute(_FIND_MESSAGE, (client_ref,)).fetchone()
    if found is None:
        return as_json({"error": "the message vanished while it was looked for"}, 409)
    return as_json({"id": found[0], "channel": found[1]} | dict(prove(connection, found[2], None)))


def post_channel(request: Request) -> Answer:
    name = str(request.json().get("name", "")).strip()
    if not name:
        raise BadRequest("a channel needs a name")
    row = _writes.one("INSERT INTO nchat_channels (name) VALUES (%s) RETURNING id", name)
    return as_json({"id": row and row[0]})


def post_user(request: Request) -> Answer:
    """Adds a user and the login of that user in one transaction: the two tables hold the same people."""
    asked = request.json()
    name, email = str(asked.get("name", "")).strip(), str(asked.get("email", "")).strip()
    if not name or not email:
        raise BadRequest("a user needs a name and an email")
    row = _writes.one("SELECT add_user(%s, %s)", name, email)
    return as_json({"id": row and row[0]})


def get_channels(_: Request) -> Answer:
    rows = _writes.all("SELECT id, name FROM nchat_channels ORDER BY id")
    return as_json({"channels": [{"id": ident, "name": name} for ident, name in rows]})


def get_users(_: Request) -> Answer:
    rows = _writes.all("SELECT id, name FROM nchat_users ORDER BY id")
    return as_json({"users": [{"id": ident, "name": name} for ident, name in rows]})


def get_health(_: Request) -> Answer:
    fine = _health.answers()
    return as_json({"status": "ok" if fine else "no writable database"}, 200 if fine else 503)


def get_smoke(_: Request) -> Answer:
    """Proves a write round trip with a row of its own, and takes it away again."""
    with _writes.use() as connection:
        made = connection.execute("INSERT INTO smoke_checks DEFAULT VALUES RETURNING id").fetchone()
        seen = connection.execute("SELECT id FROM smoke_checks WHERE id = %s", made).fetchone()
        connection.execute("DELETE FROM smoke_checks WHERE id = %s", made)
    fine = made == seen
    return as_json({"status": "ok" if fine else "failed", "wrote": made and made[0]}, 200 if fine else 500)


_ROUTES = routed(
    {
        ("POST", "/messages"): post_message,
        ("POST", "/channels"): post_channel,
        ("POST", "/users"): post_user,
        ("GET", "/channels"): get_channels,
        ("GET", "/users"): get_users,
        ("GET", "/healthz"): get_health,
        ("GET", "/smoke"): get_smoke,
    }
)


def handle(request: Request) -> Answer:
    """A refused row is the caller's affair (409); a server that does not take writes is an outage (503)."""
    try:
        return _ROUTES(request)
    except psycopg.IntegrityError as problem:
        return as_json({"error": str(problem)}, 409)
    except psycopg.Error as problem:
        return as_json({"error": str(problem)}, 503)


if __name__ == "__main__":
    serve("functions", 3000, handle)
