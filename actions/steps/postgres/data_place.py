"""Where what a container sees really lies on the Docker host: mounts, options of volumes, links."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from actions.engine.errors import Refused
from actions.postgres.server import Server
from actions.postgres.tablespaces import Tablespace, version_leaf, within
from actions.tools.docker import Container, Docker, Mount
from actions.tools.folders import DataHome, Folders
from actions.tools.names import Names


@dataclass(frozen=True)
class DataPlace:
    """A data directory that can be swapped: its path on the host, and that of its WAL where a link leads to it."""

    path: str
    wal: str = ""

    def says(self) -> str:
        """The path."""
        return self.path


# What lies below PGDATA and belongs to the data: a mount in its place would not move with a rename.
_OF_THE_DATA = ("base", "global", "pg_")


def really_mounted(container: Container, docker: Docker) -> Container:
    """The container with what the options of its volumes say: `docker inspect` names only Docker's own folder.

    With `type=none, o=bind` (also what Compose writes for `driver_opts`) the data lies in `device`; any other type is
    mounted by Docker as long as a container uses the volume, and is an empty folder else.
    """
    return replace(container, mounts=tuple(_real(mount, docker) for mount in container.mounts))


def _real(mount: Mount, docker: Docker) -> Mount:
    if mount.kind != "volume" or not mount.volume:
        return mount
    options = docker.volume_options(mount.volume)
    if mount.driver not in ("", "local"):
        return replace(mount, fleeting=f"the driver {mount.driver}")
    kind, device = options.get("type", ""), options.get("device", "")
    flags = options.get("o", "").split(",")
    if not device and kind != "tmpfs":
        return mount
    if device.startswith("/") and kind in ("none", "bind", "") and {"bind", "rbind"} & {*flags, kind}:
        below = PurePosixPath(mount.source).relative_to(mount.mountpoint) if mount.mountpoint else PurePosixPath()
        return replace(mount, source=str(PurePosixPath(device) / below))
    return replace(mount, fleeting=f"{kind or 'a device'} {device}".strip())


def data_home(container: Container, inside: str) -> DataHome:
    """Where a data directory lies on the Docker host: the mount that holds it, and what lies below the mount.

    Raises:
        Refused: it cannot be swapped by a rename there.
    """
    mount = mount_of(container, inside)
    if mount is None:
        raise Refused(
            f"The data directory {inside} of {container.name} is not on a mount.",
            code="MD-PG-027",
            detail="It lies within the container and is lost with it.",
            hint="Put PGDATA on a volume or a bind mount; until then only dumps can be restored.",
        )
    below = PurePosixPath(inside).relative_to(mount.target)
    if mount.kind not in ("bind", "volume") or mount.fleeting.startswith("tmpfs"):
        raise Refused(
            f"The data of {container.name} lies in memory ({mount.fleeting or mount.kind}), and is gone when it stops.",
            code="MD-PG-028",
            detail="A clone can take its place only where it lies on a disk.",
            hint="Move the data to a volume or a bind mount, or recover by hand beside it.",
        )
    if mount.fleeting and below == PurePosixPath():
        raise Refused(
            f"The data of {container.name} is the whole of the volume {mount.volume} ({mount.fleeting}), so nothing "
            "can be put beside it.",
            code="MD-PG-029",
            detail=f"Docker mounts that on {mount.source} as long as a container uses it; a rename cannot swap it.",
            hint="Put PGDATA into a folder below the volume (PGDATA=…/pgdata), or mount it on the host and bind that.",
        )
    _undivided(container, inside)
    path = PurePosixPath(mount.source) / below
    return DataHome(parent=str(path.parent), leaf=path.name, inside=inside)


def _undivided(container: Container, inside: str) -> None:
    """Refuse where a part of the data directory is a mount of its own: after the swap it would still be the old one."""
    for mount in container.mounts:
        target = PurePosixPath(mount.target)
        if mount.target != inside and target.is_relative_to(inside):
            part = target.relative_to(inside).parts[0]
            if part.startswith(_OF_THE_DATA):
                raise Refused(
                    f"{part} in the data directory of {container.name} is a mount of its own, so it would not be "
                    "swapped with the rest.",
                    code="MD-PG-030",
                    detail=f"{mount.target} is {mount.source} on the host.",
                    hint=f"Stop the server, move that into the data directory (for pg_wal, a link to a folder that is "
                    f"mounted elsewhere works too), take the mount of {part} away, then ask again.",
                )


def on_host(container: Container, inside: str, setting: str = "") -> str:
    """The path on the Docker host of a folder that a container sees, and which `setting` names."""
    mount = mount_of(container, inside)
    if mount is None:
        raise Refused(
            f"{inside} is not mounted into {container.name}.",
            code="MD-PG-031",
            detail="Its files must lie on a mount.",
            hint=f"Mount a folder of the host there{f', or correct {setting}' if setting else ''}.",
        )
    return str(PurePosixPath(mount.source) / PurePosixPath(inside).relative_to(mount.target))


def fleeting_volumes(container: Container) -> tuple[tuple[str, str], ...]:
    """The volumes that Docker mounts only while they are used: where on the host, and their names."""
    return tuple(sorted((m.mountpoint or m.source, m.volume) for m in container.mounts if m.fleeting and m.volume))


def mount_of(container: Container, inside: str) -> Mount | None:
    """The mount that holds a path of the container."""
    path = PurePosixPath(inside)
    holding = [m for m in container.mounts if path.is_relative_to(PurePosixPath(m.target))]
    return max(holding, key=lambda m: len(m.target), default=None)


def is_local(mount: Mount) -> bool:
    """Whether what lies there can be renamed on this host at any time."""
    ours = mount.kind == "bind" or (mount.kind == "volume" and mount.driver in ("", "local"))
    return ours and not mount.fleeting


def placed(container: Container, home: DataHome, version: int, oid: int, location: str) -> Tablespace:
    """Where a tablespace lies on the Docker host, and why it cannot be swapped there if so."""
    mount, leaf = mount_of(container, location), version_leaf(version)
    if within(location, home.inside):
        return Tablespace(location, "", leaf, (oid,), "it lies inside of the data directory")
    if mount is None:
        return Tablespace(location, "", leaf, (oid,), "it is on no mount: it lies within the container, lost with it")
    if not is_local(mount):
        on = mount.fleeting or f"driver '{mount.driver}'"
        return Tablespace(location, "", leaf, (oid,), f"it lies on a {mount.kind} of {on}")
    path = PurePosixPath(mount.source) / PurePosixPath(location).relative_to(mount.target)
    return Tablespace(location, str(path), leaf, (oid,))


def must_be_swappable(server: Server, names: Names, folders: Folders) -> DataPlace:
    """See that a rename can swap the data directory, and that nobody else writes to it.

    Raises:
        Refused: it cannot be, or somebody else has it.
    """
    path = f"{server.home.parent}/{server.home.leaf}"
    wrong = folders.swappable(server.data, names)
    if wrong:
        raise Refused(
            f"{server.home.leaf} cannot be swapped by a rename where it lies.",
            code="MD-PG-032",
            detail=f"{path}: {wrong}",
            hint="Where a disk is mounted on it, mount that one level higher and put PGDATA into a folder below; else "
            "let root rename in that folder (it may be read-only, immutable or squashed). Then ask again.",
        )
    others = tuple(folders.users(server.data))
    if others:
        raise Refused(
            f"{', '.join(others)} has the data directory of {server.service} mounted as well, and may write to it.",
            code="MD-PG-033",
            detail=f"It is {path} on the host.",
            hint=f"Stop {' and '.join(others)}, or mount it there to be read alone (:ro), then ask again.",
        )
    return DataPlace(path, server.wal)


def place_rows(place: DataPlace) -> tuple[tuple[str, str], ...]:
    """What the plan says of where the data lies."""
    if not place.wal:
        return ()
    return (
        (
            "WAL",
            f"lies in {place.wal} now, by a link; after the cut-over it lies in the data directory, and "
            "that folder is left as it is",
        ),
    )
