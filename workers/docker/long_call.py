"""A call of Docker's API that may take long: Docker is asked meanwhile whether it is there.

A stop has as long as its grace, two minutes say. A daemon that hangs under it would be waited for through all of that,
with the writers paused, and nobody would be told why nothing goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

import requests

from workers.docker import command_watch

T = TypeVar("T")


def waited_for(call: Callable[[], T], ping: Callable[[], None]) -> T:
    """What `call` gives, however long it takes, as long as `ping` is answered.

    Raises:
        requests.Timeout: Docker does not say that it is there. The call is left to its own limit.
    """
    future: Future[T] = Future()
    began = time.monotonic()
    # A daemon thread: a process that leaves waits for no Docker that hangs.
    threading.Thread(target=_settle, args=(future, call), name="a long call of Docker", daemon=True).start()
    while not wait([future], command_watch.QUIET_SECONDS).done:
        try:
            ping()
        except OSError as silent:
            # While it was asked the answer may have come after all.
            if not future.done():
                quiet = time.monotonic() - began
                said = f"Nothing came for {quiet:.0f} s, and it does not say that it is there: {silent}"
                raise requests.Timeout(said) from silent
    return future.result()


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - raised again where it is waited for.
        future.set_exception(error)
