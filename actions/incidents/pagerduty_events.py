"""What PagerDuty's webhook says (Webhooks v3), as values. Facts: its developer documentation on webhooks.

An event is a hint, not the truth: it may come twice, late, or out of order. Whoever acts reads the incident
anew. An event of our own making carries our mark and tells nothing new.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from actions.engine.errors import NOT_READ
from actions.engine.facts import from_json, to_json
from actions.incidents.alert import Alert
from actions.redact import redact
from actions.tools.outside import Paged
from actions.wording import shortened

MARK = "[mayday "
"""Begins the mark in the notes that Mayday writes, and with it what comes back of them."""
OWN = "mayday "
"""Begins the deduplication key of the pages that Mayday itself sends; an incident's or alarm's name follows."""
SEEN = "seen "
"""Begins the event of an alert that was read by REST: it tells who acknowledged, and of nothing else who did it."""
_LONGEST, _LONGEST_NAME = 500, 200
_ID = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 2009, 2199
_WORDS = ("urgency", "service", "url", "policy", "key", "merged_into", "title", "priority", "service_name")


@dataclass(frozen=True)
class PagerDutyNote:
    """A note that somebody wrote in PagerDuty."""

    id: str
    alert: str
    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Unread:
    """An event that says it is about an incident, and of which that cannot be read."""

    why: str


_ABOUT_INCIDENTS = "incident."


def heard(body: str) -> Alert | PagerDutyNote | Unread | None:
    """What a stored event says about an incident of PagerDuty; None where it is about something else.

    `body` is a webhook's, or what `observed` made. The alert's `service` is left to who knows the settings.
    """
    try:
        said = json.loads(body)
        if isinstance(said, dict) and "observed" in said:
            seen: Alert = from_json(Alert, said["observed"])
            return _believable(seen)
        event = said["event"]
        about = str(event.get("event_type") or _ABOUT_INCIDENTS).startswith(_ABOUT_INCIDENTS)
        return _event(event) if about else None
    except NOT_READ as error:
        return Unread(shortened(storable(f"{type(error).__name__}: {error}"), _LONGEST_NAME))


def observed(alert: Alert) -> str:
    """An incident as it was read by REST, in the form of a stored event."""
    return json.dumps({"observed": to_json(alert)})


def tidied(paged: Paged) -> Paged:
    """As it may stand in a journal: without secrets, not longer than anybody reads."""
    names = tuple(_short(name) for name in paged.assignees)
    title = shortened(redact(storable(paged.title)), _LONGEST)
    return replace(
        paged,
        title=title,
        assignees=names,
        acknowledger=_short(paged.acknowledger),
        priority=_short(paged.priority),
        service_name=_short(paged.service_name),
    )


def storable(text: str) -> str:
    """The text as every store and Slack takes it: half of a surrogate pair and NUL are none of Unicode's text."""
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def id_of(said: Any) -> str:
    """The id of a webhook's event, which is the same for every redelivery; empty where it has none that can be kept."""
    event = said.get("event") if isinstance(said, Mapping) else None
    name = str(event.get("id") or "") if isinstance(event, Mapping) else ""
    return name if _ID.fullmatch(name) else ""


def _event(event: Mapping[str, Any]) -> Alert | PagerDutyNote | None:
    at, by, data = _moment(event["occurred_at"]), _summary(event.get("agent")), event["data"]
    match data["type"]:
        case "incident":
            return Alert(_paged(data), at, _id(event["id"]), by=by)
        case "incident_note":
            text = str(data.get("content") or "")
            return (
                None
                if MARK in text
                else PagerDutyNote(
                    _id(data["id"]), _id(data["incident"]["id"]), shortened(redact(storable(text)), _LONGEST), by, at
                )
            )
        case _:
            return None


def _paged(data: Mapping[str, Any]) -> Paged:
    service = data.get("service") or {}
    return tidied(
        Paged(
            id=_id(data["id"]),
            number=int(data.get("number") or 0),
            title=str(data.get("title") or ""),
            status=_id(data["status"]),
            urgency=_word(data.get("urgency")),
            service=_word(service.get("id")),
            service_name=_word(service.get("summary")),
            url=_word(data.get("html_url")),
            created_at=_moment(data["created_at"]),
            priority=_summary(data.get("priority")),
            policy=_word((data.get("escalation_policy") or {}).get("id")),
            assignees=tuple(name for who in data.get("assignees") or () if (name := _summary(who))),
            key=_word(data.get("incident_key")),
            merged_into=_merged(data.get("resolve_reason")),
        )
    )


def _merged(reason: Any) -> str:
    """Merging resolves the incident that goes into another one, and says into which."""
    into = reason.get("incident") if isinstance(reason, Mapping) else None
    return _word(into.get("id")) if isinstance(into, Mapping) else ""


def _believable(seen: Alert) -> Alert:
    """An alert that was read by REST, held to what is asked of a webhook's.

    Raises:
        ValueError: it has an id that is none, or moments that are none of PagerDuty's.
    """
    paged = seen.paged
    for name in (paged.id, paged.status):
        _id(name)
    for moment in (seen.at, paged.created_at, paged.changed_at or seen.at):
        _within(moment)
    # Whoever keeps it has hidden what is secret (`tidied`); hiding twice would change it.
    words: dict[str, Any] = {name: _word(getattr(paged, name)) for name in _WORDS}
    return replace(seen, by=storable(seen.by), paged=replace(paged, **words))


def _summary(reference: Any) -> str:
    return _short(str(reference.get("summary") or "")) if isinstance(reference, Mapping) else ""


def _short(name: str) -> str:
    return shortened(redact(storable(name)), _LONGEST_NAME)


def _word(value: Any) -> str:
    return storable(str(value or ""))[:_LONGEST]


def _id(value: Any) -> str:
    """An id is compared and kept as it is, so one that cannot be is none."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError(f"{str(value)[:40]!a} is no id")
    return value


def _moment(text: str) -> datetime:
    return _within(datetime.fromisoformat(text))


def _within(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"the year {moment.year} is none of PagerDuty's")
    return moment
