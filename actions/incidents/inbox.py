"""From stored events to journals: many in one transaction, so that a storm is one thread and nothing is doubled.

An event is kept under its own id before anybody answers PagerDuty, and waits until it is taken in. The id
outlives the 48 hours for which PagerDuty goes on delivering.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from actions.engine.facts import to_json
from actions.engine.ids import INCIDENT, new_id
from actions.engine.journal import Kind
from actions.engine.ledger import Draft, Pen
from actions.engine.store import Store
from actions.incidents import incident as incidents
from actions.incidents.folding import Ground, Rules, ground_of, home
from actions.incidents.hearing import Remark, heard, id_of
from actions.incidents.incident import Alert, Incident, joined

EVENT, WAITING, ALERT = "event", "event waiting", "alert"
"""Notes: every event by its id, those not taken in yet, and the incident of each alert."""
KEPT_HOURS = 72
"""Longer than PagerDuty's 48 hours of redelivery, with a day for whoever looks what came."""
_BATCH = 250
"""So many take a fraction of a second, in which nobody else writes into an embedded store."""
_LOOKED_AT = 50
_REMARKS_WAIT = timedelta(minutes=10)


def keep_event(store: Store, body: str, key: str = "") -> bool:
    """Keep an event until it is taken in; whether it was never seen before."""
    name = key or id_of(json.loads(body)) or hashlib.sha256(body.encode(errors="surrogatepass")).hexdigest()

    def write(pen: Pen) -> bool:
        return pen.first(EVENT, name[:400], body) and pen.first(WAITING, name[:400], "")

    return store.at_once(name, write)


def forget_old_events(store: Store) -> None:
    """Drop the events that nobody will deliver again."""
    store.forget(EVENT, store.clock() - timedelta(hours=KEPT_HOURS))


def take_in(store: Store, rules: Rules) -> list[str]:
    """Turn events that wait into entries; returns the incidents that changed. One at a time may do this."""
    waiting = list(store.notes(WAITING))[:_BATCH]
    if not waiting:
        return []
    names = store.incidents(_LOOKED_AT)

    def write(pen: Pen) -> list[str]:
        recent = [incidents.fold(pen.read(name)) for name in names]
        return _TakingIn(store, pen, rules, recent).through(waiting)

    return store.at_once("events", write)


class _TakingIn:
    """One batch within one transaction."""

    def __init__(self, store: Store, pen: Pen, rules: Rules, recent: list[Incident]) -> None:
        self._store, self._pen, self._rules = store, pen, rules
        self._recent = {incident.id: incident for incident in recent}
        self._grounds = [ground_of(incident) for incident in recent]
        self._drafts: dict[str, list[Draft]] = defaultdict(list)

    def through(self, waiting: Iterable[str]) -> list[str]:
        found = {key: heard(str(self._pen.kept(EVENT, key) or "")) for key in waiting}
        alerts = [self._rules.placed(said) for said in found.values() if isinstance(said, Alert)]
        self._alerts(sorted(alerts, key=lambda alert: (alert.paged.created_at, alert.newness)))
        later = {key for key, said in found.items() if isinstance(said, Remark) and not self._remark(said)}
        for key in found.keys() - later:
            self._pen.drop(WAITING, key)
        for name, drafts in self._drafts.items():
            self._store.add(self._pen, name, self._pen.read(name), drafts)
        return list(self._drafts)

    def _alerts(self, alerts: list[Alert]) -> None:
        """The oldest first, so that what arrived out of order is folded as if it had not."""
        news: dict[str, dict[str, Alert]] = defaultdict(dict)
        for alert in alerts:
            incident = self._home(alert)
            if incident is None:
                continue
            known = incident.alerts.get(alert.paged.id)
            now = joined(known, alert)
            if now != known:
                news[incident.id][alert.paged.id] = now
                self._know(incident, now)
        for name, changed in news.items():
            said = [to_json(alert) for alert in changed.values()]
            self._drafts[name].append((Kind.ALERTED, None, {"alerts": said}))

    def _home(self, alert: Alert) -> Incident | None:
        """The incident of an alert; a new one where it has none, None where it gets no thread."""
        name = str(self._pen.kept(ALERT, alert.paged.id) or "")
        if name:
            return self._named(name)
        name = home(alert, self._grounds, self._rules)
        if not name and not self._rules.ours(alert):
            return None
        incident = self._named(name) if name else self._opened(alert)
        self._pen.first(ALERT, alert.paged.id, incident.id)
        return incident

    def _named(self, name: str) -> Incident:
        if name not in self._recent:
            self._recent[name] = incidents.fold(self._pen.read(name))
        return self._recent[name]

    def _opened(self, alert: Alert) -> Incident:
        now = self._store.clock()
        name = new_id(now, INCIDENT)
        told: dict[str, Any] = {"source": "pagerduty", "title": alert.paged.title, "service": alert.service}
        self._drafts[name].append((Kind.OPENED, None, told))
        self._recent[name] = Incident(name, now, told)
        self._grounds.insert(0, Ground(name))  # An alert that fits two incidents goes into the newest.
        return self._recent[name]

    def _know(self, incident: Incident, alert: Alert) -> None:
        alerts = incident.alerts
        assert isinstance(alerts, dict)
        alerts[alert.paged.id] = alert  # Built here for this batch alone; a copy for each of 1,000 is too slow.
        for ground in self._grounds:
            if ground.incident == incident.id:
                ground.take(alert)

    def _remark(self, said: Remark) -> bool:
        """Whether a note of PagerDuty found its incident, or need not wait for it any longer."""
        name = self._pen.kept(ALERT, said.alert)
        if not name:
            return self._store.clock() - said.at > _REMARKS_WAIT
        incident = self._named(str(name))
        if said.id not in incident.notes:
            told = {"text": said.text, "by": said.by, "at": said.at.isoformat(), "note": said.id}
            self._drafts[incident.id].append((Kind.NOTED, None, told))
            self._recent[incident.id] = replace(incident, notes=incident.notes | {said.id})
        return True
