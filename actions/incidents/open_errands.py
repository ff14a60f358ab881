"""Asking for errands of an incident: the request, and the incident's own entry that it was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actions.control.requests import Subject, open_run
from actions.engine.errors import Refused
from actions.engine.procedure import Procedure
from actions.engine.rights import Speaker
from actions.engine.run import SYSTEM, Run
from actions.errands import pagerduty_acknowledge, pagerduty_escalate, pagerduty_page, pagerduty_resolve
from actions.incidents.alert import AlertState
from actions.incidents.incident import Incident
from actions.incidents.pagerduty_events import OWN
from actions.settings.contacts import Contact
from actions.steps.pagerduty_incidents import AlertIds, Page
from actions.store.store import Store
from actions.wording import shortened


@dataclass(frozen=True)
class Errand:
    """What shall be done. `pursues` is the state that PagerDuty will then tell us of, so that it is no news."""

    procedure: Procedure
    request: Any
    pursues: str = ""


def to_acknowledge(incident: Incident) -> Errand:
    """Acknowledge what PagerDuty has open."""
    request = pagerduty_acknowledge.Acknowledge(incident.id, _alerts(incident))
    return Errand(pagerduty_acknowledge.PROCEDURE, request, AlertState.ACKNOWLEDGED)


def to_resolve(incident: Incident) -> Errand:
    """Resolve what PagerDuty has open."""
    request = pagerduty_resolve.Resolve(incident.id, _alerts(incident))
    return Errand(pagerduty_resolve.PROCEDURE, request, AlertState.RESOLVED)


def to_escalate(incident: Incident) -> Errand:
    """Page the next level for the oldest open alert."""
    request = pagerduty_escalate.Escalate(incident.id, _alerts(incident).ids[0])
    return Errand(pagerduty_escalate.PROCEDURE, request, AlertState.TRIGGERED)


def to_page(incident: Incident, link: str = "") -> Errand:
    """Page the person on call for an incident that PagerDuty does not know."""
    severity = {"critical": "critical", "high": "error", "medium": "warning", "low": "info"}
    page = Page(
        key=f"{OWN}{incident.id}",
        summary=shortened(incident.title, 1000),
        link=link,
        since=incident.opened_at,
        severity=severity.get(incident.severity, "error"),
        details={"incident": incident.id, "service": incident.service, "severity": incident.severity},
    )
    return Errand(pagerduty_page.PROCEDURE, pagerduty_page.Declare(incident.id, page), AlertState.TRIGGERED)


ITSELF = Speaker(SYSTEM, "Mayday", may_ask=True, may_approve=False)
"""Who asks for an errand that the rules want."""


def to_call(incident: Incident, contact: Contact) -> Errand:
    """Page one person of the contact list alone."""
    page = Page(
        key=f"{OWN}{incident.id} {contact.role} {contact.pagerduty}",
        summary=shortened(incident.title, 1000),
        since=incident.opened_at,
        severity="critical",
        contact=contact.pagerduty,
        details={"incident": incident.id, "severity": incident.severity},
    )
    return Errand(pagerduty_page.PROCEDURE, pagerduty_page.Declare(incident.id, page), AlertState.TRIGGERED)


def open_errand(
    store: Store, errand: Errand, incident: Incident, by: Speaker, *, site: str, key: str
) -> tuple[str, bool]:
    """Ask for an errand, once for each key. Returns its id and whether it is new.

    Its line stands in the incident's thread. Whoever may ask for recoveries may ask for errands.

    Raises:
        Refused: this person may not.
    """
    may_speak(by)
    return _open(store, errand, {"incident": incident.id}, by, incident.service, site=site, key=key)


def open_for_run(store: Store, errand: Errand, run: Run, *, site: str, key: str) -> tuple[str, bool]:
    """Ask for an errand that a run needs, as `open_errand` does; its line stands in the run's thread."""
    incident = str(run.origin.get("incident") or "")
    return _open(store, errand, {"run": run.id, "incident": incident}, ITSELF, run.service, site=site, key=key)


def _open(
    store: Store, errand: Errand, origin: dict[str, str], by: Speaker, service: str, *, site: str, key: str
) -> tuple[str, bool]:
    opened = open_run(
        store,
        errand.procedure,
        errand.request,
        by=by,
        subject=Subject(site, service),
        origin={"sink": "slack", **origin},
        key=key,
        linked={"pursues": errand.pursues},
    )
    return opened.id, opened.new


def may_speak(by: Speaker) -> None:
    """Whether somebody may lead an incident.

    Raises:
        Refused: they may not.
    """
    if not (by.may_ask or by.may_approve):
        refused = Refused(
            f"{by.name} may not lead incidents.",
            code="MD-INC-010",
            detail="Nobody has rights by being in the channel.",
            hint="Ask the person on call. The settings say who may: operators and operator_groups.",
        )
        raise by.lacks(refused)


def _alerts(incident: Incident) -> AlertIds:
    still = incident.open_alerts
    if not still:
        raise Refused("PagerDuty has nothing open for this incident.", code="MD-INC-011", hint="Nothing to do there.")
    return AlertIds(tuple(alert.paged.id for alert in still), still[0].paged.created_at)
