"""The loop: takes the lease of a run and carries it out until it waits for a person or has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from actions.engine.claims import in_the_way
from actions.engine.errors import Fenced, Refused
from actions.engine.procedure import Procedure
from actions.store.store import Store
from actions.store.transaction import Lease
from workers.runner.children import Enqueue, SharedWriters, nobody_told, none_shared
from workers.runner.heartbeat import Heartbeat
from workers.runner.run_loop import RunLoop
from workers.runner.scope import Elsewhere, OpenToolbox, Toolbox, ToolSet
from workers.runner.step_guard import AWAY_SECONDS, Guard

log = structlog.get_logger("mayday.loop")


@dataclass
class LeasedRunner:
    """Carries runs out: one at a time, under a lease, each move on the record before and after."""

    store: Store
    find: Callable[[str], Procedure]
    toolbox: Toolbox[ToolSet]
    owner: str
    away_seconds: float = AWAY_SECONDS
    site: str = ""
    enqueue: Enqueue = nobody_told
    elsewhere: Elsewhere | None = None
    shared: SharedWriters = none_shared

    def carry_out(self, run_id: str, leaving: threading.Event | None = None) -> str:
        """Make moves until the run waits or has ended; returns why it stopped moving.

        Once `leaving` is set, the run is left to the next worker at the end of its present step.
        Safe to call at any time by anybody: without the lease nothing is done.

        Raises:
            KeyError: no such run.
            Refused: it is a run of another site, whose services are elsewhere.
        """
        run = self.store.run(run_id)
        if self.site and run.site != self.site:
            raise Refused(
                f"Run {run_id} belongs to the site '{run.site}'.",
                code="MD-RUN-030",
                detail=f"Here is '{self.site}'. Nothing was done.",
                hint="Carry it out with the settings of its own site.",
            )
        procedure = self.find(run.procedure)
        if in_the_way(run.claims(procedure), self.store.claims):
            return "held"
        lease = self.store.acquire(run_id, self.owner)
        if lease is None:
            return "held"
        try:
            return self._through(procedure, lease, leaving or threading.Event())
        except Fenced as lost:
            log.warning("lease lost", run=run_id, detail=lost.message)
            return "fenced"
        finally:
            self.store.release(lease)
            if run.parent:
                # It may have been told of the end.
                self.enqueue(run.parent)

    def _through(self, procedure: Procedure, lease: Lease, leaving: threading.Event) -> str:
        run = lease.run
        box = OpenToolbox(self.store, self.toolbox, run, procedure, self.elsewhere)
        with Heartbeat(self.store, lease) as heartbeat, box as opened:
            guard = Guard(self.store, run, heartbeat, opened.reopen, self.away_seconds)
            tools, find, shared = opened.tools, self.find, self.shared
            loop = RunLoop(self.store, procedure, lease, heartbeat, guard, tools, leaving, find, self.enqueue, shared)
            return loop.through()
