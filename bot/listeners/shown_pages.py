"""The buttons that show more: all steps of a run, all of what a question says. They change nothing."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from actions.engine.errors import RecoveryError
from actions.engine.folding import fold
from bot.context import BotContext
from bot.dispatch import told
from bot.listeners.recipient import recipient_of, team_of
from bot.listeners.whisper import whisper
from bot.runs.run_control import find
from bot.slack.client import FAILURES, trouble
from bot.views import home_dialogs, pages, plan, step_table
from bot.views.mrkdwn import Block, moment
from bot.views.pages import PageTarget

_log = logging.getLogger(__name__)


def register(app: App, bot: BotContext) -> None:
    """Listen to the buttons below headers and plans, and to those that turn pages."""

    def listen(ack: Ack, body: dict[str, Any], action: dict[str, Any], client: WebClient) -> None:
        ack()
        target = PageTarget.of(str(action.get("value") or ""))
        try:
            bot.people.admit(str(body["user"]["id"]), team_of(body))
            view = page(bot, target) if target else home_dialogs.told("That button is not known here.")
        except RecoveryError as refusal:
            view = home_dialogs.told(told(refusal))
        _show(client, body, view)

    app.action(re.compile(rf"^{pages.OPEN}:"))(listen)


def page(bot: BotContext, target: PageTarget) -> Block:
    """The page as its journal tells it now.

    Raises:
        Refused: there is no such run, or its journal cannot be read.
    """
    find(bot, target.run)
    return pages.dialog(target, *_told(bot, target))


def _told(bot: BotContext, target: PageTarget) -> tuple[Sequence[str], str]:
    """All lines, and a word on how old they are."""
    entries = bot.store.entries(target.run)
    if target.what == pages.DETAILS:
        asked = next((entry for entry in entries if entry.n == target.n), None)
        return plan.lines(asked.data.get("sheets") or [] if asked else []) or ["Nothing more is known."], ""
    run = fold(entries)
    table = step_table.rows(bot.procedure(run.procedure), run, entries)
    note = (
        "" if run.finished is not None else f"As it stood {moment(bot.clock())}; press *Steps* again for what is new."
    )
    return step_table.lines(table), note


def _show(client: WebClient, body: dict[str, Any], view: Block) -> None:
    """In the dialog that is open, else in a new one."""
    opened = body.get("view") or {}
    try:
        if opened.get("id"):
            client.views_update(view_id=opened["id"], view=view)
        else:
            client.views_open(trigger_id=body["trigger_id"], view=view)
    except FAILURES as error:
        why = trouble(error).code
        _log.warning("a dialog could not be shown: %s", why)
        place = recipient_of(body)
        if place.channel:
            text = f"The dialog could not be shown ({why}). Press the button once more."
            whisper(client, place.channel, place.user, text, place.thread)
