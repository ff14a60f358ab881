"""The connection to Slack ends when it is told to, also where its client's receiving thread has just begun."""

from __future__ import annotations

import threading
import time

import pytest
from slack_bolt.adapter.socket_mode import SocketModeHandler

from bot.slack.socket_mode import hang_up
from lab.slack.client import RunningPracticeSlack
from lab.slack.company import APP_TOKEN
from tests.support.practice_bot import slack
from tests.support.tiny_bot import TinyBot

__all__ = ["slack"]
pytestmark = pytest.mark.parts


def handler_of(slack: RunningPracticeSlack) -> SocketModeHandler:
    return SocketModeHandler(TinyBot(slack.api_url).app, APP_TOKEN, ping_interval=0.5)


def begins_late(handler: SocketModeHandler) -> None:
    """Its receiving thread begins the session that it has seen only when that is closed already."""
    client, closed = handler.client, threading.Event()
    name, leave = client.session_id, client.disconnect

    def named() -> str | None:
        # The thread asks for the name between seeing a session and taking the mark back.
        if threading.current_thread() is client.current_session_runner.thread:
            closed.wait(10)
        return name()

    def left() -> None:
        leave()
        closed.set()

    client.session_id, client.disconnect = named, left


def test_a_client_that_begins_a_session_while_it_is_told_to_end_ends(slack: RunningPracticeSlack) -> None:
    handler = handler_of(slack)
    begins_late(handler)
    handler.connect()
    time.sleep(0.3)
    # By itself, and not at the end of this.
    assert hang_up(handler, wait_seconds=60)
    assert not handler.client.is_connected()


def test_one_that_does_not_end_is_left_to_the_end_of_the_process(slack: RunningPracticeSlack) -> None:
    handler = handler_of(slack)
    handler.connect()
    leave = handler.client.disconnect
    handler.client.disconnect = lambda: time.sleep(1.5)
    assert not hang_up(handler, wait_seconds=0.3)
    leave()
