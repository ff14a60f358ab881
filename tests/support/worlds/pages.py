"""What PagerDuty's webhook sends, as its documentation shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

BEGAN = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
SERVICES = {"PPOSTGR": "nself-postgres", "PHASURA": "nself-hasura", "PAUTH00": "nself-auth", "PREDIS0": "nself-redis"}
DEPENDS = {"nself-hasura": ("nself-postgres",), "nself-auth": ("nself-postgres",)}


def at(minutes: float) -> datetime:
    return BEGAN + timedelta(minutes=minutes)


def event(
    what: str = "triggered",
    alert: str = "PGR0VU2",
    minutes: float = 0,
    *,
    id: str = "",
    service: str = "PPOSTGR",
    opened: float = 0,
    status: str = "",
    by: str = "",
    data: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """One event; `opened` is when the incident was created, in minutes after the beginning."""
    states = {"triggered": "triggered", "acknowledged": "acknowledged", "resolved": "resolved"}
    told = {
        "id": alert,
        "type": "incident",
        "self": f"https://api.pagerduty.com/incidents/{alert}",
        "html_url": f"https://acme.pagerduty.com/incidents/{alert}",
        "number": 2,
        "status": status or states.get(what, "triggered"),
        "incident_key": "d364",
        "created_at": _text(at(opened)),
        "title": f"Alert {alert}",
        "service": {"id": service, "summary": f"Service {service}", "type": "service_reference"},
        "assignees": [{"id": "PUSER00", "summary": "Olga Nowak", "type": "user_reference"}],
        "escalation_policy": {"id": "PPOLICY", "summary": "Default", "type": "escalation_policy_reference"},
        "teams": [],
        "priority": {"id": "PSO75BM", "summary": "P1"},
        "urgency": "high",
        "conference_bridge": None,
        "resolve_reason": None,
        **more,
    }
    agent = {"id": "PLH1HKV", "type": "user_reference", "summary": by} if by else None
    said = {
        "id": id or f"{alert}-{what}-{minutes}",
        "event_type": f"incident.{what}",
        "resource_type": "incident",
        "occurred_at": _text(at(minutes)),
        "agent": agent,
        "client": {"name": "PagerDuty"},
        "data": data or told,
    }
    return {"event": said}


def note(alert: str, content: str, minutes: float = 1, by: str = "Olga Nowak") -> dict[str, Any]:
    data = {
        "id": f"N{minutes}",
        "type": "incident_note",
        "content": content,
        "trimmed": False,
        "incident": {"id": alert, "type": "incident_reference"},
    }
    return event("annotated", alert, minutes, by=by, data=data)


def body(said: Mapping[str, Any]) -> str:
    return json.dumps(said)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
