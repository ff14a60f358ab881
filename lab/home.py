"""Where a practice company lives: every name, directory and port follows from one value."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from actions.engine.errors import RecoveryError

Layout = Literal["bind", "volume", "subdir"]

LAB_LABEL = "mayday.lab"
PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"

DATABASE = "nself_db"
POSTGRES_MOUNT = "/var/lib/postgresql/data"

# The manual's order: whoever depends on a service comes after it.
SERVICES = (
    "postgres",
    "redis",
    "minio",
    "auth",
    "hasura",
    "functions",
    "meilisearch",
    "prometheus",
    "grafana",
    "loki",
)

# What a recovery of the database meets.
QUEUE_PASSWORD = "practice-queue"
LEAN = ("postgres", "redis", "auth", "hasura", "functions")
STANDBY = "postgres-standby"
"""A second server that follows the first one, on a site of its own; only where it is asked for."""

_BACKUP_DIRECTORIES = (
    "postgres/wal",
    "postgres/base",
    "postgres/daily",
    "postgres/weekly",
    "redis",
    "minio",
    "meilisearch",
)


@dataclass(frozen=True)
class Lab:
    """One practice company on this machine. Two of them never meet if prefix, project and root differ.

    A `lean` one has only the services that a recovery of the database meets: for a small machine. `hold_seconds` is
    how long its writers wait after a swap. With `standby` a second server follows the first one.
    """

    root: Path
    prefix: str = "nself-"
    project: str = "nself"
    layout: Layout = "bind"
    lean: bool = False
    hold_seconds: float = 30
    standby: bool = False

    def __post_init__(self) -> None:
        # Docker takes absolute paths alone, and a process is known by the path it was started with.
        object.__setattr__(self, "root", self.root.resolve())

    @classmethod
    def saved(cls, root: Path, prefix: str = "nself-", project: str = "nself") -> Lab:
        """The lab as it was started, for commands that are not told its layout and its services again."""
        state = Lab(root, prefix, project).read_state()
        return cls(
            root,
            state.get("prefix", prefix),
            state.get("project", project),
            state.get("layout", "bind"),
            state.get("lean", False),
            state.get("hold_seconds", 30),
            state.get("standby", False),
        )

    @property
    def services(self) -> tuple[str, ...]:
        """Those that it has, in the manual's order."""
        return (*(LEAN if self.lean else SERVICES), *((STANDBY,) if self.standby else ()))

    def container(self, service: str) -> str:
        return f"{self.prefix}{service}"

    @property
    def network(self) -> str:
        return f"{self.project}-net"

    @property
    def queue(self) -> str:
        """The Redis of Mayday itself. It is not part of the stack that Mayday recovers."""
        return "mayday-queue" if self.project == "nself" else f"{self.project}-mayday-queue"

    @property
    def postgres_volume(self) -> str:
        return f"{self.project}-postgres-data"

    @property
    def names(self) -> tuple[str, ...]:
        """Every container name this lab claims."""
        return (*(self.container(service) for service in self.services), self.queue)

    @property
    def labels(self) -> dict[str, str]:
        return {LAB_LABEL: "1", PROJECT_LABEL: self.project}

    def data(self, service: str) -> Path:
        return self.root / "data" / service

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def wal_archive(self) -> Path:
        return self.backups / "postgres" / "wal"

    @property
    def standby_site(self) -> str:
        """The name of the site of the standby, in Mayday's settings."""
        return f"{self.project}-standby"

    @property
    def truth_file(self) -> Path:
        return self.root / "truth.jsonl"

    @property
    def state_file(self) -> Path:
        return self.root / "lab.json"

    @property
    def documents(self) -> Path:
        """Where the story exports the documents of its incidents."""
        return self.root / "documents"

    @property
    def password_file(self) -> Path:
        return self.root / "secrets" / "postgres_password"

    @property
    def replication_password_file(self) -> Path:
        return self.root / "secrets" / "replication_password"

    @property
    def pgdata(self) -> str:
        """PGDATA inside the container; in the layout `subdir` it lies below the mount point."""
        return f"{POSTGRES_MOUNT}/pgdata" if self.layout == "subdir" else POSTGRES_MOUNT

    def make_directories(self) -> None:
        for name in _BACKUP_DIRECTORIES:
            (self.backups / name).mkdir(parents=True, exist_ok=True)
        for service in ("postgres", "redis", "minio", "meilisearch", *((STANDBY,) if self.standby else ())):
            self.data(service).mkdir(parents=True, exist_ok=True)
        self.password_file.parent.mkdir(mode=0o700, exist_ok=True)

    def read_state(self) -> dict[str, Any]:
        """The ports, process ids and layout noted at the start; empty where nothing was started."""
        try:
            state: dict[str, Any] = json.loads(self.state_file.read_text())
        except FileNotFoundError:
            return {}
        return state

    def write_state(self, **changes: Any) -> None:
        """Merges changes into the state file in one rename, so that readers never see half of it."""
        self.root.mkdir(parents=True, exist_ok=True)
        merged = self.read_state() | changes
        draft = self.state_file.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(json.dumps(merged, indent=2, sort_keys=True) + "\n")
        draft.replace(self.state_file)

    def port(self, service: str) -> int:
        """The port of a service on 127.0.0.1."""
        ports = self.read_state().get("ports", {})
        if service not in ports:
            raise RecoveryError(
                f"The practice company has no port for {service}.",
                detail=f"{self.state_file} does not name one.",
                hint="Start it with: mayday lab up",
            )
        return int(ports[service])
