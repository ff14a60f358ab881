"""What this host achieved in earlier runs, kept as notes in the store."""

from __future__ import annotations

from statistics import median

from actions.engine.store import Store

_KEPT = 7


class HostThroughput:
    """Bytes a second by phase: the median of the last runs."""

    def __init__(self, store: Store, site: str) -> None:
        self._store, self._site = store, site

    def bytes_a_second(self, phase: str) -> float | None:
        """The median, or None where nothing was measured."""
        figures = self._figures(phase)
        return median(figures) if figures else None

    def note(self, phase: str, bytes: int, seconds: float) -> None:
        """Keep a figure; those too short to mean anything are left out."""
        if bytes > 0 and seconds > 0.05:
            self._store.keep("rate", f"{self._site} {phase}", [*self._figures(phase), bytes / seconds][-_KEPT:])

    def _figures(self, phase: str) -> list[float]:
        return list(self._store.note("rate", f"{self._site} {phase}") or [])
