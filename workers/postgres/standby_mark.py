"""standby.signal in the data directory of a server that is stopped: whoever starts it gets a standby, no primary.

Docker itself lays it (https://docs.docker.com/reference/api/engine/, PutContainerArchive), as that needs no container
to be started: a fence must not wait for one.
"""

from __future__ import annotations

import io
import tarfile
from contextlib import closing
from typing import Any

from docker.errors import NotFound

from actions.engine.errors import RecoveryError
from actions.postgres.data_directory import STANDBY
from actions.postgres.server import Server
from actions.tools.docker import ALIVE
from actions.tools.names import Names
from workers.docker.confirmations import confirm
from workers.docker.errors import speaking
from workers.docker.helper import HOME, Helper, checked

_REMOVE = r"""rm -f "$1" && { sync "$(dirname "$1")" 2>/dev/null || sync; }"""


def lay(client: Any, server: Server) -> None:
    """Put the file there, as the user whom the server runs as.

    Raises:
        RecoveryError: the server runs, or Docker did not take the file.
    """
    found = confirm(client, server.service, server.container)
    if found.status in ALIVE:
        raise RecoveryError(
            f"{server.service} still runs, so nothing was laid into its data directory.",
            code="MD-PG-099",
            detail=f"Its container is {found.status}.",
            hint="Stop it, then Retry.",
        )
    with speaking(f"laying {STANDBY} into {server.home.inside}"):
        laid = found.put_archive(server.home.inside, _archive(server.owner))
    if not laid:
        raise RecoveryError(
            f"{STANDBY} was not laid into the data directory of {server.service}.",
            code="MD-PG-100",
            detail=f"Docker did not take it into {server.home.inside}.",
            hint="See that its disk is mounted and has room, then Retry.",
        )


def lies(client: Any, server: Server) -> bool:
    """Whether it is there."""
    found = confirm(client, server.service, server.container)
    with speaking(f"looking for {STANDBY} in {server.home.inside}"):
        try:
            stream, _ = found.get_archive(f"{server.home.inside}/{STANDBY}")
        except NotFound:
            return False
        with closing(stream):
            return True


def remove(client: Any, server: Server, names: Names) -> None:
    """Take it away."""
    if not lies(client, server):
        return
    helper = Helper(client, names, "signal")
    try:
        path = f"{HOME}/{server.home.leaf}/{STANDBY}"
        checked(helper.inside(server.data).script(_REMOVE, path), f"removing {STANDBY}")
    finally:
        helper.close()


def _archive(owner: str) -> bytes:
    user, _, group = owner.partition(":")
    info = tarfile.TarInfo(STANDBY)
    info.mode, info.uid, info.gid = 0o600, int(user or 0), int(group or 0)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(info)
    return packed.getvalue()
