"""What happens to incidents: each change and what PagerDuty tells the webhooks about it."""

from __future__ import annotations

from dataclasses import dataclass

from lab.pagerduty.account import Account, News
from lab.pagerduty.company import Person
from lab.pagerduty.errors import ALREADY_ACKNOWLEDGED, ALREADY_RESOLVED, NOBODY_ON_CALL, PagerDutyError, invalid
from lab.pagerduty.shapes import incident_reference, person_reference, service_reference, told_shape
from lab.pagerduty.things import Alert, Incident, Json, Note, new_id

NOTES_AT_MOST = 2000


@dataclass(frozen=True)
class Opening:
    """What a new incident begins with."""

    service: str
    title: str
    key: str
    urgency: str = "high"
    policy: str = ""
    priority: str = ""
    client: str = ""


def tell(
    account: Account, type: str, incident: Incident, agent: Json | None, data: Json | None = None, client: str = ""
) -> None:
    """Give the news to the webhooks and to those who keep a copy."""
    incident.updated_at = account.clock()
    shown = data or told_shape(account, incident)
    account.announce(
        News(
            f"incident.{type}",
            account.clock(),
            incident.id,
            incident.service,
            shown,
            agent,
            {"name": client} if client else None,
        )
    )
    account.changed()


def open_incident(account: Account, opening: Opening, alert: Alert | None, agent: Json | None = None) -> Incident:
    """A new incident, assigned to who is on call."""
    service = account.company.service(opening.service)
    policy = opening.policy or (service.policy if service else "")
    now = account.clock()
    incident = Incident(
        new_id(),
        account.next_number(),
        opening.title,
        opening.service,
        policy,
        opening.key,
        now,
        urgency=opening.urgency,
        priority=opening.priority,
        changed_at=now,
    )
    incident.level, incident.assigned = _first_on_call(account, policy)
    incident.alerts = [alert] if alert else []
    account.add(incident)
    tell(account, "triggered", incident, agent or service_reference(account, incident.service), client=opening.client)
    return incident


def _first_on_call(account: Account, policy: str) -> tuple[int, list[str]]:
    known = account.company.policy(policy)
    for level in range(1, len(known.levels) + 1 if known else 1):
        if people := account.on_call(policy, level):
            return level, [person.id for person in people]
    raise PagerDutyError(400, NOBODY_ON_CALL, "The escalation policy has nobody on call")


def add_alert(account: Account, incident: Incident, alert: Alert) -> None:
    """One more alert of an open incident, as alert grouping does; PagerDuty sends no webhook for it."""
    incident.alerts.append(alert)
    incident.updated_at = account.clock()
    account.remember_key(incident, alert.key)
    account.changed()


def by(account: Account, person: Person) -> Json:
    """The agent of a change that a person made."""
    return person_reference(account, person.id)


def _must_be_open(incident: Incident) -> None:
    if not incident.is_open:
        raise PagerDutyError(400, ALREADY_RESOLVED, "Incident Already Resolved")


def acknowledge(account: Account, incident: Incident, who: str, agent: Json) -> None:
    _must_be_open(incident)
    if incident.status == "acknowledged":
        raise PagerDutyError(400, ALREADY_ACKNOWLEDGED, "Incident Already Acknowledged")
    now = account.clock()
    incident.status, incident.changed_at, incident.changed_by = "acknowledged", now, agent
    if who:
        incident.acknowledged, incident.assigned = [(who, now)], [who]
    tell(account, "acknowledged", incident, agent)


def unacknowledge(account: Account, incident: Incident, agent: Json) -> None:
    _must_be_open(incident)
    incident.status, incident.changed_at, incident.changed_by = "triggered", account.clock(), agent
    incident.acknowledged = []
    tell(account, "unacknowledged", incident, agent)


def resolve(account: Account, incident: Incident, agent: Json, merged_into: str = "") -> None:
    _must_be_open(incident)
    now = account.clock()
    incident.status, incident.changed_at, incident.resolved_at, incident.changed_by = "resolved", now, now, agent
    incident.merged_into = merged_into
    for alert in incident.alerts:
        alert.status = "resolved"
    tell(account, "resolved", incident, agent)


def reopen(account: Account, incident: Incident, agent: Json) -> None:
    """Triggered again: from resolved it is reopened, from acknowledged it is unacknowledged."""
    if incident.status == "acknowledged":
        return unacknowledge(account, incident, agent)
    if incident.is_open:
        return None
    incident.status, incident.changed_at, incident.resolved_at = "triggered", account.clock(), None
    incident.changed_by, incident.merged_into, incident.acknowledged = agent, "", []
    account.add(incident)
    return tell(account, "reopened", incident, agent)


def escalate(account: Account, incident: Incident, level: int, agent: Json) -> None:
    _must_be_open(incident)
    people = account.on_call(incident.policy, level)
    if not people:
        raise invalid(f"Escalation level {level} does not exist or has nobody on call")
    incident.level, incident.assigned, incident.status = level, [p.id for p in people], "triggered"
    incident.changed_at, incident.changed_by, incident.acknowledged = account.clock(), agent, []
    tell(account, "escalated", incident, agent)


def reassign(account: Account, incident: Incident, people: list[str], agent: Json) -> None:
    _must_be_open(incident)
    if not people or any(account.company.person(id) is None for id in people):
        raise invalid("Assignee not found")
    incident.assigned = people
    tell(account, "reassigned", incident, agent)


def hand_over(account: Account, incident: Incident, policy: str, agent: Json) -> None:
    """Give it to another escalation policy, from its first level on."""
    _must_be_open(incident)
    people = account.on_call(policy, 1)
    if not people:
        raise PagerDutyError(400, NOBODY_ON_CALL, "The escalation policy has nobody on call")
    incident.policy, incident.level, incident.assigned = policy, 1, [p.id for p in people]
    tell(account, "delegated", incident, agent)


def set_priority(account: Account, incident: Incident, wanted: str, agent: Json) -> None:
    priority = account.company.priority(wanted)
    if wanted and priority is None:
        raise invalid("Priority not found")
    incident.priority = priority.id if priority else ""
    tell(account, "priority_updated", incident, agent)


def annotate(account: Account, incident: Incident, who: str, content: str, agent: Json) -> Note:
    if not content.strip():
        raise invalid("Content can't be blank")
    if len(incident.notes) >= NOTES_AT_MOST:
        raise invalid(f"An incident has at most {NOTES_AT_MOST} notes")
    note = Note(new_id("P"), who, content, account.clock())
    incident.notes.append(note)
    data = {
        "id": note.id,
        "type": "incident_note",
        "incident": incident_reference(account, incident),
        "content": content[:2000],
        "trimmed": len(content) > 2000,
    }
    tell(account, "annotated", incident, agent, data)
    return note


def merge(account: Account, target: Incident, sources: list[Incident], agent: Json) -> None:
    """The sources' alerts go to the target; the sources are resolved with the reason that they were merged."""
    _must_be_open(target)
    for source in sources:
        moved, source.alerts = source.alerts, []
        target.alerts.extend(moved)
        if source.is_open:
            resolve(account, source, agent, merged_into=target.id)
        for alert in moved:
            account.remember_key(target, alert.key)
    target.updated_at = account.clock()
    account.changed()
