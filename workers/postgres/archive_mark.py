"""The mark of a WAL archive: the file `.archive-id` with the system's identifier, without which nothing is archived.

`archive_wal.sh` wants it, because Docker makes a missing bind path as an empty directory. So it is made on a mount
alone, and never over the mark of another system.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from docker.errors import DockerException

from actions.engine.errors import RecoveryError
from actions.findings import Finding
from actions.settings.settings import Settings
from actions.settings.site import SiteConfig
from actions.stack.stack import Site
from actions.tools.docker import Mount
from workers.docker.client import connect
from workers.docker.containers import DockerHost
from workers.docker.errors import speaking
from workers.docker.exec import Inside

_NAME = "WAL archive's mark"
_LATER = "Take over the lines for its Compose file, restart it, then: mayday init --mark"
_MAKE = r"""
set -u
mark="$1/.archive-id"
[ -d "$1" ] || exit 11
id=$(psql -XAtU "$2" -d postgres -c 'SELECT system_identifier FROM pg_control_system()') || exit 12
[ -n "$id" ] || exit 12
if [ -s "$mark" ]; then
    cat "$mark"
    [ "$(cat "$mark")" = "$id" ] && exit 0
    exit 13
fi
umask 022
echo "$id" > "$mark" || exit 14
chmod 0644 "$mark"
cat "$mark"
"""


def make_marks(settings: Settings) -> Iterator[Finding]:
    """Make the mark in the archive of the default site's own server where it is missing; what came of it."""
    server = settings.own_server(settings.site.name)
    try:
        client = connect(settings.site.docker_host)
    except DockerException as away:
        yield Finding(_NAME, False, f"Docker does not answer: {str(away)[:200]}", _LATER)
        return
    try:
        with speaking("making the archive's mark"):
            yield _made(client, server, settings.stack()[0])
    except RecoveryError as trouble:
        yield Finding(_NAME, False, f"{trouble.said} {trouble.detail}".strip(), trouble.hint)


def _made(client: Any, server: SiteConfig, site: Site) -> Finding:
    found = DockerHost(client, site.services, site.project).find(server.postgres)
    if found is None:
        return Finding(_NAME, False, f"there is no container {server.postgres} here", _LATER)
    if found.state != "running":
        return Finding(_NAME, False, f"{found.name} is {found.state}", "Start it, then: mayday init --mark")
    if not _mounted(found.mounts, server.archive):
        return Finding(_NAME, False, f"{server.archive} lies on no mount of {found.name}", _LATER)
    done = Inside(client.api, found.id).script(_MAKE, server.archive, server.user)
    if done.code == 0:
        return Finding(_NAME, True, f"{server.archive}/.archive-id says {done.out.strip()}")
    return _failed(server, done.code, done.said())


def _failed(server: SiteConfig, code: int, said: str) -> Finding:
    folder = server.archive
    make = f"docker exec -u root {server.postgres} sh -c 'mkdir -p {folder} && chown postgres: {folder}'"
    again = "then: mayday init --mark"
    seen, do = {
        11: (f"there is no folder {folder} in {server.postgres}", f"Make it: {make}, {again}"),
        12: (f"the server did not say its identifier: {said}", f"See docker logs {server.postgres}, {again}"),
        13: (
            f"the archive belongs to the system {said.strip()}, which is another one",
            "Give this server a folder of its own. Remove the mark only if that system is gone for good.",
        ),
        14: (f"it cannot be written: {said}", f"Let the server write there: {make}, {again}"),
    }.get(code, (said or f"exit code {code}", f"Look at docker logs {server.postgres}, {again}"))
    return Finding(_NAME, False, seen, do)


def _mounted(mounts: Sequence[Mount], folder: str) -> bool:
    """Whether the folder is on a mount, and would not vanish with the container."""
    above = [PurePosixPath(folder), *PurePosixPath(folder).parents]
    return any(PurePosixPath(mount.target) in above for mount in mounts)
