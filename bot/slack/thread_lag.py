"""How far the threads are behind the journals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from actions.engine.errors import NOT_READ
from actions.store import notes
from actions.store.store import Store


@dataclass(frozen=True)
class ThreadLag:
    """How many entries no thread shows yet, and how long the oldest of them has waited, in seconds."""

    entries: int = 0
    seconds: float = 0.0


class LagWatch:
    """Asks for the journals that a sink is behind with: once for all, then for those alone and for what grew since."""

    def __init__(self, store: Store, sink: str) -> None:
        self._store, self._sink = store, sink
        self._since: int | None = None
        self._behind: dict[str, int] = {}

    def look(self, now: datetime) -> ThreadLag:
        """What the sink has still to show."""
        self._learn()
        waiting, since = 0, now
        for journal, last in list(self._behind.items()):
            shown = notes.cursor(self._store, self._sink, journal)
            if shown >= last:
                del self._behind[journal]
                continue
            waiting += last - shown
            since = min(since, self._written(journal, shown, now))
        return ThreadLag(waiting, max(0.0, (now - since).total_seconds()))

    def _learn(self) -> None:
        if self._since is None:
            # Before the list: what grows meanwhile is looked at twice instead of never.
            since = self._store.change()
            self._behind, self._since = self._store.unread(self._sink), since
        for one in self._store.grown(self._since):
            self._behind[one.journal], self._since = one.n, one.change

    def _written(self, journal: str, shown: int, now: datetime) -> datetime:
        """When the first entry after that position was written."""
        try:
            told = self._store.entries(journal, shown, 1)
        except NOT_READ:
            return now
        return told[0].at if told else now
