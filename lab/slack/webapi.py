"""The Web API: /api/{method}, with Slack's tokens, limits, errors and bad days."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lab.slack import chat, files, modals, people
from lab.slack.calls import Call
from lab.slack.errors import SlackError
from lab.slack.messages import Json
from lab.slack.world import World

Method = Callable[[Call], Json]
METHODS: dict[str, Method] = {**chat.METHODS, **people.METHODS, **modals.METHODS, **files.METHODS}
SCOPES = "commands,chat:write,files:write,users:read,usergroups:read,channels:read,channels:history,app_mentions:read,"
SCOPES += "reactions:read,im:write,im:history"


def routes(world: World, open_connection: Method) -> list[Route]:
    methods = {**METHODS, "apps.connections.open": open_connection}

    async def handle(request: Request) -> Response:
        method = request.path_params["method"]
        args = await read_args(request)
        call = Call(world, method, args, _token(request, args), world.clock())
        await asyncio.sleep(world.faults.delay)
        answer = _answer(call, methods)
        world.tally.count(method, answer.status_code)
        return answer

    return [Route("/api/{method}", handle, methods=["GET", "POST"])]


def _answer(call: Call, methods: dict[str, Method]) -> Response:
    verdict = call.world.faults.judge(call.method)
    if verdict == "down":
        return PlainTextResponse("", 503)
    if verdict == "error":
        return PlainTextResponse("", 500)
    wait = 1 if verdict == "limited" else call.world.limiter.retry_after(call.method, call.text("channel"))
    if wait:
        return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(wait)})
    answer = carry_out(call, methods)
    return PlainTextResponse("", 500) if verdict == "error after" else JSONResponse(answer, 200, _headers())


def carry_out(call: Call, methods: dict[str, Method]) -> Json:
    """Run one method; a refusal is an answer, too."""
    try:
        method = methods.get(call.method)
        if method is None:
            raise SlackError("unknown_method", req_method=call.method)
        _check_token(call)
        return {"ok": True, **method(call)}
    except SlackError as refusal:
        return refusal.as_json()


def _check_token(call: Call) -> None:
    company = call.world.company
    if not call.token:
        raise SlackError("not_authed")
    if call.token not in (company.bot_token, company.app_token):
        raise SlackError("invalid_auth")
    wants_app = call.method == "apps.connections.open"
    if (call.token == company.app_token) != wants_app:
        raise SlackError("not_allowed_token_type")


async def read_args(request: Request) -> Json:
    """The arguments of a call, from the query and a JSON or form body."""
    args: Json = dict(request.query_params)
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        loaded = json.loads(body or b"{}")
        return {**args, **loaded} if isinstance(loaded, dict) else args
    args |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return {key: _unpacked(key, value) for key, value in args.items()}


def _unpacked(key: str, value: Any) -> Any:
    """Forms carry lists and objects as JSON texts."""
    if key not in ("blocks", "metadata", "view", "files", "attachments"):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _token(request: Request, args: Json) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else str(args.get("token") or "")


def _headers() -> dict[str, str]:
    return {"x-oauth-scopes": SCOPES}
