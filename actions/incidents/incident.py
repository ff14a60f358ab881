"""An incident as its journal tells it: folded from the entries, never stored.

What PagerDuty says of one of its own incidents, here an alert, is kept by the newest moment at which it was
true, whatever the order in which it arrived and however often.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from actions.engine.facts import from_json
from actions.engine.journal import Entry, Kind
from actions.incidents.alert import Alert, AlertState, joined
from actions.stack.objectives import Objective
from actions.stack.stack import Stack, objective_of

ECHO = timedelta(minutes=10)
"""For so long after somebody asked for it, what PagerDuty tells is taken for what came of that."""
SEVERITIES = ("critical", "high", "medium", "low")


@dataclass(frozen=True)
class Linked:
    """A run that belongs to the incident; `pursues` is what an errand wants PagerDuty to say, or nothing."""

    run: str
    procedure: str
    name: str
    at: datetime
    pursues: str = ""


@dataclass(frozen=True)
class AcknowledgedBy:
    """Who acknowledged it by an errand of ours, and under whose name PagerDuty knows that: our sender's."""

    name: str
    known_as: str


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
    taken: AcknowledgedBy | None = None
    last: int = 0

    # What goes through all alerts is sought once: a storm has a thousand, and every look at it asks many times.
    @cached_property
    def lead(self) -> Alert | None:
        """The alert that began it: the oldest in PagerDuty, of those that are still ours where there are any."""
        return min(self.alerts.values(), key=lambda a: (a.elsewhere, a.paged.created_at, a.paged.id), default=None)

    @property
    def title(self) -> str:
        """What is wrong."""
        return self.lead.paged.title if self.lead else str(self.told.get("title") or "")

    @property
    def service(self) -> str:
        """The container that it is about, empty where none is known."""
        return (self.lead.service if self.lead else "") or str(self.told.get("service") or "")

    @cached_property
    def state(self) -> AlertState:
        """How it stands, by what people said and what PagerDuty says of its alerts."""
        said = {alert.paged.status for alert in self.alerts.values() if not alert.elsewhere}
        if self.closed_at is not None:
            return AlertState.RESOLVED
        if AlertState.TRIGGERED in said:
            return AlertState.TRIGGERED
        if AlertState.ACKNOWLEDGED in said:
            return AlertState.ACKNOWLEDGED
        if not self.alerts:
            return AlertState.ACKNOWLEDGED if self.roles else AlertState.TRIGGERED
        if not said:
            return AlertState.MOVED
        return AlertState.MERGED if self.lead and self._went_elsewhere else AlertState.RESOLVED

    @property
    def _went_elsewhere(self) -> bool:
        merged = [alert.paged.merged_into for alert in self.alerts.values()]
        return all(into and into not in self.alerts for into in merged)

    @property
    def moved_to(self) -> str:
        """The service of PagerDuty to which it was moved last, empty while any of its alerts is ours."""
        if self.state is not AlertState.MOVED:
            return ""
        last = max(self.alerts.values(), key=lambda alert: alert.newness).paged
        return last.service_name or last.service

    @property
    def open(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.state in (AlertState.TRIGGERED, AlertState.ACKNOWLEDGED)

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

    @cached_property
    def count(self) -> int:
        """How many alerts were folded into it."""
        return sum(max(1, alert.paged.alerts) for alert in self.alerts.values())

    @property
    def holders(self) -> tuple[str, ...]:
        """Who has it: whoever acknowledged it through us, until PagerDuty gives it to somebody else."""
        assigned = self.lead.paged.assignees if self.lead else ()
        return (self.taken.name,) if self.taken and assigned == (self.taken.known_as,) else assigned

    def pursued(self, state: AlertState, at: datetime) -> Linked | None:
        """The errand of which that state came, as far as it can be told; the newest of several."""
        wanted = (one for one in reversed(self.runs) if one.pursues == state and at - one.at < ECHO)
        return next(wanted, None)

    @cached_property
    def open_alerts(self) -> tuple[Alert, ...]:
        """The alerts that PagerDuty still has open, the oldest first."""
        still = (alert for alert in self.alerts.values() if alert.open)
        return tuple(sorted(still, key=lambda a: (a.paged.created_at, a.paged.id)))

    @cached_property
    def services(self) -> frozenset[str]:
        """The containers that alerts came for."""
        named = {alert.service for alert in self.alerts.values()} | {self.service}
        return frozenset(name for name in named if name)

    def promised(self, stack: Stack) -> Objective | None:
        """What was promised for its service."""
        return objective_of(stack, self.service)


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
    stands = replace(incident, alerts=alerts, ends=ends, closed_at=None if again else incident.closed_at)
    if stands.state is incident.state or stands.state is not AlertState.ACKNOWLEDGED or stands.lead is None:
        return stands
    errand = incident.pursued(AlertState.ACKNOWLEDGED, e.at)
    return replace(stands, taken=AcknowledgedBy(errand.name, stands.lead.by) if errand else None)


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
