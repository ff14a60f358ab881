"""One container as a value, from what `docker inspect` says of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from actions.tools.docker import Container, Mount


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
        ended_at="" if str(state.get("FinishedAt", "")).startswith("0001") else str(state.get("FinishedAt", "")),
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
