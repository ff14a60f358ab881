"""Starts, shows and removes the practice company."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any

import docker
from docker.errors import NotFound
from docker.models.containers import Container

from actions.engine.errors import Refused
from bot.first_start.server_lines import ARCHIVE_SCRIPT
from lab import removal, seed, standby, town_process
from lab.containers import await_verdicts, find, ours, refuse_foreign, start_queue, start_services
from lab.database import connected
from lab.engine import Say, connect, ensure_docker, silent
from lab.home import LAB_LABEL, SERVICE_LABEL, SERVICES, STANDBY, Lab
from lab.images import ensure_images
from lab.passing import in_passing
from lab.ports import choose_ports
from lab.replication import primary_service
from lab.services import CONFIG_MOUNTS, services_of

_HERE = Path(__file__).parent
_CONFIG_SOURCES = {name: _HERE / "postgres" / name for name in (*CONFIG_MOUNTS, standby.SCRIPT)}
_CONFIG_SOURCES |= {"archive_wal.sh": ARCHIVE_SCRIPT}


def up(lab: Lab, *, town: bool = True, gigabytes: float = 0, say: Say = silent) -> dict[str, Any]:
    """Starts what is not running yet, waits until all of it passes its check, and returns its status.

    Docker's own verdict may follow some seconds later; see `settled`.
    """
    client = ensure_docker(say)
    refuse_foreign(client, lab)
    _refuse_other_layout(lab)
    _refuse_failed_over(lab)
    images = ensure_images(client, say)
    ports = _claim(client, lab)
    _remove_superfluous(client, lab)
    say("Starting the practice company.")
    _open_backups(client, lab, images.postgres)
    start_queue(client, lab, images, ports["queue"])
    start_services(client, lab, services_of(lab, images), ports)
    _wake_checkpointer(lab)
    if lab.standby:
        say("Copying the database for the standby.")
        standby.start(client, lab, images, ports[STANDBY])
    seed.note_first_messages(lab)
    if gigabytes:
        seed.add_weight(lab, gigabytes, say)
    if town:
        town_process.start(lab)
    return status(lab)


def settled(lab: Lab) -> None:
    """Waits for Docker's verdict that all of it is healthy; its first check comes after a whole interval."""
    await_verdicts(connect(), lab)


def status(lab: Lab) -> dict[str, Any]:
    """What runs where. Services without a container are shown too, as `absent`."""
    client = connect()
    return {
        "root": str(lab.root),
        "project": lab.project,
        "layout": lab.layout,
        "containers": [_described(lab, service, find(client, lab.container(service))) for service in lab.services],
        "queue": _described(lab, "queue", find(client, lab.queue)),
        "town": town_process.is_alive(lab),
    }


def down(lab: Lab, *, purge: bool = False, say: Say = silent) -> None:
    """Removes the containers and the network of this lab; with `purge` its data and volumes too."""
    town_process.stop(lab)
    client = connect()
    for container in ours(client, lab):
        say(f"Removing {container.name}.")
        container.remove(force=True, v=True)
    removal.remove_networks(client, lab)
    if purge:
        removal.remove_data(client, lab)


def _described(lab: Lab, service: str, container: Container | None) -> dict[str, Any]:
    port = lab.read_state().get("ports", {}).get(service)
    if container is None or container.labels.get(LAB_LABEL) != "1":
        return {"service": service, "name": None, "state": "absent", "health": "unknown", "port": port}
    image = container.attrs["Config"]["Image"]
    stands_in = "standin" in image and container.labels.get(SERVICE_LABEL) == service
    return {
        "service": service,
        "name": container.name,
        "state": container.status,
        "health": container.health,
        "port": port,
        "image": image,
        "stand_in": stands_in,
    }


def _refuse_other_layout(lab: Lab) -> None:
    before = lab.read_state().get("layout", lab.layout)
    if before != lab.layout:
        raise Refused(
            f"This practice company was made with the layout {before}.",
            detail=f"Asked for: {lab.layout}. Its data lies in {lab.root}.",
            hint=f"Start it with --layout {before}, or remove it first: mayday lab down --purge",
        )


def _refuse_failed_over(lab: Lab) -> None:
    """What starts the services takes the first server for the primary; it would start one that was fenced."""
    if lab.state_file.exists() and primary_service(lab) == STANDBY:
        raise Refused(
            f"This practice company has failed over: {lab.container(STANDBY)} is its primary.",
            detail="Nothing was started or changed.",
            hint="Begin anew: mayday lab down --purge, then mayday lab up --standby",
        )


def _claim(client: docker.DockerClient, lab: Lab) -> dict[str, int]:
    """Makes the directories, the password and the configuration, and notes the ports."""
    lab.make_directories()
    for file in (lab.password_file, *((lab.replication_password_file,) if lab.standby else ())):
        if not file.exists():
            file.write_text(secrets.token_urlsafe(18))
            # Readable for the server's user in the container; on the host its directory keeps others out.
            file.chmod(0o444)
    config = lab.root / "config"
    config.mkdir(exist_ok=True)
    for name, source in _CONFIG_SOURCES.items():
        shutil.copy(source, config / name)
    ports = _ports(client, lab)
    lab.write_state(
        prefix=lab.prefix,
        project=lab.project,
        layout=lab.layout,
        lean=lab.lean,
        hold_seconds=lab.hold_seconds,
        standby=lab.standby,
        ports=ports,
    )
    if lab.layout != "bind":
        _ensure_volume(client, lab)
    return ports


def _remove_superfluous(client: docker.DockerClient, lab: Lab) -> None:
    """A company that was full and is lean now loses the other containers; their data stays."""
    for container in ours(client, lab):
        service = container.labels.get(SERVICE_LABEL)
        if service in (*SERVICES, STANDBY) and service not in lab.services:
            container.remove(force=True, v=True)


def _ports(client: docker.DockerClient, lab: Lab) -> dict[str, int]:
    """Ports of containers that exist stay theirs, even though they are not free: they use them."""
    known: dict[str, int] = lab.read_state().get("ports", {})
    kept = {service: known[service] for service in known if _exists(client, lab, service)}
    return choose_ports([name for name in (*lab.services, "queue") if name not in kept], known) | kept


def _exists(client: docker.DockerClient, lab: Lab, service: str) -> bool:
    return find(client, lab.queue if service == "queue" else lab.container(service)) is not None


def _ensure_volume(client: docker.DockerClient, lab: Lab) -> None:
    try:
        volume = client.volumes.get(lab.postgres_volume)
    except NotFound:
        client.volumes.create(lab.postgres_volume, labels=lab.labels)
        return
    if (volume.attrs.get("Labels") or {}).get(LAB_LABEL) != "1":
        raise Refused(
            f"A Docker volume named {lab.postgres_volume} exists, and the practice company did not make it.",
            detail=f"It has no label {LAB_LABEL}=1.",
            hint="Practise on another machine, or rename that volume.",
        )


def _open_backups(client: docker.DockerClient, lab: Lab, image: str) -> None:
    """Gives the backup directories to the server's user; by a container, since we may not be root."""
    in_passing(client, image, ["chown", "-R", "postgres:postgres", "/backups/postgres"], lab.backups, "/backups")


def _wake_checkpointer(lab: Lab) -> None:
    """Makes archive_timeout count from now.

    A checkpointer that began its sleep during startup sleeps a whole checkpoint_timeout, and forces no
    WAL switch until then.
    """
    with connected(lab) as connection:
        connection.execute("CHECKPOINT")
