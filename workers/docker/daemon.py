"""The Docker daemon itself: which host it is, and how a container is stopped, or removed for good."""

from __future__ import annotations

import time
from typing import Any

from docker.errors import APIError, NotFound

from actions.engine.errors import RecoveryError
from actions.tools.docker import ALIVE
from workers.docker.errors import speaking

_PATIENCE_BEYOND_STOP = 15


def remove(client: Any, container: str, what: str) -> None:
    """Remove a container, running or not, with its anonymous volumes; none of that name is fine.

    One that somebody else is just removing is awaited, so that its name is free afterwards.

    Raises:
        RecoveryError: Docker refused, or the other removal takes longer than 20 s.
    """
    ends = time.monotonic() + 20
    with speaking(f"removing {what}"):
        while not _gone(client, container, last=time.monotonic() > ends):
            time.sleep(0.1)


def _gone(client: Any, container: str, *, last: bool) -> bool:
    try:
        client.api.remove_container(container, force=True, v=True)
    except NotFound:
        return True
    except APIError as refused:
        if last or "already in progress" not in str(refused.explanation):
            raise
        return False
    return True


def host_of(client: Any) -> str:
    """The Docker host's name with the start of its own id, since two hosts may have one name."""
    with speaking("asking which host this is"):
        said = client.info()
    short = str(said.get("ID", "")).replace(":", "").replace("-", "")[:8].lower()
    return f"{said['Name']} ({short})" if short else str(said["Name"])


def stop_gently(found: Any, seconds: int) -> None:
    """Stop a container in good order, and wait until it is; one that is paused goes on first.

    Raises:
        RecoveryError: it still runs 15 s after the time that it was given.
    """
    if found.status not in ALIVE:
        return
    with speaking(f"stopping {found.name}"):
        if found.status == "paused":
            found.unpause()
        found.stop(timeout=seconds)
    deadline = time.monotonic() + _PATIENCE_BEYOND_STOP
    while _status(found) in ALIVE:
        if time.monotonic() > deadline:
            raise RecoveryError(
                f"{found.name} does not stop.",
                code="MD-DK-007",
                detail=f"Its state is {found.status}.",
                hint=f"Look at `docker logs {found.name}`; stop it by hand.",
            )
        time.sleep(0.2)


def _status(found: Any) -> str:
    with speaking(f"looking at {found.name}"):
        found.reload()
    return str(found.status)
