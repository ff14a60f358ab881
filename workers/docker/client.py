"""The client of Docker's API: each call may take as long as it needs and little more; that Docker spoke is told.

docker-py gives every call a minute beyond what it says it needs itself, such as the grace of a stop. A look is answered
in milliseconds, so a daemon that hangs would be waited for through a minute of every one of them. While a call goes on
that may take longer than a look, Docker is asked whether it is there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from docker import APIClient, DockerClient

from workers.docker.command_watch import Pinger
from workers.docker.long_call import waited_for

ANSWER_SECONDS = 10
"""How long a busy daemon may take for what it only has to look up or to note."""

# Beyond that: a slow disk or mount holds up the making and starting of a container, and reading its files.
_WORK_SECONDS = 50
_WORK = re.compile(r"/containers/(?:create|[^/?]+/(?:start|restart|pause|unpause|archive))(?:\?|$)")
# Docker gives the processes 10 s after the kill.
_REMOVAL_SECONDS = 20
_TOLD_EVERY = 15.0


class PatientApi(APIClient):  # type: ignore[misc]
    """Docker's API. `answered` is called when it has spoken, every 15 s at most."""

    answered: Callable[[], None] | None = None

    def __init__(self, **options: Any) -> None:
        self._told = time.monotonic()
        super().__init__(**options)

    def request(self, method: str, url: str, *others: Any, **options: Any) -> Any:
        """As of `requests.Session`, through which all calls go."""
        if beyond := work_seconds(method, url):
            options["timeout"] = (options.get("timeout") or self.timeout) + beyond
        answer = self._answer(lambda: super(PatientApi, self).request(method, url, *others, **options), options)
        self.heard()
        return answer

    def _answer(self, call: Callable[[], Any], options: Mapping[str, Any]) -> Any:
        # None is of calls without a limit, such as waiting for the end of a container.
        if (seconds := options.get("timeout", self.timeout)) is not None and seconds <= ANSWER_SECONDS:
            return call()
        with closing(Pinger(self)) as ping:
            return waited_for(call, ping)

    def heard(self) -> None:
        """Docker spoke; also over a connection that is not of this client."""
        now = time.monotonic()
        if self.answered is not None and now - self._told >= _TOLD_EVERY:
            self._told = now
            self.answered()


class Client(DockerClient):  # type: ignore[misc]
    """docker-py's client over that API."""

    def __init__(self, **options: Any) -> None:
        self.api = PatientApi(**options)


def work_seconds(method: str, url: str) -> int:
    """How much longer than a look a call may take."""
    if method == "DELETE":
        return _REMOVAL_SECONDS
    return _WORK_SECONDS if _WORK.search(url) else 0


def connect(docker_host: str = "") -> Client:
    """A client of that daemon; of the environment's where none is named.

    Raises:
        docker.errors.DockerException: it does not answer.
    """
    if docker_host:
        return Client(base_url=docker_host, timeout=ANSWER_SECONDS)
    client: Client = Client.from_env(timeout=ANSWER_SECONDS)
    return client
