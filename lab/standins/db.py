"""A connection to the company's database that comes back by itself after an outage."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

_PASSWORD_FILE = Path("/run/secrets/postgres_password")


class Database:
    """One connection, used by one thread at a time.

    A statement that fails is never repeated here: only the caller knows whether that would be right.
    The next use opens a new connection.
    """

    def __init__(self, application: str) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    @contextmanager
    def use(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            try:
                yield self._connection
            except psycopg.OperationalError:
                # A broken connection may still look open until the next use; a new one is cheap.
                self._connection.close()
                raise

    def one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        with self.use() as connection:
            return connection.execute(query.encode(), values or None).fetchone()

    def all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.use() as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def answers(self) -> bool:
        """Whether the server answers at all, and takes writes."""
        try:
            return self.one("SELECT pg_is_in_recovery()") == (False,)
        except psycopg.Error:
            return False

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host=os.environ["DATABASE_HOST"],
            dbname=os.environ["DATABASE_NAME"],
            user="postgres",
            password=_PASSWORD_FILE.read_text().strip(),
            application_name=self._application,
            connect_timeout=2,
            options="-c statement_timeout=5000 -c lock_timeout=3000 -c timezone=UTC",
            autocommit=True,
        )
