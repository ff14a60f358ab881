"""The store: where journals, leases and notes are kept.

SQLite (WAL, `synchronous=FULL`) as the embedded default, a PostgreSQL of the operations host for several
machines. The rules of writing are the ledger's; this is the one door to a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from actions.engine import statements, tables
from actions.engine.database import StoreDatabase, passing_beside
from actions.engine.journal import Entry, Kind
from actions.engine.ledger import LEASE_SECONDS, TURN, Lease, Ledger, PositionTaken

_MAY_BE_LOST = frozenset({"progress", "answered", "worker", "foreground", "alive"})
"""Notes of how somebody is just now: each is written again within seconds, so none of them waits for the disk."""


class SqlTransaction:
    """One transaction, in SQL."""

    def __init__(self, db: sa.Connection, clock: Callable[[], datetime]) -> None:
        self._db, self._clock = db, clock

    def first(self, kind: str, key: str, data: Any) -> bool:
        return _insert_or_ignore(self._db, tables.notes, {"kind": kind, "key": key, "data": data, "at": self._clock()})

    def kept(self, kind: str, key: str) -> Any:
        return self._db.execute(statements.KEPT, {"of": kind, "name": key}).scalar()

    def drop(self, kind: str, key: str) -> None:
        self._db.execute(statements.DROP, {"of": kind, "name": key})

    def claim(self, service: str, run: str) -> str:
        row = {"key": service, "run": "", "owner": "", "token": 0, "beat": self._clock()}
        _insert_or_ignore(self._db, tables.leases, row)
        if self._db.execute(statements.CLAIM, {"lease": service, "holder": run}).rowcount == 1:
            return ""
        return self.holder(service)

    def holder(self, service: str) -> str:
        return str(self._db.execute(statements.HOLDER, {"lease": service}).scalar() or "")

    def read(self, run: str, after: int = 0) -> list[Entry]:
        rows = self._db.execute(statements.READ, {"run": run, "after": after})
        return [
            Entry(run, n, at, Kind(kind), step, data, prev, own) for run, n, at, kind, step, data, prev, own in rows
        ]

    def tip(self, run: str) -> tuple[int, str]:
        row = self._db.execute(statements.TIP, {"run": run}).one()
        return int(row.n), str(row.hash)

    def tips(self, runs: Sequence[str]) -> dict[str, int]:
        return {str(run): int(n) for run, n in self._db.execute(statements.TIPS_OF, {"runs": runs})}

    def write(self, entry: Entry) -> None:
        row = {name: getattr(entry, name) for name in ("run", "n", "at", "step", "data", "prev", "hash")}
        try:
            self._db.execute(statements.WRITE, {**row, "kind": str(entry.kind)})
        except IntegrityError as other:
            raise PositionTaken from other

    def beat(self, lease: Lease) -> bool:
        mine = {"lease": lease.key, "fence": lease.token, "me": lease.owner}
        return self._db.execute(statements.BEAT, {**mine, "now": self._clock()}).rowcount == 1

    def free(self, key: str) -> None:
        self._db.execute(statements.FREE, {"lease": key})


class Store(Ledger):
    """Journals, leases and notes, in one database. Every method is one transaction."""

    def __init__(self, url: str, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self._database = StoreDatabase(url)
        self._database.make()
        self._passing = passing_beside(url, self._database)

    @property
    def engine(self) -> sa.Engine:
        """The connections to the database of the journals."""
        return self._database.engine

    def dispose(self) -> None:
        """Let go of all connections."""
        for database in (self._database, self._passing):
            database.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """One transaction that writes."""
        with self._write() as db:
            yield SqlTransaction(db, self.clock)

    @contextmanager
    def _write(self, kind: str = "") -> Iterator[sa.Connection]:
        """One transaction on the database of the journals, or that of a kind of notes."""
        with self._where(kind).transaction() as db:
            yield db

    def _where(self, kind: str) -> StoreDatabase:
        return self._passing if kind in _MAY_BE_LOST else self._database

    # Journals ------------------------------------------------------------------------------------

    def entries(self, run: str, after: int = 0) -> list[Entry]:
        """A run's entries in order, those after position `after`."""
        with self.engine.connect() as db:
            return SqlTransaction(db, self.clock).read(run, after)

    def runs(self, *, open_only: bool = False, limit: int = 200) -> list[str]:
        """Ids of runs, newest first; with `open_only`, those that have not finished."""
        query = statements.OPEN_RUNS if open_only else statements.RUNS
        with self.engine.connect() as db:
            return [str(run) for run in db.execute(query, {"most": limit}).scalars()]

    def incidents(self, limit: int = 200) -> list[str]:
        """Ids of incidents, newest first."""
        with self.engine.connect() as db:
            return [str(incident) for incident in db.execute(statements.INCIDENTS, {"most": limit}).scalars()]

    def tips(self) -> dict[str, int]:
        """The last position of every journal."""
        with self.engine.connect() as db:
            return {str(run): int(n) for run, n in db.execute(statements.TIPS)}

    # Leases --------------------------------------------------------------------------------------

    def acquire(self, run: str, key: str, owner: str) -> Lease | None:
        """Take the lease of a run if nobody living holds it. Each taking has a higher fencing token."""
        now = self.clock()
        with self._write() as db:
            _insert_or_ignore(db, tables.leases, {"key": key, "run": run, "owner": "", "token": 0, "beat": now})
            mine = {"lease": key, "holder": run, "me": owner, "now": now, **_living(now)}
            if db.execute(statements.ACQUIRE, mine).rowcount != 1:
                return None
            token = db.execute(statements.TOKEN, {"lease": key}).scalar()
        return Lease(key, run, owner, int(token or 0))

    def release(self, lease: Lease) -> None:
        """Give the lease back; the run still holds its service until it ends."""
        with self._write() as db:
            db.execute(statements.RELEASE, {"lease": lease.key, "fence": lease.token})

    def holder(self, service: str) -> str:
        """The run that holds a service, empty where none does."""
        with self.engine.connect() as db:
            return SqlTransaction(db, self.clock).holder(service)

    def leased(self) -> set[str]:
        """The runs that a living worker carries out now."""
        with self.engine.connect() as db:
            held = db.execute(statements.LEASED, _living(self.clock())).scalars()
            return {str(run) for run in held if not run.startswith(TURN)}

    # Notes: what people look at meanwhile and what sinks know; the newest replaces the one before -----

    def once(self, kind: str, key: str, data: Any) -> bool:
        """Keep a note unless one of that kind and key is there; whether it was kept."""
        with self._write(kind) as db:
            return SqlTransaction(db, self.clock).first(kind, key, data)

    def keep(self, kind: str, key: str, data: Any) -> None:
        """Keep a note; it replaces the one before."""
        row = {"kind": kind, "key": key, "data": data, "at": self.clock()}
        with self._write(kind) as db:
            db.execute(statements.replacing(db.dialect.name), row)

    def note(self, kind: str, key: str) -> Any:
        """The note of that kind and key, or None."""
        with self._where(kind).engine.connect() as db:
            return SqlTransaction(db, self.clock).kept(kind, key)

    def notes(self, kind: str, since: datetime | None = None) -> dict[str, Any]:
        """All notes of a kind by key, or those kept since a moment."""
        return {key: data for key, (data, _at) in self.kept(kind, since).items()}

    def kept(self, kind: str, since: datetime | None = None) -> dict[str, tuple[Any, datetime]]:
        """The same, each with the moment when it was kept."""
        query = statements.ALL_KEPT if since is None else statements.KEPT_SINCE
        asked = {"of": kind} if since is None else {"of": kind, "since": since}
        with self._where(kind).engine.connect() as db:
            return {key: (data, at) for _kind, key, data, at in db.execute(query, asked)}

    def forget(self, kind: str, before: datetime) -> None:
        """Drop the notes of a kind that are older than that moment."""
        with self._write(kind) as db:
            db.execute(statements.FORGET, {"of": kind, "before": before})


def _living(now: datetime) -> dict[str, datetime]:
    """When a heartbeat says that its owner lives. One from the future is of before the clock was set back."""
    alive = timedelta(seconds=LEASE_SECONDS)
    return {"since": now - alive, "until": now + alive}


def _insert_or_ignore(db: sa.Connection, table: sa.Table, row: dict[str, Any]) -> bool:
    return db.execute(statements.ignoring(db.dialect.name, table), row).rowcount == 1
