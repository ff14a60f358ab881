"""The bot's web server: where Slack posts its requests in HTTP mode, and what else others call us with."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from slack_bolt import App, BoltRequest
from slack_bolt.adapter.starlette.handler import to_starlette_response
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.web.http_limits import body_of

_FORM = "application/x-www-form-urlencoded"
_MOST = 1_000_000


def web_app(app: App | None, *more: Route) -> Starlette:
    """The web application: it listens for Slack where an app is given, and serves the other routes."""

    async def health(_request: Request) -> Response:
        return PlainTextResponse("ok")

    slack = [slack_route(app)] if app is not None else []
    return Starlette(routes=[*slack, Route("/health", health), *more])


def slack_route(app: App) -> Route:
    """Where Slack posts."""

    async def events(request: Request) -> Response:
        body = await body_of(request, _MOST)
        if isinstance(body, Response):
            return body
        headers = dict(request.headers)
        return to_starlette_response(await run_in_threadpool(app.dispatch, bolt_request(body, headers)))

    return Route("/slack/events", events, methods=["POST"])


def bolt_request(body: bytes, headers: dict[str, str]) -> BoltRequest:
    """Slack's request as Bolt takes it, with the raw body kept for the signature."""
    raw = body.decode("utf-8", "replace")
    try:
        request = BoltRequest(body=unmistakable(raw, headers.get("content-type", "")), headers=dict(headers))
    except (ValueError, TypeError, AttributeError, RecursionError):
        # Bolt parses before anybody has checked the signature; what it cannot parse has no meaning for us.
        request = BoltRequest(body="", headers=dict(headers))
    request.raw_body = raw
    return request


def unmistakable(raw: str, content_type: str) -> str:
    """The form with a word escaped that Bolt looks for.

    Bolt takes a form for an interaction as soon as the word "payload" stands anywhere in it, and then
    finds nothing: a command whose text has the word would be lost.
    """
    if not content_type.startswith(_FORM) or "payload" not in raw:
        return raw
    fields = parse_qsl(raw, keep_blank_values=True)
    if any(name == "payload" for name, _ in fields):
        return raw
    return urlencode(fields).replace("payload", "%70ayload")
