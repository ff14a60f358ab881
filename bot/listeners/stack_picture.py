"""The stack as a picture, for one person who asked for it: it follows the text, which says the same at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from slack_sdk import WebClient
from sqlalchemy.exc import SQLAlchemyError

from bot.context import BotContext
from bot.listeners.recipient import Recipient
from bot.listeners.whisper import whisper
from bot.replies import stack_shown
from bot.slack.client import FAILURES, Why, trouble
from bot.slack.stack_pictures import StackImage, StackPictures
from bot.slack.stack_png import NoPicture

_log = logging.getLogger(__name__)
_WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds between tries: Slack takes some time until it can show a file that was just uploaded."""


def follow_up(bot: BotContext, client: WebClient, recipient: Recipient, about: str) -> None:
    """Show the sites that are meant, in a thread of its own: nobody waits for it."""
    said = (bot, client, recipient, about)
    threading.Thread(target=show, args=said, name="picture of the stack", daemon=True).start()


def show(
    bot: BotContext, client: WebClient, recipient: Recipient, about: str, wait: Callable[[float], object] = time.sleep
) -> None:
    """Show each site, or say why there is no picture of it."""
    pictures = StackPictures(bot, client)
    for site in stack_shown.sites(bot, about):
        try:
            _show(client, recipient, pictures.at_once(site), wait)
        except SQLAlchemyError as away:
            _log.warning("the stack of %s is not drawn: the store does not answer (%s)", site.name, type(away).__name__)
        except NoPicture as why:
            said = f"There is no picture of the stack of {site.name}: {why}. The text says the same."
            whisper(client, recipient.channel, recipient.user, said, recipient.thread)


def _show(client: WebClient, recipient: Recipient, image: StackImage, wait: Callable[[float], object]) -> None:
    for seconds in (*_WAITS, None):
        try:
            client.chat_postEphemeral(
                channel=recipient.channel,
                user=recipient.user,
                text=image.alt,
                blocks=[image.block()],
                thread_ts=recipient.thread or None,
            )
        except FAILURES as error:
            why = trouble(error)
            if why.why is not Why.BLOCKS or seconds is None:
                raise NoPicture(f"Slack did not show it ({why.code})") from error
            wait(seconds)
        else:
            return
