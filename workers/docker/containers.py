"""Containers of a Docker host: looking, pausing, stopping, starting."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from docker.errors import APIError, NotFound

from actions.engine.errors import Refused
from actions.redact import redact
from actions.stack.containers import containers_of, unclaimed
from actions.stack.stack import Service
from actions.tools.docker import Container
from workers.docker.confirmations import confirm
from workers.docker.daemon import host_of, stop_gently
from workers.docker.described import described
from workers.docker.errors import speaking
from workers.docker.exec import wait_for_exit

_FREEZES = 5


class DockerHost:
    """The containers of one Docker host.

    `services` are those of its site, by whose names they are looked for too; their labels count in the Compose
    `project` alone, where that is known.
    """

    def __init__(self, client: Any, services: Sequence[Service] = (), project: str = "") -> None:
        self.client, self._services, self._project = client, services, project
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

    def in_other_projects(self, name: str) -> tuple[str, ...]:
        service = next((one for one in self._services if one.name == name), None)
        with speaking(f"looking for {name} in other Compose projects"):
            return unclaimed(service, self._listed(), self._services, self._project) if service else ()

    def _listed(self) -> dict[str, dict[str, str]]:
        listed = self.client.api.containers(all=True)
        return {str(one["Names"][0]).lstrip("/"): one.get("Labels") or {} for one in listed if one.get("Names")}

    def _labelled(self, service: Service) -> Container | None:
        """The one container of the service's Compose label; for one that the settings name there is no other."""
        found = containers_of(service, self._listed(), self._services, self._project)
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
        stop_gently(found, seconds)

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

    def logs(self, name: str, lines: int = 40) -> str:
        with speaking(f"reading the log of {name}"):
            try:
                said: bytes = self.client.api.logs(name, stdout=True, stderr=True, tail=lines)
            except NotFound:
                return ""
        return redact(said.decode(errors="replace"))

    def _policy(self, found: Any, policy: str) -> None:
        name, _, most = policy.partition(":")
        with speaking(f"setting the restart policy of {found.name}"):
            found.update(restart_policy={"Name": name or "no", "MaximumRetryCount": int(most or 0)})

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
