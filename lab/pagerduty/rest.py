"""REST v2 on the wire: faults, token, limits, `From`, then the method; errors in PagerDuty's form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lab.pagerduty import directory_calls, incident_calls, status_calls, subscription_calls
from lab.pagerduty.account import Account
from lab.pagerduty.calls import Call
from lab.pagerduty.company import Person
from lab.pagerduty.errors import (
    FORBIDDEN,
    NO_SUCH_REQUESTER,
    RATE_LIMITED,
    UNAUTHENTICATED,
    PagerDutyError,
    invalid,
)
from lab.pagerduty.faults import Verdict
from lab.pagerduty.limits import Allowance
from lab.pagerduty.things import Json

Endpoint = Callable[[Request], Awaitable[Response]]
LIMITED = {"error": {"message": "Rate Limit Exceeded", "code": RATE_LIMITED}}
BROKEN = {"error": {"message": "Internal Server Error", "code": 2000}}


@dataclass(frozen=True)
class Method:
    """One method of the API; `sender` says that `From` is required, `status` what success is called."""

    verb: str
    path: str
    answer: Callable[[Call], Json | None]
    status: int = 200
    sender: bool = False


METHODS = (
    Method("GET", "/incidents", incident_calls.list_incidents),
    Method("POST", "/incidents", incident_calls.declare, 201, sender=True),
    Method("PUT", "/incidents", incident_calls.change_many, sender=True),
    Method("GET", "/incidents/{id}", incident_calls.read_incident),
    Method("PUT", "/incidents/{id}", incident_calls.change_one, sender=True),
    Method("PUT", "/incidents/{id}/merge", incident_calls.merge, sender=True),
    Method("GET", "/incidents/{id}/notes", incident_calls.list_notes),
    Method("POST", "/incidents/{id}/notes", incident_calls.add_note, sender=True),
    Method("GET", "/incidents/{id}/alerts", incident_calls.list_alerts),
    Method("GET", "/users", directory_calls.list_people),
    Method("GET", "/users/me", directory_calls.read_me),
    Method("GET", "/users/{id}", directory_calls.read_person),
    Method("GET", "/services", directory_calls.list_services),
    Method("GET", "/services/{id}", directory_calls.read_service),
    Method("GET", "/escalation_policies", directory_calls.list_policies),
    Method("GET", "/escalation_policies/{id}", directory_calls.read_policy),
    Method("GET", "/priorities", directory_calls.list_priorities),
    Method("GET", "/oncalls", directory_calls.list_oncalls),
    Method("GET", "/abilities", directory_calls.list_abilities),
    Method("GET", "/webhook_subscriptions", subscription_calls.list_subscriptions),
    Method("POST", "/webhook_subscriptions", subscription_calls.create),
    Method("GET", "/webhook_subscriptions/{id}", subscription_calls.read),
    Method("PUT", "/webhook_subscriptions/{id}", subscription_calls.change),
    Method("DELETE", "/webhook_subscriptions/{id}", subscription_calls.delete, 204),
    Method("POST", "/webhook_subscriptions/{id}/enable", subscription_calls.enable),
    Method("POST", "/webhook_subscriptions/{id}/ping", subscription_calls.ping, 202),
    Method("GET", "/status_pages", status_calls.list_pages),
    Method("GET", "/status_pages/{id}/services", status_calls.list_services),
    Method("GET", "/status_pages/{id}/posts", status_calls.list_posts),
    Method("POST", "/status_pages/{id}/posts", status_calls.create_post, 201),
    Method("GET", "/status_pages/{id}/posts/{post}", status_calls.read_post),
    Method("PUT", "/status_pages/{id}/posts/{post}", status_calls.change_post),
    Method("GET", "/status_pages/{id}/posts/{post}/post_updates", status_calls.list_updates),
    Method("POST", "/status_pages/{id}/posts/{post}/post_updates", status_calls.add_update, 201),
    Method("GET", "/status_pages/{id}/{kind}", status_calls.list_kind),
)


def routes(account: Account) -> list[Route]:
    return [Route(m.path, _endpoint(account, m), methods=[m.verb]) for m in METHODS]


def _endpoint(account: Account, method: Method) -> Endpoint:
    name = f"{method.verb} {method.path}"

    async def handle(request: Request) -> Response:
        await asyncio.sleep(account.faults.delay)
        answer = await _received(account, method, request, account.faults.judge(name))
        account.tally.count(name, answer.status_code)
        return answer

    return handle


async def _received(account: Account, method: Method, request: Request, verdict: Verdict) -> Response:
    if verdict == "down":
        return PlainTextResponse("Service Unavailable", 503)
    if verdict == "limited":
        return JSONResponse(LIMITED, 429, Allowance(account.rest_limit.per_minute, 0, 1.0).headers)
    if verdict == "error":
        return JSONResponse(BROKEN, 500)
    answer = await _answered(account, method, request)
    return JSONResponse(BROKEN, 500) if verdict == "error after" else answer


async def _answered(account: Account, method: Method, request: Request) -> Response:
    headers: dict[str, str] = {}
    try:
        token = _token(account, request, method)
        allowed = account.rest_limit.take(token)
        headers = allowed.headers
        if allowed.wait:
            return JSONResponse(LIMITED, 429, headers)
        body = await _body(request)
        sender = _sender(account, request, method)
        _remember(account, method, request, body)
        found = method.answer(Call(account, request.path_params, request.query_params, body, sender))
    except PagerDutyError as refusal:
        return JSONResponse(refusal.as_json(), refusal.status, headers)
    return (
        Response(status_code=method.status, headers=headers)
        if found is None
        else JSONResponse(found, method.status, headers)
    )


def _token(account: Account, request: Request, method: Method) -> str:
    given = request.headers.get("authorization", "")
    token = given.removeprefix("Token token=").removeprefix("Bearer ")
    if token not in (account.company.token, account.company.read_only_token):
        raise PagerDutyError(401, UNAUTHENTICATED, "Unauthorized")
    if token == account.company.read_only_token and method.verb != "GET":
        raise PagerDutyError(403, FORBIDDEN, "Access Denied")
    return token


def _sender(account: Account, request: Request, method: Method) -> Person | None:
    given = request.headers.get("from", "")
    person = account.company.person(given) if "@" in given else None
    if method.sender and person is None:
        raise PagerDutyError(400, NO_SUCH_REQUESTER, "Requester User Not Found")
    return person


async def _body(request: Request) -> Json:
    raw = await request.body()
    if not raw:
        return {}
    try:
        body: Any = json.loads(raw)
    except ValueError:
        raise invalid("The body is not JSON") from None
    if not isinstance(body, dict):
        raise invalid("The body is not an object")
    return body


def _remember(account: Account, method: Method, request: Request, body: Json) -> None:
    account.calls.append(
        {
            "verb": method.verb,
            "route": method.path,
            "path": request.url.path,
            "body": body,
            "query": list(request.query_params.multi_items()),
            "from": request.headers.get("from", ""),
        }
    )
