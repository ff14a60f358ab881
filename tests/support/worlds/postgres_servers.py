"""The clone's server in the world: it comes up on this run's sealed clone alone."""

from __future__ import annotations

from collections.abc import Callable

from actions.postgres.server import Server
from actions.tools.names import Names
from actions.tools.postgres_servers import CloneSpec, Process
from tests.support.worlds.company import LEAF, Violated, World
from tests.support.worlds.docker import WorldDocker
from tests.support.worlds.founding import container
from tests.support.worlds.tablespaces import places
from tests.support.worlds.wal import flag, target_of


class WorldServers:
    """The servers of the world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.docker = WorldDocker(world)

    def process(self, name: str, id: str) -> Process | None:
        return None

    def _does(self, what: str, name: str, change: Callable[[], None]) -> None:
        self.world.does(f"{what} {name}", change)

    def run_clone(self, server: Server, names: Names, spec: CloneSpec) -> None:
        self.docker.confirmed(server.service, server.container)
        if self.world.runs(names.clone):
            return
        self.remove_clone(names)
        self._does("run", names.clone, lambda: self._clone_runs(server, names, spec))

    def _clone_runs(self, server: Server, names: Names, spec: CloneSpec) -> None:
        leaf = names.clone_leaf(server.home)
        if leaf == LEAF or self.world.dirs[leaf].sealed != names.run:
            raise Violated("a directory was started that is not this run's sealed clone")
        if flag(spec.flags, "archive_mode") != "off" or flag(spec.flags, "primary_conninfo"):
            raise Violated(f"the clone archives or connects: {spec.flags}")
        self.world.containers[names.clone] = container(names.clone, restart_policy="no", command=spec.flags)
        self.world.mounted[names.clone] = leaf
        self.world.spaces_of[names.clone] = tuple(place.clone for place in places(server, names))
        if missing := [folder for folder in self.world.spaces_of[names.clone] if folder not in self.world.dirs]:
            raise Violated(f"the clone was started without its own {missing}")
        self.world.targets[names.clone] = target_of(spec.flags)
        self.world.ticks[names.clone] = 0

    def stop_clone(self, names: Names, seconds: int = 120) -> None:
        if self.world.runs(names.clone):
            self._does("stop", names.clone, lambda: self.docker.stopped(names.clone))

    def remove_clone(self, names: Names) -> None:
        self.stop_clone(names)
        if self.docker.find(names.clone) is not None:
            self._does("remove the container", names.clone, lambda: self._removed(names.clone))

    def _removed(self, name: str) -> None:
        self.world.containers.pop(name)
        self.world.mounted.pop(name)
        self.world.spaces_of.pop(name, None)
