"""What every step of a run needs: its values, the call, the record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actions.engine.errors import GaveWay, RecoveryError, Stopped
from actions.engine.journal import Kind
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.store.store import Store
from actions.store.transaction import Lease
from workers.runner.heartbeat import Heartbeat
from workers.runner.progress import Show, StepProgress
from workers.runner.scope import scope_of


@dataclass
class StepWork:
    """One run under one lease. It keeps nothing between calls, so several threads may call it at a time."""

    store: Store
    procedure: Procedure
    lease: Lease
    heartbeat: Heartbeat
    tools: dict[str, Any]

    def progress(self, i: int, run: Run, limit: timedelta | None = None, show: Show | None = None) -> StepProgress:
        """The clock of one call begins; it notices a stop and the limit."""
        return StepProgress(self.store, self.heartbeat, run, i, limit, self.procedure, show=show)

    def scope(self, i: int, run: Run, progress: StepProgress | None = None) -> dict[str, Any]:
        """All that a function of step `i` may take."""
        at_work = progress or self.progress(i, run)
        return scope_of(self.procedure, run, {**self.tools, "now": self.store.clock(), "progress": at_work})

    def say(self, kind: Kind, step: int | None, data: dict[str, Any]) -> None:
        """Write an entry, as whoever holds the lease."""
        self.store.append(self.lease, kind, step, data)

    def failed(self, kind: Kind, i: int, said: dict[str, Any], trouble: RecoveryError, began: datetime) -> None:
        """Write that something went wrong, or that it was stopped. `said` names it."""
        if isinstance(trouble, Stopped):
            why = trouble.as_json() if isinstance(trouble, GaveWay) else {}
            return self.say(Kind.STOPPED, i, {**said, **why})
        return self.say(kind, i, {**said, **trouble.as_json(), "seconds": self.since(began)})

    def since(self, began: datetime) -> float:
        """Seconds from then to now."""
        return round((self.store.clock() - began).total_seconds(), 3)
