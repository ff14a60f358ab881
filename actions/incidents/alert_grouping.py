"""Which incident an alert belongs to: one service, or services that stand on the same one, within a window.

PagerDuty's own times are compared with each other, so that no clock of ours can tear a storm apart; ours tells only
whether an alert came after somebody had called the incident over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import reduce

from actions.incidents.alert import Alert
from actions.incidents.incident import Incident
from actions.incidents.pagerduty_events import OWN
from actions.settings.settings import Settings
from actions.stack.stack import needs_of


@dataclass(frozen=True)
class IncidentScope:
    """What an incident covers: its services, from when to when alerts came for them, and since when somebody has
    called it over."""

    incident: str
    places: frozenset[str] = frozenset()
    first: datetime | None = None
    latest: datetime | None = None
    closed: datetime | None = None

    def taking(self, alert: Alert) -> IncidentScope:
        """The scope once it covers that alert too."""
        if alert.elsewhere:
            return self
        created = alert.paged.created_at
        first, latest = min(self.first or created, created), max(self.latest or created, created)
        return replace(self, places=self.places | {_place(alert)}, first=first, latest=latest)


def scope_of(incident: Incident) -> IncidentScope:
    """What an incident covers so far."""
    bare = IncidentScope(incident.id, incident.services, closed=incident.closed_at)
    return reduce(IncidentScope.taking, incident.alerts.values(), bare)


@dataclass(frozen=True)
class Rules:
    """What the settings say of PagerDuty's services, by id or name, and of what needs what in the stack."""

    services: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    window: timedelta = timedelta(minutes=10)

    def placed(self, alert: Alert) -> Alert:
        """The alert with the container that it is about, and whether it belongs to a service that is none of ours."""
        paged = alert.paged
        service = self.services.get(paged.service) or self.services.get(paged.service_name) or ""
        strange = bool(self.services) and not service and not paged.key.startswith(OWN)
        return replace(alert, service=service, elsewhere=strange)

    def ours(self, alert: Alert) -> bool:
        """Whether it gets a thread. Without a table of services every one does.

        What Mayday pages about itself is told in the thread of the run or incident that it is about.
        """
        if alert.paged.key.startswith(OWN):
            return False
        return bool(alert.service) or not self.services

    def belongs(self, alert: Alert, scope: IncidentScope) -> bool:
        """Whether the alert folds into the incident that stands there."""
        if alert.paged.key.startswith(OWN):
            return scope.incident in alert.paged.key.split()
        if scope.first is None or scope.latest is None or not self.ours(alert):
            return False
        # What somebody called over has another thread if it goes on: nobody reads on in the old one.
        if scope.closed is not None and alert.paged.created_at > scope.closed:
            return False
        # Differences alone: a journal may hold a moment at the end of what can be reckoned with.
        created = alert.paged.created_at
        near = scope.first - created <= self.window and created - scope.latest <= self.window
        return near and any(self.related(_place(alert), place) for place in scope.places)

    def related(self, one: str, other: str) -> bool:
        """Whether both are one service, or what one of them stands on is what the other stands on."""
        return bool(self._footing(one) & self._footing(other))

    def _footing(self, service: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        """The service, and all that it needs."""
        found = {service}
        for needed in self.needs.get(service, ()):
            if needed not in seen:
                found |= self._footing(needed, seen | {service, needed})
        return frozenset(found)


def rules_of(settings: Settings) -> Rules:
    """The rules that the settings make. What `depends_on` says of a service, the old form, wins over its `needs`."""
    given = settings.pagerduty
    needs = {**needs_of(settings.stack()), **given.depends_on}
    return Rules(given.services, needs, timedelta(minutes=given.fold_minutes))


def home(alert: Alert, scopes: Iterable[IncidentScope], rules: Rules) -> str:
    """The first incident of these that the alert folds into; empty where it begins one of its own."""
    return next((scope.incident for scope in scopes if rules.belongs(alert, scope)), "")


def _place(alert: Alert) -> str:
    return alert.service or f"service {alert.paged.service}"
