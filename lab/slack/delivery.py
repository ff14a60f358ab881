"""Carrying what people do to the bot: acknowledged within three seconds, retried, sometimes doubled."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from lab.slack.messages import Json
from lab.slack.world import World

ACK_WITHIN = 3.0
# Slack tries again at once, after a minute and after five; practice is not kept waiting for so long.
RETRY_AFTER = (3.0, 10.0, 60.0)

Kind = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True)
class Envelope:
    """One thing on its way to the bot."""

    kind: Kind
    payload: Json
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    retry_attempt: int = 0
    retry_reason: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of an envelope; `payload` is what the bot said while acknowledging."""

    acked: bool
    payload: Any = None
    error: str = ""


TIMED_OUT = Outcome(False, error="operation_timeout")
NOBODY_THERE = Outcome(False, error="dispatch_failed")
SLACK_IS_DOWN = Outcome(False, error="slack_is_down")


class Carrier(Protocol):
    """A way to the bot: sockets, or a request URL."""

    @property
    def ready(self) -> bool: ...

    async def carry(self, envelope: Envelope, within: float) -> Outcome: ...


class Delivery:
    """Hands envelopes to the first carrier that is ready."""

    def __init__(self, world: World, *carriers: Carrier) -> None:
        self._world = world
        self._carriers = carriers
        self._background: set[asyncio.Task[None]] = set()

    async def deliver(self, kind: Kind, payload: Json) -> Outcome:
        """Commands and interactions: one try, as in Slack."""
        return await self._copies(Envelope(kind, payload))

    def announce(self, event: Json) -> None:
        """Events: redelivered until acknowledged, in the background."""
        task = asyncio.create_task(self._insist(Envelope("events_api", self._callback(event))))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _insist(self, envelope: Envelope) -> None:
        loop = asyncio.get_running_loop()
        for attempt, pause in enumerate((*RETRY_AFTER, 0.0), start=1):
            began = loop.time()
            if (await self._copies(envelope)).acked:
                return
            await asyncio.sleep(max(0.0, began + pause - loop.time()))
            envelope = replace(envelope, retry_attempt=attempt, retry_reason="timeout")

    async def _copies(self, envelope: Envelope) -> Outcome:
        if self._world.faults.mode != "twice":
            return await self._carry(envelope)
        twin = replace(envelope, id=secrets.token_hex(16), payload=_as_new_event(envelope.payload))
        outcomes = await asyncio.gather(self._carry(envelope), self._carry(twin))
        return next((o for o in outcomes if o.acked), outcomes[0])

    async def _carry(self, envelope: Envelope) -> Outcome:
        if self._world.faults.mode == "down":
            return SLACK_IS_DOWN
        carrier = next((c for c in self._carriers if c.ready), None)
        return await carrier.carry(envelope, ACK_WITHIN) if carrier else NOBODY_THERE

    def _callback(self, event: Json) -> Json:
        company = self._world.company
        seat = {"team_id": company.team_id, "user_id": company.bot.id, "is_bot": True, "enterprise_id": None}
        return {
            "type": "event_callback",
            "token": "practice",
            "team_id": company.team_id,
            "api_app_id": company.app_id,
            "event": event,
            "event_id": _event_id(),
            "event_time": int(self._world.clock()),
            "authorizations": [{**seat, "is_enterprise_install": False}],
        }


def _as_new_event(payload: Json) -> Json:
    """The same happening again: an event gets a new id, a command keeps its trigger."""
    return {**payload, "event_id": _event_id()} if "event_id" in payload else payload


def _event_id() -> str:
    return f"Ev{secrets.token_hex(5).upper()}"
