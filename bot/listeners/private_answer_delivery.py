"""Delivers what a run found for one person alone, where they asked for it: no thread and no journal has it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from slack_sdk import WebClient
from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import NOT_READ
from actions.engine.status import RunState, state_of
from actions.store import notes
from bot.context import BotContext
from bot.listeners.recipient import Recipient
from bot.listeners.whisper import whisper
from bot.views.mrkdwn import SECTION, escape, paragraphs

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.25
_WAITS_SECONDS = 60.0
_MESSAGE = SECTION - 10


def follow_up(bot: BotContext, client: WebClient, recipient: Recipient, run: str) -> None:
    """Tell them once it is there, in a thread of its own: nobody waits for it."""
    said = (bot, client, recipient, run)
    threading.Thread(target=tell, args=said, name="private answer", daemon=True).start()


def tell(
    bot: BotContext, client: WebClient, recipient: Recipient, run: str, wait: Callable[[float], object] = time.sleep
) -> None:
    """Tell what the run found, or that it did not find anything in time."""
    try:
        text = _found(bot, run, wait)
    except SQLAlchemyError as away:
        _log.warning("what run %s found is not told: the store does not answer (%s)", run, type(away).__name__)
        text = "The store of the runs does not answer. Ask again in a minute."
    except NOT_READ:
        # Nobody else waits for this thread: what is not said here is said nowhere.
        _log.exception("what run %s found cannot be told", run)
        text = f"What run `{run}` found cannot be read. On the bot's host: mayday journal verify"
    for part in paragraphs(text.splitlines(), _MESSAGE):
        whisper(client, recipient.channel, recipient.user, part, recipient.thread)


def _found(bot: BotContext, run: str, wait: Callable[[float], object]) -> str:
    for _ in range(int(_WAITS_SECONDS / _LOOK_SECONDS)):
        # First the state: what the run gave before it ended is there by then.
        state = state_of(bot.store.run(run))
        lines = notes.take_privately(bot.store, run)
        if lines is not None:
            return "\n".join(map(escape, lines))
        if state not in (RunState.PLANNING, RunState.RUNNING):
            return f"Run `{run}` shows nothing: it is {escape(state)}. Why: `mayday show {run}`"
        wait(_LOOK_SECONDS)
    return f"Run `{run}` has not found it in a minute. Ask again; `/recover status` says whether a worker is there."
