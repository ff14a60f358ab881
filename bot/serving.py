"""The bot's one web server, in a thread of its own."""

from __future__ import annotations

import threading

import uvicorn
from starlette.applications import Starlette


class Serving:
    """Serves until closed. `port` is the real one, also where any free one was asked for."""

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        self.port = port
        self._server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, name="http", daemon=True)

    def begin(self, stop: threading.Event) -> None:
        """Listen, and return once that works.

        Raises:
            SystemExit: the port is taken.
        """
        self._thread.start()
        while not self._server.started and self._thread.is_alive() and not stop.wait(0.05):
            pass
        if not self._thread.is_alive():
            raise SystemExit(f"port {self.port} cannot be listened on; is another bot running?")
        if self._server.started:
            self.port = self._server.servers[0].sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening."""
        self._server.should_exit = True
        self._thread.join(5)
