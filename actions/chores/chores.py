"""Chores: everything that bot and workers do every now and then, with one way to take its turn and to be begun anew.

A chore with a `leader` is done by one process of all, whichever holds the lease; one without is done by each. What goes
wrong is logged, kept for the doctor and the metrics (`chore_records`), and tried again the next time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from actions.chores.chore_records import ChoreRecord
from actions.chores.leader_lease import LeaderLease
from actions.engine.errors import RecoveryError
from actions.store.database import StoreTrouble
from actions.store.store import Store

log = logging.getLogger("mayday.chores")


@dataclass
class Chore:
    """Something to do every so many seconds. Nothing that `work` raises ends it."""

    name: str
    every: float
    """Seconds between the end of one turn and the next."""
    work: Callable[[], object]
    store: Store
    leader: LeaderLease | None = None
    first: float = 0.0
    """Seconds before the first turn."""
    retry: float | None = None
    """Seconds from a failure to the next try, doubled with each until they are `every`; None: no sooner than ever."""
    longest_retry: float | None = None
    """Seconds that a retry waits at most; None: as long as `every`."""
    wake: threading.Event | None = None
    """Set by whoever knows that there is something to do: the next turn comes at once."""
    place: str = ""
    """Where it is done, for one that each process does for itself: its record is kept apart from the others'."""
    _failures: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._record = ChoreRecord(self.store, self.name, self.every, self.place)

    def once(self) -> bool:
        """Do it, if it is this process's turn; whether it was done and went well."""
        try:
            if self.leader is not None and not self.leader.mine():
                self._record.is_anothers()
                return False
            self.work()
        except RecoveryError as trouble:
            return self._failed(f"{trouble.said} {trouble.detail}".strip())
        except StoreTrouble as away:
            return self._failed(f"the store does not answer: {str(away)[:200]}")
        except Exception as surprise:
            log.exception("chore '%s' met something unforeseen", self.name)
            return self._failed(f"{type(surprise).__name__}: {surprise}"[:300])
        self._failures = 0
        self._record.went_well()
        return True

    def run(self, leaving: threading.Event) -> None:
        """Go on until told to leave; then another process may have the turn at once."""
        if self.first:
            leaving.wait(self.first)
        while not leaving.is_set():
            # Cleared before the turn: what is told during it is not forgotten.
            if self.wake is not None:
                self.wake.clear()
            self.once()
            (self.wake or leaving).wait(self.pause())
        if self.leader is not None:
            with suppress(StoreTrouble):
                self.leader.give_up()

    def pause(self) -> float:
        """Seconds until the next turn."""
        if self._failures and self.retry is not None:
            return min(self.longest_retry or self.every, self.retry * 2.0 ** min(self._failures - 1, 30))
        return self.every

    def _failed(self, why: str) -> bool:
        self._failures += 1
        # The same thing every few seconds would bury the rest of the log.
        level = logging.WARNING if self._failures & (self._failures - 1) == 0 else logging.DEBUG
        log.log(level, "chore '%s' did not work, %d in a row: %s", self.name, self._failures, why)
        self._record.went_wrong(why)
        return False


class KeptThreads:
    """Threads that go on for as long as a process lives: one that has died is begun anew at the next look."""

    def __init__(self) -> None:
        self.threads: dict[str, threading.Thread] = {}

    def keep(self, name: str, work: Callable[..., object], *given: Any) -> threading.Thread:
        """See that the thread of that name lives."""
        thread = self.threads.get(name)
        if thread is not None and thread.is_alive():
            return thread
        if thread is not None:
            log.error("the thread '%s' has died and is begun anew", name)
        self.threads[name] = thread = threading.Thread(target=work, args=given, name=name, daemon=True)
        thread.start()
        return thread

    def keep_all(self, chores: tuple[Chore, ...], leaving: threading.Event) -> None:
        """See that the threads of these chores live."""
        for chore in chores:
            self.keep(f"{chore.name} {chore.place}".strip(), chore.run, leaving)
