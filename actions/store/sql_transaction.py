"""One transaction on the store, in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from actions.engine.claims import Claim, Mode
from actions.engine.due_times import DueTime
from actions.engine.errors import NOT_READ
from actions.engine.journal import Entry, Kind, first_broken
from actions.store import statements, tables
from actions.store.archive import packed, unpacked
from actions.store.database import one_at_a_time
from actions.store.journal_heads import begun, closing, head_of
from actions.store.transaction import Lease, PositionTaken


class SqlTransaction:
    """What the ledger asks of one connection, whose transaction is begun and ended elsewhere."""

    def __init__(self, db: sa.Connection, clock: Callable[[], datetime]) -> None:
        self._db, self._clock = db, clock
        self._in_turn = False

    def take_turn(self) -> None:
        if not self._in_turn:
            one_at_a_time(self._db)
            self._in_turn = True

    def first(self, kind: str, key: str, data: Any) -> bool:
        return insert_or_ignore(self._db, tables.notes, {"kind": kind, "key": key, "data": data, "at": self._clock()})

    def kept(self, kind: str, key: str) -> Any:
        return self._db.execute(statements.KEPT, {"of": kind, "name": key}).scalar()

    def drop(self, kind: str, key: str) -> None:
        self._db.execute(statements.DROP, {"of": kind, "name": key})

    def claims(self, site: str) -> list[Claim]:
        # Else two that exclude each other could both find nothing in their way.
        self.take_turn()
        return held_claims(self._db, site)

    def claim(self, claims: Sequence[Claim]) -> None:
        if claims:
            self._db.execute(statements.CLAIM, [{**asdict(one), "lenders": " ".join(one.lenders)} for one in claims])

    def read(self, run: str, after: int = 0, limit: int | None = None) -> list[Entry]:
        query = statements.READ if limit is None else statements.READ.limit(limit)
        rows = self._db.execute(query, {"run": run, "after": after})
        told = _entries(rows)
        if told and told[0].n == after + 1:
            return told
        return [*self._archived(run, after), *told][:limit]

    def read_several(self, journals: Sequence[str]) -> dict[str, list[Entry]]:
        """The journals that are whole, not archived in part or as a whole."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in _entries(self._db.execute(statements.READ_SEVERAL, {"names": journals})):
            found[entry.run].append(entry)
        return {journal: told for journal, told in found.items() if told[0].n == 1}

    def _archived(self, run: str, after: int) -> list[Entry]:
        data = self._db.execute(statements.ARCHIVED, {"run": run, "after": after}).scalar()
        return [] if data is None else [entry for entry in unpacked(run, data) if entry.n > after]

    def archive(self, journal: str) -> bool:
        """Keep a journal in one piece instead of entry by entry; not one whose chain is broken."""
        try:
            told = self.read(journal)
        except NOT_READ:
            return False
        if not told or first_broken(told):
            return False
        for statement in statements.EMPTY:
            self._db.execute(statement, {"run": journal})
        row = {"run": journal, "n": told[-1].n, "hash": told[-1].hash, "at": self._clock(), "data": packed(told)}
        self._db.execute(statements.ARCHIVE, row)
        return True

    def tip(self, run: str) -> tuple[int, str]:
        row = self._db.execute(statements.TIP, {"run": run}).one_or_none()
        row = row or self._db.execute(statements.ARCHIVED_TIP, {"run": run}).one()
        return int(row.n), str(row.hash)

    def tips(self, journals: Sequence[str]) -> dict[str, int]:
        return {str(name): int(n) for name, n in self._db.execute(statements.TIPS_OF, {"names": journals})}

    def write(self, entry: Entry) -> None:
        # Whoever looks for what grew goes by numbers of changes: none may be seen before a lower one.
        self.take_turn()
        row = {name: getattr(entry, name) for name in ("run", "n", "at", "step", "data", "prev", "hash")}
        try:
            self._db.execute(statements.WRITE, {**row, "kind": str(entry.kind)})
        except IntegrityError as other:
            raise PositionTaken from other
        self._move_head(entry)

    def _move_head(self, entry: Entry) -> None:
        if entry.n == 1:
            self._db.execute(statements.BEGIN_JOURNAL, asdict(begun(entry)))
            return
        moved = {"name": entry.run, "last": entry.n, "own": entry.hash, "now": entry.at}
        move = statements.MOVE[closing(entry.kind, entry.data)]
        if self._db.execute(move, moved).rowcount == 0 and (head := head_of(self.read(entry.run))):
            # Somebody took the row out by hand; the entries say what it was.
            self._db.execute(statements.BEGIN_JOURNAL, asdict(head))

    def beat(self, lease: Lease) -> bool:
        mine = {"lease": lease.run, "fence": lease.token, "me": lease.owner}
        return self._db.execute(statements.BEAT, {**mine, "now": self._clock()}).rowcount == 1

    def let_go(self, run: str) -> None:
        for statement in statements.LET_GO:
            self._db.execute(statement, {"lease": run})

    def take_due(self, due: DueTime, run: str) -> bool:
        row = {"schedule": due.schedule, "due": due.at, "taken": self._clock(), "run": run, "why": due.why}
        return insert_or_ignore(self._db, tables.due_times, row)

    def taken_by(self, due: DueTime) -> str:
        return str(self._db.execute(statements.TAKEN_BY, {"of": due.schedule, "at": due.at}).scalar() or "")


def _entries(rows: Iterable[Any]) -> list[Entry]:
    return [Entry(run, n, at, Kind(kind), step, data, prev, own) for run, n, at, kind, step, data, prev, own in rows]


def held_claims(db: sa.Connection, site: str) -> list[Claim]:
    """What is claimed of a site."""
    rows = db.execute(statements.CLAIMS, {"place": site})
    return [Claim(of, service, run, Mode(mode), tuple(lent.split())) for of, service, run, mode, lent in rows]


def insert_or_ignore(db: sa.Connection, table: sa.Table, row: dict[str, Any]) -> bool:
    """Insert it unless there is one of its key; whether it was inserted."""
    return db.execute(statements.ignoring(db.dialect.name, table), row).rowcount == 1
