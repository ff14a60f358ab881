"""Raises Mayday's own alarms and takes each back when it is over.

Whoever has the turn does it, worker or bot, since the alarm that no worker lives must come from somebody else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from actions.clock.times import span_words
from actions.engine import notes
from actions.engine.errors import RecoveryError
from actions.engine.fact_roles import fact_with
from actions.engine.facts import from_json
from actions.engine.folding import fold
from actions.engine.ids import is_errand
from actions.engine.journal import Entry, Kind
from actions.engine.next_move import passed_no_return
from actions.engine.procedure import FactRole, MayAnswer, Procedure
from actions.engine.run import Run
from actions.engine.store import Store
from actions.incidents.alarms import ALONE_FOR, Alarm, Facts, RunFacts, alarms, approval_key
from actions.incidents.contacts import people_of
from actions.incidents.page_escalation import lifted
from actions.postgres.archiver import Archiving
from actions.settings.contacts import ContactSettings
from actions.tools.outside import Pager, PagerDuty
from actions.watch.service_condition import conditions

_LOOKED_AT = 20
RAISED = "alarm"
"""The kind of the notes that tell which pages stand; the key is the alarm's."""


@dataclass
class AlarmWatch:
    """One look at a site. `archive_limit` is how long WAL may wait for the archive.

    `also_tell` hears of each new alarm, for people whom the page does not reach by itself. `lift` is given each
    alarm that is for a higher level, again and again while it stands.
    """

    store: Store
    find: Callable[[str], Procedure]
    pager: Pager
    site: str
    service: str
    archive_limit: timedelta = timedelta(minutes=10)
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
        mine = [run for run in self.store.runs(open_only=True) if not is_errand(run)]
        ended = [run for run in self.store.runs(limit=_LOOKED_AT) if run not in mine and self._was_alone_lately(run)]
        runs = tuple(self._run(self.store.entries(run)) for run in (*mine, *ended))
        lost = self._not_arriving() or ("" if mine else self._unrecoverable())
        return Facts(self.store.clock(), self.site, runs, self._worker_at(), lost)

    def _was_alone_lately(self, name: str) -> bool:
        """A recovery of a minute must not be over before anybody heard that nobody approved it."""
        run = self.store.run(name)
        return bool(run.glass) and run.finished_at is not None and self.store.clock() - run.finished_at < ALONE_FOR

    def _run(self, told: list[Entry]) -> RunFacts:
        run = fold(told)
        procedure = self._procedure(run)
        failed = run.failure is not None and not run.failure.stopped
        asked = run.question if run.asking and run.question and _for_second(run) else None
        asked_at = _last(told, Kind.ASKED) if asked else None
        return RunFacts(
            run=run.id,
            what=str(told[0].data.get("summary") or run.procedure),
            requested_at=run.requested_at,
            rto=procedure.rto if procedure else None,
            failed_at=_last(told, Kind.FAILED, Kind.UNDO_FAILED) if failed else None,
            failure=run.failure.said if run.failure else "",
            asked_at=asked_at,
            question=asked.title if asked else "",
            lifted=asked_at is not None and lifted(self.store, approval_key(run.id), asked_at),
            ahead=self._ahead(run, told),
            serving=run.finished is not None or (procedure is not None and passed_no_return(procedure, run)),
            alone=f"{run.glass['name']}: {run.glass['reason']}" if run.glass else "",
        )

    def _procedure(self, run: Run) -> Procedure | None:
        try:
            return self.find(run.procedure)
        except RecoveryError:
            return None

    def _ahead(self, run: Run, told: list[Entry]) -> timedelta | None:
        """How long the present act still takes at the speed that it has had."""
        made = notes.progress(self.store, run.id)
        # Of a loop all items count, from the moment when it began.
        began = _last([entry for entry in told if "item" not in entry.data], Kind.BEGAN)
        done, total = (float(made.get(name) or 0) for name in ("done", "total")) if made else (0.0, 0.0)
        if run.open_step is None or began is None or not 0 < done <= total:
            return None
        return (self.store.clock() - began) * ((total - done) / done)

    def _worker_at(self) -> datetime | None:
        """When a worker of the site last lived: now, or at the last moment that was noticed here."""
        alive = [w for w in notes.living_workers(self.store).values() if w.get("site", self.site) == self.site]
        if alive:
            self.store.keep("alive", self.site, self.store.clock().isoformat())
        seen = self.store.note("alive", self.site)
        return datetime.fromisoformat(seen) if seen else None

    def _not_arriving(self) -> str:
        """Why what is written since the newest recovery does not arrive in the archive, as that run saw it.

        It stands until somebody has looked after that and saw it arrive.
        """
        seen = next(filter(None, (self._arrival(run) for run in self.store.runs(limit=_LOOKED_AT))), None)
        if seen is None or not seen.broken or seen.at is None:
            return ""
        now = conditions(self.store, self.site).get(self.service)
        later = now.reachable if now is not None and now.reachable is not None else None
        since = later.archiving if later is not None and later.seen_at > seen.at else seen
        if since.state == "well":
            return ""
        return f"WAL of {self.service} does not arrive in the archive: {(since if since.broken else seen).brief}"

    def _arrival(self, name: str) -> Archiving | None:
        """What a recovery of the watched service, or a base backup, saw of the archive last."""
        run = self.store.run(name)
        mine = run.service == self.service and run.site == self.site
        fact = fact_with(self._procedure(run), run, FactRole.ARRIVAL) if mine else None
        try:
            return from_json(Archiving, fact) if fact else None
        except ValidationError:  # Another version wrote it.
            return None

    def _unrecoverable(self) -> str:
        """Why nothing recent could be recovered to; nothing where nobody has looked lately."""
        now = self.store.clock()
        seen = conditions(self.store, self.site).get(self.service)
        if seen is None or seen.old(now):
            return ""
        if (blind := seen.blind(now)) > self.archive_limit:
            how_long = span_words(blind)
            return f"backups and archive of {self.service} could not be looked at for {how_long}. {seen.problem}"
        if seen.reachable is None:
            return ""
        if seen.reachable.earliest is None or seen.reachable.latest is None:
            return f"no moment of {self.service} can be reached. Take a base backup: /backup run base"
        if seen.reachable.behind <= self.archive_limit:
            return ""
        archiving = seen.reachable.archiving
        why = f": {archiving.brief}" if archiving.broken else ""
        return f"WAL of {self.service} is not archived any more{why}"


def _for_second(run: Run) -> bool:
    assert run.question is not None
    return any(option.get("who") == MayAnswer.SECOND for option in run.question.options)


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
