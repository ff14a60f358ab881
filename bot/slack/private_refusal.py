"""A refusal that only the asker reads, with buttons for what was probably meant: no thread is opened for it."""

from __future__ import annotations

import logging
from typing import Any

from actions.engine.errors import error_said
from actions.engine.journal import Entry
from actions.store.store import Store
from bot.context import BotContext
from bot.slack.client import FAILURES, Why, trouble
from bot.views.instead import buttons
from bot.views.mrkdwn import cut, escape, section, sendable

_log = logging.getLogger(__name__)
_NOTE = "private answer"
"""Stores that are in use have it under this name."""
_TOLD, _ALOUD = "told", "aloud"


def was_told(store: Store, run: str) -> bool:
    """Whether the asker was told."""
    return bool(store.note(_NOTE, run) == _TOLD)


def is_aloud(bot: BotContext, run: str) -> bool:
    """Whether Slack does not take a private refusal there, so that the thread has to say it."""
    return bool(bot.store.note(_NOTE, run) == _ALOUD)


def send(bot: BotContext, entries: list[Entry]) -> bool:
    """Tell the asker; False where Slack does not answer now, and it has to be tried again.

    A bot that dies between the message and the note of it says it once more.
    """
    first, run = entries[0].data, entries[0].run
    # Refused here where another bot posts by now, as for the edits of the outbox.
    with bot.store.transaction():
        pass
    origin = first.get("origin") or {}
    channel, thread = str(origin.get("channel") or ""), str(origin.get("thread") or "") or None
    said = sendable(_said(bot, first, entries[-1].data, run))
    try:
        if channel.startswith("D"):
            bot.client.chat_postMessage(channel=channel, **said)
        else:
            bot.client.chat_postEphemeral(channel=channel, user=str(first["by"]), thread_ts=thread, **said)
    except FAILURES as error:
        why = trouble(error)
        if why.why in (Why.LIMITED, Why.DOUBT):
            return False
        _log.warning("%s could not be answered in private (%s); the thread of %s says it", first["by"], why.code, run)
        bot.store.keep(_NOTE, run, _ALOUD)
        return True
    bot.store.keep(_NOTE, run, _TOLD)
    return True


def _said(bot: BotContext, first: dict[str, Any], ended: dict[str, Any], run: str) -> dict[str, Any]:
    parts = [error_said(ended), str(ended.get("detail") or ""), str(ended.get("hint") or "")]
    told = [escape(part) for part in parts if part]
    text = cut("\n".join([*told, f"Nothing was touched, and no thread was opened. Run `{run}` has the record."]))
    procedure = bot.procedure(str(first.get("procedure") or ""))
    offered = [str(one) for one in ended.get("instead") or ()]
    stack, place = bot.settings.stack(), (str(first.get("service") or ""), str(first.get("site") or ""))
    row = buttons(procedure, offered, stack, *place) if procedure is not None else []
    return {"text": text, "blocks": [section(text), *row]}
