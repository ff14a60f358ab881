"""The connection over which Slack speaks to us: made however long that takes, and ended for sure."""

from __future__ import annotations

import logging
import threading
import time

from slack_bolt.adapter.socket_mode import SocketModeHandler

from bot.slack.client import FAILURES, trouble

_log = logging.getLogger(__name__)
_LONGEST_PAUSE = 10.0
_WAIT_SECONDS = 5.0


def connect(handler: SocketModeHandler, stop: threading.Event) -> None:
    """Try again until Slack takes the connection, or until told to stop."""
    pause = 0.5
    while not stop.is_set():
        try:
            handler.client.wss_uri = None  # A ticket that led nowhere is not good for a second try.
            handler.connect()  # type: ignore[no-untyped-call]
            return
        except FAILURES as error:
            _log.warning("Slack cannot be reached (%s); trying again in %.1f s", trouble(error).code, pause)
            stop.wait(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)


def hang_up(handler: SocketModeHandler, wait_seconds: float = _WAIT_SECONDS) -> bool:
    """End the connection; False where it has not ended after so many seconds, and goes with the process.

    Since https://github.com/slackapi/python-slack-sdk/pull/1962 the client joins its receiving thread without a
    bound. Where that begins a session in the very moment, it takes back the mark by which it is told to end
    (`SocketModeClient._run_current_session`). So the mark is set until the thread has seen it.
    """
    closing = threading.Thread(target=handler.close, name="hang-up", daemon=True)
    closing.start()
    deadline = time.monotonic() + wait_seconds
    while closing.is_alive() and time.monotonic() < deadline:
        handler.client.current_session_state.terminated = True
        closing.join(0.1)
    return not closing.is_alive()
