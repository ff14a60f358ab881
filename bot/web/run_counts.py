"""Counting runs and steps from the journals, entry by entry: what a restart would count again is the same.

Counted is by the names that the journals tell; which of them the catalog knows is asked when the figures are shown. So
what was kept (`actions.store.kept_count`) holds for the next version of the catalog too.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

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
    """How long something took: how often, by bucket, and in all. The last bucket has no bound.

    In whole microseconds: a sum of fractions would depend on the order in which journals are read.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    micros: int = 0

    @property
    def seconds(self) -> float:
        """All of it together."""
        return self.micros / 1e6

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.micros += round(seconds * 1e6)

    def join(self, other: Durations) -> None:
        """Count all of another."""
        self.counts = [mine + others for mine, others in zip(self.counts, other.counts, strict=True)]
        self.micros += other.micros


class RunCounts:
    """Runs by procedure and outcome, steps by procedure, title and how they ended, and the runs that are open."""

    def __init__(self, catalog: Sequence[Procedure]) -> None:
        self._titles = {p.name: {step.title for step in p.steps} for p in catalog}
        self._begun: Counter[str] = Counter()
        self._ended: Counter[tuple[str, str]] = Counter()
        self._steps: dict[tuple[str, str, str], Durations] = {}
        self.open: dict[str, Run] = {}

    def hear(self, told: Iterable[Entry]) -> None:
        """More entries of one journal, in order. One that does not begin with a request tells no run."""
        for entry in told:
            run = self.open.get(entry.run)
            if run is None and entry.kind is not Kind.REQUESTED:
                return
            if run is None:
                self._begun[str(entry.data["procedure"])] += 1
            self.open[entry.run] = run = after(run, entry) if run else fold([entry])
            self._count(run, entry)

    @property
    def begun(self) -> Counter[str]:
        """Runs that were asked for, by procedure."""
        found: Counter[str] = Counter()
        for name, count in self._begun.items():
            found[self._procedure(name)] += count
        return found

    @property
    def ended(self) -> Counter[tuple[str, str]]:
        """Runs that ended, by procedure and outcome."""
        found: Counter[tuple[str, str]] = Counter()
        for (name, outcome), count in self._ended.items():
            found[self._procedure(name), outcome] += count
        return found

    @property
    def steps(self) -> dict[tuple[str, str, str], Durations]:
        """Steps by procedure, title and how they ended."""
        found: dict[tuple[str, str, str], Durations] = {}
        for (name, title, ended), durations in self._steps.items():
            step = title if title in self._titles.get(name, ()) else OTHER
            found.setdefault((self._procedure(name), step, ended), Durations()).join(durations)
        return found

    def states(self) -> Counter[tuple[str, str]]:
        """The open runs, by procedure and state."""
        return Counter((self._procedure(run.procedure), str(state_of(run))) for run in self.open.values())

    def kept(self) -> Any:
        """All of it but the open runs, as JSON."""
        return {
            "begun": dict(self._begun),
            "ended": [[*key, count] for key, count in self._ended.items()],
            "steps": [[*key, took.counts, took.micros] for key, took in self._steps.items()],
        }

    def restore(self, kept: Any) -> None:
        """Be what was kept; nothing where nothing was."""
        told = kept or {"begun": {}, "ended": [], "steps": []}
        self._begun = Counter({str(name): int(count) for name, count in told["begun"].items()})
        self._ended = Counter({(str(name), str(outcome)): int(count) for name, outcome, count in told["ended"]})
        self._steps = {
            (str(name), str(title), str(ended)): Durations([*map(int, counts)], int(micros))
            for name, title, ended, counts, micros in told["steps"]
        }
        if any(len(durations.counts) != len(BUCKETS) + 1 for durations in self._steps.values()):
            raise ValueError("it was counted with other buckets")
        self.open = {}

    def _count(self, run: Run, entry: Entry) -> None:
        if entry.kind in _TIMED and entry.data.get("seconds") is not None:
            # The items of a loop count under its title: their names are without end.
            title = str(entry.data.get("title") or "").removesuffix(f": {entry.data.get('item')}")
            key = (run.procedure, title, str(entry.kind))
            self._steps.setdefault(key, Durations()).add(float(entry.data["seconds"]))
        if run.finished is not None:
            self._ended[run.procedure, str(run.finished)] += 1
            self.open.pop(run.id)

    def _procedure(self, name: str) -> str:
        return name if name in self._titles else OTHER
