"""Slash commands."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, BoltContext, Respond
from slack_sdk import WebClient

from actions.engine.errors import RecoveryError
from actions.settings.slack_values import FAMILIES
from bot.context import BotContext
from bot.dispatch import Reply, hear, told
from bot.listeners.recipient import Recipient
from bot.listeners.reply_delivery import follow
from bot.listeners.response_deadline import TAKEN, UNDER_WAY, ResponseDeadline
from bot.runs.requests import Origin
from bot.slack.client import FAILURES
from bot.slack.command_names import family_of, going_out, name_of
from bot.views.mrkdwn import section

_log = logging.getLogger(__name__)


def register(app: App, bot: BotContext) -> None:
    """Listen to every command of ours."""

    def arrive(context: BoltContext, next: Callable[[], None]) -> None:
        context["arrived"] = time.monotonic()
        next()

    def listen(ack: Ack, respond: Respond, command: dict[str, Any], context: BoltContext, client: WebClient) -> None:
        prompt = ResponseDeadline(lambda: ack(UNDER_WAY))
        try:
            reply = prompt(lambda: _heard(bot, command))
        except RecoveryError as refusal:
            reply = Reply(told(refusal))
        if prompt.told:
            _follow_up(bot, respond, reply)
        else:
            # The acknowledgement carries the answer, so that no second call can fail or be limited.
            ack(reply.text, blocks=[section(reply.text), *reply.buttons]) if reply.text else ack()
        bot.meters.acknowledged(
            f"/{family_of(str(command['command']), bot.settings.slack.commands)}", time.monotonic() - context["arrived"]
        )
        bot.wake_worker(*reply.runs)
        follow(bot, client, Recipient(str(command["channel_id"]), str(command["user_id"])), reply)

    for family in FAMILIES:
        app.command(f"/{name_of(family, bot.settings.slack.commands)}", middleware=[arrive])(listen)


def _follow_up(bot: BotContext, respond: Respond, reply: Reply) -> None:
    """The answer, after it was said to be under way. It goes neither through the client nor as an acknowledgement."""
    text = reply.text or TAKEN
    try:
        respond(**going_out({"text": text, "blocks": [section(text), *reply.buttons]}, bot.settings.slack.commands))
    except FAILURES as error:
        _log.warning("a late answer to a command could not be given: %s", type(error).__name__)


def _heard(bot: BotContext, command: dict[str, Any]) -> Reply:
    origin = Origin(
        str(command["trigger_id"]),
        str(command["user_id"]),
        str(command["team_id"]),
        str(command["channel_id"]),
        name=str(command.get("user_name") or ""),
    )
    family = family_of(str(command["command"]), bot.settings.slack.commands)
    return hear(bot, str(command.get("text") or ""), origin, family)
