"""Single WAL segments of a server, read from where it lies and laid into the pg_wal of another one, by Docker itself.

Reading works on a container that is stopped; no helper container has to be started, which a failover would wait for.
"""

from __future__ import annotations

import io
import tarfile
from typing import Any

from docker.errors import NotFound

from actions.engine.errors import RecoveryError
from actions.postgres.segments import parse_wal_name
from actions.postgres.server import Server
from workers.docker.confirmations import confirm
from workers.docker.errors import speaking
from workers.docker.exec import Inside
from workers.docker.helper import checked

_LAID = r"""sync "$1" 2>/dev/null || sync; mv -f "$1" "$2" && { sync "$(dirname "$2")" 2>/dev/null || true; }"""


def read(client: Any, server: Server, name: str) -> bytes:
    """A whole segment out of the server's pg_wal.

    Raises:
        RecoveryError: it is not there, or not whole.
    """
    found = confirm(client, server.service, server.container)
    with speaking(f"reading {name} of {server.service}"):
        try:
            stream, _ = found.get_archive(f"{server.home.inside}/pg_wal/{_segment(name)}")
        except NotFound:
            raise _lacking(server, name, "it is not in its pg_wal") from None
        packed = io.BytesIO(b"".join(stream))
    with tarfile.open(fileobj=packed) as tar:
        member = tar.extractfile(name)
        data = member.read() if member is not None else b""
    if len(data) != server.segment_size:
        raise _lacking(server, name, f"it has {len(data):,} of {server.segment_size:,} bytes")
    return data


def lay(client: Any, server: Server, name: str, data: bytes) -> None:
    """Put it into the pg_wal of a standby that runs, whole or not at all, in place of a shorter one of its own."""
    found = confirm(client, server.service, server.container)
    place, draft = f"{server.home.inside}/pg_wal", f"{_segment(name)}.mayday"
    with speaking(f"laying {name} into the pg_wal of {server.service}"):
        found.put_archive(place, _packed(server.owner, draft, data))
    checked(Inside(client.api, found.id, "0:0").script(_LAID, f"{place}/{draft}", f"{place}/{name}"), f"laying {name}")


def digest(client: Any, server: Server, name: str) -> str:
    """The SHA-256 of one in the pg_wal of a server that runs; empty where there is none."""
    found = confirm(client, server.service, server.container)
    place = f"{server.home.inside}/pg_wal/{_segment(name)}"
    done = Inside(client.api, found.id, "0:0").script('[ ! -e "$1" ] || sha256sum "$1"', place)
    return (checked(done, f"reading {name}").split() or [""])[0]


def _segment(name: str) -> str:
    """The name, if it is a segment's: it becomes a part of a path."""
    said = parse_wal_name(name)
    if said is None or said.segment_name != name:
        raise ValueError(f"not the name of a WAL segment: {name[:60]!r}")
    return name


def _packed(owner: str, name: str, data: bytes) -> bytes:
    user, _, group = owner.partition(":")
    info = tarfile.TarInfo(name)
    info.mode, info.uid, info.gid, info.size = 0o600, int(user or 0), int(group or 0), len(data)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def _lacking(server: Server, name: str, why: str) -> RecoveryError:
    return RecoveryError(
        f"The WAL segment {name} of {server.service} could not be read.",
        code="MD-PG-101",
        detail=f"{why[0].upper()}{why[1:]}.",
        hint="See its pg_wal. Without it the standby is promoted as it is, and what it lacks is lost.",
    )
