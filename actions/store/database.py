"""The store's databases: how each is opened, and what one transaction on it waits for.

SQLite lets one connection write at a time. Threads of one process wait for each other in memory, and processes for each
other in SQLite; how long is the caller's to say (`write_deadline`), since behind some of them a person waits.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError

from actions.engine.errors import Unstorable
from actions.store import write_deadline
from actions.store.tables import metadata, notes

LONGEST = 15.0
"""Seconds that a write waits for others where its caller named no shorter time."""
CACHE_KIB = 256
"""Of pages that a connection to SQLite keeps. By its own default of 2 MB, 15 threads came to 31 MB as soon as the store
had grown that large; with this they come to 2 MB. What is read again lies in the system's cache anyway."""
PASSING = ".passing"
"""Ends the name of the file beside the store that holds what may be lost; SQLite lays `-wal` and `-shm` beside each."""

_FOREVER = -1
"""Seconds that a thread waits for another one of its process, where its caller named no shorter time."""
_SWITCHING = 5
"""Tries to switch to WAL; each but the first follows a wait for somebody else's."""
_MAKING, _WRITING = 0x6D617964, 0x6D617965
"""The locks of PostgreSQL under which tables are made and entries are written; any numbers that nobody else takes."""


StoreTrouble = sa.exc.SQLAlchemyError
"""What is raised where the store does not answer, or refuses what it is asked."""


class StoreDatabase:
    """One database. A `durable` one has every commit on the disk before it returns."""

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self.engine = _engine(url, durable=durable)
        self._durable = durable
        self._sqlite = self.engine.dialect.name == "sqlite"
        self._writing = threading.Lock()

    def make(self, tables: list[sa.Table] | None = None) -> None:
        """Make the tables that are missing. Bot and worker may come to an empty one at once; the second finds them."""
        wanted = tables or list(metadata.tables.values())
        if {table.name for table in wanted} <= set(sa.inspect(self.engine).get_table_names()):
            return
        with self.transaction() as db:
            _lock(db, _MAKING)
            metadata.create_all(db, wanted)

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction that writes: all of it holds, or nothing.

        Raises:
            Unanswered: the caller's time was over before it could be committed.
            Unstorable: a value that this database cannot hold.
        """
        with self._turn(), self.engine.connect() as connection:
            self._begin(connection)
            try:
                yield connection
                # Whoever asked was told by now that nothing came of it.
                write_deadline.confirm()
                connection.commit()
            except DataError as error:
                raise Unstorable(str(error.orig)[:200]) from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        # A second writer would be put off by SQLite for up to 0.1 s before it looks again: a storm's webhooks wait
        # half as long where the threads of one process wait for each other instead.
        if not self._sqlite:
            yield
            return
        if not self._writing.acquire(timeout=write_deadline.seconds(_FOREVER)):
            raise write_deadline.unanswered()
        try:
            yield
        finally:
            self._writing.release()

    def _begin(self, connection: sa.Connection) -> None:
        left = write_deadline.seconds(LONGEST)
        if self._sqlite:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={int(left * 1000)}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        # Whoever is suspended in the midst of a transaction must not keep all others from writing.
        connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {int(LONGEST * 1000)}")
        if left < LONGEST:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(left * 1000))}")
        if not self._durable:
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


def one_at_a_time(db: sa.Connection) -> None:
    """Let no other transaction write entries until this one has ended. SQLite lets one write at a time anyway."""
    _lock(db, _WRITING)


def take_your_time(db: sa.Connection) -> None:
    """Let this one transaction think for as long as it needs between two statements."""
    if db.dialect.name != "sqlite":
        db.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")


def _lock(db: sa.Connection, number: int) -> None:
    if db.dialect.name != "sqlite":
        db.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))


def passing_beside(url: str, store: StoreDatabase) -> StoreDatabase:
    """The database of what may be lost: a file beside an embedded store, written without waiting for the disk.

    Its loss costs a line of progress. So whatever a power failure left of it that cannot be read is thrown away.
    """
    path = file_of(url)
    if not path:
        return StoreDatabase(url, durable=False) if not url.startswith("sqlite") else store
    beside = f"sqlite:///{path}{PASSING}"
    try:
        return _whole(beside)
    except sa.exc.DatabaseError as damaged:
        if isinstance(damaged, sa.exc.OperationalError):
            raise
        for end in ("", "-wal", "-shm"):
            Path(f"{path}{PASSING}{end}").unlink(missing_ok=True)
        return _whole(beside)


def _whole(url: str) -> StoreDatabase:
    made = StoreDatabase(url, durable=False)
    with made.engine.connect() as db:
        if (said := db.exec_driver_sql("PRAGMA quick_check(1)").scalar()) != "ok":
            raise sa.exc.DatabaseError("quick_check", None, sqlite3.DatabaseError(said))
    made.make([notes])
    return made


def file_of(url: str) -> str:
    """The path of an embedded store's file; empty for one in memory and for a server's."""
    path = sa.make_url(url).database or "" if url.startswith("sqlite") else ""
    return "" if path == ":memory:" or path.startswith("file:") else path


def _engine(url: str, *, durable: bool) -> sa.Engine:
    if not url.startswith("sqlite"):
        # Whatever encoding the database was made with, text comes back as text.
        return sa.create_engine(url, pool_pre_ping=True, connect_args={"client_encoding": "utf8"})
    if path := file_of(url):
        _make_file(path)
    engine = sa.create_engine(url, connect_args={"timeout": LONGEST})

    @sa.event.listens_for(engine, "connect")
    def _settle(connection: Any, _record: Any) -> None:
        # Transactions are begun by hand (BEGIN IMMEDIATE).
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={int(LONGEST * 1000)}")
        _write_ahead(connection)
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")

    return engine


def _make_file(path: str) -> None:
    """Its owner's alone; what lies beside a store has the rights that people gave to the store.

    What SQLite lays beside either gets the same. One that cannot be made is said by SQLite itself, with why.
    """
    with suppress(OSError):
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        with suppress(OSError):
            os.fchmod(file, os.stat(path.removesuffix(PASSING)).st_mode & 0o660)
        os.close(file)


def _write_ahead(connection: Any) -> None:
    """Switch to WAL. Of those who do so at once on a new file SQLite refuses all but one, without any wait."""
    for _ in range(_SWITCHING):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            # A transaction does wait, for whoever switches now.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode=WAL")
