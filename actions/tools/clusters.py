"""What workers saw of clusters, for whoever shows it: nothing is asked of a server."""

from __future__ import annotations

from typing import Protocol

from actions.watch.cluster_words import ClusterWords


class Clusters(Protocol):
    """The clusters of the settings."""

    def of(self, service: str, site: str) -> ClusterWords:
        """How the cluster stands to which a server belongs; without words where it belongs to none."""
