"""Containers of one lab: made where missing, started, awaited, and told apart from foreign ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import docker
from docker.errors import APIError, ImageNotFound, NotFound
from docker.models.containers import Container

from actions.engine.errors import RecoveryError, Refused
from lab.home import LAB_LABEL, PROJECT_LABEL, QUEUE_PASSWORD, SERVICE_LABEL, Lab
from lab.images import Images
from lab.services import Service

_HEALTHY_WITHIN_SECONDS = 90


def refuse_foreign(client: docker.DockerClient, lab: Lab) -> None:
    """Stops before anything is touched when a name of this lab belongs to somebody else."""
    foreign = [name for name in lab.names if _is_foreign(find(client, name), lab)]
    if foreign:
        raise Refused(
            f"A container named {foreign[0]} exists, and the practice company did not make it.",
            detail=f"Not labelled {LAB_LABEL}=1 and {PROJECT_LABEL}={lab.project}: {', '.join(foreign)}.",
            hint="If it is a real one, practise on another machine. Else rename or remove it, then start again.",
        )


def find(client: docker.DockerClient, name: str) -> Container | None:
    try:
        return client.containers.get(name)
    except NotFound:
        return None


def ours(client: docker.DockerClient, lab: Lab) -> list[Container]:
    """Every container of this lab, running or not."""
    labels = [f"{key}={value}" for key, value in lab.labels.items()]
    found: list[Container] = client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
    return found


def start_services(client: docker.DockerClient, lab: Lab, services: Sequence[Service], ports: dict[str, int]) -> None:
    """Starts each service as soon as those it needs pass their check, and returns when all do."""
    _ensure_network(client, lab)
    started: dict[str, Future[None]] = {}

    def start(service: Service) -> None:
        for need in service.needs:
            started[need].result()
        _start_one(client, lab, service, ports[service.name])

    with ThreadPoolExecutor(16) as several:
        # A service comes after those it needs, so their futures are there when it asks for them.
        for service in services:
            started[service.name] = several.submit(start, service)
        for future in started.values():
            future.result()


def await_verdicts(client: docker.DockerClient, lab: Lab) -> None:
    """Until Docker itself has found every container healthy, so that nobody sees one that is still starting."""
    deadline = time.monotonic() + _HEALTHY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        found = [find(client, lab.container(service)) for service in lab.services]
        if all(container is not None and container.health == "healthy" for container in found):
            return
        time.sleep(0.3)


def start_queue(client: docker.DockerClient, lab: Lab, images: Images, port: int) -> None:
    """Mayday's own Redis, apart from the stack: a recovery must not depend on what it recovers."""
    container = find(client, lab.queue) or client.containers.create(
        images.redis,
        ["redis-server", "--appendonly", "yes", "--requirepass", QUEUE_PASSWORD],
        name=lab.queue,
        labels=lab.labels | {SERVICE_LABEL: "mayday-queue"},
        ports={"6379/tcp": ("127.0.0.1", port)},
        restart_policy={"Name": "unless-stopped"},
    )
    container.start()


def _start_one(client: docker.DockerClient, lab: Lab, service: Service, port: int) -> None:
    container = find(client, lab.container(service.name))
    if container is not None and _is_outdated(container, service):
        container.remove(force=True)
        container = None
    container = container or client.containers.create(**service.container_options(lab, port))
    try:
        container.start()
    except APIError as problem:
        raise RecoveryError(
            f"{container.name} could not be started.",
            detail=str(problem.explanation or problem),
            hint="Remove what is in its way, then start the lab again.",
        ) from problem
    _await_health(container, service.health)


def _await_health(container: Container, check: list[str]) -> None:
    """Docker makes its first check only after a whole interval, so the same check is made here meanwhile."""
    deadline = time.monotonic() + _HEALTHY_WITHIN_SECONDS
    command = check[1:] if check[0] == "CMD" else ["sh", "-c", *check[1:]]
    while time.monotonic() < deadline:
        container.reload()
        if container.health == "healthy" or _passes(container, command):
            return
        time.sleep(0.5)  # Each check costs a tenth of a second of a core, which what is starting could use.
    raise RecoveryError(
        f"{container.name} did not become healthy within {_HEALTHY_WITHIN_SECONDS} seconds.",
        detail=container.logs(tail=15).decode(errors="replace"),
        hint=f"Read its log with: docker logs {container.name}",
    )


def _passes(container: Container, command: list[str]) -> bool:
    try:
        return bool(container.status == "running" and container.exec_run(command).exit_code == 0)
    except APIError:
        return False  # It ended between the two questions.


def _is_outdated(container: Container, service: Service) -> bool:
    try:
        return bool(container.client.images.get(service.image).id != container.attrs["Image"])
    except ImageNotFound:
        return True


def _is_foreign(container: Container | None, lab: Lab) -> bool:
    if container is None:
        return False
    return any(container.labels.get(key) != value for key, value in lab.labels.items())


def _ensure_network(client: docker.DockerClient, lab: Lab) -> None:
    same_name = client.networks.list(names=[f"^{lab.network}$"])
    for network in same_name:
        if (network.attrs.get("Labels") or {}).get(LAB_LABEL) != "1":
            raise Refused(
                f"A Docker network named {lab.network} exists, and the practice company did not make it.",
                detail=f"It has no label {LAB_LABEL}=1.",
                hint=f"If nothing needs it: docker network rm {lab.network}",
            )
    if not same_name:
        client.networks.create(lab.network, labels=lab.labels)
