"""The bot takes part in raising alarms: that no worker lives must be said by somebody who is no worker."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import RecoveryError
from actions.engine.leader_lease import LeaderLease
from actions.incidents.alarm_watch import AlarmWatch

_log = logging.getLogger(__name__)
_EVERY = 10.0


@dataclass(frozen=True)
class RaiseAlarms:
    """Looks every few seconds while no other process leads."""

    watch: AlarmWatch
    leader: LeaderLease

    def run(self, stop: threading.Event) -> None:
        """Go on until told to stop."""
        while not stop.wait(_EVERY):
            self.once()

    def once(self) -> None:
        """Look once, if this process leads."""
        try:
            if self.leader.mine():
                self.watch.work()
        except RecoveryError as trouble:
            _log.warning("an alarm could not be raised: %s %s", trouble.said, trouble.detail)
        except SQLAlchemyError as away:
            _log.warning("the store does not answer (%s)", type(away).__name__)
