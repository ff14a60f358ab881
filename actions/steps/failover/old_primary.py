"""The primary that is to be replaced: its container, its networks, where its data lies, as far as that can be read."""

from __future__ import annotations

from dataclasses import dataclass

from actions.engine.errors import Away, RecoveryError, Refused
from actions.engine.facts import volatile
from actions.postgres.server import Server
from actions.steps.postgres.look_at_server import look_at_server, must_find
from actions.tools.networks import Attachment
from actions.tools.registry import SiteTools


@dataclass(frozen=True)
class OldPrimary:
    """The container that is fenced, by name and id, with what has to be undone of it.

    `networks` are those that it is attached to, `state` and `restart_policy` how it was when the plan was made.
    `server` is None where its files could not be read; `unread` says why.
    """

    service: str
    site: str
    host: str
    name: str
    container: str
    restart_policy: str
    networks: tuple[Attachment, ...]
    server: Server | None = None
    state: str = volatile(default="")
    unread: str = volatile(default="")

    def says(self) -> str:
        """For example: nself-postgres on host-1, exited."""
        return f"{self.name} on {self.host}, {self.state}"


def look_at_old_primary(primary: str, primary_site: str, server: Server, there: SiteTools) -> OldPrimary:
    """Find the container and what lies in its data directory; a disk that cannot be read holds no failover up.

    Raises:
        Refused: there is no such container, it is the standby itself, or it holds another cluster.
    """
    found = must_find(there.docker, primary, "follows")
    if found.id == server.container:
        raise Refused(
            f"{primary} and its standby {server.service} are one container.",
            code="MD-FO-008",
            detail=f"Both are {found.name} ({found.id[:12]}).",
            hint="Correct `follows` and `container` in [[services]].",
        )
    seen, unread = _read(primary, there)
    _must_be_one_cluster(primary, seen, server)
    return OldPrimary(
        service=primary,
        site=primary_site,
        host=found.host,
        name=found.name,
        container=found.id,
        restart_policy=found.restart_policy,
        networks=there.networks.of(found.name, found.id),
        server=seen,
        state=found.state,
        unread=unread,
    )


def _read(primary: str, there: SiteTools) -> tuple[Server | None, str]:
    try:
        return look_at_server(primary, there.site, there.docker, there.files, there.servers), ""
    except Away:
        raise
    except RecoveryError as trouble:
        return None, f"{trouble.said} {trouble.detail}".strip()


def _must_be_one_cluster(primary: str, old: Server | None, server: Server) -> None:
    if old is None:
        return
    if old.system_identifier != server.system_identifier:
        raise Refused(
            f"{server.service} is no copy of {primary}: they are two clusters.",
            code="MD-FO-009",
            detail=f"System identifiers: {server.system_identifier} and {old.system_identifier}.",
            hint="See whom it follows: /recover postgres replication. Correct `follows` in the settings.",
        )
    if server.timeline < old.timeline:
        raise Refused(
            f"{server.service} follows another timeline than the one that {primary} writes.",
            code="MD-FO-010",
            detail=f"It has timeline {server.timeline}, the primary {old.timeline}: commits of that are not in it.",
            hint="Let it follow the primary again, or recover the primary itself: /recover postgres pitr latest",
        )
