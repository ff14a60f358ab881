"""Looks at what one PostgreSQL could be recovered from, at rest and never in the way of a run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from actions.engine.errors import RecoveryError
from actions.engine.run import Run
from actions.settings.site import SiteConfig
from actions.steps.postgres.archiving import look_at_archiving
from actions.steps.postgres.look_at_server import look_at_server
from actions.steps.postgres.read_window import survey
from actions.store.store import Store
from actions.watch import row_counts
from actions.watch.service_condition import Condition, Reachable, reachable
from workers.postgres import dumps
from workers.runner.scope import Toolbox
from workers.runner.toolbox import HostTools

log = structlog.get_logger("mayday.condition")

_SHARE = 20
"""A look that took long is repeated later: it may take a twentieth of the time."""


class _Yielded(RecoveryError):
    """A run began: the look is given up."""


class _Yielding:
    """Files, as long as nobody else needs the machine."""

    def __init__(self, files: Any, busy: Callable[[], bool]) -> None:
        self._files, self._busy = files, busy

    def __getattr__(self, name: str) -> Any:
        if self._busy():
            raise _Yielded(
                "A run began, so the look was given up.", code="MD-RUN-039", hint="It is made again afterwards."
            )
        return getattr(self._files, name)


@dataclass
class ServerWatch:
    """One server of a site: `seen` is what it was last found to be recoverable from, `problem` why it cannot be seen.

    `busy` says whether a run is carried out. While the server is down, what was seen of it stands.
    """

    store: Store
    toolbox: Toolbox[HostTools]
    site: SiteConfig
    busy: Callable[[], bool]
    every: float
    seen: Reachable | None = None
    problem: str = ""
    _next: float = 0.0
    _said: str = ""

    def recall(self, last: Condition | None) -> None:
        """Go on from what an earlier worker saw, where nobody here has looked yet."""
        self.seen = self.seen or (last.reachable if last else None)

    def look(self) -> None:
        """Look, if it is time and nobody is at work.

        Raises:
            RecoveryError: Docker does not answer.
        """
        if time.monotonic() < self._next or self.busy():
            return
        with self.toolbox.open(looking_run(self.site.name, self.site.postgres, self.store.clock())) as tools:
            self._reach_or_say(tools)

    def tell(self, problem: str) -> None:
        """Say in the log what is wrong once, and once that it is over."""
        if problem == self._said:
            return
        self._said = problem
        if problem:
            log.warning("the condition cannot be seen", service=self.site.postgres, detail=problem)
        else:
            log.info("the condition is seen again", service=self.site.postgres)

    def _reach_or_say(self, tools: HostTools) -> None:
        try:
            self._reach(tools)
            self.problem = ""
        except _Yielded as given_up:
            log.debug(given_up.message)
        except RecoveryError as trouble:
            self.problem = f"{trouble.said} {trouble.detail}".strip()
        self.tell(self.problem)

    def _reach(self, tools: HostTools) -> None:
        """Read the window as a plan would; a run that begins meanwhile has it given up."""
        began = time.monotonic()
        # Set before the look, so that one that fails is not made again at once.
        self._next = began + self.every
        files: Any = _Yielding(tools.files, self.busy)
        server = look_at_server(self.site.postgres, self.site, tools.docker, files, tools.servers)
        around = survey(server, files, tools.sql, self.store.clock())
        archiving = look_at_archiving(server, files, tools.sql)
        dump_at = self.seen.dump_at if self.seen else None  # While the server is down nobody can be asked.
        if self.site.dumps and server.state == "running":
            dump_at = dumps.newest(tools.docker.client, server, self.site.dumps)
        took = time.monotonic() - began
        self._next = began + max(self.every, _SHARE * took)
        self.seen = reachable(
            around,
            server.segment_size,
            self.store.clock(),
            dump_at=dump_at,
            before=self.seen,
            seconds=took,
            archiving=archiving,
        )
        if server.state == "running":
            counted = row_counts.count(self.site.postgres, server, tools.sql)
            row_counts.look(self.store, self.site.name, self.site.postgres, counted)


def looking_run(site: str, service: str, at: datetime) -> Run:
    """The name under which a worker looks at a site, or at one of its servers.

    It has both, so that the helpers of two sites on one Docker host, and of two servers of one site, are never one.
    """
    named = re.sub(r"[^A-Za-z0-9_.-]", "-", ".".join(filter(None, (site, service))))
    return Run(f"condition-{named}", "condition", "", service, site, "", {}, {}, at)
