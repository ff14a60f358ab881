"""Buttons that say a whole command, pressed where they stand: the same as typing it there."""

from __future__ import annotations

import re
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from actions.engine.errors import RecoveryError
from bot.context import BotContext
from bot.dispatch import Reply, hear, told
from bot.listeners.response_deadline import TAKEN, UNDER_WAY, ResponseDeadline
from bot.listeners.whisper import whisper
from bot.runs.requests import Origin
from bot.views.instead import SAY


def register(app: App, bot: BotContext) -> None:
    """Listen to them."""

    def pressed(ack: Ack, body: dict[str, Any], action: dict[str, Any], client: WebClient) -> None:
        ack()
        origin = origin_of(bot, body, str(action.get("action_ts") or ""))
        prompt = ResponseDeadline(lambda: _tell(client, origin, Reply(UNDER_WAY)))
        try:
            reply = prompt(lambda: hear(bot, str(action.get("value") or ""), origin))
        except RecoveryError as refusal:
            reply = Reply(told(refusal))
        bot.wake_worker(*reply.runs)
        if reply.text or prompt.told:
            _tell(client, origin, Reply(reply.text or TAKEN, buttons=reply.buttons))

    app.action(re.compile(rf"^{SAY}:"))(pressed)


def origin_of(bot: BotContext, body: dict[str, Any], at: str) -> Origin:
    """Where a press was made, as if its words had been typed there."""
    container, user = body.get("container") or {}, body["user"]
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or bot.settings.slack.channel)
    # In the direct conversation every message is a thread of its own, which nobody reads.
    thread = "" if channel.startswith("D") else str(container.get("thread_ts") or "")
    team = str(user.get("team_id") or (body.get("team") or {}).get("id") or "")
    key = f"said {container.get('message_ts')} {at} {user['id']}"
    return Origin(key, str(user["id"]), team, channel, thread, name=str(user.get("name") or ""))


def _tell(client: WebClient, origin: Origin, reply: Reply) -> None:
    whisper(client, origin.channel, origin.user, reply.text, origin.thread or None, reply.buttons)
