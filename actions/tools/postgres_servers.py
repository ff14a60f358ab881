"""PostgreSQL's servers in containers: the main process of the live one, and the clone's beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from actions.postgres.server import Server
from actions.tools.names import Names


@dataclass(frozen=True)
class Process:
    """A server's main process: its data directory, and its command line."""

    data: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class CloneSpec:
    """How the clone is run: the server's flags, memory for /dev/shm in bytes."""

    flags: tuple[str, ...]
    shm_bytes: int = 1 << 30


class PostgresServers(Protocol):
    """Servers on one Docker host. The clone's has no network, and its own container alone is stopped and removed."""

    def process(self, name: str, id: str) -> Process | None:
        """The server's main process in a running container; None where none was found."""

    def run_clone(self, server: Server, names: Names, spec: CloneSpec) -> None:
        """Run the clone's server: same image, no network, the clone's directory as PGDATA, no restart policy.

        One that runs already is left as it is; one that has exited is removed first.
        """

    def mark_standby(self, server: Server) -> None:
        """Lay standby.signal into the data directory of a stopped server, so that its next start takes no writes.

        Raises:
            RecoveryError: it runs, or the file could not be laid.
        """

    def is_marked(self, server: Server) -> bool:
        """Whether standby.signal lies there."""

    def unmark_standby(self, server: Server) -> None:
        """Take that file away again; finds nothing to do where there is none."""

    def read_segment(self, server: Server, name: str) -> bytes:
        """A whole WAL segment out of the pg_wal of a server, which need not run.

        Raises:
            RecoveryError: it is not there, or not whole.
        """

    def lay_segment(self, server: Server, name: str, data: bytes) -> None:
        """Put a segment into the pg_wal of a standby that runs, whole or not at all: it replays it by itself."""

    def segment_digest(self, server: Server, name: str) -> str:
        """The SHA-256 of a segment in the pg_wal of a server that runs, in hexadecimal; empty where there is none."""

    def stop_clone(self, names: Names, seconds: int = 120) -> None: ...
    def remove_clone(self, names: Names) -> None:
        """Remove the clone's container (never its directory); finds nothing to do where there is none."""
