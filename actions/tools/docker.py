"""Containers as steps see them: what Docker says of one, and what starts and stops it.

A change on another container than the one that was looked at (its `id`, or the `Server`'s) is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from actions.postgres.server import Names, Server


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
    and is never journalled.
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


@dataclass(frozen=True)
class Process:
    """A server's main process: its data directory, and its command line."""

    data: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class CloneSpec:
    """How the clone is run: the directory, the server's flags, memory for /dev/shm in bytes."""

    flags: tuple[str, ...]
    shm_bytes: int = 1 << 30


class Docker(Protocol):
    """Containers of one host."""

    def find(self, name: str) -> Container | None:
        """The container of that name, or None."""

    def volume_options(self, name: str) -> Mapping[str, str]:
        """The options with which a volume was made: `type`, `o`, `device`."""

    def process(self, name: str, id: str) -> Process | None:
        """The server's main process in a running container; None where none was found."""

    def users(self, server: Server) -> Sequence[str]:
        """Other running containers that may write to the live data directory."""

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

    def run_clone(self, server: Server, names: Names, spec: CloneSpec) -> None:
        """Run the clone's server: same image, no network, the clone's directory as PGDATA, no restart policy.

        One that runs already is left as it is; one that has exited is removed first.
        """

    def stop_clone(self, names: Names, seconds: int = 120) -> None: ...
    def remove_clone(self, names: Names) -> None:
        """Remove the clone's container (never its directory); finds nothing to do where there is none."""

    def logs(self, name: str, lines: int = 40) -> str:
        """The last lines of a container's log."""
