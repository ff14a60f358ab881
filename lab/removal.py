"""Takes away what a lab made on this machine, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import docker
from docker.errors import APIError

from actions.engine.errors import RecoveryError, Refused
from lab.home import Lab
from lab.images import REDIS
from lab.passing import in_passing

_MADE_HERE = ("data", "backups", "config", "secrets", "truth.jsonl", "town.log", "lab.json")


def remove_networks(client: docker.DockerClient, lab: Lab) -> None:
    for network in client.networks.list(filters={"label": _labels(lab)}):
        try:
            network.remove()
        except APIError as problem:
            raise RecoveryError(
                f"The network {network.name} could not be removed.",
                detail=str(problem.explanation),
                hint=f"Something of yours is on it: docker network inspect {network.name}",
            ) from problem


def remove_run_containers(client: docker.DockerClient, lab: Lab) -> None:
    """Removes the clones and helpers of runs that were not finished: those that mount something of this lab."""
    for container in client.containers.list(all=True, filters={"label": "mayday.run"}, ignore_removed=True):
        sources = " ".join(str(mount.get("Source", "")) for mount in container.attrs["Mounts"])
        if f"{lab.root}/" in sources or f"/{lab.postgres_volume}/" in sources:
            container.remove(force=True, v=True)


def remove_data(client: docker.DockerClient, lab: Lab) -> None:
    """Removes volumes, data, backups and notes; the lab starts from nothing the next time."""
    if not lab.state_file.exists():
        # The state file is the mark of a lab: without it, these directories may be anybody's.
        if any((lab.root / name).exists() for name in _MADE_HERE):
            raise Refused(
                f"{lab.root} does not look like a practice company, so nothing in it was removed.",
                detail=f"{lab.state_file.name} is missing there.",
                hint="Check the directory, and remove it by hand if it is not needed.",
            )
        return
    for volume in client.volumes.list(filters={"label": _labels(lab)}):
        volume.remove()
    for name in _MADE_HERE:
        _remove(client, lab.root / name)
    # What others keep beside the lab's own files stays.
    if lab.root.exists() and not any(lab.root.iterdir()):
        lab.root.rmdir()


def _labels(lab: Lab) -> list[str]:
    return [f"{key}={value}" for key, value in lab.labels.items()]


def _remove(client: docker.DockerClient, path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except PermissionError:
        # Files of the server's own user: a container may remove them where we may not.
        in_passing(client, REDIS, ["rm", "-rf", f"/lab/{path.name}"], path.parent, "/lab")
