"""What a run calls the things that it makes, known before they are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Renamed(Protocol):
    """What a swap renames: its `leaf` within its folder."""

    @property
    def leaf(self) -> str: ...


@dataclass(frozen=True)
class Names:
    """The names of one run's containers and directories on a Docker host.

    `site` tells its containers on a second site from those on its own: both may be on one Docker host.
    """

    run: str
    site: str = ""

    @property
    def clone(self) -> str:
        """The container of the clone."""
        return f"mayday-clone-{self._own}"

    @property
    def helper(self) -> str:
        """The container in which files are moved."""
        return f"mayday-helper-{self._own}"

    @property
    def _own(self) -> str:
        return f"{self.run}-{self.site}" if self.site else self.run

    def clone_leaf(self, home: Renamed) -> str:
        """The clone's directory, a sibling of the live one."""
        return f"{home.leaf}_clone_{self.run}"

    def before_leaf(self, home: Renamed) -> str:
        """The old directory, once the clone has taken its place."""
        return f"{home.leaf}_before_{self.run}"

    def aside_leaf(self, home: Renamed) -> str:
        """The clone's directory, once it was given up."""
        return f"{home.leaf}_discarded_{self.run}"

    def tail_leaf(self, home: Renamed) -> str:
        """Where WAL that the archive does not hold yet is saved."""
        return f"{home.leaf}_wal_{self.run}"
