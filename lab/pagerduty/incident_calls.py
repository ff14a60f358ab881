"""/incidents: list, read, declare, change, merge; notes and alerts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lab.pagerduty import changes
from lab.pagerduty.calls import Call, id_of
from lab.pagerduty.changes import Opening
from lab.pagerduty.errors import invalid, not_found
from lab.pagerduty.shapes import alert_shape, incident_reference, incident_shape, note_shape
from lab.pagerduty.things import Incident, Json, new_id

MOST_AT_ONCE = 250
_SORTS = {"incident_number": "number", "created_at": "created_at", "resolved_at": "resolved_at"}


def list_incidents(call: Call) -> Json:
    found = [incident for incident in call.account.incidents.values() if _asked_for(call, incident)]
    by, _, way = (call.query.get("sort_by") or "incident_number:asc").partition(":")
    if by in _SORTS:
        found.sort(key=lambda incident: getattr(incident, _SORTS[by]) or 0, reverse=way == "desc")
    return call.page("incidents", [incident_shape(call.account, incident) for incident in found])


def _asked_for(call: Call, incident: Incident) -> bool:
    wanted = (
        (call.many("statuses"), incident.status),
        (call.many("urgencies"), incident.urgency),
        (call.many("service_ids"), incident.service),
        ([call.query["incident_key"]] if "incident_key" in call.query else [], incident.key),
    )
    if any(values and value not in values for values, value in wanted):
        return False
    if call.query.get("date_range") == "all":
        return True
    since, until = _moment(call.query.get("since")), _moment(call.query.get("until"))
    return (since is None or incident.created_at >= since) and (until is None or incident.created_at < until)


def _moment(text: str | None) -> float | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"{text} is not a date") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def read_incident(call: Call) -> Json:
    return {"incident": incident_shape(call.account, call.incident())}


def declare(call: Call) -> Json:
    """An incident without an alert; a key that an open incident has is refused, as PagerDuty does."""
    asked = call.wrapped("incident")
    service, title = call.account.company.service(id_of(asked.get("service"))), str(asked.get("title") or "")
    if service is None or not title.strip():
        raise invalid("Title can't be blank" if service else "Service not found")
    key = str(asked.get("incident_key") or new_id("").lower())
    if call.account.open_incident(service.id, key):
        raise invalid("Open incident with matching dedup key already exists on this service")
    opening = Opening(
        service.id,
        title,
        key,
        str(asked.get("urgency") or "high"),
        id_of(asked.get("escalation_policy")),
        id_of(asked.get("priority")),
    )
    incident = changes.open_incident(call.account, opening, None, call.agent)
    people = [id_of(a.get("assignee")) for a in asked.get("assignments") or ()]
    if people:
        changes.reassign(call.account, incident, people, call.agent)
    return {"incident": incident_shape(call.account, incident)}


def change_one(call: Call) -> Json:
    incident = call.incident()
    _change(call, incident, call.wrapped("incident"))
    return {"incident": incident_shape(call.account, incident)}


def change_many(call: Call) -> Json:
    asked = call.body.get("incidents")
    if not isinstance(asked, list) or not asked or len(asked) > MOST_AT_ONCE:
        raise invalid(f"incidents must hold 1 to {MOST_AT_ONCE} incidents")
    found = [call.account.incident(id_of(one)) for one in asked]
    changed = []
    for incident, one in zip(found, asked, strict=True):
        if incident is None:
            raise not_found()
        _change(call, incident, one)
        changed.append(incident_shape(call.account, incident))
    return {**call.page("incidents", changed), "incidents": changed}


def _change(call: Call, incident: Incident, asked: Json) -> None:
    if asked.get("type") not in ("incident", "incident_reference"):
        raise invalid("type must be incident or incident_reference")
    if asked.get("urgency") in ("high", "low"):
        incident.urgency = asked["urgency"]
    if "title" in asked:
        incident.title = str(asked["title"])
    if "priority" in asked:
        changes.set_priority(call.account, incident, id_of(asked["priority"]), call.agent)
    if asked.get("escalation_policy"):
        changes.hand_over(call.account, incident, id_of(asked["escalation_policy"]), call.agent)
    if asked.get("escalation_level") is not None:
        changes.escalate(call.account, incident, _level(asked["escalation_level"]), call.agent)
    if asked.get("assignments"):
        people = [id_of(one.get("assignee")) for one in asked["assignments"]]
        changes.reassign(call.account, incident, people, call.agent)
    if asked.get("status") is not None:
        _change_status(call, incident, str(asked["status"]), str(asked.get("resolution") or ""))


def _level(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid("escalation_level must be a number")
    return value


def _change_status(call: Call, incident: Incident, status: str, resolution: str) -> None:
    who = call.sender.id if call.sender else ""
    if status == "acknowledged":
        changes.acknowledge(call.account, incident, who, call.agent)
    elif status == "resolved":
        changes.resolve(call.account, incident, call.agent)
        if resolution:
            changes.annotate(call.account, incident, who, f"Resolution Note: {resolution}", call.agent)
    elif status == "triggered":
        changes.reopen(call.account, incident, call.agent)
    else:
        raise invalid(f"Status {status} is not one of triggered, acknowledged, resolved")


def merge(call: Call) -> Json:
    target = call.incident()
    sources = [call.account.incident(id_of(one)) for one in call.body.get("source_incidents") or ()]
    if not sources or None in sources or target in sources:
        raise invalid("source_incidents must name other incidents")
    changes.merge(call.account, target, [source for source in sources if source], call.agent)
    return {"incident": incident_reference(call.account, target)}


def list_notes(call: Call) -> Json:
    return {"notes": [note_shape(call.account, note) for note in reversed(call.incident().notes)]}


def add_note(call: Call) -> Json:
    incident, who = call.incident(), call.sender.id if call.sender else ""
    content = str(call.wrapped("note").get("content") or "")
    note = changes.annotate(call.account, incident, who, content, call.agent)
    return {"note": note_shape(call.account, note)}


def list_alerts(call: Call) -> Json:
    incident, statuses = call.incident(), call.many("statuses")
    alerts = [a for a in incident.alerts if not statuses or a.status in statuses]
    return call.page("alerts", [alert_shape(call.account, incident, alert) for alert in alerts])
