"""Tablespaces of the world: folders apart from the data directory, which have to move together with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from actions.postgres.server import Server
from actions.postgres.tablespaces import Tablespace, version_leaf
from actions.tools.docker import Mount
from actions.tools.names import Names
from tests.support.worlds.company import SITE, Dir, World

LEAF = version_leaf(15)
MORNING, LATE, DROPPED = (16400, "/fast"), (16500, "/late"), (16300, "/gone")
"""In the base backup and live; made after it; in the base backup and dropped since."""


def with_tablespaces(world: World) -> World:
    """Give the company three locations, each on a mount of its own."""
    mounts = tuple(Mount("bind", parent_of(location), location) for _, location in (MORNING, LATE, DROPPED))
    server = world.containers[SITE.postgres]
    world.set_container(SITE.postgres, mounts=(*server.mounts, *mounts))
    world.links = dict((MORNING, LATE))
    for location in world.links.values():
        world.dirs[live_path(location)] = Dir(f"live at {location}", 1, 0)
    world.spaces_of[SITE.postgres] = tuple(live_path(location) for location in world.links.values())
    for name, backup in world.backups.items():
        world.backups[name] = replace(backup, tablespaces=dict((MORNING, DROPPED)))
    world.obey()
    return world


def parent_of(location: str) -> str:
    return f"/srv/disks{location}"


def live_path(location: str) -> str:
    return f"{parent_of(location)}/{LEAF}"


def live_folders(world: World) -> dict[str, str]:
    """Whose files are live in each location."""
    paths = (live_path(location) for _, location in (MORNING, LATE, DROPPED))
    return {path: world.dirs[path].id for path in paths if path in world.dirs}


class Place:
    """The folders of one run in one location."""

    def __init__(self, space: Tablespace, names: Names) -> None:
        self.location = space.location
        self.live = f"{space.parent}/{space.leaf}"
        self.clone = f"{space.parent}/{names.clone_leaf(space)}/{space.leaf}"
        self.before = f"{space.parent}/{names.before_leaf(space)}"
        self.aside = f"{space.parent}/{names.aside_leaf(space)}"


def places(server: Server, names: Names) -> list[Place]:
    return [Place(space, names) for space in server.tablespaces]


class WorldTablespaces:
    """Changes them, for one run. What was noted when a swap began decides how it goes on, and back."""

    world: World

    def copy_spaces(self, server: Server, names: Names) -> None:
        for at in places(server, names):
            self.world.at_rest(at.clone)
            if at.clone not in self.world.dirs:
                made = Dir(f"clone of {names.run} at {at.location}", 1, 0)
                self.world.does(f"copy {at.location}", lambda at=at, made=made: self._put(at.clone, made))  # type: ignore[misc]

    def _put(self, path: str, made: Dir) -> None:
        self.world.dirs[path] = made

    def space_states(self, server: Server, names: Names) -> tuple[str, ...]:
        return tuple(self._state(at) for at in places(server, names))

    def _state(self, at: Place) -> str:
        noted = self.world.labels.get(at.before)
        if noted is None:
            return "old"
        kept = noted["files_before"] == "no" or at.before in self.world.dirs
        return "new" if kept and at.clone not in self.world.dirs else "between"

    def swap_spaces(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        for at in places(server, names):
            self.world.at_rest(at.live, at.clone, at.before)
            if at.before not in self.world.labels:
                noted = {**label, "files_before": "yes" if at.live in self.world.dirs else "no"}
                self.world.does(f"note {at.location}", lambda at=at, noted=noted: self._note(at, noted))  # type: ignore[misc]
            if self.world.labels[at.before]["files_before"] == "yes" and at.before not in self.world.dirs:
                self._rename("keep what is live at", at, at.live, at.before)
            if at.clone in self.world.dirs:
                self._rename("put the clone's at", at, at.clone, at.live)

    def swap_spaces_back(self, server: Server, names: Names) -> None:
        for at in places(server, names):
            noted = self.world.labels.get(at.before)
            if noted is None:
                continue
            self.world.at_rest(at.live, at.clone, at.before)
            had = noted["files_before"] == "yes"
            if (not had or at.before in self.world.dirs) and at.live in self.world.dirs:
                self._rename("take the clone's from", at, at.live, at.clone)
            if at.before in self.world.dirs:
                self._rename("bring back what was live at", at, at.before, at.live)
            self.world.does(f"forget the note of {at.location}", lambda at=at: self._forget(at))  # type: ignore[misc]

    def set_spaces_aside(self, server: Server, names: Names, label: Mapping[str, str]) -> None:
        for at in places(server, names):
            self.world.at_rest(at.clone)
            if at.clone in self.world.dirs:
                self._rename("set aside the clone's at", at, at.clone, at.aside)
            if at.aside in self.world.dirs and self.world.labels.get(at.aside) != label:
                self.world.does(
                    f"label what was set aside at {at.location}",
                    lambda at=at: self.world.labels.__setitem__(at.aside, dict(label)),
                )  # type: ignore[misc]

    def _rename(self, what: str, at: Place, old: str, new: str) -> None:
        self.world.does(f"{what} {at.location}", lambda: self.world.rename(old, new))

    def _note(self, at: Place, noted: Mapping[str, str]) -> None:
        self.world.labels[at.before] = noted

    def _forget(self, at: Place) -> None:
        self.world.labels.pop(at.before)
