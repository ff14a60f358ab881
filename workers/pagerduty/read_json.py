"""PagerDuty's JSON as our values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from actions.tools.outside import OnCall, Paged

Json = dict[str, Any]


def moment(text: str) -> datetime:
    """A time as PagerDuty writes it, in UTC."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def paged(incident: Json, level: int = 1) -> Paged:
    """An incident of the REST API. PagerDuty does not say there how far it was escalated: that is `level`."""
    service, policy = _part(incident, "service"), _part(incident, "escalation_policy")
    return Paged(
        id=str(incident["id"]),
        number=int(incident.get("incident_number") or 0),
        title=str(incident.get("title") or incident.get("summary") or ""),
        status=str(incident.get("status") or "triggered"),
        urgency=str(incident.get("urgency") or "high"),
        service=str(service.get("id") or ""),
        service_name=str(service.get("summary") or ""),
        url=str(incident.get("html_url") or ""),
        created_at=moment(str(incident["created_at"])),
        priority=str(_part(incident, "priority").get("summary") or ""),
        policy=str(policy.get("id") or ""),
        assignees=tuple(str(one.get("summary") or one.get("id")) for one in assignees(incident)),
        key=str(incident.get("incident_key") or ""),
        alerts=int(_part(incident, "alert_counts").get("all") or 0),
        level=level,
        merged_into=str(_part(_part(incident, "resolve_reason"), "incident").get("id") or ""),
        acknowledger=_acknowledger(incident),
        changed_at=_changed_at(incident),
    )


def assignees(incident: Json) -> list[Json]:
    """References to those who have the incident now."""
    return [who for one in incident.get("assignments") or () if one and (who := _part(one, "assignee"))]


def _changed_at(incident: Json) -> datetime | None:
    """When its status became what it is. An incident that is open again has no `resolved_at` any more."""
    told = incident.get("resolved_at") or incident.get("last_status_change_at")
    return moment(str(told)) if told else None


def _acknowledger(incident: Json) -> str:
    acknowledged: list[Json] = incident.get("acknowledgements") or []
    newest: Json = max(acknowledged, key=lambda one: moment(str(one["at"])), default={})
    return str(_part(newest, "acknowledger").get("summary") or "")


def on_call(entry: Json) -> OnCall:
    """An entry of /oncalls that includes its user."""
    user, end = _part(entry, "user"), entry.get("end")
    return OnCall(
        id=str(user.get("id") or ""),
        name=str(user.get("name") or user.get("summary") or ""),
        email=str(user.get("email") or ""),
        level=int(entry.get("escalation_level") or 1),
        policy=str(_part(entry, "escalation_policy").get("id") or ""),
        until=moment(str(end)) if end else None,
    )


def _part(whole: Json, name: str) -> Json:
    found = whole.get(name)
    return found if isinstance(found, dict) else {}
