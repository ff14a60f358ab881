"""Keeps the condition of the site's services as notes, at rest and never in the way of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from actions.chores.chores import Chore
from actions.engine.errors import RecoveryError
from actions.settings.site import SiteConfig
from actions.stack.containers import Listed
from actions.stack.stack import Service
from actions.store.kept_count import KeptCount
from actions.store.store import Store
from actions.watch.compose_project import remember
from actions.watch.run_records import Records
from actions.watch.service_condition import NOTE, Condition, Health, conditions, keep
from workers.runner.scope import Toolbox
from workers.runner.throughput import JournalTimes
from workers.runner.toolbox import HostTools
from workers.watch import container_health
from workers.watch.memory_watch import MemoryWatch
from workers.watch.server_watch import ServerWatch, looking_run

log = structlog.get_logger("mayday.condition")

EVERY = 60.0
_HEALTH_EVERY = 10.0
_FORGOTTEN = timedelta(days=1)


@dataclass
class ConditionKeeper:
    """Looks at the containers every few seconds, at what each server can be recovered from and at Redis's memory every
    minute.

    `servers` are those of the site of whose backups the settings tell. With several workers of one site, whoever comes
    first looks: a fresh note keeps the others from it.
    """

    store: Store
    toolbox: Toolbox[HostTools]
    site: str
    servers: Sequence[SiteConfig]
    services: Sequence[Service]
    elsewhere: Sequence[Service] = ()
    """The services of other sites that may be in the same Docker."""
    project: str = ""
    """The Compose project of the services; empty for the one that was last seen."""
    every: float = EVERY
    records: Records = field(default_factory=Records)

    def __post_init__(self) -> None:
        # By the place of a service: what was once kept by its name alone is counted anew.
        self._count = KeptCount(self.store, "records by place", self.records)
        self._times = JournalTimes(self.store)
        self._memories = MemoryWatch(self.every)
        self._watches = {
            one.postgres: ServerWatch(self.store, self.toolbox, one, self._busy, self.every) for one in self.servers
        }

    def chore(self) -> Chore:
        """Looks for as long as the worker lives; of several workers each is ready to."""
        every = min(_HEALTH_EVERY, self.every)
        return Chore("look at the services", every, self.look, self.store, first=every, place=self.site)

    def look(self) -> bool:
        """Look once; False where another worker of the site did so just now."""
        now = self.store.clock()
        # Less than a whole pause, else its own last note could keep a lone worker from every second look.
        if conditions(self.store, self.site, since=now - timedelta(seconds=min(_HEALTH_EVERY, self.every) * 0.8)):
            return False
        self._count.catch_up()
        self._times.catch_up()  # So that no plan has to read all of history for its estimate.
        before = conditions(self.store, self.site)
        self._memories.recall(before)
        for name, watch in self._watches.items():
            watch.recall(before.get(name))
        found, away = self._from_docker()
        for one in found:
            keep(self.store, self._condition(one, before.get(one.service), away, now))
        for kind in (NOTE, "worker"):
            self.store.forget(kind, now - _FORGOTTEN)
        return True

    def _condition(self, health: Health, last: Condition | None, away: str, now: datetime) -> Condition:
        """How one service is, with what was seen of it before where nobody could look: `away` says why."""
        watch = self._watches.get(health.service)
        problem = (away or watch.problem) if watch else ""
        return Condition(
            health.service,
            self.site,
            now,
            health,
            self.records.of(self.site, health.service),
            watch.seen if watch else None,
            problem,
            ((last and last.problem_since) or now) if problem else None,
            self._memories.of(health, now),
        )

    def _from_docker(self) -> tuple[Sequence[Health], str]:
        """How the containers are, after a look at each server that serves; and why Docker did not answer."""
        try:
            with self.toolbox.open(looking_run(self.site, "", self.store.clock())) as tools:
                found = container_health.look(tools.docker.client, self.services, self.elsewhere, self._own_project)
                if not self._busy():
                    self._memories.look(tools.docker.client, found, self.store.clock())
            well = {one.service for one in found if one.well}
            for name, watch in self._watches.items():
                if name in well:
                    watch.look()
            return found, ""
        except RecoveryError as trouble:
            problem = f"{trouble.said} {trouble.detail}".strip()
            for watch in self._watches.values():
                watch.tell(problem)
            ours = [one for one in self.services if one.name in self._watches]
            return tuple(Health(one.name, "unknown", trouble.said, kind=one.kind) for one in ours), problem

    def _own_project(self, listed: Listed) -> str:
        return self.project or remember(self.store, self.site, listed, self.services)

    def _busy(self) -> bool:
        return bool(self.store.leased())
