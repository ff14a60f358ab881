"""The connection to Slack ends when it is told to, also where its client's receiving thread has just begun."""

from __future__ import annotations

import time

import pytest
from practice_bot import slack
from slack_bolt.adapter.socket_mode import SocketModeHandler
from tiny_bot import TinyBot

from bot.socket_mode import hang_up
from lab.slack.client import RunningPracticeSlack
from lab.slack.company import APP_TOKEN

__all__ = ["slack"]
pytestmark = pytest.mark.parts


def begun(slack: RunningPracticeSlack) -> SocketModeHandler:
    """A handler that hears the practice Slack."""
    handler = SocketModeHandler(TinyBot(slack.api_url).app, APP_TOKEN, ping_interval=0.5)
    handler.connect()
    assert slack.wait_for_bot()
    return handler


def test_a_client_that_takes_the_mark_back_is_told_again(slack: RunningPracticeSlack) -> None:
    handler = begun(slack)
    leave = handler.client.disconnect

    def late() -> None:
        leave()
        handler.client.current_session_state.terminated = False

    handler.client.disconnect = late
    began = time.monotonic()
    assert hang_up(handler)
    assert time.monotonic() - began < 4
    assert not handler.client.is_connected()


def test_one_that_does_not_end_is_left_to_the_end_of_the_process(slack: RunningPracticeSlack) -> None:
    handler = begun(slack)
    leave = handler.client.disconnect
    handler.client.disconnect = lambda: time.sleep(1.5)
    assert not hang_up(handler, patience=0.3)
    leave()
