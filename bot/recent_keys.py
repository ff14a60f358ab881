"""What was heard recently, in memory: enough for words that change nothing, and it costs no write before the ack."""

from __future__ import annotations

import threading
from collections import OrderedDict

KEPT = 2_000


class RecentKeys:
    """The keys of the last deliveries. Shared by Bolt's threads."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, key: str) -> bool:
        """Whether this key was not heard recently; it is remembered from now on."""
        with self._lock:
            if key in self._keys:
                return False
            self._keys[key] = None
            if len(self._keys) > self._kept:
                self._keys.popitem(last=False)
            return True
