"""A refusal that only the asker reads, with buttons for what was probably meant: no thread is opened for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from actions.engine.errors import NOT_READ, error_said
from actions.engine.journal import Entry
from actions.store.store import Store
from bot.context import BotContext
from bot.slack.backoff import Backoff
from bot.slack.client import FAILURES, Trouble, Why, trouble
from bot.slack.rate_limits import waits
from bot.slack.watched_journals import Watched
from bot.views.instead import buttons
from bot.views.mrkdwn import cut, escape, section, sendable

_log = logging.getLogger(__name__)
_NOTE = "private answer"
"""Stores that are in use have it under this name."""
_UNREAD_RESTS = timedelta(seconds=60)
_TOLD, _ALOUD = "told", "aloud"


def was_told(store: Store, run: str) -> bool:
    """Whether the asker was told."""
    return bool(store.note(_NOTE, run) == _TOLD)


def is_aloud(bot: BotContext, run: str) -> bool:
    """Whether Slack does not take a private refusal there, so that the thread has to say it."""
    return bool(bot.store.note(_NOTE, run) == _ALOUD)


def send_due(bot: BotContext, watched: Mapping[str, Watched], setbacks: Backoff) -> bool:
    """Tell each asker what is for them alone, unless that rests; whether nothing was to be told."""
    now = bot.clock()
    due = {run: one for run, one in watched.items() if one.private and not waits(one.rests_until, now)}
    for run, one in due.items():
        try:
            why = send(bot, one.entries)
        except NOT_READ:
            # An end that another version wrote must not keep all threads from being posted to.
            _log.exception("the asker of run %s cannot be told why it was refused", run)
            one.rests_until = now + _UNREAD_RESTS
            continue
        if why is None:
            one.private, one.drawn, one.rests = False, None, 0.0
        else:
            setbacks.pause(run, one, why)
    return not due  # A journal of which was told is looked at once more, and let go.


def send(bot: BotContext, entries: list[Entry]) -> Trouble | None:
    """Tell the asker, or note that the thread has to; what is wrong where it has to be tried again later.

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
            return why
        _log.warning("%s could not be answered in private (%s); the thread of %s says it", first["by"], why.code, run)
        bot.store.keep(_NOTE, run, _ALOUD)
        return None
    bot.store.keep(_NOTE, run, _TOLD)
    return None


def _said(bot: BotContext, first: dict[str, Any], ended: dict[str, Any], run: str) -> dict[str, Any]:
    parts = [error_said(ended), str(ended.get("detail") or ""), str(ended.get("hint") or "")]
    told = [escape(part) for part in parts if part]
    text = cut("\n".join([*told, f"Nothing was touched, and no thread was opened. Run `{run}` has the record."]))
    procedure = bot.procedure(str(first.get("procedure") or ""))
    offered = [str(one) for one in ended.get("instead") or ()]
    stack, place = bot.settings.stack(), (str(first.get("service") or ""), str(first.get("site") or ""))
    row = buttons(procedure, offered, stack, *place) if procedure is not None else []
    return {"text": text, "blocks": [section(text), *row]}
