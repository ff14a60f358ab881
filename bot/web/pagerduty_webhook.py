"""PagerDuty's webhook: the signature, then the store, then the answer. All thinking comes later.

A body with a right signature is never refused for what it says: PagerDuty would switch the subscription off.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Callable, Iterable

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from actions.engine.errors import RecoveryError
from actions.incidents.kept_events import key_of
from actions.store.store import Store
from bot.incidents.event_writer import GIVES_UP, EventWriter
from bot.web.http_limits import body_of

_log = logging.getLogger(__name__)
PATH = "/pagerduty/webhook"
_PATIENCE = GIVES_UP + 0.5
"""A commit that hangs on the disk cannot be taken back: the event may be kept yet, and is known when it comes again."""
MOST = 256 * 1024
"""The largest body that PagerDuty sends."""


def signed(body: bytes, header: str, secrets: Iterable[str]) -> bool:
    """Whether one of the header's `v1=` signatures was made of that body with one of our secrets."""
    given = [part.strip()[3:] for part in header.split(",") if part.strip().startswith("v1=")]
    made = [hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets if secret]
    # All are compared, so that the time it takes tells nothing.
    matches = [hmac.compare_digest(g.encode(errors="replace"), m.encode()) for g in given for m in made]
    return any(matches)


def pagerduty_route(store: Store, secrets: Iterable[str], wake: Callable[[], None]) -> Route:
    """The route that takes what PagerDuty sends; `wake` tells that something waits to be taken in."""
    kept_secrets, writer = tuple(secrets), EventWriter(store, wake)

    async def take(request: Request) -> Response:
        body = await body_of(request, MOST)
        if isinstance(body, Response):
            return body
        if not signed(body, request.headers.get("x-pagerduty-signature", ""), kept_secrets):
            _log.warning("a PagerDuty event with a wrong signature was refused")
            return PlainTextResponse("wrong signature", 401)
        try:
            text = body.decode()
            key = key_of(text)
        except (ValueError, RecursionError):
            return PlainTextResponse("not JSON", 400)
        try:
            new = await asyncio.wait_for(asyncio.wrap_future(writer.keep(key, text)), _PATIENCE)
        except (SQLAlchemyError, RecoveryError, TimeoutError) as error:
            _log.error("an event could not be kept (%s); PagerDuty will send it again", type(error).__name__)
            # At a 5xx PagerDuty sends the event again; at nearly every 4xx it drops it for good.
            return PlainTextResponse("try again", 503)
        return PlainTextResponse("kept" if new else "known", 202)

    return Route(PATH, take, methods=["POST"])
