"""Telling one person something, where they just did something."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from slack_sdk import WebClient

from bot.slack.client import FAILURES, trouble
from bot.views.mrkdwn import Block, cut, section

_log = logging.getLogger(__name__)


def whisper(
    client: WebClient, channel: str, user: str, text: str, thread: str | None = None, buttons: Sequence[Block] = ()
) -> None:
    """Say something that only that person sees. It is a courtesy: the thread has what matters.

    In the direct conversation nobody else reads, so it is a message that stays; elsewhere it is gone with a reload.
    """
    shown: dict[str, Any] = {"text": cut(text), "blocks": [section(text), *buttons], "thread_ts": thread or None}
    try:
        if channel.startswith("D"):
            client.chat_postMessage(channel=channel, **shown)
        else:
            client.chat_postEphemeral(channel=channel, user=user, **shown)
    except FAILURES as error:
        _log.warning("could not answer %s: %s", user, trouble(error).code)
