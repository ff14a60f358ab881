"""The looks at the server and at those who write to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from actions.containers import Container, Docker, Mount
from actions.engine.errors import RecoveryError, Refused
from actions.engine.facts import volatile
from actions.postgres.controldata import is_damaged, parse_controldata
from actions.postgres.datadir import DataDirectory
from actions.postgres.server import DataHome, Server
from actions.postgres.tablespaces import CATALOGS, Tablespace, merged, version_leaf, within
from actions.postgres.walheader import Identity, identity_of
from actions.tools import Files, Site

_CATALOG = re.compile(r"Catalog version number:\s+(\d+)")
_MAJORS = {catalog: major for major, catalog in CATALOGS.items()}


def look_at_server(service: str, site: Site, docker: Docker, files: Files) -> Server:
    """Find the container, its files on the Docker host, and the cluster that lies in them."""
    container = must_find(docker, service)
    home = data_home(container)
    archive, bases = on_host(container, site.archive), on_host(container, site.bases)
    seen = Server(
        service=container.name,
        host=container.host,
        container=container.id,
        image=container.image,
        image_id=container.image_id,
        command=container.command,
        restart_policy=container.restart_policy,
        home=home,
        archive=archive,
        bases=bases,
        inside_archive=site.archive,
        inside_bases=site.bases,
        user=site.user,
        database=site.database,
        version=0,
        system_identifier="",
        timeline=0,
        segment_size=0,
        state=container.state,
    )
    there = files.data_directory(seen)
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
        tablespaces=merged(
            placed(container, home, who.version, oid, location) for oid, location in there.tablespaces.items()
        ),
    )


def _identity(server: Server, there: DataDirectory, files: Files) -> tuple[Identity, bool]:
    """Which cluster it is, and whether its control file is damaged, so that its own WAL had to tell."""
    trouble = _distrusted(server, there)
    if trouble is None:
        control = parse_controldata(there.control)
        return Identity(_major(there.control), control.system_identifier, control.timeline, control.segment_size), False
    found = identity_of(files.wal_headers(server))
    if found is None:
        raise trouble
    return found, True


def _distrusted(server: Server, there: DataDirectory) -> RecoveryError | None:
    if there.control_error:
        return RecoveryError(f"It failed while reading the control file of {server.home.leaf}.",
                             detail=there.control_error,
                             hint="The control file may be damaged; base backups are not affected.")  # fmt: skip
    if not is_damaged(there.control):
        return None
    return RecoveryError(
        "The control file of the live server is damaged, and its own WAL does not say which cluster it is.",
        detail="\n".join(there.control.splitlines()[:6]),
        hint="Recover by hand from a base backup; nothing was touched.",
    )


def placed(container: Container, home: DataHome, version: int, oid: int, location: str) -> Tablespace:
    """Where a tablespace lies on the Docker host, and why it cannot be swapped there if so."""
    mount, leaf = mount_of(container, location), version_leaf(version)
    if within(location, home.inside):
        return Tablespace(location, "", leaf, (oid,), "it lies inside of the data directory")
    if mount is None:
        return Tablespace(location, "", leaf, (oid,), "it is on no mount: it lies within the container, lost with it")
    if not is_local(mount):
        return Tablespace(location, "", leaf, (oid,), f"it lies on a {mount.kind} of driver '{mount.driver}'")
    path = PurePosixPath(mount.source) / PurePosixPath(location).relative_to(mount.target)
    return Tablespace(location, str(path), leaf, (oid,))


def must_find(docker: Docker, service: str) -> Container:
    """The container of a service.

    Raises:
        Refused: there is none of that name.
    """
    container = docker.find(service)
    if container is None:
        raise Refused(
            f"There is no container named {service} on this host.",
            hint="Look at `docker ps -a`, and at `site.postgres` in the settings.",
        )
    return container


def data_home(container: Container) -> DataHome:
    """Where PGDATA lies on the Docker host: the mount that holds it, and what lies below the mount."""
    inside = container.env.get("PGDATA", "/var/lib/postgresql/data").rstrip("/")
    mount = mount_of(container, inside)
    if mount is None:
        raise Refused(
            f"The data directory {inside} of {container.name} is not on a mount.",
            detail="It lies within the container and is lost with it.",
            hint="Put PGDATA on a volume or a bind mount; until then only dumps can be restored.",
        )
    _local(container, mount)
    below = PurePosixPath(inside).relative_to(mount.target)
    path = PurePosixPath(mount.source) / below
    return DataHome(parent=str(path.parent), leaf=path.name, inside=inside)


def on_host(container: Container, inside: str) -> str:
    """The path on the Docker host of a folder that a container sees."""
    mount = mount_of(container, inside)
    if mount is None:
        raise Refused(
            f"{inside} is not mounted into {container.name}.",
            detail="The WAL archive and the base backups must lie on a mount.",
            hint="Mount the backup folder there, or correct `site.archive` and `site.bases`.",
        )
    return str(PurePosixPath(mount.source) / PurePosixPath(inside).relative_to(mount.target))


def mount_of(container: Container, inside: str) -> Mount | None:
    path = PurePosixPath(inside)
    holding = [m for m in container.mounts if path.is_relative_to(PurePosixPath(m.target))]
    return max(holding, key=lambda m: len(m.target), default=None)


def is_local(mount: Mount) -> bool:
    """Whether what lies there can be renamed on this host."""
    return mount.kind == "bind" or (mount.kind == "volume" and mount.driver in ("", "local"))


def _local(container: Container, mount: Mount) -> None:
    if not is_local(mount):
        raise Refused(
            f"The data of {container.name} lies on a {mount.kind} of driver '{mount.driver}'.",
            detail="Only local volumes and bind mounts can be swapped by a rename.",
            hint="Recover by hand beside it, or move the data to a local volume.",
        )


def _major(control: str) -> int:
    found = _CATALOG.search(control)
    number = int(found[1]) if found else 0
    if number not in _MAJORS:
        raise Refused(
            f"This PostgreSQL (catalogue version {number}) is not one of 13 to 18.",
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
    """Everybody who writes, as far as the settings say."""

    all: tuple[Writer, ...]

    def says(self) -> str:
        """For example: nself-functions, nself-hasura."""
        return ", ".join(writer.name for writer in self.all) or "none configured"


def see_writers(site: Site, docker: Docker) -> Writers:
    """The writers of the settings that exist here; one that does not exist cannot write."""
    found = [docker.find(name) for name in site.writers]
    return Writers(tuple(Writer(c.name, c.id, c.state) for c in found if c is not None))
