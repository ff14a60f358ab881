"""Keeps what PagerDuty sends: one thread writes, all that waits in one transaction, and each is answered after it.

In a storm on a busy disk a commit takes longer than the next events take to come. With a transaction for each of them
the last would wait for all the others; so nobody waits for more than two.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import NOT_READ, RecoveryError
from actions.incidents.kept_events import keep_events
from actions.store.store import Store
from actions.store.write_deadline import deadline

_log = logging.getLogger(__name__)
GIVES_UP = 4.0
"""PagerDuty waits for five seconds. What was not kept by then is not kept later: it comes again."""
_TOGETHER = 200


@dataclass(frozen=True)
class _Event:
    key: str
    body: str
    came: float = field(default_factory=time.monotonic)
    kept: Future[bool] = field(default_factory=Future)


class EventWriter:
    """Takes events at once and keeps them in a thread of its own; `wake` hears that something new waits."""

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self._store, self._wake = store, wake
        self._waiting: SimpleQueue[_Event] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def keep(self, key: str, body: str) -> Future[bool]:
        """Whether the event was never seen before, known once it is on the disk.

        The future raises SQLAlchemyError or RecoveryError where it could not be kept.
        """
        event = _Event(key, body)
        self._waiting.put(event)
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="event writer", daemon=True)
                self._thread.start()
        return event.kept

    def _work(self) -> None:
        while True:
            together = [self._waiting.get()]
            while len(together) < _TOGETHER:
                try:
                    together.append(self._waiting.get_nowait())
                except Empty:
                    break
            # One that nobody waits for any more was answered already, and comes again.
            together = [event for event in together if event.kept.set_running_or_notify_cancel()]
            try:
                self._write(together)
            except NOT_READ:
                _log.exception("%d events could not be kept together; each is tried alone", len(together))
                for event in together:
                    self._alone(event)

    def _alone(self, event: _Event) -> None:
        try:
            self._write([event])
        except NOT_READ as error:
            event.kept.set_exception(error)

    def _write(self, together: Sequence[_Event]) -> None:
        if not together:
            return
        try:
            with deadline(lambda: GIVES_UP - (time.monotonic() - together[0].came)):
                new = keep_events(self._store, [(event.key, event.body) for event in together])
        except (SQLAlchemyError, RecoveryError) as error:
            for event in together:
                event.kept.set_exception(error)
            return
        for event, first in zip(together, new, strict=True):
            event.kept.set_result(first)
        if any(new):
            self._wake()
