"""A store in memory that keeps the promises of the real one; the tests of the store hold it to them too."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from actions.engine.claims import ALL, Claim, Mode, claims_of, conflict, listed, wanted_by
from actions.engine.errors import Fenced
from actions.engine.folding import after, fold
from actions.engine.journal import GENESIS, Entry, Kind, sealed
from actions.engine.ledger import LEASE_SECONDS, Judge, held_by
from actions.engine.run import Run
from actions.engine.transaction import Lease


class Ledger:
    """Journals, leases and notes. Every write of a worker passes a place before and one after it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.journals: dict[str, list[Entry]] = {}
        self.states: dict[str, Run] = {}
        self.leases: dict[str, tuple[Lease, datetime]] = {}
        self.claimed: tuple[Claim, ...] = ()
        self.kept: dict[tuple[str, str], tuple[Any, datetime]] = {}
        self.at_place: Callable[[str], None] = lambda name: None
        self.dead = False
        # Held at the places too, so that a copy which is taken there is of one instant.
        self.turn = threading.RLock()

    def fork(self, clock: Callable[[], datetime]) -> Ledger:
        other = Ledger(clock)
        other.journals = {run: list(told) for run, told in self.journals.items()}
        other.states = dict(self.states)
        other.leases, other.kept, other.claimed = dict(self.leases), dict(self.kept), self.claimed
        return other

    def open_run(
        self, run: str, data: dict[str, Any], *, claims: Any, key: str, tells: Any = None, yields: bool = False
    ) -> tuple[str, bool]:
        if ("inbox", key) in self.kept:
            return str(self.kept["inbox", key][0]), False
        wanted = claims_of(wanted_by(claims, yields), data["site"], data["service"], run)
        if other := conflict(wanted, self.claimed):
            raise held_by(other, data["site"])
        self.claimed += wanted
        self.kept["inbox", key] = (run, self.clock())
        self._write(run, Kind.REQUESTED, None, {**data, "claims": listed(wanted, data["site"])})
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
                self.claimed = tuple(claim for claim in self.claimed if claim.run != lease.run)
                del self.leases[lease.run]
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
