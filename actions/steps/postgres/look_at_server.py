"""The looks at the server and at those who write to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from actions.engine.errors import RecoveryError, Refused
from actions.engine.facts import volatile
from actions.postgres.controldata import is_damaged, parse_controldata
from actions.postgres.data_directory import DataDirectory
from actions.postgres.live_server import libraries
from actions.postgres.server import Server
from actions.postgres.tablespaces import CATALOGS, merged
from actions.postgres.walheader import ClusterIdentity, identity_of
from actions.settings.site import SiteConfig
from actions.steps.postgres.data_place import placed, really_mounted
from actions.steps.postgres.find_data import find_data
from actions.tools.docker import Container, Docker
from actions.tools.postgres_files import PostgresFiles
from actions.tools.postgres_servers import PostgresServers

_CATALOG = re.compile(r"Catalog version number:\s+(\d+)")
_MAJORS = {catalog: major for major, catalog in CATALOGS.items()}


def look_at_server(
    service: str, site: SiteConfig, docker: Docker, files: PostgresFiles, servers: PostgresServers
) -> Server:
    """Find the container, its files on the Docker host, and the cluster that lies in them."""
    container = really_mounted(must_find(docker, service, site.setting("postgres")), docker)
    seen, there = find_data(container, site, servers, files)
    who, damaged = _identity(seen, there, files)
    return replace(
        seen,
        version=who.version,
        system_identifier=who.system_identifier,
        timeline=who.timeline,
        segment_size=who.segment_size,
        control_damaged=damaged,
        owner=there.owner,
        standby=there.standby,
        follows=there.follows(),
        preload=libraries(there.preload),
        tablespaces=merged(
            placed(container, seen.home, who.version, oid, location) for oid, location in there.tablespaces.items()
        ),
    )


def _identity(server: Server, there: DataDirectory, files: PostgresFiles) -> tuple[ClusterIdentity, bool]:
    """Which cluster it is, and whether its control file is damaged, so that its own WAL had to tell."""
    trouble = _distrusted(server, there)
    if trouble is None:
        control = parse_controldata(there.control)
        return ClusterIdentity(
            _major(there.control), control.system_identifier, control.timeline, control.segment_size
        ), False
    found = identity_of(files.wal_headers(server))
    if found is None:
        raise trouble
    return found, True


def _distrusted(server: Server, there: DataDirectory) -> RecoveryError | None:
    if there.control_error:
        return RecoveryError(
            f"It failed while reading the control file of {server.home.leaf}.",
            code="MD-PG-043",
            detail=there.control_error,
            hint="The control file may be damaged; base backups are not affected.",
        )
    if not is_damaged(there.control):
        return None
    return RecoveryError(
        "The control file of the live server is damaged, and its own WAL does not say which cluster it is.",
        code="MD-PG-044",
        detail="\n".join(there.control.splitlines()[:6]),
        hint="Recover by hand from a base backup; nothing was touched.",
    )


def must_find(docker: Docker, service: str, setting: str) -> Container:
    """The container of a service, which `setting` names.

    Raises:
        Refused: there is none of that name.
    """
    container = docker.find(service)
    if container is None:
        raise Refused(
            f"There is no container named {service} on this host.",
            code="MD-PG-045",
            hint=f"Look at `docker ps -a`, and at {setting} in the settings.",
        )
    return container


def _major(control: str) -> int:
    found = _CATALOG.search(control)
    number = int(found[1]) if found else 0
    if number not in _MAJORS:
        raise Refused(
            f"This PostgreSQL (catalogue version {number}) is not one of 13 to 18.",
            code="MD-PG-046",
            hint="Recover by hand, or upgrade Mayday.",
        )
    return _MAJORS[number]


@dataclass(frozen=True)
class Writer:
    """A service that writes to the database."""

    name: str
    container: str
    state: str = volatile(default="")


@dataclass(frozen=True)
class Writers:
    """Everybody who writes, as far as the settings say.

    `unclaimed` are services that are not here, each with a container of another Compose project that has its label.
    """

    all: tuple[Writer, ...]
    unclaimed: tuple[tuple[str, str], ...] = volatile(default=())

    def says(self) -> str:
        """For example: nself-functions, nself-hasura."""
        return ", ".join(writer.name for writer in self.all) or "none configured"

    def alerts(self) -> tuple[str, ...]:
        """Who might write and would not be paused."""
        return tuple(
            f"{name} is not here. {other} has its Compose label in another project, so it is not taken for it and "
            f"would not be paused. If it writes into this database, cancel, and name it as the container of {name}."
            for name, other in self.unclaimed
        )


def see_writers(site: SiteConfig, docker: Docker) -> Writers:
    """The writers of the settings that exist here; one that does not exist cannot write."""
    found = {name: docker.find(name) for name in site.writers}
    others = [(name, docker.in_other_projects(name)) for name, container in found.items() if container is None]
    return Writers(
        tuple(Writer(c.name, c.id, c.state) for c in found.values() if c is not None),
        tuple((name, other[0]) for name, other in others if other),
    )
