"""Slash commands."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, BoltContext
from sqlalchemy.exc import SQLAlchemyError

from bot.desk import Desk
from bot.hearing import Reply, hear
from bot.requests import Origin
from bot.views.mrkdwn import section
from bot.words import FAMILIES

_log = logging.getLogger(__name__)
_NOT_ACCEPTED = "Not accepted: the store of the runs cannot be written. On the bot's host, try: mayday recover"


def register(app: App, desk: Desk) -> None:
    """Listen to every command of ours."""

    def arrive(context: BoltContext, next: Callable[[], None]) -> None:
        context["arrived"] = time.monotonic()
        next()

    def listen(ack: Ack, command: dict[str, Any], context: BoltContext) -> None:
        try:
            reply = _heard(desk, command)
        except SQLAlchemyError as error:
            _log.error("a command could not be written down: %s", type(error).__name__)
            ack(_NOT_ACCEPTED)
            return
        # The acknowledgement carries the answer, so that no second call can fail or be limited.
        ack(reply.text, blocks=[section(reply.text)]) if reply.text else ack()
        desk.meters.acknowledged(str(command["command"]), time.monotonic() - context["arrived"])
        desk.ring(*reply.ring)

    for family in FAMILIES:
        app.command(f"/{family}", middleware=[arrive])(listen)


def _heard(desk: Desk, command: dict[str, Any]) -> Reply:
    origin = Origin(str(command["trigger_id"]), str(command["user_id"]), str(command["team_id"]),
                    str(command["channel_id"]), name=str(command.get("user_name") or ""))  # fmt: skip
    family = str(command["command"]).lstrip("/").casefold()
    return hear(desk, str(command.get("text") or ""), origin, family)
