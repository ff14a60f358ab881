"""Limits on what anybody may send before its signature was seen: bytes, seconds, connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS = 10.0
"""For a request's head, again for its body, and for reading the answer: Slack and PagerDuty give up after 3 and 5."""
CONNECTIONS = 256
"""Open at a time, of all peers together. Beyond them whoever has most of them loses one, so nobody keeps others out."""


class LimitedProtocol(H11Protocol):
    """HTTP for uvicorn, which itself waits for ever for the rest of a request's head."""

    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    since = 0.0

    def connection_made(self, transport: Any) -> None:
        """Take a connection; where too many are open, one has to go for it, or it goes itself."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self._arm()
        open_now = [one for one in self.connections if isinstance(one, LimitedProtocol) and not one.is_closing]
        if len(open_now) > CONNECTIONS:
            one_to_drop(open_now, self).transport.abort()

    @property
    def is_closing(self) -> bool:
        """Whether it is as good as gone."""
        return bool(self.transport.is_closing())

    @property
    def peer(self) -> str:
        """The address that it comes from; behind a proxy that of the proxy, whatever a header says."""
        return self.client[0] if self.client else ""

    @property
    def idle(self) -> bool:
        """Whether nothing is asked that is not answered yet: a head that is not whole asks nothing."""
        return self.cycle is None or self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        """The clock runs from a request's first byte until its head is whole."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._disarm()
        elif self._late is None:
            self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clock with the connection."""
        self._disarm()
        self._cancel_unread()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Whoever does not read an answer holds a connection, and the answer in memory, for so long and no longer."""
        super().pause_writing()
        self._drop_unread()

    def resume_writing(self) -> None:
        """The answer is read."""
        super().resume_writing()
        self._cancel_unread()

    def timeout_keep_alive_handler(self) -> None:
        """Close; what is not read yet of an answer does not keep the connection open."""
        super().timeout_keep_alive_handler()
        self._drop_unread()

    def _drop_unread(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(SECONDS, self.transport.abort)

    def _cancel_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _arm(self) -> None:
        self._late = self.loop.call_later(SECONDS, self.transport.abort)

    def _disarm(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


def one_to_drop(connections: Sequence[LimitedProtocol], newest: LimitedProtocol) -> LimitedProtocol:
    """Of the peer that has most of them, the oldest that asks nothing; else a stranger takes the oldest one's place.

    Of one and the same peer, a proxy maybe, what is being answered goes on, and the newest has to go.
    """
    many = Counter(one.peer for one in connections)
    greedy = max(many, key=lambda peer: (many[peer], peer == newest.peer))
    of_it = sorted((one for one in connections if one.peer == greedy), key=lambda one: (not one.idle, one.since))
    oldest = next(one for one in of_it if one is not newest or len(of_it) == 1)
    return newest if greedy == newest.peer and not oldest.idle else oldest


async def body_of(request: Request, most: int) -> bytes | Response:
    """The body, read piece by piece; or the answer to one that is too long, too slow or was given up."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        return PlainTextResponse("too large", 413)
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    return PlainTextResponse("too large", 413)
    except TimeoutError:
        return PlainTextResponse("too slow", 408)
    except ClientDisconnect:
        return PlainTextResponse("given up", 400)
    return bytes(body)
