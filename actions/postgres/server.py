"""The server that a plan names: which container on which host, which files, which cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace

from actions.engine.facts import volatile
from actions.postgres.tablespaces import Tablespace


@dataclass(frozen=True)
class DataHome:
    """Where PGDATA lies on the Docker host: `parent`/`leaf`, and where the server sees it (`inside`).

    A swap renames `leaf` within `parent`, so both must be on one file system.
    """

    parent: str
    leaf: str
    inside: str


Home = DataHome | Tablespace
"""What a swap renames: its `leaf` within its `parent`."""


@dataclass(frozen=True)
class Server:
    """One PostgreSQL in one container. Every act re-checks container id, host and system identifier.

    `archive` and `bases` are paths on the Docker host: the WAL archive and the folder of base backups;
    `inside_archive` and `inside_bases` are the same as the container sees them. Sizes in bytes.
    `control_damaged` says that the identity was read from the server's own WAL. `tablespaces` are the locations of the
    live data directory's own links. `owner` is the user whom the server runs as (`uid:gid`). `standby` says that its
    files are those of a standby, `follows` which primary they name. `wal` is where on the host a link in the place of
    pg_wal leads (empty: it is a folder of the data directory). `volumes` are those that Docker mounts only while they
    are used: where, and their names. `preload` are the libraries that its configuration preloads.
    """

    service: str
    host: str
    container: str
    image: str
    image_id: str
    command: tuple[str, ...]
    restart_policy: str
    home: DataHome
    archive: str
    bases: str
    inside_archive: str
    inside_bases: str
    user: str
    database: str
    version: int
    system_identifier: str
    timeline: int
    segment_size: int
    control_damaged: bool = False
    tablespaces: tuple[Tablespace, ...] = ()
    owner: str = ""
    standby: bool = False
    wal: str = ""
    volumes: tuple[tuple[str, str], ...] = ()
    preload: tuple[str, ...] = volatile(default=())
    follows: str = volatile(default="")
    state: str = volatile(default="")

    @property
    def swapped(self) -> Server:
        """The same once a clone lies in its place, whose pg_wal is a folder of the data directory."""
        return replace(self, wal="")


@dataclass(frozen=True)
class Names:
    """What a run calls the things that it makes, known before they are made."""

    run: str

    @property
    def clone(self) -> str:
        """The container of the clone."""
        return f"mayday-clone-{self.run}"

    @property
    def helper(self) -> str:
        """The container in which files are moved."""
        return f"mayday-helper-{self.run}"

    def clone_leaf(self, home: Home) -> str:
        """The clone's directory, a sibling of the live one."""
        return f"{home.leaf}_clone_{self.run}"

    def before_leaf(self, home: Home) -> str:
        """The old directory, once the clone has taken its place."""
        return f"{home.leaf}_before_{self.run}"

    def aside_leaf(self, home: Home) -> str:
        """The clone's directory, once it was given up."""
        return f"{home.leaf}_discarded_{self.run}"

    def tail_leaf(self, home: Home) -> str:
        """Where WAL that the archive does not hold yet is saved."""
        return f"{home.leaf}_wal_{self.run}"
