"""Following all journals: what was written since the last look, each entry once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from actions.engine.errors import NOT_READ
from actions.engine.journal import Entry
from actions.engine.store import Store

_log = logging.getLogger(__name__)


class JournalFollower:
    """Reads on from where it was, journal by journal. It keeps positions and no entries; one thread at a time.

    One that begins after change `since` knows how far the journals in `tips` were read. Others of before
    were of no interest any more, and stay so.
    """

    def __init__(self, store: Store, since: int = 0, tips: Mapping[str, int] | None = None) -> None:
        self._store = store
        self.since, self.tips = since, dict(tips or {})

    def grown(self) -> Iterator[list[Entry]]:
        """The new entries of every journal that grew, in order; on the first look of all, all there are.

        One that cannot be read is passed over until it grows again.
        """
        news = self._store.grown(self.since)
        for one in news:
            known = self.tips.get(one.journal, 0)
            if one.n <= known or (not known and one.began <= self.since):
                continue
            try:
                told = self._store.entries(one.journal, known)
            except NOT_READ:
                _log.exception("the journal %s cannot be read; it is passed over", one.journal)
                continue
            if told:
                self.tips[one.journal] = told[-1].n
                yield told
        # Only now: whoever is interrupted in between begins with these again, and knows them by their positions.
        self.since = news[-1].change if news else self.since

    def forget(self, journal: str) -> None:
        """Let go of a journal whose further entries are of no interest."""
        self.tips.pop(journal, None)
