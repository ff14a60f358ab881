"""The helper container of a PostgreSQL server: its data directory, archive, base backups and tablespaces are in it."""

from __future__ import annotations

import hashlib
from typing import Any

from actions.postgres.server import Server
from actions.postgres.tablespaces import Tablespace
from actions.tools.names import Names
from workers.docker.exec import Inside
from workers.docker.helper import Helper, Place

ARCHIVE, BASES, WAL = "/mayday/archive", "/mayday/bases", "/mayday/wal"
_TABLESPACES = "/mayday/tablespaces"


class ServerHelper:
    """The run's helper, with all folders of a server in it."""

    def __init__(self, client: Any, names: Names) -> None:
        self.common = Helper(client, names)

    def inside(self, server: Server) -> Inside:
        """Where to run commands; starts the helper, also where the daemon took it down meanwhile.

        It is started again where a server has tablespaces that were not known when it was, or lies elsewhere.
        """
        spaces = [Place(space.parent, location_of(space)) for space in server.tablespaces if space.parent]
        return self.common.inside(server.data, _places(server), spaces)

    def fresh(self) -> None:
        """Remove what an earlier worker of this run left, with every command that still runs in it."""
        self.common.fresh()

    def close(self) -> None:
        """Remove the helper."""
        self.common.close()


def location_of(space: Tablespace) -> str:
    """The location of a tablespace, as the helper sees it; without nesting where the server's locations are nested."""
    return f"{_TABLESPACES}/{hashlib.sha256(space.location.encode()).hexdigest()[:12]}"


def _places(server: Server) -> tuple[Place, ...]:
    wal = (Place(server.wal, WAL, read_only=True),) if server.wal else ()
    # The last is where links of tablespaces in base backups lead that were taken in the server's container.
    return (
        Place(server.archive, ARCHIVE, read_only=True),
        Place(server.bases, BASES),
        *wal,
        Place(server.bases, server.inside_bases, read_only=True, links=False),
    )
