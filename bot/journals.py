"""The journals that the tail follows: those that grew, those under way, those not drawn to their end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from actions.engine import notes
from actions.engine.journal import Entry, Kind
from actions.engine.store import Store
from bot.thread import Item

SINK = "slack"
"""The name under which the tail's cursors are kept."""


@dataclass
class Watched:
    """What the tail remembers of a run between two looks."""

    last: int = 0
    entries: list[Entry] = field(default_factory=list)
    edited: datetime | None = None
    rests_until: datetime | None = None
    rests: float = 0.0
    at_work: bool = False
    progress: Any = None
    items: list[Item] = field(default_factory=list)
    drawn: tuple[int, datetime] | None = None
    settled: bool = False


class Journals:
    """Reads what was written since, and lets go of runs whose threads are complete."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._done: set[str] | None = None
        self.watched: dict[str, Watched] = {}

    def read(self) -> list[Watched]:
        """Read all new entries. Returns the runs whose threads have become complete; they are let go."""
        tips = self._store.tips()
        done = self._finished_before(tips)
        for run in sorted(set(tips) - done):
            watched = self.watched.setdefault(run, Watched())
            if tips[run] > watched.last:
                watched.entries += self._store.entries(run, watched.last)
                watched.last = watched.entries[-1].n
        complete = [run for run in self.watched if self._is_complete(run)]
        done.update(complete)
        return [self.watched.pop(run) for run in complete]

    def _finished_before(self, tips: dict[str, int]) -> set[str]:
        """The runs whose threads are complete; on the first look, those that were so before we came."""
        if self._done is None:
            cursors = self._store.notes("cursor")
            under_way = set(self._store.runs(open_only=True, limit=10_000))
            ended = (run for run in tips if run not in under_way)
            self._done = {run for run in ended if int(cursors.get(f"{SINK} {run}") or 0) >= tips[run]}
        return self._done

    def _is_complete(self, run: str) -> bool:
        watched = self.watched[run]
        finished = any(entry.kind is Kind.FINISHED for entry in watched.entries[-3:])
        return finished and notes.cursor(self._store, SINK, run) >= watched.last
