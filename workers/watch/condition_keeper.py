"""Keeps the condition of the site's services as notes, at rest and never in the way of a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import RecoveryError
from actions.engine.kept_count import KeptCount
from actions.engine.run import Run
from actions.engine.store import Store
from actions.settings.site import SiteConfig
from actions.stack.stack import Service
from actions.steps.postgres.archiving import look_at_archiving
from actions.steps.postgres.look_at_server import look_at_server
from actions.steps.postgres.read_window import survey
from actions.watch import row_counts
from actions.watch.run_records import Records
from actions.watch.service_condition import NOTE, Condition, Health, Reachable, conditions, keep, reachable
from workers.postgres import dumps
from workers.runner.scope import Toolbox
from workers.runner.toolbox import HostTools
from workers.watch import container_health
from workers.watch.memory_watch import MemoryWatch

log = structlog.get_logger("mayday.condition")

EVERY = 60.0
_HEALTH_EVERY = 10.0
_SHARE = 20
"""A look that took long is repeated later: it may take a twentieth of the time."""
_FORGOTTEN = timedelta(days=1)


class _Yielded(RecoveryError):
    """A run began: the look is given up."""


class _Yielding:
    """Files, as long as nobody else needs the machine."""

    def __init__(self, files: Any, busy: Callable[[], bool]) -> None:
        self._files, self._busy = files, busy

    def __getattr__(self, name: str) -> Any:
        if self._busy():
            raise _Yielded("A run began, so the look was given up.", hint="It is made again afterwards.")
        return getattr(self._files, name)


@dataclass
class ConditionKeeper:
    """Looks at the containers every few seconds, at what can be reached and at Redis's memory every minute.

    With several workers of one site, whoever comes first looks: a fresh note keeps the others from it.
    """

    store: Store
    toolbox: Toolbox[HostTools]
    site: SiteConfig
    services: Sequence[Service]
    dumps: Sequence[str] = ()
    every: float = EVERY
    records: Records = field(default_factory=Records)
    _seen: Reachable | None = None
    _next: float = 0.0
    _problem: str = ""
    _said: str = ""

    def __post_init__(self) -> None:
        self._count = KeptCount(self.store, "records", self.records)
        self._memories = MemoryWatch(self.every)

    def run(self, leaving: threading.Event) -> None:
        """Go on until told to leave."""
        while not leaving.wait(min(_HEALTH_EVERY, self.every)):
            try:
                self.look()
            except SQLAlchemyError as away:
                log.warning("the store does not answer", detail=str(away)[:200])

    def look(self) -> bool:
        """Look once; False where another worker of the site did so just now."""
        now = self.store.clock()
        # Less than a whole pause, else its own last note could keep a lone worker from every second look.
        if conditions(self.store, self.site.name, since=now - timedelta(seconds=min(_HEALTH_EVERY, self.every) * 0.8)):
            return False
        self._count.catch_up()
        before = conditions(self.store, self.site.name)
        last = before.get(self.site.postgres)
        self._seen = self._seen or (last.reachable if last else None)
        self._memories.recall(before)
        found, problem = self._from_docker()
        since = ((last and last.problem_since) or now) if problem else None
        for one in found:
            own = one.service == self.site.postgres
            keep(
                self.store,
                Condition(
                    one.service,
                    self.site.name,
                    now,
                    one,
                    self.records.of(one.service),
                    self._seen if own else None,
                    problem if own else "",
                    since if own else None,
                    self._memories.of(one, now),
                ),
            )
        for kind in (NOTE, "worker"):
            self.store.forget(kind, now - _FORGOTTEN)
        return True

    def _from_docker(self) -> tuple[Sequence[Health], str]:
        """How the containers are, and what can be reached where it is time to look and nobody is at work."""
        # Named after the server, so that the helpers of two sites on one Docker host are two.
        name = f"condition-{self.site.postgres}"
        run = Run(name, "condition", "", self.site.postgres, self.site.name, "", {}, {}, self.store.clock())
        try:
            with self.toolbox.open(run) as tools:
                found = container_health.look(tools.docker.client, self.services)
                if not self._busy():
                    self._memories.look(tools.docker.client, found, self.store.clock())
                if self._due() and any(one.service == self.site.postgres and one.well for one in found):
                    self._reach_or_say(tools)
                return found, self._problem
        except RecoveryError as trouble:
            problem = f"{trouble.message} {trouble.detail}".strip()
            self._tell(problem)
            ours = [one for one in self.services if one.name == self.site.postgres]
            return tuple(Health(one.name, "unknown", trouble.message, kind=one.kind) for one in ours), problem

    def _due(self) -> bool:
        return time.monotonic() >= self._next and not self._busy()

    def _busy(self) -> bool:
        return bool(self.store.leased())

    def _reach_or_say(self, tools: HostTools) -> None:
        try:
            self._reach(tools)
            self._problem = ""
        except _Yielded as given_up:
            log.debug(given_up.message)
        except RecoveryError as trouble:
            self._problem = f"{trouble.message} {trouble.detail}".strip()
        self._tell(self._problem)

    def _reach(self, tools: HostTools) -> None:
        """Read the window as a plan would; a run that begins meanwhile has it given up."""
        began = time.monotonic()
        # Set before the look, so that one that fails is not made again at once.
        self._next = began + self.every
        files: Any = _Yielding(tools.files, self._busy)
        server = look_at_server(self.site.postgres, self.site, tools.docker, files, tools.servers)
        around = survey(server, files, tools.sql, self.store.clock())
        archiving = look_at_archiving(server, files, tools.sql)
        dump_at = self._seen.dump_at if self._seen else None  # While the server is down nobody can be asked.
        if self.dumps and server.state == "running":
            dump_at = dumps.newest(tools.docker.client, server, self.dumps)
        took = time.monotonic() - began
        self._next = began + max(self.every, _SHARE * took)
        self._seen = reachable(
            around,
            server.segment_size,
            self.store.clock(),
            dump_at=dump_at,
            before=self._seen,
            seconds=took,
            archiving=archiving,
        )
        if server.state == "running":
            row_counts.look(self.store, self.site.postgres, row_counts.count(self.site.postgres, server, tools.sql))

    def _tell(self, problem: str) -> None:
        """Say what is wrong once, and once that it is over."""
        if problem == self._said:
            return
        self._said = problem
        if problem:
            log.warning("the condition cannot be seen", detail=problem)
        else:
            log.info("the condition is seen again")
