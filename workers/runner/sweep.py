"""The sweep: finds runs that want to go on and that nobody carries out, whatever became of their jobs.

One look at the open runs serves all threads of a worker, and each run that is due is given to one of them.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from actions.engine.claims import in_the_way
from actions.engine.errors import NOT_READ, RecoveryError
from actions.engine.lanes import Lane
from actions.engine.next_move import Wait, next_move
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.store.store import Store

log = structlog.get_logger("mayday.worker")

SWEEP_SECONDS = 2.0


@dataclass(frozen=True)
class LanePlace:
    """Where a run belongs: its site, and the lane of its procedure."""

    site: str
    lane: Lane


@dataclass
class Sweep:
    """What is due at which place."""

    store: Store
    find: Callable[[str], Procedure]
    sites: Sequence[str]
    every: float = SWEEP_SECONDS
    _found: dict[LanePlace, list[str]] = field(default_factory=dict)
    _next: float = 0.0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def due(self) -> dict[LanePlace, list[str]]:
        """Runs that have a next move and no living lease, by their places: what a lost job or a dead worker left."""
        leased, found = self.store.leased(), defaultdict[LanePlace, list[str]](list)
        for run in self.store.runs(open_only=True):
            if run not in leased and (place := self._wants(run)) is not None:
                found[place].append(run)
        return found

    def take(self, place: LanePlace) -> str:
        """A run that is due there, given to nobody else until the next look; empty where there is none."""
        with self._turn:
            waiting = self._looked().get(place)
            return waiting.pop(0) if waiting else ""

    def waits(self, place: LanePlace) -> bool:
        """Whether a run is due there that nobody was given."""
        with self._turn:
            return bool(self._looked().get(place))

    def soon(self) -> None:
        """Look again at the next question: something has changed."""
        self._next = 0.0

    def _looked(self) -> dict[LanePlace, list[str]]:
        # Looked before the time is noted: a store that did not answer is asked again by the next thread.
        if time.monotonic() >= self._next:
            self._found = self.due()
            self._next = time.monotonic() + self.every
        return self._found

    def place_of(self, run: Run) -> LanePlace:
        """Where a run belongs.

        Raises:
            RecoveryError: this version does not know its procedure.
        """
        return LanePlace(run.site, self.find(run.procedure).lane)

    def _wants(self, run: str) -> LanePlace | None:
        try:
            state = self.store.run(run)
            if state.site not in self.sites:
                return None
            procedure = self.find(state.procedure)
        except RecoveryError:
            return None
        except NOT_READ as trouble:
            log.error("the journal of a run cannot be read; it is passed over", run=run, why=str(trouble)[:200])
            return None
        claims = state.claims(procedure)
        if in_the_way(claims, self.store.claims) or isinstance(next_move(procedure, state, self.store.clock()), Wait):
            return None
        return LanePlace(state.site, procedure.lane)
