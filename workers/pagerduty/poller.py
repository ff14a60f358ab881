"""Asks PagerDuty how its incidents stand, for those whom no webhook can reach, and for what one has lost.

What it sees is kept as a webhook's event is, so that both at once make no doubles. Nobody's clock is
compared with PagerDuty's: an observation counts as just after what was known when it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from actions.engine.errors import NOT_READ, why_not
from actions.incidents import incident as incidents
from actions.incidents.alert import Alert
from actions.incidents.kept_events import keep_event, note_unread
from actions.incidents.pagerduty_events import SEEN, observed, storable, tidied
from actions.store.store import Store
from actions.tools.outside import Paged, PagerDuty

log = structlog.get_logger("mayday.pagerduty")

_CURSOR = ("cursor", "pagerduty poll")
_OVERLAP = timedelta(minutes=5)
"""Looked at again each time: clocks differ, and PagerDuty's lists may lag behind."""
_LOOKED_AT = 100
_SINGLE = 25
"""How many are asked for one by one in a round; the rest waits for the next."""
_TICK = timedelta(microseconds=1)


@dataclass
class Poller:
    """One look at all of PagerDuty's incidents that matter to us."""

    store: Store
    pagerduty: PagerDuty

    def work(self) -> None:
        """Keep what has changed since what we know.

        Raises:
            RecoveryError: PagerDuty does not answer, or says no.
        """
        began, known, unread = self.store.clock(), self._known(), dict[str, str]()
        listed = self.pagerduty.updated_since(self._since(began), unread.__setitem__)
        self._keep(listed, known, unread)
        seen = {paged.id for paged in listed} | unread.keys()
        missing = [alert.paged.id for alert in known.values() if alert.open and alert.paged.id not in seen]
        self._keep(self._one_by_one(missing[:_SINGLE], unread), known, unread)
        note_unread(self.store, unread)
        # Moved last, and to before the question: what is seen twice is kept once, what is passed over is lost.
        self.store.keep(*_CURSOR, began.isoformat())

    def _since(self, now: datetime) -> datetime:
        """From the last good look on; the first time from now, as what is over is no business of ours."""
        kept = self.store.note(*_CURSOR)
        return (datetime.fromisoformat(kept) if kept else now) - _OVERLAP

    def _known(self) -> dict[str, Alert]:
        """What is known of every alert, read before PagerDuty is asked."""
        known: dict[str, Alert] = {}
        for name in self.store.incidents(_LOOKED_AT):
            try:
                known |= incidents.fold(self.store.entries(name)).alerts
            except NOT_READ as trouble:
                log.error(
                    "the journal of an incident cannot be read; it is passed over", incident=name, why=str(trouble)
                )
        return known

    def _one_by_one(self, ids: Iterable[str], unread: dict[str, str]) -> Iterator[Paged]:
        for id in ids:
            try:
                paged = self.pagerduty.incident(id)
            except NOT_READ as trouble:
                unread[id] = why_not(trouble)
                continue
            if paged is not None:
                yield paged

    def _keep(self, found: Iterable[Paged], known: dict[str, Alert], unread: dict[str, str]) -> None:
        for paged in found:
            try:
                self._keep_one(tidied(paged), known)
            except NOT_READ as trouble:
                unread[str(paged.id)] = why_not(trouble)

    def _keep_one(self, paged: Paged, known: dict[str, Alert]) -> None:
        before = known.get(paged.id)
        if before is not None and _same(before.paged, paged):
            return
        at = _since(before, paged)
        alert = Alert(paged, at, f"{SEEN}{paged.status}", by=paged.acknowledger)
        # One with an id that is none is kept too, and set aside by whoever takes it in.
        keep_event(self.store, observed(alert), storable(f"seen {paged.id} {at.isoformat()} {_state(paged)}"))


def _since(before: Alert | None, paged: Paged) -> datetime:
    """From when it counts: from PagerDuty's own moment where its status is another, else just after what was known."""
    changed = paged.changed_at or paged.created_at
    if before is None:
        return max(paged.created_at, changed)
    later = before.at + _TICK
    return later if before.paged.status == paged.status else max(later, changed)


def _same(known: Paged, seen: Paged) -> bool:
    """Whether nothing that people see is different. What webhooks and REST spell differently does not count."""
    return _shown(known) == _shown(seen) and seen.alerts in (0, known.alerts)


def _shown(paged: Paged) -> tuple[object, ...]:
    return paged.status, paged.urgency, paged.title, paged.priority, paged.service, sorted(paged.assignees)


def _state(paged: Paged) -> str:
    said = f"{paged.status} {paged.urgency} {paged.priority} {len(paged.assignees)} {paged.alerts}"
    # One that was somebody else's is seen anew where it is moved to us.
    return f"{said} {paged.service}"
