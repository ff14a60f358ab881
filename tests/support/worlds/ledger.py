"""A store in memory that keeps the promises of the real one; the tests of the store hold it to them too."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from actions.engine.errors import Busy, Fenced
from actions.engine.folding import after, fold
from actions.engine.journal import GENESIS, Entry, Kind, sealed
from actions.engine.ledger import LEASE_SECONDS, Judge, Lease
from actions.engine.run import Run


class Ledger:
    """Journals, leases and notes. Every write of a worker passes a place before and one after it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.journals: dict[str, list[Entry]] = {}
        self.states: dict[str, Run] = {}
        self.leases: dict[str, tuple[Lease, datetime]] = {}
        self.kept: dict[tuple[str, str], tuple[Any, datetime]] = {}
        self.at_place: Callable[[str], None] = lambda name: None
        self.dead = False
        # Held at the places too, so that a copy which is taken there is of one instant.
        self.turn = threading.RLock()

    def fork(self, clock: Callable[[], datetime]) -> Ledger:
        other = Ledger(clock)
        other.journals = {run: list(told) for run, told in self.journals.items()}
        other.states = dict(self.states)
        other.leases, other.kept = dict(self.leases), dict(self.kept)
        return other

    def open_run(
        self, run: str, data: dict[str, Any], *, claims: bool, key: str, tells: Any = None, yields: bool = False
    ) -> tuple[str, bool]:
        if ("inbox", key) in self.kept:
            return str(self.kept["inbox", key][0]), False
        if (claims or yields) and (holder := self.holder(data["service"])):
            raise Busy(f"{data['service']} is held by run {holder}.", run=holder, hint="Follow it.")
        if claims:
            held = self.leases.get(data["service"])
            token = held[0].token if held else 0
            self.leases[data["service"]] = (Lease(data["service"], run, "", token), self.clock())
        self.kept["inbox", key] = (run, self.clock())
        self._write(run, Kind.REQUESTED, None, data)
        if tells is not None:
            self.extend(tells[0], lambda told: [tells[1]])
        return run, True

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
                self.leases[lease.key] = (replace(lease, run="", owner=""), self.clock())
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

    def acquire(self, run: str, key: str, owner: str) -> Lease | None:
        held, beat = self.leases.get(key, (Lease(key, run, "", 0), self.clock()))
        alive = held.owner and abs(beat - self.clock()) <= timedelta(seconds=LEASE_SECONDS)
        if held.run != run or alive:
            return None
        self.leases[key] = (Lease(key, run, owner, held.token + 1), self.clock())
        return self.leases[key][0]

    def beat(self, lease: Lease) -> None:
        if self.leases[lease.key][0] != lease:
            raise Fenced(f"Another worker carries run {lease.run} out by now.", hint="Nothing to do.")
        self.leases[lease.key] = (lease, self.clock())

    def release(self, lease: Lease) -> None:
        if self.dead:
            return  # A killed worker gives nothing back.
        held, beat = self.leases[lease.key]
        if held.token == lease.token:
            self.leases[lease.key] = (replace(held, owner=""), beat)

    def holder(self, service: str) -> str:
        held = self.leases.get(service)
        return held[0].run if held else ""

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
