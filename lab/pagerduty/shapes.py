"""Things as PagerDuty's REST API gives them."""

from __future__ import annotations

from lab.pagerduty.account import Account
from lab.pagerduty.company import Person, Policy, Priority, Service
from lab.pagerduty.things import Alert, Incident, Json, Note, Subscription, as_time


def reference(account: Account, kind: str, id: str, summary: str, path: str = "") -> Json:
    """A reference to something: its kind, id, name and where it is read."""
    where = path or f"{kind}s/{id}"
    return {
        "id": id,
        "type": f"{kind}_reference",
        "summary": summary,
        "self": f"{account.base_url}/{where}",
        "html_url": f"{account.base_url}/web/{where}",
    }


def person_reference(account: Account, id: str) -> Json:
    person = account.company.person(id)
    return reference(account, "user", id, person.name if person else id)


def service_reference(account: Account, id: str) -> Json:
    service = account.company.service(id)
    return reference(account, "service", id, service.name if service else id)


def policy_reference(account: Account, id: str) -> Json:
    policy = account.company.policy(id)
    return reference(account, "escalation_policy", id, policy.name if policy else id, f"escalation_policies/{id}")


def incident_reference(account: Account, incident: Incident) -> Json:
    return reference(account, "incident", incident.id, f"[#{incident.number}] {incident.title}")


def priority_shape(account: Account, priority: Priority | None) -> Json | None:
    if priority is None:
        return None
    return {
        "id": priority.id,
        "type": "priority",
        "summary": priority.name,
        "name": priority.name,
        "description": "",
        "self": f"{account.base_url}/priorities/{priority.id}",
        "html_url": None,
    }


def incident_shape(account: Account, incident: Incident) -> Json:
    """A whole incident."""
    triggered = sum(alert.status == "triggered" for alert in incident.alerts)
    counts = {"all": len(incident.alerts), "triggered": triggered, "resolved": len(incident.alerts) - triggered}
    return {
        **incident_reference(account, incident),
        "type": "incident",
        "incident_number": incident.number,
        "title": incident.title,
        "description": incident.title,
        "created_at": as_time(incident.created_at),
        "updated_at": as_time(incident.updated_at),
        "status": incident.status,
        "incident_key": incident.key,
        "service": service_reference(account, incident.service),
        "urgency": incident.urgency,
        "assignments": [
            {"at": as_time(incident.changed_at), "assignee": person_reference(account, who)}
            for who in (incident.assigned if incident.is_open else ())
        ],
        "assigned_via": "escalation_policy",
        "last_status_change_at": as_time(incident.changed_at),
        "resolved_at": as_time(incident.resolved_at),
        "alert_counts": counts,
        "is_mergeable": incident.is_open,
        "incident_type": {"name": "incident_default"},
        "teams": [],
        "pending_actions": [],
        "escalation_policy": policy_reference(account, incident.policy),
        "acknowledgements": [
            {"at": as_time(at), "acknowledger": person_reference(account, who)}
            for who, at in (incident.acknowledged if incident.status == "acknowledged" else ())
        ],
        "last_status_change_by": incident.changed_by or service_reference(account, incident.service),
        "priority": priority_shape(account, account.company.priority(incident.priority)),
        "resolve_reason": _merged(account, incident),
        "incidents_responders": [],
        "responder_requests": [],
    }


def told_shape(account: Account, incident: Incident) -> Json:
    """An incident as webhooks tell it: fewer fields, and other names for some."""
    whole = incident_shape(account, incident)
    kept = (
        "id",
        "type",
        "self",
        "html_url",
        "status",
        "incident_key",
        "title",
        "service",
        "escalation_policy",
        "teams",
        "urgency",
        "resolve_reason",
        "created_at",
    )
    priority = whole["priority"]
    brief = (
        {key: priority[key] for key in ("id", "summary", "self", "html_url")} | {"type": "priority_reference"}
        if priority
        else None
    )
    return {key: whole[key] for key in kept} | {
        "number": incident.number,
        "assignees": [a["assignee"] for a in whole["assignments"]],
        "priority": brief,
        "conference_bridge": None,
    }


def _merged(account: Account, incident: Incident) -> Json | None:
    into = account.incidents.get(incident.merged_into)
    return {"type": "merge_resolve_reason", "incident": incident_reference(account, into)} if into else None


def alert_shape(account: Account, incident: Incident, alert: Alert) -> Json:
    link = [{"type": "link", "href": alert.client_url, "text": "Source"}] if alert.client_url else []
    return {
        **reference(account, "alert", alert.id, alert.summary, f"incidents/{incident.id}/alerts/{alert.id}"),
        "type": "alert",
        "created_at": as_time(alert.created_at),
        "status": alert.status,
        "alert_key": alert.key,
        "service": service_reference(account, incident.service),
        "suppressed": False,
        "severity": alert.severity,
        "incident": incident_reference(account, incident),
        "body": {"type": "alert_body", "contexts": link, "details": {"source": alert.source, **alert.details}},
    }


def note_shape(account: Account, note: Note) -> Json:
    channel = {"summary": "The PagerDuty website or APIs"}
    return {
        "id": note.id,
        "user": person_reference(account, note.user),
        "content": note.content,
        "channel": channel,
        "created_at": as_time(note.created_at),
    }


def person_shape(account: Account, person: Person) -> Json:
    return {
        **person_reference(account, person.id),
        "type": "user",
        "name": person.name,
        "email": person.email,
        "time_zone": person.zone,
        "color": "green",
        "role": person.role,
        "description": None,
        "avatar_url": f"{account.base_url}/web/avatar.png",
        "invitation_sent": False,
        "job_title": person.title,
        "teams": [],
        "contact_methods": [],
        "notification_rules": [],
    }


def service_shape(account: Account, service: Service) -> Json:
    running = [i for i in account.incidents.values() if i.service == service.id and i.is_open]
    status = "active" if not running else "critical" if any(i.urgency == "high" for i in running) else "warning"
    kind = "events_api_v2_inbound_integration"
    integration = reference(account, kind, f"{service.id}I", "Events API v2", f"services/{service.id}/integrations/1")
    return {
        **service_reference(account, service.id),
        "type": "service",
        "name": service.name,
        "description": "A service of the practice company",
        "status": status,
        "teams": [],
        "escalation_policy": policy_reference(account, service.policy),
        "integrations": [integration],
        "alert_creation": "create_alerts_and_incidents",
        "created_at": "2026-01-01T00:00:00Z",
        "incident_urgency_rule": {"type": "constant", "urgency": "severity_based"},
    }


def policy_shape(account: Account, policy: Policy) -> Json:
    rules = [
        {
            "id": f"{policy.id}{level}",
            "escalation_delay_in_minutes": policy.minutes,
            "targets": [person_reference(account, id) for id in people],
        }
        for level, people in enumerate(policy.levels, start=1)
    ]
    services = [service_reference(account, s.id) for s in account.company.services if s.policy == policy.id]
    return {
        **policy_reference(account, policy.id),
        "type": "escalation_policy",
        "name": policy.name,
        "escalation_rules": rules,
        "services": services,
        "num_loops": 0,
        "teams": [],
        "on_call_handoff_notifications": "if_has_services",
    }


def subscription_shape(subscription: Subscription, secret: str | None = None) -> Json:
    """A subscription; its secret is given once, to who creates it."""
    headers = [{"name": h.get("name", ""), "value": "-- redacted --"} for h in subscription.custom_headers]
    method = {
        "id": f"{subscription.id}D",
        "type": "http_delivery_method",
        "url": subscription.url,
        "secret": secret,
        "temporarily_disabled": subscription.temporarily_disabled,
        "custom_headers": headers,
    }
    return {
        "id": subscription.id,
        "type": "webhook_subscription",
        "active": subscription.active,
        "delivery_method": method,
        "description": subscription.description,
        "events": subscription.events,
        "filter": subscription.filter,
    }
