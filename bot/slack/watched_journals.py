"""The journals that the threads follow: those that grew, those under way, those not drawn to their end.

A journal whose thread is complete is let go, and followed again should it grow: an incident may come back.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from actions.engine.errors import NOT_READ
from actions.engine.journal import Entry
from actions.incidents import incident as incidents
from actions.store import notes
from actions.store.store import Store
from bot.incidents.incident_thread import ThreadStory
from bot.slack.thread_item import ThreadItem

_log = logging.getLogger(__name__)
SINK = "slack"
"""The name under which the cursors of threads are kept."""


@dataclass
class Watched:
    """What is remembered of a journal between two looks."""

    last: int = 0
    entries: list[Entry] = field(default_factory=list)
    edited: datetime | None = None
    told: int = 0  # The last entry that the header knew when it was posted or edited.
    rests_until: datetime | None = None
    rests: float = 0.0
    doubts: Counter[str] = field(default_factory=Counter)  # How often Slack refused each item while it took others.
    wins: int = 0  # How much Slack had taken by then.
    at_work: bool = False
    progress: Any = None
    items: list[ThreadItem] = field(default_factory=list)
    drawn: tuple[int, datetime] | None = None
    settled: bool = False
    ended: bool = False
    owes: bool = False
    private: bool = False  # It ended with an answer that the asker alone is to read, and has not read yet.
    unseen: bool = False  # Nothing of it is to stand in Slack as yet.
    held: bool = False  # The same, for some seconds: a worker is looking whether its moment can be reached.
    telling: ThreadStory | None = None


class Journals:
    """Reads what was written since, and lets go of journals whose threads are complete."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._since: int | None = None
        self._done: dict[str, int] = {}
        self.watched: dict[str, Watched] = {}
        self._unread: set[str] = set()

    def read(self) -> list[Watched]:
        """Read all new entries. Returns the journals whose threads have become complete; they are let go."""
        tips = self._news()
        for name in sorted(name for name, tip in tips.items() if tip > self._done.get(name, 0)):
            watched = self.watched.setdefault(name, Watched())
            if tips[name] > watched.last and not self._grown(name, watched):
                del self.watched[name]
        complete = [name for name in self.watched if self._is_complete(name)]
        self._done.update({name: self.watched[name].last for name in complete})
        return [self.watched.pop(name) for name in complete]

    def _news(self) -> dict[str, int]:
        """The last positions of journals that grew since the last look, and of those that could not be read then."""
        if self._since is None:
            # Before the list: what grows meanwhile is looked at twice instead of never.
            since = self._store.change()
            tips, self._since = self._not_complete(), since
        else:
            tips = self._store.tips(sorted(self._unread)) if self._unread else {}
        for one in self._store.grown(self._since):
            tips[one.journal], self._since = one.n, one.change
        return tips

    def _grown(self, name: str, watched: Watched) -> bool:
        """Read what is new of one journal; whether it can be read."""
        try:
            watched.entries += self._store.entries(name, watched.last)
        except NOT_READ:
            if name not in self._unread:
                _log.exception("the journal %s cannot be read; its thread stays as it is", name)
            self._unread.add(name)
            return False
        self._unread.discard(name)
        watched.last = watched.entries[-1].n
        return True

    def _not_complete(self) -> dict[str, int]:
        """The journals whose threads were not complete before we came: not drawn to their end, or under way."""
        open_incidents = filter(self._is_open, self._store.incidents(open_only=True))
        under_way = [*self._store.runs(open_only=True, limit=10_000), *open_incidents]
        return self._store.unread(SINK) | self._store.tips(under_way)

    def _is_open(self, name: str) -> bool:
        try:
            return incidents.fold(self._store.entries(name)).open
        except NOT_READ:
            return False

    def _is_complete(self, name: str) -> bool:
        watched = self.watched[name]
        return watched.ended and notes.cursor(self._store, SINK, name) >= watched.last
