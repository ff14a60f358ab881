"""`Folders` on a real Docker host: the data of any container, worked on in a helper of that container's image."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from actions.tools.folders import DataFolder, Room, RunDirectories
from actions.tools.names import Names
from workers.docker import folder_looks
from workers.docker.confirmations import users_of
from workers.docker.daemon import remove
from workers.docker.errors import speaking
from workers.docker.exec import Inside
from workers.docker.folder_swap import FolderSwap
from workers.docker.helper import HOME, Helper


class HostFolders:
    """Data folders of one Docker host, for one run. Each has a helper of its own, since they may be of several images.

    `shared` is a helper that the run has anyway: where it sees a folder already, no other one is started for it.
    Whoever takes over a run calls `fresh` first: commands of a killed worker end with its helpers.
    """

    def __init__(self, client: Any, names: Names, shared: Helper | None = None) -> None:
        self._client, self._names, self._shared = client, names, shared
        self._helpers: dict[tuple[str, str], Helper] = {}
        self._turn = threading.Lock()

    def fresh(self) -> None:
        """Remove the helpers that an earlier worker of this run left, with every command that still runs in them."""
        with speaking("looking for helpers that were left behind"):
            label = {"label": [f"mayday.run={self._names.run}", "mayday.role=helper"]}
            found = self._client.api.containers(all=True, filters=label)
        for one in found:
            if any(name.lstrip("/").startswith(f"{self._names.helper}-") for name in one["Names"]):
                remove(self._client, one["Id"], "a helper container")

    def close(self) -> None:
        """Remove the helpers."""
        for helper in self._helpers.values():
            helper.close()

    def room(self, data: DataFolder) -> Room:
        return folder_looks.rooms(self._inside(data), {"data": HOME})["data"]

    def swappable(self, data: DataFolder, names: Names) -> str:
        return folder_looks.swappable(self._inside(data), data.home.leaf, names.run)

    def users(self, data: DataFolder) -> Sequence[str]:
        return users_of(self._client, data)

    def leaves(self, data: DataFolder, names: Names) -> RunDirectories:
        return self._swap(data, names).leaves()

    def complete(self, data: DataFolder, names: Names) -> None:
        self._swap(data, names).complete()

    def swap(self, data: DataFolder, names: Names, label: Mapping[str, str]) -> None:
        self._swap(data, names).swap(label)

    def swap_back(self, data: DataFolder, names: Names) -> None:
        self._swap(data, names).swap_back()

    def set_aside(self, data: DataFolder, names: Names, label: Mapping[str, str]) -> None:
        self._swap(data, names).set_aside(label)

    def mark_kept(self, data: DataFolder, leaf: str, label: Mapping[str, str]) -> None:
        self._swap(data, self._names).mark_kept(leaf, label)

    def _swap(self, data: DataFolder, names: Names) -> FolderSwap:
        return FolderSwap(self._client, lambda: self._inside(data), data, names)

    def _inside(self, data: DataFolder) -> Inside:
        here = self._shared.as_it_is(data) if self._shared is not None else None
        return here or self._own(data).inside(data)

    def _own(self, data: DataFolder) -> Helper:
        key = (data.image_id, data.home.parent)
        with self._turn:
            if key not in self._helpers:
                own = hashlib.sha256("\n".join(key).encode()).hexdigest()[:8]
                self._helpers[key] = Helper(self._client, self._names, own)
            return self._helpers[key]
