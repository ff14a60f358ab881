"""Schedules: each due time opens one run, whoever looks, however many look, and whatever the clock does.

A due time is taken by a unique row in the transaction that opens its run, so nobody has to lead. What was missed, as
nobody looked or the service was held, is run late once or passed over, as its schedule says; both are kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any

from actions.clock.cron import CronExpression
from actions.clock.times import span_words
from actions.control.requests import Subject, open_run
from actions.engine.due_times import DueTime
from actions.engine.errors import Busy, RecoveryError
from actions.engine.procedure import Procedure
from actions.engine.rights import Speaker
from actions.engine.run import SYSTEM
from actions.store.store import Store

log = logging.getLogger("mayday.schedules")

NOTE = "schedule"
"""The kind of the note that tells since when a schedule is watched; its key is the schedule's name."""
MOST = 100
"""So many missed due times are kept one by one; of what lies before them the oldest of these tells."""


class Missed(StrEnum):
    """What becomes of a due time that was missed."""

    LATE = "late"  # run once, for the newest of those that were missed
    SKIP = "skip"


@dataclass(frozen=True)
class Schedule:
    """When what is asked for, by whom of nobody. `request` gives what is asked for, once it is due.

    A due time is missed once `grace` is over: until then it is tried again and again. It waits for the run of the due
    time before it to end. A run that has its service for itself has those `beside` for itself too.
    """

    name: str
    when: CronExpression
    procedure: Procedure
    request: Callable[[datetime], Any]
    subject: Subject
    missed: Missed = Missed.LATE
    grace: timedelta = timedelta(minutes=5)
    beside: Sequence[str] = ()


@dataclass
class Ticker:
    """Looks at schedules and opens what is due; any number of them may look at the same ones at the same time."""

    store: Store
    schedules: Sequence[Schedule]
    enqueue: Callable[[str], object] = lambda run: None
    _why: dict[str, str] = field(default_factory=dict)
    """By schedule, what kept its newest due time from being begun."""

    def tick(self) -> list[str]:
        """Open what is due now; the runs that are new.

        Raises:
            RecoveryError: one could not be opened. All others were looked at.
        """
        opened, troubles = list[str](), list[RecoveryError]()
        for schedule in self.schedules:
            try:
                opened += self._of(schedule, self.store.clock())
            except Busy as busy:
                log.info("the schedule '%s' waits: %s", schedule.name, busy.message)
            except RecoveryError as trouble:
                troubles.append(trouble)
        if troubles:
            raise troubles[0]
        return opened

    def _of(self, schedule: Schedule, now: datetime) -> Iterable[str]:
        since = self._since(schedule, now)
        start = max(since, self.store.last_due(schedule.name, now) or since)
        # The oldest first: a later one does not overtake one that waits.
        dues = [*islice(schedule.when.latest(now, start), MOST)][::-1]
        missed = [due for due in dues if now - due > schedule.grace]
        late = missed[-1:] if schedule.missed is Missed.LATE and len(missed) == len(dues) else []
        passed = [due for due in missed if due not in late]
        self._pass_over(schedule, passed, superseded=len(passed) < len(dues))
        opened = []
        for due in dues[len(passed) :]:
            if run := self._open(schedule, due, f"{span_words(now - due)} late" if due in late else ""):
                opened.append(run)
        return opened

    def _since(self, schedule: Schedule, now: datetime) -> datetime:
        """From when on due times count: what lies before a schedule was made, or changed, was never promised."""
        when = f"{schedule.when.text} {schedule.when.zone}"
        noted = self.store.note(NOTE, schedule.name) or {}
        since = datetime.fromisoformat(noted["since"]) if noted.get("when") == when else None
        # One from the future was noted while the clock was wrong.
        if since is None or since > now:
            self.store.keep(NOTE, schedule.name, {"since": now.isoformat(), "when": when})
            return now
        return since

    def _open(self, schedule: Schedule, due: datetime, why: str) -> str:
        try:
            self._must_have_ended(schedule)
            opened = open_run(
                self.store,
                schedule.procedure,
                schedule.request(self.store.clock()),
                by=Speaker(SYSTEM, f"schedule {schedule.name}", may_ask=True, may_approve=False),
                subject=schedule.subject,
                origin={"sink": "schedule", "schedule": schedule.name, "due": due.isoformat(), "late": why},
                key=f"schedule {schedule.name} {due.isoformat()}",
                due=DueTime(schedule.name, due, why),
                beside=schedule.beside,
            )
        except RecoveryError as trouble:
            self._why[schedule.name] = trouble.message
            raise
        self._why.pop(schedule.name, None)
        if not opened.new:
            return ""
        log.info("the schedule '%s' opened run %s%s", schedule.name, opened.id, f", {why}" if why else "")
        self.enqueue(opened.id)
        return opened.id

    def _must_have_ended(self, schedule: Schedule) -> None:
        last = self.store.last_run_of(schedule.name)
        if last and self.store.run(last).finished is None:
            raise Busy(
                f"Run {last} of the due time before has not ended.",
                code="MD-RUN-043",
                run=last,
                hint=f"Look at it: mayday show {last}",
            )

    def _pass_over(self, schedule: Schedule, dues: Sequence[datetime], *, superseded: bool) -> None:
        why = f"it could not begin: {self._why[schedule.name]}" if schedule.name in self._why else "nobody looked"
        why += "; a later one took its place" if superseded else ""
        passed = [due for due in dues if self.store.pass_over(DueTime(schedule.name, due, why))]
        if passed:
            last = passed[-1].isoformat()
            log.warning("the schedule '%s' passed over %d, the last %s: %s", schedule.name, len(passed), last, why)
