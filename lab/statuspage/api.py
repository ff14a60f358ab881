"""Statuspage's REST API below /v1, with its key, its limit, its errors and its bad days."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from lab.statuspage import changes, shown
from lab.statuspage.errors import Refusal, not_found, unauthorised
from lab.statuspage.world import Incident, Json, World

_PAGE = "/v1/pages/{page}"
_MOST = 100


@dataclass(frozen=True)
class Asked:
    """One request, read."""

    world: World
    ids: dict[str, str]
    query: dict[str, str]
    body: Any

    def part(self, things: list[Any], size: str, first: int) -> list[Any]:
        """One page of a list; `size` is the parameter that says how long, `first` the number of the first page."""
        length = min(_number(self.query.get(size), _MOST) or _MOST, _MOST)
        at = max(_number(self.query.get("page"), first) - first, 0) * length
        return things[at : at + length]


Answer = Json | list[Json]


def page(asked: Asked) -> Answer:
    world = asked.world
    return {"id": world.page, "name": world.name, "url": world.base_url, "time_zone": "UTC"}


def incidents(asked: Asked) -> Answer:
    words = asked.query.get("q", "").casefold()
    kept = [i for i in asked.world.newest_first() if words in _text_of(i)]
    return _told(asked.world, asked.part(kept, "limit", 1))


def unresolved(asked: Asked) -> Answer:
    return _told(asked.world, asked.part(asked.world.unresolved(), "per_page", 1))


def active_maintenance(asked: Asked) -> Answer:
    return _told(asked.world, asked.part(asked.world.maintained(), "per_page", 1))


def incident(asked: Asked) -> Answer:
    return shown.incident(asked.world, asked.world.incident(asked.ids["id"]))


def create(asked: Asked) -> Answer:
    return shown.incident(asked.world, changes.create(asked.world, asked.body))


def update(asked: Asked) -> Answer:
    return shown.incident(asked.world, changes.update(asked.world, asked.ids["id"], asked.body))


def reword(asked: Asked) -> Answer:
    made = changes.reword(asked.world, asked.ids["id"], asked.ids["update"], asked.body)
    return shown.update(asked.world.incident(asked.ids["id"]), made)


def components(asked: Asked) -> Answer:
    kept = asked.part(asked.world.components, "per_page", 1)
    return [shown.component(asked.world, one) for one in kept]


def component(asked: Asked) -> Answer:
    return shown.component(asked.world, asked.world.component(asked.ids["id"]))


def set_component(asked: Asked) -> Answer:
    changes.set_component(asked.world, asked.ids["id"], asked.body)
    return component(asked)


Handler = Callable[[Asked], Answer]
_HANDLERS: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "", page),
    ("GET", "/incidents", incidents),
    ("POST", "/incidents", create),
    ("GET", "/incidents/unresolved", unresolved),
    ("GET", "/incidents/active_maintenance", active_maintenance),
    ("GET", "/incidents/{id}", incident),
    ("PATCH", "/incidents/{id}", update),
    ("PUT", "/incidents/{id}", update),
    ("PATCH", "/incidents/{id}/incident_updates/{update}", reword),
    ("GET", "/components", components),
    ("GET", "/components/{id}", component),
    ("PATCH", "/components/{id}", set_component),
)


def routes(world: World) -> list[Route]:
    """Every path also with `.json` behind it, as Statuspage has them."""
    return [
        Route(_PAGE + path + ending, partial(_handle, world, handler), methods=[method])
        for ending in (".json", "")
        for method, path, handler in _HANDLERS
    ]


async def _handle(world: World, handler: Handler, request: Request) -> Response:
    raw = await request.body()
    note = {"method": request.method, "path": request.url.path, "at": world.clock().timestamp(), "body": _read(raw)}
    world.asked.append(note)
    delay = world.faults.delay
    if request.method == "GET":
        await asyncio.sleep(delay)
    answer = _answer(world, handler, request, note["body"])
    if request.method != "GET":
        await asyncio.sleep(delay)
    return answer


def _answer(world: World, handler: Handler, request: Request, body: Any) -> Response:
    verdict = world.faults.judge(request.method)
    if verdict in ("down", "error"):
        return PlainTextResponse("", 503 if verdict == "down" else 500)
    try:
        _check(world, request)
        if verdict == "limited" or world.limiter.is_over(_token(request)):
            raise Refusal(420 if verdict == "limited" else 429, "Too many requests: one a second for each token.")
        asked = Asked(world, dict(request.path_params), dict(request.query_params), body)
        answer = handler(asked)
        if verdict == "twice":
            answer = handler(asked)
    except Refusal as refusal:
        return JSONResponse(refusal.as_json(), refusal.status)
    if request.method != "GET":
        world.changed()
    if verdict == "error after":
        return PlainTextResponse("", 500)
    return JSONResponse(answer, 201 if request.method == "POST" else 200)


def _check(world: World, request: Request) -> None:
    if _token(request) != world.token:
        raise unauthorised()
    if request.path_params["page"] != world.page:
        raise not_found()


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "oauth" else request.query_params.get("api_key", "")


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() else otherwise


def _text_of(one: Incident) -> str:
    return " ".join((one.name, one.status, *(u.body for u in one.updates))).casefold()


def _told(world: World, some: list[Incident]) -> list[Json]:
    return [shown.incident(world, one) for one in some]
