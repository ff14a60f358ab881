"""What was promised for what had to be recovered, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from actions.incidents.incident import Incident
from actions.incidents.run_story import RunStory
from actions.stack.stack import Stack, objective_of
from actions.watch.run_records import Bound


@dataclass(frozen=True)
class Promise:
    """A promise and what came of it. `actual` is None where the journals do not tell, or is what `bound` says."""

    what: str
    promised: timedelta
    actual: timedelta | None
    bound: Bound = Bound.EXACT

    @property
    def verdict(self) -> str:
        """kept, missed, or not known: one that may be larger keeps nothing, one that may be less breaks nothing."""
        if self.actual is None:
            return "not known"
        if self.actual <= self.promised:
            return "not known" if self.bound is Bound.AT_LEAST else "kept"
        return "not known" if self.bound is Bound.AT_MOST else "missed"


def promises(incident: Incident | None, runs: Sequence[RunStory], stack: Stack) -> Iterator[Promise]:
    """What the stack promises, and what came of it.

    Of an incident from the page on, which is how the clock in its thread counts; then of each recovery.
    """
    if incident is not None and incident.over_at is not None and (objective := incident.promised(stack)):
        lasted = max(incident.over_at - incident.began_at, timedelta())
        yield Promise(f"Recovery time (RTO) of {objective.name}, from the page to the end", objective.rto, lasted)
    for run in runs:
        yield from _promises_of(run, stack)


def _promises_of(run: RunStory, stack: Stack) -> Iterator[Promise]:
    """Only what was recovered is measured against the promise for its service."""
    objective, actual = objective_of(stack, run.run.service, run.run.site), run.actual
    if objective is None or actual is None:
        return
    lost = timedelta(seconds=actual.rpo_seconds) if actual.rpo_seconds is not None else None
    name, took = objective.name, timedelta(seconds=actual.rto_seconds)
    yield Promise(f"Recovery time (RTO) of {name}, run {run.run.id}", objective.rto, took)
    yield Promise(f"Writes given up (RPO) in {name}, run {run.run.id}", objective.rpo, lost, actual.rpo_bound)
