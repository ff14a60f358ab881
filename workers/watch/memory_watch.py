"""Asks each Redis of a site how much memory it uses, through the client in its own container, and briefly."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from actions.engine.errors import RecoveryError
from actions.redact import excerpt
from actions.stack.stack import ServiceKind
from actions.watch.redis_memory import Memory, read, silent
from actions.watch.service_condition import Condition, Health
from workers.docker.exec import CommandResult, Inside

SECONDS = 3
"""How long a Redis may take for its answer."""
_BEYOND = 5
_FRESH = timedelta(minutes=5)
_UP = ("healthy", "unhealthy", "starting", "running")
# The password is the container's own, from its environment: it never leaves it, nor stands on a command line.
_ASK = r"""
cli=$(command -v redis-cli || command -v valkey-cli) || { echo "The container has no redis-cli."; exit; }
password=${REDISCLI_AUTH:-$REDIS_PASSWORD}
[ -z "$password" ] || export REDISCLI_AUTH="$password"
printf 'INFO memory\nINFO errorstats\n' | timeout "$1" "$cli"
[ $? -ne 124 ] || echo "It did not answer within $1 s."
"""


@dataclass
class MemoryWatch:
    """Asks every so many seconds; between, what was said last stands."""

    every: float
    known: dict[str, Memory] = field(default_factory=dict)
    _next: float = 0.0

    def look(self, client: Any, found: Sequence[Health], now: datetime) -> None:
        """Ask those that are up, if it is time. One that does not answer is told as such."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self.every
        up = [one for one in found if one.kind == ServiceKind.REDIS and one.word in _UP]
        self.known = {one.service: ask(client, one.inside, now, self.known.get(one.service)) for one in up}

    def recall(self, kept: Mapping[str, Condition]) -> None:
        """Go on from what an earlier worker found, where nobody here has looked yet."""
        for service, condition in kept.items():
            if condition.memory is not None:
                self.known.setdefault(service, condition.memory)

    def of(self, health: Health, now: datetime) -> Memory | None:
        """What a service said lately; nothing where it is not up any more."""
        memory = self.known.get(health.service) if health.word in _UP else None
        return memory if memory is not None and now - memory.seen_at < _FRESH else None


def ask(client: Any, container: str, now: datetime, before: Memory | None = None) -> Memory:
    """What one Redis says; `before` is what it said the last time."""
    try:
        done = Inside(client.api, container).script(_ASK, str(SECONDS), seconds=SECONDS + _BEYOND)
    except RecoveryError as trouble:
        return silent(trouble.message, now, before)
    try:
        return read(done.out, now, before)
    except ValueError:
        return silent(_said(done), now, before)


def _said(done: CommandResult) -> str:
    """The first line of an answer that is none."""
    said = (done.out.strip() or done.err.strip()).splitlines()
    return excerpt(said[0], 200) if said else f"redis-cli ended with {done.code} and said nothing."
