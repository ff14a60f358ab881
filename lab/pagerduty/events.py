"""Events API v2: monitors trigger, acknowledge and resolve by deduplication key."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lab.pagerduty import changes
from lab.pagerduty.account import Account
from lab.pagerduty.changes import Opening
from lab.pagerduty.company import Service
from lab.pagerduty.errors import PagerDutyError
from lab.pagerduty.shapes import service_reference
from lab.pagerduty.things import Alert, Json, new_id

ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")
SUMMARY_AT_MOST = 1024
KEY_AT_MOST = 255
BODY_AT_MOST = 512 * 1024


def routes(account: Account) -> list[Route]:
    async def enqueue(request: Request) -> Response:
        answer = await _received(account, request)
        account.tally.count("POST /v2/enqueue", answer.status_code)
        return answer

    async def change(request: Request) -> Response:
        return JSONResponse({"status": "success", "message": "Change event processed"}, 202)

    return [Route("/v2/enqueue", enqueue, methods=["POST"]), Route("/v2/change/enqueue", change, methods=["POST"])]


async def _received(account: Account, request: Request) -> Response:
    await asyncio.sleep(account.faults.delay)
    verdict = account.faults.judge("POST /v2/enqueue")
    if verdict == "down":
        return PlainTextResponse("Service Unavailable", 503)
    if verdict == "limited":
        return _limited()
    if verdict == "error":
        return _refusal(500, "internal error", "The event could not be processed")
    answer = _answered(account, await request.body())
    return _refusal(500, "internal error", "Something broke") if verdict == "error after" else answer


def _answered(account: Account, raw: bytes) -> Response:
    event, problems = _read(raw)
    problems += _problems(event) if not problems else []
    service = account.company.service_of_key(str(event.get("routing_key") or ""))
    if service is None and not problems:
        problems = ["Invalid routing key"]
    if problems or service is None:
        return _refusal(400, "invalid event", "Event object is invalid", *problems)
    if account.events_limit.take(service.key).wait:
        return _limited()
    key = str(event.get("dedup_key") or new_id("").lower())
    account.calls.append({"verb": "POST", "route": "/v2/enqueue", "body": {**event, "routing_key": "…"}})
    try:
        apply(account, service, str(event["event_action"]), key, event)
    except PagerDutyError as refusal:
        return _refusal(400, "invalid event", refusal.message)
    return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)


def _read(raw: bytes) -> tuple[Json, list[str]]:
    if len(raw) > BODY_AT_MOST:
        return {}, ["Event is larger than 512 KB"]
    try:
        event: Any = json.loads(raw)
    except ValueError:
        return {}, ["JSON parse error"]
    return (event, []) if isinstance(event, dict) else ({}, ["Event object format is unrecognized"])


def _problems(event: Json) -> list[str]:
    action, key, payload = event.get("event_action"), event.get("dedup_key"), event.get("payload") or {}
    summary = str(payload.get("summary") or "")
    trigger = action == "trigger"
    checks = (
        (action not in ACTIONS, "'event_action' must be one of trigger, acknowledge, resolve"),
        (not trigger and not key, "'dedup_key' is missing"),
        (len(str(key or "")) > KEY_AT_MOST, f"'dedup_key' is longer than {KEY_AT_MOST} characters"),
        (trigger and not summary, "'payload.summary' is missing or blank"),
        (trigger and not payload.get("source"), "'payload.source' is missing or blank"),
        (trigger and payload.get("severity") not in SEVERITIES, "'payload.severity' is invalid"),
        (len(summary) > SUMMARY_AT_MOST, f"'payload.summary' is longer than {SUMMARY_AT_MOST} characters"),
    )
    return [message for wrong, message in checks if wrong]


def apply(account: Account, service: Service, action: str, key: str, event: Json) -> None:
    """What an event does. One for a key that nothing is open for is dropped in silence, unless it triggers."""
    incident = account.open_incident(service.id, key)
    alert = incident.alert_of(key) if incident else None
    agent = service_reference(account, service.id)
    if action == "trigger":
        return _trigger(account, service, key, event)
    if incident is None or alert is None:
        return None
    if action == "acknowledge":
        return changes.acknowledge(account, incident, "", agent) if incident.status == "triggered" else None
    alert.status = "resolved"
    if any(other.status == "triggered" for other in incident.alerts):
        return account.changed()
    return changes.resolve(account, incident, agent)


def _trigger(account: Account, service: Service, key: str, event: Json) -> None:
    incident = account.open_incident(service.id, key)
    known = incident.alert_of(key) if incident else None
    if known:
        # The same alert said again: PagerDuty notes it in the log and tells nobody.
        known.triggers += 1
        return account.changed()
    alert = _alert(account, key, event)
    if incident:
        return changes.add_alert(account, incident, alert)
    urgency = "high" if alert.severity in ("critical", "error") else "low"
    opening = Opening(service.id, alert.summary, key, urgency, client=str(event.get("client") or ""))
    changes.open_incident(account, opening, alert)
    return None


def _alert(account: Account, key: str, event: Json) -> Alert:
    payload = event.get("payload") or {}
    details = dict(payload.get("custom_details") or {})
    summary, severity = str(payload.get("summary") or ""), str(payload.get("severity") or "critical")
    return Alert(
        new_id(),
        key,
        summary,
        severity,
        account.clock(),
        source=str(payload.get("source") or ""),
        details=details,
        client_url=str(event.get("client_url") or ""),
    )


def _limited() -> Response:
    return _refusal(429, "throttle exceeded", "Requests for this routing key are arriving too quickly")


def _refusal(status: int, name: str, message: str, *errors: str) -> Response:
    return JSONResponse({"status": name, "message": message, "errors": list(errors)}, status)
