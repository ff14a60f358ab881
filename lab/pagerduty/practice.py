"""What practice people can do at PagerDuty: let alerts arrive, and act as they would in its app."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from lab.pagerduty import changes, events
from lab.pagerduty.account import Account
from lab.pagerduty.company import Person, Service
from lab.pagerduty.errors import PagerDutyError, PracticeError
from lab.pagerduty.things import Incident, Json, as_time
from lab.pagerduty.webhooks import Delivery

MOST_AT_ONCE = 5000
ACTIONS = ("acknowledge", "resolve", "reopen", "escalate", "note", "priority", "reassign", "merge")


@dataclass(frozen=True)
class PagerDutyStandIn:
    """The practice PagerDuty, wired. `left_over` are webhooks that waited when it was stopped."""

    account: Account
    delivery: Delivery
    left_over: tuple[Json, ...] = ()


def page(stand_in: PagerDutyStandIn, asked: Json) -> Json:
    """Alerts arrive: `count` of them, each with a key of its own; `grouped` puts them into one incident.

    `out_of_order`: the on-call acknowledges at once (`then` names another action), and the webhooks come the
    newest first.
    """
    title, service = str(asked.get("title") or "").strip(), _service(stand_in, str(asked.get("service") or "postgres"))
    count, urgency = int(asked.get("count", 1)), str(asked.get("urgency") or "high")
    if not title or not 1 <= count <= MOST_AT_ONCE or urgency not in ("high", "low"):
        raise PracticeError("not_understood", "Give a title, a count of 1 to 5000, and the urgency high or low.")
    event = {
        "payload": {
            "summary": title,
            "source": service.name,
            "severity": "critical" if urgency == "high" else "warning",
            "custom_details": asked.get("details") or {},
        }
    }
    then = str(asked.get("then") or ("acknowledge" if asked.get("out_of_order") else ""))
    keys = [str(asked["key"])] if asked.get("key") and count == 1 else [uuid4().hex for _ in range(count)]
    before = set(stand_in.account.incidents)
    with stand_in.delivery.out_of_order() if asked.get("out_of_order") else contextlib.nullcontext():
        _arrive(stand_in, service, keys, event, bool(asked.get("grouped")))
        opened = [incident for id, incident in stand_in.account.incidents.items() if id not in before]
        for incident in opened if then else ():
            act(stand_in, {"incident": incident.id, "action": then, "user": "oncall"})
    return {"ok": True, "incidents": [i.id for i in opened[:100]], "opened": len(opened), "alerts": count}


def _arrive(stand_in: PagerDutyStandIn, service: Service, keys: list[str], event: Json, grouped: bool) -> None:
    try:
        for key in keys:
            first = stand_in.account.open_incident(service.id, keys[0]) if grouped else None
            if first:
                # Alert grouping: PagerDuty takes the alert into the incident that is open.
                stand_in.account.remember_key(first, key)
            events.apply(stand_in.account, service, "trigger", key, event)
    except PagerDutyError as refusal:
        raise PracticeError("refused", refusal.message) from None


def act(stand_in: PagerDutyStandIn, asked: Json) -> Json:
    """Somebody does something with an incident in PagerDuty's own app."""
    incident, person = _incident(stand_in, str(asked.get("incident") or "newest")), _person(stand_in, asked)
    action, agent = str(asked.get("action") or ""), changes.by(stand_in.account, person)
    if action not in ACTIONS:
        raise PracticeError("no_such_action", f"There is no action {action!r}.", f"Use one of: {', '.join(ACTIONS)}")
    try:
        _act(stand_in, incident, person, action, asked, agent)
    except PagerDutyError as refusal:
        raise PracticeError("refused", " ".join((refusal.message, *refusal.errors))) from None
    return {"ok": True, "incident": incident.id, "status": incident.status}


def _act(stand_in: PagerDutyStandIn, incident: Incident, person: Person, action: str, asked: Json, agent: Json) -> Any:
    account = stand_in.account
    if action == "acknowledge":
        return changes.acknowledge(account, incident, person.id, agent)
    if action == "resolve":
        return changes.resolve(account, incident, agent)
    if action == "reopen":
        return changes.reopen(account, incident, agent)
    if action == "escalate":
        return changes.escalate(account, incident, int(asked.get("level") or incident.level + 1), agent)
    if action == "note":
        return changes.annotate(account, incident, person.id, str(asked.get("text") or ""), agent)
    if action == "priority":
        return changes.set_priority(account, incident, str(asked.get("priority") or ""), agent)
    if action == "reassign":
        return changes.reassign(account, incident, [_person(stand_in, {"user": asked.get("to")}).id], agent)
    return changes.merge(account, _incident(stand_in, str(asked.get("into") or "")), [incident], agent)


def seen(stand_in: PagerDutyStandIn, asked: Json) -> Json:
    """Everything as PagerDuty sees it, the newest incident first."""
    account, newest = stand_in.account, int(asked.get("limit") or 50)
    incidents = list(account.incidents.values())
    on_call = [
        {"policy": policy.name, "level": level, "name": person.name, "email": person.email}
        for policy in account.company.policies
        for level in range(1, len(policy.levels) + 1)
        for person in account.on_call(policy.id, level)
    ]
    hooks = [
        {"id": s.id, "url": s.url, "temporarily_disabled": s.temporarily_disabled, "drops": s.drops}
        for s in account.subscriptions.values()
    ]
    return {
        "ok": True,
        "stand_in": True,
        "note": "A practice stand-in for PagerDuty: nobody is paged from here.",
        "fault": account.faults.mode,
        "total": len(incidents),
        "open": sum(i.is_open for i in incidents),
        "on_call": on_call,
        "subscriptions": hooks,
        "undelivered": stand_in.delivery.waiting,
        "incidents": [_seen(account, i) for i in incidents[: -newest - 1 : -1]],
    }


def _seen(account: Account, incident: Incident) -> Json:
    service = account.company.service(incident.service)
    names = [person.name for id in incident.assigned if (person := account.company.person(id))]
    return {
        "id": incident.id,
        "number": incident.number,
        "title": incident.title,
        "status": incident.status,
        "urgency": incident.urgency,
        "service": service.name if service else incident.service,
        "priority": priority.name if (priority := account.company.priority(incident.priority)) else "",
        "assigned": names if incident.is_open else [],
        "level": incident.level,
        "alerts": len(incident.alerts),
        "triggers": sum(alert.triggers for alert in incident.alerts),
        "key": incident.key,
        "merged_into": incident.merged_into,
        "created_at": as_time(incident.created_at),
        "resolved_at": as_time(incident.resolved_at),
        "notes": [
            {"by": _name(account, note.user), "text": note.content, "at": as_time(note.created_at)}
            for note in incident.notes
        ],
    }


def _name(account: Account, id: str) -> str:
    person = account.company.person(id)
    return person.name if person else id


def _service(stand_in: PagerDutyStandIn, wanted: str) -> Service:
    found = stand_in.account.company.service(wanted)
    if found is None:
        known = ", ".join(s.name for s in stand_in.account.company.services)
        raise PracticeError("no_such_service", f"There is no service {wanted}.", f"Use one of: {known}")
    return found


def _incident(stand_in: PagerDutyStandIn, wanted: str) -> Incident:
    found = stand_in.account.incident(wanted)
    if found is None:
        raise PracticeError("no_such_incident", f"There is no incident {wanted}.", "See: mayday lab pagerduty")
    return found


def _person(stand_in: PagerDutyStandIn, asked: Json) -> Person:
    found = stand_in.account.company.person(str(asked.get("user") or "oncall"))
    if found is None:
        raise PracticeError("no_such_person", f"There is nobody called {asked.get('user')}.")
    return found
