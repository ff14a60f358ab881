"""Everything that the listeners and the tail work with, in one place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from redis.exceptions import RedisError
from slack_sdk import WebClient

from actions.catalog import ERRANDS
from actions.engine.procedure import Procedure
from actions.engine.store import Store
from actions.settings import Settings
from bot.lately import Lately
from bot.meters import Meters
from bot.people import People

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Desk:
    """The bot's parts, wired. `bell` wakes a worker for a run; the run waits in the store in any case."""

    settings: Settings
    store: Store
    catalog: Sequence[Procedure]
    client: WebClient
    people: People
    bell: Callable[[str], object]
    clock: Callable[[], datetime]
    lately: Lately = field(default_factory=Lately)
    meters: Meters = field(default_factory=Meters)

    def procedure(self, name: str) -> Procedure | None:
        """The procedure or errand of that name, or None where the catalog no longer has it."""
        return next((procedure for procedure in (*self.catalog, *ERRANDS) if procedure.name == name), None)

    def ring(self, *runs: str) -> None:
        """Wake a worker. Without a bell the workers' own sweep finds the runs some seconds later."""
        for run in runs:
            try:
                self.bell(run)
            except (RedisError, OSError) as error:
                _log.warning("nobody heard the bell for run %s (%s); the sweep will find it", run, type(error).__name__)
