"""The control API under /practice: what the public sees as JSON, and the switch for bad days."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lab.statuspage import shown
from lab.statuspage.faults import MODES
from lab.statuspage.world import World


def routes(world: World) -> list[Route]:
    return [
        Route("/practice/health", partial(_health, world)),
        Route("/practice/state", partial(_state, world)),
        Route("/practice/fault", partial(_fault, world), methods=["POST"]),
    ]


async def _health(world: World, _request: Request) -> Response:
    return JSONResponse({"ok": True, "fault": world.faults.mode})


async def _state(world: World, _request: Request) -> Response:
    return JSONResponse({"ok": True, "fault": world.faults.mode, **shown.public(world)})


async def _fault(world: World, request: Request) -> Response:
    if "json" not in request.headers.get("content-type", ""):
        # A foreign web page can post plain forms to this machine, but not JSON.
        return JSONResponse({"ok": False, "error": "json_wanted", "detail": "Post JSON.", "hint": ""}, 415)
    mode = (await request.json()).get("mode")
    if mode not in MODES:
        hint = f"Choose one of: {', '.join(MODES)}."
        return JSONResponse(
            {"ok": False, "error": "no_such_fault", "detail": f"There is no fault '{mode}'.", "hint": hint}, 409
        )
    world.faults.set(mode)
    return JSONResponse({"ok": True, "fault": mode})
