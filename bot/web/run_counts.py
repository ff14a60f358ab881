"""Counting runs and steps from the journals, entry by entry: what a restart would count again is the same."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from actions.engine.folding import after, fold
from actions.engine.journal import Entry, Kind
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.engine.status import state_of

BUCKETS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Upper bounds of a step's seconds."""

OTHER = "other"
"""What the catalog does not know is counted together, so that labels stay few whatever a journal says."""

_TIMED = (Kind.DONE, Kind.UNDONE, Kind.FAILED, Kind.UNDO_FAILED)


@dataclass
class Durations:
    """How long something took: how often, by bucket, and in all. The last bucket has no bound."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds


class RunCounts:
    """Runs by procedure and outcome, steps by procedure, title and how they ended, and the runs that are open."""

    def __init__(self, catalog: Sequence[Procedure]) -> None:
        self._titles = {p.name: {step.title for step in p.steps} for p in catalog}
        self.begun: Counter[str] = Counter()
        self.ended: Counter[tuple[str, str]] = Counter()
        self.steps: dict[tuple[str, str, str], Durations] = {}
        self.open: dict[str, Run] = {}

    def hear(self, told: Iterable[Entry]) -> None:
        """More entries of one journal, in order. One that does not begin with a request tells no run."""
        for entry in told:
            run = self.open.get(entry.run)
            if run is None and entry.kind is not Kind.REQUESTED:
                return
            if run is None:
                self.begun[self._procedure(entry.data["procedure"])] += 1
            self.open[entry.run] = run = after(run, entry) if run else fold([entry])
            self._count(run, entry)

    def states(self) -> Counter[tuple[str, str]]:
        """The open runs, by procedure and state."""
        return Counter((self._procedure(run.procedure), str(state_of(run))) for run in self.open.values())

    def _count(self, run: Run, entry: Entry) -> None:
        procedure = self._procedure(run.procedure)
        if entry.kind in _TIMED and entry.data.get("seconds") is not None:
            # The items of a loop count under its title: their names are without end.
            title = str(entry.data.get("title") or "").removesuffix(f": {entry.data.get('item')}")
            step = title if title in self._titles.get(run.procedure, ()) else OTHER
            key = (procedure, step, str(entry.kind))
            self.steps.setdefault(key, Durations()).add(float(entry.data["seconds"]))
        if run.finished is not None:
            self.ended[procedure, str(run.finished)] += 1
            self.open.pop(run.id)

    def _procedure(self, name: str) -> str:
        return name if name in self._titles else OTHER
