"""The ledger: who may write what into a journal, and in which order. Where it is kept is the store's matter.

Entries are only ever appended. A writer that lost its lease is refused in the same transaction that would
have written (the fencing token), so an old worker can never speak for a run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeVar

from actions.engine.children import for_parent
from actions.engine.claims import Claim, Wanted, claims_of, conflict, held_by, listed, sites_of, wanted_by
from actions.engine.due_times import DueTime
from actions.engine.errors import NOT_READ, Fenced
from actions.engine.folding import after, fold
from actions.engine.journal import GENESIS, Entry, Kind, sealed
from actions.engine.run import Run
from actions.store.transaction import Draft, Lease, PositionTaken, Transaction

LEASE_SECONDS = 10.0
"""How long a lease lives without a heartbeat."""

TURN = "turn "
"""Begins the leases that are no run's: whose turn it is to do something for all."""

_TRIES = 20

T = TypeVar("T")

Judge = Callable[[Run], Draft | None]
Teller = Callable[[list[Entry]], Sequence[Draft]]
"""Sees a whole journal, empty where it does not exist yet, and says what to append."""


class Ledger(ABC):
    """The rules, over whatever gives a transaction. Times are aware UTC datetimes and come from the `clock`."""

    clock: Callable[[], datetime]

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Transaction]:
        """One transaction: all of it holds, or nothing."""

    @abstractmethod
    def entries(self, run: str, after: int = 0) -> list[Entry]:
        """A run's entries in order, those after position `after`."""

    def follow(self, run: Run) -> Run:
        """The run with what was told since. Entries never change, so the rest need not be read again."""
        for entry in self.entries(run.id, after=run.last):
            run = after(run, entry)
        return run

    def run(self, run: str) -> Run:
        """The run as its journal tells it.

        Raises:
            KeyError: no such run.
        """
        told = self.entries(run)
        if not told:
            raise KeyError(run)
        return fold(told)

    def readable(self, runs: Iterable[str]) -> list[str]:
        """Those of these runs whose journals can be read: whoever looks at many passes over the others.

        The audit and `mayday journal verify` tell of them.
        """
        return [run for run in runs if self._reads(run)]

    def _reads(self, run: str) -> bool:
        try:
            self.run(run)
        except NOT_READ:
            return False
        return True

    def open_run(
        self,
        run: str,
        data: dict[str, Any],
        *,
        claims: bool | Sequence[Wanted],
        key: str,
        tells: Sequence[tuple[str, Draft]] = (),
        yields: bool = False,
        lease: Lease | None = None,
        due: DueTime | None = None,
    ) -> tuple[str, bool]:
        """Begin a run's journal with its request and what it claims (`claims.wanted_by`), once for each inbox key.

        `tells` are entries for other journals: an incident's, a parent's. With a `lease` it is opened as whoever holds
        that, with a due time once for that. Returns the run's id and whether it is new: a redelivered request gives the
        run that it made before, a due time the one that it was taken for.

        Raises:
            Busy: another run's claim excludes one of this one's.
            Fenced: the lease is another worker's by now. Nothing was written.
        """
        lenders = str(data["origin"].get("lenders") or "").split()
        wanted = claims_of(wanted_by(claims, yields), data["site"], data["service"], run, lenders)

        def write(tx: Transaction) -> tuple[str, bool]:
            if lease is not None:
                _must_hold(tx, lease)
            if due is not None and not tx.take_due(due, run):
                return tx.taken_by(due), False
            if not tx.first("inbox", key, run):
                return str(tx.kept("inbox", key)), False
            self._begin(tx, run, data, wanted, tells)
            return run, True

        return self.at_once(run, write)

    def _begin(
        self,
        tx: Transaction,
        run: str,
        data: dict[str, Any],
        wanted: Sequence[Claim],
        tells: Sequence[tuple[str, Draft]],
    ) -> None:
        if other := conflict(wanted, [held for site in sites_of(wanted) for held in tx.claims(site)]):
            # The inbox key goes with the transaction, so that the same request may come again later.
            raise held_by(other, data["site"])
        tx.claim(wanted)
        self.add(tx, run, [], [(Kind.REQUESTED, None, {**data, "claims": listed(wanted, data["site"])})])
        for journal, draft in tells:
            self.add(tx, journal, tx.read(journal), [draft])

    def extend(self, journal: str, tell: Teller, key: str = "") -> list[Entry]:
        """Begin or continue any journal with what `tell` says, judged in the moment that it is written.

        With an inbox key that was seen before nothing is written. Returns what was.
        """

        def write(tx: Transaction) -> list[Entry]:
            if key and not tx.first("inbox", key, journal):
                return []
            told = tx.read(journal)
            return self.add(tx, journal, told, tell(told))

        return self.at_once(journal, write)

    def add(self, tx: Transaction, journal: str, told: Sequence[Entry], drafts: Sequence[Draft]) -> list[Entry]:
        """Append to a journal that reads as `told`, within a transaction at hand."""
        added: list[Entry] = []
        for kind, step, data in drafts:
            last = added[-1] if added else (told[-1] if told else None)
            n, prev = (last.n + 1, last.hash) if last else (1, GENESIS)
            added.append(sealed(Entry(journal, n, self.clock(), kind, step, data), prev))
            tx.write(added[-1])
        return added

    def append(self, lease: Lease, kind: Kind, step: int | None, data: dict[str, Any]) -> Entry:
        """Append an entry as the worker that holds the lease; finishing a run lets go of all that it claims.

        What a child's parent has to know stands in that one's journal in the same transaction.

        Raises:
            Fenced: the lease is another worker's by now. Nothing was written.
        """

        def write(tx: Transaction) -> Entry:
            _must_hold(tx, lease)
            n, prev = tx.tip(lease.run)
            entry = sealed(Entry(lease.run, n + 1, self.clock(), kind, step, data), prev)
            tx.write(entry)
            # In the same transaction, so that no death leaves a run that has ended holding its service.
            if kind is Kind.FINISHED:
                tx.let_go(lease.run)
            self._tell_parent(tx, entry)
            return entry

        return self.at_once(lease.run, write)

    def _tell_parent(self, tx: Transaction, entry: Entry) -> None:
        if entry.kind not in (Kind.FINISHED, Kind.FAILED, Kind.UNDO_FAILED, Kind.STOPPED):
            return
        told = for_parent(tx.read(entry.run, limit=1)[0], entry.kind, entry.data)
        parent = tx.read(told[0]) if told is not None else []
        if told is not None and parent and parent[-1].kind is not Kind.FINISHED:
            self.add(tx, told[0], parent, [(Kind.CHILD, *told[1:])])

    def speak(self, run: str, judge: Judge, key: str = "") -> Entry | None:
        """Append what a person said, judged against the run as it stands in that very moment.

        `judge` sees the run and returns the entry to write, returns None to write nothing, or raises. Two
        people who speak at once are put one after the other, so that the second is judged anew. With an inbox key
        that was seen before nothing is written; what is refused was not seen, so that it may come again.
        """

        def write(tx: Transaction) -> Entry | None:
            if key and not tx.first("inbox", key, run):
                return None
            told = tx.read(run)
            draft = judge(fold(told))
            if draft is None:
                return None
            kind, step, data = draft
            entry = sealed(Entry(run, told[-1].n + 1, self.clock(), kind, step, data), told[-1].hash)
            tx.write(entry)
            return entry

        return self.at_once(run, write)

    def beat(self, lease: Lease) -> None:
        """Say that the lease's owner lives.

        Raises:
            Fenced: the lease is another worker's by now.
        """
        with self.transaction() as tx:
            _must_hold(tx, lease)

    def at_once(self, journal: str, write: Callable[[Transaction], T]) -> T:
        """Do it in one transaction; again with the next position where somebody spoke at the same moment.

        Raises:
            Fenced: others spoke each time.
        """
        for _ in range(_TRIES):
            try:
                with self.transaction() as tx:
                    tx.take_turn()
                    return write(tx)
            except PositionTaken:
                continue
        raise Fenced(f"The journal {journal} could not be written.", code="MD-ST-002", hint="Try again.")


def _must_hold(tx: Transaction, lease: Lease) -> None:
    if not tx.beat(lease):
        raise Fenced(
            f"Another worker carries run {lease.run} out by now.",
            code="MD-RUN-017",
            hint="Nothing to do: the other worker goes on.",
        )
