"""What a worker does with PagerDuty and the status page beside recoveries: the chores, from the settings.

The adapters are given as functions that open them, or None where the settings name none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from actions.chores.chores import Chore
from actions.chores.leader_lease import LeaderLease
from actions.engine.procedure import Procedure
from actions.incidents import on_call
from actions.incidents.alarm_watch import AlarmWatch, caller
from actions.incidents.page_escalation import lifter
from actions.incidents.site_watch import site_watches
from actions.settings.settings import Settings
from actions.store.store import Store
from actions.tools.outside import Pager, PagerDuty
from workers.pagerduty.milestone_notes import MilestoneNotes
from workers.pagerduty.poller import Poller

ALARMS = "alarms"
"""Whose turn it is to raise alarms; the bot takes part in it."""
_NOTES_EVERY, _ON_CALL_EVERY, _ALARMS_EVERY = 2.0, 60.0, 10.0


@dataclass(frozen=True)
class Outside:
    """Everything that the chores need."""

    settings: Settings
    store: Store
    find: Callable[[str], Procedure]
    owner: str
    enqueue: Callable[[str], object]
    pagerduty: PagerDuty | None = None
    pager: Pager | None = None
    archive_limit: timedelta = timedelta(minutes=10)

    def chores(self) -> tuple[Chore, ...]:
        """Notes for PagerDuty, its incidents, who is on call, our own alarms: those that the settings allow."""
        made = [self._chore("milestones", _NOTES_EVERY, self._milestones().work)]
        if self.pagerduty is not None:
            every = self.settings.pagerduty.poll_seconds
            made.append(self._chore("poll", every, Poller(self.store, self.pagerduty).work))
            made.append(self._chore("on call", _ON_CALL_EVERY, partial(keep_on_call, self, self.pagerduty)))
        if self.pager is not None:
            made.append(self._chore(ALARMS, _ALARMS_EVERY, self._watch(self.pager).work))
        return tuple(made)

    def _milestones(self) -> MilestoneNotes:
        site, page, stack = self.settings.site.name, self.settings.statuspage, self.settings.stack()
        return MilestoneNotes(self.store, self.find, self.pagerduty, page, site, self.enqueue, stack)

    def _watch(self, pager: Pager) -> AlarmWatch:
        sites = site_watches(self.settings, self.store, self.find, self.archive_limit)
        call = caller(self.pagerduty, self.settings.contacts)
        lift = lifter(self.store, self.pagerduty, self.settings.site.name, self.enqueue)
        return AlarmWatch(self.store, self.find, pager, sites, call, lift)

    def _chore(self, name: str, every: float, work: Callable[[], object]) -> Chore:
        return Chore(name, every, work, self.store, LeaderLease(self.store, name, self.owner))


def keep_on_call(outside: Outside, pagerduty: PagerDuty) -> None:
    """Note who is on call now, for all who may not ask PagerDuty."""
    settings = outside.settings
    on_call.keep(outside.store, settings.site.name, pagerduty.on_call(settings.pagerduty.policies))
