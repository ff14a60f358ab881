"""Server-sent events: the page hears at once what happens in the room."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from lab.slack.feed import Happening
from lab.slack.messages import Message
from lab.slack.shown import message_shown, view_shown
from lab.slack.world import OpenView, World

HEARTBEAT = 15.0


def routes(world: World) -> list[Route]:
    async def events(request: Request) -> Response:
        user = world.company.user(request.query_params.get("user", ""))
        headers = {"Cache-Control": "no-store"}
        stream = follow(world, user.id if user else None)
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    return [Route("/practice/events", events)]


async def follow(world: World, user: str | None) -> AsyncIterator[str]:
    """What one person may hear, as an event stream."""
    with world.feed.listen() as queue:
        yield "retry: 1000\n\n"
        while True:
            try:
                happening = await asyncio.wait_for(queue.get(), HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if happening.user in (None, user):
                yield f"data: {json.dumps(_told(world, happening))}\n\n"


def _told(world: World, happening: Happening) -> dict[str, Any]:
    what = happening.what
    if isinstance(what, Message):
        return {"kind": happening.kind, "message": message_shown(world, what)}
    if isinstance(what, OpenView):
        return {"kind": happening.kind, "view": view_shown(world, what)}
    return {"kind": happening.kind, "what": what}
