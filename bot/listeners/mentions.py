"""Messages that name the bot: the way to speak inside a thread, where no slash command can be typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from slack_bolt import App, BoltContext
from slack_sdk import WebClient

from actions.engine.errors import RecoveryError
from bot.context import BotContext
from bot.dispatch import SILENCE, Reply, hear, told
from bot.listeners.recipient import Recipient
from bot.listeners.reply_delivery import deliver
from bot.listeners.response_deadline import TAKEN, UNDER_WAY, ResponseDeadline
from bot.listeners.whisper import whisper
from bot.runs.requests import Origin

_SAID = (None, "", "thread_broadcast", "file_share", "me_message")
"""The kinds of message that somebody wrote; others tell of edits, deletions, joins."""


def register(app: App, bot: BotContext) -> None:
    """Listen to mentions, and to messages in the direct conversation."""

    def take(event: dict[str, Any], context: BoltContext, client: WebClient, next: Callable[[], None]) -> None:
        # Bolt acknowledges an event before its listener runs; in a middleware the request is in the
        # journal before that, and a bot that dies in between is sent the event again.
        context["reply"] = _promptly(bot, client, event, context) if _is_a_persons(event) else SILENCE
        next()

    def answer(event: dict[str, Any], context: BoltContext, client: WebClient) -> None:
        recipient = Recipient(event["channel"], event["user"], event.get("thread_ts"))
        deliver(bot, client, recipient, context["reply"])

    app.event("app_mention", middleware=[take])(answer)
    app.event({"type": "message", "channel_type": "im"}, middleware=[take])(answer)


def _promptly(bot: BotContext, client: WebClient, event: dict[str, Any], context: BoltContext) -> Reply:
    def late() -> None:
        whisper(client, event["channel"], event["user"], UNDER_WAY, event.get("thread_ts"))

    prompt = ResponseDeadline(late)
    try:
        reply = prompt(lambda: _heard(bot, event, context))
    except RecoveryError as refusal:
        return Reply(told(refusal))
    return replace(reply, text=reply.text or TAKEN) if prompt.told else reply


def _heard(bot: BotContext, event: dict[str, Any], context: BoltContext) -> Reply:
    place = f"{event['channel']}:{event['ts']}"
    team = str(event.get("user_team") or event.get("team") or context.team_id or "")
    direct = event.get("channel_type") == "im"
    thread = "" if direct else str(event.get("thread_ts") or "")
    return hear(bot, str(event.get("text") or ""), Origin(place, event["user"], team, event["channel"], thread))


def _is_a_persons(event: dict[str, Any]) -> bool:
    return bool(event.get("user")) and not event.get("bot_id") and event.get("subtype") in _SAID
