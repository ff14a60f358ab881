"""A primary that is lost: one incident with the evidence, whoever sees it and however often.

Any number of workers may find the same loss. What they write has keys that follow from a note in the store, so there is
one incident and one run for each loss, whoever dies at whatever moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actions.control.requests import Subject
from actions.engine.ids import INCIDENT, new_id
from actions.engine.journal import Kind
from actions.engine.run import SYSTEM
from actions.incidents.incident_actions import known, remark
from actions.incidents.loss_evidence import evidence_of, title_of
from actions.incidents.offered_failover import OfferedFailover
from actions.incidents.open_errands import ITSELF, open_errand, to_page
from actions.store.store import Store
from actions.watch.cluster_status import ClusterStatus
from actions.watch.replication_health import ClusterState

log = logging.getLogger("mayday.replication")

NOTE = "primary loss"
"""The kind of the notes; the key is the primary's site and service."""
SEVERITY = "critical"


@dataclass
class PrimaryLoss:
    """Tells of losses. `pages` says whether PagerDuty is set up, so that the person on call is paged."""

    store: Store
    failover: OfferedFailover
    pages: bool = False
    enqueue: Callable[[str], object] = lambda run: None

    def tell(self, status: ClusterStatus) -> str:
        """Open the incident of a lost primary with what belongs to it, as far as that was not done; its id.

        Where somebody takes writes again the losses of the cluster are over, and nothing is returned.
        """
        verdict = status.verdict
        if verdict.state is not ClusterState.LOST:
            self._see_whether_over(status)
            return ""
        note = self._note(verdict.primary)
        if not note or note["over"]:
            note = self._opened(status, int(note.get("number", 0)) + 1)
        incident = str(note["incident"])
        if not note["told"]:
            self._page(incident)
            if self.failover.offer(verdict, incident):
                self._keep(verdict.primary, {**note, "told": True})
        return incident

    def _opened(self, status: ClusterStatus, number: int) -> dict[str, Any]:
        who = status.verdict.primary
        inbox, name = f"primary lost {_key(who)} {number}", new_id(self.store.clock(), INCIDENT)
        told = {"source": "watch", "title": title_of(status), "severity": SEVERITY, "service": who.service}
        told |= {"by": SYSTEM, "name": "Mayday"}
        evidence = {"text": "\n".join(evidence_of(status)), "by": "Mayday"}
        if self.store.extend(name, lambda _: [(Kind.OPENED, None, told), (Kind.NOTED, None, evidence)], key=inbox):
            log.warning("the primary %s is lost: incident %s", _key(who), name)
        # Of two who saw it at once one has opened it.
        note = {"number": number, "incident": str(self.store.note("inbox", inbox)), "over": False, "told": False}
        self._keep(who, note)
        return note

    def _page(self, incident: str) -> None:
        if self.pages:
            page, site = to_page(known(self.store, incident)), self.failover.stack[0].name
            key = f"errand page {incident}"
            run, new = open_errand(self.store, page, known(self.store, incident), ITSELF, site=site, key=key)
            if new:
                self.enqueue(run)

    def _see_whether_over(self, status: ClusterStatus) -> None:
        record = status.records.get(status.verdict.primary)
        if record is None or not record.probe.writes or status.verdict.state is ClusterState.SPLIT:
            return
        for who in status.members.all:
            note = self._note(who)
            if note and not note["over"]:
                self._keep(who, {**note, "over": True})
                self._end(str(note["incident"]), who, status.verdict.primary)

    def _end(self, incident: str, lost: Subject, primary: Subject) -> None:
        again = f"{lost.service} answers again and takes writes."
        said = again if lost == primary else f"{primary.service} @ {primary.site} takes writes now."
        remark(self.store, incident, said, key=f"over {incident}")
        if lost == primary:
            self.failover.withdraw(incident)

    def _note(self, who: Subject) -> dict[str, Any]:
        found: dict[str, Any] = self.store.note(NOTE, _key(who)) or {}
        return found

    def _keep(self, who: Subject, note: dict[str, Any]) -> None:
        self.store.keep(NOTE, _key(who), note)


def _key(who: Subject) -> str:
    return f"{who.site} {who.service}"
