"""Everything that the listeners and the thread writer work with, in one place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from redis.exceptions import RedisError
from slack_sdk import WebClient

from actions.catalog import ERRANDS
from actions.engine.procedure import Procedure
from actions.settings.settings import Settings
from actions.store.store import Store
from bot.recent_keys import RecentKeys
from bot.slack.people import SlackPeople
from bot.web.meters import Meters

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BotContext:
    """The bot's parts, wired. `enqueue` puts a run into the queue; it waits in the store in any case."""

    settings: Settings
    store: Store
    catalog: Sequence[Procedure]
    client: WebClient
    people: SlackPeople
    enqueue: Callable[[str], object]
    clock: Callable[[], datetime]
    recent: RecentKeys = field(default_factory=RecentKeys)
    meters: Meters = field(default_factory=Meters)

    def procedure(self, name: str) -> Procedure | None:
        """The procedure or errand of that name, or None where the catalog no longer has it."""
        return next((procedure for procedure in (*self.catalog, *ERRANDS) if procedure.name == name), None)

    def wake_worker(self, *runs: str) -> None:
        """Wake a worker. Where the queue is away, the workers' own sweep finds the runs some seconds later."""
        for run in runs:
            try:
                self.enqueue(run)
            except (RedisError, OSError) as error:
                _log.warning("the queue did not take run %s (%s); the sweep will find it", run, type(error).__name__)
