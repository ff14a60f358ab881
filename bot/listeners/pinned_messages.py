"""Pushpins on the messages of an incident's thread: what they stand on goes into the timeline."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from slack_bolt import App
from slack_sdk import WebClient

from actions.engine.errors import RecoveryError
from actions.incidents.incident_actions import pin
from actions.incidents.open_errands import may_speak
from bot.commands.plain_text import worded
from bot.context import BotContext
from bot.dispatch import told
from bot.incidents.thread_places import of_thread
from bot.listeners.response_deadline import ResponseDeadline
from bot.listeners.whisper import whisper
from bot.slack.client import FAILURES, trouble

_log = logging.getLogger(__name__)
PIN = "pushpin"
_READ, _NAMES = 4000, 20
"""Of a pinned message so many characters are read, and so many people looked up."""


def register(app: App, bot: BotContext) -> None:
    """Listen to reactions."""
    app.event("reaction_added")(lambda event, client: pinned(bot, client, event))


def pinned(bot: BotContext, client: WebClient, event: dict[str, Any]) -> None:
    """A pushpin on a message of an incident's thread puts it into the timeline."""
    item = event.get("item") or {}
    if event.get("reaction") != PIN or item.get("type") != "message":
        return
    channel, ts, user = str(item["channel"]), str(item["ts"]), str(event["user"])
    by = bot.people.asking(user, "").speaker
    try:
        found = client.conversations_replies(channel=channel, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=10)
    except FAILURES as error:
        _log.warning("a pinned message could not be read: %s", trouble(error).code)
        return
    # The thread's first message comes along, whichever was asked for.
    said: dict[str, Any] = next((m for m in found["messages"] if m["ts"] == ts), {})
    name = of_thread(bot.store, channel, str(said.get("thread_ts") or ts))
    if not name or not said:
        return

    def keep() -> None:
        # Rights first, cut second: anybody may have written the message, and each name that it has is asked of Slack.
        may_speak(by)
        author = bot.people.asking(str(said.get("user") or ""), "").speaker.name
        text = worded(str(said.get("text") or "")[:_READ], _some_names(bot))
        at = datetime.fromtimestamp(float(ts), UTC)
        pin(bot.store, name, at, text, author, by, key=f"{channel}:{ts}")

    try:
        ResponseDeadline(lambda: None)(keep)
    except RecoveryError as refusal:
        whisper(client, channel, user, told(refusal), str(said.get("thread_ts") or ts))


def _some_names(bot: BotContext) -> Callable[[str], str]:
    """The names of the first people that a text mentions; the others stay ids."""
    asked: dict[str, str] = {}

    def name_of(user: str) -> str:
        if user not in asked and len(asked) < _NAMES:
            asked[user] = bot.people.name_of(user)
        return asked.get(user, "")

    return name_of
