"""SQL inside of a container, as steps may ask for it: queries, their answers, and how many databases they go to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from actions.engine.errors import RecoveryError
from actions.postgres.server import Server


class SqlTimeout(RecoveryError):
    """A statement was cancelled because its time was over."""


class NotServing(RecoveryError):
    """Nobody was there to ask: the container does not run, or no server listens in it."""


class StartingUp(NotServing):
    """The server is there and lets nobody in yet (SQLSTATE 57P03): it starts, or replays WAL."""


class LoginRefused(RecoveryError):
    """The server answers and does not let this user into this database; `detail` is what it said."""


class NoConnection(RecoveryError):
    """A database of a server that answers cannot be connected to."""


@dataclass(frozen=True)
class QueryResult:
    """What one of several queries brought: its JSON value, or the error that came instead."""

    value: Any = None
    error: RecoveryError | None = None

    def must(self) -> Any:
        """The value; raises the error instead, if there is one."""
        if self.error is not None:
            raise self.error
        return self.value


Asked = Sequence[str] | Mapping[str, Sequence[str]]
"""Queries for every database that allows connections, or for each of these databases its own."""


class Sql(Protocol):
    """SQL inside of a container, over its own local socket, or its loopback where it has none.

    `database` is the one to ask; empty for the server's own (`site.database`). However roles, databases and the
    server are configured, values have one text form: zone UTC, ISO dates, hexadecimal bytes, exact numbers.
    """

    def rows(
        self, container: str, server: Server, sql: str, *, seconds: float = 30, database: str = ""
    ) -> list[dict[str, Any]]:
        """The rows of a query as dicts.

        Raises:
            NotServing: nobody was there to ask; `StartingUp` where the server lets nobody in yet.
            LoginRefused: the server does not let this user into this database.
            RecoveryError: the server refused the query, or the time was over (`SqlTimeout`).
        """

    def values(
        self, container: str, server: Server, queries: Sequence[str], *, seconds: float = 300, database: str = ""
    ) -> Sequence[QueryResult]:
        """The JSON value of each of these queries, asked one after the other within so many seconds.

        They share sessions, since to begin one costs more than most queries do. An error of one is its own.

        Raises:
            Away: Docker does not answer.
        """

    def everywhere(
        self, container: str, server: Server, asked: Asked, *, seconds: float = 300, bare: bool = False
    ) -> Mapping[str, Sequence[QueryResult]]:
        """The same of many databases of one server, by their names, in one go: for each the answers in order.

        A database that cannot be connected to gives `NoConnection` for each of its queries. A query waits for locks
        of others for a few seconds only. With `bare` no schema is searched but the catalog's own, so that nothing
        that people made takes the place of what a query means.

        Raises:
            Away: Docker does not answer.
        """

    def replicates(self, container: str, server: Server) -> str:
        """Empty where the server accepts a replication connection, as a base backup needs; else what it said."""
