"""A store in memory that keeps the promises of the real one; the tests of the store hold it to them too."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from actions.engine.children import for_parent
from actions.engine.claims import ALL, Claim, Mode, claims_of, conflict, held_by, listed, wanted_by
from actions.engine.due_times import DueTime, Taken
from actions.engine.errors import Fenced
from actions.engine.folding import after, fold
from actions.engine.journal import GENESIS, Entry, Kind, sealed
from actions.engine.run import Run
from actions.store.ledger import LEASE_SECONDS, Judge
from actions.store.transaction import Lease


class Ledger:
    """Journals, leases and notes. Every write of a worker passes a place before and one after it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.journals: dict[str, list[Entry]] = {}
        self.states: dict[str, Run] = {}
        self.leases: dict[str, tuple[Lease, datetime]] = {}
        self.claimed: tuple[Claim, ...] = ()
        self.kept: dict[tuple[str, str], tuple[Any, datetime]] = {}
        self.due: dict[tuple[str, datetime], Taken] = {}
        self.at_place: Callable[[str], None] = lambda name: None
        self.dead = False
        # Held at the places too, so that a copy which is taken there is of one instant.
        self.turn = threading.RLock()

    def fork(self, clock: Callable[[], datetime]) -> Ledger:
        other = Ledger(clock)
        other.journals = {run: list(told) for run, told in self.journals.items()}
        other.states = dict(self.states)
        other.leases, other.kept, other.claimed = dict(self.leases), dict(self.kept), self.claimed
        other.due = dict(self.due)
        return other

    def open_run(
        self,
        run: str,
        data: dict[str, Any],
        *,
        claims: Any,
        key: str,
        tells: Any = (),
        yields: bool = False,
        lease: Lease | None = None,
        due: DueTime | None = None,
    ) -> tuple[str, bool]:
        with self.turn:
            if lease is not None:
                self.at_place(f"before {lease.run} opens a child")
                self.beat(lease)
            opened = self._open(run, data, claims_of(*_wanted(claims, yields, data, run)), key, tells, due)
            if lease is not None:
                self.at_place(f"after {lease.run} opened a child")
        return opened

    def _open(
        self, run: str, data: dict[str, Any], wanted: tuple[Claim, ...], key: str, tells: Any, due: DueTime | None
    ) -> tuple[str, bool]:
        if due is not None and (due.schedule, due.at) in self.due:
            return self.due[due.schedule, due.at].run, False
        if ("inbox", key) in self.kept:
            return str(self.kept["inbox", key][0]), False
        if other := conflict(wanted, self.claimed):
            raise held_by(other, data["site"])
        self.claimed += wanted
        self.kept["inbox", key] = (run, self.clock())
        if due is not None:
            self.due[due.schedule, due.at] = Taken(due, self.clock(), run)
        self._write(run, Kind.REQUESTED, None, {**data, "claims": listed(wanted, data["site"])})
        for journal, draft in tells:
            if journal in self.states:
                self._write(journal, *draft)
            else:
                self.extend(journal, lambda told, draft=draft: [draft])
        return run, True

    def pass_over(self, due: DueTime) -> bool:
        fresh = (due.schedule, due.at) not in self.due
        if fresh:
            self.due[due.schedule, due.at] = Taken(due, self.clock(), "")
        return fresh

    def last_due(self, schedule: str, until: datetime) -> datetime | None:
        return max((at for name, at in self.due if name == schedule and at <= until), default=None)

    def last_run_of(self, schedule: str) -> str:
        mine = [taken for (name, _at), taken in self.due.items() if name == schedule and taken.run]
        return max(mine, key=lambda taken: (taken.at, taken.due.at)).run if mine else ""

    def taken(self, since: datetime) -> list[Taken]:
        found = (taken for taken in self.due.values() if taken.at >= since)
        return sorted(found, key=lambda taken: (taken.at, taken.due.at))

    def _write(self, run: str, kind: Kind, step: int | None, data: dict[str, Any]) -> Entry:
        told = self.journals.setdefault(run, [])
        entry = sealed(Entry(run, len(told) + 1, self.clock(), kind, step, data), told[-1].hash if told else GENESIS)
        told.append(entry)
        self.states[run] = after(self.states[run], entry) if run in self.states else fold([entry])
        return entry

    def append(self, lease: Lease, kind: Kind, step: int | None, data: dict[str, Any]) -> Entry:
        with self.turn:
            self.at_place(f"before the entry '{kind}' of step {step}")
            self.beat(lease)
            entry = self._write(lease.run, kind, step, data)
            if kind is Kind.FINISHED:
                self.claimed = tuple(claim for claim in self.claimed if claim.run != lease.run)
                del self.leases[lease.run]
            told = for_parent(self.journals[lease.run][0], kind, data)
            if told is not None and told[0] in self.states and self.states[told[0]].finished is None:
                self._write(told[0], Kind.CHILD, *told[1:])
            self.at_place(f"after the entry '{kind}' of step {step}")
        return entry

    def speak(self, run: str, judge: Judge, key: str = "") -> Entry | None:
        if key and ("inbox", key) in self.kept:
            return None
        with self.turn:
            draft = judge(self.run(run))
            if key:
                self.kept["inbox", key] = (run, self.clock())
            return None if draft is None else self._write(run, *draft)

    def extend(self, journal: str, tell: Any, key: str = "") -> list[Entry]:
        if key and not self.once("inbox", key, journal):
            return []
        added = []
        for kind, step, data in tell(self.entries(journal)):
            told = self.journals.setdefault(journal, [])
            prev = told[-1].hash if told else GENESIS
            added.append(sealed(Entry(journal, len(told) + 1, self.clock(), kind, step, data), prev))
            told.append(added[-1])
        return added

    def incidents(self, limit: int = 200) -> list[str]:
        return [name for name, told in self.journals.items() if told[0].kind is Kind.OPENED][::-1][:limit]

    def entries(self, run: str, after: int = 0) -> list[Entry]:
        return self.journals.get(run, [])[after:]

    def run(self, run: str) -> Run:
        return self.states[run]

    def follow(self, run: Run) -> Run:
        return self.states[run.id]

    def runs(self, *, open_only: bool = False, limit: int = 200) -> list[str]:
        asked = {r: told for r, told in self.journals.items() if told[0].kind is Kind.REQUESTED}
        found = [r for r, told in asked.items() if not open_only or told[-1].kind is not Kind.FINISHED]
        return found[::-1][:limit]

    def acquire(self, run: str, owner: str) -> Lease | None:
        held, beat = self.leases.get(run, (Lease(run, "", 0), self.clock()))
        alive = held.owner and abs(beat - self.clock()) <= timedelta(seconds=LEASE_SECONDS)
        if alive or (run in self.states and self.states[run].finished):
            return None
        self.leases[run] = (Lease(run, owner, held.token + 1), self.clock())
        return self.leases[run][0]

    def beat(self, lease: Lease) -> None:
        if lease.run not in self.leases or self.leases[lease.run][0] != lease:
            raise Fenced(f"Another worker carries run {lease.run} out by now.", hint="Nothing to do.")
        self.leases[lease.run] = (lease, self.clock())

    def release(self, lease: Lease) -> None:
        if self.dead:
            return  # A killed worker gives nothing back.
        held, beat = self.leases.get(lease.run, (None, self.clock()))
        if held is not None and held.token == lease.token:
            self.leases[lease.run] = (replace(held, owner=""), beat)

    def claims(self, site: str) -> list[Claim]:
        return [claim for claim in self.claimed if claim.site == site]

    def holder(self, service: str, site: str = "") -> str:
        mine = (c for c in self.claimed if c.service in (service, ALL) and site in ("", c.site))
        return next((claim.run for claim in mine if claim.mode is Mode.EXCLUSIVE), "")

    def leased(self) -> set[str]:
        span = timedelta(seconds=LEASE_SECONDS)
        return {held.run for held, beat in self.leases.values() if held.owner and abs(beat - self.clock()) <= span}

    def once(self, kind: str, key: str, data: Any) -> bool:
        return self.kept.setdefault((kind, key), (data, self.clock()))[0] is data and self._fresh(kind, key)

    def _fresh(self, kind: str, key: str) -> bool:
        seen = ("seen", f"{kind} {key}") in self.kept
        self.kept["seen", f"{kind} {key}"] = (True, self.clock())
        return not seen

    def keep(self, kind: str, key: str, data: Any) -> None:
        self.kept[kind, key] = (data, self.clock())

    def note(self, kind: str, key: str) -> Any:
        return self.kept.get((kind, key), (None,))[0]


def _wanted(claims: Any, yields: bool, data: dict[str, Any], run: str) -> tuple[Any, ...]:
    lenders = tuple(str(data["origin"].get("lenders") or "").split())
    return wanted_by(claims, yields), data["site"], data["service"], run, lenders
