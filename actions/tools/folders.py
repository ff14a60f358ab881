"""The data of any container, as folders on its Docker host that a run copies beside, swaps, and keeps.

Nothing is ever deleted. Every method that changes something may be repeated, and goes on where it was interrupted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from actions.tools.names import Names


@dataclass(frozen=True)
class DataHome:
    """Where a container's data lies on the Docker host: `parent`/`leaf`, and where the container sees it (`inside`).

    A swap renames `leaf` within `parent`, so both must be on one file system.
    """

    parent: str
    leaf: str
    inside: str


@dataclass(frozen=True)
class DataFolder:
    """The data of one container, whose id and host every change confirms: on another one it is refused.

    `image_id` is the image in which the folder is worked on; it needs a shell and `mv`, `sync`, `stat` and `df`.
    `volumes` are those that Docker mounts only while they are used: where, and their names.
    """

    service: str
    host: str
    container: str
    image: str
    image_id: str
    home: DataHome
    volumes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RunDirectories:
    """Which of a run's directories exist beside the live one, and which run's clone the live one is."""

    live: bool
    clone: bool
    before: bool
    aside: bool
    live_is_clone_of: str = ""
    clone_complete: bool = False


@dataclass(frozen=True)
class Room:
    """A file system: which one, and the bytes that are free on it."""

    device: str
    free: int


class Folders(Protocol):
    """Data folders on one Docker host."""

    def room(self, data: DataFolder) -> Room:
        """The file system on which the folder lies, and a clone beside it."""

    def swappable(self, data: DataFolder, names: Names) -> str:
        """Empty where the live folder can be renamed within its parent, as a probe beside it shows; else why not."""

    def users(self, data: DataFolder) -> Sequence[str]:
        """Other running containers that may write to the live folder."""

    def leaves(self, data: DataFolder, names: Names) -> RunDirectories: ...
    def complete(self, data: DataFolder, names: Names) -> None:
        """Mark the clone's folder as whole, once all of it is on the disk; nothing is swapped without the mark."""

    def swap(self, data: DataFolder, names: Names, label: Mapping[str, str]) -> None:
        """Two renames: live to before, clone to live; goes on where it was interrupted. Labels the old one."""

    def swap_back(self, data: DataFolder, names: Names) -> None:
        """The reverse of `swap`; finds nothing to do where the old folder is the live one."""

    def set_aside(self, data: DataFolder, names: Names, label: Mapping[str, str]) -> None:
        """Rename the clone's folder out of the way and label it; finds nothing to do where there is none."""

    def mark_kept(self, data: DataFolder, leaf: str, label: Mapping[str, str]) -> None:
        """Label a folder beside the live one with its run and until when it is kept."""
