"""Docker, as far as it is true: states, restart policies, who runs on which directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from actions.engine.errors import RecoveryError
from actions.stack.containers import containers_of, unclaimed
from actions.tools.docker import Container
from tests.support.worlds.company import SITE, WRITERS, World


class WorldDocker:
    """The Docker of the world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def find(self, name: str) -> Container | None:
        service = next((one for one in self.world.services if one.name == name), None)
        if service is None:
            return self.world.containers.get(name)
        listed = {one.name: one.labels for one in self.world.containers.values()}
        found = containers_of(service, listed, self.world.services)
        return self.world.containers[found[0]] if len(found) == 1 else None

    def in_other_projects(self, name: str) -> tuple[str, ...]:
        service = next((one for one in self.world.services if one.name == name), None)
        listed = {one.name: one.labels for one in self.world.containers.values()}
        return unclaimed(service, listed, self.world.services) if service else ()

    def volume_options(self, name: str) -> Mapping[str, str]:
        return {}

    def memory(self) -> int:
        return 8 << 30

    def confirmed(self, name: str, id: str) -> Container:
        found = self.find(name)
        if found is None or found.id != id:
            raise RecoveryError(f"{name} is not the container of the plan.", hint="Ask for a new plan.")
        return found

    def _does(self, what: str, name: str, change: Callable[[], None]) -> None:
        self.world.does(f"{what} {name}", change)

    def pause(self, name: str, id: str) -> None:
        if self.confirmed(name, id).state == "running":
            self._does("pause", name, lambda: self.world.set_container(name, state="paused"))

    def unpause(self, name: str, id: str) -> None:
        if self.confirmed(name, id).state == "paused":
            self._does("unpause", name, lambda: self.world.set_container(name, state="running"))

    def stop(self, name: str, id: str, seconds: int = 120) -> None:
        self.confirmed(name, id)
        self.set_restart(name, id, "no")
        if self.world.runs(name):
            self._does("stop", name, lambda: self.stopped(name))

    def stopped(self, name: str) -> None:
        self.world.set_container(name, state="exited")
        leaf = self.world.mounted.get(name)
        if leaf is not None and leaf in self.world.dirs:
            here = self.world.dirs[leaf]
            ended = "in production" if self.world.dead and here.id == "live" else "shut down"
            self.world.set_dir(leaf, state=ended if not here.signal or here.promoted else "shut down in recovery")

    def start(self, name: str, id: str) -> None:
        if self.confirmed(name, id).state == "paused":
            self.unpause(name, id)
        if self.confirmed(name, id).state not in ("running", "restarting"):
            # A start ends a restart that was broken off.
            self._does("restart" if name in self.world.halfway else "start", name, lambda: self._started(name))

    def _started(self, name: str) -> None:
        self.world.halfway -= {name}
        if name == SITE.postgres:
            self.world.boot()
        else:
            self.world.set_container(name, state="running")
            self.world.connected[name] = self.world.epoch

    def restart(self, name: str, id: str) -> None:
        self.confirmed(name, id)
        self._does("restart", name, lambda: self._restarted(name))

    def _restarted(self, name: str) -> None:
        self.stopped(name)
        self.world.halfway |= {name}
        self.world.at_place(f"in the middle of 'restart {name}'")
        self._started(name)
        # Docker counts nanoseconds, so that no two starts are at the same moment.
        began = f"{self.world.clock():%Y-%m-%dT%H:%M:%S}.{len(self.world.changes):09d}Z"
        self.world.set_container(name, started_at=began)

    def set_restart(self, name: str, id: str, policy: str) -> None:
        if self.confirmed(name, id).restart_policy != policy:
            self._does(
                f"set the restart policy {policy!r} of",
                name,
                lambda: self.world.set_container(name, restart_policy=policy),
            )

    def serves(self, name: str, id: str) -> bool:
        if self.confirmed(name, id).state != "running":
            return False
        return name not in WRITERS or (self.world.serves_sql() and self.world.pause_survived(name))

    def logs(self, name: str, lines: int = 40) -> str:
        return self.world.logs.get(name, "")
