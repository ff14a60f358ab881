"""What anybody may send before a signature was seen costs little: bytes, seconds and connections have limits."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.web import http_limits
from bot.web.http_limits import LimitedProtocol, body_of
from tests.support.waiting import within

pytestmark = pytest.mark.parts
MOST = 1000


async def take(request: Request) -> Response:
    body = await body_of(request, MOST)
    return body if isinstance(body, Response) else PlainTextResponse(str(len(body)))


async def large(_request: Request) -> Response:
    return PlainTextResponse("x" * 8_000_000)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server that waits half a second and takes eight connections."""
    monkeypatch.setattr(http_limits, "SECONDS", 0.5)
    monkeypatch.setattr(http_limits, "CONNECTIONS", 8)
    app = Starlette(routes=[Route("/", take, methods=["POST"]), Route("/large", large)])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", http=LimitedProtocol))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    within(8)(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(5)


def opened(port: int, said: bytes, peer: str = "127.0.0.1") -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), 5, (peer, 0))
    made.sendall(said)
    return made


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found


HEAD = b"POST / HTTP/1.1\r\nhost: bot\r\n"


@pytest.mark.parametrize("said", [b"", HEAD, HEAD + b"x: " + b"y" * 500])
def test_a_request_whose_head_never_ends_is_dropped(port: int, said: bytes) -> None:
    with opened(port, said) as connection:
        assert heard(connection) == b""


def test_a_head_that_comes_drop_by_drop_has_the_same_time(port: int) -> None:
    with opened(port, HEAD) as connection:
        within(3)(lambda: not _takes(connection, b"x: y\r\n"))


def test_a_body_that_never_ends_is_answered(port: int) -> None:
    with opened(port, HEAD + b"content-length: 100\r\nconnection: close\r\n\r\nhalf") as connection:
        assert heard(connection).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("head", [b"content-length: 1200000000\r\n", b"transfer-encoding: chunked\r\n"])
def test_of_a_body_that_is_too_large_no_more_is_read_than_may_be(port: int, head: bytes) -> None:
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    with opened(port, HEAD + head + b"connection: close\r\n\r\n" + chunk) as connection:
        assert heard(connection).startswith(b"HTTP/1.1 413")


def test_half_sent_requests_keep_nobody_out_for_long(port: int) -> None:
    held = [opened(port, HEAD) for _ in range(40)]
    try:
        within(5)(lambda: _answered(port))
    finally:
        for connection in held:
            connection.close()


HALF = HEAD + b"content-length: 100\r\n\r\nhalf"


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.2"])
@pytest.mark.parametrize("said", [b"", HEAD])
def test_who_asks_nothing_makes_room_at_once(
    port: int, said: bytes, peer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_limits, "SECONDS", 600)
    held = [opened(port, said) for _ in range(40)]
    try:
        assert _answered(port, peer)
    finally:
        for connection in held:
            connection.close()


def test_one_peer_that_holds_every_connection_keeps_no_other_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_limits, "SECONDS", 600)
    held = [opened(port, HALF) for _ in range(8)]
    first, others = held[0], held[1:]
    try:
        within(5)(lambda: not _answered(port, "127.0.0.1"))
        assert _answered(port, "127.0.0.2")
        assert heard(first) == b""
        for connection in others:
            connection.sendall(b"y" * 96)
            assert connection.recv(100).startswith(b"HTTP/1.1 200"), "what it had asked goes on"
    finally:
        for connection in held:
            connection.close()


def test_one_connection_serves_several_requests_each_with_its_own_time(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for n in (1, 5, MOST):
            assert client.post("/", content=b"x" * n).text == str(n)
            time.sleep(0.3)


@pytest.mark.parametrize("asked", [1, 50], ids=["one answer", "many at once"])
def test_answers_that_nobody_reads_keep_nobody_out_for_long(port: int, asked: int) -> None:
    held = [opened(port, b"GET /large HTTP/1.1\r\nhost: bot\r\n\r\n" * asked) for _ in range(8)]
    try:
        within(8)(lambda: _answered(port))
    finally:
        for connection in held:
            connection.close()


def _takes(connection: socket.socket, more: bytes) -> bool:
    try:
        connection.sendall(more)
    except OSError:
        return False
    return True


def _answered(port: int, peer: str = "127.0.0.1") -> bool:
    try:
        with httpx.Client(transport=httpx.HTTPTransport(local_address=peer)) as client:
            return client.post(f"http://127.0.0.1:{port}", content=b"abc").text == "3"
    except httpx.HTTPError:
        return False
