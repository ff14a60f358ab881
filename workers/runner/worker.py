"""The worker: threads by the table of lanes, each with its queue, and a sweep for runs that nobody carries out."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions.chores.chores import Chore, KeptThreads
from actions.engine.errors import RecoveryError, Refused
from actions.engine.lanes import LANES, THREADS, Lane, lane_named
from actions.engine.procedure import Procedure
from actions.store import notes
from actions.store.store import Store
from workers.runner.leased_runner import LeasedRunner
from workers.runner.queue import RunJob, work_queue
from workers.runner.sweep import LanePlace, Sweep

log = structlog.get_logger("mayday.worker")

_PULSE_SECONDS = 2.5
"""A worker that is silent for LEASE_SECONDS counts as dead, so two pulses in a row may be lost."""

RunnerFor = Callable[[str, Lane], LeasedRunner]
"""Makes what carries runs of a site and a lane out. Each thread has its own."""


@dataclass
class Worker:
    """One worker process. In each lane of each site it carries out as many runs at a time as there are threads.

    Whatever the number of threads, a run is carried out by one: by whoever has its lease.
    """

    store: Store
    runner: RunnerFor
    redis: str
    find: Callable[[str], Procedure]
    owner: str
    version: str = ""
    sites: Sequence[str] = ("main",)
    threads: Mapping[Lane, int] = field(default_factory=lambda: THREADS)
    """The lanes that are served, and by how many threads for each site."""
    chores: Sequence[Chore] = ()
    leaving: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.sweep = Sweep(self.store, self.find, self.sites)
        self._kept = KeptThreads()
        self._own = threading.local()
        self._at_hand, self._turn = set[str](), threading.Lock()

    def work(self) -> None:
        """Work until asked to leave; then runs are left at the end of their present steps, a cut-over at its own."""
        signal.signal(signal.SIGTERM, self._leave)
        signal.signal(signal.SIGINT, self._leave)
        log.info("worker lives", owner=self.owner, **self.served())
        chores = (self.pulse(), *self.chores)
        while not self.leaving.is_set():
            self.keep_up()
            self._kept.keep_all(chores, self.leaving)
            self.leaving.wait(_PULSE_SECONDS)
        self.rest()
        log.info("worker leaves", owner=self.owner)

    def keep_up(self) -> None:
        """Begin the threads of all lanes, and anew those that have died: nothing would be acknowledged without them."""
        for site in self.sites:
            for lane, threads in self.threads.items():
                for n in range(threads):
                    self._kept.keep(f"{LANES[lane].name} of {site}, {n + 1}", self.serve, LanePlace(site, lane))

    def rest(self) -> None:
        """Wait for the steps at hand, in the lanes that are waited for."""
        for name, thread in self._kept.threads.items():
            if any(name.startswith(f"{spec.name} of ") for spec in LANES.values() if spec.ends_step):
                thread.join()

    def served(self) -> dict[str, list[str]]:
        """The sites and the lanes, by their names."""
        return {"sites": list(self.sites), "lanes": [LANES[lane].name for lane in self.threads]}

    def serve(self, place: LanePlace) -> None:
        """Carry out what a lane of a site brings, until asked to leave."""
        RunJob.carrier = self.carry_out
        self._own.place, self._own.runner = place, self.runner(place.site, place.lane)
        while not self.leaving.is_set():
            self._round(place)

    def _round(self, place: LanePlace) -> None:
        try:
            while not self.leaving.is_set() and (run := self.sweep.take(place)):
                self._carry(run, self._own.runner)
        except SQLAlchemyError as away:
            log.warning("the store does not answer", detail=str(away)[:200])
            self.leaving.wait(1)
        if not work_queue(self.redis, place.site, place.lane, lambda: self._wanted(place)):
            self.leaving.wait(1)

    def _wanted(self, place: LanePlace) -> bool:
        """Whether there is more to do there than to wait for the queue."""
        try:
            return self.leaving.is_set() or self.sweep.waits(place)
        except SQLAlchemyError:
            return True  # The next round asks the store again, and says what is wrong.

    def carry_out(self, run: str) -> str:
        """Carry out a run that was enqueued. One that came to another lane than its own is left to that one's sweep."""
        own: LanePlace | None = getattr(self._own, "place", None)
        try:
            place = self.sweep.place_of(self.store.run(run))
        except (KeyError, RecoveryError):
            # Whoever carries it out says what is wrong with it.
            place = own or LanePlace(self.sites[0], Lane.RECOVERY)
        if own is not None and place != own:
            self.sweep.soon()
            return "handed over"
        return self._carry(run, self._own.runner if own is not None else self.runner(place.site, place.lane))

    def _carry(self, run: str, runner: LeasedRunner) -> str:
        """Carry a run out as far as it goes; an unknown one is a stray job.

        A lease runs out while the store is locked for longer. Whichever worker takes the run then, it is none of these
        threads: one of them is in the middle of it, and would notice only at its next entry.
        """
        with self._turn:
            if run in self._at_hand:
                return "at hand"
            self._at_hand.add(run)
        try:
            return self._carried(run, runner)
        finally:
            with self._turn:
                self._at_hand.discard(run)

    def _carried(self, run: str, runner: LeasedRunner) -> str:
        try:
            why = runner.carry_out(run, self.leaving)
        except KeyError:
            why = "unknown"
        except RecoveryError as trouble:
            log.error("not carried out", run=run, error=trouble.said, detail=trouble.detail)
            why = "error"
        log.info("run rests", run=run, why=why)
        return why

    def _leave(self, _signal: int, _frame: Any) -> None:
        self.leaving.set()

    def pulse(self) -> Chore:
        """Says every few seconds that this worker lives, and what it serves."""
        said = {
            "host": socket.gethostname(),
            "site": self.sites[0],
            **self.served(),
            "version": self.version,
            "since": self.store.clock().isoformat(),
            "pid": os.getpid(),
        }

        def beat() -> None:
            notes.worker_lives(self.store, self.owner, said)

        return Chore("heartbeat of the worker", _PULSE_SECONDS, beat, self.store, place=socket.gethostname())


def chosen_lanes(threads: Mapping[Lane, int], names: Sequence[str]) -> dict[Lane, int]:
    """The lanes of these names with their threads, or all where none is named.

    Raises:
        Refused: there is no such lane.
    """
    wanted = [lane_named(name) for name in names]
    if unknown := [name for name, lane in zip(names, wanted, strict=True) if lane is None]:
        every = ", ".join(spec.name for spec in LANES.values())
        raise Refused(
            f"There is no lane '{unknown[0][:60]}'.",
            code="MD-RUN-045",
            hint=f"Name one of {every}, or none for all of them.",
        )
    return {lane: count for lane, count in threads.items() if not wanted or lane in wanted}


def owner_name(now: datetime) -> str:
    """Who holds a lease: host, process and when it began, so that no two are alike."""
    return f"{socket.gethostname()}:{os.getpid()}:{now:%H%M%S%f}"
