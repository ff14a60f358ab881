"""The page that customers look at: components and incidents, rendered here, all times in UTC."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from lab.statuspage import shown
from lab.statuspage.world import Json, World

WEB = Path(__file__).parent / "web"
_PAST = 20

_WORDS = {
    "operational": "Works",
    "under_maintenance": "Maintenance",
    "degraded_performance": "Slow",
    "partial_outage": "Partly down",
    "major_outage": "Down",
    "investigating": "Investigating",
    "identified": "Identified",
    "monitoring": "Monitoring",
    "resolved": "Resolved",
}


def routes(world: World) -> list[BaseRoute]:
    env = Environment(loader=FileSystemLoader(WEB), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    env.filters |= {"clock": _clock, "day": _day, "words": lambda status: _WORDS.get(status, status)}
    return [
        Route("/", partial(_front, world, env)),
        Route("/incidents/{id}", partial(_one, world, env)),
        Route("/status.json", partial(_json, world)),
        Mount("/web", StaticFiles(directory=WEB)),
    ]


async def _front(world: World, env: Environment, _request: Request) -> Response:
    seen = shown.public(world)
    past = [i for i in seen["incidents"] if i["resolved_at"]][:_PAST]
    days = [(day, list(some)) for day, some in groupby(past, key=lambda i: _day(i["created_at"]))]
    open_now = [i for i in seen["incidents"] if not i["resolved_at"]]
    return _page(world, env, "page.html", {**seen, "open": open_now, "days": days, "now": world.now()})


async def _one(world: World, env: Environment, request: Request) -> Response:
    seen = shown.public(world)
    found: Any = next((i for i in seen["incidents"] if i["id"] == request.path_params["id"]), None)
    return _page(world, env, "incident.html", {**seen, "incident": found, "now": world.now()}, 200 if found else 404)


async def _json(world: World, _request: Request) -> Response:
    return JSONResponse(_refused(world) or shown.public(world), 503 if _refused(world) else 200)


def _page(world: World, env: Environment, name: str, values: Json, status: int = 200) -> Response:
    if _refused(world):
        return HTMLResponse(env.get_template("away.html").render(page={"name": world.name}), 503)
    return HTMLResponse(env.get_template(name).render(values), status)


def _refused(world: World) -> Json:
    return {"error": "down"} if world.faults.mode == "down" else {}


def _clock(text: str) -> str:
    at = datetime.fromisoformat(text)
    return f"{at:%H:%M} UTC, {at.day} {at:%B}"


def _day(text: str) -> str:
    at = datetime.fromisoformat(text)
    return f"{at.day} {at:%B %Y}"
