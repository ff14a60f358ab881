"""Buttons that say a whole command, pressed where they stand: the same as typing it there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from actions.engine.errors import RecoveryError
from bot.context import BotContext
from bot.dispatch import Reply, hear, told
from bot.listeners.recipient import Recipient, recipient_of, team_of
from bot.listeners.reply_delivery import deliver
from bot.listeners.response_deadline import TAKEN, UNDER_WAY, ResponseDeadline
from bot.listeners.whisper import whisper
from bot.runs.requests import Origin
from bot.views.instead import SAY


def register(app: App, bot: BotContext) -> None:
    """Listen to them."""

    def pressed(ack: Ack, body: dict[str, Any], action: dict[str, Any], client: WebClient) -> None:
        ack()
        origin = origin_of(bot, body, str(action.get("action_ts") or ""))
        prompt = ResponseDeadline(
            lambda: whisper(client, origin.channel, origin.user, UNDER_WAY, origin.thread or None)
        )
        try:
            reply = prompt(lambda: hear(bot, str(action.get("value") or ""), origin))
        except RecoveryError as refusal:
            reply = Reply(told(refusal))
        place = Recipient(origin.channel, origin.user, origin.thread or None)
        deliver(bot, client, place, replace(reply, text=reply.text or TAKEN) if prompt.told else reply)

    app.action(re.compile(rf"^{SAY}:"))(pressed)


def origin_of(bot: BotContext, body: dict[str, Any], at: str) -> Origin:
    """Where a press was made, as if its words had been typed there."""
    place = recipient_of(body)
    channel = place.channel or bot.settings.slack.channel
    # In the direct conversation every message is a thread of its own, which nobody reads.
    thread = "" if channel.startswith("D") else str(place.thread or "")
    key = f"said {(body.get('container') or {}).get('message_ts')} {at} {place.user}"
    return Origin(key, place.user, team_of(body), channel, thread, name=str(body["user"].get("name") or ""))
