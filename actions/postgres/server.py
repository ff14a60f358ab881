"""The server that a plan names: which container on which host, which files, which cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace

from actions.engine.facts import volatile
from actions.postgres.tablespaces import Tablespace
from actions.settings.site import setting_named
from actions.tools.folders import DataFolder, DataHome


@dataclass(frozen=True)
class Server:
    """One PostgreSQL in one container. Every act re-checks container id, host and system identifier.

    `archive` and `bases` are paths on the Docker host: the WAL archive and the folder of base backups;
    `inside_archive` and `inside_bases` are the same as the container sees them. Sizes in bytes.
    `control_damaged` says that the identity was read from the server's own WAL. `tablespaces` are the locations of the
    live data directory's own links. `owner` is the user whom the server runs as (`uid:gid`). `standby` says that its
    files are those of a standby, `follows` which primary they name. `wal` is where on the host a link in the place of
    pg_wal leads (empty: it is a folder of the data directory). `volumes` are those that Docker mounts only while they
    are used: where, and their names. `preload` are the libraries that its configuration preloads. `told_in` is the
    table of the settings that tells of it, in words; empty for `[site]`.
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
    told_in: str = volatile(default="")

    @property
    def swapped(self) -> Server:
        """The same once a clone lies in its place, whose pg_wal is a folder of the data directory."""
        return replace(self, wal="")

    def setting(self, name: str) -> str:
        """One of its settings as an error names it."""
        return setting_named(self.told_in, name)

    @property
    def data(self) -> DataFolder:
        """Its data directory as that of any container."""
        return DataFolder(self.service, self.host, self.container, self.image, self.image_id, self.home, self.volumes)
