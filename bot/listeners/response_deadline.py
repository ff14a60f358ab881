"""Whoever presses or types hears of it within Slack's three seconds, whatever the store or Slack itself take.

What takes longer is said to be under way, and what became of it is told afterwards. A write that is not done within ten
seconds is rolled back and said to have failed, so nothing begins after somebody was told that it did not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from actions.engine.errors import NOT_READ, RecoveryError
from actions.store.write_deadline import deadline

T = TypeVar("T")
log = structlog.get_logger("mayday.promptly")

SOON = 2.0
"""Seconds after which somebody is told that it is under way; Slack gives up after three."""
GIVES_UP = 10.0
"""Seconds after which nothing of it is written any more."""
UNDER_WAY = "Not written down yet: the store of the runs, or Slack, is slow. You hear here what becomes of it."
TAKEN = "It was written down; the thread goes on."

_FULL = ("disk is full", "no space left")


class ResponseDeadline:
    """Does one thing for somebody; calls `late` once where it is not done soon, and remembers that as `told`."""

    def __init__(self, late: Callable[[], object]) -> None:
        self._late, self._lock = late, threading.Lock()
        self._done = False
        self.told = False

    def __call__(self, work: Callable[[], T]) -> T:
        """What `work` gives. Afterwards `told` is settled: `late` is not called any more.

        Raises:
            RecoveryError: `work` raised it, or the store did not take what it wrote; then nothing was kept.
        """
        began = time.monotonic()
        timer = threading.Timer(SOON, self._say)
        timer.daemon = True
        timer.start()
        try:
            with deadline(lambda: GIVES_UP - (time.monotonic() - began)):
                return work()
        except SQLAlchemyError as error:
            raise not_kept(error) from error
        except NOT_READ as error:
            log.exception("what somebody asked for cannot be done")
            raise RecoveryError(
                "That cannot be done: something that was kept, or that Slack sent, cannot be read.",
                code="MD-ST-009",
                detail=f"{type(error).__name__}: {str(error)[:200]}",
                hint="On the bot's host: mayday doctor, and mayday journal verify.",
            ) from error
        finally:
            timer.cancel()
            with self._lock:
                self._done = True

    def _say(self) -> None:
        with self._lock:
            if not self._done:
                self.told = True
                self._late()


def not_kept(error: SQLAlchemyError) -> RecoveryError:
    """What somebody is told whose words the store did not take: nothing of them was kept."""
    seen = str(getattr(error, "orig", None) or type(error).__name__).strip()
    log.error("the store took nothing", kind=type(error).__name__, detail=seen[:200])
    message = "Not accepted, nothing was begun: the store of the runs cannot be written."
    if any(word in seen.casefold() for word in _FULL):
        return RecoveryError(
            message, code="MD-ST-004", detail="Its disk is full.", hint="Make room on the bot's host, then try again."
        )
    hint = "Try again in a minute. Where it stays so, look on the bot's host: mayday doctor"
    return RecoveryError(message, code="MD-ST-005", detail=seen.splitlines()[0][:200], hint=hint)
