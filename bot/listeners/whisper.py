"""Telling one person something, where they just did something."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from slack_sdk import WebClient

from bot.slack.client import FAILURES, trouble
from bot.views.mrkdwn import Block, cut, section

_log = logging.getLogger(__name__)


def whisper(
    client: WebClient, channel: str, user: str, text: str, thread: str | None = None, buttons: Sequence[Block] = ()
) -> None:
    """Say something that only that person sees. It is a courtesy: the thread has what matters."""
    try:
        client.chat_postEphemeral(
            channel=channel, user=user, text=cut(text), blocks=[section(text), *buttons], thread_ts=thread or None
        )
    except FAILURES as error:
        _log.warning("could not answer %s: %s", user, trouble(error).code)
