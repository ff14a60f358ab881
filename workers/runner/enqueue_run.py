"""Puts a run into the queue of its own site and lane, wherever it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actions.engine.ids import is_errand
from actions.engine.lanes import Lane
from actions.engine.procedure import Procedure
from actions.store.store import Store
from workers.runner.queue import enqueue


@dataclass(frozen=True)
class EnqueueRun:
    """Called with a run's id; whether the queue took it. What the queue does not take is found by the sweep."""

    url: str
    store: Store
    known: Callable[[str], Procedure | None]
    site: str
    """The default site, for a run of which nothing is written."""

    def __call__(self, run: str) -> bool:
        told = self.store.entries(run, limit=1)
        said = told[0].data if told else {}
        return enqueue(self.url, str(said.get("site") or self.site), run, self._lane(run, str(said.get("procedure"))))

    def _lane(self, run: str, name: str) -> Lane | None:
        if is_errand(run):
            return Lane.ERRAND
        procedure = self.known(name)
        return procedure.lane if procedure is not None else None
