"""The practice Slack as one web application: Web API, sockets, hooks, control API and page."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from lab.slack import control, files, hooks, snapshot, stream, webapi
from lab.slack.company import Company
from lab.slack.control import Room
from lab.slack.delivery import Delivery
from lab.slack.http_mode import HttpMode
from lab.slack.sockets import Sockets
from lab.slack.world import World

WEB = Path(__file__).parent / "web"


def build_room(world: World, request_url: str | None = None) -> Room:
    sockets, http = Sockets(world), HttpMode(world, request_url)
    return Room(world, Delivery(world, http, sockets), sockets, http)


def build_app(
    company: Company | None = None, *, base_url: str, request_url: str | None = None, keep_in: Path | None = None
) -> Starlette:
    """The application; `base_url` is where the bot reaches it, `keep_in` a file that outlives it."""
    world = World(company or Company(), base_url=base_url.rstrip("/"))
    room = build_room(world, request_url)
    if keep_in:
        snapshot.load(world, keep_in)
    app = Starlette(routes=_routes(room), lifespan=_lifespan(world, keep_in))
    app.state.room = room
    return app


def _routes(room: Room) -> list[BaseRoute]:
    world = room.world
    return [
        *webapi.routes(world, room.sockets.open_connection),
        *room.sockets.routes(),
        *hooks.routes(world),
        *files.routes(world),
        *stream.routes(world),
        *control.routes(room),
        Route("/", lambda _request: FileResponse(WEB / "index.html")),
        Mount("/web", StaticFiles(directory=WEB)),
    ]


def _lifespan(
    world: World, keep_in: Path | None
) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        keeper = asyncio.create_task(snapshot.keep(world, keep_in)) if keep_in else None
        yield
        if keeper:
            keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper

    return lifespan


@dataclass(frozen=True)
class Listening:
    """A server that has its port but does not run yet."""

    url: str
    app: Starlette
    server: uvicorn.Server
    socket: socket.socket

    def run(self) -> None:
        self.server.run(sockets=[self.socket])


def listen(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    company: Company | None = None,
    public_url: str | None = None,
    request_url: str | None = None,
    keep_in: Path | None = None,
) -> Listening:
    """Take the port (0: any free one), so that the address is known before anything runs."""
    bound = socket.create_server((host, port))
    # An address that means "all of them" is none that a bot could call.
    reachable = "127.0.0.1" if host in ("0.0.0.0", "") else host
    url = public_url or f"http://{reachable}:{bound.getsockname()[1]}"
    app = build_app(company, base_url=url, request_url=request_url, keep_in=keep_in)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, ws_ping_interval=None)
    return Listening(url, app, uvicorn.Server(config), bound)


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    company: Company | None = None,
    public_url: str | None = None,
    request_url: str | None = None,
    keep_in: Path | None = None,
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until interrupted; `ready` is told the address first."""
    options = {"company": company, "public_url": public_url, "request_url": request_url, "keep_in": keep_in}
    listening = listen(host, port, **options)  # type: ignore[arg-type]
    ready(listening.url)
    listening.run()
