"""How long the steps of earlier runs took: counted from the journals, by procedure, service and site."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from actions.engine.folding import after, fold
from actions.engine.journal import Entry, Kind
from actions.engine.run import Run

KEPT = 7
"""So many of the newest are kept of each step."""


@dataclass(frozen=True)
class PastSeconds:
    """The median of what something took in earlier runs, and of how many."""

    seconds: float
    runs: int


@dataclass(frozen=True, order=True)
class _StepTook:
    """One step of one run, from begin to end."""

    at: datetime
    run: str
    seconds: float


class StepTimes:
    """The newest of each step. Counted is only what was done in one go: no failure, no absence, no work by hand."""

    def __init__(self) -> None:
        self.open: dict[str, Run] = {}
        self._took: dict[tuple[str, str, str, str], list[_StepTook]] = {}

    def of(self, site: str, service: str, procedure: str, titles: Sequence[str]) -> PastSeconds | None:
        """How long these steps took together, over the runs that did all of them; None where there was none."""
        by_step = [
            {one.run: one.seconds for one in self._took.get((site, service, procedure, title), ())} for title in titles
        ]
        runs = set.intersection(*map(set, by_step)) if by_step else set()
        sums = [sum(step[run] for step in by_step) for run in runs]
        return PastSeconds(median(sums), len(sums)) if sums else None

    def hear(self, told: Iterable[Entry]) -> None:
        """More entries of one journal, in order. One that does not begin with a request tells no run."""
        for entry in told:
            run = self.open.get(entry.run)
            if run is None and entry.kind is not Kind.REQUESTED:
                return
            if run is not None and _in_one_go(run, entry):
                self._count(run, entry)
            self.open[entry.run] = run = after(run, entry) if run else fold([entry])
            if run.finished is not None:
                self.open.pop(entry.run)

    def kept(self) -> Any:
        """All of it but the open runs, as JSON."""
        return [
            [*key, [[one.at.isoformat(), one.run, one.seconds] for one in took]] for key, took in self._took.items()
        ]

    def restore(self, kept: Any) -> None:
        """Be what was kept; nothing where nothing was."""
        self._took = {
            (str(site), str(service), str(procedure), str(title)): [
                _StepTook(datetime.fromisoformat(at), str(run), float(seconds)) for at, run, seconds in took
            ]
            for site, service, procedure, title, took in kept or []
        }
        self.open = {}

    def _count(self, run: Run, entry: Entry) -> None:
        key = (run.site, run.service, run.procedure, str(entry.data.get("title") or ""))
        took = _StepTook(entry.at, run.id, float(entry.data["seconds"]))
        # Journals are read one after the other, not in the order of their entries.
        self._took[key] = sorted([*self._took.get(key, ()), took])[-KEPT:]


def _in_one_go(run: Run, entry: Entry) -> bool:
    """Whether an entry says how long a step takes: an item is no whole step, and a resumed one was done in parts."""
    if entry.kind is not Kind.DONE or entry.data.get("seconds") is None:
        return False
    by_hand = run.question is not None and run.question.hand
    return not (by_hand or any(entry.data.get(name) for name in ("item", "missed", "resumed", "left_out")))
