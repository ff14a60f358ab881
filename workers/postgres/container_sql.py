"""SQL inside of a container, through psql over the server's own socket or its loopback."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, TypeVar

from actions.engine.errors import Away, RecoveryError
from actions.postgres.server import Server
from actions.redact import excerpt
from actions.tools.sql import Asked, LoginRefused, NotServing, QueryResult
from workers.postgres.psql_command import PSQL, of_database, with_query, with_script
from workers.postgres.server_access import Access, Accesses, crash_is_no_answer, replication_access
from workers.postgres.sql_everywhere import (
    BARE,
    EVERYWHERE,
    Block,
    blocks_of,
    everywhere_script,
    longest_wait,
    one_command_each,
)
from workers.postgres.sql_said import answer, closed, environment, judge, late, refused
from workers.postgres.sql_session import LEAST_SECONDS, SessionAnswer, last_words, session_answers, session_script

_ASKS = re.compile(r"(?:\s++|--[^\n]*+\n|/\*.*?\*/|\()*(?:select|with|values|table)\b", re.IGNORECASE | re.DOTALL)
# A value may hold line breaks, but no text of PostgreSQL holds a zero byte.
_RECORD = b"\0"
T = TypeVar("T")
_BEYOND = 5


class ContainerSql:
    """Queries for the live server and for clones, by the name of the container.

    `accesses` remembers the way to each start of a container; whoever opens many of these shares one.
    """

    def __init__(self, client: Any, accesses: Accesses | None = None) -> None:
        self._client = client
        self._accesses = accesses or Accesses()

    def rows(
        self, container: str, server: Server, sql: str, *, seconds: float = 30, database: str = ""
    ) -> list[dict[str, Any]]:
        asks = bool(_ASKS.match(sql))
        text = f"select row_to_json(mayday) from (\n{_bare(sql)}\n) mayday" if asks else sql
        said = [one for one in self._records(container, server, text, seconds, database) if one.strip()]
        return [json.loads(record) for record in said] if asks else []

    def values(
        self, container: str, server: Server, queries: Sequence[str], *, seconds: float = 300, database: str = ""
    ) -> Sequence[QueryResult]:
        return self._sessions(container, server, queries, seconds, database, ())

    def _sessions(
        self,
        container: str,
        server: Server,
        queries: Sequence[str],
        seconds: float,
        database: str,
        settings: Sequence[str],
    ) -> list[QueryResult]:
        until, found = time.monotonic() + seconds, list[QueryResult]()
        while rest := queries[len(found) :]:
            # A session ends early where a query broke its connection; those after that query get another.
            left = max(until - time.monotonic(), LEAST_SECONDS)
            found += self._session(container, server, rest, left, database, settings)
        return found

    def everywhere(
        self, container: str, server: Server, asked: Asked, *, seconds: float = 300, bare: bool = False
    ) -> Mapping[str, Sequence[QueryResult]]:
        settings, until = EVERYWHERE + BARE * bare, time.monotonic() + seconds
        found: dict[str, Sequence[QueryResult]] = {}
        for some in one_command_each(asked):
            left = max(until - time.monotonic(), LEAST_SECONDS)
            if isinstance(some, tuple):
                found[some[0]] = self._sessions(container, server, some[1], left, some[0], settings)
                continue
            for name, block in self._blocks(container, server, some, left, settings).items():
                queries = some[name] if isinstance(some, Mapping) else some
                found[name] = self._answered(container, server, queries, left, name, settings, block)
        return found

    def replicates(self, container: str, server: Server) -> str:
        try:
            replication_access(self._accesses.to(self._client, container, server), server)
        except (LoginRefused, NotServing) as trouble:
            return trouble.detail or trouble.message
        return ""

    def _blocks(
        self, container: str, server: Server, asked: Asked, seconds: float, settings: Sequence[str]
    ) -> Mapping[str, Block | RecoveryError]:
        names, mark = list(asked) if isinstance(asked, Mapping) else [server.database], f"mayday.{uuid.uuid4().hex}"

        def ask(access: Access) -> Mapping[str, Block]:
            argv = everywhere_script(_bare_all(asked), server.database, seconds, mark)
            command = access.command(
                argv, seconds=longest_wait(asked, seconds), env=environment(seconds, settings), server=server
            )
            with closing(command.lines()) as lines:
                blocks = blocks_of("\n".join(lines), mark)
            if not blocks:
                judge(command, command.err, container, seconds)
            return blocks

        try:
            blocks = self._let_in(container, server, ask)
        except Away:
            raise
        except RecoveryError as trouble:
            return dict.fromkeys(names, trouble)
        return {**(dict.fromkeys(asked, Block()) if isinstance(asked, Mapping) else {}), **blocks}

    def _let_in(self, container: str, server: Server, ask: Callable[[Access], T]) -> T:
        """Ask; where the server does not let anybody in by this way, by the next one."""
        access = self._accesses.to(self._client, container, server)
        with crash_is_no_answer():
            try:
                return ask(access)
            except LoginRefused:
                if not access.give_up():
                    raise
                return ask(access)

    def _answered(
        self,
        container: str,
        server: Server,
        queries: Sequence[str],
        seconds: float,
        name: str,
        settings: Sequence[str],
        block: Block | RecoveryError,
    ) -> Sequence[QueryResult]:
        if isinstance(block, RecoveryError):
            return [QueryResult(error=block)] * len(queries)
        found = [answer(one, container, seconds) for one in block.said]
        if len(found) == len(queries):
            return found
        if block.code is None:
            over = late(container, seconds, "The time was over before it began.")
            return [*found, *[QueryResult(error=over)] * (len(queries) - len(found))]
        if not block.connected:
            return [QueryResult(error=closed(name, container, block.err))] * len(queries)
        # The connection was lost in the midst: that query is to blame, and those after it get another.
        broken = QueryResult(error=refused(container, f"psql ended before its last query: {excerpt(block.err)}"))
        rest = queries[len(found) + 1 :]
        return [*found, broken, *self._sessions(container, server, rest, seconds, name, settings)]

    def _session(
        self,
        container: str,
        server: Server,
        queries: Sequence[str],
        seconds: float,
        database: str,
        settings: Sequence[str],
    ) -> Sequence[QueryResult]:
        """The answers to the first of these queries: to all of them, unless the connection was lost."""
        mark, beyond = f"mayday.{uuid.uuid4().hex}", LEAST_SECONDS * len(queries)
        script = session_script([_bare(query) for query in queries], seconds, mark)
        said: list[SessionAnswer] = []

        def ask(access: Access) -> None:
            argv = with_script(access.inside, [*PSQL, *of_database(server, database)], script)
            command = access.command(
                argv, seconds=seconds + beyond + _BEYOND, env=environment(seconds, settings), server=server
            )
            with closing(command.lines()) as lines:
                said[:] = session_answers("\n".join(lines), mark)
            if len(said) < len(queries):
                last = last_words(command.err, mark)
                judge(command, last, container, seconds)
                raise refused(container, f"psql ended before its last query: {excerpt(last)}")

        try:
            self._let_in(container, server, ask)
        except Away:
            raise
        except RecoveryError as trouble:
            return [*(answer(one, container, seconds) for one in said), QueryResult(error=trouble)]
        return [answer(one, container, seconds) for one in said]

    def _records(self, container: str, server: Server, sql: str, seconds: float, database: str) -> list[str]:
        def ask(access: Access) -> list[str]:
            argv = [*PSQL, "-0", "-v", "ON_ERROR_STOP=1", *of_database(server, database)]
            # The server's own limit comes first, so that it cancels the query and says so.
            command = access.command(
                with_query(access.inside, argv, sql),
                seconds=seconds + _BEYOND,
                env=environment(seconds),
                server=server,
            )
            with closing(command.lines(_RECORD)) as records:
                found = list(records)
            judge(command, command.err, container, seconds)
            return found

        return self._let_in(container, server, ask)


def _bare(sql: str) -> str:
    return sql.strip().rstrip(";").rstrip()


def _bare_all(asked: Asked) -> Asked:
    if isinstance(asked, Mapping):
        return {name: [_bare(query) for query in queries] for name, queries in asked.items()}
    return [_bare(query) for query in asked]
