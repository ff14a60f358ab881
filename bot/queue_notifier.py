"""Tells a worker of a run without keeping whoever waits for an answer.

Slack wants its acknowledgement within three seconds, PagerDuty within five; a queue that drops packets takes its time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from redis.exceptions import RedisError

_log = logging.getLogger(__name__)


class QueueNotifier:
    """Takes a run's id at once, and puts it into the queue in a thread of its own. The sweep makes up for one lost."""

    def __init__(self, enqueue: Callable[[str], object]) -> None:
        self._enqueue = enqueue
        self._wanted: SimpleQueue[str] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self, run: str) -> None:
        self._wanted.put(run)
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="queue-notifier", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            run = self._wanted.get()
            try:
                self._enqueue(run)
            except (RedisError, OSError) as error:
                _log.warning("the queue did not take run %s (%s); the sweep will find it", run, type(error).__name__)
