"""The stand-in as one web application: REST API, public page, control API."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from lab.statuspage import api, control, public, snapshot
from lab.statuspage.world import World


@dataclass(frozen=True)
class Listening:
    """A server that has its port but does not run yet."""

    url: str
    world: World
    server: uvicorn.Server
    socket: socket.socket

    @property
    def api_url(self) -> str:
        return f"{self.url}/v1"

    def run(self) -> None:
        self.server.run(sockets=[self.socket])


def listen(
    host: str = "127.0.0.1", port: int = 0, *, keep_in: Path | None = None, world: World | None = None
) -> Listening:
    """Take the port (0: any free one), so that the address is known before anything runs."""
    bound = socket.create_server((host, port))
    world = world or World()
    world.base_url = f"http://{host}:{bound.getsockname()[1]}"
    if keep_in:
        snapshot.load(world, keep_in)
    app = Starlette(routes=[*api.routes(world), *control.routes(world), *public.routes(world)])
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    return Listening(world.base_url, world, uvicorn.Server(config), bound)


def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    keep_in: Path | None = None,
    ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until interrupted; `ready` is told the address first."""
    listening = listen(host, port, keep_in=keep_in)
    ready(listening.url)
    listening.run()


@contextmanager
def running_statuspage(keep_in: Path | None = None, port: int = 0, world: World | None = None) -> Iterator[Listening]:
    """The stand-in on a port of its own, in a thread; `world` shows its inside to tests."""
    listening = listen(port=port, keep_in=keep_in, world=world)
    thread = threading.Thread(target=listening.run, name="statuspage", daemon=True)
    thread.start()
    try:
        yield listening
    finally:
        listening.server.should_exit = True
        thread.join(10)
        listening.socket.close()
