"""What the store keeps of the probes of clusters, as a tool of steps."""

from __future__ import annotations

from dataclasses import dataclass

from actions.control.requests import Subject
from actions.settings.settings import Settings
from actions.store.store import Store
from actions.watch.cluster_status import status_of
from actions.watch.cluster_words import ClusterWords, words_of


@dataclass(frozen=True)
class StoreClusters:
    """The clusters of these settings; without any there is none."""

    store: Store
    settings: Settings | None = None

    def of(self, service: str, site: str) -> ClusterWords:
        """Judge what is kept now."""
        if self.settings is None:
            return ClusterWords()
        stack, now = self.settings.stack(), self.store.clock()
        found = status_of(self.store, stack, self.settings.failover.dead_seconds, now, Subject(site, service))
        return words_of(found, now) if found is not None else ClusterWords()
