"""Statuspage's rate limit: one request a second for each token, measured over 60 seconds."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

WINDOW = 60.0
ALLOWED = 60


class Limiter:
    """Counts the requests of each token within the last minute; refused ones count too."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def is_over(self, token: str) -> bool:
        """Whether this request is one too many."""
        now, seen = self._clock(), self._seen[token]
        while seen and seen[0] <= now - WINDOW:
            seen.popleft()
        seen.append(now)
        return len(seen) > ALLOWED
