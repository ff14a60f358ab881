"""What Docker says, in our words: errors for people, one container as a value, the identity of its host."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

import requests
import urllib3
from docker.errors import APIError, DockerException, NotFound

from actions.engine.errors import Away, RecoveryError
from actions.postgres.server import Server
from actions.redact import excerpt
from actions.tools.docker import Container, Mount

_ROLE = "mayday.role"
_SILENT = "See that the Docker daemon runs (`docker info`), then retry."
_SHUT_OUT = "This user may not use Docker's socket: join its group (with Compose: DOCKER_GID in .env), then retry."
_HANGS = (
    "Docker hangs. See on its host whether `docker info` answers, and why not: `journalctl -u docker`. Restart "
    "it if need be (without live-restore its containers stop too), then retry."
)
_BETWEEN = "is restarting, wait until the container is running"
# What Docker says where the container in which something is run was stopped or removed meanwhile.
_WENT = re.compile(r"No such (?:exec instance|container)|exec in a stopped container|container .*is not running", re.I)
_TIMES_OUT = (requests.Timeout, TimeoutError, urllib3.exceptions.TimeoutError)


class Hanging(Away):
    """Docker is there and does not answer: nothing that is asked of it next will be answered either."""


class TakenDown(Away):
    """A container went down under what was asked of it; `crashing` where it is started again and again."""

    def __init__(self, message: str, *, crashing: bool = False, detail: str = "", hint: str = "") -> None:
        super().__init__(message, detail=detail, hint=hint)
        self.crashing = crashing


@contextmanager
def speaking(doing: str, within: str = "") -> Iterator[None]:
    """Turns every way in which Docker fails into an error that says what was being done.

    `within` is the container in which something is run. That it went is no failure of what was run: whoever asks again
    finds it made anew, or that the one of the plan is gone.
    """
    try:
        yield
    except APIError as problem:
        said = excerpt(str(problem.explanation or problem))
        if _BETWEEN in said:
            raise TakenDown(
                f"The container was being started again while {doing}.",
                crashing=True,
                detail=said,
                hint="One that is started again and again says why in its log.",
            ) from problem
        if within and _WENT.search(said):
            raise TakenDown(
                f"The container was taken down while {doing}.",
                detail=said,
                hint="See who stops or removes containers there, then retry.",
            ) from problem
        raise RecoveryError(
            f"Docker refused while {doing}.",
            detail=said,
            hint="Read the refusal above; when its cause is mended, retry.",
        ) from problem
    except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as problem:
        if any(isinstance(one, _TIMES_OUT) for one in (problem, problem.__cause__)):
            raise Hanging(
                f"Docker did not answer while {doing}.", detail=excerpt(str(problem)), hint=_HANGS
            ) from problem
        hint = _SHUT_OUT if "Permission denied" in str(problem) else _SILENT
        raise Away(f"Docker did not answer while {doing}.", detail=excerpt(str(problem)), hint=hint) from problem


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


def described(attrs: Mapping[str, Any], host: str) -> Container:
    """One container, from what `docker inspect` says of it."""
    config, state = attrs["Config"], attrs["State"]
    return Container(
        id=attrs["Id"],
        name=attrs["Name"].lstrip("/"),
        host=host,
        image=config["Image"],
        image_id=attrs["Image"],
        state=state["Status"],
        health=_health(state),
        exit_code=int(state.get("ExitCode", 0)),
        restart_policy=_policy(attrs["HostConfig"]),
        command=tuple(config.get("Cmd") or ()),
        mounts=tuple(_mount(mount, attrs["HostConfig"]) for mount in attrs.get("Mounts", ())),
        env=environment(config),
        labels=dict(config.get("Labels") or {}),
        started_at=state.get("StartedAt", ""),
    )


def runs(state: Mapping[str, Any]) -> bool:
    """Whether commands can be run in a container, by its `State`: one between two starts is Running for Docker too."""
    return bool(state["Running"]) and not state.get("Restarting")


def environment(config: Mapping[str, Any]) -> dict[str, str]:
    """The environment of a container or an image as a mapping."""
    return {name: value for name, _, value in (line.partition("=") for line in config.get("Env") or ())}


def _health(state: Mapping[str, Any]) -> str:
    said = str((state.get("Health") or {}).get("Status", ""))
    return "" if said == "none" else said


def _policy(host_config: Mapping[str, Any]) -> str:
    policy = host_config.get("RestartPolicy") or {}
    name, most = policy.get("Name") or "no", policy.get("MaximumRetryCount", 0)
    return f"{name}:{most}" if name == "on-failure" and most else str(name)


def _mount(mount: Mapping[str, Any], config: Mapping[str, Any]) -> Mount:
    source, mountpoint = mount.get("Source", ""), ""
    if mount["Type"] == "volume":
        # A subpath (Docker 26 and later) stands in the configuration alone.
        mountpoint = source
        asked: Mapping[str, Any] = {}
        for one in config.get("Mounts") or ():
            asked = one if one.get("Target") == mount["Destination"] else asked
        below = str((asked.get("VolumeOptions") or {}).get("Subpath") or "")
        source = str(PurePosixPath(source) / below) if source and below else source
    return Mount(
        mount["Type"], source, mount["Destination"], mount.get("Name", ""), mount.get("Driver", ""), mountpoint
    )


def confirm_host(host: str, server: Server) -> None:
    """Refuse to act on another host than the one that the plan names."""
    if server.host != host:
        raise RecoveryError(
            "This is not the Docker host that the plan names.",
            detail=f"The plan names {server.host}; here is {host}.",
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


def confirm_unused(client: Any, server: Server, *leaves: str) -> None:
    """Refuse to write into a directory beside the live one that a running container may be writing to."""
    confirm_paths_unused(client, [f"{server.home.parent}/{leaf}" for leaf in leaves], server)


def confirm_paths_unused(client: Any, wanted: Iterable[str], live: Server | None = None) -> None:
    """The same of any directories of the Docker host."""
    paths = [PurePosixPath(path) for path in wanted]
    with speaking("looking who uses the data directories"):
        for found in client.api.containers(filters={"status": ["running", "paused", "restarting"]}):
            for path in paths:
                if (found.get("Labels") or {}).get(_ROLE) != "helper" and _uses(client, found, path, live):
                    _refuse(path, found)


def users_of(client: Any, server: Server) -> list[str]:
    """The names of other running containers that may write to the live data directory."""
    home = PurePosixPath(server.home.parent) / server.home.leaf
    with speaking("looking who uses the data directory"):
        listed = client.api.containers(filters={"status": ["running", "paused", "restarting"]})
        return sorted(
            _name(found)
            for found in listed
            if found["Id"] != server.container
            and (found.get("Labels") or {}).get(_ROLE) is None
            and _uses(client, found, home, server)
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


def _uses(client: Any, found: Mapping[str, Any], path: PurePosixPath, live: Server | None) -> bool:
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
