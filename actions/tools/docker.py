"""Containers as steps see them: what Docker says of one, and what starts and stops it.

A change on another container than the one that was looked at, by its `id`, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

ALIVE = ("running", "paused", "restarting")
"""The states of a container whose processes are there, or come back by themselves."""


@dataclass(frozen=True)
class Mount:
    """One mount of a container; `source` is a path on the Docker host (for a volume, where it lies).

    `mountpoint` is where a volume as a whole lies. `fleeting` says what Docker mounts there only while a container uses
    the volume (`nfs :/export`); it is empty where the files lie there at any time.
    """

    kind: str
    source: str
    target: str
    volume: str = ""
    driver: str = ""
    mountpoint: str = ""
    fleeting: str = ""


@dataclass(frozen=True)
class Container:
    """What Docker says of one container. `state`: created running paused restarting exited dead.

    `health`: healthy, unhealthy, starting, or empty where it has no health check. `env` may hold secrets
    and is never journalled. `ended_at` is when it ended last, empty where it never has.
    """

    id: str
    name: str
    host: str
    image: str
    image_id: str
    state: str
    health: str
    exit_code: int
    restart_policy: str
    command: tuple[str, ...]
    mounts: tuple[Mount, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    started_at: str = ""
    ended_at: str = ""

    @property
    def alive(self) -> bool:
        """Whether its processes are there, or come back by themselves."""
        return self.state in ALIVE


class Docker(Protocol):
    """Containers of one host."""

    def find(self, name: str) -> Container | None:
        """The container of that name, or None."""

    def in_other_projects(self, name: str) -> tuple[str, ...]:
        """Containers that bear the Compose label of that service, which is not here, in another project."""

    def volume_options(self, name: str) -> Mapping[str, str]:
        """The options with which a volume was made: `type`, `o`, `device`."""

    def memory(self) -> int:
        """Bytes of memory of the Docker host."""

    def pause(self, name: str, id: str) -> None: ...
    def unpause(self, name: str, id: str) -> None: ...
    def stop(self, name: str, id: str, seconds: int = 120) -> None:
        """Stop in good order; also one that restarts over and over (its restart policy becomes `no` first)."""

    def start(self, name: str, id: str) -> None: ...
    def restart(self, name: str, id: str) -> None: ...
    def set_restart(self, name: str, id: str, policy: str) -> None: ...
    def serves(self, name: str, id: str) -> bool:
        """Whether it runs and its own health check, run now, passes (no health check: it runs)."""

    def logs(self, name: str, lines: int = 40) -> str:
        """The last lines of a container's log."""
