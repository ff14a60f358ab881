"""The HTTP server under every stand-in: routes to functions, JSON in and out, a clean end on SIGTERM."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """One request, read whole."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object; anything else is the caller's mistake and becomes a 400."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as problem:
            raise BadRequest(f"the body is not JSON: {problem}") from problem
        if not isinstance(value, dict):
            raise BadRequest("the body is not a JSON object")
        return value


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class BadRequest(Exception):
    """The caller sent something that cannot be served."""


Handler = Callable[[Request], Answer]
Routes = Mapping[tuple[str, str], Handler]


def as_json(value: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode() + b"\n", {"Content-Type": "application/json"})


def routed(routes: Routes) -> Handler:
    """Finds the function of a method and path; `BadRequest` becomes 400, an unknown path 404."""

    def handle(request: Request) -> Answer:
        handler = routes.get((request.method, request.path))
        if handler is None:
            return as_json({"error": f"no {request.method} {request.path} here"}, 404)
        try:
            return handler(request)
        except BadRequest as problem:
            return as_json({"error": str(problem)}, 400)

    return handle


class _Connection(BaseHTTPRequestHandler):
    """Turns what arrives into a Request and writes the Answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    handle_request: Handler
    name: str

    def _serve(self) -> None:
        address = urlsplit(self.path)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._write(type(self).handle_request(Request(self.command, unquote(address.path), query, self.headers, body)))

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        # Every answer says what it is: nobody should take a stand-in for the real product.
        self.send_header("X-Mayday-Lab", f"stand-in for {self.name}")
        for key, value in ({"Content-Length": str(len(answer.body))} | answer.headers).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Only failures are worth a line: the health checks alone would fill the log."""
        if isinstance(code, int) and code >= 500:
            super().log_request(code, size)


def serve(name: str, port: int, handler: Handler) -> None:
    """Serves until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    connection = type("Connection", (_Connection,), {"handle_request": staticmethod(handler), "name": name})
    server = ThreadingHTTPServer(("0.0.0.0", port), connection)
    server.daemon_threads = True
    sys.stderr.write(f"stand-in for {name}, listening on port {port}\n")
    server.serve_forever()
