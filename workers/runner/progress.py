"""Progress of one step: shown at most once a second, and the place where stops and limits are noticed."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from actions.engine.claims import in_the_way
from actions.engine.errors import GaveWay, RecoveryError, Stopped
from actions.engine.journal import Kind
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.store import notes
from actions.store.store import Store
from workers.runner.heartbeat import Heartbeat

Show = Callable[[dict[str, Any]], None]
"""Shows people how far something is: `step`, `done`, `total`, `text`."""


class StepProgress:
    """Called by long looks and acts with how far they are. Shown as the run's progress, or by `show`."""

    def __init__(
        self,
        store: Store,
        heartbeat: Heartbeat,
        run: Run,
        step: int,
        limit: timedelta | None,
        procedure: Procedure,
        *,
        show: Show | None = None,
    ) -> None:
        self._store, self._heartbeat, self._run, self._step = store, heartbeat, run, step
        self._limit, self._procedure = limit, procedure
        self._show = show or (lambda shown: notes.set_progress(store, run.id, shown))
        self._began = time.monotonic()
        self._shown = 0.0
        self._title = ""

    def __call__(self, done: float, total: float, text: str = "") -> None:
        """Show it; raises Stopped, GaveWay, Fenced, or RecoveryError where the step's limit is over."""
        self._heartbeat.must_hold()
        elapsed = time.monotonic() - self._began
        if self._limit is not None and elapsed > self._limit.total_seconds():
            raise RecoveryError(
                f"The step took longer than its limit of {self._limit}.",
                code="MD-RUN-033",
                detail=f"It was at {text or f'{done:.0f} of {total:.0f}'}.",
                hint="Look at the load of the host, then Retry (it goes on) or Undo.",
            )
        if elapsed - self._shown >= 1.0 or not self._shown:
            self._shown = elapsed or 0.001
            self._notice_stop()
            shown = {
                "step": self._step,
                "title": self._title,
                "done": done,
                "total": total,
                "text": text,
                "seconds": round(elapsed, 1),
            }
            self._show(shown)

    def at_work(self, title: str) -> None:
        """Show that it begins."""
        self._title = title
        self._show({"step": self._step, "title": title, "done": 0, "total": 0, "text": ""})

    def must_go_on(self) -> None:
        """Raises Stopped, GaveWay or Fenced where nothing more is to begin."""
        self._heartbeat.must_hold()
        self._notice_stop()

    def _notice_stop(self) -> None:
        if any(e.kind is Kind.STOP_ASKED for e in self._store.entries(self._run.id, after=self._run.last)):
            raise Stopped("Stopped by a person.", code="MD-RUN-034")
        run = self._run
        holder = in_the_way(run.claims(self._procedure), self._store.claims)
        if holder:
            raise GaveWay(
                f"It gave way to run {holder}.",
                code="MD-RUN-035",
                detail=f"That run needs {self._run.service} to itself.",
                hint="Once that run has ended, Retry takes this one up again.",
            )
