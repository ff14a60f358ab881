"""From stored events to journals: many in one transaction, so that a storm is one thread and nothing is doubled."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import reduce

from actions.engine.errors import NOT_READ, why_not
from actions.engine.facts import to_json
from actions.engine.ids import INCIDENT, new_id
from actions.engine.journal import Entry, Kind
from actions.incidents import incident as incidents
from actions.incidents.alert import Alert, came_back, joined
from actions.incidents.alert_grouping import IncidentScope, Rules, home, scope_of
from actions.incidents.incident import Incident
from actions.incidents.kept_events import EVENT, WAITING, put_aside
from actions.incidents.pagerduty_events import PagerDutyNote, Unread, heard, storable
from actions.store.store import Store
from actions.store.transaction import Draft, Transaction

_log = logging.getLogger(__name__)
ALERT = "alert"
"""The kind of note that holds the incident of each alert."""
_BATCH = 250
"""So many take a fraction of a second, in which nobody else writes into an embedded store."""
_LOOKED_AT = 50
# A note may overtake the event of its incident; of one without a thread it would wait for ever.
_REMARKS_WAIT = timedelta(minutes=10)

Reader = Callable[[str, int], list[Entry]]
"""Reads a journal's entries after a position."""


@dataclass
class OpenIncidents:
    """The incidents that alerts may fold into, as they were when last taken from the store. One thread's own.

    A storm comes in many batches; folding a thousand alerts anew for each of them would take too long.
    """

    incidents: dict[str, Incident] = field(default_factory=dict)
    scopes: dict[str, IncidentScope] = field(default_factory=dict)

    def put(self, incident: Incident, scope: IncidentScope | None = None) -> None:
        """Keep an incident as it is now."""
        self.incidents[incident.id] = incident
        self.scopes[incident.id] = scope or scope_of(incident)


def take_in(store: Store, rules: Rules, open_incidents: OpenIncidents | None = None) -> list[str]:
    """Turn events that wait into entries; returns the incidents that changed. One at a time may do this.

    An event that cannot be read, or with which nothing can be done, is set aside alone, with why.
    """
    waiting, kept = list(store.notes(WAITING))[:_BATCH], open_incidents or OpenIncidents()
    try:
        return _take(store, rules, kept, waiting)
    except NOT_READ:
        _log.exception("%d events could not be taken in together; each is tried alone", len(waiting))
    changed = []
    for key in waiting:
        try:
            changed += _take(store, rules, kept, [key])
        except NOT_READ as error:
            _log.exception("an event of PagerDuty is set aside")
            put_aside(store, {key: storable(why_not(error))})
    return list(dict.fromkeys(changed))


def _take(store: Store, rules: Rules, kept: OpenIncidents, waiting: Sequence[str]) -> list[str]:
    if not waiting:
        return []
    names = store.incidents(_LOOKED_AT)
    # Read before: within the transaction nobody else writes, and webhooks wait for it.
    said = {key: heard(str(store.note(EVENT, key) or "")) for key in waiting}
    found = {key: one for key, one in said.items() if not isinstance(one, Unread)}
    _refresh(kept, names, store.tips(names), store.entries)

    def write(tx: Transaction) -> list[Entry]:
        _refresh(kept, names, tx.tips(names), tx.read)
        return _TakingIn(store, tx, rules, kept, names).through(found)

    written = store.at_once("events", write)
    for entry in written:
        _shelve(kept, [entry])
    put_aside(store, {key: one.why for key, one in said.items() if isinstance(one, Unread)})
    return list(dict.fromkeys(entry.run for entry in written))


def _refresh(open_incidents: OpenIncidents, names: Iterable[str], tips: Mapping[str, int], read: Reader) -> None:
    """What others wrote meanwhile, of the incidents that grew."""
    for name in names:
        known = open_incidents.incidents.get(name)
        last = known.last if known else 0
        if tips.get(name, 0) > last:
            try:
                _shelve(open_incidents, read(name, last))
            except NOT_READ:
                _log.exception("the incident %s cannot be read; no alert joins it", name)


def _shelve(open_incidents: OpenIncidents, told: list[Entry]) -> None:
    """Keep what these entries of one incident tell more."""
    if not told:
        return
    known = open_incidents.incidents.get(told[0].run)
    if known is None:
        open_incidents.put(incidents.fold(told))
        return
    now = reduce(incidents.after, told, known)
    fresh = (alert for id, alert in now.alerts.items() if known.alerts.get(id) is not alert)
    scope = replace(open_incidents.scopes[known.id], closed=now.closed_at)
    open_incidents.put(now, reduce(IncidentScope.taking, fresh, scope))


class _TakingIn:
    """One batch within one transaction. The open incidents are not changed: it may have to begin anew."""

    def __init__(
        self, store: Store, tx: Transaction, rules: Rules, open_incidents: OpenIncidents, names: Sequence[str]
    ) -> None:
        self._store, self._tx, self._rules, self._open_incidents = store, tx, rules, open_incidents
        self._grounds = {name: open_incidents.scopes[name] for name in names if name in open_incidents.scopes}
        self._news: dict[str, dict[str, Alert]] = defaultdict(dict)
        self._latest: dict[str, Alert] = {}
        self._notes: set[str] = set()
        self._drafts: dict[str, list[Draft]] = defaultdict(list)

    def through(self, found: Mapping[str, Alert | PagerDutyNote | None]) -> list[Entry]:
        alerts = [self._rules.placed(said) for said in found.values() if isinstance(said, Alert)]
        # The oldest first, so that what arrived out of order is folded as if it had not.
        for alert in sorted(alerts, key=lambda alert: (alert.paged.created_at, alert.newness)):
            self._alert(alert)
        for name in list(self._news):
            self._tell(name)
        later = {key for key, said in found.items() if isinstance(said, PagerDutyNote) and not self._remark(said)}
        for key in found.keys() - later:
            self._tx.drop(WAITING, key)
        return [entry for name, drafts in self._drafts.items() for entry in self._write(name, drafts)]

    def _write(self, name: str, drafts: list[Draft]) -> list[Entry]:
        known = self._open_incidents.incidents.get(name)
        # The last entry is enough: the next one is chained to its hash.
        before = self._tx.read(name, known.last - 1) if known else []
        return self._store.add(self._tx, name, before, self._telling_ends(name, known, drafts))

    def _telling_ends(self, name: str, known: Incident | None, drafts: list[Draft]) -> list[Draft]:
        """The same, where what PagerDuty says tells as well whether the incident is over with it."""
        told, now = list[Draft](), self._store.clock()
        for kind, step, data in drafts:
            n = known.last + 1 if known else 1
            entry = Entry(name, n, now, kind, step, data)
            known = incidents.after(known, entry) if known else incidents.fold([entry])
            told.append((kind, step, {**data, "over": not known.open} if kind is Kind.ALERTED else data))
        return told

    def _alert(self, alert: Alert) -> None:
        name = self._home(alert)
        if not name:
            return
        held = self._open_incidents.incidents.get(name)
        stood = held.alerts.get(alert.paged.id) if held else None
        known = self._latest.get(alert.paged.id) or stood
        now = joined(known, alert)
        if now != known:
            if alert.paged.id in self._news[name] and came_back(stood, known, now):
                self._tell(name)
            self._latest[alert.paged.id] = now
            self._news[name][alert.paged.id] = now
            self._grounds[name] = self._grounds.get(name, IncidentScope(name)).taking(now)
        if not self._news[name]:
            del self._news[name]

    def _tell(self, name: str) -> None:
        """One entry of what is new by now."""
        news = self._news.pop(name)
        self._drafts[name].append((Kind.ALERTED, None, {"alerts": [to_json(alert) for alert in news.values()]}))

    def _home(self, alert: Alert) -> str:
        """The incident of an alert; a new one where it has none, empty where it gets no thread."""
        name = str(self._tx.kept(ALERT, alert.paged.id) or "")
        if name:
            self._know(name)
            return name
        name = home(alert, self._grounds.values(), self._rules)
        if not name and not self._rules.ours(alert):
            return ""
        name = name or self._opened(alert)
        self._tx.first(ALERT, alert.paged.id, name)
        return name

    def _know(self, name: str) -> None:
        """An incident that is too old to be looked at for new alerts is still that of its own."""
        if name not in self._open_incidents.incidents and name not in self._drafts:
            _shelve(self._open_incidents, self._tx.read(name))

    def _opened(self, alert: Alert) -> str:
        name = new_id(self._store.clock(), INCIDENT)
        told = {"source": "pagerduty", "title": alert.paged.title, "service": alert.service}
        self._drafts[name].append((Kind.OPENED, None, told))
        # Before all others: an alert that fits two incidents goes into the newest.
        self._grounds = {name: IncidentScope(name), **self._grounds}
        return name

    def _remark(self, said: PagerDutyNote) -> bool:
        """Whether a note of PagerDuty found its incident, or need not wait for it any longer."""
        name = str(self._tx.kept(ALERT, said.alert) or "")
        if not name:
            return self._store.clock() - said.at > _REMARKS_WAIT
        self._know(name)
        held = self._open_incidents.incidents.get(name)
        if said.id not in self._notes and not (held and said.id in held.notes):
            self._notes.add(said.id)
            told = {"text": said.text, "by": said.by, "at": said.at.isoformat(), "note": said.id}
            self._drafts[name].append((Kind.NOTED, None, told))
        return True
