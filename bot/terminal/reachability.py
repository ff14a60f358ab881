"""What Mayday leans on, and which of it is away: Slack, PagerDuty, Redis, a worker. Asked at once, briefly."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import redis
from sqlalchemy.exc import SQLAlchemyError

from actions.engine.served import serves
from actions.settings.outside import PagerDutySettings
from actions.settings.settings import Settings
from actions.store.notes import living_workers
from actions.store.store import Store
from bot.slack.client import FAILURES, Why, client_for, trouble

_SECONDS = 2


@dataclass(frozen=True)
class Dependency:
    """Something that Mayday leans on: whether it is away, None where it is not set up; what was seen."""

    name: str
    away: bool | None
    seen: str


class ReachabilityCheck:
    """Asks all of them at once, in threads that keep nobody from leaving: a name server may be away as well."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._found: dict[str, Dependency] = {}
        redis_url = settings.redis.get_secret_value()
        self._asked = {
            "Slack": self._ask(lambda: _slack(settings)),
            "PagerDuty": self._ask(lambda: _pagerduty(settings.pagerduty)),
            "Redis": self._ask(lambda: _redis(redis_url)),
            "worker": self._ask(lambda: _worker(settings, store)),
        }

    def _ask(self, about: Callable[[], Dependency]) -> threading.Thread:
        def keep() -> None:
            part = about()
            self._found[part.name] = part

        asking = threading.Thread(target=keep, name="reach", daemon=True)
        asking.start()
        return asking

    def parts(self, within: float = _SECONDS + 0.5) -> list[Dependency]:
        """What was found; who did not answer in time is away."""
        end = time.monotonic() + within
        for asking in self._asked.values():
            asking.join(max(0.0, end - time.monotonic()))
        silent = f"no answer within {within:g} s"
        return [self._found.get(name) or Dependency(name, True, silent) for name in self._asked]

    def away(self, name: str) -> bool:
        """Whether that one is away."""
        return any(part.away for part in self.parts() if part.name == name)


def sentence(parts: list[Dependency]) -> str:
    """One line for the head of a command."""
    away = [part.name for part in parts if part.away]
    there = [part.name for part in parts if part.away is False]
    said = [f"Away: {', '.join(away)}."] if away else []
    return " ".join([*said, *([f"There: {', '.join(there)}."] if there else [])])


def _slack(settings: Settings) -> Dependency:
    slack = settings.slack
    if not (slack.channel or slack.bot_token.get_secret_value()):
        return Dependency("Slack", None, "not set up")
    try:
        client_for(slack, timeout=_SECONDS).api_test()
    except FAILURES as error:
        why = trouble(error)
        # A refusal is an answer: whoever says that a token is wrong, or that it is too much, is there.
        return Dependency("Slack", why.why is Why.DOUBT, why.code)
    return Dependency("Slack", False, slack.base_url)


def _pagerduty(settings: PagerDutySettings) -> Dependency:
    """Only whether anything answers there: a wrong token is the doctor's matter."""
    if not (settings.token.get_secret_value() or settings.routing_key.get_secret_value()):
        return Dependency("PagerDuty", None, "not set up")
    where = urlsplit(settings.api_url)
    tls = where.scheme != "http"
    try:
        with socket.create_connection((where.hostname or "", where.port or (443 if tls else 80)), _SECONDS) as plain:
            if tls:
                context = ssl.create_default_context(cafile=settings.ca_file or None)
                context.wrap_socket(plain, server_hostname=where.hostname).close()
    except (OSError, ValueError) as error:
        return Dependency("PagerDuty", True, _silent(settings.api_url, error))
    return Dependency("PagerDuty", False, settings.api_url)


def _silent(where: str, error: Exception) -> str:
    return f"{where or 'no address'} does not answer ({type(error).__name__})"


def _redis(url: str) -> Dependency:
    try:
        connection = redis.Redis.from_url(url, protocol=2, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS)
        with connection:
            connection.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        # Never the address as it stands in the settings: it may hold a password.
        return Dependency("Redis", True, _silent(url.rpartition("@")[2], error))
    return Dependency("Redis", False, "it answers")


def _worker(settings: Settings, store: Store) -> Dependency:
    try:
        living = [w for w in living_workers(store).values() if serves(w, settings.site.name)]
    except SQLAlchemyError as error:
        return Dependency("worker", True, f"the store does not answer ({type(error).__name__})")
    hosts = ", ".join(sorted({str(w.get("host") or "somewhere") for w in living}))
    return Dependency("worker", not living, f"alive on {hosts}" if living else "no worker is alive")
