"""The swap of a server: its tablespaces go along, and both directories have to hold the cluster of the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.engine.errors import RecoveryError
from actions.postgres.controldata import parse_controldata
from actions.postgres.server import Server
from actions.postgres.walheader import identity_of
from actions.tools.names import Names
from actions.tools.postgres_files import ServerDirectories
from workers.docker.folder_swap import FolderSwap
from workers.postgres.folders import control, wal_headers
from workers.postgres.server_helper import ServerHelper
from workers.postgres.tablespace_swap import TablespaceSwap


class ServerSwap:
    """Renames directories of servers, each together with its tablespaces."""

    def __init__(self, helper: ServerHelper, client: Any) -> None:
        self._helper = helper
        self._client = client
        self._spaces = TablespaceSwap(helper, client)

    def leaves(self, server: Server, names: Names) -> ServerDirectories:
        """What exists, and whose clone the live directory is."""
        seen = self._of(server, names).leaves()
        return ServerDirectories(**vars(seen), tablespaces=self._spaces.states(server, names))

    def swap(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        """Live to before, clone to live."""
        self._of(server, names).swap(label)

    def swap_back(self, server: Server, names: Names) -> None:
        """Live to clone, before to live."""
        self._of(server, names).swap_back()

    def set_aside(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        """The clone's directory out of the way."""
        self._of(server, names).set_aside(label)

    def _of(self, server: Server, names: Names) -> FolderSwap:
        along = _TablespacesAlong(self._helper, self._spaces, server, names)
        return FolderSwap(self._client, lambda: self._helper.inside(server), server.data, names, along)


@dataclass(frozen=True)
class _TablespacesAlong:
    """The tablespaces of one server, in one run."""

    helper: ServerHelper
    spaces: TablespaceSwap
    server: Server
    names: Names

    def confirm(self, leaf: str) -> None:
        confirm_cluster(self.helper, self.server, leaf)

    def swap(self, label: Mapping[str, str]) -> None:
        self.spaces.swap(self.server, self.names, label)

    def swap_back(self) -> None:
        self.spaces.swap_back(self.server, self.names)

    def set_aside(self, label: Mapping[str, str]) -> None:
        self.spaces.set_aside(self.server, self.names, label)


def confirm_cluster(helper: ServerHelper, server: Server, leaf: str) -> None:
    """Refuse a directory that holds another cluster than the plan names."""
    found = _system_of(helper, server, leaf)
    if found != server.system_identifier:
        raise RecoveryError(
            "The directory holds another cluster than the plan names.",
            detail=f"{leaf}: system identifier {found}; the plan: {server.system_identifier}.",
            hint="It is not a backup of this server. Choose another one.",
        )


def _system_of(helper: ServerHelper, server: Server, leaf: str) -> str:
    """The system identifier; of a live directory whose control file the plan calls damaged, from its WAL."""
    if server.control_damaged and leaf == server.home.leaf:
        told = identity_of(wal_headers(helper, server))
        return told.system_identifier if told else "not to be read"
    return parse_controldata(control(helper, server, leaf)).system_identifier
