"""Watches over a command whose output is waited for: that Docker still answers, and that its time is kept.

A connection on which nothing comes looks the same whether the command is silent or Docker hangs. So after a while
without a word Docker is asked, over a connection of its own, whether it is there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import requests
import urllib3
from docker.transport import UnixHTTPAdapter

QUIET_SECONDS = 15.0
"""After so long without output Docker is asked, and then as often. Most commands have ended long before."""

GRACE_SECONDS = 10.0
"""How much longer than its limit a command is waited for: it ends itself at its limit, or is killed 5 s later."""

_PING_SECONDS = 5.0


class TimeIsOver(Exception):
    """The command's time is over, Docker answers, and yet the output has not ended."""


class CommandWatch:
    """A thread beside whoever reads a stream: it cuts the stream where nothing good can come of it any more.

    `ping` raises an OSError where Docker does not answer; `cut` lets the reader see the end of the stream.
    """

    def __init__(self, ping: Callable[[], None], seconds: float, cut: Callable[[], None]) -> None:
        self._ping, self._cut = ping, cut
        self._heard = time.monotonic()
        self._ends = self._heard + seconds + GRACE_SECONDS
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._found: Exception | None = None

    def __enter__(self) -> CommandWatch:
        threading.Thread(target=self._watch, name="watch of a command", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Raises what made it cut the stream: how a cut stream ended is no news."""
        # Not waited for: it may just be asking a Docker that hangs, and will find that nobody wants to know.
        with self._lock:
            self._over.set()
        if self._found is not None and not isinstance(error, GeneratorExit):
            raise self._found from error

    def heard(self) -> None:
        """Something came."""
        self._heard = time.monotonic()

    def _watch(self) -> None:
        while not self._over.wait(max(0.0, self._due() - time.monotonic())):
            if time.monotonic() < self._due():
                continue
            asked = time.monotonic()
            found = self._look()
            # While it was asked something may have come after all.
            if found is not None and (isinstance(found, TimeIsOver) or self._heard < asked):
                self._end(found)
                return

    def _due(self) -> float:
        return min(self._heard + QUIET_SECONDS, self._ends)

    def _look(self) -> Exception | None:
        quiet = time.monotonic() - self._heard
        try:
            self._ping()
        except OSError as silent:
            return TimeoutError(f"Nothing came for {quiet:.0f} s, and it does not say that it is there: {silent}")
        if time.monotonic() >= self._ends:
            return TimeIsOver()
        self.heard()
        return None

    def _end(self, found: Exception) -> None:
        with self._lock:
            if not self._over.is_set():
                self._found = found
                self._cut()


class Pinger:
    """Asks the daemon of a client whether it is there, over a connection that nothing else uses."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._own: Any = None

    def __call__(self) -> None:
        """Raises an OSError where it does not answer within 5 s."""
        try:
            self._own = self._own or _session(self._api)
            self._own.get(self._api._url("/_ping"), timeout=_PING_SECONDS)
        except urllib3.exceptions.HTTPError as silent:
            raise TimeoutError(str(silent)) from silent
        if heard := getattr(self._api, "heard", None):
            heard()

    def close(self) -> None:
        """End the connection, if one was made."""
        if self._own not in (None, self._api):
            self._own.close()


def _session(api: Any) -> Any:
    """A session that speaks to the same daemon; through ssh, where all shares one login, it is the client's own."""
    used, unix = api.get_adapter(api.base_url), api.base_url.startswith("http+docker://")
    if unix and not isinstance(used, UnixHTTPAdapter):
        return api
    made = requests.Session()
    made.headers, made.verify, made.cert = api.headers, api.verify, api.cert
    if unix:
        made.mount(api.base_url, UnixHTTPAdapter(f"http+unix://{used.socket_path}", _PING_SECONDS))
    return made
