"""SQL inside of a container, through psql over the server's own socket: no network, no password."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Any

from docker.errors import NotFound

from actions.engine.errors import RecoveryError
from actions.postgres.server import Server
from actions.redact import excerpt
from actions.tools import SqlTimeout
from workers.daemon import speaking
from workers.helper import checked
from workers.inside import Command, Inside, shell

_ASKS = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:select|with|values|table)\b", re.IGNORECASE | re.DOTALL)
# A value may hold line breaks, but no text of PostgreSQL holds a zero byte.
_FIELD, _RECORD = "\x1f", b"\0"
# One argument may have 128 kB; a longer query goes into a file in pieces.
_LONGEST_ARGUMENT, _PIECE = 100_000, 30_000
_NO_SERVER = 2
_BEYOND = 5
_FROM_FILE = r"""
trap 'rm -f "$f"' EXIT
f=$1; shift
"$@" -f "$f"
"""


class ContainerSql:
    """Queries for the live server and for clones, by the name of the container."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._users: dict[str, str] = {}

    def rows(self, container: str, server: Server, sql: str, *, seconds: float = 30) -> list[dict[str, Any]]:
        asks = bool(_ASKS.match(sql))
        text = f"select row_to_json(mayday) from (\n{_bare(sql)}\n) mayday" if asks else sql
        with closing(self._records(container, server, text, seconds)) as records:
            said = [record for record in records if record.strip()]
        return [json.loads(record) for record in said] if asks else []

    def lines(self, container: str, server: Server, sql: str, *, seconds: float = 300) -> Iterator[str]:
        # With FETCH_COUNT psql reads through a cursor, so that neither side holds all rows.
        records = self._records(container, server, _bare(sql), seconds, "-v", "FETCH_COUNT=2000")
        return (record.partition(_FIELD)[0] for record in records)

    def _records(self, container: str, server: Server, sql: str, seconds: float,
                 *flags: str) -> Generator[str, None, None]:  # fmt: skip
        inside = self._inside(container, server)
        # Only verbose errors carry the SQLSTATE, by which a query whose time was over is told from a wrong one.
        argv = ["psql", "-X", "-q", "-A", "-t", "-w", "-0", "-F", _FIELD, "-v", "ON_ERROR_STOP=1",
                "-v", "VERBOSITY=verbose", *flags, "-U", server.user, "-d", server.database]  # fmt: skip
        env = {"PGOPTIONS": f"-c statement_timeout={int(seconds * 1000)} -c client_min_messages=error",
               "PGAPPNAME": "mayday", "PGCONNECT_TIMEOUT": "10", "PGCLIENTENCODING": "UTF8", "LC_ALL": "C"}  # fmt: skip
        # The server's own limit comes first, so that it cancels the query and says so.
        command = inside.command(_with_query(inside, argv, sql), seconds=seconds + _BEYOND, env=env)
        with closing(command.lines(_RECORD)) as records:
            yield from records
        _judge(command, container, seconds)

    def _inside(self, container: str, server: Server) -> Inside:
        """The container, if it is the server of the plan or a clone; as the user whom the server runs as."""
        with speaking(f"looking at {container}"):
            try:
                found = self._client.api.inspect_container(container)
            except NotFound:
                raise RecoveryError(f"There is no container named {container}.",
                                    hint="Start the service, then retry.") from None  # fmt: skip
        clone = (found["Config"].get("Labels") or {}).get("mayday.role") == "clone"
        if not clone and found["Id"] != server.container:
            raise RecoveryError(f"The container {container} was replaced since the plan.",
                                detail=f"The plan names the id {server.container[:12]}; now it is {found['Id'][:12]}.",
                                hint="Ask for a new plan.")  # fmt: skip
        if not found["State"]["Running"]:
            raise RecoveryError(f"{container} does not run, so it cannot be asked.",
                                detail=f"It is {found['State']['Status']}.", hint="Start it, then retry.")  # fmt: skip
        return Inside(self._client.api, found["Id"], self._user(found["Id"], server))

    def _user(self, id: str, server: Server) -> str:
        if id not in self._users:
            # Peer authentication lets in just the user whom the server runs as: the owner of its data.
            done = Inside(self._client.api, id).run(["stat", "-c", "%u:%g", server.home.inside], seconds=20)
            self._users[id] = checked(done, "finding the server's user").strip()
        return self._users[id]


def _bare(sql: str) -> str:
    return sql.strip().rstrip(";").rstrip()


def _with_query(inside: Inside, argv: Sequence[str], sql: str) -> list[str]:
    if len(sql.encode()) <= _LONGEST_ARGUMENT:
        return [*argv, "-c", sql]
    path = f"/tmp/mayday.{uuid.uuid4().hex}.sql"
    for at in range(0, len(sql), _PIECE):
        done = inside.script('umask 077; printf "%s" "$2" >>"$1"', path, sql[at : at + _PIECE])
        checked(done, "handing a long query over")
    return shell(_FROM_FILE, path, *argv)


def _judge(command: Command, container: str, seconds: float) -> None:
    if command.code == 0:
        return
    said = excerpt("\n".join(line for line in command.err.splitlines() if not line.startswith("LOCATION:")))
    if command.over or "57014:" in command.err:
        raise SqlTimeout(f"A query took longer than {seconds:g} s in {container} and was ended.", detail=said,
                         hint="The server may be busy or the table large; retry when it is calmer.")  # fmt: skip
    if command.code == _NO_SERVER:
        raise RecoveryError(f"PostgreSQL in {container} does not accept connections.", detail=said,
                            hint=f"It may still be starting: look at `docker logs {container}`.")  # fmt: skip
    raise RecoveryError(f"PostgreSQL in {container} refused a query.", detail=said or f"psql ended with {command.code}",
                        hint="Read the server's message above; when its cause is mended, retry.")  # fmt: skip
