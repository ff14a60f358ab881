"""The intake: turns what PagerDuty sent into journals, in a thread of its own, as soon as something is there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from actions.chores.chores import Chore
from actions.chores.leader_lease import LeaderLease
from actions.incidents.alert_grouping import Rules
from actions.incidents.take_in_events import OpenIncidents, take_in
from actions.store.store import Store

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
        Chore(INTAKE, LOOK_EVERY, partial(self._turn, stop), self._store, self._leader, wake=self._woken).run(stop)

    def _turn(self, stop: threading.Event) -> None:
        """Take in what waits. In a storm what comes together is waited for, so that it is taken in together."""
        try:
            while self.tick() and not stop.wait(TOGETHER):
                pass
        except BaseException:
            # Whatever it was, what is written counts from now on, not what was held in memory.
            self._open_incidents = OpenIncidents()
            raise

    def tick(self) -> bool:
        """Take in what waits, if this process leads. Returns whether anything changed."""
        if not self._leader.mine():
            return False
        changed = take_in(self._store, self._rules, self._open_incidents)
        if changed:
            self._told()
        return bool(changed)
