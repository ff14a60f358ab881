"""The other standbys of the primary: one that has received more is the one to promote."""

from __future__ import annotations

from dataclasses import dataclass, replace

from actions.engine.errors import Away, RecoveryError, Refused
from actions.engine.facts import volatile
from actions.postgres.lsn import Lsn, format_lsn
from actions.postgres.replication import REPLICATION_SQL, read_replication
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.failover.evidence import Evidence
from actions.tools.docker import Docker
from actions.tools.registry import SiteTools
from actions.tools.sql import Sql
from actions.wording import exact_size

_SECONDS = 3.0


@dataclass(frozen=True)
class OtherStandby:
    """Another standby: how far it has received, or None and why that is not known."""

    name: str
    received: Lsn | None = volatile(default=None)
    why: str = volatile(default="")

    def says(self) -> str:
        """For example: db-2 @ main has received up to 0/3000060."""
        at = f"has received up to {format_lsn(self.received)}" if self.received is not None else f"unknown: {self.why}"
        return f"{self.name} {at}"


@dataclass(frozen=True)
class OtherStandbys:
    """All others that the settings tell of."""

    all: tuple[OtherStandby, ...] = ()

    def says(self) -> str:
        """Each of them."""
        return "; ".join(one.says() for one in self.all) or "none"

    def alerts(self) -> tuple[str, ...]:
        """Those that may be ahead without anybody knowing."""
        unseen = [one for one in self.all if one.received is None]
        return tuple(f"{one.name} was not compared ({one.why}): it may have received more." for one in unseen)


def compare_standbys(
    others: tuple[str, ...],
    evidence: Evidence,
    server: Server,
    site: SiteConfig,
    docker: Docker,
    sql: Sql,
    there: SiteTools,
) -> OtherStandbys:
    """Ask each of them that can be reached from here.

    Raises:
        Refused: one of them has received more than the standby that was chosen.
    """
    reached = {site.name: (docker, sql), there.site.name: (there.docker, there.sql)}
    found = OtherStandbys(tuple(_seen(name, server, reached) for name in others))
    mine = max(evidence.received or 0, evidence.replayed or 0)
    for one in found.all:
        if one.received is not None and one.received > mine:
            raise Refused(
                f"{one.name} has received {exact_size(one.received - mine)} more than {server.service}.",
                code="MD-FO-021",
                detail=f"{one.says()}; {server.service} up to {format_lsn(mine)}.",
                hint=f"Fail over to that one: /recover postgres failover {one.name}",
            )
    return found


def _seen(name: str, server: Server, reached: dict[str, tuple[Docker, Sql]]) -> OtherStandby:
    service, _, site = (part.strip() for part in name.partition("@"))
    if site not in reached:
        return OtherStandby(name, why=f"the site {site} is not reached from here")
    docker, sql = reached[site]
    container = docker.find(service)
    if container is None or container.state != "running":
        return OtherStandby(name, why=f"its container is {container.state if container else 'not there'}")
    # Of one cluster: the same user, version and layout, in another container.
    like = replace(server, service=container.name, container=container.id, host=container.host, state="running")
    try:
        asked = sql.values(container.name, like, [REPLICATION_SQL], seconds=_SECONDS, database="postgres")
        told = read_replication(asked[0].must())
    except Away:
        raise
    except RecoveryError as silent:
        return OtherStandby(name, why=(silent.detail or silent.message).splitlines()[0])
    if not told.standby:
        return OtherStandby(name, why="it is no standby")
    return OtherStandby(name, Lsn(max(told.received or 0, told.at or 0)))
