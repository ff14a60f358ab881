"""What carries runs out, with the tools for each: those of the outside for an errand, the stack's for all others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from actions.engine.errors import RecoveryError, Refused
from actions.engine.ids import is_errand
from actions.engine.lanes import LANES, Lane
from actions.engine.procedure import Procedure
from actions.engine.run import Run
from actions.settings.settings import Settings
from actions.stack.stack import Site
from actions.store.store import Store
from workers.adapters import Adapters, open_adapters
from workers.pagerduty.poller import Poller
from workers.runner import toolbox
from workers.runner.children import Enqueue, nobody_told
from workers.runner.leased_runner import LeasedRunner
from workers.runner.toolbox import docker_toolbox, second_toolbox
from workers.runner.worker import owner_name

log = structlog.get_logger("mayday.runner")


@dataclass(frozen=True)
class Runners:
    """Makes what carries the runs of a site and a lane out, by the table of lanes."""

    settings: Settings
    adapters: Adapters
    store: Store
    find: Callable[[str], Procedure]
    owner: str
    enqueue: Enqueue = nobody_told

    def __call__(self, site: str, lane: Lane) -> LeasedRunner:
        """The loop with the tools of the outside for errands, with those of the site's stack for all others.

        Raises:
            Refused: the settings do not know that site.
        """
        spec = LANES[lane]
        errand = lane is Lane.ERRAND
        return LeasedRunner(
            self.store,
            self.find,
            self.adapters.toolbox() if errand else docker_toolbox(self.settings, self.store, site),
            self.owner if lane is Lane.RECOVERY else f"{self.owner}:{spec.name}",
            away_seconds=spec.away_seconds,
            site=site,
            enqueue=self.enqueue,
            elsewhere=None if errand else partial(second_toolbox, self.settings, self.store),
            shared=self.settings.shared_writers,
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
            Refused: what an errand needs is not set up here, or the settings do not reach the run's site; it goes on
                waiting for somebody who has it.
        """
        state, adapters = store.run(run), self._adapters()
        if is_errand(run):
            self.reach(state)
        else:
            self._site_of(state)
        lane = Lane.ERRAND if is_errand(run) else self.find(state.procedure).lane
        runners = Runners(self.settings, adapters, store, self.find, owner_name(self.clock()))
        why = runners(state.site, lane).carry_out(run)
        if lane is Lane.ERRAND:
            _look_again(adapters, store)
        return why

    def reach(self, run: Run) -> None:
        """See whether this process has what that run needs.

        Raises:
            RecoveryError: the settings do not tell of its site, Docker does not answer this user, or what an errand
                needs is not here.
        """
        if is_errand(run.id):
            self._adapters().toolbox().reach(self.find(run.procedure))
            return
        toolbox.reach(self._site_of(run).docker)

    def _site_of(self, run: Run) -> Site:
        """The site on whose Docker host a run is carried out: its own, never the one that happens to be here."""
        try:
            return toolbox.site_reached(self.settings, run.site)
        except Refused as elsewhere:
            raise Refused(
                f"Run {run.id} belongs to the site '{run.site}'.",
                code="MD-RUN-038",
                detail=f"{elsewhere.said} {elsewhere.detail}",
                hint="Its own site's worker carries it out, or mayday carry-out with settings that tell its Docker.",
            ) from None

    def _adapters(self) -> Adapters:
        return open_adapters(self.settings, self.clock)


def _look_again(adapters: Adapters, store: Store) -> None:
    """Keep what PagerDuty says by now: where bot and workers are away, nobody else asks it what came of an errand."""
    if adapters.pagerduty is None:
        return
    try:
        Poller(store, adapters.pagerduty).work()
    except RecoveryError as trouble:
        log.warning("PagerDuty was not asked again", error=trouble.said, detail=trouble.detail)
