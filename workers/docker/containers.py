"""Containers of a Docker host: looking, pausing, stopping, starting, and the clone's server beside the live one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from docker.errors import APIError, NotFound

from actions.engine.errors import RecoveryError, Refused
from actions.postgres.server import Names, Server
from actions.redact import redact
from actions.stack.containers import containers_of
from actions.stack.stack import Service
from actions.tools.docker import CloneSpec, Container, Process
from workers.docker.confirmations import confirm, confirm_host, users_of
from workers.docker.daemon import host_of, remove
from workers.docker.described import described
from workers.docker.errors import speaking
from workers.docker.exec import wait_for_exit
from workers.postgres import main_process
from workers.postgres.clone import clone_options, is_clone

_ALIVE = ("running", "paused", "restarting")
_PATIENCE_BEYOND_STOP = 15
_FREEZES = 5


class DockerHost:
    """The containers of one Docker host. `services` are those of its site, by whose names they are looked for too."""

    def __init__(self, client: Any, services: Sequence[Service] = ()) -> None:
        self.client, self._services = client, services
        self._host = ""

    @property
    def host(self) -> str:
        """Which host this is, as plans name it."""
        self._host = self._host or host_of(self.client)
        return self._host

    def find(self, name: str) -> Container | None:
        service = next((one for one in self._services if one.name == name), None)
        named = service.container or name if service else name
        with speaking(f"looking at {name}"):
            try:
                return described(self.client.api.inspect_container(named), self.host)
            except NotFound:
                return self._labelled(service) if service else None

    def _labelled(self, service: Service) -> Container | None:
        """The one container of the service's Compose label; for one that the settings name there is no other."""
        listed = self.client.api.containers(all=True)
        labels = {str(one["Names"][0]).lstrip("/"): one.get("Labels") or {} for one in listed if one.get("Names")}
        found = containers_of(service, labels, self._services)
        if len(found) > 1:
            raise Refused(
                f"It cannot be known which container {service.name} is.",
                code="MD-DK-005",
                detail=f"Its Compose service has {', '.join(found)}.",
                hint=f'Write container = "…" into the [[services]] table of {service.name}.',
            )
        return described(self.client.api.inspect_container(found[0]), self.host) if found else None

    def volume_options(self, name: str) -> Mapping[str, str]:
        with speaking(f"looking at the volume {name}"):
            try:
                return dict(self.client.api.inspect_volume(name).get("Options") or {})
            except NotFound:
                return {}

    def process(self, name: str, id: str) -> Process | None:
        return main_process.find(self.client.api, confirm(self.client, name, id).id)

    def users(self, server: Server) -> Sequence[str]:
        return users_of(self.client, server)

    def memory(self) -> int:
        with speaking("asking how much memory the host has"):
            return int(self.client.info()["MemTotal"])

    def pause(self, name: str, id: str) -> None:
        found = confirm(self.client, name, id)
        if found.status == "running":
            with speaking(f"pausing {name}"):
                _freeze(found)

    def unpause(self, name: str, id: str) -> None:
        found = confirm(self.client, name, id)
        if found.status == "paused":
            with speaking(f"letting {name} go on"):
                found.unpause()

    def stop(self, name: str, id: str, seconds: int = 120) -> None:
        found = confirm(self.client, name, id)
        # First: under the policy `always` a daemon that restarts would bring it back.
        self._policy(found, "no")
        self._stop(found, seconds)

    def start(self, name: str, id: str) -> None:
        found = confirm(self.client, name, id)
        with speaking(f"starting {name}"):
            if found.status == "paused":
                found.unpause()
            found.start()

    def restart(self, name: str, id: str) -> None:
        found = confirm(self.client, name, id)
        with speaking(f"restarting {name}"):
            if found.status == "paused":
                found.unpause()
            found.restart(timeout=30)

    def set_restart(self, name: str, id: str, policy: str) -> None:
        self._policy(confirm(self.client, name, id), policy)

    def serves(self, name: str, id: str) -> bool:
        found = confirm(self.client, name, id)
        if found.status != "running":
            return False
        check = found.attrs["Config"].get("Healthcheck") or {}
        argv = _check_argv(check.get("Test") or [], found.attrs["Config"].get("Shell") or ["/bin/sh", "-c"])
        return not argv or self._passes(found, argv, (check.get("Timeout") or 30_000_000_000) / 1e9)

    def run_clone(self, server: Server, names: Names, spec: CloneSpec) -> None:
        confirm_host(self.host, server)
        # The live container may be stopped, but it must still be the one of the plan: the clone is made like it.
        live = confirm(self.client, server.service, server.container)
        there = self._clone(names)
        if there is not None and there.status == "running":
            return
        if there is not None:
            self.remove_clone(names)
        with speaking("starting the clone's server"):
            image = self.client.api.inspect_image(server.image_id)
            self.client.containers.create(**clone_options(live.attrs, image, server, names, spec)).start()

    def stop_clone(self, names: Names, seconds: int = 120) -> None:
        there = self._clone(names)
        if there is not None:
            self._stop(there, seconds)

    def remove_clone(self, names: Names) -> None:
        there = self._clone(names)
        if there is None:
            return
        # Nothing of it is needed any more, and one that does not stop must not hold up what brings the service back.
        remove(self.client, there.id, "the clone's container")

    def logs(self, name: str, lines: int = 40) -> str:
        with speaking(f"reading the log of {name}"):
            try:
                said: bytes = self.client.api.logs(name, stdout=True, stderr=True, tail=lines)
            except NotFound:
                return ""
        return redact(said.decode(errors="replace"))

    def _clone(self, names: Names) -> Any:
        with speaking("looking at the clone's container"):
            try:
                found = self.client.containers.get(names.clone)
            except NotFound:
                return None
        if not is_clone(found.labels, names):
            raise RecoveryError(
                f"A container named {names.clone} exists, and this run did not make it.",
                code="MD-DK-006",
                detail=f"Its id is {found.id[:12]}.",
                hint="Rename it, then retry.",
            )
        return found

    def _policy(self, found: Any, policy: str) -> None:
        name, _, most = policy.partition(":")
        with speaking(f"setting the restart policy of {found.name}"):
            found.update(restart_policy={"Name": name or "no", "MaximumRetryCount": int(most or 0)})

    def _stop(self, found: Any, seconds: int) -> None:
        if found.status not in _ALIVE:
            return
        with speaking(f"stopping {found.name}"):
            if found.status == "paused":
                found.unpause()
            found.stop(timeout=seconds)
        deadline = time.monotonic() + _PATIENCE_BEYOND_STOP
        while self._status(found) in _ALIVE:
            if time.monotonic() > deadline:
                raise RecoveryError(
                    f"{found.name} does not stop.",
                    code="MD-DK-007",
                    detail=f"Its state is {found.status}.",
                    hint=f"Look at `docker logs {found.name}`; stop it by hand.",
                )
            time.sleep(0.2)

    def _status(self, found: Any) -> str:
        with speaking(f"looking at {found.name}"):
            found.reload()
        return str(found.status)

    def _passes(self, found: Any, argv: Sequence[str], seconds: float) -> bool:
        """Run a check as Docker does, in the container as it is; a check that hangs has not passed."""
        with speaking(f"checking the health of {found.name}"):
            id = self.client.api.exec_create(found.id, list(argv))["Id"]
            self.client.api.exec_start(id, detach=True)
            return wait_for_exit(self.client.api, id, seconds) == 0


def _freeze(found: Any) -> None:
    """Freezing may fail while a process is being started in the container, as health checks do; so it is repeated."""
    for left in reversed(range(_FREEZES)):
        try:
            found.pause()
            return
        except APIError as problem:
            if not left or "unable to freeze" not in str(problem.explanation):
                raise
        time.sleep(1)


def _check_argv(test: Sequence[str], shell: Sequence[str]) -> list[str]:
    kind, *rest = test or ["NONE"]
    if kind == "CMD":
        return rest
    return [*shell, *rest] if kind == "CMD-SHELL" else []
