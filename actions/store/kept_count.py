"""Something counted over all runs that ever were, kept as a note: a process that begins anew does not read history.

What is kept is what a recount of all journals would give up to some change of the store, and which runs were open then.
From there it is counted on. A note that is old costs time, and one that is lost or cannot be read costs a recount.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Protocol

from actions.engine.errors import NOT_READ
from actions.engine.folding import fold
from actions.engine.journal import Entry
from actions.engine.run import Run
from actions.store.journal_follower import JournalFollower
from actions.store.store import Store

_log = logging.getLogger(__name__)
NOTE = "count"
"""The kind of the notes."""
KEEP_AFTER = 500
"""So many entries are counted before the note is written again: a restart reads as many."""


class Count(Protocol):
    """What is counted. Entries of a run that is not open, other than a request, change nothing."""

    @property
    def open(self) -> dict[str, Run]:
        """The runs that have not ended, as they are after the entries that were heard."""

    def hear(self, told: Iterable[Entry]) -> object:
        """More entries of one journal, in order."""

    def kept(self) -> Any:
        """All of it but the open runs, as JSON."""

    def restore(self, kept: Any) -> object:
        """Be what was kept."""


class KeptCount:
    """Keeps a count up to date; one thread at a time."""

    def __init__(self, store: Store, name: str, count: Count, keep_after: int = KEEP_AFTER) -> None:
        self._store, self._name, self._count, self._keep_after = store, name, count, keep_after
        self._follower: JournalFollower | None = None
        self._fresh = 0

    def catch_up(self) -> None:
        """Count what was written since the last time."""
        follower = self._follower = self._follower or self._resumed()
        for told in follower.grown():
            self._count.hear(told)
            self._fresh += len(told)
        for journal in follower.tips.keys() - self._count.open.keys():
            follower.forget(journal)
        if self._fresh >= self._keep_after:
            place = {"since": follower.since, "open": follower.tips}
            self._store.keep(NOTE, self._name, {**place, "counted": self._count.kept()})
            self._fresh = 0

    def _resumed(self) -> JournalFollower:
        note = self._store.note(NOTE, self._name)
        if note is None:
            return JournalFollower(self._store)
        try:
            since, tips = int(note["since"]), {str(run): int(n) for run, n in note["open"].items()}
            self._count.restore(note["counted"])
            for run, n in tips.items():
                self._count.open[run] = fold(self._store.entries(run)[:n])
        except NOT_READ:
            _log.exception("what was counted (%s) cannot be read; it is counted anew", self._name)
            self._count.restore(None)
            return JournalFollower(self._store)
        return JournalFollower(self._store, since, tips)
