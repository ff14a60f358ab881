"""Finding the data directory of a container's server, whatever names it: its environment, a wrapper, a link, itself."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from actions.engine.errors import Refused
from actions.postgres.data_directory import DataDirectory
from actions.postgres.postmaster import read_opts_file
from actions.postgres.server import Server
from actions.settings.site import SiteConfig
from actions.steps.postgres.data_place import data_home, fleeting_volumes, mount_of, on_host
from actions.tools.docker import Container
from actions.tools.folders import DataHome
from actions.tools.postgres_files import PostgresFiles
from actions.tools.postgres_servers import PostgresServers

_DEFAULT = "/var/lib/postgresql/data"
# Where images keep their data: the official one from 18 on by its version, and Bitnami's.
_OTHERS = ("/var/lib/postgresql/{major}/docker", "/bitnami/postgresql/data")
_LINKS = 5
# What runs leave beside the live directory: clones, and data that was replaced or given up.
_OURS = re.compile(r"_(?:clone|before|discarded)_r\d{4}-\w{4}$", re.ASCII)
Found = tuple[Server, DataDirectory]


def find_data(
    container: Container, site: SiteConfig, servers: PostgresServers, files: PostgresFiles, *, empty: bool = False
) -> Found:
    """The server, known as far as its container and its files tell, and what lies in its data directory.

    Where `empty` one will do, the likeliest place is taken where nothing lies in any.

    Raises:
        Refused: it was not found, or cannot be swapped where it lies.
    """
    _must_be_told(container, site)
    first, *others = _candidates(container, site)
    running = container.state == "running"
    refused: Refused | None = None
    found: Found | None = None
    try:
        found = _look(container, site, first, files)
        # A server that runs has its postmaster.pid there; what has none may be the directory of an earlier server.
        if _is_there(found[1]) and (found[1].pid_file or not running):
            return found
    except Refused as here:
        refused = here
    process = servers.process(container.name, container.id) if running else None
    if process is not None:
        seen, there = _look(container, site, process.data, files)
        return replace(seen, command=process.command), there
    if found is not None and _is_there(found[1]):
        return found
    for inside in others:
        if mount_of(container, inside) is not None and _is_there((other := _look(container, site, inside, files))[1]):
            return other
    below = [path for path in (found[1].below if found is not None else ()) if not _OURS.search(path)]
    if len(below) == 1:
        # A wrapper names it, and nothing else does while the server is down.
        return _look(container, site, posixpath.join(first, below[0]), files)
    if below:
        raise _several(container, first, below)
    if found is None or (found[1].empty and not empty):
        raise refused or _not_found(container, first)
    return found


def _is_there(there: DataDirectory) -> bool:
    return bool(there.version or not there.control_error)


def _not_found(container: Container, inside: str) -> Refused:
    return Refused(
        f"The data directory of {container.name} was not found.",
        code="MD-PG-036",
        detail=f"Looked in {inside} and where images keep it.",
        hint="Set `site.data_directory` to its path within the container, then ask again.",
    )


def _several(container: Container, inside: str, below: Sequence[str]) -> Refused:
    return Refused(
        f"Which data directory is that of {container.name} cannot be known while the server is down.",
        code="MD-PG-037",
        detail=f"{inside} is none itself, and holds: {', '.join(below)}.",
        hint="Set `site.data_directory` to its path within the container, then ask again.",
    )


def _candidates(container: Container, site: SiteConfig) -> Iterator[str]:
    """Where the data may lie, the likeliest first, each once."""
    major = container.env.get("PG_MAJOR", "")
    named = (
        site.data_directory,
        _flag(container.command),
        container.env.get("PGDATA", ""),
        _DEFAULT,
        *(other.format(major=major) for other in _OTHERS),
    )
    yield from dict.fromkeys(path.rstrip("/") for path in named if path.startswith("/"))


def _flag(command: Sequence[str]) -> str:
    """The data directory that a command line of the server names itself."""
    if not _direct(command):
        return ""
    for part, following in zip_longest(command, command[1:], fillvalue=""):
        name, _, value = (following if part == "-c" else part.removeprefix("-c").removeprefix("--")).partition("=")
        if name.replace("-", "_") == "data_directory":
            return value
    for part, following in zip_longest(command, command[1:], fillvalue=""):
        if part.startswith("-D"):
            return part[2:] or following
    return ""


def _direct(command: Sequence[str]) -> bool:
    """Whether a container's command is the server's own, not a wrapper's."""
    return not command or command[0].startswith("-") or posixpath.basename(command[0]) == "postgres"


def _must_be_told(container: Container, site: SiteConfig) -> None:
    if not site.archive:
        # The tools of a second site: backups of another server must never be taken for its own.
        raise Refused(
            f"The settings do not say where the backups of {container.name} lie.",
            code="MD-PG-093",
            detail="Nothing tells of its archive and its base backups on that site.",
            hint="Ask a Mayday for it whose settings tell of that server: docs/configuration.md.",
        )


def _look(container: Container, site: SiteConfig, inside: str, files: PostgresFiles) -> Found:
    """What lies in one directory, followed through links to where it really lies."""
    home = data_home(container, inside)
    for _ in range(_LINKS):
        seen = _server(container, site, home)
        there = files.data_directory(seen)
        if not there.link:
            break
        home = _led(container, home, there.link)
    if not _direct(container.command):
        seen = replace(seen, command=read_opts_file(there.opts_file) or container.command)
    return replace(seen, wal=_wal(container, home, there.wal)), there


def _led(container: Container, home: DataHome, link: str) -> DataHome:
    """Where a link in the place of the data directory leads."""
    mount = mount_of(container, home.inside)
    if mount is not None and mount.target == home.inside:
        # The mount itself is the link, and so a path of the host.
        path = posixpath.normpath(posixpath.join(home.parent, link))
        return DataHome(posixpath.dirname(path), posixpath.basename(path), home.inside)
    return data_home(container, posixpath.normpath(posixpath.join(posixpath.dirname(home.inside), link)))


def _wal(container: Container, home: DataHome, link: str) -> str:
    """Where on the host the WAL lies that a link in the place of pg_wal leads to."""
    if not link:
        return ""
    inside = posixpath.normpath(posixpath.join(home.inside, link))
    if mount_of(container, inside) is None:
        raise Refused(
            f"pg_wal of {container.name} is a link to {inside}, which is on no mount.",
            code="MD-PG-038",
            detail="What was not archived yet could not be read there, nor would it outlive the container.",
            hint="Mount a volume or a folder of the host there, then ask again.",
        )
    return on_host(container, inside)


def _server(container: Container, site: SiteConfig, home: DataHome) -> Server:
    return Server(
        service=container.name,
        host=container.host,
        container=container.id,
        image=container.image,
        image_id=container.image_id,
        command=container.command,
        restart_policy=container.restart_policy,
        home=home,
        archive=on_host(container, site.archive, site.setting("archive")),
        bases=on_host(container, site.bases, site.setting("bases")),
        inside_archive=site.archive,
        inside_bases=site.bases,
        user=site.user,
        database=site.database,
        version=0,
        system_identifier="",
        timeline=0,
        segment_size=0,
        state=container.state,
        volumes=fleeting_volumes(container),
        told_in=site.told_in,
    )
