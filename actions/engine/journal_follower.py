"""Following all journals: what was written since the last look, each entry once."""

from __future__ import annotations

from collections.abc import Iterator

from actions.engine.journal import Entry
from actions.engine.store import Store


class JournalFollower:
    """Reads on from where it was, journal by journal. It keeps positions and no entries; one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.tips: dict[str, int] = {}

    def grown(self) -> Iterator[list[Entry]]:
        """The new entries of every journal that grew, in order; on the first look, all there are."""
        for journal, tip in self._store.tips().items():
            if tip <= self.tips.get(journal, 0):
                continue
            told = self._store.entries(journal, self.tips.get(journal, 0))
            self.tips[journal] = told[-1].n
            yield told
