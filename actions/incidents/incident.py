"""An incident as its journal tells it: folded from the entries, never stored.

What PagerDuty says of one of its own incidents, here an alert, is kept by the newest moment at which it was
true, whatever the order in which it arrived and however often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from actions.engine.facts import from_json
from actions.engine.journal import Entry, Kind
from actions.objectives import objective_of
from actions.outside import Paged

SEVERITIES = ("critical", "high", "medium", "low")


class State(StrEnum):
    """How an incident stands. `merged` was resolved by joining another incident of PagerDuty."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    MERGED = "merged"


@dataclass(frozen=True)
class Alert:
    """One incident of PagerDuty as it stood at a moment. `service` is our container, empty where none is mapped."""

    paged: Paged
    at: datetime
    event: str
    service: str = ""
    by: str = ""

    @property
    def newness(self) -> tuple[datetime, str]:
        """What decides between two tellings of the same alert."""
        return self.at, self.event

    @property
    def open(self) -> bool:
        """Whether it is not resolved."""
        return self.paged.status != State.RESOLVED


@dataclass(frozen=True)
class Linked:
    """A run that belongs to the incident; `pursues` is what an errand wants PagerDuty to say, or nothing."""

    run: str
    procedure: str
    name: str
    at: datetime
    pursues: str = ""


@dataclass(frozen=True)
class Pin:
    """Something said that belongs to the timeline: `at` is when it was said."""

    at: datetime
    text: str
    by: str
    key: str


@dataclass(frozen=True)
class Incident:
    """The state of one incident. `told` is what it was opened with; `roles` are names by role; `ends` are when its
    alerts were resolved, which nothing moves that PagerDuty changes of them later."""

    id: str
    opened_at: datetime
    told: Mapping[str, Any]
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    ends: Mapping[str, datetime] = field(default_factory=dict)
    severity: str = ""
    roles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pins: tuple[Pin, ...] = ()
    runs: tuple[Linked, ...] = ()
    notes: frozenset[str] = frozenset()
    closed_at: datetime | None = None
    last: int = 0

    # Sought once: a storm has a thousand alerts, and every look asks for it.
    @cached_property
    def lead(self) -> Alert | None:
        """The alert that began it: the oldest in PagerDuty."""
        return min(self.alerts.values(), key=lambda a: (a.paged.created_at, a.paged.id), default=None)

    @property
    def title(self) -> str:
        """What is wrong."""
        return self.lead.paged.title if self.lead else str(self.told.get("title") or "")

    @property
    def service(self) -> str:
        """The container that it is about, empty where none is known."""
        return (self.lead.service if self.lead else "") or str(self.told.get("service") or "")

    @property
    def state(self) -> State:
        """How it stands, by what people said and what PagerDuty says of its alerts."""
        said = {alert.paged.status for alert in self.alerts.values()}
        if self.closed_at is not None:
            return State.RESOLVED
        if State.TRIGGERED in said:
            return State.TRIGGERED
        if State.ACKNOWLEDGED in said:
            return State.ACKNOWLEDGED
        if not self.alerts:
            return State.ACKNOWLEDGED if self.roles else State.TRIGGERED
        return State.MERGED if self.lead and self._went_elsewhere else State.RESOLVED

    @property
    def _went_elsewhere(self) -> bool:
        merged = [alert.paged.merged_into for alert in self.alerts.values()]
        return all(into and into not in self.alerts for into in merged)

    @property
    def open(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.state in (State.TRIGGERED, State.ACKNOWLEDGED)

    @property
    def over_at(self) -> datetime | None:
        """When it was over, None while it is open."""
        if self.open:
            return None
        return self.closed_at or max(self.ends.values(), default=None)

    @property
    def began_at(self) -> datetime:
        """From when the promised recovery time counts: PagerDuty's moment where it paged."""
        return self.lead.paged.created_at if self.lead else self.opened_at

    @property
    def count(self) -> int:
        """How many alerts were folded into it."""
        return sum(max(1, alert.paged.alerts) for alert in self.alerts.values())

    @property
    def open_alerts(self) -> tuple[Alert, ...]:
        """The alerts that PagerDuty still has open, the oldest first."""
        still = (alert for alert in self.alerts.values() if alert.open)
        return tuple(sorted(still, key=lambda a: (a.paged.created_at, a.paged.id)))

    @property
    def services(self) -> frozenset[str]:
        """The containers that alerts came for."""
        named = {alert.service for alert in self.alerts.values()} | {self.service}
        return frozenset(name for name in named if name)

    @property
    def rto(self) -> timedelta | None:
        """The promised recovery time of its service."""
        promised = objective_of(self.service)
        return promised.rto if promised else None


def joined(known: Alert | None, told: Alert) -> Alert:
    """What is known of an alert once it was told again: the same in any order, however often.

    Webhooks do not say how many alerts an incident of PagerDuty holds; where REST said so, it is kept.
    """
    if known is None:
        return told
    newest = max(known, told, key=lambda alert: alert.newness)
    most = max(known.paged.alerts, told.paged.alerts)
    return newest if newest.paged.alerts == most else replace(newest, paged=replace(newest.paged, alerts=most))


def _opened(e: Entry) -> Incident:
    return Incident(e.run, e.at, e.data, severity=str(e.data.get("severity") or ""))


def _alerted(incident: Incident, e: Entry) -> Incident:
    alerts, ends, again = dict(incident.alerts), dict(incident.ends), False
    for told in e.data["alerts"]:
        alert: Alert = from_json(Alert, told)
        known = alerts.get(alert.paged.id)
        now = alerts[alert.paged.id] = joined(known, alert)
        again = again or (now.open and (known is None or not known.open))
        if now.open:
            ends.pop(now.paged.id, None)
        else:
            ends.setdefault(now.paged.id, now.at)
    return replace(incident, alerts=alerts, ends=ends, closed_at=None if again else incident.closed_at)


def _role(incident: Incident, e: Entry) -> Incident:
    held = {"id": e.data["user"], "name": e.data.get("user_name") or e.data["user"]}
    return replace(incident, roles={**incident.roles, e.data["role"]: held})


def _pinned(incident: Incident, e: Entry) -> Incident:
    d = e.data
    pin = Pin(datetime.fromisoformat(d["at"]), d["text"], d.get("author") or d.get("name") or "", d["key"])
    return incident if any(p.key == pin.key for p in incident.pins) else replace(incident, pins=(*incident.pins, pin))


def _linked(incident: Incident, e: Entry) -> Incident:
    d = e.data
    linked = Linked(d["run"], d["procedure"], d.get("name") or "", e.at, d.get("pursues") or "")
    return replace(incident, runs=(*incident.runs, linked))


def _noted(incident: Incident, e: Entry) -> Incident:
    return replace(incident, notes=incident.notes | {e.data["note"]}) if e.data.get("note") else incident


_FOLDS: dict[Kind, Callable[[Incident, Entry], Incident]] = {
    Kind.ALERTED: _alerted,
    Kind.GRADED: lambda incident, e: replace(incident, severity=e.data["severity"]),
    Kind.ROLE: _role,
    Kind.PINNED: _pinned,
    Kind.LINKED: _linked,
    Kind.NOTED: _noted,
    Kind.CLOSED: lambda incident, e: replace(incident, closed_at=e.at),
}


def fold(entries: Iterable[Entry]) -> Incident:
    """The incident that these entries tell.

    Raises:
        ValueError: there are no entries, or they are not an incident's.
    """
    told = iter(entries)
    first = next(told, None)
    if first is None or first.kind is not Kind.OPENED:
        raise ValueError("an incident's journal begins with its opening")
    incident = replace(_opened(first), last=first.n)
    for entry in told:
        incident = after(incident, entry)
    return incident


def after(incident: Incident, entry: Entry) -> Incident:
    """The incident once one more entry was told."""
    step = _FOLDS.get(entry.kind)
    return replace(step(incident, entry) if step else incident, last=entry.n)
