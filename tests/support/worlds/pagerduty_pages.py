"""PagerDuty's status pages as a small server with state: posts, their updates, and the words of the page's owner."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

Json = dict[str, Any]
KEY = "practice-pagerduty-key"
PAGE = "PR5LMML"


@dataclass
class PagesWorld:
    """One page. `lost` counts the writes that are carried out and whose answer never arrives."""

    statuses: tuple[str, ...] = ("Investigating", "Detected", "Resolved")
    severities: tuple[str, ...] = ("all good", "minor", "major")
    impacts: tuple[str, ...] = ("operational", "partial outage", "outage")
    posts: list[Json] = field(default_factory=list)
    updates: dict[str, list[Json]] = field(default_factory=dict)
    sent: list[tuple[str, Json]] = field(default_factory=list)
    lost: int = 0
    down: bool = False
    limited: int = 0
    most: int = 2
    url: str = ""

    def word(self, kind: str, id: str) -> str:
        words: tuple[str, ...] = getattr(self, kind)
        return words[int(id.removeprefix(kind[0].upper()))]

    def words(self, kind: str) -> list[Json]:
        words: tuple[str, ...] = getattr(self, kind)
        return [
            {
                "id": f"{kind[0].upper()}{n}",
                "description": word,
                "post_type": "incident",
                "type": kind,
                "self": f"{self.url}/{kind}/{n}",
            }
            for n, word in enumerate(words)
        ]

    def add_post(self, given: Json) -> Json:
        post = {**given, "id": f"P{1000 + len(self.posts)}", "self": "", "updates": []}
        self.posts.append(post)
        for update in given["updates"]:
            self.add_update(post["id"], update)
        return post

    def add_update(self, post: str, given: Json) -> Json:
        told = self.updates.setdefault(post, [])
        at = f"2026-02-09T14:{sum(map(len, self.updates.values())):02}:00Z"
        update = {
            **given,
            "id": f"U{post}{len(told)}",
            "post": {"id": post, "type": "status_page_post"},
            "reported_at": at,
            "reviewed_status": "approved",
            "self": "",
        }
        told.append(update)
        return update


def _routes(world: PagesWorld) -> list[Route]:
    base = "/status_pages/{page}"

    def refusal(request: Request) -> Response | None:
        if world.down:
            return PlainTextResponse("", 503)
        if world.limited:
            world.limited -= 1
            return JSONResponse({"error": {"message": "Rate Limit Exceeded", "code": 2020}}, 429)
        if request.headers.get("authorization") != f"Token token={KEY}":
            return PlainTextResponse("Unauthorized", 401)
        return None if request.path_params["page"] == PAGE else JSONResponse({"error": {"message": "Not Found"}}, 404)

    async def listed(request: Request) -> Response:
        if refused := refusal(request):
            return refused
        kind = request.path_params.get("kind", "post_updates")
        things = _things(world, kind, request.path_params.get("post", ""))
        at = int(request.query_params.get("offset", 0))
        # Pages are short here whatever is asked for, so that whoever reads has to turn them.
        return JSONResponse(
            {
                kind: things[at : at + world.most],
                "limit": world.most,
                "offset": at,
                "total": None,
                "more": at + world.most < len(things),
            }
        )

    async def write(request: Request) -> Response:
        if refused := refusal(request):
            return refused
        body = await request.json()
        world.sent.append((request.url.path, body))
        if post := request.path_params.get("post"):
            answer = {"post_update": world.add_update(post, body["post_update"])}
        else:
            answer = {"post": world.add_post(body["post"])}
        if world.lost:
            world.lost -= 1
            return PlainTextResponse("", 502)
        return JSONResponse(answer, 201)

    return [
        Route(f"{base}/posts/{{post}}/post_updates", listed),
        Route(f"{base}/posts/{{post}}/post_updates", write, methods=["POST"]),
        Route(f"{base}/posts", write, methods=["POST"]),
        Route(f"{base}/{{kind}}", listed),
    ]


def _things(world: PagesWorld, kind: str, post: str) -> list[Json]:
    if kind == "post_updates":
        return world.updates.get(post, [])
    if kind == "posts":
        return world.posts[::-1]
    if kind == "services":
        return [
            {"id": "SVC1", "name": "API", "type": "status_page_service"},
            {"id": "SVC2", "name": "Messages", "type": "status_page_service"},
        ]
    return world.words(kind)


@contextmanager
def running_pages(world: PagesWorld) -> Iterator[str]:
    """The server on a free port; gives its address."""
    bound = socket.create_server(("127.0.0.1", 0))
    world.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=_routes(world)), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    try:
        yield world.url
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()
