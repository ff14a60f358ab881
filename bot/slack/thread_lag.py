"""How far the threads are behind the journals."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from actions.engine.journal import Entry


@dataclass(frozen=True)
class ThreadLag:
    """How many entries no thread shows yet, and how long the oldest of them has waited, in seconds."""

    entries: int = 0
    seconds: float = 0.0


class EntryTimes:
    """When each entry of each journal was written: eight bytes an entry."""

    def __init__(self) -> None:
        self._of: dict[str, array[float]] = {}

    def hear(self, told: Iterable[Entry]) -> None:
        """More entries of one journal, in order."""
        for entry in told:
            self._of.setdefault(entry.run, array("d")).append(entry.at.timestamp())

    def lag(self, cursors: dict[str, Any], sink: str, now: datetime) -> ThreadLag:
        """What a sink has still to show, by its cursors (`sink journal` to a position)."""
        behind, since = 0, now.timestamp()
        for journal, moments in self._of.items():
            shown = int(cursors.get(f"{sink} {journal}") or 0)
            if shown < len(moments):
                behind += len(moments) - shown
                since = min(since, moments[shown])
        return ThreadLag(behind, max(0.0, now.astimezone(UTC).timestamp() - since))
