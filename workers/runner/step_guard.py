"""Doing a piece of a run's work: whatever goes wrong can be read, a short absence of Docker is waited out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import Away, Fenced, RecoveryError
from actions.store import notes
from actions.store.store import Store
from workers.runner.heartbeat import Heartbeat

log = structlog.get_logger("mayday.loop")

AWAY_SECONDS = 90.0
"""How long Docker may be away before a person is told: a restart of its daemon takes less."""

_PAUSE_SECONDS = 2.0


@dataclass
class Guard:
    """Does the work of one run; what goes wrong comes back as a value."""

    store: Store
    run: str
    heartbeat: Heartbeat
    reopen: Callable[[], None]
    away_seconds: float = AWAY_SECONDS

    def __call__(
        self, title: str, work: Callable[[], Any], again: Callable[[], Any] | None = None
    ) -> RecoveryError | None:
        """Do it; the trouble, if any. Where Docker is away, `again` (else the work itself) is tried for a while.

        Raises:
            Fenced: another worker has the run by now.
            SQLAlchemyError: the store does not answer. No step has failed by that: whoever takes the run up goes on.
        """
        try:
            self._while_away(work, again or work)
        except (Fenced, SQLAlchemyError):
            raise
        except RecoveryError as trouble:
            return trouble
        except Exception as surprise:
            log.exception("unexpected", run=self.run, step=title)
            return RecoveryError(
                f"Something unexpected happened in '{title}'.",
                code="MD-RUN-037",
                detail=f"{type(surprise).__name__}: {surprise}",
                hint="The worker's log has the whole story. Retry, or Undo.",
            )
        return None

    def _while_away(self, work: Callable[[], Any], again: Callable[[], Any]) -> None:
        since: float | None = None
        first = self.store.clock()
        while True:
            began = time.monotonic()
            try:
                if since is not None:
                    self.reopen()
                work()
                return
            except Away as away:
                now = time.monotonic()
                if since is None or now - began > self.away_seconds:
                    # What worked for so long in between was not the same absence.
                    since, first = now, self.store.clock()
                if now - since >= self.away_seconds:
                    raise
                self._tell(away, first)
            time.sleep(min(_PAUSE_SECONDS, self.away_seconds / 10))
            work = again

    def _tell(self, away: Away, since: datetime) -> None:
        self.heartbeat.must_hold()
        log.warning("trying again", run=self.run, error=away.said, detail=away.detail)
        shown = notes.progress(self.store, self.run) or {}
        # How far it was, and how long it still takes, says nothing while nothing goes on.
        text = f"{away.said} Trying again since {since:%H:%M} UTC."
        notes.set_progress(self.store, self.run, {**shown, "done": 0, "total": 0, "text": text})
