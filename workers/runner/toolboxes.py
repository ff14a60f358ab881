"""What carries runs out, with the tools for each: the stack's for a recovery, those of the outside for an errand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from actions.engine.errors import RecoveryError, Refused
from actions.engine.ids import is_errand
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.engine.store import Store
from actions.settings.settings import Settings
from workers.adapters import Adapters, open_adapters
from workers.pagerduty.poller import Poller
from workers.runner import toolbox
from workers.runner.leased_runner import LeasedRunner
from workers.runner.toolbox import docker_toolbox, second_toolbox
from workers.runner.worker import owner_name

log = structlog.get_logger("mayday.runner")

_ERRANDS_AWAY_SECONDS = 15
"""So long an errand waits for what is away; then its line in the thread says so, and people press Retry."""


def recoveries(settings: Settings, store: Store, find: Callable[[str], Procedure], owner: str) -> LeasedRunner:
    """The loop with the tools of the stack."""
    elsewhere = partial(second_toolbox, settings, store)
    return LeasedRunner(
        store, find, docker_toolbox(settings, store), owner, site=settings.site.name, elsewhere=elsewhere
    )


def errands(
    settings: Settings, adapters: Adapters, store: Store, find: Callable[[str], Procedure], owner: str
) -> LeasedRunner:
    """The loop with the tools of the outside."""
    return LeasedRunner(
        store,
        find,
        adapters.toolbox(),
        f"{owner}:errands",
        away_seconds=_ERRANDS_AWAY_SECONDS,
        site=settings.site.name,
    )


@dataclass(frozen=True)
class InProcessRunner:
    """Carries one run or errand out in this very process."""

    settings: Settings
    find: Callable[[str], Procedure]
    clock: Callable[[], datetime]

    def carry_out(self, store: Store, run: str) -> str:
        """Carry it out as far as it goes; why it stopped moving.

        Raises:
            Refused: what an errand needs is not set up here; it goes on waiting for somebody who has it.
        """
        owner = owner_name(self.clock())
        if is_errand(run):
            self.reach(store.run(run))
            adapters = self._adapters()
            why = errands(self.settings, adapters, store, self.find, owner).carry_out(run)
            _look_again(adapters, store)
            return why
        return recoveries(self.settings, store, self.find, owner).carry_out(run)

    def reach(self, run: Run) -> None:
        """See whether this process has what that run needs.

        Raises:
            RecoveryError: it is another site's, Docker does not answer this user, or what an errand needs is not here.
        """
        if is_errand(run.id):
            self._adapters().toolbox().reach(self.find(run.procedure))
            return
        here = self.settings.site.name
        if run.site != here:
            raise Refused(
                f"Run {run.id} belongs to the site '{run.site}'.",
                detail=f"Here is '{here}'.",
                hint="Its own site's worker carries it out, or mayday carry-out with the settings of that site.",
            )
        toolbox.reach(self.settings.site.docker_host)

    def _adapters(self) -> Adapters:
        return open_adapters(self.settings, self.clock)


def _look_again(adapters: Adapters, store: Store) -> None:
    """Keep what PagerDuty says by now: where bot and workers are away, nobody else asks it what came of an errand."""
    if adapters.pagerduty is None:
        return
    try:
        Poller(store, adapters.pagerduty).work()
    except RecoveryError as trouble:
        log.warning("PagerDuty was not asked again", error=trouble.message, detail=trouble.detail)
