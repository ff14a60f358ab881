"""Socket Mode: tickets, sockets, hello, envelopes and their acknowledgements."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from lab.slack.calls import Call
from lab.slack.delivery import TIMED_OUT, Envelope, Outcome
from lab.slack.messages import Json
from lab.slack.world import World

MOST_SOCKETS = 10


class Sockets:
    """The open sockets of the app; each envelope goes to one of them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._links: list[WebSocket] = []
        self._tickets: set[str] = set()
        self._waiting: dict[str, tuple[WebSocket, asyncio.Future[Outcome]]] = {}

    @property
    def ready(self) -> bool:
        return bool(self._links)

    @property
    def count(self) -> int:
        return len(self._links)

    def open_connection(self, call: Call) -> Json:
        """apps.connections.open"""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return {"url": f"{self._world.base_url.replace('http', 'ws', 1)}/link/?ticket={ticket}"}

    def routes(self) -> list[WebSocketRoute]:
        return [WebSocketRoute("/link/", self._serve)]

    async def carry(self, envelope: Envelope, within: float) -> Outcome:
        link = random.choice(self._links)
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting[envelope.id] = (link, answer)
        try:
            await link.send_text(json.dumps(_on_the_wire(envelope)))
            return await asyncio.wait_for(answer, within)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return TIMED_OUT
        finally:
            self._waiting.pop(envelope.id, None)

    async def cut(self) -> None:
        """Slack goes away: every socket closes without a word."""
        for link in list(self._links):
            await self._close(link)

    async def refresh(self) -> None:
        """Ask every client to connect anew, as Slack does every few hours."""
        for link in list(self._links):
            await link.send_text(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))

    async def _serve(self, link: WebSocket) -> None:
        ticket = link.query_params.get("ticket", "")
        if self._world.faults.mode == "down" or ticket not in self._tickets or self.count >= MOST_SOCKETS:
            await link.close(1008)
            return
        self._tickets.discard(ticket)
        await link.accept()
        await link.send_text(json.dumps(self._hello()))
        await self._converse(link)

    async def _converse(self, link: WebSocket) -> None:
        self._links.append(link)
        self._world.feed.tell("sockets", self.count)
        try:
            while True:
                self._acknowledge(await link.receive_text())
        except (WebSocketDisconnect, RuntimeError):
            await self._close(link)

    async def _close(self, link: WebSocket) -> None:
        if link in self._links:
            self._links.remove(link)
            self._world.feed.tell("sockets", self.count)
        for owner, answer in list(self._waiting.values()):
            if owner is link and not answer.done():
                answer.set_result(TIMED_OUT)
        if link.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await link.close(1011)

    def _acknowledge(self, text: str) -> None:
        try:
            said = json.loads(text)
        except json.JSONDecodeError:
            return
        _, answer = self._waiting.get(str(said.get("envelope_id")), (None, None))
        if answer and not answer.done():
            answer.set_result(Outcome(True, said.get("payload")))

    def _hello(self) -> Json:
        debug = {"host": "practice", "approximate_connection_time": 18060, "build_number": 1}
        return {
            "type": "hello",
            "num_connections": self.count + 1,
            "debug_info": debug,
            "connection_info": {"app_id": self._world.company.app_id},
        }


def _on_the_wire(envelope: Envelope) -> Json:
    wire = {
        "envelope_id": envelope.id,
        "type": envelope.kind,
        "payload": envelope.payload,
        "accepts_response_payload": envelope.kind != "events_api",
    }
    if envelope.kind == "events_api":
        wire |= {"retry_attempt": envelope.retry_attempt, "retry_reason": envelope.retry_reason}
    return wire
