"""What this host achieved in earlier runs: bytes a second, kept as notes, and seconds of steps, from the journals."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import structlog

from actions.engine.errors import NOT_READ
from actions.engine.run import Run
from actions.store.kept_count import KeptCount
from actions.store.store import Store
from actions.watch.step_times import PastSeconds, StepTimes

log = structlog.get_logger("mayday.throughput")
COUNT = "step times"
"""The name under which the steps' times are kept."""
_KEPT = 7


class JournalTimes:
    """The times of steps as the journals tell them, counted on whenever somebody asks. Any thread may ask."""

    def __init__(self, store: Store) -> None:
        self._times = StepTimes()
        self._count = KeptCount(store, COUNT, self._times)
        self._lock = threading.Lock()

    def catch_up(self) -> None:
        """Count what was written since the last time."""
        with self._lock:
            self._count.catch_up()

    def of(self, run: Run, titles: Sequence[str]) -> PastSeconds | None:
        """What these steps took together in runs of the same procedure on the same service and site."""
        with self._lock:
            try:
                self._count.catch_up()
            except NOT_READ:
                # What another version wrote must not keep a recovery from being planned: it is a guess then.
                log.exception("the times of earlier steps cannot be read")
                return None
            return self._times.of(run.site, run.service, run.procedure, titles)


@dataclass(frozen=True)
class HostThroughput:
    """For one run: bytes a second by phase on a site of it, the median of the last runs; and seconds of its steps."""

    store: Store
    site: str
    run: Run
    times: JournalTimes

    def bytes_a_second(self, phase: str) -> float | None:
        """The median, or None where nothing was measured."""
        figures = self._figures(phase)
        return median(figures) if figures else None

    def seconds(self, steps: Sequence[str]) -> PastSeconds | None:
        """What these steps took together in earlier runs of this procedure here, None where there were none."""
        return self.times.of(self.run, steps)

    def note(self, phase: str, bytes: int, seconds: float) -> None:
        """Keep a figure; those too short to mean anything are left out."""
        if bytes > 0 and seconds > 0.05:
            kept = [*self._figures(phase), bytes / seconds][-_KEPT:]
            self.store.keep("rate", f"{self.site} {phase}", kept)

    def _figures(self, phase: str) -> list[float]:
        return list(self.store.note("rate", f"{self.site} {phase}") or [])
