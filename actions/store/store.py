"""The store: where journals, claims, leases and notes are kept.

SQLite (WAL, `synchronous=FULL`) as the embedded default, a PostgreSQL of the operations host for several
machines. The rules of writing are the ledger's; this is the one door to a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from actions.engine.claims import Claim, Mode
from actions.engine.due_times import DueTime, Taken
from actions.engine.journal import Entry
from actions.store import statements, tables
from actions.store.database import StoreDatabase, one_at_a_time, passing_beside
from actions.store.journal_heads import Grown, JournalHead, JournalKind
from actions.store.ledger import LEASE_SECONDS, TURN, Ledger
from actions.store.migrations import bring_up_to_date
from actions.store.sql_transaction import SqlTransaction, held_claims, insert_or_ignore
from actions.store.transaction import Lease

_MAY_BE_LOST = frozenset({"progress", "answered", "worker", "foreground", "alive", "private", "probe"})
"""Notes of how somebody is just now: each is written again within seconds, so none of them waits for the disk."""


class Store(Ledger):
    """Journals, claims, leases and notes, in one database. Every method is one transaction."""

    def __init__(self, url: str, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self._database = StoreDatabase(url)
        self._database.make()
        bring_up_to_date(self._database)
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

    def entries(self, run: str, after: int = 0, limit: int | None = None) -> list[Entry]:
        """A run's entries in order, those after position `after`; all of them, or so many."""
        with self.engine.connect() as db:
            return SqlTransaction(db, self.clock).read(run, after, limit)

    def entries_of(self, journals: Sequence[str]) -> dict[str, list[Entry]]:
        """All entries of several journals, each in order. One that is archived may be missing."""
        with self.engine.connect() as db:
            return SqlTransaction(db, self.clock).read_several(journals)

    def runs(self, *, open_only: bool = False, limit: int = 200) -> list[str]:
        """Ids of runs and errands, newest first; with `open_only`, those that have not finished."""
        return self._newest(statements.newest(open_only, JournalKind.RUN, JournalKind.ERRAND), limit)

    def incidents(self, limit: int = 200, *, open_only: bool = False) -> list[str]:
        """Ids of incidents, newest first; with `open_only`, those that may be open: an old one has to be folded."""
        return self._newest(statements.newest(open_only, JournalKind.INCIDENT), limit)

    def _newest(self, query: sa.Select[str], limit: int) -> list[str]:
        with self.engine.connect() as db:
            return [str(name) for name in db.execute(query, {"most": limit}).scalars()]

    def grown(self, since: int) -> list[Grown]:
        """The journals that grew after that change of the store, in the order of their last changes."""
        with self.engine.connect() as db:
            return [Grown(*row) for row in db.execute(statements.GROWN, {"since": since})]

    def change(self) -> int:
        """The number of the last change: it grows with each entry that is written anywhere."""
        with self.engine.connect() as db:
            return int(db.execute(statements.CHANGE).scalar() or 0)

    def tips(self, journals: Sequence[str] | None = None) -> dict[str, int]:
        """The last position of each of these journals; of every one there is where none are named."""
        with self.engine.connect() as db:
            if journals is not None:
                return SqlTransaction(db, self.clock).tips(journals)
            return {str(name): int(n) for name, n in db.execute(statements.TIPS)}

    def unread(self, sink: str) -> dict[str, int]:
        """The last position of each journal that a sink has not read to its end. Asks for every journal there is."""
        with self.engine.connect() as db:
            return {str(name): int(n) for name, n in db.execute(statements.UNREAD, {"sink": sink, "of": "cursor"})}

    def head(self, journal: str) -> JournalHead | None:
        """What the table of journals says of one."""
        with self.engine.connect() as db:
            row = db.execute(statements.HEAD, {"name": journal}).one_or_none()
        return None if row is None else JournalHead(row.id, JournalKind(row.kind), *row[2:])

    def journals(self) -> list[str]:
        """Every journal that has an entry or a head, by its name."""
        with self.engine.connect() as db:
            written = (db.execute(query).scalars().all() for query in (statements.WRITTEN, statements.ARCHIVED_NAMES))
            return sorted({*(str(name) for names in written for name in names), *self.tips()})

    def archivable(self, before: datetime, most: int) -> list[str]:
        """Journals that were closed before that moment and are not archived as a whole, the oldest first."""
        with self.engine.connect() as db:
            return [str(name) for name in db.execute(statements.ARCHIVABLE, {"before": before, "most": most}).scalars()]

    def archive(self, journals: Sequence[str], before: datetime) -> int:
        """Keep each of them in one piece, unless it was opened again meanwhile; how many were archived."""
        with self._write() as db:
            one_at_a_time(db)
            still = db.execute(statements.STILL_CLOSED, {"before": before, "names": journals}).scalars().all()
            return sum(SqlTransaction(db, self.clock).archive(str(name)) for name in still)

    # Claims and leases ---------------------------------------------------------------------------

    def claims(self, site: str) -> list[Claim]:
        """What is claimed of a site."""
        with self.engine.connect() as db:
            return held_claims(db, site)

    def all_claims(self) -> list[Claim]:
        """What is claimed of every site."""
        with self.engine.connect() as db:
            rows = db.execute(statements.ALL_CLAIMS)
            return [Claim(row.site, row.service, row.run, Mode(row.mode)) for row in rows]

    def holder(self, service: str, site: str = "") -> str:
        """The run that has a service for itself, alone or with all of its site; empty where none does."""
        with self.engine.connect() as db:
            found = db.execute(statements.HOLDERS, {"of": service}).all()
        return next((str(run) for of, run in found if site in ("", of)), "")

    def acquire(self, run: str, owner: str) -> Lease | None:
        """Take the lease of a run that has not ended if nobody living holds it. The fencing token grows each time."""
        with self._write() as db:
            if db.execute(statements.OVER, {"lease": run}).first() is not None:
                return None
            insert_or_ignore(db, tables.leases, {"run": run, "owner": "", "token": 0, "beat": self.clock()})
            # Not before all others were waited for: a beat that is newer than this time counts as one of the future.
            db.execute(statements.LOCK_LEASE, {"lease": run})
            now = self.clock()
            if db.execute(statements.ACQUIRE, {"lease": run, "me": owner, "now": now, **_living(now)}).rowcount != 1:
                return None
            token = db.execute(statements.TOKEN, {"lease": run}).scalar()
        return Lease(run, owner, int(token or 0))

    def release(self, lease: Lease) -> None:
        """Give the lease back; the run still holds what it claims until it ends."""
        with self._write() as db:
            db.execute(statements.RELEASE, {"lease": lease.run, "fence": lease.token})

    def leased(self) -> set[str]:
        """The runs that a living worker carries out now."""
        with self.engine.connect() as db:
            held = db.execute(statements.LEASED, _living(self.clock())).scalars()
            return {str(run) for run in held if not run.startswith(TURN)}

    # Due times of schedules ------------------------------------------------------------------------

    def pass_over(self, due: DueTime) -> bool:
        """Take a due time without a run, for the reason that it gives; False where it was taken before."""
        with self.transaction() as tx:
            return tx.take_due(due, "")

    def last_due(self, schedule: str, until: datetime) -> datetime | None:
        """The newest due time of a schedule that was taken and is not later than that."""
        with self.engine.connect() as db:
            found: datetime | None = db.execute(statements.LAST_TAKEN, {"of": schedule, "until": until}).scalar()
        return found

    def last_run_of(self, schedule: str) -> str:
        """The run that a schedule opened last; empty where it opened none."""
        with self.engine.connect() as db:
            return str(db.execute(statements.LAST_RUN, {"of": schedule}).scalar() or "")

    def taken(self, since: datetime) -> list[Taken]:
        """The due times that were taken since a moment, in that order."""
        with self.engine.connect() as db:
            rows = db.execute(statements.TAKEN_SINCE, {"since": since})
            return [Taken(DueTime(name, due, why), at, run) for name, due, at, run, why in rows]

    # Notes: what people look at meanwhile and what sinks know; the newest replaces the one before -----

    def once(self, kind: str, key: str, data: Any) -> bool:
        """Keep a note unless one of that kind and key is there; whether it was kept."""
        with self._write(kind) as db:
            return SqlTransaction(db, self.clock).first(kind, key, data)

    def keep(self, kind: str, key: str, data: Any) -> None:
        """Keep a note; it replaces the one before."""
        with self._write(kind) as db:
            row = {"kind": kind, "key": key, "data": data, "at": self.clock()}
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
