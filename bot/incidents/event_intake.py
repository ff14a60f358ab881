"""The intake: turns what PagerDuty sent into journals, in a thread of its own, as soon as something is there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import Fenced
from actions.engine.leader_lease import LeaderLease
from actions.engine.store import Store
from actions.incidents.alert_grouping import Rules
from actions.incidents.take_in_events import OpenIncidents, take_in

_log = logging.getLogger(__name__)
INTAKE = "intake"
"""Whose turn it is to take events in."""
LOOK_EVERY = 0.5
"""Of events that another process keeps nobody tells us here."""
TOGETHER = 0.1
"""So long others are waited for once some were taken in: in a storm many come together."""


class Intake:
    """Takes events in, many at once; `told` hears that journals have changed."""

    def __init__(self, store: Store, rules: Rules, owner: str, told: Callable[[], None]) -> None:
        self._store, self._rules, self._told = store, rules, told
        self._leader = LeaderLease(store, INTAKE, owner)
        self._open_incidents = OpenIncidents()
        self._woken = threading.Event()

    def wake(self) -> None:
        """Something waits."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Go on until told to stop."""
        while not stop.is_set():
            self._woken.clear()
            try:
                more = self.tick()
            except (SQLAlchemyError, Fenced) as error:
                _log.error("events of PagerDuty wait: the store cannot be used (%s)", type(error).__name__)
                self._open_incidents = OpenIncidents()
                more = False
                stop.wait(1.0)
            if more:
                stop.wait(TOGETHER)
            else:
                self._woken.wait(LOOK_EVERY)
        with suppress(SQLAlchemyError):
            self._leader.give_up()

    def tick(self) -> bool:
        """Take in what waits, if this process leads. Returns whether anything changed."""
        if not self._leader.mine():
            return False
        changed = take_in(self._store, self._rules, self._open_incidents)
        if changed:
            self._told()
        return bool(changed)
