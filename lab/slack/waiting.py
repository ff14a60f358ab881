"""Waiting for what the bot makes of something that a person did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.slack.feed import Happening
from lab.slack.messages import Message
from lab.slack.world import OpenView, World


@dataclass
class Reaction:
    """What came back so far to one person's command, message or click."""

    world: World
    user: str
    trigger: str
    keys: tuple[str, ...] = ()
    thread: str | None = None
    pressed: str | None = None
    answers: list[Message] = field(default_factory=list)
    replies: list[Message] = field(default_factory=list)
    started: Message | None = None
    view: OpenView | None = None
    seen_at: float | None = None
    """When the first sign of it came, by the clock of the loop; `pressed_at` is when it was asked for."""
    pressed_at: float = 0.0

    @property
    def seconds(self) -> float | None:
        """From the press to the first thing that the person sees of it; None where there was none."""
        return None if self.seen_at is None else self.seen_at - self.pressed_at

    def take(self, happening: Happening) -> bool:
        """Whether this happening belongs to the reaction; notes it."""
        what = happening.what
        if isinstance(what, OpenView):
            return self._take_view(happening.kind, what)
        return isinstance(what, Message) and bool(what.bot_id) and self._take_message(happening.kind, what)

    def _take_view(self, kind: str, view: OpenView) -> bool:
        if kind != "view" or view.trigger != self.trigger:
            return False
        self.view = view
        return True

    def _take_message(self, kind: str, message: Message) -> bool:
        if message.payload.get("key") in self.keys:
            self.started = message
            return True
        if kind == "message" and self._is_answer(message):
            self.answers.append(message)
            return True
        return self._take_reply(kind, message)

    def _take_reply(self, kind: str, message: Message) -> bool:
        if kind == "update":
            # A live header changes all the time; only the message that was pressed is an answer.
            return message.ts == self.pressed
        if kind != "message" or self.thread is None or message.root != self.thread or message.only_for:
            return False
        self.replies.append(message)
        return True

    def _is_answer(self, message: Message) -> bool:
        if message.via is not None:
            return message.via == self.trigger
        return message.only_for == self.user

    @property
    def has_run(self) -> bool:
        return bool(self.started and self.started.payload.get("run"))


async def collect(
    queue: asyncio.Queue[Happening], reaction: Reaction, longest: float, quiet: float, done: Callable[[], bool]
) -> None:
    """Take what happens until `done`, or nothing more belongs to it for `quiet` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + longest
    stop = end
    # Something may have come before anybody looked; then the quiet begins now.
    if reaction.answers or reaction.replies or reaction.started:
        stop = min(end, loop.time() + quiet)
    while not done() and (left := stop - loop.time()) > 0:
        try:
            happening = await asyncio.wait_for(queue.get(), left)
        except TimeoutError:
            return
        if reaction.take(happening):
            reaction.seen_at = reaction.seen_at or loop.time()
            stop = min(end, loop.time() + quiet)
