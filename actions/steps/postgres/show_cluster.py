"""What the watch over a cluster saw, beside what the server says of itself now."""

from __future__ import annotations

from actions.engine.sheets import Sheet
from actions.postgres.replication import Replication
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.look_at_replication import replication_sheets
from actions.tools.clusters import Clusters
from actions.watch.cluster_words import ClusterWords


def see_cluster(service: str, site: SiteConfig, clusters: Clusters) -> ClusterWords:
    """Read what workers kept of their probes."""
    return clusters.of(service, site.name)


def cluster_sheets(replication: Replication, server: Server, cluster: ClusterWords) -> tuple[Sheet, ...]:
    """The cluster first, then the server's own word."""
    own = replication_sheets(replication, server)
    if not cluster.state:
        return own
    rows = (("State", cluster.state), *(("Why", why) for why in cluster.reasons), *cluster.rows)
    return (Sheet("Cluster", rows), *own)
