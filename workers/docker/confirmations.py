"""Asked before anything is changed: this host, that very container, directories that nobody else writes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from docker.errors import NotFound

from actions.engine.errors import RecoveryError
from actions.tools.folders import DataFolder
from workers.docker.described import environment
from workers.docker.errors import speaking

_ROLE = "mayday.role"


def confirm_host(host: str, planned: str) -> None:
    """Refuse to act on another host than the one that the plan names."""
    if planned != host:
        raise RecoveryError(
            "This is not the Docker host that the plan names.",
            detail=f"The plan names {planned}; here is {host}.",
            hint="Start a worker on that host, or ask for a new plan here.",
        )


def confirm(client: Any, name: str, id: str) -> Any:
    """The container of that name, if it still has that id."""
    with speaking(f"looking at {name}"):
        try:
            found = client.containers.get(name)
        except NotFound:
            raise RecoveryError(
                f"The container {name} is gone.",
                detail=f"The plan names it with the id {id[:12]}.",
                hint="Start the service again, then ask for a new plan.",
            ) from None
    if found.id != id:
        raise RecoveryError(
            f"The container {name} was replaced since the plan.",
            detail=f"The plan names the id {id[:12]}; now it is {found.id[:12]}.",
            hint="Ask for a new plan; nothing was changed.",
        )
    return found


def confirm_unused(client: Any, data: DataFolder, *leaves: str) -> None:
    """Refuse to write into a directory beside the live one that a running container may be writing to."""
    confirm_paths_unused(client, [f"{data.home.parent}/{leaf}" for leaf in leaves], data)


def confirm_paths_unused(client: Any, wanted: Iterable[str], live: DataFolder | None = None) -> None:
    """The same of any directories of the Docker host."""
    paths = [PurePosixPath(path) for path in wanted]
    with speaking("looking who uses the data directories"):
        for found in client.api.containers(filters={"status": ["running", "paused", "restarting"]}):
            for path in paths:
                if (found.get("Labels") or {}).get(_ROLE) != "helper" and _uses(client, found, path, live):
                    _refuse(path, found)


def users_of(client: Any, data: DataFolder) -> list[str]:
    """The names of other running containers that may write to the live data folder."""
    home = PurePosixPath(data.home.parent) / data.home.leaf
    with speaking("looking who uses the data directory"):
        listed = client.api.containers(filters={"status": ["running", "paused", "restarting"]})
        return sorted(
            _name(found)
            for found in listed
            if found["Id"] != data.container
            and (found.get("Labels") or {}).get(_ROLE) is None
            and _uses(client, found, home, data)
        )


def real_source(client: Any, mount: Mapping[str, Any]) -> str:
    """Where on the host a mount lies, by the options of its volume where it is one."""
    if mount.get("Type") == "volume" and mount.get("Name"):
        try:
            options = client.api.inspect_volume(mount["Name"]).get("Options") or {}
        except NotFound:
            options = {}
        if str(options.get("device", "")).startswith("/") and "bind" in str(options.get("o", "")):
            return str(options["device"])
    return str(mount.get("Source") or "")


def _uses(client: Any, found: Mapping[str, Any], path: PurePosixPath, live: DataFolder | None) -> bool:
    # What is mounted to be read alone writes nothing.
    mounts = [mount for mount in found.get("Mounts", ()) if mount.get("RW", True)]
    sources = [PurePosixPath(source) for source in (real_source(client, mount) for mount in mounts) if source]
    if any(source.is_relative_to(path) for source in sources):
        return True
    if not any(path.is_relative_to(source) for source in sources):
        return False
    # A mount above the directory matters only where the container's own PGDATA lies there: the live
    # server may well see the clone's directory beside its own.
    if live is not None and found["Id"] == live.container:
        return path == PurePosixPath(live.home.parent) / live.home.leaf
    return _data_of(client, found["Id"]) == path


def _data_of(client: Any, id: str) -> PurePosixPath | None:
    """Where on the host a container's PGDATA lies."""
    try:
        seen = client.api.inspect_container(id)
    except NotFound:
        return None
    inside = PurePosixPath(environment(seen["Config"]).get("PGDATA", "/-"))
    holding = [mount for mount in seen["Mounts"] if inside.is_relative_to(mount["Destination"])]
    nearest = max(holding, key=lambda mount: len(mount["Destination"]), default=None)
    if nearest is None:
        return None
    return PurePosixPath(real_source(client, nearest)) / inside.relative_to(nearest["Destination"])


def _name(found: Mapping[str, Any]) -> str:
    return str((found.get("Names") or ["?"])[0]).lstrip("/")


def _refuse(path: PurePosixPath, found: Mapping[str, Any]) -> None:
    name = _name(found)
    raise RecoveryError(
        "A running container uses that directory, so nothing was written there.",
        detail=f"{name} ({found.get('State', 'running')}) has {path} mounted.",
        hint=f"Stop {name} first, then retry.",
    )
