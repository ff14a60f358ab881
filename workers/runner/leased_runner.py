"""The loop: takes the lease of a run and carries it out until it waits for a person or has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from actions.engine.claims import in_the_way
from actions.engine.errors import Fenced, Refused
from actions.engine.procedure import Procedure
from actions.engine.store import Store
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
    elsewhere: Elsewhere | None = None

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
                detail=f"Here is '{self.site}'. Nothing was done.",
                hint="Carry it out with the settings of its own site.",
            )
        procedure = self.find(run.procedure)
        if in_the_way(procedure.claims_for(run_id, run.site, run.service), self.store.claims):
            return "held"
        lease = self.store.acquire(run_id, self.owner)
        if lease is None:
            return "held"
        try:
            box = OpenToolbox(self.store, self.toolbox, run_id, procedure.there, self.elsewhere)
            with Heartbeat(self.store, lease) as heartbeat, box as opened:
                guard = Guard(self.store, run_id, heartbeat, opened.reopen, self.away_seconds)
                leaves = leaving or threading.Event()
                return RunLoop(self.store, procedure, lease, heartbeat, guard, opened.tools, leaves).through()
        except Fenced as lost:
            log.warning("lease lost", run=run_id, detail=lost.message)
            return "fenced"
        finally:
            self.store.release(lease)
