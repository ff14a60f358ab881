"""Tells PagerDuty what the recoveries of an incident have reached: a note for each milestone, exactly once.

A note has no idempotency key. So it is looked for among the incident's notes, by its mark, before it is
written, and the cursor moves only afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from actions.engine.errors import NOT_READ, Away, RecoveryError
from actions.engine.ids import is_errand
from actions.engine.procedure import Outcome, Procedure
from actions.errands import status_page_publish
from actions.incidents import incident as incidents
from actions.incidents.alert import Alert
from actions.incidents.draft_offers import kind_now, newest_recovery, offered, over, to_publish
from actions.incidents.incident import Incident
from actions.incidents.incident_actions import remark
from actions.incidents.milestones import Milestone, mark, milestones
from actions.incidents.open_errands import ITSELF, open_errand
from actions.settings.outside import StatusPageSettings
from actions.stack.manual import MANUAL
from actions.stack.stack import Stack
from actions.store import notes
from actions.store.store import Store
from actions.tools.outside import PagerDuty

log = structlog.get_logger("mayday.milestones")

SINK = "pagerduty"
"""The name under which the cursors are kept."""
_LET_OUT = "let out"
"""The kind of the notes that tell which updates were let out without a person."""
_LEFT_TO_PEOPLE = "left to people"
"""The kind of the notes that tell of which incidents somebody was asked whether the public shall read their end."""
_LOOKED_AT = 100
_FOLLOWED = timedelta(days=2)
"""So long after it was over an incident may still have a run that goes on."""


@dataclass
class MilestoneNotes:
    """The sink. Without `pagerduty` only the status page is told, where the settings let it out by itself."""

    store: Store
    find: Callable[[str], Procedure]
    pagerduty: PagerDuty | None
    statuspage: StatusPageSettings
    site: str
    enqueue: Callable[[str], object] = lambda run: None
    stack: Stack = MANUAL
    _seen: int = -1

    def work(self) -> None:
        """Tell what has not been told yet.

        Raises:
            Away: PagerDuty does not answer; it goes on there the next time.
        """
        change = self.store.change()
        if change == self._seen:
            return
        for name in self.store.incidents(_LOOKED_AT):
            try:
                self._follow(incidents.fold(self.store.entries(name)))
            except NOT_READ as trouble:
                log.error("an incident cannot be read; it is passed over", incident=name, why=str(trouble)[:200])
        self._seen = change

    def _follow(self, incident: Incident) -> None:
        over = incident.over_at
        if over is not None and self.store.clock() - over > _FOLLOWED:
            return
        self._opened(incident)
        self._over(incident)
        for linked in incident.runs:
            if not is_errand(linked.run):
                self._run(incident, linked.run)

    def _opened(self, incident: Incident) -> None:
        """The two drafts that no run stands for."""
        if incident.open:
            self._publish(incident, None, "opened")

    def _over(self, incident: Incident) -> None:
        """What the public was told is wrong is said to be over by whoever may say so: a person, or the settings."""
        told = [linked.run for linked in incident.runs if linked.procedure == status_page_publish.PROCEDURE.name]
        posts = list(map(self.store.run, told))
        done = [run for run in posts if run.finished is Outcome.DONE]
        if incident.open or not done or done[-1].request["draft"]["status"] == "resolved":
            return
        if any(run.finished is None and run.request["draft"]["status"] == "resolved" for run in posts):
            # Somebody has published the end already, and it is on its way.
            return
        # An incident that comes back and is published again is over again.
        key, newest = f"status over {done[-1].id}", str(done[-1].request["draft"]["status"])
        if over(incident) and "resolved" in self.statuspage.automatic:
            errand = to_publish(incident, offered(self.statuspage, incident, None, "resolved", self.stack))
            run, new = open_errand(self.store, errand, incident, ITSELF, site=self.site, key=key)
            if new:
                self.enqueue(run)
        elif self.store.note(_LEFT_TO_PEOPLE, key) is None:
            kind = kind_now(incident, newest_recovery(self.store, incident, self._procedure))
            remark(self.store, incident.id, _left_to_people(incident, newest), key=key, offers=kind)
            self.store.keep(_LEFT_TO_PEOPLE, key, "")

    def _run(self, incident: Incident, run: str) -> None:
        told = self.store.entries(run)
        after = notes.cursor(self.store, SINK, run)
        if not told or told[-1].n <= after:
            return
        for milestone in milestones(told, self._procedure(told[0].data["procedure"]), after):
            self._note(incident, milestone)
            self._publish(incident, milestone, milestone.draft)
            self._offer(incident, milestone)
            notes.move_cursor(self.store, SINK, run, milestone.entry.n)
        notes.move_cursor(self.store, SINK, run, told[-1].n)

    def _note(self, incident: Incident, milestone: Milestone) -> None:
        if self.pagerduty is None or incident.lead is None:
            return
        began, page = _page(incident.lead), _page(next(iter(incident.open_alerts), incident.lead))
        try:
            # It may stand with the first alert since before that was resolved.
            written = [text for one in {began, page} for text in self.pagerduty.notes(one)]
            if not any(mark(milestone.entry) in text for text in written):
                self.pagerduty.note(page, milestone.marked)
        except Away:
            raise
        except RecoveryError as refusal:
            # What PagerDuty will never take must not keep everything after it back.
            log.error("a note was not taken", incident=incident.id, error=refusal.said, detail=refusal.detail)

    def _publish(self, incident: Incident, milestone: Milestone | None, kind: str | None) -> None:
        """Let an update out by itself, where the settings allow that for its kind."""
        for allowed in self.statuspage.automatic if self.statuspage.kind else ():
            at = f"{milestone.entry.run}:{milestone.entry.n}" if milestone else incident.id
            key = f"status {allowed} {at}"
            if allowed != kind or self.store.note(_LET_OUT, key) is not None:
                continue
            run = self.store.run(milestone.entry.run) if milestone else None
            errand = to_publish(incident, offered(self.statuspage, incident, run, allowed, self.stack))
            self.enqueue(open_errand(self.store, errand, incident, ITSELF, site=self.site, key=key)[0])
            # The inbox forgets its keys after a day, and an incident is followed for longer.
            self.store.keep(_LET_OUT, key, "")

    def _offer(self, incident: Incident, milestone: Milestone) -> None:
        """Say in the thread that an update for the public is ready, where it does not go out by itself."""
        kind, page = milestone.draft, self.statuspage
        if kind is None or not page.kind or kind in page.automatic or not incident.open:
            return
        said = f"{milestone.text} An update for the status page is ready."
        remark(self.store, incident.id, said, key=f"offer {milestone.entry.run}:{milestone.entry.n}", offers=kind)

    def _procedure(self, name: str) -> Procedure | None:
        try:
            return self.find(name)
        except RecoveryError:
            return None


def _page(alert: Alert) -> str:
    """The PagerDuty incident in which somebody reads of that alert."""
    return alert.paged.merged_into or alert.paged.id


def _left_to_people(incident: Incident, newest: str) -> str:
    """What stands on the page although the incident is over here, and that nobody has changed that."""
    page = f"The status page still says *{newest}* of it, and nothing was published."
    if over(incident):
        return f"{page} An update that it is over is ready: it goes out when you publish it."
    return f"{page} The incident goes on elsewhere, so whether the public reads that it is over is for you to say."
