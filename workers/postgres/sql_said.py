"""What a session of psql is given along, and what comes of how it ended, in words for people."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from actions.engine.errors import RecoveryError
from actions.redact import excerpt
from actions.tools.sql import LoginRefused, NoConnection, NotServing, QueryResult, SqlTimeout, StartingUp
from workers.docker.exec import Command
from workers.postgres.sql_everywhere import PINNED
from workers.postgres.sql_session import CANCELED, SessionAnswer

_NO_SERVER = 2
# What pg_isready says by its exit code: https://www.postgresql.org/docs/current/app-pg-isready.html
_READY = re.compile(r"^mayday\.isready=(\d+)\n?", re.MULTILINE)
_ACCEPTING, _REJECTING = "0", "1"
# By the time pg_isready asks, the server may accept: canAcceptConnections of src/backend/postmaster says these before.
_STARTING = (
    "the database system is starting up",
    "the database system is not yet accepting connections",
    "the database system is not accepting connections",
)
_NOBODY_THERE = ("No such file or directory", "Connection refused")
_NOT_LET_IN = re.compile(r"connection to server (?:on|at) .* failed|could not connect to server", re.DOTALL)


def environment(seconds: float, settings: Sequence[str] = ()) -> dict[str, str]:
    """The environment of psql: however things are configured, values have one text form."""
    given = (f"statement_timeout={int(seconds * 1000)}", *PINNED, *settings)
    return {
        "PGOPTIONS": " ".join(f"-c {setting}" for setting in given),
        "PGAPPNAME": "mayday",
        "PGCONNECT_TIMEOUT": "10",
        "PGCLIENTENCODING": "UTF8",
        "LC_ALL": "C",
    }


def answer(said: SessionAnswer, container: str, seconds: float) -> QueryResult:
    """The answer that psql printed for one query."""
    if said.state:
        detail = f"{said.state}: {said.message}"
        return QueryResult(
            error=late(container, seconds, detail) if said.state == CANCELED else refused(container, detail)
        )
    return QueryResult(json.loads(said.text) if said.text else None)


def closed(database: str, container: str, err: str) -> NoConnection:
    """A database that refused the connection."""
    return NoConnection(
        f"The database {database} in {container} cannot be connected to.",
        code="MD-PG-076",
        detail=excerpt(err.partition("failed: ")[2] or err),
        hint="Read the server's message above.",
    )


def judge(command: Command, err: str, container: str, seconds: float) -> None:
    """Raise what kept psql from its end, if anything did.

    Raises:
        SqlTimeout: the time was over.
        NotServing: no server is there, or it lets nobody in yet (`StartingUp`).
        LoginRefused: it does not let this user into this database.
        RecoveryError: it refused a query, or the connection was lost.
    """
    if command.code == 0:
        return
    told = _READY.search(err)
    said = excerpt("\n".join(line for line in _READY.sub("", err).splitlines() if not line.startswith("LOCATION:")))
    if command.over or f"{CANCELED}:" in err:
        raise late(container, seconds, said)
    if command.code == _NO_SERVER:
        raise no_connection(container, told[1] if told else "", said)
    raise refused(container, said or f"psql ended with {command.code}")


def no_connection(container: str, ready: str, said: str) -> RecoveryError:
    """The error for a connection that was not made; `ready` is the exit code of pg_isready afterwards."""
    message = f"PostgreSQL in {container} does not accept connections."
    look = f"It may still be starting: look at `docker logs {container}`."
    if ready == _REJECTING or any(sign in said for sign in _STARTING):
        return StartingUp(message, code="MD-PG-077", detail=said, hint=look)
    if ready == _ACCEPTING and any(sign in said for sign in _NOBODY_THERE):
        return StartingUp(
            message, code="MD-PG-078", detail=said, hint=look
        )  # It has come up between the two questions.
    if ready == _ACCEPTING and _NOT_LET_IN.search(said):
        return LoginRefused(
            f"PostgreSQL in {container} does not let Mayday in.",
            code="MD-PG-079",
            detail=said,
            hint="Read the server's message above: it names the user, the database or the line of pg_hba.conf.",
        )
    return NotServing(message, code="MD-PG-080", detail=said, hint=look)


def late(container: str, seconds: float, detail: str) -> SqlTimeout:
    """A query whose time was over."""
    return SqlTimeout(
        f"A query took longer than {round(seconds, 1):g} s in {container} and was ended.",
        code="MD-PG-081",
        detail=detail,
        hint="The server may be busy or the table large; retry when it is calmer.",
    )


def refused(container: str, detail: str) -> RecoveryError:
    """A query that the server refused."""
    return RecoveryError(
        f"PostgreSQL in {container} refused a query.",
        code="MD-PG-082",
        detail=detail,
        hint="Read the server's message above; when its cause is mended, retry.",
    )
