"""What PagerDuty's webhook says (Webhooks v3), as values. Facts: its developer documentation on webhooks.

An event is a hint, not the truth: it may come twice, late, or out of order. Whoever acts reads the incident
anew. An event of our own making carries our mark and tells nothing new.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from actions.engine.facts import from_json, to_json
from actions.incidents.alert import Alert
from actions.outside import Paged
from actions.redact import redact

MARK = "[mayday "
"""Begins the mark in the notes that Mayday writes, and with it what comes back of them."""
OWN = "mayday "
"""Begins the deduplication key of the pages that Mayday itself sends; an incident's or alarm's name follows."""
SEEN = "seen "
"""Begins the event of an alert that was read by REST: it tells who acknowledged, and of nothing else who did it."""
_LONGEST, _LONGEST_NAME = 500, 200


@dataclass(frozen=True)
class Remark:
    """A note that somebody wrote in PagerDuty."""

    id: str
    alert: str
    text: str
    by: str
    at: datetime


def heard(body: str) -> Alert | Remark | None:
    """What a stored event says about an incident of PagerDuty; None where it says nothing that we keep.

    `body` is a webhook's, or what `observed` made. The alert's `service` is left to who knows the settings.
    """
    try:
        said = json.loads(body)
        if isinstance(said, dict) and "observed" in said:
            seen: Alert = from_json(Alert, said["observed"])
            return seen
        return _event(said["event"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def observed(alert: Alert) -> str:
    """An incident as it was read by REST, in the form of a stored event."""
    return json.dumps({"observed": to_json(alert)})


def tidied(paged: Paged) -> Paged:
    """As it may stand in a journal: without secrets, not longer than anybody reads."""
    names = tuple(redact(name)[:_LONGEST_NAME] for name in paged.assignees)
    acknowledger = redact(paged.acknowledger)[:_LONGEST_NAME]
    return replace(paged, title=redact(paged.title)[:_LONGEST], assignees=names, acknowledger=acknowledger)


def id_of(said: Any) -> str:
    """The id of a webhook's event, which is the same for every redelivery; empty where it has none."""
    event = said.get("event") if isinstance(said, Mapping) else None
    return str(event.get("id") or "") if isinstance(event, Mapping) else ""


def _event(event: Mapping[str, Any]) -> Alert | Remark | None:
    at, by, data = _moment(event["occurred_at"]), _summary(event.get("agent")), event["data"]
    match data["type"]:
        case "incident":
            return Alert(_paged(data), at, str(event["id"]), by=by)
        case "incident_note":
            text = str(data.get("content") or "")
            return None if MARK in text else Remark(
                str(data["id"]), str(data["incident"]["id"]), redact(text)[:_LONGEST], by, at)  # fmt: skip
        case _:
            return None


def _paged(data: Mapping[str, Any]) -> Paged:
    service = data.get("service") or {}
    return tidied(Paged(
        id=str(data["id"]), number=int(data.get("number") or 0), title=str(data.get("title") or ""),
        status=str(data["status"]), urgency=str(data.get("urgency") or ""), service=str(service.get("id") or ""),
        service_name=str(service.get("summary") or ""), url=str(data.get("html_url") or ""),
        created_at=_moment(data["created_at"]), priority=_summary(data.get("priority")),
        policy=str((data.get("escalation_policy") or {}).get("id") or ""),
        assignees=tuple(_summary(who) for who in data.get("assignees") or ()),
        key=str(data.get("incident_key") or ""), merged_into=_merged(data.get("resolve_reason")),
    ))  # fmt: skip


def _merged(reason: Any) -> str:
    """Merging resolves the incident that goes into another one, and says into which."""
    into = reason.get("incident") if isinstance(reason, Mapping) else None
    return str(into.get("id") or "") if isinstance(into, Mapping) else ""


def _summary(reference: Any) -> str:
    return redact(str(reference.get("summary") or ""))[:_LONGEST_NAME] if isinstance(reference, Mapping) else ""


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment
