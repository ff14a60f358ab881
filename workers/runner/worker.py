"""The worker: says that it lives, works the queue off, and sweeps for runs that nobody carries out."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions.engine import notes
from actions.engine.claims import in_the_way
from actions.engine.errors import NOT_READ, RecoveryError
from actions.engine.ids import is_errand
from actions.engine.next_move import Wait, next_move
from actions.engine.procedure import Lane, Procedure
from actions.engine.store import Store
from workers.runner.leased_runner import LeasedRunner
from workers.runner.queue import RunJob, work_queue

log = structlog.get_logger("mayday.worker")

# A worker that is silent for LEASE_SECONDS counts as dead, so two pulses in a row may be lost.
_PULSE_SECONDS = 2.5
_SWEEP_SECONDS = 2.0


@dataclass
class Worker:
    """One worker process of one site. It carries out one run at a time; `companions` work beside that.

    Errands have a loop of their own: they wait for no recovery, and one at a time for each other. Backups have a
    thread of their own, so that no recovery waits for one.
    """

    store: Store
    loop: LeasedRunner
    redis: str
    site: str
    version: str
    find: Callable[[str], Procedure]
    companions: Sequence[Callable[[threading.Event], None]] = ()
    errands: LeasedRunner | None = None
    leaving: threading.Event = field(default_factory=threading.Event)
    _backup: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        """Work until asked to leave; the run at hand is left at the end of its present step, a cut-over at its own."""
        signal.signal(signal.SIGTERM, self._leave)
        signal.signal(signal.SIGINT, self._leave)
        pulse = threading.Thread(target=self._pulse, name="pulse", daemon=True)
        pulse.start()
        for companion in self.companions:
            threading.Thread(target=companion, args=(self.leaving,), daemon=True).start()
        log.info("worker lives", site=self.site, owner=self.loop.owner)
        self.serve(Lane.RECOVERY)
        self._backup.set()
        log.info("worker leaves", owner=self.loop.owner)

    def serve(self, lane: Lane) -> None:
        """Carry out what a lane brings, until asked to leave."""
        RunJob.carrier = self.carry_out
        while not self.leaving.is_set():
            self._round(lane)

    def _round(self, lane: Lane) -> None:
        try:
            for run in self.due(lane):
                if self.leaving.is_set():
                    return
                self._carry(run)
        except SQLAlchemyError as away:
            log.warning("the store does not answer", detail=str(away)[:200])
            time.sleep(1)
        if lane is Lane.BACKUP:
            # It has no queue: what is enqueued comes to the lane of recoveries, which hands it over.
            self._backup.wait(_SWEEP_SECONDS)
            self._backup.clear()
        elif not work_queue(self.redis, self.site, lane):
            time.sleep(1)

    def due(self, lane: Lane = Lane.RECOVERY) -> list[str]:
        """Runs of this site that have a next move and no living lease: what a lost job or a dead worker left."""
        leased = self.store.leased()
        return [run for run in self.store.runs(open_only=True) if run not in leased and self._wants(run, lane)]

    def _wants(self, run: str, lane: Lane) -> bool:
        try:
            state = self.store.run(run)
            if state.site != self.site:
                return False
            procedure = self.find(state.procedure)
        except RecoveryError:
            return False
        except NOT_READ as trouble:
            log.error("the journal of a run cannot be read; it is passed over", run=run, why=str(trouble)[:200])
            return False
        claims = procedure.claims_for(run, state.site, state.service)
        if procedure.lane is not lane or in_the_way(claims, self.store.claims):
            return False
        return not isinstance(next_move(procedure, state, self.store.clock()), Wait)

    def carry_out(self, run: str) -> str:
        """Carry out a run that was enqueued; a backup is handed over to its own thread."""
        if self._is_backup(run):
            self._backup.set()
            return "handed over"
        return self._carry(run)

    def _is_backup(self, run: str) -> bool:
        try:
            return self.find(self.store.run(run).procedure).lane is Lane.BACKUP
        except (KeyError, RecoveryError):
            return False  # Whoever carries it out says what is wrong with it.

    def _carry(self, run: str) -> str:
        """Carry a run out as far as it goes; an unknown one is a stray job."""
        loop = self.errands if is_errand(run) and self.errands is not None else self.loop
        try:
            why = loop.carry_out(run, self.leaving)
        except KeyError:
            why = "unknown"
        except RecoveryError as trouble:
            log.error("not carried out", run=run, error=trouble.said, detail=trouble.detail)
            why = "error"
        log.info("run rests", run=run, why=why)
        return why

    def _leave(self, _signal: int, _frame: Any) -> None:
        self.leaving.set()

    def _pulse(self) -> None:
        since = self.store.clock().isoformat()
        said = {
            "host": socket.gethostname(),
            "site": self.site,
            "version": self.version,
            "since": since,
            "pid": os.getpid(),
        }
        lanes: dict[Lane, threading.Thread] = {}
        while not self.leaving.is_set():
            self._keep_lanes(lanes)
            try:
                notes.worker_lives(self.store, self.loop.owner, said)
                notes.forget_old_deliveries(self.store)
            except SQLAlchemyError as away:
                log.warning("the store does not answer", detail=str(away)[:200])
            self.leaving.wait(_PULSE_SECONDS)

    def _keep_lanes(self, threads: dict[Lane, threading.Thread]) -> None:
        """The threads of the other lanes, begun anew should one have died: nothing would be acknowledged without it."""
        for lane in (Lane.BACKUP, *([Lane.ERRAND] if self.errands is not None else [])):
            if lane not in threads or not threads[lane].is_alive():
                threads[lane] = threading.Thread(target=self.serve, args=(lane,), name=str(lane), daemon=True)
                threads[lane].start()


def owner_name(now: datetime) -> str:
    """Who holds a lease: host, process and when it began, so that no two are alike."""
    return f"{socket.gethostname()}:{os.getpid()}:{now:%H%M%S%f}"
