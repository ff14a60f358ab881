"""Raises Mayday's own alarms and takes each back when it is over.

Whoever has the turn does it, worker or bot, since the alarm that no worker lives must come from somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from actions.engine.folding import fold
from actions.engine.ids import is_errand
from actions.engine.journal import Entry, Kind
from actions.engine.no_return import passed_no_return
from actions.engine.procedure import MayAnswer, Procedure
from actions.engine.run import Run
from actions.engine.run_parts import Question
from actions.engine.run_summary import summary_of
from actions.incidents.alarms import ALONE_FOR, Alarm, Facts, RunFacts, alarms, approval_key
from actions.incidents.contacts import people_of
from actions.incidents.page_escalation import lifted
from actions.incidents.site_watch import LOOKED_AT, SiteWatch, known
from actions.settings.contacts import ContactSettings
from actions.store import notes
from actions.store.store import Store
from actions.tools.outside import Pager, PagerDuty

RAISED = "alarm"
"""The kind of the notes that tell which pages stand; the key is the alarm's."""


@dataclass
class AlarmWatch:
    """One look at all sites and their runs.

    `also_tell` hears of each new alarm, for people whom the page does not reach by itself. `lift` is given each
    alarm that is for a higher level, again and again while it stands.
    """

    store: Store
    find: Callable[[str], Procedure]
    pager: Pager
    sites: Sequence[SiteWatch]
    also_tell: Callable[[Alarm], object] = lambda alarm: None
    lift: Callable[[Alarm], object] = lambda alarm: None

    def work(self) -> None:
        """Page what is wrong and not paged yet; take back what is over. Repeating either does no harm.

        Raises:
            RecoveryError: PagerDuty did not take it; the next look tries again.
        """
        standing = {key: str(said) for key, said in self.store.notes(RAISED).items() if said}
        due = {alarm.key: alarm for alarm in alarms(self.facts())}
        for alarm in due.values():
            if standing.get(alarm.key) != alarm.summary:
                self.pager.trigger(alarm.key, alarm.summary, severity=alarm.severity, details=alarm.details)
                self.also_tell(alarm)
                # Noted once it was taken: what is sent again under the same key is the same page.
                self.store.keep(RAISED, alarm.key, alarm.summary)
            if alarm.level > 1:
                self.lift(alarm)
        for key in standing.keys() - due.keys():
            self.pager.resolve(key)
            self.store.keep(RAISED, key, "")

    def facts(self) -> Facts:
        """What can be seen in the store."""
        mine = [run for run in self.store.readable(self.store.runs(open_only=True)) if not is_errand(run)]
        newest = self.store.readable(self.store.runs(limit=LOOKED_AT))
        ended = [run for run in newest if run not in mine and self._was_alone_lately(run)]
        runs = tuple(self._run(self.store.entries(run)) for run in (*mine, *ended))
        at_work = {(one.site, one.service) for one in map(self.store.run, mine)}
        return Facts(self.store.clock(), tuple(site.facts(at_work) for site in self.sites), runs)

    def _was_alone_lately(self, name: str) -> bool:
        """A recovery of a minute must not be over before anybody heard that nobody approved it."""
        run = self.store.run(name)
        return bool(run.glass) and run.finished_at is not None and self.store.clock() - run.finished_at < ALONE_FOR

    def _run(self, told: list[Entry]) -> RunFacts:
        run = fold(told)
        procedure = known(self.find, run.procedure)
        failed = run.failure is not None and not run.failure.stopped
        asked = run.question if run.asking and run.question and _for_others(run.question) else None
        asked_at = _last(told, Kind.ASKED) if asked else None
        return RunFacts(
            run=run.id,
            what=summary_of(told),
            requested_at=run.requested_at,
            rto=procedure.rto if procedure else None,
            failed_at=_last(told, Kind.FAILED, Kind.UNDO_FAILED) if failed else None,
            failure=run.failure.said if run.failure else "",
            asked_at=asked_at,
            question=asked.title if asked else "",
            by_hand=asked is not None and asked.hand,
            lifted=asked_at is not None and lifted(self.store, approval_key(run.id), asked_at),
            ahead=self._ahead(run, told),
            serving=run.finished is not None or (procedure is not None and passed_no_return(procedure, run)),
            alone=f"{run.glass['name']}: {run.glass['reason']}" if run.glass else "",
        )

    def _ahead(self, run: Run, told: list[Entry]) -> timedelta | None:
        """How long the present act still takes at the speed that it has had."""
        made = notes.progress(self.store, run.id)
        # Of a loop all items count, from the moment when it began.
        began = _last([entry for entry in told if "item" not in entry.data], Kind.BEGAN)
        done, total = (float(made.get(name) or 0) for name in ("done", "total")) if made else (0.0, 0.0)
        if run.open_step is None or began is None or not 0 < done <= total:
            return None
        return (self.store.clock() - began) * ((total - done) / done)


def _for_others(question: Question) -> bool:
    """Whether somebody else than who asked has to act: a second person, or whoever does by hand what no machine can."""
    return question.hand or any(option.get("who") == MayAnswer.SECOND for option in question.options)


def _last(told: list[Entry], *kinds: Kind) -> datetime | None:
    return next((entry.at for entry in reversed(told) if entry.kind in kinds), None)


def caller(pagerduty: PagerDuty | None, contacts: ContactSettings) -> Callable[[Alarm], None]:
    """Pages alone whoever has the role that an alarm names: the CTO, where nobody else approved."""

    def call(alarm: Alarm) -> None:
        people = people_of(alarm.role, contacts) if alarm.role else ()
        for contact in people:
            if contact.pagerduty and pagerduty is not None:
                pagerduty.call(f"{alarm.key} {contact.pagerduty}", alarm.summary, contact.pagerduty)

    return call
