"""Following all journals: what was written since the last look, each entry once."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from actions.engine.errors import NOT_READ
from actions.engine.journal import Entry
from actions.store.journal_heads import Grown
from actions.store.store import Store

_log = logging.getLogger(__name__)
_TOGETHER = 100
"""So many journals are read at once where many are new: each question to a server takes longer than its answer."""


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
        wanted = [one for one in news if self._is_wanted(one)]
        for n in range(0, len(wanted), _TOGETHER):
            part = wanted[n : n + _TOGETHER]
            whole = self._whole([one.journal for one in part if one.journal not in self.tips])
            for one in part:
                if told := whole.get(one.journal) or self._rest(one.journal):
                    self.tips[one.journal] = told[-1].n
                    yield told
        # Only now: whoever is interrupted in between begins with these again, and knows them by their positions.
        self.since = news[-1].change if news else self.since

    def _is_wanted(self, one: Grown) -> bool:
        return one.journal in self.tips or one.began > self.since

    def _whole(self, journals: list[str]) -> dict[str, list[Entry]]:
        """Several journals from their beginning; none where one of them cannot be read."""
        try:
            return self._store.entries_of(journals) if len(journals) > 1 else {}
        except NOT_READ:
            return {}

    def _rest(self, journal: str) -> list[Entry]:
        try:
            return self._store.entries(journal, self.tips.get(journal, 0))
        except NOT_READ:
            _log.exception("the journal %s cannot be read; it is passed over", journal)
            return []

    def forget(self, journal: str) -> None:
        """Let go of a journal whose further entries are of no interest."""
        self.tips.pop(journal, None)
