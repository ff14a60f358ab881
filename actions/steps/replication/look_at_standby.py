"""The looks at the container that is to become the standby: which one it is, what lies in it, who would lose by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from actions.engine.errors import Away, RecoveryError, Refused
from actions.postgres.controldata import is_damaged, parse_controldata
from actions.postgres.data_directory import DataDirectory
from actions.postgres.primary_state import PrimaryState
from actions.postgres.replication import REPLICATION_SQL, Replication, read_replication
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.data_place import really_mounted
from actions.steps.postgres.find_data import find_data
from actions.steps.postgres.look_at_server import must_find
from actions.tools.docker import Docker
from actions.tools.postgres_files import PostgresFiles
from actions.tools.postgres_servers import PostgresServers
from actions.tools.sql import NotServing, Sql
from actions.tools.standbys import Standbys
from actions.wording import counted, verb

_SECONDS = 15.0
_MAINTENANCE = "postgres"
_SESSIONS = (
    "select count(*) as sessions from pg_stat_activity where backend_type = 'client backend' "
    "and pid <> pg_backend_pid() and application_name <> 'mayday'"
)


class Holding(StrEnum):
    """What lies in the data directory of a standby to be, in words for people."""

    NOTHING = "nothing"
    FRESH = "a new cluster without any table"
    OTHER = "another cluster"
    SAME = "a state of this very cluster"


@dataclass(frozen=True)
class HeldData:
    """What lies there now, and is kept under another name. `timeline` is 0 where no cluster could be read."""

    holding: Holding
    timeline: int = 0

    @property
    def precious(self) -> bool:
        """Whether a second person has to agree."""
        return self.holding in (Holding.OTHER, Holding.SAME)

    def says(self) -> str:
        """One line for the thread."""
        return f"{self.holding}{f', timeline {self.timeline}' if self.precious and self.timeline else ''}"


def look_at_standby(
    service: str,
    leader: Server,
    site: SiteConfig,
    docker: Docker,
    files: PostgresFiles,
    servers: PostgresServers,
    standbys: Standbys,
) -> Server:
    """The standby's container and what its data directory is, which may be empty.

    Raises:
        Refused: it is the primary's own, has no data directory, or is of another major version.
    """
    container = really_mounted(must_find(docker, service, site.setting("postgres")), docker)
    if (container.id, container.host) == (leader.container, leader.host):
        raise _is_the_primary(service, "Both are the container", container.name)
    seen, there = find_data(container, site, servers, files, empty=True)
    if (seen.host, seen.home.parent, seen.home.leaf) == (leader.host, leader.home.parent, leader.home.leaf):
        raise _is_the_primary(service, "Both have their data in", f"{seen.home.parent}/{seen.home.leaf}")
    if not there.owner:
        raise Refused(
            f"The data directory of {service} is not there yet. Nothing was touched.",
            code="MD-REP-016",
            detail=f"{seen.home.parent}/{seen.home.leaf} on {seen.host}",
            hint="Start its container once, so that it makes a cluster of its own, or make that folder; then ask.",
        )
    version = standbys.major(seen)
    if version != leader.version:
        raise Refused(
            f"{service} has PostgreSQL {version}, its primary {leader.version}. Nothing was touched.",
            code="MD-REP-017",
            detail="A standby reads its primary's files, so both have to be of one major version.",
            hint=f"Give the container of {service} an image of PostgreSQL {leader.version}, then ask again.",
        )
    return _told(replace(seen, version=version, owner=there.owner, standby=there.standby), there)


def _is_the_primary(service: str, both: str, what: str) -> Refused:
    return Refused(
        f"{service} is its own primary: nothing can be built there. Nothing was touched.",
        code="MD-REP-018",
        detail=f"{both} {what}.",
        hint="Correct `container` or `follows` in its [[services]] table: docs/configuration.md.",
    )


def _told(server: Server, there: DataDirectory) -> Server:
    """With what the control file says; one that cannot be read says nothing, and is kept like any other data."""
    if there.control_error or is_damaged(there.control):
        return server
    control = parse_controldata(there.control)
    return replace(
        server,
        system_identifier=control.system_identifier,
        timeline=control.timeline,
        segment_size=control.segment_size,
        follows=there.follows(),
    )


def see_what_it_holds(
    server: Server, leader: Server, state: PrimaryState, files: PostgresFiles, standbys: Standbys, sql: Sql
) -> HeldData:
    """What would be replaced, and whether anybody would lose by it.

    Raises:
        Refused: it follows the primary already, is ahead of it, or somebody writes to it.
    """
    asked = _asked(server, sql)
    if asked is not None and asked.system == leader.system_identifier and _streams(asked):
        raise _follows_already(server, asked)
    holding = _holding(server, leader, files, standbys)
    timeline = max(server.timeline, asked.timeline if asked is not None else 0)
    if holding is Holding.SAME and timeline > state.timeline:
        raise Refused(
            f"{server.service} is on timeline {timeline}, its primary on {state.timeline}: it was promoted after it. "
            "Nothing was touched.",
            code="MD-REP-019",
            detail="What was written there since is not in the primary.",
            hint="See who is to be the primary, and correct `follows`: the other one can be built anew from it. Where "
            f"that data is not wanted, rename {server.home.parent}/{server.home.leaf} by hand, then ask again.",
        )
    held = HeldData(holding, timeline)
    writes = server.state == "running" and (asked is None or not asked.standby)
    sessions = _sessions(server, sql) if held.precious and writes else 0
    if sessions:
        raise Refused(
            f"Somebody uses {server.service}: {counted(sessions, 'session')} {verb(sessions, 'are')} connected to it. "
            "Nothing was touched.",
            code="MD-REP-020",
            detail="It takes writes, and would be stopped under them.",
            hint=f"Stop who they are, or the container {server.service} itself, then ask again.",
        )
    return held


def _streams(asked: Replication) -> bool:
    return asked.standby and asked.upstream is not None and asked.upstream.streams


def _holding(server: Server, leader: Server, files: PostgresFiles, standbys: Standbys) -> Holding:
    if not server.system_identifier:
        return Holding.NOTHING if files.data_directory(server).empty else Holding.OTHER
    if server.system_identifier == leader.system_identifier:
        return Holding.SAME
    return Holding.OTHER if standbys.has_tables(server) else Holding.FRESH


def _follows_already(server: Server, asked: Replication) -> Refused:
    at = asked.upstream.at if asked.upstream else ""
    return Refused(
        f"{server.service} streams from its primary already. Nothing was touched.",
        code="MD-REP-021",
        detail=f"It receives from {at or 'an unknown address'}, timeline {asked.timeline}, same system identifier.",
        hint="See how it stands: /recover postgres replication. To build it anew all the same, stop its container, "
        "then ask again.",
    )


def _asked(server: Server, sql: Sql) -> Replication | None:
    """What it says of itself; None where it does not run, or lets nobody in."""
    if server.state != "running":
        return None
    try:
        found = sql.values(server.service, server, [REPLICATION_SQL], seconds=_SECONDS, database=_MAINTENANCE)
        return read_replication(found[0].must())
    except Away:
        raise
    except RecoveryError:
        return None


def _sessions(server: Server, sql: Sql) -> int:
    """How many are connected to one that takes writes; none where nobody serves.

    Raises:
        Refused: that cannot be known.
    """
    try:
        return int(sql.rows(server.service, server, _SESSIONS, seconds=_SECONDS, database=_MAINTENANCE)[0]["sessions"])
    except Away:
        raise
    except NotServing:
        return 0
    except RecoveryError as silent:
        raise Refused(
            f"{server.service} runs and does not say who is connected to it. Nothing was touched.",
            code="MD-REP-022",
            detail=silent.detail or silent.message,
            hint=f"Stop its container ({server.service}) once you know that nobody needs it, then ask again.",
        ) from silent
